//! Who has asked those who decide in a room (XEP-0045 §7.10, §7.13): one person asks once in [`PAUSE`], since everyone who
//! could decide is told of it. Remembered are [`MOST`] people at a time; while there are that many, nobody else can ask.

use std::collections::BTreeMap;

use crate::jid::Jid;

/// Milliseconds between two requests of one person.
const PAUSE: u64 = 10 * 60_000;
const MOST: usize = 100;

/// When each has asked, by their bare addresses.
#[derive(Default)]
pub struct Requests(BTreeMap<Jid, u64>);

impl Requests {
    /// Whether somebody may ask now; then they have.
    pub fn admit(&mut self, who: &Jid, now: u64) -> bool {
        self.0.retain(|_, asked| *asked + PAUSE > now);
        let admitted = self.0.len() < MOST && !self.0.contains_key(who.bare_str());
        if admitted {
            self.0.insert(who.bare(), now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: usize) -> Jid {
        Jid::parse(&format!("p{n}@example.org/phone")).expect("an address")
    }

    #[test]
    fn a_person_asks_once_in_a_while_with_whichever_client() {
        let mut requests = Requests::default();
        assert!(requests.admit(&person(1), 1000));
        assert!(!requests.admit(&person(1).bare(), 1000 + PAUSE - 1));
        assert!(requests.admit(&person(2), 1001));
        assert!(requests.admit(&person(1), 1000 + PAUSE));
    }

    #[test]
    fn only_so_many_people_are_remembered() {
        let mut requests = Requests::default();
        assert_eq!((0..1000).filter(|n| requests.admit(&person(*n), 0)).count(), MOST);
        assert!(requests.admit(&person(1000), PAUSE));
        assert_eq!(requests.0.len(), 1);
    }
}

//! The voices that moderators have given and taken (XEP-0045 §5.1: roles persist "for moderated rooms"): who leaves and comes
//! back has the same, so that nobody who may not speak can by coming anew.
//!
//! Remembered while the room is in memory, of [`MOST`] people; with one more, somebody else's is forgotten.

use std::collections::BTreeMap;

use crate::jid::Jid;
use crate::store::record::Role;

const MOST: usize = 500;

/// Visitors and participants, by their bare addresses.
#[derive(Default)]
pub struct Voices(BTreeMap<Jid, Role>);

impl Voices {
    /// A moderator has given somebody this role. Who was a moderator comes back with a voice.
    pub fn given(&mut self, who: &Jid, role: Role) {
        if self.0.len() >= MOST && !self.0.contains_key(who.bare_str()) {
            self.0.pop_first();
        }
        self.0.insert(who.bare(), role.min(Role::Participant));
    }

    pub fn of(&self, who: &Jid) -> Option<Role> {
        self.0.get(who.bare_str()).copied()
    }

    pub fn forget(&mut self, who: &Jid) {
        self.0.remove(who.bare_str());
    }

    pub fn forget_all(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_voices_are_remembered() {
        let mut voices = Voices::default();
        let person = |n: usize| Jid::parse(&format!("p{n:03}@example.org/phone")).expect("an address");
        (0..=MOST).for_each(|n| voices.given(&person(n), Role::Visitor));
        assert_eq!(voices.of(&person(0)), None);
        assert_eq!((1..=MOST).filter(|n| voices.of(&person(*n).bare()) == Some(Role::Visitor)).count(), MOST);
        voices.given(&person(1), Role::Moderator);
        assert_eq!((voices.of(&person(1)), voices.0.len()), (Some(Role::Participant), MOST));
    }
}

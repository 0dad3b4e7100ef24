//! Nicks that people could take for one another (XEP-0045 §13.6: "Mimicking another occupant's roomnick").
//!
//! Two nicks look alike if they are the same but for case and spaces, or if Unicode's table of confusable characters
//! (UTS 39) makes the same of both: a Latin `a` and a Cyrillic one, `rn` and `m`, `I` and `l`.

use std::collections::BTreeSet;
use std::ops::Bound;

use unicode_security::confusable_detection::skeleton;

/// Nicks by how they look, with whose they are.
#[derive(Default)]
pub struct Looks(BTreeSet<(Box<str>, Box<str>)>);

impl Looks {
    pub fn insert(&mut self, nick: &str, whose: &str) {
        self.0.extend(looks(nick).map(|look| (look, whose.into())));
    }

    /// Takes out what [`Looks::insert`] has put in.
    pub fn remove(&mut self, nick: &str, whose: &str) {
        for look in looks(nick) {
            self.0.remove(&(look, whose.into()));
        }
    }

    /// Those who have a nick that looks like this one.
    pub fn of_others(&self, nick: &str) -> Vec<&str> {
        let alike = looks(nick).into_iter().flat_map(|look| {
            let from = (look.clone(), Box::default());
            let range = self.0.range((Bound::Included(from), Bound::Unbounded));
            range.take_while(move |(other, _)| *other == look).map(|(_, whose)| &**whose)
        });
        alike.collect()
    }
}

/// Capital letters have doubles that small ones don't have, and the other way round: so a nick has two looks.
fn looks(nick: &str) -> [Box<str>; 2] {
    let spaced = nick.split_whitespace().collect::<Vec<_>>().join(" ");
    let as_it_is: String = skeleton(&spaced).flat_map(char::to_lowercase).collect();
    let in_small = spaced.to_lowercase();
    [as_it_is.into(), skeleton(&in_small).collect::<String>().into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        let mut known = Looks::default();
        known.insert(one, "somebody");
        !known.of_others(other).is_empty()
    }

    #[test]
    fn nicks_that_a_person_would_confuse_look_alike() {
        for (one, other) in [
            ("Romeo", "romeo"),
            ("Romeo", " Romeo "),
            ("Romeo M", "romeo  m"),
            ("Romeo", "R\u{3bf}meo"),
            ("romeo", "rоmео"),
            ("Mam", "Marn"),
            ("Ivan", "lvan"),
            ("Ivan", "IVAN"),
            ("R0meo", "romeo"),
            ("Straße", "straße"),
            ("Zoe\u{301}", "Zo\u{e9}"),
        ] {
            assert!(alike(one, other), "{one} and {other}");
            assert!(alike(other, one), "{other} and {one}");
        }
    }

    #[test]
    fn other_nicks_do_not() {
        for (one, other) in
            [("Romeo", "Romea"), ("Zoe", "Zoé"), ("user1", "user2"), ("a b", "ab"), ("安", "案")]
        {
            assert!(!alike(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn what_is_taken_out_is_gone_and_nothing_else() {
        let mut known = Looks::default();
        known.insert("Romeo", "one");
        known.insert("romeo", "other");
        known.remove("Romeo", "one");
        assert_eq!(known.of_others("ROMEO"), ["other"]);
        known.remove("romeo", "other");
        assert!(known.0.is_empty());
    }
}

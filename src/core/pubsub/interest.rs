//! What notifications a client wants: the nodes whose names it says with `+notify` in its capabilities (XEP-0060
//! §9.2), and those resources that are not sessions of ours but have sent an account their presence.

use std::collections::HashMap;
use std::sync::Arc;

use crate::jid::Jid;

/// Names that are taken from one client, and the bytes of each.
const MAX_NAMES: usize = 200;
const MAX_NAME: usize = 1024;

/// Resources of others that are remembered, in all and for one account; more are told nothing.
const MAX_ELSEWHERE: usize = 20_000;
const MAX_OF_ACCOUNT: usize = 1000;

/// Names of nodes, sorted; shared by all clients of the same make.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interests(Option<Arc<[Box<str>]>>);

impl Interests {
    /// Of the features that a client announces.
    pub fn of_features<'a>(features: impl Iterator<Item = &'a str>) -> Interests {
        let names = features.filter_map(|feature| feature.strip_suffix("+notify"));
        let names = names.filter(|name| !name.is_empty() && name.len() <= MAX_NAME).take(MAX_NAMES);
        let mut names: Vec<Box<str>> = names.map(Box::from).collect();
        names.sort_unstable();
        names.dedup();
        Interests((!names.is_empty()).then(|| names.into()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn contains(&self, node: &str) -> bool {
        self.0.as_ref().is_some_and(|names| names.binary_search_by(|name| (**name).cmp(node)).is_ok())
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|names| names.iter()).map(|name| &**name)
    }

    /// Those that were not there before.
    pub fn beyond<'a>(&'a self, before: &'a Interests) -> impl Iterator<Item = &'a str> {
        self.iter().filter(|name| !before.contains(name))
    }
}

/// By account: full addresses that have sent it available presence and are not found through its roster and our
/// sessions.
#[derive(Default)]
pub(super) struct Elsewhere {
    accounts: HashMap<Jid, Vec<(Jid, Interests)>>,
    count: usize,
}

impl Elsewhere {
    pub fn present(&mut self, account: &Jid, resource: &Jid) {
        let known = self.of(account).iter().any(|(jid, _)| jid == resource);
        if !known && self.count < MAX_ELSEWHERE && self.of(account).len() < MAX_OF_ACCOUNT {
            let resources = self.accounts.entry(account.clone()).or_default();
            resources.push((resource.clone(), Interests::default()));
            self.count += 1;
        }
    }

    /// Returns what it wanted before; `None`: it has gone again, or there was no room for it.
    pub fn set(&mut self, account: &Jid, resource: &Jid, interests: &Interests) -> Option<Interests> {
        let mut known = self.accounts.get_mut(account)?.iter_mut();
        let (_, old) = known.find(|(jid, _)| jid == resource)?;
        Some(std::mem::replace(old, interests.clone()))
    }

    pub fn gone(&mut self, account: &Jid, resource: &Jid) {
        let Some(known) = self.accounts.get_mut(account) else { return };
        let before = known.len();
        known.retain(|(jid, _)| jid != resource);
        self.count -= before - known.len();
        if known.is_empty() {
            self.accounts.remove(account);
        }
    }

    pub fn of(&self, account: &Jid) -> &[(Jid, Interests)] {
        self.accounts.get(account).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn forget_account(&mut self, account: &Jid) {
        self.count -= self.accounts.remove(account).map_or(0, |known| known.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> Jid {
        Jid::parse(text).expect("an address")
    }

    #[test]
    fn interests_are_the_features_that_end_in_notify() {
        let features = ["urn:b+notify", "urn:c", "urn:a+notify", "+notify", "urn:b+notify"];
        let interests = Interests::of_features(features.into_iter());
        assert!(interests.contains("urn:a") && interests.contains("urn:b"));
        assert!(!interests.contains("urn:c") && !interests.contains(""));
        let before = Interests::of_features(["urn:a+notify"].into_iter());
        assert_eq!(interests.beyond(&before).collect::<Vec<_>>(), ["urn:b"]);
    }

    #[test]
    fn what_others_make_us_remember_is_bounded_and_counted() {
        let (mut elsewhere, account) = (Elsewhere::default(), jid("romeo@example.org"));
        for n in 0..MAX_OF_ACCOUNT + 10 {
            elsewhere.present(&account, &jid(&format!("a@example.net/{n}")));
        }
        assert_eq!((elsewhere.of(&account).len(), elsewhere.count), (MAX_OF_ACCOUNT, MAX_OF_ACCOUNT));
        elsewhere.gone(&account, &jid("a@example.net/0"));
        elsewhere.gone(&account, &jid("a@example.net/0"));
        assert_eq!(elsewhere.count, MAX_OF_ACCOUNT - 1);
        elsewhere.forget_account(&account);
        assert_eq!(elsewhere.count, 0);
    }
}

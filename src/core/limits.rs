//! What slows down those who guess passwords, and those who register accounts in bulk (XEP-0205).

use std::collections::HashMap;
use std::hash::Hash;

use super::link::Network;
use crate::jid::Jid;

/// Keys that are remembered at one time; with more, those that matter least are forgotten.
const REMEMBERED: usize = 20_000;

/// Wrong passwords that cost nothing: everyone mistypes.
const FREE: u32 = 5;
/// Milliseconds after which wrong passwords are forgotten.
const MEMORY: u64 = 15 * 60_000;
/// The longest that an account's owner waits because of others' guesses, in milliseconds.
const ACCOUNT_MAX: u64 = 10_000;
/// The longest that an address waits for its next try, in milliseconds.
const ADDRESS_MAX: u64 = 60_000;

/// Growing delays after wrong passwords, by account and by address.
#[derive(Default)]
pub(super) struct LoginDelays {
    accounts: HashMap<Jid, Delay>,
    addresses: HashMap<Network, Delay>,
}

#[derive(Clone, Copy, Default)]
struct Delay {
    failures: u32,
    /// When the next try may be answered.
    until: u64,
    last: u64,
}

impl LoginDelays {
    /// When a try for this account from this address may be answered.
    pub fn answer_at(&self, account: &Jid, address: Network) -> u64 {
        let account = self.accounts.get(account).map_or(0, |delay| delay.until);
        let address = self.addresses.get(&address).map_or(0, |delay| delay.until);
        account.max(address)
    }

    pub fn failed(&mut self, account: &Jid, address: Network, now: u64) {
        bounded(&mut self.accounts, account.clone(), now).failed(now, ACCOUNT_MAX);
        bounded(&mut self.addresses, address, now).failed(now, ADDRESS_MAX);
    }

    /// The owner has proven to be one: the account's past is forgotten. The address's is not, since whoever has
    /// one account could otherwise guess at the others for ever.
    pub fn succeeded(&mut self, account: &Jid) {
        self.accounts.remove(account);
    }

    pub fn forget_before(&mut self, now: u64) {
        self.accounts.retain(|_, delay| delay.last + MEMORY > now);
        self.addresses.retain(|_, delay| delay.last + MEMORY > now);
    }
}

impl Delay {
    fn failed(&mut self, now: u64, max: u64) {
        self.failures = self.failures.saturating_add(1);
        self.last = now;
        // From the sixth on: 1, 2, 4 … seconds, each behind the one before, so that tries in parallel gain nothing.
        if let Some(over) = self.failures.checked_sub(FREE + 1) {
            let delay = 1000u64 << over.min(10);
            self.until = (self.until.max(now) + delay).min(now + max);
        }
    }
}

fn bounded<K: Hash + Eq + Clone>(map: &mut HashMap<K, Delay>, key: K, now: u64) -> &mut Delay {
    if map.len() >= REMEMBERED && !map.contains_key(&key) {
        map.retain(|_, delay| delay.until > now);
        if map.len() >= REMEMBERED {
            map.clear();
        }
    }
    map.entry(key).or_default()
}

/// How often an address has done something within an hour.
#[derive(Default)]
pub(super) struct Rates(HashMap<Network, Vec<u64>>);

const HOUR: u64 = 3_600_000;

impl Rates {
    /// Counts one more, unless there have been `max` within the hour.
    pub fn admit(&mut self, address: Network, max: usize, now: u64) -> bool {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&address) {
            self.forget_before(now);
            if self.0.len() >= REMEMBERED {
                return false;
            }
        }
        let times = self.0.entry(address).or_default();
        times.retain(|time| time + HOUR > now);
        let admitted = times.len() < max;
        // Where there is no limit, nothing needs to be remembered.
        if admitted && max != usize::MAX {
            times.push(now);
        }
        admitted
    }

    pub fn forget_before(&mut self, now: u64) {
        self.0.retain(|_, times| times.last().is_some_and(|time| time + HOUR > now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn address(last: u8) -> Network {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into()
    }

    #[test]
    fn five_wrong_passwords_are_free_and_then_the_wait_grows_to_a_bound() {
        let romeo = Jid::parse("romeo@example.org").expect("a JID");
        let mut delays = LoginDelays::default();
        for _ in 0..5 {
            delays.failed(&romeo, address(1), 1000);
        }
        assert_eq!(delays.answer_at(&romeo, address(1)), 0);
        delays.failed(&romeo, address(1), 1000);
        assert_eq!(delays.answer_at(&romeo, address(1)), 2000);
        delays.failed(&romeo, address(1), 1000);
        assert_eq!(delays.answer_at(&romeo, address(2)), 4000, "the account waits from every address");
        for _ in 0..100 {
            delays.failed(&romeo, address(1), 1000);
        }
        assert_eq!(delays.answer_at(&romeo, address(2)), 1000 + ACCOUNT_MAX);
        assert_eq!(delays.answer_at(&romeo, address(1)), 1000 + ADDRESS_MAX);
        delays.succeeded(&romeo);
        assert_eq!(delays.answer_at(&romeo, address(2)), 0);
        delays.forget_before(1000 + MEMORY);
        assert_eq!(delays.answer_at(&romeo, address(1)), 0);
    }

    #[test]
    fn what_an_attacker_makes_us_remember_is_bounded() {
        let mut delays = LoginDelays::default();
        for n in 0..REMEMBERED + 10 {
            let jid = Jid::parse(&format!("u{n}@example.org")).expect("a JID");
            delays.failed(&jid, address(1), 1000);
        }
        assert!(delays.accounts.len() <= REMEMBERED);
    }

    #[test]
    fn an_hour_has_so_many_registrations_and_the_next_hour_has_new_ones() {
        let mut rates = Rates::default();
        assert!(rates.admit(address(1), 2, 0));
        assert!(rates.admit(address(1), 2, 10));
        assert!(!rates.admit(address(1), 2, 20));
        assert!(rates.admit(address(2), 2, 20));
        assert!(rates.admit(address(1), 2, HOUR));
        assert!(!rates.admit(address(1), 2, HOUR + 5));
    }
}

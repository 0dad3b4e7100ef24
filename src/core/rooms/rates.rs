//! How fast each person may send to a room: so much a minute on average, [`AT_ONCE`] at once.
//!
//! Remembered is only who has sent within the last seconds, whether they are still in the room or not: to leave and to
//! come again gains nothing.

use std::collections::HashMap;
use std::sync::Arc;

/// What may come at once after a pause.
const AT_ONCE: u64 = 20;
/// People that are remembered before it is looked who can be forgotten.
const SWEEP_FROM: usize = 64;

/// Microseconds since the Unix epoch when all that each person has sent is paid for, by their occupant-ids.
#[derive(Default)]
pub struct Rates {
    paid: HashMap<Arc<str>, u64>,
    sweep_at: usize,
}

impl Rates {
    /// Counts one more of a person's; `false`: that is too many. With 0 a minute there is no limit.
    pub fn admit(&mut self, who: &Arc<str>, per_minute: u64, now: u64) -> bool {
        self.admit_with(who, per_minute, now, 0)
    }

    /// The same for something that costs more: what is more need not be there yet, and nothing else is admitted before it is
    /// paid for.
    pub fn admit_with(&mut self, who: &Arc<str>, per_minute: u64, now: u64, more: u64) -> bool {
        if per_minute == 0 {
            return true;
        }
        let (now, price) = (now.saturating_mul(1000), 60_000_000 / per_minute);
        if self.paid.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.paid.retain(|_, paid| *paid > now);
            self.sweep_at = 2 * self.paid.len();
        }
        let paid = self.paid.entry(Arc::clone(who)).or_default();
        let after = now.max(*paid) + price;
        let admitted = after <= now + AT_ONCE * price;
        if admitted {
            *paid = after.saturating_add(more.saturating_mul(price));
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_may_come_at_once_and_then_so_many_a_minute() {
        let (mut rates, who) = (Rates::default(), Arc::from("somebody"));
        for _ in 0..AT_ONCE {
            assert!(rates.admit(&who, 120, 1000));
        }
        assert!(!rates.admit(&who, 120, 1000));
        assert!(!rates.admit(&who, 120, 1499), "one costs half a second");
        assert!(rates.admit(&who, 120, 1500));
        assert!(!rates.admit(&who, 120, 1500));
        assert!(rates.admit(&Arc::from("somebody else"), 120, 1500));
        assert_eq!((0..100).filter(|_| rates.admit(&who, 120, 60_000)).count(), 20, "a pause saves no more");
    }

    #[test]
    fn what_costs_more_is_admitted_and_paid_for_later() {
        let (mut rates, who) = (Rates::default(), Arc::from("somebody"));
        assert!(rates.admit_with(&who, 60, 1000, 99));
        assert!(!rates.admit(&who, 60, 1000 + 80_999), "a hundred seconds, but for twenty at once");
        assert!(rates.admit(&who, 60, 1000 + 81_000));
    }

    #[test]
    fn who_has_paid_is_forgotten() {
        let mut rates = Rates::default();
        for n in 0..10_000_u64 {
            assert!(rates.admit(&format!("{n}").into(), 60, n * 100));
        }
        assert!(rates.paid.len() <= SWEEP_FROM, "{}", rates.paid.len());
    }

    #[test]
    fn no_limit_remembers_nobody() {
        let mut rates = Rates::default();
        assert!((0..1000).all(|_| rates.admit(&Arc::from("somebody"), 0, 0)));
        assert!(rates.paid.is_empty());
    }
}

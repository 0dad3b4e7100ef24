//! How much is said in public rooms (XEP-0502): messages by the hour of the last day, in memory only.
//!
//! At most [`MAX`] rooms are watched; the one that has been silent the longest gives way.

use std::collections::HashMap;

use crate::core::Core;
use crate::jid::Jid;

const HOUR: u64 = 3_600_000;
/// Whole hours that count.
const HOURS: usize = 24;
const MAX: usize = 1000;

/// By the ids of rooms.
#[derive(Default)]
pub struct Activity(HashMap<u32, Counts>);

#[derive(Default)]
struct Counts {
    /// The hour, since the Unix epoch, that the first count is of; each further one is of the hour before.
    hour: u64,
    counts: [u16; HOURS + 1],
}

impl Counts {
    fn go_on_to(&mut self, hour: u64) {
        let passed = usize::try_from(hour.saturating_sub(self.hour)).unwrap_or(usize::MAX);
        let passed = passed.min(self.counts.len());
        self.counts.rotate_right(passed);
        self.counts.iter_mut().take(passed).for_each(|count| *count = 0);
        self.hour = self.hour.max(hour);
    }
}

impl Activity {
    /// A message has been said.
    pub fn count(&mut self, room: u32, now: u64) {
        if self.0.len() >= MAX && !self.0.contains_key(&room) {
            let silent = self.0.iter().min_by_key(|(_, counts)| counts.hour).map(|(room, _)| *room);
            silent.and_then(|room| self.0.remove(&room));
        }
        let counts = self.0.entry(room).or_default();
        counts.go_on_to(now / HOUR);
        if let Some(count) = counts.counts.first_mut() {
            *count = count.saturating_add(1);
        }
    }

    /// Messages an hour, over the whole hours `since` a time, at most a day of them; `None` before the first is over.
    pub fn rate(&mut self, room: u32, since: u64, now: u64) -> Option<f64> {
        let watched = (now / HOUR).saturating_sub(since.div_ceil(HOUR)).min(HOURS as u64);
        let Some(counts) = self.0.get_mut(&room) else { return (watched > 0).then_some(0.0) };
        counts.go_on_to(now / HOUR);
        let said: u32 = counts.counts.iter().skip(1).map(|count| u32::from(*count)).sum();
        (watched > 0).then(|| f64::from(said) / watched as f64)
    }

    pub fn forget_silent(&mut self, now: u64) {
        self.0.retain(|_, counts| counts.hour + (HOURS as u64) >= now / HOUR);
    }
}

impl Core {
    /// Something has been said in a room.
    pub fn count_activity(&mut self, room: &Jid) {
        let public = self.loaded_room(room).filter(|room| room.is_public_place());
        if let Some(id) = public.map(|room| room.record.id) {
            self.rooms.activity.count(id, self.now);
        }
    }

    /// Messages an hour in a room that anyone may know it of; `None`: it is not such a one, or nothing is known yet.
    pub fn room_activity(&mut self, room: &Jid) -> Option<f64> {
        let room = self.loaded_room(room).filter(|room| room.is_public_place())?;
        let (id, since) = (room.record.id, self.started.max(room.record.created * 1000));
        self.rooms.activity.rate(id, since, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_that_runs_does_not_count_yet_and_after_a_day_none_does() {
        let mut activity = Activity::default();
        for _ in 0..48 {
            activity.count(1, 100 * HOUR + 5);
        }
        let mut rate = |hour: u64| activity.rate(1, 0, hour * HOUR);
        assert_eq!(rate(100), Some(0.0));
        assert_eq!(rate(101), Some(2.0));
        assert_eq!(rate(124), Some(2.0));
        assert_eq!(rate(125), Some(0.0));
        assert_eq!(rate(1_000_000), Some(0.0));
    }

    #[test]
    fn only_hours_that_were_watched_count() {
        let mut activity = Activity::default();
        activity.count(1, 100 * HOUR + 50);
        assert_eq!(activity.rate(1, 100 * HOUR + 5, 101 * HOUR), None);
        activity.count(1, 101 * HOUR + 50);
        assert_eq!(activity.rate(1, 100 * HOUR + 5, 102 * HOUR), Some(2.0));
        assert_eq!(activity.rate(2, 100 * HOUR + 5, 102 * HOUR), Some(0.0));
    }

    #[test]
    fn so_many_rooms_are_watched_and_no_more() {
        let mut activity = Activity::default();
        (0..2000).for_each(|room| activity.count(room, u64::from(room) * HOUR));
        assert_eq!(activity.0.len(), MAX);
        assert!(activity.0.contains_key(&1999));
        activity.forget_silent(5000 * HOUR);
        assert!(activity.0.is_empty());
    }
}

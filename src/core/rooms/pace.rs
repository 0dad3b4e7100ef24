//! When people have last said something in a room that is slow (XEP-0500), whatever their nicks and devices.

use std::collections::HashMap;

use super::Room;
use crate::jid::Jid;

/// People who are remembered; with more, those go first who have waited the longest.
const MAX: usize = 2000;

/// By bare addresses.
#[derive(Default)]
pub struct Pace(HashMap<Jid, u64>);

impl Room {
    /// Milliseconds until this person may say something again; 0: now.
    pub fn must_wait(&self, who: &Jid, now: u64) -> u64 {
        let pause = self.pause();
        let said = self.pace.0.get(who.bare_str()).filter(|_| pause > 0);
        said.map_or(0, |said| (said + pause).saturating_sub(now))
    }

    /// This person has said something.
    pub fn has_said(&mut self, who: &Jid, now: u64) {
        let pause = self.pause();
        if pause == 0 {
            return;
        }
        let said = &mut self.pace.0;
        if said.len() >= MAX {
            said.retain(|_, said| *said + pause > now);
        }
        if said.len() >= MAX {
            let longest = said.iter().min_by_key(|(_, said)| **said).map(|(who, _)| who.clone());
            longest.and_then(|who| said.remove(&who));
        }
        said.insert(who.bare(), now);
    }

    /// Whether somebody may not say something yet: a room does not forget that because nobody is in it.
    pub(super) fn makes_wait(&self, now: u64) -> bool {
        let pause = self.pause();
        pause > 0 && self.pace.0.values().any(|said| *said + pause > now)
    }

    fn pause(&self) -> u64 {
        u64::from(self.config().slow_mode) * 1000
    }
}

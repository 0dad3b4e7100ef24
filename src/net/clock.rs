//! The only clock: milliseconds since the Unix epoch that never go back and never stand still.
//!
//! It follows the monotonic clock from the moment of the start. When the wall clock is found ahead of that, it jumps to
//! it, as on a Raspberry Pi that learns the date from the network after the boot. When the wall clock is set back, it
//! goes on as before; a restart takes over the new time.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub struct Clock {
    start: Instant,
    /// Wall-clock time at the start, as far as it is known.
    origin: Cell<u64>,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { start: Instant::now(), origin: Cell::new(wall_clock()) }
    }

    pub fn now(&self) -> u64 {
        self.follow(wall_clock(), self.start.elapsed().as_millis() as u64)
    }

    fn follow(&self, wall_clock: u64, elapsed: u64) -> u64 {
        let origin = self.origin.get().max(wall_clock.saturating_sub(elapsed));
        self.origin.set(origin);
        origin + elapsed
    }
}

fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_set_forward_is_followed_and_one_set_back_is_not() {
        let clock = Clock { start: Instant::now(), origin: Cell::new(1_000) };
        assert_eq!(clock.follow(1_005, 5), 1_005);
        assert_eq!(clock.follow(90_010, 10), 90_010);
        assert_eq!(clock.follow(2_000, 20), 90_020);
        assert_eq!(clock.follow(2_010, 30), 90_030);
    }
}

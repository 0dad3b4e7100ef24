//! Notices a peer that has gone silent: after a while it is pinged (XEP-0199 §4.1), and if that stays without
//! any answer the connection is dead. Whatever the peer sends is a sign of life.

/// In milliseconds, like every time here.
pub struct Idle {
    heard: u64,
    /// When the ping was sent that has no answer yet.
    pinged: Option<u64>,
    /// Silence after which the peer is pinged; `u64::MAX`: never.
    silence: u64,
    /// Time for any answer, from the ping on: that may come late, as when the machine has slept.
    patience: u64,
}

#[derive(Debug, PartialEq)]
pub enum Verdict {
    Fine,
    Ping,
    Dead,
}

impl Idle {
    pub fn new(now: u64, silence: u64, patience: u64) -> Idle {
        Idle { heard: now, pinged: None, silence, patience }
    }

    pub fn heard(&mut self, now: u64) {
        self.heard = now;
        self.pinged = None;
    }

    /// The peer has been asked for something anyway.
    pub fn asked(&mut self, now: u64) {
        self.pinged.get_or_insert(now);
    }

    pub fn deadline(&self) -> u64 {
        match self.pinged {
            None => self.heard.saturating_add(self.silence),
            Some(at) => at.saturating_add(self.patience),
        }
    }

    /// To be asked when the deadline has passed.
    pub fn check(&mut self, now: u64) -> Verdict {
        if now < self.deadline() {
            Verdict::Fine
        } else if self.pinged.is_some() {
            Verdict::Dead
        } else {
            self.pinged = Some(now);
            Verdict::Ping
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_pinged_and_a_second_silence_is_death() {
        let mut idle = Idle::new(1000, 300, 60);
        assert_eq!(idle.check(1299), Verdict::Fine);
        assert_eq!(idle.check(1300), Verdict::Ping);
        assert_eq!(idle.deadline(), 1360);
        assert_eq!(idle.check(1359), Verdict::Fine);
        assert_eq!(idle.check(1360), Verdict::Dead);
    }

    #[test]
    fn any_byte_is_a_sign_of_life() {
        let mut idle = Idle::new(0, 300, 60);
        assert_eq!(idle.check(300), Verdict::Ping);
        idle.heard(310);
        assert_eq!(idle.check(360), Verdict::Fine);
        assert_eq!(idle.deadline(), 610);
    }

    #[test]
    fn after_a_sleep_of_the_machine_a_peer_has_time_to_answer() {
        let mut idle = Idle::new(0, 300, 60);
        assert_eq!(idle.check(3600), Verdict::Ping);
        assert_eq!(idle.check(3659), Verdict::Fine);
        assert_eq!(idle.check(3660), Verdict::Dead);
    }

    #[test]
    fn a_limit_that_is_off_never_comes() {
        assert_eq!(Idle::new(5, u64::MAX, 60).deadline(), u64::MAX);
    }
}

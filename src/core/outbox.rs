//! What waits to be written to one session, in bytes and in order.
//!
//! The bound is `outbox_bytes`. A stanza that does not fit is refused, and with it the session: whoever sent it
//! is told, or it goes where messages to nobody go, and the slow client is disconnected.

#[derive(Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
}

impl Outbox {
    /// Lets `write` append, unless what is there already fills `bound`.
    pub fn append(&mut self, bound: usize, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        if self.bytes.len() >= bound {
            return false;
        }
        let before = self.bytes.len();
        write(&mut self.bytes);
        if before > 0 && self.bytes.len() > bound {
            self.bytes.truncate(before);
            return false;
        }
        true
    }

    /// Moves everything into `out`.
    pub fn drain_into(&mut self, out: &mut Vec<u8>) {
        if out.is_empty() {
            std::mem::swap(out, &mut self.bytes);
        } else {
            out.append(&mut self.bytes);
        }
        if self.bytes.capacity() > 0 && self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_whole_and_leaves_the_rest() {
        let mut outbox = Outbox::default();
        assert!(outbox.append(10, |out| out.extend_from_slice(b"<message/>")));
        assert!(!outbox.append(10, |out| out.extend_from_slice(b"<iq/>")));
        let mut out = Vec::new();
        outbox.drain_into(&mut out);
        assert_eq!(out, b"<message/>");
        assert_eq!(outbox.len(), 0);
    }

    #[test]
    fn one_stanza_larger_than_the_bound_still_fits_into_an_empty_outbox() {
        let mut outbox = Outbox::default();
        assert!(outbox.append(4, |out| out.extend_from_slice(b"<message/>")));
    }
}

//! What the sender of a message would like to happen to it (XEP-0334), for whoever keeps messages.

use crate::stanza::Stanza;
use crate::xml::ns;

/// How long a message may be kept, as its sender sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// It is worth being kept, whatever it looks like (§4.4).
    pub store: bool,
    /// It is not to be in any archive (§4.1).
    pub no_permanent_store: bool,
    /// Nor is it to wait for someone offline (§4.2).
    pub no_store: bool,
}

impl Hints {
    pub fn of(stanza: &Stanza) -> Hints {
        let mut hints = Hints::default();
        // §5: an error shows what its cause looked like.
        if stanza.is_error() {
            return hints;
        }
        for child in stanza.payload.children().filter(|child| child.ns() == ns::HINTS) {
            match child.name() {
                "store" => hints.store = true,
                "no-permanent-store" => hints.no_permanent_store = true,
                "no-store" => (hints.no_store, hints.no_permanent_store) = (true, true),
                _ => {}
            }
        }
        hints
    }
}

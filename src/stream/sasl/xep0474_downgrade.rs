//! XEP-0474, SASL SCRAM Downgrade Protection: the server's first message of SCRAM has a hash of what was offered, so that a
//! client notices if somebody has shortened the list on its way. The proofs of both sides cover it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ChannelBinding, Mechanism};
use crate::password::Hash;

/// §6.1: the mechanisms and the types of channel binding that are offered, each sorted by their bytes.
pub fn offer(binding: &ChannelBinding) -> String {
    let mut mechanisms: Vec<&str> = Mechanism::offered(binding).map(Mechanism::name).collect();
    let mut types: Vec<&str> = binding.types().collect();
    mechanisms.sort_unstable();
    types.sort_unstable();
    let mut offer = mechanisms.join("\x1e");
    if !types.is_empty() {
        offer.push('\x1f');
        offer.push_str(&types.join("\x1e"));
    }
    offer
}

/// The attribute with the hash of an offer, as it stands behind the others.
pub(super) fn attribute(hash: Hash, offer: &str) -> String {
    match offer {
        "" => String::new(),
        offer => format!(",h={}", STANDARD.encode(hash.digest(offer.as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §6.3, whose server offers less than this one does.
    #[test]
    fn the_example_of_the_text_has_the_same_hash() {
        let offer = "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point";
        assert_eq!(attribute(Hash::Sha1, offer), ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=");
    }

    #[test]
    fn what_is_offered_is_sorted_and_complete() {
        let binding = ChannelBinding { exporter: Some([5; 32]), end_point: Some(vec![7; 32]) };
        assert_eq!(
            offer(&binding),
            "PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1eSCRAM-SHA-256\x1eSCRAM-SHA-256-PLUS\
             \x1ftls-exporter\x1etls-server-end-point"
        );
        assert_eq!(offer(&ChannelBinding::default()), "PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-256");
    }
}

//! Tokens that stand for a password (XEP-0484), and what is kept of them.
//!
//! A client proves that it has a token with a hash of it (draft-schmaus-kitten-sasl-ht-09), into which goes the binding
//! to the TLS connection if the token is for that. Of a token without a binding nothing is kept but two hashes, which
//! allow to check a login, not to make one. With a binding the proof is another one in each connection, and only who
//! knows the token can check it: such a token is kept as it is, and whoever steals the database has it until it
//! expires.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::password::Hash;

/// The random bytes of a token.
pub const LENGTH: usize = 32;

/// The bytes of a hash.
const HASH: usize = 32;

/// What the logins with a token are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `tls-server-end-point` (RFC 5929 §4)
    EndPoint,
    /// `tls-exporter` (RFC 9266)
    Exporter,
}

/// What is kept of a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Verifier {
    Unbound {
        /// The hash of the client's proof.
        proof: [u8; HASH],
        /// What the server proves itself with.
        answer: [u8; HASH],
    },
    Bound(Binding, [u8; LENGTH]),
}

/// A token as clients get it.
pub fn text(token: &[u8; LENGTH]) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(token))
}

impl Verifier {
    pub fn of(token: &[u8; LENGTH], binding: Option<Binding>) -> Verifier {
        match binding {
            Some(binding) => Verifier::Bound(binding, *token),
            None => Verifier::Unbound {
                proof: digest(&proof(token, "Initiator", &[])),
                answer: proof(token, "Responder", &[]),
            },
        }
    }

    pub fn binding(&self) -> Option<Binding> {
        match self {
            Verifier::Unbound { .. } => None,
            Verifier::Bound(binding, _) => Some(*binding),
        }
    }

    /// What a client is answered that has proven to have the token; `data` is what its connection is bound by. Takes
    /// equally long whether it has or not.
    pub fn check(&self, claim: &[u8], data: &[u8]) -> Option<[u8; HASH]> {
        let (expected, claim, answer) = match self {
            Verifier::Unbound { proof, answer } => (*proof, digest(claim).to_vec(), *answer),
            Verifier::Bound(_, token) => {
                (proof(token, "Initiator", data), claim.to_vec(), proof(token, "Responder", data))
            }
        };
        bool::from(expected.ct_eq(&claim)).then_some(answer)
    }
}

/// `HMAC(token, who || data)` of the draft, §3; the key is the text that the client has.
fn proof(token: &[u8; LENGTH], who: &str, data: &[u8]) -> [u8; HASH] {
    fixed(&Hash::Sha256.hmac(text(token).as_bytes(), &[who.as_bytes(), data].concat()))
}

fn digest(data: &[u8]) -> [u8; HASH] {
    fixed(&Hash::Sha256.digest(data))
}

fn fixed(hash: &[u8]) -> [u8; HASH] {
    hash.try_into().expect("SHA-256 has 32 bytes")
}

// It shows no secret, wherever it may be printed.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.binding())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: [u8; LENGTH] = [7; LENGTH];

    fn claim(token: &[u8; LENGTH], data: &[u8]) -> [u8; HASH] {
        proof(token, "Initiator", data)
    }

    #[test]
    fn only_the_token_itself_in_its_own_connection_is_proven() {
        for binding in [Binding::EndPoint, Binding::Exporter] {
            let verifier = Verifier::of(&TOKEN, Some(binding));
            assert_eq!(
                verifier.check(&claim(&TOKEN, b"here"), b"here"),
                Some(proof(&TOKEN, "Responder", b"here"))
            );
            assert_eq!(verifier.check(&claim(&TOKEN, b"there"), b"here"), None);
            assert_eq!(verifier.check(&claim(&TOKEN, b""), b"here"), None);
            assert_eq!(verifier.check(&claim(&[8; LENGTH], b"here"), b"here"), None);
        }
        let verifier = Verifier::of(&TOKEN, None);
        assert_eq!(verifier.check(&claim(&TOKEN, b""), b""), Some(proof(&TOKEN, "Responder", b"")));
        for wrong in [claim(&[8; LENGTH], b"").as_slice(), &[], &claim(&TOKEN, b"")[..31], &[0; 33]] {
            assert_eq!(verifier.check(wrong, b""), None);
        }
    }

    #[test]
    fn what_is_kept_of_a_token_without_a_binding_is_no_proof() {
        let Verifier::Unbound { proof, answer } = Verifier::of(&TOKEN, None) else { panic!("it is bound") };
        let verifier = Verifier::Unbound { proof, answer };
        assert_eq!(verifier.check(&proof, b""), None);
        assert_eq!(verifier.check(&answer, b""), None);
    }

    #[test]
    fn printing_shows_no_secret() {
        let verifier = Verifier::of(&TOKEN, Some(Binding::Exporter));
        assert_eq!(format!("{verifier:?}"), "Verifier(Some(Exporter))");
    }
}

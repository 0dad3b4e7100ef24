//! The mechanisms HT-SHA-256-* (draft-schmaus-kitten-sasl-ht-09): one message proves a token, and the answer proves that
//! the server knows it too. Who may use them, and when, is XEP-0484's.
//!
//! ```text
//! initiator  romeo NUL HMAC(token, "Initiator" channel-binding)
//! responder  HMAC(token, "Responder" channel-binding)
//! ```

use super::{Failure, Step, prepare_username};

/// The bytes of a proof.
const PROOF: usize = 32;

#[derive(Default)]
pub(super) struct HashedToken {
    /// Whose token is being checked.
    username: Option<String>,
}

impl HashedToken {
    pub(super) fn respond(&mut self, message: &[u8]) -> Result<Step, Failure> {
        let end = message.iter().position(|byte| *byte == 0).ok_or(Failure::MalformedRequest)?;
        let (username, proof) = message.split_at_checked(end).ok_or(Failure::MalformedRequest)?;
        let username = std::str::from_utf8(username).map_err(|_| Failure::MalformedRequest)?;
        let proof = proof.get(1..).filter(|proof| proof.len() == PROOF).ok_or(Failure::MalformedRequest)?;
        if username.is_empty() || self.username.is_some() {
            return Err(Failure::MalformedRequest);
        }
        let username = prepare_username(username)?;
        self.username = Some(username.clone());
        Ok(Step::VerifyToken { username, proof: proof.to_vec() })
    }

    pub(super) fn checked(&mut self, outcome: Result<Vec<u8>, Failure>) -> Result<Step, Failure> {
        let username = self.username.take().ok_or(Failure::MalformedRequest)?;
        Ok(Step::Success { username, data: Some(outcome?) })
    }
}

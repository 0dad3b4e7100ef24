//! Logging in: the server's side of SASL (RFC 4422) with SCRAM (RFC 5802, RFC 7677), PLAIN (RFC 4616) and hashed tokens
//! (XEP-0484).
//!
//! An [`Exchange`] is one attempt with one mechanism. It takes what the client says, already out of its base64, and
//! answers with a [`Step`] that says what to do next. It never waits: keys are asked for with [`Step::Lookup`] and
//! given with [`Exchange::credentials`]; the slow check of a plain password is handed out as [`Step::VerifyPlain`]
//! and its outcome given with [`Exchange::verified`]; the check of a token as [`Step::VerifyToken`], with
//! [`Exchange::token_checked`] to tell its outcome.
//!
//! For an unknown user the caller gives [`Credentials::fake`], and the exchange goes on to the same end, by the same
//! way, as with a wrong password. Any failure ends the exchange; whatever comes after it fails again.

mod channel_binding;
mod hashed_token;
mod plain;
mod scram;
mod xep0474_downgrade;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use channel_binding::ChannelBinding;
pub use xep0474_downgrade::offer;

use crate::jid::Jid;
use crate::password::{Credentials, Hash, Password};
use crate::token::Binding;
use hashed_token::HashedToken;
use plain::Plain;
use scram::Scram;

/// The most bytes of one message; as base64 that is 8 KiB. The longest that make sense have less: three parts of an
/// address and a password.
pub const MAX_MESSAGE: usize = 6 * 1024;

/// The mechanisms, the strongest first, as they are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    ScramSha256Plus,
    ScramSha1Plus,
    ScramSha256,
    ScramSha1,
    Plain,
}

impl Mechanism {
    pub const ALL: [Mechanism; 5] = [
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha1Plus,
        Mechanism::ScramSha256,
        Mechanism::ScramSha1,
        Mechanism::Plain,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Mechanism::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha1 => "SCRAM-SHA-1",
            Mechanism::Plain => "PLAIN",
        }
    }

    pub fn from_name(name: &str) -> Option<Mechanism> {
        Mechanism::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Does it bind the login to the TLS connection it is made in?
    pub fn plus(self) -> bool {
        matches!(self, Mechanism::ScramSha256Plus | Mechanism::ScramSha1Plus)
    }

    /// Those that can be had on a connection with this binding.
    pub fn offered(binding: &ChannelBinding) -> impl Iterator<Item = Mechanism> {
        let bound = !binding.is_empty();
        Mechanism::ALL.into_iter().filter(move |mechanism| bound || !mechanism.plus())
    }

    fn scram_hash(self) -> Option<Hash> {
        match self {
            Mechanism::ScramSha256Plus | Mechanism::ScramSha256 => Some(Hash::Sha256),
            Mechanism::ScramSha1Plus | Mechanism::ScramSha1 => Some(Hash::Sha1),
            Mechanism::Plain => None,
        }
    }
}

/// The mechanisms that prove a token (draft-schmaus-kitten-sasl-ht-09), the strongest first, by what they are bound to.
pub const TOKEN_MECHANISMS: [(&str, Option<Binding>); 3] = [
    ("HT-SHA-256-EXPR", Some(Binding::Exporter)),
    ("HT-SHA-256-ENDP", Some(Binding::EndPoint)),
    ("HT-SHA-256-NONE", None),
];

/// What the caller is to do.
#[derive(Debug)]
pub enum Step {
    /// Call [`Exchange::credentials`] with those of this account, or with fake ones.
    Lookup {
        username: String,
    },
    /// Send this to the client and wait for its response.
    Challenge(Vec<u8>),
    /// Check the password where that may take its time, then call [`Exchange::verified`].
    VerifyPlain {
        username: String,
        password: Password,
    },
    /// Check the proof of a token, then call [`Exchange::token_checked`].
    VerifyToken {
        username: String,
        proof: Vec<u8>,
    },
    /// The client is the owner of this account. `data` goes along with the success.
    Success {
        username: String,
        data: Option<Vec<u8>>,
    },
    Failure(Failure),
}

/// Why a login failed (RFC 6120 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Aborted,
    AccountDisabled,
    CredentialsExpired,
    EncryptionRequired,
    IncorrectEncoding,
    InvalidAuthzid,
    InvalidMechanism,
    MalformedRequest,
    MechanismTooWeak,
    NotAuthorized,
    TemporaryAuthFailure,
}

impl Failure {
    /// The name of the condition's element.
    pub fn name(self) -> &'static str {
        match self {
            Failure::Aborted => "aborted",
            Failure::AccountDisabled => "account-disabled",
            Failure::CredentialsExpired => "credentials-expired",
            Failure::EncryptionRequired => "encryption-required",
            Failure::IncorrectEncoding => "incorrect-encoding",
            Failure::InvalidAuthzid => "invalid-authzid",
            Failure::InvalidMechanism => "invalid-mechanism",
            Failure::MalformedRequest => "malformed-request",
            Failure::MechanismTooWeak => "mechanism-too-weak",
            Failure::NotAuthorized => "not-authorized",
            Failure::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}

/// One attempt to log in.
pub struct Exchange {
    /// `None` once it is over.
    dialogue: Option<Dialogue>,
}

enum Dialogue {
    Scram(Box<Scram>),
    Plain(Plain),
    Token(HashedToken),
}

impl Exchange {
    /// * `binding`: what this TLS connection can be bound by;
    /// * `offer`: what was offered to the client, as [`offer`] says it;
    /// * `server_nonce`: unguessable, of printable ASCII without a comma;
    /// * `domain`: prepared, where the account is.
    pub fn start(
        mechanism: Mechanism,
        binding: &ChannelBinding,
        offer: &str,
        server_nonce: String,
        domain: &str,
    ) -> Exchange {
        let dialogue = match mechanism.scram_hash() {
            Some(hash) => {
                let required = mechanism.plus().then(|| binding.clone());
                let offered_plus = !binding.is_empty();
                let hint = xep0474_downgrade::attribute(hash, offer);
                Dialogue::Scram(Box::new(Scram::start(
                    hash,
                    required,
                    offered_plus,
                    hint,
                    server_nonce,
                    domain,
                )))
            }
            None => Dialogue::Plain(Plain::start(domain)),
        };
        Exchange { dialogue: Some(dialogue) }
    }

    /// An attempt with a token.
    pub fn start_with_token() -> Exchange {
        Exchange { dialogue: Some(Dialogue::Token(HashedToken::default())) }
    }

    /// Takes a message of the client. All mechanisms here begin with one: without an initial response, it is to be
    /// asked for by an empty challenge.
    pub fn respond(&mut self, message: &[u8]) -> Step {
        self.step(|dialogue| {
            if message.len() > MAX_MESSAGE {
                return Err(Failure::MalformedRequest);
            }
            if let Dialogue::Token(token) = dialogue {
                return token.respond(message);
            }
            // What is not UTF-8, or has NUL but to separate in PLAIN, is refused by all others.
            let message = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
            match dialogue {
                Dialogue::Scram(scram) => scram.respond(message),
                Dialogue::Plain(plain) => plain.respond(message),
                Dialogue::Token(_) => Err(Failure::MalformedRequest),
            }
        })
    }

    /// Takes the answer to [`Step::Lookup`].
    pub fn credentials(&mut self, credentials: &Credentials) -> Step {
        self.step(|dialogue| match dialogue {
            Dialogue::Scram(scram) => scram.credentials(credentials),
            Dialogue::Plain(_) | Dialogue::Token(_) => Err(Failure::MalformedRequest),
        })
    }

    /// Takes the answer to [`Step::VerifyPlain`].
    pub fn verified(&mut self, matched: bool) -> Step {
        self.step(|dialogue| match dialogue {
            Dialogue::Plain(plain) => plain.verified(matched),
            Dialogue::Scram(_) | Dialogue::Token(_) => Err(Failure::MalformedRequest),
        })
    }

    /// Takes the answer to [`Step::VerifyToken`]: what the server proves itself with, or why the token is not good.
    pub fn token_checked(&mut self, outcome: Result<Vec<u8>, Failure>) -> Step {
        self.step(|dialogue| match dialogue {
            Dialogue::Token(token) => token.checked(outcome),
            Dialogue::Scram(_) | Dialogue::Plain(_) => Err(Failure::MalformedRequest),
        })
    }

    fn step(&mut self, next: impl FnOnce(&mut Dialogue) -> Result<Step, Failure>) -> Step {
        let result = self.dialogue.as_mut().map_or(Err(Failure::MalformedRequest), next);
        if matches!(result, Err(_) | Ok(Step::Success { .. })) {
            self.dialogue = None;
        }
        result.unwrap_or_else(Step::Failure)
    }
}

/// The user name a client gives is the localpart of its address. One that could never be is as good as unknown.
fn prepare_username(username: &str) -> Result<String, Failure> {
    Jid::localpart(username).map_err(|_| Failure::NotAuthorized)
}

/// RFC 6120 §6.3.8: somebody who names whom to act as, by a bare address, can only name the own account here.
fn check_authzid(authzid: &str, username: &str, domain: &str) -> Result<(), Failure> {
    let own = |jid: Jid| jid.is_bare() && jid.local() == Some(username) && jid.domain() == domain;
    if Jid::parse(authzid).is_ok_and(own) { Ok(()) } else { Err(Failure::InvalidAuthzid) }
}

/// The content of `<auth/>`: `None` if there is no initial response; an empty one is written `=` (RFC 6120 §6.4.2).
pub fn decode_initial(content: &str) -> Result<Option<Vec<u8>>, Failure> {
    if content.is_empty() { Ok(None) } else { decode(content).map(Some) }
}

/// The content of `<response/>`: strict base64, with padding and without white space (RFC 6120 §13.9.1), or `=`.
pub fn decode(content: &str) -> Result<Vec<u8>, Failure> {
    if content == "=" { Ok(Vec::new()) } else { decode_data(content) }
}

/// The same where nothing is written as nothing (XEP-0388 §2.2).
pub fn decode_data(content: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(content).map_err(|_| Failure::IncorrectEncoding)
}

/// The content of `<challenge/>` and `<success/>`.
pub fn encode(data: &[u8]) -> String {
    STANDARD.encode(data)
}

#[cfg(test)]
mod tests;

//! SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password's keys, and neither shows them.
//!
//! ```text
//! client-first  n,,n=romeo,r=<client nonce>
//! server-first  r=<both nonces>,s=<salt>,i=<iterations>,h=<what was offered>
//! client-final  c=<channel binding>,r=<both nonces>,p=<proof>
//! server-final  v=<signature>
//! ```
//!
//! The condition of a failure says whether the client is broken (`malformed-request`) or not who it claims to be
//! (`not-authorized`); a client that was told lies about what we offer counts as the latter.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{ChannelBinding, Failure, Step, check_authzid, prepare_username};
use crate::password::{Credentials, Hash};

pub(super) struct Scram {
    hash: Hash,
    /// Set for the mechanisms with channel binding.
    binding: Option<ChannelBinding>,
    offered_plus: bool,
    /// What the client can check the offer by, with its comma (XEP-0474).
    hint: String,
    server_nonce: String,
    domain: String,
    state: State,
}

enum State {
    ClientFirst,
    Credentials(ClientFirst),
    ClientFinal(ClientFinal),
    Finished,
}

/// What is kept of client-first-message.
struct ClientFirst {
    username: String,
    /// client-first-message-bare, exactly as it came.
    bare: String,
    /// The client's, then ours.
    nonce: String,
    /// What `c=` has to say: the GS2 header as it came, then the data of the channel binding.
    cbind_input: Vec<u8>,
}

/// What client-final-message is checked against.
struct ClientFinal {
    first: ClientFirst,
    server_first: String,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl Scram {
    pub(super) fn start(
        hash: Hash,
        binding: Option<ChannelBinding>,
        offered_plus: bool,
        hint: String,
        server_nonce: String,
        domain: &str,
    ) -> Scram {
        Scram {
            hash,
            binding,
            offered_plus,
            hint,
            server_nonce,
            domain: domain.to_owned(),
            state: State::ClientFirst,
        }
    }

    pub(super) fn respond(&mut self, message: &str) -> Result<Step, Failure> {
        if message.contains('\0') {
            return Err(Failure::MalformedRequest);
        }
        match std::mem::replace(&mut self.state, State::Finished) {
            State::ClientFirst => {
                let first = self.client_first(message)?;
                let username = first.username.clone();
                self.state = State::Credentials(first);
                Ok(Step::Lookup { username })
            }
            State::ClientFinal(expected) => self.client_final(message, expected),
            State::Credentials(_) | State::Finished => Err(Failure::MalformedRequest),
        }
    }

    /// `gs2-header [mext] n=username , r=nonce [, extensions]` (§7)
    fn client_first(&self, message: &str) -> Result<ClientFirst, Failure> {
        let (flag, rest) = message.split_once(',').ok_or(Failure::MalformedRequest)?;
        let (authzid, bare) = rest.split_once(',').ok_or(Failure::MalformedRequest)?;
        let gs2_header = message.strip_suffix(bare).ok_or(Failure::MalformedRequest)?;
        let mut cbind_input = gs2_header.as_bytes().to_vec();
        cbind_input.extend_from_slice(self.channel_binding(flag)?);

        // An extension that must be understood, `m=`, would come first here, and we understand none.
        let mut attributes = bare.split(',');
        let username = prepare_username(&decode_saslname(value(attributes.next(), "n=")?)?)?;
        let client_nonce = value(attributes.next(), "r=")?;
        if !client_nonce.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Failure::MalformedRequest);
        }
        attributes.try_for_each(check_extension)?;
        if !authzid.is_empty() {
            let authzid = decode_saslname(value(Some(authzid), "a=")?)?;
            check_authzid(&authzid, &username, &self.domain)?;
        }
        let nonce = format!("{client_nonce}{}", self.server_nonce);
        Ok(ClientFirst { username, bare: bare.to_owned(), nonce, cbind_input })
    }

    /// The data that the client's flag asks to bind to (§6).
    fn channel_binding(&self, flag: &str) -> Result<&[u8], Failure> {
        match (flag, &self.binding) {
            ("n", None) => Ok(&[]),
            // The client could have bound the channel but believes that we can't: somebody has told it so.
            ("y", None) if self.offered_plus => Err(Failure::NotAuthorized),
            ("y", None) => Ok(&[]),
            (_, None) | ("n" | "y", Some(_)) => Err(Failure::MalformedRequest),
            (flag, Some(binding)) => {
                let data = flag.strip_prefix("p=").and_then(|name| binding.data(name));
                data.ok_or(Failure::MalformedRequest)
            }
        }
    }

    /// `r=nonce,s=salt,i=iterations [, extensions]` (§7)
    pub(super) fn credentials(&mut self, credentials: &Credentials) -> Result<Step, Failure> {
        let State::Credentials(first) = std::mem::replace(&mut self.state, State::Finished) else {
            return Err(Failure::MalformedRequest);
        };
        let keys = credentials.keys(self.hash);
        let server_first =
            format!("r={},s={},i={}{}", first.nonce, STANDARD.encode(&keys.salt), keys.iterations, self.hint);
        let challenge = server_first.clone().into_bytes();
        self.state = State::ClientFinal(ClientFinal {
            first,
            server_first,
            stored_key: keys.stored_key.clone(),
            server_key: keys.server_key.clone(),
        });
        Ok(Step::Challenge(challenge))
    }

    /// `c=cbind-input,r=nonce [, extensions],p=proof` (§7)
    fn client_final(&self, message: &str, expected: ClientFinal) -> Result<Step, Failure> {
        let ClientFinal { first, server_first, stored_key, server_key } = expected;
        let (without_proof, proof) = message.rsplit_once(',').ok_or(Failure::MalformedRequest)?;
        let proof = decode_value(value(Some(proof), "p=")?)?;
        let mut attributes = without_proof.split(',');
        let cbind_input = decode_value(value(attributes.next(), "c=")?)?;
        let nonce = value(attributes.next(), "r=")?;
        attributes.try_for_each(check_extension)?;
        if nonce != first.nonce {
            return Err(Failure::MalformedRequest);
        }
        // Another GS2 header than at first, or another TLS connection at the other end.
        let bound = cbind_input == first.cbind_input;

        // §3
        let auth_message = format!("{},{server_first},{without_proof}", first.bare);
        let client_signature = self.hash.hmac(&stored_key, auth_message.as_bytes());
        let client_key: Zeroizing<Vec<u8>> =
            Zeroizing::new(client_signature.iter().zip(&proof).map(|(a, b)| a ^ b).collect());
        let proven: bool = self.hash.digest(&client_key).ct_eq(&stored_key).into();
        if !(bound && proven && proof.len() == client_signature.len()) {
            return Err(Failure::NotAuthorized);
        }
        let server_signature = self.hash.hmac(&server_key, auth_message.as_bytes());
        let server_final = format!("v={}", STANDARD.encode(server_signature));
        Ok(Step::Success { username: first.username, data: Some(server_final.into_bytes()) })
    }
}

/// The value of an attribute that must be here and must not be empty.
fn value<'a>(attribute: Option<&'a str>, name: &str) -> Result<&'a str, Failure> {
    let value = attribute.and_then(|attribute| attribute.strip_prefix(name));
    value.filter(|value| !value.is_empty()).ok_or(Failure::MalformedRequest)
}

/// Base64 within a message; that of the message as a whole is the caller's.
fn decode_value(value: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(value).map_err(|_| Failure::MalformedRequest)
}

/// §5.1: a comma is written `=2C`, an equals sign `=3D`, and there is no other use of one.
fn decode_saslname(name: &str) -> Result<String, Failure> {
    let mut parts = name.split('=');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (c, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return Err(Failure::MalformedRequest),
        };
        decoded.push(c);
        decoded.push_str(rest);
    }
    Ok(decoded)
}

/// An extension that need not be understood: a letter, an equals sign, a value (§5.1, §7).
fn check_extension(attribute: &str) -> Result<(), Failure> {
    match attribute.as_bytes() {
        [letter, b'=', _, ..] if letter.is_ascii_alphabetic() => Ok(()),
        _ => Err(Failure::MalformedRequest),
    }
}

//! Passwords, and the keys that are kept in their place (RFC 5802 §3, RFC 7677).
//!
//! No password is ever stored. What is stored is, for each hash that SCRAM is offered with, a salt, an iteration
//! count and two keys; they allow to check a login, not to make one. [`Credentials::derive`] and
//! [`Credentials::verify`] are slow on purpose and belong on a thread where nobody waits.
//!
//! **Preparation.** With SCRAM it is the client that turns the password into keys, so the server must have prepared
//! it as clients do: RFC 5802 says by SASLprep (RFC 4013), newer texts by OpaqueString (RFC 8265), and some clients
//! leave it as it was typed. All three agree on ordinary passwords: those of ASCII, and those of letters in composed
//! form, as keyboards make them. Here it is SASLprep, the rule of the mechanism. SASLprep knows Unicode 3.2 only,
//! though, and refuses emoji, younger scripts and mixed directions; clients send those in the OpaqueString form or
//! as typed, so what SASLprep refuses is prepared as OpaqueString. What both refuse (control characters, nothing at
//! all) is no password.

use std::fmt;
use std::ops::Deref;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::precis;

/// The iterations of a new password: what RFC 7677 asks for at least, and more, but still cheap for a small device.
pub const DEFAULT_ITERATIONS: u32 = 10_000;

/// The bytes of a new salt.
pub const SALT_LENGTH: usize = 16;

/// The most bytes a password may have.
pub const MAX_LENGTH: usize = 1024;

/// A prepared password, wiped from memory when it goes.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a text can't be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    Empty,
    TooLong,
    /// It has characters that no preparation admits.
    Invalid,
}

/// Prepares a password, for keeping and for comparing.
pub fn prepare(text: &str) -> Result<Password, PasswordError> {
    if text.len() > MAX_LENGTH {
        return Err(PasswordError::TooLong);
    }
    let prepared = match stringprep::saslprep(text) {
        Ok(prepared) => prepared,
        Err(_) => precis::opaque_string(text).ok_or(PasswordError::Invalid)?,
    };
    if prepared.is_empty() {
        return Err(PasswordError::Empty);
    }
    Ok(Password(Zeroizing::new(prepared.into_owned())))
}

/// The hash functions that SCRAM is offered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    /// "H" of RFC 5802.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha1 => Sha1::digest(data).to_vec(),
            Hash::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    /// "HMAC" of RFC 5802.
    pub fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        fn compute<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
            let mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.chain_update(data).finalize().into_bytes().to_vec()
        }
        match self {
            Hash::Sha1 => compute::<Hmac<Sha1>>(key, data),
            Hash::Sha256 => compute::<Hmac<Sha256>>(key, data),
        }
    }

    /// "Hi" of RFC 5802, the slow one.
    fn salted_password(self, password: &Password, salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        let password = password.as_bytes();
        let mut salted = Zeroizing::new(vec![0; self.output_length()]);
        match self {
            Hash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut salted),
            Hash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut salted),
        }
        salted
    }

    pub fn output_length(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
        }
    }
}

/// What is kept of a password for one hash. Whoever has it can play the server to this account's clients and can
/// try passwords at home, so it is a secret too.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    pub salt: Vec<u8>,
    pub iterations: u32,
    pub stored_key: Vec<u8>,
    pub server_key: Vec<u8>,
}

impl Keys {
    /// Derives the keys of a password (RFC 5802 §3). Slow.
    pub fn derive(hash: Hash, password: &Password, salt: &[u8], iterations: u32) -> Keys {
        Keys::of_salted(hash, &hash.salted_password(password, salt, iterations), salt, iterations)
    }

    /// The keys of a password that a client has salted (XEP-0480 §3).
    pub fn of_salted(hash: Hash, salted: &[u8], salt: &[u8], iterations: u32) -> Keys {
        let client_key = Zeroizing::new(hash.hmac(salted, b"Client Key"));
        Keys {
            salt: salt.to_vec(),
            iterations,
            stored_key: hash.digest(&client_key),
            server_key: hash.hmac(salted, b"Server Key"),
        }
    }

    /// Keys of an account that is not there: always the same for a name, and of no password.
    fn fake(hash: Hash, secret: &[u8; 32], username: &str, iterations: u32) -> Keys {
        let derive = |length: usize, what: &str| {
            let label = format!("{hash:?} {what} {username}");
            let mut bytes = Hash::Sha256.hmac(secret, label.as_bytes());
            bytes.truncate(length);
            bytes
        };
        Keys {
            salt: derive(SALT_LENGTH, "salt"),
            iterations,
            stored_key: derive(hash.output_length(), "stored key"),
            server_key: derive(hash.output_length(), "server key"),
        }
    }
}

/// What is kept of an account's password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub sha1: Keys,
    pub sha256: Keys,
}

impl Credentials {
    /// Derives the keys of a password with fresh salts, one a hash. Slow.
    pub fn derive(password: &Password, salts: [[u8; SALT_LENGTH]; 2], iterations: u32) -> Credentials {
        let [sha1, sha256] = salts;
        Credentials {
            sha1: Keys::derive(Hash::Sha1, password, &sha1, iterations),
            sha256: Keys::derive(Hash::Sha256, password, &sha256, iterations),
        }
    }

    /// Is this the password? Takes equally long whether it is or not. Slow.
    pub fn verify(&self, password: &Password) -> bool {
        let tried = Keys::derive(Hash::Sha256, password, &self.sha256.salt, self.sha256.iterations);
        tried.stored_key.ct_eq(&self.sha256.stored_key).into()
    }

    /// What an unknown user gets in place of credentials, so that a login goes the same way as with a wrong password.
    /// The salt is stable: one that changed from try to try would tell that there is no such account.
    pub fn fake(secret: &[u8; 32], username: &str, iterations: u32) -> Credentials {
        Credentials {
            sha1: Keys::fake(Hash::Sha1, secret, username, iterations),
            sha256: Keys::fake(Hash::Sha256, secret, username, iterations),
        }
    }

    pub fn keys(&self, hash: Hash) -> &Keys {
        match hash {
            Hash::Sha1 => &self.sha1,
            Hash::Sha256 => &self.sha256,
        }
    }

    pub fn keys_mut(&mut self, hash: Hash) -> &mut Keys {
        match hash {
            Hash::Sha1 => &mut self.sha1,
            Hash::Sha256 => &mut self.sha256,
        }
    }
}

impl Deref for Password {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

// Neither shows what must stay secret, wherever it may be printed.

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PasswordError::Empty => "the password is empty",
            PasswordError::TooLong => "the password has more than 1024 bytes",
            PasswordError::Invalid => "the password has characters that a password must not have",
        })
    }
}

impl std::error::Error for PasswordError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Result<String, PasswordError> {
        prepare(text).map(|password| password.to_string())
    }

    /// RFC 4013 §3.
    #[test]
    fn saslprep_examples_come_out_as_the_rfc_says() {
        assert_eq!(prepared("I\u{ad}X").as_deref(), Ok("IX"));
        assert_eq!(prepared("user").as_deref(), Ok("user"));
        assert_eq!(prepared("USER").as_deref(), Ok("USER"));
        assert_eq!(prepared("\u{aa}").as_deref(), Ok("a"));
        assert_eq!(prepared("\u{2168}").as_deref(), Ok("IX"));
        assert_eq!(prepared("\u{7}"), Err(PasswordError::Invalid));
    }

    #[test]
    fn ordinary_passwords_stay_as_they_were_typed() {
        for password in
            ["correct horse battery staple", " leading space", "Pässwörter", "пароль", "密码", "سر"]
        {
            assert_eq!(prepared(password).as_deref(), Ok(password));
            assert_eq!(precis::opaque_string(password).as_deref(), Some(password));
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_password() {
        assert_eq!(prepared("a\u{308}"), prepared("ä"));
        assert_eq!(prepared("a\u{a0}b"), prepared("a b"));
    }

    #[test]
    fn what_only_saslprep_refuses_is_prepared_as_opaque_string() {
        // An emoji that is younger than Unicode 3.2, and digits after a word from right to left.
        assert_eq!(prepared("🙂\u{2003}🙂").as_deref(), Ok("🙂 🙂"));
        assert_eq!(prepared("\u{627}1").as_deref(), Ok("\u{627}1"));
    }

    #[test]
    fn empty_overlong_and_unprintable_passwords_are_refused() {
        assert_eq!(prepared(""), Err(PasswordError::Empty));
        assert_eq!(prepared("\u{ad}"), Err(PasswordError::Empty));
        assert_eq!(prepared("a\0b"), Err(PasswordError::Invalid));
        assert_eq!(prepared("a\nb"), Err(PasswordError::Invalid));
        assert!(prepare(&"a".repeat(MAX_LENGTH)).is_ok());
        assert_eq!(prepared(&"a".repeat(MAX_LENGTH + 1)), Err(PasswordError::TooLong));
    }

    #[test]
    fn only_the_password_itself_is_verified() {
        let password = prepare("pencil").unwrap();
        let credentials = Credentials::derive(&password, [[1; SALT_LENGTH], [2; SALT_LENGTH]], 10);
        assert!(credentials.verify(&password));
        for wrong in ["Pencil", "pencil ", "pencils", "penci"] {
            assert!(!credentials.verify(&prepare(wrong).unwrap()));
        }
    }

    #[test]
    fn salts_and_iterations_change_the_keys() {
        let password = prepare("pencil").unwrap();
        let derive = |salt, iterations| Keys::derive(Hash::Sha256, &password, &[salt; 16], iterations);
        assert!(derive(1, 10).stored_key != derive(2, 10).stored_key);
        assert!(derive(1, 10).stored_key != derive(1, 11).stored_key);
        assert!(derive(1, 10) == derive(1, 10));
    }

    #[test]
    fn an_unknown_user_has_stable_credentials_of_the_usual_shape() {
        let secret = [7; 32];
        let fake = Credentials::fake(&secret, "romeo", DEFAULT_ITERATIONS);
        assert!(fake == Credentials::fake(&secret, "romeo", DEFAULT_ITERATIONS));
        assert!(fake.sha256.salt != Credentials::fake(&secret, "juliet", DEFAULT_ITERATIONS).sha256.salt);
        assert!(fake.sha256.salt != Credentials::fake(&[8; 32], "romeo", DEFAULT_ITERATIONS).sha256.salt);
        assert!(fake.sha256.salt != fake.sha1.salt);

        let real = Credentials::derive(&prepare("pencil").unwrap(), [[1; 16], [2; 16]], DEFAULT_ITERATIONS);
        for hash in [Hash::Sha1, Hash::Sha256] {
            let (fake, real) = (fake.keys(hash), real.keys(hash));
            assert_eq!(fake.salt.len(), real.salt.len());
            assert_eq!(fake.iterations, real.iterations);
            assert_eq!(fake.stored_key.len(), real.stored_key.len());
            assert_eq!(fake.server_key.len(), real.server_key.len());
        }
        assert!(!fake.verify(&prepare("pencil").unwrap()));
    }

    #[test]
    fn printing_shows_no_secret() {
        let password = prepare("pencil").unwrap();
        let credentials = Credentials::derive(&password, [[1; 16], [2; 16]], 10);
        let printed = format!("{password:?} {credentials:?}");
        assert_eq!(
            printed,
            "Password(..) Credentials { sha1: Keys { iterations: 10, .. }, sha256: Keys { iterations: 10, .. } }"
        );
    }
}

//! A client of SCRAM (RFC 5802 §5), as strict as one should be: it checks the server's signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stube::password::Hash;

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";

pub struct Scram {
    pub hash: Hash,
    /// `n,,`, or `p=tls-exporter,,` and the like.
    pub gs2: String,
    /// What the login is bound to.
    pub binding: Vec<u8>,
    pub name: String,
    pub password: String,
}

/// What the server has to sign, for the check of its last word.
pub struct Signature(String);

impl Scram {
    pub fn new(hash: Hash, name: &str, password: &str) -> Scram {
        Scram { hash, gs2: "n,,".into(), binding: Vec::new(), name: name.into(), password: password.into() }
    }

    pub fn bound(hash: Hash, kind: &str, binding: &[u8], name: &str, password: &str) -> Scram {
        let gs2 = format!("p={kind},,");
        Scram { gs2, binding: binding.to_vec(), ..Scram::new(hash, name, password) }
    }

    fn first_bare(&self) -> String {
        format!("n={},r={NONCE}", self.name.replace('=', "=3D").replace(',', "=2C"))
    }

    pub fn first(&self) -> String {
        format!("{}{}", self.gs2, self.first_bare())
    }

    /// The answer to the server's first message, and what its last one must be.
    pub fn last(&self, server_first: &str) -> (String, Signature) {
        let challenge = Challenge::read(server_first);
        assert!(
            challenge.nonce.starts_with(NONCE) && challenge.nonce.len() > NONCE.len() + 16,
            "{server_first}"
        );
        let mut bound_to = self.gs2.clone().into_bytes();
        bound_to.extend_from_slice(&self.binding);
        let without_proof = format!("c={},r={}", STANDARD.encode(bound_to), challenge.nonce);
        let signed = format!("{},{server_first},{without_proof}", self.first_bare());

        let salted = self.salted_password(&challenge.salt, challenge.iterations);
        let client_key = self.hash.hmac(&salted, b"Client Key");
        let client_signature = self.hash.hmac(&self.hash.digest(&client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&client_signature).map(|(a, b)| a ^ b).collect();
        let signature = self.hash.hmac(&self.hash.hmac(&salted, b"Server Key"), signed.as_bytes());
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        (last, Signature(format!("v={}", STANDARD.encode(signature))))
    }

    /// "Hi" of RFC 5802 §2.2.
    pub fn salted_password(&self, salt: &[u8], iterations: u32) -> Vec<u8> {
        let mut block = salt.to_vec();
        block.extend_from_slice(&1u32.to_be_bytes());
        let mut last = self.hash.hmac(self.password.as_bytes(), &block);
        let mut sum = last.clone();
        for _ in 1..iterations {
            last = self.hash.hmac(self.password.as_bytes(), &last);
            sum.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        sum
    }
}

impl Signature {
    pub fn is(&self, server_last: &str) -> bool {
        self.0 == server_last
    }
}

/// The server's first message.
#[derive(Debug, PartialEq)]
pub struct Challenge {
    pub nonce: String,
    pub salt: Vec<u8>,
    pub iterations: u32,
}

impl Challenge {
    pub fn read(text: &str) -> Challenge {
        let value = |name: &str| {
            let found = text.split(',').find_map(|part| part.strip_prefix(name));
            found.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
        };
        Challenge {
            nonce: value("r="),
            salt: STANDARD.decode(value("s=")).expect("base64"),
            iterations: value("i=").parse().expect("a number"),
        }
    }
}

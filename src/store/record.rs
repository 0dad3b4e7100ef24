//! The records: what the values of the typed tables mean, and their bytes.
//!
//! A record that changes gets the next version byte and keeps decoding the older ones; a version that is unknown
//! is an error that names the table and the key (see [`super::ReadError`]), never a guess.

mod archive;
mod pubsub;
mod room;

use super::codec::{Decoder, Encoder, Malformed};
use crate::password::{Credentials, Keys};
use crate::token::{Binding, Verifier};

pub use archive::{
    ArchiveClients, ArchiveDefault, ArchiveIndex, ArchiveOwners, ArchivePreferences, Archived, Offline,
};
pub use pubsub::{
    AccessModel, Affiliation, ItemReply, MAX_ITEMS, NodeConfig, PublishModel, PubsubItem, PubsubNode,
    PubsubPeople, SendLast, Subscriber, WhenFull,
};
pub use room::{
    ConfiguredRoom, GivenBookmarks, Hat, Role, Room, RoomAffiliation, RoomConfig, RoomPerson, Subject,
};

/// An enum that the protocol shows by name and a record holds as one byte, in the order written here.
macro_rules! choices {
    ($(#[doc = $doc:literal])* $choice:ident $(: $($also:ident),+)? {
        $($(#[$attr:meta])* $variant:ident = $name:literal),* $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default $(, $($also),+)?)]
        pub enum $choice { $($(#[$attr])* $variant),* }

        impl $choice {
            pub const ALL: &[$choice] = &[$($choice::$variant),*];

            /// As the protocol writes it.
            pub const fn name(self) -> &'static str {
                match self { $($choice::$variant => $name),* }
            }

            pub fn parse(name: &str) -> Option<$choice> {
                $choice::ALL.iter().copied().find(|choice| choice.name() == name)
            }

            fn decode(value: &mut Decoder<'_>) -> Result<$choice, Malformed> {
                let byte = value.u8()?;
                $choice::ALL.get(usize::from(byte)).copied().ok_or(Malformed::OutOfRange(byte))
            }
        }
    };
}
use choices;

/// A value that a table holds.
pub trait Record: Sized {
    fn encode(&self) -> Vec<u8>;
    fn decode(value: &[u8]) -> Result<Self, Malformed>;
}

/// Someone who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The owner in the keys of all other tables; never used twice.
    pub id: u32,
    /// Seconds since the Unix epoch.
    pub created: u64,
    /// Login is refused, everything is kept (XEP-0133 §4.5).
    pub disabled: bool,
    pub credentials: Credentials,
}

impl Record for Account {
    fn encode(&self) -> Vec<u8> {
        let encoder = Encoder::new(1).u32(self.id).u64(self.created).bool(self.disabled);
        let encoder = encode_keys(encoder, &self.credentials.sha1);
        encode_keys(encoder, &self.credentials.sha256).finish()
    }

    fn decode(value: &[u8]) -> Result<Account, Malformed> {
        let mut value = version_1(value)?;
        let account = Account {
            id: value.u32()?,
            created: value.u64()?,
            disabled: value.bool()?,
            credentials: Credentials { sha1: decode_keys(&mut value)?, sha256: decode_keys(&mut value)? },
        };
        value.end()?;
        Ok(account)
    }
}

fn encode_keys(encoder: Encoder, keys: &Keys) -> Encoder {
    encoder.bytes(&keys.salt).u32(keys.iterations).bytes(&keys.stored_key).bytes(&keys.server_key)
}

fn decode_keys(value: &mut Decoder<'_>) -> Result<Keys, Malformed> {
    Ok(Keys {
        salt: value.bytes()?.to_vec(),
        iterations: value.u32()?,
        stored_key: value.bytes()?.to_vec(),
        server_key: value.bytes()?.to_vec(),
    })
}

/// When an account was last there, and what it said when it left (XEP-0012).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Seconds since the Unix epoch; 0 is never.
    pub last_login: u64,
    /// Seconds since the Unix epoch; 0 is never.
    pub last_logout: u64,
    /// The status text of the last unavailable presence.
    pub status: String,
}

impl Record for Activity {
    fn encode(&self) -> Vec<u8> {
        Encoder::new(1).u64(self.last_login).u64(self.last_logout).str(&self.status).finish()
    }

    fn decode(value: &[u8]) -> Result<Activity, Malformed> {
        let mut value = version_1(value)?;
        let activity =
            Activity { last_login: value.u64()?, last_logout: value.u64()?, status: value.str()?.to_owned() };
        value.end()?;
        Ok(activity)
    }
}

/// The four states of RFC 6121 §2.1.2.5 without "remove".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Subscription {
    #[default]
    None,
    To,
    From,
    Both,
}

/// One contact of one account (RFC 6121 §2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RosterItem {
    pub name: Option<String>,
    pub groups: Vec<String>,
    pub subscription: Subscription,
    /// An outbound request is pending (RFC 6121 §2.1.2.2).
    pub ask: bool,
    /// Pre-approved (RFC 6121 §3.4).
    pub approved: bool,
    /// The roster's version when this item last changed (RFC 6121 §2.6).
    pub version: u64,
    /// Not a contact any more: kept so that a client with an older roster learns of it.
    pub removed: bool,
}

impl Record for RosterItem {
    fn encode(&self) -> Vec<u8> {
        let subscription = match self.subscription {
            Subscription::None => 0,
            Subscription::To => 1,
            Subscription::From => 2,
            Subscription::Both => 3,
        };
        Encoder::new(1)
            .u64(self.version)
            .u8(subscription)
            .bool(self.ask)
            .bool(self.approved)
            .bool(self.removed)
            .option_str(self.name.as_deref())
            .strings(&self.groups)
            .finish()
    }

    fn decode(value: &[u8]) -> Result<RosterItem, Malformed> {
        let mut value = version_1(value)?;
        let item = RosterItem {
            version: value.u64()?,
            subscription: match value.u8()? {
                0 => Subscription::None,
                1 => Subscription::To,
                2 => Subscription::From,
                3 => Subscription::Both,
                other => return Err(Malformed::OutOfRange(other)),
            },
            ask: value.bool()?,
            approved: value.bool()?,
            removed: value.bool()?,
            name: value.option_str()?.map(str::to_owned),
            groups: value.strings()?,
        };
        value.end()?;
        Ok(item)
    }
}

/// A push service that a client of an account has enabled (XEP-0357).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRegistration {
    /// The address of the service.
    pub service: String,
    /// The node to publish to; services that know the account by other means have none.
    pub node: Option<String>,
    /// The resource that enabled it.
    pub resource: String,
    /// The form to send along as `<publish-options/>`, in canonical form; empty: there is none.
    pub options: Vec<u8>,
}

impl Record for PushRegistration {
    fn encode(&self) -> Vec<u8> {
        Encoder::new(1)
            .str(&self.service)
            .option_str(self.node.as_deref())
            .str(&self.resource)
            .rest(&self.options)
            .finish()
    }

    fn decode(value: &[u8]) -> Result<PushRegistration, Malformed> {
        let mut value = version_1(value)?;
        Ok(PushRegistration {
            service: value.str()?.to_owned(),
            node: value.option_str()?.map(str::to_owned),
            resource: value.str()?.to_owned(),
            options: value.rest().to_vec(),
        })
    }
}

/// What a user has told the operator about someone (XEP-0377).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Seconds since the Unix epoch.
    pub stamp: u64,
    /// The bare address of the account that reports.
    pub reporter: String,
    /// The address that it has blocked.
    pub reported: String,
    /// A URN.
    pub reason: String,
    pub text: String,
    /// Messages, each as who gave it an id, a space, and the id.
    pub stanzas: Vec<String>,
    /// The reporter agrees that the reported one's server is told.
    pub to_origin: bool,
    /// The reporter agrees that others are told.
    pub to_third_parties: bool,
}

impl Record for Report {
    fn encode(&self) -> Vec<u8> {
        Encoder::new(1)
            .u64(self.stamp)
            .str(&self.reporter)
            .str(&self.reported)
            .str(&self.reason)
            .str(&self.text)
            .strings(&self.stanzas)
            .bool(self.to_origin)
            .bool(self.to_third_parties)
            .finish()
    }

    fn decode(value: &[u8]) -> Result<Report, Malformed> {
        let mut value = version_1(value)?;
        let report = Report {
            stamp: value.u64()?,
            reporter: value.str()?.to_owned(),
            reported: value.str()?.to_owned(),
            reason: value.str()?.to_owned(),
            text: value.str()?.to_owned(),
            stanzas: value.strings()?,
            to_origin: value.bool()?,
            to_third_parties: value.bool()?,
        };
        value.end()?;
        Ok(report)
    }
}

/// Opaque bytes (a stanza, an XML element, a secret), with a version byte in front like every value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl Record for Blob {
    fn encode(&self) -> Vec<u8> {
        Blob::encode_slice(&self.0)
    }

    fn decode(value: &[u8]) -> Result<Blob, Malformed> {
        Ok(Blob(version_1(value)?.rest().to_vec()))
    }
}

impl Blob {
    /// `encode` without owning the bytes first.
    pub fn encode_slice(bytes: &[u8]) -> Vec<u8> {
        Encoder::new(1).rest(bytes).finish()
    }

    /// How many bytes an encoded one holds.
    pub fn payload_length(value: &[u8]) -> usize {
        value.len().saturating_sub(1)
    }
}

/// The clients that log in to an account with a token in place of the password (XEP-0484).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clients(pub Vec<Client>);

/// One installation of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Made from what it calls itself: see [`crate::core::ClientId`].
    pub id: [u8; 16],
    /// What it says it is, and where.
    pub software: String,
    pub device: String,
    /// When it logged in, give or take a day, in seconds since the Unix epoch.
    pub seen: u64,
    /// The token that it has used.
    pub current: Option<Token>,
    /// One that it was given since, and may not have got.
    pub new: Option<Token>,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub verifier: Verifier,
    /// Seconds since the Unix epoch.
    pub issued: u64,
    /// Seconds since the Unix epoch.
    pub expires: u64,
    /// The greatest number that the client has given a login with it.
    pub count: Option<u32>,
}

impl Record for Clients {
    fn encode(&self) -> Vec<u8> {
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let encoder = Encoder::new(1).u32(count);
        let clients = self.0.iter().fold(encoder, |encoder, client| {
            let encoder =
                encoder.bytes(&client.id).str(&client.software).str(&client.device).u64(client.seen);
            [&client.current, &client.new].into_iter().fold(encoder, encode_token)
        });
        clients.finish()
    }

    fn decode(value: &[u8]) -> Result<Clients, Malformed> {
        let mut value = version_1(value)?;
        let mut clients = Vec::new();
        for _ in 0..value.u32()? {
            clients.push(Client {
                id: fixed(value.bytes()?)?,
                software: value.str()?.to_owned(),
                device: value.str()?.to_owned(),
                seen: value.u64()?,
                current: decode_token(&mut value)?,
                new: decode_token(&mut value)?,
            });
        }
        value.end()?;
        Ok(Clients(clients))
    }
}

fn encode_token(encoder: Encoder, token: &Option<Token>) -> Encoder {
    let Some(token) = token else { return encoder.u8(0) };
    let encoder = match &token.verifier {
        Verifier::Unbound { proof, answer } => encoder.u8(1).bytes(proof).bytes(answer),
        Verifier::Bound(Binding::EndPoint, token) => encoder.u8(2).bytes(token),
        Verifier::Bound(Binding::Exporter, token) => encoder.u8(3).bytes(token),
    };
    let encoder = encoder.u64(token.issued).u64(token.expires);
    match token.count {
        None => encoder.bool(false),
        Some(count) => encoder.bool(true).u32(count),
    }
}

fn decode_token(value: &mut Decoder<'_>) -> Result<Option<Token>, Malformed> {
    let verifier = match value.u8()? {
        0 => return Ok(None),
        1 => Verifier::Unbound { proof: fixed(value.bytes()?)?, answer: fixed(value.bytes()?)? },
        2 => Verifier::Bound(Binding::EndPoint, fixed(value.bytes()?)?),
        3 => Verifier::Bound(Binding::Exporter, fixed(value.bytes()?)?),
        other => return Err(Malformed::OutOfRange(other)),
    };
    let (issued, expires) = (value.u64()?, value.u64()?);
    let count = if value.bool()? { Some(value.u32()?) } else { None };
    Ok(Some(Token { verifier, issued, expires, count }))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed::Truncated)
}

fn version_1(value: &[u8]) -> Result<Decoder<'_>, Malformed> {
    match Decoder::new(value)? {
        (1, decoder) => Ok(decoder),
        (unknown, _) => Err(Malformed::Version(unknown)),
    }
}

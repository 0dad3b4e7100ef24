//! What the archive's tables hold (XEP-0313).

use super::super::codec::{Decoder, Encoder, Malformed};
use super::{Record, version_1};

/// A message and whose archives it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// One that has lost its row in the index is still here.
    pub owners: ArchiveOwners,
    /// The whole stanza in canonical form.
    pub stanza: Vec<u8>,
}

/// Whose archives a message is in, by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveOwners {
    /// Accounts of ours with a share in it.
    Accounts { sender: Option<u32>, receiver: Option<u32> },
    /// It was said in a room. The stanza is from the occupant's address to the real one, as it came back to its sender; from
    /// and to the room itself if it is the room's own.
    Room(u32),
}

impl Default for ArchiveOwners {
    fn default() -> ArchiveOwners {
        ArchiveOwners::Accounts { sender: None, receiver: None }
    }
}

impl ArchiveOwners {
    /// Each once: who writes to the own address has the message once.
    pub fn list(self) -> impl Iterator<Item = u32> {
        let (one, other) = match self {
            ArchiveOwners::Accounts { sender, receiver } => {
                (sender, receiver.filter(|receiver| sender != Some(*receiver)))
            }
            ArchiveOwners::Room(room) => (Some(room), None),
        };
        one.into_iter().chain(other)
    }
}

impl Record for Archived {
    fn encode(&self) -> Vec<u8> {
        Archived::encode_with(self.owners, |out| out.extend_from_slice(&self.stanza))
    }

    fn decode(value: &[u8]) -> Result<Archived, Malformed> {
        let (owners, stanza) = Archived::decode_parts(value)?;
        Ok(Archived { owners, stanza: stanza.to_vec() })
    }
}

impl Archived {
    /// `encode` without having the stanza's bytes before.
    pub fn encode_with(owners: ArchiveOwners, stanza: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut value = match owners {
            ArchiveOwners::Accounts { sender, receiver } => {
                let encoder = Encoder::new(1).bool(sender.is_some()).bool(receiver.is_some());
                sender.into_iter().chain(receiver).fold(encoder, Encoder::u32).finish()
            }
            ArchiveOwners::Room(room) => Encoder::new(2).u32(room).finish(),
        };
        value.reserve(512);
        stanza(&mut value);
        value
    }

    /// `decode` without copying the stanza.
    pub fn decode_parts(value: &[u8]) -> Result<(ArchiveOwners, &[u8]), Malformed> {
        match Decoder::new(value)? {
            (1, mut value) => {
                let (sender, receiver) = (value.bool()?, value.bool()?);
                let sender = if sender { Some(value.u32()?) } else { None };
                let receiver = if receiver { Some(value.u32()?) } else { None };
                Ok((ArchiveOwners::Accounts { sender, receiver }, value.rest()))
            }
            (2, mut value) => Ok((ArchiveOwners::Room(value.u32()?), value.rest())),
            (unknown, _) => Err(Malformed::Version(unknown)),
        }
    }
}

/// A message of an archive, by what queries look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveIndex {
    /// The full address of the other party; in a room's archive the occupant's address, NUL, and the real one.
    pub with: String,
}

impl Record for ArchiveIndex {
    fn encode(&self) -> Vec<u8> {
        ArchiveIndex::encode_parts(&self.with)
    }

    fn decode(value: &[u8]) -> Result<ArchiveIndex, Malformed> {
        ArchiveIndex::with(value).map(|with| ArchiveIndex { with: with.to_owned() })
    }
}

impl ArchiveIndex {
    pub fn encode_parts(with: &str) -> Vec<u8> {
        Encoder::new(1).rest(with.as_bytes()).finish()
    }

    /// `decode` without copying.
    pub fn with(value: &[u8]) -> Result<&str, Malformed> {
        std::str::from_utf8(version_1(value)?.rest()).map_err(|_| Malformed::NotUtf8)
    }
}

/// What an account wants to have archived (XEP-0441).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivePreferences {
    pub default: ArchiveDefault,
    /// Addresses, bare or full.
    pub always: Vec<String>,
    pub never: Vec<String>,
}

/// What is archived with whom nothing else is said about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArchiveDefault {
    #[default]
    Always,
    Never,
    /// What concerns a contact of the roster.
    Roster,
}

impl Record for ArchivePreferences {
    fn encode(&self) -> Vec<u8> {
        let default = match self.default {
            ArchiveDefault::Always => 0,
            ArchiveDefault::Never => 1,
            ArchiveDefault::Roster => 2,
        };
        Encoder::new(1).u8(default).strings(&self.always).strings(&self.never).finish()
    }

    fn decode(value: &[u8]) -> Result<ArchivePreferences, Malformed> {
        let mut value = version_1(value)?;
        let preferences = ArchivePreferences {
            default: match value.u8()? {
                0 => ArchiveDefault::Always,
                1 => ArchiveDefault::Never,
                2 => ArchiveDefault::Roster,
                other => return Err(Malformed::OutOfRange(other)),
            },
            always: value.strings()?,
            never: value.strings()?,
        };
        value.end()?;
        Ok(preferences)
    }
}

/// The clients of an account that read its archive and so need nothing twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArchiveClients {
    /// Their resources, the one that came first in front.
    pub resources: Vec<String>,
}

impl Record for ArchiveClients {
    fn encode(&self) -> Vec<u8> {
        Encoder::new(1).strings(&self.resources).finish()
    }

    fn decode(value: &[u8]) -> Result<ArchiveClients, Malformed> {
        let mut value = version_1(value)?;
        let clients = ArchiveClients { resources: value.strings()? };
        value.end()?;
        Ok(clients)
    }
}

/// A message that waits for its receiver (XEP-0160).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offline {
    Copy {
        /// When it arrived, in milliseconds since the Unix epoch: the stamp of XEP-0203.
        stamp: u64,
        /// The whole stanza in canonical form.
        stanza: Vec<u8>,
    },
    /// It is in the receiver's archive.
    Archived {
        /// Its place in the log.
        id: u64,
        /// How many bytes it has there.
        bytes: u32,
    },
}

impl Record for Offline {
    fn encode(&self) -> Vec<u8> {
        match self {
            Offline::Copy { stamp, stanza } => Encoder::new(1).u64(*stamp).rest(stanza).finish(),
            Offline::Archived { id, bytes } => Encoder::new(2).u64(*id).u32(*bytes).finish(),
        }
    }

    fn decode(value: &[u8]) -> Result<Offline, Malformed> {
        match Decoder::new(value)? {
            (1, mut value) => Ok(Offline::Copy { stamp: value.u64()?, stanza: value.rest().to_vec() }),
            (2, mut value) => {
                let message = Offline::Archived { id: value.u64()?, bytes: value.u32()? };
                value.end()?;
                Ok(message)
            }
            (unknown, _) => Err(Malformed::Version(unknown)),
        }
    }
}

impl Offline {
    /// The bytes of the message, wherever they are.
    pub fn len(&self) -> usize {
        match self {
            Offline::Copy { stanza, .. } => stanza.len(),
            Offline::Archived { bytes, .. } => *bytes as usize,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

//! The records of rooms (XEP-0045): a room, and those whom it knows whether they are in it or not.

use super::{Decoder, Encoder, Malformed, Record, choices, version_1};

choices! {
    /// XEP-0045 §5.2, in the order of what they may do.
    RoomAffiliation: PartialOrd, Ord {
        Outcast = "outcast",
        #[default]
        None = "none",
        Member = "member",
        Admin = "admin",
        Owner = "owner",
    }
}

choices! {
    /// XEP-0045 §5.1, in the order of what they may do.
    Role: PartialOrd, Ord {
        #[default]
        None = "none",
        Visitor = "visitor",
        Participant = "participant",
        Moderator = "moderator",
    }
}

/// What the owners of a room have decided (XEP-0045 §15.5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomConfig {
    pub title: String,
    pub description: String,
    /// A language tag (RFC 5646), or nothing.
    pub language: String,
    /// It stays when nobody is in it.
    pub persistent: bool,
    /// It can be found by others.
    pub public: bool,
    pub members_only: bool,
    pub moderated: bool,
    /// Nothing: none is needed.
    pub password: String,
    /// Everyone sees the real addresses of everyone; otherwise only moderators do.
    pub non_anonymous: bool,
    /// Whoever is not an admin may invite, too: to a room for members only, this makes members.
    pub members_invite: bool,
    /// Participants may change the subject.
    pub participants_change_subject: bool,
    /// The least role that may send private messages; `None`: nobody may.
    pub private_messages: Role,
    /// The least role that may see the list of members.
    pub member_list: Role,
    /// The least role whose presence is shown to others.
    pub broadcast: Role,
    /// Visitors may ask for voice.
    pub voice_requests: bool,
    /// Visitors may change their nicks.
    pub visitor_nicks: bool,
    /// People may register with the room.
    pub registration: bool,
    /// What is said is archived (XEP-0313).
    pub archived: bool,
    /// The least number of seconds between two messages of a participant (XEP-0500); 0: none.
    pub slow_mode: u32,
    /// Occupants at one time; 0: as many as the server allows.
    pub max_users: u32,
    /// Messages that someone who enters sees at most.
    pub history: u32,
    /// Members learn of mentions while they are not there (XEP-0452).
    pub mentions: bool,
    /// Bare addresses of those who answer for the room.
    pub contacts: Vec<String>,
}

impl Default for RoomConfig {
    fn default() -> RoomConfig {
        RoomConfig {
            title: String::new(),
            description: String::new(),
            language: String::new(),
            persistent: false,
            public: false,
            members_only: false,
            moderated: false,
            password: String::new(),
            non_anonymous: false,
            members_invite: true,
            participants_change_subject: false,
            private_messages: Role::Visitor,
            member_list: Role::Participant,
            broadcast: Role::Visitor,
            voice_requests: true,
            visitor_nicks: true,
            registration: true,
            archived: true,
            slow_mode: 0,
            max_users: 0,
            history: 20,
            mentions: true,
            contacts: Vec::new(),
        }
    }
}

impl RoomConfig {
    fn encode(&self, encoder: Encoder) -> Encoder {
        encoder
            .str(&self.title)
            .str(&self.description)
            .str(&self.language)
            .bool(self.persistent)
            .bool(self.public)
            .bool(self.members_only)
            .bool(self.moderated)
            .str(&self.password)
            .bool(self.non_anonymous)
            .bool(self.members_invite)
            .bool(self.participants_change_subject)
            .u8(self.private_messages as u8)
            .u8(self.member_list as u8)
            .u8(self.broadcast as u8)
            .bool(self.voice_requests)
            .bool(self.visitor_nicks)
            .bool(self.registration)
            .bool(self.archived)
            .u32(self.slow_mode)
            .u32(self.max_users)
            .u32(self.history)
            .bool(self.mentions)
            .strings(&self.contacts)
    }

    fn decode(value: &mut Decoder<'_>) -> Result<RoomConfig, Malformed> {
        Ok(RoomConfig {
            title: value.str()?.to_owned(),
            description: value.str()?.to_owned(),
            language: value.str()?.to_owned(),
            persistent: value.bool()?,
            public: value.bool()?,
            members_only: value.bool()?,
            moderated: value.bool()?,
            password: value.str()?.to_owned(),
            non_anonymous: value.bool()?,
            members_invite: value.bool()?,
            participants_change_subject: value.bool()?,
            private_messages: Role::decode(value)?,
            member_list: Role::decode(value)?,
            broadcast: Role::decode(value)?,
            voice_requests: value.bool()?,
            visitor_nicks: value.bool()?,
            registration: value.bool()?,
            archived: value.bool()?,
            slow_mode: value.u32()?,
            max_users: value.u32()?,
            history: value.u32()?,
            mentions: value.bool()?,
            contacts: value.strings()?,
        })
    }
}

/// A room, without those whom it knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// The owner in the keys of other tables, drawn as an account's is; never used twice.
    pub id: u32,
    /// Seconds since the Unix epoch.
    pub created: u64,
    /// The bare address of who made it; nothing: the server's configuration did.
    pub creator: String,
    /// Nobody but its owners may enter before it is configured (XEP-0045 §10.1).
    pub locked: bool,
    pub subject: Subject,
    pub config: RoomConfig,
    /// The hats that there are (XEP-0317).
    pub hats: Vec<Hat>,
    /// What the server's configuration has asked for, as far as it has been done; `None`: it does not name the room.
    pub configured: Option<ConfiguredRoom>,
}

/// A room that the server's configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfiguredRoom {
    pub title: String,
    pub description: String,
    /// Bare addresses, or a domain.
    pub members: Vec<String>,
    pub owners: Vec<String>,
    /// Clients enter it by themselves.
    pub autojoin: bool,
}

/// XEP-0045 §7.2.15
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// The nick of who changed it; nothing: nobody ever did.
    pub nick: String,
    /// The occupant-id (XEP-0421) of who changed it.
    pub occupant_id: String,
    /// When, in milliseconds since the Unix epoch.
    pub changed: u64,
    /// The canonical bytes of the `<subject/>` elements, in one language or several.
    pub elements: Vec<u8>,
}

impl Room {
    /// Anyone who is not banned may walk in.
    pub fn is_open(&self) -> bool {
        !self.locked && !self.config.members_only && self.config.password.is_empty()
    }
}

impl Record for Room {
    fn encode(&self) -> Vec<u8> {
        let encoder = Encoder::new(1).u32(self.id).u64(self.created).str(&self.creator).bool(self.locked);
        let Subject { nick, occupant_id, changed, elements } = &self.subject;
        let encoder = encoder.str(nick).str(occupant_id).u64(*changed).bytes(elements);
        let encoder = self.config.encode(encoder).length(self.hats.len());
        let put = |encoder: Encoder, hat: &Hat| encoder.str(&hat.uri).str(&hat.title).str(&hat.hue);
        let encoder = self.hats.iter().fold(encoder, put).bool(self.configured.is_some());
        let Some(ConfiguredRoom { title, description, members, owners, autojoin }) = &self.configured else {
            return encoder.finish();
        };
        encoder.str(title).str(description).strings(members).strings(owners).bool(*autojoin).finish()
    }

    fn decode(value: &[u8]) -> Result<Room, Malformed> {
        let mut value = version_1(value)?;
        let mut room = Room {
            id: value.u32()?,
            created: value.u64()?,
            creator: value.str()?.to_owned(),
            locked: value.bool()?,
            subject: Subject {
                nick: value.str()?.to_owned(),
                occupant_id: value.str()?.to_owned(),
                changed: value.u64()?,
                elements: value.bytes()?.to_vec(),
            },
            config: RoomConfig::decode(&mut value)?,
            hats: Vec::new(),
            configured: None,
        };
        for _ in 0..value.u32()? {
            let (uri, title) = (value.str()?.to_owned(), value.str()?.to_owned());
            room.hats.push(Hat { uri, title, hue: value.str()?.to_owned() });
        }
        if value.bool()? {
            room.configured = Some(ConfiguredRoom::decode(&mut value)?);
        }
        value.end()?;
        Ok(room)
    }
}

impl ConfiguredRoom {
    fn decode(value: &mut Decoder<'_>) -> Result<ConfiguredRoom, Malformed> {
        Ok(ConfiguredRoom {
            title: value.str()?.to_owned(),
            description: value.str()?.to_owned(),
            members: value.strings()?,
            owners: value.strings()?,
            autojoin: value.bool()?,
        })
    }
}

/// The rooms of the configuration whose bookmark an account has been given, whatever has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GivenBookmarks {
    /// Addresses.
    pub rooms: Vec<String>,
}

impl Record for GivenBookmarks {
    fn encode(&self) -> Vec<u8> {
        Encoder::new(1).strings(&self.rooms).finish()
    }

    fn decode(value: &[u8]) -> Result<GivenBookmarks, Malformed> {
        let mut value = version_1(value)?;
        let given = GivenBookmarks { rooms: value.strings()? };
        value.end()?;
        Ok(given)
    }
}

/// Someone whom a room knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomPerson {
    pub affiliation: RoomAffiliation,
    /// The nick that is reserved for them (XEP-0045 §7.10), or nothing.
    pub nick: String,
    /// Why they have this affiliation, or nothing.
    pub reason: String,
    /// The URIs of the hats that they wear (XEP-0317).
    pub hats: Vec<String>,
}

/// Something that somebody can be in a room (XEP-0317).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hat {
    /// Its name; no two hats of a room have the same.
    pub uri: String,
    pub title: String,
    /// The angle of its colour (XEP-0392), or nothing.
    pub hue: String,
}

impl Record for RoomPerson {
    fn encode(&self) -> Vec<u8> {
        let encoder = Encoder::new(1).u8(self.affiliation as u8).str(&self.nick).str(&self.reason);
        encoder.strings(&self.hats).finish()
    }

    fn decode(value: &[u8]) -> Result<RoomPerson, Malformed> {
        let mut value = version_1(value)?;
        let person = RoomPerson {
            affiliation: RoomAffiliation::decode(&mut value)?,
            nick: value.str()?.to_owned(),
            reason: value.str()?.to_owned(),
            hats: value.strings()?,
        };
        value.end()?;
        Ok(person)
    }
}

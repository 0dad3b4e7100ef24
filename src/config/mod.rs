//! The one file of configuration, and its manual.
//!
//! The comments on the fields are the reference that operators read: `docs/configuration.md`, the manual page `stube.toml(5)`
//! and the example file are generated from them, and a test fails when those are stale. Each ends with a line `Default:`,
//! which the same test compares with what the code really does.
//!
//! An unknown key, a wrong type or a value that makes no sense is an error with the file's name and line; nothing is ever
//! guessed or ignored. A file with nothing but `domain = "example.org"` is complete.

mod load;
mod values;

pub use load::ConfigError;
pub use values::{ArchiveDefault, Limit, Registration, RoomMembers};

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// Everything that an operator can decide.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The domain that is served, the part of an address after the `@`; or a list of domains, each with accounts of its
    /// own. The first one is the one that `stube user` means when an address has no domain. The only key that must be
    /// there. Needs a restart.
    ///
    /// Default: none
    #[serde(rename = "domain", deserialize_with = "values::domains")]
    pub domains: Vec<String>,

    /// The directory that holds the database, the control socket and the self-signed certificate. It belongs to the user
    /// that runs stube, and nobody else needs to read it. A relative path starts at the directory of the configuration
    /// file. Needs a restart.
    ///
    /// Default: `"/var/lib/stube"`
    pub data: PathBuf,

    /// The addresses of the people who may use the administration commands (XEP-0133) from their client, such as
    /// `["me@example.org"]`. An account gets no other privilege by being here, and the list makes no account.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::bare_addresses")]
    pub admins: Vec<String>,

    /// Whether strangers can make an account from their client (XEP-0077): `"open"` or `"closed"`. With `"closed"` the
    /// feature is not advertised, and accounts are made with `stube user add`. An open server is found by spammers within
    /// days: see `registrations_per_hour`.
    ///
    /// Default: `"closed"`
    pub registration: Registration,

    pub listen: Listen,
    pub tls: Tls,
    pub accounts: Accounts,
    pub archive: Archive,
    pub limits: Limits,
    pub sessions: Sessions,
    pub services: Services,
    pub rooms: Rooms,
    #[serde(rename = "room")]
    pub standing_rooms: Vec<StandingRoom>,
    pub contact: Contact,
    pub store: Store,
    pub log: Log,
}

/// The addresses to listen on, as lists of `"ADDRESS:PORT"`. `[::]` stands for every address of the machine, of IPv6 and
/// IPv4 alike, unless the same list has `0.0.0.0` with the same port: then each takes its own family. On a machine without
/// IPv6, `[::]` means IPv4. Every other address means only itself. With port 0 the kernel chooses a free port, and the log
/// says which. An empty list switches a listener off. These keys need a restart.
///
/// The names `s2s`, `s2s_tls`, `https`, `http` and `component` are reserved for features that this version does not have,
/// and refused.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Where clients connect and then ask for TLS (STARTTLS, RFC 6120). No client can log in before TLS is on.
    ///
    /// Default: `["[::]:5222"]`
    #[serde(deserialize_with = "values::socket_addresses")]
    pub c2s: Vec<SocketAddr>,

    /// Where clients connect with TLS from the first byte (XEP-0368).
    ///
    /// Default: `["[::]:5223"]`
    #[serde(deserialize_with = "values::socket_addresses")]
    pub c2s_tls: Vec<SocketAddr>,

    s2s: values::NotYet,
    s2s_tls: values::NotYet,
    https: values::NotYet,
    http: values::NotYet,
    component: values::NotYet,
}

/// The server's certificate. Both files are read again on SIGHUP (`systemctl reload stube`): the connections that are
/// there go on, new ones get the new certificate; if the new files can't be used, the old certificate stays and the log
/// says why. Without these keys stube makes a self-signed certificate and keeps it in the data directory; clients then warn
/// their users, or refuse.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// A PEM file with the certificate for every domain, followed by the intermediate ones. A relative path starts at the
    /// directory of the configuration file.
    ///
    /// Default: none
    pub certificate: Option<PathBuf>,

    /// A PEM file with the private key of that certificate, readable by the user that runs stube.
    ///
    /// Default: none
    pub key: Option<PathBuf>,
}

/// How passwords are kept, and which names nobody can register.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// How often a password is hashed for storage (SCRAM's iteration count), at least 4096 and at most 1000000. More makes
    /// guessing passwords from a stolen database slower, and equally each login with PLAIN and each login of a client. A
    /// change holds for passwords that are set from then on.
    ///
    /// Default: `10000`
    #[serde(deserialize_with = "values::scram_iterations")]
    pub scram_iterations: u32,

    /// Days for which a client can log in with a token that stands for the password (XEP-0484), at most 3650. A client that
    /// comes back in the second half of them gets a new token. A new password ends all tokens, and so does
    /// `stube user revoke`. With `0` no tokens are given.
    ///
    /// Default: `30`
    #[serde(deserialize_with = "values::token_days")]
    pub token_days: u32,

    /// Names (the part before the `@`) that a client cannot register. `stube user add` and the administration commands
    /// can still make such an account.
    ///
    /// Default: `["abuse", "admin", "administrator", "help", "hostmaster", "info", "postmaster", "root", "security", "server", "support", "webmaster", "xmpp"]`
    #[serde(deserialize_with = "values::names")]
    pub reserved_names: Vec<String>,
}

/// The archives of messages (XEP-0313): every account's own copy of what it has sent and received, and what was said in
/// every room whose owners want that. Clients fetch from there what they have missed. See the chapter on the archive,
/// `docs/archive.md`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// Whether there are any. With `false` nothing more is archived and nobody can read what is there; what waits for
    /// someone offline is kept as before.
    ///
    /// Default: `true`
    pub enabled: bool,

    /// Days that a message is kept; 0 means for ever. What is older goes within minutes, a little at a time, from all
    /// archives.
    ///
    /// Default: `365`
    pub keep_days: Limit,

    /// What is archived for an account that has not chosen for itself: `"always"` everything, `"roster"` what concerns a
    /// contact in its roster, `"never"` nothing.
    ///
    /// Default: `"always"`
    pub default: ArchiveDefault,

    /// Addresses in the two lists, taken together, with which an account chooses whom to archive always and whom never
    /// (XEP-0441).
    ///
    /// Default: `1000`
    pub preferences: Limit,
}

/// What one peer or one account can take from everyone else. `0` switches a limit off. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest stanza that a client may send once it is logged in, at least 10000 (RFC 6120 §13.12). It is advertised
    /// (XEP-0478); a larger one ends the stream. Before the login it is always 8192.
    ///
    /// Default: `262144`
    #[serde(deserialize_with = "values::stanza_bytes")]
    pub stanza_bytes: Limit,

    /// Connections at one time, from everywhere. Each takes a file descriptor.
    ///
    /// Default: `10000`
    pub connections: Limit,

    /// Connections at one time from one address; an IPv6 network of 64 bits is one address. A household or an office
    /// behind one router is one address, too.
    ///
    /// Default: `200`
    pub connections_per_address: Limit,

    /// How many of these may be connections that have not logged in.
    ///
    /// Default: `20`
    pub logins_per_address: Limit,

    /// Seconds from connecting to being logged in.
    ///
    /// Default: `30`
    pub login_seconds: Limit,

    /// Wrong passwords in one stream before it is closed. Apart from this, each wrong password makes the next answer to the same
    /// account and the same address wait longer.
    ///
    /// Default: `5`
    pub login_tries: Limit,

    /// Sessions of one account at one time.
    ///
    /// Default: `20`
    pub sessions_per_account: Limit,

    /// Clients of one account that can log in with a token (XEP-0484). With one more, the one that was away the longest
    /// needs the password again.
    ///
    /// Default: `20`
    pub tokens_per_account: Limit,

    /// Seconds without a byte from a client after which it is pinged (XEP-0199).
    ///
    /// Default: `300`
    pub idle_seconds: Limit,

    /// Seconds that a client has to answer a ping before its connection counts as dead.
    ///
    /// Default: `60`
    pub ping_seconds: Limit,

    /// Bytes that may wait for one slow client. A session with more is closed. At least as large as `stanza_bytes`.
    ///
    /// Default: `2097152`
    pub outbox_bytes: Limit,

    /// Messages kept for an account that is offline (XEP-0160). The sender of one more gets an error.
    ///
    /// Default: `1000`
    pub offline_messages: Limit,

    /// Bytes of messages kept for an account that is offline.
    ///
    /// Default: `4194304`
    pub offline_bytes: Limit,

    /// Contacts in one account's roster.
    ///
    /// Default: `1000`
    pub roster_items: Limit,

    /// Addresses in one account's block list (XEP-0191).
    ///
    /// Default: `1000`
    pub blocklist_items: Limit,

    /// Bytes in one account's private storage (XEP-0049).
    ///
    /// Default: `1048576`
    pub private_bytes: Limit,

    /// Bytes in one account's vCard with its picture (XEP-0054).
    ///
    /// Default: `131072`
    pub vcard_bytes: Limit,

    /// Push services that the clients of one account can have enabled (XEP-0357). The oldest gives way to one more.
    ///
    /// Default: `20`
    pub push_registrations: Limit,

    /// Reports of spam and abuse that are kept (XEP-0377; see `stube reports`). The oldest gives way to one more.
    ///
    /// Default: `1000`
    pub reports: Limit,
    /// Nodes that one account can have in its personal eventing (XEP-0163), and as many again that it can make on the
    /// publish-subscribe service. Each device with OMEMO needs one.
    ///
    /// Default: `250`
    pub pubsub_nodes: Limit,

    /// Items in one node. This is also what a client gets that asks for `max`.
    ///
    /// Default: `1000`
    pub pubsub_items: Limit,

    /// Bytes of items in all nodes of one account, and as many again in the nodes that it made on the publish-subscribe
    /// service.
    ///
    /// Default: `8388608`
    pub pubsub_bytes: Limit,

    /// Bytes of one item, such as an avatar.
    ///
    /// Default: `196608`
    pub pubsub_item_bytes: Limit,

    /// Accounts that one address can register within an hour, where `registration` is open.
    ///
    /// Default: `5`
    pub registrations_per_hour: Limit,
}

/// What becomes of clients that lose their connection or that nobody looks at, as phones do all day.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// For how many seconds a client that has lost its connection can go on where it was (XEP-0198), at most 86400. Until
    /// then it looks online to its contacts, and what they write waits for it. With `0` no client can.
    ///
    /// Default: `600`
    #[serde(deserialize_with = "values::resume_seconds")]
    pub resume_seconds: u64,

    /// Bytes that may wait in memory for one client that has lost its connection. With more it can't come back; its
    /// messages wait on the disk.
    ///
    /// Default: `524288`
    pub hibernating_bytes: Limit,

    /// Whether presence and the like is held back for clients that say that nobody looks (XEP-0352): it saves their
    /// batteries.
    ///
    /// Default: `true`
    pub hold_while_inactive: bool,
}

/// Services with an address of their own below each domain: of `example.org` it is `pubsub.example.org`. Nobody logs in
/// there, and no DNS record is needed for the people of the domain itself. These keys need a restart.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// The name of the publish-subscribe service (XEP-0060), where the accounts of the domain can make nodes that belong
    /// to nobody's account. `""` switches it off; what lives on accounts (XEP-0163) works without it.
    ///
    /// Default: `"pubsub"`
    #[serde(deserialize_with = "values::subdomain")]
    pub pubsub: String,

    /// The name of the service with the rooms for several people (XEP-0045). `""` switches it off.
    ///
    /// Default: `"conference"`
    #[serde(deserialize_with = "values::subdomain")]
    pub rooms: String,
}

/// What people may do with rooms. What a room's owners may decide, they decide in their client.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rooms {
    /// Who may make rooms: `"local"`, those who have an account here; `"admins"`, the admins of this server; or
    /// `"anyone"`, people of other servers too.
    ///
    /// Default: `"local"`
    pub create: RoomMakers,

    /// Rooms that one person can have made at one time.
    ///
    /// Default: `50`
    pub per_person: Limit,

    /// Occupants of one room; its owners can ask for less.
    ///
    /// Default: `500`
    pub occupants: Limit,

    /// Messages a minute that one occupant may send to a room, on average; twenty may come at once. Invitations and
    /// changes of presence or nick count like messages.
    ///
    /// Default: `120`
    pub messages_per_minute: Limit,

    /// Bytes of a nick.
    ///
    /// Default: `128`
    pub nick_bytes: Limit,

    /// Bytes of a subject.
    ///
    /// Default: `4096`
    pub subject_bytes: Limit,

    /// Messages that someone who enters a room can see at most; its owners can ask for less.
    ///
    /// Default: `100`
    pub history: Limit,
}

/// Who may make rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomMakers {
    #[default]
    Local,
    Admins,
    Anyone,
}

/// A room that is always there, such as one for the family; there can be any number of these sections. stube makes the
/// room when it starts or reloads its configuration, lets nobody in but its members and those whom they invite, and puts a
/// bookmark into each member's account, once: what somebody changes about the bookmark or removes stays as they like it. A
/// section that is taken out of the file leaves its room behind as an ordinary one, with everybody who was in it; `stube
/// room delete` removes it. See docs/rooms.md.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingRoom {
    /// The part of the room's address before the `@`: `"family"` is `family@conference.example.org`.
    ///
    /// Default: none
    #[serde(deserialize_with = "values::name")]
    pub name: String,

    /// The domain whose room it is, one of `domain`; `""` is the first of them.
    ///
    /// Default: `""`
    #[serde(default, deserialize_with = "values::domain_or_none")]
    pub domain: String,

    /// What people see as its name; `""`: its address. The owners can change it from their client, until it is
    /// changed here.
    ///
    /// Default: `""`
    #[serde(default)]
    pub title: String,

    /// A line about the room, which its owners can change in the same way.
    ///
    /// Default: `""`
    #[serde(default)]
    pub description: String,

    /// Who belongs to it: `"everyone"`, each account of the domain, also those that are made later; or a list of accounts
    /// such as `["juliet", "nurse@example.net"]`. Who is taken off the list is no member any more.
    ///
    /// Default: `"everyone"`
    #[serde(default)]
    pub members: RoomMembers,

    /// The accounts that own it, and can change everything about it from their client; with an empty list the `admins` of
    /// the server.
    ///
    /// Default: `[]`
    #[serde(default, deserialize_with = "values::accounts")]
    pub owners: Vec<String>,

    /// Whether the bookmark tells clients to enter the room by themselves.
    ///
    /// Default: `true`
    #[serde(default = "values::yes")]
    pub autojoin: bool,
}

/// How to reach the people who run this server (XEP-0157): lists of URIs, such as `["mailto:abuse@example.org",
/// "xmpp:me@example.org"]`. They are shown to anyone who asks.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contact {
    /// Where to report abuse of this server.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::uris")]
    pub abuse: Vec<String>,

    /// The administrators.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::uris")]
    pub admin: Vec<String>,

    /// Praise and complaints.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::uris")]
    pub feedback: Vec<String>,

    /// Sales.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::uris")]
    pub sales: Vec<String>,

    /// Where to report security problems.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::uris")]
    pub security: Vec<String>,

    /// Where the state of the service can be seen.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::uris")]
    pub status: Vec<String>,

    /// Help for users.
    ///
    /// Default: `[]`
    #[serde(deserialize_with = "values::uris")]
    pub support: Vec<String>,
}

/// How the database (`stube.redb` in the data directory) is written. These keys need a restart.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Write 16 KB more with each commit, so that a large database opens at once after a crash or a power cut. Without it,
    /// one of a gigabyte takes about half a second then.
    ///
    /// Default: `false`
    pub quick_repair: bool,

    /// Under load, changes are gathered for up to this many milliseconds, at most 1000, and written together: fewer and
    /// larger writes are faster and wear a memory card less. Whoever waits for a confirmation waits that much longer; what
    /// was confirmed is always on disk. After a pause nothing waits. See the chapter on durability, `docs/durability.md`.
    ///
    /// Default: `250`
    #[serde(deserialize_with = "values::commit_window")]
    pub commit_window_ms: u64,
}

/// What is written to standard error, and with systemd to the journal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `"error"`, `"warn"`, `"info"` or `"debug"`. The network addresses of clients are logged with `"debug"` only;
    /// passwords and what people write never.
    ///
    /// Default: `"info"`
    #[serde(deserialize_with = "values::level")]
    pub level: log::LevelFilter,
}

impl Config {
    /// The configuration of a file with nothing but these domains in it, which are prepared already.
    pub fn for_domains(domains: &[&str]) -> Config {
        Config { domains: domains.iter().map(|domain| domain.to_string()).collect(), ..Config::default() }
    }

    /// The one file of the database.
    pub fn database(&self) -> PathBuf {
        self.data.join("stube.redb")
    }

    /// Where a running server takes orders from the command line.
    pub fn control_socket(&self) -> PathBuf {
        self.data.join("control.sock")
    }

    /// Whether accounts of this domain, a prepared one, are here.
    pub fn serves(&self, domain: &str) -> bool {
        self.domains.iter().any(|served| served == domain)
    }

    /// The addresses of the services with rooms.
    pub fn room_services(&self) -> Vec<String> {
        match self.services.rooms.as_str() {
            "" => Vec::new(),
            name => self.domains.iter().map(|domain| format!("{name}.{domain}")).collect(),
        }
    }

    /// The domain that a room belongs to.
    pub fn domain_of<'a>(&'a self, room: &'a StandingRoom) -> &'a str {
        match room.domain.as_str() {
            "" => self.domains.first().map(String::as_str).unwrap_or_default(),
            domain => domain,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            domains: Vec::new(),
            data: "/var/lib/stube".into(),
            admins: Vec::new(),
            registration: Registration::Closed,
            listen: Listen::default(),
            tls: Tls::default(),
            accounts: Accounts::default(),
            archive: Archive::default(),
            limits: Limits::default(),
            sessions: Sessions::default(),
            services: Services::default(),
            rooms: Rooms::default(),
            standing_rooms: Vec::new(),
            contact: Contact::default(),
            store: Store::default(),
            log: Log::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Listen::new(vec![every_address(5222)], vec![every_address(5223)])
    }
}

impl Listen {
    pub fn new(c2s: Vec<SocketAddr>, c2s_tls: Vec<SocketAddr>) -> Listen {
        let not_yet = values::NotYet;
        Listen {
            c2s,
            c2s_tls,
            s2s: not_yet,
            s2s_tls: not_yet,
            https: not_yet,
            http: not_yet,
            component: not_yet,
        }
    }

    /// Whether the socket for `address`, one of `list`, takes connections of both families: see [`Listen`].
    pub fn is_dual_stack(address: SocketAddr, list: &[SocketAddr]) -> bool {
        let ipv4_of_its_own = |other: &SocketAddr| other.is_ipv4() && other.port() == address.port();
        address.is_ipv6() && address.ip().is_unspecified() && !list.iter().any(ipv4_of_its_own)
    }
}

fn every_address(port: u16) -> SocketAddr {
    SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, port))
}

impl Default for Accounts {
    fn default() -> Self {
        let reserved = "abuse admin administrator help hostmaster info postmaster root security server support webmaster xmpp";
        Accounts {
            scram_iterations: 10_000,
            token_days: 30,
            reserved_names: reserved.split(' ').map(String::from).collect(),
        }
    }
}

impl Default for Archive {
    fn default() -> Self {
        Archive {
            enabled: true,
            keep_days: Limit::of(365),
            default: ArchiveDefault::Always,
            preferences: Limit::of(1000),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            stanza_bytes: Limit::of(262_144),
            connections: Limit::of(10_000),
            connections_per_address: Limit::of(200),
            logins_per_address: Limit::of(20),
            login_seconds: Limit::of(30),
            login_tries: Limit::of(5),
            sessions_per_account: Limit::of(20),
            tokens_per_account: Limit::of(20),
            idle_seconds: Limit::of(300),
            ping_seconds: Limit::of(60),
            outbox_bytes: Limit::of(2 * 1024 * 1024),
            offline_messages: Limit::of(1000),
            offline_bytes: Limit::of(4 * 1024 * 1024),
            roster_items: Limit::of(1000),
            blocklist_items: Limit::of(1000),
            private_bytes: Limit::of(1024 * 1024),
            vcard_bytes: Limit::of(128 * 1024),
            push_registrations: Limit::of(20),
            reports: Limit::of(1000),
            pubsub_nodes: Limit::of(250),
            pubsub_items: Limit::of(1000),
            pubsub_bytes: Limit::of(8 * 1024 * 1024),
            pubsub_item_bytes: Limit::of(192 * 1024),
            registrations_per_hour: Limit::of(5),
        }
    }
}

impl Limits {
    /// The names of those that are switched off.
    pub fn switched_off(&self) -> Vec<&'static str> {
        let all = [
            ("stanza_bytes", self.stanza_bytes),
            ("connections", self.connections),
            ("connections_per_address", self.connections_per_address),
            ("logins_per_address", self.logins_per_address),
            ("login_seconds", self.login_seconds),
            ("login_tries", self.login_tries),
            ("sessions_per_account", self.sessions_per_account),
            ("tokens_per_account", self.tokens_per_account),
            ("idle_seconds", self.idle_seconds),
            ("ping_seconds", self.ping_seconds),
            ("outbox_bytes", self.outbox_bytes),
            ("offline_messages", self.offline_messages),
            ("offline_bytes", self.offline_bytes),
            ("roster_items", self.roster_items),
            ("blocklist_items", self.blocklist_items),
            ("private_bytes", self.private_bytes),
            ("vcard_bytes", self.vcard_bytes),
            ("push_registrations", self.push_registrations),
            ("reports", self.reports),
            ("pubsub_nodes", self.pubsub_nodes),
            ("pubsub_items", self.pubsub_items),
            ("pubsub_bytes", self.pubsub_bytes),
            ("pubsub_item_bytes", self.pubsub_item_bytes),
            ("registrations_per_hour", self.registrations_per_hour),
        ];
        all.into_iter().filter(|(_, limit)| *limit == Limit::OFF).map(|(name, _)| name).collect()
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions { resume_seconds: 600, hibernating_bytes: Limit::of(512 * 1024), hold_while_inactive: true }
    }
}

impl Default for Services {
    fn default() -> Self {
        Services { pubsub: "pubsub".into(), rooms: "conference".into() }
    }
}

impl Default for Rooms {
    fn default() -> Self {
        Rooms {
            create: RoomMakers::Local,
            per_person: Limit::of(50),
            occupants: Limit::of(500),
            messages_per_minute: Limit::of(120),
            nick_bytes: Limit::of(128),
            subject_bytes: Limit::of(4096),
            history: Limit::of(100),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Store { quick_repair: false, commit_window_ms: 250 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Log { level: log::LevelFilter::Info }
    }
}

//! The one owner of all live state.
//!
//! [`Core`] never waits, never looks at a clock and never draws a random number itself: time is [`Core::set_now`],
//! chance is a function it was given, and what takes long is an [`Effect`] whose outcome comes back as an
//! [`Event`]. So a whole server can be run in a test, in any order of events.
//!
//! It changes its memory first and lets the store write behind. What promises that a change is kept waits in
//! [`Core::keep`] until the store has said [`Event::Committed`]; delivery to others does not wait.

mod account;
pub mod archive;
mod arena;
pub mod caps;
mod clients;
pub mod command;
mod control;
mod derive;
pub mod disco;
pub mod form;
pub mod hints;
mod limits;
mod link;
mod login;
mod management;
pub mod module;
mod outbox;
mod presence;
mod private;
pub mod pubsub;
mod push;
pub mod reports;
pub mod rooms;
mod roster;
mod router;
pub mod rsm;
mod service;
mod session;
pub mod time;
mod unwritten;
mod urgency;
pub mod vcard;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

pub use account::{Account, OfflineQueue, Unavailable};
pub use clients::{Claim, ClientId, Description, Proven, Refused, client_lines, client_name};
pub use control::ControlId;
pub use derive::{Asker, DeriveId, DeriveJob, Derived, Purpose};
pub use link::{Link, LinkId, Mail};
pub use login::LoginKeys;
pub use management::Resumed;
pub use outbox::{Delivery, TooHigh};
pub use roster::{Roster, item_element};
pub use router::is_own;
pub use service::{Service, ServiceKind};
pub use session::{Presence, Session, SessionId};

use self::archive::Archive;
use self::arena::Arena;
use self::caps::ClientCaps;
use self::command::Executions;
use self::derive::PendingDerive;
use self::limits::{LoginDelays, Rates};
use self::link::Addresses;
use self::management::Past;
use self::pubsub::Pubsub;
use self::push::Pushes;
use self::rooms::Rooms;
use self::unwritten::Unwritten;
use crate::config::Config;
use crate::control::Response;
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::store::record::Record;
use crate::store::schema::{Batch, Op, Table};
use crate::store::{ReadError, Reader};
use crate::xep;

/// Draws random bytes.
pub type Random = Box<dyn FnMut(&mut [u8])>;

pub struct Core {
    /// Milliseconds since the Unix epoch.
    now: u64,
    started: u64,
    pub config: Arc<Config>,
    /// The domains that are served.
    hosts: Vec<Jid>,
    /// What has an address below them.
    services: Vec<Service>,
    admins: Vec<Jid>,
    /// Whether there is a way to other domains; until there is, they are `<remote-server-not-found/>`.
    pub federated: bool,
    store: Reader,
    /// Keys everything that must look random to others and the same to us (fake salts).
    secret: [u8; 32],
    random: Random,
    next_account: u32,

    links: Arena<Link>,
    sessions: Arena<Session>,
    addresses: Addresses,
    /// Accounts in memory: those with a session, those with changes that are not on disk yet, and a few more.
    accounts: HashMap<Jid, Account>,
    /// Accounts deleted in memory whose deletion is not on disk yet: by when it will be.
    removed: HashMap<Jid, u64>,
    delays: LoginDelays,
    registrations: Rates,
    deriving: HashMap<DeriveId, PendingDerive>,
    last_derive: DeriveId,
    executions: Executions,
    /// XEP-0357
    pushes: Pushes,
    /// A feature changes something because of a change: see [`Core::convert`].
    converting: bool,
    /// The numbers of the reports that are kept and who made them (XEP-0377); `None` until someone needs them.
    reports: Option<Vec<(u64, String)>>,
    pubsub: Pubsub,
    rooms: Rooms,
    /// XEP-0115's verification strings of our domains, as far as they have been asked for.
    pub(crate) caps: HashMap<Jid, Arc<str>>,
    client_caps: ClientCaps,

    archive: Archive,

    /// Changes of the event that is being handled.
    ops: Vec<Op>,
    unwritten: Unwritten,
    /// The last batch given to the store.
    seq: u64,
    /// The last batch that is on disk.
    committed: u64,
    /// Why the store can't write now.
    stalled: Option<String>,
    /// What leaves once its batch is on disk, in order of batches.
    kept: VecDeque<(u64, Kept)>,
    /// Sessions whose connection has gone, by when they end (XEP-0198 §7).
    suspended: BTreeSet<(u64, SessionId)>,
    /// Sessions without connection that hold more than they may: they end with the event.
    overflown: Vec<SessionId>,
    /// Sessions that are over and may be asked for, the latest first.
    past: VecDeque<Past>,
    /// What is being handled has changed something, or waits for a change to be kept.
    touched: bool,
    woken: Vec<LinkId>,
    effects: Vec<Effect>,
    next_sweep: u64,
    /// When an administrator wants the server stopped, and whether it shall start again.
    stop: Option<(u64, bool)>,
}

/// What happens to Core. Stanzas of a session come through [`Core::receive`], connections through [`Core::open_link`].
pub enum Event {
    /// Everything up to this batch is on disk.
    Committed(u64),
    /// The store can't write, for this reason; what it was given is not lost, but not kept either.
    StoreStalled(String),
    StoreResumed,
    Derived(DeriveId, Derived),
    /// A stanza from another domain, whose stream has proven its `from`.
    Remote(Stanza),
    /// [`Core::next_tick`] has come.
    Tick,
    /// End every stream.
    Shutdown,
    Reload(Box<Config>),
}

/// What Core wants done.
pub enum Effect {
    Store(Batch),
    Derive(DeriveId, DeriveJob),
    /// For another domain.
    Remote(Stanza),
    ControlReply(ControlId, Response),
    /// An administrator wants the server stopped or restarted.
    Stop {
        restart: bool,
    },
}

/// What waits for a commit.
enum Kept {
    ToLink(LinkId, Mail),
    ToSession(SessionId, Stanza),
    Remote(Stanza),
    Control(ControlId, Response),
    /// An `<a/>` that its client has asked for.
    Ack(SessionId),
    /// A stream that has asked when everything so far will be on disk.
    Wake(LinkId),
}

/// Promises that may wait for the disk until nothing more is read: a client can ask for one with thirty bytes.
const MAX_KEPT: usize = 20_000;

/// Milliseconds between two sweeps of what is only remembered for a while.
const SWEEP: u64 = 30_000;
/// And from the moment when somebody has left: with many, it is their memory that counts.
const SWEEP_AFTER_LEAVING: u64 = 1_000;

impl Core {
    /// `store` must be open and hold a secret.
    pub fn new(config: Arc<Config>, store: Reader, mut random: Random, now: u64) -> Result<Core, ReadError> {
        let (secret, next_account) = (store.secret()?, store.next_account()?);
        let mut leap = [0; 4];
        random(&mut leap);
        let archive = Archive::new(&store, &secret, u32::from_be_bytes(leap), now)?;
        let mut core = Core {
            now,
            started: now,
            hosts: Vec::new(),
            services: Vec::new(),
            admins: Vec::new(),
            federated: false,
            store,
            secret,
            random,
            next_account,
            links: Arena::default(),
            sessions: Arena::default(),
            addresses: Addresses::default(),
            accounts: HashMap::new(),
            removed: HashMap::new(),
            delays: LoginDelays::default(),
            registrations: Rates::default(),
            deriving: HashMap::new(),
            last_derive: 0,
            executions: Executions::default(),
            pushes: Pushes::default(),
            converting: false,
            reports: None,
            pubsub: Pubsub::default(),
            rooms: Rooms::default(),
            caps: HashMap::new(),
            client_caps: ClientCaps::default(),
            archive,
            ops: Vec::new(),
            unwritten: Unwritten::default(),
            seq: 0,
            committed: 0,
            stalled: None,
            kept: VecDeque::new(),
            suspended: BTreeSet::new(),
            overflown: Vec::new(),
            past: VecDeque::new(),
            touched: false,
            woken: Vec::new(),
            effects: Vec::new(),
            next_sweep: now + SWEEP,
            stop: None,
            config: Arc::clone(&config),
        };
        core.hosts = jids(&config.domains);
        core.services = service::configured(&config, &core.hosts);
        core.configure(config);
        core.survey_rooms();
        core.configured();
        Ok(core)
    }

    /// Takes a configuration, but for the keys that need a restart.
    fn configure(&mut self, config: Arc<Config>) {
        self.admins = jids(&config.admins);
        self.config = config;
        // What the server says of itself depends on it.
        self.caps.clear();
    }

    /// Lets modules do what the configuration asks for, as far as it is not done.
    fn configured(&mut self) {
        for tell in xep::ALL.iter().filter_map(|module| module.configured) {
            tell(self);
        }
        let here: Vec<Jid> = self
            .accounts
            .values()
            .filter(|account| !account.sessions.is_empty())
            .map(|account| account.jid.clone())
            .collect();
        for account in here {
            self.welcome(&account);
        }
    }

    fn welcome(&mut self, account: &Jid) {
        for tell in xep::ALL.iter().filter_map(|module| module.welcome) {
            tell(self, account);
        }
    }

    /// Time never goes back: a clock that was set back stands still until it has caught up.
    pub fn set_now(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    pub fn now(&self) -> u64 {
        self.now
    }

    /// Milliseconds since the start.
    pub fn uptime(&self) -> u64 {
        self.now - self.started
    }

    pub fn next_tick(&self) -> u64 {
        if self.has_archive_turns() {
            return self.now;
        }
        let stop = self.stop.map(|(at, _)| at);
        let suspended = self.suspended.first().map(|(until, _)| *until);
        let regular =
            self.next_sweep.min(self.pushes.next_due()).min(self.next_upkeep()).min(self.archive.tail.due());
        stop.into_iter().chain(suspended).fold(regular, u64::min)
    }

    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Committed(seq) => self.committed(seq),
            Event::StoreStalled(reason) => {
                self.stalled = Some(reason);
                self.release_waiting();
            }
            Event::StoreResumed => {
                self.stalled = None;
                self.configured();
            }
            Event::Derived(id, derived) => self.derived(id, derived),
            Event::Remote(stanza) => self.receive_remote(stanza),
            Event::Tick => self.tick(),
            Event::Shutdown => self.shut_down(),
            Event::Reload(config) => {
                self.configure(Arc::from(config));
                self.configured();
            }
        }
        self.flush();
    }

    /// Links whose `pump` and `output` should run.
    pub fn take_woken(&mut self) -> Vec<LinkId> {
        std::mem::take(&mut self.woken)
    }

    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Ends the handling of an event: what it changed goes to the store as one batch.
    pub(crate) fn flush(&mut self) {
        self.end_overflown();
        self.archive.tail.close(self.seq + 1, self.now, &mut self.ops);
        if !self.ops.is_empty() {
            self.seq += 1;
            let ops = std::mem::take(&mut self.ops);
            self.effects.push(Effect::Store(Batch { seq: self.seq, ops }));
        }
    }

    /// Adds changes to the batch of this event, on behalf of an account that is in memory.
    pub(crate) fn write(&mut self, account: &Jid, ops: impl IntoIterator<Item = Op>) {
        let seq = self.seq + 1;
        self.touched = true;
        for op in ops {
            self.unwritten.note(seq, &op);
            self.ops.push(op);
        }
        if let Some(account) = self.accounts.get_mut(account) {
            account.written = seq;
        }
    }

    /// A value that Core does not hold in memory, as it is after all changes so far.
    pub(crate) fn value<R: Record>(&self, table: Table, key: &[u8]) -> Result<Option<R>, StanzaError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            log::error!("{} in the database cannot be read: {error}", table.name());
            StanzaError::from(Condition::InternalServerError)
        };
        let value = match self.unwritten.get(table, key) {
            Some(value) => value.cloned(),
            None => self.store.get(table, key).map_err(|error| unreadable(&error))?,
        };
        value.map(|value| R::decode(&value).map_err(|error| unreadable(&error))).transpose()
    }

    /// The error for a change that could not be kept now.
    pub(crate) fn writable(&self) -> Result<(), StanzaError> {
        match self.stalled {
            None => Ok(()),
            Some(_) => {
                Err(StanzaError::new(Condition::ResourceConstraint, "The server's disk is full or failing."))
            }
        }
    }

    /// Whether so much waits for a commit that no socket may be read before one.
    pub fn is_full_of_promises(&self) -> bool {
        self.kept.len() >= MAX_KEPT
    }

    /// The batch that the next change will be in.
    pub(crate) fn next_seq(&self) -> u64 {
        self.seq + 1
    }

    /// Everything up to this batch is on disk.
    pub(crate) fn committed_seq(&self) -> u64 {
        self.committed
    }

    /// The batch after which everything that has been changed so far is on disk.
    fn now_seq(&self) -> u64 {
        if self.ops.is_empty() && !self.archive.tail.has_fresh() { self.seq } else { self.seq + 1 }
    }

    /// Lets `kept` leave when everything that has been changed so far is on disk.
    fn keep(&mut self, kept: Kept) {
        let seq = self.now_seq();
        if seq <= self.committed {
            self.release(kept);
        } else {
            self.touched = true;
            self.kept.push_back((seq, kept));
        }
    }

    fn release(&mut self, kept: Kept) {
        match kept {
            Kept::ToLink(link, mail) => self.post(link, mail),
            Kept::ToSession(session, stanza) => {
                self.send(session, &stanza);
            }
            Kept::Remote(stanza) => self.effects.push(Effect::Remote(stanza)),
            Kept::Control(id, response) => self.effects.push(Effect::ControlReply(id, response)),
            Kept::Ack(session) => self.write_ack(session),
            Kept::Wake(link) => self.wake(link),
        }
    }

    fn committed(&mut self, seq: u64) {
        self.committed = self.committed.max(seq);
        while self.kept.front().is_some_and(|(needs, _)| *needs <= self.committed) {
            if let Some((_, kept)) = self.kept.pop_front() {
                self.release(kept);
            }
        }
        let committed = self.committed;
        self.unwritten.forget_until(committed);
        self.archive.tail.committed(committed);
        self.removed.retain(|_, seq| *seq > committed);
        self.rooms.committed(committed);
    }

    /// Lets the server be stopped, or stopped and started again, at this time; a later wish replaces this one.
    pub fn stop_at(&mut self, time: u64, restart: bool) {
        self.stop = Some((time, restart));
    }

    fn tick(&mut self) {
        if let Some((_, restart)) = self.stop.take_if(|(at, _)| *at <= self.now) {
            self.effects.push(Effect::Stop { restart });
        }
        self.end_suspended();
        self.push_tick();
        if self.next_sweep <= self.now {
            self.sweep();
        }
        self.take_archive_turn();
        self.keep_archive_up();
    }

    /// Forgets what is only remembered for a while.
    fn sweep(&mut self) {
        self.next_sweep = self.now + SWEEP;
        self.evict_accounts();
        self.forget_questions();
        let accounts = &self.accounts;
        self.pubsub.forget_unused(self.now, self.committed, |owner| accounts.contains_key(owner));
        self.end_waiting_rooms();
        self.give_up_relayed();
        self.rooms.forget_unused(self.now, self.committed);
        self.delays.forget_before(self.now);
        self.registrations.forget_before(self.now);
    }

    fn shut_down(&mut self) {
        self.archive.tail.index_now();
        self.close_rooms();
        // Nobody can come back to these; what they hold has to wait on the disk.
        for (_, session) in std::mem::take(&mut self.suspended) {
            self.end_session(session);
        }
        let links: Vec<LinkId> = self.links.ids().collect();
        for link in links {
            self.post(link, Mail::Close(crate::stanza::StreamError::SystemShutdown));
        }
    }

    pub(crate) fn random_bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    /// An unguessable word of 24 characters (144 bits) for ids, resources and nonces.
    pub(crate) fn random_word(&mut self) -> String {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.random_bytes::<18>())
    }

    pub fn hosts(&self) -> &[Jid] {
        &self.hosts
    }

    /// Whether a domain has accounts here.
    pub fn is_host(&self, domain: &str) -> bool {
        self.hosts.iter().any(|host| host.domain() == domain)
    }

    /// Whether what is for this domain is for us: one that has accounts, or a service of one.
    pub fn is_local(&self, domain: &str) -> bool {
        self.is_host(domain) || self.service(domain).is_some()
    }

    pub fn is_admin(&self, jid: &Jid) -> bool {
        self.admins.iter().any(|admin| admin.same_bare(jid))
    }

    pub fn admins(&self) -> &[Jid] {
        &self.admins
    }

    pub(crate) fn store(&self) -> &Reader {
        &self.store
    }
}

fn jids(texts: &[String]) -> Vec<Jid> {
    texts.iter().filter_map(|text| Jid::parse(text).ok()).collect()
}

//! A small town for a while, by chance: people come and go, talk, subscribe and block; some send nonsense, some don't
//! read; time jumps, the disk stops and starts, the server crashes. After every step must hold what always holds:
//!
//! * nothing panics, and everything that the server writes is well-formed;
//! * everyone gets only what is addressed to them, and nothing of those they have blocked;
//! * nobody elsewhere speaks for us, or sees presence that is not theirs to see;
//! * what is on the disk survives a crash, and nothing else does;
//! * queues and tables keep their bounds, and archives have what is whose (`simulation/archive`);
//!
//! and whenever it is quiet: both sides of every subscription agree, everyone sees who is there and nobody who isn't,
//! and every message that was taken has come.
//!
//! `SEEDS=10000` runs more of it, `SEED=7` one; a seed that fails is printed.

#[path = "simulation/archive.rs"]
mod archive;

use std::collections::{BTreeMap, BTreeSet};

use stube::config::Limit;
use stube::control::Request;
use stube::core::Event;
use stube::jid::Jid;
use stube::xml::Element;

use crate::chance::Chance;
use crate::client::Client;
use crate::seeds::run;
use crate::stanzas::{PEOPLE, RESOURCES, STRANGERS, address, nonsense, presence, stanza};
use crate::world::{World, condition_of, show};

const SEEDS: u64 = 200;
const STEPS: usize = 80;
const OUTBOX: usize = 60_000;

#[test]
fn whatever_happens_in_town_the_rules_hold() {
    run(SEEDS, live);
}

fn live(seed: u64) {
    let mut town = Town::new(seed);
    for step in 0..STEPS {
        town.step();
        if step % 20 == 19 {
            town.be_quiet();
        }
    }
    town.end();
}

struct Town {
    world: World,
    chance: Chance,
    seats: Vec<Seat>,
    /// Whether people block each other in this town.
    blocks: bool,
    held: bool,
    stalled: bool,
    /// Messages that were taken and have not come yet: from whom, to whom.
    waiting: BTreeMap<String, (String, String)>,
    /// Those of them that a crash may lose.
    uncommitted: BTreeSet<String>,
    messages: usize,
    /// Pairs, one of whom has blocked the other at some time: what is between them need not agree any more.
    estranged: BTreeSet<(String, String)>,
    /// What was on the disk last.
    kept: BTreeMap<String, Option<Memory>>,
    /// What happened, for whoever looks for the reason.
    log: Vec<String>,
}

/// A session, and what its client knows.
struct Seat {
    client: Client,
    name: &'static str,
    resource: &'static str,
    /// It has never sent nonsense.
    sane: bool,
    reads: bool,
    /// It has sent presence.
    available: bool,
    /// It has told someone that it is not there.
    hides: bool,
    /// Resources that it has been told are available.
    sees: BTreeSet<String>,
}

/// All that an account must not forget.
#[derive(Debug, PartialEq)]
struct Memory {
    roster: Vec<String>,
    requests: Vec<String>,
    blocked: Vec<String>,
}

fn jid(text: &str) -> Jid {
    Jid::parse(text).expect("an address")
}

fn account(name: &str) -> Jid {
    jid(&format!("{name}@example.org"))
}

fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or(address)
}

impl Town {
    fn new(seed: u64) -> Town {
        let mut chance = Chance::new(seed);
        let few = chance.one_in(4);
        let mut world = World::with(|config| {
            config.limits.outbox_bytes = Limit::of(OUTBOX as u64);
            if few {
                config.limits.roster_items = Limit::of(3);
                config.limits.offline_messages = Limit::of(3);
                config.limits.blocklist_items = Limit::of(2);
            }
        });
        world.core.federated = true;
        world.room = [100, 1000, usize::MAX][chance.below(3)];
        PEOPLE.iter().for_each(|name| world.account(name));
        let blocks = chance.one_in(2);
        let mut town = Town {
            world,
            chance,
            seats: Vec::new(),
            blocks,
            held: false,
            stalled: false,
            waiting: BTreeMap::new(),
            uncommitted: BTreeSet::new(),
            messages: 0,
            estranged: BTreeSet::new(),
            kept: BTreeMap::new(),
            log: Vec::new(),
        };
        town.begin();
        town
    }

    /// Everybody is there, and many know each other.
    fn begin(&mut self) {
        for name in PEOPLE {
            self.comes(name, RESOURCES[0], "<presence/>");
        }
        for one in 0..PEOPLE.len() {
            for other in 0..one {
                if !self.chance.one_in(3) {
                    self.meet(one, other);
                }
            }
        }
        let (blocked, subscribers) = (self.block_lists(), self.subscribers());
        self.look_around(&blocked, &subscribers);
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
    }

    /// Fails with the story so far.
    fn fail(&self, what: &str) -> ! {
        let start = self.log.len().saturating_sub(60);
        panic!("{what}\n{}", self.log[start..].join("\n"));
    }

    fn step(&mut self) {
        let blocked = self.block_lists();
        let subscribers = self.subscribers();
        match self.chance.below(100) {
            0..=15 => self.someone_comes(),
            16..=21 => self.someone_goes(),
            22..=51 => self.someone_sends(),
            52..=63 => self.someone_writes(),
            64 => self.someone_sends_nonsense(),
            65..=68 => self.someone_stops_or_goes_on_reading(),
            69..=78 => self.someone_elsewhere_sends(),
            79..=82 => self.time_passes(),
            83..=88 => self.the_disk_stops_or_starts(),
            89 => self.an_account_is_removed(),
            90 => self.the_server_crashes(),
            _ => self.two_meet(),
        }
        self.look_around(&blocked, &subscribers);
    }

    // --- what may happen ---

    fn someone_comes(&mut self) {
        let (name, resource) = (self.chance.pick(&PEOPLE), self.chance.pick(&RESOURCES));
        let initial = if self.chance.one_in(5) { String::new() } else { presence(&mut self.chance) };
        self.comes(name, resource, &initial);
    }

    fn comes(&mut self, name: &'static str, resource: &'static str, presence: &str) {
        if self.stalled && !self.world.core.account_exists(&account(name)) {
            return;
        }
        self.note(format!("{name}/{resource} comes"));
        let client = self.world.login(name, resource);
        let sees = BTreeSet::new();
        self.seats.push(Seat {
            client,
            name,
            resource,
            sane: true,
            reads: true,
            available: false,
            hides: false,
            sees,
        });
        if !presence.is_empty() {
            let at = self.seats.len() - 1;
            self.send_as(at, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
            self.send_as(at, presence);
        }
    }

    fn two_meet(&mut self) {
        if let (Some(one), Some(other)) = (self.someone(), self.someone()) {
            self.meet(one, other);
        }
    }

    /// Two become each other's contacts.
    fn meet(&mut self, one: usize, other: usize) {
        for (at, with) in [(one, other), (other, one), (one, other)] {
            let name = self.seats[with].name;
            self.send_as(at, &format!("<presence type='subscribed' to='{name}@example.org'/>"));
            self.send_as(at, &format!("<presence type='subscribe' to='{name}@example.org'/>"));
        }
    }

    fn someone(&mut self) -> Option<usize> {
        (!self.seats.is_empty()).then(|| self.chance.below(self.seats.len()))
    }

    fn someone_goes(&mut self) {
        let Some(at) = self.someone() else { return };
        let seat = self.seats.swap_remove(at);
        self.note(format!("{}/{} goes", seat.name, seat.resource));
        if self.chance.one_in(2) {
            self.world.send(seat.client, "</stream:stream>");
        }
        self.leave(seat);
    }

    /// A connection ends; what its client had not read is gone with it.
    fn leave(&mut self, seat: Seat) {
        if !seat.reads {
            self.forgive(seat.name);
        }
        self.world.cut(seat.client);
    }

    /// Messages to this person may have got lost.
    fn forgive(&mut self, name: &str) {
        let address = format!("{name}@example.org");
        self.waiting.retain(|_, (_, to)| *to != address);
    }

    fn someone_sends(&mut self) {
        let Some(at) = self.someone() else { return };
        let stanza = stanza(&mut self.chance, self.blocks);
        self.send_as(at, &stanza);
    }

    fn send_as(&mut self, at: usize, stanza: &str) {
        let seat = &mut self.seats[at];
        let what = format!("{}/{} sends {stanza}", seat.name, seat.resource);
        if stanza.starts_with("<presence") && !stanza.contains(" to=") {
            seat.available = !stanza.contains("unavailable");
            // Who has gone sees nobody any more.
            if !seat.available {
                seat.sees.clear();
            }
        }
        seat.hides |= stanza.starts_with("<presence type='unavailable' to=");
        let client = seat.client;
        self.note(what);
        self.world.send(client, stanza);
    }

    /// A message that must come, or come back.
    fn someone_writes(&mut self) {
        let Some(at) = self.someone() else { return };
        let to = address(&mut self.chance);
        let kind = self.chance.pick(&["chat", "normal"]);
        self.messages += 1;
        let body = format!("message {}", self.messages);
        let seat = &self.seats[at];
        let from = format!("{}@example.org", seat.name);
        let receiver = bare(&to).to_owned();
        let ours = PEOPLE.iter().any(|name| receiver == format!("{name}@example.org"));
        if seat.sane && seat.reads && ours && !self.estranged.contains(&pair(&from, &receiver)) {
            self.waiting.insert(body.clone(), (from, receiver));
            if self.held {
                self.uncommitted.insert(body.clone());
            }
        }
        self.send_as(
            at,
            &format!("<message id='{body}' type='{kind}' to='{to}'><body>{body}</body></message>"),
        );
    }

    fn someone_sends_nonsense(&mut self) {
        let Some(at) = self.someone() else { return };
        let bytes = nonsense(&mut self.chance);
        self.seats[at].sane = false;
        let what = format!(
            "{}/{} sends nonsense: {}",
            self.seats[at].name,
            self.seats[at].resource,
            bytes.escape_ascii()
        );
        self.note(what);
        self.world.send_bytes(self.seats[at].client, &bytes);
    }

    fn someone_stops_or_goes_on_reading(&mut self) {
        let Some(at) = self.someone() else { return };
        let seat = &mut self.seats[at];
        seat.reads = !seat.reads;
        let (client, reads) = (seat.client, seat.reads);
        self.note(format!("{}/{} reads: {reads}", self.seats[at].name, self.seats[at].resource));
        match reads {
            true => self.world.go_on_reading(client),
            false => self.world.stop_reading(client),
        }
    }

    fn someone_elsewhere_sends(&mut self) {
        let stranger = self.chance.pick(&STRANGERS);
        let mut stanza = stanza(&mut self.chance, false);
        let from = match self.chance.below(5) {
            0 => format!("{stranger}/x"),
            1 => "ann@example.org/forged".to_owned(),
            _ => stranger.to_owned(),
        };
        if !stanza.contains(" to=") {
            let name = self.chance.pick(&PEOPLE);
            stanza = stanza.replacen("<iq", &format!("<iq to='{name}@example.org'"), 1);
            stanza = stanza.replacen("<presence", &format!("<presence to='{name}@example.org'"), 1);
        }
        let stanza = stanza.replacen(" to=", &format!(" from='{from}' to="), 1);
        self.note(format!("from elsewhere: {stanza}"));
        if let Some(stanza) = crate::world::try_stanza(&stanza) {
            self.world.handle(Event::Remote(stanza));
        }
    }

    fn time_passes(&mut self) {
        let millis = [1, 1000, 60_000, 290_000, 400_000, 4_000_000][self.chance.below(6)];
        self.note(format!("{millis} ms pass"));
        self.world.advance(millis);
    }

    fn the_disk_stops_or_starts(&mut self) {
        self.held = !self.held;
        self.stalled = self.held && self.chance.one_in(3);
        self.note(format!("the disk works: {}; says so: {}", !self.held, self.stalled));
        match self.held {
            true => self.world.hold_commits(),
            false => self.resume(),
        }
        if self.stalled {
            self.world.handle(Event::StoreStalled("full".into()));
        }
    }

    fn resume(&mut self) {
        (self.held, self.stalled) = (false, false);
        self.world.commit();
        self.world.handle(Event::StoreResumed);
        self.uncommitted.clear();
    }

    fn an_account_is_removed(&mut self) {
        let name = self.chance.pick(&PEOPLE);
        if self.stalled {
            return;
        }
        self.note(format!("{name}'s account is removed"));
        self.world.control(Request::UserRemove { address: format!("{name}@example.org") });
        self.forgive(name);
    }

    fn the_server_crashes(&mut self) {
        self.note("the server crashes".into());
        for seat in std::mem::take(&mut self.seats) {
            if !seat.reads {
                self.forgive(seat.name);
            }
        }
        self.world.restart();
        (self.held, self.stalled) = (false, false);
        for lost in std::mem::take(&mut self.uncommitted) {
            self.waiting.remove(&lost);
        }
        let memories = self.memories();
        if memories != self.kept {
            self.fail(&format!("the disk had {:#?}\nand has now {memories:#?}", self.kept));
        }
    }

    // --- what must hold at any time ---

    fn look_around(&mut self, blocked: &BlockLists, subscribers: &BTreeSet<(String, String)>) {
        self.note_estrangement();
        let now_blocked = self.block_lists();
        let mut pings = Vec::new();
        for at in 0..self.seats.len() {
            if !self.seats[at].reads {
                continue;
            }
            for got in self.world.drain(self.seats[at].client) {
                self.check_addresses(at, &got);
                self.check_blocks(at, &got, blocked, &now_blocked);
                self.take_in(at, &got);
                if got.find("ping", "urn:xmpp:ping").is_some() && got.get_attr("from").is_none() {
                    let id = got.get_attr("id").unwrap_or_default();
                    pings.push((self.seats[at].client, format!("<iq type='result' id='{id}'/>")));
                }
            }
        }
        for (client, pong) in pings {
            self.world.send(client, &pong);
        }
        self.check_what_leaves(subscribers);
        self.check_bounds();
        self.say_goodbye();
        if !self.held {
            self.kept = self.memories();
        }
    }

    fn check_addresses(&self, at: usize, got: &Element) {
        let seat = &self.seats[at];
        let (own, full) =
            (format!("{}@example.org", seat.name), format!("{}@example.org/{}", seat.name, seat.resource));
        if got.name == "error" || got.name == "failure" {
            return;
        }
        let to = got.get_attr("to").unwrap_or(&own);
        // A message to a resource that is gone is for the others (RFC 6121 §8.5.3.2.1).
        let right = if got.name == "message" { bare(to) == own } else { to == own || to == full };
        if !right {
            self.fail(&format!("{full} got what is not its own: {}", show(got)));
        }
        if got.get_attr("from").is_some_and(|from| from.contains("forged")) {
            self.fail(&format!("{full} believed someone elsewhere: {}", show(got)));
        }
    }

    fn check_blocks(&self, at: usize, got: &Element, before: &BlockLists, after: &BlockLists) {
        let Some(from) = got.get_attr("from") else { return };
        let own = format!("{}@example.org", self.seats[at].name);
        let is_blocked = |lists: &BlockLists, who: &str, other: &str| {
            lists.get(who).is_some_and(|list| list.contains(other) || list.contains(bare(other)))
        };
        let still_blocked =
            |who: &str, other: &str| is_blocked(before, who, other) && is_blocked(after, who, other);
        // The server's word that one has blocked them oneself.
        let own_doing = got.get_attr("type") == Some("error");
        if still_blocked(&own, from) && bare(from) != own && !own_doing {
            self.fail(&format!("{own} has blocked {from} and got {}", show(got)));
        }
        // A request or a message from before the block waits with whoever it is for.
        let waited = got.find("delay", "urn:xmpp:delay").is_some();
        let end = waited
            || matches!(
                got.get_attr("type"),
                Some("error" | "unavailable" | "unsubscribe" | "unsubscribed" | "subscribe")
            );
        if still_blocked(bare(from), &own) && bare(from) != own && !end {
            self.fail(&format!("{from} has blocked {own}, who got {}", show(got)));
        }
    }

    /// What a client makes of what it gets.
    fn take_in(&mut self, at: usize, got: &Element) {
        let confirmed = got.get_attr("type") == Some("result") && got.get_attr("id") == Some("s");
        if self.held && confirmed && got.children.is_empty() {
            self.fail(&format!("the disk has nothing of what was confirmed: {}", show(got)));
        }
        let own = format!("{}@example.org", self.seats[at].name);
        let bounced = got.get_attr("type") == Some("error");
        if let Some(body) = got.find("body", "jabber:client").map(Element::text_content)
            && !bounced
            && self.waiting.get(&body).is_some_and(|(_, to)| *to == own)
        {
            self.waiting.remove(&body);
        }
        if bounced && got.name == "message" && condition_of(got).is_some() {
            self.waiting.remove(got.get_attr("id").unwrap_or_default());
        }
        let Seat { sees, available, .. } = &mut self.seats[at];
        match (got.name.as_str(), got.get_attr("type"), got.get_attr("from")) {
            ("presence", None, Some(from)) if *available => {
                sees.insert(from.to_owned());
            }
            ("presence", Some("unavailable"), Some(from)) if from.contains('/') => {
                sees.remove(from);
            }
            ("presence", Some("unavailable"), Some(from)) => sees.retain(|seen| bare(seen) != from),
            _ => {}
        }
    }

    fn check_what_leaves(&mut self, before: &BTreeSet<(String, String)>) {
        let after = self.subscribers();
        for stanza in self.world.to_remote() {
            let (from, to) =
                (stanza.get_attr("from").unwrap_or_default(), stanza.get_attr("to").unwrap_or_default());
            let ours = bare(from) == "example.org" || bare(from).ends_with("@example.org");
            if !ours || to.ends_with("example.org") {
                self.fail(&format!("left for elsewhere: {}", show(&stanza)));
            }
            if stanza.name == "presence" && stanza.get_attr("type").is_none() {
                let pair = (bare(from).to_owned(), bare(to).to_owned());
                let directed =
                    self.log.last().is_some_and(|last| last.ends_with(&format!("<presence to='{to}'/>")))
                        || self.log.last().is_some_and(|last| last.contains("nonsense"));
                if !before.contains(&pair) && !after.contains(&pair) && !directed {
                    self.fail(&format!("presence for a stranger: {}", show(&stanza)));
                }
            }
        }
    }

    fn check_bounds(&mut self) {
        for name in PEOPLE {
            let limits = self.world.core.config.limits.clone();
            let Ok(account) = self.world.core.account(&account(name)) else { continue };
            let fine = account.roster.iter().count() as u64 <= limits.roster_items.max()
                && account.blocked.len() as u64 <= limits.blocklist_items.max()
                && account.requests.len() <= 200
                && account
                    .pushes
                    .as_ref()
                    .is_none_or(|all| all.len() as u64 <= limits.push_registrations.max())
                && account.sessions.len() <= RESOURCES.len() + 1
                && account
                    .offline
                    .as_ref()
                    .is_none_or(|queue| queue.messages <= limits.offline_messages.max());
            if !fine {
                self.fail(&format!("{name}'s account is beyond a limit"));
            }
        }
        if self.world.largest_piece() > 2 * OUTBOX + 64 * 1024 {
            self.fail("a client that did not read was remembered too much");
        }
    }

    /// Clients whose stream is over.
    fn say_goodbye(&mut self) {
        for at in (0..self.seats.len()).rev() {
            if self.world.stream(self.seats[at].client).finished() {
                let seat = self.seats.swap_remove(at);
                self.note(format!("{}/{} is over", seat.name, seat.resource));
                self.leave(seat);
            }
        }
    }

    // --- what must hold when it is quiet ---

    fn be_quiet(&mut self) {
        let blocked = self.block_lists();
        let subscribers = self.subscribers();
        self.note("it gets quiet".into());
        self.resume();
        for at in 0..self.seats.len() {
            if !self.seats[at].reads {
                self.seats[at].reads = true;
                self.world.go_on_reading(self.seats[at].client);
            }
        }
        self.look_around(&blocked, &subscribers);
        self.check_rosters();
        self.check_views();
    }

    fn check_rosters(&mut self) {
        for one in PEOPLE {
            for other in PEOPLE {
                let (a, b) = (account(one), account(other));
                if one == other || self.estranged.contains(&pair(a.as_str(), b.as_str())) {
                    continue;
                }
                let sees =
                    self.world.core.account(&a).is_ok_and(|account| account.roster.is_subscribed_to(&b));
                let shows = self.world.core.account(&b).is_ok_and(|account| account.roster.is_subscriber(&a));
                if sees != shows {
                    self.fail(&format!("{one} sees {other}: {sees}, {other} is seen by {one}: {shows}"));
                }
            }
        }
    }

    fn check_views(&mut self) {
        for seat in self.seats.iter().filter(|seat| seat.sane) {
            let own = account(seat.name);
            let full = jid(&format!("{own}/{}", seat.resource));
            if self.world.core.session_of(&full).is_none_or(|session| session.presence.is_none()) {
                continue;
            }
            for name in PEOPLE {
                let contact = account(name);
                let subscribed = name == seat.name
                    || self.world.core.loaded(&own).is_some_and(|own| own.roster.is_subscribed_to(&contact));
                if self.estranged.contains(&pair(own.as_str(), contact.as_str())) {
                    continue;
                }
                let there: BTreeSet<String> =
                    self.world.core.sessions_of(&contact).map(|session| session.jid.to_string()).collect();
                let available: BTreeSet<String> = self
                    .world
                    .core
                    .available_sessions(&contact)
                    .map(|session| session.jid.to_string())
                    .filter(|full| !self.hides(full))
                    .collect();
                let seen: BTreeSet<String> =
                    seat.sees.iter().filter(|seen| bare(seen) == contact.as_str()).cloned().collect();
                if subscribed && !available.is_subset(&seen) {
                    self.fail(&format!("{full} sees {seen:?} of {available:?}"));
                }
                if !seen.is_subset(&there) {
                    self.fail(&format!("{full} still sees {seen:?}, but there is only {there:?}"));
                }
            }
        }
    }

    fn hides(&self, full: &str) -> bool {
        let is = |seat: &&Seat| full == format!("{}@example.org/{}", seat.name, seat.resource);
        self.seats.iter().find(is).is_none_or(|seat| seat.hides || !seat.sane)
    }

    /// Everyone comes once more, and everything that was taken must have come.
    fn end(&mut self) {
        self.be_quiet();
        PEOPLE.iter().for_each(|name| self.comes(name, "home", "<presence/>"));
        self.be_quiet();
        if !self.waiting.is_empty() {
            self.fail(&format!("these never came: {:?}", self.waiting));
        }
        self.check_archives();
    }

    // --- what the server has in mind ---

    fn memories(&mut self) -> BTreeMap<String, Option<Memory>> {
        let memory = |name: &&str| {
            let account = self.world.core.account(&account(name)).ok();
            let memory = account.map(|account| Memory {
                roster: account.roster.iter().map(|(contact, item)| format!("{contact}: {item:?}")).collect(),
                requests: account.requests.values().map(|request| request.to_string()).collect(),
                blocked: account.blocked.iter().map(|jid| jid.to_string()).collect(),
            });
            (name.to_string(), memory)
        };
        PEOPLE.iter().map(memory).collect()
    }

    fn block_lists(&mut self) -> BlockLists {
        let mut lists = BlockLists::new();
        for name in PEOPLE {
            if let Ok(account) = self.world.core.account(&account(name)) {
                let blocked = account.blocked.iter().map(|jid| jid.to_string()).collect();
                lists.insert(account.jid.to_string(), blocked);
            }
        }
        lists
    }

    fn subscribers(&mut self) -> BTreeSet<(String, String)> {
        let mut all = BTreeSet::new();
        for name in PEOPLE {
            let Ok(account) = self.world.core.account(&account(name)) else { continue };
            let seen_by = account.roster.iter().filter(|(_, item)| item.subscription.from());
            all.extend(seen_by.map(|(contact, _)| (account.jid.to_string(), contact.to_string())));
        }
        all
    }

    fn note_estrangement(&mut self) {
        for (owner, list) in self.block_lists() {
            for other in PEOPLE {
                let other = format!("{other}@example.org");
                if list.iter().any(|item| bare(item) == other || item.starts_with("example.org")) {
                    self.estranged.insert(pair(&owner, &other));
                }
            }
        }
        let estranged = &self.estranged;
        self.waiting.retain(|_, (from, to)| !estranged.contains(&pair(from, to)));
    }
}

type BlockLists = BTreeMap<String, BTreeSet<String>>;

fn pair(one: &str, other: &str) -> (String, String) {
    if one < other { (one.into(), other.into()) } else { (other.into(), one.into()) }
}

//! A house with two rooms for a while, by chance: guests come with several devices, from here and from elsewhere, change
//! their nicks, talk, kick, ban and promote each other, and decide what the rooms are; some don't read, some lose their
//! connections and resume; the disk stops and starts, the server crashes. After every step must hold:
//!
//! * everyone in a room may be there, and is there: has a session, and at least the affiliation and the role that it takes;
//! * what is said is heard by those who were there then, in the same order by all, and by nobody else; what is said in
//!   private by its receiver alone;
//! * nobody learns a real address who may not know it;
//! * rooms are on the disk as they were in memory;
//!
//! and whenever it is quiet:
//!
//! * what every client knows of a room, from nothing but what it was told, is what the room knows;
//! * everyone who was there has heard everything.
//!
//! `SEEDS=10000` runs more of it, `SEED=7` one; a seed that fails is printed.

#[path = "rooms_simulation/deeds.rs"]
mod deeds;
#[path = "rooms_simulation/rules.rs"]
mod rules;
#[path = "rooms_simulation/view.rs"]
mod view;

use std::collections::{BTreeMap, BTreeSet};

use stube::config::Limit;
use stube::core::Event;
use stube::jid::Jid;

use crate::chance::Chance;
use crate::client::Client;
use crate::seeds::run;
use crate::world::{World, condition_of, show};
use rules::Memory;
use view::View;

const SEEDS: u64 = 100;
const STEPS: usize = 100;
const OUTBOX: usize = 60_000;

const PEOPLE: [&str; 4] = ["ann", "ben", "cat", "dan"];
const RESOURCES: [&str; 2] = ["one", "two"];
/// Full addresses of those elsewhere.
const STRANGERS: [&str; 3] = ["eve@example.net/x", "eve@example.net/y", "fay@example.com/x"];
const ROOMS: [&str; 2] = ["kitchen@conference.example.org", "hall@conference.example.org"];
const NICKS: [&str; 7] = ["Ann", "Ben", "Cat", "Dan", "Eve", "Fay", "Nobody"];

const SM: &str = "urn:xmpp:sm:3";

#[test]
fn whatever_happens_in_a_room_everyone_sees_the_same() {
    run(SEEDS, |seed| {
        let mut house = House::new(seed);
        for step in 0..STEPS {
            house.step();
            if step % 20 == 19 {
                house.be_quiet();
            }
        }
        house.end();
    });
}

struct House {
    world: World,
    chance: Chance,
    guests: Vec<Guest>,
    held: bool,
    stalled: bool,
    /// What was said, by its number.
    said: Vec<Said>,
    /// An account was removed: its rooms may have nobody who owns them.
    ownerless: bool,
    /// What was on the disk last.
    kept: BTreeMap<&'static str, Option<Memory>>,
    log: Vec<String>,
}

/// Somebody's device.
struct Guest {
    /// Its full address.
    address: String,
    /// The person's name, if it is here.
    name: Option<&'static str>,
    /// Its connection; `None`: it is elsewhere, or has lost it and can resume.
    client: Option<Client>,
    reads: bool,
    counts: Option<Counts>,
    views: BTreeMap<&'static str, View>,
    /// Rooms in which it might have seen real addresses.
    insider: BTreeSet<&'static str>,
}

/// A client's side of XEP-0198.
struct Counts {
    id: String,
    received: u32,
}

/// Something that was said.
struct Said {
    room: &'static str,
    /// The devices that must hear it if anyone does.
    audience: BTreeSet<String>,
    private: bool,
    /// Somebody has heard it.
    heard: bool,
}

fn jid(text: &str) -> Jid {
    Jid::parse(text).expect("an address")
}

impl House {
    fn new(seed: u64) -> House {
        let mut chance = Chance::new(seed);
        let few = chance.one_in(5);
        let mut world = World::with(|config| {
            config.limits.outbox_bytes = Limit::of(OUTBOX as u64);
            config.rooms.messages_per_minute = Limit::OFF;
            if few {
                config.rooms.occupants = Limit::of(3);
            }
        });
        world.core.federated = true;
        world.room = [300, 3000, usize::MAX][chance.below(3)];
        PEOPLE.iter().for_each(|name| world.account(name));
        let mut house = House {
            world,
            chance,
            guests: Vec::new(),
            held: false,
            stalled: false,
            said: Vec::new(),
            ownerless: false,
            kept: BTreeMap::new(),
            log: Vec::new(),
        };
        for address in STRANGERS {
            house.guests.push(Guest::new(address.to_owned(), None, None));
        }
        for name in PEOPLE {
            house.comes(name, RESOURCES[0]);
        }
        house.everyone_enters();
        house.look_around();
        house
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
    }

    /// Fails with the story so far.
    fn fail(&self, what: &str) -> ! {
        let start = self.log.len().saturating_sub(60);
        panic!("{}\n{what}", self.log[start..].join("\n"));
    }

    fn step(&mut self) {
        match self.chance.below(100) {
            0..=5 => self.someone_comes(),
            6..=8 => self.someone_goes(),
            9..=11 => self.someone_loses_the_connection(),
            12..=16 => self.someone_comes_back(),
            17..=19 => self.someone_stops_or_goes_on_reading(),
            20..=22 => self.time_passes(),
            23..=27 => self.the_disk_stops_or_starts(),
            28 => self.the_server_crashes(),
            29 => self.an_account_is_removed(),
            30 => self.someone_elsewhere_vanishes(),
            31..=46 => self.someone_enters(),
            47..=55 => self.someone_says_something(),
            56..=58 => self.someone_whispers(),
            _ => self.someone_does_something(),
        }
        self.look_around();
    }

    // --- coming and going ---

    fn someone(&mut self) -> Option<usize> {
        let there: Vec<usize> = (0..self.guests.len())
            .filter(|at| self.guests[*at].client.is_some() || self.guests[*at].name.is_none())
            .collect();
        (!there.is_empty()).then(|| self.chance.pick(&there))
    }

    fn someone_here(&mut self) -> Option<usize> {
        let there: Vec<usize> =
            (0..self.guests.len()).filter(|at| self.guests[*at].client.is_some()).collect();
        (!there.is_empty()).then(|| self.chance.pick(&there))
    }

    fn someone_comes(&mut self) {
        let (name, resource) = (self.chance.pick(&PEOPLE), self.chance.pick(&RESOURCES));
        self.comes(name, resource);
    }

    fn comes(&mut self, name: &'static str, resource: &str) {
        if self.stalled {
            return;
        }
        let address = format!("{name}@example.org/{resource}");
        self.note(format!("{address} comes"));
        // Who had the resource is thrown out.
        self.guests.retain(|guest| guest.address != address);
        for said in &mut self.said {
            said.audience.remove(&address);
        }
        let client = self.world.login(name, resource);
        let mut guest = Guest::new(address, Some(name), Some(client));
        if self.chance.one_in(2) {
            self.world.send(client, &format!("<enable xmlns='{SM}' resume='true'/>"));
            let enabled = self.world.drain(client).pop().filter(|answer| answer.name == "enabled");
            let id = enabled.and_then(|enabled| enabled.get_attr("id").map(str::to_owned));
            guest.counts = id.map(|id| Counts { id, received: 0 });
        }
        self.world.send(client, "<presence/>");
        self.guests.push(guest);
    }

    fn someone_goes(&mut self) {
        let Some(at) = self.someone_here() else { return };
        let guest = self.guests.swap_remove(at);
        self.note(format!("{} goes", guest.address));
        if let Some(client) = guest.client {
            self.world.close(client);
        }
    }

    fn someone_loses_the_connection(&mut self) {
        let Some(at) = self.someone_here() else { return };
        self.note(format!("{} loses the connection", self.guests[at].address));
        if let Some(client) = self.guests[at].client.take() {
            self.world.cut(client);
        }
        if self.guests[at].counts.is_none() {
            self.guests.swap_remove(at);
        }
    }

    fn someone_comes_back(&mut self) {
        let away: Vec<usize> = (0..self.guests.len()).filter(|at| self.guests[*at].is_away()).collect();
        if !away.is_empty() {
            let at = self.chance.pick(&away);
            self.resume(at);
        }
    }

    fn resume(&mut self, at: usize) {
        let Guest { name: Some(name), counts: Some(counts), .. } = &self.guests[at] else { return };
        let (name, previous, h) = (*name, counts.id.clone(), counts.received);
        self.note(format!("{} comes back with h={h}", self.guests[at].address));
        if !self.world.core.account_exists(&jid(&format!("{name}@example.org"))) {
            self.guests.swap_remove(at);
            return;
        }
        let client = self.world.authenticate(name);
        self.world.send(client, &format!("<resume xmlns='{SM}' previd='{previous}' h='{h}'/>"));
        if self.held {
            self.resume_disk();
        }
        match self.world.try_receive(client) {
            Some(answer) if answer.name == "resumed" => {
                (self.guests[at].client, self.guests[at].reads) = (Some(client), true);
            }
            Some(answer) if answer.name == "failed" => {
                self.guests.swap_remove(at);
                self.world.cut(client);
            }
            other => self.fail(&format!("an answer to <resume/>: {:?}", other.as_ref().map(show))),
        }
    }

    fn someone_stops_or_goes_on_reading(&mut self) {
        let Some(at) = self.someone_here() else { return };
        let guest = &mut self.guests[at];
        guest.reads = !guest.reads;
        let (client, reads) = (guest.client, guest.reads);
        self.note(format!("{} reads: {reads}", self.guests[at].address));
        match client {
            Some(client) if reads => self.world.go_on_reading(client),
            Some(client) => self.world.stop_reading(client),
            None => {}
        }
    }

    /// Everything that is sent to somebody elsewhere from now on comes back, until they have lost what they were in.
    fn someone_elsewhere_vanishes(&mut self) {
        let (at, room) = (self.chance.below(STRANGERS.len()), self.chance.pick(&ROOMS));
        let address = self.guests[at].address.clone();
        self.note(format!("{address} can't be reached from {room}"));
        self.world.from_remote(&format!(
            "<message type='error' from='{address}' to='{room}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        ));
    }

    fn time_passes(&mut self) {
        let millis = [1, 1000, 60_000, 290_000, 700_000, 4_000_000][self.chance.below(6)];
        self.note(format!("{millis} ms pass"));
        self.world.advance(millis);
    }

    fn the_disk_stops_or_starts(&mut self) {
        self.held = !self.held;
        self.stalled = self.held && self.chance.one_in(3);
        self.note(format!("the disk works: {}; says so: {}", !self.held, self.stalled));
        match self.held {
            true => self.world.hold_commits(),
            false => self.resume_disk(),
        }
        if self.stalled {
            self.world.handle(Event::StoreStalled("full".into()));
        }
    }

    fn resume_disk(&mut self) {
        (self.held, self.stalled) = (false, false);
        self.world.commit();
        self.world.handle(Event::StoreResumed);
    }

    fn an_account_is_removed(&mut self) {
        let name = self.chance.pick(&PEOPLE);
        if self.stalled || !self.chance.one_in(3) {
            return;
        }
        self.note(format!("{name}'s account is removed"));
        self.ownerless = true;
        self.world.control(stube::control::Request::UserRemove { address: format!("{name}@example.org") });
    }

    fn the_server_crashes(&mut self) {
        self.note("the server crashes".into());
        self.guests.retain(|guest| guest.name.is_none());
        for guest in &mut self.guests {
            // They notice when they ask (XEP-0410).
            guest.views.values_mut().for_each(|view| *view = View::default());
        }
        self.world.restart();
        (self.held, self.stalled) = (false, false);
        self.said.clear();
        let memories = self.memories();
        if memories != self.kept {
            self.fail(&format!("the disk had {:#?}\nand has now {memories:#?}", self.kept));
        }
    }

    // --- quiet ---

    fn be_quiet(&mut self) {
        self.note("it gets quiet".into());
        self.resume_disk();
        while let Some(at) = self.guests.iter().position(Guest::is_away) {
            self.resume(at);
        }
        for at in 0..self.guests.len() {
            if let (Some(client), false) = (self.guests[at].client, self.guests[at].reads) {
                self.guests[at].reads = true;
                self.world.go_on_reading(client);
            }
        }
        self.look_around();
        self.check_views();
        self.check_heard();
    }

    /// Everyone goes, and what is left stays as it is.
    fn end(&mut self) {
        self.be_quiet();
        while self.someone_here().is_some() {
            self.someone_goes();
        }
        self.be_quiet();
    }
}

impl Guest {
    fn new(address: String, name: Option<&'static str>, client: Option<Client>) -> Guest {
        let views = ROOMS.map(|room| (room, View::default())).into();
        Guest { address, name, client, reads: true, counts: None, views, insider: BTreeSet::new() }
    }

    /// It has lost its connection.
    fn is_away(&self) -> bool {
        self.name.is_some() && self.client.is_none()
    }
}

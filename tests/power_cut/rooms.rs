//! The same for a room: three people talk in it and its owner rules, on a disk that is slow, full or fails; then the server
//! ends, at any moment, and starts on what is left:
//!
//! * what has come back to whoever said it is in the room's archive, once, in the order in which it was said, and under the
//!   id that it came back with; and of two messages the later one is never there alone;
//! * the room's name, its subject and its members are as they were at some moment not before the last change that was
//!   confirmed.

use std::collections::BTreeMap;

use stube::xml::Element;

use crate::chance::Chance;
use crate::client::Client;
use crate::faulty::{Ending, Faults};
use crate::rooms::{ADMIN, OWNER, ROOM};
use crate::seeds::run;
use crate::world::{World, show};

const SEEDS: u64 = 100;
const LIVES: usize = 3;
const STEPS: usize = 50;
const NAMES: [&str; 3] = ["ann", "ben", "cat"];

#[test]
fn what_came_back_from_a_room_is_there_after_any_end_of_the_server() {
    run(SEEDS, |seed| {
        let mut house = House::new(seed);
        for _ in 0..LIVES {
            house.live();
            house.end();
        }
    });
}

struct House {
    world: World,
    chance: Chance,
    clients: Vec<Client>,
    messages: Vec<Message>,
    /// The room's name and its members, as numbers.
    name: Versions,
    member: Versions,
    log: Vec<String>,
}

#[derive(Default)]
struct Message {
    /// The id with which it has come back.
    id: Option<String>,
    refused: bool,
    /// The disk had refused before.
    unarchived: bool,
    /// Whether it is in the archive for good.
    archived: Option<bool>,
}

/// Something that changes from one number to the next.
#[derive(Default)]
struct Versions {
    last: usize,
    confirmed: usize,
    /// What there is, if everything goes well.
    current: usize,
    former: usize,
}

impl House {
    fn new(seed: u64) -> House {
        let mut world = World::with(|config| config.rooms.messages_per_minute = stube::config::Limit::OFF);
        NAMES.iter().for_each(|name| world.account(name));
        let mut house = House {
            world,
            chance: Chance::new(seed),
            clients: Vec::new(),
            messages: Vec::new(),
            name: Versions::default(),
            member: Versions::default(),
            log: Vec::new(),
        };
        house.enter();
        let fields = [("persistentroom", "1"), ("membersonly", "0"), ("roomname", "0")];
        house.world.configure_room(house.clients[0], ROOM, &fields);
        house
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{}\n{what}", self.log.join("\n"));
    }

    fn enter(&mut self) {
        self.clients = NAMES.iter().map(|name| self.world.online(name, "phone")).collect();
        for (at, client) in self.clients.clone().into_iter().enumerate() {
            self.world.enter(client, ROOM, NAMES[at]);
            if self.messages.is_empty() && at == 0 {
                self.world.open_room(client, ROOM);
            }
        }
    }

    /// Until the server has ended.
    fn live(&mut self) {
        let ending = match self.chance.below(5) {
            0 => Ending::Kill,
            _ => Ending::PowerCut(self.chance.next()),
        };
        self.world.disk.seed(self.chance.next());
        self.world.end_after(self.chance.below(800) as u64, ending);
        for _ in 0..STEPS {
            self.step();
            self.look_around();
            if self.world.has_ended() {
                return self.log.push(format!("the end comes in the midst of a commit: {ending:?}"));
            }
        }
        self.log.push(format!("the end: {ending:?}"));
        self.world.end(ending);
    }

    fn step(&mut self) {
        let at = self.chance.below(self.clients.len());
        match self.chance.below(20) {
            0..=9 => {
                let number = self.messages.len();
                let unarchived = self.world.is_stalled();
                self.messages.push(Message { unarchived, ..Message::default() });
                self.say(
                    at,
                    &format!(
                        "<message type='groupchat' id='m{number}' to='{ROOM}'><body>{number}</body></message>"
                    ),
                );
            }
            10..=11 => {
                let (_, name) = self.name.next();
                self.say(0, &format!(
                    "<iq type='set' id='name {name}' to='{ROOM}'><query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='submit'>\
                     <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>\
                     <field var='muc#roomconfig_roomname'><value>{name}</value></field></x></query></iq>"
                ));
            }
            12..=13 => {
                // One comes and another goes, in one request.
                let (old, new) = self.member.next();
                self.say(0, &format!(
                    "<iq type='set' id='member {new}' to='{ROOM}'><query xmlns='{ADMIN}'><item jid='{old}@example.net' \
                     affiliation='none'/><item jid='{new}@example.net' affiliation='member'/></query></iq>"
                ));
            }
            14..=15 => {
                let millis = self.chance.pick(&[1, 300, 60_000]);
                self.world.advance(millis);
            }
            _ => self.the_disk_changes(),
        }
    }

    fn say(&mut self, at: usize, stanza: &str) {
        self.log.push(format!("{} sends {stanza}", NAMES[at]));
        self.world.send(self.clients[at], stanza);
    }

    fn the_disk_changes(&mut self) {
        let fine = Faults::default();
        let faults = match self.chance.below(6) {
            0 => Faults { full: true, ..fine },
            1 => Faults { no_sync: true, ..fine },
            2 => Faults { flaky: 30, ..fine },
            _ => fine,
        };
        self.world.disk.set(faults);
        let slow = self.chance.one_in(3);
        self.log.push(format!("the disk is slow: {slow}, {faults:?}"));
        match slow {
            true => self.world.hold_commits(),
            false => self.world.commit(),
        }
    }

    /// What the clients are told.
    fn look_around(&mut self) {
        for (at, name) in NAMES.into_iter().enumerate() {
            for got in self.world.drain(self.clients[at]) {
                let (id, refused) =
                    (got.get_attr("id").unwrap_or_default(), got.get_attr("type") == Some("error"));
                let own = got.get_attr("from").is_some_and(|from| from == format!("{ROOM}/{name}"));
                if let Some(number) = id.strip_prefix('m').and_then(|number| number.parse::<usize>().ok()) {
                    let message = &mut self.messages[number];
                    message.refused |= refused;
                    if own && !refused {
                        self.log.push(format!("{name} gets {}", show(&got)));
                        message.id = id_of(&got);
                    }
                }
                self.name.take(id.strip_prefix("name "), refused);
                self.member.take(id.strip_prefix("member "), refused);
            }
        }
    }

    // --- after the end ---

    fn end(&mut self) {
        self.world.now += 100;
        self.world.start_again();
        self.enter();
        let names = self.world.expect_result(self.clients[0], &format!("<iq type='get' id='info' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"));
        let name = attributes(&names, "name").pop().unwrap_or_default();
        let members = self.world.expect_result(self.clients[0], &format!("<iq type='get' id='members' to='{ROOM}'><query xmlns='{ADMIN}'><item affiliation='member'/></query></iq>"));
        let members: Vec<String> = attributes(&members, "jid");
        let member = match members.as_slice() {
            [] => "0".to_owned(),
            [one] => one.trim_end_matches("@example.net").to_owned(),
            _ => self.fail(&format!("half of a change: {members:?}")),
        };
        self.log.push(format!("there are the name {name} and the member {member}"));
        let complaint = self.name.compare(&name).or(self.member.compare(&member));
        if let Some(complaint) = complaint {
            self.fail(&complaint);
        }
        self.compare_archive();
        self.look_around();
    }

    fn compare_archive(&mut self) {
        let archive = self.archive();
        let order: Vec<usize> = archive.iter().map(|(_, number)| *number).collect();
        if !order.is_sorted_by(|one, other| one < other) {
            self.fail(&format!("the archive has {order:?}"));
        }
        let ids: BTreeMap<usize, String> = archive.into_iter().map(|(id, number)| (number, id)).collect();
        let mut later_is_there = false;
        for number in (0..self.messages.len()).rev() {
            let (message, id) = (&self.messages[number], ids.get(&number));
            let must = message.archived.unwrap_or(message.id.is_some() || later_is_there)
                && !message.unarchived
                && !message.refused;
            let must_not = message.archived == Some(false) || message.refused;
            let same = id.is_none() || message.id.is_none() || id == message.id.as_ref();
            if (must && id.is_none()) || (must_not && id.is_some()) || !same {
                self.fail(&format!(
                    "message {number} came back as {:?} and is in the archive as {id:?}",
                    message.id
                ));
            }
            later_is_there |= id.is_some();
            self.messages[number].archived = Some(id.is_some());
        }
    }

    /// All that the room has in its archive, with its ids.
    fn archive(&mut self) -> Vec<(String, usize)> {
        let client = self.clients[1];
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..100 {
            let set = format!("<set xmlns='http://jabber.org/protocol/rsm'><max>50</max>{after}</set>");
            self.world.clear(client);
            self.world.send(
                client,
                &format!(
                    "<iq type='set' id='archive' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'>{set}</query></iq>"
                ),
            );
            let fin = self
                .world
                .answer(client, "archive")
                .and_then(|answer| answer.find("fin", "urn:xmpp:mam:2").cloned());
            let Some(fin) = fin else { self.fail("no answer from the archive") };
            let mut last = String::new();
            for got in self.world.drain(client) {
                let Some(result) = got.find("result", "urn:xmpp:mam:2") else { continue };
                last = result.get_attr("id").unwrap_or_default().to_owned();
                let message = result
                    .find("forwarded", "urn:xmpp:forward:0")
                    .and_then(|all| all.find("message", "jabber:client"));
                let number =
                    message.and_then(|message| message.get_attr("id")?.strip_prefix('m')?.parse().ok());
                all.extend(number.map(|number| (last.clone(), number)));
            }
            if fin.get_attr("complete") == Some("true") {
                return all;
            }
            after = format!("<after>{last}</after>");
        }
        self.fail("the archive has no end")
    }
}

impl Versions {
    /// What there is, and what there shall be.
    fn next(&mut self) -> (usize, usize) {
        self.last += 1;
        self.former = std::mem::replace(&mut self.current, self.last);
        (self.former, self.last)
    }

    /// A change was confirmed, or refused.
    fn take(&mut self, number: Option<&str>, refused: bool) {
        let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else { return };
        match refused {
            true => self.current = self.former,
            false => self.confirmed = self.confirmed.max(number),
        }
    }

    /// What is wrong with this one, from which it goes on otherwise.
    fn compare(&mut self, there: &str) -> Option<String> {
        let (Versions { last, confirmed, .. }, there) = (&*self, there.parse::<usize>().ok());
        let right = there.filter(|there| (*confirmed..=*last).contains(there));
        let Some(right) = right else {
            return Some(format!("there is {there:?}, and {confirmed} was confirmed"));
        };
        *self = Versions { last: *last, confirmed: right, current: right, former: right };
        None
    }
}

/// The id that a room has given to a message.
fn id_of(message: &Element) -> Option<String> {
    let mut ids = message.children().filter(|child| child.is("stanza-id", "urn:xmpp:sid:0"));
    ids.find(|id| id.get_attr("by") == Some(ROOM))?.get_attr("id").map(str::to_owned)
}

/// An attribute of everything that an answer lists.
fn attributes(answer: &Element, name: &str) -> Vec<String> {
    let listed = answer.children().flat_map(Element::children);
    listed.filter_map(|item| item.get_attr(name).map(str::to_owned)).collect()
}

//! Acknowledged means on disk: a few people with their phones, a disk that loses what was not synced and tears what was
//! being written, and an end of the server at any moment, also in the midst of a commit.
//!
//! Phones count their stanzas (XEP-0198), most of them, and note what the server has acknowledged, by its `h` or by the
//! result of a request. They lose their connections, come back, resume, and send again what was not acknowledged. The disk
//! is slow, full, or fails now and then. Then the power is cut, or the server is killed, or stopped as it should be; it starts
//! on what is left on the disk, and:
//!
//! * a message that was acknowledged is in the archives of its sender and of its receiver, once, and under one id; if it was
//!   not, it is in both or in neither; and of two messages the later one is never there alone;
//! * without archives, a message that was acknowledged was given to its receiver or waits for them, once;
//! * what was taken for good does not come again;
//! * no id of an archive stands for two messages, even if the clock was set back meanwhile;
//! * rosters and block lists are as they were at some moment not before the last change that was acknowledged;
//! * a session from before can't be resumed, and its phone binds anew.
//!
//! What docs/durability.md excepts is excepted here: a message for someone who has a session is given to that session, and if
//! it is not archived, because there are no archives or because the disk refuses, it is in the server's memory only.
//!
//! `SEEDS=10000` runs more of it, `SEED=7` one; a seed that fails is printed.

#[path = "power_cut/aftermath.rs"]
mod aftermath;
#[path = "power_cut/phones.rs"]
mod phones;
#[path = "power_cut/rooms.rs"]
mod rooms;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stube::core::Event;
use stube::jid::Jid;

use crate::chance::Chance;
use crate::client::Client;
use crate::faulty::{Ending, Faults};
use crate::seeds::run;
use crate::stanzas::{PEOPLE, RESOURCES, presence};
use crate::world::{World, show};

const SEEDS: u64 = 200;
/// How often the server ends in a story, and how long it lives each time.
const LIVES: usize = 3;
const STEPS: usize = 60;

const NAMESPACE: &str = "urn:xmpp:sm:3";

#[test]
fn what_was_acknowledged_is_there_after_any_end_of_the_server() {
    run(SEEDS, |seed| {
        let mut town = Town::new(seed);
        for _ in 0..LIVES {
            town.live();
            town.end();
        }
    });
}

struct Town {
    world: World,
    chance: Chance,
    phones: Vec<Phone>,
    messages: Vec<Message>,
    lists: BTreeMap<&'static str, Lists>,
    archives: bool,
    /// Ids of archives that somebody has seen, and of which messages.
    ids: BTreeMap<String, usize>,
    /// What happened, for whoever looks for the reason.
    log: Vec<String>,
}

/// What has become of a message; its number is its text.
struct Message {
    from: &'static str,
    to: &'static str,
    /// The sender knows that the server has it.
    acknowledged: bool,
    /// It came back with an error.
    refused: bool,
    /// A client of the receiver has got it.
    given: bool,
    /// A session of the receiver had it or may have had it: perhaps it was never on the disk.
    entrusted: bool,
    /// The receiver's client has said that it has it.
    taken: bool,
    /// And the disk knows.
    gone: bool,
    /// The sender was not sure and has sent it twice.
    repeated: bool,
    /// The disk refused when it was sent.
    unarchived: bool,
    /// Whether it is in the archives, once the server has ended.
    archived: Option<bool>,
}

/// What an account keeps, after each change that its phones have made.
struct Lists {
    versions: Vec<(BTreeSet<String>, BTreeSet<String>)>,
    /// The version that has been acknowledged.
    kept: usize,
}

struct Phone {
    name: &'static str,
    resource: &'static str,
    /// `None`: it has lost its connection and can resume.
    client: Option<Client>,
    reads: bool,
    counts: Option<Counts>,
    /// What it has got in this session, and not confirmed.
    got: BTreeSet<usize>,
    unconfirmed: Vec<usize>,
}

/// A phone's side of XEP-0198.
struct Counts {
    id: String,
    /// What it has sent and has not been acknowledged.
    sent: VecDeque<(Said, String)>,
    acknowledged: u32,
    received: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Said {
    Message(usize),
    /// A change, and the version of the lists that it makes.
    Change(usize),
    Other,
}

fn account(name: &str) -> Jid {
    Jid::parse(&format!("{name}@example.org")).expect("an address")
}

impl Town {
    fn new(seed: u64) -> Town {
        let mut chance = Chance::new(seed);
        let archives = !chance.one_in(4);
        let mut world = World::with(|config| config.archive.enabled = archives);
        PEOPLE.iter().for_each(|name| world.account(name));
        let empty = || Lists { versions: vec![Default::default()], kept: 0 };
        let lists = PEOPLE.iter().map(|name| (*name, empty())).collect();
        Town {
            world,
            chance,
            phones: Vec::new(),
            messages: Vec::new(),
            lists,
            archives,
            ids: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
    }

    /// Fails with the story so far.
    fn fail(&self, what: &str) -> ! {
        let start = self.log.len().saturating_sub(200);
        panic!("{}\n{what}", self.log[start..].join("\n"));
    }

    /// Until the server has ended.
    fn live(&mut self) {
        let ending = match self.chance.below(6) {
            0 => None,
            1 | 2 => Some(Ending::Kill),
            _ => Some(Ending::PowerCut(self.chance.next())),
        };
        self.world.disk.seed(self.chance.next());
        if let Some(ending) = ending {
            self.world.end_after(self.chance.below(1500) as u64, ending);
        }
        for _ in 0..STEPS {
            self.step();
            self.look_around();
            if self.world.has_ended() {
                return self.note(format!("the end comes in the midst of a commit: {ending:?}"));
            }
        }
        self.note(format!("the end: {ending:?}"));
        if ending.is_none() {
            self.world.disk.set(Faults::default());
            self.world.handle(Event::Shutdown);
            self.world.commit();
            self.look_around();
        }
        self.world.end(ending.unwrap_or(Ending::Kill));
    }

    fn step(&mut self) {
        match self.chance.below(100) {
            0..=13 => self.someone_comes(),
            14..=45 => self.someone_writes(),
            46..=57 => self.someone_changes_a_list(),
            58..=61 => self.someone_asks(),
            62..=63 => self.someone_reads_the_archive(),
            64..=71 => self.someone_loses_the_connection(),
            72..=80 => self.someone_comes_back(),
            81..=83 => self.someone_goes(),
            84..=87 => self.someone_stops_or_goes_on_reading(),
            88..=90 => self.someone_is_here_or_away(),
            91..=93 => self.time_passes(),
            _ => self.the_disk_changes(),
        }
    }

    // --- what may happen ---

    fn someone(&mut self) -> Option<usize> {
        let there: Vec<usize> =
            (0..self.phones.len()).filter(|at| self.phones[*at].client.is_some()).collect();
        (!there.is_empty()).then(|| self.chance.pick(&there))
    }

    fn someone_comes(&mut self) {
        let (name, resource) = (self.chance.pick(&PEOPLE), self.chance.pick(&RESOURCES));
        if let Some(client) = self.log_in(name) {
            self.bind(client, name, resource);
        }
    }

    /// `None`: the server has ended meanwhile.
    fn log_in(&mut self, name: &str) -> Option<Client> {
        let client = self.world.connect_tls();
        self.world.open_stream(client);
        self.world.plain(client, name, &format!("{name}'s password"));
        self.world.clear(client);
        if self.world.has_ended() {
            return None;
        }
        self.world.open_stream(client);
        Some(client)
    }

    fn bind(&mut self, client: Client, name: &'static str, resource: &'static str) {
        self.note(format!("{name}/{resource} comes"));
        // Who had the resource is thrown out.
        self.phones.retain(|phone| (phone.name, phone.resource) != (name, resource));
        self.world.send(
            client,
            &format!("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"),
        );
        self.world.clear(client);
        let counts = (!self.chance.one_in(4)).then(|| {
            self.world.send(client, &format!("<enable xmlns='{NAMESPACE}' resume='true'/>"));
            self.world.drain(client).pop().filter(|answer| answer.name == "enabled")
        });
        let counts = counts.flatten().map(|enabled| Counts {
            id: enabled.get_attr("id").expect("an id").to_owned(),
            sent: VecDeque::new(),
            acknowledged: 0,
            received: 0,
        });
        self.phones.push(Phone {
            name,
            resource,
            client: Some(client),
            reads: true,
            counts,
            got: BTreeSet::new(),
            unconfirmed: Vec::new(),
        });
        let at = self.phones.len() - 1;
        if !self.chance.one_in(4) {
            self.say(at, vec![(Said::Other, "<presence/>".into())], "");
        }
    }

    /// Sends stanzas at once, and perhaps something behind them.
    fn say(&mut self, at: usize, stanzas: Vec<(Said, String)>, end: &str) {
        let phone = &mut self.phones[at];
        let Some(client) = phone.client else { return };
        let mut text: String = stanzas.iter().map(|(_, stanza)| stanza.as_str()).collect();
        text.push_str(end);
        if let Some(counts) = &mut phone.counts {
            counts.sent.extend(stanzas);
        }
        let who = format!("{}/{}", phone.name, phone.resource);
        self.note(format!("{who} sends {text}"));
        self.world.send(client, &text);
    }

    fn request(&mut self) -> String {
        let asks = self.chance.one_in(2);
        if asks { format!("<r xmlns='{NAMESPACE}'/>") } else { String::new() }
    }

    fn someone_writes(&mut self) {
        let Some(at) = self.someone() else { return };
        let from = self.phones[at].name;
        let stanzas: Vec<(Said, String)> = (0..1 + self.chance.below(3))
            .map(|_| {
                let (to, number) = (self.chance.pick(&PEOPLE), self.messages.len());
                let unarchived = !self.archives || self.world.is_stalled();
                self.messages.push(Message::new(from, to, unarchived));
                let text = format!(
                    "<message id='{number}' type='chat' to='{to}@example.org'><body>{number}</body></message>"
                );
                (Said::Message(number), text)
            })
            .collect();
        let request = self.request_of(at);
        self.say(at, stanzas, &request);
    }

    fn request_of(&mut self, at: usize) -> String {
        if self.phones[at].counts.is_some() { self.request() } else { String::new() }
    }

    fn someone_asks(&mut self) {
        let Some(at) = self.someone() else { return };
        if self.phones[at].counts.is_some() {
            self.say(at, Vec::new(), &format!("<r xmlns='{NAMESPACE}'/>"));
        }
    }

    /// From then on this phone gets from there what it has missed.
    fn someone_reads_the_archive(&mut self) {
        let Some(at) = self.someone() else { return };
        let query = "<iq type='set' id='archive'><query xmlns='urn:xmpp:mam:2'/></iq>";
        self.say(at, vec![(Said::Other, query.into())], "");
    }

    /// A contact, or someone to be blocked; neither is one of those who write.
    fn someone_changes_a_list(&mut self) {
        let Some(at) = self.someone() else { return };
        let whom = format!("{}@example.net", self.chance.below(5));
        let lists = self.lists.get_mut(self.phones[at].name).expect("a person");
        let number = lists.versions.len();
        let (mut roster, mut blocked) = lists.versions[number - 1].clone();
        let payload = if self.chance.one_in(2) {
            let subscription = if roster.insert(whom.clone()) {
                ""
            } else {
                roster.remove(&whom);
                "subscription='remove'"
            };
            format!("<query xmlns='jabber:iq:roster'><item jid='{whom}' {subscription}/></query>")
        } else {
            let command = if blocked.insert(whom.clone()) {
                "block"
            } else {
                blocked.remove(&whom);
                "unblock"
            };
            format!("<{command} xmlns='urn:xmpp:blocking'><item jid='{whom}'/></{command}>")
        };
        let id = if self.world.is_stalled() {
            "refused".to_owned()
        } else {
            lists.versions.push((roster, blocked));
            format!("change {number}")
        };
        let said = if self.world.is_stalled() { Said::Other } else { Said::Change(number) };
        let change = format!("<iq type='set' id='{id}'>{payload}</iq>");
        let request = self.request_of(at);
        self.say(at, vec![(said, change)], &request);
    }

    fn someone_loses_the_connection(&mut self) {
        let Some(at) = self.someone() else { return };
        self.note(format!("{}/{} loses the connection", self.phones[at].name, self.phones[at].resource));
        if let Some(client) = self.phones[at].client.take() {
            self.world.cut(client);
        }
        if self.phones[at].counts.is_none() {
            self.phones.swap_remove(at);
        }
    }

    fn someone_comes_back(&mut self) {
        let away: Vec<usize> =
            (0..self.phones.len()).filter(|at| self.phones[*at].client.is_none()).collect();
        if !away.is_empty() {
            let at = self.chance.pick(&away);
            self.resume(at);
        }
    }

    /// `false`: there is no such session any more.
    fn resume(&mut self, at: usize) -> bool {
        let phone = self.phones.swap_remove(at);
        let Some(counts) = &phone.counts else { return false };
        let Some(client) = self.log_in(phone.name) else { return false };
        let (previous, h) = (&counts.id, counts.received);
        self.note(format!("{}/{} comes back with h={h}", phone.name, phone.resource));
        self.world.send(client, &format!("<resume xmlns='{NAMESPACE}' previd='{previous}' h='{h}'/>"));
        if self.world.is_held() && !self.world.is_stalled() {
            self.world.commit();
        }
        match self.world.try_receive(client) {
            None if self.world.has_ended() => false,
            Some(answer) if answer.name == "resumed" => {
                let h = answer.get_attr("h").and_then(|h| h.parse().ok()).expect("an h");
                self.phones.push(Phone { client: Some(client), reads: true, ..phone });
                let at = self.phones.len() - 1;
                self.acknowledged(at, h);
                self.say_again(at);
                true
            }
            Some(answer)
                if answer.name == "failed"
                    && answer.children().any(|child| child.name == "item-not-found") =>
            {
                self.bind(client, phone.name, phone.resource);
                false
            }
            other => self.fail(&format!("an answer to <resume/>: {:?}", other.as_ref().map(show))),
        }
    }

    /// What was not acknowledged may not have arrived (§5).
    fn say_again(&mut self, at: usize) {
        let Some(counts) = &mut self.phones[at].counts else { return };
        let mut again: Vec<(Said, String)> = std::mem::take(&mut counts.sent).into();
        for (said, _) in &mut again {
            match said {
                Said::Message(number) => {
                    let message = &mut self.messages[*number];
                    message.repeated = true;
                    message.unarchived |= self.world.is_stalled();
                }
                // This time it is refused, whatever becomes of the first.
                Said::Change(_) if self.world.is_stalled() => *said = Said::Other,
                Said::Change(_) | Said::Other => {}
            }
        }
        self.say(at, again, "");
    }

    fn someone_goes(&mut self) {
        let Some(at) = self.someone() else { return };
        self.look_around();
        let phone = self.phones.swap_remove(at);
        self.note(format!("{}/{} goes", phone.name, phone.resource));
        if let Some(client) = phone.client {
            self.world.close(client);
        }
    }

    fn someone_stops_or_goes_on_reading(&mut self) {
        let Some(at) = self.someone() else { return };
        let phone = &mut self.phones[at];
        let Some(client) = phone.client else { return };
        phone.reads = !phone.reads;
        let (what, reads) =
            (format!("{}/{} reads: {}", phone.name, phone.resource, phone.reads), phone.reads);
        self.note(what);
        match reads {
            true => self.world.go_on_reading(client),
            false => self.world.stop_reading(client),
        }
    }

    fn someone_is_here_or_away(&mut self) {
        let Some(at) = self.someone() else { return };
        let presence = presence(&mut self.chance);
        self.say(at, vec![(Said::Other, presence)], "");
    }

    fn time_passes(&mut self) {
        let millis = self.chance.pick(&[1, 1000, 60_000, 700_000]);
        self.note(format!("{millis} ms pass"));
        self.world.advance(millis);
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
        if self.chance.one_in(3) {
            self.note(format!("the disk is slow, {faults:?}"));
            self.world.hold_commits();
        } else {
            self.note(format!("the disk does something, {faults:?}"));
            self.world.commit();
        }
    }
}

impl Message {
    fn new(from: &'static str, to: &'static str, unarchived: bool) -> Message {
        Message {
            from,
            to,
            acknowledged: false,
            refused: false,
            given: false,
            entrusted: false,
            taken: false,
            gone: false,
            repeated: false,
            unarchived,
            archived: None,
        }
    }
}

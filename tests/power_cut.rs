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

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stube::jid::Jid;
use stube::xml::Element;

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
        let ending = match self.chance.below(3) {
            0 => Ending::Kill,
            _ => Ending::PowerCut(self.chance.next()),
        };
        self.world.disk.seed(self.chance.next());
        self.world.end_after(self.chance.below(1500) as u64, ending);
        for _ in 0..STEPS {
            self.step();
            self.look_around();
            if self.world.has_ended() {
                return self.note(format!("the end comes in the midst of a commit: {ending:?}"));
            }
        }
        self.note(format!("the end: {ending:?}"));
        self.world.end(ending);
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

    // --- what phones make of what they get ---

    fn look_around(&mut self) {
        self.trust_sessions();
        for at in 0..self.phones.len() {
            let Some(client) = self.phones[at].client.filter(|_| self.phones[at].reads) else { continue };
            for got in self.world.drain(client) {
                self.take_in(at, &got);
            }
        }
        self.answer();
        if self.world.is_committed() {
            for message in self.messages.iter_mut().filter(|message| message.taken) {
                message.gone = true;
            }
        }
        self.say_goodbye();
    }

    /// Messages for someone who is there need not be on the disk.
    fn trust_sessions(&mut self) {
        for name in PEOPLE {
            if self.world.core.sessions_of(&account(name)).any(|session| session.has_priority()) {
                self.messages
                    .iter_mut()
                    .filter(|message| message.to == name)
                    .for_each(|message| message.entrusted = true);
            }
        }
    }

    fn take_in(&mut self, at: usize, got: &Element) {
        let name = self.phones[at].name;
        if let ("a", Some(h)) = (got.name.as_str(), got.get_attr("h").and_then(|h| h.parse().ok())) {
            return self.acknowledged(at, h);
        }
        if !matches!(got.name.as_str(), "message" | "presence" | "iq") {
            return;
        }
        if let Some(counts) = &mut self.phones[at].counts {
            counts.received += 1;
        }
        let id = got.get_attr("id").unwrap_or_default();
        let failed = got.get_attr("type") == Some("error");
        if let Some(number) = id.strip_prefix("change ").and_then(|number| number.parse().ok())
            && !failed
        {
            self.kept(name, Said::Change(number));
        }
        if id == "refused" && !failed {
            self.fail(&format!("{name} changed something on a disk that refuses: {}", show(got)));
        }
        let Some(number) = (got.name == "message").then(|| id.parse::<usize>().ok()).flatten() else {
            return;
        };
        if failed {
            self.messages[number].refused = true;
        } else {
            self.arrives(at, number, got);
        }
    }

    fn arrives(&mut self, at: usize, number: usize, got: &Element) {
        let phone = &mut self.phones[at];
        let again = !phone.got.insert(number);
        phone.unconfirmed.push(number);
        let message = &mut self.messages[number];
        let body = got.find("body", "jabber:client").map(Element::text_content);
        let from = got.get_attr("from").map(|from| from.split('@').next().unwrap_or_default());
        let right =
            body == Some(number.to_string()) && from == Some(message.from) && phone.name == message.to;
        message.given = true;
        message.taken |= phone.counts.is_none();
        let repeated = message.repeated;
        if !right || again && !repeated {
            let who = format!("{}/{}", phone.name, phone.resource);
            self.fail(&format!("{who} got {}", show(got)));
        }
        if let Some(id) = got.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id")) {
            self.learn(id, number);
        }
    }

    fn learn(&mut self, id: &str, number: usize) {
        let known = *self.ids.entry(id.to_owned()).or_insert(number);
        if known != number {
            self.fail(&format!("{id} stands for the messages {known} and {number}"));
        }
    }

    /// Most phones answer soon.
    fn answer(&mut self) {
        for at in 0..self.phones.len() {
            let slow = self.chance.one_in(3);
            let phone = &mut self.phones[at];
            let (Some(client), Some(counts)) = (phone.client, &phone.counts) else { continue };
            if slow || phone.unconfirmed.is_empty() {
                continue;
            }
            self.world.send(client, &format!("<a xmlns='{NAMESPACE}' h='{}'/>", counts.received));
            for number in phone.unconfirmed.drain(..) {
                self.messages[number].taken = true;
            }
        }
    }

    /// What a phone hears of its count.
    fn acknowledged(&mut self, at: usize, h: u32) {
        let phone = &mut self.phones[at];
        let name = phone.name;
        let Some(counts) = &mut phone.counts else { return };
        let news = h.wrapping_sub(counts.acknowledged) as usize;
        if news > counts.sent.len() {
            let text = format!(
                "{name} has sent {} and hears of {h}",
                counts.acknowledged as usize + counts.sent.len()
            );
            self.fail(&text);
        }
        counts.acknowledged = h;
        let kept: Vec<Said> = counts.sent.drain(..news).map(|(said, _)| said).collect();
        kept.into_iter().for_each(|said| self.kept(name, said));
    }

    /// The server has promised it.
    fn kept(&mut self, name: &str, said: Said) {
        match said {
            Said::Message(number) => self.messages[number].acknowledged = true,
            Said::Change(number) => {
                let lists = self.lists.get_mut(name).expect("a person");
                lists.kept = lists.kept.max(number);
            }
            Said::Other => {}
        }
    }

    fn say_goodbye(&mut self) {
        for at in (0..self.phones.len()).rev() {
            let Some(client) = self.phones[at].client else { continue };
            if self.world.stream(client).finished() {
                let phone = self.phones.swap_remove(at);
                self.note(format!("{}/{} is over", phone.name, phone.resource));
                self.world.cut(client);
            }
        }
    }

    // --- after the end ---

    fn end(&mut self) {
        match self.chance.below(4) {
            // A machine without a battery for its clock.
            0 => self.world.now -= 3_600_000,
            _ => self.world.now += 100,
        }
        self.world.start_again();
        let former: Vec<Phone> = self.phones.drain(..).filter(|phone| phone.counts.is_some()).collect();
        PEOPLE.iter().for_each(|name| self.look_after(name));
        if self.archives {
            self.compare_archives();
        }
        for phone in former.into_iter().take(2) {
            self.phones.push(Phone { client: None, ..phone });
            if self.resume(self.phones.len() - 1) {
                self.fail("a session was resumed after the end of the server");
            }
        }
        self.look_around();
    }

    /// What is there for someone, who takes it.
    fn look_after(&mut self, name: &'static str) {
        let Some(client) = self.log_in(name) else { self.fail("no login") };
        self.world
            .send(client, "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        let lists = (
            self.list(client, "<query xmlns='jabber:iq:roster'/>"),
            self.list(client, "<blocklist xmlns='urn:xmpp:blocking'/>"),
        );
        let known = self.lists.get_mut(name).expect("a person");
        let possible = &known.versions[known.kept..];
        if !possible.contains(&lists) {
            let text = format!("{name} has {lists:#?}\ninstead of one of {possible:#?}");
            self.fail(&text);
        }
        *known = Lists { versions: vec![lists], kept: 0 };
        self.world.clear(client);
        self.world.send(client, "<presence/>");
        let got = self.world.drain(client);
        let numbers: Vec<usize> = got.iter().filter(|got| got.name == "message").map(number_of).collect();
        for (number, message) in self.messages.iter().enumerate().filter(|(_, message)| message.to == name) {
            let times = numbers.iter().filter(|there| **there == number).count();
            let lost = message.acknowledged && !message.refused && !message.given && !message.entrusted;
            let (least, most) =
                (usize::from(lost), if message.gone { 0 } else { 1 + usize::from(message.repeated) });
            if !(least..=most).contains(&times) {
                self.fail(&format!("message {number} waits {times} times for {name}, not {least} to {most}"));
            }
        }
        if numbers.iter().any(|number| self.messages[*number].to != name) {
            self.fail(&format!("{name} gets what is for others: {numbers:?}"));
        }
        self.world.close(client);
        // Whatever has become of them, they don't come any more.
        for message in self.messages.iter_mut().filter(|message| message.to == name) {
            (message.given, message.taken, message.gone) = (true, true, true);
        }
    }

    fn compare_archives(&mut self) {
        let archives: BTreeMap<&str, Vec<(String, usize)>> =
            PEOPLE.iter().map(|name| (*name, self.archive(name))).collect();
        let mut later_is_there = false;
        for number in (0..self.messages.len()).rev() {
            let message = &self.messages[number];
            let ids = |name: &str| -> Vec<&str> {
                let its = archives[name].iter().filter(|(_, there)| *there == number);
                its.map(|(id, _)| id.as_str()).collect()
            };
            let (sent, received) = (ids(message.from), ids(message.to));
            let must =
                message.archived.unwrap_or(message.acknowledged || later_is_there) && !message.unarchived;
            let most = 1 + usize::from(message.repeated);
            let right = (usize::from(must)..=most).contains(&sent.len())
                && (sent == received || message.refused)
                && !(message.archived == Some(false) && !sent.is_empty());
            if !right {
                self.fail(&format!("message {number} is in the archives as {sent:?} and {received:?}"));
            }
            later_is_there |= !sent.is_empty() && !message.repeated;
            self.messages[number].archived = Some(!sent.is_empty());
        }
        for (id, number) in archives.values().flatten() {
            self.learn(id, *number);
        }
    }

    /// All that somebody has in the archive.
    fn archive(&mut self, name: &str) -> Vec<(String, usize)> {
        let client = self.world.login(name, "archivist");
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let set = format!("<set xmlns='http://jabber.org/protocol/rsm'><max>250</max>{after}</set>");
            let query = format!("<query xmlns='urn:xmpp:mam:2'>{set}</query>");
            self.world.send(client, &format!("<iq type='set' id='archive'>{query}</iq>"));
            let mut got = self.world.drain(client);
            let fin = got.pop().and_then(|answer| answer.find("fin", "urn:xmpp:mam:2").cloned());
            let Some(fin) = fin else { self.fail(&format!("no answer from the archive of {name}")) };
            all.extend(got.iter().map(result_of));
            if fin.get_attr("complete") == Some("true") {
                break;
            }
            after = format!("<after>{}</after>", all.last().map_or("", |(id, _)| id));
        }
        self.world.close(client);
        let ids: BTreeSet<&String> = all.iter().map(|(id, _)| id).collect();
        if ids.len() < all.len() {
            self.fail(&format!("the archive of {name} has an id twice: {all:?}"));
        }
        all
    }

    fn list(&mut self, client: Client, request: &str) -> BTreeSet<String> {
        let answer = self.world.expect_result(client, &format!("<iq type='get' id='list'>{request}</iq>"));
        let items = answer.children().flat_map(Element::children);
        items.filter_map(|item| item.get_attr("jid").map(str::to_owned)).collect()
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

fn number_of(message: &Element) -> usize {
    message.get_attr("id").and_then(|id| id.parse().ok()).expect("a number")
}

/// The id and the number of a message from an archive.
fn result_of(got: &Element) -> (String, usize) {
    let result = got.find("result", "urn:xmpp:mam:2").expect("a result");
    let forwarded = result.find("forwarded", "urn:xmpp:forward:0").expect("a message");
    let message = forwarded.find("message", "jabber:client").expect("a message");
    (result.get_attr("id").expect("an id").to_owned(), number_of(message))
}

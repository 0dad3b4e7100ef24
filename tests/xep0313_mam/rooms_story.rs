//! Whatever is said and taken back in a room, and whenever it gets to the disk: its archive, page by page, and what those see
//! who enter are what a simple list says.

use super::{MAM, archived_message, end, set};
use crate::chance::Chance;
use crate::client::Client;
use crate::rooms::{ROOM, entering};
use crate::seeds::run;
use crate::world::World;
use stube::xml::Element;

const RETRACTION: &str = "urn:xmpp:message-retract:1";
/// The last one only listens: what comes back to who has spoken may wait for the disk.
const NAMES: [&str; 3] = ["romeo", "juliet", "paris"];

struct Story {
    world: World,
    chance: Chance,
    clients: Vec<Client>,
    /// Everything, oldest first: its id, who has said it, and what is seen of it.
    said: Vec<(String, usize, String)>,
    /// The same, as it was when the disk stopped.
    on_disk: Option<Vec<(String, usize, String)>>,
}

#[test]
fn the_archive_of_a_room_is_what_was_said_but_for_what_was_taken_back() {
    run(10, |seed| {
        let mut world = World::with(|config| config.rooms.messages_per_minute = stube::config::Limit::OFF);
        let clients = world.room_of(&NAMES);
        let room = stube::jid::Jid::parse(ROOM).expect("an address");
        world.core.change_room(&room, |room| room.config.persistent = true).expect("a room");
        let mut story = Story { world, chance: Chance::new(seed), clients, said: Vec::new(), on_disk: None };
        for _ in 0..80 {
            story.step();
        }
        story.commit();
        story.look();
        story.look_in();
    });
}

impl Story {
    fn step(&mut self) {
        match self.chance.below(20) {
            0..8 => {
                let who = self.chance.below(2);
                let text = self.said.len().to_string();
                self.say(who, &format!("<body>{text}</body>"), text);
            }
            8 | 9 => self.retract(),
            10 => self.moderate(),
            11 | 12 => {
                let time = self.chance.pick(&[1, 1_000, 61_000]);
                self.world.advance(time);
            }
            13 => {
                self.world.hold_commits();
                self.on_disk.get_or_insert(self.said.clone());
            }
            14 | 15 => self.commit(),
            16 => self.restart(),
            17 => self.look_in(),
            _ => self.look(),
        }
    }

    /// The id of what has just been said.
    fn told(&mut self) -> String {
        let told = self.world.drain(self.clients[2]).pop().expect("a message");
        let id = told.children().filter(|child| child.is("stanza-id", "urn:xmpp:sid:0")).last();
        id.and_then(|id| id.get_attr("id")).expect("an id").to_owned()
    }

    fn say(&mut self, who: usize, content: &str, seen: String) {
        self.clients.iter().for_each(|client| self.world.clear(*client));
        self.world.send(
            self.clients[who],
            &format!("<message type='groupchat' to='{ROOM}' id='{}'>{content}</message>", self.said.len()),
        );
        let id = self.told();
        self.said.push((id, who, seen));
    }

    /// Something that can be taken back.
    fn pick(&mut self) -> Option<usize> {
        let there = |(_, (_, _, seen)): &(usize, &(String, usize, String))| seen.parse::<usize>().is_ok();
        let there: Vec<usize> = self.said.iter().enumerate().filter(there).map(|(at, _)| at).collect();
        (!there.is_empty()).then(|| self.chance.pick(&there))
    }

    fn retract(&mut self) {
        let Some(at) = self.pick() else { return };
        let (id, who, _) = self.said[at].clone();
        self.say(who, &format!("<retract xmlns='{RETRACTION}' id='{id}'/>"), format!("retracts {id}"));
        self.said[at].2 = "a tombstone".into();
    }

    fn moderate(&mut self) {
        let Some(at) = self.pick() else { return };
        let id = self.said[at].0.clone();
        self.clients.iter().for_each(|client| self.world.clear(*client));
        self.world.send(
            self.clients[0],
            &format!(
                "<iq type='set' id='m' to='{ROOM}'><moderate xmlns='urn:xmpp:message-moderate:1' id='{id}'>\
                 <retract xmlns='{RETRACTION}'/></moderate></iq>"
            ),
        );
        let announcement = self.told();
        self.said.push((announcement, 0, format!("retracts {id}")));
        self.said[at].2 = "a tombstone".into();
    }

    fn commit(&mut self) {
        self.world.commit();
        self.on_disk = None;
    }

    /// In good order, or in the midst of it all.
    fn restart(&mut self) {
        match self.on_disk.take().filter(|_| self.chance.one_in(2)) {
            Some(on_disk) => self.said = on_disk,
            None => self.commit(),
        }
        self.world.restart();
        for (who, name) in NAMES.iter().enumerate() {
            self.clients[who] = self.world.online(name, "phone");
            self.world.send(self.clients[who], &entering(ROOM, name));
        }
    }

    /// Reads the archive page by page, in one direction or the other.
    fn look(&mut self) {
        let (client, backwards) = (self.clients[self.chance.below(3)], self.chance.one_in(2));
        let max = 1 + self.chance.below(30);
        let mut found: Vec<(String, String)> = Vec::new();
        let mut from = String::new();
        loop {
            let place = match backwards {
                true => format!("<before>{from}</before>"),
                false if from.is_empty() => String::new(),
                false => format!("<after>{from}</after>"),
            };
            self.world.clear(client);
            let query = set(&format!("<max>{max}</max>{place}"));
            self.world.send(
                client,
                &format!("<iq type='set' id='q' to='{ROOM}'><query xmlns='{MAM}'>{query}</query></iq>"),
            );
            let mut page = self.world.drain(client);
            let fin = page.pop().expect("an answer");
            let id = |result: &Element| {
                result.find("result", MAM).and_then(|result| result.get_attr("id")).expect("an id").to_owned()
            };
            let page: Vec<_> =
                page.iter().map(|result| (id(result), seen(archived_message(result)))).collect();
            let (complete, first, last, _) = end(&fin);
            if backwards {
                found.splice(0..0, page);
                from = first.unwrap_or_default();
            } else {
                found.extend(page);
                from = last.unwrap_or_default();
            }
            if complete {
                break;
            }
        }
        let all: Vec<_> = self.said.iter().map(|(id, _, seen)| (id.clone(), seen.clone())).collect();
        assert_eq!(found, all, "backwards: {backwards}, {max} a page");
    }

    /// Someone enters and sees the end of it.
    fn look_in(&mut self) {
        let history: Vec<String> = self.world.room_history("nurse").iter().map(seen).collect();
        let last = self.said.len().saturating_sub(20);
        let end: Vec<_> = self.said[last..].iter().map(|(_, _, seen)| seen.clone()).collect();
        assert_eq!(history, end);
    }
}

fn seen(message: &Element) -> String {
    if message.find("retracted", RETRACTION).is_some() {
        assert!(message.find("body", "jabber:client").is_none());
        return "a tombstone".into();
    }
    match message.find("retract", RETRACTION) {
        Some(retract) => format!("retracts {}", retract.get_attr("id").unwrap_or_default()),
        None => message.find("body", "jabber:client").map(Element::text_content).unwrap_or_default(),
    }
}

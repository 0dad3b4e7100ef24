//! What must hold, at any time and when it is quiet.

use std::collections::{BTreeMap, BTreeSet};

use stube::core::rooms::Room;
use stube::store::record::{Role, RoomAffiliation};
use stube::xml::Element;

use super::view::Seen;
use super::{Guest, House, PEOPLE, ROOMS, condition_of, jid, show};
use crate::rooms::{USER, codes, item};

/// All that a room must not forget.
#[derive(Debug, PartialEq)]
pub struct Memory {
    record: stube::store::record::Room,
    people: Vec<String>,
}

fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or(address)
}

impl House {
    pub fn look_around(&mut self) {
        self.note_insiders();
        for at in 0..self.guests.len() {
            let Some(client) = self.guests[at].client.filter(|_| self.guests[at].reads) else { continue };
            for got in self.world.drain(client) {
                let stanza = matches!(got.name.as_str(), "message" | "presence" | "iq");
                if let Some(counts) = self.guests[at].counts.as_mut().filter(|_| stanza) {
                    counts.received += 1;
                }
                self.take_in(at, &got);
            }
        }
        for got in self.world.to_remote() {
            let to = got.get_attr("to").unwrap_or_default();
            if let Some(at) = self.guests.iter().position(|guest| guest.address == to) {
                self.take_in(at, &got);
            }
        }
        for name in ROOMS {
            if let Ok(room) = self.world.core.room(&jid(name)) {
                let complaint = complaint_about(room, self.ownerless);
                if let Some(complaint) = complaint {
                    self.fail(&format!("{name}: {complaint}"));
                }
            }
        }
        self.check_presence_of_all();
        self.say_goodbye();
        if !self.held {
            self.kept = self.memories();
        }
    }

    /// Who may see addresses now, may have seen them.
    fn note_insiders(&mut self) {
        for name in ROOMS {
            let Some(room) = self.world.core.loaded_room(&jid(name)) else { continue };
            for guest in &mut self.guests {
                let occupant = room.occupants.of(&jid(&guest.address));
                if occupant.is_some_and(|occupant| room.shows_addresses_to(occupant.role)) {
                    guest.insider.insert(name);
                }
            }
        }
    }

    fn take_in(&mut self, at: usize, got: &Element) {
        self.note(format!("    {} gets {}", self.guests[at].address, show(got)));
        let Guest { address, views, insider, counts, .. } = &mut self.guests[at];
        let from = got.get_attr("from").unwrap_or_default();
        let Some((room, view)) = views.iter_mut().find(|(room, _)| **room == bare(from)) else { return };
        let room = *room;
        let nick = from.split_once('/').map(|(_, nick)| nick);
        let mut complaint = None;
        let to = got.get_attr("to").unwrap_or_default();
        // What was for a device that is gone is for the others (RFC 6121 §8.5.3.2.1), and what the account has asked for is
        // refused to the account.
        let any_device = (got.name == "message" && got.get_attr("type") != Some("groupchat"))
            || got.get_attr("type") == Some("error");
        if to != address && !(any_device && bare(to) == bare(address)) {
            complaint = Some("it is not its own".to_owned());
        }
        let ids = got.children().filter(|child| child.is("occupant-id", "urn:xmpp:occupant-id:0")).count();
        let of_occupant = nick.is_some() && got.name != "iq" && got.get_attr("type") != Some("error");
        // That nobody is there is said by the room.
        let outside = got.name == "presence"
            && (got.find("x", USER).is_none()
                || codes(got).iter().filter(|code| *code == "307" || *code == "333").count() == 2);
        if of_occupant && !outside && ids != 1 {
            complaint = Some(format!("it has {ids} occupant ids"));
        }
        let real = item(got, "jid").filter(|real| bare(real) != bare(address));
        if got.name == "presence" && real.is_some() && !insider.contains(room) {
            complaint = Some("it may not know this address".to_owned());
        }
        if let ("presence", Some(nick)) = (got.name.as_str(), nick)
            && let Err(error) = view.take(nick, got)
            // What has waited for a connection is told as it turned out.
            && counts.is_none()
        {
            complaint = Some(error);
        }
        let number = got.find("body", "jabber:client").map(Element::text_content);
        let number = number.and_then(|body| body.split(' ').next()?.parse::<usize>().ok());
        let again = got.find("delay", "urn:xmpp:delay").is_some() || condition_of(got).is_some();
        if let ("message", Some(number), false) = (got.name.as_str(), number, again)
            && let Some(said) = self.said.get_mut(number)
        {
            said.heard = true;
            if !said.audience.contains(address) || said.room != room {
                complaint = Some("it was not there".to_owned());
            } else if said.private != (got.get_attr("type") != Some("groupchat")) {
                complaint = Some("it has another type".to_owned());
            } else if said.private {
                view.heard.insert(number);
            } else if let Err(error) = view.hear(number) {
                complaint = Some(error);
            }
        }
        if let Some(complaint) = complaint {
            self.fail(&format!("{} got {}: {complaint}", self.guests[at].address, show(got)));
        }
    }

    /// Nobody is in a room who is nowhere else.
    fn check_presence_of_all(&self) {
        for name in ROOMS {
            let Some(room) = self.world.core.loaded_room(&jid(name)) else { continue };
            for occupant in room.occupants.iter() {
                for device in &occupant.devices {
                    let here = PEOPLE
                        .iter()
                        .any(|name| device.jid.as_str().starts_with(&format!("{name}@example.org")));
                    if here && self.world.core.session_of(&device.jid).is_none() {
                        self.fail(&format!("{} is in {name} without a session", device.jid));
                    }
                }
            }
        }
    }

    /// Clients whose stream is over.
    fn say_goodbye(&mut self) {
        for at in (0..self.guests.len()).rev() {
            let Some(client) = self.guests[at].client else { continue };
            if self.world.stream(client).finished() {
                let guest = self.guests.swap_remove(at);
                self.note(format!("{} is over", guest.address));
                self.world.cut(client);
            }
        }
    }

    // --- when it is quiet ---

    pub fn check_views(&self) {
        for guest in &self.guests {
            for name in ROOMS {
                let address = jid(&guest.address);
                let room = self.world.core.loaded_room(&jid(name));
                let own = room.and_then(|room| room.occupants.of(&address));
                let there = match (room, own) {
                    (Some(room), Some(own)) => visible(room, own.nick()),
                    _ => BTreeMap::new(),
                };
                let (nick, view) = (own.map(|own| own.nick().to_owned()), &guest.views[name]);
                if view.nick != nick || (nick.is_some() && view.people != there) {
                    self.fail(&format!(
                        "{address} is {nick:?} in {name}, where are {there:#?}\nand believes to be {:?} among {:#?}",
                        view.nick, view.people
                    ));
                }
            }
        }
    }

    pub fn check_heard(&mut self) {
        for number in 0..self.said.len() {
            let said = &self.said[number];
            if !said.heard {
                continue;
            }
            for guest in self.guests.iter().filter(|guest| said.audience.contains(&guest.address)) {
                if !guest.views[said.room].heard.contains(&number) {
                    self.fail(&format!("{} has not heard message {number}", guest.address));
                }
            }
        }
        // What comes later is for those who are there then.
        self.said.iter_mut().for_each(|said| said.audience = BTreeSet::new());
    }

    pub fn memories(&mut self) -> BTreeMap<&'static str, Option<Memory>> {
        let memory = |name: &'static str| {
            let room = self.world.core.room(&jid(name)).ok();
            let memory = room.map(|room| Memory {
                record: room.record.clone(),
                people: room.people.iter().map(|(who, person)| format!("{who}: {person:?}")).collect(),
            });
            (name, memory)
        };
        ROOMS.into_iter().map(memory).collect()
    }
}

/// What an occupant with this nick can see of a room.
fn visible(room: &Room, own: &str) -> BTreeMap<String, Seen> {
    let shown =
        room.occupants.iter().filter(|other| other.nick() == own || other.role >= room.config().broadcast);
    let seen = shown.map(|occupant| {
        let status = occupant.presence().find("status", "jabber:client").map(|status| status.to_element());
        let seen = Seen {
            affiliation: room.affiliation(&occupant.real).name().to_owned(),
            role: occupant.role.name().to_owned(),
            id: occupant.id.to_string(),
            status: status.map(|status| status.text_content()).unwrap_or_default(),
        };
        (occupant.nick().to_owned(), seen)
    });
    seen.collect()
}

/// What is wrong with a room.
fn complaint_about(room: &Room, ownerless: bool) -> Option<String> {
    for occupant in room.occupants.iter() {
        let (who, affiliation) = (occupant.nick(), room.affiliation(&occupant.real));
        let least = match affiliation {
            RoomAffiliation::Admin | RoomAffiliation::Owner => Role::Moderator,
            _ => Role::Visitor,
        };
        if affiliation == RoomAffiliation::Outcast {
            return Some(format!("{who} is an outcast and in the room"));
        }
        if room.config().members_only && affiliation < RoomAffiliation::Member {
            return Some(format!("{who} is no member and in the room"));
        }
        if occupant.role < least {
            return Some(format!("{who} is {} and only {}", affiliation.name(), occupant.role.name()));
        }
        if occupant.devices.is_empty() {
            return Some(format!("{who} is there without a device"));
        }
    }
    if !ownerless && room.with_affiliation(RoomAffiliation::Owner).next().is_none() {
        return Some("nobody owns it".into());
    }
    None
}

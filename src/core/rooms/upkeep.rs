//! All rooms, and not one of them: who has made how many, who is known to which, temporary ones without occupants, and
//! the end of the server.
//!
//! After a start all temporary rooms (§4.2) are without occupants. They wait [`PATIENCE`] for somebody to come back, then
//! they go.

use std::collections::{BTreeMap, HashMap};

use super::{Occupant, Room, Shown};
use crate::core::{Core, ServiceKind};
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::store::record::{self, Role, RoomPerson};
use crate::store::schema::{self, Table};
use crate::xml::Element;

/// How long a temporary room waits after a start, in milliseconds.
const PATIENCE: u64 = 15 * 60_000;
/// Rooms that are read at a time.
const PIECE: usize = 500;

#[derive(Default)]
pub struct Upkeep {
    /// How many rooms people have made that are still there, by their bare addresses.
    made: HashMap<Jid, usize>,
    /// Temporary rooms that may have no occupants, by when they go then.
    waiting: BTreeMap<Jid, u64>,
}

impl Upkeep {
    pub fn made(&mut self, creator: Option<&Jid>) {
        if let Some(creator) = creator {
            *self.made.entry(creator.bare()).or_default() += 1;
        }
    }

    pub fn removed(&mut self, room: &Room) {
        self.waiting.remove(&room.address);
        self.lost(&room.record.creator);
    }

    fn lost(&mut self, creator: &str) {
        let Some(made) = self.made.get_mut(creator) else { return };
        *made -= 1;
        if *made == 0 {
            self.made.remove(creator);
        }
    }
}

impl Core {
    /// Counts the rooms that are in the store, at the start.
    pub(in crate::core) fn survey_rooms(&mut self) {
        let until = self.now + PATIENCE;
        self.each_room(|core, address, room| {
            if let Ok(creator) = Jid::parse(&room.creator) {
                core.rooms.upkeep.made(Some(&creator));
            }
            if !room.config.persistent {
                core.rooms.upkeep.waiting.insert(address, until);
            }
        });
    }

    /// Rooms that a person has made and that are still there.
    pub fn rooms_made_by(&self, who: &Jid) -> usize {
        self.rooms.upkeep.made.get(who.bare_str()).copied().unwrap_or_default()
    }

    /// §10.1.4: a temporary room that nobody is in is gone.
    pub fn end_if_abandoned(&mut self, room: &Jid) {
        let abandoned = |room: &Room| room.occupants.is_empty() && !room.config().persistent;
        if !self.loaded_room(room).is_some_and(abandoned) {
            return;
        }
        if self.remove_room(room).is_err() {
            // The disk is full or failing: later, then.
            self.rooms.upkeep.waiting.insert(room.bare(), self.now);
        }
    }

    pub(in crate::core) fn end_waiting_rooms(&mut self) {
        let now = self.now;
        if self.writable().is_err() || !self.rooms.upkeep.waiting.values().any(|until| *until <= now) {
            return;
        }
        let due: Vec<Jid> = (self.rooms.upkeep.waiting)
            .extract_if(.., |_, until| *until <= now)
            .map(|(address, _)| address)
            .collect();
        for room in due {
            if self.room(&room).is_ok() {
                self.end_if_abandoned(&room);
            }
        }
    }

    /// The rooms that know somebody, or were made by them.
    pub fn rooms_that_know(&mut self, who: &Jid) -> Vec<Jid> {
        let mut known = Vec::new();
        self.each_room(|core, address, room| {
            // What is not on disk yet is in memory.
            let is_known = match core.loaded_room(&address) {
                Some(loaded) => loaded.people.contains_key(who.bare_str()),
                None => {
                    let key = schema::room::person_key(room.id, who.bare_str());
                    !matches!(core.value::<RoomPerson>(Table::RoomPeople, &key), Ok(None))
                }
            };
            if is_known || room.creator == who.bare_str() {
                known.push(address);
            }
        });
        known
    }

    /// Who has made a room is no longer there.
    pub fn forget_creator(&mut self, room: &Jid) -> Result<(), StanzaError> {
        let creator = std::mem::take(&mut self.room(room)?.record.creator);
        self.rooms.upkeep.lost(&creator);
        self.change_room(room, |_| {})
    }

    /// Removes a room (§10.9). Each occupant gets one presence, its own, with this `<destroy/>`: it is nothing to the room any
    /// more.
    pub fn destroy_room(&mut self, address: &Jid, said: Element) -> Result<(), StanzaError> {
        self.writable()?;
        let room = self.room(address)?;
        let address = room.address.clone();
        room.people.clear();
        let occupants: Vec<Occupant> = room.occupants.iter().cloned().collect();
        let shown = Shown { gone: true, extra: Some(said), ..Shown::default() };
        for occupant in occupants {
            let gone = Occupant { role: Role::None, ..occupant };
            for device in &gone.devices {
                self.show_to_itself(&address, &gone, device, &shown);
            }
        }
        self.remove_room(&address)
    }

    /// The server stops: whoever is in a room is told so (§11.2), and nobody is in it any more.
    pub(in crate::core) fn close_rooms(&mut self) {
        let shown = Shown { gone: true, codes: vec![332], ..Shown::default() };
        let rooms: Vec<Jid> = self.rooms.loaded.keys().cloned().collect();
        for room in rooms {
            let Some(state) = self.loaded_room_mut(&room) else { continue };
            let occupants = std::mem::take(&mut state.occupants);
            for occupant in occupants.iter() {
                let gone = Occupant { role: Role::None, ..occupant.clone() };
                for device in &occupant.devices {
                    self.show_to_itself(&room, &gone, device, &shown);
                }
            }
        }
    }

    /// Calls `each` with every room there is.
    pub fn each_room(&mut self, mut each: impl FnMut(&mut Core, Jid, &record::Room)) {
        let services = self.services().iter().filter(|service| service.kind == ServiceKind::Rooms);
        let services: Vec<Jid> = services.map(|service| service.address.clone()).collect();
        for service in services {
            let mut after = String::new();
            loop {
                let piece = match self.list_rooms(service.domain(), &after, PIECE) {
                    Ok(piece) => piece,
                    Err(_) => return,
                };
                let complete = piece.len() < PIECE;
                for (address, room) in piece {
                    address.local().unwrap_or_default().clone_into(&mut after);
                    each(self, address, &room);
                }
                if complete {
                    break;
                }
            }
        }
    }
}

//! What was said last in a room (XEP-0045 §7.2.13): for whoever enters, and for whoever takes something back.
//!
//! It is in memory while the room is, each message once in the form in which everyone gets it, and has at most
//! [`MOST_BYTES`] and as many messages as the configuration and the room's owners want to be seen. Of a room with an archive
//! (XEP-0313), what was said before it was loaded is read from there when somebody wants to see it; in a room without one it
//! is forgotten with the room. When the store can't be read, there is less to see.

use std::collections::VecDeque;

use crate::core::hints::Hints;
use crate::core::{Core, archive, time};
use crate::jid::Jid;
use crate::stanza::{Stanza, StanzaError};
use crate::xml::{Element, Payload, ns, writer};

/// Bytes of what one room remembers.
const MOST_BYTES: usize = 64 * 1024;
/// Rows of the archive that are looked at for one message that belongs to the history.
const ROWS_A_MESSAGE: usize = 2;

#[derive(Default)]
pub struct History {
    /// Oldest first.
    said: VecDeque<Said>,
    bytes: usize,
    /// The archive has been asked for so many, and they are all here.
    read: usize,
}

/// Something that was said to everyone.
#[derive(Clone)]
pub struct Said {
    /// By which it can be spoken of (XEP-0359); nothing: it has none.
    pub id: Box<str>,
    /// When, in milliseconds.
    pub at: u64,
    /// The bare address of who has said it; the room's if it was the room.
    pub real: Jid,
    /// From the occupant, as someone who enters gets it, but for its receiver.
    pub stanza: Stanza,
}

impl Said {
    fn new(room: &Jid, id: &str, at: u64, real: &Jid, mut stanza: Stanza) -> Said {
        stanza.payload = delayed(&stanza.payload, room, at);
        (stanza.to, stanza.archived) = (None, None);
        Said { id: id.into(), at, real: real.bare(), stanza }
    }

    fn cost(&self) -> usize {
        size_of::<Said>() + self.stanza.payload.bytes().len() + self.id.len() + self.real.as_str().len()
    }
}

impl History {
    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Said> {
        self.said.iter()
    }

    fn get(&self, id: &str) -> Option<&Said> {
        self.said.iter().rev().find(|said| &*said.id == id)
    }

    fn push(&mut self, said: Said, most: usize) {
        self.bytes += said.cost();
        self.said.push_back(said);
        self.trim(most);
    }

    fn trim(&mut self, most: usize) {
        self.read = self.read.min(most);
        while self.said.len() > most || self.bytes > MOST_BYTES {
            let Some(oldest) = self.said.pop_front() else { return };
            self.bytes -= oldest.cost();
        }
    }

    /// Takes an older one. `false`: there is no room for it.
    fn push_older(&mut self, said: Said, most: usize) -> bool {
        if self.said.len() >= most || self.bytes + said.cost() > MOST_BYTES {
            return false;
        }
        self.bytes += said.cost();
        self.said.push_front(said);
        true
    }

    fn replace(&mut self, room: &Jid, id: &str, payload: &Payload) {
        let Some(said) = self.said.iter_mut().find(|said| &*said.id == id) else { return };
        self.bytes -= said.cost();
        let identified = payload.with_written(100, |out| stanza_id(room, id, out));
        said.stanza.payload = delayed(&identified, room, said.at);
        said.stanza.lang = None;
        self.bytes += said.cost();
    }
}

/// A message of a room that can be spoken of, wherever it is.
pub struct Found {
    /// Its place in the archive.
    place: Option<u64>,
    pub id: Box<str>,
    /// The real address of who has said it.
    pub real: Jid,
    /// From the occupant.
    pub stanza: Stanza,
}

impl Found {
    /// It takes something back, or it was taken back: there is nothing more to take.
    pub fn is_retraction(&self) -> bool {
        self.stanza.payload.children().any(|child| child.ns() == ns::RETRACTION)
    }

    /// The occupant-id (XEP-0421) of who has said it; `None`: the room has.
    pub fn author(&self) -> Option<String> {
        let id = self.stanza.payload.find("occupant-id", ns::OCCUPANT_ID)?.to_element();
        id.get_attr("id").map(str::to_owned)
    }
}

impl Core {
    /// Remembers what has just been said in a room, which is as everyone got it.
    pub fn remember_said(&mut self, message: &Stanza) {
        let Some(address) = message.from.clone() else { return };
        let (now, most) = (self.now, self.most_history(&address));
        let Some(room) = self.loaded_room_mut(&address) else { return };
        if most == 0 {
            return room.history.trim(0);
        }
        if !belongs(message) {
            return;
        }
        let id = message.payload.children().filter(|child| child.is("stanza-id", ns::STANZA_ID)).last();
        let id = id.map(|id| id.to_element());
        let id = id.as_ref().filter(|id| id.get_attr("by") == Some(room.address.as_str()));
        let id = id.and_then(|id| id.get_attr("id")).unwrap_or_default();
        let author = address.resource().and_then(|nick| room.occupants.get(nick));
        let real = author.map_or(&room.address, |author| &author.real);
        let said = Said::new(&room.address, id, now, real, message.clone());
        room.history.push(said, most);
    }

    /// What was said last in a room.
    pub fn history(&mut self, room: &Jid) -> Result<&History, StanzaError> {
        self.room(room)?;
        if let Err(error) = self.fill_history(room) {
            log::warn!("nobody sees what was said before in {room}: {error:?}");
        }
        // Its owners may want less to be seen than before.
        let most = self.most_history(room);
        let room = self.room(room)?;
        room.history.trim(most);
        Ok(&room.history)
    }

    /// Messages that someone who enters may see.
    fn most_history(&self, room: &Jid) -> usize {
        let most = self.config.rooms.history.max_len();
        self.loaded_room(room).map_or(0, |room| most.min(room.config().history as usize))
    }

    /// Reads what is missing from the archive.
    fn fill_history(&mut self, room: &Jid) -> Result<(), StanzaError> {
        let most = self.most_history(room);
        let Some(state) = self.loaded_room(room) else { return Ok(()) };
        if !self.archives_room(state) || state.history.read >= most {
            return Ok(());
        }
        let address = state.address.clone();
        let oldest = state.history.said.front().map(|said| said.at);
        let archived = self.last_said(state.record.id, most.saturating_mul(ROWS_A_MESSAGE))?;
        let mut older = Vec::new();
        for stanza in archived.into_iter().filter(belongs) {
            let (Some(place), Some(real)) = (stanza.archived, stanza.to.clone()) else { continue };
            let (id, at) = (self.archive_id(place), archive::stamp(place));
            let payload = stanza.payload.with_written(100, |out| stanza_id(&address, &id, out));
            older.push(Said::new(&address, &id, at, &real, Stanza { payload, ..stanza }));
        }
        let Some(state) = self.loaded_room_mut(room) else { return Ok(()) };
        state.history.read = most;
        for said in older {
            let is_older =
                oldest.is_none_or(|oldest| said.at <= oldest) && state.history.get(&said.id).is_none();
            if is_older && !state.history.push_older(said, most) {
                break;
            }
        }
        Ok(())
    }

    /// The message of a room with this id (XEP-0359), if its archive has it or it was said last.
    pub fn find_said(&mut self, room: &Jid, id: &str) -> Result<Option<Found>, StanzaError> {
        let owner = self.room(room)?.record.id;
        if let Some(place) = self.archived_place(owner, id)?
            && let Some((_, stanza)) = self.archived_message(place)?
            && let Some(real) = stanza.to.clone()
        {
            return Ok(Some(Found { place: Some(place), id: id.into(), real, stanza }));
        }
        let said = self.room(room)?.history.get(id).filter(|_| !id.is_empty());
        Ok(said.map(|said| Found {
            place: None,
            id: id.into(),
            real: said.real.clone(),
            stanza: said.stanza.clone(),
        }))
    }

    /// Leaves of a message nothing but that it was there, from whom, and what `retracted` says of its end (XEP-0424 §4): on
    /// disk, and for those who enter.
    pub fn bury_said(&mut self, room: &Jid, found: &Found, retracted: &Element) {
        let author = found.author().map(|id| Element::new("occupant-id", ns::OCCUPANT_ID).attr("id", id));
        let payload =
            Payload::from_elements(&author.into_iter().chain([retracted.clone()]).collect::<Vec<_>>());
        let Some(state) = self.loaded_room_mut(room) else { return };
        let (address, owner) = (state.address.clone(), state.record.id);
        state.history.replace(&address, &found.id, &payload);
        if let Some(place) = found.place {
            let tombstone = Stanza { payload, lang: None, archived: None, ..found.stanza.clone() };
            self.replace_said(&address, owner, place, &tombstone);
        }
    }
}

/// What someone who enters is shown: what there is to read, and what takes something back. The subject comes by itself.
fn belongs(message: &Stanza) -> bool {
    let has = |name, ns| message.payload.find(name, ns).is_some();
    let is_said = has("body", ns::CLIENT)
        || message.payload.children().any(|child| {
            matches!(child.ns(), ns::OMEMO_LEGACY | ns::OMEMO | ns::ENCRYPTION | ns::OPENPGP | ns::RETRACTION)
        });
    is_said && !Hints::of(message).no_store
}

fn stanza_id(room: &Jid, id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<stanza-id");
    writer::attr("xmlns", ns::STANZA_ID, out);
    writer::attr("by", room.as_str(), out);
    writer::attr("id", id, out);
    out.extend_from_slice(b"/>");
}

/// §7.2.13
fn delayed(payload: &Payload, room: &Jid, at: u64) -> Payload {
    payload.with_written(130, |out| {
        out.extend_from_slice(b"<delay");
        writer::attr("xmlns", ns::DELAY, out);
        writer::attr("from", room.as_str(), out);
        writer::attr("stamp", &time::datetime(at), out);
        out.extend_from_slice(b"/>");
    })
}

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
use crate::xml::{Payload, ns, writer};

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

    pub(super) fn get(&self, id: &str) -> Option<&Said> {
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

    pub(super) fn replace(&mut self, room: &Jid, id: &str, payload: &Payload) {
        let Some(said) = self.said.iter_mut().find(|said| &*said.id == id) else { return };
        self.bytes -= said.cost();
        let identified = payload.with_written(100, |out| stanza_id(room, id, out));
        said.stanza.payload = delayed(&identified, room, said.at);
        said.stanza.lang = None;
        self.bytes += said.cost();
    }
}

impl Core {
    /// Remembers what has just been said in a room, which is as everyone got it.
    pub fn remember_said(&mut self, message: &Stanza) {
        let Some(address) = message.from.clone() else { return };
        let most = self.most_history(&address);
        // The archive's clock may be ahead of ours.
        let at = message.archived.map_or(self.now, archive::stamp);
        let id = message.archived.map(|place| self.archive_id(place));
        let Some(room) = self.loaded_room_mut(&address) else { return };
        if most == 0 {
            return room.history.trim(0);
        }
        if !belongs(message) {
            return;
        }
        let own_id = if id.is_none() { id_given_by(&room.address, message) } else { None };
        let id = id.as_deref().or(own_id.as_deref()).unwrap_or_default();
        let author = address.resource().and_then(|nick| room.occupants.get(nick));
        let real = author.map_or(&room.address, |author| &author.real);
        let said = Said::new(&room.address, id, at, real, message.clone());
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
        let (address, rows) = (state.address.clone(), most.saturating_mul(ROWS_A_MESSAGE));
        let oldest = state.history.said.front().map(|said| said.at);
        let archived = self.said_in(state.record.id, 0..u64::MAX, true, rows, |_| true)?;
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

/// The id that the room has given to a message that is in no archive.
fn id_given_by(room: &Jid, message: &Stanza) -> Option<String> {
    let ids = message.payload.children().filter(|child| child.is("stanza-id", ns::STANZA_ID));
    let own = ids.map(|id| id.to_element()).find(|id| id.get_attr("by") == Some(room.as_str()))?;
    own.get_attr("id").map(str::to_owned)
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

//! Archives of rooms: what is said in a room is there once, under the address of who has said it (XEP-0313 §6.1.2).
//!
//! A message is kept as it comes back to its sender, from the occupant's address to the real one: so it is known who has
//! said it, whoever may see that. One of the room's own is from the room to itself.

use std::ops::Range;

use super::query::{Query, QueryKind, Search, TURN, View};
use crate::core::Core;
use crate::core::rooms::Room;
use crate::jid::Jid;
use crate::stanza::{MessageType, Stanza, StanzaError};
use crate::store::record::{ArchiveOwners, Archived, RoomConfig};
use crate::store::schema::{self, Table};

impl Core {
    /// Whether what is said in a room is archived.
    pub fn archives_room(&self, room: &Room) -> bool {
        self.config.archive.enabled && room.config().archived
    }

    /// Whether anybody can read afterwards what is said in a room: who enters is warned (XEP-0045 §14.3).
    pub fn is_logged(&self, config: &RoomConfig) -> bool {
        self.config.archive.enabled && config.archived && !config.members_only && config.password.is_empty()
    }

    /// Puts what is said in a room into its archive, and its id there into the stanza (XEP-0359): `address` says it, whose
    /// real address is `real`. In a room without archive it gets an id by which it can be spoken of: a place in the log
    /// where nothing is.
    pub fn keep_said(&mut self, address: &Jid, real: &Jid, stanza: &mut Stanza) {
        let Some(room) = self.loaded_room(address) else { return };
        let id = room.record.id;
        let place = if !self.archives_room(room) {
            self.archive.tail.skip(self.now)
        } else if self.writable().is_ok()
            && let Some(entry) =
                self.archive.tail.open(None, &stanza.clone().from(address).to(real), self.now)
        {
            entry.owners = ArchiveOwners::Room(id);
            stanza.archived = Some(entry.place);
            self.touched = true;
            entry.place
        } else {
            // An id that the archive does not have would mislead whoever looks for what came after it.
            return;
        };
        self.add_id_of(place, stanza, address);
    }

    /// The messages of a room's archive in a range of places, those at its end if `backwards` and then the newest first, that
    /// are `wanted` of the first so many. They say where they are ([`Stanza::archived`]). No more are looked at than in one
    /// turn of a question, and not more than a page of them.
    pub fn said_in(
        &self,
        room: u32,
        range: Range<u64>,
        backwards: bool,
        most: usize,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Stanza>, StanzaError> {
        let kind = QueryKind { range, max: most, backwards, ..QueryKind::default() };
        let request = Stanza::message(MessageType::Groupchat);
        let mut search = Search::new(Query { owner: room, view: View::People, request, kind });
        search.rows = TURN;
        self.search(&mut search)?;
        let found = search.found.iter().map(|(place, bytes)| (*place, self.unretracted(*place, bytes)));
        let stanza = |(place, bytes): (u64, &[u8])| {
            Some(Stanza { archived: Some(place), ..Stanza::from_bytes(bytes)? })
        };
        Ok(found.filter(|(_, bytes)| wanted(bytes)).filter_map(stanza).collect())
    }

    /// What is left of a message that was read from the store: it may have been retracted since.
    pub(super) fn unretracted<'a>(&'a self, place: u64, bytes: &'a [u8]) -> &'a [u8] {
        let tombstone = self.unwritten.get(Table::Archive, &schema::archive::body_key(place)).flatten();
        let tombstone = tombstone.and_then(|value| Archived::decode_parts(value).ok());
        tombstone.map_or(bytes, |(_, tombstone)| tombstone)
    }

    /// Has another stanza stand where a message of a room's archive was, with the same addresses: nothing of that is left.
    pub fn replace_said(&mut self, room: &Jid, owner: u32, place: u64, stanza: &Stanza) {
        self.archive.tail.replace(place, stanza);
        let op = schema::archive::put_body(place, ArchiveOwners::Room(owner), |out| stanza.write(out));
        self.write_room(&room.bare(), [op]);
    }
}

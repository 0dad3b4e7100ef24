//! What was said in a room and is taken back (XEP-0424, XEP-0425): found by its id, and buried wherever it is.
//!
//! Who takes back a message that they have corrected (XEP-0308) takes back all that it said: its corrections are looked for
//! among the messages around it, one page of the archive in each direction, and have the same end.

use std::ops::Range;

use memchr::memmem;

use super::Said;
use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::{Stanza, StanzaError};
use crate::xml::{Element, Payload, ns};

/// Messages around one that are looked at for its corrections.
const AROUND: usize = 500;

/// A message of a room that can be spoken of, wherever it is.
pub struct Found {
    /// Its place in the archive.
    place: Option<u64>,
    /// XEP-0359
    id: Box<str>,
    /// The real address of who has said it.
    pub real: Jid,
    /// From the occupant.
    stanza: Stanza,
}

impl Found {
    /// What is in no archive.
    fn remembered(said: &Said) -> Found {
        Found { place: None, id: said.id.clone(), real: said.real.clone(), stanza: said.stanza.clone() }
    }

    /// The occupant-id (XEP-0421) of who has said it; `None`: the room has.
    pub fn author(&self) -> Option<String> {
        author(&self.stanza)
    }

    /// It takes something back, or it was taken back: there is nothing more to take.
    pub fn is_retraction(&self) -> bool {
        self.stanza.payload.children().any(|child| child.ns() == ns::RETRACTION)
    }
}

impl Core {
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
        Ok(said.map(Found::remembered))
    }

    /// Leaves of a message and its corrections nothing but that they were there, from whom, and what `retracted` says of
    /// their end (XEP-0424 §4): on disk, and for those who enter.
    pub fn bury_said(&mut self, room: &Jid, found: &Found, retracted: &Element) -> Result<(), StanzaError> {
        for version in self.other_versions(room, found)? {
            self.bury(room, &version, retracted);
        }
        self.bury(room, found, retracted);
        Ok(())
    }

    fn bury(&mut self, room: &Jid, found: &Found, retracted: &Element) {
        let author = found.author().map(|id| Element::new("occupant-id", ns::OCCUPANT_ID).attr("id", id));
        let left: Vec<Element> = author.into_iter().chain([retracted.clone()]).collect();
        let payload = Payload::from_elements(&left);
        let Some(state) = self.loaded_room_mut(room) else { return };
        let (address, owner) = (state.address.clone(), state.record.id);
        state.history.replace(&address, &found.id, &payload);
        if let Some(place) = found.place {
            let tombstone = Stanza { payload, lang: None, archived: None, ..found.stanza.clone() };
            self.replace_said(&address, owner, place, &tombstone);
        }
    }

    /// The corrections of a message; if it is one, what it corrects and how else that was corrected.
    fn other_versions(&mut self, room: &Jid, found: &Found) -> Result<Vec<Found>, StanzaError> {
        let state = self.room(room)?;
        let corrected = corrected(&found.stanza);
        let Some(first) = corrected.clone().or_else(|| found.stanza.id.as_deref().map(str::to_owned)) else {
            return Ok(Vec::new());
        };
        let author = author(&found.stanza);
        let is_version = |stanza: &Stanza| {
            let is_first = corrected.is_some() && stanza.id.as_deref() == Some(&*first);
            (is_first || self::corrected(stanza).as_deref() == Some(&*first))
                && self::author(stanza) == author
        };
        let Some(place) = found.place else {
            let said = state.history.iter().filter(|said| is_version(&said.stanza) && said.id != found.id);
            return Ok(said.map(Found::remembered).collect());
        };
        let mut ranges: Vec<(Range<u64>, bool)> = vec![(place.saturating_add(1)..u64::MAX, false)];
        if corrected.is_some() {
            ranges.push((0..place, true));
        }
        let (owner, mut versions) = (state.record.id, Vec::new());
        for (range, backwards) in ranges {
            // Most messages correct nothing, and need not be read.
            let may_be = |bytes: &[u8]| {
                corrected.is_some() || memmem::find(bytes, ns::CORRECTION.as_bytes()).is_some()
            };
            let around = self.said_in(owner, range, backwards, AROUND, may_be)?;
            versions.extend(around.into_iter().filter(is_version).filter_map(|stanza| {
                let (place, real) = (stanza.archived?, stanza.to.clone()?);
                Some(Found { place: Some(place), id: self.archive_id(place).into(), real, stanza })
            }));
        }
        Ok(versions)
    }
}

/// The id of the message that one corrects (XEP-0308).
fn corrected(stanza: &Stanza) -> Option<String> {
    let replace = stanza.payload.find("replace", ns::CORRECTION)?.to_element();
    replace.get_attr("id").map(str::to_owned)
}

fn author(stanza: &Stanza) -> Option<String> {
    let id = stanza.payload.find("occupant-id", ns::OCCUPANT_ID)?.to_element();
    id.get_attr("id").map(str::to_owned)
}

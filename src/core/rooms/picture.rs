//! The vCard of a room (XEP-0486): kept like an account's, under the room's id. The hashes of its pictures are in memory once
//! somebody has asked for them.

use std::sync::Arc;

use crate::core::Core;
use crate::core::vcard::Picture;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::Blob;
use crate::store::schema::{self, Table};
use crate::xml::{Element, ns};

/// Forms of one picture.
const MAX_PICTURES: usize = 8;

impl Core {
    pub fn room_vcard(&mut self, room: &Jid) -> Result<Option<Element>, StanzaError> {
        let id = self.room(room)?.record.id;
        let stored = self.value::<Blob>(Table::Vcard, &schema::vcard::key(id))?;
        Ok(stored.and_then(|Blob(bytes)| Element::parse(&bytes, ns::CLIENT)))
    }

    /// Replaces a room's vCard; one without content is none.
    pub fn set_room_vcard(&mut self, room: &Jid, vcard: &Element) -> Result<(), StanzaError> {
        self.writable()?;
        let bytes = vcard.to_bytes(ns::CLIENT);
        if bytes.len() as u64 > self.config.limits.vcard_bytes.max() {
            return Err(StanzaError::new(
                Condition::ResourceConstraint,
                "This vCard is too large; perhaps with a smaller picture?",
            ));
        }
        let room = self.room(room)?;
        room.pictures = Some(hashes(vcard));
        let (address, id) = (room.address.clone(), room.record.id);
        let op = match vcard.children().next() {
            Some(_) => schema::vcard::put(id, &bytes),
            None => schema::vcard::delete(id),
        };
        self.write_room(&address, [op]);
        Ok(())
    }

    /// The hashes of a room's picture in all its forms, the preferred one first.
    pub fn room_pictures(&mut self, room: &Jid) -> Result<Arc<[String]>, StanzaError> {
        if let Some(known) = &self.room(room)?.pictures {
            return Ok(Arc::clone(known));
        }
        let found = self.room_vcard(room)?.map(|vcard| hashes(&vcard)).unwrap_or_default();
        self.room(room)?.pictures = Some(Arc::clone(&found));
        Ok(found)
    }
}

fn hashes(vcard: &Element) -> Arc<[String]> {
    let photos = vcard.children().filter(|child| child.is("PHOTO", ns::VCARD));
    let pictures = photos.filter_map(Picture::of_photo).take(MAX_PICTURES);
    pictures.map(|picture| picture.sha1()).collect()
}

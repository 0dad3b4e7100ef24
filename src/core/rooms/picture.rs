//! The vCard of a room (XEP-0486): kept like an account's, under the room's id. The hashes of its pictures are in memory once
//! somebody has asked for them.

use std::sync::Arc;

use crate::core::Core;
use crate::core::vcard::Picture;
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::xml::{Element, ns};

/// Forms of one picture.
const MAX_PICTURES: usize = 8;

impl Core {
    pub fn room_vcard(&mut self, room: &Jid) -> Result<Option<Element>, StanzaError> {
        let id = self.room(room)?.record.id;
        self.vcard_of(id)
    }

    /// Replaces a room's vCard; one without content is none.
    pub fn set_room_vcard(&mut self, room: &Jid, vcard: &Element) -> Result<(), StanzaError> {
        self.writable()?;
        let id = self.room(room)?.record.id;
        let op = self.vcard_op(id, vcard)?;
        let room = self.room(room)?;
        room.pictures = Some(hashes(vcard));
        let address = room.address.clone();
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

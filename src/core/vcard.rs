//! vCards (XEP-0054) as several features need them: read, replaced, and the picture in them.
//!
//! What a feature changes because another one has changed something goes through [`Core::convert`], so that it never
//! comes back to where it began.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::Blob;
use crate::store::schema::{self, Op, Table};
use crate::xep;
use crate::xml::{Element, ns};

/// A picture of somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl Picture {
    /// The picture in a vCard, if there is one.
    pub fn of_vcard(vcard: &Element) -> Option<Picture> {
        Picture::of_photo(vcard.find("PHOTO", ns::VCARD)?)
    }

    /// What `<PHOTO/>` of a vCard contains; `None` if that is no picture.
    pub fn of_photo(photo: &Element) -> Option<Picture> {
        let bytes = decode_base64(&photo.find("BINVAL", ns::VCARD)?.text_content())?;
        let said = photo.find("TYPE", ns::VCARD).map(|kind| kind.text_content().trim().to_ascii_lowercase());
        // XEP-0153 §5: what it is counts, not what it is said to be.
        let media_type = match sniff(&bytes) {
            Some(kind) => kind.to_owned(),
            None => said.filter(|kind| kind.starts_with("image/") && kind.len() <= 100)?,
        };
        Some(Picture { media_type, bytes })
    }

    /// Of its bytes, in hexadecimal digits: its name in XEP-0084 and XEP-0153.
    pub fn sha1(&self) -> String {
        Sha1::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    pub fn to_photo(&self) -> Element {
        Element::new("PHOTO", ns::VCARD)
            .child(Element::new("TYPE", ns::VCARD).text(&self.media_type))
            .child(Element::new("BINVAL", ns::VCARD).text(&self.base64()))
    }
}

/// Bytes in Base64, with whatever white space there is; `None` if there are none.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// The kind of a picture by its first bytes.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

impl Core {
    pub fn vcard(&mut self, owner: &Jid) -> Result<Option<Element>, StanzaError> {
        let id = self.account(owner)?.record.id;
        self.vcard_of(id)
    }

    /// What is kept under an id, of an account or of a room.
    pub(super) fn vcard_of(&self, id: u32) -> Result<Option<Element>, StanzaError> {
        let stored = self.value::<Blob>(Table::Vcard, &schema::vcard::key(id))?;
        Ok(stored.and_then(|Blob(bytes)| Element::parse(&bytes, ns::CLIENT)))
    }

    /// What keeps a vCard under an id, unless it is too large; one without content is none.
    pub(super) fn vcard_op(&self, id: u32, vcard: &Element) -> Result<Op, StanzaError> {
        let bytes = vcard.to_bytes(ns::CLIENT);
        if bytes.len() as u64 > self.config.limits.vcard_bytes.max() {
            return Err(StanzaError::new(
                Condition::ResourceConstraint,
                "This vCard is too large; perhaps with a smaller picture?",
            ));
        }
        Ok(match vcard.children().next() {
            Some(_) => schema::vcard::put(id, &bytes),
            None => schema::vcard::delete(id),
        })
    }

    /// Replaces a vCard; one without content is none.
    pub fn set_vcard(&mut self, owner: &Jid, vcard: &Element) -> Result<(), StanzaError> {
        self.writable()?;
        let before = self.vcard(owner)?;
        let account = self.account(owner)?;
        let (owner, id) = (account.jid.clone(), account.record.id);
        let op = self.vcard_op(id, vcard)?;
        self.account(&owner)?.photo = None;
        self.write(&owner, [op]);
        for tell in xep::ALL.iter().filter_map(|module| module.vcard_changed) {
            tell(self, &owner, before.as_ref(), vcard);
        }
        Ok(())
    }

    /// The hash of the picture in an account's vCard; empty: there is none.
    pub fn photo_hash(&mut self, owner: &Jid) -> Result<&str, StanzaError> {
        if self.account(owner)?.photo.is_none() {
            let picture = self.vcard(owner)?.as_ref().and_then(Picture::of_vcard);
            self.account(owner)?.photo = Some(picture.map(|it| it.sha1()).unwrap_or_default().into());
        }
        Ok(self.account(owner)?.photo.as_deref().unwrap_or_default())
    }

    /// Lets a feature change something because something else has changed. While it does, no other one does so.
    pub fn convert(&mut self, owner: &Jid, work: impl FnOnce(&mut Core) -> Result<(), StanzaError>) {
        if self.converting {
            return;
        }
        self.converting = true;
        if let Err(error) = work(self) {
            log::debug!("what {owner} has changed is not everywhere: {error:?}");
        }
        self.converting = false;
    }
}

//! Avatars (XEP-0084) and the picture in the vCard are one (XEP-0398): who changes either changes both.
//!
//! Only a picture that everyone may see gets into the vCard, which everyone may read (§7): one whose node is open.
//! What is too large for the other place stays where it is.

use crate::core::Core;
use crate::core::module::{Module, Spec};
use crate::core::pubsub::Change;
use crate::core::vcard::{Picture, decode_base64, sniff};
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::store::record::{AccessModel, NodeConfig};
use crate::xml::{Element, Node, ns};

pub const MODULE: Module = Module {
    name: "avatars",
    specs: &[Spec::Xep(84, "1.1.4"), Spec::Xep(398, "1.0.0")],
    account_features: &[ns::AVATAR_CONVERSION],
    published: Some(published),
    vcard_changed: Some(vcard_changed),
    ..Module::NONE
};

// XEP-0398 §3.1
fn published(core: &mut Core, owner: &Jid, node: &str, change: &Change) {
    if node == ns::AVATAR_METADATA {
        core.convert(owner, |core| to_vcard(core, owner, change));
    }
}

fn to_vcard(core: &mut Core, owner: &Jid, change: &Change) -> Result<(), StanzaError> {
    let metadata = match change {
        Change::Published(item) => item.payload.clone(),
        // One of several items is not the avatar.
        Change::Retracted(_) if core.pep_last_item(owner, ns::AVATAR_METADATA)?.is_some() => return Ok(()),
        Change::Retracted(_) | Change::Purged | Change::Deleted => None,
    };
    let infos =
        metadata.iter().flat_map(Element::children).filter(|child| child.is("info", ns::AVATAR_METADATA));
    let infos: Vec<&Element> = infos.collect();
    if infos.is_empty() {
        return set_photo(core, owner, None);
    }
    let Some(info) = infos.into_iter().find(|info| info.get_attr("url").is_none()) else { return Ok(()) };
    match picture(core, owner, info)? {
        Some(picture) => set_photo(core, owner, Some(&picture)),
        None => Ok(()),
    }
}

/// What an `<info/>` speaks of, if it is there and everyone may see it.
fn picture(core: &mut Core, owner: &Jid, info: &Element) -> Result<Option<Picture>, StanzaError> {
    let Some(id) = info.get_attr("id") else { return Ok(None) };
    let Some(item) = core.pep_item(owner, ns::AVATAR_DATA, id)? else { return Ok(None) };
    if core.node(owner, ns::AVATAR_DATA)?.config().access_model != AccessModel::Open {
        return Ok(None);
    }
    let data = item.payload.filter(|payload| payload.is("data", ns::AVATAR_DATA));
    let Some(bytes) = data.and_then(|data| decode_base64(&data.text_content())) else { return Ok(None) };
    let said = info.get_attr("type").unwrap_or("image/png");
    let media_type = sniff(&bytes).unwrap_or(said).to_owned();
    let picture = Picture { media_type, bytes };
    Ok((picture.sha1() == id.to_ascii_lowercase()).then_some(picture))
}

fn set_photo(core: &mut Core, owner: &Jid, picture: Option<&Picture>) -> Result<(), StanzaError> {
    let mut vcard = core.vcard(owner)?.unwrap_or_else(|| Element::new("vCard", ns::VCARD));
    if Picture::of_vcard(&vcard).as_ref() == picture {
        return Ok(());
    }
    vcard.children.retain(|child| !matches!(child, Node::Element(child) if child.is("PHOTO", ns::VCARD)));
    if let Some(picture) = picture {
        vcard.push(picture.to_photo());
    }
    core.set_vcard(owner, &vcard)
}

// XEP-0398 §3.2
fn vcard_changed(core: &mut Core, owner: &Jid, before: Option<&Element>, vcard: &Element) {
    let (old, new) = (before.and_then(Picture::of_vcard), Picture::of_vcard(vcard));
    if old != new {
        core.convert(owner, |core| match (old, new) {
            (_, Some(new)) => publish(core, owner, &new),
            (Some(old), None) => unpublish(core, owner, &old),
            (None, None) => Ok(()),
        });
    }
}

fn publish(core: &mut Core, owner: &Jid, picture: &Picture) -> Result<(), StanzaError> {
    let id = picture.sha1();
    if core.pep_last_item(owner, ns::AVATAR_METADATA)?.is_some_and(|item| item.id == id) {
        return Ok(());
    }
    let open = || NodeConfig { access_model: AccessModel::Open, ..NodeConfig::default() };
    let data = Element::new("data", ns::AVATAR_DATA).text(&picture.base64());
    core.pep_publish(owner, ns::AVATAR_DATA, &id, data, open())?;
    let info = Element::new("info", ns::AVATAR_METADATA)
        .attr("bytes", picture.bytes.len().to_string())
        .attr("id", &id)
        .attr("type", &picture.media_type);
    let metadata = Element::new("metadata", ns::AVATAR_METADATA).child(info);
    core.pep_publish(owner, ns::AVATAR_METADATA, &id, metadata, open())
}

/// XEP-0084 §3.5, unless the avatar is another one.
fn unpublish(core: &mut Core, owner: &Jid, picture: &Picture) -> Result<(), StanzaError> {
    let shown = core.pep_last_item(owner, ns::AVATAR_METADATA)?;
    if shown.is_none_or(|item| item.id != picture.sha1()) {
        return Ok(());
    }
    let id = core.random_word();
    let nothing = Element::new("metadata", ns::AVATAR_METADATA);
    core.pep_publish(owner, ns::AVATAR_METADATA, &id, nothing, NodeConfig::default())
}

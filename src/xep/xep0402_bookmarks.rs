//! Bookmarks of rooms (XEP-0402), and the same for older clients: a change on the node `urn:xmpp:bookmarks:1`, in
//! private XML storage (XEP-0049) or on the node `storage:bookmarks` (XEP-0048) shows in the other two.
//!
//! A bookmark's `<extensions/>` are carried along; an older client that loses them takes nothing away (§3.4).
//! Bookmarks of web pages, which only the older ways have, stay with those. Since bookmarks hold passwords, nothing is
//! carried to a node that others may read (XEP-0411 §5). To empty or delete the older node is no change: clients that
//! have moved on do so.
//!
//! Who belongs to a room of the configuration gets a bookmark of it, once. Stored: in table `given_bookmarks`, that it was
//! given; what becomes of it then is up to the account.

use std::collections::BTreeMap;

use crate::core::Core;
use crate::core::module::{Module, Spec};
use crate::core::pubsub::Change;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{AccessModel, ConfiguredRoom, GivenBookmarks, MAX_ITEMS, NodeConfig, SendLast};
use crate::store::schema::{self, Table};
use crate::xml::{Element, Node, ns};

/// The one item of the older node.
const CURRENT: &str = "current";

pub const MODULE: Module = Module {
    name: "bookmarks",
    specs: &[Spec::Xep(402, "1.2.0"), Spec::Xep(48, "1.2"), Spec::Xep(411, "1.1.0")],
    account_features: &[ns::BOOKMARKS_COMPAT, ns::BOOKMARKS_COMPAT_PEP, ns::BOOKMARKS_CONVERSION],
    welcome: Some(give),
    published: Some(published),
    private_changed: Some(private_changed),
    ..Module::NONE
};

/// Gives an account the bookmarks of the configuration's rooms that it has not been given.
fn give(core: &mut Core, owner: &Jid) {
    let rooms = core.configured_rooms_of(owner);
    if rooms.is_empty() || core.writable().is_err() {
        return;
    }
    if let Err(error) = try_give(core, &owner.bare(), &rooms) {
        log::warn!("{} gets no bookmarks: {}", owner.bare(), error.condition.name());
    }
}

fn try_give(core: &mut Core, owner: &Jid, rooms: &[(Jid, ConfiguredRoom)]) -> Result<(), StanzaError> {
    if !is_for_owner(core, owner, ns::BOOKMARKS)? {
        return Ok(());
    }
    let id = core.account(owner)?.record.id;
    let before: GivenBookmarks =
        core.value(Table::GivenBookmarks, &schema::given_bookmarks::key(id))?.unwrap_or_default();
    let mut given = GivenBookmarks { rooms: Vec::new() };
    for (address, room) in rooms {
        let is_new = !before.rooms.iter().any(|known| known == address.as_str());
        if is_new && core.pep_item(owner, ns::BOOKMARKS, address.as_str())?.is_none() {
            let mut bookmark = Element::new("conference", ns::BOOKMARKS);
            if !room.title.is_empty() {
                bookmark.set_attr("name", &*room.title);
            }
            if room.autojoin {
                bookmark.set_attr("autojoin", "true");
            }
            core.pep_publish(owner, ns::BOOKMARKS, address.as_str(), bookmark, for_bookmarks())?;
        }
        given.rooms.push(address.to_string());
    }
    if given != before {
        core.write(owner, [schema::given_bookmarks::put(id, &given)]);
    }
    Ok(())
}

fn published(core: &mut Core, owner: &Jid, node: &str, change: &Change) {
    match (node, change) {
        (ns::BOOKMARKS, _) => core.convert(owner, |core| to_storage(core, owner)),
        (ns::BOOKMARKS_LEGACY, Change::Published(item)) => {
            let storage = item.payload.as_ref().filter(|payload| payload.is("storage", ns::BOOKMARKS_LEGACY));
            if let Some(storage) = storage {
                core.convert(owner, |core| {
                    to_items(core, owner, storage)?;
                    set_private(core, owner, storage)
                });
            }
        }
        _ => {}
    }
}

fn private_changed(core: &mut Core, owner: &Jid, fragment: &Element) {
    if fragment.is("storage", ns::BOOKMARKS_LEGACY) {
        core.convert(owner, |core| {
            to_items(core, owner, fragment)?;
            publish_storage(core, owner, fragment)
        });
    }
}

// §5.3.1: "the server MAY collate all items"
fn to_storage(core: &mut Core, owner: &Jid) -> Result<(), StanzaError> {
    let mut storage = Element::new("storage", ns::BOOKMARKS_LEGACY);
    for item in core.pep_items(owner, ns::BOOKMARKS)? {
        let bookmark = item.payload.filter(|payload| payload.is("conference", ns::BOOKMARKS));
        if let (Ok(room), Some(bookmark)) = (Jid::parse(&item.id), bookmark) {
            storage.push(to_older(&room, &bookmark));
        }
    }
    let before = core.private(owner, ns::BOOKMARKS_LEGACY, "storage")?;
    let others = before.iter().flat_map(Element::children).filter(|child| child.name != "conference");
    others.cloned().for_each(|other| storage.push(other));
    set_private(core, owner, &storage)?;
    publish_storage(core, owner, &storage)
}

// §5.3.2: "a server MAY examine the list and update the individual items as required"
fn to_items(core: &mut Core, owner: &Jid, storage: &Element) -> Result<(), StanzaError> {
    if !is_for_owner(core, owner, ns::BOOKMARKS)? {
        return Ok(());
    }
    let mut bookmarks: BTreeMap<Jid, Element> = BTreeMap::new();
    for bookmark in storage.children().filter(|child| child.is("conference", ns::BOOKMARKS_LEGACY)) {
        if let Some(room) = bookmark.get_attr("jid").and_then(|jid| Jid::parse(jid).ok()) {
            bookmarks.entry(room.bare()).or_insert_with(|| to_newer(bookmark));
        }
    }
    // With fewer items than bookmarks the next change there would lose the others here.
    if bookmarks.len() > core.config.limits.pubsub_items.max_len() {
        return Err(StanzaError::from(Condition::ResourceConstraint));
    }
    for item in core.pep_items(owner, ns::BOOKMARKS)? {
        let Ok(room) = Jid::parse(&item.id) else { continue };
        let Some(bookmark) = bookmarks.get_mut(&room) else {
            core.pep_retract(owner, ns::BOOKMARKS, &item.id)?;
            continue;
        };
        let before = to_newer(&to_older(&room, &item.payload.unwrap_or_default()));
        if extensions(bookmark).is_none() {
            extensions(&before).cloned().into_iter().for_each(|extensions| bookmark.push(extensions));
        }
        // "Servers […] SHOULD NOT send notifications for unchanged items."
        if *bookmark == before {
            bookmarks.remove(&room);
        }
    }
    for (room, bookmark) in bookmarks {
        core.pep_publish(owner, ns::BOOKMARKS, room.as_str(), bookmark, for_bookmarks())?;
    }
    Ok(())
}

fn set_private(core: &mut Core, owner: &Jid, storage: &Element) -> Result<(), StanzaError> {
    core.set_private(owner, &[storage])
}

fn publish_storage(core: &mut Core, owner: &Jid, storage: &Element) -> Result<(), StanzaError> {
    let before = core.pep_item(owner, ns::BOOKMARKS_LEGACY, CURRENT)?.and_then(|item| item.payload);
    if before.as_ref() == Some(storage) || !is_for_owner(core, owner, ns::BOOKMARKS_LEGACY)? {
        return Ok(());
    }
    core.pep_publish(owner, ns::BOOKMARKS_LEGACY, CURRENT, storage.clone(), for_owner())
}

/// §3.3
fn for_bookmarks() -> NodeConfig {
    NodeConfig { max_items: MAX_ITEMS, send_last: SendLast::Never, ..for_owner() }
}

fn for_owner() -> NodeConfig {
    NodeConfig { access_model: AccessModel::Whitelist, ..NodeConfig::default() }
}

/// Whether nobody else may read what is on a node, or would be, if it were there.
fn is_for_owner(core: &mut Core, owner: &Jid, node: &str) -> Result<bool, StanzaError> {
    Ok(!core.node_exists(owner, node)?
        || core.node(owner, node)?.config().access_model == AccessModel::Whitelist)
}

fn extensions(bookmark: &Element) -> Option<&Element> {
    bookmark.find("extensions", ns::BOOKMARKS)
}

// §2, XEP-0048 §2.1
fn to_older(room: &Jid, bookmark: &Element) -> Element {
    let older = Element::new("conference", ns::BOOKMARKS_LEGACY).attr("jid", room.as_str());
    let mut older = with_common(older, bookmark);
    if let Some(extensions) = extensions(bookmark) {
        older.push(Element { ns: ns::BOOKMARKS_LEGACY.to_owned(), ..extensions.clone() });
    }
    older
}

/// What an older client has put beside the known elements is an extension.
fn to_newer(bookmark: &Element) -> Element {
    let mut newer = with_common(Element::new("conference", ns::BOOKMARKS), bookmark);
    let named = bookmark.find("extensions", ns::BOOKMARKS_LEGACY);
    let foreign = bookmark.children().filter(|child| child.ns != ns::BOOKMARKS_LEGACY);
    let extensions = named.into_iter().flat_map(Element::children).chain(foreign);
    let extensions: Vec<Node> = extensions.cloned().map(Node::Element).collect();
    if !extensions.is_empty() {
        newer.push(Element { children: extensions, ..Element::new("extensions", ns::BOOKMARKS) });
    }
    newer
}

/// What both have, in the namespace of `to`.
fn with_common(mut to: Element, from: &Element) -> Element {
    if let Some(name) = from.get_attr("name") {
        to.set_attr("name", name);
    }
    if matches!(from.get_attr("autojoin"), Some("true" | "1")) {
        to.set_attr("autojoin", "true");
    }
    for name in ["nick", "password"] {
        if let Some(child) = from.find(name, &from.ns) {
            to.push(Element::new(name, &*to.ns).text(&child.text_content()));
        }
    }
    to
}

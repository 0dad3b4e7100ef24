//! An account's roster as data (RFC 6121 §2): its items, its versions, and the pushes that a change causes.
//!
//! Every change gets a version of its own. Removed items are remembered, at most [`TOMBSTONES`] of them, so that a
//! client that comes back with an older version is sent only what has changed since (§2.6).

use std::collections::BTreeMap;

use super::Core;
use crate::jid::Jid;
use crate::stanza::{IqType, Stanza};
use crate::store::record::{RosterItem, Subscription};
use crate::store::schema;
use crate::xep;
use crate::xml::Element;
use crate::xml::ns;

/// Removed contacts that are remembered. With more, the older clients get the whole roster.
const TOMBSTONES: usize = 64;

/// The key, in place of a contact, of the row that holds the version below which removals are forgotten.
const FLOOR: &str = "";

#[derive(Debug, Default)]
pub struct Roster {
    /// Every contact that has a row, removed ones too.
    items: BTreeMap<Jid, RosterItem>,
    version: u64,
    /// Of what was before this version nothing is known.
    floor: u64,
}

impl Roster {
    /// `created` is the account's age in seconds: versions start there, so that an account made anew never meets
    /// the versions that clients remember of its predecessor.
    pub(super) fn load(created: u64, rows: Vec<(String, RosterItem)>) -> Roster {
        let first = created.saturating_mul(1000);
        let mut roster = Roster { items: BTreeMap::new(), version: first, floor: first };
        for (contact, item) in rows {
            roster.version = roster.version.max(item.version);
            if contact == FLOOR {
                roster.floor = item.version;
            } else if let Ok(contact) = Jid::parse(&contact) {
                roster.items.insert(contact, item);
            }
        }
        roster
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn get(&self, contact: &Jid) -> Option<&RosterItem> {
        self.items.get(contact.bare_str()).filter(|item| !item.removed)
    }

    /// The contacts.
    pub fn iter(&self) -> impl Iterator<Item = (&Jid, &RosterItem)> {
        self.items.iter().filter(|(_, item)| !item.removed)
    }

    /// What has changed since `version`, oldest first; `None` when only the whole roster tells.
    pub fn changes_since(&self, version: u64) -> Option<Vec<(&Jid, &RosterItem)>> {
        if version < self.floor || version > self.version {
            return None;
        }
        let mut changes: Vec<_> = self.items.iter().filter(|(_, item)| item.version > version).collect();
        changes.sort_by_key(|(_, item)| item.version);
        Some(changes)
    }

    /// Whether the contact gets this account's presence.
    pub fn is_subscriber(&self, contact: &Jid) -> bool {
        self.get(contact).is_some_and(|item| item.subscription.from())
    }

    /// Whether this account gets the contact's presence.
    pub fn is_subscribed_to(&self, contact: &Jid) -> bool {
        self.get(contact).is_some_and(|item| item.subscription.to())
    }
}

impl Subscription {
    /// The account sees the contact's presence.
    pub fn to(self) -> bool {
        matches!(self, Subscription::To | Subscription::Both)
    }

    /// The contact sees the account's presence.
    pub fn from(self) -> bool {
        matches!(self, Subscription::From | Subscription::Both)
    }

    pub fn of(to: bool, from: bool) -> Subscription {
        match (to, from) {
            (false, false) => Subscription::None,
            (true, false) => Subscription::To,
            (false, true) => Subscription::From,
            (true, true) => Subscription::Both,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Subscription::None => "none",
            Subscription::To => "to",
            Subscription::From => "from",
            Subscription::Both => "both",
        }
    }
}

/// `<item/>` of RFC 6121 §2.1.2.
pub fn item_element(contact: &Jid, item: &RosterItem) -> Element {
    let mut element = Element::new("item", ns::ROSTER).attr("jid", contact.as_str());
    if item.removed {
        return element.attr("subscription", "remove");
    }
    element = element.attr("subscription", item.subscription.name());
    if let Some(name) = &item.name {
        element = element.attr("name", name);
    }
    if item.ask {
        element = element.attr("ask", "subscribe");
    }
    if item.approved {
        element = element.attr("approved", "true");
    }
    item.groups
        .iter()
        .fold(element, |element, group| element.child(Element::new("group", ns::ROSTER).text(group)))
}

impl Core {
    /// Replaces a contact's item, or with `None` removes it; stores the change and pushes it to every resource of
    /// the account that has asked for the roster (§2.1.6).
    pub fn set_roster_item(&mut self, owner: &Jid, contact: &Jid, item: Option<RosterItem>) {
        let Ok(account) = self.account(owner) else { return };
        let (owner, id) = (account.jid.clone(), account.record.id);
        let roster = &mut account.roster;
        if item.is_none() && roster.get(contact).is_none() {
            return;
        }
        roster.version += 1;
        let mut item = item.unwrap_or(RosterItem { removed: true, ..RosterItem::default() });
        item.version = roster.version;
        let mut ops = vec![schema::roster::put(id, contact.as_str(), &item)];
        let push = item_element(contact, &item);
        let before = roster.items.insert(contact.clone(), item).filter(|item| !item.removed);
        ops.extend(roster.forget_tombstones(id));
        self.write(&owner, ops);
        self.push_roster_item(&owner, &push);
        for tell in xep::ALL.iter().filter_map(|module| module.roster_changed) {
            tell(self, &owner, contact, before.as_ref());
        }
    }

    fn push_roster_item(&mut self, owner: &Jid, item: &Element) {
        let Some(account) = self.loaded(owner) else { return };
        let version = account.roster.version.to_string();
        let query = Element::new("query", ns::ROSTER).attr("ver", &version).child(item.clone());
        for session in account.sessions.clone() {
            if self.session(session).is_some_and(|session| session.interested) {
                let push = Stanza::iq(IqType::Set, &format!("push{version}")).with(&query);
                self.send_from_server(session, push);
            }
        }
    }
}

impl Roster {
    /// Keeps the newest half of the tombstones once there are too many.
    fn forget_tombstones(&mut self, id: u32) -> Vec<schema::Op> {
        let mut removed: Vec<(u64, Jid)> = (self.items.iter())
            .filter(|(_, item)| item.removed)
            .map(|(contact, item)| (item.version, contact.clone()))
            .collect();
        if removed.len() <= TOMBSTONES {
            return Vec::new();
        }
        removed.sort();
        removed.truncate(removed.len() - TOMBSTONES / 2);
        self.floor = removed.last().map_or(self.floor, |(version, _)| *version);
        let floor = RosterItem { version: self.floor, removed: true, ..RosterItem::default() };
        let mut ops = vec![schema::roster::put(id, FLOOR, &floor)];
        for (_, contact) in removed {
            ops.push(schema::roster::delete(id, contact.as_str()));
            self.items.remove(&contact);
        }
        ops
    }
}

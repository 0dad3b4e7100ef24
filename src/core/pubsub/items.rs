//! Items: published, replaced, retracted, read.

use super::{Entry, Node, pubsub_error, unreadable};
use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{ItemReply, MAX_ITEMS, NodeConfig, PubsubItem, WhenFull};
use crate::store::schema::{self, Table};
use crate::xep;
use crate::xml::Element;
use crate::xml::ns;

/// A published item.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: String,
    /// The bare address of whoever published it.
    pub publisher: String,
    /// When, in milliseconds since the Unix epoch.
    pub published: u64,
    pub payload: Option<Element>,
}

/// One to be published.
pub struct NewItem<'a> {
    /// `None`: one is made up.
    pub id: Option<&'a str>,
    pub payload: Option<Element>,
    pub publisher: &'a Jid,
}

/// What has happened to a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Published(Item),
    /// The id of an item that is gone.
    Retracted(String),
    /// All items are gone.
    Purged,
    /// The node is gone.
    Deleted,
}

fn no_room() -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint, "There is no room for more items.")
}

impl Item {
    /// §7.1.2, §12.18: as notifications and results show it, in the namespace of either.
    pub fn to_element(&self, ns: &str, with_payload: bool, node: &Node) -> Element {
        let item = Element::new("item", ns).attr("id", &self.id);
        let item = match node.config().item_reply {
            ItemReply::None => item,
            ItemReply::Publisher => item.attr("publisher", &self.publisher),
            ItemReply::Owner => item.attr("publisher", &node.record.creator),
        };
        match &self.payload {
            Some(payload) if with_payload => item.child(payload.clone()),
            _ => item,
        }
    }
}

impl Node {
    /// How many items it may have.
    fn room(&self, limit: usize) -> usize {
        match self.config().max_items {
            MAX_ITEMS => limit,
            max => usize::try_from(max).unwrap_or(limit).min(limit),
        }
    }

    /// The node's record follows its items.
    fn count(&mut self) {
        let index = self.index.as_deref().unwrap_or_default();
        self.record.last = index.last().map_or(0, |entry| entry.order);
        self.record.items = u32::try_from(index.len()).unwrap_or(u32::MAX);
        self.record.bytes = index.iter().map(|entry| entry.bytes).sum();
    }
}

impl Core {
    /// Publishes to a node; who may, is the caller's to decide. One that isn't there is made as `create` says, if the
    /// item has room. Returns the item's id.
    pub fn publish(
        &mut self,
        owner: &Jid,
        name: &str,
        new: NewItem<'_>,
        create: Option<NodeConfig>,
    ) -> Result<String, StanzaError> {
        self.writable()?;
        let payload = new.payload.as_ref().map(|payload| payload.to_bytes(ns::CLIENT)).unwrap_or_default();
        let limits = &self.config.limits;
        let (max_item, max_bytes) = (limits.pubsub_item_bytes.max_len(), limits.pubsub_bytes.max());
        let node = if self.node_exists(owner, name)? { Some(self.node(owner, name)?) } else { None };
        let config = match &node {
            Some(node) => node.config().clone(),
            None => create.ok_or(Condition::ItemNotFound)?,
        };
        let creator = node.map(|node| node.record.creator.clone());
        if payload.len() > max_item
            || config.max_payload > 0 && payload.len() as u64 > u64::from(config.max_payload)
        {
            return Err(pubsub_error(Condition::NotAcceptable, "payload-too-big")); // §7.1.3.5
        }
        let wrong_type = |payload: &Element| config.payload_type.as_ref().is_some_and(|it| *it != payload.ns);
        if new.payload.as_ref().is_some_and(wrong_type) {
            return Err(pubsub_error(Condition::BadRequest, "invalid-payload")); // §7.1.3.6
        }
        let is_new = creator.is_none();
        let creator = creator.unwrap_or_else(|| new.publisher.bare_str().to_owned());
        let free = max_bytes.saturating_sub(self.bytes_used(owner, &creator)?);
        if is_new {
            if config.persist_items && payload.len() as u64 > free {
                return Err(no_room());
            }
            self.create_node(owner, name, new.publisher, config.clone())?;
        }
        let id = new.id.map_or_else(|| self.random_word(), str::to_owned);
        let publisher = new.publisher.bare_str().to_owned();
        let mut item = Item { id, publisher, published: self.now, payload: new.payload };
        if config.persist_items {
            item.published = self.store_item(owner, name, &item, payload, free)?;
        }
        self.notify_item(owner, name, &item);
        let id = item.id.clone();
        self.tell_published(owner, name, &Change::Published(item));
        Ok(id)
    }

    /// Bytes of items in all nodes that somebody has made.
    fn bytes_used(&mut self, owner: &Jid, creator: &str) -> Result<u64, StanzaError> {
        let nodes = self.nodes(owner)?.nodes.values();
        Ok(nodes.filter(|node| node.record.creator == creator).map(|node| node.record.bytes).sum())
    }

    /// Returns when it counts as published.
    fn store_item(
        &mut self,
        owner: &Jid,
        name: &str,
        item: &Item,
        payload: Vec<u8>,
        free: u64,
    ) -> Result<u64, StanzaError> {
        let limit = self.config.limits.pubsub_items.max_len();
        self.load_index(owner, name)?;
        let (id, now) = (self.owner_id(owner)?, self.now);
        let node = self.node(owner, name)?;
        let (room, when_full) = (node.room(limit), node.config().when_full);
        let index = node.index.as_deref().unwrap_or_default();
        let old = index.iter().position(|entry| entry.id == item.id);
        let excess = (index.len() + 1 - usize::from(old.is_some())).saturating_sub(room);
        if excess > 0 && when_full == WhenFull::Reject {
            return Err(pubsub_error(Condition::Conflict, "node-full")); // §7.1.3.4
        }
        let order = now.max(index.last().map_or(0, |entry| entry.order) + 1);
        let goes = |(at, entry): &(usize, &Entry)| Some(*at) == old || entry.id != item.id && *at < excess;
        let gone: Vec<Entry> =
            index.iter().enumerate().filter(goes).map(|(_, entry)| entry.clone()).collect();
        let bytes = payload.len() as u64;
        if bytes > free.saturating_add(gone.iter().map(|entry| entry.bytes).sum()) {
            return Err(no_room());
        }
        let number = node.record.number;
        let index = node.index.get_or_insert_default();
        index.retain(|entry| !gone.iter().any(|gone| gone.order == entry.order));
        index.push(Entry { order, id: item.id.clone(), bytes });
        node.count();
        let told = node.config().notify_retract && when_full == WhenFull::RetractOldest && room > 1;
        let record = PubsubItem { id: item.id.clone(), publisher: item.publisher.clone(), payload };
        let mut ops: Vec<_> =
            gone.iter().map(|entry| schema::pubsub::delete_item(id, number, entry.order)).collect();
        ops.push(schema::pubsub::put_item(id, number, order, &record));
        self.write_pubsub(owner, ops);
        self.write_node(owner, name)?;
        for gone in gone.into_iter().filter(|gone| gone.id != item.id) {
            if told {
                self.notify_retracted(owner, name, &gone.id);
            }
            self.tell_published(owner, name, &Change::Retracted(gone.id));
        }
        Ok(order)
    }

    /// Retracts an item (§7.2); `notify`: tells those who get notifications, too. `<item-not-found/>` if there is
    /// none of this id.
    pub fn retract(&mut self, owner: &Jid, name: &str, item: &str, notify: bool) -> Result<(), StanzaError> {
        self.writable()?;
        self.load_index(owner, name)?;
        let id = self.owner_id(owner)?;
        let node = self.node(owner, name)?;
        let index = node.index.get_or_insert_default();
        let at = index.iter().position(|entry| entry.id == item).ok_or(Condition::ItemNotFound)?;
        let gone = index.remove(at);
        node.count();
        let op = schema::pubsub::delete_item(id, node.record.number, gone.order);
        self.write_pubsub(owner, [op]);
        self.write_node(owner, name)?;
        if notify {
            self.notify_retracted(owner, name, item);
        }
        self.tell_published(owner, name, &Change::Retracted(gone.id));
        Ok(())
    }

    /// Takes all items away (§8.5).
    pub fn purge(&mut self, owner: &Jid, name: &str) -> Result<(), StanzaError> {
        self.writable()?;
        let id = self.owner_id(owner)?;
        let node = self.node(owner, name)?;
        node.index = Some(Vec::new());
        node.count();
        let op = schema::pubsub::clear_items(id, node.record.number);
        self.write_pubsub(owner, [op]);
        self.write_node(owner, name)?;
        self.notify_purged(owner, name);
        self.tell_published(owner, name, &Change::Purged);
        Ok(())
    }

    /// Takes the oldest items away that a new configuration has no room for.
    pub(super) fn trim(&mut self, owner: &Jid, name: &str) -> Result<(), StanzaError> {
        let limit = self.config.limits.pubsub_items.max_len();
        self.load_index(owner, name)?;
        let node = self.node(owner, name)?;
        let items = node.index.as_deref().unwrap_or_default();
        let excess = items.len().saturating_sub(node.room(limit));
        let gone: Vec<String> = items.iter().take(excess).map(|entry| entry.id.clone()).collect();
        for item in gone {
            self.retract(owner, name, &item, false)?;
        }
        Ok(())
    }

    /// The ids of a node's items, oldest first.
    pub fn item_ids(&mut self, owner: &Jid, name: &str) -> Result<Vec<String>, StanzaError> {
        self.load_index(owner, name)?;
        let index = self.node(owner, name)?.index.as_deref().unwrap_or_default();
        Ok(index.iter().map(|entry| entry.id.clone()).collect())
    }

    /// The item of this id.
    pub fn item(&mut self, owner: &Jid, name: &str, item: &str) -> Result<Option<Item>, StanzaError> {
        self.load_index(owner, name)?;
        let index = self.node(owner, name)?.index.as_deref().unwrap_or_default();
        let order = index.iter().find(|entry| entry.id == item).map(|entry| entry.order);
        order.map_or(Ok(None), |order| self.read_item(owner, name, order))
    }

    /// The last published item.
    pub fn last_item(&mut self, owner: &Jid, name: &str) -> Result<Option<Item>, StanzaError> {
        let node = self.node(owner, name)?;
        if node.config().item_expire > 0 {
            self.load_index(owner, name)?;
        }
        match self.node(owner, name)?.record.last {
            0 => Ok(None),
            last => self.read_item(owner, name, last),
        }
    }

    fn read_item(&mut self, owner: &Jid, name: &str, order: u64) -> Result<Option<Item>, StanzaError> {
        let id = self.owner_id(owner)?;
        let key = schema::pubsub::item_key(id, self.node(owner, name)?.record.number, order);
        let record: Option<PubsubItem> = self.value(Table::PubsubItems, &key)?;
        Ok(record.map(|record| Item {
            id: record.id,
            publisher: record.publisher,
            published: order,
            payload: Element::parse(&record.payload, ns::CLIENT),
        }))
    }

    /// Has the ids of a node's items in memory, without those that have expired.
    fn load_index(&mut self, owner: &Jid, name: &str) -> Result<(), StanzaError> {
        let (id, now, store) = (self.owner_id(owner)?, self.now, self.store.clone());
        let node = self.node(owner, name)?;
        if node.index.is_none() {
            let mut index = Vec::new();
            let each = |order, item: PubsubItem| {
                index.push(Entry { order, id: item.id, bytes: item.payload.len() as u64 });
            };
            store.pubsub_items(id, node.record.number, each).map_err(unreadable)?;
            node.index = Some(index);
        }
        let lifetime = u64::from(node.config().item_expire) * 1000;
        let index = node.index.get_or_insert_default();
        let expired = index.iter().take_while(|entry| lifetime > 0 && entry.order + lifetime <= now).count();
        if expired > 0 {
            let gone: Vec<Entry> = index.drain(..expired).collect();
            node.count();
            let number = node.record.number;
            let delete = |entry: &Entry| schema::pubsub::delete_item(id, number, entry.order);
            self.write_pubsub(owner, gone.iter().map(delete).collect::<Vec<_>>());
            self.write_node(owner, name)?;
        }
        Ok(())
    }

    pub(super) fn tell_published(&mut self, owner: &Jid, name: &str, change: &Change) {
        if owner.local().is_some() {
            for tell in xep::ALL.iter().filter_map(|module| module.published) {
                tell(self, owner, name, change);
            }
        }
    }
}

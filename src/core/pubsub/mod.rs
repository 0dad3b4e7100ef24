//! Publish-subscribe (XEP-0060, XEP-0163) as data: nodes, who may do what with them, their items, and who is told of a
//! change. What is asked for over the wire is read and answered in `xep/`; other features keep their own things on
//! an account's nodes through [`Core::pep_publish`] and its neighbours.
//!
//! An *owner* is the bare address of an account, or a service: each has nodes of its own by their names. Nodes are in
//! memory while somebody asks for them and for [`REMEMBERED`] after, as long as their account is; without items. The ids
//! of a node's items are, too, once somebody has asked for items. Items are read from the store one by one, or from what
//! is not written yet.

mod access;
pub mod form;
mod interest;
mod items;
mod nodes;
mod notify;

use std::collections::{BTreeMap, HashMap};

pub use access::pubsub_error;
use interest::Elsewhere;
pub use interest::Interests;
pub use items::{Change, Item, NewItem};
pub use nodes::{MAX_NAME, is_detail};

use super::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{NodeConfig, PubsubNode, PubsubPeople};
use crate::store::schema::{self, Op};

/// How long nodes that nobody asks for stay in memory, in milliseconds.
const REMEMBERED: u64 = 60_000;

/// Nodes of one service, whoever made them: all are in memory at one time.
const MAX_SERVICE_NODES: usize = 10_000;

/// Affiliations, and subscriptions, of one node.
pub const MAX_PEOPLE: usize = 1000;

#[derive(Default)]
pub(super) struct Pubsub {
    owners: HashMap<Jid, Nodes>,
    /// Of accounts that don't exist: always none, so that they are answered as those who have none.
    nobody: Nodes,
    elsewhere: Elsewhere,
}

/// The nodes of one owner.
#[derive(Default)]
struct Nodes {
    /// The owner in the keys of the store; `None`: a service that has never had anything.
    id: Option<u32>,
    nodes: BTreeMap<String, Node>,
    /// When somebody last asked, in milliseconds.
    used: u64,
    /// The batch of the last change.
    written: u64,
}

#[derive(Default)]
pub struct Node {
    pub record: PubsubNode,
    pub people: PubsubPeople,
    /// Its items, oldest first; `None` until somebody needs them.
    index: Option<Vec<Entry>>,
}

/// Where an item is kept.
#[derive(Clone)]
struct Entry {
    /// When it was published, in milliseconds, and always more than the one before: its key.
    order: u64,
    id: String,
    bytes: u64,
}

impl Node {
    pub fn config(&self) -> &NodeConfig {
        &self.record.config
    }
}

impl Pubsub {
    /// Nodes of an account go with it.
    pub fn forget_unused(&mut self, now: u64, committed: u64, is_loaded: impl Fn(&Jid) -> bool) {
        self.owners.retain(|owner, nodes| {
            let wanted = nodes.used + REMEMBERED > now && (owner.local().is_none() || is_loaded(owner));
            nodes.written > committed || wanted
        });
        if self.owners.capacity() > 4 * self.owners.len() {
            self.owners.shrink_to_fit();
        }
    }

    pub fn forget(&mut self, owner: &Jid) {
        self.owners.remove(owner);
        self.elsewhere.forget_account(owner);
    }
}

impl Core {
    /// The names of an owner's nodes.
    pub fn node_names(&mut self, owner: &Jid) -> Result<Vec<String>, StanzaError> {
        Ok(self.nodes(owner)?.nodes.keys().cloned().collect())
    }

    /// An owner's node; `<item-not-found/>` if there is none of this name.
    pub fn node(&mut self, owner: &Jid, name: &str) -> Result<&mut Node, StanzaError> {
        self.nodes(owner)?.nodes.get_mut(name).ok_or_else(|| Condition::ItemNotFound.into())
    }

    pub fn node_exists(&mut self, owner: &Jid, name: &str) -> Result<bool, StanzaError> {
        Ok(self.nodes(owner)?.nodes.contains_key(name))
    }

    fn nodes(&mut self, owner: &Jid) -> Result<&mut Nodes, StanzaError> {
        if !self.pubsub.owners.contains_key(owner) {
            let nodes = match self.load_nodes(owner) {
                Err(error) if error.condition == Condition::ItemNotFound => {
                    return Ok(&mut self.pubsub.nobody);
                }
                loaded => loaded?,
            };
            self.pubsub.owners.insert(owner.clone(), nodes);
        }
        let nodes = self.pubsub.owners.get_mut(owner).ok_or(Condition::ItemNotFound)?;
        nodes.used = self.now;
        Ok(nodes)
    }

    fn load_nodes(&mut self, owner: &Jid) -> Result<Nodes, StanzaError> {
        let id = match owner.local() {
            Some(local) => Some(self.account_id(owner, local)?),
            None => self.service_id(owner)?,
        };
        let mut nodes = Nodes { id, ..Nodes::default() };
        let Some(id) = id else { return Ok(nodes) };
        let (records, people) = (self.store.pubsub_nodes(id), self.store.pubsub_people(id));
        let mut people: HashMap<u32, PubsubPeople> = people.map_err(unreadable)?.into_iter().collect();
        for (name, record) in records.map_err(unreadable)? {
            let people = people.remove(&record.number).unwrap_or_default();
            nodes.nodes.insert(name, Node { record, people, index: None });
        }
        Ok(nodes)
    }

    /// Without its roster and all that: somebody's contacts are looked at when they come online, and few of these have
    /// anything to give.
    fn account_id(&self, account: &Jid, local: &str) -> Result<u32, StanzaError> {
        if let Some(loaded) = self.loaded(account) {
            return Ok(loaded.record.id);
        }
        if self.removed.contains_key(account) || !self.is_host(account.domain()) {
            return Err(Condition::ItemNotFound.into());
        }
        let record = self.store.account(account.domain(), local).map_err(unreadable)?;
        record.map(|record| record.id).ok_or_else(|| Condition::ItemNotFound.into())
    }

    fn service_id(&self, service: &Jid) -> Result<Option<u32>, StanzaError> {
        if self.service(service.domain()).is_none() {
            return Err(Condition::ItemNotFound.into());
        }
        self.store.service(service.domain()).map_err(unreadable)
    }

    /// The owner in the keys of the store; a service gets its id with its first node.
    fn owner_id(&mut self, owner: &Jid) -> Result<u32, StanzaError> {
        if let Some(id) = self.nodes(owner)?.id {
            return Ok(id);
        }
        if owner.local().is_some() {
            return Err(Condition::ItemNotFound.into());
        }
        let id = self.next_account;
        self.next_account += 1;
        self.nodes(owner)?.id = Some(id);
        self.write_pubsub(owner, schema::meta::put_service(owner.domain(), id));
        Ok(id)
    }

    fn write_pubsub(&mut self, owner: &Jid, ops: impl IntoIterator<Item = Op>) {
        let seq = self.next_seq();
        self.write(owner, ops);
        if let Some(nodes) = self.pubsub.owners.get_mut(owner) {
            nodes.written = seq;
        }
    }

    /// Writes a node as it is in memory.
    fn write_node(&mut self, owner: &Jid, name: &str) -> Result<(), StanzaError> {
        let id = self.owner_id(owner)?;
        let op = schema::pubsub::put_node(id, name, &self.node(owner, name)?.record);
        self.write_pubsub(owner, [op]);
        Ok(())
    }
}

fn unreadable(error: crate::store::ReadError) -> StanzaError {
    log::error!("nodes cannot be read: {error}");
    Condition::InternalServerError.into()
}

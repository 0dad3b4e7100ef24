//! Nodes made, configured and deleted, and the people they have to do with. And what other features need of all this:
//! an account's own nodes.

use super::{Change, Item, MAX_PEOPLE, MAX_SERVICE_NODES, NewItem, Node, pubsub_error};
use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{Affiliation, NodeConfig, PubsubNode, PubsubPeople, SendLast, Subscriber};
use crate::store::schema;
use crate::xml::Element;

/// Bytes of a node's name, and of an item's id.
pub const MAX_NAME: usize = 1023;

impl Core {
    /// What a node is like unless its maker wants it otherwise.
    pub fn default_config(&self, owner: &Jid) -> NodeConfig {
        match owner.local() {
            Some(_) => NodeConfig::default(),
            // Nobody's presence is known to a service.
            None => NodeConfig {
                access_model: crate::store::record::AccessModel::Open,
                send_last: SendLast::OnSub,
                max_items: crate::store::record::MAX_ITEMS,
                ..NodeConfig::default()
            },
        }
    }

    /// Makes a node; who may, is the caller's to decide.
    pub fn create_node(
        &mut self,
        owner: &Jid,
        name: &str,
        creator: &Jid,
        config: NodeConfig,
    ) -> Result<(), StanzaError> {
        self.writable()?;
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(StanzaError::new(Condition::NotAcceptable, "No node can have this name."));
        }
        if self.node_exists(owner, name)? {
            return Err(Condition::Conflict.into()); // §8.1.1
        }
        let max = self.config.limits.pubsub_nodes.max_len();
        let (id, created) = (self.owner_id(owner)?, self.now / 1000);
        let nodes = &mut self.nodes(owner)?.nodes;
        let of_creator = nodes.values().filter(|node| node.record.creator == creator.bare_str()).count();
        if of_creator >= max || owner.local().is_none() && nodes.len() >= MAX_SERVICE_NODES {
            return Err(StanzaError::new(Condition::ResourceConstraint, "There is no room for more nodes."));
        }
        let number = nodes.values().map(|node| node.record.number + 1).max().unwrap_or(0);
        let creator = creator.bare_str().to_owned();
        let record = PubsubNode { number, created, creator, config, ..PubsubNode::default() };
        let mut people = PubsubPeople::default();
        let mut ops = vec![schema::pubsub::put_node(id, name, &record)];
        if owner.local().is_none() {
            people.affiliations.push((record.creator.clone(), Affiliation::Owner));
            ops.push(schema::pubsub::put_people(id, number, &people));
        }
        nodes.insert(name.to_owned(), Node { record, people, index: Some(Vec::new()) });
        self.write_pubsub(owner, ops);
        Ok(())
    }

    /// Gives a node another configuration (§8.2).
    pub fn configure_node(&mut self, owner: &Jid, name: &str, config: NodeConfig) -> Result<(), StanzaError> {
        self.writable()?;
        let node = self.node(owner, name)?;
        let loses_items = node.config().persist_items && !config.persist_items;
        node.record.config = config;
        self.write_node(owner, name)?;
        if loses_items {
            self.purge(owner, name)?;
        } else {
            self.trim(owner, name)?;
        }
        self.notify_config(owner, name);
        Ok(())
    }

    /// Deletes a node with its items (§8.4); `redirect`: where what was there is now.
    pub fn delete_node(
        &mut self,
        owner: &Jid,
        name: &str,
        redirect: Option<&str>,
    ) -> Result<(), StanzaError> {
        self.writable()?;
        let number = self.node(owner, name)?.record.number;
        let id = self.owner_id(owner)?;
        let told = self.told_of_deletion(owner, name);
        self.nodes(owner)?.nodes.remove(name);
        self.write_pubsub(owner, schema::pubsub::delete_node(id, name, number));
        self.notify_deleted(owner, name, redirect, told);
        self.tell_published(owner, name, &Change::Deleted);
        Ok(())
    }

    /// Changes who has to do with a node. Those whose subscription ends with it are told by the caller.
    pub fn change_people(
        &mut self,
        owner: &Jid,
        name: &str,
        change: impl FnOnce(&mut PubsubPeople),
    ) -> Result<(), StanzaError> {
        self.writable()?;
        let id = self.owner_id(owner)?;
        let node = self.node(owner, name)?;
        let mut people = node.people.clone();
        change(&mut people);
        if people == node.people {
            return Ok(());
        }
        let grown = people.subscriptions.len() > node.people.subscriptions.len()
            || people.affiliations.len() > node.people.affiliations.len();
        if grown && people.subscriptions.len().max(people.affiliations.len()) > MAX_PEOPLE {
            return Err(pubsub_error(Condition::PolicyViolation, "too-many-subscriptions")); // §6.1.3.9
        }
        node.people = people;
        let op = schema::pubsub::put_people(id, node.record.number, &node.people);
        self.write_pubsub(owner, [op]);
        Ok(())
    }

    /// Adds a subscription or replaces the one of the same address.
    pub fn set_subscriber(&mut self, owner: &Jid, name: &str, new: Subscriber) -> Result<(), StanzaError> {
        self.change_people(owner, name, |people| {
            match people.subscriptions.iter_mut().find(|subscriber| subscriber.jid == new.jid) {
                Some(old) => *old = new,
                None => people.subscriptions.push(new),
            }
        })
    }

    pub fn remove_subscriber(&mut self, owner: &Jid, name: &str, jid: &Jid) -> Result<(), StanzaError> {
        self.change_people(owner, name, |people| {
            people.subscriptions.retain(|subscriber| subscriber.jid != jid.as_str());
        })
    }

    pub fn set_affiliation(
        &mut self,
        owner: &Jid,
        name: &str,
        jid: &Jid,
        affiliation: Affiliation,
    ) -> Result<(), StanzaError> {
        self.change_people(owner, name, |people| {
            people.affiliations.retain(|(known, _)| known != jid.bare_str());
            if affiliation != Affiliation::None {
                people.affiliations.push((jid.bare_str().to_owned(), affiliation));
            }
        })
    }
}

/// Subscriptions that end because something else has.
impl Core {
    /// Ends subscriptions whose address may not have them any more, and tells them (§12.20, XEP-0163 §7.1).
    pub fn cancel_lost_subscriptions(&mut self, owner: &Jid, name: &str) -> Result<(), StanzaError> {
        let subscriptions = self.node(owner, name)?.people.subscriptions.iter();
        let all: Vec<Jid> = subscriptions.filter_map(|it| Jid::parse(&it.jid).ok()).collect();
        for jid in all {
            let lost = match self.may_read(owner, name, &jid) {
                Ok(()) => false,
                // Who waits for an approval goes on waiting.
                Err(error) => !is_detail(&error, "not-subscribed"),
            };
            if lost {
                self.remove_subscriber(owner, name, &jid)?;
                self.notify_subscription(owner, name, &jid, "none");
            }
        }
        Ok(())
    }

    /// Someone is gone for good: of the nodes of a service, those that are nobody else's go, too.
    pub fn forget_person(&mut self, service: &Jid, person: &Jid) -> Result<(), StanzaError> {
        for name in self.node_names(service)? {
            if self.node(service, &name)?.people.is_only_owner(person.bare_str()) {
                self.delete_node(service, &name, None)?;
            } else {
                self.change_people(service, &name, |people| people.forget(person.bare_str()))?;
            }
        }
        Ok(())
    }
}

/// Whether an error has this condition of XEP-0060's own.
pub fn is_detail(error: &StanzaError, detail: &str) -> bool {
    error.detail.as_ref().is_some_and(|it| it.is(detail, crate::xml::ns::PUBSUB_ERRORS))
}

/// For other features: what an account keeps on its own nodes.
impl Core {
    /// Publishes an item of this id to a node of an account; a node that isn't there is made as `config` says.
    pub fn pep_publish(
        &mut self,
        account: &Jid,
        node: &str,
        id: &str,
        payload: Element,
        config: NodeConfig,
    ) -> Result<(), StanzaError> {
        let account = account.bare();
        let new = NewItem { id: Some(id), payload: Some(payload), publisher: &account };
        self.publish(&account, node, new, Some(config)).map(|_| ())
    }

    /// The items of a node of an account, oldest first; none if there is no such node.
    pub fn pep_items(&mut self, account: &Jid, node: &str) -> Result<Vec<Item>, StanzaError> {
        let account = account.bare();
        if !self.node_exists(&account, node)? {
            return Ok(Vec::new());
        }
        let mut items = Vec::new();
        for id in self.item_ids(&account, node)? {
            items.extend(self.item(&account, node, &id)?);
        }
        Ok(items)
    }

    /// One item of a node of an account; `None` if there is no such item or no such node.
    pub fn pep_item(&mut self, account: &Jid, node: &str, id: &str) -> Result<Option<Item>, StanzaError> {
        let account = account.bare();
        if self.node_exists(&account, node)? { self.item(&account, node, id) } else { Ok(None) }
    }

    /// The last item of a node of an account; `None` if there is none or no such node.
    pub fn pep_last_item(&mut self, account: &Jid, node: &str) -> Result<Option<Item>, StanzaError> {
        let account = account.bare();
        if self.node_exists(&account, node)? { self.last_item(&account, node) } else { Ok(None) }
    }

    /// Retracts an item from a node of an account, with a notification; `<item-not-found/>` if it isn't there.
    pub fn pep_retract(&mut self, account: &Jid, node: &str, id: &str) -> Result<(), StanzaError> {
        self.retract(&account.bare(), node, id, true)
    }

    /// Deletes a node of an account; `<item-not-found/>` if it isn't there.
    pub fn pep_delete(&mut self, account: &Jid, node: &str) -> Result<(), StanzaError> {
        self.delete_node(&account.bare(), node, None)
    }
}

//! Who is told of a change (XEP-0060 §7.1.2, §9; XEP-0163 §4.3), and the last item for those who come.
//!
//! Explicit subscribers get notifications at the address that they have subscribed with. With personal eventing there
//! are the implicit ones: the account's own resources, and those of contacts that get its presence and have shown it
//! theirs. They get what their capabilities say that they want, each at its full address. Whoever is blocked gets
//! nothing.

use std::collections::BTreeSet;

use super::{Interests, Item};
use crate::core::{Core, SessionId, time};
use crate::jid::Jid;
use crate::stanza::{MessageType, Stanza};
use crate::store::record::{AccessModel, SendLast};
use crate::xml::ns;
use crate::xml::{Element, Payload};

/// Bytes of a last item with which it comes unasked-for. Nobody's contacts shall be able to fill its outbox at every
/// login: of a larger one only the id comes, and of many no more than there is room for.
const MAX_LAST: usize = 16 * 1024;

/// What stands around an item in its message, at most.
const OVERHEAD: usize = 8 * 1024;

/// XEP-0060 §4.3
fn event(child: Element) -> Element {
    Element::new("event", ns::PUBSUB_EVENT).child(child)
}

fn of_node(name: &'static str, node: &str) -> Element {
    Element::new(name, ns::PUBSUB_EVENT).attr("node", node)
}

impl Core {
    // §7.1.2.1, §7.1.2.2
    pub(super) fn notify_item(&mut self, owner: &Jid, name: &str, item: &Item) {
        let Some(event) = self.item_event(owner, name, item) else { return };
        self.notify(owner, name, event);
    }

    fn item_event(&mut self, owner: &Jid, name: &str, item: &Item) -> Option<Element> {
        let node = self.node(owner, name).ok()?;
        let config = node.config();
        let mut items = of_node("items", name);
        // §7.1.1: a transient node without payloads has nothing to show but that something has happened.
        if config.persist_items || config.deliver_payloads {
            items.push(item.to_element(ns::PUBSUB_EVENT, config.deliver_payloads, node));
        }
        Some(event(items))
    }

    // §7.2.2.1
    pub(super) fn notify_retracted(&mut self, owner: &Jid, name: &str, item: &str) {
        let retract = Element::new("retract", ns::PUBSUB_EVENT).attr("id", item);
        self.notify(owner, name, event(of_node("items", name).child(retract)));
    }

    // §8.5.2
    pub(super) fn notify_purged(&mut self, owner: &Jid, name: &str) {
        if self.node(owner, name).is_ok_and(|node| node.config().notify_retract) {
            self.notify(owner, name, event(of_node("purge", name)));
        }
    }

    /// Who will have to hear that a node is gone: found while it is still there.
    pub(super) fn told_of_deletion(&mut self, owner: &Jid, name: &str) -> Vec<Jid> {
        let Ok(node) = self.node(owner, name) else { return Vec::new() };
        if !node.config().notify_delete {
            return Vec::new();
        }
        // §8.4.2: pending ones, too
        let pending = node.people.subscriptions.iter().filter(|subscriber| subscriber.pending);
        let mut told: Vec<Jid> = pending.filter_map(|subscriber| Jid::parse(&subscriber.jid).ok()).collect();
        let recipients = self.recipients(owner, name);
        told.extend(recipients.into_iter().filter(|jid| !told.contains(jid)).collect::<Vec<_>>());
        told
    }

    // §8.4.2
    pub(super) fn notify_deleted(&mut self, owner: &Jid, name: &str, redirect: Option<&str>, told: Vec<Jid>) {
        let mut delete = of_node("delete", name);
        if let Some(uri) = redirect {
            delete = delete.child(Element::new("redirect", ns::PUBSUB_EVENT).attr("uri", uri));
        }
        self.send_event(owner, told, MessageType::Headline, &[event(delete)]);
    }

    // §8.2.5.3
    pub(super) fn notify_config(&mut self, owner: &Jid, name: &str) {
        let Ok(node) = self.node(owner, name) else { return };
        if !node.config().notify_config {
            return;
        }
        let mut configuration = of_node("configuration", name);
        if node.config().deliver_payloads {
            configuration.push(super::form::tell(node.config()));
        }
        self.notify(owner, name, event(configuration));
    }

    /// §12.20: the state of one's subscription has changed by somebody else.
    pub fn notify_subscription(&mut self, owner: &Jid, name: &str, jid: &Jid, state: &str) {
        self.notify_subscription_to(owner, name, jid, state, jid);
    }

    /// The same for somebody else, such as an owner.
    pub fn notify_subscription_to(&mut self, owner: &Jid, name: &str, jid: &Jid, state: &str, to: &Jid) {
        let subscription =
            of_node("subscription", name).attr("jid", jid.as_str()).attr("subscription", state);
        self.send_event(owner, vec![to.clone()], MessageType::Headline, &[event(subscription)]);
    }

    fn notify(&mut self, owner: &Jid, name: &str, event: Element) {
        let kind = match self.node(owner, name) {
            Ok(node) if node.config().normal_messages => MessageType::Normal,
            _ => MessageType::Headline,
        };
        let recipients = self.recipients(owner, name);
        self.send_event(owner, recipients.into_iter().collect(), kind, &[event]);
    }

    fn send_event(&mut self, owner: &Jid, to: Vec<Jid>, kind: MessageType, content: &[Element]) {
        if to.is_empty() {
            return;
        }
        let payload = Payload::from_elements(content);
        for to in to {
            let id = self.random_word();
            let mut message = Stanza::message(kind).from(owner).to(&to);
            message.id = Some(id.into());
            message.payload = payload.clone();
            self.route(message);
        }
    }

    /// Each address that gets a notification from a node, once.
    fn recipients(&mut self, owner: &Jid, name: &str) -> BTreeSet<Jid> {
        let Ok(node) = self.node(owner, name) else { return BTreeSet::new() };
        if !node.config().deliver_notifications {
            return BTreeSet::new();
        }
        let wanting =
            node.people.subscriptions.iter().filter(|subscriber| !subscriber.pending && subscriber.deliver);
        let explicit: Vec<Jid> = wanting.filter_map(|subscriber| Jid::parse(&subscriber.jid).ok()).collect();
        let mut recipients = match owner.local() {
            Some(_) => self.interested(owner, name),
            None => BTreeSet::new(),
        };
        for jid in explicit {
            // XEP-0163 §4.3.2: not to the bare address of someone whose resources are known and interested.
            let reached = jid.is_bare() && recipients.iter().any(|resource| resource.same_bare(&jid));
            if !reached && self.may_be_told(owner, name, &jid) {
                recipients.insert(jid);
            }
        }
        recipients
    }

    /// Resources that want notifications of a node of an account without having subscribed.
    fn interested(&mut self, account: &Jid, name: &str) -> BTreeSet<Jid> {
        let sessions = self.available_sessions(account).filter(|session| session.interests.contains(name));
        let mut resources: BTreeSet<Jid> = sessions.map(|session| session.jid.clone()).collect();
        // Whether anyone else may be told at all costs nothing to find out, and a roster may be long.
        let Ok(access) = self.node(account, name).map(|node| node.config().access_model) else {
            return resources;
        };
        let elsewhere =
            self.pubsub.elsewhere.of(account).iter().filter(|(_, interests)| interests.contains(name));
        let mut others: Vec<Jid> = elsewhere.map(|(resource, _)| resource.clone()).collect();
        if let Some(loaded) = self.loaded(account) {
            for contact in loaded.audience().filter(|contact| self.is_host(contact.domain())) {
                let sessions = self.available_sessions(contact);
                let wanting = sessions.filter(|session| session.interests.contains(name));
                others.extend(wanting.map(|session| session.jid.clone()));
            }
        }
        for resource in others {
            if self.is_implicit(account, access, &resource) && self.may_be_told(account, name, &resource) {
                resources.insert(resource);
            }
        }
        resources
    }

    /// Whether a resource of someone else counts as a subscriber of an account's node for its presence (§9.1): a
    /// contact that has shown its own, or a stranger that has, where everyone may read.
    fn is_implicit(&self, account: &Jid, access: AccessModel, resource: &Jid) -> bool {
        let is_contact = self.loaded(account).is_some_and(|loaded| loaded.roster.is_subscriber(resource));
        let shown = !self.is_host(resource.domain()) || self.shares_presence(&resource.bare(), account);
        shown && (is_contact || access == AccessModel::Open)
    }

    /// Whether someone may have what a node says, and is not blocked.
    fn may_be_told(&mut self, owner: &Jid, name: &str, jid: &Jid) -> bool {
        let blocked = owner.local().is_some() && self.account(owner).is_ok_and(|account| account.blocks(jid));
        !blocked && self.may_read(owner, name, jid).is_ok()
    }

    /// The last item for someone who has just subscribed (§6.1.7).
    pub fn send_last_to_subscriber(&mut self, owner: &Jid, name: &str, jid: &Jid) {
        if self.node(owner, name).is_ok_and(|node| node.config().send_last != SendLast::Never) {
            self.send_last(owner, name, jid);
        }
    }

    fn send_last(&mut self, owner: &Jid, name: &str, to: &Jid) {
        let Ok(Some(mut item)) = self.last_item(owner, name) else { return };
        let size = item.payload.as_ref().map_or(0, |payload| payload.to_bytes(ns::CLIENT).len());
        if size > MAX_LAST && !owner.same_bare(to) {
            item.payload = None;
        }
        let Some(event) = self.item_event(owner, name, &item) else { return };
        let delay = Element::new("delay", ns::DELAY).attr("stamp", time::datetime(item.published));
        let session = self.session_of(to).map(|session| session.id);
        if session.is_some_and(|session| !self.has_room(session, size + OVERHEAD)) {
            return;
        }
        self.send_event(owner, vec![to.clone()], MessageType::Headline, &[event, delay]);
    }

    /// A session of ours is available and its capabilities are known: it gets the last items of the nodes that it
    /// wants and did not want before, of its own account and of each contact whose presence it gets
    /// (XEP-0163 §4.3.3, §4.3.4).
    pub(crate) fn session_interested(&mut self, session: SessionId, interests: Interests) {
        let Some(state) = self.session_mut(session) else { return };
        let before = std::mem::replace(&mut state.interests, interests.clone());
        let jid = state.jid.clone();
        let wanted: Vec<&str> = interests.beyond(&before).collect();
        let Some(account) = self.loaded(&jid).filter(|_| !wanted.is_empty()) else { return };
        let contacts = account.roster.iter().filter(|(_, item)| item.subscription.to());
        let contacts = contacts.map(|(contact, _)| contact).filter(|contact| self.is_host(contact.domain()));
        let owners: Vec<Jid> = std::iter::once(&account.jid).chain(contacts).cloned().collect();
        for owner in owners {
            self.send_wanted(&owner, &jid, &wanted);
        }
    }

    /// A resource that is no session of an account's contact here has shown the account its presence.
    pub(crate) fn elsewhere_present(&mut self, account: &Jid, resource: &Jid) {
        self.pubsub.elsewhere.present(account, resource);
    }

    /// And wants these.
    pub(crate) fn elsewhere_interested(&mut self, account: &Jid, resource: &Jid, interests: &Interests) {
        let Some(before) = self.pubsub.elsewhere.set(account, resource, interests) else { return };
        let wanted: Vec<&str> = interests.beyond(&before).collect();
        self.send_wanted(account, resource, &wanted);
    }

    /// It has gone again, or its presence is known otherwise.
    pub(crate) fn elsewhere_gone(&mut self, account: &Jid, resource: &Jid) {
        self.pubsub.elsewhere.gone(account, resource);
    }

    /// Sends a resource the last items of those of an account's nodes that it wants and may have.
    pub(crate) fn send_wanted(&mut self, account: &Jid, resource: &Jid, wanted: &[&str]) {
        for name in wanted {
            let Ok(node) = self.node(account, name) else { continue };
            let (config, has_items) = (node.config(), node.record.last != 0);
            if !has_items || config.send_last != SendLast::OnSubAndPresence || !config.deliver_notifications {
                continue;
            }
            let access = config.access_model;
            let is_own = resource.same_bare(account);
            // Whether it is a contact stands in the account's own roster.
            let implicit =
                is_own || self.account(account).is_ok() && self.is_implicit(account, access, resource);
            if implicit && self.may_be_told(account, name, resource) {
                self.send_last(account, name, resource);
            }
        }
    }
}

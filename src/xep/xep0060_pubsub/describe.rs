//! What the service, accounts and nodes say of themselves (XEP-0060 §5.1 to §5.5). Nobody sees a node that they may
//! not subscribe to.

use crate::core::disco::{Entity, Identity, Info, Item};
use crate::core::form::{Field, FieldType, Form};
use crate::core::pubsub::{Node, is_detail};
use crate::core::{Core, ServiceKind, time};
use crate::jid::Jid;
use crate::stanza::Condition;
use crate::store::record::{Affiliation, MAX_ITEMS};
use crate::xml::Element;
use crate::xml::ns;

/// Nodes, or items of one, that a list has at most.
const MAX_LISTED: usize = 2000;

/// §10: what an account's nodes can do.
pub const FEATURES: &[&str] = &[
    ns::PUBSUB,
    ns::RSM,
    "http://jabber.org/protocol/pubsub#access-presence",
    "http://jabber.org/protocol/pubsub#auto-create",
    "http://jabber.org/protocol/pubsub#auto-subscribe",
    "http://jabber.org/protocol/pubsub#config-node",
    "http://jabber.org/protocol/pubsub#config-node-max",
    "http://jabber.org/protocol/pubsub#create-and-configure",
    "http://jabber.org/protocol/pubsub#create-nodes",
    "http://jabber.org/protocol/pubsub#delete-items",
    "http://jabber.org/protocol/pubsub#delete-nodes",
    "http://jabber.org/protocol/pubsub#filtered-notifications",
    "http://jabber.org/protocol/pubsub#item-ids",
    "http://jabber.org/protocol/pubsub#last-published",
    "http://jabber.org/protocol/pubsub#manage-subscriptions",
    "http://jabber.org/protocol/pubsub#member-affiliation",
    "http://jabber.org/protocol/pubsub#meta-data",
    "http://jabber.org/protocol/pubsub#modify-affiliations",
    "http://jabber.org/protocol/pubsub#multi-items",
    "http://jabber.org/protocol/pubsub#outcast-affiliation",
    "http://jabber.org/protocol/pubsub#persistent-items",
    "http://jabber.org/protocol/pubsub#presence-notifications",
    "http://jabber.org/protocol/pubsub#presence-subscribe",
    "http://jabber.org/protocol/pubsub#publish",
    "http://jabber.org/protocol/pubsub#publish-node-full",
    "http://jabber.org/protocol/pubsub#publish-only-affiliation",
    "http://jabber.org/protocol/pubsub#publish-options",
    "http://jabber.org/protocol/pubsub#publisher-affiliation",
    "http://jabber.org/protocol/pubsub#pubsub-on-a-jid",
    "http://jabber.org/protocol/pubsub#purge-nodes",
    "http://jabber.org/protocol/pubsub#retract-items",
    "http://jabber.org/protocol/pubsub#retrieve-affiliations",
    "http://jabber.org/protocol/pubsub#retrieve-default",
    "http://jabber.org/protocol/pubsub#retrieve-default-sub",
    "http://jabber.org/protocol/pubsub#retrieve-items",
    "http://jabber.org/protocol/pubsub#retrieve-subscriptions",
    "http://jabber.org/protocol/pubsub#rsm",
    "http://jabber.org/protocol/pubsub#subscribe",
    "http://jabber.org/protocol/pubsub#subscription-notifications",
    "http://jabber.org/protocol/pubsub#subscription-options",
];

/// What of these a service can't do: it knows nobody's presence.
const ACCOUNTS_ONLY: &[&str] = &[
    "http://jabber.org/protocol/pubsub#access-presence",
    "http://jabber.org/protocol/pubsub#auto-subscribe",
    "http://jabber.org/protocol/pubsub#filtered-notifications",
    "http://jabber.org/protocol/pubsub#last-published",
    "http://jabber.org/protocol/pubsub#presence-notifications",
    "http://jabber.org/protocol/pubsub#presence-subscribe",
    "http://jabber.org/protocol/pubsub#pubsub-on-a-jid",
];

/// And what it can do beyond.
const SERVICE_ONLY: &[&str] =
    &["http://jabber.org/protocol/pubsub#access-open", "http://jabber.org/protocol/pubsub#instant-nodes"];

pub fn info(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let is_service = is_service(core, entity.address);
    let identity = |kind, name: &str| Identity { category: "pubsub", kind, name: name.to_owned() };
    match entity.node {
        None if is_service => {
            info.identities.push(identity("service", "stube"));
            let of_accounts = FEATURES.iter().filter(|feature| !ACCOUNTS_ONLY.contains(feature));
            info.features.extend(of_accounts.chain(SERVICE_ONLY));
        }
        None if entity.is_account() => info.identities.push(identity("pep", "")),
        Some(name) if is_service || entity.address.local().is_some() => {
            let owner = entity.address.bare();
            if !core.node_exists(&owner, name).unwrap_or(false) {
                return;
            }
            if !may_see(core, &owner, name, entity.asker) {
                info.refused = Some(Condition::Forbidden);
                return;
            }
            let Ok(node) = core.node(&owner, name) else { return };
            info.identities.push(identity("leaf", node.config().title.as_deref().unwrap_or_default()));
            info.features.extend([ns::PUBSUB, ns::DISCO_INFO, ns::DISCO_ITEMS]);
            info.forms.push(meta_data(node, &owner));
        }
        _ => {}
    }
}

// §5.2, §5.5
pub fn items(core: &mut Core, entity: &Entity<'_>, items: &mut Vec<Item>) {
    if !is_service(core, entity.address) && entity.address.local().is_none() {
        return;
    }
    let owner = entity.address.bare();
    match entity.node {
        None => {
            for name in core.node_names(&owner).unwrap_or_default() {
                if items.len() < MAX_LISTED && may_see(core, &owner, &name, entity.asker) {
                    let title = core.node(&owner, &name).ok().and_then(|node| node.config().title.clone());
                    items.push(Item { jid: owner.clone(), node: Some(name), name: title });
                }
            }
        }
        Some(name) if core.may_read(&owner, name, entity.asker).is_ok() => {
            let ids = core.item_ids(&owner, name).unwrap_or_default();
            let item = |id| Item { jid: owner.clone(), node: None, name: Some(id) };
            items.extend(ids.into_iter().take(MAX_LISTED).map(item));
        }
        Some(_) => {}
    }
}

fn is_service(core: &Core, address: &Jid) -> bool {
    address.local().is_none()
        && core.service(address.domain()).is_some_and(|service| service.kind == ServiceKind::Pubsub)
}

/// Who may subscribe, now or once an owner has approved it.
fn may_see(core: &mut Core, owner: &Jid, name: &str, asker: &Jid) -> bool {
    match core.may_read(owner, name, asker) {
        Ok(()) => true,
        Err(error) => is_detail(&error, "not-subscribed"),
    }
}

// §5.4, §16.4.5
fn meta_data(node: &Node, owner: &Jid) -> Element {
    let text = |var, values: Vec<String>| Field::new(FieldType::TextSingle, var).values(values);
    let config = node.config();
    let publishers = node.people.affiliations.iter().filter(|(_, it)| *it == Affiliation::Publisher);
    let subscribers = node.people.subscriptions.iter().filter(|it| !it.pending).count();
    let max_items = if config.max_items == MAX_ITEMS { "max".into() } else { config.max_items.to_string() };
    let form = Form::tell(ns::PUBSUB_META_DATA)
        .field(text("pubsub#title", config.title.iter().cloned().collect()))
        .field(text("pubsub#description", config.description.iter().cloned().collect()))
        .field(text("pubsub#language", config.language.iter().cloned().collect()))
        .field(text("pubsub#type", config.payload_type.iter().cloned().collect()))
        .field(text("pubsub#creation_date", vec![time::datetime(node.record.created * 1000)]))
        .field(Field::new(FieldType::JidSingle, "pubsub#creator").values([&node.record.creator]))
        .field(Field::new(FieldType::JidMulti, "pubsub#owner").values(node.owners(owner)))
        .field(Field::new(FieldType::JidMulti, "pubsub#publisher").values(publishers.map(|(jid, _)| jid)))
        .field(Field::new(FieldType::JidMulti, "pubsub#contact").values(&config.contacts))
        .field(text("pubsub#access_model", vec![config.access_model.name().into()]))
        .field(text("pubsub#publish_model", vec![config.publish_model.name().into()]))
        .field(text("pubsub#num_subscribers", vec![subscribers.to_string()]))
        .field(text("pubsub#max_items", vec![max_items]));
    form.to_element()
}

//! Service discovery (XEP-0030, XEP-0128): what the server and its accounts say of themselves, put together
//! from what every module adds.
//!
//! An account answers those who get its presence; to others it looks like one that does not exist (§8).

use crate::core::disco::{Entity, Identity, Info, Item};
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::core::{Core, Unavailable};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "disco",
    specs: &[Spec::Xep(30, "2.5.0"), Spec::Xep(128, "1.0.1")],
    features: &[ns::DISCO_INFO, ns::DISCO_ITEMS],
    account_features: &[ns::DISCO_INFO, ns::DISCO_ITEMS],
    room_features: &[ns::DISCO_INFO, ns::DISCO_ITEMS],
    iq: &[
        Route { ns: ns::DISCO_INFO, name: "query", target: Target::Server, handle: info },
        Route { ns: ns::DISCO_INFO, name: "query", target: Target::AnyService, handle: info },
        Route { ns: ns::DISCO_INFO, name: "query", target: Target::Account, handle: info },
        Route { ns: ns::DISCO_INFO, name: "query", target: Target::Room, handle: info },
        Route { ns: ns::DISCO_ITEMS, name: "query", target: Target::Server, handle: items },
        Route { ns: ns::DISCO_ITEMS, name: "query", target: Target::Room, handle: items },
        Route { ns: ns::DISCO_ITEMS, name: "query", target: Target::AnyService, handle: items },
        Route { ns: ns::DISCO_ITEMS, name: "query", target: Target::Account, handle: items },
    ],
    nobody: Some(nobody),
    info: Some(describe),
    items: Some(belongings),
    ..Module::NONE
};

// §3.1, §3.2
fn info(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (address, asker, node) = question(stanza)?;
    if !may_ask(core, &address, &asker)? {
        return Err(Condition::ServiceUnavailable.into()); // §8
    }
    let entity = Entity::new(core, &address, node.as_deref(), &asker);
    let info = describe_entity(core, &entity)?;
    Ok(Answer::Result(Some(info.to_element(node.as_deref()))))
}

// §4.1, §4.2
fn items(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (address, asker, node) = question(stanza)?;
    let query = items_query(node.as_deref());
    if !may_ask(core, &address, &asker)? {
        return Ok(Answer::Result(Some(query))); // §8
    }
    let entity = Entity::new(core, &address, node.as_deref(), &asker);
    let items = core.items(&entity);
    if items.is_empty() && node.is_some() {
        describe_entity(core, &entity)?;
    }
    Ok(Answer::Result(Some(items.into_iter().fold(query, |query, item| query.child(item_element(&item))))))
}

/// §8: what a stranger sees of an account that does exist.
fn nobody(_: &mut Core, stanza: &Stanza) -> Option<Result<Element, StanzaError>> {
    let asks = stanza.request()?.is("query", ns::DISCO_ITEMS) && stanza.to.as_ref().is_some_and(Jid::is_bare);
    let (.., node) = asks.then(|| question(stanza).ok()).flatten()?;
    Some(Ok(items_query(node.as_deref())))
}

fn items_query(node: Option<&str>) -> Element {
    let query = Element::new("query", ns::DISCO_ITEMS);
    node.into_iter().fold(query, |query, node| query.attr("node", node))
}

// §7
fn describe_entity(core: &mut Core, entity: &Entity<'_>) -> Result<Info, StanzaError> {
    let info = core.info(entity);
    if let Some(condition) = info.refused {
        return Err(condition.into());
    }
    if info.is_empty() {
        return Err(Condition::ItemNotFound.into()); // no such node
    }
    Ok(info)
}

fn item_element(item: &Item) -> Element {
    let mut element = Element::new("item", ns::DISCO_ITEMS).attr("jid", item.jid.as_str());
    if let Some(node) = &item.node {
        element = element.attr("node", node);
    }
    if let Some(name) = &item.name {
        element = element.attr("name", name);
    }
    element
}

fn question(stanza: &Stanza) -> Result<(Jid, Jid, Option<String>), StanzaError> {
    let (Kind::Iq(IqType::Get), Some(to), Some(from)) = (stanza.kind, &stanza.to, &stanza.from) else {
        return Err(Condition::BadRequest.into());
    };
    let query = stanza.request().map(|child| child.to_element());
    let node = query.as_ref().and_then(|query| query.get_attr("node")).filter(|node| !node.is_empty());
    Ok((to.clone(), from.clone(), node.map(str::to_owned)))
}

/// The server and its rooms answer everyone; an account those who may see its presence.
fn may_ask(core: &mut Core, address: &Jid, asker: &Jid) -> Result<bool, Unavailable> {
    if address.local().is_none() || core.is_room(address) || address.same_bare(asker) {
        return Ok(true);
    }
    Ok(core.account(address)?.roster.is_subscriber(asker))
}

fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let identity = |category, kind, name: &str| Identity { category, kind, name: name.into() };
    if entity.is_server(core) {
        info.identities.push(identity("server", "im", "stube"));
    } else if entity.is_account() {
        info.identities.push(identity("account", "registered", ""));
    }
}

/// An account's items are its available resources (§8), a domain's are its services.
fn belongings(core: &mut Core, entity: &Entity<'_>, items: &mut Vec<Item>) {
    let item = |jid: &Jid| Item { jid: jid.clone(), node: None, name: None };
    if entity.is_server(core) {
        let services = core.services().iter().filter(|service| service.host == *entity.address);
        items.extend(services.map(|service| item(&service.address)));
    }
    if entity.is_account() {
        let resources = core.available_sessions(entity.address);
        items.extend(resources.map(|session| item(&session.jid)));
    }
}

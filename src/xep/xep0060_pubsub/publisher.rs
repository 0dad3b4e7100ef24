//! What publishers ask for (XEP-0060 §7).

use super::{Request, may_create, pubsub, unsupported};
use crate::core::Core;
use crate::core::module::Answer;
use crate::core::pubsub::{MAX_NAME, NewItem, form, pubsub_error};
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{Affiliation, NodeConfig};
use crate::xml::Element;
use crate::xml::ns;

// §7.1
pub fn publish(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    let exists = core.node_exists(owner, name)?;
    if exists {
        core.may_publish(owner, name, &request.from)?;
    } else if !may_create(core, owner, &request.from) {
        // Of what others have not got, nobody learns that it isn't there.
        let condition = if owner.local().is_some() { Condition::Forbidden } else { Condition::ItemNotFound };
        return Err(condition.into());
    }
    let config = if exists { core.node(owner, name)?.config().clone() } else { core.default_config(owner) };
    let config = meet_preconditions(core, request, config, exists)?;
    let (id, payload) = published_item(request, &config)?;
    let new = NewItem { id: id.as_deref(), payload, publisher: &request.from };
    let persists = config.persist_items;
    let shows_item = persists || config.deliver_payloads;
    let id = core.publish(owner, name, new, (!exists).then_some(config))?;
    let mut published = Element::new("publish", ns::PUBSUB).attr("node", name);
    if shows_item {
        published.push(Element::new("item", ns::PUBSUB).attr("id", id));
    }
    let answer = pubsub(published);
    Ok(if persists || !exists { Answer::Kept(answer) } else { Answer::Result(answer) })
}

/// §7.1.5: what the node is like, or will be once it has been made.
fn meet_preconditions(
    core: &Core,
    request: &Request<'_>,
    config: NodeConfig,
    exists: bool,
) -> Result<NodeConfig, StanzaError> {
    let Some(options) = request.companion("publish-options") else { return Ok(config) };
    let form = options.find("x", ns::DATA_FORMS).ok_or(Condition::BadRequest)?;
    let met = form::preconditions(&config, form, core.config.limits.pubsub_items.max_len())?;
    if exists && met != config {
        return Err(pubsub_error(Condition::Conflict, "precondition-not-met"));
    }
    Ok(met)
}

/// §7.1.3.6, §7.1.3.7: the item's id and payload, as the node wants them.
fn published_item(
    request: &Request<'_>,
    config: &NodeConfig,
) -> Result<(Option<String>, Option<Element>), StanzaError> {
    let bad = |detail| pubsub_error(Condition::BadRequest, detail);
    let mut items = request.action.children();
    let item = items.next();
    if items.next().is_some() || item.is_some_and(|item| !item.is("item", ns::PUBSUB)) {
        return Err(Condition::BadRequest.into());
    }
    let Some(item) = item else {
        return match (config.persist_items, config.deliver_payloads) {
            (true, _) => Err(bad("item-required")),
            (false, true) => Err(bad("payload-required")),
            (false, false) => Ok((None, None)),
        };
    };
    if !config.persist_items && !config.deliver_payloads {
        return Err(bad("item-forbidden"));
    }
    let id = item.get_attr("id").filter(|id| !id.is_empty());
    if id.is_some_and(|id| id.len() > MAX_NAME) {
        return Err(StanzaError::new(Condition::NotAcceptable, "This id is too long."));
    }
    let mut payloads = item.children();
    let payload = payloads.next();
    if payloads.next().is_some() {
        return Err(bad("invalid-payload"));
    }
    if payload.is_none() && config.deliver_payloads {
        return Err(bad("payload-required"));
    }
    Ok((id.map(str::to_owned), payload.cloned()))
}

// §7.2
pub fn retract(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?); // §7.2.3.3
    let items: Vec<&Element> = request.action.children().collect();
    let ids = items
        .iter()
        .map(|item| item.get_attr("id").filter(|id| item.is("item", ns::PUBSUB) && !id.is_empty()));
    let ids: Option<Vec<&str>> = ids.collect();
    let ids = ids.filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| pubsub_error(Condition::BadRequest, "item-required"))?; // §7.2.3.4
    let node = core.node(owner, name)?;
    let is_owner = node.affiliation(owner, &request.from) == Affiliation::Owner;
    if !is_owner {
        core.may_publish(owner, name, &request.from)?; // §7.2.3.1
    }
    let config = core.node(owner, name)?.config();
    if !config.persist_items {
        return Err(unsupported("persistent-items")); // §7.2.3.5
    }
    let notify = config.notify_retract || matches!(request.action.get_attr("notify"), Some("1" | "true"));
    // All of them or none.
    for id in &ids {
        let item = core.item(owner, name, id)?.ok_or(Condition::ItemNotFound)?; // §7.2.3.2
        if !is_owner && item.publisher != request.from.bare_str() {
            return Err(Condition::Forbidden.into());
        }
    }
    for id in ids {
        core.retract(owner, name, id, notify)?;
    }
    Ok(Answer::Kept(None))
}

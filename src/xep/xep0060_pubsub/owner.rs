//! What owners do with nodes (XEP-0060 §8.1 to §8.5).

use super::{Request, may_create, pubsub, pubsub_owner, unsupported};
use crate::core::Core;
use crate::core::module::Answer;
use crate::core::pubsub::{form, pubsub_error};
use crate::stanza::{Condition, StanzaError};
use crate::store::record::NodeConfig;
use crate::xml::Element;
use crate::xml::ns;

/// Bytes of the address where a deleted node is now.
const MAX_REDIRECT: usize = 2048;

// §8.1
pub fn create(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let owner = &request.owner;
    if !may_create(core, owner, &request.from) {
        return Err(Condition::Forbidden.into());
    }
    let name = match request.node() {
        Some(name) => name.to_owned(),
        None if owner.local().is_some() => {
            return Err(pubsub_error(Condition::NotAcceptable, "nodeid-required"));
        }
        None => core.random_word(),
    };
    let mut config = core.default_config(owner);
    // §8.1.3
    if let Some(other) = request.pubsub.children().nth(1) {
        if !other.is("configure", ns::PUBSUB) || other.get_attr("node").is_some() {
            return Err(Condition::BadRequest.into());
        }
        if let Some(form) = other.find("x", ns::DATA_FORMS) {
            config = submitted(core, &config, form)?;
        }
    }
    core.create_node(owner, &name, &request.from, config)?;
    Ok(Answer::Kept(pubsub(Element::new("create", ns::PUBSUB).attr("node", name))))
}

fn submitted(core: &Core, config: &NodeConfig, form: &Element) -> Result<NodeConfig, StanzaError> {
    form::configured(config, form, core.config.limits.pubsub_items.max_len())
}

// §8.2.1
pub fn configuration(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let name = request.required_node()?; // §8.2.3.3
    core.must_own(&request.owner, name, &request.from)?; // §8.2.3.2
    let form = form::ask(core.node(&request.owner, name)?.config());
    let configure = Element::new("configure", ns::PUBSUB_OWNER).attr("node", name).child(form);
    Ok(Answer::Result(pubsub_owner(configure)))
}

// §8.2.4
pub fn configure(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.must_own(owner, name, &request.from)?;
    let form = request.action.find("x", ns::DATA_FORMS).ok_or(Condition::BadRequest)?;
    if form.get_attr("type") == Some("cancel") {
        return Ok(Answer::Result(None));
    }
    let config = core.node(owner, name)?.config().clone();
    let config = submitted(core, &config, form)?;
    core.configure_node(owner, name, config)?;
    core.cancel_lost_subscriptions(owner, name)?;
    Ok(Answer::Kept(None))
}

// §8.3
pub fn default_configuration(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let form = form::ask(&core.default_config(&request.owner));
    Ok(Answer::Result(pubsub_owner(Element::new("default", ns::PUBSUB_OWNER).child(form))))
}

// §8.4
pub fn delete(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.must_own(owner, name, &request.from)?;
    let redirect = request.action.find("redirect", ns::PUBSUB_OWNER).and_then(|it| it.get_attr("uri"));
    if redirect.is_some_and(|uri| uri.len() > MAX_REDIRECT) {
        return Err(Condition::BadRequest.into());
    }
    core.delete_node(owner, name, redirect)?;
    Ok(Answer::Kept(None))
}

// §8.5
pub fn purge(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.must_own(owner, name, &request.from)?;
    if !core.node(owner, name)?.config().persist_items {
        return Err(unsupported("persistent-items")); // §8.5.3.3
    }
    core.purge(owner, name)?;
    Ok(Answer::Kept(None))
}

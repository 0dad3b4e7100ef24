//! What subscribers ask for (XEP-0060 §5.6, §5.7, §6).

use super::{Request, approve, pubsub, unsupported};
use crate::core::Core;
use crate::core::form::{Field, FieldType, Form};
use crate::core::module::Answer;
use crate::core::pubsub::{Node, is_detail, pubsub_error};
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{Affiliation, Subscriber};
use crate::xml::Element;
use crate::xml::ns;

/// Subscriptions of one person, with different resources, to one node.
const MAX_RESOURCES: usize = 20;

// §6.1
pub fn subscribe(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let invalid = || pubsub_error(Condition::BadRequest, "invalid-jid");
    let jid = request.own_jid(invalid(), invalid())?; // §6.1.3.1
    let name = request.required_node()?;
    let owner = &request.owner;
    let node = core.node(owner, name)?; // §6.1.3.12
    if !node.config().subscribe {
        return Err(unsupported("subscribe")); // §6.1.3.10
    }
    let known = node.people.subscriptions.iter().find(|known| known.jid == jid.as_str()).cloned();
    if known.as_ref().is_some_and(|known| known.pending) {
        return Err(pubsub_error(Condition::NotAuthorized, "pending-subscription")); // §6.1.3.7
    }
    if known.is_none() && node.subscriptions_of(&jid).count() >= MAX_RESOURCES {
        return Err(pubsub_error(Condition::PolicyViolation, "too-many-subscriptions")); // §6.1.3.9
    }
    let notify_owners = node.config().notify_sub;
    let pending = match core.may_read(owner, name, &jid) {
        Ok(()) => false,
        Err(error) if is_detail(&error, "not-subscribed") => true, // §6.1.4
        Err(error) => return Err(error),
    };
    let is_new = known.is_none();
    let known = known.unwrap_or(Subscriber { jid: jid.to_string(), pending, deliver: true });
    let deliver = match request.companion("options") {
        Some(options) => read_options(options, known.deliver)?, // §6.3.7
        None => known.deliver,
    };
    let subscriber = Subscriber { deliver, ..known };
    let answer = subscription(name, &subscriber, ns::PUBSUB);
    core.set_subscriber(owner, name, subscriber)?;
    if pending {
        approve::ask_owners(core, owner, name, &jid);
    } else if is_new {
        core.send_last_to_subscriber(owner, name, &jid); // §6.1.7
        if notify_owners {
            tell_owners(core, owner, name, &jid, "subscribed");
        }
    }
    Ok(Answer::Kept(pubsub(answer)))
}

// §6.2
pub fn unsubscribe(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let name = request.required_node()?;
    let owner = &request.owner;
    let node = core.node(owner, name)?; // §6.2.3.4
    let missing = pubsub_error(Condition::BadRequest, "invalid-jid");
    let jid = request.own_jid(missing, Condition::Forbidden.into())?; // §6.2.3.3
    if !node.people.subscriptions.iter().any(|known| known.jid == jid.as_str()) {
        return Err(pubsub_error(Condition::UnexpectedRequest, "not-subscribed")); // §6.2.3.2
    }
    let notify_owners = node.config().notify_sub;
    core.remove_subscriber(owner, name, &jid)?;
    if notify_owners {
        tell_owners(core, owner, name, &jid, "none");
    }
    let gone = Element::new("subscription", ns::PUBSUB)
        .attr("node", name)
        .attr("jid", jid.as_str())
        .attr("subscription", "none");
    Ok(Answer::Kept(pubsub(gone)))
}

/// `pubsub#notify_sub`
fn tell_owners(core: &mut Core, owner: &Jid, name: &str, jid: &Jid, state: &str) {
    let owners = core.node(owner, name).map(|node| node.owners(owner)).unwrap_or_default();
    for to in owners {
        core.notify_subscription_to(owner, name, jid, state, &to);
    }
}

/// `<subscription/>`, of whose node the caller says.
pub fn subscription(name: &str, subscriber: &Subscriber, ns: &str) -> Element {
    let state = if subscriber.pending { "pending" } else { "subscribed" };
    let element = Element::new("subscription", ns).attr("jid", &subscriber.jid).attr("subscription", state);
    if ns == ns::PUBSUB { element.attr("node", name) } else { element }
}

// §5.6
pub fn subscriptions(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let mut list = Element::new("subscriptions", ns::PUBSUB);
    if let Some(node) = request.node() {
        list = list.attr("node", node);
    }
    for name in names(core, request)? {
        let node = core.node(&request.owner, &name)?;
        for subscriber in node.subscriptions_of(&request.from) {
            list.push(subscription(&name, subscriber, ns::PUBSUB));
        }
    }
    Ok(Answer::Result(pubsub(list)))
}

// §5.7
pub fn affiliations(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let mut list = Element::new("affiliations", ns::PUBSUB);
    if let Some(node) = request.node() {
        list = list.attr("node", node);
    }
    for name in names(core, request)? {
        let affiliation = core.node(&request.owner, &name)?.affiliation(&request.owner, &request.from);
        if affiliation != Affiliation::None {
            let item = Element::new("affiliation", ns::PUBSUB).attr("node", &name);
            list.push(item.attr("affiliation", affiliation.name()));
        }
    }
    Ok(Answer::Result(pubsub(list)))
}

/// The node that is asked for, or all.
fn names(core: &mut Core, request: &Request<'_>) -> Result<Vec<String>, StanzaError> {
    match request.node() {
        Some(node) => core.node(&request.owner, node).map(|_| vec![node.to_owned()]),
        None => core.node_names(&request.owner),
    }
}

// §6.3.3
pub fn options(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (name, jid) = option_holder(request)?;
    let subscriber = own_subscription(core.node(&request.owner, name)?, &jid)?;
    let form = options_form(subscriber.deliver);
    let options =
        Element::new("options", ns::PUBSUB).attr("node", name).attr("jid", jid.as_str()).child(form);
    Ok(Answer::Result(pubsub(options)))
}

// §6.3.5
pub fn set_options(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (name, jid) = option_holder(request)?;
    let subscriber = own_subscription(core.node(&request.owner, name)?, &jid)?.clone();
    let deliver = read_options(request.action, subscriber.deliver)?;
    core.set_subscriber(&request.owner, name, Subscriber { deliver, ..subscriber })?;
    Ok(Answer::Kept(None))
}

// §6.4
pub fn default_options(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let mut default = Element::new("default", ns::PUBSUB);
    if let Some(name) = request.node() {
        core.node(&request.owner, name)?;
        default = default.attr("node", name);
    }
    Ok(Answer::Result(pubsub(default.child(options_form(true)))))
}

/// §6.3.4: the subscription that is meant must be given, and the asker's own.
fn option_holder<'a>(request: &'a Request<'_>) -> Result<(&'a str, Jid), StanzaError> {
    let name = request.required_node()?;
    let missing = pubsub_error(Condition::BadRequest, "jid-required");
    Ok((name, request.own_jid(missing, Condition::Forbidden.into())?))
}

fn own_subscription<'a>(node: &'a Node, jid: &Jid) -> Result<&'a Subscriber, StanzaError> {
    let mut all = node.people.subscriptions.iter();
    let own = all.find(|subscriber| subscriber.jid == jid.as_str());
    own.ok_or_else(|| pubsub_error(Condition::UnexpectedRequest, "not-subscribed"))
}

fn form(deliver: bool) -> Form {
    Form::ask(ns::PUBSUB_SUBSCRIBE_OPTIONS, "Options of a subscription", "").field(
        Field::new(FieldType::Boolean, "pubsub#deliver")
            .label("Send notifications")
            .values([u8::from(deliver)]),
    )
}

fn options_form(deliver: bool) -> Element {
    form(deliver).to_element()
}

/// Whether notifications are wanted, if the form says so.
fn read_options(holder: &Element, deliver: bool) -> Result<bool, StanzaError> {
    let form = holder.find("x", ns::DATA_FORMS).ok_or(Condition::BadRequest)?;
    match form.get_attr("type") {
        Some("cancel") => return Ok(deliver),
        Some("submit") => {}
        _ => return Err(Condition::BadRequest.into()),
    }
    let invalid = || pubsub_error(Condition::BadRequest, "invalid-options");
    let answers = self::form(deliver).read(form).map_err(|_| invalid())?;
    Ok(answers.value("pubsub#deliver").map_or(deliver, |value| matches!(value, "1" | "true")))
}

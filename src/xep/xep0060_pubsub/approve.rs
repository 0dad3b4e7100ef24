//! Subscriptions that an owner must approve (XEP-0060 §8.6): the question, a form in a message, and its answer.

use super::people;
use crate::core::Core;
use crate::core::form::{Field, FieldType, Form};
use crate::core::module::Flow;
use crate::jid::Jid;
use crate::stanza::{Condition, MessageType, Stanza, StanzaError};
use crate::xml::ns;
use crate::xml::{Element, Payload};

fn form() -> Form {
    Form::ask(
        ns::PUBSUB_SUBSCRIBE_AUTHORIZATION,
        "Somebody wants to subscribe",
        "Choose whether to allow this subscription.",
    )
}

fn fields(form: Form, node: &str, jid: &str) -> Form {
    form.field(Field::new(FieldType::TextSingle, "pubsub#node").label("Node").values([node]))
        .field(Field::new(FieldType::JidSingle, "pubsub#subscriber_jid").label("Who").values([jid]))
        .field(Field::new(FieldType::Boolean, "pubsub#allow").label("Allow it").values(["false"]))
}

/// Asks all owners; the first answer counts.
pub fn ask_owners(core: &mut Core, owner: &Jid, name: &str, jid: &Jid) {
    let Ok(owners) = core.node(owner, name).map(|node| node.owners(owner)) else { return };
    let payload = Payload::from_elements(&[fields(form(), name, jid.as_str()).to_element()]);
    for to in owners {
        let mut message = Stanza::message(MessageType::Normal).from(owner).to(&to);
        message.id = Some(core.random_word().into());
        message.payload = payload.clone();
        core.route(message);
    }
}

/// Takes an owner's answer.
pub fn answer(core: &mut Core, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let (Some(from), Some(to), Some(form)) =
        (&stanza.from, &stanza.to, stanza.payload.find("x", ns::DATA_FORMS))
    else {
        return Ok(Flow::Continue);
    };
    let form = form.to_element();
    if !is_answer(&form) {
        return Ok(Flow::Continue);
    }
    if form.get_attr("type") == Some("submit") {
        decide(core, &to.bare(), from, &form)?;
    }
    Ok(Flow::Done)
}

fn is_answer(form: &Element) -> bool {
    let mut fields = form.children().filter(|child| child.is("field", ns::DATA_FORMS));
    let form_type = fields.find(|field| field.get_attr("var") == Some("FORM_TYPE"));
    let value = form_type.and_then(|field| field.find("value", ns::DATA_FORMS));
    matches!(form.get_attr("type"), Some("submit" | "cancel"))
        && value.is_some_and(|value| value.text_content() == ns::PUBSUB_SUBSCRIBE_AUTHORIZATION)
}

fn decide(core: &mut Core, owner: &Jid, from: &Jid, submitted: &Element) -> Result<(), StanzaError> {
    let answers = fields(form(), "", "").read(submitted);
    let answers = answers.map_err(|wrong| StanzaError::new(Condition::BadRequest, wrong.to_string()))?;
    let (Some(name), Some(jid)) = (answers.value("pubsub#node"), answers.jid("pubsub#subscriber_jid")) else {
        return Err(Condition::BadRequest.into());
    };
    core.must_own(owner, name, from)?;
    let subscriptions = &core.node(owner, name)?.people.subscriptions;
    if !subscriptions.iter().any(|it| it.jid == jid.as_str() && it.pending) {
        return Ok(());
    }
    match answers.value("pubsub#allow") {
        Some("1" | "true") => people::approve(core, owner, name, &jid),
        _ => {
            core.remove_subscriber(owner, name, &jid)?;
            core.notify_subscription(owner, name, &jid, "none");
            Ok(())
        }
    }
}

//! Forms that come to a room in a message: a request for voice, and what those who decide say to it (`voice`, §8.6) or to
//! somebody who wants to be a member (`register`, §9.9).
//!
//! Nothing is stored of what waits for a decision: the form that is sent to those who decide says all of it, and with what
//! comes back they do what they could have done themselves.

use std::sync::Arc;

use super::{register, voice};
use crate::core::Core;
use crate::core::form::Form;
use crate::core::module::Flow;
use crate::jid::Jid;
use crate::stanza::{Condition, ErrorType, MessageType, Stanza, StanzaError};
use crate::xml::{Element, ns};

/// A message to a room that is for no occupant.
pub fn take(core: &mut Core, stanza: &Stanza, room: &Jid) -> Result<Flow, StanzaError> {
    let form = stanza.payload.find("x", ns::DATA_FORMS).map(|form| form.to_element());
    let Some((from, form)) = stanza.from.as_ref().zip(form) else { return Ok(Flow::Continue) };
    let take = match form_type(&form).as_deref() {
        Some(ns::MUC_REQUEST) => voice::take,
        Some(ns::MUC_REGISTER) => register::decided,
        _ => return Ok(Flow::Continue),
    };
    core.room(room)?;
    // Who closes a form without an answer has not decided.
    if form.get_attr("type") == Some("submit") {
        take(core, room, from, &form)?;
    }
    Ok(Flow::Done)
}

fn form_type(form: &Element) -> Option<String> {
    let mut fields = form.children().filter(|child| child.is("field", ns::DATA_FORMS));
    let field = fields.find(|field| field.get_attr("var") == Some("FORM_TYPE"))?;
    Some(field.find("value", ns::DATA_FORMS)?.text_content())
}

/// A question of a room's to those who decide.
pub fn question(core: &mut Core, room: &Jid, form: &Form) -> Stanza {
    let mut message = Stanza::message(MessageType::Normal).from(room).with(&form.to_element());
    message.id = Some(Arc::from(core.random_word()));
    message
}

/// Counts a request of somebody's, before those who decide are told of it.
pub fn admit(core: &mut Core, room: &Jid, from: &Jid) -> Result<(), StanzaError> {
    let now = core.now();
    if core.room(room)?.may_ask(from, now) {
        return Ok(());
    }
    let error = StanzaError::new(Condition::PolicyViolation, "You have asked already: give them some time.");
    Err(error.with_type(ErrorType::Wait))
}

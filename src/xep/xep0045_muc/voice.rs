//! A visitor asks for voice, and a moderator gives it (§7.13, §8.6).
//!
//! The room can be configured not to take such requests, and takes one in ten minutes from one person. Every moderator
//! who is in the room gets the form; the first who submits it decides, and later ones change nothing.

use super::admin::standing_of;
use super::forms;
use super::privileges;
use super::standing::{self, Cause};
use crate::core::Core;
use crate::core::form::{Field, FieldType, Form};
use crate::core::rooms::Occupant;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::Role;
use crate::xml::{Element, ns};

const ROLE: &str = "muc#role";
const PERSON: &str = "muc#jid";
const NICK: &str = "muc#roomnick";
const ALLOW: &str = "muc#request_allow";

const ROLES: &[(&str, &str)] = &[("Participant", "participant")];

/// A form about voice that somebody has submitted: with a decision it is a moderator's, without one a request.
pub fn take(core: &mut Core, room: &Jid, from: &Jid, submitted: &Element) -> Result<(), StanzaError> {
    let answers = form(None).read(submitted);
    let answers = answers.map_err(|why| StanzaError::new(Condition::BadRequest, why.to_string()))?;
    match answers.flag(ALLOW) {
        None => request(core, room, from),
        Some(false) => Ok(()),
        Some(true) => {
            grant(core, room, from, answers.value(NICK).unwrap_or_default(), answers.jid(PERSON).as_ref())
        }
    }
}

/// The form, as moderators get it for an occupant.
fn form(asker: Option<&Occupant>) -> Form {
    let jid = asker.and_then(|asker| asker.devices.last()).map(|device| &device.jid);
    Form::ask(ns::MUC_REQUEST, "Request for voice", "Somebody would like to speak in this room.")
        .field(
            Field::new(FieldType::ListSingle, ROLE)
                .label("Requested role")
                .values([Role::Participant.name()])
                .options(ROLES)
                .required(),
        )
        .field(Field::new(FieldType::JidSingle, PERSON).label("Who it is").values(jid))
        .field(Field::new(FieldType::TextSingle, NICK).label("Nick").values(asker.map(Occupant::nick)))
        .field(Field::new(FieldType::Boolean, ALLOW).label("Let them speak?").values(asker.map(|_| "0")))
}

// §7.13
fn request(core: &mut Core, room: &Jid, from: &Jid) -> Result<(), StanzaError> {
    let state = core.room(room)?;
    let asker = state.occupants.of(from).ok_or(Condition::NotAcceptable)?.clone();
    if !state.config().voice_requests {
        return Err(StanzaError::new(Condition::Forbidden, "This room takes no requests for voice."));
    }
    if asker.role != Role::Visitor {
        return Err(StanzaError::new(Condition::NotAllowed, "You may speak."));
    }
    if !state.occupants.iter().any(|occupant| occupant.role == Role::Moderator) {
        return Err(StanzaError::new(Condition::RecipientUnavailable, "No moderator is there."));
    }
    forms::admit(core, room, from)?;
    let question = forms::question(core, room, &form(Some(&asker)));
    core.tell_occupants(room, question, |occupant| occupant.role == Role::Moderator);
    Ok(())
}

/// §8.6: as if the moderator had granted it (§8.3). If somebody else has the nick by now, it is not theirs.
fn grant(
    core: &mut Core,
    room: &Jid,
    from: &Jid,
    nick: &str,
    person: Option<&Jid>,
) -> Result<(), StanzaError> {
    let state = core.room(room)?;
    let actor = standing_of(state, from);
    if actor.role < Role::Moderator {
        return Err(Condition::Forbidden.into());
    }
    let is_theirs = |occupant: &&Occupant| person.is_none_or(|person| occupant.real.same_bare(person));
    let target = state.occupants.get(nick).filter(is_theirs).ok_or(Condition::ItemNotFound)?;
    if target.role != Role::Visitor {
        return Ok(());
    }
    let (own, affiliation) = (target.real.same_bare(from), state.affiliation(&target.real));
    let target = privileges::Standing { role: target.role, affiliation };
    privileges::may_change_role(actor, target, Role::Participant, own)?;
    let cause = Cause::by(core, room, from);
    standing::set_role(core, room, nick, Role::Participant, &cause);
    Ok(())
}

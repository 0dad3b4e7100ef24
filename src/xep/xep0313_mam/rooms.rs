//! The archives of rooms (§6.1.2): what is said in them, who may read it, and whose real addresses they see.
//!
//! Whoever could enter a room may read its archive, from another domain too; others get `<forbidden/>`. A room that does not
//! archive has nothing to read, and what was archived before cannot be read while it does not. There are no preferences:
//! its owners decide for all.

use super::request;
use super::rules;
use crate::core::Core;
use crate::core::archive::View;
use crate::core::disco::Info;
use crate::core::module::{Answer, Flow};
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::{Element, ns};

// §7
pub fn describe(core: &Core, info: &mut Info) {
    if core.config.archive.enabled {
        info.features.extend([ns::ARCHIVE, ns::ARCHIVE_EXTENDED, ns::RSM]);
    }
}

/// What an occupant is about to say.
pub fn said(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    if rules::is_worth_archiving_in_room(stanza)
        && let (Some(from), Some(room)) = (stanza.from.clone(), &stanza.to)
        && let Some(occupant) = core.loaded_room(room).and_then(|room| room.occupants.of(&from))
    {
        let address = occupant.address.clone();
        core.keep_said(&address, &from, stanza);
    }
    Ok(Flow::Continue)
}

// §4, §4.1.5
pub fn query(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (owner, view) = open(core, stanza)?;
    if stanza.kind == Kind::Iq(IqType::Get) {
        return Ok(Answer::Result(Some(Element::new("query", ns::ARCHIVE).child(request::form(true)))));
    }
    let query = request::read(core, stanza, owner, view)?;
    let asker = stanza.from.as_ref().ok_or(Condition::BadRequest)?;
    match core.session_of(asker).map(|session| session.id) {
        Some(session) => core.ask_archive(session, query)?,
        None if core.is_local(asker.domain()) => {}
        None => core.ask_archive_from_elsewhere(query)?,
    }
    Ok(Answer::Later)
}

// §5
pub fn metadata(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (owner, _) = open(core, stanza)?;
    if stanza.kind != Kind::Iq(IqType::Get) {
        return Err(Condition::BadRequest.into());
    }
    core.archive_metadata(owner).map(|metadata| Answer::Result(Some(metadata)))
}

/// §6.1.2, §8.1: the id of the room whose archive is asked, and what whoever asks may see.
fn open(core: &mut Core, stanza: &Stanza) -> Result<(u32, View), StanzaError> {
    let (Some(asker), Some(address)) = (&stanza.from, &stanza.to) else {
        return Err(Condition::BadRequest.into());
    };
    let enabled = core.config.archive.enabled;
    let room = core.room(address)?;
    if !room.lets_in(asker) {
        return Err(Condition::Forbidden.into());
    }
    if !enabled || !room.config().archived {
        return Err(Condition::ServiceUnavailable.into());
    }
    let view = if room.shows_people_to(asker) { View::People } else { View::Occupants };
    Ok((room.record.id, view))
}

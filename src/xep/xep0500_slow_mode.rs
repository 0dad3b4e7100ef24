//! Slow mode (XEP-0500): in a room that its owners have made slow, a person says something only every so many seconds,
//! whatever the nick and the device. Admins and owners do not wait.
//!
//! In memory only, while the room is there; see `core/rooms/pace`. Its length is part of the room's configuration.

use crate::core::Core;
use crate::core::disco::{Entity, Info};
use crate::core::form::{Field, FieldType};
use crate::core::module::{Flow, Module, Spec};
use crate::stanza::{Condition, ErrorType, Stanza, StanzaError};
use crate::store::record::RoomAffiliation;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "slow_mode",
    specs: &[Spec::Xep(500, "0.1.1")],
    room_message: Some(hold_back),
    room_said: Some(said),
    info: Some(describe),
    ..Module::NONE
};

// §5: only what has a body counts.
fn hold_back(core: &mut Core, message: &mut Stanza) -> Result<Flow, StanzaError> {
    let (Some(from), Some(to)) = (&message.from, &message.to) else { return Ok(Flow::Continue) };
    let Some(room) = core.loaded_room(to) else { return Ok(Flow::Continue) };
    let (wait, pause) = (room.must_wait(from, core.now()), room.config().slow_mode);
    let has_body = || message.payload.find("body", ns::CLIENT).is_some();
    if wait == 0 || room.affiliation(from) >= RoomAffiliation::Admin || !has_body() {
        return Ok(Flow::Continue);
    }
    let (seconds, left) = (plural(u64::from(pause)), plural(wait.div_ceil(1000)));
    let text = format!("In this room you can write every {seconds}. Please try again in {left}.");
    Err(StanzaError::new(Condition::PolicyViolation, text).with_type(ErrorType::Wait))
}

fn said(core: &mut Core, message: &Stanza) {
    let (now, Some(from)) = (core.now(), &message.from) else { return };
    let Some(room) = core.loaded_room_mut(from).filter(|room| room.config().slow_mode > 0) else { return };
    if message.payload.find("body", ns::CLIENT).is_none() {
        return;
    }
    let who = room.occupants.get(from.resource().unwrap_or_default()).map(|occupant| occupant.real.clone());
    if let Some(who) = who {
        room.has_said(&who, now);
    }
}

// §4.2
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    if !entity.is_room() {
        return;
    }
    let Some(room) = core.loaded_room(entity.address) else { return };
    if room.shows_itself_to(entity.asker) {
        let pause = room.config().slow_mode;
        let field = Field::new(FieldType::TextSingle, "muc#roominfo_slow_mode_duration");
        info.room_info.push(field.values([pause]));
    }
}

fn plural(seconds: u64) -> String {
    if seconds == 1 { "second".into() } else { format!("{seconds} seconds") }
}

//! How much is said in a room (XEP-0502), for those who look for one: messages an hour over the last day, of rooms that
//! anyone can find and enter.
//!
//! In memory only: see `core/rooms/activity`.

use crate::core::Core;
use crate::core::disco::{Entity, Info};
use crate::core::form::{Field, FieldType};
use crate::core::module::{Module, Spec};
use crate::stanza::Stanza;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "activity",
    specs: &[Spec::Xep(502, "0.1.0")],
    room_said: Some(said),
    info: Some(describe),
    ..Module::NONE
};

/// §5: what one would read, and no corrections of it.
fn said(core: &mut Core, message: &Stanza) {
    let Some(from) = &message.from else { return };
    let counts = message.payload.find("body", ns::CLIENT).is_some()
        && message.payload.find("replace", ns::CORRECTION).is_none();
    if counts {
        core.count_activity(from);
    }
}

// §4.1, §9
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    if !entity.is_room() {
        return;
    }
    if let Some(rate) = core.room_activity(entity.address) {
        let field = Field::new(FieldType::TextSingle, "{urn:xmpp:muc-activity}message-activity");
        info.room_info.push(field.label("Messages per hour").values([format!("{rate:.2}")]));
    }
}

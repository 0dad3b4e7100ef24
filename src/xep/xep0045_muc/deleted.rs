//! An account is deleted: whoever has its address next is nobody to any room.
//!
//! A room that has no owner then goes to its admins, or else to those of the server. Where there is neither, it stays as
//! it is; `stube room delete` removes it.

use super::standing::{self, Cause, Grant};
use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::store::record::{RoomAffiliation, RoomPerson};

pub fn forget(core: &mut Core, who: &Jid) {
    for room in core.rooms_that_know(who) {
        if let Err(error) = forget_in(core, &room, who) {
            log::error!("{who} is deleted and still known to the room {room}: {}", error.condition.name());
        }
    }
}

fn forget_in(core: &mut Core, room: &Jid, who: &Jid) -> Result<(), StanzaError> {
    if core.room(room)?.record.creator == who.bare_str() {
        core.forget_creator(room)?;
    }
    let was = core.room(room)?.affiliation(who);
    if was == RoomAffiliation::Owner {
        bequeath(core, room, who)?;
    }
    standing::set_affiliation(core, room, &Grant::new(who, RoomAffiliation::None), &Cause::default())?;
    // Its hats, too.
    core.set_person(room, who, RoomPerson::default())?;
    core.end_if_abandoned(room);
    Ok(())
}

/// §10: every room has an owner, or a successor.
fn bequeath(core: &mut Core, room: &Jid, who: &Jid) -> Result<(), StanzaError> {
    let state = core.room(room)?;
    if state.with_affiliation(RoomAffiliation::Owner).any(|(owner, _)| !owner.same_bare(who)) {
        return Ok(());
    }
    let mut heirs: Vec<Jid> =
        state.with_affiliation(RoomAffiliation::Admin).map(|(jid, _)| jid.clone()).collect();
    if heirs.is_empty() {
        heirs = core.admins().iter().filter(|admin| !admin.same_bare(who)).cloned().collect();
    }
    for heir in heirs {
        standing::set_affiliation(core, room, &Grant::new(&heir, RoomAffiliation::Owner), &Cause::default())?;
    }
    Ok(())
}

//! Rooms that the server's configuration asks for: they are made, and changed when it changes.
//!
//! The room's record has what the configuration has asked for, so that only what is new in it is done, and what the
//! room's owners have changed meanwhile stays. A room that somebody else has made before is left alone. One that the
//! configuration no longer names is an ordinary room from then on.

use super::configure::tell;
use super::standing::{self, Cause, Grant};
use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{ConfiguredRoom, RoomAffiliation, RoomConfig};
use crate::xml::{Element, ns};

pub fn keep_rooms(core: &mut Core) {
    let wanted = core.configured_rooms();
    for (address, room) in &wanted {
        if let Err(error) = keep(core, address, room) {
            let why = error.text.as_deref().unwrap_or(error.condition.name());
            log::error!("the room {address} is not as the configuration wants it: {why}");
        }
    }
    let mut left = Vec::new();
    core.each_room(|_, address, room| {
        if room.configured.is_some() && !wanted.iter().any(|(wanted, _)| *wanted == address) {
            left.push(address);
        }
    });
    for address in left {
        match core.change_room(&address, |room| room.configured = None) {
            Ok(()) => {
                log::info!("the configuration does not name the room {address} any more; it stays as it is")
            }
            Err(_) => log::warn!("the room {address} can't be given up now"),
        }
    }
}

fn keep(core: &mut Core, address: &Jid, wanted: &ConfiguredRoom) -> Result<(), StanzaError> {
    let before = match core.room(address) {
        Ok(room) if !room.record.creator.is_empty() => {
            let why = format!("{} has made one; see stube room delete", room.record.creator);
            return Err(StanzaError::new(Condition::Conflict, why));
        }
        Ok(room) => room.record.configured.clone(),
        Err(error) if error.condition == Condition::ItemNotFound => {
            make(core, address)?;
            None
        }
        Err(error) => return Err(error),
    };
    if before.as_ref() == Some(wanted) {
        return Ok(());
    }
    let before = before.unwrap_or_default();
    describe(core, address, &before, wanted)?;
    appoint(core, address, &before, wanted)?;
    core.change_room(address, |room| room.configured = Some(wanted.clone()))
}

/// For a family: whoever is in it knows the others, and nobody else finds it.
fn make(core: &mut Core, address: &Jid) -> Result<(), StanzaError> {
    let config =
        RoomConfig { persistent: true, members_only: true, non_anonymous: true, ..RoomConfig::default() };
    core.create_room(address, None, false, config)?;
    log::info!("made the room {address}");
    Ok(())
}

fn describe(
    core: &mut Core,
    address: &Jid,
    before: &ConfiguredRoom,
    wanted: &ConfiguredRoom,
) -> Result<(), StanzaError> {
    let config = core.room(address)?.config().clone();
    core.change_room(address, |room| {
        room.config.persistent = true;
        if before.title != wanted.title {
            room.config.title.clone_from(&wanted.title);
        }
        if before.description != wanted.description {
            room.config.description.clone_from(&wanted.description);
        }
    })?;
    // §10.2.1
    if *core.room(address)?.config() != config {
        let status = Element::new("status", ns::MUC_USER).attr("code", "104");
        tell(core, address, Element::new("x", ns::MUC_USER).child(status));
    }
    Ok(())
}

/// Who is new becomes what they shall be before anybody loses anything: there is always an owner.
fn appoint(
    core: &mut Core,
    address: &Jid,
    before: &ConfiguredRoom,
    wanted: &ConfiguredRoom,
) -> Result<(), StanzaError> {
    use RoomAffiliation::{Member, None as Nothing, Owner};
    for owner in wanted.owners.iter().filter(|owner| !before.owners.contains(owner)) {
        set(core, address, owner, Owner, |is| is != Owner)?;
    }
    for member in wanted.members.iter().filter(|member| !before.members.contains(member)) {
        set(core, address, member, Member, |is| is < Member)?;
    }
    for owner in before.owners.iter().filter(|owner| !wanted.owners.contains(owner)) {
        let remains = if wanted.members.contains(owner) { Member } else { Nothing };
        set(core, address, owner, remains, |is| is == Owner)?;
    }
    for member in before.members.iter().filter(|member| !wanted.members.contains(member)) {
        set(core, address, member, Nothing, |is| is == Member)?;
    }
    Ok(())
}

/// Lets somebody be something, if what they are now calls for it.
fn set(
    core: &mut Core,
    address: &Jid,
    who: &str,
    affiliation: RoomAffiliation,
    applies: impl Fn(RoomAffiliation) -> bool,
) -> Result<(), StanzaError> {
    let Ok(who) = Jid::parse(who) else { return Ok(()) };
    let now = core.room(address)?.people.get(&who).map_or(RoomAffiliation::None, |person| person.affiliation);
    match applies(now) {
        true => standing::set_affiliation(core, address, &Grant::new(&who, affiliation), &Cause::default()),
        false => Ok(()),
    }
}

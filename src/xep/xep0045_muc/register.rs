//! Nicks that are reserved.

use crate::core::rooms::Room;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};

/// The nick as it can be reserved for somebody: nobody else has it, or is in the room with it.
pub fn reservable(room: &Room, who: &Jid, nick: &str, most: usize) -> Result<String, StanzaError> {
    let unfit = || StanzaError::new(Condition::NotAcceptable, "This can't be a nick.");
    let address = room.address.with_resource(nick).map_err(|_| unfit())?;
    let nick =
        address.resource().filter(|nick| !nick.trim().is_empty() && nick.len() <= most).ok_or_else(unfit)?;
    let is_taken = room.occupants.get(nick).is_some_and(|occupant| !occupant.real.same_bare(who));
    if is_taken || room.reserves_from(who, nick) {
        return Err(StanzaError::new(Condition::Conflict, "Somebody else has this nick."));
    }
    Ok(nick.to_owned())
}

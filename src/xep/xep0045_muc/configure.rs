//! Configuring a room (§10.1, §10.2).

use crate::core::Core;
use crate::core::module::Answer;
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::store::record::RoomAffiliation;

/// A request of an owner.
pub fn owner(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(from), Some(address)) = (&stanza.from, stanza.to.as_ref().map(Jid::bare)) else {
        return Err(Condition::BadRequest.into());
    };
    if core.room(&address)?.affiliation(from) != RoomAffiliation::Owner {
        return Err(Condition::Forbidden.into());
    }
    if stanza.kind != Kind::Iq(IqType::Set) {
        return Err(Condition::FeatureNotImplemented.into());
    }
    // §10.1.2
    core.change_room(&address, |room| room.locked = false)?;
    Ok(Answer::Kept(None))
}

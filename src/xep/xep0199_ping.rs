//! Ping (XEP-0199): answered by the server and its rooms, and by it on behalf of accounts for those who see their
//! presence.

use crate::core::Core;
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "ping",
    specs: &[Spec::Xep(199, "2.0.1")],
    features: &[ns::PING],
    account_features: &[ns::PING],
    room_features: &[ns::PING],
    iq: &[
        Route { ns: ns::PING, name: "ping", target: Target::Server, handle: pong },
        Route { ns: ns::PING, name: "ping", target: Target::AnyService, handle: pong },
        Route { ns: ns::PING, name: "ping", target: Target::Account, handle: pong },
        Route { ns: ns::PING, name: "ping", target: Target::Room, handle: pong },
    ],
    ..Module::NONE
};

// §4.2; §6: a ping reveals no presence to those who may not see it.
fn pong(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Kind::Iq(IqType::Get), Some(to), Some(from)) = (stanza.kind, &stanza.to, &stanza.from) else {
        return Err(Condition::BadRequest.into());
    };
    if to.local().is_some() && !core.is_room(to) && !core.shares_presence(to, from) {
        return Err(Condition::ServiceUnavailable.into());
    }
    Ok(Answer::Result(None))
}

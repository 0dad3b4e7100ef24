//! Entity time (XEP-0202): the server's clock, in UTC.

use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::core::{Core, time};
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "time",
    specs: &[Spec::Xep(202, "2.0")],
    features: &[ns::TIME],
    room_features: &[ns::TIME],
    iq: &[
        Route { ns: ns::TIME, name: "time", target: Target::Server, handle: tell },
        Route { ns: ns::TIME, name: "time", target: Target::AnyService, handle: tell },
        Route { ns: ns::TIME, name: "time", target: Target::Room, handle: tell },
    ],
    ..Module::NONE
};

// §2
fn tell(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    if stanza.kind != Kind::Iq(IqType::Get) {
        return Err(Condition::BadRequest.into());
    }
    let now = Element::new("time", ns::TIME)
        .child(Element::new("tzo", ns::TIME).text("+00:00"))
        .child(Element::new("utc", ns::TIME).text(&time::datetime(core.now())));
    Ok(Answer::Result(Some(now)))
}

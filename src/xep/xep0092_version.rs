//! Software version (XEP-0092): the server's name and version. The operating system stays our own business (§5).

use crate::core::Core;
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "version",
    specs: &[Spec::Xep(92, "1.1")],
    features: &[ns::VERSION],
    room_features: &[ns::VERSION],
    iq: &[
        Route { ns: ns::VERSION, name: "query", target: Target::Server, handle: version },
        Route { ns: ns::VERSION, name: "query", target: Target::AnyService, handle: version },
        Route { ns: ns::VERSION, name: "query", target: Target::Room, handle: version },
    ],
    ..Module::NONE
};

// §2
fn version(_: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    if stanza.kind != Kind::Iq(IqType::Get) {
        return Err(Condition::BadRequest.into());
    }
    let query = Element::new("query", ns::VERSION)
        .child(Element::new("name", ns::VERSION).text("stube"))
        .child(Element::new("version", ns::VERSION).text(env!("CARGO_PKG_VERSION")));
    Ok(Answer::Result(Some(query)))
}

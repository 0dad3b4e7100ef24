//! The session request of RFC 3921 §3, which RFC 6120 left out and older clients still send: answered, and
//! nothing else. It is offered as optional, so that newer clients save the round trip.
//! (RFC 3921, https://www.rfc-editor.org/rfc/rfc3921)

use crate::core::Core;
use crate::core::module::{Answer, Module, Route, Spec, Stage, Target};
use crate::jid::Jid;
use crate::stanza::{Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "session",
    specs: &[Spec::Rfc(3921, "§3")],
    iq: &[
        Route { ns: ns::SESSION, name: "session", target: Target::Owner, handle: begin },
        Route { ns: ns::SESSION, name: "session", target: Target::Server, handle: begin },
    ],
    stream_features: Some(offer),
    ..Module::NONE
};

fn offer(_: &mut Core, stage: Stage, _: &Jid) -> Option<Element> {
    (stage == Stage::AfterLogin)
        .then(|| Element::new("session", ns::SESSION).child(Element::new("optional", ns::SESSION)))
}

// §3: binding a resource has begun the session already.
fn begin(_: &mut Core, _: &Stanza) -> Result<Answer, StanzaError> {
    Ok(Answer::Result(None))
}

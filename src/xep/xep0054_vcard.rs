//! vCards (XEP-0054): what users tell everyone about themselves.
//!
//! Stored: table `vcard`, as it was sent; at most `vcard_bytes`. Anyone may read one, and nobody but its owner may
//! change it. An account without vCard looks to others like one that does not exist (§3.3).

use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::core::{Core, is_own};
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "vcard",
    specs: &[Spec::Xep(54, "1.3.0")],
    features: &[ns::VCARD],
    account_features: &[ns::VCARD],
    iq: &[Route { ns: ns::VCARD, name: "vCard", target: Target::Account, handle }],
    ..Module::NONE
};

fn handle(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    match stanza.kind {
        Kind::Iq(IqType::Set) if is_own(stanza) => set(core, stanza),
        Kind::Iq(IqType::Set) => Err(Condition::Forbidden.into()), // §3.2
        _ => get(core, stanza),
    }
}

// §3.1, §3.3
fn get(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let owner = stanza.to.as_ref().ok_or(Condition::BadRequest)?;
    match core.vcard(owner)? {
        Some(vcard) => Ok(Answer::Result(Some(vcard))),
        None if is_own(stanza) => Ok(Answer::Result(Some(Element::new("vCard", ns::VCARD)))),
        None => Err(Condition::ServiceUnavailable.into()),
    }
}

// §3.2
fn set(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(owner), Some(vcard)) = (&stanza.to, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    core.set_vcard(owner, &vcard.to_element())?;
    Ok(Answer::Kept(None))
}

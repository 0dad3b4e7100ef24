//! The end of a room (§10.9): everyone in it is told once, and everything that it had goes.

use crate::core::Core;
use crate::core::module::Answer;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::xml::{Element, ns};

/// Bytes of a reason and of another room's password, which everyone is told.
const MAX_TEXT: usize = 1024;

/// An owner wants the room to end. Of what the request says, this is passed on: where else to meet, with which password,
/// and why.
pub fn asked(core: &mut Core, address: &Jid, request: &Element) -> Result<Answer, StanzaError> {
    let mut said = element();
    if let Some(venue) = request.get_attr("jid").filter(|jid| !jid.is_empty()) {
        let venue = Jid::parse(venue).map_err(|_| Condition::JidMalformed)?;
        said = said.attr("jid", venue.as_str());
    }
    for name in ["password", "reason"] {
        let Some(text) = request.find(name, ns::MUC_OWNER).map(Element::text_content) else { continue };
        if text.len() > MAX_TEXT {
            return Err(StanzaError::new(Condition::NotAcceptable, format!("The {name} is too long.")));
        }
        said = said.child(Element::new(name, ns::MUC_USER).text(&text));
    }
    core.destroy_room(address, said)?;
    Ok(Answer::Kept(None))
}

/// What everyone is told, without a word of why.
pub fn element() -> Element {
    Element::new("destroy", ns::MUC_USER)
}

//! Which messages are archived (§6.1.1); `docs/archive.md` says the same to users.

use crate::core::hints::Hints;
use crate::stanza::{Kind, MessageType, Stanza};
use crate::xml::{Child, ns};

/// Whether a message is part of a conversation. Rooms have archives of their own; headlines and errors are of the moment.
pub fn is_worth_archiving(stanza: &Stanza) -> bool {
    if !matches!(stanza.kind, Kind::Message(MessageType::Chat | MessageType::Normal)) {
        return false;
    }
    is_wanted(stanza)
}

/// Whether something that is said in a room is part of the conversation there. What retracts something must be known to all
/// who have that, whatever its sender would like (XEP-0424 §5).
pub fn is_worth_archiving_in_room(stanza: &Stanza) -> bool {
    is_wanted(stanza) || stanza.payload.find("retract", ns::RETRACTION).is_some()
}

fn is_wanted(stanza: &Stanza) -> bool {
    let hints = Hints::of(stanza);
    !hints.no_permanent_store && (hints.store || stanza.payload.children().any(|child| is_content(&child)))
}

/// What a person would miss, or what another client of theirs needs to show the conversation as it is. That somebody
/// is typing is neither, nor that a receipt is wanted.
fn is_content(child: &Child<'_>) -> bool {
    match child.ns() {
        ns::CLIENT => matches!(child.name(), "body" | "subject"),
        ns::RECEIPTS => child.name() == "received",
        ns::CHAT_MARKERS => child.name() != "markable",
        ns::OMEMO_LEGACY | ns::OMEMO => child.name() == "encrypted",
        // Encrypted, in whichever way; reactions, retractions, calls; invitations to rooms.
        ns::ENCRYPTION
        | ns::OPENPGP
        | ns::REACTIONS
        | ns::RETRACTION
        | ns::JINGLE_MESSAGE
        | ns::CONFERENCE => true,
        ns::MUC_USER => {
            let content = child.to_element();
            ["invite", "decline"].iter().any(|name| content.find(name, ns::MUC_USER).is_some())
        }
        _ => false,
    }
}

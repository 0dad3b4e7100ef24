//! What can wait while nobody looks: for a client that has said so (XEP-0352 §3.1), and for one whose connection is
//! gone (XEP-0198).
//!
//! Presence and what only says how somebody types or how far they have read wait; everything that a person or a program
//! may be waiting for does not, and takes along what waited, in order. When in doubt a stanza does not wait.

use crate::jid::Jid;
use crate::stanza::{Kind, MessageType, PresenceType, Stanza};
use crate::xml::{Child, ns};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Urgency {
    Now,
    /// Of those with the same topic, only the last is of interest.
    Later(Option<Topic>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Topic {
    /// Whether and how a resource is there.
    Presence(Jid),
    /// Whether somebody is typing (XEP-0085).
    ChatState(Jid),
}

pub(super) fn urgency(stanza: &Stanza) -> Urgency {
    match stanza.kind {
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => {
            Urgency::Later(stanza.from.clone().map(Topic::Presence))
        }
        Kind::Message(MessageType::Headline) => Urgency::Later(None),
        Kind::Message(MessageType::Chat | MessageType::Normal | MessageType::Groupchat) => message(stanza),
        Kind::Presence(_) | Kind::Message(MessageType::Error) | Kind::Iq(_) => Urgency::Now,
    }
}

fn message(stanza: &Stanza) -> Urgency {
    let (mut state, mut other) = (false, false);
    for child in stanza.payload.children() {
        state |= child.ns() == ns::CHAT_STATES;
        other |= child.ns() != ns::CHAT_STATES && !is_decoration(&child);
        if !can_wait(&child) {
            return Urgency::Now;
        }
    }
    let topic = (state && !other).then(|| stanza.from.clone().map(Topic::ChatState)).flatten();
    Urgency::Later(topic)
}

/// Says something of the message, and nothing by itself.
fn is_decoration(child: &Child<'_>) -> bool {
    matches!(child.ns(), ns::HINTS | ns::STANZA_ID | ns::DELAY)
        || child.ns() == ns::CLIENT && child.name() == "thread"
}

fn can_wait(child: &Child<'_>) -> bool {
    match child.ns() {
        ns::CHAT_STATES | ns::RECEIPTS | ns::CHAT_MARKERS => true,
        // What the person has written elsewhere.
        ns::CARBONS => child.name() == "sent",
        _ => is_decoration(child),
    }
}

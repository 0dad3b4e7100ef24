//! Stanzas (RFC 6120 §8): a parsed header and a payload that stays shared bytes.
//!
//! A server mostly reads a stanza's header and passes the payload on; whoever must look inside builds a tree
//! of the one child that it knows. The types of the three kinds are closed enums, so that what the RFC does not
//! know can't get past [`Stanza::read`].

mod error;
mod stream_error;

use std::fmt;
use std::sync::Arc;

pub use error::{Condition, ErrorType, StanzaError};
pub use stream_error::StreamError;

use crate::jid::Jid;
use crate::xml::Element;
use crate::xml::Fragment;
use crate::xml::ns;
use crate::xml::writer;
use crate::xml::{Child, Payload};

/// One `<message/>`, `<presence/>` or `<iq/>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stanza {
    pub kind: Kind,
    /// What the sender says of itself until a stream stamps the true address (RFC 6120 §8.1.2.1).
    pub from: Option<Jid>,
    pub to: Option<Jid>,
    pub id: Option<Arc<str>>,
    /// `xml:lang`
    pub lang: Option<Arc<str>>,
    pub payload: Payload,
    /// Its id in the archive's log, once somebody's archive has it. Never part of what is written.
    pub archived: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Message(MessageType),
    Presence(PresenceType),
    Iq(IqType),
}

/// RFC 6121 §5.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    Normal,
    Chat,
    Groupchat,
    Headline,
    Error,
}

/// RFC 6121 §4.7.1; `Available` is the absence of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceType {
    Available,
    Unavailable,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Probe,
    Error,
}

/// RFC 6120 §8.2.3
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IqType {
    Get,
    Set,
    Result,
    Error,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Message(_) => "message",
            Kind::Presence(_) => "presence",
            Kind::Iq(_) => "iq",
        }
    }

    /// The `type` attribute, where the kind writes one.
    pub fn type_name(self) -> Option<&'static str> {
        Some(match self {
            Kind::Message(MessageType::Normal) | Kind::Presence(PresenceType::Available) => return None,
            Kind::Message(MessageType::Chat) => "chat",
            Kind::Message(MessageType::Groupchat) => "groupchat",
            Kind::Message(MessageType::Headline) => "headline",
            Kind::Presence(PresenceType::Unavailable) => "unavailable",
            Kind::Presence(PresenceType::Subscribe) => "subscribe",
            Kind::Presence(PresenceType::Subscribed) => "subscribed",
            Kind::Presence(PresenceType::Unsubscribe) => "unsubscribe",
            Kind::Presence(PresenceType::Unsubscribed) => "unsubscribed",
            Kind::Presence(PresenceType::Probe) => "probe",
            Kind::Iq(IqType::Get) => "get",
            Kind::Iq(IqType::Set) => "set",
            Kind::Iq(IqType::Result) => "result",
            Kind::Message(MessageType::Error)
            | Kind::Presence(PresenceType::Error)
            | Kind::Iq(IqType::Error) => "error",
        })
    }

    /// `None` where the text demands a type that is known.
    fn parse(name: &str, type_name: Option<&str>) -> Option<Kind> {
        Some(match (name, type_name) {
            ("message", Some("chat")) => Kind::Message(MessageType::Chat),
            ("message", Some("groupchat")) => Kind::Message(MessageType::Groupchat),
            ("message", Some("headline")) => Kind::Message(MessageType::Headline),
            ("message", Some("error")) => Kind::Message(MessageType::Error),
            // RFC 6121 §5.2.2: no type, or one that we don't know, is "normal".
            ("message", _) => Kind::Message(MessageType::Normal),
            ("presence", None) => Kind::Presence(PresenceType::Available),
            ("presence", Some("unavailable")) => Kind::Presence(PresenceType::Unavailable),
            ("presence", Some("subscribe")) => Kind::Presence(PresenceType::Subscribe),
            ("presence", Some("subscribed")) => Kind::Presence(PresenceType::Subscribed),
            ("presence", Some("unsubscribe")) => Kind::Presence(PresenceType::Unsubscribe),
            ("presence", Some("unsubscribed")) => Kind::Presence(PresenceType::Unsubscribed),
            ("presence", Some("probe")) => Kind::Presence(PresenceType::Probe),
            ("presence", Some("error")) => Kind::Presence(PresenceType::Error),
            ("iq", Some("get")) => Kind::Iq(IqType::Get),
            ("iq", Some("set")) => Kind::Iq(IqType::Set),
            ("iq", Some("result")) => Kind::Iq(IqType::Result),
            ("iq", Some("error")) => Kind::Iq(IqType::Error),
            _ => return None,
        })
    }

    fn of_error(name: &str) -> Option<Kind> {
        Kind::parse(name, Some("error"))
    }
}

/// Why a child of the stream is no stanza.
#[derive(Debug, PartialEq)]
pub enum ReadError {
    /// Not one of the three kinds in the stream's namespace: `<unsupported-stanza-type/>` (RFC 6120 §4.9.3.24).
    NotAStanza,
    /// A stanza that gets this error and no further: sent to its sender if the stanza may be answered at all.
    Bad { error: StanzaError, reply: Option<Box<Stanza>> },
}

impl Stanza {
    pub fn new(kind: Kind) -> Stanza {
        Stanza {
            kind,
            from: None,
            to: None,
            id: None,
            lang: None,
            payload: Payload::default(),
            archived: None,
        }
    }

    pub fn message(kind: MessageType) -> Stanza {
        Stanza::new(Kind::Message(kind))
    }

    pub fn presence(kind: PresenceType) -> Stanza {
        Stanza::new(Kind::Presence(kind))
    }

    pub fn iq(kind: IqType, id: &str) -> Stanza {
        Stanza { id: Some(id.into()), ..Stanza::new(Kind::Iq(kind)) }
    }

    #[must_use]
    pub fn from(mut self, from: &Jid) -> Stanza {
        self.from = Some(from.clone());
        self
    }

    #[must_use]
    pub fn to(mut self, to: &Jid) -> Stanza {
        self.to = Some(to.clone());
        self
    }

    #[must_use]
    pub fn with(mut self, child: &Element) -> Stanza {
        self.payload = self.payload.with(child);
        self
    }

    /// Reads a child of the stream whose names and characters the reader has checked.
    pub fn read(fragment: &Fragment) -> Result<Stanza, ReadError> {
        if fragment.ns() != ns::CLIENT {
            return Err(ReadError::NotAStanza);
        }
        Stanza::assemble(fragment.name(), |name| fragment.attr(name), fragment.payload())
    }

    /// Reads what [`Stanza::to_bytes`] wrote, out of the store.
    pub fn from_bytes(bytes: &[u8]) -> Option<Stanza> {
        let element = Element::parse(bytes, ns::CLIENT)?;
        let children: Vec<Element> = element.children().cloned().collect();
        Stanza::assemble(&element.name, |name| element.get_attr(name), Payload::from_elements(&children)).ok()
    }

    fn assemble<'a>(
        name: &str,
        attr: impl Fn(&str) -> Option<&'a str>,
        payload: Payload,
    ) -> Result<Stanza, ReadError> {
        let type_name = attr("type");
        let error_kind = Kind::of_error(name).ok_or(ReadError::NotAStanza)?;
        let (kind, known) = match Kind::parse(name, type_name) {
            Some(kind) => (kind, true),
            None => (error_kind, false),
        };
        let mut stanza = Stanza {
            kind,
            from: None,
            to: None,
            id: attr("id").map(Arc::from),
            lang: attr("xml:lang").filter(|lang| !lang.is_empty()).map(Arc::from),
            payload,
            archived: None,
        };
        let from = attr("from").map(Jid::parse).transpose();
        let to = attr("to").map(Jid::parse).transpose();
        let condition = match (&from, &to) {
            _ if !known => Some(Condition::BadRequest),
            (Err(_), _) | (_, Err(_)) => Some(Condition::JidMalformed), // RFC 6120 §8.3.3.8
            // §8.2.3: an id, and for a request exactly one child.
            _ => stanza.iq_violation(),
        };
        stanza.from = from.unwrap_or_default();
        stanza.to = to.unwrap_or_default();
        let Some(condition) = condition else { return Ok(stanza) };
        let reply = (type_name != Some("error") && type_name != Some("result")).then(|| {
            // From whoever was addressed, if that can be said at all.
            let mut reply = StanzaError::from(condition).element_reply(&stanza);
            reply.kind = error_kind;
            Box::new(reply)
        });
        Err(ReadError::Bad { error: condition.into(), reply })
    }

    fn iq_violation(&self) -> Option<Condition> {
        let Kind::Iq(kind) = self.kind else { return None };
        let children = self.payload.children().count();
        let fine = self.id.is_some()
            && match kind {
                IqType::Get | IqType::Set => children == 1,
                IqType::Result => children <= 1,
                IqType::Error => true,
            };
        (!fine).then_some(Condition::BadRequest)
    }

    /// Appends the stanza in canonical form.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_before_to(out);
        if let Some(to) = &self.to {
            writer::attr("to", to.as_str(), out);
        }
        self.write_after_to(out);
    }

    /// What comes before the receiver's address.
    pub fn write_before_to(&self, out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(self.kind.name().as_bytes());
        if let Some(from) = &self.from {
            writer::attr("from", from.as_str(), out);
        }
    }

    /// What comes behind it.
    pub fn write_after_to(&self, out: &mut Vec<u8>) {
        let name = self.kind.name();
        if let Some(id) = &self.id {
            writer::attr("id", id, out);
        }
        if let Some(type_name) = self.kind.type_name() {
            writer::attr("type", type_name, out);
        }
        if let Some(lang) = &self.lang {
            writer::attr("xml:lang", lang, out);
        }
        if self.payload.is_empty() {
            out.extend_from_slice(b"/>");
            return;
        }
        out.push(b'>');
        out.extend_from_slice(self.payload.bytes());
        out.extend_from_slice(b"</");
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload.bytes().len() + 160);
        self.write(&mut out);
        out
    }

    /// The one child of a request.
    pub fn request(&self) -> Option<Child<'_>> {
        self.payload.children().next()
    }

    pub fn is_request(&self) -> bool {
        matches!(self.kind, Kind::Iq(IqType::Get | IqType::Set))
    }

    pub fn is_error(&self) -> bool {
        self.kind.type_name() == Some("error")
    }

    /// The `<iq type='result'/>` to this request.
    pub fn result(&self, child: Option<Element>) -> Stanza {
        Stanza {
            kind: Kind::Iq(IqType::Result),
            from: self.to.clone(),
            to: self.from.clone(),
            id: self.id.clone(),
            lang: None,
            payload: child.map(|child| Payload::from_elements(&[child])).unwrap_or_default(),
            archived: None,
        }
    }

    /// The error to this stanza; `None` where the RFC forbids an answer (§8.3.1: never to an error or a result).
    pub fn error(&self, error: &StanzaError) -> Option<Stanza> {
        match self.kind {
            Kind::Message(MessageType::Error)
            | Kind::Presence(PresenceType::Error)
            | Kind::Iq(IqType::Error | IqType::Result) => None,
            _ => Some(error.element_reply(self)),
        }
    }
}

impl fmt::Display for Stanza {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

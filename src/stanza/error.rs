//! Stanza errors (RFC 6120 §8.3): what a peer may be told, and what it may do about it.

use std::sync::Arc;

use super::{IqType, Kind, MessageType, PresenceType, Stanza};
use crate::xml::Element;
use crate::xml::Payload;
use crate::xml::ns;

/// RFC 6120 §8.3.2: what the sender may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    Auth,
    Cancel,
    Modify,
    Wait,
}

impl ErrorType {
    fn name(self) -> &'static str {
        match self {
            ErrorType::Auth => "auth",
            ErrorType::Cancel => "cancel",
            ErrorType::Modify => "modify",
            ErrorType::Wait => "wait",
        }
    }
}

macro_rules! conditions {
    ($($variant:ident $name:literal $kind:ident $code:literal),* $(,)?) => {
        /// The defined conditions of RFC 6120 §8.3.3.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Condition { $($variant),* }

        impl Condition {
            const ALL: &[Condition] = &[$(Condition::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Condition::$variant => $name),* }
            }

            /// The type that the RFC recommends for the condition.
            pub fn error_type(self) -> ErrorType {
                match self { $(Condition::$variant => ErrorType::$kind),* }
            }

            /// XEP-0086's number, which some clients still read.
            pub fn legacy_code(self) -> &'static str {
                match self { $(Condition::$variant => $code),* }
            }
        }
    };
}

conditions! {
    BadRequest "bad-request" Modify "400",
    Conflict "conflict" Cancel "409",
    FeatureNotImplemented "feature-not-implemented" Cancel "501",
    Forbidden "forbidden" Auth "403",
    Gone "gone" Cancel "302",
    InternalServerError "internal-server-error" Cancel "500",
    ItemNotFound "item-not-found" Cancel "404",
    JidMalformed "jid-malformed" Modify "400",
    NotAcceptable "not-acceptable" Modify "406",
    NotAllowed "not-allowed" Cancel "405",
    NotAuthorized "not-authorized" Auth "401",
    PolicyViolation "policy-violation" Modify "405",
    RecipientUnavailable "recipient-unavailable" Wait "404",
    Redirect "redirect" Modify "302",
    RegistrationRequired "registration-required" Auth "407",
    RemoteServerNotFound "remote-server-not-found" Cancel "404",
    RemoteServerTimeout "remote-server-timeout" Wait "504",
    ResourceConstraint "resource-constraint" Wait "500",
    ServiceUnavailable "service-unavailable" Cancel "503",
    SubscriptionRequired "subscription-required" Auth "407",
    UndefinedCondition "undefined-condition" Cancel "500",
    UnexpectedRequest "unexpected-request" Wait "400",
}

/// An error that a handler returns and one place turns into the reply.
#[derive(Clone, Debug, PartialEq)]
pub struct StanzaError {
    pub condition: Condition,
    pub error_type: ErrorType,
    /// English, for a person.
    pub text: Option<String>,
    /// The application-specific condition (§8.3.4), or a child that the XEP wants beside the condition.
    pub detail: Option<Box<Element>>,
}

impl From<Condition> for StanzaError {
    fn from(condition: Condition) -> StanzaError {
        StanzaError { condition, error_type: condition.error_type(), text: None, detail: None }
    }
}

impl StanzaError {
    pub fn new(condition: Condition, text: impl Into<String>) -> StanzaError {
        StanzaError { text: Some(text.into()), ..condition.into() }
    }

    #[must_use]
    pub fn with_type(mut self, error_type: ErrorType) -> StanzaError {
        self.error_type = error_type;
        self
    }

    #[must_use]
    pub fn with_detail(mut self, detail: Element) -> StanzaError {
        self.detail = Some(Box::new(detail));
        self
    }

    /// What an error stanza says, without text and detail; `<undefined-condition/>` if it says nothing that is known.
    pub fn of(payload: &Payload) -> StanzaError {
        let error = payload.find("error", ns::CLIENT).map(|error| error.to_element());
        let has = |condition: &&Condition| {
            error.as_ref().is_some_and(|error| error.find(condition.name(), ns::STANZAS).is_some())
        };
        let condition = Condition::ALL.iter().find(has).copied().unwrap_or(Condition::UndefinedCondition);
        let said = error.as_ref().and_then(|error| error.get_attr("type"));
        let types = [ErrorType::Auth, ErrorType::Cancel, ErrorType::Modify, ErrorType::Wait];
        let known = types.into_iter().find(|known| said == Some(known.name()));
        StanzaError { error_type: known.unwrap_or(condition.error_type()), ..condition.into() }
    }

    pub fn to_element(&self) -> Element {
        let mut error = Element::new("error", ns::CLIENT)
            .attr("code", self.condition.legacy_code())
            .attr("type", self.error_type.name())
            .child(Element::new(self.condition.name(), ns::STANZAS));
        if let Some(text) = &self.text {
            error = error.child(Element::new("text", ns::STANZAS).attr("xml:lang", "en").text(text));
        }
        if let Some(detail) = &self.detail {
            error = error.child((**detail).clone());
        }
        error
    }

    /// The reply itself; whether one may be sent is [`Stanza::error`]'s to know.
    pub(super) fn element_reply(&self, to: &Stanza) -> Stanza {
        Stanza {
            kind: match to.kind {
                Kind::Message(_) => Kind::Message(MessageType::Error),
                Kind::Presence(_) => Kind::Presence(PresenceType::Error),
                Kind::Iq(_) => Kind::Iq(IqType::Error),
            },
            from: to.to.clone(),
            to: to.from.clone(),
            id: to.id.as_ref().map(Arc::clone),
            lang: None,
            payload: Payload::from_elements(&[self.to_element()]),
            archived: None,
        }
    }
}

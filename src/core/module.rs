//! What a feature tells the rest of the server: plain data, listed once in `xep/mod.rs`.
//!
//! A module is stateless. What it must remember is a named field of a session or an account, or a table of the
//! store. The list's order is the order of the hooks.

use std::rc::Rc;

use super::command::Command;
use super::disco::{Entity, Info, Item};
use super::pubsub::Change;
use super::{Core, Delivery, LinkId, ServiceKind, Session, SessionId};
use crate::jid::Jid;
use crate::stanza::{Stanza, StanzaError};
use crate::store::record::RosterItem;
use crate::xml::Element;

/// One feature.
#[expect(clippy::type_complexity, reason = "each type is read once, here, beside what it means")]
pub struct Module {
    /// As in its file's name.
    pub name: &'static str,
    /// The texts it was written from.
    pub specs: &'static [Spec],
    /// Namespaces that the server's disco#info announces for it.
    pub features: &'static [&'static str],
    /// Namespaces that the disco#info of an account's bare address announces for it.
    pub account_features: &'static [&'static str],
    /// Namespaces that the disco#info of a room announces for it.
    pub room_features: &'static [&'static str],
    /// The requests it answers.
    pub iq: &'static [Route],
    /// What it can be told to do (XEP-0050), at one of our domains.
    pub commands: &'static [Command],
    /// The same, at a room.
    pub room_commands: &'static [Command],
    /// What is said in place of an account that does not exist, where that must not be told from one that does and
    /// that is not `<service-unavailable/>`.
    pub nobody: Option<fn(&mut Core, &Stanza) -> Option<Result<Element, StanzaError>>>,
    /// Sees everything that a session of ours sends, before it is routed.
    pub outbound: Option<Hook>,
    /// Sees everything that is for an account of ours, before it is delivered.
    pub inbound: Option<Hook>,
    /// Takes presence that a session of ours sends.
    pub presence_out: Option<fn(&mut Core, SessionId, &Stanza) -> Result<Flow, StanzaError>>,
    /// Takes subscription stanzas and probes that are for an account of ours.
    pub presence_in: Option<fn(&mut Core, &Stanza) -> Result<Flow, StanzaError>>,
    /// Takes a chat or normal message that no resource of the account can have now.
    pub undelivered: Option<fn(&mut Core, &Stanza) -> Result<Flow, StanzaError>>,
    /// A message for an account has been given to these sessions of it, or would have been: none were there. Who gives it
    /// to more of them does so with the same delivery ([`Core::send_copy`]).
    pub delivered: Option<fn(&mut Core, &Stanza, &[SessionId], &Rc<Delivery>)>,
    /// A message that a person would want to be woken by is shown by no client now: the session that has it
    /// hibernates or is inactive, or there is none and it waits for one.
    pub unheard: Option<fn(&mut Core, &Stanza, Option<SessionId>)>,
    /// Takes messages and presence for a service of ours, everything for those who are in a room of it, and what a room
    /// is answered.
    pub at_service: Option<fn(&mut Core, &Stanza) -> Result<Flow, StanzaError>>,
    /// Sees every message that an occupant says to everyone in a room, a change of its subject too, before it is said: it is
    /// from the full address of a session to the room, and has nothing in it that only rooms may add but for its sender's
    /// occupant-id. May add to it, and refuse it.
    pub room_message: Option<Hook>,
    /// A message of an occupant has been said to everyone in a room: it is from the occupant's address, with all that has
    /// been added.
    pub room_said: Option<fn(&mut Core, &Stanza)>,
    /// A device, by its full address, has come into the room of an occupant's address, and has been shown who is there.
    pub room_entered: Option<fn(&mut Core, &Jid, &Jid, &Stanza)>,
    /// A result or an error has come for one of our domains or an account's bare address.
    pub answered: Option<fn(&mut Core, &Stanza)>,
    /// A node of an account (XEP-0163), by its name, has changed.
    pub published: Option<fn(&mut Core, &Jid, &str, &Change)>,
    /// An account's contact has changed from what it was; the roster has the new state.
    pub roster_changed: Option<fn(&mut Core, &Jid, &Jid, Option<&RosterItem>)>,
    /// A session has sent presence for everyone; `true`: its first.
    pub present: Option<fn(&mut Core, SessionId, bool)>,
    /// A session has become available (`true`), or takes messages again that it did not take (`false`).
    pub available: Option<fn(&mut Core, SessionId, bool)>,
    /// A session with a backlog has room in its outbox.
    pub drained: Option<fn(&mut Core, SessionId)>,
    /// A session is over; it is no longer among its account's sessions.
    pub session_ended: Option<fn(&mut Core, &Session)>,
    /// An account's vCard has changed from what it was, if there was one, to this; without content it is gone.
    pub vcard_changed: Option<fn(&mut Core, &Jid, Option<&Element>, &Element)>,
    /// A client has stored this in its account's private storage.
    pub private_changed: Option<fn(&mut Core, &Jid, &Element)>,
    /// An account has blocked an address, with this `<item/>`.
    pub blocked: Option<fn(&mut Core, &Jid, &Jid, &Element)>,
    /// The configuration is new: at the start, and when it has been read again. Also when the store can write again: what it
    /// asks for may not have been done.
    pub configured: Option<fn(&mut Core)>,
    /// An account has a client from now on, or has one while the configuration changes.
    pub welcome: Option<fn(&mut Core, &Jid)>,
    /// An account is about to be deleted; it still has its roster.
    pub account_removed: Option<fn(&mut Core, &Jid)>,
    /// Answers a request on a stream that has not logged in; `None`: not one of its own.
    pub before_login: Option<fn(&mut Core, LinkId, &Stanza) -> Option<Result<Answer, StanzaError>>>,
    /// Adds to the features of a stream.
    pub stream_features: Option<fn(&mut Core, Stage, &Jid) -> Option<Element>>,
    /// Adds to what an entity of ours says of itself.
    pub info: Option<fn(&mut Core, &Entity<'_>, &mut Info)>,
    /// The items of an entity of ours, or of one of its nodes.
    pub items: Option<fn(&mut Core, &Entity<'_>, &mut Vec<Item>)>,
}

impl Module {
    pub const NONE: Module = Module {
        name: "",
        specs: &[],
        features: &[],
        account_features: &[],
        room_features: &[],
        iq: &[],
        commands: &[],
        room_commands: &[],
        nobody: None,
        outbound: None,
        inbound: None,
        presence_out: None,
        presence_in: None,
        undelivered: None,
        delivered: None,
        unheard: None,
        at_service: None,
        room_message: None,
        room_said: None,
        room_entered: None,
        answered: None,
        published: None,
        roster_changed: None,
        present: None,
        available: None,
        drained: None,
        session_ended: None,
        vcard_changed: None,
        private_changed: None,
        blocked: None,
        configured: None,
        welcome: None,
        account_removed: None,
        before_login: None,
        stream_features: None,
        info: None,
        items: None,
    };
}

/// A text that a module was written from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spec {
    /// Number and version of a XEP.
    Xep(u16, &'static str),
    /// Number and section of an RFC.
    Rfc(u16, &'static str),
}

/// One kind of request, by its child's name.
pub struct Route {
    pub ns: &'static str,
    pub name: &'static str,
    pub target: Target,
    pub handle: fn(&mut Core, &Stanza) -> Result<Answer, StanzaError>,
}

/// Whom a request must be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The bare address of an account that exists; the handler looks at who asks.
    Account,
    /// The same, but nobody except the account itself may ask (others get `<forbidden/>`).
    Owner,
    /// One of our domains.
    Server,
    /// A service of one of our domains.
    Service(ServiceKind),
    /// Each of them.
    AnyService,
    /// The bare address of a room that exists; the handler looks at who asks.
    Room,
}

pub type Hook = fn(&mut Core, &mut Stanza) -> Result<Flow, StanzaError>;

/// What becomes of a stanza after a hook. An `Err` is the answer to its sender, where one may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// The hook has dealt with it.
    Done,
}

/// What a request is answered with.
#[derive(Debug)]
pub enum Answer {
    /// A result, now.
    Result(Option<Element>),
    /// A result that promises that a change is kept: it leaves when everything written so far is on disk.
    Kept(Option<Element>),
    /// The module has answered, or will.
    Later,
}

/// Where a stream stands when its features are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Encrypted, nobody logged in.
    BeforeLogin,
    /// Logged in, no resource bound.
    AfterLogin,
}

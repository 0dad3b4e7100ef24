//! Presence subscriptions (RFC 6121 §3 and its Appendix A): who may see whose presence, on both sides, each
//! account's part of the state machine for itself, so that a contact elsewhere is treated like one of ours.
//!
//! Stored: the states in table `roster`, requests that are not answered yet in `subscription_requests`; they are
//! shown again at every login until they are answered. At most [`MAX_REQUESTS`] wait for one account; more are
//! dropped, as if nobody were there. What comes with a request is kept if it is no longer than [`MAX_CONTENT`].

use crate::core::module::{Flow, Module, Spec, Stage};
use crate::core::{Core, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, Kind, PresenceType, Stanza, StanzaError};
use crate::store::record::{RosterItem, Subscription};
use crate::store::schema;
use crate::xml::ns;
use crate::xml::{Element, Payload};

const MAX_REQUESTS: usize = 200;

/// Bytes of a request's content.
const MAX_CONTENT: usize = 8 * 1024;

pub const MODULE: Module = Module {
    name: "subscription",
    specs: &[Spec::Rfc(6121, "§3")],
    presence_out: Some(outbound),
    presence_in: Some(inbound),
    available: Some(show_requests),
    stream_features: Some(offer_pre_approval),
    ..Module::NONE
};

// §3.4.1
fn offer_pre_approval(_: &mut Core, stage: Stage, _: &Jid) -> Option<Element> {
    (stage == Stage::AfterLogin).then(|| Element::new("sub", ns::PRE_APPROVAL))
}

/// What an account of ours knows of a contact, and what it may change.
struct State {
    item: Option<RosterItem>,
    /// The contact has asked and has not been answered ("Pending In").
    asked: bool,
}

impl State {
    fn of(core: &mut Core, owner: &Jid, contact: &Jid) -> Result<State, StanzaError> {
        let account = core.account(owner)?;
        Ok(State {
            item: account.roster.get(contact).cloned(),
            asked: account.requests.contains_key(contact),
        })
    }

    fn subscription(&self) -> Subscription {
        self.item.as_ref().map_or(Subscription::None, |item| item.subscription)
    }

    fn to(&self) -> bool {
        self.subscription().to()
    }

    fn from(&self) -> bool {
        self.subscription().from()
    }

    fn ask(&self) -> bool {
        self.item.as_ref().is_some_and(|item| item.ask)
    }

    fn approved(&self) -> bool {
        self.item.as_ref().is_some_and(|item| item.approved)
    }

    /// The item with other states.
    fn with(&self, to: bool, from: bool, ask: bool, approved: bool) -> RosterItem {
        RosterItem {
            subscription: Subscription::of(to, from),
            ask,
            approved,
            ..self.item.clone().unwrap_or_default()
        }
    }
}

/// A user of ours sends a subscription stanza (Appendix A.2).
fn outbound(core: &mut Core, _: SessionId, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let Kind::Presence(kind) = stanza.kind else { return Ok(Flow::Continue) };
    if !is_subscription(kind) {
        return Ok(Flow::Continue);
    }
    let (Some(owner), Some(to)) = (stanza.from.clone(), &stanza.to) else {
        return Err(Condition::BadRequest.into());
    };
    let contact = to.bare(); // §3.1.2
    if contact == owner {
        return Ok(Flow::Done);
    }
    core.writable()?;
    let state = State::of(core, &owner, &contact)?;
    let stanza = Stanza { to: Some(contact.clone()), ..stanza.clone() };
    match kind {
        PresenceType::Subscribe => {
            // A.2.1
            if !state.to() && !state.ask() {
                room_for_one_more(core, &owner, &state)?;
                core.set_roster_item(
                    &owner,
                    &contact,
                    Some(state.with(false, state.from(), true, state.approved())),
                );
            }
            core.route(stanza);
        }
        PresenceType::Unsubscribe => {
            // A.2.2
            if state.to() || state.ask() {
                core.set_roster_item(
                    &owner,
                    &contact,
                    Some(state.with(false, state.from(), false, state.approved())),
                );
            }
            core.route(stanza);
        }
        PresenceType::Subscribed if state.asked => {
            // A.2.3, §3.1.5
            room_for_one_more(core, &owner, &state)?;
            forget_request(core, &owner, &contact);
            core.set_roster_item(&owner, &contact, Some(state.with(state.to(), true, state.ask(), false)));
            core.route(stanza);
            core.show_presence(&owner, &contact);
        }
        PresenceType::Subscribed => {
            // §3.4.2: a pre-approval stays here.
            if !state.from() && !state.approved() {
                room_for_one_more(core, &owner, &state)?;
                core.set_roster_item(
                    &owner,
                    &contact,
                    Some(state.with(state.to(), false, state.ask(), true)),
                );
            }
        }
        _ => {
            // A.2.4; and §3.4.2: the end of a pre-approval
            let known = state.from() || state.asked;
            if state.from() {
                core.hide_presence(&owner, &contact); // §3.2.2: before the subscription ends
            }
            forget_request(core, &owner, &contact);
            if state.from() || state.approved() {
                core.set_roster_item(
                    &owner,
                    &contact,
                    Some(state.with(state.to(), false, state.ask(), false)),
                );
            }
            if known {
                core.route(stanza);
            }
        }
    }
    Ok(Flow::Done)
}

/// A subscription stanza reaches an account of ours (Appendix A.3).
fn inbound(core: &mut Core, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let Kind::Presence(kind) = stanza.kind else { return Ok(Flow::Continue) };
    if !is_subscription(kind) {
        return Ok(Flow::Continue);
    }
    let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else { return Ok(Flow::Done) };
    let (owner, contact) = (to.bare(), from.bare());
    let state = State::of(core, &owner, &contact)?;
    let stanza = Stanza { from: Some(contact.clone()), to: Some(owner.clone()), ..stanza.clone() };
    match kind {
        PresenceType::Subscribe => asked(core, &owner, &contact, &state, stanza)?,
        PresenceType::Subscribed => {
            // A.3.3, §3.1.6
            if state.ask() {
                tell(core, &owner, &stanza);
                core.set_roster_item(
                    &owner,
                    &contact,
                    Some(state.with(true, state.from(), false, state.approved())),
                );
            }
        }
        PresenceType::Unsubscribe => {
            // A.3.2, §3.3.3
            forget_request(core, &owner, &contact);
            if state.from() || state.asked {
                tell(core, &owner, &stanza);
            }
            if state.from() {
                core.set_roster_item(
                    &owner,
                    &contact,
                    Some(state.with(state.to(), false, state.ask(), state.approved())),
                );
                core.hide_presence(&owner, &contact);
            }
        }
        _ => {
            // A.3.4, §3.2.3
            if state.to() || state.ask() {
                tell(core, &owner, &stanza);
                core.set_roster_item(
                    &owner,
                    &contact,
                    Some(state.with(false, state.from(), false, state.approved())),
                );
            }
        }
    }
    Ok(Flow::Done)
}

/// §3.1.3: someone asks for a subscription.
fn asked(
    core: &mut Core,
    owner: &Jid,
    contact: &Jid,
    state: &State,
    mut stanza: Stanza,
) -> Result<(), StanzaError> {
    let yes = Stanza::presence(PresenceType::Subscribed).from(owner).to(contact);
    if state.from() {
        core.route(yes);
        return Ok(());
    }
    core.writable()?;
    if state.approved() {
        // §3.4.2: the approval is used up, and a request after the next cancellation is a new question.
        core.set_roster_item(owner, contact, Some(state.with(state.to(), true, state.ask(), false)));
        core.route(yes);
        core.show_presence(owner, contact);
        return Ok(());
    }
    let account = core.account(owner)?;
    if state.asked || account.requests.len() >= MAX_REQUESTS {
        return Ok(());
    }
    if stanza.payload.bytes().len() > MAX_CONTENT {
        stanza.payload = Payload::default();
    }
    let id = account.record.id;
    account.requests.insert(contact.clone(), stanza.clone());
    core.write(owner, [schema::subscription_request::put(id, contact.as_str(), &stanza.to_bytes())]);
    let available: Vec<SessionId> = core.available_sessions(owner).map(|session| session.id).collect();
    for session in available {
        core.send(session, &stanza);
    }
    Ok(())
}

/// §3.1.3: requests that wait are shown to each resource that becomes available.
fn show_requests(core: &mut Core, session: SessionId, initial: bool) {
    if !initial {
        return;
    }
    let Some(jid) = core.session(session).map(|session| session.jid.clone()) else { return };
    let Some(account) = core.loaded(&jid) else { return };
    // Someone may have been blocked since.
    let shown = account.requests.iter().filter(|(from, _)| !account.blocks(from));
    let requests: Vec<Stanza> = shown.map(|(_, request)| request.clone()).collect();
    for request in requests {
        core.send(session, &request);
    }
}

fn forget_request(core: &mut Core, owner: &Jid, contact: &Jid) {
    let Ok(account) = core.account(owner) else { return };
    let id = account.record.id;
    if account.requests.remove(contact).is_some() {
        core.write(owner, [schema::subscription_request::delete(id, contact.as_str())]);
    }
}

/// An answer goes to every resource that has asked for the roster (§3.1.6, §3.2.3, §3.3.3).
fn tell(core: &mut Core, owner: &Jid, stanza: &Stanza) {
    let interested: Vec<SessionId> =
        core.sessions_of(owner).filter(|session| session.interested).map(|session| session.id).collect();
    for session in interested {
        core.send(session, stanza);
    }
}

/// A new contact needs room in the roster.
fn room_for_one_more(core: &mut Core, owner: &Jid, state: &State) -> Result<(), StanzaError> {
    let max = core.config.limits.roster_items.max_len();
    if state.item.is_none() && core.account(owner)?.roster.iter().count() >= max {
        return Err(StanzaError::new(Condition::ResourceConstraint, "The roster is full."));
    }
    Ok(())
}

fn is_subscription(kind: PresenceType) -> bool {
    matches!(
        kind,
        PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed
    )
}

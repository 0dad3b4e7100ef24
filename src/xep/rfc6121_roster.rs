//! The roster (RFC 6121 §2): a client asks for it, adds, changes and removes contacts, and every resource that
//! has asked learns of each change. With versions (§2.6) a client gets only what it missed.
//!
//! Stored: table `roster`. What promises a change is kept waits for the disk. A roster has at most
//! `roster_items` contacts; one more is `<resource-constraint/>`.

use std::collections::BTreeSet;

use crate::core::module::{Answer, Module, Route, Spec, Stage, Target};
use crate::core::{Core, item_element};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, PresenceType, Stanza, StanzaError};
use crate::store::record::RosterItem;
use crate::xml::Element;
use crate::xml::ns;

/// Bytes of a name or of a group's name, as of an address's part.
const NAME_BYTES: usize = 1023;
/// Groups that one contact may be in.
const GROUPS: usize = 100;

pub const MODULE: Module = Module {
    name: "roster",
    specs: &[Spec::Rfc(6121, "§2")],
    iq: &[Route { ns: ns::ROSTER, name: "query", target: Target::Owner, handle }],
    stream_features: Some(offer_versions),
    account_removed: Some(cancel_everything),
    ..Module::NONE
};

// §2.6.1
fn offer_versions(_: &mut Core, stage: Stage, _: &Jid) -> Option<Element> {
    (stage == Stage::AfterLogin).then(|| Element::new("ver", ns::ROSTER_VER))
}

fn handle(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let query = stanza.request().map(|child| child.to_element()).unwrap_or(Element::new("query", ns::ROSTER));
    let Some(owner) = stanza.to.as_ref().map(Jid::bare) else { return Err(Condition::BadRequest.into()) };
    match stanza.kind {
        Kind::Iq(IqType::Set) => set(core, &owner, &query),
        _ => get(core, &owner, stanza, &query),
    }
}

// §2.1.3, §2.6
fn get(core: &mut Core, owner: &Jid, stanza: &Stanza, query: &Element) -> Result<Answer, StanzaError> {
    let asker = stanza.from.as_ref().and_then(|from| core.session_of(from)).map(|session| session.id);
    let roster = &core.account(owner)?.roster;
    let version = roster.version().to_string();
    let known: Option<u64> = query.get_attr("ver").and_then(|ver| ver.parse().ok());
    let changes = known.and_then(|known| roster.changes_since(known));
    let (answer, pushes) = match changes {
        // §2.6.3: nothing to say but the changes, each as a push with its version
        Some(changes) => {
            let push = |(contact, item): (&Jid, &RosterItem)| {
                let query = Element::new("query", ns::ROSTER).attr("ver", item.version.to_string());
                let query = query.child(item_element(contact, item));
                Stanza::iq(IqType::Set, &format!("push{}", item.version)).with(&query)
            };
            (None, changes.into_iter().map(push).collect())
        }
        None => {
            let mut answer = Element::new("query", ns::ROSTER);
            // A client that says nothing of versions may not know them.
            if query.get_attr("ver").is_some() {
                answer = answer.attr("ver", &version);
            }
            let items = roster.iter().map(|(contact, item)| item_element(contact, item));
            (Some(items.fold(answer, Element::child)), Vec::new())
        }
    };
    let Some(session) = asker else { return Ok(Answer::Result(answer)) };
    if let Some(session) = core.session_mut(session) {
        session.interested = true;
    }
    core.route(stanza.result(answer));
    for push in pushes {
        core.send_from_server(session, push);
    }
    Ok(Answer::Later)
}

// §2.1.5
fn set(core: &mut Core, owner: &Jid, query: &Element) -> Result<Answer, StanzaError> {
    let mut items = query.children();
    // §2.3.3: exactly one item
    let (Some(item), None) = (items.next(), items.next()) else { return Err(Condition::BadRequest.into()) };
    if !item.is("item", ns::ROSTER) {
        return Err(Condition::BadRequest.into());
    }
    let contact = item.get_attr("jid").ok_or(Condition::BadRequest)?;
    let contact = Jid::parse(contact).map_err(|_| StanzaError::from(Condition::JidMalformed))?.bare();
    core.writable()?;
    if item.get_attr("subscription") == Some("remove") {
        return remove(core, owner, &contact);
    }
    let (name, groups) = read_item(item)?;
    if contact == *owner {
        return Err(StanzaError::new(Condition::NotAllowed, "You are no contact of your own."));
    }
    let max = core.config.limits.roster_items.max_len();
    let roster = &core.account(owner)?.roster;
    let old = roster.get(&contact).cloned();
    if old.is_none() && roster.iter().count() >= max {
        return Err(StanzaError::new(Condition::ResourceConstraint, "The roster is full."));
    }
    // The states are the server's (§2.1.2.5): what the client says of them is not looked at.
    core.set_roster_item(owner, &contact, Some(RosterItem { name, groups, ..old.unwrap_or_default() }));
    Ok(Answer::Kept(None))
}

/// Name and groups of an item (§2.3.3).
fn read_item(item: &Element) -> Result<(Option<String>, Vec<String>), StanzaError> {
    let name = item.get_attr("name").filter(|name| !name.is_empty()).map(str::to_owned);
    let groups: Vec<String> =
        item.children().filter(|child| child.is("group", ns::ROSTER)).map(Element::text_content).collect();
    let too_long = |text: &String| text.len() > NAME_BYTES;
    if name.as_ref().is_some_and(too_long) || groups.iter().any(too_long) || groups.len() > GROUPS {
        return Err(StanzaError::new(
            Condition::NotAcceptable,
            "A name or group is too long, or they are too many.",
        ));
    }
    if groups.iter().any(String::is_empty) {
        return Err(Condition::NotAcceptable.into());
    }
    if groups.iter().collect::<BTreeSet<_>>().len() != groups.len() {
        return Err(Condition::BadRequest.into());
    }
    Ok((name, groups))
}

// §2.5
fn remove(core: &mut Core, owner: &Jid, contact: &Jid) -> Result<Answer, StanzaError> {
    let account = core.account(owner)?;
    let item = account.roster.get(contact).cloned().ok_or(Condition::ItemNotFound)?; // §2.5.3
    core.set_roster_item(owner, contact, None);
    cancel(core, owner, contact, &item);
    Ok(Answer::Kept(None))
}

/// Ends what there is between an account and a contact (§2.5.2).
fn cancel(core: &mut Core, owner: &Jid, contact: &Jid, item: &RosterItem) {
    if item.subscription.from() {
        core.hide_presence(owner, contact);
    }
    if item.subscription.to() || item.ask {
        core.route(Stanza::presence(PresenceType::Unsubscribe).from(owner).to(contact));
    }
    if item.subscription.from() {
        core.route(Stanza::presence(PresenceType::Unsubscribed).from(owner).to(contact));
    }
}

/// XEP-0077 §3.2: an account that goes leaves no subscription behind, and answers who still waits.
fn cancel_everything(core: &mut Core, owner: &Jid) {
    let Ok(account) = core.account(owner) else { return };
    let contacts: Vec<(Jid, RosterItem)> =
        account.roster.iter().map(|(contact, item)| (contact.clone(), item.clone())).collect();
    let asking: Vec<Jid> = account.requests.keys().cloned().collect();
    for (contact, item) in contacts {
        cancel(core, owner, &contact, &item);
    }
    for contact in asking {
        core.route(Stanza::presence(PresenceType::Unsubscribed).from(owner).to(&contact));
    }
}

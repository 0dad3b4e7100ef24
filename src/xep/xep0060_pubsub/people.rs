//! How owners manage who has to do with a node (XEP-0060 §8.8, §8.9).
//!
//! An owner can end a subscription or approve one that waits, but subscribe nobody: otherwise a node would be a way to
//! send something to whoever has not asked for it.

use super::subscriber::subscription;
use super::{Request, pubsub_owner};
use crate::core::Core;
use crate::core::module::Answer;
use crate::jid::Jid;
use crate::stanza::{Condition, ErrorType, StanzaError};
use crate::store::record::{Affiliation, Subscriber};
use crate::xml::Element;
use crate::xml::ns;

// §8.8.1
pub fn subscriptions(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.must_own(owner, name, &request.from)?;
    let list = Element::new("subscriptions", ns::PUBSUB_OWNER).attr("node", name);
    let subscribed = core.node(owner, name)?.people.subscriptions.iter().filter(|it| !it.pending);
    let list = subscribed.map(|it| subscription(name, it, ns::PUBSUB_OWNER)).fold(list, Element::child);
    Ok(Answer::Result(pubsub_owner(list)))
}

// §8.8.2
pub fn change_subscriptions(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.must_own(owner, name, &request.from)?;
    core.writable()?;
    let mut refused = Element::new("subscriptions", ns::PUBSUB_OWNER).attr("node", name);
    for change in request.action.children() {
        let jid =
            Jid::parse(change.get_attr("jid").unwrap_or_default()).map_err(|_| Condition::BadRequest)?;
        let Some(state) = change.get_attr("subscription") else { continue };
        let all = &core.node(owner, name)?.people.subscriptions;
        let known = all.iter().find(|known| known.jid == jid.as_str()).cloned();
        match (known, state) {
            (None, "none") => {}
            (Some(_), "none") => {
                core.remove_subscriber(owner, name, &jid)?;
                core.notify_subscription(owner, name, &jid, "none");
            }
            (Some(known), "subscribed") if known.pending => approve(core, owner, name, &jid)?,
            (Some(_), "subscribed") => {}
            (known, _) => {
                let state =
                    known.map_or("none", |known| if known.pending { "pending" } else { "subscribed" });
                let element = Element::new("subscription", ns::PUBSUB_OWNER).attr("jid", jid.as_str());
                refused.push(element.attr("subscription", state));
            }
        }
    }
    answer(refused)
}

/// A subscription that has waited counts from now on, and its holder is told (§8.6, §12.20).
pub fn approve(core: &mut Core, owner: &Jid, name: &str, jid: &Jid) -> Result<(), StanzaError> {
    let subscriptions = &core.node(owner, name)?.people.subscriptions;
    let Some(known) = subscriptions.iter().find(|it| it.jid == jid.as_str() && it.pending).cloned() else {
        return Ok(());
    };
    core.set_subscriber(owner, name, Subscriber { pending: false, ..known })?;
    core.notify_subscription(owner, name, jid, "subscribed");
    core.send_last_to_subscriber(owner, name, jid);
    Ok(())
}

// §8.9.1
pub fn affiliations(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.must_own(owner, name, &request.from)?;
    let mut list = Element::new("affiliations", ns::PUBSUB_OWNER).attr("node", name);
    if owner.local().is_some() {
        list.push(affiliation(owner.as_str(), Affiliation::Owner));
    }
    for (jid, known) in &core.node(owner, name)?.people.affiliations {
        list.push(affiliation(jid, *known));
    }
    Ok(Answer::Result(pubsub_owner(list)))
}

fn affiliation(jid: &str, affiliation: Affiliation) -> Element {
    Element::new("affiliation", ns::PUBSUB_OWNER).attr("jid", jid).attr("affiliation", affiliation.name())
}

// §8.9.2
pub fn change_affiliations(core: &mut Core, request: &Request<'_>) -> Result<Answer, StanzaError> {
    let (owner, name) = (&request.owner, request.required_node()?);
    core.must_own(owner, name, &request.from)?;
    core.writable()?;
    let mut changes: Vec<(Jid, Option<&str>)> = Vec::new();
    for change in request.action.children() {
        let jid =
            Jid::parse(change.get_attr("jid").unwrap_or_default()).map_err(|_| Condition::BadRequest)?;
        let jid = jid.bare();
        // §8.9.2.4: not twice for the same
        if changes.iter().any(|(other, _)| *other == jid) {
            return Err(Condition::BadRequest.into());
        }
        changes.push((jid, change.get_attr("affiliation")));
    }
    let mut refused = Element::new("affiliations", ns::PUBSUB_OWNER).attr("node", name);
    for (jid, wanted) in changes {
        let Some(wanted) = wanted else { continue };
        let node = core.node(owner, name)?;
        let before = node.affiliation(owner, &jid);
        match Affiliation::parse(wanted) {
            Some(wanted) if wanted == before => {}
            Some(wanted) if may_become(owner, before, wanted, node.owners(owner).len()) => {
                core.set_affiliation(owner, name, &jid, wanted)?;
                affiliation_changed(core, owner, name, &jid)?;
            }
            _ => refused.push(affiliation(jid.as_str(), before)),
        }
    }
    core.cancel_lost_subscriptions(owner, name)?;
    answer(refused)
}

/// An account is its nodes' only owner (XEP-0163 §3.2), and at a service somebody must be.
fn may_become(owner: &Jid, before: Affiliation, wanted: Affiliation, owners: usize) -> bool {
    match owner.local() {
        Some(_) => before != Affiliation::Owner && wanted != Affiliation::Owner,
        None => before != Affiliation::Owner || owners > 1,
    }
}

/// §8.7: whoever may subscribe now need not wait.
fn affiliation_changed(core: &mut Core, owner: &Jid, name: &str, jid: &Jid) -> Result<(), StanzaError> {
    if core.may_read(owner, name, jid).is_err() {
        return Ok(());
    }
    let node = core.node(owner, name)?;
    let waiting = node.subscriptions_of(jid).filter(|subscriber| subscriber.pending);
    let waiting: Vec<Jid> = waiting.filter_map(|subscriber| Jid::parse(&subscriber.jid).ok()).collect();
    waiting.iter().try_for_each(|jid| approve(core, owner, name, jid))
}

/// §8.8.2.4, §8.9.2.4: what could not be changed comes back as it is; the rest is.
fn answer(refused: Element) -> Result<Answer, StanzaError> {
    if refused.children.is_empty() {
        return Ok(Answer::Kept(None));
    }
    let detail = Element::new("pubsub", ns::PUBSUB_OWNER).child(refused);
    Err(StanzaError::from(Condition::NotAcceptable).with_type(ErrorType::Modify).with_detail(detail))
}

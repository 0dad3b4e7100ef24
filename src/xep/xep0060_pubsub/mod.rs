//! Publish-subscribe (XEP-0060): the requests of subscribers, publishers and owners, for the service of a domain
//! (`pubsub.example.org`) and for the nodes of every account (XEP-0163) alike. Items come in pages if they are asked
//! for so (XEP-0059).
//!
//! Stored: `pubsub_nodes`, `pubsub_people`, `pubsub_items`; see `core/pubsub` for what they mean and for their bounds.
//! Anyone may use the service, and the accounts of its domain may make nodes there. Not done: collections (XEP-0248),
//! several subscriptions of one address, leases, digests.

mod approve;
mod bounce;
mod describe;
mod owner;
mod people;
mod publisher;
mod retrieve;
mod subscriber;

use crate::core::module::{Answer, Flow, Module, Route, Spec, Target};
use crate::core::pubsub::pubsub_error;
use crate::core::{Core, ServiceKind, is_own};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, MessageType, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "pubsub",
    specs: &[Spec::Xep(60, "1.30.0")],
    account_features: describe::FEATURES,
    iq: &[
        Route {
            ns: ns::PUBSUB,
            name: "pubsub",
            target: Target::Service(ServiceKind::Pubsub),
            handle: request,
        },
        Route { ns: ns::PUBSUB, name: "pubsub", target: Target::Account, handle: request },
        Route {
            ns: ns::PUBSUB_OWNER,
            name: "pubsub",
            target: Target::Service(ServiceKind::Pubsub),
            handle: request,
        },
        Route { ns: ns::PUBSUB_OWNER, name: "pubsub", target: Target::Account, handle: request },
    ],
    nobody: Some(nobody),
    inbound: Some(inbound),
    at_service: Some(at_service),
    account_removed: Some(account_removed),
    info: Some(describe::info),
    items: Some(describe::items),
    ..Module::NONE
};

/// Who wants what of whose nodes.
struct Request<'a> {
    /// The account or the service.
    owner: Jid,
    /// Who asks, with resource.
    from: Jid,
    /// `<pubsub/>`
    pubsub: &'a Element,
    /// Its first child.
    action: &'a Element,
}

impl Request<'_> {
    fn node(&self) -> Option<&str> {
        self.action.get_attr("node").filter(|node| !node.is_empty())
    }

    fn required_node(&self) -> Result<&str, StanzaError> {
        self.node().ok_or_else(|| pubsub_error(Condition::BadRequest, "nodeid-required"))
    }

    /// The second child, if it is this one; its place matters (§6.3.7, §7.1.5, §8.1.3).
    fn companion(&self, name: &str) -> Option<&Element> {
        self.pubsub.children().nth(1).filter(|child| child.is(name, ns::PUBSUB))
    }

    /// The address of the 'jid' attribute, which must be the asker's own, with any resource.
    fn own_jid(&self, missing: StanzaError, foreign: StanzaError) -> Result<Jid, StanzaError> {
        let jid = self.action.get_attr("jid").and_then(|jid| Jid::parse(jid).ok()).ok_or(missing)?;
        if jid.same_bare(&self.from) { Ok(jid) } else { Err(foreign) }
    }
}

fn request(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(to), Some(from), Some(child)) = (&stanza.to, &stanza.from, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    let pubsub = child.to_element();
    let action = pubsub.children().next().filter(|action| action.ns == pubsub.ns);
    let action = action.ok_or(Condition::BadRequest)?;
    let request = Request { owner: to.bare(), from: from.clone(), pubsub: &pubsub, action };
    let is_set = stanza.kind == Kind::Iq(IqType::Set);
    match (pubsub.ns.as_str(), is_set, action.name.as_str()) {
        (ns::PUBSUB, false, "subscriptions") => subscriber::subscriptions(core, &request),
        (ns::PUBSUB, false, "affiliations") => subscriber::affiliations(core, &request),
        (ns::PUBSUB, true, "subscribe") => subscriber::subscribe(core, &request),
        (ns::PUBSUB, true, "unsubscribe") => subscriber::unsubscribe(core, &request),
        (ns::PUBSUB, false, "options") => subscriber::options(core, &request),
        (ns::PUBSUB, true, "options") => subscriber::set_options(core, &request),
        (ns::PUBSUB, false, "default") => subscriber::default_options(core, &request),
        (ns::PUBSUB, false, "items") => retrieve::items(core, &request),
        (ns::PUBSUB, true, "publish") => publisher::publish(core, &request),
        (ns::PUBSUB, true, "retract") => publisher::retract(core, &request),
        (ns::PUBSUB, true, "create") => owner::create(core, &request),
        (ns::PUBSUB_OWNER, false, "configure") => owner::configuration(core, &request),
        (ns::PUBSUB_OWNER, true, "configure") => owner::configure(core, &request),
        (ns::PUBSUB_OWNER, false, "default") => owner::default_configuration(core, &request),
        (ns::PUBSUB_OWNER, true, "delete") => owner::delete(core, &request),
        (ns::PUBSUB_OWNER, true, "purge") => owner::purge(core, &request),
        (ns::PUBSUB_OWNER, false, "subscriptions") => people::subscriptions(core, &request),
        (ns::PUBSUB_OWNER, true, "subscriptions") => people::change_subscriptions(core, &request),
        (ns::PUBSUB_OWNER, false, "affiliations") => people::affiliations(core, &request),
        (ns::PUBSUB_OWNER, true, "affiliations") => people::change_affiliations(core, &request),
        _ => Err(Condition::BadRequest.into()),
    }
}

/// Of an account that doesn't exist: the same as of one that has no nodes.
fn nobody(core: &mut Core, stanza: &Stanza) -> Option<Result<Element, StanzaError>> {
    let child = stanza.request().filter(|_| stanza.to.as_ref().is_some_and(Jid::is_bare))?;
    if !child.is("pubsub", ns::PUBSUB) && !child.is("pubsub", ns::PUBSUB_OWNER) {
        return None;
    }
    match request(core, stanza) {
        Ok(Answer::Result(answer) | Answer::Kept(answer)) => answer.map(Ok),
        Ok(Answer::Later) => None,
        Err(error) => Some(Err(error)),
    }
}

/// What accounts get that is for their nodes: errors, and their own answers.
fn inbound(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let Kind::Message(kind) = stanza.kind else { return Ok(Flow::Continue) };
    if !stanza.to.as_ref().is_some_and(Jid::is_bare) {
        return Ok(Flow::Continue);
    }
    if kind == MessageType::Error {
        bounce::returned(core, stanza);
        return Ok(Flow::Continue);
    }
    if is_own(stanza) { approve::answer(core, stanza) } else { Ok(Flow::Continue) }
}

fn at_service(core: &mut Core, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let service = stanza.to.as_ref().and_then(|to| core.service(to.domain()));
    if service.is_none_or(|service| service.kind != ServiceKind::Pubsub) {
        return Ok(Flow::Continue);
    }
    match stanza.kind {
        Kind::Message(MessageType::Error) => {
            bounce::returned(core, stanza);
            Ok(Flow::Done)
        }
        Kind::Message(_) => approve::answer(core, stanza),
        _ => Ok(Flow::Continue),
    }
}

/// `<pubsub/>` with this inside.
fn pubsub(child: Element) -> Option<Element> {
    Some(Element::new("pubsub", ns::PUBSUB).child(child))
}

/// The same in the namespace of owners' requests.
fn pubsub_owner(child: Element) -> Option<Element> {
    Some(Element::new("pubsub", ns::PUBSUB_OWNER).child(child))
}

fn unsupported(feature: &str) -> StanzaError {
    let detail = Element::new("unsupported", ns::PUBSUB_ERRORS).attr("feature", feature);
    StanzaError::from(Condition::FeatureNotImplemented).with_detail(detail)
}

/// Whether somebody may make nodes: an account its own, and at a service those of the same domain.
fn may_create(core: &Core, owner: &Jid, who: &Jid) -> bool {
    match owner.local() {
        Some(_) => owner.same_bare(who),
        None => {
            let service = core.service(owner.domain());
            who.local().is_some() && service.is_some_and(|service| service.host.domain() == who.domain())
        }
    }
}

/// Whoever gets the same address later must not find there what this one had.
fn account_removed(core: &mut Core, account: &Jid) {
    let services = core.services().iter().filter(|service| service.host.domain() == account.domain());
    let addresses: Vec<Jid> = services.map(|service| service.address.clone()).collect();
    for address in addresses {
        if let Err(error) = core.forget_person(&address, account) {
            log::error!("{account} is gone, but not from the nodes of {address}: {}", error.condition.name());
        }
    }
}

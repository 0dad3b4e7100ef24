//! Last activity (XEP-0012): for how long the server has been up, and how long ago somebody was last there.
//!
//! Who may not see an account's presence gets `<forbidden/>` whether it is online or not, and whether it exists or
//! not. What is told comes from table `activity`, which every session writes when it ends.

use crate::core::Core;
use crate::core::module::{Answer, Flow, Module, Route, Spec, Target};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "last",
    specs: &[Spec::Xep(12, "2.0")],
    features: &[ns::LAST],
    account_features: &[ns::LAST],
    iq: &[
        Route { ns: ns::LAST, name: "query", target: Target::Server, handle: uptime },
        Route { ns: ns::LAST, name: "query", target: Target::Account, handle: last_logout },
    ],
    nobody: Some(nobody),
    inbound: Some(guard),
    ..Module::NONE
};

// §5
fn uptime(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    only_get(stanza)?;
    Ok(Answer::Result(Some(seconds(core.uptime() / 1000))))
}

// §3
fn last_logout(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    only_get(stanza)?;
    let (Some(owner), Some(asker)) = (&stanza.to, &stanza.from) else {
        return Err(Condition::BadRequest.into());
    };
    if !may_see_presence(core, owner, asker)? {
        return Err(Condition::Forbidden.into());
    }
    if core.sessions_of(owner).next().is_some() {
        return Ok(Answer::Result(Some(seconds(0))));
    }
    let record = &core.account(owner)?.record;
    let (id, created) = (record.id, record.created);
    let activity = core.activity(id)?;
    // Someone who has never been there has been away since the account was made.
    let since = activity.last_logout.max(created);
    Ok(Answer::Result(Some(seconds((core.now() / 1000).saturating_sub(since)).text(&activity.status))))
}

/// §4, §8: by presence subscription only; directed presence says nothing of the past.
fn may_see_presence(core: &mut Core, owner: &Jid, asker: &Jid) -> Result<bool, StanzaError> {
    Ok(owner.same_bare(asker) || core.account(owner)?.roster.is_subscriber(asker))
}

// §4: a request to a resource is not delivered for those who may not see it.
fn guard(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let (Kind::Iq(IqType::Get), Some(to), Some(from)) = (stanza.kind, &stanza.to, &stanza.from) else {
        return Ok(Flow::Continue);
    };
    let asks = to.is_full() && stanza.request().is_some_and(|child| child.is("query", ns::LAST));
    if asks && !core.shares_presence(to, from) {
        return Err(Condition::Forbidden.into());
    }
    Ok(Flow::Continue)
}

/// §3, §8: what a stranger hears of an account that does exist.
fn nobody(_: &mut Core, stanza: &Stanza) -> Option<Result<Element, StanzaError>> {
    let asks = stanza.kind == Kind::Iq(IqType::Get) && stanza.request()?.is("query", ns::LAST);
    asks.then(|| Err(Condition::Forbidden.into()))
}

fn only_get(stanza: &Stanza) -> Result<(), StanzaError> {
    match stanza.kind {
        Kind::Iq(IqType::Get) => Ok(()),
        _ => Err(Condition::BadRequest.into()),
    }
}

fn seconds(seconds: u64) -> Element {
    Element::new("query", ns::LAST).attr("seconds", seconds.to_string())
}

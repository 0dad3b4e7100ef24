//! Personal eventing (XEP-0163): every account's bare address is a publish-subscribe service of its own, whose
//! subscribers are the contacts that get its presence. What is asked for and how it is kept is XEP-0060's; here is
//! what makes it personal. Public keys (XEP-0222) and private storage (XEP-0223) are nodes with other options.
//!
//! A contact that may not have a node any more, because the roster has changed, loses an explicit subscription to it
//! (§7.1); one that has come to see the account's presence gets the last items that it wants.

use crate::core::Core;
use crate::core::module::{Module, Spec};
use crate::core::pubsub::Interests;
use crate::jid::Jid;
use crate::store::record::RosterItem;

pub const MODULE: Module = Module {
    name: "pep",
    specs: &[Spec::Xep(163, "1.2.2"), Spec::Xep(222, "1.0"), Spec::Xep(223, "1.1.1")],
    roster_changed: Some(roster_changed),
    ..Module::NONE
};

fn roster_changed(core: &mut Core, account: &Jid, contact: &Jid, before: Option<&RosterItem>) {
    let groups = |item: &RosterItem| if item.subscription.from() { item.groups.clone() } else { Vec::new() };
    let Ok(loaded) = core.account(account) else { return };
    let now = loaded.roster.get(contact);
    let sees =
        (before.is_some_and(|item| item.subscription.from()), now.is_some_and(|it| it.subscription.from()));
    if sees.0 == sees.1 && before.map(groups) == now.map(groups) {
        return;
    }
    for name in core.node_names(account).unwrap_or_default() {
        if core.node(account, &name).is_ok_and(|node| !node.people.subscriptions.is_empty())
            && let Err(error) = core.cancel_lost_subscriptions(account, &name)
        {
            log::error!("subscriptions to {account} can't be ended: {}", error.condition.name());
        }
    }
    if sees == (false, true) {
        // Each may have been told nothing until both were there.
        greet(core, account, contact);
        greet(core, contact, account);
    }
}

/// The resources of a contact get the last items of an account's nodes, as far as they want and may have them.
fn greet(core: &mut Core, account: &Jid, contact: &Jid) {
    if !core.is_host(account.domain()) {
        return;
    }
    let sessions = core.available_sessions(contact).filter(|session| !session.interests.is_empty());
    let resources: Vec<(Jid, Interests)> =
        sessions.map(|session| (session.jid.clone(), session.interests.clone())).collect();
    for (resource, interests) in resources {
        let wanted: Vec<&str> = interests.iter().collect();
        core.send_wanted(account, &resource, &wanted);
    }
}

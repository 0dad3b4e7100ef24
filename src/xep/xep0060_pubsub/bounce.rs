//! Notifications that come back (XEP-0060 §12.4): whoever is not there any more is no subscriber any more.
//!
//! That a server can't be reached now ends nothing, and an error can only end subscriptions of the address that it
//! comes from.

use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::Stanza;
use crate::xml::ns;

pub fn returned(core: &mut Core, stanza: &Stanza) {
    let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else { return };
    let Some(error) = stanza.payload.find("error", ns::CLIENT).map(|error| error.to_element()) else {
        return;
    };
    let final_ones = ["gone", "item-not-found", "service-unavailable"];
    let is_final = final_ones.iter().any(|condition| error.find(condition, ns::STANZAS).is_some());
    if is_final && error.get_attr("type") == Some("cancel") {
        end_subscriptions(core, &to.bare(), from);
        // Nor does a resource that isn't there want anything.
        core.elsewhere_gone(&to.bare(), from);
    }
}

fn end_subscriptions(core: &mut Core, owner: &Jid, subscriber: &Jid) {
    for name in core.node_names(owner).unwrap_or_default() {
        if let Err(error) = core.remove_subscriber(owner, &name, subscriber) {
            log::info!("{subscriber} stays a subscriber of {owner}: {}", error.condition.name());
        }
    }
}

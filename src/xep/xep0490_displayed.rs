//! Which messages an account's user has seen (XEP-0490), on a node of the account; and the short way there: a client
//! that tells somebody that it has shown a message says in the same message what its other devices shall know (§4.5.3).
//!
//! What is for the devices never leaves: it is taken out before the message is archived, copied or sent.

use crate::core::Core;
use crate::core::module::{Flow, Module, Spec};
use crate::stanza::{Kind, Stanza, StanzaError};
use crate::store::record::{AccessModel, MAX_ITEMS, NodeConfig, SendLast};
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "displayed",
    specs: &[Spec::Xep(490, "1.0.1")],
    account_features: &[ns::MESSAGE_DISPLAYED_ASSIST],
    outbound: Some(outbound),
    ..Module::NONE
};

fn outbound(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let Kind::Message(_) = stanza.kind else { return Ok(Flow::Continue) };
    let Some(displayed) = stanza.payload.find("displayed", ns::MESSAGE_DISPLAYED) else {
        return Ok(Flow::Continue);
    };
    let displayed = displayed.to_element();
    stanza.payload = stanza.payload.without(|child| child.is("displayed", ns::MESSAGE_DISPLAYED));
    let (Some(owner), Some(chat)) = (&stanza.from, &stanza.to) else { return Ok(Flow::Continue) };
    if displayed.find("stanza-id", ns::STANZA_ID).is_some() {
        // §5.2: as clients configure it
        let config = NodeConfig {
            access_model: AccessModel::Whitelist,
            max_items: MAX_ITEMS,
            send_last: SendLast::Never,
            ..NodeConfig::default()
        };
        // The message has a purpose of its own and goes on whatever becomes of this.
        if let Err(error) = core.pep_publish(owner, ns::MESSAGE_DISPLAYED, chat.as_str(), displayed, config) {
            log::debug!("what {owner} has seen cannot be kept: {error:?}");
        }
    }
    Ok(Flow::Continue)
}

//! Multi-user chat (XEP-0045): rooms where several people talk.
//!
//! What a room is and who is in it is in `core/rooms`; here is what is asked of it, a file for each thing that one would
//! look for: who comes (`entering`, `history`) and goes (`leaving`), how they are there (`presence`), what is said
//! (`messages`, `subject`), who is asked to come (`invitations`, also the direct ones of XEP-0249), what occupants ask each
//! other (`relay`, with XEP-0410's question whether one is still there), and what a room says of itself (`disco`); who may
//! do what (`privileges`), and does it to people (`admin`, `standing`; `register` and `voice`, with their `forms`) or to
//! the room (`configure` with `settings`, `destroy`). Whatever an occupant says carries the occupant's id (XEP-0421).

mod admin;
mod configure;
mod configured;
mod deleted;
mod destroy;
mod disco;
mod entering;
mod forms;
mod history;
mod invitations;
mod leaving;
mod messages;
mod nicks;
mod presence;
mod privileges;
mod register;
mod relay;
mod settings;
mod standing;
mod subject;
mod voice;

use crate::core::module::{Flow, Module, Route, Spec, Target};
use crate::core::{Core, ServiceKind};
use crate::stanza::{IqType, Kind, MessageType, PresenceType, Stanza, StanzaError};
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "muc",
    specs: &[
        Spec::Xep(45, "1.35.3"),
        Spec::Xep(249, "1.2"),
        Spec::Xep(410, "1.1.0"),
        Spec::Xep(421, "1.0.1"),
    ],
    room_features: &[ns::MUC, ns::MUC_REQUEST, ns::MUC_ROOM_CONFIG, ns::MUC_ROOM_INFO, ns::OCCUPANT_ID],
    iq: &[
        Route { ns: ns::MUC_ADMIN, name: "query", target: Target::Room, handle: admin::people },
        Route { ns: ns::MUC_OWNER, name: "query", target: Target::Room, handle: configure::owner },
        Route { ns: ns::REGISTER, name: "query", target: Target::Room, handle: register::registration },
        Route {
            ns: ns::DISCO_ITEMS,
            name: "query",
            target: Target::Service(ServiceKind::Rooms),
            handle: disco::rooms,
        },
    ],
    at_service: Some(take),
    room_entered: Some(history::tell),
    room_said: Some(Core::remember_said),
    session_ended: Some(leaving::session_ended),
    configured: Some(configured::keep_rooms),
    account_removed: Some(deleted::forget),
    info: Some(disco::info),
    items: Some(disco::items),
    ..Module::NONE
};

/// §17: messages and presence for a room or for somebody in one, requests between occupants, and what comes back.
fn take(core: &mut Core, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let Some(to) = stanza.to.as_ref() else { return Ok(Flow::Continue) };
    if !core.service(to.domain()).is_some_and(|service| service.kind == ServiceKind::Rooms) {
        return Ok(Flow::Continue);
    }
    match (stanza.kind, to.is_full()) {
        (Kind::Presence(PresenceType::Available), _) => entering::available(core, stanza, to),
        (Kind::Presence(PresenceType::Unavailable), _) => leaving::unavailable(core, stanza, to),
        (Kind::Presence(PresenceType::Probe), _) => presence::probed(core, stanza, to),
        (Kind::Presence(PresenceType::Subscribe), _) => presence::refuse_subscription(core, stanza, to),
        (Kind::Presence(PresenceType::Error) | Kind::Message(MessageType::Error), _) => {
            leaving::bounced(core, stanza, to);
        }
        (Kind::Message(MessageType::Groupchat), false) => messages::groupchat(core, stanza, to)?,
        (Kind::Message(MessageType::Normal), false) if invitations::is_one(stanza) => {
            invitations::pass_on(core, stanza, to)?;
        }
        (Kind::Message(MessageType::Normal), false) => return forms::take(core, stanza, to),
        (Kind::Message(_), true) => messages::private(core, stanza, to)?,
        (Kind::Iq(IqType::Get | IqType::Set), true) => relay::request(core, stanza, to)?,
        (Kind::Iq(IqType::Result | IqType::Error), _) => relay::answer(core, stanza),
        _ => return Ok(Flow::Continue),
    }
    Ok(Flow::Done)
}

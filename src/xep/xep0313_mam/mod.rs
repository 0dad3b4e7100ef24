//! Message archive management (XEP-0313): what an account sends and receives is archived for it, and what is said in a room
//! is archived there. Clients fetch from an archive what they have missed, each message as it was, forwarded (XEP-0297).
//!
//! Stored: see `core/archive`, which also says what happens while the disk refuses. A page has [`PAGE`] messages where
//! nothing is asked, and never more than [`MOST`]. Nobody but the account itself gets an answer other than
//! `<forbidden/>`, which is also what is said in place of an account that does not exist. Who may read a room's archive is
//! in `rooms`.

mod request;
mod rooms;
mod rules;

use crate::core::Core;
use crate::core::archive::{Side, View};
use crate::core::disco::{Entity, Info};
use crate::core::module::{Answer, Flow, Module, Route, Spec, Target};
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

/// Messages of a page, where the client does not say how many.
const PAGE: usize = 50;
/// Messages of a page at most.
const MOST: usize = 250;

pub const MODULE: Module = Module {
    name: "mam",
    specs: &[Spec::Xep(313, "1.1.3"), Spec::Xep(297, "1.0")],
    iq: &[
        Route { ns: ns::ARCHIVE, name: "query", target: Target::Owner, handle: query },
        Route { ns: ns::ARCHIVE, name: "metadata", target: Target::Owner, handle: metadata },
        Route { ns: ns::ARCHIVE, name: "query", target: Target::Room, handle: rooms::query },
        Route { ns: ns::ARCHIVE, name: "metadata", target: Target::Room, handle: rooms::metadata },
    ],
    nobody: Some(nobody),
    outbound: Some(sent),
    inbound: Some(received),
    room_message: Some(rooms::said),
    info: Some(describe),
    ..Module::NONE
};

// §7
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    if core.config.archive.enabled && entity.is_account() {
        info.features.extend([ns::ARCHIVE, ns::ARCHIVE_EXTENDED, ns::ARCHIVE_GROUPCHAT_FIELD, ns::RSM]);
    }
    if entity.is_room() && core.room(entity.address).is_ok_and(|room| room.config().archived) {
        rooms::describe(core, info);
    }
}

/// §8.1: an archive that is not yours looks like one that is not there.
fn nobody(_: &mut Core, stanza: &Stanza) -> Option<Result<Element, StanzaError>> {
    let asks = stanza.request()?.ns() == ns::ARCHIVE && stanza.to.as_ref()?.is_bare();
    asks.then(|| Err(Condition::Forbidden.into()))
}

// §6.1.1
fn sent(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    archive(core, Side::Sender, stanza);
    Ok(Flow::Continue)
}

// §3.5: only its owner learns it
fn received(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    if archive(core, Side::Receiver, stanza)
        && let Some(to) = stanza.to.clone()
    {
        core.add_stanza_id(stanza, &to);
    } else {
        stanza.archived = None;
    }
    Ok(Flow::Continue)
}

/// `false`: it is not in the archive of the account on this side.
fn archive(core: &mut Core, side: Side, stanza: &mut Stanza) -> bool {
    let (Some(from), Some(to)) = (stanza.from.clone(), stanza.to.clone()) else { return false };
    let (account, with) = match side {
        Side::Sender => (from, to),
        Side::Receiver => (to, from),
    };
    // Who got it need not look again at what is in the archive of who sent it.
    let is_worth_it = stanza.archived.is_some() || rules::is_worth_archiving(stanza);
    if !is_worth_it || !core.archives() || !core.wants_archived(&account, &with) {
        return false;
    }
    let Some(id) = core.loaded(&account).map(|account| account.record.id) else { return false };
    core.archive(id, side, stanza);
    true
}

// §4, §4.1.5
fn query(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let asker = open(core, stanza)?;
    if stanza.kind == Kind::Iq(IqType::Get) {
        return Ok(Answer::Result(Some(Element::new("query", ns::ARCHIVE).child(request::form(false)))));
    }
    let owner = owner(core, stanza)?;
    let query = request::read(core, stanza, owner, View::Own)?;
    if let Some(session) = asker {
        core.reads_archive(session);
        core.ask_archive(session, query)?;
    }
    Ok(Answer::Later)
}

// §5
fn metadata(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    open(core, stanza)?;
    if stanza.kind != Kind::Iq(IqType::Get) {
        return Err(Condition::BadRequest.into());
    }
    let owner = owner(core, stanza)?;
    core.archive_metadata(owner).map(|metadata| Answer::Result(Some(metadata)))
}

/// The id of the account whose archive is asked.
fn owner(core: &mut Core, stanza: &Stanza) -> Result<u32, StanzaError> {
    let owner = stanza.to.as_ref().ok_or(Condition::BadRequest)?;
    Ok(core.account(owner)?.record.id)
}

/// The session that asks, if there are archives here.
fn open(core: &Core, stanza: &Stanza) -> Result<Option<crate::core::SessionId>, StanzaError> {
    if !core.config.archive.enabled {
        return Err(Condition::ServiceUnavailable.into());
    }
    Ok(stanza.from.as_ref().and_then(|from| core.session_of(from)).map(|session| session.id))
}

//! What owners ask of a room: how it is configured (§10.1, §10.2), and that it ends (§10.9).
//!
//! A new configuration holds at once and is kept in the store with the owners and admins that it names, all or nothing.
//! What it means for those who are in the room follows: some have to go (322), some get another role, and everyone is
//! told what has changed (§10.2.1).

use std::sync::Arc;

use super::admin::{admit, check_together};
use super::destroy;
use super::settings::{self, Bounds, Submitted};
use super::standing::{self, Cause, Grant};
use crate::core::Core;
use crate::core::module::Answer;
use crate::core::rooms::{Occupant, Room, Shown};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, MessageType, Stanza, StanzaError};
use crate::store::record::{RoomAffiliation, RoomConfig};
use crate::xml::{Element, ns};

/// A request of an owner.
pub fn owner(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(from), Some(address), Some(query)) = (&stanza.from, &stanza.to, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    let query = query.to_element();
    if core.room(address)?.affiliation(from) != RoomAffiliation::Owner {
        return Err(Condition::Forbidden.into());
    }
    if stanza.kind == Kind::Iq(IqType::Get) {
        return form(core, address);
    }
    if let Some(destroy) = query.find("destroy", ns::MUC_OWNER) {
        return destroy::asked(core, address, destroy);
    }
    let form = query.find("x", ns::DATA_FORMS).ok_or(Condition::BadRequest)?;
    match form.get_attr("type") {
        Some("submit") => submit(core, address, from, form),
        Some("cancel") => cancel(core, address),
        _ => Err(Condition::BadRequest.into()),
    }
}

// §10.1.3, §10.2
fn form(core: &mut Core, address: &Jid) -> Result<Answer, StanzaError> {
    let bounds = bounds(core);
    let form = settings::ask(core.room(address)?, bounds);
    Ok(Answer::Result(Some(Element::new("query", ns::MUC_OWNER).child(form))))
}

fn bounds(core: &Core) -> Bounds {
    let rooms = &core.config.rooms;
    let most = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
    Bounds { occupants: most(rooms.occupants.max()), history: most(rooms.history.max()) }
}

/// §10.1.3: a room that its owner does not want to open after all is gone. One that is open stays as it is.
fn cancel(core: &mut Core, address: &Jid) -> Result<Answer, StanzaError> {
    if core.room(address)?.record.locked {
        core.destroy_room(address, destroy::element())?;
        return Ok(Answer::Kept(None));
    }
    Ok(Answer::Result(None))
}

// §10.1.2, §10.1.3, §10.2
fn submit(core: &mut Core, address: &Jid, from: &Jid, form: &Element) -> Result<Answer, StanzaError> {
    let bounds = bounds(core);
    let room = core.room(address)?;
    let Submitted { config, owners, admins } = settings::read(room, bounds, form)?;
    let grants = grants(room, &config, owners, admins);
    check_together(room, &grants.iter().collect::<Vec<_>>())?;
    // Before a room is open, there is nobody to be told.
    if !room.record.locked {
        let everyone = concerns_everyone(room.config(), &config).then_some(room.occupants.len());
        admit(core, address, from, grants.len() + everyone.unwrap_or_default())?;
    }
    core.writable()?;
    let cause = Cause::by(core, address, from);
    let before = core.room(address)?.config().clone();
    // Who has to go is not shown to all for that.
    let meanwhile =
        RoomConfig { non_anonymous: config.non_anonymous && before.non_anonymous, ..config.clone() };
    configure(core, address, meanwhile, &cause)?;
    for grant in &grants {
        standing::set_affiliation(core, address, grant, &cause)?;
    }
    if config.members_only && !before.members_only {
        standing::expel_strangers(core, address, &cause);
    }
    core.change_room(address, |room| room.config.non_anonymous = config.non_anonymous)?;
    let codes = codes(core, &before, &config);
    tell_codes(core, address, &codes);
    core.end_if_abandoned(address);
    Ok(Answer::Kept(None))
}

/// Whether many can have to go or be shown anew because of it.
fn concerns_everyone(before: &RoomConfig, now: &RoomConfig) -> bool {
    (before.members_only, before.moderated, before.broadcast)
        != (now.members_only, now.moderated, now.broadcast)
}

/// Lets a new configuration hold. Whose presence is no longer shown is gone for the others, which must be said before;
/// whose is shown from now on is said after.
fn configure(core: &mut Core, address: &Jid, config: RoomConfig, cause: &Cause) -> Result<(), StanzaError> {
    let room = core.room(address)?;
    let moderated = config.moderated != room.config().moderated;
    let (least_before, least) = (room.config().broadcast, config.broadcast);
    let changed: Vec<Occupant> = (room.occupants.iter())
        .filter(|occupant| (occupant.role >= least_before) != (occupant.role >= least))
        .cloned()
        .collect();
    let gone = Shown { gone: true, ..Shown::default() };
    for occupant in changed.iter().filter(|occupant| occupant.role < least) {
        core.show_to_others(address, occupant, occupant.role, &gone);
    }
    core.change_room(address, |room| {
        room.locked = false;
        room.config = config;
    })?;
    for occupant in changed.iter().filter(|occupant| occupant.role >= least) {
        core.show_to_others(address, occupant, occupant.role, &Shown::default());
    }
    if moderated {
        standing::follow_moderation(core, address, cause);
    }
    Ok(())
}

/// Those whose affiliation changes because of full lists of owners and admins (§10.2). Who is no longer an owner becomes
/// an admin; who is no longer an admin a member, if only members may enter, or nothing (§10.7).
fn grants(
    room: &Room,
    config: &RoomConfig,
    owners: Option<Vec<Jid>>,
    admins: Option<Vec<Jid>>,
) -> Vec<Grant> {
    use RoomAffiliation::{Admin, Member, None as Nothing, Owner};
    let plain = if config.members_only { Member } else { Nothing };
    let shall_be = |who: &Jid, is: RoomAffiliation| match (&owners, &admins) {
        (Some(owners), _) if owners.binary_search(who).is_ok() => Owner,
        (None, _) if is == Owner => Owner,
        (_, Some(admins)) if admins.binary_search(who).is_ok() => Admin,
        (_, None) if is >= Admin => Admin,
        _ if is >= Admin => plain,
        _ => is,
    };
    let known = room.with_affiliation(Owner).chain(room.with_affiliation(Admin)).map(|(jid, _)| jid);
    let mut people: Vec<&Jid> = known.chain(owners.iter().flatten()).chain(admins.iter().flatten()).collect();
    people.sort_unstable();
    people.dedup();
    let of = |who: &Jid| room.people.get(who).map_or(Nothing, |person| person.affiliation);
    let changed = people.into_iter().filter(|who| shall_be(who, of(who)) != of(who));
    changed.map(|who| Grant::new(who, shall_be(who, of(who)))).collect()
}

fn tell_codes(core: &mut Core, address: &Jid, codes: &[u16]) {
    for code in codes {
        let status = Element::new("status", ns::MUC_USER).attr("code", code.to_string());
        tell(core, address, Element::new("x", ns::MUC_USER).child(status));
    }
}

// §10.2.1
fn codes(core: &Core, before: &RoomConfig, now: &RoomConfig) -> Vec<u16> {
    let (mut codes, mut said) = (Vec::new(), before.clone());
    // §14.3: a warning for when anybody can read it, and that is not a matter of one setting only.
    if core.is_logged(now) != core.is_logged(before) {
        codes.push(if core.is_logged(now) { 170 } else { 171 });
        said.archived = now.archived;
    }
    if now.non_anonymous != before.non_anonymous {
        codes.push(if now.non_anonymous { 172 } else { 173 });
        said.non_anonymous = now.non_anonymous;
    }
    if said != *now {
        codes.push(104);
    }
    codes
}

/// Tells everyone in a room something that is the room's to say.
pub fn tell(core: &mut Core, address: &Jid, x: Element) {
    let mut message = Stanza::message(MessageType::Groupchat).from(&address.bare()).with(&x);
    message.id = Some(Arc::from(core.random_word()));
    core.tell_occupants(address, message, |_| true);
}

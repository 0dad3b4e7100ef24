//! What moderators, admins and owners ask of a room (§8, §9, §10.3 to §10.8): who has a role or an affiliation, and that
//! somebody shall have one.
//!
//! One request can change several people: all of them or, if one change may not be, none. Affiliations are kept in the
//! store, by bare addresses; roles last as long as the occupant is there. A person or a whole domain can be banned.
//! One request has at most [`MAX_ITEMS`] items, a reason [`MAX_REASON`] bytes; a room knows
//! [`MAX_PEOPLE`](crate::core::rooms::MAX_PEOPLE) people.

use std::collections::BTreeSet;

use super::messages::too_fast;
use super::privileges::{self, Standing};
use super::register;
use super::standing::{self, Cause, Grant, KICKED};
use crate::config::Limit;
use crate::core::Core;
use crate::core::module::Answer;
use crate::core::rooms::{MAX_PEOPLE, Occupant, Room};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::store::record::{Role, RoomAffiliation, RoomPerson};
use crate::xml::{Element, ns};

/// People who can be changed at once.
const MAX_ITEMS: usize = 200;

/// Bytes of a reason, which everyone is told.
const MAX_REASON: usize = 1024;

/// A request about people.
pub fn people(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(from), Some(room), Some(query)) = (&stanza.from, &stanza.to, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    let query = query.to_element();
    let items: Vec<&Element> = query.children().filter(|child| child.is("item", ns::MUC_ADMIN)).collect();
    match (stanza.kind, items.as_slice()) {
        (Kind::Iq(IqType::Get), [item]) => list(core.room(room)?, from, item),
        (Kind::Iq(IqType::Set), [_, ..]) => change(core, room, from, &items),
        _ => Err(Condition::BadRequest.into()),
    }
}

/// What somebody is in a room and to it. Several nicks of one person count as the one that may do the most (§8: it is the
/// bare address that counts).
pub fn standing_of(room: &Room, who: &Jid) -> Standing {
    let role = room.occupants.of_person(who).map(|occupant| occupant.role).max().unwrap_or_default();
    Standing { role, affiliation: room.affiliation(who) }
}

// §8.5, §9.2, §9.5, §9.8, §10.5, §10.8
fn list(room: &Room, from: &Jid, item: &Element) -> Result<Answer, StanzaError> {
    let actor = standing_of(room, from);
    let query = Element::new("query", ns::MUC_ADMIN);
    let (allowed, query) = match Asked::of(item)? {
        Asked::Role(Role::None) | Asked::Affiliation(RoomAffiliation::None) => {
            return Err(StanzaError::new(Condition::BadRequest, "Nobody keeps a list of these."));
        }
        Asked::Role(role) => {
            let them = room.occupants.iter().filter(|occupant| occupant.role == role);
            let query = them.fold(query, |query, occupant| query.child(occupant_item(room, occupant)));
            (privileges::may_list_role(actor, role), query)
        }
        Asked::Affiliation(affiliation) => {
            let them = room.with_affiliation(affiliation);
            let query = them.fold(query, |query, (jid, person)| query.child(person_item(room, jid, person)));
            (privileges::may_list_affiliation(actor, affiliation, room.config()), query)
        }
    };
    if !allowed {
        return Err(Condition::Forbidden.into());
    }
    Ok(Answer::Result(Some(query)))
}

/// §17.4: in what a room says of roles, an item has all four.
fn occupant_item(room: &Room, occupant: &Occupant) -> Element {
    let real = occupant.devices.last().map_or(&occupant.real, |device| &device.jid);
    Element::new("item", ns::MUC_ADMIN)
        .attr("affiliation", room.affiliation(&occupant.real).name())
        .attr("jid", real.as_str())
        .attr("nick", occupant.nick())
        .attr("role", occupant.role.name())
}

/// §17.4: in what a room says of affiliations, there is no role.
fn person_item(room: &Room, jid: &Jid, person: &RoomPerson) -> Element {
    let mut item = Element::new("item", ns::MUC_ADMIN)
        .attr("affiliation", person.affiliation.name())
        .attr("jid", jid.as_str());
    let occupied = room.occupants.of_person(jid).next().map(Occupant::nick);
    let nick = Some(person.nick.as_str()).filter(|nick| !nick.is_empty()).or(occupied);
    if let Some(nick) = nick {
        item = item.attr("nick", nick);
    }
    if !person.reason.is_empty() {
        item = item.child(Element::new("reason", ns::MUC_ADMIN).text(&person.reason));
    }
    item
}

/// What an item is about: a role or an affiliation, and not both (§17.4).
enum Asked {
    Role(Role),
    Affiliation(RoomAffiliation),
}

impl Asked {
    fn of(item: &Element) -> Result<Asked, Condition> {
        match (item.get_attr("role"), item.get_attr("affiliation")) {
            (Some(role), None) => Role::parse(role).map(Asked::Role),
            (None, Some(affiliation)) => RoomAffiliation::parse(affiliation).map(Asked::Affiliation),
            _ => None,
        }
        .ok_or(Condition::BadRequest)
    }
}

/// One thing that is to change.
struct Wish {
    reason: Option<String>,
    what: What,
}

enum What {
    Role { nick: String, role: Role },
    Affiliation(Grant),
}

impl Wish {
    fn of(room: &Room, item: &Element, nick_bytes: Limit) -> Result<Wish, StanzaError> {
        let reason = item.find("reason", ns::MUC_ADMIN).map(Element::text_content);
        let reason = reason.filter(|reason| !reason.is_empty());
        if reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON) {
            return Err(StanzaError::new(Condition::NotAcceptable, "This reason is too long."));
        }
        let what = match Asked::of(item)? {
            Asked::Role(role) => {
                let nick = item.get_attr("nick").ok_or(Condition::BadRequest)?;
                What::Role { nick: occupant(room, nick)?.nick().to_owned(), role }
            }
            Asked::Affiliation(affiliation) => What::Affiliation(grant(room, item, affiliation, nick_bytes)?),
        };
        Ok(Wish { reason, what })
    }

    /// Whom it is about: nobody twice in one request.
    fn whom(&self) -> String {
        match &self.what {
            What::Role { nick, .. } => format!("/{nick}"),
            What::Affiliation(grant) => grant.who.to_string(),
        }
    }
}

fn occupant<'a>(room: &'a Room, nick: &str) -> Result<&'a Occupant, Condition> {
    let address = room.address.with_resource(nick).map_err(|_| Condition::ItemNotFound)?;
    room.occupants.get(address.resource().unwrap_or_default()).ok_or(Condition::ItemNotFound)
}

/// Of a full address the bare one counts (§10.3). Who is in the room can be named by nick alone.
fn grant(
    room: &Room,
    item: &Element,
    affiliation: RoomAffiliation,
    nick_bytes: Limit,
) -> Result<Grant, StanzaError> {
    let nick = item.get_attr("nick");
    let who = match item.get_attr("jid") {
        Some(jid) => Jid::parse(jid).map_err(|_| Condition::JidMalformed)?,
        None => occupant(room, nick.ok_or(Condition::BadRequest)?)?.real.clone(),
    };
    let is_named = item.get_attr("jid").is_some();
    let grant = Grant::new(&who, affiliation);
    if grant.who.is_domain() && affiliation > RoomAffiliation::None {
        return Err(StanzaError::new(Condition::NotAcceptable, "A whole domain can only be banned."));
    }
    let Some(nick) = nick.filter(|_| is_named && affiliation >= RoomAffiliation::Member) else {
        return Ok(grant);
    };
    // §9.5: an empty one takes the reserved nick back.
    let nick =
        if nick.is_empty() { String::new() } else { register::reservable(room, &who, nick, nick_bytes)? };
    Ok(Grant { nick: Some(nick), ..grant })
}

fn change(core: &mut Core, room: &Jid, from: &Jid, items: &[&Element]) -> Result<Answer, StanzaError> {
    let nick_bytes = core.config.rooms.nick_bytes;
    let state = core.room(room)?;
    if items.len() > MAX_ITEMS {
        return Err(StanzaError::new(Condition::PolicyViolation, "These are too many people at once."));
    }
    let actor = standing_of(state, from);
    if actor.role < Role::Moderator && actor.affiliation < RoomAffiliation::Admin {
        return Err(Condition::Forbidden.into());
    }
    let wishes = items.iter().map(|item| Wish::of(state, item, nick_bytes));
    let wishes = wishes.collect::<Result<Vec<Wish>, _>>()?;
    check(state, from, actor, &wishes)?;
    admit(core, room, from, wishes.len())?;
    let is_kept = wishes.iter().any(|wish| matches!(wish.what, What::Affiliation(_)));
    if is_kept {
        core.writable()?;
    }
    let cause = Cause::by(core, room, from);
    for Wish { reason, what } in wishes {
        let cause = cause.saying(reason);
        match what {
            What::Role { nick, role: Role::None } => standing::expel(core, room, &nick, KICKED, &cause),
            What::Role { nick, role } => standing::set_role(core, room, &nick, role, &cause),
            What::Affiliation(grant) => standing::set_affiliation(core, room, &grant, &cause)?,
        }
    }
    core.end_if_abandoned(room);
    Ok(if is_kept { Answer::Kept(None) } else { Answer::Result(None) })
}

/// Changes that everyone is told of count as messages do: there must be an end to them, too.
pub fn admit(core: &mut Core, room: &Jid, from: &Jid, people: usize) -> Result<(), StanzaError> {
    let id = core.occupant_id(room, from).into();
    let (per_minute, now) = (core.config.rooms.messages_per_minute, core.now());
    let admitted = core.room(room)?.admit_changes(&id, per_minute, now, people);
    if admitted { Ok(()) } else { Err(too_fast()) }
}

/// Whether all of these may be: otherwise none of them is (§9.2).
fn check(room: &Room, from: &Jid, actor: Standing, wishes: &[Wish]) -> Result<(), StanzaError> {
    let whom: BTreeSet<String> = wishes.iter().map(Wish::whom).collect();
    if whom.len() < wishes.len() {
        return Err(StanzaError::new(Condition::BadRequest, "Somebody is there twice."));
    }
    for wish in wishes {
        match &wish.what {
            What::Role { nick, role } => {
                let target = room.occupants.get(nick).ok_or(Condition::ItemNotFound)?;
                let standing = Standing { role: target.role, affiliation: room.affiliation(&target.real) };
                privileges::may_change_role(actor, standing, *role, target.real.same_bare(from))?;
            }
            What::Affiliation(Grant { who, affiliation, .. }) => {
                let (was, own) = (room.affiliation(who), who.same_bare(from));
                privileges::may_change_affiliation(actor.affiliation, was, *affiliation, own)?;
            }
        }
    }
    let grants = wishes.iter().filter_map(|wish| match &wish.what {
        What::Affiliation(grant) => Some(grant),
        What::Role { .. } => None,
    });
    check_together(room, &grants.collect::<Vec<_>>())
}

/// What several affiliations must be together: there is an owner afterwards (§10.5), no nick is two people's, and the
/// room can know that many people.
pub fn check_together(room: &Room, grants: &[&Grant]) -> Result<(), StanzaError> {
    if grants.len() > MAX_ITEMS {
        return Err(StanzaError::new(Condition::PolicyViolation, "These are too many people at once."));
    }
    let changed: BTreeSet<&Jid> = grants.iter().map(|grant| &grant.who).collect();
    let mut owners = room.with_affiliation(RoomAffiliation::Owner);
    let had_owner = owners.next().is_some();
    let mut owners = room.with_affiliation(RoomAffiliation::Owner);
    let has_owner = owners.any(|(jid, _)| !changed.contains(jid))
        || grants.iter().any(|grant| grant.affiliation == RoomAffiliation::Owner);
    if had_owner && !has_owner {
        return Err(StanzaError::new(Condition::Conflict, "A room has an owner."));
    }
    let nicks: Vec<&str> =
        grants.iter().filter_map(|grant| grant.nick.as_deref()).filter(|nick| !nick.is_empty()).collect();
    if nicks.iter().collect::<BTreeSet<_>>().len() < nicks.len() {
        return Err(StanzaError::new(Condition::Conflict, "Two people can't have the same nick."));
    }
    let new = grants
        .iter()
        .filter(|grant| grant.affiliation != RoomAffiliation::None && !room.people.contains_key(&grant.who));
    if room.people.len() + new.count() > MAX_PEOPLE {
        return Err(StanzaError::new(Condition::ResourceConstraint, "This room knows too many people."));
    }
    Ok(())
}

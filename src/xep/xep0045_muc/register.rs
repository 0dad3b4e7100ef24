//! Registering with a room (§7.10): one becomes a member with a reserved nick, which nobody else can have in the room
//! (`nicks`). A form that the room sends asks for the nick, and for nothing else.
//!
//! If just anyone may enter and speak, one is a member at once. Where that would let somebody in, or give them a voice,
//! which a moderator may have taken from them, those who decide are asked first (§9.9): every owner and admin gets a
//! form, one request of a person in ten minutes.
//! Who is something to the room already can change the nick, or take it back with the membership (XEP-0077 §3.2).
//! At most [`MAX_REGISTERED`] people are known to a room in which one can still register, so that strangers can't take
//! the places of those whom admins add.

use super::forms;
use super::nicks;
use super::privileges;
use super::standing::{self, Cause, Grant};
use crate::config::Limit;
use crate::core::Core;
use crate::core::form::{Field, FieldType, Form};
use crate::core::module::Answer;
use crate::core::rooms::{MAX_PEOPLE, Room};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::store::record::{Role, RoomAffiliation};
use crate::xml::{Element, ns};

const MAX_REGISTERED: usize = MAX_PEOPLE / 2;

/// Owners and admins who are asked.
const MAX_ASKED: usize = 50;

const NICK: &str = "muc#register_roomnick";
const ALLOW: &str = "muc#register_allow";
/// Whose request it is, which XEP-0045 has no field for.
const PERSON: &str = "{urn:stube}jid";

/// The nick as it can be reserved for somebody: nobody else has it or one like it.
pub fn reservable(room: &Room, who: &Jid, nick: &str, most: Limit) -> Result<String, StanzaError> {
    let unfit = || StanzaError::new(Condition::NotAcceptable, "This can't be a nick.");
    let address = room.address.with_resource(nick).map_err(|_| unfit())?;
    let nick = address.resource().ok_or_else(unfit)?;
    nicks::check(nick, most).map_err(|_| unfit())?;
    nicks::check_free(room, nick, who)?;
    Ok(nick.to_owned())
}

/// A request about a registration.
pub fn registration(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(from), Some(address), Some(query)) = (&stanza.from, &stanza.to, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    let query = query.to_element();
    let room = core.room(address)?;
    let affiliation = room.affiliation(from);
    if room.record.locked && affiliation < RoomAffiliation::Owner {
        return Err(StanzaError::new(Condition::ItemNotFound, "This room is not open yet."));
    }
    if query.find("remove", ns::REGISTER).is_some() && stanza.kind == Kind::Iq(IqType::Set) {
        return remove(core, address, from, &query);
    }
    let may_register = affiliation == RoomAffiliation::None && room.config().registration;
    if !may_register && affiliation < RoomAffiliation::Member {
        return Err(Condition::NotAllowed.into());
    }
    if stanza.kind == Kind::Iq(IqType::Set) {
        return submit(core, address, from, &query);
    }
    Ok(Answer::Result(Some(what_is_needed(room, from))))
}

fn what_is_needed(room: &Room, from: &Jid) -> Element {
    let mut query = Element::new("query", ns::REGISTER);
    let nick = room.people.get(from.bare_str()).map(|person| person.nick.as_str()).unwrap_or_default();
    if room.affiliation(from) >= RoomAffiliation::Member {
        query = query
            .child(Element::new("registered", ns::REGISTER))
            .child(Element::new("username", ns::REGISTER).text(nick));
    }
    let own = room.occupants.of_person(from).next().map(|occupant| occupant.nick());
    let nick = Some(nick).filter(|nick| !nick.is_empty()).or(own);
    query.child(form(nick).to_element())
}

fn form(nick: Option<&str>) -> Form {
    let text = "Become a member of this room, with a nick that nobody else can have in it.";
    Form::ask(ns::MUC_REGISTER, "Membership", text)
        .field(Field::new(FieldType::TextSingle, NICK).label("Nick").values(nick).required())
}

fn submit(core: &mut Core, address: &Jid, from: &Jid, query: &Element) -> Result<Answer, StanzaError> {
    let submitted = query.find("x", ns::DATA_FORMS).ok_or(Condition::BadRequest)?;
    match submitted.get_attr("type") {
        Some("submit") => {}
        Some("cancel") => return Ok(Answer::Result(None)),
        _ => return Err(Condition::BadRequest.into()),
    }
    let answers = form(None).read(submitted);
    let answers = answers.map_err(|why| StanzaError::new(Condition::BadRequest, why.to_string()))?;
    let nick_bytes = core.config.rooms.nick_bytes;
    let room = core.room(address)?;
    let nick = reservable(room, from, answers.value(NICK).unwrap_or_default(), nick_bytes)?;
    let affiliation = room.affiliation(from);
    if affiliation == RoomAffiliation::None {
        if room.people.len() >= MAX_REGISTERED {
            return Err(StanzaError::new(Condition::ResourceConstraint, "This room knows too many people."));
        }
        if !is_for_anyone(room) || standing::role_on_entering(room, from) < Role::Participant {
            forms::admit(core, address, from)?;
            ask(core, address, from, &nick);
            return Ok(Answer::Result(None));
        }
    }
    let affiliation = affiliation.max(RoomAffiliation::Member);
    let grant = Grant { nick: Some(nick), ..Grant::new(from, affiliation) };
    standing::set_affiliation(core, address, &grant, &Cause::default())?;
    Ok(Answer::Kept(None))
}

/// Whether a member can do nothing that just anyone could not: enter and speak.
fn is_for_anyone(room: &Room) -> bool {
    let config = room.config();
    !config.members_only && !config.moderated && config.password.is_empty()
}

/// XEP-0077 §3.2: who is no more than a member is nothing to the room from then on, and others have no reserved nick.
fn remove(core: &mut Core, address: &Jid, from: &Jid, query: &Element) -> Result<Answer, StanzaError> {
    if query.children().count() > 1 {
        return Err(Condition::BadRequest.into());
    }
    let grant = match core.room(address)?.affiliation(from) {
        RoomAffiliation::Member => Grant::new(from, RoomAffiliation::None),
        affiliation if affiliation > RoomAffiliation::Member => {
            Grant { nick: Some(String::new()), ..Grant::new(from, affiliation) }
        }
        _ => return Err(Condition::RegistrationRequired.into()),
    };
    standing::set_affiliation(core, address, &grant, &Cause::default())?;
    core.end_if_abandoned(address);
    Ok(Answer::Kept(None))
}

/// §9.9: the form that those who decide get, and what it says when it comes back.
fn decision(who: Option<&Jid>, nick: Option<&str>) -> Form {
    Form::ask(ns::MUC_REGISTER, "Request for membership", "Somebody would like to be a member of this room.")
        .field(Field::new(FieldType::JidSingle, PERSON).label("Who it is").values(who).required())
        .field(Field::new(FieldType::TextSingle, NICK).label("Nick").values(nick).required())
        .field(Field::new(FieldType::Boolean, ALLOW).label("Let them be a member?").values(who.map(|_| "0")))
}

fn ask(core: &mut Core, address: &Jid, from: &Jid, nick: &str) {
    let Some(room) = core.loaded_room(address) else { return };
    let deciders = room
        .with_affiliation(RoomAffiliation::Owner)
        .chain(room.with_affiliation(RoomAffiliation::Admin))
        .map(|(jid, _)| jid.clone());
    let deciders: Vec<Jid> = deciders.take(MAX_ASKED).collect();
    let question = forms::question(core, address, &decision(Some(&from.bare()), Some(nick)));
    for decider in deciders {
        core.route(question.clone().to(&decider));
    }
}

/// §9.9: as if the one who decides had made them a member (§9.3). Nothing changes for who is something to the room by now.
pub fn decided(core: &mut Core, address: &Jid, from: &Jid, submitted: &Element) -> Result<(), StanzaError> {
    let answers = decision(None, None).read(submitted);
    let answers = answers.map_err(|why| StanzaError::new(Condition::BadRequest, why.to_string()))?;
    let nick_bytes = core.config.rooms.nick_bytes;
    let room = core.room(address)?;
    let actor = room.affiliation(from);
    if actor < RoomAffiliation::Admin {
        return Err(Condition::Forbidden.into());
    }
    let who = answers.jid(PERSON).filter(|who| !who.is_domain()).ok_or(Condition::BadRequest)?;
    if answers.flag(ALLOW) != Some(true) || room.affiliation(&who) != RoomAffiliation::None {
        return Ok(());
    }
    privileges::may_change_affiliation(actor, RoomAffiliation::None, RoomAffiliation::Member, false)?;
    let nick = reservable(room, &who, answers.value(NICK).unwrap_or_default(), nick_bytes)?;
    let grant = Grant { nick: Some(nick), ..Grant::new(&who, RoomAffiliation::Member) };
    let cause = Cause::by(core, address, from);
    standing::set_affiliation(core, address, &grant, &cause)
}

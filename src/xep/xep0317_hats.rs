//! Hats (XEP-0317): what people are in a room beside roles and affiliations. Admins make hats and give them to people by
//! commands (XEP-0050) of the room; whoever wears one shows it in every presence there.
//!
//! Stored: a room's hats with the room, and with each person whom the room knows the URIs of those that they wear. At most
//! [`MAX_HATS`] of a room, [`MAX_WORN`] on one person, and [`MAX_GIVEN`] on all of them.

use crate::core::Core;
use crate::core::command::{Command, Execution, Outcome};
use crate::core::disco::{Entity, Info};
use crate::core::form::{Answers, Field, FieldType, Form};
use crate::core::module::{Module, Spec};
use crate::core::rooms::{Occupant, Room, Shown};
use crate::jid::Jid;
use crate::password::Hash;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{Hat, RoomAffiliation, RoomPerson};
use crate::xml::{Element, ns};

const MAX_HATS: usize = 50;
const MAX_WORN: usize = 10;
const MAX_GIVEN: usize = 300;
/// Bytes of a URI and of a title.
const MAX_URI: usize = 500;
const MAX_TITLE: usize = 100;

const JID: &str = "hats#jid";
const TITLE: &str = "hats#title";
const URI: &str = "hats#uri";
const HUE: &str = "hats#hue";

macro_rules! command {
    ($name:literal, $title:literal, $allowed:expr, $form:expr, $run:expr) => {
        Command {
            node: concat!("urn:xmpp:hats:commands:", $name),
            name: $title,
            allowed: $allowed,
            form: $form,
            run: $run,
        }
    };
}

pub const MODULE: Module = Module {
    name: "hats",
    specs: &[Spec::Xep(317, "0.3.1")],
    room_features: &[ns::HATS],
    room_commands: &[
        command!("create", "Make or change a hat", is_admin, Some(form_to_create), create),
        command!("destroy", "Destroy a hat", is_admin, Some(form_to_destroy), destroy),
        command!("list", "List hats", may_enter, None, list),
        command!("assign", "Give somebody a hat", is_admin, Some(form_for_person), assign),
        command!("unassign", "Take a hat from somebody", is_admin, Some(form_for_person), unassign),
        // It has real addresses.
        command!("list-assigned", "List who wears hats", is_admin, None, list_assigned),
    ],
    info: Some(describe),
    ..Module::NONE
};

fn is_admin(core: &Core, asker: &Jid, room: &Jid) -> bool {
    core.loaded_room(room).is_some_and(|room| room.affiliation(asker) >= RoomAffiliation::Admin)
}

fn may_enter(core: &Core, asker: &Jid, room: &Jid) -> bool {
    core.loaded_room(room).is_some_and(|room| room.is_open_to(asker))
}

// §2
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let room = core.loaded_room(entity.address).filter(|room| room.is_open_to(entity.asker));
    let Some(room) = room.filter(|room| entity.is_room() && !room.record.hats.is_empty()) else { return };
    let all: String =
        (room.record.hats.iter()).map(|hat| format!("{}\0{}\0{}\0", hat.uri, hat.title, hat.hue)).collect();
    let hash = Hash::Sha256.digest(all.as_bytes());
    let hash: String = hash.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    info.room_info.push(Field::new(FieldType::TextSingle, "hats#hash").values([hash]));
}

fn form_to_create(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    Ok(Form::ask(
        ns::HATS_COMMANDS,
        "Make or change a hat",
        "A hat with the same address is replaced; who wears it keeps it.",
    )
    .field(Field::new(FieldType::TextSingle, TITLE).label("Title").required())
    .field(Field::new(FieldType::TextSingle, URI).label("Address (URI)").required())
    .field(Field::new(FieldType::TextSingle, HUE).label("Colour: an angle from 0 to 360")))
}

fn form_to_destroy(core: &mut Core, room: &Jid) -> Result<Form, StanzaError> {
    let form = Form::ask(ns::HATS_COMMANDS, "Destroy a hat", "Whoever wears it loses it.");
    Ok(form.field(choice(core.room(room)?)))
}

fn form_for_person(core: &mut Core, room: &Jid) -> Result<Form, StanzaError> {
    let form = Form::ask(ns::HATS_COMMANDS, "Somebody's hat", "Choose a person and a hat.")
        .field(Field::new(FieldType::JidSingle, JID).label("Address of the person").required());
    Ok(form.field(choice(core.room(room)?)))
}

/// One of the room's hats.
fn choice(room: &Room) -> Field {
    let field = Field::new(FieldType::ListSingle, URI).label("Hat").required();
    room.record.hats.iter().fold(field, |field, hat| field.option(&hat.title, &hat.uri))
}

// §3.2
fn create(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let hat = read(answers)?;
    let room = core.room(execution.host)?;
    let known = room.record.hats.iter().position(|other| other.uri == hat.uri);
    if known.is_none() && room.record.hats.len() >= MAX_HATS {
        return Err(StanzaError::new(Condition::ResourceConstraint, "This room has too many hats."));
    }
    let wearers = wearers(room, &hat.uri);
    core.change_room(execution.host, |room| match known.and_then(|at| room.hats.get_mut(at)) {
        Some(old) => *old = hat,
        None => room.hats.push(hat),
    })?;
    core.announce_change(execution.host, 104);
    show(core, execution.host, &wearers);
    Ok(Outcome::Kept(None))
}

fn read(answers: &Answers) -> Result<Hat, StanzaError> {
    let bad = |text: &str| Err(StanzaError::new(Condition::BadRequest, text));
    let value = |var| answers.value(var).unwrap_or_default().trim().to_owned();
    let (title, uri, hue) = (value(TITLE), value(URI), value(HUE));
    if title.is_empty() || title.len() > MAX_TITLE || title.contains(char::is_control) {
        return bad("The title of a hat is a short line.");
    }
    let has_scheme = uri.split_once(':').is_some_and(|(scheme, rest)| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        !scheme.is_empty() && scheme.bytes().all(fits) && !rest.is_empty()
    });
    if !has_scheme || uri.len() > MAX_URI || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return bad("The address of a hat is a URI, such as https://example.org/hats/cook.");
    }
    let angle = hue.parse::<f64>().ok().filter(|angle| (0.0..=360.0).contains(angle));
    if !hue.is_empty() && (angle.is_none() || hue.len() > 20) {
        return bad("The colour of a hat is an angle from 0 to 360.");
    }
    Ok(Hat { uri, title, hue })
}

// §3.3
fn destroy(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let uri = answers.value(URI).ok_or(Condition::BadRequest)?;
    let room = core.room(execution.host)?;
    let wearers = wearers(room, uri);
    core.change_room(execution.host, |room| room.hats.retain(|hat| hat.uri != uri))?;
    for who in &wearers {
        let mut person = person(core.room(execution.host)?, who);
        person.hats.retain(|worn| worn != uri);
        core.set_person(execution.host, who, person)?;
    }
    core.announce_change(execution.host, 104);
    show(core, execution.host, &wearers);
    Ok(Outcome::Kept(None))
}

// §3.5
fn assign(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let uri = answers.value(URI).ok_or(Condition::BadRequest)?;
    let room = core.room(execution.host)?;
    let who = meant(room, answers)?;
    let mut person = person(room, &who);
    if person.affiliation == RoomAffiliation::Outcast {
        return Err(StanzaError::new(Condition::NotAllowed, "Whoever is banned wears no hats."));
    }
    if person.hats.iter().any(|worn| worn == uri) {
        return Ok(Outcome::Kept(None));
    }
    let given: usize = room.people.values().map(|person| person.hats.len()).sum();
    if person.hats.len() >= MAX_WORN || given >= MAX_GIVEN {
        return Err(StanzaError::new(Condition::ResourceConstraint, "So many hats nobody can wear."));
    }
    person.hats.push(uri.to_owned());
    wear(core, execution.host, &who, person)
}

// §3.6
fn unassign(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let uri = answers.value(URI).ok_or(Condition::BadRequest)?;
    let room = core.room(execution.host)?;
    let who = meant(room, answers)?;
    let mut person = person(room, &who);
    if !person.hats.iter().any(|worn| worn == uri) {
        return Err(StanzaError::new(Condition::ItemNotFound, "This person does not wear this hat."));
    }
    person.hats.retain(|worn| worn != uri);
    wear(core, execution.host, &who, person)
}

fn wear(core: &mut Core, room: &Jid, who: &Jid, person: RoomPerson) -> Result<Outcome, StanzaError> {
    core.set_person(room, who, person)?;
    show(core, room, std::slice::from_ref(who));
    Ok(Outcome::Kept(None))
}

/// The person whom a form means: by their own address, or by an occupant's.
fn meant(room: &Room, answers: &Answers) -> Result<Jid, StanzaError> {
    let jid = answers.jid(JID).ok_or(Condition::BadRequest)?;
    match jid.same_bare(&room.address) {
        true => {
            let occupant = jid.resource().and_then(|nick| room.occupants.get(nick));
            Ok(occupant.ok_or(Condition::ItemNotFound)?.real.clone())
        }
        false if jid.local().is_none() => Err(Condition::JidMalformed.into()),
        false => Ok(jid.bare()),
    }
}

fn person(room: &Room, who: &Jid) -> RoomPerson {
    room.people.get(who).cloned().unwrap_or_default()
}

fn wearers(room: &Room, uri: &str) -> Vec<Jid> {
    let wears = |person: &RoomPerson| person.hats.iter().any(|worn| worn == uri);
    room.people.iter().filter(|(_, person)| wears(person)).map(|(who, _)| who.clone()).collect()
}

/// §3.1: shows the presence of these people, if they are there.
fn show(core: &mut Core, room: &Jid, people: &[Jid]) {
    let Some(state) = core.loaded_room(room) else { return };
    let occupants = people.iter().flat_map(|who| state.occupants.of_person(who));
    let occupants: Vec<Occupant> = occupants.cloned().collect();
    for occupant in occupants {
        core.show(room, &occupant, occupant.role, &Shown::default());
    }
}

// §3.4
fn list(core: &mut Core, execution: &Execution<'_>, _: &Answers) -> Result<Outcome, StanzaError> {
    let room = core.room(execution.host)?;
    let rows = room.record.hats.iter().map(|hat| [&hat.title, &hat.uri, &hat.hue].map(String::as_str));
    Ok(Outcome::Done(Some(table("Hats", [TITLE, URI, HUE], rows))))
}

// §3.7
fn list_assigned(core: &mut Core, execution: &Execution<'_>, _: &Answers) -> Result<Outcome, StanzaError> {
    let room = core.room(execution.host)?;
    let worn = room.people.iter().flat_map(|(who, person)| {
        let hats = room.record.hats.iter().filter(|hat| person.hats.contains(&hat.uri));
        hats.map(move |hat| [who.as_str(), &hat.uri, &hat.title, &hat.hue])
    });
    Ok(Outcome::Done(Some(table("Who wears hats", [JID, URI, TITLE, HUE], worn))))
}

/// XEP-0004 §3.4: a form with several results.
fn table<'a, const N: usize>(
    title: &str,
    vars: [&str; N],
    rows: impl Iterator<Item = [&'a str; N]>,
) -> Element {
    let field = |var: &str| Element::new("field", ns::DATA_FORMS).attr("var", var);
    let value = |text: &str| Element::new("value", ns::DATA_FORMS).text(text);
    let reported = Element::new("reported", ns::DATA_FORMS);
    let table = Element::new("x", ns::DATA_FORMS)
        .attr("type", "result")
        .child(Element::new("title", ns::DATA_FORMS).text(title))
        .child(field("FORM_TYPE").attr("type", "hidden").child(value(ns::HATS_COMMANDS)))
        .child(vars.iter().fold(reported, |reported, var| reported.child(field(var))));
    rows.fold(table, |table, row| {
        let fields = vars.iter().zip(row).map(|(var, text)| field(var).child(value(text)));
        table.child(fields.fold(Element::new("item", ns::DATA_FORMS), Element::child))
    })
}

//! What the service and its rooms say of themselves (§6), and which rooms there are.
//!
//! Public rooms can be found by anyone; of others, who knows the address and could not walk in learns what entering would
//! take, and nothing else. Who is in a room is for those who are in it (§14.4).

use crate::core::disco::{Entity, Identity, Info, Item};
use crate::core::form::{Field, FieldType};
use crate::core::module::Answer;
use crate::core::rooms::Room;
use crate::core::rsm::{self, Rsm};
use crate::core::{Core, ServiceKind};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::store::record::{Role, RoomAffiliation};
use crate::xml::{Element, Payload, ns};

/// Rooms in one answer.
const MAX_PAGE: usize = 300;

/// §7.4: said of the service, and of each room
const STABLE_ID: &str = "http://jabber.org/protocol/muc#stable_id";
/// §18.1.1
const TRAFFIC: &str = "http://jabber.org/protocol/muc#traffic";
/// §7.12
const RESERVED_NICK: &str = "x-roomuser-item";

/// The rooms that anyone can find (§6.3), a page of them if they are many or a page is asked for.
pub fn rooms(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Kind::Iq(IqType::Get), Some(to), Some(request)) = (stanza.kind, &stanza.to, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    let request = request.to_element();
    if request.get_attr("node").is_some_and(|node| !node.is_empty()) {
        return Err(Condition::ItemNotFound.into());
    }
    let rsm = Rsm::read(&request)?;
    let all: Vec<_> = core.public_rooms(to.domain())?.iter().collect();
    let find = |id: &str| Some(all.binary_search_by(|(jid, _)| jid.as_str().cmp(id)));
    let range = rsm.range(all.len(), MAX_PAGE, find)?;
    let mut query = Element::new("query", ns::DISCO_ITEMS);
    for (jid, listed) in all.get(range.clone()).unwrap_or_default() {
        let item = Element::new("item", ns::DISCO_ITEMS).attr("jid", jid.as_str());
        query.push(match listed.title.is_empty() {
            true => item,
            false => item.attr("name", &listed.title),
        });
    }
    let partial = range.len() < all.len();
    if !all.is_empty() && (partial || request.find("set", ns::RSM).is_some()) {
        let id = |at: usize| all.get(at).map(|(jid, _)| jid.to_string()).unwrap_or_default();
        query.push(rsm::page_at(&range, all.len(), id));
    }
    Ok(Answer::Result(Some(query)))
}

pub fn info(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let is_service = |core: &Core| {
        core.service(entity.address.domain()).is_some_and(|service| service.kind == ServiceKind::Rooms)
    };
    match entity.node {
        None if entity.is_service(core) && is_service(core) => {
            info.identities.push(identity("Rooms"));
            info.features.extend([ns::MUC, ns::RSM, ns::OCCUPANT_ID, STABLE_ID, "muc_rooms"]);
        }
        node if core.is_room(entity.address) => match core.room(entity.address) {
            // §10.1.1: it is as if it were not there yet.
            Ok(room) if room.record.locked && room.affiliation(entity.asker) < RoomAffiliation::Owner => {
                info.refused = Some(Condition::ItemNotFound);
            }
            Ok(room) => match node {
                None => describe(core, entity, info),
                Some(RESERVED_NICK) => reserved_nick(room, entity.asker, info),
                // Nothing that occupants send is left out for its namespace.
                Some(TRAFFIC) => info.refused = Some(Condition::ServiceUnavailable),
                Some(_) => {}
            },
            Err(error) => info.refused = Some(error.condition),
        },
        _ => {}
    }
}

// §7.12
fn reserved_nick(room: &Room, asker: &Jid, info: &mut Info) {
    info.exists = true;
    let nick = room.people.get(&asker.bare()).map(|person| person.nick.as_str()).unwrap_or_default();
    if !nick.is_empty() {
        info.identities.push(identity(nick));
    }
}

/// §6.5: who is in it, for those who are.
pub fn items(core: &mut Core, entity: &Entity<'_>, items: &mut Vec<Item>) {
    if !entity.is_room() {
        return;
    }
    let Some(room) = core.loaded_room(entity.address) else { return };
    if room.occupants.of(entity.asker).is_none() {
        return;
    }
    let shown = room.occupants.iter().filter(|occupant| occupant.role >= room.config().broadcast);
    items.extend(shown.map(|occupant| Item { jid: occupant.address.clone(), node: None, name: None }));
}

// §6.4
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let most_history = core.config.rooms.history.max();
    let Ok(room) = core.room(entity.address) else { return };
    info.features.extend(features(room));
    if !room.shows_itself_to(entity.asker) {
        info.identities.push(identity(""));
        return;
    }
    info.identities.push(identity(&room.config().title));
    info.room_info.extend(room_info(room, room.is_open_to(entity.asker), most_history));
}

/// §16.3
fn features(room: &Room) -> impl Iterator<Item = &'static str> {
    let config = room.config();
    let either = |is: bool, one, other| if is { one } else { other };
    [
        // The ids of messages come back (§7.4).
        STABLE_ID,
        "http://jabber.org/protocol/muc#self-ping-optimization",
        either(config.public, "muc_public", "muc_hidden"),
        either(config.members_only, "muc_membersonly", "muc_open"),
        either(config.moderated, "muc_moderated", "muc_unmoderated"),
        either(config.non_anonymous, "muc_nonanonymous", "muc_semianonymous"),
        either(config.password.is_empty(), "muc_unsecured", "muc_passwordprotected"),
        either(config.persistent, "muc_persistent", "muc_temporary"),
    ]
    .into_iter()
    .chain(config.registration.then_some([ns::REGISTER, ns::MUC_REGISTER]).into_iter().flatten())
}

/// §16.5.4, and what of the configuration clients look for; what goes on inside only if `open`.
fn room_info(room: &Room, open: bool, most_history: u64) -> Vec<Field> {
    let config = room.config();
    let text = |var, value: &str| Field::new(FieldType::TextSingle, var).values([value]);
    let yes = |var, value: bool| Field::new(FieldType::Boolean, var).values([u8::from(value)]);
    let mut fields = vec![
        text("muc#roomconfig_roomname", &config.title),
        text("muc#roominfo_description", &config.description),
        text("muc#roominfo_occupants", &room.occupants.len().to_string()),
        text("muc#maxhistoryfetch", &u64::from(config.history).min(most_history).to_string()),
        yes("muc#roominfo_subjectmod", config.participants_change_subject),
        yes("muc#roomconfig_changesubject", config.participants_change_subject),
        yes("muc#roomconfig_allowinvites", config.members_invite),
        text("muc#roomconfig_allowpm", private_messages(config.private_messages)),
    ];
    if !config.language.is_empty() {
        fields.push(text("muc#roominfo_lang", &config.language));
    }
    if !config.contacts.is_empty() {
        fields.push(Field::new(FieldType::JidMulti, "muc#roominfo_contactjid").values(&config.contacts));
    }
    if open {
        fields.push(text("muc#roominfo_subject", &subject(room)));
    }
    fields
}

/// §16.5.3
fn private_messages(least: Role) -> &'static str {
    match least {
        Role::None => "none",
        Role::Visitor => "anyone",
        Role::Participant => "participants",
        Role::Moderator => "moderators",
    }
}

/// In the language that is said to be none, or else the first.
fn subject(room: &Room) -> String {
    let all = Payload::parse(room.record.subject.elements.clone()).unwrap_or_default();
    let all: Vec<Element> = all.children().map(|child| child.to_element()).collect();
    let plain = all.iter().find(|subject| subject.get_attr("xml:lang").is_none());
    plain.or(all.first()).map(Element::text_content).unwrap_or_default()
}

fn identity(name: &str) -> Identity {
    Identity { category: "conference", kind: "text", name: name.to_owned() }
}

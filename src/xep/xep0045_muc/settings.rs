//! What a room's owners may decide, as a form (§10.1.3, §15.5.3), and what comes back filled in.
//!
//! A field that is not there leaves what it is about as it was, and one that nobody asked for is ignored. What can't be
//! is `<not-acceptable/>`, with the name of the field, and nothing changes. Names of fields that XEP-0045 does not have
//! are in braces with a namespace (XEP-0068 §3.4).

use crate::core::form::{Answers, Field, FieldType, Form};
use crate::core::rooms::{MAX_PEOPLE, Room};
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::{Role, RoomAffiliation, RoomConfig};
use crate::xml::{Element, ns};

/// Bytes of texts, and how many contacts there may be.
const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 4096;
const MAX_LANGUAGE: usize = 35;
const MAX_PASSWORD: usize = 256;
const MAX_CONTACTS: usize = 10;

/// Seconds between two messages of one person: a day at most.
const MAX_SLOW_MODE: u32 = 86_400;

const TITLE: &str = "muc#roomconfig_roomname";
const DESCRIPTION: &str = "muc#roomconfig_roomdesc";
const LANGUAGE: &str = "muc#roomconfig_lang";
const PERSISTENT: &str = "muc#roomconfig_persistentroom";
const PUBLIC: &str = "muc#roomconfig_publicroom";
const MEMBERS_ONLY: &str = "muc#roomconfig_membersonly";
const MODERATED: &str = "muc#roomconfig_moderatedroom";
const NEEDS_PASSWORD: &str = "muc#roomconfig_passwordprotectedroom";
const PASSWORD: &str = "muc#roomconfig_roomsecret";
const WHOIS: &str = "muc#roomconfig_whois";
const INVITES: &str = "muc#roomconfig_allowinvites";
const CHANGE_SUBJECT: &str = "muc#roomconfig_changesubject";
const PRIVATE_MESSAGES: &str = "muc#roomconfig_allowpm";
const MEMBER_LIST: &str = "muc#roomconfig_getmemberlist";
const BROADCAST: &str = "muc#roomconfig_presencebroadcast";
const LOGGING: &str = "muc#roomconfig_enablelogging";
const MAX_USERS: &str = "muc#roomconfig_maxusers";
const HISTORY: &str = "muc#maxhistoryfetch";
const SLOW_MODE: &str = "muc#roomconfig_slow_mode_duration"; // XEP-0500
const MENTIONS: &str = "muc#roomconfig_forwardmentions"; // XEP-0452
const VOICE_REQUESTS: &str = "{urn:stube}voice_requests";
const VISITOR_NICKS: &str = "{urn:stube}visitor_nicks";
const REGISTRATION: &str = "{urn:stube}registration";
const CONTACTS: &str = "{urn:stube}contacts";
const ADMINS: &str = "muc#roomconfig_roomadmins";
const OWNERS: &str = "muc#roomconfig_roomowners";

const WHOIS_CHOICES: &[(&str, &str)] = &[("Moderators only", "moderators"), ("Everyone", "anyone")];
const SENDERS: &[(&str, &str)] = &[
    ("Everyone", "anyone"),
    ("Those with a voice", "participants"),
    ("Moderators only", "moderators"),
    ("Nobody", "none"),
];
const ROLES: &[(&str, &str)] =
    &[("Moderators", "moderator"), ("Participants", "participant"), ("Visitors", "visitor")];
/// Those that the server does not allow are not offered.
const SIZES: &[(&str, &str)] = &[
    ("As many as the server allows", "none"),
    ("10", "10"),
    ("20", "20"),
    ("50", "50"),
    ("100", "100"),
    ("200", "200"),
    ("500", "500"),
];

/// What the server's configuration leaves to owners.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub occupants: u32,
    pub history: u32,
}

/// What a submitted form asks for.
#[derive(Debug)]
pub struct Submitted {
    pub config: RoomConfig,
    /// All who shall be owners or admins afterwards; `None`: as before.
    pub owners: Option<Vec<Jid>>,
    pub admins: Option<Vec<Jid>>,
}

/// The form for an owner to fill in.
pub fn ask(room: &Room, bounds: Bounds) -> Element {
    form(room, bounds).to_element()
}

fn form(room: &Room, bounds: Bounds) -> Form {
    let config = room.config();
    let text = |var, label, value: &str| Field::new(FieldType::TextSingle, var).label(label).values([value]);
    let flag =
        |var, label, value: bool| Field::new(FieldType::Boolean, var).label(label).values([u8::from(value)]);
    let choice = |var, label, value: &str, options| {
        Field::new(FieldType::ListSingle, var).label(label).values([value]).options(options)
    };
    let roles = |var, label, least| {
        Field::new(FieldType::ListMulti, var).label(label).values(roles_from(least)).options(ROLES)
    };
    let people = |var, label, affiliation| {
        let people = room.with_affiliation(affiliation).map(|(jid, _)| jid);
        Field::new(FieldType::JidMulti, var).label(label).values(people)
    };
    let number = |var, label, value: u32, most| text(var, label, &value.to_string()).number(Some(most));
    let whois = if config.non_anonymous { "anyone" } else { "moderators" };
    let users = match config.max_users.min(bounds.occupants) {
        0 => "none".to_owned(),
        users => users.to_string(),
    };
    let allowed = |size: &str| size.parse().map_or(true, |size: u32| size <= bounds.occupants);
    let sizes = SIZES.iter().take_while(|(_, size)| allowed(size)).count();
    let sizes = SIZES.get(..sizes).unwrap_or_default();
    let history = config.history.min(bounds.history);
    Form::ask(ns::MUC_ROOM_CONFIG, "Configuration of a room", "")
        .field(text(TITLE, "Name", &config.title))
        .field(text(DESCRIPTION, "What it is about", &config.description))
        .field(text(LANGUAGE, "The language that is spoken, such as \"en\"", &config.language))
        .field(flag(PERSISTENT, "It stays when nobody is in it", config.persistent))
        .field(flag(PUBLIC, "Others can find it", config.public))
        .field(flag(MEMBERS_ONLY, "Only members may enter", config.members_only))
        .field(flag(INVITES, "Members may invite others", config.members_invite))
        .field(flag(NEEDS_PASSWORD, "A password is needed to enter", !config.password.is_empty()))
        .field(Field::new(FieldType::TextPrivate, PASSWORD).label("The password").values([&config.password]))
        .field(choice(WHOIS, "Who sees the real addresses", whois, WHOIS_CHOICES))
        .field(flag(MODERATED, "Only members, and whom a moderator lets, may speak", config.moderated))
        .field(flag(VOICE_REQUESTS, "Who may not speak can ask for it", config.voice_requests))
        .field(flag(VISITOR_NICKS, "Who may not speak can change nicks", config.visitor_nicks))
        .field(flag(
            CHANGE_SUBJECT,
            "Everyone who may speak can change the subject",
            config.participants_change_subject,
        ))
        .field(choice(
            PRIVATE_MESSAGES,
            "Who may send private messages",
            senders(config.private_messages),
            SENDERS,
        ))
        .field(roles(BROADCAST, "Whose presence others see", config.broadcast))
        .field(roles(
            MEMBER_LIST,
            "Which members may see who is one, if addresses are seen",
            config.member_list,
        ))
        .field(flag(REGISTRATION, "People may ask to become members", config.registration))
        .field(flag(LOGGING, "What is said is kept, and those who may enter can read it", config.archived))
        .field(number(HISTORY, "Messages that one sees at most on entering", history, bounds.history))
        .field(flag(MENTIONS, "Members are told when somebody mentions them", config.mentions))
        .field(number(
            SLOW_MODE,
            "Seconds between two messages of one person; 0 for none",
            config.slow_mode,
            MAX_SLOW_MODE,
        ))
        .field(choice(MAX_USERS, "How many may be in it", &users, sizes).open())
        .field(
            Field::new(FieldType::JidMulti, CONTACTS)
                .label("Who answers for it, as everyone may know")
                .values(&config.contacts),
        )
        .field(people(ADMINS, "All admins", RoomAffiliation::Admin))
        .field(people(OWNERS, "All owners", RoomAffiliation::Owner))
}

/// Reads what an owner has submitted.
pub fn read(room: &Room, bounds: Bounds, submitted: &Element) -> Result<Submitted, StanzaError> {
    let answers = form(room, bounds).read(submitted);
    let answers = answers.map_err(|why| StanzaError::new(Condition::NotAcceptable, why.to_string()))?;
    let mut config = room.config().clone();
    texts(&mut config, &answers)?;
    flags(&mut config, &answers);
    choices(&mut config, &answers, bounds)?;
    password(&mut config, &answers)?;
    let people = |var| answers.given(var).then(|| named(&answers, var, MAX_PEOPLE)).transpose();
    if let Some(contacts) = answers.given(CONTACTS).then(|| named(&answers, CONTACTS, MAX_CONTACTS)) {
        config.contacts = contacts?.iter().map(Jid::to_string).collect();
    }
    Ok(Submitted { config, owners: people(OWNERS)?, admins: people(ADMINS)? })
}

fn unfit(var: &str) -> StanzaError {
    StanzaError::new(Condition::NotAcceptable, format!("The field \"{var}\" has a value that it can't have."))
}

fn texts(config: &mut RoomConfig, answers: &Answers) -> Result<(), StanzaError> {
    let RoomConfig { title, description, language, .. } = config;
    for (var, text, most) in [
        (TITLE, title, MAX_TITLE),
        (DESCRIPTION, description, MAX_DESCRIPTION),
        (LANGUAGE, language, MAX_LANGUAGE),
    ] {
        if answers.given(var) {
            *text = answers.value(var).unwrap_or_default().to_owned();
        }
        if text.len() > most {
            return Err(unfit(var));
        }
    }
    let is_tag = config.language.is_empty()
        || config.language.split('-').all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    if is_tag { Ok(()) } else { Err(unfit(LANGUAGE)) }
}

fn flags(config: &mut RoomConfig, answers: &Answers) {
    for (var, flag) in [
        (PERSISTENT, &mut config.persistent),
        (PUBLIC, &mut config.public),
        (MEMBERS_ONLY, &mut config.members_only),
        (MODERATED, &mut config.moderated),
        (INVITES, &mut config.members_invite),
        (CHANGE_SUBJECT, &mut config.participants_change_subject),
        (VOICE_REQUESTS, &mut config.voice_requests),
        (VISITOR_NICKS, &mut config.visitor_nicks),
        (REGISTRATION, &mut config.registration),
        (LOGGING, &mut config.archived),
        (MENTIONS, &mut config.mentions),
    ] {
        *flag = answers.flag(var).unwrap_or(*flag);
    }
}

fn choices(config: &mut RoomConfig, answers: &Answers, bounds: Bounds) -> Result<(), StanzaError> {
    if let Some(whois) = answers.value(WHOIS) {
        config.non_anonymous = whois == "anyone";
    }
    if let Some(senders) = answers.value(PRIVATE_MESSAGES) {
        config.private_messages = least_sender(senders);
    }
    if answers.given(MEMBER_LIST) {
        config.member_list = least_role(&answers.list(MEMBER_LIST)).ok_or_else(|| unfit(MEMBER_LIST))?;
    }
    if answers.given(BROADCAST) {
        // Moderators, at least, are seen: somebody must be there to be talked to.
        let least = least_role(&answers.list(BROADCAST)).filter(|least| *least != Role::None);
        config.broadcast = least.ok_or_else(|| unfit(BROADCAST))?;
    }
    match answers.value(MAX_USERS) {
        None => {}
        Some("none") => config.max_users = 0,
        Some(users) => {
            let users = users.parse().ok().filter(|users| (1..=bounds.occupants).contains(users));
            config.max_users = users.ok_or_else(|| unfit(MAX_USERS))?;
        }
    }
    let number = |var| answers.value(var).and_then(|number| number.parse().ok());
    config.history = number(HISTORY).unwrap_or(config.history);
    config.slow_mode = number(SLOW_MODE).unwrap_or(config.slow_mode);
    Ok(())
}

/// §10.1.3: a room that needs a password has one. Without a word of whether it needs one, the password says that.
fn password(config: &mut RoomConfig, answers: &Answers) -> Result<(), StanzaError> {
    let given = answers.given(PASSWORD).then(|| answers.value(PASSWORD).unwrap_or_default());
    let password = given.unwrap_or(&config.password).to_owned();
    if password.len() > MAX_PASSWORD {
        return Err(unfit(PASSWORD));
    }
    match answers.flag(NEEDS_PASSWORD) {
        Some(true) if password.is_empty() => {
            return Err(StanzaError::new(Condition::NotAcceptable, "The password is missing."));
        }
        Some(false) => config.password.clear(),
        _ => config.password = password,
    }
    Ok(())
}

/// People, by their bare addresses (§10.3), in order.
fn named(answers: &Answers, var: &str, most: usize) -> Result<Vec<Jid>, StanzaError> {
    let mut people: Vec<Jid> = answers.jids(var).iter().map(Jid::bare).collect();
    people.sort_unstable();
    people.dedup();
    if people.len() > most || people.iter().any(Jid::is_domain) { Err(unfit(var)) } else { Ok(people) }
}

fn roles_from(least: Role) -> Vec<&'static str> {
    let them = [Role::Moderator, Role::Participant, Role::Visitor].into_iter();
    them.filter(|role| least != Role::None && *role >= least).map(Role::name).collect()
}

/// The least of some roles, if all above it are among them: each has what the next one has (§5.1.1). Of none: `None`.
fn least_role(names: &[&str]) -> Option<Role> {
    let least = names.iter().filter_map(|name| Role::parse(name)).min().unwrap_or_default();
    roles_from(least).iter().all(|name| names.contains(name)).then_some(least)
}

fn senders(least: Role) -> &'static str {
    match least {
        Role::None => "none",
        Role::Visitor => "anyone",
        Role::Participant => "participants",
        Role::Moderator => "moderators",
    }
}

fn least_sender(name: &str) -> Role {
    Role::ALL.iter().copied().find(|role| senders(*role) == name).unwrap_or_default()
}

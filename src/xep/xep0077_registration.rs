//! In-band registration (XEP-0077): accounts made, given a new password and deleted by those whose they are.
//!
//! With `registration = "open"` a stream with TLS can make one account before it logs in; an address can make
//! `registrations_per_hour`. With `"closed"` nobody can, and the feature is not offered to strangers; those who
//! have an account can still change its password and delete it. No answer repeats a password (§3.3).

use crate::config::Registration;
use crate::core::disco::{Entity, Info};
use crate::core::form::{Field, FieldType, Form};
use crate::core::module::{Answer, Module, Route, Spec, Stage, Target};
use crate::core::{Asker, Core, LinkId, Purpose};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "registration",
    specs: &[Spec::Xep(77, "2.4")],
    iq: &[
        Route { ns: ns::REGISTER, name: "query", target: Target::Server, handle: registered },
        Route { ns: ns::REGISTER, name: "query", target: Target::Owner, handle: registered },
    ],
    before_login: Some(before_login),
    stream_features: Some(offer),
    info: Some(describe),
    ..Module::NONE
};

fn is_open(core: &Core) -> bool {
    core.config.registration == Registration::Open
}

// §8
fn offer(core: &mut Core, stage: Stage, _: &Jid) -> Option<Element> {
    (stage == Stage::BeforeLogin && is_open(core)).then(|| Element::new("register", ns::REGISTER_FEATURE))
}

/// §10: the users of a domain see whether they can change their passwords, others whether they can have an account.
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    if entity.is_server(core) && (is_open(core) || entity.asker.domain() == entity.address.domain()) {
        info.features.push(ns::REGISTER);
    }
}

/// What a `<query/>` asks for: its fields, or those of its form, which comes first (§4, §6).
struct Wish {
    remove: bool,
    username: Option<String>,
    password: Option<String>,
}

impl Wish {
    fn of(query: &Element) -> Result<Wish, StanzaError> {
        let remove = query.find("remove", ns::REGISTER).is_some();
        // §3.2
        if remove && query.children().count() > 1 {
            return Err(Condition::BadRequest.into());
        }
        if let Some(submitted) = query.find("x", ns::DATA_FORMS) {
            let answers = form()
                .read(submitted)
                .map_err(|why| StanzaError::new(Condition::NotAcceptable, why.to_string()))?;
            let answer = |var| answers.value(var).map(str::to_owned);
            return Ok(Wish { remove, username: answer("username"), password: answer("password") });
        }
        let field = |name| {
            let text = query.find(name, ns::REGISTER).map(Element::text_content);
            text.filter(|text| !text.is_empty())
        };
        Ok(Wish { remove, username: field("username"), password: field("password") })
    }
}

fn form() -> Form {
    Form::ask(ns::REGISTER, "New account", "Choose a name and a password.")
        .field(Field::new(FieldType::TextSingle, "username").label("Name").required())
        .field(Field::new(FieldType::TextPrivate, "password").label("Password").required())
}

fn query(instructions: &str) -> Element {
    Element::new("query", ns::REGISTER).child(Element::new("instructions", ns::REGISTER).text(instructions))
}

fn request(stanza: &Stanza) -> Option<Element> {
    Some(stanza.request().filter(|child| child.is("query", ns::REGISTER))?.to_element())
}

// §3.1.1
fn before_login(core: &mut Core, link: LinkId, stanza: &Stanza) -> Option<Result<Answer, StanzaError>> {
    let query = request(stanza)?;
    if !is_open(core) {
        return Some(Err(Condition::ServiceUnavailable.into()));
    }
    Some(match stanza.kind {
        Kind::Iq(IqType::Set) => register(core, link, stanza, &query),
        _ => Ok(Answer::Result(Some(what_is_needed()))),
    })
}

// §3.1, §6: fields and form, for whoever knows only the older ones
fn what_is_needed() -> Element {
    query("Choose a name and a password for your new account.")
        .child(Element::new("username", ns::REGISTER))
        .child(Element::new("password", ns::REGISTER))
        .child(form().to_element())
}

// §3.1
fn register(core: &mut Core, link: LinkId, stanza: &Stanza, query: &Element) -> Result<Answer, StanzaError> {
    let not_acceptable = |text: &str| StanzaError::new(Condition::NotAcceptable, text);
    let wish = Wish::of(query)?;
    if wish.remove {
        return Err(Condition::UnexpectedRequest.into()); // §3.2
    }
    let (Some(username), Some(password)) = (wish.username, wish.password) else {
        return Err(not_acceptable("A name and a password are required."));
    };
    if core.has_registered(link) {
        return Err(not_acceptable("You have just registered an account."));
    }
    let host = stanza.to.as_ref().ok_or(Condition::BadRequest)?;
    let jid = Jid::from_parts(Some(&username), host.domain(), None)
        .map_err(|_| StanzaError::new(Condition::JidMalformed, "This can't be a name."))?;
    let reserved = &core.config.accounts.reserved_names;
    if reserved.iter().any(|name| jid.local() == Some(name.as_str())) {
        return Err(not_acceptable("This name is reserved."));
    }
    if core.account_exists(&jid) {
        return Err(StanzaError::new(Condition::Conflict, "This name is taken."));
    }
    core.writable()?;
    if !core.admit_registration(link) {
        let text = "There have been too many registrations from your address; try again later.";
        return Err(StanzaError::new(Condition::ResourceConstraint, text));
    }
    let asker = Asker::Link(link, Some(Box::new(stanza.clone())));
    core.derive(&password, Purpose::Create(jid.clone()), asker)?;
    core.set_registered(link);
    log::info!("{jid} is being registered");
    Ok(Answer::Later)
}

/// From someone who has an account already.
fn registered(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(from), Some(to), Some(query)) = (&stanza.from, &stanza.to, request(stanza)) else {
        return Err(Condition::BadRequest.into());
    };
    let has_account_here = from.domain() == to.domain() && core.session_of(from).is_some();
    match (stanza.kind, has_account_here) {
        (Kind::Iq(IqType::Set), true) => {
            let wish = Wish::of(&query)?;
            if wish.remove { remove(core, stanza, from) } else { change_password(core, stanza, from, wish) }
        }
        (Kind::Iq(IqType::Set), false) if query.find("remove", ns::REGISTER).is_some() => {
            Err(Condition::RegistrationRequired.into()) // §3.2
        }
        (_, true) => Ok(Answer::Result(Some(what_there_is(from)))),
        // Accounts are made on streams of their own, not from elsewhere.
        (_, false) => Err(Condition::ServiceUnavailable.into()),
    }
}

// §3.1
fn what_there_is(account: &Jid) -> Element {
    query("You have an account. Send your name and a new password to change the password.")
        .child(Element::new("registered", ns::REGISTER))
        .child(Element::new("username", ns::REGISTER).text(account.local().unwrap_or_default()))
        .child(Element::new("password", ns::REGISTER))
}

// §3.2
fn remove(core: &mut Core, stanza: &Stanza, from: &Jid) -> Result<Answer, StanzaError> {
    let session = core.session_of(from).map(|session| session.id).ok_or(Condition::RegistrationRequired)?;
    core.remove_account(from, Some((session, stanza.result(None))))?;
    log::info!("{} has deleted its account", from.bare());
    Ok(Answer::Later)
}

// §3.3
fn change_password(core: &mut Core, stanza: &Stanza, from: &Jid, wish: Wish) -> Result<Answer, StanzaError> {
    let (Some(username), Some(password)) = (wish.username, wish.password) else {
        return Err(StanzaError::new(Condition::BadRequest, "A name and a password are required."));
    };
    // Some clients give the whole address.
    let named = Jid::from_parts(Some(&username), from.domain(), None).or_else(|_| Jid::parse(&username));
    if !named.is_ok_and(|named| named.is_bare() && named.same_bare(from)) {
        return Err(StanzaError::new(Condition::NotAllowed, "You can change your own password only."));
    }
    core.writable()?;
    let session = core.session_of(from).map(|session| session.id);
    let asker = Asker::Request(Box::new(stanza.clone()), None);
    core.derive(&password, Purpose::Change(from.bare(), session), asker)?;
    Ok(Answer::Later)
}

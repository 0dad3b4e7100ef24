//! What administrators tell everyone: announcements to those who are online (§4.23), messages of the day (§4.24 to
//! §4.26) and welcomes (§4.27, §4.28).
//!
//! A message of the day reaches each account once until it is replaced or deleted: those who are online at once,
//! others when they come. Whoever has been there since it was set has had it, which table `activity` tells; so
//! nothing more needs to be remembered. The welcome is for those who have never been there before. Whoever was online
//! when the server crashed may hear either again.

use crate::core::command::{Execution, Outcome};
use crate::core::form::{Answers, Field, FieldType, Form};
use crate::core::{Core, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, MessageType, Stanza, StanzaError};
use crate::store::record::Blob;
use crate::store::schema::{self, Op, Table};
use crate::xml::Element;
use crate::xml::ns;

/// The rows of `announcements`, each with the domain that it is for.
const MOTD: &str = "motd";
const WELCOME: &str = "welcome";

// §4.23
pub fn form(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    let instructions = "Fill out this form to make an announcement to all active users of this service.";
    Ok(Form::ask(ns::ADMIN, "Making an Announcement", instructions)
        .field(Field::new(FieldType::TextMulti, "announcement").label("Announcement").required()))
}

pub fn announce(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    let text = answers.text("announcement").unwrap_or_default();
    log::info!("{} announces something to everyone", execution.asker);
    tell_everyone(core, execution.host, &text);
    Ok(Outcome::Done(None))
}

/// §4.23: to those who have a session, available or not.
pub fn tell_everyone(core: &mut Core, host: &Jid, text: &str) {
    let sessions: Vec<SessionId> = (core.all_sessions())
        .filter(|session| session.jid.domain() == host.domain())
        .map(|session| session.id)
        .collect();
    for session in sessions {
        tell(core, session, "Announcement", text);
    }
}

fn tell(core: &mut Core, session: SessionId, subject: &str, text: &str) {
    let Some(host) = core.session(session).map(|session| session.jid.domain_jid()) else { return };
    let message = Stanza::message(MessageType::Normal)
        .from(&host)
        .with(&Element::new("subject", ns::CLIENT).text(subject))
        .with(&Element::new("body", ns::CLIENT).text(text));
    core.send_from_server(session, message);
}

/// What is stored: when it was set, in seconds, and a line or more.
struct Standing {
    since: u64,
    text: String,
}

fn key(name: &str, host: &Jid) -> String {
    format!("{name} {host}")
}

fn read(core: &Core, name: &str, host: &Jid) -> Result<Option<Standing>, StanzaError> {
    let stored = core.value::<Blob>(Table::Announcements, &schema::announcement::key(&key(name, host)))?;
    Ok(stored.and_then(|Blob(bytes)| {
        let (since, text) = std::str::from_utf8(&bytes).ok()?.split_once('\n')?;
        Some(Standing { since: since.parse().ok()?, text: text.to_owned() })
    }))
}

fn put(name: &str, host: &Jid, since: u64, text: &str) -> Op {
    schema::announcement::put(&key(name, host), format!("{since}\n{text}").as_bytes())
}

fn motd_field() -> Field {
    Field::new(FieldType::TextMulti, "motd").label("Message of the Day").required()
}

// §4.24
pub fn form_for_motd(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    let title = "Setting the Message of the Day";
    Ok(Form::ask(ns::ADMIN, title, "Fill out this form to set the message of the day.").field(motd_field()))
}

pub fn set_motd(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    let (host, text) = (execution.host, answers.text("motd").unwrap_or_default());
    core.writable()?;
    let op = put(MOTD, host, core.now() / 1000, &text);
    core.write(host, [op]);
    let available: Vec<SessionId> = (core.all_sessions())
        .filter(|session| session.presence.is_some() && session.jid.domain() == host.domain())
        .map(|session| session.id)
        .collect();
    for session in available {
        tell(core, session, "Message of the day", &text);
    }
    log::info!("{} has set the message of the day", execution.asker);
    Ok(Outcome::Kept(None))
}

// §4.25
pub fn form_with_motd(core: &mut Core, host: &Jid) -> Result<Form, StanzaError> {
    let motd = read(core, MOTD, host)?.map(|motd| motd.text).unwrap_or_default();
    let title = "Editing the Message of the Day";
    Ok(Form::ask(ns::ADMIN, title, "Fill out this form to edit the message of the day.")
        .field(motd_field().values(motd.lines())))
}

/// A corrected message is not told again to those who have had it.
pub fn edit_motd(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    let Some(motd) = read(core, MOTD, execution.host)? else { return set_motd(core, execution, answers) };
    core.writable()?;
    let op = put(MOTD, execution.host, motd.since, &answers.text("motd").unwrap_or_default());
    core.write(execution.host, [op]);
    log::info!("{} has edited the message of the day", execution.asker);
    Ok(Outcome::Kept(None))
}

// §4.26
pub fn delete_motd(core: &mut Core, execution: &Execution<'_>, _: &Answers) -> Result<Outcome, StanzaError> {
    delete(core, execution, MOTD)
}

// §4.27
pub fn form_with_welcome(core: &mut Core, host: &Jid) -> Result<Form, StanzaError> {
    let welcome = read(core, WELCOME, host)?.map(|welcome| welcome.text).unwrap_or_default();
    let field = Field::new(FieldType::TextMulti, "welcome").label("Welcome Message").required();
    let instructions = "Fill out this form to set the welcome message for this service.";
    Ok(Form::ask(ns::ADMIN, "Setting Welcome Message", instructions).field(field.values(welcome.lines())))
}

pub fn set_welcome(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    core.writable()?;
    let text = answers.text("welcome").unwrap_or_default();
    let op = put(WELCOME, execution.host, core.now() / 1000, &text);
    core.write(execution.host, [op]);
    log::info!("{} has set the welcome", execution.asker);
    Ok(Outcome::Kept(None))
}

// §4.28
pub fn delete_welcome(
    core: &mut Core,
    execution: &Execution<'_>,
    _: &Answers,
) -> Result<Outcome, StanzaError> {
    delete(core, execution, WELCOME)
}

fn delete(core: &mut Core, execution: &Execution<'_>, name: &str) -> Result<Outcome, StanzaError> {
    core.writable()?;
    core.write(execution.host, [schema::announcement::delete(&key(name, execution.host))]);
    log::info!("{} has deleted the {name}", execution.asker);
    Ok(Outcome::Kept(None))
}

/// Somebody comes: the first resource of an account to do so is told what stands (§4.24, §4.27).
pub fn greet(core: &mut Core, id: SessionId, _: bool) {
    let Some(session) = core.session_mut(id) else { return };
    if std::mem::replace(&mut session.greeted, true) {
        return;
    }
    let jid = session.jid.clone();
    if core.sessions_of(&jid).any(|session| session.greeted && session.id != id) {
        return;
    }
    if let Err(error) = greet_account(core, id, &jid) {
        log::error!("{jid} cannot be greeted: {}", error.condition.name());
    }
}

fn greet_account(core: &mut Core, session: SessionId, jid: &Jid) -> Result<(), StanzaError> {
    let host = jid.domain_jid();
    let account = core.loaded(jid).map(|account| account.record.id).ok_or(Condition::ItemNotFound)?;
    let (welcome, motd) = (read(core, WELCOME, &host)?, read(core, MOTD, &host)?);
    if welcome.is_none() && motd.is_none() {
        return Ok(());
    }
    let activity = core.activity(account)?;
    if let Some(welcome) = welcome.filter(|_| activity.last_login == 0) {
        tell(core, session, "Welcome", &welcome.text);
    }
    if let Some(motd) = motd.filter(|motd| activity.last_logout <= motd.since) {
        tell(core, session, "Message of the day", &motd.text);
    }
    Ok(())
}

//! Accounts made, deleted, disabled, thrown out and given new passwords (§4.1 to §4.7). What is about several
//! accounts is done for all of them or, if one of them is none of ours, for none.

use crate::core::command::{Execution, Outcome};
use crate::core::form::{Answers, Field, FieldType, Form};
use crate::core::{Asker, Core, Purpose, SessionId};
use crate::jid::Jid;
use crate::stanza::StreamError;
use crate::stanza::{Condition, StanzaError};
use crate::xml::ns;

// §4.1; what the server has no use for (a mail address, names) is not asked for.
pub fn form_to_add(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    let password = |var, label| Field::new(FieldType::TextPrivate, var).label(label).required();
    Ok(Form::ask(ns::ADMIN, "Adding a User", "Fill out this form to add a user.")
        .field(account_field("The Jabber ID for the account to be added"))
        .field(password("password", "The password for this account"))
        .field(password("password-verify", "Retype password")))
}

pub fn add(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let jid = answers.jid("accountjid").ok_or(Condition::BadRequest)?;
    check_address(core, &jid)?;
    if answers.value("password") != answers.value("password-verify") {
        return Err(StanzaError::new(Condition::NotAcceptable, "The two passwords are not the same."));
    }
    if core.account_exists(&jid) {
        return Err(StanzaError::new(Condition::Conflict, format!("There is an account {jid} already.")));
    }
    log::info!("{} adds {jid}", execution.asker);
    derive(core, execution, answers, Purpose::Create(jid))
}

// §4.7
pub fn form_to_change(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    let password = Field::new(FieldType::TextPrivate, "password").label("The password for this account");
    Ok(Form::ask(ns::ADMIN, "Changing a User Password", "Fill out this form to change a user's password.")
        .field(account_field("The Jabber ID for this account"))
        .field(password.required()))
}

pub fn change(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let jid = answers.jid("accountjid").ok_or(Condition::BadRequest)?;
    check_account(core, &jid)?;
    log::info!("{} gives {jid} a new password", execution.asker);
    let own_session = core.session_of(execution.asker).map(|session| session.id);
    derive(core, execution, answers, Purpose::Change(jid, own_session))
}

/// The answer comes when the password's keys have been made and are kept.
fn derive(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
    purpose: Purpose,
) -> Result<Outcome, StanzaError> {
    core.writable()?;
    let password = answers.value("password").unwrap_or_default();
    let completed = Box::new(execution.completed(None));
    core.derive(password, purpose, Asker::Request(Box::new(execution.request.clone()), Some(completed)))?;
    Ok(Outcome::Later)
}

// §4.2
pub fn form_to_delete(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    Ok(Form::ask(ns::ADMIN, "Deleting a User", "Fill out this form to delete a user.")
        .field(accounts_field("The Jabber ID(s) to delete")))
}

pub fn delete(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let accounts = others(core, execution, answers)?;
    core.writable()?;
    for jid in accounts {
        core.remove_account(&jid, None)?;
        log::info!("{} has deleted {jid}", execution.asker);
    }
    Ok(Outcome::Kept(None))
}

// §4.3
pub fn form_to_disable(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    Ok(Form::ask(ns::ADMIN, "Disabling a User", "Fill out this form to disable a user.")
        .field(accounts_field("The Jabber ID(s) to disable")))
}

pub fn disable(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    let accounts = others(core, execution, answers)?;
    set_disabled(core, execution, &accounts, true)
}

// §4.4
pub fn form_to_reenable(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    Ok(Form::ask(ns::ADMIN, "Re-Enable a User", "Fill out this form to re-enable a user.")
        .field(accounts_field("The Jabber ID(s) to re-enable")))
}

pub fn reenable(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    let accounts = named_accounts(core, answers)?;
    set_disabled(core, execution, &accounts, false)
}

fn set_disabled(
    core: &mut Core,
    execution: &Execution<'_>,
    accounts: &[Jid],
    disabled: bool,
) -> Result<Outcome, StanzaError> {
    core.writable()?;
    for jid in accounts {
        core.set_disabled(jid, disabled)?;
        log::info!("{} has {} {jid}", execution.asker, if disabled { "disabled" } else { "re-enabled" });
    }
    Ok(Outcome::Kept(None))
}

// §4.5
pub fn form_to_end_sessions(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    Ok(Form::ask(ns::ADMIN, "Ending a User Session", "Fill out this form to end a user's session.")
        .field(accounts_field("The Jabber ID(s) for which to end sessions")))
}

pub fn end_sessions(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    let addresses = answers.jids("accountjids");
    for jid in &addresses {
        check_account(core, &jid.bare())?;
    }
    let is_meant = |jid: &Jid| {
        addresses.iter().any(|meant| if meant.is_full() { meant == jid } else { meant.same_bare(jid) })
    };
    let meant: Vec<SessionId> =
        core.all_sessions().filter(|session| is_meant(&session.jid)).map(|session| session.id).collect();
    log::info!("{} ends {} sessions", execution.asker, meant.len());
    // First: the session of whoever asks may be among them.
    core.route(execution.request.result(Some(execution.completed(None))));
    for session in meant {
        core.close_session(session, StreamError::PolicyViolation("An administrator has ended this session."));
    }
    Ok(Outcome::Later)
}

pub fn account_field(label: &'static str) -> Field {
    Field::new(FieldType::JidSingle, "accountjid").label(label).required()
}

pub fn accounts_field(label: &'static str) -> Field {
    Field::new(FieldType::JidMulti, "accountjids").label(label).required()
}

/// The accounts of a form, each one of ours.
pub fn named_accounts(core: &mut Core, answers: &Answers) -> Result<Vec<Jid>, StanzaError> {
    let accounts = answers.jids("accountjids");
    for jid in &accounts {
        check_account(core, jid)?;
    }
    Ok(accounts)
}

/// The same without whoever asks: nobody locks oneself out by accident.
fn others(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Vec<Jid>, StanzaError> {
    let accounts = named_accounts(core, answers)?;
    if accounts.iter().any(|jid| jid.same_bare(execution.asker)) {
        return Err(StanzaError::new(Condition::NotAllowed, "This is your own account."));
    }
    Ok(accounts)
}

pub fn check_account(core: &mut Core, jid: &Jid) -> Result<(), StanzaError> {
    check_address(core, jid)?;
    match core.account(jid) {
        Ok(_) => Ok(()),
        Err(why) => Err(StanzaError { text: Some(format!("There is no account {jid}.")), ..why.into() }),
    }
}

fn check_address(core: &Core, jid: &Jid) -> Result<(), StanzaError> {
    if jid.is_full() || jid.local().is_none() || !core.is_host(jid.domain()) {
        let text = format!("{jid} is no address of an account on this server.");
        return Err(StanzaError::new(Condition::NotAcceptable, text));
    }
    Ok(())
}

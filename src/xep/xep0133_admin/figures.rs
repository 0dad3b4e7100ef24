//! What the server knows of its users: rosters, last logins, and figures of one (§4.8 to §4.10), how many there are
//! and who (§4.13 to §4.20). A list has at most [`MAX_LISTED`] addresses.

use super::accounts::{account_field, accounts_field, check_account, named_accounts};
use crate::core::command::{Execution, Outcome};
use crate::core::form::{Answers, Field, FieldType, Form};
use crate::core::{Core, item_element, time};
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

const MAX_LISTED: usize = 10_000;

// §4.8
pub fn form_for_rosters(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    Ok(Form::ask(ns::ADMIN, "Getting a User's Roster", "Fill out this form to get a user's roster.")
        .field(accounts_field("The Jabber ID(s) for which to retrieve the roster")))
}

pub fn rosters(core: &mut Core, _: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let accounts = named_accounts(core, answers)?;
    let form = Form::tell(ns::ADMIN).field(accounts_field("").values(&accounts));
    let mut form = form.to_element();
    // One for each account, in this order.
    for jid in &accounts {
        let items = core.account(jid)?.roster.iter().map(|(contact, item)| item_element(contact, item));
        form.push(items.fold(Element::new("query", ns::ROSTER), Element::child));
    }
    Ok(Outcome::Done(Some(form)))
}

// §4.9
pub fn form_for_logins(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    let title = "Getting a User's Last Login Time";
    Ok(Form::ask(ns::ADMIN, title, "Fill out this form to get a user's last login time.")
        .field(accounts_field("The Jabber ID(s) for which to retrieve the last login time")))
}

pub fn last_logins(core: &mut Core, _: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let accounts = named_accounts(core, answers)?;
    let mut logins = Vec::new();
    for jid in &accounts {
        logins.push(match last_login(core, jid)? {
            Some(login) => time::datetime(login),
            None => "never".into(),
        });
    }
    let logins = Field::new(FieldType::TextMulti, "lastlogin").label("Last login").values(logins);
    let form = Form::tell(ns::ADMIN).field(accounts_field("Account").values(&accounts)).field(logins);
    Ok(Outcome::Done(Some(form.to_element())))
}

/// In milliseconds; of a session that is still there, or of the last one that ended.
fn last_login(core: &mut Core, jid: &Jid) -> Result<Option<u64>, StanzaError> {
    if let Some(since) = core.sessions_of(jid).map(|session| session.since).max() {
        return Ok(Some(since));
    }
    let id = core.account(jid)?.record.id;
    let seconds = core.activity(id)?.last_login;
    Ok((seconds > 0).then_some(seconds * 1000))
}

// §4.10
pub fn form_for_user(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    Ok(Form::ask(ns::ADMIN, "Get User Statistics", "Fill out this form to gather user statistics.")
        .field(account_field("The Jabber ID for statistics")))
}

/// Addresses of the network are nobody's business, and nobody counts stanzas or logins.
pub fn user(core: &mut Core, _: &Execution<'_>, answers: &Answers) -> Result<Outcome, StanzaError> {
    let jid = answers.jid("accountjid").ok_or(Condition::BadRequest)?;
    check_account(core, &jid)?;
    let contacts = core.account(&jid)?.roster.iter().count();
    let resources = core.sessions_of(&jid).filter_map(|session| session.jid.resource());
    let form = Form::tell(ns::ADMIN)
        .field(Field::new(FieldType::TextSingle, "rostersize").label("Contacts").values([contacts]))
        .field(Field::new(FieldType::TextMulti, "onlineresources").label("Resources").values(resources));
    Ok(Outcome::Done(Some(form.to_element())))
}

/// Which users of a domain are meant.
#[derive(Clone, Copy)]
enum Which {
    Registered,
    Disabled,
    Online,
}

fn users(core: &mut Core, host: &Jid, which: Which) -> Result<Vec<Jid>, StanzaError> {
    let all = core.list_accounts(host.domain()).map_err(|why| {
        log::error!("the accounts cannot be listed: {why}");
        StanzaError::from(Condition::InternalServerError)
    })?;
    let meant = all.into_iter().filter(|(jid, account)| match which {
        Which::Registered => true,
        Which::Disabled => account.disabled,
        Which::Online => core.sessions_of(jid).next().is_some(), // §4.15: connected is enough
    });
    Ok(meant.map(|(jid, _)| jid).collect())
}

// §4.13
pub fn count_registered(
    core: &mut Core,
    execution: &Execution<'_>,
    _: &Answers,
) -> Result<Outcome, StanzaError> {
    count(core, execution, Which::Registered, "registeredusersnum", "The number of registered users")
}

// §4.14
pub fn count_disabled(
    core: &mut Core,
    execution: &Execution<'_>,
    _: &Answers,
) -> Result<Outcome, StanzaError> {
    count(core, execution, Which::Disabled, "disabledusersnum", "The number of disabled users")
}

// §4.15
pub fn count_online(core: &mut Core, execution: &Execution<'_>, _: &Answers) -> Result<Outcome, StanzaError> {
    count(core, execution, Which::Online, "onlineusersnum", "The number of online users")
}

fn count(
    core: &mut Core,
    execution: &Execution<'_>,
    which: Which,
    var: &'static str,
    label: &'static str,
) -> Result<Outcome, StanzaError> {
    let number = users(core, execution.host, which)?.len();
    let field = Field::new(FieldType::TextSingle, var).label(label).values([number]);
    Ok(Outcome::Done(Some(Form::tell(ns::ADMIN).field(field).to_element())))
}

// §4.18 to §4.20
pub fn form_for_list(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    const OPTIONS: &[(&str, &str)] = &[
        ("25", "25"),
        ("50", "50"),
        ("75", "75"),
        ("100", "100"),
        ("150", "150"),
        ("200", "200"),
        ("None", "none"),
    ];
    let field = Field::new(FieldType::ListSingle, "max_items").label("Maximum number of items to show");
    Ok(Form::ask(ns::ADMIN, "Requesting a List of Users", "Fill out this form to request a list of users.")
        .field(field.options(OPTIONS)))
}

pub fn list_registered(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    list(core, execution, answers, Which::Registered, "registereduserjids", "The list of all users")
}

pub fn list_disabled(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    list(core, execution, answers, Which::Disabled, "disableduserjids", "The list of all disabled users")
}

pub fn list_online(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    list(core, execution, answers, Which::Online, "onlineuserjids", "The list of all online users")
}

fn list(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
    which: Which,
    var: &'static str,
    label: &'static str,
) -> Result<Outcome, StanzaError> {
    let mut listed = users(core, execution.host, which)?;
    match answers.value("max_items").and_then(|max| max.parse().ok()) {
        Some(max) => listed.truncate(max),
        None if listed.len() > MAX_LISTED => {
            return Err(StanzaError::new(Condition::NotAcceptable, "There are too many; ask for fewer."));
        }
        None => {}
    }
    let field = Field::new(FieldType::JidMulti, var).label(label).values(listed);
    Ok(Outcome::Done(Some(Form::tell(ns::ADMIN).field(field).to_element())))
}

//! The server restarted or shut down, perhaps after a while and an announcement (§4.30, §4.31). A second wish
//! replaces the first.

use super::announcements;
use crate::core::Core;
use crate::core::command::{Execution, Outcome};
use crate::core::form::{Answers, Field, FieldType, Form};
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::xml::ns;

// §4.30
pub fn form_to_restart(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    let form = Form::ask(ns::ADMIN, "Restarting the Service", "Fill out this form to restart the service.");
    Ok(with_fields(form, "Time delay before restarting"))
}

pub fn restart(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    log::warn!("{} restarts the server", execution.asker);
    stop(core, answers, true)
}

// §4.31
pub fn form_to_shut_down(_: &mut Core, _: &Jid) -> Result<Form, StanzaError> {
    let instructions = "Fill out this form to shut down the service.";
    let form = Form::ask(ns::ADMIN, "Shutting Down the Service", instructions);
    Ok(with_fields(form, "Time delay before shutting down"))
}

pub fn shut_down(
    core: &mut Core,
    execution: &Execution<'_>,
    answers: &Answers,
) -> Result<Outcome, StanzaError> {
    log::warn!("{} shuts the server down", execution.asker);
    stop(core, answers, false)
}

fn with_fields(form: Form, label: &'static str) -> Form {
    const DELAYS: &[(&str, &str)] = &[
        ("30 seconds", "30"),
        ("60 seconds", "60"),
        ("90 seconds", "90"),
        ("2 minutes", "120"),
        ("3 minutes", "180"),
        ("4 minutes", "240"),
        ("5 minutes", "300"),
    ];
    form.field(Field::new(FieldType::ListSingle, "delay").label(label).options(DELAYS))
        .field(Field::new(FieldType::TextMulti, "announcement").label("Announcement"))
}

/// Without delay it is at once: the answer is written before the streams end.
fn stop(core: &mut Core, answers: &Answers, restart: bool) -> Result<Outcome, StanzaError> {
    let delay: u64 = answers.value("delay").and_then(|delay| delay.parse().ok()).unwrap_or(0);
    if let Some(text) = answers.text("announcement") {
        for host in core.hosts().to_vec() {
            announcements::tell_everyone(core, &host, &text);
        }
    }
    core.stop_at(core.now() + delay * 1000, restart);
    Ok(Outcome::Kept(None))
}

//! Ad-hoc commands (XEP-0050): what modules offer as [`Command`]s, found by service discovery and executed with
//! forms that any client can show.
//!
//! A command has at most one form, so an execution has at most one stage: `prev` and `next` lead nowhere. Nothing
//! is refused for its language: English is of more use than `<bad-locale/>` (§3.7).

use crate::core::Core;
use crate::core::command::{Command, Execution, Outcome, Standing};
use crate::core::disco::{Entity, Identity, Info, Item};
use crate::core::form::Answers;
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xep;
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "commands",
    specs: &[Spec::Xep(50, "1.3.0")],
    features: &[ns::COMMANDS],
    room_features: &[ns::COMMANDS],
    iq: &[
        Route { ns: ns::COMMANDS, name: "command", target: Target::Server, handle: execute },
        Route { ns: ns::COMMANDS, name: "command", target: Target::Room, handle: execute },
    ],
    info: Some(describe),
    items: Some(list),
    ..Module::NONE
};

/// What can be done at one of our domains, or at a room.
fn commands(core: &Core, place: &Jid) -> impl Iterator<Item = &'static Command> {
    let at_room = core.is_room(place);
    xep::ALL.iter().flat_map(move |module| if at_room { module.room_commands } else { module.commands })
}

fn find(core: &Core, place: &Jid, node: &str) -> Option<&'static Command> {
    commands(core, place).find(|command| command.node == node)
}

// §2.2
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let has_commands = entity.is_of_server(core) || core.is_room(entity.address);
    let (true, Some(node)) = (has_commands, entity.node) else { return };
    let identity = |kind, name: &str| Identity { category: "automation", kind, name: name.into() };
    if node == ns::COMMANDS {
        info.identities.push(identity("command-list", "Commands"));
        info.features.push(ns::COMMANDS);
    } else if let Some(command) = find(core, entity.address, node) {
        if !(command.allowed)(core, entity.asker, entity.address) {
            info.refused = Some(Condition::Forbidden);
        }
        info.identities.push(identity("command-node", command.name));
        info.features.extend([ns::COMMANDS, ns::DATA_FORMS]);
    }
}

fn list(core: &mut Core, entity: &Entity<'_>, items: &mut Vec<Item>) {
    let has_commands = entity.address.local().is_none() || core.is_room(entity.address);
    if !has_commands || entity.node != Some(ns::COMMANDS) {
        return;
    }
    let commands = commands(core, entity.address);
    let allowed = commands.filter(|command| (command.allowed)(core, entity.asker, entity.address));
    items.extend(allowed.map(|command| Item {
        jid: entity.address.clone(),
        node: Some(command.node.into()),
        name: Some(command.name.into()),
    }));
}

/// §3.4
#[derive(Clone, Copy, PartialEq)]
enum Action {
    Execute,
    Cancel,
    Prev,
    Next,
    Complete,
}

impl Action {
    fn of(request: &Element) -> Result<Action, StanzaError> {
        match request.get_attr("action") {
            None | Some("execute") => Ok(Action::Execute),
            Some("cancel") => Ok(Action::Cancel),
            Some("prev") => Ok(Action::Prev),
            Some("next") => Ok(Action::Next),
            Some("complete") => Ok(Action::Complete),
            Some(_) => Err(refused("malformed-action")),
        }
    }
}

// §2.4
fn execute(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Kind::Iq(IqType::Set), Some(host), Some(asker)) = (stanza.kind, &stanza.to, &stanza.from) else {
        return Err(Condition::BadRequest.into());
    };
    let request = stanza.request().ok_or(Condition::BadRequest)?.to_element();
    let node = request.get_attr("node").ok_or(Condition::BadRequest)?;
    let command = find(core, host, node).ok_or(Condition::ItemNotFound)?;
    if !(command.allowed)(core, asker, host) {
        return Err(Condition::Forbidden.into());
    }
    let action = Action::of(&request)?;
    let id = match request.get_attr("sessionid") {
        Some(id) => id.to_owned(),
        None if action == Action::Execute => core.begin_execution(command, asker, host),
        None => return Err(refused("bad-action")),
    };
    match core.execution(&id, command, asker, host) {
        Standing::Open => {}
        Standing::Over => {
            let expired = Element::new("session-expired", ns::COMMANDS);
            return Err(StanzaError::from(Condition::NotAllowed).with_detail(expired));
        }
        Standing::Unknown => return Err(refused("bad-sessionid")),
    }
    let execution = Execution { request: stanza, asker, host, command, id: &id };
    let begins = request.get_attr("sessionid").is_none();
    match (action, command.form) {
        (Action::Cancel, _) => {
            core.end_execution(&id);
            Ok(Answer::Result(Some(execution.element("canceled")))) // §2.4.3
        }
        (Action::Prev | Action::Next, _) => Err(refused("bad-action")),
        // Who knows the form fills it in at once.
        (_, Some(form)) if begins && request.find("x", ns::DATA_FORMS).is_none() => {
            let form = form(core, host)?;
            let actions = Element::new("actions", ns::COMMANDS).attr("execute", "complete");
            let actions = actions.child(Element::new("complete", ns::COMMANDS));
            let stage = execution.element("executing").child(actions).child(form.to_element());
            Ok(Answer::Result(Some(stage)))
        }
        (_, Some(form)) => {
            let form = form(core, host)?;
            let submitted = request.find("x", ns::DATA_FORMS).ok_or_else(|| refused("bad-payload"))?;
            let answers = form
                .read(submitted)
                .map_err(|why| StanzaError { text: Some(why.to_string()), ..refused("bad-payload") })?;
            run(core, &execution, &answers)
        }
        (_, None) => run(core, &execution, &Answers::default()),
    }
}

/// What fails can be tried again with other answers: the execution goes on.
fn run(core: &mut Core, execution: &Execution<'_>, answers: &Answers) -> Result<Answer, StanzaError> {
    let outcome = (execution.command.run)(core, execution, answers)?;
    core.end_execution(execution.id);
    Ok(match outcome {
        Outcome::Done(payload) => Answer::Result(Some(execution.completed(payload))),
        Outcome::Kept(payload) => Answer::Kept(Some(execution.completed(payload))),
        Outcome::Later => Answer::Later,
    })
}

// §4.4
fn refused(why: &'static str) -> StanzaError {
    StanzaError::from(Condition::BadRequest).with_detail(Element::new(why, ns::COMMANDS))
}

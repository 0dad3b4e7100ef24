//! Commands (XEP-0050) as modules offer them, and those that are being executed.
//!
//! A command either is done at once or begins with one form. What is between the two is an execution: at most
//! [`MAX`] of them, at most [`MAX_EACH`] for one account, for [`LIFETIME`] each; the oldest give way. Ended ones
//! stay in the list until they give way, so that a client learns that its command is over and not unknown.

use std::collections::VecDeque;

use super::Core;
use super::form::{Answers, Form};
use crate::jid::Jid;
use crate::stanza::{Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

const MAX: usize = 200;
const MAX_EACH: usize = 20;
/// Milliseconds for filling in a form.
const LIFETIME: u64 = 30 * 60_000;

/// Something that a client's user can have done, by whatever client.
#[expect(clippy::type_complexity, reason = "each type is read once, here, beside what it means")]
pub struct Command {
    pub node: &'static str,
    pub name: &'static str,
    /// Who can see and execute it, at this domain or room.
    pub allowed: fn(&Core, &Jid, &Jid) -> bool,
    /// What it asks for first, of the user of this domain or room; `None`: nothing.
    pub form: Option<fn(&mut Core, &Jid) -> Result<Form, StanzaError>>,
    pub run: fn(&mut Core, &Execution<'_>, &Answers) -> Result<Outcome, StanzaError>,
}

/// One command that somebody wants done.
pub struct Execution<'a> {
    pub request: &'a Stanza,
    pub asker: &'a Jid,
    /// The domain, or the room, that was asked.
    pub host: &'a Jid,
    pub command: &'static Command,
    pub id: &'a str,
}

pub enum Outcome {
    /// It is done; and, perhaps, a form that says more.
    Done(Option<Element>),
    /// The same, but the answer leaves when everything is on disk.
    Kept(Option<Element>),
    /// The command has answered, or will.
    Later,
}

impl Execution<'_> {
    /// `<command/>` at a stage of the execution (XEP-0050 §4).
    pub fn element(&self, status: &'static str) -> Element {
        // §3.7: all we say is English, whatever language was asked for.
        Element::new("command", ns::COMMANDS)
            .attr("node", self.command.node)
            .attr("sessionid", self.id)
            .attr("status", status)
            .attr("xml:lang", "en")
    }

    /// What says that it is done.
    pub fn completed(&self, payload: Option<Element>) -> Element {
        payload.into_iter().fold(self.element("completed"), Element::child)
    }
}

/// Executions, oldest first.
#[derive(Default)]
pub(super) struct Executions(VecDeque<Entry>);

struct Entry {
    id: String,
    node: &'static str,
    asker: Jid,
    host: Jid,
    begun: u64,
    over: bool,
}

/// Whether an execution goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// Done, canceled, or too old.
    Over,
    /// There is none by this name for whoever asks.
    Unknown,
}

impl Core {
    /// Begins an execution and gives it an unguessable name.
    pub fn begin_execution(&mut self, command: &Command, asker: &Jid, host: &Jid) -> String {
        let id = self.random_word();
        let entries = &mut self.executions.0;
        let own = |entry: &Entry| entry.asker.same_bare(asker);
        if entries.iter().filter(|entry| own(entry)).count() >= MAX_EACH
            && let Some(oldest) = entries.iter().position(own)
        {
            entries.remove(oldest);
        }
        if entries.len() >= MAX {
            entries.pop_front();
        }
        entries.push_back(Entry {
            id: id.clone(),
            node: command.node,
            asker: asker.clone(),
            host: host.clone(),
            begun: self.now,
            over: false,
        });
        id
    }

    /// XEP-0050 §3.3: a name is good for one command between one requester and one responder.
    pub fn execution(&self, id: &str, command: &Command, asker: &Jid, host: &Jid) -> Standing {
        let entry = self.executions.0.iter().find(|entry| {
            entry.id == id && entry.node == command.node && entry.asker == *asker && entry.host == *host
        });
        match entry {
            None => Standing::Unknown,
            Some(entry) if entry.over || entry.begun + LIFETIME <= self.now => Standing::Over,
            Some(_) => Standing::Open,
        }
    }

    pub fn end_execution(&mut self, id: &str) {
        if let Some(entry) = self.executions.0.iter_mut().find(|entry| entry.id == id) {
            entry.over = true;
        }
    }
}

//! Requests between occupants (XEP-0045 §17.4): under which id they have gone on, and to whom their answers go.
//!
//! At most [`MAX_EACH`] of one device and [`MAX`] in all wait at one time; more are refused. After [`PATIENCE`] they are
//! answered in place of whoever did not.

use std::collections::HashMap;

use super::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::xml::Payload;

const MAX: usize = 1000;
const MAX_EACH: usize = 20;

/// Milliseconds until nobody waits for an answer any more.
const PATIENCE: u64 = 60_000;

/// One request that has gone on.
#[derive(Clone, Debug)]
pub struct Relayed {
    /// As it came, without its content: from the asker's real address to an occupant's.
    pub request: Stanza,
    /// The real address to which it has gone.
    pub asked: Jid,
    /// It asks for a vCard.
    pub vcard: bool,
    since: u64,
}

/// By the ids under which they have gone on.
#[derive(Default)]
pub struct RelayedRequests(HashMap<String, Relayed>);

impl Core {
    /// Remembers a request that goes on to a real address; gives back its new id, which nobody can guess.
    pub fn relay(&mut self, request: &Stanza, asked: &Jid, vcard: bool) -> Result<String, StanzaError> {
        let waiting = &self.rooms.relayed.0;
        let own = waiting.values().filter(|relayed| relayed.request.from == request.from).count();
        if own >= MAX_EACH || waiting.len() >= MAX {
            let text = "There are too many requests that wait for their answers.";
            return Err(StanzaError::new(Condition::ResourceConstraint, text));
        }
        let (id, since) = (self.random_word(), self.now);
        let request = Stanza { payload: Payload::default(), ..request.clone() };
        self.rooms.relayed.0.insert(id.clone(), Relayed { request, asked: asked.clone(), vcard, since });
        Ok(id)
    }

    /// The request that this answers, if it comes from whom it has gone to; it is over with that.
    pub fn relayed(&mut self, answer: &Stanza) -> Option<Relayed> {
        let (id, room) = (answer.id.as_deref()?, answer.to.as_ref()?);
        let relayed = self.rooms.relayed.0.get(id)?;
        let is_asked = answer.from.as_ref() == Some(&relayed.asked);
        let is_there = relayed.request.to.as_ref().is_some_and(|to| to.same_bare(room));
        if !is_asked || !is_there {
            return None;
        }
        self.rooms.relayed.0.remove(id)
    }

    /// Answers what nobody has answered in time.
    pub(in crate::core) fn give_up_relayed(&mut self) {
        let now = self.now;
        let late = self.rooms.relayed.0.extract_if(|_, relayed| relayed.since + PATIENCE <= now);
        let late: Vec<Stanza> = late.map(|(_, relayed)| relayed.request).collect();
        for request in late {
            if let Some(reply) = request.error(&Condition::RemoteServerTimeout.into()) {
                self.route(reply);
            }
        }
    }
}

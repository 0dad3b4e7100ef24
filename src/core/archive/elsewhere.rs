//! Questions to a room's archive from other domains: they have no outbox here, so what they ask is answered when there is
//! a turn, one question after the other, and goes out to their servers.
//!
//! At most [`MOST`] wait, and [`MOST_OF_ONE`] of one address.

use std::collections::VecDeque;

use super::query::{Query, Search, TURN};
use crate::core::Core;
use crate::stanza::{Condition, Stanza, StanzaError};

/// Questions that are not answered yet.
const MOST: usize = 200;
/// The same, of one person.
const MOST_OF_ONE: usize = 5;

#[derive(Default)]
pub struct Elsewhere(VecDeque<Search>);

impl Elsewhere {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Core {
    /// Takes a question from another domain; the answer goes there when it is found.
    pub fn ask_archive_from_elsewhere(&mut self, query: Query) -> Result<(), StanzaError> {
        let asker = query.request.from.as_ref().ok_or(Condition::BadRequest)?;
        let is_theirs =
            |search: &&Search| search.query.request.from.as_ref().is_some_and(|other| other.same_bare(asker));
        let waiting = &self.archive.elsewhere.0;
        if waiting.len() >= MOST || waiting.iter().filter(is_theirs).count() >= MOST_OF_ONE {
            return Err(StanzaError::new(Condition::ResourceConstraint, "Too many questions at one time."));
        }
        self.archive.elsewhere.0.push_back(Search::new(query));
        Ok(())
    }

    /// Gives the next question a turn.
    pub(super) fn answer_elsewhere(&mut self) {
        let Some(mut search) = self.archive.elsewhere.0.pop_front() else { return };
        search.rows = TURN;
        let answer: Vec<Stanza> = match self.search(&mut search) {
            Ok(false) => return self.archive.elsewhere.0.push_back(search),
            Ok(true) => search.answer(self).iter().filter_map(|stanza| Stanza::from_bytes(stanza)).collect(),
            Err(error) => search.query.request.error(&error).into_iter().collect(),
        };
        for stanza in answer {
            self.route(stanza);
        }
    }
}

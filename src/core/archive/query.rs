//! Questions to an archive (XEP-0313 §4): which messages, and how they become a page.
//!
//! A question is answered into its session's outbox: the results in order, then the `<fin/>`. One that must look at
//! many rows does it in turns of [`TURN`] rows with everyone else's business in between, and what the outbox has no room
//! for waits until it has. A session's questions are answered one after the other; at most [`MOST_QUERIES`] wait.
//! Questions of other domains are in `elsewhere`.

use std::collections::VecDeque;
use std::ops::Range;

use super::tail::Entry;
use super::unreadable;
use crate::core::{Core, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::store::{ArchiveSearch, ReadError, Verdict};

/// Rows of an index that one turn looks at.
pub(super) const TURN: usize = 1000;
/// Questions of one session that are not answered yet.
const MOST_QUERIES: usize = 10;
/// Bytes of a page; it has one message at least.
const PAGE_BYTES: usize = 256 * 1024;

/// One question.
pub struct Query {
    /// The id of the account or the room whose archive is asked.
    pub owner: u32,
    pub view: View,
    /// The request that it came with, without its content.
    pub request: Stanza,
    pub kind: QueryKind,
}

/// What whoever asks may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The own archive, as it is.
    Own,
    /// What was said in a room, by the addresses of its occupants.
    Occupants,
    /// The same, and their real addresses.
    People,
}

/// What is asked for.
#[derive(Default)]
pub struct QueryKind {
    /// `queryid`
    pub query_id: Option<String>,
    /// Places in the log.
    pub range: Range<u64>,
    /// Only these places, in order.
    pub places: Option<Vec<u64>>,
    /// The other party, or who has said it in the room: any resource of a bare address, or exactly a full one.
    pub with: Option<Jid>,
    /// At most so many messages.
    pub max: usize,
    /// The end of the range is wanted, not its beginning.
    pub backwards: bool,
    /// The results come in reverse order.
    pub flip: bool,
    /// It begins where the range does, not at another page's end: what it counts to its end is all that there is.
    pub countable: bool,
}

/// Sessions whose questions go on when everyone else has had a turn.
#[derive(Default)]
pub struct Turns(VecDeque<SessionId>);

impl Turns {
    fn add(&mut self, session: SessionId) {
        if !self.0.contains(&session) {
            self.0.push_back(session);
        }
    }
}

/// The questions of a session. The first one is being answered.
pub struct Queries {
    waiting: VecDeque<Search>,
    /// What is still to be sent of the last answer.
    answer: VecDeque<Vec<u8>>,
}

impl Queries {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.answer.is_empty()
    }

    /// Whether an answer is there and has no room in the outbox.
    pub(in crate::core) fn wait_for_room(&self) -> bool {
        !self.answer.is_empty()
    }
}

/// A question and what has been found so far.
pub(super) struct Search {
    pub query: Query,
    /// What has not been looked at yet.
    rest: Range<u64>,
    /// Places and canonical bytes of messages, in the order in which they were found.
    pub found: Vec<(u64, Vec<u8>)>,
    bytes: usize,
    /// Something fits that is not on the page.
    pub more: bool,
    /// How many rows it may look at in this turn.
    pub rows: usize,
}

impl Core {
    /// Takes a session's question; the answer comes when it is there.
    pub fn ask_archive(&mut self, id: SessionId, query: Query) -> Result<(), StanzaError> {
        let Some(session) = self.session_mut(id) else { return Ok(()) };
        let queries = session
            .queries
            .get_or_insert_with(|| Box::new(Queries { waiting: VecDeque::new(), answer: VecDeque::new() }));
        if queries.waiting.len() >= MOST_QUERIES {
            return Err(StanzaError::new(Condition::ResourceConstraint, "Too many questions at one time."));
        }
        let idle = queries.is_empty();
        queries.waiting.push_back(Search::new(query));
        if idle {
            self.answer_queries(id);
        }
        Ok(())
    }

    /// Goes on with a session's questions: sends what there is room for, and looks at so many rows.
    pub(in crate::core) fn answer_queries(&mut self, id: SessionId) {
        let Some(mut queries) = self.session_mut(id).and_then(|session| session.queries.take()) else {
            return;
        };
        let mut rows = TURN;
        while self.say(id, &mut queries.answer) {
            let Some(search) = queries.waiting.front_mut() else { return };
            search.rows = rows;
            let outcome = self.search(search);
            rows = search.rows;
            if let Ok(false) = outcome {
                self.archive.turns.add(id);
                break;
            }
            if let Some(search) = queries.waiting.pop_front() {
                queries.answer.extend(match outcome {
                    Ok(_) => search.answer(self),
                    Err(error) => {
                        search.query.request.error(&error).map(|error| error.to_bytes()).into_iter().collect()
                    }
                });
            }
        }
        if let Some(session) = self.session_mut(id) {
            session.queries = Some(queries);
        }
    }

    pub(in crate::core) fn has_archive_turns(&self) -> bool {
        !self.archive.turns.0.is_empty() || !self.archive.elsewhere.is_empty()
    }

    /// Gives the next session a turn, and the next who asks from elsewhere.
    pub(in crate::core) fn take_archive_turn(&mut self) {
        if let Some(session) = self.archive.turns.0.pop_front() {
            self.answer_queries(session);
        }
        self.answer_elsewhere();
    }

    /// `false`: there is no room for all of it.
    fn say(&mut self, id: SessionId, answer: &mut VecDeque<Vec<u8>>) -> bool {
        while let Some(stanza) = answer.pop_front() {
            // Half of the outbox is for what others have to say meanwhile.
            let half = self.config.limits.outbox_bytes.max_len() / 2;
            if !self.has_room(id, stanza.len().saturating_add(half)) {
                answer.push_front(stanza);
                return false;
            }
            self.send_answer(id, &stanza);
        }
        true
    }

    /// Looks for messages; `false`: it has looked at enough rows for now.
    pub(super) fn search(&self, search: &mut Search) -> Result<bool, StanzaError> {
        while !search.rest.is_empty() && !search.more {
            if search.rows == 0 {
                return Ok(false);
            }
            let Range { start, end } = search.rest;
            let split = self.archive.tail.memory_starts().clamp(start, end);
            let backwards = search.query.kind.backwards;
            if if backwards { split < end } else { split == start } {
                search.in_memory(split..end, self.archive.tail.in_memory(), |place| self.body(place))?;
            } else {
                let read = self.store.archive(search.query.owner, start..split, backwards, search);
                read.map_err(|error| unreadable(&error))?;
                if search.rows > 0 {
                    search.looked_at(start..split);
                }
            }
        }
        Ok(true)
    }

    /// The first and the last message of an archive, by their places.
    pub(super) fn archive_ends(&self, owner: u32) -> Result<Option<(u64, u64)>, ReadError> {
        let end = |backwards| Ok(self.store.archived_ids(owner, backwards, 1)?.pop());
        let owned = |entry: &&Entry| entry.is_in(owner);
        let in_memory = || self.archive.tail.in_memory().filter(owned).map(|entry| entry.place);
        let first = match end(false)? {
            None => in_memory().next(),
            first => first,
        };
        let last = match in_memory().next_back() {
            None => end(true)?,
            last => last,
        };
        Ok(first.zip(last))
    }
}

impl Search {
    pub fn new(query: Query) -> Search {
        let mut rest = query.kind.range.clone();
        if let Some(places) = &query.kind.places {
            // They were found before; there is no need to look anywhere else.
            let (first, last) = (places.first().copied(), places.last().copied());
            rest.start = rest.start.max(first.unwrap_or(u64::MAX));
            rest.end = rest.end.min(last.map_or(0, |last| last.saturating_add(1)));
        }
        Search { query, rest, found: Vec::new(), bytes: 0, more: false, rows: 0 }
    }

    /// Nothing of this needs to be looked at again.
    fn looked_at(&mut self, range: Range<u64>) {
        if self.query.kind.backwards {
            self.rest.end = range.start;
        } else {
            self.rest.start = range.end;
        }
    }

    fn in_memory<'a>(
        &mut self,
        range: Range<u64>,
        entries: impl Iterator<Item = &'a Entry>,
        body: impl Fn(u64) -> Result<Vec<u8>, StanzaError>,
    ) -> Result<(), StanzaError> {
        let owner = self.query.owner;
        let mut entries: Vec<_> = entries
            .filter(|entry| range.contains(&entry.place))
            .filter_map(|entry| Some((entry, entry.with(owner)?)))
            .collect();
        if self.query.kind.backwards {
            entries.reverse();
        }
        for (entry, with) in entries {
            match self.judge(entry.place, &with) {
                Verdict::Take => match &entry.stanza {
                    Some(stanza) => self.take(entry.place, &stanza.to_bytes()),
                    None => self.take(entry.place, &body(entry.place)?),
                },
                Verdict::Skip => {}
                Verdict::Stop => break,
            }
        }
        self.looked_at(range);
        Ok(())
    }

    fn judge(&mut self, place: u64, with: &str) -> Verdict {
        let kind = &self.query.kind;
        if kind.places.as_ref().is_some_and(|places| places.binary_search(&place).is_err())
            || kind.with.as_ref().is_some_and(|wanted| !is_with(wanted, with, self.query.view))
        {
            return Verdict::Skip;
        }
        if self.found.len() >= kind.max || self.bytes >= PAGE_BYTES {
            self.more = true;
            return Verdict::Stop;
        }
        Verdict::Take
    }
}

impl ArchiveSearch for Search {
    fn look(&mut self, place: u64, with: &str) -> Verdict {
        if self.rows == 0 {
            return Verdict::Stop;
        }
        self.rows -= 1;
        self.looked_at(place..place.saturating_add(1));
        self.judge(place, with)
    }

    fn take(&mut self, place: u64, stanza: &[u8]) {
        self.bytes += stanza.len() + self.query.kind.query_id.as_ref().map_or(0, String::len);
        self.found.push((place, stanza.to_vec()));
    }
}

/// Whether an address is meant by another one, which stands for all its resources if it has none itself. In a room's
/// archive the occupant's address is followed by the real one, which counts only for those who may know it.
fn is_with(wanted: &Jid, with: &str, view: View) -> bool {
    let seen = if view == View::People { 2 } else { 1 };
    with.split('\0').take(seen).any(|with| match with.strip_prefix(wanted.as_str()) {
        Some("") => true,
        Some(rest) => wanted.is_bare() && rest.starts_with('/'),
        None => false,
    })
}

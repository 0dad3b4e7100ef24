//! Sessions: a client that is logged in and has bound a resource (RFC 6120 §7).

use std::collections::BTreeSet;
use std::rc::Rc;

use super::archive::Queries;
use super::arena::Id;
use super::clients::ClientId;
use super::link::{LinkId, Mail};
use super::management::Management;
use super::outbox::{Delivery, Outbox};
use super::pubsub::Interests;
use super::urgency::{Urgency, urgency};
use super::{Core, Kept, SWEEP_AFTER_LEAVING};
use crate::jid::Jid;
use crate::stanza::StreamError;
use crate::stanza::{Condition, PresenceType, Stanza, StanzaError};
use crate::store::record::Activity;
use crate::store::schema;
use crate::xep;
use crate::xml::ns;

pub type SessionId = Id<Session>;

/// Bytes that are held back for a client that is connected and inactive; then it gets them all.
const MAX_HELD: usize = 64 * 1024;

pub struct Session {
    pub id: SessionId,
    pub link: LinkId,
    /// The full address.
    pub jid: Jid,
    /// When it was bound, in milliseconds.
    pub since: u64,
    /// Which client it is, if it has said so (XEP-0388).
    pub client: Option<ClientId>,
    /// `None`: connected, but not available (RFC 6121 §4.2).
    pub presence: Option<Presence>,
    /// It has asked for the roster and so gets pushes (RFC 6121 §2.1.6).
    pub interested: bool,
    /// It has asked for the block list and so gets pushes (XEP-0191 §3.2).
    pub blocklist: bool,
    /// It gets copies of its account's other messages (XEP-0280).
    pub carbons: bool,
    /// Somebody looks at it, as far as is known (XEP-0352).
    pub(super) active: bool,
    /// Its connection has gone; until this time, in milliseconds, it can come back (XEP-0198 §5).
    pub(super) detached: Option<u64>,
    pub(super) management: Option<Box<Management>>,
    /// The nodes whose notifications it wants, once its capabilities are known (XEP-0060 §9.2).
    pub interests: Interests,
    /// What its presence has said of its capabilities, as a number: the same number needs no new look.
    pub caps: u64,
    /// Whom it has sent directed presence (RFC 6121 §4.6).
    pub directed: BTreeSet<Jid>,
    /// A module has more for it than its outbox takes at once, and goes on when that has been written. Until then new
    /// messages queue up behind.
    pub backlog: bool,
    /// It reads the archive, and so needs nothing twice (XEP-0313).
    pub syncs: bool,
    /// What it has asked of the archive and has no answer to yet.
    pub queries: Option<Box<Queries>>,
    /// The status of its unavailable presence, for XEP-0012.
    pub farewell: Option<String>,
    /// It has been told what those who come are told (XEP-0133 §4.24, §4.27).
    pub greeted: bool,
    pub(super) outbox: Outbox,
    /// It reads too slowly: it gets nothing more, and ends as soon as its stream runs. Not at once, since its end is
    /// told to others who may be as slow, and so on.
    doomed: bool,
}

/// The last available presence of a session.
#[derive(Clone, Debug)]
pub struct Presence {
    /// As it was sent, from the full address, without a `to`.
    pub stanza: Stanza,
    pub priority: i8,
}

impl Presence {
    /// `None` if the priority is not a number from -128 to 127 (RFC 6121 §4.7.2.3).
    pub fn new(stanza: Stanza) -> Option<Presence> {
        let priority = match stanza.payload.find("priority", ns::CLIENT) {
            None => 0,
            Some(child) => child.to_element().text_content().trim().parse().ok()?,
        };
        Some(Presence { stanza, priority })
    }
}

impl Session {
    /// Whether it may have messages for the bare address.
    pub fn takes_messages(&self) -> bool {
        !self.backlog && !self.doomed && self.has_priority()
    }

    /// Whether there is more for it than its outbox has taken.
    pub(super) fn has_more(&self) -> bool {
        self.backlog || self.queries.as_ref().is_some_and(|queries| queries.wait_for_room())
    }

    /// Whether somebody looks at what it gets: it has a connection and has not said otherwise (XEP-0352).
    pub fn is_awake(&self) -> bool {
        self.active && self.detached.is_none()
    }

    /// Whether it has a connection, as far as is known.
    pub fn attached(&self) -> bool {
        self.detached.is_none()
    }

    /// Whether its priority lets it have messages for the bare address (RFC 6121 §4.7.2.3).
    pub fn has_priority(&self) -> bool {
        self.presence.as_ref().is_some_and(|presence| presence.priority >= 0)
    }
}

impl Core {
    /// Binds a resource of an account to a connection. A session that had it is closed with `<conflict/>` (§7.7.2.2).
    pub fn bind(
        &mut self,
        link: LinkId,
        account: &Jid,
        resource: Option<&str>,
    ) -> Result<SessionId, StanzaError> {
        let jid = match resource {
            // §7.6.1: unguessable
            None => account.with_resource(&self.random_word()),
            Some(resource) => account.with_resource(resource),
        };
        let jid = jid.map_err(|_| StanzaError::from(Condition::BadRequest))?; // §7.7.2.1
        let max = self.config.limits.sessions_per_account.max_len();
        let loaded = self.account(account)?;
        if loaded.record.disabled {
            return Err(Condition::NotAuthorized.into());
        }
        let sessions = loaded.sessions.clone();
        let holder =
            sessions.iter().copied().find(|id| self.session(*id).is_some_and(|session| session.jid == jid));
        // One that nobody has come back to gives way.
        let asleep = sessions.iter().copied().filter_map(|id| Some((self.session(id)?.detached?, id))).min();
        if let Some(holder) = holder {
            self.close_session(holder, StreamError::Conflict);
        } else if sessions.len() >= max
            && let Some((_, asleep)) = asleep
        {
            self.end_session(asleep);
        } else if sessions.len() >= max {
            return Err(StanzaError::new(
                Condition::ResourceConstraint,
                "This account has too many sessions.",
            )); // §7.7.2.3
        }
        let since = self.now;
        let id = self.sessions.insert_with(|id| Session {
            id,
            link,
            jid,
            since,
            client: None,
            presence: None,
            interested: false,
            blocklist: false,
            carbons: false,
            active: true,
            detached: None,
            management: None,
            interests: Interests::default(),
            caps: 0,
            directed: BTreeSet::new(),
            backlog: false,
            syncs: false,
            queries: None,
            farewell: None,
            greeted: false,
            outbox: Outbox::default(),
            doomed: false,
        });
        self.account(account)?.sessions.push(id);
        if let Some(link) = self.links.get_mut(link) {
            link.session = Some(id);
        }
        self.welcome(account);
        Ok(id)
    }

    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(id)
    }

    pub fn session_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(id)
    }

    /// The session with exactly this full address.
    pub fn session_of(&self, jid: &Jid) -> Option<&Session> {
        let account = self.loaded(jid)?;
        account.sessions.iter().filter_map(|id| self.session(*id)).find(|session| session.jid == *jid)
    }

    /// The sessions of an account.
    pub fn sessions_of(&self, account: &Jid) -> impl Iterator<Item = &Session> {
        let ids = self.loaded(account).map(|account| account.sessions.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.session(*id))
    }

    pub fn all_sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// Ends a session of our own accord: its stream gets `error`, everyone else sees it go now.
    pub fn close_session(&mut self, id: SessionId, error: StreamError) {
        if let Some(link) = self.session(id).map(|session| session.link) {
            self.post(link, Mail::Close(error));
            self.end_session(id);
        }
    }

    /// The session is over: its resource is free, its contacts learn of it (RFC 6121 §4.5.2). What waits in its
    /// outbox stays with its connection; messages that its client may not have go on to whoever can have them.
    pub fn end_session(&mut self, id: SessionId) {
        let Some(mut session) = self.sessions.remove(id) else { return };
        if let Some(until) = session.detached {
            self.suspended.remove(&(until, id));
        }
        let link = self.links.get_mut(session.link).filter(|link| link.session == Some(id));
        let attached = link.is_some();
        let left = std::mem::take(&mut session.outbox).end(link.map(|link| {
            link.session = None;
            &mut link.rest
        }));
        if attached {
            self.wake(session.link);
        }
        let account = session.jid.bare();
        if let Some(account) = self.loaded_mut(&account) {
            account.sessions.retain(|other| *other != id);
        }
        for tell in xep::ALL.iter().filter_map(|module| module.session_ended) {
            tell(self, &session);
        }
        let status = session.farewell.take().unwrap_or_default();
        let (last_login, last_logout) = (session.since / 1000, self.now / 1000);
        self.next_sweep = self.next_sweep.min(self.now + SWEEP_AFTER_LEAVING);
        // It is not worth filling the store's queue while the disk takes nothing.
        if self.writable().is_ok()
            && let Some(id) = self.loaded(&account).map(|account| account.record.id)
        {
            let activity = Activity { last_login, last_logout, status };
            self.write(&account, [schema::activity::put(id, &activity)]);
        }
        self.wind_up(&account, session.management.take(), left);
    }

    /// Puts a stanza into a session's outbox. `false`: it can't have it; it is slow beyond the bound and is being
    /// disconnected, or it is gone.
    pub fn send(&mut self, id: SessionId, stanza: &Stanza) -> bool {
        self.send_with(id, Some(stanza), None, |out| stanza.write(out))
    }

    /// The same with a message to its account, of which others may have copies.
    pub fn send_copy(&mut self, id: SessionId, stanza: &Stanza, delivery: &Rc<Delivery>) -> bool {
        self.send_with(id, Some(stanza), Some(delivery), |out| stanza.write(out))
    }

    /// The same with the stanza's bytes, which several sessions get.
    pub(super) fn send_bytes(
        &mut self,
        id: SessionId,
        stanza: &Stanza,
        bytes: &[u8],
        delivery: &Rc<Delivery>,
    ) -> bool {
        self.send_with(id, Some(stanza), Some(delivery), |out| out.extend_from_slice(bytes))
    }

    /// The same with whatever `write` writes: the stanza, but for its address.
    pub(super) fn send_written(
        &mut self,
        id: SessionId,
        stanza: &Stanza,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        self.send_with(id, Some(stanza), None, write)
    }

    /// The same with the bytes of an answer that the client waits for.
    pub(super) fn send_answer(&mut self, id: SessionId, bytes: &[u8]) -> bool {
        self.send_with(id, None, None, |out| out.extend_from_slice(bytes))
    }

    /// Whether a session's outbox takes so many bytes now.
    pub fn has_room(&self, id: SessionId, bytes: usize) -> bool {
        let bound = self.config.limits.outbox_bytes.max_len();
        let waiting = self.session(id).map_or(0, |session| session.outbox.total());
        waiting == 0 || waiting.saturating_add(bytes) <= bound
    }

    fn send_with(
        &mut self,
        id: SessionId,
        stanza: Option<&Stanza>,
        delivery: Option<&Rc<Delivery>>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let hold = self.config.sessions.hold_while_inactive;
        let Some(session) = self.sessions.get_mut(id).filter(|session| !session.doomed) else { return false };
        let link = session.link;
        let detached = session.detached.is_some();
        let limits = &self.config.limits;
        let bound = match detached {
            false => limits.outbox_bytes.max_len(),
            true => limits.outbox_bytes.max_len().min(self.config.sessions.hibernating_bytes.max_len()),
        };
        let urgency = match session.active || !(hold || detached) {
            true => Urgency::Now,
            false => stanza.map_or(Urgency::Now, urgency),
        };
        let waits = urgency != Urgency::Now && (detached || session.outbox.held() < MAX_HELD);
        if session.outbox.append(bound, self.now, urgency, delivery, write) {
            if !waits {
                session.outbox.release();
                self.wake(link);
            }
            return true;
        }
        session.doomed = true;
        if detached {
            log::info!("{} has been away too long for what it should have got", session.jid);
            self.overflown.push(id);
            return false;
        }
        log::info!("{} reads too slowly and is disconnected", session.jid);
        let error = StreamError::ResourceConstraint("You read more slowly than others write to you.");
        self.post(link, Mail::Close(error));
        false
    }

    /// Ends sessions that held more than they may while they had no connection.
    pub(super) fn end_overflown(&mut self) {
        while let Some(id) = self.overflown.pop() {
            self.end_session(id);
        }
    }

    /// Whether somebody looks at the client of a session (XEP-0352 §4.2). It gets what was held back first.
    pub fn set_active(&mut self, id: SessionId, active: bool) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.active = active;
        if active && session.outbox.release() {
            let link = session.link;
            self.wake(link);
        }
        if active {
            self.stop_pushing(id);
        }
    }

    /// Sends a stanza of the server's own to a session, addressed to it.
    pub fn send_from_server(&mut self, id: SessionId, mut stanza: Stanza) {
        if let Some(session) = self.session(id) {
            stanza.to = Some(session.jid.clone());
            self.send(id, &stanza);
        }
    }

    /// Tells whoever wakes people that a message is shown by no client now.
    pub fn unheard(&mut self, stanza: &Stanza, session: Option<SessionId>) {
        for tell in xep::ALL.iter().filter_map(|module| module.unheard) {
            tell(self, stanza, session);
        }
    }

    /// Sends a stanza once everything that has been changed so far is on disk.
    pub fn send_kept(&mut self, id: SessionId, stanza: Stanza) {
        self.keep(Kept::ToSession(id, stanza));
    }

    /// Moves what a connection has to write into `out`. `true`: it ends with a question that the client must answer.
    pub(crate) fn take_output(&mut self, link: LinkId, out: &mut Vec<u8>) -> bool {
        let Some(state) = self.links.get_mut(link) else { return false };
        out.append(&mut state.rest);
        let session = state.session;
        let Some(session) = session.and_then(|id| self.sessions.get_mut(id)) else { return false };
        let mut ask = session.outbox.drain_into(out);
        if session.has_more() && out.is_empty() {
            let id = session.id;
            self.answer_queries(id);
            for go_on in xep::ALL.iter().filter_map(|module| module.drained) {
                go_on(self, id);
            }
            if let Some(session) = self.sessions.get_mut(id) {
                ask |= session.outbox.drain_into(out);
            }
            self.flush();
        }
        if ask {
            out.extend_from_slice(b"<r");
            crate::xml::writer::attr("xmlns", ns::STREAM_MANAGEMENT, out);
            out.extend_from_slice(b"/>");
        }
        ask
    }

    /// Bytes that wait for a connection.
    pub(crate) fn waiting(&self, link: LinkId) -> usize {
        let Some(state) = self.links.get(link) else { return 0 };
        let session = state.session.and_then(|id| self.sessions.get(id));
        state.rest.len() + session.map_or(0, |session| session.outbox.ready())
    }

    /// Whether an account shares its presence with someone (RFC 6121 §8.5.3.1): by subscription, because it is
    /// the same account, or by directed presence.
    pub fn shares_presence(&self, account: &Jid, with: &Jid) -> bool {
        account.same_bare(with)
            || self.loaded(account).is_some_and(|loaded| loaded.roster.is_subscriber(with))
            || self.sessions_of(account).any(|session| session.has_directed_to(with))
    }
}

impl Session {
    /// Whether it has sent directed presence to this address or to its bare address.
    pub fn has_directed_to(&self, jid: &Jid) -> bool {
        !self.directed.is_empty()
            && (self.directed.contains(jid.as_str()) || self.directed.iter().any(|to| to.same_bare(jid)))
    }

    /// The unavailable presence that others get when it goes (RFC 6121 §4.5.2).
    pub fn unavailable(&self) -> Stanza {
        Stanza::presence(PresenceType::Unavailable).from(&self.jid)
    }
}

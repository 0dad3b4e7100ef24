//! Accounts in memory.
//!
//! An account is loaded when something concerns it, changed in memory first, and forgotten when it has no session
//! and nothing that is not on disk yet. What is read from the store for it is therefore never stale.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Core, Kept, Mail, Roster, SessionId};
use crate::jid::Jid;
use crate::password::{Credentials, Hash, Keys};
use crate::stanza::StreamError;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::store::record;
use crate::store::schema::{self, Table};
use crate::xep;

pub struct Account {
    pub jid: Jid,
    pub record: record::Account,
    pub sessions: Vec<SessionId>,
    pub roster: Roster,
    /// Subscription requests that the account has not answered (RFC 6121 §3.1.3), by who asks.
    pub requests: BTreeMap<Jid, Stanza>,
    /// XEP-0191
    pub blocked: BTreeSet<Jid>,
    /// XEP-0160; `None` until someone needs it.
    pub offline: Option<OfflineQueue>,
    /// Bytes in its private storage (XEP-0049); `None` until someone needs it.
    pub private_bytes: Option<u64>,
    /// The hash of the picture in its vCard (XEP-0153), empty if there is none; `None` until someone needs it.
    pub photo: Option<Box<str>>,
    /// XEP-0441; `None`: what the configuration says.
    pub archive_preferences: Option<Box<record::ArchivePreferences>>,
    /// Push services that its clients have enabled (XEP-0357), oldest first; `None` until someone needs them.
    pub pushes: Option<Vec<(u64, record::PushRegistration)>>,
    /// The batch of its last change.
    pub written: u64,
}

/// What is known of the messages that wait for an account.
#[derive(Debug, Default, PartialEq)]
pub struct OfflineQueue {
    pub messages: u64,
    pub bytes: u64,
    /// The greatest key given so far: keys rise, whatever the clock does.
    pub last_key: u64,
    /// Nothing at or below this key is there any more, even if the store has not heard of it yet.
    pub floor: u64,
    /// What was stored by batches that are not on disk yet: batch, key, record.
    pub unwritten: VecDeque<(u64, u64, record::Offline)>,
}

/// Why an account can't be had.
#[derive(Debug, PartialEq)]
pub enum Unavailable {
    Missing,
    /// The database can't be read.
    Broken,
}

impl From<Unavailable> for StanzaError {
    fn from(why: Unavailable) -> StanzaError {
        match why {
            Unavailable::Missing => Condition::ItemNotFound.into(),
            Unavailable::Broken => Condition::InternalServerError.into(),
        }
    }
}

impl Core {
    /// The account of this bare address (a resource is ignored), from memory or from the store.
    pub fn account(&mut self, jid: &Jid) -> Result<&mut Account, Unavailable> {
        if !self.accounts.contains_key(jid.bare_str()) {
            let account = self.load_account(&jid.bare())?;
            self.accounts.insert(account.jid.clone(), account);
        }
        self.accounts.get_mut(jid.bare_str()).ok_or(Unavailable::Missing)
    }

    /// The same, if it is in memory already: an account with a session always is.
    pub fn loaded(&self, jid: &Jid) -> Option<&Account> {
        self.accounts.get(jid.bare_str())
    }

    pub fn loaded_mut(&mut self, jid: &Jid) -> Option<&mut Account> {
        self.accounts.get_mut(jid.bare_str())
    }

    fn load_account(&self, jid: &Jid) -> Result<Account, Unavailable> {
        let local = jid.local().ok_or(Unavailable::Missing)?;
        if !self.is_host(jid.domain()) || self.removed.contains_key(jid) {
            return Err(Unavailable::Missing);
        }
        self.read_account(jid, local).map_err(|error| {
            log::error!("the account {jid} cannot be read: {error}");
            Unavailable::Broken
        })?
    }

    fn read_account(
        &self,
        jid: &Jid,
        local: &str,
    ) -> Result<Result<Account, Unavailable>, crate::store::ReadError> {
        let Some(record) = self.store.account(jid.domain(), local)? else {
            return Ok(Err(Unavailable::Missing));
        };
        let id = record.id;
        let requests = self.store.subscription_requests(id)?.into_iter();
        Ok(Ok(Account {
            jid: jid.clone(),
            roster: Roster::load(record.created, self.store.roster(id)?),
            requests: requests
                .filter_map(|(from, bytes)| Some((Jid::parse(&from).ok()?, Stanza::from_bytes(&bytes)?)))
                .collect(),
            blocked: self.store.blocklist(id)?.iter().filter_map(|jid| Jid::parse(jid).ok()).collect(),
            record,
            sessions: Vec::new(),
            offline: None,
            private_bytes: None,
            photo: None,
            archive_preferences: self.store.archive_preferences(id)?.map(Box::new),
            pushes: None,
            written: 0,
        }))
    }

    pub fn account_exists(&mut self, jid: &Jid) -> bool {
        self.account(jid).is_ok()
    }

    /// Makes an account. The caller has derived the credentials and keeps its promise until the commit.
    pub fn create_account(&mut self, jid: &Jid, credentials: Credentials) -> Result<(), StanzaError> {
        self.writable()?;
        let Some(local) = jid.local().filter(|_| jid.is_bare() && self.is_host(jid.domain())) else {
            return Err(StanzaError::new(Condition::NotAcceptable, "This is no address of this server."));
        };
        match self.account(jid) {
            Ok(_) => return Err(StanzaError::new(Condition::Conflict, "This name is taken.")),
            Err(Unavailable::Broken) => return Err(Unavailable::Broken.into()),
            Err(Unavailable::Missing) => {}
        }
        let id = self.next_account;
        self.next_account += 1;
        let record = record::Account { id, created: self.now / 1000, disabled: false, credentials };
        let ops = schema::account::created(jid.domain(), local, &record);
        self.removed.remove(jid);
        self.accounts.insert(
            jid.clone(),
            Account {
                jid: jid.clone(),
                roster: Roster::load(record.created, Vec::new()),
                record,
                sessions: Vec::new(),
                requests: BTreeMap::new(),
                blocked: BTreeSet::new(),
                offline: Some(OfflineQueue::default()),
                private_bytes: Some(0),
                photo: Some(Box::default()),
                archive_preferences: None,
                pushes: Some(Vec::new()),
                written: 0,
            },
        );
        self.write(jid, ops);
        Ok(())
    }

    /// Deletes an account with everything it had, tells its contacts, and ends its sessions: the one that asked for
    /// it gets its answer first, when all is on disk (XEP-0077 §3.2).
    pub fn remove_account(
        &mut self,
        jid: &Jid,
        answer: Option<(SessionId, Stanza)>,
    ) -> Result<(), StanzaError> {
        self.writable()?;
        let account = self.account(jid)?;
        let (jid, id, sessions) = (account.jid.clone(), account.record.id, account.sessions.clone());
        for tell in xep::ALL.iter().filter_map(|module| module.account_removed) {
            tell(self, &jid);
        }
        let asker =
            answer.as_ref().and_then(|(session, _)| self.session(*session)).map(|session| session.link);
        for session in sessions {
            if Some(session) == answer.as_ref().map(|(session, _)| *session) {
                self.end_session(session);
            } else {
                self.close_session(session, StreamError::NotAuthorized);
            }
        }
        self.write(&jid, schema::account::removed(jid.domain(), jid.local().unwrap_or_default(), id));
        self.remove_archive(id);
        self.accounts.remove(&jid);
        self.pushes.forget_account(id);
        self.pubsub.forget(&jid);
        self.removed.insert(jid, self.now_seq());
        if let (Some(link), Some((_, answer))) = (asker, answer) {
            self.keep(Kept::ToLink(link, Mail::Stanza(answer)));
            self.keep(Kept::ToLink(link, Mail::Close(StreamError::NotAuthorized)));
        }
        Ok(())
    }

    /// Changes a password and ends the account's sessions but for `except`.
    pub fn set_password(
        &mut self,
        jid: &Jid,
        credentials: Credentials,
        except: Option<SessionId>,
    ) -> Result<(), StanzaError> {
        self.change_record(jid, |record| record.credentials = credentials)?;
        // What was given for the old password (XEP-0484) goes with it.
        if let Some(id) = self.loaded(jid).map(|account| account.record.id) {
            self.write(jid, [schema::clients::delete(id)]);
        }
        self.end_sessions(jid, except);
        Ok(())
    }

    /// Replaces one hash's keys of a password by better ones of the same, unless the password has changed meanwhile.
    pub(crate) fn upgrade_keys(
        &mut self,
        jid: &Jid,
        hash: Hash,
        old: &Keys,
        new: Keys,
    ) -> Result<(), StanzaError> {
        if self.account(jid)?.record.credentials.keys(hash) != old {
            return Err(Condition::Conflict.into());
        }
        self.change_record(jid, |record| *record.credentials.keys_mut(hash) = new)
    }

    /// Lets an account log in or not; one that may not is thrown out.
    pub fn set_disabled(&mut self, jid: &Jid, disabled: bool) -> Result<(), StanzaError> {
        self.change_record(jid, |record| record.disabled = disabled)?;
        if disabled {
            self.end_sessions(jid, None);
        }
        Ok(())
    }

    fn change_record(
        &mut self,
        jid: &Jid,
        change: impl FnOnce(&mut record::Account),
    ) -> Result<(), StanzaError> {
        self.writable()?;
        let account = self.account(jid)?;
        change(&mut account.record);
        let op = schema::account::put(jid.domain(), jid.local().unwrap_or_default(), &account.record);
        self.write(jid, [op]);
        Ok(())
    }

    /// Ends the sessions of an account.
    pub fn end_sessions(&mut self, jid: &Jid, except: Option<SessionId>) {
        let sessions = self.loaded(jid).map(|account| account.sessions.clone()).unwrap_or_default();
        for session in sessions.into_iter().filter(|id| Some(*id) != except) {
            self.close_session(session, StreamError::NotAuthorized);
        }
    }

    /// All accounts of a domain, in order of their names, with what is not on disk yet.
    pub fn list_accounts(
        &self,
        domain: &str,
    ) -> Result<BTreeMap<Jid, record::Account>, crate::store::ReadError> {
        let stored = self.store.accounts(domain)?.into_iter();
        let mut all: BTreeMap<Jid, record::Account> = stored
            .filter_map(|(local, record)| Some((Jid::from_parts(Some(&local), domain, None).ok()?, record)))
            .filter(|(jid, _)| !self.removed.contains_key(jid))
            .collect();
        for account in self.accounts.values().filter(|account| account.jid.domain() == domain) {
            all.insert(account.jid.clone(), account.record.clone());
        }
        Ok(all)
    }

    /// When an account was last there.
    pub fn activity(&self, account: u32) -> Result<record::Activity, StanzaError> {
        Ok(self.value(Table::Activity, &schema::activity::key(account))?.unwrap_or_default())
    }

    /// Forgets accounts that nothing keeps in memory.
    pub(super) fn evict_accounts(&mut self) {
        let committed = self.committed;
        for queue in self.accounts.values_mut().filter_map(|account| account.offline.as_mut()) {
            queue.unwritten.retain(|(seq, ..)| *seq > committed);
        }
        self.accounts.retain(|_, account| !account.sessions.is_empty() || account.written > committed);
        if self.accounts.capacity() > 4 * self.accounts.len() {
            self.accounts.shrink_to_fit();
        }
    }
}

//! Presence as several features need it: an account's presence shown to someone, or hidden.

use super::{Account, Core, Session};
use crate::jid::Jid;
use crate::stanza::Stanza;

impl Account {
    /// Whether the account has blocked this address (XEP-0191 §5): itself, its bare address, its domain with the
    /// same resource, or its domain. Its own resources and its own server can't be blocked.
    pub fn blocks(&self, other: &Jid) -> bool {
        if self.blocked.is_empty() || other.same_bare(&self.jid) || other.as_str() == self.jid.domain() {
            return false;
        }
        self.blocked.contains(other.as_str())
            || self.blocked.contains(other.bare_str())
            || self.blocked.contains(other.domain())
            || other.local().is_some()
                && other.resource().is_some_and(|resource| {
                    self.blocked.contains(format!("{}/{resource}", other.domain()).as_str())
                })
    }

    /// The contacts that get this account's presence.
    pub fn audience(&self) -> impl Iterator<Item = &Jid> {
        let subscribers = self.roster.iter().filter(|(_, item)| item.subscription.from());
        subscribers.map(|(contact, _)| contact).filter(|contact| !self.blocks(contact))
    }
}

impl Core {
    /// Sends the presence of every available resource of an account to a contact (RFC 6121 §3.1.5).
    pub fn show_presence(&mut self, account: &Jid, contact: &Jid) {
        let available: Vec<Stanza> = (self.sessions_of(account))
            .filter_map(|session| session.presence.as_ref())
            .map(|presence| presence.stanza.clone().to(contact))
            .collect();
        for presence in available {
            self.route(presence);
        }
    }

    /// Tells a contact that every available resource of an account is gone (RFC 6121 §3.2.2, §3.3.3).
    pub fn hide_presence(&mut self, account: &Jid, contact: &Jid) {
        let gone: Vec<Stanza> = (self.sessions_of(account))
            .filter(|session| session.presence.is_some() || session.has_directed_to(contact))
            .map(|session| session.unavailable().to(contact))
            .collect();
        for presence in gone {
            self.route(presence);
        }
    }

    /// Sends a session's presence to everyone who gets it: contacts, and the account's own available resources
    /// (RFC 6121 §4.2.2, §4.4.2, §4.5.2).
    pub fn broadcast(&mut self, session: &Jid, presence: &Stanza) {
        let Some(account) = self.loaded(session) else { return };
        let own = account.jid.clone();
        let audience: Vec<Jid> = (account.audience())
            // Nobody is there who could have it.
            .filter(|contact| !self.is_local(contact.domain()) || self.sessions_of(contact).next().is_some())
            .cloned()
            .collect();
        for contact in audience {
            self.route(presence.clone().to(&contact));
        }
        self.route(presence.clone().to(&own));
    }

    /// The sessions of an account that are available.
    pub fn available_sessions(&self, account: &Jid) -> impl Iterator<Item = &Session> {
        self.sessions_of(account).filter(|session| session.presence.is_some())
    }
}

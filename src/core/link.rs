//! Connections, as far as Core must know them: where they come from, what session they carry, and what is to be
//! told to their stream.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::arena::Id;
use super::{Core, SessionId};
use crate::stanza::Stanza;
use crate::stanza::StreamError;

pub type LinkId = Id<Link>;

pub struct Link {
    pub address: Network,
    pub session: Option<SessionId>,
    /// An account has been registered here; the next one needs another stream (XEP-0077 §3.1.1).
    registered: bool,
    logged_in: bool,
    woken: bool,
    mail: VecDeque<Mail>,
    /// What a session that is over had still to say.
    pub(super) rest: Vec<u8>,
}

/// What Core has for a stream that is not a stanza to its session.
#[derive(Debug, PartialEq)]
pub enum Mail {
    /// The answer to a request before the login.
    Stanza(Stanza),
    /// Whether the password was right.
    Verified(bool),
    /// What had been changed when the stream asked is on disk.
    Kept,
    /// End the stream with this error.
    Close(StreamError),
}

/// The part of an address that one peer is likely to hold: all of IPv4, the first 64 bits of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(u64);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        match address.to_canonical() {
            // No IPv6 network that a peer can have begins with ::ffff:0:0.
            IpAddr::V4(v4) => Network(u64::from(u32::from(v4)) | 0xffff_0000_0000),
            IpAddr::V6(v6) => Network((u128::from(v6) >> 64) as u64),
        }
    }
}

/// How many connections each network has.
#[derive(Default)]
pub(super) struct Addresses(HashMap<Network, Count>);

#[derive(Clone, Copy, Default)]
struct Count {
    connections: u64,
    /// Those that have not logged in.
    strangers: u64,
}

impl Core {
    /// Admits a connection, or says why not (RFC 6120 §13.12, XEP-0205 §2).
    pub fn open_link(&mut self, address: IpAddr) -> Result<LinkId, StreamError> {
        let network = Network::from(address);
        let limits = &self.config.limits;
        if self.links.len() as u64 >= limits.connections.max() {
            return Err(StreamError::ResourceConstraint(
                "The server has as many connections as it can take.",
            ));
        }
        let count = self.addresses.0.get(&network).copied().unwrap_or_default();
        if count.connections >= limits.connections_per_address.max()
            || count.strangers >= limits.logins_per_address.max()
        {
            return Err(StreamError::PolicyViolation("Your address has too many connections."));
        }
        let count = self.addresses.0.entry(network).or_default();
        count.connections += 1;
        count.strangers += 1;
        Ok(self.links.insert_with(|_| Link {
            address: network,
            session: None,
            registered: false,
            logged_in: false,
            woken: false,
            mail: VecDeque::new(),
            rest: Vec::new(),
        }))
    }

    /// A stream has logged in: it no longer counts as a stranger's.
    pub(crate) fn link_logged_in(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && !std::mem::replace(&mut link.logged_in, true)
            && let Some(count) = self.addresses.0.get_mut(&link.address)
        {
            count.strangers -= 1;
        }
    }

    /// The connection is gone. So is its session, unless it can be resumed.
    pub(crate) fn close_link(&mut self, id: LinkId) {
        let Some(link) = self.links.remove(id) else { return };
        if let Some(count) = self.addresses.0.get_mut(&link.address) {
            count.connections -= 1;
            count.strangers -= u64::from(!link.logged_in);
            if count.connections == 0 {
                self.addresses.0.remove(&link.address);
            }
        }
        if let Some(session) = link.session {
            self.suspend(session);
        }
    }

    /// The session of a connection, unless it has gone on with another one.
    pub(crate) fn session_on(&self, link: LinkId) -> Option<SessionId> {
        self.links.get(link)?.session
    }

    pub(crate) fn has_registered(&self, link: LinkId) -> bool {
        self.links.get(link).is_some_and(|link| link.registered)
    }

    pub(crate) fn set_registered(&mut self, link: LinkId) {
        if let Some(link) = self.links.get_mut(link) {
            link.registered = true;
        }
    }

    pub(crate) fn network(&self, link: LinkId) -> Option<Network> {
        Some(self.links.get(link)?.address)
    }

    /// Leaves something for a stream and wakes it.
    pub(crate) fn post(&mut self, id: LinkId, mail: Mail) {
        if let Some(link) = self.links.get_mut(id) {
            link.mail.push_back(mail);
            self.wake(id);
        }
    }

    pub(crate) fn take_mail(&mut self, id: LinkId) -> Option<Mail> {
        self.links.get_mut(id)?.mail.pop_front()
    }

    pub(super) fn wake(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && !std::mem::replace(&mut link.woken, true)
        {
            self.woken.push(id);
        }
    }

    /// A stream looks after itself now; the next news wakes it again.
    pub(crate) fn awake(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.woken = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_address() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}

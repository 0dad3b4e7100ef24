//! The way of a stanza: sender's hooks, address rules, receiver's hooks, delivery (RFC 6120 §10, RFC 6121 §8).
//!
//! Nothing jumps back up: what a hook sends in its turn takes the same way from [`Core::route`] on.

use super::module::{Answer, Flow, Route, Target};
use super::{Core, Delivery, Effect, Kept, LinkId, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, MessageType, PresenceType, Stanza, StanzaError};
use crate::xep;

impl Core {
    /// Takes a stanza from a session of ours. Its `from` is stamped here, whatever it said.
    pub fn receive(&mut self, session: SessionId, stanza: Stanza) {
        self.touched = false;
        self.take(session, stanza);
        self.handled(session);
    }

    fn take(&mut self, session: SessionId, mut stanza: Stanza) {
        let Some(sender) = self.session(session).map(|session| session.jid.clone()) else { return };
        // RFC 6121 §3.1.2: subscription stanzas are from the account, not from a resource.
        let from_account = matches!(
            stanza.kind,
            Kind::Presence(
                PresenceType::Subscribe
                    | PresenceType::Subscribed
                    | PresenceType::Unsubscribe
                    | PresenceType::Unsubscribed
            )
        );
        if stanza.to.is_none() && !matches!(stanza.kind, Kind::Presence(_)) {
            stanza.to = Some(sender.bare()); // RFC 6120 §10.3
        }
        stanza.from = Some(if from_account { sender.bare() } else { sender });
        match self.send_out(session, &mut stanza) {
            Ok(()) => {}
            Err(error) => {
                if let Some(reply) = stanza.error(&error) {
                    self.send(session, &reply);
                }
            }
        }
    }

    fn send_out(&mut self, session: SessionId, stanza: &mut Stanza) -> Result<(), StanzaError> {
        for hook in xep::ALL.iter().filter_map(|module| module.outbound) {
            if hook(self, stanza)? == Flow::Done {
                return Ok(());
            }
        }
        if let Kind::Presence(_) = stanza.kind {
            for take in xep::ALL.iter().filter_map(|module| module.presence_out) {
                if take(self, session, stanza)? == Flow::Done {
                    return Ok(());
                }
            }
            return Err(Condition::BadRequest.into());
        }
        self.route_ref(stanza);
        Ok(())
    }

    /// Takes a stanza from another domain, which must have proven that its `from` is its own.
    pub(super) fn receive_remote(&mut self, stanza: Stanza) {
        let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else { return };
        // Nobody outside speaks for us, or through us to others.
        if self.is_local(from.domain()) || !self.is_local(to.domain()) {
            log::info!("dropped a stanza from {from} for {to}: not between that domain and ours");
            return;
        }
        self.route(stanza);
    }

    /// Sends a stanza, whose `from` and `to` are true, on its way.
    pub fn route(&mut self, mut stanza: Stanza) {
        self.route_ref(&mut stanza);
    }

    /// The same with a stanza that its sender goes on with.
    pub fn route_ref(&mut self, stanza: &mut Stanza) {
        let Err(error) = self.try_route(stanza) else { return };
        if let Some(reply) = stanza.error(&error) {
            // An error about an error can't be: this ends here.
            self.route(reply);
        }
    }

    /// The same; `Err`: as far as is known here, it can't get there.
    pub fn try_route(&mut self, stanza: &mut Stanza) -> Result<(), StanzaError> {
        let Some(to) = stanza.to.clone() else { return Err(Condition::BadRequest.into()) };
        if !self.is_local(to.domain()) {
            return self.deliver_remote(stanza);
        }
        if to.local().is_none() {
            return self.deliver_to_server(stanza, &to);
        }
        if self.is_room(&to) {
            return self.deliver_to_room(stanza, &to);
        }
        match self.account(&to) {
            Ok(_) => {}
            Err(super::Unavailable::Missing) => return self.deliver_to_nobody(stanza),
            Err(broken) => return Err(broken.into()),
        }
        for hook in xep::ALL.iter().filter_map(|module| module.inbound) {
            if hook(self, stanza)? == Flow::Done {
                return Ok(());
            }
        }
        match stanza.kind {
            Kind::Message(kind) => self
                .deliver_message(stanza, &to, kind)
                // What was not accepted is in no archive (XEP-0313 §6.1).
                .inspect_err(|_| self.unarchive(stanza)),
            Kind::Presence(kind) => self.deliver_presence(stanza, &to, kind),
            Kind::Iq(kind) => self.deliver_iq(stanza, &to, kind),
        }
    }

    fn deliver_remote(&mut self, stanza: &Stanza) -> Result<(), StanzaError> {
        if !self.federated {
            return Err(Condition::RemoteServerNotFound.into());
        }
        self.effects.push(Effect::Remote(stanza.clone()));
        Ok(())
    }

    /// §8.5.1: no such account. Probes get what a stranger's probe of a real account gets.
    fn deliver_to_nobody(&mut self, stanza: &Stanza) -> Result<(), StanzaError> {
        match stanza.kind {
            Kind::Presence(PresenceType::Probe) => {
                if let (Some(from), Some(to)) = (&stanza.from, &stanza.to) {
                    let reply =
                        Stanza::presence(PresenceType::Unsubscribed).from(&to.bare()).to(&from.bare());
                    self.route(reply);
                }
                Ok(())
            }
            Kind::Presence(_) => Ok(()),
            Kind::Iq(IqType::Get | IqType::Set) => {
                let mut tell = xep::ALL.iter().filter_map(|module| module.nobody);
                let told = tell.find_map(|tell| tell(self, stanza));
                let payload = told.unwrap_or(Err(Condition::ServiceUnavailable.into()))?;
                self.route(stanza.result(Some(payload)));
                Ok(())
            }
            _ => Err(Condition::ServiceUnavailable.into()),
        }
    }

    /// For one of our domains itself, or a resource of it.
    fn deliver_to_server(&mut self, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
        match stanza.kind {
            Kind::Iq(IqType::Get | IqType::Set) if to.is_bare() => {
                let service = self.service(to.domain()).map(|service| Target::Service(service.kind));
                self.dispatch(stanza, service.unwrap_or(Target::Server))
            }
            Kind::Iq(IqType::Result | IqType::Error) => {
                self.answered(stanza);
                Ok(())
            }
            Kind::Message(_) | Kind::Presence(_) if self.service(to.domain()).is_some() => {
                self.deliver_at_service(stanza)
            }
            Kind::Iq(_) | Kind::Message(_) => Err(Condition::ServiceUnavailable.into()),
            // The server has no presence to give.
            Kind::Presence(_) => Ok(()),
        }
    }

    /// For a room, or for somebody in one.
    fn deliver_to_room(&mut self, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
        if stanza.is_request() && to.is_bare() {
            self.room(to)?;
            return self.dispatch(stanza, Target::Room);
        }
        self.deliver_at_service(stanza)
    }

    fn deliver_at_service(&mut self, stanza: &Stanza) -> Result<(), StanzaError> {
        for take in xep::ALL.iter().filter_map(|module| module.at_service) {
            if take(self, stanza)? == Flow::Done {
                return Ok(());
            }
        }
        match stanza.kind {
            Kind::Presence(_) | Kind::Iq(IqType::Result | IqType::Error) => Ok(()),
            _ => Err(Condition::ServiceUnavailable.into()),
        }
    }

    fn deliver_message(&mut self, stanza: &Stanza, to: &Jid, kind: MessageType) -> Result<(), StanzaError> {
        if to.is_full() {
            // §8.5.3.1: whichever the type
            if let Some(id) = self.session_of(to).map(|session| session.id)
                && self.give(stanza, &[id])
            {
                return Ok(());
            }
            // §8.5.3.2.1
            match kind {
                MessageType::Chat => {}
                MessageType::Error | MessageType::Headline => return Ok(()),
                MessageType::Normal | MessageType::Groupchat => {
                    return Err(Condition::ServiceUnavailable.into());
                }
            }
        }
        match kind {
            MessageType::Error => Ok(()),
            MessageType::Groupchat => Err(Condition::ServiceUnavailable.into()),
            MessageType::Headline => {
                self.give(stanza, &self.takers(to));
                Ok(())
            }
            MessageType::Normal | MessageType::Chat => self.deliver_to_account(stanza, to),
        }
    }

    /// §8.5.2.1.1, §8.5.2.2.1: to every resource with a non-negative priority, or to who keeps messages for later.
    pub(super) fn deliver_to_account(&mut self, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
        if self.give(stanza, &self.takers(to)) {
            return Ok(());
        }
        // Those who were too full for it may have older ones to pass on first.
        self.end_overflown();
        for take in xep::ALL.iter().filter_map(|module| module.undelivered) {
            if take(self, stanza)? == Flow::Done {
                return Ok(());
            }
        }
        Err(Condition::ServiceUnavailable.into())
    }

    pub(super) fn takers(&self, to: &Jid) -> Vec<SessionId> {
        let takers = self.sessions_of(to).filter(|session| session.takes_messages());
        takers.map(|session| session.id).collect()
    }

    /// Gives a message to sessions of the account that it is for, and copies to those who want them. `false`: none of
    /// `takers` could have it.
    fn give(&mut self, stanza: &Stanza, takers: &[SessionId]) -> bool {
        let delivery = Delivery::new();
        let responsible = matches!(stanza.kind, Kind::Message(MessageType::Normal | MessageType::Chat));
        if !responsible {
            delivery.take();
        }
        let mut given = false;
        match takers {
            [one] => given = self.send_copy(*one, stanza, &delivery),
            _ => {
                let bytes = if takers.is_empty() { Vec::new() } else { stanza.to_bytes() };
                for id in takers {
                    given |= self.send_bytes(*id, stanza, &bytes, &delivery);
                }
            }
        }
        if given || takers.is_empty() {
            for tell in xep::ALL.iter().filter_map(|module| module.delivered) {
                tell(self, stanza, takers, &delivery);
            }
        }
        if !given {
            // Then it is bounced or stored, whoever has a copy.
            delivery.take();
        }
        for id in takers {
            if self.session(*id).is_some_and(|session| !session.is_awake()) {
                self.unheard(stanza, Some(*id));
            }
        }
        given
    }

    fn deliver_presence(&mut self, stanza: &Stanza, to: &Jid, kind: PresenceType) -> Result<(), StanzaError> {
        match kind {
            PresenceType::Available | PresenceType::Unavailable | PresenceType::Error if to.is_full() => {
                // §8.5.3.1, §8.5.3.2.2
                if let Some(id) = self.session_of(to).map(|session| session.id) {
                    self.send(id, stanza);
                }
                Ok(())
            }
            // An error to the account answers a subscription stanza of one of its resources.
            PresenceType::Available | PresenceType::Unavailable | PresenceType::Error => {
                // §8.5.2.1.2
                let takers: Vec<SessionId> = (self.sessions_of(to))
                    .filter(|session| session.presence.is_some())
                    .map(|session| session.id)
                    .collect();
                for id in takers {
                    self.send(id, stanza);
                }
                Ok(())
            }
            _ => {
                // §8.5.3.2.2: but for requests and probes, a resource that isn't there gets nothing.
                let resource_matters = !matches!(kind, PresenceType::Subscribe | PresenceType::Probe);
                if to.is_full() && resource_matters && self.session_of(to).is_none() {
                    return Ok(());
                }
                for take in xep::ALL.iter().filter_map(|module| module.presence_in) {
                    if take(self, stanza)? == Flow::Done {
                        return Ok(());
                    }
                }
                Ok(())
            }
        }
    }

    fn deliver_iq(&mut self, stanza: &Stanza, to: &Jid, kind: IqType) -> Result<(), StanzaError> {
        let request = matches!(kind, IqType::Get | IqType::Set);
        if to.is_bare() {
            // §8.5.2.1.3
            if request {
                return self.dispatch(stanza, Target::Account);
            }
            self.answered(stanza);
            return Ok(());
        }
        let Some(id) = self.session_of(to).map(|session| session.id) else {
            return if request { Err(Condition::ServiceUnavailable.into()) } else { Ok(()) }; // §8.5.3.2.3
        };
        // §8.5.3.1: a request reveals that the resource is there. Ours have been thought about.
        let may_ask =
            |from: &Jid| self.hosts.contains(from) || self.is_room(from) || self.shares_presence(to, from);
        if request && !stanza.from.as_ref().is_some_and(may_ask) {
            return Err(Condition::ServiceUnavailable.into());
        }
        if !self.send(id, stanza) && request {
            return Err(Condition::ServiceUnavailable.into());
        }
        Ok(())
    }

    /// An answer to a request of the server's own.
    fn answered(&mut self, stanza: &Stanza) {
        for tell in xep::ALL.iter().filter_map(|module| module.answered) {
            tell(self, stanza);
        }
    }

    /// Gives a request to the module that knows it and sends what it answers.
    fn dispatch(&mut self, stanza: &Stanza, to: Target) -> Result<(), StanzaError> {
        let Some(child) = stanza.request() else { return Err(Condition::BadRequest.into()) };
        // RFC 6120 §8.4: a namespace that is not understood
        let Some(route) = route_for(child.ns(), child.name(), to) else {
            return Err(Condition::ServiceUnavailable.into());
        };
        if route.target == Target::Owner && !is_own(stanza) {
            return Err(Condition::Forbidden.into());
        }
        match (route.handle)(self, stanza)? {
            Answer::Result(payload) => self.route(stanza.result(payload)),
            Answer::Kept(payload) => self.reply_kept(stanza.result(payload)),
            Answer::Later => {}
        }
        Ok(())
    }

    /// Sends an answer to whoever asked once everything that has been changed so far is on disk.
    pub(super) fn reply_kept(&mut self, reply: Stanza) {
        let session = reply.to.as_ref().and_then(|to| self.session_of(to)).map(|session| session.id);
        match session {
            Some(session) => self.send_kept(session, reply),
            None if reply.to.as_ref().is_some_and(|to| !self.is_local(to.domain())) => {
                self.keep(Kept::Remote(reply));
            }
            None => {}
        }
    }

    /// Answers a request on a stream that has not logged in, now or by mail; `false`: no module knows it.
    pub(crate) fn receive_before_login(&mut self, link: LinkId, stanza: &Stanza) -> bool {
        let outcome =
            xep::ALL.iter().find_map(|module| module.before_login.and_then(|take| take(self, link, stanza)));
        let reply = match outcome {
            None => return false,
            Some(Ok(Answer::Result(payload))) => Some(stanza.result(payload)),
            Some(Ok(Answer::Kept(payload))) => {
                self.keep(Kept::ToLink(link, super::Mail::Stanza(stanza.result(payload))));
                None
            }
            Some(Ok(Answer::Later)) => None,
            Some(Err(error)) => stanza.error(&error),
        };
        if let Some(reply) = reply {
            self.post(link, super::Mail::Stanza(reply));
        }
        true
    }
}

/// Whether a request is from the account that it is for.
pub fn is_own(stanza: &Stanza) -> bool {
    match (&stanza.from, &stanza.to) {
        (Some(from), Some(to)) => from.same_bare(to),
        _ => false,
    }
}

fn route_for(ns: &str, name: &str, to: Target) -> Option<&'static Route> {
    let fits = |target| match to {
        Target::Account | Target::Owner => matches!(target, Target::Account | Target::Owner),
        Target::Service(_) => target == Target::AnyService,
        Target::Server | Target::AnyService | Target::Room => false,
    };
    let named = xep::ALL.iter().flat_map(|module| module.iq);
    let mut named = named.filter(|route| route.ns == ns && route.name == name);
    // What is for one kind of service goes before what is for all.
    named.clone().find(|route| route.target == to).or_else(|| named.find(|route| fits(route.target)))
}

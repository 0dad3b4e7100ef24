//! The part of a client's stream before a resource is bound: headers, STARTTLS (RFC 6120 §5), SASL, binding (§7).
//!
//! There are two profiles of SASL, that of RFC 6120 (`sasl1`) and that of XEP-0388; what they share is in `attempt`.
//! Lives in memory of its own and is gone once the session begins.

use std::sync::Arc;

use super::TlsInfo;
use super::attempt::{Attempt, Wait};
use super::features;
use super::xep0198_sm::{self, Resumption};
use crate::config::Registration;
use crate::core::{ClientId, Core, LinkId, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, ReadError, Stanza, StanzaError, StreamError};
use crate::xml::Element;
use crate::xml::ns;
use crate::xml::writer;
use crate::xml::{Fragment, Header};

/// Milliseconds, once a stream.
const TIME_FOR_FORM: u64 = 10 * 60_000;

/// The language of what we say ourselves.
const LANGUAGE: &str = "en";

/// The longest name of a language that is remembered, as RFC 5646 §4.4.1 allows.
const MAX_LANGUAGE: usize = 35;

pub struct Login {
    pub(super) tls: Option<TlsInfo>,
    header_sent: bool,
    wants_tls: bool,
    /// The domain that the client wants.
    pub(super) host: Option<Jid>,
    /// Who the client says it is, in the stream header.
    pub(super) claimed: Option<Jid>,
    /// The language of the client's stanzas where they don't say (§4.7.4), if it isn't our own.
    pub(super) lang: Option<Arc<str>>,
    /// The namespace of the profile of SASL that the client uses.
    pub(super) profile: &'static str,
    pub(super) attempt: Option<Attempt>,
    /// Who has logged in, and with which client.
    pub(super) account: Option<Jid>,
    pub(super) client: Option<ClientId>,
    /// It has asked how to register.
    has_form: bool,
    pub(super) wait: Wait,
    pub(super) failures: u64,
    /// When all this must be over.
    deadline: u64,
    /// What came while the login had to wait; at most what one read gives.
    pub(super) unread: Vec<u8>,
}

/// What the connection does next.
pub enum Progress {
    Continue,
    /// The stream starts anew; what has been read and not looked at is dropped.
    Restart,
    /// The same, but for more than what a stranger may send.
    LoggedIn,
    /// Without a new start (XEP-0388 §2.6.1).
    LoggedInHere,
    Bound(SessionId),
    Close(Option<StreamError>),
}

impl Login {
    pub fn new(core: &Core, tls: Option<TlsInfo>) -> Login {
        Login {
            tls,
            header_sent: false,
            wants_tls: false,
            host: None,
            claimed: None,
            lang: None,
            profile: ns::SASL,
            attempt: None,
            account: None,
            client: None,
            has_form: false,
            wait: Wait::No,
            failures: 0,
            deadline: core.now().saturating_add(core.config.limits.login_seconds.max_millis()),
            unread: Vec::new(),
        }
    }

    pub fn header_sent(&self) -> bool {
        self.header_sent
    }

    pub fn wants_tls(&self) -> bool {
        self.wants_tls
    }

    pub fn waits(&self) -> bool {
        !matches!(self.wait, Wait::No)
    }

    pub fn deadline(&self) -> u64 {
        match self.wait {
            Wait::Until { time, .. } => time.min(self.deadline),
            _ => self.deadline,
        }
    }

    pub fn secured(&mut self, tls: TlsInfo) {
        self.tls = Some(tls);
        self.wants_tls = false;
        self.restart();
    }

    pub(super) fn restart(&mut self) {
        self.header_sent = false;
    }

    /// §4.7: ours answers the client's.
    pub fn write_header(&mut self, core: &mut Core, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version='1.0'?><stream:stream");
        writer::attr("xmlns", ns::CLIENT, out);
        writer::attr("xmlns:stream", ns::STREAMS, out);
        writer::attr("id", &core.random_word(), out); // §4.7.3: unguessable
        let host = self.host.as_ref().or(core.hosts().first());
        if let Some(host) = host {
            writer::attr("from", host.as_str(), out);
        }
        if let Some(claimed) = &self.claimed {
            writer::attr("to", claimed.as_str(), out);
        }
        writer::attr("version", "1.0", out);
        writer::attr("xml:lang", LANGUAGE, out);
        out.push(b'>');
        self.header_sent = true;
    }

    pub fn header(&mut self, core: &mut Core, _: LinkId, out: &mut Vec<u8>, header: &Header) -> Progress {
        // §4.7.1: the error goes into a stream from the domain that was meant, where we are that.
        let host =
            header.to.as_deref().and_then(|to| Jid::parse(to).ok()).filter(|to| core.hosts().contains(to));
        let moved = self
            .account
            .as_ref()
            .is_some_and(|account| host.as_ref().is_some_and(|host| host.domain() != account.domain()));
        self.host = host;
        self.claimed = header.from.as_deref().and_then(|from| Jid::parse(from).ok());
        let lang = header.lang.as_deref().filter(|lang| (1..=MAX_LANGUAGE).contains(&lang.len()));
        self.lang = lang.filter(|lang| *lang != LANGUAGE).map(Arc::from);
        self.write_header(core, out);
        let Some(host) = self.host.clone().filter(|_| !moved) else {
            return Progress::Close(Some(StreamError::HostUnknown));
        };
        if !header.version.as_deref().is_some_and(knows_features) {
            return Progress::Close(Some(StreamError::UnsupportedVersion));
        }
        // XEP-0388 §2.1; nobody here is of another domain.
        if self.claimed.as_ref().is_some_and(|claimed| claimed.domain() != host.domain()) {
            return Progress::Close(Some(StreamError::InvalidFrom));
        }
        let features = match (&self.account, &self.tls) {
            (_, None) => features::before_tls(),
            (None, Some(tls)) => features::before_login(core, &host, tls),
            (Some(account), Some(_)) => {
                // §4.7.1, §4.9.3.9
                if self.claimed.as_ref().is_some_and(|claimed| !claimed.same_bare(account)) {
                    return Progress::Close(Some(StreamError::InvalidFrom));
                }
                features::after_login(core, &host)
            }
        };
        features.write(ns::CLIENT, out);
        Progress::Continue
    }

    pub fn child(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, child: &Fragment) -> Progress {
        match (child.ns(), child.name()) {
            (ns::SASL2, name) => self.sasl2(core, link, out, name, child),
            _ if self.in_sasl2() => Progress::Close(Some(StreamError::PolicyViolation(
                "Nothing but the login may be sent during it.",
            ))),
            (ns::TLS, "starttls") => self.starttls(out),
            (ns::SASL, name) => self.sasl1(core, link, out, name, child),
            (ns::STREAM_MANAGEMENT, _) => self.stream_management(core, link, out, &child.to_element()),
            (ns::CLIENT, "iq" | "message" | "presence") => match Stanza::read(child) {
                Ok(stanza) => self.stanza(core, link, out, stanza),
                Err(ReadError::Bad { reply, .. }) if self.account.is_some() => {
                    if let Some(reply) = reply {
                        reply.write(out);
                    }
                    Progress::Continue
                }
                Err(_) => Progress::Close(Some(StreamError::NotAuthorized)),
            },
            _ => Progress::Close(Some(StreamError::UnsupportedStanzaType)),
        }
    }

    /// §5.4.2
    fn starttls(&mut self, out: &mut Vec<u8>) -> Progress {
        if self.tls.is_some() {
            Element::new("failure", ns::TLS).write(ns::CLIENT, out); // §5.4.2.2
            return Progress::Close(None);
        }
        Element::new("proceed", ns::TLS).write(ns::CLIENT, out);
        self.wants_tls = true;
        Progress::Restart
    }

    /// XEP-0198 §5: in place of binding a resource, a client can go on with a session.
    fn stream_management(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        request: &Element,
    ) -> Progress {
        let Some(account) = self.account.clone().filter(|_| request.name == "resume") else {
            xep0198_sm::failed(Condition::UnexpectedRequest, None).write(ns::CLIENT, out);
            return Progress::Continue;
        };
        self.wait = Wait::No;
        match xep0198_sm::resume(core, link, &account, request) {
            Resumption::Failed(failed) => {
                failed.write(ns::CLIENT, out);
                Progress::Continue
            }
            Resumption::Waiting => {
                self.wait = Wait::Resumption(Box::new(request.clone()));
                Progress::Continue
            }
            Resumption::Done { session, resumed } => {
                resumed.write(ns::CLIENT, out);
                Progress::Bound(session)
            }
        }
    }

    /// A stanza before a resource is bound: a registration, or the binding itself.
    fn stanza(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, mut stanza: Stanza) -> Progress {
        let Some(host) = self.host.clone().filter(|_| self.tls.is_some()) else {
            return Progress::Close(Some(StreamError::NotAuthorized));
        };
        let Some(account) = self.account.clone() else {
            let to_host = stanza.to.as_ref().is_none_or(|to| *to == host);
            if stanza.is_request() && to_host {
                stanza.from = None;
                stanza.to = Some(host);
                if core.receive_before_login(link, &stanza) {
                    self.allow_for_form(core);
                    return Progress::Continue;
                }
            }
            return Progress::Close(Some(StreamError::NotAuthorized));
        };
        // §7.1: to nobody else before a resource is bound
        if !stanza.to.as_ref().is_none_or(|to| *to == host || to.as_str() == account.as_str()) {
            return Progress::Close(Some(StreamError::NotAuthorized));
        }
        let bind = stanza.payload.find("bind", ns::BIND).map(|child| child.to_element());
        let (Kind::Iq(IqType::Set), Some(bind)) = (stanza.kind, bind) else {
            stanza.to = Some(account);
            write_error(&stanza, StanzaError::new(Condition::NotAllowed, "Bind a resource first."), out);
            return Progress::Continue;
        };
        // §7.7.1; some clients send a stray `<required/>` beside it, and no name is the same as none.
        let resource =
            bind.find("resource", ns::BIND).map(Element::text_content).filter(|name| !name.is_empty());
        match core.bind(link, &account, resource.as_deref()) {
            Ok(session) => {
                let jid = core.session(session).map(|session| session.jid.to_string()).unwrap_or_default();
                if let Some(session) = core.session_mut(session) {
                    session.client = self.client;
                }
                let bound = Element::new("bind", ns::BIND).child(Element::new("jid", ns::BIND).text(&jid));
                let mut result = stanza.result(Some(bound));
                (result.from, result.to) = (None, None);
                result.write(out);
                Progress::Bound(session)
            }
            Err(error) => {
                stanza.to = Some(account);
                write_error(&stanza, error, out);
                Progress::Continue
            }
        }
    }

    /// Somebody may have a form to fill in (XEP-0077 §3.1): that takes a person longer than a login takes a client.
    fn allow_for_form(&mut self, core: &Core) {
        if core.config.registration == Registration::Open && !std::mem::replace(&mut self.has_form, true) {
            self.deadline = self.deadline.saturating_add(TIME_FOR_FORM);
        }
    }

    /// The time that we make someone wait isn't theirs to answer for.
    pub(super) fn allow_for(&mut self, core: &Core, time: u64) {
        self.deadline = self.deadline.saturating_add(time.saturating_sub(core.now()));
    }

    /// To be called when something may be due.
    pub fn tick(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>) -> Progress {
        let now = core.now();
        if matches!(self.wait, Wait::Until { time, .. } if time <= now)
            && let Wait::Until { outcome, .. } = std::mem::replace(&mut self.wait, Wait::No)
        {
            return self.tell_now(core, link, out, outcome);
        }
        if matches!(self.wait, Wait::Entry) {
            return self.enter(core, link, out);
        }
        if let Wait::Resumption(request) = &self.wait {
            let request = request.clone();
            let progress = self.stream_management(core, link, out, &request);
            if !matches!(self.wait, Wait::Resumption(_)) {
                return progress;
            }
        }
        if now >= self.deadline {
            return Progress::Close(Some(StreamError::ConnectionTimeout));
        }
        Progress::Continue
    }
}

/// §4.7.5: streams have features from 1.0 on; a client that could speak a later version speaks this one too.
fn knows_features(version: &str) -> bool {
    let major = version.split_once('.').map(|(major, _)| major.parse::<u32>());
    matches!(major, Some(Ok(1..)))
}

fn write_error(stanza: &Stanza, error: StanzaError, out: &mut Vec<u8>) {
    if let Some(reply) = stanza.error(&error) {
        reply.write(out);
    }
}

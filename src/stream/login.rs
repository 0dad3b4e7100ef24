//! The part of a client's stream before a resource is bound: headers, STARTTLS (RFC 6120 §5), SASL (§6), binding (§7).
//!
//! Lives in memory of its own and is gone once the session begins.

use std::sync::Arc;

use super::TlsInfo;
use super::features;
use super::sasl::{self, Exchange, Failure, Mechanism, Step};
use super::xep0198_sm::{self, Resumption};
use crate::config::Registration;
use crate::core::{Core, LinkId, LoginKeys, SessionId};
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
    tls: Option<TlsInfo>,
    header_sent: bool,
    wants_tls: bool,
    /// The domain that the client wants.
    host: Option<Jid>,
    /// Who the client says it is, in the stream header.
    claimed: Option<Jid>,
    /// The language of the client's stanzas where they don't say (§4.7.4), if it isn't our own.
    pub(super) lang: Option<Arc<str>>,
    exchange: Option<Exchange>,
    /// Whom the exchange is about.
    trying: Option<Jid>,
    /// Who has logged in.
    account: Option<Jid>,
    /// It has asked how to register.
    has_form: bool,
    wait: Wait,
    failures: u64,
    /// When all this must be over.
    deadline: u64,
    /// What came while the login had to wait; at most what one read gives.
    pub(super) unread: Vec<u8>,
}

/// Why nothing more is read for now.
enum Wait {
    No,
    /// For a password to be checked.
    Password,
    /// For the moment when an outcome may be told.
    Until {
        time: u64,
        outcome: Outcome,
    },
    /// For what a session has done to be on disk, so that this can go on with it.
    Commit(Box<Element>),
}

enum Outcome {
    Success { account: Jid, data: Option<Vec<u8>> },
    Failure(Failure),
}

/// What the connection does next.
pub enum Progress {
    Continue,
    /// The stream starts anew; what has been read and not looked at is dropped.
    Restart,
    LoggedIn,
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
            exchange: None,
            trying: None,
            account: None,
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

    fn restart(&mut self) {
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
            (ns::TLS, "starttls") => self.starttls(out),
            (ns::SASL, name) => self.sasl(core, link, out, name, child),
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
            write_empty("failure", ns::TLS, out); // §5.4.2.2
            return Progress::Close(None);
        }
        write_empty("proceed", ns::TLS, out);
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
                self.wait = Wait::Commit(Box::new(request.clone()));
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

    fn sasl(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        name: &str,
        child: &Fragment,
    ) -> Progress {
        let element = child.to_element();
        let text = element.text_content();
        if self.account.is_some() {
            return Progress::Close(Some(StreamError::NotAuthorized));
        }
        let step = match (name, &self.tls, &mut self.exchange) {
            ("auth", None, _) => Step::Failure(Failure::EncryptionRequired), // §6.5.5
            ("auth", Some(tls), exchange) => {
                let offered = |mechanism: &Mechanism| !mechanism.plus() || !tls.is_empty();
                let mechanism = element.get_attr("mechanism").and_then(Mechanism::from_name).filter(offered);
                let Some(mechanism) = mechanism else {
                    return self.fail(core, out, Failure::InvalidMechanism);
                };
                let Some(host) = &self.host else { return Progress::Close(Some(StreamError::HostUnknown)) };
                self.trying = None;
                let nonce = core.random_word();
                let begun =
                    exchange.insert(Exchange::start(mechanism, tls, !tls.is_empty(), nonce, host.domain()));
                match sasl::decode_initial(&text) {
                    Ok(Some(initial)) => begun.respond(&initial),
                    Ok(None) => Step::Challenge(Vec::new()), // §6.4.2: it asks for the initial response
                    Err(failure) => Step::Failure(failure),
                }
            }
            ("response", _, Some(exchange)) => match sasl::decode(&text) {
                Ok(response) => exchange.respond(&response),
                Err(failure) => Step::Failure(failure),
            },
            ("abort", _, Some(_)) => Step::Failure(Failure::Aborted),
            _ => Step::Failure(Failure::MalformedRequest),
        };
        self.sasl_step(core, link, out, step)
    }

    fn sasl_step(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, step: Step) -> Progress {
        match step {
            Step::Challenge(data) => {
                write_data("challenge", &data, out);
                Progress::Continue
            }
            Step::Lookup { username } => {
                let login = self.look_up(core, &username);
                let (Some(login), Some(exchange)) = (login, &mut self.exchange) else {
                    return self.fail(core, out, Failure::TemporaryAuthFailure);
                };
                let step = exchange.credentials(&login.credentials);
                self.sasl_step(core, link, out, step)
            }
            Step::VerifyPlain { username, password } => {
                let login = self.look_up(core, &username);
                if !login.is_some_and(|login| core.verify(link, login.credentials, password)) {
                    return self.fail(core, out, Failure::TemporaryAuthFailure);
                }
                self.wait = Wait::Password;
                Progress::Continue
            }
            Step::Success { data, .. } => {
                let Some(account) = self.trying.clone() else {
                    return self.fail(core, out, Failure::NotAuthorized);
                };
                // Only who knows the password learns that it is of no use.
                let outcome = match core.login(&account) {
                    Ok(login) if login.disabled => Outcome::Failure(Failure::AccountDisabled),
                    Ok(_) => Outcome::Success { account: account.clone(), data },
                    Err(_) => Outcome::Failure(Failure::TemporaryAuthFailure),
                };
                self.tell(core, link, out, &account, outcome)
            }
            Step::Failure(failure) => match self.trying.clone() {
                Some(account) if failure == Failure::NotAuthorized => {
                    core.login_failed(link, &account);
                    self.tell(core, link, out, &account, Outcome::Failure(failure))
                }
                _ => self.fail(core, out, failure),
            },
        }
    }

    fn look_up(&mut self, core: &mut Core, username: &str) -> Option<LoginKeys> {
        let account = Jid::from_parts(Some(username), self.host.as_ref()?.domain(), None).ok()?;
        let login = core.login(&account).ok();
        self.trying = Some(account);
        login
    }

    /// A password that was sent has been checked.
    pub fn verified(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, right: bool) -> Progress {
        if !matches!(self.wait, Wait::Password) {
            return Progress::Continue;
        }
        self.wait = Wait::No;
        let Some(exchange) = &mut self.exchange else { return Progress::Continue };
        let step = exchange.verified(right);
        self.sasl_step(core, link, out, step)
    }

    /// Tells an outcome, now or when the delays allow.
    fn tell(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        account: &Jid,
        outcome: Outcome,
    ) -> Progress {
        let time = core.login_answer_at(link, account);
        if time > core.now() {
            self.wait = Wait::Until { time, outcome };
            self.allow_for(core, time);
            return Progress::Continue;
        }
        self.tell_now(core, link, out, outcome)
    }

    /// Somebody may have a form to fill in (XEP-0077 §3.1): that takes a person longer than a login takes a client.
    fn allow_for_form(&mut self, core: &Core) {
        if core.config.registration == Registration::Open && !std::mem::replace(&mut self.has_form, true) {
            self.deadline = self.deadline.saturating_add(TIME_FOR_FORM);
        }
    }

    /// The time that we make someone wait isn't theirs to answer for.
    fn allow_for(&mut self, core: &Core, time: u64) {
        self.deadline = self.deadline.saturating_add(time.saturating_sub(core.now()));
    }

    fn tell_now(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, outcome: Outcome) -> Progress {
        match outcome {
            Outcome::Failure(failure) => self.fail(core, out, failure),
            Outcome::Success { account, data } => {
                core.login_succeeded(link, &account);
                self.exchange = None;
                self.account = Some(account);
                match data {
                    Some(data) => write_data("success", &data, out),
                    None => write_empty("success", ns::SASL, out),
                }
                self.restart();
                Progress::LoggedIn
            }
        }
    }

    /// §6.4.5: the client may try again, a few times.
    fn fail(&mut self, core: &Core, out: &mut Vec<u8>, failure: Failure) -> Progress {
        self.exchange = None;
        Element::new("failure", ns::SASL)
            .child(Element::new(failure.name(), ns::SASL))
            .write(ns::CLIENT, out);
        self.failures += 1;
        if self.failures >= core.config.limits.login_tries.max() {
            return Progress::Close(Some(StreamError::PolicyViolation("Too many failed logins.")));
        }
        Progress::Continue
    }

    /// To be called when something may be due.
    pub fn tick(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>) -> Progress {
        let now = core.now();
        if matches!(self.wait, Wait::Until { time, .. } if time <= now)
            && let Wait::Until { outcome, .. } = std::mem::replace(&mut self.wait, Wait::No)
        {
            return self.tell_now(core, link, out, outcome);
        }
        if let Wait::Commit(request) = &self.wait {
            let request = request.clone();
            let progress = self.stream_management(core, link, out, &request);
            if !matches!(self.wait, Wait::Commit(_)) {
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

fn write_empty(name: &'static str, ns: &'static str, out: &mut Vec<u8>) {
    Element::new(name, ns).write(ns::CLIENT, out);
}

fn write_data(name: &'static str, data: &[u8], out: &mut Vec<u8>) {
    Element::new(name, ns::SASL).text(&sasl::encode(data)).write(ns::CLIENT, out);
}

fn write_error(stanza: &Stanza, error: StanzaError, out: &mut Vec<u8>) {
    if let Some(reply) = stanza.error(&error) {
        reply.write(out);
    }
}

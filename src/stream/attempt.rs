//! An attempt to log in, in the words of either profile of SASL: who is meant, what the checks come to, and when the
//! client may hear of it.
//!
//! The profiles differ in their namespace, and in what a success is. A name that is nobody's goes the way of a wrong
//! password, and so does the token of nobody. After wrong ones the answers come later and later, right or wrong.

use super::login::{Login, Progress};
use super::sasl::{self, Exchange, Failure, Mechanism, Step};
use super::xep0388_sasl2::Request;
use crate::core::{Core, LinkId, LoginKeys};
use crate::jid::Jid;
use crate::password::Credentials;
use crate::stanza::StreamError;
use crate::xml::{Element, ns};

pub(super) struct Attempt {
    exchange: Exchange,
    /// Whom it is about.
    trying: Option<Jid>,
    /// What a password was checked against.
    keys: Option<Credentials>,
    /// What else the client wants, in XEP-0388.
    pub(super) request: Option<Box<Request>>,
}

/// Why nothing more is read for now.
pub(super) enum Wait {
    No,
    /// For a password to be checked.
    Password,
    /// For the moment when an outcome may be told.
    Until {
        time: u64,
        outcome: Outcome,
    },
    /// For what the client will be promised to be on disk.
    Commit,
    /// For what a session has done to be on disk, so that this can go on with it.
    Resumption(Box<Element>),
    /// The same, within XEP-0388.
    Entry,
}

pub(super) enum Outcome {
    Success { account: Jid, data: Option<Vec<u8>> },
    Failure(Failure),
}

impl Login {
    /// Begins with a mechanism that was offered; `None`: it was not.
    pub(super) fn begin(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        exchange: Option<Exchange>,
        initial: Result<Option<Vec<u8>>, Failure>,
        request: Option<Box<Request>>,
    ) -> Progress {
        let Some(exchange) = exchange else {
            return self.fail(core, out, Failure::InvalidMechanism);
        };
        let attempt = self.attempt.insert(Attempt { exchange, trying: None, keys: None, request });
        let step = match initial {
            Ok(Some(initial)) => attempt.exchange.respond(&initial),
            Ok(None) => Step::Challenge(Vec::new()), // §6.4.2: it asks for the initial response
            Err(failure) => Step::Failure(failure),
        };
        self.step(core, link, out, step)
    }

    /// The exchange for a mechanism with a password.
    pub(super) fn exchange(&self, core: &mut Core, mechanism: Option<&str>) -> Option<Exchange> {
        let (tls, host) = (self.tls.as_ref()?, self.host.as_ref()?);
        let mechanism = mechanism.and_then(Mechanism::from_name)?;
        Mechanism::offered(tls).find(|offered| *offered == mechanism)?;
        Some(Exchange::start(mechanism, tls, &sasl::offer(tls), core.random_word(), host.domain()))
    }

    pub(super) fn respond(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        response: Result<Vec<u8>, Failure>,
    ) -> Progress {
        let step = match (&mut self.attempt, response) {
            (Some(attempt), Ok(response)) => attempt.exchange.respond(&response),
            (Some(_), Err(failure)) => Step::Failure(failure),
            (None, _) => Step::Failure(Failure::MalformedRequest),
        };
        self.step(core, link, out, step)
    }

    fn step(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, step: Step) -> Progress {
        match step {
            Step::Challenge(data) => {
                self.write_data("challenge", &data, out);
                Progress::Continue
            }
            Step::Lookup { username } => {
                let keys = self.look_up(core, &username);
                self.go_on(core, link, out, |exchange| match keys {
                    Ok(keys) => exchange.credentials(&keys.credentials),
                    Err(failure) => Step::Failure(failure),
                })
            }
            Step::VerifyPlain { username, password } => match self.look_up(core, &username) {
                Ok(keys) if core.verify(link, keys.credentials.clone(), password) => {
                    self.wait = Wait::Password;
                    Progress::Continue
                }
                Ok(_) => self.fail(core, out, Failure::TemporaryAuthFailure),
                Err(failure) => self.fail(core, out, failure),
            },
            Step::VerifyToken { username, proof } => {
                let account = self.name(&username);
                let checked = account.and_then(|account| self.check_token(core, &account, &proof));
                self.go_on(core, link, out, |exchange| exchange.token_checked(checked))
            }
            Step::Success { data, .. } => {
                let Some(account) = self.trying() else {
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
            Step::Failure(failure) => match self.trying() {
                Some(account) if failure == Failure::NotAuthorized => {
                    core.login_failed(link, &account);
                    self.tell(core, link, out, &account, Outcome::Failure(failure))
                }
                _ => self.fail(core, out, failure),
            },
        }
    }

    fn go_on(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        next: impl FnOnce(&mut Exchange) -> Step,
    ) -> Progress {
        let step = match &mut self.attempt {
            Some(attempt) => next(&mut attempt.exchange),
            None => Step::Failure(Failure::MalformedRequest),
        };
        self.step(core, link, out, step)
    }

    fn trying(&self) -> Option<Jid> {
        self.attempt.as_ref()?.trying.clone()
    }

    fn look_up(&mut self, core: &mut Core, username: &str) -> Result<LoginKeys, Failure> {
        let account = self.name(username)?;
        let keys = core.login(&account).map_err(|_| Failure::TemporaryAuthFailure)?;
        if let Some(attempt) = &mut self.attempt {
            attempt.keys = Some(keys.credentials.clone());
        }
        Ok(keys)
    }

    /// Whom the attempt is about, from now on.
    fn name(&mut self, username: &str) -> Result<Jid, Failure> {
        let (Some(host), Some(attempt)) = (&self.host, &mut self.attempt) else {
            return Err(Failure::TemporaryAuthFailure);
        };
        let account = Jid::from_parts(Some(username), host.domain(), None);
        let account = account.map_err(|_| Failure::TemporaryAuthFailure)?;
        // XEP-0388 §2.3: who has named someone else in the header of the stream. There is a header after RFC 6120's.
        let someone_else = self.claimed.as_ref().is_some_and(|claimed| !claimed.same_bare(&account));
        if attempt.request.is_some() && someone_else {
            return Err(Failure::InvalidAuthzid);
        }
        attempt.trying = Some(account.clone());
        Ok(account)
    }

    /// A password that was sent has been checked.
    pub fn verified(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, right: bool) -> Progress {
        if !matches!(self.wait, Wait::Password) {
            return Progress::Continue;
        }
        self.wait = Wait::No;
        self.go_on(core, link, out, |exchange| exchange.verified(right))
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

    pub(super) fn tell_now(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        outcome: Outcome,
    ) -> Progress {
        match outcome {
            Outcome::Failure(failure) => self.fail(core, out, failure),
            Outcome::Success { account, .. } if !self.is_still_right(core, &account) => {
                self.fail(core, out, Failure::NotAuthorized)
            }
            Outcome::Success { account, data } => match self.profile {
                ns::SASL2 => self.authenticated(core, link, out, account, data),
                _ => self.succeed(core, link, out, account, data),
            },
        }
    }

    /// Whether what was right when it was checked still is: the answer may have waited for a while.
    fn is_still_right(&self, core: &mut Core, account: &Jid) -> bool {
        let (Some(attempt), Ok(now)) = (&self.attempt, core.login(account)) else { return false };
        let right = match (&attempt.keys, &attempt.request) {
            (Some(keys), _) => now.credentials == *keys,
            (None, Some(request)) => request.client.is_some_and(|client| core.has_tokens(account, client)),
            (None, None) => false,
        };
        right && !now.disabled
    }

    /// §6.4.5: the client may try again, a few times.
    pub(super) fn fail(&mut self, core: &Core, out: &mut Vec<u8>, failure: Failure) -> Progress {
        self.attempt = None;
        Element::new("failure", self.profile)
            .child(Element::new(failure.name(), ns::SASL))
            .write(ns::CLIENT, out);
        self.failures += 1;
        if self.failures >= core.config.limits.login_tries.max() {
            return Progress::Close(Some(StreamError::PolicyViolation("Too many failed logins.")));
        }
        Progress::Continue
    }

    pub(super) fn write_data(&self, name: &'static str, data: &[u8], out: &mut Vec<u8>) {
        Element::new(name, self.profile).text(&sasl::encode(data)).write(ns::CLIENT, out);
    }
}

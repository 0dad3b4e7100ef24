//! Password work that is slow on purpose (PBKDF2) and so is done elsewhere: who waits for it, and for what.

use super::{ControlId, Core, Effect, Kept, LinkId, Mail, SessionId};
use crate::control::Response;
use crate::jid::Jid;
use crate::password::{self, Credentials, Password, SALT_LENGTH};
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::xml::Element;

pub type DeriveId = u64;

/// Jobs that may wait at one time: at some 10 ms each, a few seconds of work.
const MAX_WAITING: usize = 200;
/// Of these, those that one account has asked for: nobody can keep others from logging in.
const MAX_EACH: usize = 5;

/// The work. [`DeriveJob::run`] takes milliseconds and belongs on a thread of its own.
pub enum DeriveJob {
    Verify { credentials: Credentials, password: Password },
    Make { password: Password, salts: [[u8; SALT_LENGTH]; 2], iterations: u32 },
}

/// Its outcome.
pub enum Derived {
    Verified(bool),
    Made(Credentials),
}

impl DeriveJob {
    pub fn run(self) -> Derived {
        match self {
            DeriveJob::Verify { credentials, password } => Derived::Verified(credentials.verify(&password)),
            DeriveJob::Make { password, salts, iterations } => {
                Derived::Made(Credentials::derive(&password, salts, iterations))
            }
        }
    }
}

pub(super) struct PendingDerive {
    purpose: Purpose,
    asker: Asker,
}

/// What derived credentials are for.
pub enum Purpose {
    Login,
    Create(Jid),
    /// All sessions but this one are ended.
    Change(Jid, Option<SessionId>),
}

/// Who gets the answer, once it is kept.
pub enum Asker {
    /// A request on a stream that has not logged in, or the login itself.
    Link(LinkId, Option<Box<Stanza>>),
    /// A request; what the reply carries when all is well.
    Request(Box<Stanza>, Option<Box<Element>>),
    Control(ControlId),
}

impl Asker {
    /// The session that has asked, by its address.
    fn session(&self) -> Option<&Jid> {
        match self {
            Asker::Request(request, _) => request.from.as_ref(),
            Asker::Link(..) | Asker::Control(_) => None,
        }
    }
}

impl Core {
    /// Starts to check a password for a link that waits with [`Mail::Verified`]. `false`: too many wait already.
    pub(crate) fn verify(&mut self, link: LinkId, credentials: Credentials, password: Password) -> bool {
        let job = DeriveJob::Verify { credentials, password };
        self.start(job, Purpose::Login, Asker::Link(link, None)).is_ok()
    }

    /// Starts to make credentials of a password.
    pub fn derive(&mut self, password: &str, purpose: Purpose, asker: Asker) -> Result<(), StanzaError> {
        let password = password::prepare(password)
            .map_err(|error| StanzaError::new(Condition::NotAcceptable, error.to_string()))?;
        let salts = [self.random_bytes(), self.random_bytes()];
        let iterations = self.config.accounts.scram_iterations;
        self.start(DeriveJob::Make { password, salts, iterations }, purpose, asker)
    }

    fn start(&mut self, job: DeriveJob, purpose: Purpose, asker: Asker) -> Result<(), StanzaError> {
        if self.deriving.len() >= MAX_WAITING || self.derived_for(&asker) >= MAX_EACH {
            return Err(StanzaError::new(
                Condition::ResourceConstraint,
                "The server is busy; try again soon.",
            ));
        }
        self.last_derive += 1;
        self.waits_for_work(asker.session(), self.last_derive);
        self.deriving.insert(self.last_derive, PendingDerive { purpose, asker });
        self.effects.push(Effect::Derive(self.last_derive, job));
        Ok(())
    }

    /// How many jobs the account that asks has asked for already.
    fn derived_for(&self, asker: &Asker) -> usize {
        let account = |asker: &Asker| match asker {
            Asker::Request(request, _) => request.from.as_ref().map(Jid::bare),
            // A stream has one at a time, and operators know what they do.
            Asker::Link(..) | Asker::Control(_) => None,
        };
        let Some(own) = account(asker) else { return 0 };
        self.deriving.values().filter(|pending| account(&pending.asker).as_ref() == Some(&own)).count()
    }

    pub(super) fn derived(&mut self, id: DeriveId, derived: Derived) {
        let Some(PendingDerive { purpose, asker }) = self.deriving.remove(&id) else { return };
        let outcome = match (purpose, derived) {
            (Purpose::Login, derived) => {
                if let Asker::Link(link, _) = asker {
                    self.post(link, Mail::Verified(matches!(derived, Derived::Verified(true))));
                }
                return;
            }
            (Purpose::Create(jid), Derived::Made(credentials)) => self.create_account(&jid, credentials),
            (Purpose::Change(jid, except), Derived::Made(credentials)) => {
                self.set_password(&jid, credentials, except)
            }
            (_, Derived::Verified(_)) => Err(Condition::InternalServerError.into()),
        };
        self.work_done(asker.session(), id);
        self.answer(asker, outcome);
    }

    /// Answers when everything so far is on disk.
    fn answer(&mut self, asker: Asker, outcome: Result<(), StanzaError>) {
        match asker {
            Asker::Link(link, Some(request)) => {
                if let Some(reply) = reply(&request, outcome, None) {
                    self.keep(Kept::ToLink(link, Mail::Stanza(reply)));
                }
            }
            Asker::Link(_, None) => {}
            Asker::Request(request, payload) => {
                if let Some(reply) = reply(&request, outcome, payload.map(|payload| *payload)) {
                    self.reply_kept(reply);
                }
            }
            Asker::Control(id) => {
                let response = match outcome {
                    Ok(()) => Response::Done(Vec::new()),
                    Err(error) => Response::Failed(control_line(&error)),
                };
                self.keep(Kept::Control(id, response));
            }
        }
    }
}

/// What the operator is told of an error that was made for a client.
pub(super) fn control_line(error: &StanzaError) -> String {
    error.text.clone().unwrap_or_else(|| error.condition.name().replace('-', " "))
}

fn reply(request: &Stanza, outcome: Result<(), StanzaError>, payload: Option<Element>) -> Option<Stanza> {
    match outcome {
        Ok(()) => Some(request.result(payload)),
        Err(error) => request.error(&error),
    }
}

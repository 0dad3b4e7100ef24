//! XEP-0480, SASL Upgrade Tasks: a client gives us better keys of the password that it has just logged in with.
//!
//! Accounts have keys for each hash that SCRAM is offered with, so what there is to upgrade is the iteration count
//! (`scram_iterations`), after an operator has raised it: without this, old passwords would keep the old one. The tasks
//! are offered to everyone, since a list that depends on the account would tell of it; a client whose keys are good
//! enough hears `<success/>` at once. Who logs in with a token has not proven to know the password, and upgrades
//! nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::login::{Login, Progress};
use super::sasl::{self, Failure};
use super::xep0388_sasl2::only;
use crate::core::{Core, LinkId};
use crate::password::{Hash, Keys, SALT_LENGTH};
use crate::xml::{Element, Fragment, ns};

/// §3, the strongest first.
const TASKS: [(&str, Hash); 2] = [("UPGR-SCRAM-SHA-256", Hash::Sha256), ("UPGR-SCRAM-SHA-1", Hash::Sha1)];

/// What a client is willing to do.
pub(super) struct Upgrades {
    /// What is left of that.
    wanted: Vec<(&'static str, Hash)>,
    /// What it has been asked to do.
    task: Option<Task>,
    done: bool,
}

struct Task {
    name: &'static str,
    hash: Hash,
    /// The keys that are to be replaced.
    old: Keys,
    iterations: u32,
    /// Once it has begun.
    salt: Option<[u8; SALT_LENGTH]>,
}

impl Upgrades {
    /// §2.2; tasks that we don't know are not done.
    pub fn read(authenticate: &Element) -> Upgrades {
        let wanted = authenticate.children().filter(|child| child.is("upgrade", ns::SASL_UPGRADE));
        let wanted: Vec<String> = wanted.map(Element::text_content).collect();
        let known = TASKS.into_iter().filter(|(name, _)| wanted.iter().any(|wanted| wanted == name));
        Upgrades { wanted: known.collect(), task: None, done: false }
    }

    /// Whether the account has new keys.
    pub fn some_done(&self) -> bool {
        self.done
    }
}

/// §2.1
pub(super) fn features() -> impl Iterator<Item = Element> {
    TASKS.into_iter().map(|(name, _)| Element::new("upgrade", ns::SASL_UPGRADE).text(name))
}

impl Login {
    /// Whether the client is at a task.
    pub(super) fn in_task(&mut self) -> bool {
        self.request().is_some_and(|request| request.upgrades.task.is_some())
    }

    /// Asks for the next upgrade that is of use; without one the login goes on.
    pub(super) fn go_through_tasks(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>) -> Progress {
        let Some(request) = self.request() else { return Progress::Continue };
        let Some(proven) = &mut request.proven else { return Progress::Continue };
        let iterations = core.config.accounts.scram_iterations;
        let wanted = std::mem::take(&mut request.upgrades.wanted);
        let possible = !request.tokens.is_login() && core.writable().is_ok();
        let mut wanted = wanted.into_iter().filter(|_| possible);
        let keys = core.login(&proven.account).ok().map(|login| login.credentials);
        let worse = |(name, hash): (&'static str, Hash)| {
            let old = keys.as_ref()?.keys(hash).clone();
            (old.iterations < iterations).then_some(Task { name, hash, old, iterations, salt: None })
        };
        let Some(task) = wanted.find_map(worse) else { return self.tasks_done(core, link, out) };
        request.upgrades.wanted = wanted.collect();
        // §2.2: one at a time
        let tasks = Element::new("tasks", ns::SASL2).child(Element::new("task", ns::SASL2).text(task.name));
        let data = proven.data.take();
        let data = data.map(|data| Element::new("additional-data", ns::SASL2).text(&sasl::encode(&data)));
        request.upgrades.task = Some(task);
        data.into_iter()
            .fold(Element::new("continue", ns::SASL2), Element::child)
            .child(tasks)
            .write(ns::CLIENT, out);
        Progress::Continue
    }

    /// The client begins with the task.
    pub(super) fn next(&mut self, core: &mut Core, out: &mut Vec<u8>, next: &Fragment) -> Progress {
        let task = self.request().and_then(|request| request.upgrades.task.as_mut());
        let Some(task) = task.filter(|task| task.salt.is_none() && next.attr("task") == Some(task.name))
        else {
            return self.fail(core, out, Failure::MalformedRequest);
        };
        let salt = *task.salt.insert(core.random_bytes());
        let salt = Element::new("salt", ns::SCRAM_UPGRADE)
            .attr("iterations", task.iterations.to_string())
            .text(&STANDARD.encode(salt));
        Element::new("task-data", ns::SASL2).child(salt).write(ns::CLIENT, out);
        Progress::Continue
    }

    /// §3: the salted password
    pub(super) fn task_data(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        data: &Element,
    ) -> Progress {
        match self.upgrade(core, data) {
            Ok(()) => self.go_through_tasks(core, link, out),
            Err(failure) => self.fail(core, out, failure),
        }
    }

    fn upgrade(&mut self, core: &mut Core, data: &Element) -> Result<(), Failure> {
        let request = self.request().ok_or(Failure::MalformedRequest)?;
        let (Some(task), Some(proven)) = (request.upgrades.task.take(), &request.proven) else {
            return Err(Failure::MalformedRequest);
        };
        let salt = task.salt.ok_or(Failure::MalformedRequest)?;
        let salted = only(data, "hash", ns::SCRAM_UPGRADE)?.ok_or(Failure::MalformedRequest)?;
        let salted = zeroize::Zeroizing::new(sasl::decode_data(salted.text_content().trim())?);
        if salted.len() != task.hash.output_length() {
            return Err(Failure::MalformedRequest);
        }
        let keys = Keys::of_salted(task.hash, &salted, &salt, task.iterations);
        let upgraded = core.upgrade_keys(&proven.account, task.hash, &task.old, keys);
        upgraded.map_err(|_| Failure::TemporaryAuthFailure)?;
        request.upgrades.done = true;
        Ok(())
    }
}

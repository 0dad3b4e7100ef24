//! The way to push services (XEP-0357): what the accounts' clients have enabled, and what is under way.
//!
//! For each registration at most one notification is under way, and after its answer [`PAUSE`] passes before the
//! next; what comes meanwhile is counted and told in one. A service that can't answer now is asked again, later
//! each time; after [`MAX_FAILURES`] in a row, or one answer that says "never", the registration is removed.
//!
//! Registrations are stored in table `push_registrations`, with `push_registrations` for one account; the oldest
//! gives way. What is under way is in memory only: at most [`MAX_LIVE`] registrations; when all of these wait for
//! something, nobody else is woken.

use std::collections::{BTreeMap, HashMap};

use super::{Core, SessionId, Unavailable};
use crate::jid::Jid;
use crate::stanza::{IqType, Kind, Stanza, StanzaError};
use crate::store::record::PushRegistration;
use crate::store::schema;
use crate::xml::{Element, ns};

const MAX_LIVE: usize = 5_000;
/// Milliseconds between an answer and the next notification.
const PAUSE: u64 = 3_000;
/// Milliseconds that a service has for its answer.
const PATIENCE: u64 = 60_000;
/// Milliseconds after the first failure; twice as long after each more in a row.
const RETRY: u64 = 30_000;
const LONGEST_RETRY: u64 = 60 * 60_000;
const MAX_FAILURES: u32 = 16;

/// An account's id, and the number of a registration of it.
type Key = (u32, u64);

/// What has been told to push services, or will be.
pub(super) struct Pushes {
    live: BTreeMap<Key, Live>,
    /// By the ids of requests that wait for their answer.
    asked: HashMap<String, Key>,
    /// When something has to be done.
    next: u64,
}

struct Live {
    owner: Jid,
    /// Messages since the client was last there.
    count: u32,
    /// The id of the request that is under way.
    asked: Option<String>,
    /// The service has not been told of everything.
    news: bool,
    /// When the answer comes too late; with none expected, when the next notification may leave.
    due: u64,
    /// Failures in a row.
    failures: u32,
}

impl Live {
    fn is_busy(&self) -> bool {
        self.asked.is_some() || self.news
    }
}

impl Default for Pushes {
    fn default() -> Pushes {
        Pushes { live: BTreeMap::new(), asked: HashMap::new(), next: u64::MAX }
    }
}

impl Pushes {
    pub fn next_due(&self) -> u64 {
        self.next
    }

    /// The state of a registration; `None`: there is no room for one more.
    fn live(&mut self, key: Key, owner: &Jid) -> Option<&mut Live> {
        if self.live.len() >= MAX_LIVE && !self.live.contains_key(&key) {
            self.live.retain(|_, live| live.is_busy());
            if self.live.len() >= MAX_LIVE {
                log::warn!("too many push services have not answered: {owner} is not woken");
                return None;
            }
        }
        Some(self.live.entry(key).or_insert_with(|| Live {
            owner: owner.clone(),
            count: 0,
            asked: None,
            news: false,
            due: 0,
            failures: 0,
        }))
    }

    fn forget(&mut self, key: Key) {
        if let Some(id) = self.live.remove(&key).and_then(|live| live.asked) {
            self.asked.remove(&id);
        }
    }

    /// Forgets everything about an account.
    pub fn forget_account(&mut self, id: u32) {
        let keys: Vec<Key> = self.live.range((id, 0)..=(id, u64::MAX)).map(|(key, _)| *key).collect();
        for key in keys {
            self.forget(key);
        }
    }
}

impl Core {
    /// What an account's clients have enabled, oldest first.
    pub fn push_registrations(&mut self, owner: &Jid) -> Result<&[(u64, PushRegistration)], StanzaError> {
        let account = self.account(owner)?;
        if account.pushes.is_none() {
            let id = account.record.id;
            // Nothing of this table is unwritten: it was loaded before the first change.
            let stored = self.store.push_registrations(id).map_err(|error| {
                log::error!("the push registrations of {owner} cannot be read: {error}");
                StanzaError::from(Unavailable::Broken)
            })?;
            self.account(owner)?.pushes = Some(stored);
        }
        Ok(self.account(owner)?.pushes.as_deref().unwrap_or_default())
    }

    /// Adds a registration, in place of one for the same node of the same service.
    pub fn add_push(&mut self, owner: &Jid, registration: PushRegistration) -> Result<(), StanzaError> {
        let max = self.config.limits.push_registrations.max_len().max(1);
        let same = |known: &PushRegistration| {
            known.service == registration.service && known.node == registration.node
        };
        let known = self.push_registrations(owner)?;
        let number = known.last().map_or(0, |(number, _)| number + 1);
        let kept = known.iter().filter(|(_, known)| !same(known)).count();
        let mut superfluous = (kept + 1).saturating_sub(max);
        self.remove_pushes(owner, |known| {
            same(known)
                || superfluous > 0 && {
                    superfluous -= 1;
                    true
                }
        })?;
        let account = self.account(owner)?;
        let op = schema::push_registration::put(account.record.id, number, &registration);
        account.pushes.get_or_insert_default().push((number, registration));
        self.write(owner, [op]);
        Ok(())
    }

    /// Removes the registrations that `unwanted` picks.
    pub fn remove_pushes(
        &mut self,
        owner: &Jid,
        mut unwanted: impl FnMut(&PushRegistration) -> bool,
    ) -> Result<(), StanzaError> {
        self.push_registrations(owner)?;
        let account = self.account(owner)?;
        let id = account.record.id;
        let mut removed = Vec::new();
        account.pushes.get_or_insert_default().retain(|(number, registration)| {
            let unwanted = unwanted(registration);
            removed.extend(unwanted.then_some(*number));
            !unwanted
        });
        for number in removed {
            self.pushes.forget((id, number));
            self.write(owner, [schema::push_registration::delete(id, number)]);
        }
        Ok(())
    }

    /// Whether a client is there, under this resource, and its user sees what comes.
    pub fn is_watched(&self, owner: &Jid, resource: &str) -> bool {
        self.sessions_of(owner).any(|session| session.is_awake() && session.jid.resource() == Some(resource))
    }

    /// A message has come that the client of this registration does not show.
    pub fn push(&mut self, owner: &Jid, number: u64) {
        let Some(id) = self.loaded(owner).map(|account| account.record.id) else { return };
        let (key, now) = ((id, number), self.now);
        let Some(live) = self.pushes.live(key, owner) else { return };
        live.count = live.count.saturating_add(1);
        live.news = true;
        let (waits, due) = (live.asked.is_some(), live.due);
        if !waits && due <= now {
            self.publish_push(key);
        } else if !waits {
            self.pushes.next = self.pushes.next.min(due);
        }
    }

    /// The client of a session is there: nothing more needs to be told, and counting begins anew.
    pub fn stop_pushing(&mut self, session: SessionId) {
        let Some(jid) = self.session(session).map(|session| &session.jid) else { return };
        let (Some(resource), Some(account)) = (jid.resource(), self.loaded(jid)) else { return };
        let id = account.record.id;
        let own = account.pushes.iter().flatten().filter(|(_, known)| known.resource == resource);
        let numbers: Vec<u64> = own.map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(live) = self.pushes.live.get_mut(&(id, number)) {
                (live.count, live.news) = (0, false);
            }
        }
    }

    // XEP-0357 §7
    fn publish_push(&mut self, key: Key) {
        let Some(live) = self.pushes.live.get_mut(&key) else { return };
        let (owner, count) = (live.owner.clone(), live.count);
        live.news = false;
        // It may be gone with its account.
        let known = self.push_registrations(&owner).unwrap_or_default();
        let registration = known.iter().find(|(number, _)| *number == key.1).map(|(_, known)| known.clone());
        let Some(registration) = registration else { return self.pushes.forget(key) };
        let (Ok(service), Ok(host)) = (Jid::parse(&registration.service), Jid::parse(owner.domain())) else {
            return self.pushes.forget(key);
        };
        if self.is_watched(&owner, &registration.resource) {
            return;
        }
        if !self.may_push(&owner, &service) {
            return self.push_ended(key, "it is a stranger's resource");
        }
        let id = self.random_word();
        let due = self.now + PATIENCE;
        self.pushes.asked.insert(id.clone(), key);
        self.pushes.next = self.pushes.next.min(due);
        if let Some(live) = self.pushes.live.get_mut(&key) {
            live.asked = Some(id.clone());
            live.due = due;
        }
        let request = Stanza::iq(IqType::Set, &id).from(&host).to(&service);
        self.route(request.with(&notification(&registration, count)));
    }

    /// Nobody gets requests to a resource of ours that does not show its owner's presence (RFC 6121 §8.5.3.1).
    fn may_push(&mut self, owner: &Jid, service: &Jid) -> bool {
        if service.is_bare() || service.local().is_none() || !self.is_local(service.domain()) {
            return true;
        }
        let blocked = self.account(service).is_ok_and(|account| account.blocks(owner));
        !blocked && self.shares_presence(service, owner)
    }

    /// Takes an answer for us, if it is a push service's.
    pub fn push_answered(&mut self, stanza: &Stanza) {
        let (Some(id), Some(from)) = (&stanza.id, &stanza.from) else { return };
        let Some(&key) = self.pushes.asked.get(&**id) else { return };
        let Some(owner) = self.pushes.live.get(&key).map(|live| live.owner.clone()) else { return };
        let known = self.push_registrations(&owner).unwrap_or_default();
        let from_it = |known: &PushRegistration| known.service == from.as_str();
        if !known.iter().any(|(number, known)| *number == key.1 && from_it(known)) {
            return;
        }
        if stanza.kind == Kind::Iq(IqType::Error) {
            let (condition, temporary) = what_is_wrong(stanza);
            return match temporary {
                true => self.push_failed(key),
                false => self.push_ended(key, &condition),
            };
        }
        self.pushes.asked.remove(&**id);
        let due = self.now + PAUSE;
        if let Some(live) = self.pushes.live.get_mut(&key) {
            (live.asked, live.failures, live.due) = (None, 0, due);
            if live.news {
                self.pushes.next = self.pushes.next.min(due);
            }
        }
    }

    /// There was no answer, or one that says "not now".
    fn push_failed(&mut self, key: Key) {
        let Some(live) = self.pushes.live.get_mut(&key) else { return };
        if let Some(id) = live.asked.take() {
            self.pushes.asked.remove(&id);
        }
        live.failures += 1;
        // Its client may have been there meanwhile.
        live.news = live.count > 0;
        if live.failures >= MAX_FAILURES {
            return self.push_ended(key, "too many failures in a row");
        }
        live.due = self.now + LONGEST_RETRY.min(RETRY << (live.failures - 1));
        self.pushes.next = self.pushes.next.min(live.due);
    }

    // XEP-0357 §7.1
    fn push_ended(&mut self, key: Key, why: &str) {
        let Some(owner) = self.pushes.live.get(&key).map(|live| live.owner.clone()) else { return };
        self.pushes.forget(key);
        // While nothing can be written it stays, and will be refused again.
        if self.writable().is_err() {
            return;
        }
        let Ok(known) = self.push_registrations(&owner) else { return };
        let Some((_, gone)) = known.iter().find(|(number, _)| *number == key.1).cloned() else { return };
        log::info!("{owner} has no push service {} any more: {why}", gone.service);
        if let Err(error) = self.remove_pushes(&owner, |known| *known == gone) {
            log::error!("a push registration of {owner} cannot be removed: {error:?}");
        }
    }

    /// Sends what has waited, and gives up waiting for answers that do not come.
    pub(super) fn push_tick(&mut self) {
        let now = self.now;
        if self.pushes.next > now {
            return;
        }
        let due = self.pushes.live.iter().filter(|(_, live)| live.is_busy() && live.due <= now);
        let due: Vec<(Key, bool)> = due.map(|(key, live)| (*key, live.asked.is_some())).collect();
        self.pushes.next = u64::MAX;
        for (key, too_late) in due {
            if too_late { self.push_failed(key) } else { self.publish_push(key) }
        }
        let waiting = self.pushes.live.values().filter(|live| live.is_busy());
        self.pushes.next = waiting.map(|live| live.due).min().unwrap_or(u64::MAX);
    }
}

/// What a push service is told: how many messages wait, and neither from whom nor what they say.
fn notification(registration: &PushRegistration, count: u32) -> Element {
    let field = |var: &str, value: &str| {
        let value = Element::new("value", ns::DATA_FORMS).text(value);
        Element::new("field", ns::DATA_FORMS).attr("var", var).child(value)
    };
    let summary = Element::new("x", ns::DATA_FORMS)
        .attr("type", "submit")
        .child(field("FORM_TYPE", ns::PUSH_SUMMARY).attr("type", "hidden"))
        .child(field("message-count", &count.to_string()));
    let item = Element::new("item", ns::PUBSUB).child(Element::new("notification", ns::PUSH).child(summary));
    let mut publish = Element::new("publish", ns::PUBSUB);
    if let Some(node) = &registration.node {
        publish = publish.attr("node", node);
    }
    let pubsub = Element::new("pubsub", ns::PUBSUB).child(publish.child(item));
    match Element::parse(&registration.options, ns::CLIENT) {
        Some(options) => pubsub.child(Element::new("publish-options", ns::PUBSUB).child(options)),
        None => pubsub,
    }
}

/// The condition of an error, and whether it may be otherwise in a while: the service, or the way to it, is out of
/// order, as opposed to the node being gone or closed to us.
fn what_is_wrong(stanza: &Stanza) -> (String, bool) {
    const TEMPORARY: [&str; 6] = [
        "internal-server-error",
        "recipient-unavailable",
        "remote-server-not-found",
        "remote-server-timeout",
        "resource-constraint",
        "service-unavailable",
    ];
    let error = stanza.payload.find("error", ns::CLIENT).map(|error| error.to_element()).unwrap_or_default();
    let conditions = error.children().filter(|child| child.ns == ns::STANZAS && child.name != "text");
    let condition = conditions.map(|child| child.name.clone()).next().unwrap_or_default();
    let temporary = error.get_attr("type") == Some("wait") || TEMPORARY.contains(&condition.as_str());
    (condition, temporary)
}

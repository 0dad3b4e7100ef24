//! XEP-0388, Extensible SASL Profile ("SASL2"): the login with everything else that a client wants at its start, in one
//! request.
//!
//! ```text
//! <authenticate/>  the first message of a mechanism; who the client is; what shall happen once it is in
//! <challenge/>     <response/>
//! <continue/>      a task more (XEP-0480)
//! <success/>       who is in, and what has become of the wishes; then features, without a new start of the stream
//! ```
//!
//! Once a client is known, and before it hears of that: tasks, then tokens (XEP-0484), which must be on disk, then an old
//! session is resumed or a new one bound (XEP-0386). What fails there fails the login, and what the client wanted
//! besides does not happen. During an exchange anything else ends the stream (§2.4). Wishes that we do not know are
//! passed over; the ones that we know may be made once. There is no early data in TLS here (§3).

use super::TlsInfo;
use super::features;
use super::login::{Login, Progress};
use super::sasl::{self, Exchange, Failure, Mechanism};
use super::xep0198_sm::{self as sm, Resumption};
use super::{attempt::Wait, xep0386_bind2 as bind2, xep0480_upgrade as upgrade, xep0484_fast as fast};
use crate::core::{ClientId, Core, Description, LinkId, SessionId};
use crate::jid::Jid;
use crate::stanza::StreamError;
use crate::xml::{Element, Fragment, ns};

/// The longest name of a client; what it should be, a UUID, has 36.
const MAX_AGENT: usize = 64;

/// How much of what a client says of itself is remembered, in characters.
const MAX_DESCRIPTION: usize = 64;

/// What `<authenticate/>` asks for besides the login.
pub(super) struct Request {
    pub client: Option<ClientId>,
    pub description: Description,
    /// XEP-0198
    resume: Option<Element>,
    bind: Option<bind2::Request>,
    pub tokens: fast::Request,
    pub upgrades: upgrade::Upgrades,
    /// Who the client is, once it has proven it.
    pub proven: Option<Proven>,
}

pub(super) struct Proven {
    pub account: Jid,
    /// What the mechanism has to say at its end, until it is said.
    pub data: Option<Vec<u8>>,
    /// The `<token/>` for the client.
    token: Option<Element>,
}

impl Request {
    /// §2.3
    fn read(core: &Core, tls: &TlsInfo, authenticate: &Element) -> Result<Request, Failure> {
        let agent = only(authenticate, "user-agent", ns::SASL2)?;
        let id = agent.and_then(|agent| agent.get_attr("id")).filter(|id| !id.is_empty());
        if id.is_some_and(|id| id.len() > MAX_AGENT) {
            return Err(Failure::MalformedRequest);
        }
        let said = |name: &str| {
            let text = agent.and_then(|agent| agent.find(name, ns::SASL2)).map(Element::text_content);
            let shown = text.unwrap_or_default().trim().replace(char::is_control, " ");
            shown.chars().take(MAX_DESCRIPTION).collect()
        };
        Ok(Request {
            client: id.map(|id| core.client_id(id)),
            description: Description { software: said("software"), device: said("device") },
            resume: only(authenticate, "resume", ns::STREAM_MANAGEMENT)?.cloned(),
            bind: only(authenticate, "bind", ns::BIND2)?.map(bind2::Request::read).transpose()?,
            tokens: fast::Request::read(core, tls, authenticate)?,
            upgrades: upgrade::Upgrades::read(authenticate),
            proven: None,
        })
    }
}

/// The child of this name, of which there may be one.
pub(super) fn only<'a>(parent: &'a Element, name: &str, ns: &str) -> Result<Option<&'a Element>, Failure> {
    let mut all = parent.children().filter(|child| child.is(name, ns));
    match (all.next(), all.next()) {
        (one, None) => Ok(one),
        _ => Err(Failure::MalformedRequest),
    }
}

impl Login {
    /// Whether an exchange is under way, in which nothing else may be sent.
    pub(super) fn in_sasl2(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.request.is_some())
    }

    pub(super) fn request(&mut self) -> Option<&mut Request> {
        self.attempt.as_mut()?.request.as_deref_mut()
    }

    pub(super) fn sasl2(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        name: &str,
        child: &Fragment,
    ) -> Progress {
        // §4.8: only once; §2.4: nothing but answers
        if self.account.is_some() || (name == "authenticate" && self.in_sasl2()) {
            return Progress::Close(Some(StreamError::NotAuthorized));
        }
        self.profile = ns::SASL2;
        // An exchange of the other profile ends here.
        self.attempt.take_if(|attempt| attempt.request.is_none());
        match (name, self.in_task()) {
            ("authenticate", _) => self.authenticate(core, link, out, &child.to_element()),
            ("response", false) => self.respond(core, link, out, sasl::decode_data(child.text().trim())),
            ("next", true) => self.next(core, out, child),
            ("task-data", true) => self.task_data(core, link, out, &child.to_element()),
            ("abort", _) if self.attempt.is_some() => self.fail(core, out, Failure::Aborted),
            _ => self.fail(core, out, Failure::MalformedRequest),
        }
    }

    /// §2.3
    fn authenticate(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        element: &Element,
    ) -> Progress {
        let Some(tls) = &self.tls else { return self.fail(core, out, Failure::EncryptionRequired) };
        let read = Request::read(core, tls, element).and_then(|request| {
            let initial = only(element, "initial-response", ns::SASL2)?.map(Element::text_content);
            Ok((request, initial))
        });
        let (request, initial) = match read {
            Ok(read) => read,
            Err(failure) => return self.fail(core, out, failure),
        };
        let mechanism = element.get_attr("mechanism");
        let exchange = match request.tokens.is_login() {
            true => Some(Exchange::start_with_token()),
            false => self.exchange(core, mechanism),
        };
        let initial = initial.map(|data| sasl::decode_data(data.trim())).transpose();
        self.begin(core, link, out, exchange, initial, Some(Box::new(request)))
    }

    /// The client is who it says.
    pub(super) fn authenticated(
        &mut self,
        core: &mut Core,
        link: LinkId,
        out: &mut Vec<u8>,
        account: Jid,
        data: Option<Vec<u8>>,
    ) -> Progress {
        if let Some(request) = self.request() {
            request.proven = Some(Proven { account, data, token: None });
        }
        self.go_through_tasks(core, link, out)
    }

    /// All tasks are done: what the client will be promised is written.
    pub(super) fn tasks_done(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>) -> Progress {
        let Some(request) = self.request() else { return Progress::Continue };
        let Some(proven) = &mut request.proven else { return Progress::Continue };
        let tokens = &request.tokens;
        match tokens.settle(core, &proven.account, request.client, &request.description) {
            Err(failure) => return self.fail(core, out, failure),
            Ok(token) => proven.token = token,
        }
        if request.upgrades.some_done() || request.tokens.promises(proven.token.as_ref()) {
            self.wait = Wait::Commit;
            core.tell_when_kept(link);
            return Progress::Continue;
        }
        self.enter(core, link, out)
    }

    /// What was written is on disk.
    pub fn kept(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>) -> Progress {
        match self.wait {
            Wait::Commit => self.enter(core, link, out),
            _ => Progress::Continue,
        }
    }

    /// Lets the client in: into the session that it had, into a new one, or into none yet.
    pub(super) fn enter(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>) -> Progress {
        self.wait = Wait::No;
        let Some(request) = self.attempt.as_mut().and_then(|attempt| attempt.request.as_deref_mut()) else {
            return Progress::Continue;
        };
        let Some(proven) = &mut request.proven else { return Progress::Continue };
        let (account, client) = (proven.account.clone(), request.client);
        // XEP-0198 §9.2: first this, and a resource only if it fails
        let mut entry = match request.resume.as_ref().map(|resume| sm::resume(core, link, &account, resume)) {
            Some(Resumption::Waiting) => {
                self.wait = Wait::Entry;
                return Progress::Continue;
            }
            Some(Resumption::Done { session, resumed }) => Entry::Resumed(session, resumed),
            Some(Resumption::Failed(failed)) => Entry::None(Some(failed)),
            None => Entry::None(None),
        };
        if let (Entry::None(failed), Some(bind)) = (&mut entry, &request.bind) {
            entry = match bind.carry_out(core, link, &account, client) {
                Ok((session, bound)) => Entry::Bound(failed.take(), session, bound),
                // There is no other word for a session that can't be had.
                Err(_) => return self.fail(core, out, Failure::TemporaryAuthFailure),
            };
        }
        success(core, proven, &entry).write(ns::CLIENT, out);
        self.attempt = None;
        core.login_succeeded(link, &account);
        (self.account, self.client) = (Some(account), client);
        self.go_in(core, out, entry)
    }

    /// §2.6.1: features follow, but none for a session that goes on.
    fn go_in(&mut self, core: &mut Core, out: &mut Vec<u8>, entry: Entry) -> Progress {
        let Some(host) = &self.host else { return Progress::Close(Some(StreamError::HostUnknown)) };
        let (features, progress) = match entry {
            Entry::Resumed(session, _) => return Progress::Bound(session),
            Entry::Bound(_, session, bound) => {
                let managed = bound.find("enabled", ns::STREAM_MANAGEMENT).is_some();
                (features::after_binding(core, host, managed), Progress::Bound(session))
            }
            Entry::None(_) => (features::after_login(core, host), Progress::LoggedInHere),
        };
        features.write(ns::CLIENT, out);
        progress
    }
}

/// How a client comes in, with what it is to be told of that. A session that it could not resume is `<failed/>`.
enum Entry {
    Resumed(SessionId, Element),
    Bound(Option<Element>, SessionId, Element),
    None(Option<Element>),
}

fn success(core: &Core, proven: &mut Proven, entry: &Entry) -> Element {
    let (session, told) = match entry {
        Entry::Resumed(session, resumed) => (Some(*session), [Some(resumed), None]),
        Entry::Bound(failed, session, bound) => (Some(*session), [failed.as_ref(), Some(bound)]),
        Entry::None(failed) => (None, [failed.as_ref(), None]),
    };
    let jid =
        session.and_then(|session| core.session(session)).map_or(&proven.account, |session| &session.jid);
    let identity = Element::new("authorization-identifier", ns::SASL2).text(jid.as_str());
    let data = proven.data.take();
    let data = data.map(|data| Element::new("additional-data", ns::SASL2).text(&sasl::encode(&data)));
    let told = told.into_iter().flatten().cloned().chain(proven.token.take());
    let children = data.into_iter().chain([identity]).chain(told);
    children.fold(Element::new("success", ns::SASL2), Element::child)
}

/// §2.1: the mechanisms, and what can be asked for with the login.
pub(super) fn feature(core: &Core, tls: &TlsInfo) -> Element {
    let inline = [bind2::feature(), Element::new("sm", ns::STREAM_MANAGEMENT)]
        .into_iter()
        .chain(fast::feature(core, tls));
    let inline = inline.fold(Element::new("inline", ns::SASL2), Element::child);
    let names = Mechanism::offered(tls).map(Mechanism::name);
    let mechanisms = names.map(|name| Element::new("mechanism", ns::SASL2).text(name));
    let authentication = mechanisms.fold(Element::new("authentication", ns::SASL2), Element::child);
    upgrade::features().fold(authentication.child(inline), Element::child)
}

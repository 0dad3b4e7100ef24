//! A client's connection, from its first byte to its last (RFC 6120).
//!
//! Until a resource is bound it is a [`Login`], in memory of its own; after that almost nothing: a reader, a
//! session's name, and when something was last heard.

use std::net::IpAddr;
use std::sync::Arc;

use super::TlsInfo;
use super::idle::{Idle, Verdict};
use super::login::{Login, Progress};
use super::{xep0198_sm, xep0352_csi};
use crate::core::{Core, LinkId, Mail, SessionId};
use crate::jid::Jid;
use crate::stanza::{IqType, ReadError, Stanza, StreamError};
use crate::xml::Element;
use crate::xml::ns;
use crate::xml::{Item, Limits, Reader};

/// Answers that a client has not read; with more, we don't read its requests.
const UNREAD: usize = 64 * 1024;

pub struct C2s {
    link: LinkId,
    reader: Reader,
    state: State,
    out: Vec<u8>,
}

enum State {
    Login(Box<Login>),
    Bound {
        session: SessionId,
        jid: Jid,
        /// The language of stanzas that don't name theirs (RFC 6120 §8.1.5); none: ours.
        lang: Option<Arc<str>>,
        idle: Idle,
    },
    /// Everything has been said; what is in `out` is the rest.
    Finished,
}

impl C2s {
    /// Admits a connection, or gives the error to refuse it with.
    pub fn open(core: &mut Core, peer: IpAddr, tls: Option<TlsInfo>) -> Result<C2s, StreamError> {
        let link = core.open_link(peer)?;
        let reader = Reader::new(Limits::BEFORE_LOGIN, ns::CLIENT);
        Ok(C2s { link, reader, state: State::Login(Box::new(Login::new(core, tls))), out: Vec::new() })
    }

    /// The last words to a connection that [`C2s::open`] has refused: a whole stream.
    pub fn refusal(core: &mut Core, error: StreamError) -> Vec<u8> {
        let mut out = Vec::new();
        Login::new(core, None).write_header(core, &mut out);
        error.write(&mut out);
        out
    }

    pub fn link(&self) -> LinkId {
        self.link
    }

    /// Takes what the client has sent. Never blocks; what can't be looked at yet waits inside.
    pub fn input(&mut self, core: &mut Core, bytes: &[u8]) {
        let mut bytes = bytes;
        match &mut self.state {
            State::Bound { idle, .. } => idle.heard(core.now()),
            // Clear text behind `<starttls/>` is never looked at (RFC 6120 §5.4.3.3).
            State::Login(login) if login.wants_tls() => return,
            State::Login(login) => {
                if login.waits() || !login.unread.is_empty() {
                    login.unread.extend_from_slice(bytes);
                    return;
                }
            }
            State::Finished => return,
        }
        self.read(core, &mut bytes);
        core.flush();
    }

    fn read(&mut self, core: &mut Core, bytes: &mut &[u8]) {
        loop {
            if let State::Login(login) = &mut self.state
                && login.waits()
            {
                login.unread.extend_from_slice(bytes);
                return;
            }
            let step = match self.reader.next(bytes) {
                Ok(None) => return,
                Ok(Some(item)) => self.state.take(core, self.link, &mut self.out, item),
                Err(error) => Progress::Close(Some(error.into())),
            };
            self.go_on(core, step);
            if self.finished() || self.wants_tls() {
                return;
            }
        }
    }

    fn go_on(&mut self, core: &mut Core, progress: Progress) {
        match progress {
            Progress::Continue => {}
            Progress::Restart => self.reader.reset(),
            Progress::LoggedIn => {
                self.reader.reset();
                self.trust(core);
            }
            Progress::LoggedInHere => self.trust(core),
            Progress::Bound(session) => self.bound(core, session),
            Progress::Close(error) => self.close(core, error),
        }
    }

    /// Someone who has logged in may send larger stanzas.
    fn trust(&mut self, core: &Core) {
        let bytes = core.config.limits.stanza_bytes.max();
        self.reader.set_limits(Limits::after_login(u32::try_from(bytes).unwrap_or(u32::MAX)));
    }

    fn bound(&mut self, core: &mut Core, session: SessionId) {
        self.trust(core);
        let Some(jid) = core.session(session).map(|session| session.jid.clone()) else { return };
        let limits = &core.config.limits;
        let idle = Idle::new(core.now(), limits.idle_seconds.max_millis(), limits.ping_seconds.max_millis());
        let (lang, unread) = match &mut self.state {
            State::Login(login) => (login.lang.take(), std::mem::take(&mut login.unread)),
            _ => (None, Vec::new()),
        };
        self.state = State::Bound { session, jid, lang, idle };
        // What came while the login had to wait.
        self.read(core, &mut unread.as_slice());
    }

    /// Ends the stream: what waits is said first, then the error if there is one.
    fn close(&mut self, core: &mut Core, error: Option<StreamError>) {
        match std::mem::replace(&mut self.state, State::Finished) {
            State::Finished => return,
            State::Bound { .. } => match core.session_on(self.link) {
                // A peer that has gone silent may be back soon (XEP-0198 §7).
                Some(session) if error == Some(StreamError::ConnectionTimeout) => core.suspend(session),
                Some(session) => core.end_session(session),
                None => {}
            },
            State::Login(mut login) => {
                // §4.9.1.2: an error needs a stream around it.
                if !login.header_sent() {
                    login.write_header(core, &mut self.out);
                }
            }
        }
        core.take_output(self.link, &mut self.out);
        match error {
            Some(error) => error.write(&mut self.out),
            None => self.out.extend_from_slice(b"</stream:stream>"),
        }
    }

    /// `<proceed/>` is on its way: once it has been written, TLS begins.
    pub fn wants_tls(&self) -> bool {
        matches!(&self.state, State::Login(login) if login.wants_tls())
    }

    /// The handshake is done.
    pub fn secured(&mut self, core: &mut Core, tls: TlsInfo) {
        let _ = core;
        self.reader.reset();
        if let State::Login(login) = &mut self.state {
            login.secured(tls);
        }
    }

    /// Sees to mail and deadlines: to be called after a wake-up and when the deadline has passed.
    pub fn pump(&mut self, core: &mut Core) {
        core.awake(self.link);
        while let Some(mail) = core.take_mail(self.link) {
            self.take_mail(core, mail);
        }
        let now = core.now();
        let progress = match &mut self.state {
            State::Login(login) => login.tick(core, self.link, &mut self.out),
            State::Bound { session, idle, .. } => match idle.check(now) {
                Verdict::Fine => Progress::Continue,
                Verdict::Dead => Progress::Close(Some(StreamError::ConnectionTimeout)),
                Verdict::Ping if core.ask_for_ack(*session) => Progress::Continue,
                Verdict::Ping => {
                    let ping =
                        Stanza::iq(IqType::Get, &format!("ping{now}")).with(&Element::new("ping", ns::PING));
                    core.send_from_server(*session, ping);
                    Progress::Continue
                }
            },
            State::Finished => Progress::Continue,
        };
        self.go_on(core, progress);
        self.read_unread(core);
        core.flush();
    }

    fn take_mail(&mut self, core: &mut Core, mail: Mail) {
        let progress = match (mail, &mut self.state) {
            (Mail::Close(error), _) => Progress::Close(Some(error)),
            (Mail::Stanza(stanza), State::Login(_) | State::Bound { .. }) => {
                core.take_output(self.link, &mut self.out);
                stanza.write(&mut self.out);
                Progress::Continue
            }
            (Mail::Verified(right), State::Login(login)) => {
                login.verified(core, self.link, &mut self.out, right)
            }
            (Mail::Kept, State::Login(login)) => login.kept(core, self.link, &mut self.out),
            _ => Progress::Continue,
        };
        self.go_on(core, progress);
    }

    /// What came while the login had to wait.
    fn read_unread(&mut self, core: &mut Core) {
        let State::Login(login) = &mut self.state else { return };
        if login.waits() || login.unread.is_empty() {
            return;
        }
        let unread = std::mem::take(&mut login.unread);
        self.read(core, &mut unread.as_slice());
    }

    /// Takes the bytes to write. What can't be written now is to be given back.
    pub fn output(&mut self, core: &mut Core) -> Vec<u8> {
        if core.take_output(self.link, &mut self.out)
            && let State::Bound { idle, .. } = &mut self.state
        {
            idle.asked(core.now());
        }
        std::mem::take(&mut self.out)
    }

    /// Puts what could not be written before all else that has to be said. Asks for nothing more: there is no room.
    pub fn give_back(&mut self, mut rest: Vec<u8>) {
        rest.append(&mut self.out);
        self.out = rest;
    }

    /// Whether the socket may be read now.
    pub fn reading(&self, core: &Core) -> bool {
        let ready = match &self.state {
            State::Login(login) => !login.waits() && !login.wants_tls(),
            State::Bound { .. } => true,
            State::Finished => false,
        };
        ready && self.out.len() + core.waiting(self.link) < UNREAD
    }

    /// The stream is over; once `output` is written, the connection can go.
    pub fn finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// When [`C2s::pump`] wants to be called, in milliseconds; it may have moved when that time comes.
    pub fn deadline(&self) -> u64 {
        match &self.state {
            State::Login(login) => login.deadline(),
            State::Bound { idle, .. } => idle.deadline(),
            State::Finished => u64::MAX,
        }
    }

    /// The connection is gone. To be called once, whatever has happened before.
    pub fn closed(self, core: &mut Core) {
        core.close_link(self.link);
        core.flush();
    }
}

impl State {
    fn take(&mut self, core: &mut Core, link: LinkId, out: &mut Vec<u8>, item: Item) -> Progress {
        match (self, item) {
            (_, Item::Close) => Progress::Close(None),
            (State::Login(login), Item::Header(header)) => login.header(core, link, out, &header),
            (State::Login(login), Item::Stanza(fragment)) => login.child(core, link, out, &fragment),
            (State::Bound { session, .. }, Item::Stanza(fragment))
                if fragment.ns() == ns::STREAM_MANAGEMENT =>
            {
                xep0198_sm::child(core, link, *session, &fragment, out)
            }
            (State::Bound { session, .. }, Item::Stanza(fragment)) if fragment.ns() == ns::CLIENT_STATE => {
                xep0352_csi::child(core, *session, &fragment)
            }
            (State::Bound { session, jid, lang, .. }, Item::Stanza(fragment)) => {
                match Stanza::read(&fragment) {
                    Ok(mut stanza) => {
                        stanza.lang = stanza.lang.or_else(|| lang.clone());
                        receive(core, *session, jid, stanza)
                    }
                    Err(ReadError::NotAStanza) => Progress::Close(Some(StreamError::UnsupportedStanzaType)),
                    Err(ReadError::Bad { reply, .. }) => {
                        if let Some(mut reply) = reply {
                            reply.to = Some(jid.clone());
                            core.send(*session, &reply);
                        }
                        core.handled(*session);
                        Progress::Continue
                    }
                }
            }
            // The reader gives a header once, and nothing after the end.
            (State::Bound { .. } | State::Finished, _) => Progress::Continue,
        }
    }
}

/// RFC 6120 §8.1.2.1: a client may say who it is, but not that it is someone else.
fn receive(core: &mut Core, session: SessionId, jid: &Jid, stanza: Stanza) -> Progress {
    if let Some(from) = &stanza.from
        && from != jid
        && from.as_str() != jid.bare_str()
    {
        return Progress::Close(Some(StreamError::InvalidFrom));
    }
    core.receive(session, stanza);
    Progress::Continue
}

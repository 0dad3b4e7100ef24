//! One connection: a socket, its TLS, and the state machine of its stream, driven by readiness, by Core and by time.
//!
//! A connection is a future that is written out, so that it is as small as what it must remember: reading and writing
//! use buffers that all connections share. Each turn it takes what Core and the clock have for the stream, then
//! alternates between writing what is due and reading a little, so that no peer keeps the others waiting.
//!
//! Until the peer takes what was written, at most [`BATCH`] bytes of it lie here; the rest stays in the stream's output,
//! which Core bounds. A peer that fails the handshake, sends garbage or nothing is cut off at the stream's deadline.
//! When the stream is finished, the connection is closed such that the peer can read our last words: they are flushed,
//! the sending side is shut down, and what still comes is thrown away for a while.

use std::fmt;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use log::debug;

use super::certificate::Acceptor;
use super::reactor::{Source, Timer};
use super::server::{Buffers, Server};
use super::tls::{Received, Tls, TlsError};
use crate::stream::c2s::C2s;

/// Bytes that are encrypted for one write.
const BATCH: usize = 32 * 1024;
/// Reads in one turn; then others have theirs.
const READS_A_TURN: usize = 4;
/// Milliseconds for a peer to take our last words.
const FLUSH_TIME: u64 = 3_000;
/// Milliseconds in which we throw away what still comes.
const LINGER_TIME: u64 = 2_000;

pub struct Conn {
    server: Rc<Server>,
    socket: Source<TcpStream>,
    /// `None` once it has ended.
    stream: Option<C2s>,
    tls: Option<Box<Tls>>,
    /// What the socket has not taken yet.
    unsent: Vec<u8>,
    timer: Option<Timer>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not polled yet.
    New,
    Open,
    /// The stream is finished; what it has said must leave by this time.
    Flushing(u64),
    /// All is said; what comes until this time is thrown away.
    Lingering(u64),
}

/// Why a connection is over.
#[derive(Debug)]
enum End {
    /// All is said and heard.
    Done,
    /// The peer has closed it.
    Closed,
    Socket(io::Error),
    Tls(TlsError),
}

impl Conn {
    /// A connection that begins with TLS where there is an acceptor, and in clear text where there is none.
    pub fn new(
        server: Rc<Server>,
        socket: Source<TcpStream>,
        stream: C2s,
        acceptor: Option<&Acceptor>,
    ) -> Result<Conn, TlsError> {
        server.one_more();
        let tls = acceptor.map(Tls::new).transpose()?.map(Box::new);
        let stream = Some(stream);
        Ok(Conn { server, socket, stream, tls, unsent: Vec::new(), timer: None, stage: Stage::New })
    }

    /// A connection that is told no more than `last_words`.
    pub fn refused(server: Rc<Server>, socket: Source<TcpStream>, last_words: Vec<u8>) -> Conn {
        server.one_more();
        Conn { server, socket, stream: None, tls: None, unsent: last_words, timer: None, stage: Stage::New }
    }
}

impl Future for Conn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.stage == Stage::New {
            self.stage = Stage::Open;
            self.socket.watch(cx.waker());
            if let Some(stream) = &self.stream {
                self.server.admit(stream.link(), cx.waker());
            }
        }
        match self.turn(cx) {
            Ok(()) => {
                self.set_timer(cx);
                Poll::Pending
            }
            Err(end) => {
                debug!("connection {:?} is over: {end}", self.stream.as_ref().map(C2s::link));
                Poll::Ready(())
            }
        }
    }
}

impl Conn {
    /// Lets the connection go on as far as it can.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let server = Rc::clone(&self.server);
        let buffers = &mut *server.buffers.borrow_mut();
        if let Some(stream) = &mut self.stream
            && (server.take_woken(stream.link()) || stream.deadline() <= server.reactor.now())
        {
            server.with_core(|core| stream.pump(core));
        }
        for _ in 0..READS_A_TURN {
            let on = match self.stage {
                Stage::New | Stage::Open => self.serve(buffers)?,
                Stage::Flushing(until) => self.finish(buffers, until)?,
                Stage::Lingering(until) => self.linger(buffers, until)?,
            };
            if on.is_pending() {
                return Ok(());
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Writes what the stream has said, and reads once.
    fn serve(&mut self, buffers: &mut Buffers) -> Result<Poll<()>, End> {
        self.flush(&mut buffers.wire)?;
        let Some(stream) = self.stream.as_mut().filter(|stream| !stream.finished()) else {
            self.stage = Stage::Flushing(self.server.reactor.now() + FLUSH_TIME);
            return Ok(Poll::Ready(()));
        };
        let handshaking = self.tls.as_ref().is_some_and(|tls| tls.is_handshaking());
        let reading = handshaking || self.server.with_core(|core| stream.reading(core));
        if !reading || !self.server.may_read() {
            return Ok(Poll::Pending);
        }
        let kept = self.tls.as_ref().map_or(0, |tls| tls.keep_rest(&mut buffers.input));
        match self.socket.receive(&mut buffers.input[kept..]) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(Ok(0)) => return Err(End::Closed),
            Poll::Ready(Ok(received)) => {
                self.take(&mut buffers.input[..kept + received], &mut buffers.wire)?
            }
            Poll::Ready(Err(error)) => return Err(End::Socket(error)),
        }
        Ok(Poll::Ready(()))
    }

    /// Lets the stream have what has come.
    fn take(&mut self, input: &mut [u8], wire: &mut Vec<u8>) -> Result<(), End> {
        let (Some(stream), server) = (&mut self.stream, &self.server) else { return Ok(()) };
        let Some(tls) = &mut self.tls else {
            server.with_core(|core| stream.input(core, input));
            if stream.wants_tls() {
                self.start_tls(wire)?;
            }
            return Ok(());
        };
        wire.clear();
        let result = tls.receive(input, wire, |received| {
            server.with_core(|core| match received {
                Received::Secured(info) => stream.secured(core, info),
                Received::Plaintext(bytes) => stream.input(core, bytes),
            })
        });
        let peer_closed = tls.peer_closed();
        self.transmit(wire)?;
        if let Err(error) = result {
            // The alert that says why is on its way; there is nothing to be said over this TLS any more.
            debug!("connection {:?}: TLS fails: {error}", self.stream.as_ref().map(C2s::link));
            self.end_stream();
            self.tls = None;
        } else if peer_closed {
            self.flush(wire)?;
            self.end_stream();
        }
        Ok(())
    }

    /// RFC 6120 §5.4.2.3: what the stream has said up to here leaves in clear text, and all that comes from here on is TLS.
    /// What came in clear text behind the `<starttls/>` is gone by now: anyone could have put it there.
    fn start_tls(&mut self, wire: &mut Vec<u8>) -> Result<(), End> {
        self.flush(wire)?;
        self.tls = Some(Box::new(Tls::new(&self.server.acceptors().starttls).map_err(End::Tls)?));
        Ok(())
    }

    /// Writes what the stream has said, as long as the socket takes it.
    fn flush(&mut self, wire: &mut Vec<u8>) -> Result<(), End> {
        self.transmit(&[])?;
        while self.unsent.is_empty() && !self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            let Some(stream) = &mut self.stream else { return Ok(()) };
            let mut output = self.server.with_core(|core| stream.output(core));
            if output.is_empty() {
                return Ok(());
            }
            let sent = self.send(&output, wire)?;
            if sent < output.len()
                && let Some(stream) = &mut self.stream
            {
                output.drain(..sent);
                stream.give_back(output);
            }
        }
        Ok(())
    }

    /// Sends from `output` until the socket is full; says how much that was.
    fn send(&mut self, output: &[u8], wire: &mut Vec<u8>) -> Result<usize, End> {
        let mut sent = 0;
        for batch in output.chunks(BATCH) {
            match &mut self.tls {
                None => self.transmit(batch)?,
                Some(tls) => {
                    wire.clear();
                    tls.send(batch, wire).map_err(End::Tls)?;
                    self.transmit(wire)?;
                }
            }
            sent += batch.len();
            if !self.unsent.is_empty() {
                break;
            }
        }
        Ok(sent)
    }

    /// Gives the socket what it has not taken yet, then `bytes`; what it does not take waits.
    fn transmit(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        while !self.unsent.is_empty() {
            match self.socket.send(&self.unsent) {
                Poll::Ready(Ok(sent)) if sent == self.unsent.len() => self.unsent = Vec::new(),
                Poll::Ready(Ok(sent)) => drop(self.unsent.drain(..sent)),
                Poll::Ready(Err(error)) => return Err(End::Socket(error)),
                Poll::Pending => break,
            }
        }
        while self.unsent.is_empty() && !bytes.is_empty() {
            match self.socket.send(bytes) {
                Poll::Ready(Ok(sent)) => bytes = &bytes[sent..],
                Poll::Ready(Err(error)) => return Err(End::Socket(error)),
                Poll::Pending => break,
            }
        }
        self.unsent.extend_from_slice(bytes);
        Ok(())
    }

    /// The stream has come to its end: everything it has said leaves, then the sending side is shut down.
    fn finish(&mut self, buffers: &mut Buffers, until: u64) -> Result<Poll<()>, End> {
        self.flush(&mut buffers.wire)?;
        let now = self.server.reactor.now();
        if !self.unsent.is_empty() {
            return if now < until { Ok(Poll::Pending) } else { Err(End::Done) };
        }
        self.end_stream();
        if let Some(mut tls) = self.tls.take() {
            buffers.wire.clear();
            // Where even this cannot be said, the end of the connection must do.
            let _ = tls.close(&mut buffers.wire);
            self.transmit(&buffers.wire)?;
            return Ok(Poll::Ready(()));
        }
        self.socket.socket().shutdown(Shutdown::Write).map_err(End::Socket)?;
        self.stage = Stage::Lingering(now + LINGER_TIME);
        Ok(Poll::Ready(()))
    }

    /// Closing a socket with unread bytes in it would reset the connection, and the peer might lose our last words.
    fn linger(&mut self, buffers: &mut Buffers, until: u64) -> Result<Poll<()>, End> {
        match self.socket.receive(&mut buffers.input) {
            _ if self.server.reactor.now() >= until => Err(End::Done),
            Poll::Pending => Ok(Poll::Pending),
            Poll::Ready(Ok(0)) => Err(End::Done),
            Poll::Ready(Ok(_)) => Ok(Poll::Ready(())),
            Poll::Ready(Err(error)) => Err(End::Socket(error)),
        }
    }

    /// One timer is enough: it is moved only when the deadline comes nearer, not with each byte that puts it off.
    fn set_timer(&mut self, cx: &mut Context<'_>) {
        let reactor = &self.server.reactor;
        let deadline = match self.stage {
            Stage::Flushing(until) | Stage::Lingering(until) => until,
            Stage::New | Stage::Open => self.stream.as_ref().map_or(u64::MAX, C2s::deadline),
        };
        self.timer = self.timer.filter(|timer| timer.at > reactor.now());
        if self.timer.map_or(u64::MAX, |timer| timer.at) > deadline {
            if let Some(timer) = self.timer.take() {
                reactor.disarm(timer);
            }
            self.timer = Some(reactor.arm(deadline.max(reactor.now() + 1), cx.waker()));
        }
    }

    fn end_stream(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.server.dismiss(stream.link());
            self.server.with_core(|core| stream.closed(core));
        }
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.end_stream();
        if let Some(timer) = self.timer.take() {
            self.server.reactor.disarm(timer);
        }
        self.server.one_less();
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Done => f.write_str("all is said"),
            End::Closed => f.write_str("the peer has closed it"),
            End::Socket(error) => error.fmt(f),
            End::Tls(error) => error.fmt(f),
        }
    }
}

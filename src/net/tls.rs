//! TLS of one connection: bytes of the wire in, plaintext out, and the reverse. No socket is named here.
//!
//! It drives rustls without rustls' buffers ([`rustls::unbuffered`]): records are taken from the buffer of the reading
//! thread and written to the one of the writing thread, and only a record that has not arrived completely is kept. An
//! idle connection so has no buffer at all, which saves more than a third of its memory.
//!
//! The one thing that this interface does not have is the exporter that logins are bound to (RFC 9266). What it is made
//! of passes by while rustls makes its keys; see [`exporter`].
//!
//! After an error there may be an alert to send; nothing else is of use then.

use std::sync::Arc;

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};

use super::certificate::Acceptor;
use super::exporter;
use crate::stream::TlsInfo;

/// More than a record, and than a message of the handshake that any client has reason to send.
pub const LARGEST_INPUT: usize = 32 * 1024;

pub struct Tls {
    connection: UnbufferedServerConnection,
    /// The beginning of a record whose end has not come yet.
    rest: Vec<u8>,
    /// What is known for [`TlsInfo`], until the handshake is done.
    handshake: Option<Box<TlsInfo>>,
    peer_closed: bool,
}

/// What a connection has received.
pub enum Received<'a> {
    /// The handshake is done. It comes once, before any plaintext.
    Secured(TlsInfo),
    Plaintext(&'a [u8]),
}

/// Why a connection cannot go on.
#[derive(Debug)]
pub enum TlsError {
    Protocol(rustls::Error),
    /// A message of the handshake larger than [`LARGEST_INPUT`].
    TooLarge,
    /// The keys are used up, and TLS 1.2 has no new ones.
    Exhausted,
}

impl Tls {
    pub fn new(acceptor: &Acceptor) -> Result<Tls, TlsError> {
        let connection =
            UnbufferedServerConnection::new(Arc::clone(&acceptor.config)).map_err(TlsError::Protocol)?;
        let handshake = TlsInfo { exporter: None, end_point: acceptor.end_point.clone() };
        Ok(Tls { connection, rest: Vec::new(), handshake: Some(Box::new(handshake)), peer_closed: false })
    }

    pub fn is_handshaking(&self) -> bool {
        self.handshake.is_some()
    }

    /// The peer has said that it sends nothing more.
    pub fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Puts what must stand in front of the next read into `input`; says how much that is.
    pub fn keep_rest(&self, input: &mut [u8]) -> usize {
        input[..self.rest.len()].copy_from_slice(&self.rest);
        self.rest.len()
    }

    /// Takes what was read, with what was kept in front of it. What rustls wants to send is appended to `wire`, also when it fails.
    pub fn receive(
        &mut self,
        mut input: &mut [u8],
        wire: &mut Vec<u8>,
        mut deliver: impl FnMut(Received<'_>),
    ) -> Result<(), TlsError> {
        loop {
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(input);
            let blocked = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    secured(&mut self.handshake, &mut deliver);
                    while let Some(record) = traffic.next_record() {
                        deliver(Received::Plaintext(record.map_err(TlsError::Protocol)?.payload));
                    }
                    false
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    append(wire, 4096, |space| message.encode(space))?;
                    false
                }
                Ok(ConnectionState::TransmitTlsData(sent)) => {
                    sent.done();
                    false
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.peer_closed = true;
                    false
                }
                // Everything else waits for more input. There is no early data, as none is offered.
                Ok(_) => true,
                Err(error) => {
                    self.note_exporter();
                    self.take_alert(&mut input[discard..], wire);
                    return Err(TlsError::Protocol(error));
                }
            };
            input = &mut input[discard..];
            self.note_exporter();
            if blocked {
                break;
            }
        }
        if !self.connection.is_handshaking() {
            secured(&mut self.handshake, &mut deliver);
        }
        if input.len() >= LARGEST_INPUT {
            return Err(TlsError::TooLarge);
        }
        self.rest = input.to_vec();
        Ok(())
    }

    fn note_exporter(&mut self) {
        if let Some(info) = &mut self.handshake
            && let Some(suite) = self.connection.negotiated_cipher_suite()
            && let Some(exporter) = exporter::take(suite)
        {
            info.exporter = Some(exporter);
        }
    }

    /// After an error: what was still to be sent, at its end the alert that tells the peer.
    fn take_alert(&mut self, input: &mut [u8], wire: &mut Vec<u8>) {
        while self.connection.wants_write() {
            let UnbufferedStatus { state, .. } = self.connection.process_tls_records(input);
            let Ok(ConnectionState::EncodeTlsData(mut message)) = state else { return };
            if append(wire, 4096, |space| message.encode(space)).is_err() {
                return;
            }
        }
    }

    /// Appends `plaintext` to `wire`, as records.
    pub fn send(&mut self, plaintext: &[u8], wire: &mut Vec<u8>) -> Result<(), TlsError> {
        // Room for the header, the content type and the tag of each record, and for a key update.
        let room = plaintext.len() + (plaintext.len() / 16_384 + 1) * 64;
        self.write(wire, |traffic, wire| append(wire, room, |space| traffic.encrypt(plaintext, space)))
    }

    /// Appends the last words.
    pub fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), TlsError> {
        self.write(wire, |traffic, wire| append(wire, 64, |space| traffic.queue_close_notify(space)))
    }

    fn write(
        &mut self,
        wire: &mut Vec<u8>,
        write: impl FnOnce(&mut WriteTraffic<'_>, &mut Vec<u8>) -> Result<(), TlsError>,
    ) -> Result<(), TlsError> {
        loop {
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.rest);
            match state.map_err(TlsError::Protocol)? {
                ConnectionState::WriteTraffic(mut traffic) => return write(&mut traffic, wire),
                ConnectionState::EncodeTlsData(mut message) => {
                    append(wire, 4096, |space| message.encode(space))?
                }
                ConnectionState::TransmitTlsData(sent) => sent.done(),
                ConnectionState::PeerClosed => self.peer_closed = true,
                // The handshake is not done, or both sides have closed: there is nobody to write to.
                _ => return Ok(()),
            }
            self.rest.drain(..discard);
        }
    }
}

type WriteTraffic<'c> = rustls::unbuffered::WriteTraffic<'c, rustls::server::ServerConnectionData>;

fn secured(handshake: &mut Option<Box<TlsInfo>>, deliver: &mut impl FnMut(Received<'_>)) {
    if let Some(info) = handshake.take() {
        deliver(Received::Secured(*info));
    }
}

/// Lets `write` append to `wire`, with as much room as it turns out to need.
fn append<E: Into<Failure>>(
    wire: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> Result<(), TlsError> {
    let start = wire.len();
    loop {
        wire.resize(start + room, 0);
        match write(&mut wire[start..]).map_err(Into::into) {
            Ok(written) => {
                wire.truncate(start + written);
                return Ok(());
            }
            Err(Failure::TooSmall(required)) if required > room => room = required,
            Err(_) => {
                wire.truncate(start);
                return Err(TlsError::Exhausted);
            }
        }
    }
}

enum Failure {
    TooSmall(usize),
    Other,
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Failure {
        match error {
            EncodeError::InsufficientSize(size) => Failure::TooSmall(size.required_size),
            EncodeError::AlreadyEncoded => Failure::Other,
        }
    }
}

impl From<EncryptError> for Failure {
    fn from(error: EncryptError) -> Failure {
        match error {
            EncryptError::InsufficientSize(size) => Failure::TooSmall(size.required_size),
            EncryptError::EncryptExhausted => Failure::Other,
        }
    }
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TlsError::Protocol(error) => error.fmt(f),
            TlsError::TooLarge => f.write_str("a message of the handshake is too large"),
            TlsError::Exhausted => f.write_str("the keys of the connection are used up"),
        }
    }
}

#[cfg(test)]
mod tests;

//! The value that a login over TLS 1.3 can be bound to: `tls-exporter` (RFC 9266).
//!
//! It is derived from the exporter secret (RFC 8446 §7.5). rustls computes the value on request, but not for the
//! unbuffered connections that [`super::tls`] uses; it shows them the secret itself, through the hook for key logs.
//! That call comes in the middle of the handshake, on the thread that drives it, so the secret waits in a thread-local
//! place until the handshake's driver takes it. Nothing is ever logged.
//!
//! With TLS 1.2 there is no value: it is only sound with an extended master secret, and rustls does not say whether there
//! is one.

use std::cell::Cell;
use std::fmt;

use rustls::SupportedCipherSuite;
use rustls::crypto::tls13::{HkdfExpander, OkmBlock};

thread_local! {
    static SECRET: Cell<Option<OkmBlock>> = const { Cell::new(None) };
}

const SECRET_LABEL: &str = "EXPORTER_SECRET";

/// Catches the exporter secret of each handshake, and nothing else.
pub struct Catch;

impl rustls::KeyLog for Catch {
    fn will_log(&self, label: &str) -> bool {
        label == SECRET_LABEL
    }

    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        if label == SECRET_LABEL {
            SECRET.set(Some(OkmBlock::new(secret)));
        }
    }
}

impl fmt::Debug for Catch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Catch")
    }
}

/// The value for the handshake that this thread has just driven, if it has come so far.
pub fn take(suite: SupportedCipherSuite) -> Option<[u8; 32]> {
    let secret = SECRET.take()?;
    let suite = suite.tls13()?;
    let expander = suite.hkdf_provider.expander_for_okm(&secret);
    let empty_hash = suite.common.hash_provider.start().finish();
    let mut derived = vec![0; expander.hash_len()];
    expand_label(&*expander, b"EXPORTER-Channel-Binding", empty_hash.as_ref(), &mut derived)?;
    let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(&derived));
    let mut value = [0; 32];
    expand_label(&*expander, b"exporter", empty_hash.as_ref(), &mut value)?;
    Some(value)
}

/// HKDF-Expand-Label (RFC 8446 §7.1).
fn expand_label(expander: &dyn HkdfExpander, label: &[u8], context: &[u8], output: &mut [u8]) -> Option<()> {
    let length = u16::try_from(output.len()).ok()?.to_be_bytes();
    let label_length = [u8::try_from(b"tls13 ".len() + label.len()).ok()?];
    let context_length = [u8::try_from(context.len()).ok()?];
    let info = [&length[..], &label_length, b"tls13 ", label, &context_length, context];
    expander.expand_slice(&info, output).ok()
}

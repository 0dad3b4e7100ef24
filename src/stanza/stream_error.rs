//! Stream errors (RFC 6120 §4.9.3): the last words of a stream.

use crate::xml::ReadError;
use crate::xml::ns;
use crate::xml::writer;

/// The conditions that can arise here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamError {
    BadNamespacePrefix,
    BadFormat(&'static str),
    /// A newer session took the resource (§7.7.2.2).
    Conflict,
    /// No login in time, or a peer that has gone silent.
    ConnectionTimeout,
    /// The peer acknowledges more stanzas than it was sent (XEP-0198 §6): this many, of this many.
    HandledCountTooHigh {
        h: u32,
        sent: u32,
    },
    HostUnknown,
    InvalidFrom,
    InvalidNamespace,
    NotAuthorized,
    NotWellFormed,
    PolicyViolation(&'static str),
    ResourceConstraint(&'static str),
    RestrictedXml,
    SystemShutdown,
    UnsupportedEncoding,
    UnsupportedStanzaType,
    UnsupportedVersion,
}

impl StreamError {
    pub fn name(self) -> &'static str {
        match self {
            StreamError::BadNamespacePrefix => "bad-namespace-prefix",
            StreamError::BadFormat(_) => "bad-format",
            StreamError::Conflict => "conflict",
            StreamError::ConnectionTimeout => "connection-timeout",
            StreamError::HandledCountTooHigh { .. } => "undefined-condition",
            StreamError::HostUnknown => "host-unknown",
            StreamError::InvalidFrom => "invalid-from",
            StreamError::InvalidNamespace => "invalid-namespace",
            StreamError::NotAuthorized => "not-authorized",
            StreamError::NotWellFormed => "not-well-formed",
            StreamError::PolicyViolation(_) => "policy-violation",
            StreamError::ResourceConstraint(_) => "resource-constraint",
            StreamError::RestrictedXml => "restricted-xml",
            StreamError::SystemShutdown => "system-shutdown",
            StreamError::UnsupportedEncoding => "unsupported-encoding",
            StreamError::UnsupportedStanzaType => "unsupported-stanza-type",
            StreamError::UnsupportedVersion => "unsupported-version",
        }
    }

    fn text(self) -> Option<&'static str> {
        match self {
            StreamError::BadFormat(text)
            | StreamError::PolicyViolation(text)
            | StreamError::ResourceConstraint(text) => Some(text),
            _ => None,
        }
    }

    /// Appends the error and the end of the stream, whose header must have been sent.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<stream:error><");
        out.extend_from_slice(self.name().as_bytes());
        writer::attr("xmlns", ns::STREAM_ERRORS, out);
        out.extend_from_slice(b"/>");
        if let Some(text) = self.text() {
            out.extend_from_slice(b"<text");
            writer::attr("xmlns", ns::STREAM_ERRORS, out);
            out.extend_from_slice(b" xml:lang='en'>");
            writer::text(text, out);
            out.extend_from_slice(b"</text>");
        }
        if let StreamError::HandledCountTooHigh { h, sent } = self {
            out.extend_from_slice(b"<handled-count-too-high");
            writer::attr("xmlns", ns::STREAM_MANAGEMENT, out);
            writer::attr("h", &h.to_string(), out);
            writer::attr("send-count", &sent.to_string(), out);
            out.extend_from_slice(b"/>");
        }
        out.extend_from_slice(b"</stream:error></stream:stream>");
    }
}

impl From<ReadError> for StreamError {
    fn from(error: ReadError) -> StreamError {
        match error {
            ReadError::NotWellFormed => StreamError::NotWellFormed,
            ReadError::Restricted => StreamError::RestrictedXml,
            ReadError::BadNamespacePrefix => StreamError::BadNamespacePrefix,
            ReadError::InvalidNamespace => StreamError::InvalidNamespace,
            ReadError::TooBig => {
                StreamError::PolicyViolation("This is larger than the stream's limits allow.")
            }
            ReadError::UnsupportedEncoding => StreamError::UnsupportedEncoding,
        }
    }
}

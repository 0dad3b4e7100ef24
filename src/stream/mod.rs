//! State machines of one connection: bytes in, bytes and calls to [`Core`](crate::core::Core) out.

pub mod c2s;
mod error;
mod features;
mod idle;
mod login;
pub mod sasl;

pub use error::StreamError;

/// What a TLS connection offers to bind a login to (RFC 5929, RFC 9266).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// `tls-exporter`; TLS 1.3, or 1.2 with an extended master secret.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point`; where the certificate's signature has a hash of its own.
    pub end_point: Option<Vec<u8>>,
}

//! State machines of one connection: bytes in, bytes and calls to [`Core`](crate::core::Core) out.

pub mod c2s;
mod features;
mod idle;
mod login;
pub mod sasl;
pub mod xep0198_sm;
mod xep0352_csi;

/// What is known of a TLS connection: what a login can be bound to.
pub type TlsInfo = sasl::ChannelBinding;

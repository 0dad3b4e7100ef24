//! State machines of one connection: bytes in, bytes and calls to [`Core`](crate::core::Core) out.

mod attempt;
pub mod c2s;
mod features;
mod idle;
mod login;
pub mod sasl;
mod sasl1;
pub mod xep0198_sm;
mod xep0352_csi;
mod xep0386_bind2;
mod xep0388_sasl2;
mod xep0480_upgrade;
mod xep0484_fast;

/// What is known of a TLS connection: what a login can be bound to.
pub type TlsInfo = sasl::ChannelBinding;

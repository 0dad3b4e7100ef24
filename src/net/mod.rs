//! The only sockets, TLS and clock, on one thread.
//!
//! * [`reactor`] waits for sockets, moments and other threads; [`clock`] says what time it is.
//! * [`server`] is what all tasks share, Core above all; it does what Core wants done.
//! * [`listen`] accepts connections, and each is a [`conn`]; [`tls`] and [`exporter`] are its TLS, without a socket.
//! * [`certificate`] reads the certificate or makes one; [`files`] keeps what nobody else may read.
//! * [`control`] answers the operator's commands; [`signals`] and [`notify`] are for whoever started us; [`journal`]
//!   writes the log; [`memory`] gives back what those have left who are gone.

pub mod certificate;
pub mod clock;
pub mod conn;
pub mod control;
mod exporter;
pub mod files;
pub mod journal;
pub mod listen;
pub mod memory;
pub mod notify;
pub mod reactor;
pub mod server;
pub mod signals;
pub mod tls;

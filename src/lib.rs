//! stube: an XMPP server for the home.
//!
//! Eight rooms, each knowing only those before it:
//!
//! * [`xml`] turns bytes into elements and back; it is the security boundary.
//! * [`jid`], [`stanza`], [`password`] and [`token`] are the words of the protocol; [`precis`] says which strings are
//!   the same.
//! * [`config`] is the one file of configuration, and its manual; [`control`] is what the command line says to a server.
//! * [`store`] keeps everything in one redb file; its own thread commits.
//! * [`core`] owns all live state; it never waits and never looks at a clock.
//! * [`xep`] is one file a feature, listed once, in the order of the hooks.
//! * [`stream`] holds the state machine of one connection: bytes in, bytes out.
//! * [`net`] has the only sockets, TLS and clock; [`run`] starts and stops it all; [`cmd`] is the command line.

pub mod cmd;
pub mod config;
pub mod control;
pub mod core;
pub mod jid;
pub mod net;
pub mod password;
pub mod precis;
pub mod run;
pub mod stanza;
pub mod store;
pub mod stream;
pub mod token;
pub mod xep;
pub mod xml;

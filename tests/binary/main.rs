//! The real binary: its sockets, its signals, its exit codes.
//!
//! What the protocol wants is tested without sockets in `tests/world`; here is only what needs a process. Every server
//! listens on ports that the kernel chose and keeps its data in a directory of its own; every wait has an end.

mod client;
mod endings;
mod failures;
mod files;
mod limits;
mod server;
mod service;
mod streams;
mod trial;

//! World dialogues: Core, fake clients, a virtual clock and a database in memory. A test is a short dialogue, and
//! a whole server runs in milliseconds.

mod client;
mod scram;
mod world;

#[path = "../rfc6120_login.rs"]
mod rfc6120_login;
#[path = "../rfc6120_streams.rs"]
mod rfc6120_streams;
#[path = "../rfc6121_roster.rs"]
mod rfc6121_roster;

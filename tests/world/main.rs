//! World dialogues: Core, fake clients, a virtual clock and a database in memory. A test is a short dialogue, and
//! a whole server runs in milliseconds.

mod client;
mod world;

#[path = "../rfc6121_roster.rs"]
mod rfc6121_roster;

//! World dialogues: Core, fake clients, a virtual clock and a database in memory. A test is a short dialogue, and
//! a whole server runs in milliseconds.

mod chance;
mod client;
mod scram;
mod world;

#[path = "../durability.rs"]
mod durability;
#[path = "../rfc6120_login.rs"]
mod rfc6120_login;
#[path = "../rfc6120_stanzas.rs"]
mod rfc6120_stanzas;
#[path = "../rfc6120_streams.rs"]
mod rfc6120_streams;
#[path = "../rfc6121_roster.rs"]
mod rfc6121_roster;
#[path = "../rfc6121_subscription.rs"]
mod rfc6121_subscription;
#[path = "../rfc6121_delivery.rs"]
mod rfc6121_delivery;
#[path = "../rfc6121_presence.rs"]
mod rfc6121_presence;
#[path = "../simulation.rs"]
mod simulation;

//! Giving memory back to the system when many have left.
//!
//! The allocator of glibc keeps what was freed between what is still used, and after an evening with thousands of sessions
//! that would be most of it. The one of musl, which is in the static binary, needs no reminder.

use std::rc::Rc;

use futures_lite::future::or;

use super::server::Server;

/// Connections that end before it is worth a try.
const MANY: usize = 100;
/// Milliseconds until a try: those who leave together are not counted one by one.
const SOON: u64 = 2_000;
/// Milliseconds until another one, when Core has forgotten the accounts of those who are gone.
const LATER: u64 = 32_000;

pub async fn tidy_up(server: Rc<Server>) {
    loop {
        server.many_gone(MANY).await;
        server.forget_gone();
        server.reactor.sleep(SOON).await;
        give_back();
        or(server.many_gone(MANY), server.reactor.sleep(LATER)).await;
        give_back();
    }
}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: it takes a number, and may be called at any time from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
fn give_back() {}

//! What a service manager is told (sd_notify(3)), and asked: systemd restarts us when the watchdog gets no sign of life.
//!
//! Without a service manager all of this does nothing.

use std::rc::Rc;

use log::warn;
use sd_notify::NotifyState;

use super::server::Server;

pub fn ready() {
    tell(&[NotifyState::Ready]);
}

pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Gives a sign of life twice in each interval that the manager has set. It comes from the loop that serves everyone, so
/// that it fails to come when that hangs.
pub async fn watchdog(server: Rc<Server>) {
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    let half = (interval.as_millis() as u64 / 2).max(1);
    loop {
        tell(&[NotifyState::Watchdog]);
        server.reactor.sleep(half).await;
    }
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!("cannot tell the service manager: {error}");
    }
}

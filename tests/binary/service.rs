//! What a service manager hears (sd_notify(3)).

use std::os::unix::net::UnixDatagram;

use signal_hook::consts::{SIGHUP, SIGTERM};

use crate::server::{PATIENCE, Place, Server};

/// The manager's end of the socket.
struct Manager(UnixDatagram);

impl Manager {
    fn new(place: &Place) -> Manager {
        let socket = UnixDatagram::bind(place.path("notify.sock")).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Manager(socket)
    }

    /// Waits for a message that begins so; watchdog messages may come in between.
    fn wait_for(&self, start: &str) {
        let mut buffer = [0; 500];
        loop {
            let read = self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{error}: no {start}"));
            let message = String::from_utf8_lossy(&buffer[..read]);
            if message.starts_with(start) {
                return;
            }
            assert!(message.starts_with("WATCHDOG=1"), "{message} instead of {start}");
        }
    }
}

#[test]
fn the_service_manager_hears_of_every_change_and_gets_signs_of_life() {
    let place = Place::with("", "");
    let manager = Manager::new(&place);
    let mut command = place.command(&["run"]);
    command.env("NOTIFY_SOCKET", place.path("notify.sock")).env("WATCHDOG_USEC", "100000");
    let mut server = Server::start(command);
    manager.wait_for("READY=1");
    manager.wait_for("WATCHDOG=1");
    manager.wait_for("WATCHDOG=1");
    server.signal(SIGHUP);
    manager.wait_for("RELOADING=1\nMONOTONIC_USEC=");
    manager.wait_for("READY=1");
    server.signal(SIGTERM);
    manager.wait_for("STOPPING=1");
    assert_eq!(server.wait().code(), Some(0));
}

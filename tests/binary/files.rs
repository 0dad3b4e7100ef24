//! What lies in the data directory, and the commands that go through it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::client::Client;
use crate::server::{Place, password};

fn mode(path: &Path) -> u32 {
    path.metadata().expect("a file").permissions().mode() & 0o777
}

#[test]
fn nobody_else_can_read_what_the_server_keeps() {
    let place = Place::with("", "");
    let _server = place.start();
    assert_eq!(mode(&place.path("data")), 0o700);
    for file in ["stube.redb", "control.sock", "self-signed.pem"] {
        assert_eq!(mode(&place.path("data").join(file)), 0o600, "{file}");
    }
}

#[test]
fn the_self_signed_certificate_outlives_a_restart() {
    let place = Place::with("", "");
    let certificate = || {
        let server = place.start();
        let mut client = Client::connect(server.starttls());
        client.start_tls();
        client.certificate()
    };
    assert_eq!(certificate(), certificate());
}

#[test]
fn accounts_are_made_changed_and_removed_while_the_server_runs() {
    let place = Place::with("", "");
    let server = place.start();
    place.add_account("romeo");
    let mut romeo = Client::online(&server, "romeo");
    let output = place.run(&["user", "passwd", "romeo@localhost"], "something new\n");
    assert!(output.status.success(), "{output:?}");
    // Whoever had the old password is out.
    romeo.wait_for("</stream:stream>");
    let mut romeo = Client::connect(server.starttls());
    romeo.start_tls();
    romeo.log_in("romeo", "something new");
    let output = place.run(&["user", "add", "romeo@localhost"], &password("romeo"));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(place.run(&["user", "remove", "romeo@localhost"], "").status.success());
    romeo.wait_for("</stream:stream>");
    assert_eq!(place.run(&["user", "list"], "").stdout, b"");
}

#[test]
fn the_log_has_no_addresses_of_clients_and_no_passwords() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let server = place.start();
    let romeo = Client::online(&server, "romeo");
    let address = romeo.socket().local_addr().expect("an address").to_string();
    place.add_account("juliet");
    server.wait_for_log("an operator asks", 1);
    for line in server.log() {
        assert!(!line.contains(&address) && !line.contains("password"), "{line}");
    }
}

//! What an operator is told when the server cannot start.

use std::net::TcpListener;
use std::process::Output;

use crate::server::Place;

/// The exit code, and the one line that says why.
fn outcome(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = text.lines().filter(|line| !line.contains(" INFO ")).collect();
    assert_eq!(complaints.len(), 1, "{text}");
    (output.status.code(), complaints[0].to_owned())
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let place = Place::new();
    let config =
        format!("domain = \"localhost\"\ndata = \"data\"\n[listen]\nc2s = [\"{address}\"]\nc2s_tls = []\n");
    std::fs::write(place.path("stube.toml"), config).expect("a file");
    let (code, line) = outcome(&place.run(&["run"], ""));
    assert_eq!(code, Some(1));
    assert_eq!(line, format!("stube: cannot listen on {address}: another program has this address in use"));
}

#[test]
fn a_database_that_another_server_has_open_is_left_alone() {
    let place = Place::with("", "");
    let _server = place.start();
    let (code, line) = outcome(&place.run(&["run"], ""));
    assert_eq!(code, Some(1));
    assert!(line.contains("stube.redb: another process has the database open"), "{line}");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let place = Place::with("", "");
    std::fs::create_dir(place.path("data")).expect("a directory");
    let path = place.path("data/stube.redb");
    std::fs::write(&path, "my diary").expect("a file");
    let (code, line) = outcome(&place.run(&["run"], ""));
    assert_eq!(code, Some(1));
    assert!(line.contains("stube.redb: this is not a database of stube"), "{line}");
    assert_eq!(std::fs::read_to_string(path).ok().as_deref(), Some("my diary"));
}

#[test]
fn a_certificate_that_is_missing_is_named() {
    let place = Place::with("", "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"");
    let (code, line) = outcome(&place.run(&["run"], ""));
    assert_eq!(code, Some(1));
    assert!(line.contains("cert.pem: the certificate cannot be read: No such file"), "{line}");
}

#[test]
fn a_wrong_configuration_is_its_own_exit_code() {
    let place = Place::with("colour = \"blue\"", "");
    let (code, line) = outcome(&place.run(&["run"], ""));
    assert_eq!(code, Some(2));
    assert!(line.contains("stube.toml:3: unknown key `colour`"), "{line}");
}

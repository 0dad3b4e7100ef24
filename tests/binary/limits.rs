//! What one peer can take from the others.

use std::io::Read;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::client::{Client, HEADER, any_tls};
use crate::server::{BINARY, Place, Server};

#[test]
fn who_does_not_log_in_in_time_is_told_so_and_cut_off() {
    let place = Place::with("", "[limits]\nlogin_seconds = 1");
    let server = place.start();
    let start = Instant::now();
    let mut silent = Client::connect(server.starttls());
    let mut slow = Client::connect(server.starttls());
    for byte in HEADER.chars().take(10) {
        slow.send(&byte.to_string());
        std::thread::sleep(Duration::from_millis(10));
    }
    for client in [&mut silent, &mut slow] {
        let last_words = client.wait_for_end();
        assert!(last_words.contains("<connection-timeout"), "{last_words}");
    }
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[test]
fn a_handshake_that_does_not_end_is_cut_off() {
    let place = Place::with("", "[limits]\nlogin_seconds = 1");
    let server = place.start();
    let silent = Client::connect(server.direct_tls());
    let mut half = Client::connect(server.direct_tls());
    half.send("\u{16}\u{3}\u{1}");
    for client in [silent, half] {
        assert_eq!(client.socket().read(&mut [0; 100]).ok(), Some(0));
    }
}

#[test]
fn garbage_instead_of_tls_ends_the_connection() {
    let place = Place::with("", "");
    let server = place.start();
    let mut client = Client::connect(server.direct_tls());
    client.send("GET / HTTP/1.1\r\n\r\n");
    let mut answer = Vec::new();
    client.socket().read_to_end(&mut answer).expect("an end in order");
    // An alert, and nothing else.
    assert_eq!(answer.first(), Some(&21), "{answer:?}");
}

#[test]
fn one_address_gets_so_many_connections() {
    let place = Place::with("", "[limits]\nconnections_per_address = 3");
    let server = place.start();
    let mut admitted: Vec<Client> = (0..3).map(|_| Client::connect(server.starttls())).collect();
    for client in &mut admitted {
        client.send(HEADER);
        client.wait_for("</stream:features>");
    }
    let mut refused = Client::connect(server.starttls());
    let last_words = refused.wait_for_end();
    assert!(last_words.contains("<policy-violation"), "{last_words}");
    assert!(Client::connect_tls(server.direct_tls(), any_tls()).is_err());
    // When one has gone, there is room again.
    admitted.remove(0).vanish();
    let end = Instant::now() + crate::server::PATIENCE;
    loop {
        let mut next = Client::connect(server.starttls());
        let _ = next.try_send(HEADER);
        let mut first = [0; 2000];
        let read = next.socket().read(&mut first).unwrap_or(0);
        if String::from_utf8_lossy(&first[..read]).contains("features") {
            break;
        }
        assert!(Instant::now() < end, "no room after a connection has gone");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_server_without_descriptors_waits_for_some() {
    let place = Place::with("", "");
    let mut command = Command::new("sh");
    let limited = "ulimit -n 30; exec \"$0\" --config stube.toml run";
    command.args(["-c", limited, BINARY]).current_dir(&place.directory);
    let server = Server::start(command);
    let crowd: Vec<Client> = (0..40).map(|_| Client::connect(server.starttls())).collect();
    server.wait_for_log("cannot accept connections on", 1);
    drop(crowd);
    let mut client = Client::connect(server.starttls());
    client.send(HEADER);
    client.wait_for("</stream:features>");
}

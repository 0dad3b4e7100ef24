//! Ends and new beginnings.

use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGKILL, SIGTERM};

use crate::client::Client;
use crate::server::{Place, write_certificate};

#[test]
fn sigterm_and_sigint_end_every_stream_in_order() {
    for signal in [SIGTERM, SIGINT] {
        let place = Place::with("", "");
        place.add_account("romeo");
        let mut server = place.start();
        let mut romeo = Client::online(&server, "romeo");
        let mut stranger = Client::connect(server.starttls());
        let start = Instant::now();
        server.signal(signal);
        for client in [&mut romeo, &mut stranger] {
            let last_words = client.wait_for("</stream:stream>");
            assert!(last_words.contains("<system-shutdown"), "{last_words}");
            assert_eq!(client.wait_for_end(), "");
        }
        drop((romeo, stranger));
        assert_eq!(server.wait().code(), Some(0), "{:?}", server.log());
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert!(!place.path("data/control.sock").exists());
    }
}

#[test]
fn a_peer_that_does_not_go_delays_the_end_by_less_than_five_seconds() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let mut server = place.start();
    let stubborn = Client::online(&server, "romeo");
    let start = Instant::now();
    server.signal(SIGTERM);
    assert_eq!(server.wait().code(), Some(0), "{:?}", server.log());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    drop(stubborn);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let mut server = place.start();
    let stubborn = Client::online(&server, "romeo");
    server.signal(SIGTERM);
    server.wait_for_log("stopping", 1);
    server.signal(SIGTERM);
    assert_eq!(server.wait().code(), Some(1), "{:?}", server.log());
    drop(stubborn);
}

#[test]
fn what_was_confirmed_survives_a_kill() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let mut server = place.start();
    let mut romeo = Client::online(&server, "romeo");
    romeo.send(
        "<iq type='set' id='add'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost'/></query></iq>",
    );
    romeo.wait_for("id='add'");
    server.signal(SIGKILL);
    server.wait();
    let server = place.start();
    let mut romeo = Client::online(&server, "romeo");
    romeo.send("<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>");
    let roster = romeo.wait_for("</iq>");
    assert!(roster.contains("jid='juliet@localhost'"), "{roster}");
}

#[test]
fn a_new_certificate_is_for_new_connections_and_the_old_ones_go_on() {
    let place = Place::with("", "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"");
    let (certificate, key) = (place.path("cert.pem"), place.path("key.pem"));
    let first = write_certificate(&certificate, &key);
    place.add_account("romeo");
    let server = place.start();
    let mut romeo = Client::online(&server, "romeo");
    assert_eq!(romeo.certificate(), first);

    let second = write_certificate(&certificate, &key);
    server.signal(SIGHUP);
    server.wait_for_log("have been read again", 1);
    assert_eq!(Client::online(&server, "romeo").certificate(), second);
    romeo.send("<iq type='get' id='still-here' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    romeo.wait_for("id='still-here'");

    std::fs::write(&key, "nonsense").expect("a file");
    server.signal(SIGHUP);
    let line = server.wait_for_log("nothing is reloaded", 1).remove(0);
    assert!(line.contains("key.pem: there is no private key"), "{line}");
    assert_eq!(Client::online(&server, "romeo").certificate(), second);
}

#[test]
fn a_new_configuration_is_taken_and_a_wrong_one_is_not() {
    let place = Place::with("", "[limits]\nlogin_seconds = 1000");
    let server = place.start();
    place.configure("", "[limits]\nlogin_seconds = 1");
    server.signal(SIGHUP);
    server.wait_for_log("have been read again", 1);
    let mut slow = Client::connect(server.starttls());
    assert!(slow.wait_for_end().contains("<connection-timeout"));

    place.configure("colour = \"blue\"", "");
    server.signal(SIGHUP);
    let line = server.wait_for_log("nothing is reloaded", 1).remove(0);
    assert!(line.contains("stube.toml:3: unknown key"), "{line}");
}

#[test]
fn fifty_kills_under_load_lose_nothing_that_was_confirmed() {
    let place = Place::with("", "[limits]\noffline_messages = 0");
    place.add_account("romeo");
    place.add_account("juliet");
    let message = |round: u64, number: u64| {
        format!(
            "<message to='juliet@localhost' type='chat' id='m-{round}-{number}'><body>{round}</body></message>"
        )
    };
    for round in 0..50 {
        let mut server = place.start();
        let mut romeo = Client::online(&server, "romeo");
        for number in 0..10 {
            romeo.send(&message(round, number));
        }
        // What is confirmed after them confirms them too: everything is kept in order.
        let name = format!("<item jid='juliet@localhost' name='{round}'/>");
        romeo.send(&format!(
            "<iq type='set' id='c{round}'><query xmlns='jabber:iq:roster'>{name}</query></iq>"
        ));
        romeo.wait_for(&format!("id='c{round}' type='result'"));
        for number in 10..10 + round * 7 {
            romeo.send(&message(round, number));
        }
        server.signal(SIGKILL);
        server.wait();
    }
    let server = place.start();
    let mut juliet = Client::online(&server, "juliet");
    for round in 0..50 {
        for number in 0..10 {
            juliet.wait_for(&format!("id='m-{round}-{number}'"));
        }
    }
}

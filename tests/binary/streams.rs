//! Streams as clients know them.

use rustls::version::{TLS12, TLS13};

use crate::client::{Client, HEADER, STARTTLS, tls};
use crate::server::{Place, password};

#[test]
fn two_people_chat_over_starttls() {
    let place = Place::with("", "");
    place.add_account("romeo");
    place.add_account("juliet");
    let server = place.start();
    let mut romeo = Client::online(&server, "romeo");
    let mut juliet = Client::online(&server, "juliet");
    romeo.send("<message to='juliet@localhost' type='chat'><body>Art thou not Romeo?</body></message>");
    let message = juliet.wait_for("</message>");
    assert!(message.contains("<body>Art thou not Romeo?</body>"), "{message}");
    assert!(message.contains("from='romeo@localhost/"), "{message}");
    romeo.send("</stream:stream>");
    assert!(romeo.wait_for_end().ends_with("</stream:stream>"));
}

#[test]
fn both_versions_of_tls_log_in() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let server = place.start();
    for version in [&TLS12, &TLS13] {
        let mut romeo = Client::connect_tls(server.direct_tls(), tls(&[version], &[])).expect("a handshake");
        romeo.log_in("romeo", &password("romeo"));
    }
}

// XEP-0368 §3, rule 8.
#[test]
fn direct_tls_wants_the_right_protocol_or_none() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let server = place.start();
    let connect = |alpn: &[&str]| Client::connect_tls(server.direct_tls(), tls(&[&TLS12, &TLS13], alpn));
    let mut without = connect(&[]).expect("a handshake");
    without.log_in("romeo", &password("romeo"));
    let mut with = connect(&["xmpp-client"]).expect("a handshake");
    assert_eq!(with.alpn().as_deref(), Some("xmpp-client"));
    with.log_in("romeo", &password("romeo"));
    let refused = connect(&["h2"]).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");
}

// RFC 6120 §5.3.1
#[test]
fn nobody_logs_in_without_tls() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let server = place.start();
    let mut romeo = Client::connect(server.starttls());
    romeo.send(HEADER);
    let features = romeo.wait_for("</stream:features>");
    assert!(features.contains("<required/>") && !features.contains("PLAIN"), "{features}");
    romeo.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHg=</auth>");
    romeo.wait_for("<encryption-required/>");
}

// RFC 6120 §13.7.1.2: who is in the way of the clear text could have put it there.
#[test]
fn what_follows_starttls_in_clear_text_is_never_executed() {
    let place = Place::with("registration = \"open\"", "");
    place.add_account("romeo");
    let server = place.start();
    let mut romeo = Client::connect(server.starttls());
    romeo.send(HEADER);
    romeo.wait_for("</stream:features>");
    let injected = "<iq type='set' id='injected'><query xmlns='jabber:iq:register'>\
                    <username>mallory</username><password>secret</password></query></iq>";
    romeo.send(&format!("{STARTTLS}{HEADER}{injected}"));
    romeo.wait_for("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    romeo.secure(tls(&[&TLS13], &[])).expect("a handshake");
    romeo.log_in("romeo", &password("romeo"));
    // Had any of it been kept, its answer would have come before these.
    romeo.send("<iq type='get' id='last' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    let answers = romeo.wait_for("id='last'");
    assert!(!answers.contains("injected"), "{answers}");
    assert!(!server.log().iter().any(|line| line.contains("mallory")));
    let accounts = place.run(&["user", "list"], "");
    assert_eq!(String::from_utf8_lossy(&accounts.stdout), "romeo@localhost\n");
}

#[test]
fn a_peer_that_vanishes_without_a_word_is_offline_for_its_contacts() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let server = place.start();
    let mut phone = Client::online(&server, "romeo");
    let laptop = Client::online(&server, "romeo");
    phone.wait_for("<presence");
    laptop.vanish();
    let presence = phone.wait_for("type='unavailable'");
    assert!(presence.contains("<presence"), "{presence}");
}

#[test]
fn the_error_of_a_stream_reaches_a_peer_that_is_still_sending() {
    let place = Place::with("", "");
    let server = place.start();
    let mut client = Client::connect(server.starttls());
    client.send(HEADER);
    client.wait_for("</stream:features>");
    client.send("<!-- no comments -->");
    // A close with unread bytes would be a reset, and the error would be lost.
    for _ in 0..50 {
        if client.try_send(&" ".repeat(1000)).is_err() {
            break;
        }
    }
    assert!(client.wait_for("</stream:stream>").contains("<restricted-xml"), "the error");
}

#[test]
fn a_large_answer_arrives_whole_at_a_slow_reader() {
    let place = Place::with("", "");
    place.add_account("romeo");
    let server = place.start();
    let mut romeo = Client::online(&server, "romeo");
    let long = "x".repeat(200_000);
    for number in 0..8 {
        romeo.send(&format!(
            "<message to='romeo@localhost' id='m{number}' type='chat'><body>{long}</body></message>"
        ));
    }
    for number in 0..8 {
        let message = romeo.wait_for("</message>");
        assert!(message.contains(&format!("id='m{number}'")) && message.len() > 200_000, "message {number}");
    }
}

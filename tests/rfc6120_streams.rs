//! RFC 6120 §4, §5 and §11: streams, their headers and their errors, STARTTLS, limits, and what time does to them.

use std::net::IpAddr;

use stube::config::Limit;
use stube::core::Event;
use stube::stanza::StreamError;
use stube::stream::TlsInfo;
use stube::stream::c2s::C2s;

use crate::client::{Client, HEADER, Wire};
use crate::world::World;

const STREAM: &str = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";
const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PING: &str = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
const PONG: &str = "<iq type='result' id='p' from='romeo@example.org' to='romeo@example.org/orchard'/>";

/// What the server says to these first bytes of a connection.
fn greeted(world: &mut World, bytes: &str) -> Client {
    let client = world.connect_tls();
    world.send(client, bytes);
    client
}

// --- §4.7, §4.8: headers ---

// §4.7.1, §4.7.2, §4.7.5, §4.7.4
#[test]
fn the_answer_to_a_header_says_who_speaks_to_whom_and_in_which_version() {
    let mut world = World::new();
    let client = greeted(
        &mut world,
        &format!(
            "<?xml version='1.0'?><stream:stream to='example.org' from='romeo@example.org' version='1.0' {STREAM}>"
        ),
    );
    let header = world.header(client).expect("a header");
    assert_eq!(header.from.as_deref(), Some("example.org"));
    assert_eq!(header.to.as_deref(), Some("romeo@example.org"));
    assert_eq!(header.version.as_deref(), Some("1.0"));
    assert_eq!(header.lang.as_deref(), Some("en"));
}

// §4.7.3
#[test]
fn every_stream_has_an_id_of_its_own_that_nobody_can_guess() {
    let mut world = World::new();
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..10 {
        let client = greeted(&mut world, HEADER);
        ids.push(world.header(client).and_then(|header| header.id).expect("an id"));
    }
    let client = world.authenticate("romeo");
    ids.push(world.header(client).and_then(|header| header.id).expect("an id"));
    assert!(ids.iter().all(|id| id.len() >= 22), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 11);
}

// §4.9.3.6
#[test]
fn a_stream_to_a_domain_that_is_not_ours_is_host_unknown() {
    for to in ["to='example.net'", "to='romeo@example.org'", "to='@@'", "to='EXAMPLE.org.invalid'", ""] {
        let mut world = World::new();
        let client = greeted(&mut world, &format!("<stream:stream {to} version='1.0' {STREAM}>"));
        world.expect_stream_error(client, "host-unknown");
    }
}

// RFC 7622 §3.2: a domain is compared after its preparation.
#[test]
fn our_domain_in_capital_letters_is_ours() {
    let mut world = World::new();
    let client = greeted(&mut world, &format!("<stream:stream to='Example.ORG' version='1.0' {STREAM}>"));
    assert_eq!(world.receive(client).name, "features");
}

// §4.7.5, §4.9.3.25
#[test]
fn a_stream_without_a_version_or_with_one_before_1_0_is_unsupported() {
    for version in ["", "version='0.9'", "version='one'", "version=''", "version='-1.0'"] {
        let mut world = World::new();
        let client = greeted(&mut world, &format!("<stream:stream to='example.org' {version} {STREAM}>"));
        world.expect_stream_error(client, "unsupported-version");
    }
}

// §4.7.5: the numbers are compared as numbers, and the lower version is the answer.
#[test]
fn a_newer_version_is_answered_with_ours() {
    for version in ["1.0", "1.1", "1.13", "2.0", "10.0", "01.00"] {
        let mut world = World::new();
        let client =
            greeted(&mut world, &format!("<stream:stream to='example.org' version='{version}' {STREAM}>"));
        assert_eq!(world.receive(client).name, "features", "{version}");
        assert_eq!(world.header(client).and_then(|header| header.version).as_deref(), Some("1.0"));
    }
}

// §4.8.1, §4.9.3.10
#[test]
fn a_stream_in_a_wrong_namespace_is_an_invalid_namespace() {
    for namespaces in [
        "xmlns='jabber:client' xmlns:stream='http://wrong.namespace.example.org/'",
        "xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'",
        "xmlns='what' xmlns:stream='http://etherx.jabber.org/streams'",
    ] {
        let mut world = World::new();
        let client =
            greeted(&mut world, &format!("<stream:stream to='example.org' version='1.0' {namespaces}>"));
        world.expect_stream_error(client, "invalid-namespace");
    }
}

// §4.8.5, §4.9.3.2
#[test]
fn a_stream_with_another_prefix_is_a_bad_namespace_prefix() {
    let mut world = World::new();
    let client = greeted(
        &mut world,
        "<foo:stream to='example.org' version='1.0' xmlns='jabber:client' xmlns:foo='http://etherx.jabber.org/streams'>",
    );
    world.expect_stream_error(client, "bad-namespace-prefix");
}

// §4.8.2: the content's namespace need not be the default one.
#[test]
fn a_stream_may_name_the_namespace_of_its_content_on_each_child() {
    let mut world = World::new();
    let client = greeted(
        &mut world,
        "<stream xmlns='http://etherx.jabber.org/streams' to='example.org' version='1.0'>",
    );
    assert_eq!(world.receive(client).name, "features");
    world.send(client, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='NONE'/>");
    world.expect(client, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>");
    world.send(client, "</stream>");
    assert!(world.is_closed(client));
}

// --- §4.9: errors ---

// §4.9.1.2: an error before the header stands in a stream nevertheless.
#[test]
fn an_error_before_any_header_is_sent_within_a_stream() {
    let mut world = World::new();
    let client = greeted(&mut world, "GET / HTTP/1.1\r\n\r\n");
    world.expect_stream_error(client, "not-well-formed");
    assert_eq!(world.header(client).and_then(|header| header.from).as_deref(), Some("example.org"));
}

// §4.9.1.1, §4.4
#[test]
fn nothing_is_done_after_a_stream_error() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, &format!("<!-- -->{PING}"));
    world.expect_stream_error(romeo, "restricted-xml");
    world.send(romeo, PING);
    world.expect_nothing(romeo);
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, "<message to='romeo@example.org/orchard'><body>?</body></message>");
    world.expect_bounce(juliet, "service-unavailable");
}

/// Each of these ends a stream at any time, before the login and after.
const BROKEN: &[(&[u8], &str)] = &[
    // §4.9.3.13
    (b"<message></iq>", "not-well-formed"),
    (b"<message", "still open"),
    (b"<message id='a' id='b'/>", "not-well-formed"),
    (b"<message id=a/>", "not-well-formed"),
    (b"<message><a:b/></message>", "not-well-formed"),
    (b"<message><body>a < b</body></message>", "not-well-formed"),
    (b"<message><body>\x01</body></message>", "not-well-formed"),
    (b"<message><body>&#x1;</body></message>", "not-well-formed"),
    (b"<message><body>&#xD800;</body></message>", "not-well-formed"),
    // §11.6: not UTF-8, overlong, half of a pair, beyond Unicode
    (b"<message><body>\xff</body></message>", "not-well-formed"),
    (b"<message><body>\xc0\xaf</body></message>", "not-well-formed"),
    (b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
    (b"<message><body>\xf5\x80\x80\x80</body></message>", "not-well-formed"),
    (b"</message>", "not-well-formed"),
    (b"hello", "not-well-formed"),
    // §4.9.3.18, §11.1
    (b"<!-- a comment -->", "restricted-xml"),
    (b"<message><!-- a comment --></message>", "restricted-xml"),
    (b"<?php evil() ?>", "restricted-xml"),
    (b"<message><?php evil() ?></message>", "restricted-xml"),
    (b"<message>&nbsp;</message>", "restricted-xml"),
    (b"<!DOCTYPE message [<!ENTITY a 'aaaaaaaaaa'>]>", "restricted-xml"),
];

#[test]
fn broken_xml_ends_a_stream_that_has_not_logged_in() {
    for (bytes, condition) in BROKEN {
        let mut world = World::new();
        let client = greeted(&mut world, HEADER);
        world.clear(client);
        world.send_bytes(client, bytes);
        expect_end(&mut world, client, condition);
    }
}

#[test]
fn broken_xml_ends_a_session() {
    for (bytes, condition) in BROKEN {
        let mut world = World::new();
        let client = world.online("romeo", "orchard");
        world.send_bytes(client, bytes);
        expect_end(&mut world, client, condition);
    }
}

fn expect_end(world: &mut World, client: Client, condition: &str) {
    match condition {
        "still open" => assert!(!world.is_closed(client)),
        condition => world.expect_stream_error(client, condition),
    }
}

// §4.9.3.22, §11.6
#[test]
fn another_encoding_is_unsupported() {
    let greetings: [&[u8]; 4] = [
        b"<?xml version='1.0' encoding='ISO-8859-1'?><stream:stream>",
        b"<?xml version='1.0' encoding='UTF-16'?><stream:stream>",
        b"\xfe\xff\0<",
        b"\xef\xbb\xbf<stream:stream>",
    ];
    for bytes in greetings {
        let mut world = World::new();
        let client = world.connect_tls();
        world.send_bytes(client, bytes);
        world.expect_stream_error(client, "unsupported-encoding");
    }
}

// §4.9.3.24
#[test]
fn a_child_that_is_no_stanza_is_an_unsupported_stanza_type() {
    for child in [
        "<pubsub/>",
        "<message xmlns='urn:example:other'/>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    ] {
        let mut world = World::new();
        let romeo = world.online("romeo", "orchard");
        world.send(romeo, child);
        world.expect_stream_error(romeo, "unsupported-stanza-type");
    }
    let mut world = World::new();
    let stranger = greeted(&mut world, HEADER);
    world.send(stranger, "<query xmlns='urn:example:other'/>");
    world.expect_stream_error(stranger, "unsupported-stanza-type");
}

// --- XEP-0478 and §13.12: limits ---

#[test]
fn what_may_be_sent_is_announced_before_and_after_the_login() {
    let limit = |features: &stube::xml::Element, name: &str| {
        let limits = features.find("limits", "urn:xmpp:stream-limits:0").expect("limits");
        limits.find(name, "urn:xmpp:stream-limits:0").map(|element| element.text_content())
    };
    let mut world = World::new();
    let stranger = world.connect_tls();
    let features = world.open_stream(stranger);
    assert_eq!(limit(&features, "max-bytes").as_deref(), Some("8192"));

    let romeo = world.connect_tls();
    world.account("romeo");
    world.open_stream(romeo);
    world.plain(romeo, "romeo", "romeo's password");
    world.receive(romeo);
    let features = world.open_stream(romeo);
    assert_eq!(limit(&features, "max-bytes").as_deref(), Some("262144"));
    assert_eq!(limit(&features, "idle-seconds").as_deref(), Some("300"));
}

#[test]
fn before_the_login_8_kib_are_enough_for_anyone() {
    let mut world = World::new();
    let client = greeted(&mut world, HEADER);
    let whole = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</auth>", "A".repeat(8192));
    world.send(client, &whole);
    world.expect_stream_error(client, "policy-violation");

    // Nobody waits for the end of what is too big already.
    let client = greeted(&mut world, HEADER);
    world.clear(client);
    world.send(client, &whole[..8000]);
    world.expect_nothing(client);
    world.send(client, &whole[8000..8200]);
    world.expect_stream_error(client, "policy-violation");

    let client = greeted(&mut world, &format!("<stream:stream to='{}' version='1.0'", "a".repeat(8192)));
    world.expect_stream_error(client, "policy-violation");
}

#[test]
fn before_the_login_32_elements_are_enough_for_anyone() {
    let mut world = World::new();
    let client = greeted(&mut world, HEADER);
    world.send(client, &format!("<iq type='get' id='a'>{}</iq>", "<a/>".repeat(32)));
    world.expect_stream_error(client, "policy-violation");
}

#[test]
fn a_session_may_send_a_stanza_of_256_kib_and_not_one_byte_more() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    let envelope = "<message to='romeo@example.org/orchard'><body></body></message>".len();
    let message = |bytes: usize| {
        format!(
            "<message to='romeo@example.org/orchard'><body>{}</body></message>",
            "a".repeat(bytes - envelope)
        )
    };
    world.send(romeo, &message(262_144));
    assert_eq!(world.receive(romeo).text_content().len(), 0, "the body is a child");
    world.send(romeo, &message(262_145));
    world.expect_stream_error(romeo, "policy-violation");
}

#[test]
fn a_stanza_as_deep_as_a_mine_ends_the_session() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, &format!("<message>{}", "<a>".repeat(200)));
    world.expect_stream_error(romeo, "policy-violation");
}

// §4.9.3.17: whoever does not read can't make us remember without end.
#[test]
fn a_session_that_does_not_read_is_ended_and_the_sender_is_told() {
    let mut world = World::with(|config| config.limits.outbox_bytes = Limit::of(300_000));
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.stop_reading(juliet);
    let body = "a".repeat(100_000);
    for _ in 0..2 {
        world.send(romeo, &format!("<message to='juliet@example.org/balcony'><body>{body}</body></message>"));
        world.expect_nothing(romeo);
    }
    world.send(
        romeo,
        &format!("<message id='lost' to='juliet@example.org/balcony'><body>{body}</body></message>"),
    );
    world.expect_bounce(romeo, "service-unavailable");
    world.go_on_reading(juliet);
    let got = world.drain(juliet);
    assert_eq!(got.iter().filter(|element| element.name == "message").count(), 2);
    assert!(got.last().is_some_and(|last| last.children().any(|child| child.name == "resource-constraint")));
}

// The end of one is told to the others; that must not make it theirs in the same breath, and so on.
#[test]
fn many_who_do_not_read_end_one_after_the_other() {
    let mut world = World::with(|config| {
        config.limits.outbox_bytes = Limit::of(4000);
        config.limits.sessions_per_account = Limit::OFF;
        config.limits.connections_per_address = Limit::OFF;
    });
    let slow: Vec<Client> = (0..300).map(|n| world.login("romeo", &n.to_string())).collect();
    for client in &slow {
        world.send(*client, "<presence/>");
        world.clear(*client);
    }
    slow.iter().for_each(|client| world.stop_reading(*client));
    let status = "x".repeat(3600);
    world.send(slow[0], &format!("<presence><status>{status}</status></presence>"));
    world.send(
        slow[0],
        "<presence><status>one too many for everyone of these</status></presence>".repeat(8).as_str(),
    );
    assert!(slow.iter().all(|client| world.stream(*client).finished()));
    let romeo = world.online("romeo", "reads");
    world.expect_result(romeo, PING);
}

#[test]
fn requests_wait_while_their_sender_does_not_read_the_answers() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.stop_reading(romeo);
    let mut sent = 0;
    while world.is_reading(romeo) {
        world.send(romeo, PING);
        sent += 1;
        assert!(sent < 10_000, "the server reads without end");
    }
    world.go_on_reading(romeo);
    assert!(world.is_reading(romeo));
    assert_eq!(world.drain(romeo).len(), sent);
}

// --- §5: STARTTLS ---

fn clear_text(world: &mut World) -> Client {
    let client = world.connect();
    let features = world.open_stream(client);
    let offered: Vec<_> = features.children().map(|child| child.name.as_str()).collect();
    assert_eq!(offered, ["starttls"], "nothing else is of use in clear text");
    client
}

// §5.3.1, §5.4.2.1
#[test]
fn tls_is_required_and_comes_before_everything_else() {
    let mut world = World::new();
    let client = world.connect();
    let features = world.open_stream(client);
    let starttls = features.find("starttls", "urn:ietf:params:xml:ns:xmpp-tls").expect("the offer");
    assert!(starttls.find("required", "urn:ietf:params:xml:ns:xmpp-tls").is_some());
    world.send(client, STARTTLS);
    world.expect(client, PROCEED);
    world.secure(client, TlsInfo::default());
    let features = world.open_stream(client);
    assert!(features.find("mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl").is_some());
    assert!(features.find("starttls", "urn:ietf:params:xml:ns:xmpp-tls").is_none());
}

#[test]
fn no_stanza_is_taken_in_clear_text() {
    for stanza in [PING, "<message to='romeo@example.org'><body>hello</body></message>", "<presence/>"] {
        let mut world = World::new();
        let client = clear_text(&mut world);
        world.send(client, stanza);
        world.expect_stream_error(client, "not-authorized");
    }
}

// §5.4.3.3: a man in the middle may have put them there.
#[test]
fn bytes_after_starttls_are_never_executed() {
    let mut world = World::new();
    world.account("romeo");
    let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHJvbWVvJ3MgcGFzc3dvcmQ=</auth>";
    for clear in
        [HEADER.to_string() + auth, auth.to_string(), "<auth xmlns='urn:ietf".to_string(), "garbage".into()]
    {
        let client = clear_text(&mut world);
        world.send(client, &format!("{STARTTLS}{clear}"));
        world.expect(client, PROCEED);
        world.send(client, &clear);
        world.expect_nothing(client);
        assert!(!world.is_reading(client), "the next bytes are the handshake's");
        world.secure(client, TlsInfo::default());
        world.expect_nothing(client);
        let features = world.open_stream(client);
        assert!(features.find("mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl").is_some(), "{clear}");
    }
}

// §5.4.3.3: nothing of the clear-text stream is remembered.
#[test]
fn the_stream_under_tls_is_a_new_one() {
    let mut world = World::new();
    let client = clear_text(&mut world);
    let before = world.header(client).and_then(|header| header.id);
    world.send(client, STARTTLS);
    world.expect(client, PROCEED);
    world.secure(client, TlsInfo::default());
    world.send(client, STARTTLS);
    world.expect_stream_error(client, "not-well-formed");
    assert_ne!(world.header(client).and_then(|header| header.id), before);
}

// §5.4.2.2
#[test]
fn starttls_under_tls_is_a_failure_that_ends_the_stream() {
    let mut world = World::new();
    let client = greeted(&mut world, HEADER);
    world.clear(client);
    world.send(client, STARTTLS);
    world.expect(client, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert!(world.is_closed(client));
}

// --- XEP-0205: time and connections ---

#[test]
fn a_login_that_takes_30_seconds_is_too_slow() {
    for prepare in
        [|_: &mut World, _: Client| {}, |world: &mut World, client: Client| world.send(client, HEADER)]
    {
        let mut world = World::new();
        let client = world.connect_tls();
        prepare(&mut world, client);
        world.advance(29_999);
        assert!(!world.is_closed(client));
        world.advance(1);
        world.expect_stream_error(client, "connection-timeout");
    }
}

#[test]
fn neither_bytes_nor_tls_nor_a_password_stretch_the_time_for_a_login() {
    let mut world = World::new();
    let client = clear_text(&mut world);
    world.advance(10_000);
    world.send(client, " ");
    world.send(client, STARTTLS);
    world.expect(client, PROCEED);
    world.secure(client, TlsInfo::default());
    world.account("romeo");
    world.advance(10_000);
    world.open_stream(client);
    world.plain(client, "romeo", "romeo's password");
    world.receive(client);
    world.open_stream(client);
    world.advance(10_000);
    world.expect_stream_error(client, "connection-timeout");
}

#[test]
fn a_deadline_that_is_switched_off_never_comes() {
    let mut world = World::with(|config| config.limits.login_seconds = Limit::OFF);
    let client = greeted(&mut world, HEADER);
    world.advance(100_000_000);
    assert!(!world.is_closed(client));
}

// §4.6.2, XEP-0199 §4.1
#[test]
fn a_silent_client_is_pinged_and_lives_if_it_answers() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    for _ in 0..3 {
        world.advance(299_999);
        world.expect_nothing(romeo);
        world.advance(1);
        let ping = world.receive(romeo);
        assert!(ping.find("ping", "urn:xmpp:ping").is_some());
        assert_eq!(ping.get_attr("to"), Some("romeo@example.org/orchard"));
        world.advance(59_999);
        let id = ping.get_attr("id").expect("an id").to_owned();
        world.send(romeo, &format!("<iq type='result' id='{id}'/>"));
        world.expect_nothing(romeo);
    }
}

// §4.6.3, §4.9.3.4
#[test]
fn a_client_that_does_not_answer_a_ping_is_gone_for_everyone() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.clear(romeo);
    world.advance(300_000);
    world.clear(juliet);
    world.send(juliet, " ");
    world.advance(60_000);
    world.expect_stream_error(romeo, "connection-timeout");
    world.expect(
        juliet,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='juliet@example.org'/>",
    );
}

// §4.6.1
#[test]
fn white_space_keeps_a_session_alive_and_has_no_answer() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    for _ in 0..10 {
        world.advance(200_000);
        world.send(romeo, " \n\t\r\n");
        world.expect_nothing(romeo);
    }
    world.expect_result(romeo, PING);
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn one_address_has_so_many_connections_that_have_not_logged_in() {
    let mut world = World::with(|config| config.limits.logins_per_address = Limit::of(3));
    let tls = Some(TlsInfo::default());
    let first = world.connect_from(address("192.0.2.1"), tls.clone());
    world.connect_from(address("192.0.2.1"), tls.clone());
    world.connect_from(address("::ffff:192.0.2.1"), tls.clone());
    assert_eq!(world.try_connect(address("192.0.2.1"), tls.clone()), Err("policy-violation"));
    // Others are not concerned.
    world.connect_from(address("192.0.2.2"), tls.clone());
    // Whoever goes makes room, and so does whoever logs in.
    world.cut(first);
    let romeo = world.connect_from(address("192.0.2.1"), tls.clone());
    world.account("romeo");
    world.open_stream(romeo);
    world.plain(romeo, "romeo", "romeo's password");
    world.expect(romeo, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    world.connect_from(address("192.0.2.1"), tls.clone());
    assert_eq!(world.try_connect(address("192.0.2.1"), tls), Err("policy-violation"));
}

#[test]
fn an_ipv6_network_of_64_bits_is_one_address() {
    let mut world = World::with(|config| config.limits.logins_per_address = Limit::of(2));
    world.connect_from(address("2001:db8:0:1::1"), None);
    world.connect_from(address("2001:db8:0:1:ffff::2"), None);
    assert_eq!(world.try_connect(address("2001:db8:0:1::3"), None), Err("policy-violation"));
    world.connect_from(address("2001:db8:0:2::1"), None);
}

#[test]
fn one_address_has_so_many_connections_logged_in_or_not() {
    let mut world = World::with(|config| config.limits.connections_per_address = Limit::of(2));
    world.login("romeo", "orchard");
    world.login("juliet", "balcony");
    assert_eq!(world.try_connect(address("127.0.0.1"), None), Err("policy-violation"));
}

// §4.9.3.17
#[test]
fn a_server_that_is_full_says_so() {
    let mut world = World::with(|config| config.limits.connections = Limit::of(2));
    let first = world.connect_from(address("192.0.2.1"), None);
    world.connect_from(address("192.0.2.2"), None);
    assert_eq!(world.try_connect(address("192.0.2.3"), None), Err("resource-constraint"));
    world.cut(first);
    world.connect_from(address("192.0.2.3"), None);
}

#[test]
fn a_refusal_is_a_whole_stream() {
    let mut world = World::new();
    let mut wire = Wire::new();
    wire.take(&C2s::refusal(&mut world.core, StreamError::ResourceConstraint("Full.")));
    assert_eq!(wire.header.and_then(|header| header.from).as_deref(), Some("example.org"));
    assert_eq!(
        wire.received[0].children().next().map(|child| child.name.as_str()),
        Some("resource-constraint")
    );
    assert!(wire.closed);
}

// --- §4.4: the end ---

#[test]
fn the_end_of_a_stream_is_answered_with_its_end() {
    let mut world = World::new();
    let stranger = greeted(&mut world, &format!("{HEADER}</stream:stream>"));
    assert_eq!(world.receive(stranger).name, "features");
    assert!(world.is_closed(stranger));

    let romeo = world.online("romeo", "orchard");
    world.send(romeo, &format!("{PING}</stream:stream>{PING}"));
    world.expect(romeo, PONG);
    world.expect_nothing(romeo);
    assert!(world.is_closed(romeo));
}

// RFC 6121 §4.5.2
#[test]
fn the_end_of_a_stream_makes_its_resource_unavailable() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.clear(juliet);
    world.send(romeo, "</stream:stream>");
    world.expect(
        juliet,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='juliet@example.org'/>",
    );
    world.cut(romeo);
    world.expect_nothing(juliet);
}

// §4.9.3.20
#[test]
fn a_server_that_stops_tells_every_stream() {
    let mut world = World::new();
    let silent = world.connect_tls();
    let stranger = greeted(&mut world, HEADER);
    let romeo = world.online("romeo", "orchard");
    world.handle(Event::Shutdown);
    for client in [silent, stranger, romeo] {
        world.expect_stream_error(client, "system-shutdown");
    }
}

// A stanza may come in any number of pieces.
#[test]
fn a_stanza_may_come_byte_by_byte() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    for byte in PING.bytes() {
        world.expect_nothing(romeo);
        world.send_bytes(romeo, &[byte]);
    }
    world.expect(romeo, PONG);
    world.send(romeo, &PING.repeat(3));
    assert_eq!(world.drain(romeo).len(), 3);
}

//! XEP-0280: an account's clients see what its other clients send and receive.

use stube::xml::Element;

use crate::client::Client;
use crate::world::{World, show};

const ENABLE: &str = "<iq type='set' id='e'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
const DISABLE: &str = "<iq type='set' id='d'><disable xmlns='urn:xmpp:carbons:2'/></iq>";
const BODY: &str = "<body>hello</body>";

/// juliet, and three clients of romeo's: one available, one that wants copies, and one with a negative priority that
/// wants them, too.
fn scene() -> (World, Client, Client, Client, Client) {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let orchard = world.online("romeo", "orchard");
    let garden = world.online("romeo", "garden");
    let cell = world.login("romeo", "cell");
    world.send(cell, "<presence><priority>-1</priority></presence>");
    world.expect_result(garden, ENABLE);
    world.expect_result(cell, ENABLE);
    for client in [juliet, orchard, garden, cell] {
        world.clear(client);
    }
    (world, juliet, orchard, garden, cell)
}

/// The copies that have come: the wrapping message, `sent` or `received`, and the message in it.
fn copies(world: &mut World, client: Client) -> Vec<(Element, String, Element)> {
    let got = world.drain(client).into_iter();
    got.filter_map(|stanza| {
        let copy = stanza.children().find(|child| child.ns == "urn:xmpp:carbons:2")?.clone();
        let message = copy.find("forwarded", "urn:xmpp:forward:0")?.children().next()?.clone();
        Some((stanza, copy.name, message))
    })
    .collect()
}

fn message(to: &str, kind: &str, content: &str) -> String {
    format!("<message to='{to}' type='{kind}' id='m'>{content}</message>")
}

#[test]
fn what_one_client_receives_the_others_see() {
    let (mut world, juliet, orchard, garden, cell) = scene();
    world.send(juliet, &message("romeo@example.org/orchard", "chat", BODY));
    assert_eq!(world.drain(orchard).len(), 1);
    for (client, resource) in [(garden, "garden"), (cell, "cell")] {
        let (outer, direction, inner) = copies(&mut world, client).pop().expect("a copy");
        assert_eq!(direction, "received");
        assert_eq!(outer.get_attr("type"), Some("chat"));
        assert_eq!(outer.get_attr("from"), Some("romeo@example.org"));
        assert_eq!(outer.get_attr("to"), Some(format!("romeo@example.org/{resource}").as_str()));
        assert_eq!(inner.get_attr("from"), Some("juliet@example.org/balcony"));
        assert_eq!(inner.get_attr("to"), Some("romeo@example.org/orchard"));
        assert_eq!(inner.ns, "jabber:client");
        assert!(inner.find("body", "jabber:client").is_some(), "{}", show(&inner));
    }
}

#[test]
fn who_gets_the_message_gets_no_copy() {
    let (mut world, juliet, orchard, garden, cell) = scene();
    world.send(juliet, &message("romeo@example.org", "chat", BODY));
    for client in [orchard, garden] {
        let got = world.drain(client);
        assert_eq!(got.len(), 1);
        assert!(got[0].find("body", "jabber:client").is_some());
    }
    assert_eq!(copies(&mut world, cell).len(), 1, "it takes no messages to the bare address");
}

#[test]
fn what_one_client_sends_the_others_see() {
    let (mut world, juliet, orchard, garden, cell) = scene();
    world.send(orchard, &message("juliet@example.org", "chat", BODY));
    assert_eq!(world.drain(juliet).len(), 1);
    for client in [garden, cell] {
        let (outer, direction, inner) = copies(&mut world, client).pop().expect("a copy");
        assert_eq!((direction.as_str(), outer.get_attr("from")), ("sent", Some("romeo@example.org")));
        assert_eq!(inner.get_attr("from"), Some("romeo@example.org/orchard"));
        assert_eq!(inner.get_attr("to"), Some("juliet@example.org"));
    }
    world.expect_nothing(orchard);
    // Not the one that has sent it, even if it wants copies.
    world.send(garden, &message("juliet@example.org", "chat", BODY));
    assert!(copies(&mut world, garden).is_empty());
}

#[test]
fn what_is_for_another_domain_is_copied_to_its_sender() {
    let mut world = World::federated();
    let orchard = world.online("romeo", "orchard");
    let garden = world.online("romeo", "garden");
    world.expect_result(garden, ENABLE);
    world.clear(garden);
    world.send(orchard, &message("nurse@example.net", "chat", BODY));
    assert_eq!(copies(&mut world, garden).len(), 1);
    world.from_remote("<message from='nurse@example.net/x' to='romeo@example.org/orchard' type='chat'><body>yes</body></message>");
    assert_eq!(copies(&mut world, garden).len(), 1);
}

// §6.1
#[test]
fn only_messages_of_people_are_copied() {
    let invitation = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='nurse@example.org'/></x>";
    let from_room = format!("<x xmlns='http://jabber.org/protocol/muc#user'/>{BODY}");
    let cases: &[(&str, &str, bool)] = &[
        ("chat", BODY, true),
        ("chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", true),
        ("normal", BODY, true),
        ("normal", "<x xmlns='jabber:x:data' type='form'/>", false),
        ("normal", "<received xmlns='urn:xmpp:receipts' id='x'/>", true),
        ("normal", "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>", true),
        ("normal", "<active xmlns='http://jabber.org/protocol/chatstates'/>", true),
        ("normal", "<x xmlns='jabber:x:conference' jid='room@rooms.example.org'/>", true),
        ("normal", invitation, true),
        ("headline", BODY, false),
        ("groupchat", BODY, false),
        ("chat", &from_room, false),
        ("chat", "<body>x</body><private xmlns='urn:xmpp:carbons:2'/>", false),
        ("chat", "<body>x</body><no-copy xmlns='urn:xmpp:hints'/>", false),
        ("error", "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>", true),
    ];
    for (kind, content, copied) in cases {
        let (mut world, juliet, _, garden, _) = scene();
        world.send(juliet, &message("romeo@example.org/orchard", kind, content));
        assert_eq!(copies(&mut world, garden).len(), usize::from(*copied), "{kind} {content}");
    }
}

#[test]
fn a_private_message_to_an_occupant_is_copied_to_its_sender() {
    let mut world = World::federated();
    let orchard = world.online("romeo", "orchard");
    let garden = world.online("romeo", "garden");
    world.expect_result(garden, ENABLE);
    world.clear(garden);
    let content = format!("<x xmlns='http://jabber.org/protocol/muc#user'/>{BODY}");
    world.send(orchard, &message("room@rooms.example.net/nurse", "chat", &content));
    assert_eq!(copies(&mut world, garden).len(), 1);
}

#[test]
fn blocked_message_makes_no_carbon() {
    let (mut world, juliet, orchard, garden, _) = scene();
    world.expect_result(
        orchard,
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@example.org'/></block></iq>",
    );
    world.send(juliet, &message("romeo@example.org/orchard", "chat", BODY));
    world.send(orchard, &message("juliet@example.org/balcony", "chat", BODY));
    assert!(copies(&mut world, garden).is_empty());
}

#[test]
fn what_nobody_can_have_waits_although_there_are_copies() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let cell = world.login("romeo", "cell");
    world.expect_result(cell, ENABLE);
    world.send(juliet, &message("romeo@example.org", "chat", BODY));
    assert_eq!(copies(&mut world, cell).len(), 1);
    let got = world.online_with_everything("romeo", "garden");
    assert_eq!(got.iter().filter(|stanza| stanza.find("body", "jabber:client").is_some()).count(), 1);
}

// The copy stands for the message: whoever has it last passes the message itself on.
#[test]
fn a_copy_that_was_not_acknowledged_comes_back_as_the_message() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let orchard = world.online("romeo", "orchard");
    let garden = world.online("romeo", "garden");
    for client in [orchard, garden] {
        world.send(client, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        world.expect_result(client, ENABLE);
    }
    world.send(juliet, &message("romeo@example.org/orchard", "chat", BODY));
    world.cut(orchard);
    world.advance(600_000);
    world.cut(garden);
    world.advance(600_000);
    let got = world.online_with_everything("romeo", "cell");
    let messages: Vec<_> = got.iter().filter(|stanza| stanza.name == "message").collect();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].find("body", "jabber:client").is_some(), "{}", show(messages[0]));
    assert_eq!(messages[0].get_attr("from"), Some("juliet@example.org/balcony"));
}

#[test]
fn it_can_be_switched_on_and_off_as_often_as_one_likes() {
    let (mut world, juliet, _, garden, _) = scene();
    world.expect_result(garden, ENABLE);
    for (request, copied) in [(DISABLE, 0), (DISABLE, 0), (ENABLE, 1), (ENABLE, 1)] {
        world.expect_result(garden, request);
        world.send(juliet, &message("romeo@example.org/orchard", "chat", BODY));
        assert_eq!(copies(&mut world, garden).len(), copied);
    }
}

#[test]
fn nobody_switches_it_for_somebody_else_and_get_is_wrong() {
    let (mut world, juliet, ..) = scene();
    let other = ENABLE.replace("id='e'", "id='e' to='romeo@example.org'");
    world.expect_error(juliet, &other, "not-allowed");
    world.expect_error(juliet, &ENABLE.replace("set", "get"), "bad-request");
}

#[test]
fn a_bounced_copy_reaches_nobody() {
    let (mut world, juliet, orchard, garden, cell) = scene();
    world.send(juliet, &message("romeo@example.org/orchard", "chat", BODY));
    let (outer, ..) = copies(&mut world, garden).pop().expect("a copy");
    for client in [orchard, cell] {
        world.clear(client);
    }
    let from = outer.get_attr("from").expect("an address");
    world.send(
        garden,
        &format!("<message to='{from}' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"),
    );
    for client in [juliet, orchard, cell] {
        world.expect_nothing(client);
    }
}

#[test]
fn it_is_announced() {
    let (mut world, juliet, ..) = scene();
    let info = world.expect_result(
        juliet,
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    );
    assert!(show(&info).contains("urn:xmpp:carbons:2"));
}

#[test]
fn a_copy_has_the_id_that_the_message_has_in_the_archive_of_the_account() {
    let (mut world, juliet, orchard, garden, _) = scene();
    world.send(orchard, &message("juliet@example.org", "chat", BODY));
    world.send(juliet, &message("romeo@example.org/orchard", "chat", BODY));
    let copies = copies(&mut world, garden);
    assert_eq!(copies.len(), 2);
    for ((_, found, inner), wanted) in copies.iter().zip(["sent", "received"]) {
        assert_eq!(found, wanted);
        let ids: Vec<_> = inner.children().filter(|child| child.name == "stanza-id").collect();
        assert_eq!(ids.len(), 1, "{}", show(inner));
        assert_eq!(ids[0].get_attr("by"), Some("romeo@example.org"));
    }
}

//! XEP-0425: what a moderator takes back in a room.

use crate::client::Client;
use crate::rooms::{ROOM, ROOMS};
use crate::world::{World, show};
use stube::store::Table;
use stube::xml::Element;

const RETRACTION: &str = "urn:xmpp:message-retract:1";
const MODERATION: &str = "urn:xmpp:message-moderate:1";

fn moderation(id: &str, reason: &str) -> String {
    let reason = if reason.is_empty() { String::new() } else { format!("<reason>{reason}</reason>") };
    format!(
        "<iq type='set' id='q' to='{ROOM}'><moderate xmlns='{MODERATION}' id='{id}'><retract xmlns='{RETRACTION}'/>\
         {reason}</moderate></iq>"
    )
}

/// Romeo owns the room, in which Juliet has said something secret: its id.
fn room() -> (World, Vec<Client>, String) {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    let id = world.said(clients[1], "<body>secret</body>", &clients.clone());
    (world, clients, id)
}

fn has_secret(world: &World) -> bool {
    let contains = |value: &[u8]| value.windows(6).any(|bytes| bytes == b"secret");
    Table::ALL.iter().any(|table| world.table(*table).iter().any(|(_, value)| contains(value)))
}

fn jid(text: &str) -> stube::jid::Jid {
    stube::jid::Jid::parse(text).expect("an address")
}

// §3.1
#[test]
fn everyone_is_told_by_the_room_and_the_moderator_gets_a_result() {
    let (mut world, clients, id) = room();
    let romeo = jid("romeo@example.org");
    let occupant = world.core.occupant_id(&jid(ROOM), &romeo);
    world.expect_result(clients[0], &moderation(&id, "Not &lt;here&gt;"));
    for (client, name) in clients.iter().zip(["romeo", "juliet", "nurse"]) {
        world.expect(
            *client,
            &format!(
                "<message from='{ROOM}' to='{name}@example.org/phone' id='*' type='groupchat'>\
                 <retract xmlns='{RETRACTION}' id='{id}'><moderated xmlns='{MODERATION}' by='{ROOM}/romeo'>\
                 <occupant-id xmlns='urn:xmpp:occupant-id:0' id='{occupant}'/></moderated>\
                 <reason>Not &lt;here&gt;</reason></retract><stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='*'/>\
                 </message>"
            ),
        );
        world.expect_nothing(*client);
    }
}

// §4
#[test]
fn a_tombstone_is_left_and_nothing_else() {
    let (mut world, clients, id) = room();
    world.advance(5_000);
    world.expect_result(clients[0], &moderation(&id, "why"));
    assert!(!has_secret(&world));
    let announcement = world.receive(clients[2]);
    let archive = world.room_archive(clients[2]);
    let [tombstone, announced] = archive.as_slice() else { panic!("{archive:?}") };
    assert_eq!(tombstone.get_attr("from"), Some(format!("{ROOM}/juliet").as_str()));
    assert!(tombstone.find("occupant-id", "urn:xmpp:occupant-id:0").is_some());
    let retracted = tombstone.find("retracted", RETRACTION).expect("a tombstone");
    assert_eq!(retracted.get_attr("id"), announcement.get_attr("id"));
    assert_eq!(retracted.get_attr("stamp"), Some("2026-11-22T13:11:16.000Z"));
    let moderated = retracted.find("moderated", MODERATION).expect("who did it");
    assert_eq!(moderated.get_attr("by"), Some(format!("{ROOM}/romeo").as_str()));
    assert!(moderated.find("occupant-id", "urn:xmpp:occupant-id:0").is_some());
    assert_eq!(retracted.find("reason", RETRACTION).map(Element::text_content).as_deref(), Some("why"));
    assert_eq!(announced.get_attr("from"), Some(ROOM));
    assert!(announced.get_attr("to").is_none());
    assert!(!show(tombstone).contains("example.org/phone") && !show(announced).contains("example.org/phone"));
    let history: Vec<String> = world.room_history("tybalt").iter().map(show).collect();
    assert_eq!(history.len(), 2);
    assert!(history[0].contains("<retracted") && history[1].contains("<retract "), "{history:#?}");
    assert!(history.iter().all(|message| !message.contains("secret")));
    // The moderator may see real addresses; the room has none but its own.
    let archive = world.room_archive(clients[0]);
    assert!(show(&archive[0]).contains("juliet@example.org/phone"));
    assert!(archive[1].find("x", "http://jabber.org/protocol/muc#user").is_none());
}

// §3.2
#[test]
fn only_moderators_may() {
    let (mut world, clients, id) = room();
    let tybalt = world.online("tybalt", "phone");
    for other in [clients[1], clients[2], tybalt] {
        world.expect_error(other, &moderation(&id, ""), "forbidden");
    }
    world.expect_nothing(clients[0]);
    assert!(has_secret(&world));
    // An owner who is not in the room is no moderator.
    world.core.change_room(&jid(ROOM), |room| room.config.persistent = true).expect("a room");
    world.send(clients[0], &format!("<presence type='unavailable' to='{ROOM}'/>"));
    world.expect_error(clients[0], &moderation(&id, ""), "forbidden");
    // With another client in the room they are.
    let tablet = world.online("romeo", "tablet");
    world.enter(tablet, ROOM, "romeo");
    world.expect_result(clients[0], &moderation(&id, ""));
}

#[test]
fn nobody_moderates_what_someone_above_them_has_said() {
    let (mut world, clients, _) = room();
    let id = world.said(clients[0], "<body>an order</body>", &clients.clone());
    world.change_person(clients[0], ROOM, "nick='juliet' role='moderator'");
    clients.iter().for_each(|client| world.clear(*client));
    world.expect_error(clients[1], &moderation(&id, ""), "forbidden");
    let own = world.said(clients[2], "<body>a word</body>", &clients.clone());
    world.expect_result(clients[1], &moderation(&own, ""));
}

#[test]
fn what_the_room_does_not_have_is_not_found() {
    let (mut world, clients, id) = room();
    for unknown in ["0123456789abcdef", "said", "x"] {
        world.expect_error(clients[0], &moderation(unknown, ""), "item-not-found");
    }
    // Of an account's archive neither.
    world.send(clients[0], "<message to='juliet@example.org' type='chat'><body>between us</body></message>");
    let told = world.drain(clients[1]).pop().expect("a message");
    let private = told.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id")).expect("an id");
    world.expect_error(clients[0], &moderation(private, ""), "item-not-found");
    // Nor twice.
    world.expect_result(clients[0], &moderation(&id, ""));
    let announcement = world.drain(clients[1]).pop().expect("an announcement");
    world.expect_error(clients[0], &moderation(&id, ""), "item-not-found");
    let second = announcement.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id"));
    world.expect_error(clients[0], &moderation(second.expect("an id"), ""), "item-not-found");
    world.expect_nothing(clients[1]);
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let (mut world, clients, id) = room();
    let request = moderation(&id, "");
    for (wrong, condition) in [
        (request.replace("type='set'", "type='get'"), "bad-request"),
        (request.replace(&format!(" id='{id}'"), ""), "bad-request"),
        (request.replace(&id, ""), "bad-request"),
        (request.replace(&format!("<retract xmlns='{RETRACTION}'/>"), ""), "feature-not-implemented"),
        (moderation(&id, &"x".repeat(1025)), "not-acceptable"),
    ] {
        world.expect_error(clients[0], &wrong, condition);
    }
    world.expect_nothing(clients[1]);
    assert!(has_secret(&world));
    world.expect_error(clients[0], &request.replace(ROOM, &format!("nowhere@{ROOMS}")), "item-not-found");
}

#[test]
fn nothing_is_moderated_while_the_disk_refuses() {
    let (mut world, clients, id) = room();
    world.handle(stube::core::Event::StoreStalled("full".into()));
    world.expect_error(clients[0], &moderation(&id, ""), "resource-constraint");
    world.expect_nothing(clients[1]);
}

#[test]
fn the_result_says_that_it_is_on_disk() {
    let (mut world, clients, id) = room();
    world.hold_commits();
    world.send(clients[0], &moderation(&id, ""));
    assert!(world.try_receive(clients[1]).is_some(), "the others need not wait");
    assert!(world.answer(clients[0], "q").is_none());
    world.commit();
    assert!(world.answer(clients[0], "q").is_some());
    assert!(!has_secret(&world));
}

#[test]
fn in_a_room_without_archive_it_is_taken_from_those_who_enter() {
    let (mut world, clients, _) = room();
    world.core.change_room(&jid(ROOM), |room| room.config.archived = false).expect("a room");
    let id = world.said(clients[1], "<body>hush</body>", &clients.clone());
    world.expect_result(clients[0], &moderation(&id, ""));
    let history: Vec<String> = world.room_history("tybalt").iter().map(show).collect();
    assert!(history.iter().all(|message| !message.contains("hush")), "{history:#?}");
}

#[test]
fn what_was_said_by_someone_who_has_left_can_be_moderated() {
    let (mut world, clients, id) = room();
    world.send(clients[1], &format!("<presence type='unavailable' to='{ROOM}'/>"));
    world.expect_result(clients[0], &moderation(&id, ""));
    assert!(!has_secret(&world));
}

// §2
#[test]
fn rooms_say_that_they_can_be_moderated() {
    let (mut world, clients, _) = room();
    let ask = format!(
        "<iq type='get' id='i' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    );
    assert!(show(&world.expect_result(clients[1], &ask)).contains(&format!("var='{MODERATION}'")));
}

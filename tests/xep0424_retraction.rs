//! XEP-0424: what somebody takes back in a room.

use crate::client::Client;
use crate::rooms::{ROOM, item};
use crate::world::{World, show};
use stube::store::Table;
use stube::xml::Element;

const RETRACTION: &str = "urn:xmpp:message-retract:1";

fn retraction(id: &str) -> String {
    format!(
        "<message type='groupchat' to='{ROOM}' id='retraction'><retract xmlns='{RETRACTION}' id='{id}'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='{RETRACTION}'/><body>I take it back</body></message>"
    )
}

/// A room in which Juliet, who is no moderator, has said something secret: its id.
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

fn retracted(message: &Element) -> &Element {
    message.find("retracted", RETRACTION).unwrap_or_else(|| panic!("{}", show(message)))
}

#[test]
fn who_takes_something_back_leaves_a_tombstone_and_nothing_else() {
    let (mut world, clients, id) = room();
    let before = world.room_archive(clients[0]).remove(0);
    assert!(has_secret(&world));
    world.advance(5_000);
    world.send(clients[1], &retraction(&id));
    for client in &clients {
        let told = world.receive(*client);
        let retract = told.find("retract", RETRACTION).expect("a retraction");
        assert_eq!(retract.get_attr("id"), Some(id.as_str()));
    }
    assert!(!has_secret(&world), "nothing is left on disk");
    let archive = world.room_archive(clients[0]);
    let [tombstone, retraction] = archive.as_slice() else { panic!("{archive:?}") };
    for attr in ["from", "id", "type"] {
        assert_eq!(tombstone.get_attr(attr), before.get_attr(attr), "{attr}");
    }
    let occupant = |message: &Element| message.find("occupant-id", "urn:xmpp:occupant-id:0").cloned();
    assert_eq!(occupant(tombstone), occupant(&before));
    assert_eq!(item(tombstone, "jid").as_deref(), Some("juliet@example.org/phone"));
    assert_eq!(retracted(tombstone).get_attr("id"), Some("retraction"));
    assert_eq!(retracted(tombstone).get_attr("stamp"), Some("2026-11-22T13:11:16.000Z"));
    assert_eq!(tombstone.children().count(), 3, "{}", show(tombstone));
    assert!(retraction.find("retract", RETRACTION).is_some(), "others learn of it from the archive");
}

#[test]
fn it_keeps_its_id_and_its_place_in_the_archive() {
    let (mut world, clients, id) = room();
    world.said(clients[0], "<body>after</body>", &clients.clone());
    world.send(clients[1], &retraction(&id));
    world.clear(clients[2]);
    let ask = format!(
        "<iq type='set' id='q' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='ids'><value>{id}</value></field></x>\
         </query></iq>"
    );
    for written in [false, true] {
        if written {
            // Its row is in the index now.
            world.advance(60_000);
        }
        world.send(clients[2], &ask);
        let answer = world.drain(clients[2]);
        let result = answer[0].find("result", "urn:xmpp:mam:2").expect("a result");
        assert_eq!(result.get_attr("id"), Some(id.as_str()));
        assert!(show(result).contains("<retracted") && !show(result).contains("secret"));
        assert!(show(result).contains("stamp='2026-11-22T13:11:11.000Z'"), "the time of the message");
    }
    assert_eq!(world.room_archive(clients[2]).len(), 3);
}

#[test]
fn who_enters_later_sees_the_tombstone() {
    let (mut world, clients, id) = room();
    world.send(clients[1], &retraction(&id));
    let history = world.room_history("tybalt");
    let [tombstone, retraction] = history.as_slice() else { panic!("{history:?}") };
    assert!(!show(tombstone).contains("secret"), "{}", show(tombstone));
    assert_eq!(retracted(tombstone).get_attr("id"), Some("retraction"));
    let stanza_id = tombstone.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id"));
    assert_eq!(stanza_id, Some(id.as_str()));
    assert!(tombstone.find("delay", "urn:xmpp:delay").is_some());
    assert!(retraction.find("retract", RETRACTION).is_some());
    // The same, when it comes out of the archive.
    world.core.change_room(&jid(ROOM), |room| room.config.persistent = true).expect("a room");
    world.restart();
    let again = world.room_history("tybalt");
    let shown = |messages: &[Element]| messages.iter().map(show).collect::<Vec<_>>();
    assert_eq!(shown(&again), shown(&history));
}

#[test]
fn what_is_taken_back_before_it_is_on_disk_never_gets_seen_again() {
    let (mut world, clients, _) = room();
    world.hold_commits();
    world.send(
        clients[1],
        &format!("<message type='groupchat' to='{ROOM}' id='m'><body>hush</body></message>"),
    );
    let told = world.drain(clients[0]).pop().expect("a message");
    let id =
        told.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id")).expect("an id").to_owned();
    world.send(clients[1], &retraction(&id));
    for on_disk in [false, true] {
        let archive: Vec<String> = world.room_archive(clients[0]).iter().map(show).collect();
        assert!(archive.iter().all(|message| !message.contains("hush")), "{archive:#?}");
        assert!(archive.iter().any(|message| message.contains("<retracted")), "{archive:#?}");
        if !on_disk {
            world.commit();
        }
    }
}

#[test]
fn a_tombstone_that_is_not_on_disk_yet_is_seen_all_the_same() {
    let (mut world, clients, id) = room();
    world.advance(60_000);
    world.hold_commits();
    world.send(clients[1], &retraction(&id));
    let archive: Vec<String> = world.room_archive(clients[0]).iter().map(show).collect();
    assert!(archive[0].contains("<retracted") && !archive[0].contains("secret"), "{archive:#?}");
}

// §5: "MUST only be processed when both [...] are received from the same"
#[test]
fn nobody_takes_back_what_somebody_else_has_said() {
    let (mut world, clients, id) = room();
    for other in [clients[0], clients[2]] {
        world.send(other, &retraction(&id));
        world.expect_bounce(other, "forbidden");
        world.expect_nothing(clients[1]);
    }
    // Not with the same nick either.
    world.send(clients[1], &format!("<presence to='{ROOM}/elsewhere'/>"));
    world.send(clients[2], &format!("<presence to='{ROOM}/juliet'/>"));
    clients.iter().for_each(|client| world.clear(*client));
    world.send(clients[2], &retraction(&id));
    world.expect_bounce(clients[2], "forbidden");
    assert_eq!(world.room_archive(clients[0]).len(), 1, "what was refused is not archived");
    assert!(has_secret(&world));
    // With another nick it is still hers, and from another device.
    let tablet = world.online("juliet", "tablet");
    world.enter(tablet, ROOM, "julietta");
    world.send(tablet, &retraction(&id));
    assert!(!has_secret(&world));
}

#[test]
fn a_retraction_that_makes_no_sense_is_refused() {
    let (mut world, clients, id) = room();
    let moderated = "<moderated xmlns='urn:xmpp:message-moderate:1'/>";
    for content in [
        format!("<retract xmlns='{RETRACTION}'/>"),
        format!("<retract xmlns='{RETRACTION}' id=''/>"),
        format!("<retract xmlns='{RETRACTION}' id='{id}'/><retract xmlns='{RETRACTION}' id='other'/>"),
        // XEP-0425 §5: only the room says so.
        format!("<retract xmlns='{RETRACTION}' id='{id}'>{moderated}</retract>"),
    ] {
        world.send(clients[1], &format!("<message type='groupchat' to='{ROOM}'>{content}</message>"));
        world.expect_bounce(clients[1], "bad-request");
    }
    world.expect_nothing(clients[0]);
    assert!(has_secret(&world));
}

#[test]
fn what_the_room_does_not_know_may_be_known_to_clients() {
    let (mut world, clients, _) = room();
    for unknown in ["0123456789abcdef", "no such thing"] {
        world.send(clients[1], &retraction(unknown));
        assert!(world.receive(clients[0]).find("retract", RETRACTION).is_some());
    }
    assert!(has_secret(&world));
}

#[test]
fn nobody_makes_tombstones_but_the_room() {
    let (mut world, clients, id) = room();
    let forged = format!("<body>hi</body><retracted xmlns='{RETRACTION}' id='{id}'/>");
    world.send(clients[1], &format!("<message type='groupchat' to='{ROOM}'>{forged}</message>"));
    let told = world.receive(clients[0]);
    assert!(told.find("retracted", RETRACTION).is_none(), "{}", show(&told));
}

#[test]
fn a_retraction_and_a_tombstone_cannot_be_taken_back() {
    let (mut world, clients, id) = room();
    world.send(clients[1], &retraction(&id));
    let told = world.drain(clients[1]).pop().expect("an echo");
    let second =
        told.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id")).expect("an id").to_owned();
    for id in [&second, &id] {
        world.send(clients[1], &retraction(id).replace("id='retraction'", "id='again'"));
    }
    let archive = world.room_archive(clients[0]);
    assert_eq!(retracted(&archive[0]).get_attr("id"), Some("retraction"));
    assert!(archive[1].find("retract", RETRACTION).is_some());
}

// "MUST store the retraction message"
#[test]
fn a_retraction_is_archived_whatever_its_sender_would_like() {
    let (mut world, clients, id) = room();
    world.send(
        clients[1],
        &format!(
            "<message type='groupchat' to='{ROOM}'><retract xmlns='{RETRACTION}' id='{id}'/>\
             <no-store xmlns='urn:xmpp:hints'/></message>"
        ),
    );
    assert_eq!(world.room_archive(clients[0]).len(), 2);
}

#[test]
fn nothing_is_taken_back_while_the_disk_refuses() {
    let (mut world, clients, id) = room();
    world.handle(stube::core::Event::StoreStalled("full".into()));
    world.send(clients[1], &retraction(&id));
    world.expect_bounce(clients[1], "resource-constraint");
    world.expect_nothing(clients[0]);
}

#[test]
fn in_a_room_without_archive_it_is_taken_back_from_those_who_enter() {
    let (mut world, clients, _) = room();
    world.core.change_room(&jid(ROOM), |room| room.config.archived = false).expect("a room");
    let id = world.said(clients[1], "<body>hush</body>", &clients.clone());
    world.send(clients[2], &retraction(&id));
    world.expect_bounce(clients[2], "forbidden");
    world.send(clients[1], &retraction(&id));
    let history: Vec<String> = world.room_history("tybalt").iter().map(show).collect();
    assert!(history.iter().all(|message| !message.contains("hush")), "{history:#?}");
    assert!(history.iter().any(|message| message.contains("<retracted")), "{history:#?}");
}

/// Juliet says something, corrects it twice (XEP-0308), and others talk in between: the ids.
fn corrected(world: &mut World, clients: &[Client]) -> Vec<String> {
    let body = |text: &str, id: &str| {
        format!("<message type='groupchat' to='{ROOM}' id='{id}'><body>{text}</body></message>")
    };
    let correction = |text: &str, id: &str| {
        let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='first'/>";
        body(text, id).replace("</message>", &format!("{replace}</message>"))
    };
    let mut ids = Vec::new();
    for (client, message) in [
        (1, body("secret one", "first")),
        (2, body("fine", "fine")),
        (1, correction("secret two", "second")),
        // Somebody else's id is nothing to her.
        (2, correction("also fine", "third")),
        (1, correction("secret three", "fourth")),
        (1, body("still there", "fifth")),
    ] {
        clients.iter().for_each(|client| world.clear(*client));
        world.send(clients[client], &message);
        let told = world.drain(clients[client]).pop().expect("an echo");
        let id = told.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id"));
        ids.push(id.expect("an id").to_owned());
    }
    clients.iter().for_each(|client| world.clear(*client));
    ids
}

#[test]
fn who_takes_back_what_they_have_corrected_takes_back_all_of_it() {
    // The first version, one in between, and the last one; in a room with archive and in one without.
    for (which, archived) in [(0, true), (2, true), (4, true), (0, false), (2, false), (4, false)] {
        let mut world = World::new();
        let clients = world.room_of(&["romeo", "juliet", "nurse"]);
        world.core.change_room(&jid(ROOM), |room| room.config.archived = archived).expect("a room");
        let ids = corrected(&mut world, &clients);
        if which == 0 {
            // In the index or not.
            world.advance(60_000);
        }
        world.send(clients[1], &retraction(&ids[which]));
        assert!(!has_secret(&world));
        let mut left = vec![world.room_history("tybalt")];
        if archived {
            left.push(world.room_archive(clients[0]));
        }
        for messages in left {
            let texts: Vec<String> = (messages.iter())
                .filter_map(|message| message.find("body", "jabber:client"))
                .map(Element::text_content)
                .collect();
            assert_eq!(texts, ["fine", "also fine", "still there", "I take it back"], "{which} {archived}");
            let tombstones =
                messages.iter().filter(|message| message.find("retracted", RETRACTION).is_some());
            assert_eq!(tombstones.count(), 3);
        }
    }
}

#[test]
fn what_is_left_survives_a_restart() {
    let (mut world, clients, id) = room();
    world.core.change_room(&jid(ROOM), |room| room.config.persistent = true).expect("a room");
    world.advance(60_000);
    world.send(clients[1], &retraction(&id));
    world.restart();
    let romeo = world.online("romeo", "phone");
    let archive = world.room_archive(romeo);
    assert_eq!(retracted(&archive[0]).get_attr("id"), Some("retraction"));
    assert!(!has_secret(&world));
}

#[test]
fn who_archives_retractions_says_so() {
    let (mut world, clients, _) = room();
    let features = |world: &mut World, of: &str| {
        let ask = format!(
            "<iq type='get' id='i' to='{of}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        );
        show(&world.expect_result(clients[0], &ask))
    };
    let of_room = features(&mut world, ROOM);
    assert!(of_room.contains("var='urn:xmpp:message-retract:1'"));
    assert!(of_room.contains("var='urn:xmpp:message-retract:1#tombstone'"));
    for of in ["romeo@example.org", "example.org"] {
        let features = features(&mut world, of);
        assert!(features.contains("var='urn:xmpp:message-retract:1'"), "{features}");
        assert!(!features.contains("#tombstone"), "accounts have no tombstones");
    }
    world.configure(|config| config.archive.enabled = false);
    assert!(!features(&mut world, "romeo@example.org").contains("message-retract"));
}

fn jid(text: &str) -> stube::jid::Jid {
    stube::jid::Jid::parse(text).expect("an address")
}

//! XEP-0500: slow mode.

use stube::store::record::RoomAffiliation;

use crate::client::Client;
use crate::rooms::ROOM;
use crate::world::{World, condition_of, show};

fn say(text: &str) -> String {
    format!("<message type='groupchat' id='m' to='{ROOM}'><body>{text}</body></message>")
}

/// Romeo's room, slow by twenty seconds, and two who are participants.
fn slow(world: &mut World) -> [Client; 3] {
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    world.shape_room(ROOM, |config| config.slow_mode = 20);
    [clients[0], clients[1], clients[2]]
}

fn messages(world: &mut World, client: Client) -> usize {
    world.drain(client).iter().filter(|stanza| stanza.get_attr("type") == Some("groupchat")).count()
}

// §5 "server MUST NOT accept two consecutive messages from the same user, to the same room, until the slow mode duration has
// elapsed"; "The rejected message MUST NOT be forwarded to other room occupants"
#[test]
fn a_person_says_something_every_so_many_seconds() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = slow(&mut world);
    world.send(juliet, &say("one"));
    world.advance(19_000);
    world.clear(juliet);
    world.send(juliet, &say("two"));
    let error = world.receive(juliet);
    assert_eq!(condition_of(&error).as_deref(), Some("policy-violation"));
    let kind = error.find("error", "jabber:client").and_then(|error| error.get_attr("type"));
    assert_eq!(kind, Some("wait"));
    assert!(show(&error).contains("20 seconds"), "{}", show(&error));
    assert_eq!(messages(&mut world, romeo), 1);
    // Others have not said anything yet; and what was refused counts for nothing.
    world.send(nurse, &say("three"));
    world.advance(1000);
    world.send(juliet, &say("four"));
    assert_eq!(messages(&mut world, romeo), 2);
}

// §5 "Only messages containing at least one <body/> element must be taking into account"
#[test]
fn that_somebody_types_does_not_count() {
    let mut world = World::new();
    let [romeo, juliet, _] = slow(&mut world);
    let typing = format!(
        "<message type='groupchat' to='{ROOM}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    );
    world.send(juliet, &typing);
    world.send(juliet, &say("one"));
    world.send(juliet, &typing);
    assert_eq!(messages(&mut world, romeo), 3);
}

// §5 "Room administrators and owners MUST NOT be rate limited"
#[test]
fn admins_and_owners_do_not_wait() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = slow(&mut world);
    world.affiliate(ROOM, "juliet", RoomAffiliation::Admin);
    for client in [romeo, juliet] {
        world.send(client, &say("one"));
        world.send(client, &say("two"));
    }
    assert_eq!(messages(&mut world, nurse), 4);
    world.affiliate(ROOM, "nurse", RoomAffiliation::Member);
    world.send(nurse, &say("one"));
    world.clear(nurse);
    world.send(nurse, &say("two"));
    world.expect_bounce(nurse, "policy-violation");
}

// §7 "As a same user can join a room with multiple sessions and/or nicknames, the server MUST [...] apply the same limits to
// all user's sessions"
#[test]
fn neither_another_device_nor_another_nick_nor_coming_anew_helps() {
    let mut world = World::new();
    let [_, juliet, _] = slow(&mut world);
    world.send(juliet, &say("one"));
    let (tablet, laptop) = (world.online("juliet", "tablet"), world.online("juliet", "laptop"));
    world.enter(tablet, ROOM, "juliet");
    world.enter(laptop, ROOM, "capulet");
    world.send(juliet, &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    world.enter(juliet, ROOM, "Juliet");
    for client in [juliet, tablet, laptop] {
        world.clear(client);
        world.send(client, &say("two"));
        world.expect_bounce(client, "policy-violation");
    }
}

#[test]
fn a_room_remembers_while_nobody_is_in_it() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = slow(&mut world);
    world.shape_room(ROOM, |config| {
        config.slow_mode = 3600;
        config.persistent = true;
    });
    world.send(juliet, &say("one"));
    for (client, nick) in [(romeo, "romeo"), (juliet, "juliet"), (nurse, "nurse")] {
        world.send(client, &format!("<presence type='unavailable' to='{ROOM}/{nick}'/>"));
    }
    for _ in 0..3 {
        world.advance(60_000);
    }
    world.enter(juliet, ROOM, "juliet");
    world.clear(juliet);
    world.send(juliet, &say("two"));
    world.expect_bounce(juliet, "policy-violation");
}

#[test]
fn what_was_refused_is_in_no_archive() {
    let mut world = World::new();
    let [_, juliet, _] = slow(&mut world);
    let rows = |world: &mut World| world.rows(stube::store::Table::Archive);
    world.send(juliet, &say("one"));
    let before = rows(&mut world);
    world.send(juliet, &say("two"));
    assert_eq!(rows(&mut world), before);
}

// §4.2 "the server MUST respond on room information queries by adding a 'muc#roominfo_slow_mode_duration' field"
#[test]
fn a_room_says_how_slow_it_is() {
    let mut world = World::new();
    let [romeo, ..] = slow(&mut world);
    let asks = format!(
        "<iq type='get' id='d' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    );
    let field = |seconds: u32| {
        format!(
            "<field var='muc#roominfo_slow_mode_duration' type='text-single'><value>{seconds}</value></field>"
        )
    };
    assert!(show(&world.expect_result(romeo, &asks)).contains(&field(20)));
    world.shape_room(ROOM, |config| config.slow_mode = 0);
    assert!(show(&world.expect_result(romeo, &asks)).contains(&field(0)));
}

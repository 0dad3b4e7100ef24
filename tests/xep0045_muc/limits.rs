//! What `[rooms]` in the configuration allows (§13.7): who may make rooms and how many, and how fast one may talk.

use stube::config::{Limit, RoomMakers};
use stube::store::Table;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ROOM, ROOMS, entering};
use crate::world::{World, show};

fn room(n: usize) -> String {
    format!("room-{n}@{ROOMS}")
}

fn say(world: &mut World, client: Client, text: &str) {
    world
        .send(client, &format!("<message type='groupchat' to='{ROOM}' id='m'><body>{text}</body></message>"));
}

fn is_error(stanza: &Element) -> bool {
    stanza.get_attr("type") == Some("error")
}

#[test]
fn those_who_have_an_account_here_may_make_rooms_and_others_may_not() {
    let mut world = World::federated();
    world.from_remote(&entering(ROOM, "Eve").replace("<presence ", "<presence from='eve@example.net/x' "));
    let refused = world.to_remote().pop().expect("an answer");
    assert!(
        show(&refused).contains("<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"),
        "{refused:?}"
    );
    assert_eq!(world.rows(Table::Rooms), 0);
    let romeo = world.room_of(&["romeo"])[0];
    // Once it is there, she may come.
    world.from_remote(&entering(ROOM, "Eve").replace("<presence ", "<presence from='eve@example.net/x' "));
    assert_eq!(world.receive(romeo).get_attr("from"), Some(format!("{ROOM}/Eve").as_str()));
}

#[test]
fn the_configuration_can_let_anyone_make_rooms() {
    let mut world = World::with(|config| config.rooms.create = RoomMakers::Anyone);
    world.core.federated = true;
    world.from_remote(&entering(ROOM, "Eve").replace("<presence ", "<presence from='eve@example.net/x' "));
    assert_eq!(world.rows(Table::Rooms), 1);
}

#[test]
fn the_configuration_can_leave_that_to_the_admins() {
    let mut world = World::with(|config| {
        config.rooms.create = RoomMakers::Admins;
        config.admins = vec!["romeo@example.org".into()];
    });
    let juliet = world.online("juliet", "phone");
    world.expect_no_entry(juliet, ROOM, "juliet", "not-allowed");
    world.room_of(&["romeo"]);
    world.enter(juliet, ROOM, "juliet");
}

#[test]
fn one_person_makes_so_many_rooms_and_when_one_is_gone_another() {
    let mut world = World::with(|config| config.rooms.per_person = Limit::of(3));
    let romeo = world.online("romeo", "phone");
    for n in 0..3 {
        world.enter(romeo, &room(n), "Romeo");
        world.open_room(romeo, &room(n));
    }
    world.expect_no_entry(romeo, &room(3), "Romeo", "not-allowed");
    let laptop = world.online("romeo", "laptop");
    world.expect_no_entry(laptop, &room(3), "Romeo", "not-allowed");
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, &room(4), "Juliet");
    world.send(romeo, &format!("<presence type='unavailable' to='{}/Romeo'/>", room(1)));
    world.enter(romeo, &room(3), "Romeo");
    world.expect_no_entry(romeo, &room(1), "Romeo", "not-allowed");
}

#[test]
fn the_rooms_that_one_has_made_are_counted_after_a_restart() {
    let mut world = World::with(|config| config.rooms.per_person = Limit::of(1));
    world.room_of(&["romeo"]);
    world.restart();
    let romeo = world.online("romeo", "phone");
    world.expect_no_entry(romeo, &room(1), "Romeo", "not-allowed");
    world.enter(romeo, ROOM, "Romeo");
}

#[test]
fn admins_make_as_many_rooms_as_they_like() {
    let mut world = World::with(|config| {
        config.rooms.per_person = Limit::of(1);
        config.admins = vec!["romeo@example.org".into()];
    });
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, &room(1), "Romeo");
    world.enter(romeo, &room(2), "Romeo");
}

#[test]
fn who_talks_too_fast_is_asked_to_wait_and_stays() {
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::of(60));
    let clients = world.room_of(&["romeo", "juliet"]);
    for n in 0..25 {
        say(&mut world, clients[0], &n.to_string());
    }
    let heard = world.drain(clients[1]);
    assert_eq!(heard.len(), 20);
    let told = world.drain(clients[0]);
    assert_eq!(told.iter().filter(|stanza| is_error(stanza)).count(), 5);
    let error =
        told.iter().find(|stanza| is_error(stanza)).and_then(|stanza| stanza.find("error", "jabber:client"));
    let error = error.expect("an error");
    assert_eq!(error.get_attr("type"), Some("wait"));
    assert!(error.find("policy-violation", "urn:ietf:params:xml:ns:xmpp-stanzas").is_some());
    assert!(error.find("text", "urn:ietf:params:xml:ns:xmpp-stanzas").is_some());
    // One more a second from then on.
    world.advance(1000);
    say(&mut world, clients[0], "patient");
    say(&mut world, clients[0], "impatient");
    assert_eq!(world.drain(clients[1]).len(), 1);
}

#[test]
fn the_others_may_go_on_talking() {
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::of(60));
    let clients = world.room_of(&["romeo", "juliet"]);
    for n in 0..30 {
        say(&mut world, clients[0], &n.to_string());
    }
    world.clear(clients[1]);
    say(&mut world, clients[1], "Peace!");
    assert!(!is_error(&world.receive(clients[1])));
}

#[test]
fn to_leave_and_to_come_again_gains_nothing() {
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::of(60));
    let clients = world.room_of(&["romeo", "juliet"]);
    for n in 0..20 {
        say(&mut world, clients[1], &n.to_string());
    }
    world.send(clients[1], &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    world.enter(clients[1], ROOM, "Juliet");
    say(&mut world, clients[1], "again");
    world.expect_bounce(clients[1], "policy-violation");
}

#[test]
fn private_messages_subjects_invitations_presence_and_nicks_count_too() {
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::of(60));
    let clients = world.room_of(&["romeo", "juliet"]);
    for n in 0..20 {
        world.send(
            clients[0],
            &format!("<message type='chat' to='{ROOM}/juliet' id='m'><body>{n}</body></message>"),
        );
    }
    world.expect_nothing(clients[0]);
    assert_eq!(world.drain(clients[1]).len(), 20);
    for stanza in [
        format!("<message type='chat' to='{ROOM}/juliet' id='m'><body>more</body></message>"),
        format!("<message type='groupchat' to='{ROOM}' id='m'><subject>more</subject></message>"),
        format!("<presence to='{ROOM}/more'/>"),
        format!("<presence to='{ROOM}/romeo'><show>away</show></presence>"),
        format!(
            "<message to='{ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <invite to='juliet@example.org'/></x></message>"
        ),
    ] {
        world.send(clients[0], &stanza);
        world.expect_bounce(clients[0], "policy-violation");
    }
    world.expect_nothing(clients[1]);
}

#[test]
fn without_a_limit_one_talks_as_fast_as_one_can() {
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::OFF);
    let clients = world.room_of(&["romeo", "juliet"]);
    for n in 0..100 {
        say(&mut world, clients[0], &n.to_string());
    }
    assert_eq!(world.drain(clients[1]).len(), 100);
}

#[test]
fn a_room_is_full_with_so_many_but_not_for_its_admins() {
    let mut world = World::with(|config| config.rooms.occupants = Limit::of(2));
    world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    world.expect_no_entry(nurse, ROOM, "nurse", "service-unavailable");
    let other = world.online("juliet", "laptop");
    world.enter(other, ROOM, "juliet");
    world.set_affiliation(ROOM, "nurse@example.org", stube::store::record::RoomAffiliation::Admin, "");
    world.enter(nurse, ROOM, "nurse");
}

#[test]
fn a_subject_is_no_longer_than_the_configuration_allows() {
    let mut world = World::with(|config| config.rooms.subject_bytes = Limit::of(100));
    let clients = world.room_of(&["romeo", "juliet"]);
    let subject =
        |text: &str| format!("<message type='groupchat' to='{ROOM}'><subject>{text}</subject></message>");
    world.send(clients[0], &subject(&"x".repeat(100)));
    world.expect_bounce(clients[0], "not-acceptable");
    world.expect_nothing(clients[1]);
    world.send(clients[0], &subject("short"));
    assert!(world.receive(clients[1]).find("subject", "jabber:client").is_some());
}

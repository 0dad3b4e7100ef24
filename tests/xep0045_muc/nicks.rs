//! Nicks: what they may be (§15.1), and that nobody has one that others could take for somebody else's (§7.2.8, §7.6,
//! §13.6).

use stube::config::Limit;
use stube::store::record::RoomAffiliation;

use crate::rooms::{ROOM, codes};
use crate::world::World;

#[test]
fn nobody_else_enters_under_a_nick_that_is_there() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    world.expect_no_entry(juliet, ROOM, "romeo", "conflict");
}

#[test]
fn nobody_enters_under_a_nick_that_looks_like_one_that_is_there() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    let juliet = world.online("juliet", "phone");
    for nick in ["Romeo", " romeo", "romeo ", "r\u{43e}meo", "rorneo", "r0meo", "\u{ff52}omeo"] {
        world.expect_no_entry(juliet, ROOM, nick, "conflict");
    }
    world.expect_nothing(romeo);
    world.enter(juliet, ROOM, "romea");
}

#[test]
fn a_nick_is_free_again_when_its_owner_is_gone() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[1], &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    let nurse = world.online("nurse", "phone");
    world.enter(nurse, ROOM, "JULIET");
    world.send(nurse, &format!("<presence to='{ROOM}/nurse'/>"));
    world.clear(nurse);
    world.enter(clients[1], ROOM, "Juliet");
}

#[test]
fn one_person_may_have_nicks_that_look_alike() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let other = world.online("romeo", "laptop");
    world.enter(other, ROOM, "Romeo");
    world.send(other, &format!("<presence to='{ROOM}/ROMEO'/>"));
    let told = world.drain(other);
    assert!(told.iter().any(|stanza| codes(stanza).contains(&"303".into())), "{told:?}");
}

#[test]
fn nobody_changes_to_a_nick_that_looks_like_one_that_is_there() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    for nick in ["romeo", "ROMEO", "r\u{3bf}meo"] {
        world.send(clients[1], &format!("<presence to='{ROOM}/{nick}'/>"));
        world.expect_bounce(clients[1], "conflict");
    }
    world.expect_nothing(clients[0]);
}

#[test]
fn a_reserved_nick_and_what_looks_like_it_are_for_its_owner() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Member, "Nurse");
    let juliet = world.online("juliet", "phone");
    world.expect_no_entry(juliet, ROOM, "Nurse", "conflict");
    world.expect_no_entry(juliet, ROOM, "NUR\u{405}E", "conflict");
    let nurse = world.online("nurse", "phone");
    world.enter(nurse, ROOM, "nurse");
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Member, "");
    world.send(nurse, &format!("<presence type='unavailable' to='{ROOM}/nurse'/>"));
    world.enter(juliet, ROOM, "Nurse");
}

#[test]
fn reserved_nicks_are_known_after_a_restart() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Member, "Nurse");
    world.restart();
    let juliet = world.online("juliet", "phone");
    world.expect_no_entry(juliet, ROOM, "nurse", "conflict");
}

#[test]
fn a_nick_has_something_to_see_in_it() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    let juliet = world.online("juliet", "phone");
    for nick in [" ", "   ", "\u{2003}", "\u{2800}", "\u{2800} \u{2800}"] {
        world.expect_no_entry(juliet, ROOM, nick, "jid-malformed");
        world.send(romeo, &format!("<presence to='{ROOM}/{nick}'/>"));
        world.expect_bounce(romeo, "jid-malformed");
    }
    // What is not even the resource of an address.
    for nick in ["", "\u{200b}", "a\u{202e}b", "\u{ad}"] {
        world.expect_no_entry(juliet, ROOM, nick, "jid-malformed");
    }
}

#[test]
fn a_nick_is_no_longer_than_the_configuration_allows() {
    let mut world = World::with(|config| config.rooms.nick_bytes = Limit::of(5));
    let romeo = world.room_of(&["romeo"])[0];
    let juliet = world.online("juliet", "phone");
    world.expect_no_entry(juliet, ROOM, "juliet", "not-acceptable");
    world.send(romeo, &format!("<presence to='{ROOM}/romeo2'/>"));
    world.expect_bounce(romeo, "not-acceptable");
    world.enter(juliet, ROOM, "julie");
}

#[test]
fn a_nick_that_is_refused_makes_no_room() {
    let mut world = World::with(|config| config.rooms.nick_bytes = Limit::of(5));
    let romeo = world.online("romeo", "phone");
    world.expect_no_entry(romeo, "new@conference.example.org", "Romeo M.", "not-acceptable");
    assert_eq!(world.rows(stube::store::Table::Rooms), 0);
}

//! §7.2: entering a room.

use crate::rooms::{ROOM, codes, entering, item};
use crate::world::World;

#[test]
fn who_comes_first_makes_the_room_and_owns_it() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    let told = world.enter(romeo, ROOM, "Romeo");
    let own = &told[0];
    assert_eq!(codes(own), ["110", "170", "201"]);
    assert_eq!(item(own, "affiliation").as_deref(), Some("owner"));
    assert_eq!(item(own, "role").as_deref(), Some("moderator"));
}

#[test]
fn nobody_else_gets_in_before_the_room_is_configured() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "Romeo");
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &entering(ROOM, "Juliet"));
    world.expect_bounce(juliet, "item-not-found");
}

#[test]
fn who_enters_sees_everyone_and_is_seen_by_everyone() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    let told = world.enter(nurse, ROOM, "nurse");
    let seen: Vec<_> = told.iter().filter_map(|stanza| stanza.get_attr("from")).collect();
    let of = |nick: &str| format!("{ROOM}/{nick}");
    assert_eq!(seen, [of("juliet"), of("romeo"), of("nurse"), ROOM.into()]);
    for client in clients {
        let shown = world.receive(client);
        assert_eq!(shown.get_attr("from"), Some(of("nurse").as_str()));
        assert_eq!(item(&shown, "role").as_deref(), Some("participant"));
    }
}

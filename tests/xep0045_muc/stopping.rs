//! The server stops (§11.2) and starts again: who is told, and which rooms are left.

use stube::core::Event;
use stube::store::Table;

use crate::rooms::{ROOM, codes, item};
use crate::world::World;

const MINUTE: u64 = 60_000;

/// Time passes, as the server is woken now and then.
fn wait(world: &mut World, minutes: u64) {
    for _ in 0..2 * minutes {
        world.advance(MINUTE / 2);
    }
}

#[test]
fn everyone_is_told_that_the_service_stops_once_and_of_themselves() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.handle(Event::Shutdown);
    for (client, nick) in clients.into_iter().zip(["romeo", "juliet"]) {
        let told: Vec<_> =
            world.drain(client).into_iter().filter(|stanza| stanza.name == "presence").collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].get_attr("type"), Some("unavailable"));
        assert_eq!(told[0].get_attr("from"), Some(format!("{ROOM}/{nick}").as_str()));
        assert_eq!(codes(&told[0]), ["110", "332"]);
        assert_eq!(item(&told[0], "role").as_deref(), Some("none"));
    }
}

#[test]
fn those_of_other_servers_are_told_too() {
    let mut world = World::federated();
    world.room_of(&["romeo"]);
    world.from_remote(&format!(
        "<presence from='eve@example.net/x' to='{ROOM}/Eve'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    world.to_remote();
    world.handle(Event::Shutdown);
    let told = world.to_remote();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(codes(&told[0]), ["110", "332"]);
}

#[test]
fn a_temporary_room_waits_for_its_people_after_a_restart_and_goes_on_with_them() {
    let mut world = World::new();
    world.room_of(&["romeo", "juliet"]);
    world.handle(Event::Shutdown);
    assert_eq!(world.rows(Table::Rooms), 1);
    world.restart();
    wait(&mut world, 14);
    let juliet = world.online("juliet", "phone");
    let told = world.enter(juliet, ROOM, "Juliet");
    assert_eq!(item(&told[0], "affiliation").as_deref(), Some("none"), "it is still Romeo's");
    wait(&mut world, 2);
    assert_eq!(world.rows(Table::Rooms), 1);
    world.send(juliet, &format!("<presence type='unavailable' to='{ROOM}/Juliet'/>"));
    assert_eq!(world.rows(Table::Rooms), 0);
}

#[test]
fn it_goes_if_nobody_comes_back() {
    let mut world = World::new();
    world.room_of(&["romeo", "juliet"]);
    world.restart();
    wait(&mut world, 14);
    assert_eq!(world.rows(Table::Rooms), 1);
    wait(&mut world, 2);
    assert_eq!(world.rows(Table::Rooms), 0);
    assert_eq!(world.rows(Table::RoomPeople), 0);
    // And there is place for another.
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, ROOM, "Juliet");
}

#[test]
fn a_persistent_room_does_not_go() {
    let mut world = World::new();
    world.room_of(&["romeo", "juliet"]);
    world.set_room(ROOM, |room| room.persistent = true);
    world.restart();
    wait(&mut world, 20);
    assert_eq!(world.rows(Table::Rooms), 1);
}

#[test]
fn one_that_became_persistent_while_it_waited_does_not_go() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    world.restart();
    world.set_room(ROOM, |room| room.persistent = true);
    wait(&mut world, 20);
    assert_eq!(world.rows(Table::Rooms), 1);
}

#[test]
fn a_room_that_could_not_be_removed_goes_when_the_disk_works_again() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.handle(Event::StoreStalled("full".into()));
    world.send(romeo, &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
    wait(&mut world, 1);
    assert_eq!(world.rows(Table::Rooms), 1);
    world.handle(Event::StoreResumed);
    wait(&mut world, 1);
    assert_eq!(world.rows(Table::Rooms), 0);
}

//! An account is deleted: rooms forget it.

use stube::control::Request;
use stube::store::Table;
use stube::store::record::RoomAffiliation;

use crate::rooms::{ROOM, item};
use crate::world::World;

fn delete(world: &mut World, name: &str) {
    world.control(Request::UserRemove { address: format!("{name}@example.org") });
}

#[test]
fn whoever_gets_its_address_next_is_nobody_to_the_rooms() {
    let mut world = World::new();
    world.room_of(&["romeo", "juliet"]);
    world.set_room(ROOM, |room| room.persistent = true);
    world.set_affiliation(ROOM, "juliet@example.org", RoomAffiliation::Admin, "Juliet");
    world.restart();
    delete(&mut world, "juliet");
    assert_eq!(world.affiliation(ROOM, "juliet@example.org"), RoomAffiliation::None);
    assert_eq!(world.rows(Table::RoomPeople), 1);
    world.restart();
    let juliet = world.online("juliet", "phone");
    let told = world.enter(juliet, ROOM, "Juliet");
    assert_eq!(item(&told[0], "affiliation").as_deref(), Some("none"));
}

#[test]
fn a_change_that_is_not_on_disk_yet_goes_too() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    world.account("juliet");
    world.hold_commits();
    world.set_affiliation(ROOM, "juliet@example.org", RoomAffiliation::Member, "");
    delete(&mut world, "juliet");
    world.commit();
    assert_eq!(world.affiliation(ROOM, "juliet@example.org"), RoomAffiliation::None);
    assert_eq!(world.rows(Table::RoomPeople), 1);
}

#[test]
fn a_ban_goes_with_the_account_that_it_was_for() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    world.account("tybalt");
    world.set_affiliation(ROOM, "tybalt@example.org", RoomAffiliation::Outcast, "");
    delete(&mut world, "tybalt");
    assert_eq!(world.affiliation(ROOM, "tybalt@example.org"), RoomAffiliation::None);
}

#[test]
fn the_admins_of_a_room_own_it_when_its_last_owner_is_deleted() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    world.set_room(ROOM, |room| room.persistent = true);
    world.set_affiliation(ROOM, "juliet@example.org", RoomAffiliation::Admin, "");
    delete(&mut world, "romeo");
    assert_eq!(world.affiliation(ROOM, "juliet@example.org"), RoomAffiliation::Owner);
    assert_eq!(world.affiliation(ROOM, "nurse@example.org"), RoomAffiliation::None);
    let told = world.drain(clients[1]);
    let own = told.iter().find(|stanza| item(stanza, "affiliation").as_deref() == Some("owner"));
    assert_eq!(own.and_then(|own| item(own, "role")).as_deref(), Some("moderator"), "{told:?}");
}

#[test]
fn without_any_the_admins_of_the_server_do() {
    let mut world = World::with(|config| config.admins = vec!["prince@example.org".into()]);
    world.room_of(&["romeo", "juliet"]);
    world.set_room(ROOM, |room| room.persistent = true);
    delete(&mut world, "romeo");
    assert_eq!(world.affiliation(ROOM, "prince@example.org"), RoomAffiliation::Owner);
    assert_eq!(world.affiliation(ROOM, "juliet@example.org"), RoomAffiliation::None);
}

#[test]
fn a_room_with_another_owner_stays_theirs_alone() {
    let mut world = World::with(|config| config.admins = vec!["prince@example.org".into()]);
    world.room_of(&["romeo", "juliet"]);
    world.set_room(ROOM, |room| room.persistent = true);
    world.set_affiliation(ROOM, "juliet@example.org", RoomAffiliation::Owner, "");
    delete(&mut world, "romeo");
    assert_eq!(world.affiliation(ROOM, "prince@example.org"), RoomAffiliation::None);
}

#[test]
fn the_rooms_that_it_has_made_do_not_count_for_the_next_one() {
    let mut world = World::with(|config| config.rooms.per_person = stube::config::Limit::of(1));
    world.room_of(&["romeo"]);
    world.set_room(ROOM, |room| room.persistent = true);
    delete(&mut world, "romeo");
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, "hall@conference.example.org", "Romeo");
}

#[test]
fn the_others_see_it_leave_and_its_temporary_room_goes() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    delete(&mut world, "romeo");
    let told = world.drain(clients[1]);
    let left = told.iter().filter(|stanza| stanza.get_attr("type") == Some("unavailable"));
    assert_eq!(left.count(), 1, "{told:?}");
    delete(&mut world, "juliet");
    assert_eq!(world.rows(Table::Rooms), 0);
    assert_eq!(world.rows(Table::RoomPeople), 0);
}

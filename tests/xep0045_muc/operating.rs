//! What the operator of a server that runs sees of its rooms, and does with them (`stube room …`).

use stube::config::{RoomMembers, StandingRoom};
use stube::control::{Request, Response};
use stube::core::Event;
use stube::store::Table;
use stube::store::record::RoomAffiliation;

use crate::rooms::{ROOM, USER, item};
use crate::world::World;

fn lines(world: &mut World, request: Request) -> Vec<String> {
    match world.control(request) {
        Response::Done(lines) => lines,
        Response::Failed(why) => vec![format!("failed: {why}")],
    }
}

fn show(world: &mut World, room: &str) -> Vec<String> {
    lines(world, Request::RoomShow { address: room.into() })
}

fn delete(world: &mut World, room: &str) -> Vec<String> {
    lines(world, Request::RoomDelete { address: room.into() })
}

#[test]
fn rooms_are_listed_with_their_titles_and_how_many_are_in_them() {
    let mut world = World::new();
    assert!(lines(&mut world, Request::RoomList).is_empty());
    let clients = world.room_of(&["romeo", "juliet"]);
    world.set_room(ROOM, |room| room.title = "Kitchen\u{9b}".into());
    world.enter(clients[0], "attic@conference.example.org", "Romeo");
    assert_eq!(
        lines(&mut world, Request::RoomList),
        ["attic@conference.example.org  (1 here)", "kitchen@conference.example.org  Kitchen   (2 here)"]
    );
}

#[test]
fn hundreds_of_rooms_are_all_listed() {
    let mut world = World::with(|config| config.rooms.per_person = stube::config::Limit::OFF);
    let romeo = world.online("romeo", "phone");
    for n in 0..600 {
        world.send(romeo, &crate::rooms::entering(&format!("room-{n}@conference.example.org"), "Romeo"));
        world.clear(romeo);
    }
    assert_eq!(lines(&mut world, Request::RoomList).len(), 600);
}

#[test]
fn a_room_is_shown_with_those_who_are_in_it_and_those_who_belong_to_it() {
    let mut world = World::new();
    world.room_of(&["romeo", "juliet"]);
    world.set_room(ROOM, |room| (room.password, room.members_only) = ("secret".into(), true));
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Member, "Angelica");
    let shown = show(&mut world, ROOM);
    for line in [
        "address        kitchen@conference.example.org",
        "by             romeo@example.org",
        "is             temporary, for members only, with a password, archived",
        "here           juliet (juliet@example.org), participant",
        "here           romeo (romeo@example.org), moderator",
        "owner          romeo@example.org",
        "member         nurse@example.org (Angelica)",
    ] {
        assert!(shown.iter().any(|shown| shown == line), "{line} in {shown:#?}");
    }
    assert!(!shown.iter().any(|line| line.contains("secret")), "{shown:#?}");
}

#[test]
fn who_is_in_a_room_that_is_deleted_is_told_and_nothing_is_left() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.set_room(ROOM, |room| room.persistent = true);
    assert!(delete(&mut world, ROOM).is_empty());
    for client in clients {
        let told = world.drain(client);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].get_attr("type"), Some("unavailable"));
        assert_eq!(item(&told[0], "affiliation").as_deref(), Some("none"));
        assert!(told[0].find("x", USER).and_then(|x| x.find("destroy", USER)).is_some());
    }
    assert_eq!((world.rows(Table::Rooms), world.rows(Table::RoomPeople)), (0, 0));
}

#[test]
fn what_is_no_room_is_neither_shown_nor_deleted() {
    let mut world = World::new();
    for address in [ROOM, "romeo@example.org", "conference.example.org"] {
        let unknown = format!("failed: there is no room {address}; see stube room list");
        assert_eq!(show(&mut world, address).join("\n"), unknown);
        assert_eq!(delete(&mut world, address).join("\n"), unknown);
    }
    assert!(show(&mut world, "@")[0].starts_with("failed: \"@\" is no address"));
}

#[test]
fn while_nothing_can_be_kept_no_room_is_deleted() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.handle(Event::StoreStalled("full".into()));
    assert!(delete(&mut world, ROOM)[0].starts_with("failed: "));
    world.expect_nothing(romeo);
    assert_eq!(lines(&mut world, Request::RoomList).len(), 1);
}

#[test]
fn who_deletes_a_room_of_the_configuration_is_told_that_it_comes_back() {
    let mut world = World::with(|config| {
        config.standing_rooms = vec![StandingRoom {
            name: "family".into(),
            domain: String::new(),
            title: String::new(),
            description: String::new(),
            members: RoomMembers::Everyone,
            owners: Vec::new(),
            autojoin: true,
        }];
    });
    world.handle(Event::Tick);
    let shown = show(&mut world, "family@conference.example.org");
    assert!(shown.contains(&"member         everyone of example.org".to_owned()), "{shown:#?}");
    let told = delete(&mut world, "family@conference.example.org");
    assert!(told[0].starts_with("the configuration asks for this room"), "{told:?}");
    assert_eq!(world.rows(Table::Rooms), 0);
}

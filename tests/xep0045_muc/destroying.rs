//! §10.9: the end of a room.

use crate::rooms::{OWNER, ROOM, USER, codes, item};
use crate::world::World;
use stube::store::Table;
use stube::xml::Element;

fn destroy(content: &str) -> String {
    format!("<iq type='set' id='end' to='{ROOM}'><query xmlns='{OWNER}'>{content}</query></iq>")
}

fn told(presence: &Element) -> Element {
    presence.find("x", USER).and_then(|x| x.find("destroy", USER)).expect("the end").clone()
}

#[test]
fn everyone_gets_one_presence_that_says_where_else_to_meet_and_why() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let laptop = world.online("juliet", "laptop");
    world.enter(laptop, ROOM, "juliet");
    clients.iter().for_each(|client| world.clear(*client));
    let venue = "<destroy jid='crypt@conference.example.org'><password>onion</password>\
                 <reason>Dawn</reason></destroy>";
    world.send(clients[0], &destroy(venue));
    for (client, nick) in [(clients[0], "romeo"), (clients[1], "juliet"), (laptop, "juliet")] {
        let gone = world.receive(client);
        assert_eq!(gone.get_attr("from"), Some(format!("{ROOM}/{nick}").as_str()));
        assert_eq!(gone.get_attr("type"), Some("unavailable"));
        assert_eq!(item(&gone, "affiliation").as_deref(), Some("none"));
        assert_eq!(item(&gone, "role").as_deref(), Some("none"));
        assert_eq!(codes(&gone), ["110"]);
        let told = told(&gone);
        assert_eq!(told.get_attr("jid"), Some("crypt@conference.example.org"));
        assert_eq!(told.find("reason", USER).expect("a reason").text_content(), "Dawn");
        assert_eq!(told.find("password", USER).expect("a password").text_content(), "onion");
    }
    assert_eq!(world.receive(clients[0]).get_attr("type"), Some("result"));
    clients.iter().for_each(|client| world.expect_nothing(*client));
}

#[test]
fn without_a_word_the_end_is_still_said() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.expect_result(clients[0], &destroy("<destroy/>"));
    let told = told(&world.receive(clients[1]));
    assert!(told.attrs.is_empty() && told.children.is_empty(), "{told:?}");
}

#[test]
fn nothing_is_left_of_a_room_that_has_ended() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.configure_room(clients[0], ROOM, &[("persistentroom", "1"), ("roomname", "The kitchen")]);
    world.change_person(clients[0], ROOM, "jid='tybalt@example.org' affiliation='outcast'");
    world.send(clients[0], &format!("<message type='groupchat' to='{ROOM}'><body>bye</body></message>"));
    world.expect_result(clients[0], &destroy("<destroy/>"));
    assert_eq!((world.rows(Table::Rooms), world.rows(Table::RoomPeople)), (0, 0));
    // Whoever comes next has a room of their own.
    let tybalt = world.online("tybalt", "phone");
    let own = world.enter(tybalt, ROOM, "tybalt").into_iter().find(|stanza| stanza.name == "presence");
    assert!(codes(&own.expect("its presence")).contains(&"201".to_owned()));
    world.restart();
    assert_eq!(world.rows(Table::Rooms), 1);
}

#[test]
fn an_owner_who_is_not_there_can_end_a_room() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[0], &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
    world.clear(clients[1]);
    world.expect_result(clients[0], &destroy("<destroy/>"));
    told(&world.receive(clients[1]));
}

#[test]
fn nobody_else_ends_a_room() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='admin'");
    clients.iter().for_each(|client| world.clear(*client));
    let stranger = world.online("tybalt", "phone");
    for client in [clients[1], stranger] {
        world.expect_error(client, &destroy("<destroy/>"), "forbidden");
    }
    world.expect_nothing(clients[0]);
}

#[test]
fn what_is_said_at_the_end_has_bounds() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let long = "x".repeat(1025);
    for (said, condition) in [
        (format!("<destroy><reason>{long}</reason></destroy>"), "not-acceptable"),
        (format!("<destroy><password>{long}</password></destroy>"), "not-acceptable"),
        ("<destroy jid='@nowhere'/>".to_owned(), "jid-malformed"),
    ] {
        world.expect_error(clients[0], &destroy(&said), condition);
    }
    world.expect_nothing(clients[1]);
}

#[test]
fn those_from_elsewhere_are_told_too() {
    let mut world = World::federated();
    let clients = world.room_of(&["romeo"]);
    world.from_remote(
        &crate::rooms::entering(ROOM, "witch").replace("to=", "from='witch@heath.example/a' to="),
    );
    world.to_remote();
    world.expect_result(clients[0], &destroy("<destroy/>"));
    let gone = world.to_remote();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].get_attr("to"), Some("witch@heath.example/a"));
    told(&gone[0]);
}

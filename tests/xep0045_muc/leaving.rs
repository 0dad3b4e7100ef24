//! §7.14, §11: leaving a room, on purpose or not.

use crate::rooms::{ROOM, codes, entering, item};
use crate::world::World;

fn of(nick: &str) -> String {
    format!("{ROOM}/{nick}")
}

#[test]
fn who_leaves_is_told_and_so_is_everyone() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(
        clients[1],
        &format!("<presence type='unavailable' to='{ROOM}/juliet'><status>bye</status></presence>"),
    );
    for (client, expected) in [(clients[1], vec!["110"]), (clients[0], vec![])] {
        let gone = world.receive(client);
        assert_eq!(
            (gone.get_attr("from"), gone.get_attr("type")),
            (Some(of("juliet").as_str()), Some("unavailable"))
        );
        assert_eq!(
            (item(&gone, "role").as_deref(), item(&gone, "affiliation").as_deref()),
            (Some("none"), Some("none"))
        );
        assert_eq!(codes(&gone), expected);
        assert_eq!(
            gone.find("status", "jabber:client").map(|status| status.text_content()).as_deref(),
            Some("bye")
        );
        world.expect_nothing(client);
    }
}

#[test]
fn who_goes_offline_leaves_the_rooms_too() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[1], "<presence type='unavailable'/>");
    let gone = world.receive(clients[0]);
    assert_eq!((gone.get_attr("type"), codes(&gone)), (Some("unavailable"), vec![]));
}

#[test]
fn a_client_that_dies_is_out_with_status_333() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.cut(clients[1]);
    let gone = world.receive(clients[0]);
    assert_eq!((gone.get_attr("from"), codes(&gone)), (Some(of("juliet").as_str()), vec!["333".into()]));
    assert_eq!(item(&gone, "role").as_deref(), Some("none"));
    world.expect_nothing(clients[0]);
}

#[test]
fn a_client_that_does_not_read_is_out_and_the_others_are_served() {
    let mut world = World::with(|config| {
        config.limits.outbox_bytes = stube::config::Limit::of(30_000);
        config.rooms.messages_per_minute = stube::config::Limit::OFF;
    });
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    world.stop_reading(clients[1]);
    let body = "x".repeat(2000);
    for _ in 0..40 {
        world.send(
            clients[0],
            &format!("<message type='groupchat' to='{ROOM}'><body>{body}</body></message>"),
        );
    }
    world.settle();
    let heard = world.drain(clients[2]);
    assert_eq!(heard.iter().filter(|stanza| stanza.name == "message").count(), 40);
    let gone: Vec<_> = heard.iter().filter(|stanza| stanza.get_attr("type") == Some("unavailable")).collect();
    assert_eq!(gone.len(), 1);
    assert_eq!(codes(gone[0]), ["333"]);
}

#[test]
fn a_server_that_is_gone_takes_its_people_with_it() {
    let mut world = World::federated();
    let clients = world.room_of(&["romeo"]);
    world.from_remote(
        &entering(ROOM, "mercutio").replace("<presence", "<presence from='mercutio@elsewhere.net/a'"),
    );
    world.to_remote();
    world.clear(clients[0]);
    let bounce = |condition: &str| {
        format!(
            "<message type='error' from='mercutio@elsewhere.net/a' to='{ROOM}/romeo'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )
    };
    world.from_remote(&bounce("not-acceptable"));
    world.clear(clients[0]);
    world.from_remote(&bounce("remote-server-not-found"));
    let told = world.drain(clients[0]);
    let gone = told.iter().find(|stanza| stanza.name == "presence").expect("the others are told");
    assert_eq!((gone.get_attr("from"), codes(gone)), (Some(of("mercutio").as_str()), vec!["333".into()]));
}

#[test]
fn who_is_not_in_leaves_in_silence() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
    world.expect_nothing(juliet);
    world.expect_nothing(clients[0]);
}

#[test]
fn a_temporary_room_goes_with_its_last_occupant() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[0], &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
    world.send(clients[1], &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    world.clear(clients[1]);
    assert_eq!(world.rows(stube::store::Table::Rooms), 0);
    assert_eq!(world.rows(stube::store::Table::RoomPeople), 0);
    assert_eq!(codes(&world.enter(clients[1], ROOM, "juliet")[0]), ["110", "170", "201"], "it is made anew");
}

#[test]
fn a_persistent_room_stays_and_knows_its_people_after_a_restart() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "romeo");
    world.configure_room(
        romeo,
        ROOM,
        &[("persistentroom", "1"), ("membersonly", "1"), ("roomname", "Kitchen")],
    );
    world.change_person(romeo, ROOM, "jid='juliet@example.org' affiliation='member'");
    world.restart();
    let (juliet, nurse) = (world.online("juliet", "phone"), world.online("nurse", "phone"));
    let told = world.enter(juliet, ROOM, "juliet");
    assert_eq!(
        (codes(&told[0]), item(&told[0], "affiliation").as_deref()),
        (vec!["110".into()], Some("member"))
    );
    world.send(nurse, &entering(ROOM, "nurse"));
    world.expect_bounce(nurse, "registration-required");
}

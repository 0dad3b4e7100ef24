//! §7.4, §7.5, §8.1: what occupants say.

use crate::rooms::{ROOM, USER};
use crate::world::World;

fn of(nick: &str) -> String {
    format!("{ROOM}/{nick}")
}

fn say(text: &str) -> String {
    format!("<message type='groupchat' id='m' to='{ROOM}'><body>{text}</body></message>")
}

#[test]
fn what_an_occupant_says_everyone_hears_under_their_nick_with_its_id() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[1], &say("Harpier cries"));
    for client in clients {
        let heard = world.receive(client);
        assert_eq!(heard.get_attr("from"), Some(of("juliet").as_str()));
        assert_eq!((heard.get_attr("id"), heard.get_attr("type")), (Some("m"), Some("groupchat")));
    }
}

#[test]
fn a_message_without_an_id_gets_one() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[1], &format!("<message type='groupchat' to='{ROOM}'><body>hi</body></message>"));
    let ids: Vec<_> =
        clients.iter().map(|client| world.receive(*client).get_attr("id").map(str::to_owned)).collect();
    assert!(ids[0].is_some() && ids[0] == ids[1], "{ids:?}");
}

#[test]
fn who_is_not_in_the_room_says_nothing_there() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &say("hello?"));
    world.expect_bounce(juliet, "not-acceptable");
    world.expect_nothing(clients[0]);
    world.send(juliet, &say("hello?").replace("kitchen", "cellar"));
    world.expect_bounce(juliet, "item-not-found");
}

#[test]
fn visitors_have_no_voice() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "romeo");
    world.configure_room(romeo, ROOM, &[("moderatedroom", "1")]);
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, ROOM, "juliet");
    world.clear(romeo);
    world.send(juliet, &say("me too"));
    world.expect_bounce(juliet, "forbidden");
    world.expect_nothing(romeo);
}

#[test]
fn nothing_that_only_a_room_may_add_comes_from_an_occupant() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(
        clients[1],
        &format!(
            "<message type='groupchat' id='m' to='{ROOM}'><body>hi</body>\
             <x xmlns='{USER}'><item affiliation='owner' role='moderator' jid='romeo@example.org/phone'/></x>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='forged'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='romeo@example.org' id='forged'/>\
             <delay xmlns='urn:xmpp:delay' stamp='1999-01-01T00:00:00Z'/>\
             <origin-id xmlns='urn:xmpp:sid:0' id='mine'/></message>"
        ),
    );
    let heard = world.receive(clients[0]);
    let all = format!("{heard:?}");
    assert!(!all.contains("forged") && !all.contains("1999") && !all.contains("moderator"), "{all}");
    assert!(all.contains("mine"), "what clients add for each other stays: {all}");
}

#[test]
fn a_private_message_goes_to_each_device_of_one_occupant() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    let laptop = world.online("juliet", "laptop");
    world.enter(laptop, ROOM, "juliet");
    clients.iter().for_each(|client| world.clear(*client));
    world.send(
        clients[2],
        &format!(
            "<message type='chat' id='p' to='{ROOM}/juliet'><body>I'll give thee a wind.</body></message>"
        ),
    );
    for client in [clients[1], laptop] {
        let heard = world.receive(client);
        assert_eq!(
            (heard.get_attr("from"), heard.get_attr("type")),
            (Some(of("nurse").as_str()), Some("chat"))
        );
        assert!(heard.find("x", USER).is_some());
        assert!(heard.find("occupant-id", "urn:xmpp:occupant-id:0").is_some());
        assert!(!format!("{heard:?}").contains("nurse@"), "{heard:?}");
        world.expect_nothing(client);
    }
    world.expect_nothing(clients[0]);
}

#[test]
fn a_private_message_is_for_somebody_who_is_there_from_somebody_who_is_there() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let private = |kind: &str, to: &str| {
        format!("<message type='{kind}' id='p' to='{ROOM}/{to}'><body>psst</body></message>")
    };
    world.send(clients[1], &private("groupchat", "romeo"));
    world.expect_bounce(clients[1], "bad-request");
    world.send(clients[1], &private("chat", "nobody"));
    world.expect_bounce(clients[1], "item-not-found");
    let nurse = world.online("nurse", "phone");
    world.send(nurse, &private("chat", "romeo"));
    world.expect_bounce(nurse, "not-acceptable");
    world.expect_nothing(clients[0]);
}

#[test]
fn a_private_message_that_comes_back_names_nobodys_address() {
    let mut world = World::federated();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.from_remote(
        &crate::rooms::entering(ROOM, "mercutio")
            .replace("<presence", "<presence from='mercutio@elsewhere.net/a'"),
    );
    world.to_remote();
    clients.iter().for_each(|client| world.clear(*client));
    world.send(
        clients[1],
        &format!("<message type='chat' id='p' to='{ROOM}/mercutio'><body>psst</body></message>"),
    );
    world.to_remote();
    world.from_remote(&format!(
        "<message type='error' id='p' from='mercutio@elsewhere.net/a' to='{ROOM}/juliet'>\
         <error type='cancel' by='mercutio@elsewhere.net'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>mercutio@elsewhere.net says no</text></error></message>"
    ));
    let error = world.receive(clients[1]);
    assert_eq!((error.get_attr("from"), error.get_attr("id")), (Some(of("mercutio").as_str()), Some("p")));
    assert_eq!(crate::world::condition_of(&error).as_deref(), Some("not-allowed"));
    assert!(!format!("{error:?}").contains("elsewhere"), "{error:?}");
    world.expect_nothing(clients[0]);
}

#[test]
fn the_subject_is_the_moderators_and_everyone_who_comes_is_told() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let subject = |text: &str| {
        format!("<message type='groupchat' id='s' to='{ROOM}'><subject>{text}</subject></message>")
    };
    world.send(clients[1], &subject("Mine"));
    world.expect_bounce(clients[1], "forbidden");
    world.send(clients[0], &subject("Fire burn"));
    for client in &clients {
        let told = world.receive(*client);
        assert_eq!(told.get_attr("from"), Some(of("romeo").as_str()));
        assert_eq!(
            told.find("subject", "jabber:client").map(|subject| subject.text_content()).as_deref(),
            Some("Fire burn")
        );
    }
    let nurse = world.online("nurse", "phone");
    let told = world.enter(nurse, ROOM, "nurse").pop().expect("the subject");
    assert_eq!(told.get_attr("from"), Some(of("romeo").as_str()));
    assert_eq!(
        told.find("subject", "jabber:client").map(|subject| subject.text_content()).as_deref(),
        Some("Fire burn")
    );
    assert_eq!(told.find("delay", "urn:xmpp:delay").and_then(|delay| delay.get_attr("from")), Some(ROOM));
    world.send(clients[0], &subject(""));
    let told = world.enter(nurse, ROOM, "nurse").pop().expect("the subject");
    assert_eq!(
        told.find("subject", "jabber:client").map(|subject| subject.text_content()).as_deref(),
        Some("")
    );
    assert!(told.find("delay", "urn:xmpp:delay").is_some(), "somebody has cleared it");
}

#[test]
fn a_subject_with_a_body_is_a_message() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(
        clients[1],
        &format!("<message type='groupchat' to='{ROOM}'><subject>a</subject><body>b</body></message>"),
    );
    assert!(world.receive(clients[0]).find("body", "jabber:client").is_some());
    let told = world.enter(clients[1], ROOM, "juliet").pop().expect("the subject");
    assert_eq!(
        told.find("subject", "jabber:client").map(|subject| subject.text_content()).as_deref(),
        Some("")
    );
}

#[test]
fn a_subject_has_a_bound() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    let long = "x".repeat(5000);
    world.send(
        clients[0],
        &format!("<message type='groupchat' id='s' to='{ROOM}'><subject>{long}</subject></message>"),
    );
    world.expect_bounce(clients[0], "not-acceptable");
}

#[test]
fn what_comes_back_to_its_sender_is_on_disk() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.hold_commits();
    world.send(clients[1], &say("one"));
    assert_eq!(
        world.receive(clients[0]).get_attr("from"),
        Some(of("juliet").as_str()),
        "others need not wait"
    );
    world.expect_nothing(clients[1]);
    world.commit();
    assert!(world.receive(clients[1]).find("stanza-id", "urn:xmpp:sid:0").is_some());
}

#[test]
fn all_hear_all_in_the_same_order_even_who_waits_for_the_disk() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    world.hold_commits();
    world.send(clients[1], &say("one"));
    world.send(clients[0], &say("two"));
    world.send(clients[1], &say("three"));
    world.commit();
    world.settle();
    for client in clients {
        let heard: Vec<_> = world.drain(client);
        let heard: Vec<_> = heard
            .iter()
            .filter_map(|message| message.find("body", "jabber:client"))
            .map(|body| body.text_content())
            .collect();
        assert_eq!(heard, ["one", "two", "three"]);
    }
}

#[test]
fn a_disk_that_takes_nothing_stops_no_conversation() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.handle(stube::core::Event::StoreStalled("full".into()));
    for client in [clients[0], clients[1], clients[0]] {
        world.send(client, &say("still here"));
    }
    for client in clients {
        let heard = world.drain(client);
        assert_eq!(heard.len(), 3, "{heard:?}");
        assert!(
            heard.iter().all(|heard| heard.find("stanza-id", "urn:xmpp:sid:0").is_none()),
            "it is in no archive"
        );
    }
}

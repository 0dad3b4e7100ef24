//! §7.6, §7.7, §17.3: presence of those who are in a room.

use crate::rooms::{ROOM, USER, codes, entering, item};
use crate::world::World;

fn of(nick: &str) -> String {
    format!("{ROOM}/{nick}")
}

#[test]
fn everyone_learns_of_another_nick_from_the_old_one_first() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[1], &format!("<presence id='n' to='{ROOM}/capulet'/>"));
    for (client, is_own) in [(clients[0], false), (clients[1], true)] {
        let (gone, here) = (world.receive(client), world.receive(client));
        assert_eq!(
            (gone.get_attr("from"), gone.get_attr("type")),
            (Some(of("juliet").as_str()), Some("unavailable"))
        );
        assert_eq!(
            (item(&gone, "nick").as_deref(), item(&gone, "role").as_deref()),
            (Some("capulet"), Some("participant"))
        );
        assert_eq!((here.get_attr("from"), here.get_attr("type")), (Some(of("capulet").as_str()), None));
        let expected: &[&str] = if is_own { &["110", "303"] } else { &["303"] };
        assert_eq!(codes(&gone), expected);
        assert_eq!(codes(&here), &expected[..expected.len() - 1]);
        assert_eq!(here.get_attr("id"), is_own.then_some("n"));
        world.expect_nothing(client);
    }
}

#[test]
fn somebody_elses_nick_is_not_to_be_had() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[1], &format!("<presence to='{ROOM}/romeo'/>"));
    world.expect_bounce(clients[1], "conflict");
    world.expect_nothing(clients[0]);
}

#[test]
fn all_devices_of_an_occupant_change_their_nick_together() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let laptop = world.online("juliet", "laptop");
    world.enter(laptop, ROOM, "juliet");
    world.clear(clients[1]);
    world.send(laptop, &format!("<presence to='{ROOM}/capulet'/>"));
    assert_eq!(codes(&world.receive(clients[1])), ["110", "303"]);
    assert_eq!(world.receive(clients[1]).get_attr("from"), Some(of("capulet").as_str()));
}

#[test]
fn two_occupants_of_one_person_can_become_one() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let laptop = world.online("juliet", "laptop");
    world.enter(laptop, ROOM, "capulet");
    clients.iter().for_each(|client| world.clear(*client));
    world.send(laptop, &format!("<presence to='{ROOM}/juliet'/>"));
    let (gone, here) = (world.receive(clients[0]), world.receive(clients[0]));
    assert_eq!(
        (gone.get_attr("from"), item(&gone, "nick").as_deref()),
        (Some(of("capulet").as_str()), Some("juliet"))
    );
    assert_eq!(here.get_attr("from"), Some(of("juliet").as_str()));
    world.clear(laptop);
    world.send(clients[0], &format!("<message type='groupchat' to='{ROOM}'><body>one</body></message>"));
    assert!(world.receive(laptop).find("body", "jabber:client").is_some());
}

#[test]
fn what_somebody_does_is_shown_and_nothing_that_only_a_room_may_say() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(
        clients[1],
        &format!(
            "<presence to='{ROOM}/juliet'><show>xa</show><status>gone where the goblins go</status>\
             <x xmlns='{USER}'><item affiliation='owner' role='moderator'/><status code='100'/></x>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/></presence>"
        ),
    );
    let shown = world.receive(clients[0]);
    assert_eq!(shown.find("show", "jabber:client").map(|show| show.text_content()).as_deref(), Some("xa"));
    assert_eq!((item(&shown, "affiliation").as_deref(), codes(&shown)), (Some("none"), vec![]));
    assert_eq!(shown.children().filter(|child| child.is("x", USER)).count(), 1);
    let ids: Vec<_> = shown.children().filter(|child| child.name == "occupant-id").collect();
    assert!(ids.len() == 1 && ids[0].get_attr("id") != Some("forged"), "{ids:?}");
    assert_eq!(codes(&world.receive(clients[1])), ["110"]);
}

#[test]
fn an_occupant_may_probe_the_others() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[1], &format!("<presence type='probe' to='{ROOM}/romeo'/>"));
    let shown = world.receive(clients[1]);
    assert_eq!((shown.get_attr("from"), shown.get_attr("type")), (Some(of("romeo").as_str()), None));
    assert_eq!(item(&shown, "jid"), None);
    let nurse = world.online("nurse", "phone");
    world.send(nurse, &format!("<presence type='probe' to='{ROOM}/romeo'/>"));
    let shown = world.receive(nurse);
    assert_eq!((shown.get_attr("type"), item(&shown, "role")), (Some("unavailable"), None));
}

#[test]
fn a_probe_is_no_wish_to_enter_or_to_leave() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    let nurse = world.online("nurse", "phone");
    world.send(
        nurse,
        &format!(
            "<presence type='probe' to='{ROOM}/nurse'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ),
    );
    world.expect_nothing(clients[0]);
    world.send(clients[0], &format!("<presence type='probe' to='{ROOM}/romeo'/>"));
    assert_eq!(codes(&world.receive(clients[0])), ["110"]);
}

#[test]
fn a_room_is_not_subscribed_to() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &format!("<presence type='subscribe' to='{ROOM}'/>"));
    world.settle();
    let told = world.drain(juliet);
    assert!(told.iter().any(|stanza| stanza.get_attr("type") == Some("unsubscribed")), "{told:?}");
}

#[test]
fn who_blocks_an_occupant_hears_and_sees_nothing_of_them() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    let block = format!(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{ROOM}/juliet'/></block></iq>"
    );
    world.expect_result(clients[0], &block);
    world.clear(clients[0]);
    world.send(clients[1], &format!("<message type='groupchat' to='{ROOM}'><body>hi</body></message>"));
    world.expect_nothing(clients[0]);
    world.send(clients[2], &format!("<message type='groupchat' to='{ROOM}'><body>hi</body></message>"));
    assert_eq!(world.receive(clients[0]).get_attr("from"), Some(of("nurse").as_str()));
}

#[test]
fn visitors_are_not_shown_where_the_room_shows_only_others() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "romeo");
    let form = "<iq type='set' id='c' to='kitchen@conference.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>\
         <field var='muc#roomconfig_moderatedroom'><value>1</value></field>\
         <field var='muc#roomconfig_presencebroadcast'><value>moderator</value><value>participant</value></field></x></query></iq>";
    world.expect_result(romeo, form);
    world.clear(romeo);
    let juliet = world.online("juliet", "phone");
    let told = world.enter(juliet, ROOM, "juliet");
    assert_eq!(item(&told[1], "role").as_deref(), Some("visitor"), "it sees itself");
    world.expect_nothing(romeo);
    world.change_person(romeo, ROOM, "nick='juliet' role='participant'");
    assert!(world.drain(romeo).iter().any(|shown| item(shown, "role").as_deref() == Some("participant")));
    world.change_person(romeo, ROOM, "nick='juliet' role='visitor'");
    let told = world.drain(romeo);
    assert!(told.iter().any(|shown| shown.get_attr("type") == Some("unavailable")), "{told:?}");
    world.send(juliet, &entering(ROOM, "juliet"));
    world.expect_nothing(romeo);
}

//! §7.1, §7.2: entering a room.

use stube::xml::Element;

use crate::rooms::{ROOM, codes, entering, item};
use crate::world::World;

fn froms(told: &[Element]) -> Vec<String> {
    told.iter().filter_map(|stanza| stanza.get_attr("from")).map(str::to_owned).collect()
}

fn of(nick: &str) -> String {
    format!("{ROOM}/{nick}")
}

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
    world.open_room(romeo, ROOM);
    world.enter(juliet, ROOM, "Juliet");
}

#[test]
fn who_enters_sees_everyone_and_is_seen_by_everyone() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    let told = world.enter(nurse, ROOM, "nurse");
    assert_eq!(froms(&told), [of("juliet"), of("romeo"), of("nurse"), ROOM.into()]);
    assert!(
        told[3].find("subject", "jabber:client").is_some(),
        "the subject is the last thing: {:?}",
        told[3]
    );
    for client in clients {
        let shown = world.receive(client);
        assert_eq!(shown.get_attr("from"), Some(of("nurse").as_str()));
        assert_eq!(item(&shown, "role").as_deref(), Some("participant"));
        assert!(codes(&shown).is_empty());
        world.expect_nothing(client);
    }
}

#[test]
fn without_a_nick_nobody_enters() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.send(
        romeo,
        &format!("<presence id='a' to='{ROOM}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"),
    );
    let error = world.receive(romeo);
    assert!(error.find("x", "http://jabber.org/protocol/muc").is_some());
    assert!(
        error
            .find("error", "jabber:client")
            .unwrap()
            .find("jid-malformed", "urn:ietf:params:xml:ns:xmpp-stanzas")
            .is_some()
    );
}

#[test]
fn presence_without_the_wish_to_enter_gets_an_explicit_no() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &format!("<presence to='{ROOM}/juliet'/>"));
    let told = world.receive(juliet);
    assert_eq!(
        (told.get_attr("type"), codes(&told)),
        (Some("unavailable"), vec!["110".into(), "307".into(), "333".into()])
    );
    assert!(told.find("occupant-id", "urn:xmpp:occupant-id:0").is_some(), "every presence of a room has one");
    world.expect_nothing(juliet);
}

#[test]
fn the_own_presence_has_the_id_of_what_asked_for_it() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.send(
        romeo,
        &format!("<presence id='knock' to='{ROOM}/r'><x xmlns='http://jabber.org/protocol/muc'/></presence>"),
    );
    assert_eq!(world.receive(romeo).get_attr("id"), Some("knock"));
}

#[test]
fn real_addresses_are_for_moderators_unless_the_room_shows_them_to_all() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    let told = world.enter(nurse, ROOM, "nurse");
    assert_eq!(item(&told[0], "jid"), None);
    assert_eq!(item(&told[1], "jid"), None);
    assert_eq!(item(&told[2], "jid").as_deref(), Some("nurse@example.org/phone"), "one's own is no secret");
    assert_eq!(item(&world.receive(clients[0]), "jid").as_deref(), Some("nurse@example.org/phone"));
    assert_eq!(item(&world.receive(clients[1]), "jid"), None);
}

#[test]
fn who_has_the_wrong_password_stays_outside() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "Romeo");
    world.configure_room(romeo, ROOM, &[("passwordprotectedroom", "1"), ("roomsecret", "cauldronburn")]);
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &entering(ROOM, "juliet"));
    world.expect_bounce(juliet, "not-authorized");
    let with = |password: &str| {
        format!(
            "<presence to='{ROOM}/juliet'><x xmlns='http://jabber.org/protocol/muc'>\
             <password>{password}</password></x></presence>"
        )
    };
    world.send(juliet, &with("wrong"));
    world.expect_bounce(juliet, "not-authorized");
    world.send(juliet, &with("cauldronburn"));
    assert_eq!(world.drain(juliet).len(), 3);
}

#[test]
fn only_members_enter_a_room_for_members() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "Romeo");
    world.configure_room(romeo, ROOM, &[("membersonly", "1")]);
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &entering(ROOM, "juliet"));
    world.expect_bounce(juliet, "registration-required");
    world.change_person(romeo, ROOM, "jid='juliet@example.org' affiliation='member'");
    world.enter(juliet, ROOM, "juliet");
}

#[test]
fn who_is_banned_stays_outside() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='outcast'");
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &entering(ROOM, "juliet"));
    world.expect_bounce(juliet, "forbidden");
}

#[test]
fn a_nick_belongs_to_one_person_at_a_time() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    world.send(juliet, &entering(ROOM, "romeo"));
    world.expect_bounce(juliet, "conflict");
    world.enter(juliet, ROOM, "juliet");
}

#[test]
fn a_full_room_takes_nobody_but_its_admins() {
    let mut world = World::with(|config| config.rooms.occupants = stube::config::Limit::of(2));
    let clients = world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    world.send(nurse, &entering(ROOM, "nurse"));
    let error = world.receive(nurse);
    assert_eq!(error.find("error", "jabber:client").unwrap().get_attr("type"), Some("wait"));
    assert_eq!(crate::world::condition_of(&error).as_deref(), Some("service-unavailable"));
    world.change_person(clients[0], ROOM, "jid='nurse@example.org' affiliation='admin'");
    world.enter(nurse, ROOM, "nurse");
}

#[test]
fn several_devices_of_one_person_have_one_nick() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let laptop = world.online("juliet", "laptop");
    let told = world.enter(laptop, ROOM, "juliet");
    assert_eq!(froms(&told), [of("romeo"), of("juliet"), ROOM.into()]);
    world.clear(clients[0]);
    world.clear(clients[1]);
    world.send(clients[0], &format!("<message type='groupchat' to='{ROOM}'><body>hi</body></message>"));
    for client in [clients[0], clients[1], laptop] {
        assert!(world.receive(client).find("body", "jabber:client").is_some());
    }
    world.send(laptop, &format!("<message type='groupchat' to='{ROOM}'><body>here</body></message>"));
    assert_eq!(world.receive(clients[1]).get_attr("from"), Some(of("juliet").as_str()));
}

#[test]
fn when_one_of_several_devices_goes_the_person_stays() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let laptop = world.online("juliet", "laptop");
    world.enter(laptop, ROOM, "juliet");
    clients.iter().for_each(|client| world.clear(*client));
    world.send(laptop, &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    let own = world.receive(laptop);
    assert_eq!((own.get_attr("type"), codes(&own)), (Some("unavailable"), vec!["110".into()]));
    let shown = world.receive(clients[0]);
    assert_eq!(
        (shown.get_attr("type"), item(&shown, "jid").as_deref()),
        (None, Some("juliet@example.org/phone"))
    );
    world.send(clients[1], &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    assert_eq!(world.receive(clients[0]).get_attr("type"), Some("unavailable"));
}

#[test]
fn who_enters_again_is_told_everything_again() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let told = world.enter(clients[1], ROOM, "juliet");
    assert_eq!(froms(&told), [of("romeo"), of("juliet"), ROOM.into()]);
    let told = world.enter(clients[1], ROOM, "capulet");
    assert_eq!(froms(&told), [of("juliet"), of("capulet"), of("romeo"), of("capulet"), ROOM.into()]);
}

#[test]
fn a_presence_that_is_too_large_is_not_shown_to_everyone() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    let status = "x".repeat(9000);
    world.send(juliet, &format!("<presence to='{ROOM}/j'><x xmlns='http://jabber.org/protocol/muc'/><status>{status}</status></presence>"));
    world.expect_bounce(juliet, "policy-violation");
}

#[test]
fn someone_from_elsewhere_enters_like_everyone() {
    let mut world = World::federated();
    let clients = world.room_of(&["romeo"]);
    world.from_remote(
        &entering(ROOM, "mercutio").replace("<presence", "<presence from='mercutio@elsewhere.net/a'"),
    );
    let told = world.to_remote();
    assert_eq!(froms(&told), [of("romeo"), of("mercutio"), ROOM.into()]);
    assert_eq!(item(&world.receive(clients[0]), "jid").as_deref(), Some("mercutio@elsewhere.net/a"));
    world
        .send(clients[0], &format!("<message type='groupchat' id='m' to='{ROOM}'><body>hi</body></message>"));
    let heard = world.to_remote();
    assert_eq!(
        (froms(&heard), heard[0].get_attr("to")),
        (vec![of("romeo")], Some("mercutio@elsewhere.net/a"))
    );
}

#[test]
fn one_person_is_not_in_a_room_with_any_number_of_clients() {
    let mut world = World::federated();
    world.room_of(&["romeo"]);
    for client in 0..=50 {
        let from = format!("<presence from='mercutio@elsewhere.net/{client}'");
        world.from_remote(&entering(ROOM, "mercutio").replace("<presence", &from));
    }
    let told = world.to_remote();
    let error = told.last().expect("an answer");
    assert_eq!(crate::world::condition_of(error).as_deref(), Some("resource-constraint"));
    assert_eq!(told.iter().filter(|stanza| stanza.get_attr("type") == Some("error")).count(), 1);
}

#[test]
fn who_has_a_deleted_accounts_name_is_somebody_else_in_a_room() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let id = |told: &[Element]| {
        let own = told.iter().find(|stanza| stanza.get_attr("from") == Some(of("juliet").as_str()));
        let id = own.and_then(|own| own.find("occupant-id", "urn:xmpp:occupant-id:0")).expect("an id");
        id.get_attr("id").expect("an id").to_owned()
    };
    let before = id(&world.enter(clients[1], ROOM, "juliet"));
    world.expect_result(
        clients[1],
        "<iq type='set' id='x'><query xmlns='jabber:iq:register'><remove/></query></iq>",
    );
    let juliet = world.online("juliet", "phone");
    assert_ne!(before, id(&world.enter(juliet, ROOM, "juliet")));
}

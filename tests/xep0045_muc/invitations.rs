//! §7.8: invitations, through the room and from person to person (XEP-0249), and their refusal.

use stube::store::Table;
use stube::store::record::RoomAffiliation;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ROOM, USER, entering};
use crate::world::{World, show};

fn inviting(content: &str) -> String {
    format!("<message to='{ROOM}' id='i'><x xmlns='{USER}'>{content}</x></message>")
}

fn invite(who: &str) -> String {
    inviting(&format!("<invite to='{who}'/>"))
}

fn declining(to: &str) -> String {
    inviting(&format!("<decline to='{to}'><reason>No time.</reason></decline>"))
}

fn invited(to: &str, content: &str) -> String {
    format!(
        "<message from='{ROOM}' to='{to}' id='i'><x xmlns='{USER}'><invite from='romeo@example.org'/>{content}</x></message>"
    )
}

/// Romeo, who is in the room and owns it, and the nurse, who is not in it.
fn world() -> (World, Client, Client) {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    let nurse = world.online("nurse", "phone");
    (world, romeo, nurse)
}

fn messages(world: &mut World, client: Client) -> Vec<Element> {
    world.drain(client).into_iter().filter(|stanza| stanza.name == "message").collect()
}

#[test]
fn a_room_passes_an_invitation_on_and_says_who_invites() {
    let (mut world, romeo, nurse) = world();
    world.send(
        romeo,
        &inviting("<invite to='nurse@example.org' from='juliet@example.org'><reason>Come!</reason></invite>"),
    );
    world.expect_nothing(romeo);
    world.expect(
        nurse,
        &format!(
            "<message from='{ROOM}' to='nurse@example.org' id='i'><x xmlns='{USER}'>\
             <invite from='romeo@example.org'><reason>Come!</reason></invite></x></message>"
        ),
    );
    world.enter(nurse, ROOM, "nurse");
}

#[test]
fn a_chat_of_two_goes_on_in_a_room_and_several_are_invited_at_once() {
    let (mut world, romeo, nurse) = world();
    let juliet = world.online("juliet", "phone");
    world.send(
        romeo,
        &inviting(
            "<invite to='nurse@example.org/phone'><continue thread='t1'/></invite>\
             <invite to='juliet@example.org'><continue/></invite>",
        ),
    );
    let told = world.receive(nurse);
    assert_eq!(told.get_attr("to"), Some("nurse@example.org/phone"));
    assert!(show(&told).contains("<continue thread='t1'/>"), "{told:?}");
    assert!(show(&world.receive(juliet)).contains("<continue/>"));
}

#[test]
fn the_invitation_has_the_password_of_the_room() {
    let (mut world, romeo, nurse) = world();
    world.set_room(ROOM, |room| room.password = "balm".into());
    world.send(romeo, &invite("nurse@example.org"));
    world.expect(nurse, &invited("nurse@example.org", "<password>balm</password>"));
}

#[test]
fn nothing_else_that_the_inviter_sends_along_is_passed_on() {
    let (mut world, romeo, nurse) = world();
    world.send(
        romeo,
        &format!(
            "<message to='{ROOM}' id='i'><body>Buy!</body><x xmlns='{USER}'><status code='100'/>\
             <invite to='nurse@example.org'><item affiliation='owner'/></invite><password>guess</password></x></message>"
        ),
    );
    world.expect(nurse, &invited("nurse@example.org", ""));
}

#[test]
fn an_invitation_waits_for_who_is_offline() {
    let mut world = World::new();
    world.account("nurse");
    let romeo = world.room_of(&["romeo"])[0];
    world.send(romeo, &invite("nurse@example.org"));
    world.expect_nothing(romeo);
    assert_eq!(world.rows(Table::Offline), 1);
    world.advance(60_000);
    let nurse = world.login("nurse", "phone");
    world.send(nurse, "<presence/>");
    let waited = messages(&mut world, nurse);
    assert_eq!(waited.len(), 1, "{waited:?}");
    assert!(show(&waited[0]).contains("<invite from='romeo@example.org'/>"));
    assert!(waited[0].find("delay", "urn:xmpp:delay").is_some());
}

#[test]
fn one_for_a_client_that_is_gone_waits_too() {
    let (mut world, romeo, nurse) = world();
    world.cut(nurse);
    world.send(romeo, &invite("nurse@example.org/phone"));
    world.expect_nothing(romeo);
    assert_eq!(world.rows(Table::Offline), 1);
}

#[test]
fn an_invitation_wakes_who_sleeps() {
    let (mut world, romeo, nurse) = world();
    world.core.federated = true;
    let push = "<iq type='set' id='p'><enable xmlns='urn:xmpp:push:0' jid='push.example.net' node='n'/></iq>";
    world.expect_result(nurse, push);
    world.cut(nurse);
    world.to_remote();
    for stanza in [
        invite("nurse@example.org"),
        format!("<message to='nurse@example.org'><x xmlns='jabber:x:conference' jid='{ROOM}'/></message>"),
    ] {
        world.send(romeo, &stanza);
        let woken = world.to_remote();
        assert_eq!(woken.len(), 1, "{stanza}: {woken:?}");
        let answer = format!(
            "<iq type='result' from='push.example.net' to='{}' id='{}'/>",
            woken[0].get_attr("from").expect("a sender"),
            woken[0].get_attr("id").expect("an id"),
        );
        world.from_remote(&answer);
        world.advance(10_000);
    }
}

#[test]
fn who_is_invited_to_a_room_for_members_only_becomes_a_member() {
    let (mut world, romeo, nurse) = world();
    world.set_room(ROOM, |room| room.members_only = true);
    world.expect_no_entry(nurse, ROOM, "nurse", "registration-required");
    world.send(romeo, &invite("nurse@example.org/phone"));
    world.clear(nurse);
    assert_eq!(world.affiliation(ROOM, "nurse@example.org"), RoomAffiliation::Member);
    world.enter(nurse, ROOM, "nurse");
    // A member may bring along others, and takes nobody's rank.
    let juliet = world.online("juliet", "phone");
    world.send(nurse, &invite("juliet@example.org"));
    world.send(nurse, &invite("romeo@example.org"));
    world.clear(juliet);
    world.enter(juliet, ROOM, "juliet");
    assert_eq!(world.affiliation(ROOM, "romeo@example.org"), RoomAffiliation::Owner);
    world.restart();
    assert_eq!(world.affiliation(ROOM, "juliet@example.org"), RoomAffiliation::Member);
}

#[test]
fn a_member_keeps_the_reserved_nick_that_was_there() {
    let (mut world, romeo, _) = world();
    world.set_room(ROOM, |room| room.members_only = true);
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::None, "Nurse");
    world.send(romeo, &invite("nurse@example.org"));
    let room = stube::jid::Jid::parse(ROOM).expect("an address");
    let room = world.core.room(&room).expect("a room");
    let person = room.people.get("nurse@example.org").expect("a person");
    assert_eq!((person.affiliation, person.nick.as_str()), (RoomAffiliation::Member, "Nurse"));
}

#[test]
fn in_an_open_room_an_invitation_makes_nobody_anything() {
    let (mut world, romeo, _) = world();
    world.send(romeo, &invite("nurse@example.org"));
    assert_eq!(world.affiliation(ROOM, "nurse@example.org"), RoomAffiliation::None);
}

#[test]
fn a_room_can_leave_invitations_to_its_admins() {
    let (mut world, _, nurse) = world();
    world.enter(nurse, ROOM, "nurse");
    let juliet = world.online("juliet", "phone");
    for members_only in [false, true] {
        world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Member, "");
        world.set_room(ROOM, |room| (room.members_invite, room.members_only) = (false, members_only));
        world.send(nurse, &invite("juliet@example.org"));
        world.expect_bounce(nurse, "forbidden");
        world.expect_nothing(juliet);
        assert_eq!(world.affiliation(ROOM, "juliet@example.org"), RoomAffiliation::None);
        world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Admin, "");
        world.send(nurse, &invite("juliet@example.org"));
        world.expect(
            juliet,
            &invited("juliet@example.org", "").replace("invite from='romeo", "invite from='nurse"),
        );
        world.expect_nothing(nurse);
        world.set_affiliation(ROOM, "juliet@example.org", RoomAffiliation::None, "");
    }
}

#[test]
fn who_is_not_in_the_room_invites_nobody() {
    let (mut world, _, nurse) = world();
    let juliet = world.online("juliet", "phone");
    world.send(nurse, &invite("juliet@example.org"));
    world.expect_bounce(nurse, "forbidden");
    world.expect_nothing(juliet);
}

#[test]
fn a_room_that_is_not_there_or_not_open_yet_invites_nobody() {
    let mut world = World::new();
    let (romeo, nurse) = (world.online("romeo", "phone"), world.online("nurse", "phone"));
    world.send(romeo, &invite("nurse@example.org"));
    world.expect_bounce(romeo, "item-not-found");
    assert_eq!(world.rows(Table::Rooms), 0);
    world.enter(romeo, ROOM, "Romeo");
    world.send(romeo, &invite("nurse@example.org"));
    world.expect_bounce(romeo, "item-not-found");
    world.expect_nothing(nurse);
}

#[test]
fn nobody_is_invited_who_is_not_there() {
    let (mut world, romeo, nurse) = world();
    world.set_room(ROOM, |room| room.members_only = true);
    for nobody in
        ["nobody@example.org", "nobody@example.org/x", &format!("{ROOM}/romeo"), ROOM, "example.org"]
    {
        world.send(romeo, &invite(nobody));
        world.expect_bounce(romeo, "item-not-found");
    }
    world.send(romeo, &invite("nurse@example.net"));
    world.expect_bounce(romeo, "remote-server-not-found");
    assert_eq!(world.rows(Table::RoomPeople), 1, "only its owner");
    // The others get theirs.
    world.send(romeo, &inviting("<invite to='nobody@example.org'/><invite to='nurse@example.org'/>"));
    let error = world.pick(romeo, |stanza| stanza.get_attr("type") == Some("error")).expect("an error");
    assert!(show(&error).contains("<item-not-found "), "{error:?}");
    world.expect(nurse, &invited("nurse@example.org", ""));
}

#[test]
fn people_of_other_servers_can_be_invited() {
    let (mut world, romeo, _) = world();
    world.core.federated = true;
    world.set_room(ROOM, |room| room.members_only = true);
    world.send(romeo, &invite("eve@example.net"));
    world.expect_remote(&invited("eve@example.net", ""));
    assert_eq!(world.affiliation(ROOM, "eve@example.net"), RoomAffiliation::Member);
    world.clear(romeo);
    // That she can't be found after all is no news for the room.
    world.from_remote(&format!(
        "<message type='error' from='eve@example.net' to='{ROOM}' id='i'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    world.expect_nothing(romeo);
}

#[test]
fn an_invitation_that_makes_no_sense_is_refused_and_none_of_its_message_is_sent() {
    let (mut world, romeo, nurse) = world();
    for (content, condition) in [
        ("<invite/><invite to='nurse@example.org'/>".to_owned(), "bad-request"),
        ("<invite to='nurse@example.org'/><invite to='@example.org'/>".into(), "jid-malformed"),
        ("<invite to='nurse@example.org'/>".repeat(21), "policy-violation"),
    ] {
        world.send(romeo, &inviting(&content));
        world.expect_bounce(romeo, condition);
        world.expect_nothing(nurse);
    }
}

#[test]
fn who_is_banned_is_not_invited_back() {
    let (mut world, romeo, nurse) = world();
    world.set_room(ROOM, |room| room.members_only = true);
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Outcast, "");
    world.send(romeo, &invite("nurse@example.org"));
    world.expect_bounce(romeo, "not-allowed");
    world.expect_nothing(nurse);
    assert_eq!(world.affiliation(ROOM, "nurse@example.org"), RoomAffiliation::Outcast);
}

#[test]
fn while_nothing_can_be_kept_nobody_becomes_a_member() {
    let (mut world, romeo, nurse) = world();
    world.set_room(ROOM, |room| room.members_only = true);
    world.handle(stube::core::Event::StoreStalled("full".into()));
    world.send(romeo, &invite("nurse@example.org"));
    world.expect_bounce(romeo, "resource-constraint");
    world.expect_nothing(nurse);
}

#[test]
fn whoever_is_blocked_invites_by_no_way_and_finds_nobody_there() {
    let (mut world, romeo, nurse) = world();
    let block =
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></block></iq>";
    world.expect_result(nurse, block);
    world.clear(nurse);
    world.set_room(ROOM, |room| room.members_only = true);
    world.send(romeo, &invite("nobody@example.org"));
    let nobody = show(&world.receive(romeo));
    world.send(romeo, &invite("nurse@example.org"));
    assert_eq!(show(&world.receive(romeo)), nobody);
    world.send(
        romeo,
        &format!("<message to='nurse@example.org'><x xmlns='jabber:x:conference' jid='{ROOM}'/></message>"),
    );
    world.expect_bounce(romeo, "service-unavailable");
    world.expect_nothing(nurse);
    assert_eq!(world.affiliation(ROOM, "nurse@example.org"), RoomAffiliation::None);
    // Nor through a room elsewhere.
    world.core.federated = true;
    world.from_remote(&invited("nurse@example.org", "").replace(ROOM, "hall@rooms.example.net"));
    world.expect_nothing(nurse);
    world.from_remote(
        &invited("nurse@example.org", "")
            .replace(ROOM, "hall@rooms.example.net")
            .replace("romeo@", "juliet@"),
    );
    assert_eq!(messages(&mut world, nurse).len(), 1);
}

#[test]
fn who_has_blocked_a_room_hears_nothing_of_it() {
    let (mut world, romeo, nurse) = world();
    let block =
        format!("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{ROOM}'/></block></iq>");
    world.expect_result(nurse, &block);
    world.clear(nurse);
    world.send(romeo, &invite("nurse@example.org"));
    world.expect_nothing(nurse);
    world.expect_nothing(romeo);
}

#[test]
fn the_inviter_hears_that_somebody_declines() {
    let (mut world, romeo, nurse) = world();
    world.send(romeo, &invite("nurse@example.org"));
    world.clear(nurse);
    world.send(nurse, &declining("romeo@example.org"));
    world.expect(
        romeo,
        &format!(
            "<message from='{ROOM}' to='romeo@example.org' id='i'><x xmlns='{USER}'>\
             <decline from='nurse@example.org'><reason>No time.</reason></decline></x></message>"
        ),
    );
    world.expect_nothing(nurse);
}

#[test]
fn a_room_carries_no_refusals_to_strangers_nor_says_who_is_one() {
    let (mut world, romeo, nurse) = world();
    let juliet = world.online("juliet", "phone");
    for to in ["juliet@example.org", "nobody@example.org"] {
        world.send(nurse, &declining(to));
        world.expect_nothing(nurse);
    }
    world.expect_nothing(juliet);
    world.send(nurse, &inviting("<decline to='@'/>"));
    world.expect_bounce(nurse, "jid-malformed");
    world.send(nurse, &inviting("<decline/>"));
    world.expect_bounce(nurse, "bad-request");
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Outcast, "");
    world.send(nurse, &declining("romeo@example.org"));
    world.expect_bounce(nurse, "forbidden");
    world.expect_nothing(romeo);
}

#[test]
fn refusals_are_no_way_to_flood_somebody() {
    let (mut world, romeo, nurse) = world();
    for _ in 0..30 {
        world.send(nurse, &declining("romeo@example.org"));
    }
    assert_eq!(messages(&mut world, romeo).len(), 20);
    assert_eq!(messages(&mut world, nurse).len(), 10);
}

// XEP-0249 §2
#[test]
fn a_direct_invitation_gets_to_who_is_there_and_waits_for_who_is_not() {
    let (mut world, romeo, nurse) = world();
    let direct = |to: &str| {
        format!(
            "<message to='{to}'><x xmlns='jabber:x:conference' jid='{ROOM}' password='p' reason='Come!'/></message>"
        )
    };
    world.send(romeo, &direct("nurse@example.org"));
    world.expect(
        nurse,
        &direct("nurse@example.org").replace("<message ", "<message from='romeo@example.org/phone' "),
    );
    world.cut(nurse);
    world.send(romeo, &direct("nurse@example.org"));
    let nurse = world.login("nurse", "phone");
    world.send(nurse, "<presence/>");
    assert_eq!(messages(&mut world, nurse).len(), 1);
}

#[test]
fn an_occupant_whose_address_nobody_knows_is_invited_by_a_private_message() {
    let (mut world, romeo, nurse) = world();
    world.enter(nurse, ROOM, "nurse");
    world.clear(romeo);
    let other = "hall@conference.example.org";
    world.send(
        romeo,
        &format!("<message to='{ROOM}/nurse'><x xmlns='jabber:x:conference' jid='{other}'/></message>"),
    );
    let told = world.receive(nurse);
    assert_eq!(told.get_attr("from"), Some(format!("{ROOM}/romeo").as_str()));
    assert!(!show(&told).contains("romeo@example.org"), "{told:?}");
    assert!(told.find("x", "jabber:x:conference").is_some());
    world.send(nurse, &entering(other, "nurse"));
}

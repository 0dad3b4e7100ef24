//! XEP-0452: who belongs to a room learns of mentions while they are not in it.

use stube::store::Table;
use stube::store::record::RoomAffiliation;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::ROOM;
use crate::world::{World, show};

fn mention(uri: &str) -> String {
    format!("<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='5' uri='{uri}'/>")
}

fn say(world: &mut World, client: Client, references: &str) {
    world.send(
        client,
        &format!(
            "<message type='groupchat' to='{ROOM}' id='m'><body>Nurse, come!</body>{references}</message>"
        ),
    );
    world.clear(client);
}

/// Romeo, who is in the room, and the nurse, who is a member and is not.
fn world() -> (World, Client, Client) {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Member, "Angelica");
    let nurse = world.online("nurse", "phone");
    (world, romeo, nurse)
}

fn notices(world: &mut World, client: Client) -> Vec<Element> {
    world.drain(client).into_iter().filter(|stanza| stanza.name == "message").collect()
}

#[test]
fn a_member_who_is_not_there_gets_the_message_as_it_was_said() {
    let (mut world, romeo, nurse) = world();
    say(&mut world, romeo, &mention("xmpp:nurse@example.org"));
    let told = notices(&mut world, nurse);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].get_attr("from"), told[0].get_attr("to")), (Some(ROOM), Some("nurse@example.org")));
    let forwarded = told[0]
        .find("mentions", "urn:xmpp:mmn:0")
        .and_then(|child| child.find("forwarded", "urn:xmpp:forward:0"));
    let forwarded = forwarded.expect("a forwarded message");
    assert!(forwarded.find("delay", "urn:xmpp:delay").is_some());
    let message = forwarded.find("message", "jabber:client").expect("the message");
    assert_eq!(message.get_attr("from"), Some(format!("{ROOM}/romeo").as_str()));
    assert_eq!((message.get_attr("type"), message.get_attr("id")), (Some("groupchat"), Some("m")));
    assert!(message.find("stanza-id", "urn:xmpp:sid:0").is_some(), "{message:?}");
    assert!(!show(&told[0]).contains("romeo@example.org"), "{told:?}");
}

#[test]
fn a_reserved_nick_is_a_way_to_mention_somebody_and_addresses_may_be_escaped() {
    let (mut world, romeo, nurse) = world();
    for uri in [
        format!("xmpp:{ROOM}/Angelica"),
        format!("xmpp:{}/%41ngelic%61", ROOM.replace('@', "%40")),
        "xmpp:nurse@example.org/phone".into(),
        "xmpp:nurse@example.org?message".into(),
    ] {
        say(&mut world, romeo, &mention(&uri));
        assert_eq!(notices(&mut world, nurse).len(), 1, "{uri}");
    }
}

#[test]
fn it_waits_for_who_is_offline_and_wakes() {
    let (mut world, romeo, nurse) = world();
    world.core.federated = true;
    let push = "<iq type='set' id='p'><enable xmlns='urn:xmpp:push:0' jid='push.example.net' node='n'/></iq>";
    world.expect_result(nurse, push);
    world.cut(nurse);
    world.to_remote();
    say(&mut world, romeo, &mention("xmpp:nurse@example.org"));
    assert_eq!(world.rows(Table::Offline), 1);
    assert_eq!(world.to_remote().len(), 1);
    let nurse = world.login("nurse", "laptop");
    world.send(nurse, "<presence/>");
    assert_eq!(notices(&mut world, nurse).len(), 1);
}

#[test]
fn who_is_there_is_told_nothing_twice() {
    let (mut world, romeo, nurse) = world();
    world.enter(nurse, ROOM, "nurse");
    world.clear(romeo);
    let laptop = world.online("nurse", "laptop");
    world.clear(nurse);
    say(&mut world, romeo, &mention("xmpp:nurse@example.org"));
    assert_eq!(notices(&mut world, nurse).len(), 1);
    world.expect_nothing(laptop);
}

#[test]
fn nobody_is_told_twice_of_one_message() {
    let (mut world, romeo, nurse) = world();
    let twice = mention("xmpp:nurse@example.org") + &mention(&format!("xmpp:{ROOM}/Angelica"));
    say(&mut world, romeo, &twice);
    assert_eq!(notices(&mut world, nurse).len(), 1);
}

#[test]
fn strangers_and_the_banned_are_not_told_nor_is_the_one_who_mentions_them() {
    let (mut world, romeo, nurse) = world();
    let juliet = world.online("juliet", "phone");
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Outcast, "");
    for who in
        ["juliet@example.org", "nurse@example.org", "nobody@example.org", "eve@example.net", "example.org"]
    {
        world.send(
            romeo,
            &format!(
                "<message type='groupchat' to='{ROOM}' id='m'><body>x</body>{}</message>",
                mention(&format!("xmpp:{who}"))
            ),
        );
        assert_eq!(notices(&mut world, romeo).len(), 1, "its own message comes back, and nothing else");
    }
    world.set_affiliation(ROOM, "nobody@example.org", RoomAffiliation::Member, "");
    say(&mut world, romeo, &mention("xmpp:nobody@example.org"));
    world.expect_nothing(romeo);
    world.expect_nothing(juliet);
    world.expect_nothing(nurse);
}

#[test]
fn a_member_who_has_blocked_the_room_is_left_in_peace() {
    let (mut world, romeo, nurse) = world();
    let block =
        format!("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{ROOM}'/></block></iq>");
    world.expect_result(nurse, &block);
    world.clear(nurse);
    say(&mut world, romeo, &mention("xmpp:nurse@example.org"));
    world.expect_nothing(nurse);
}

#[test]
fn what_is_no_mention_is_none() {
    let (mut world, romeo, nurse) = world();
    for reference in [
        "<reference xmlns='urn:xmpp:reference:0' type='data' uri='xmpp:nurse@example.org'/>".to_owned(),
        "<reference xmlns='urn:xmpp:reference:0' uri='xmpp:nurse@example.org'/>".into(),
        "<reference xmlns='urn:xmpp:reference:0' type='mention'/>".into(),
        "<reference xmlns='urn:xmpp:other' type='mention' uri='xmpp:nurse@example.org'/>".into(),
        mention("mailto:nurse@example.org"),
        mention("nurse@example.org"),
        mention("xmpp:"),
        mention("xmpp:%"),
        mention("xmpp:nurse%4"),
        mention("xmpp:nurse%+4example.org"),
        mention("xmpp:%ff@example.org"),
        mention(&format!("xmpp:{ROOM}")),
        mention(&format!("xmpp:{ROOM}/")),
        mention("xmpp:hall@conference.example.org/Angelica"),
    ] {
        say(&mut world, romeo, &reference);
        world.expect_nothing(nurse);
    }
}

#[test]
fn one_message_tells_twenty_people_at_most() {
    let (mut world, romeo, nurse) = world();
    let mut many = mention("xmpp:juliet@example.org").repeat(20);
    many += &mention("xmpp:nurse@example.org");
    say(&mut world, romeo, &many);
    world.expect_nothing(nurse);
}

#[test]
fn owners_can_switch_it_off() {
    let (mut world, romeo, nurse) = world();
    world.set_room(ROOM, |room| room.mentions = false);
    say(&mut world, romeo, &mention("xmpp:nurse@example.org"));
    world.expect_nothing(nurse);
}

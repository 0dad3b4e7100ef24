//! XEP-0502: how much is said in a room.

use stube::xml::Element;

use crate::client::Client;
use crate::rooms::ROOM;
use crate::world::World;

const HOUR: u64 = 3_600_000;

/// What the room says of itself.
fn activity(world: &mut World, client: Client) -> Option<String> {
    let info = "http://jabber.org/protocol/disco#info";
    let asks = format!("<iq type='get' id='d' to='{ROOM}'><query xmlns='{info}'/></iq>");
    let about = world.expect_result(client, &asks);
    let form = about.find("query", info)?.find("x", "jabber:x:data")?;
    let is_it = |field: &&Element| field.get_attr("var") == Some("{urn:xmpp:muc-activity}message-activity");
    form.children().find(is_it)?.find("value", "jabber:x:data").map(Element::text_content)
}

fn public_room(world: &mut World) -> [Client; 2] {
    let clients = world.room_of(&["romeo", "juliet"]);
    world.shape_room(ROOM, |config| {
        config.public = true;
        config.persistent = true;
    });
    [clients[0], clients[1]]
}

fn say(world: &mut World, client: Client, content: &str) {
    world.send(client, &format!("<message type='groupchat' to='{ROOM}'>{content}</message>"));
}

// §4.1 "The field MUST contain an approximation of the number of messages sent per hour"
#[test]
fn messages_of_whole_hours_count() {
    let mut world = World::new();
    let [romeo, _] = public_room(&mut world);
    assert_eq!(activity(&mut world, romeo), None, "nothing is known yet");
    world.advance(HOUR);
    for _ in 0..3 {
        say(&mut world, romeo, "<body>hi</body>");
    }
    world.advance(HOUR);
    assert_eq!(activity(&mut world, romeo).as_deref(), Some("3.00"));
    world.advance(HOUR);
    assert_eq!(activity(&mut world, romeo).as_deref(), Some("1.50"));
    world.advance(24 * HOUR);
    assert_eq!(activity(&mut world, romeo).as_deref(), Some("0.00"));
}

// §5 "MUST NOT count messages without a <body/> element", "MUST NOT count private messages", "SHOULD NOT count XEP-0308
// messages"
#[test]
fn only_what_one_would_read_counts() {
    let mut world = World::new();
    let [romeo, juliet] = public_room(&mut world);
    world.advance(HOUR);
    say(&mut world, romeo, "<body>hi</body>");
    say(&mut world, romeo, "<body>hello</body><replace xmlns='urn:xmpp:message-correct:0' id='m'/>");
    say(&mut world, romeo, "<composing xmlns='http://jabber.org/protocol/chatstates'/>");
    say(&mut world, romeo, "<subject>Dinner</subject>");
    world.send(juliet, &format!("<message type='chat' to='{ROOM}/romeo'><body>psst</body></message>"));
    world.advance(HOUR);
    world.clear(romeo);
    assert_eq!(activity(&mut world, romeo).as_deref(), Some("1.00"));
}

// §9 "Services MUST NOT publish message activity indicators for MUCs which are not publicly listed [...] or where users would
// need some kind of specific authorization to join"; §4.1 "The room is persistent"
#[test]
fn only_rooms_that_are_open_to_all_and_stay_tell_it() {
    let mut world = World::new();
    let [romeo, _] = public_room(&mut world);
    world.advance(2 * HOUR);
    assert!(activity(&mut world, romeo).is_some());
    world.shape_room(ROOM, |config| config.public = false);
    assert_eq!(activity(&mut world, romeo), None);
    world.shape_room(ROOM, |config| {
        config.public = true;
        config.members_only = true;
    });
    assert_eq!(activity(&mut world, romeo), None);
    world.shape_room(ROOM, |config| {
        config.members_only = false;
        config.password = "thunder".into();
    });
    assert_eq!(activity(&mut world, romeo), None);
    world.shape_room(ROOM, |config| {
        config.password = String::new();
        config.persistent = false;
    });
    assert_eq!(activity(&mut world, romeo), None);
}

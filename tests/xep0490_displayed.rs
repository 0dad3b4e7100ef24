//! XEP-0490: which messages have been seen.

use crate::client::Client;
use crate::world::{World, show};

const NODE: &str = "urn:xmpp:mds:displayed:0";
const OPTIONS: &[(&str, &str)] = &[
    ("persist_items", "true"),
    ("max_items", "max"),
    ("send_last_published_item", "never"),
    ("access_model", "whitelist"),
];

fn displayed(id: &str) -> String {
    format!(
        "<displayed xmlns='{NODE}'><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.org' id='{id}'/></displayed>"
    )
}

const MARKER: &str = "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>";

/// Juliet with a phone and a desktop that watches, and Romeo.
fn scene() -> (World, Client, Client, Client) {
    let mut world = World::new();
    let phone = world.online("juliet", "phone");
    let desktop = world.interested("juliet", "desktop", &[NODE]);
    let romeo = world.online("romeo", "orchard");
    world.clear(phone);
    (world, phone, desktop, romeo)
}

fn items(world: &mut World, client: Client) -> Vec<(String, String)> {
    world.items(client, NODE).into_iter().map(|(id, payload)| (id, show(&payload))).collect()
}

// §4.1, §4.2
#[test]
fn what_one_device_has_seen_the_others_hear_of_and_find() {
    let (mut world, phone, desktop, _) = scene();
    for chat in ["romeo@example.org", "nurse@example.org", "ball@rooms.example.org/Tybalt"] {
        world.publish(phone, NODE, chat, &displayed("1"), OPTIONS);
    }
    world.publish(phone, NODE, "romeo@example.org", &displayed("2"), OPTIONS);
    let events = world.events(desktop, NODE);
    assert_eq!(
        events,
        ["romeo@example.org", "nurse@example.org", "ball@rooms.example.org/Tybalt", "romeo@example.org"]
    );
    world.restart();
    let desktop = world.login("juliet", "desktop");
    let items = items(&mut world, desktop);
    assert_eq!(items.len(), 3);
    assert!(items.contains(&("romeo@example.org".into(), displayed("2"))), "{items:?}");
}

// §4.5.2
#[test]
fn the_account_says_that_it_assists() {
    let (mut world, phone, ..) = scene();
    let info = "<iq type='get' id='i' to='juliet@example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    let info = show(&world.expect_result(phone, info));
    assert!(info.contains("<feature var='urn:xmpp:mds:server-assist:0'/>"), "{info}");
}

// §4.5.3: "The server MUST strip the <displayed/> element from the message and continue to process it normally. The server
// MUST publish a PEP item"
#[test]
fn one_message_tells_the_other_devices_and_the_contact() {
    let (mut world, phone, desktop, romeo) = scene();
    world.expect_result(desktop, "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    world.send(
        phone,
        &format!("<message to='romeo@example.org' type='chat'>{MARKER}{}</message>", displayed("7")),
    );
    world.expect(
        romeo,
        &format!(
            "<message from='juliet@example.org/phone' to='romeo@example.org' type='chat'>{MARKER}</message>"
        ),
    );
    let got = world.drain(desktop);
    let (carbons, events): (Vec<_>, Vec<_>) = got.iter().map(show).partition(|it| it.contains("carbons"));
    assert!(events.iter().any(|event| event.contains("id='7'")), "{events:?}");
    assert!(carbons.iter().all(|carbon| !carbon.contains(NODE)), "{carbons:?}");
    assert_eq!(items(&mut world, phone), [("romeo@example.org".into(), displayed("7"))]);
    // §5.2: the node is for nobody else, and as clients want it.
    assert!(world.items_of(romeo, "juliet@example.org", NODE).is_none());
    world.publish(phone, NODE, "nurse@example.org", &displayed("8"), OPTIONS);
}

#[test]
fn what_is_for_the_devices_never_leaves() {
    let (mut world, phone, _, romeo) = scene();
    let empty = format!("<displayed xmlns='{NODE}'/>");
    for content in [format!("{empty}{MARKER}"), format!("{}{MARKER}{}", displayed("1"), displayed("2"))] {
        world.send(phone, &format!("<message to='romeo@example.org' type='chat'>{content}</message>"));
        world.expect(
            romeo,
            &format!("<message from='juliet@example.org/phone' to='romeo@example.org' type='chat'>{MARKER}</message>"),
        );
    }
    assert_eq!(items(&mut world, phone), [("romeo@example.org".into(), displayed("1"))]);
}

#[test]
fn nobody_else_marks_what_somebody_has_seen() {
    let (mut world, phone, _, romeo) = scene();
    world.send(
        romeo,
        &format!("<message to='juliet@example.org' type='chat'>{MARKER}{}</message>", displayed("1")),
    );
    assert!(items(&mut world, phone).is_empty());
}

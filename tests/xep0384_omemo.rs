//! What clients that speak OMEMO (XEP-0384, also in its older versions) need of nodes: device lists and keys that
//! everyone may fetch, published with their own options, however many.

use crate::client::Client;
use crate::pep::{events, options, publication};
use crate::world::{World, condition_of, show};

const DEVICES: &str = "eu.siacs.conversations.axolotl.devicelist";

fn device_list(ids: &[u32]) -> String {
    let devices: String = ids.iter().map(|id| format!("<device id='{id}'/>")).collect();
    format!("<list xmlns='eu.siacs.conversations.axolotl'>{devices}</list>")
}

/// About as long as real ones.
fn bundle() -> String {
    let keys: String = (1..=100)
        .map(|id| format!("<preKeyPublic preKeyId='{id}'>{}</preKeyPublic>", "A".repeat(44)))
        .collect();
    format!("<bundle xmlns='eu.siacs.conversations.axolotl'><prekeys>{keys}</prekeys></bundle>")
}

/// Juliet, and Romeo, who is no contact of hers.
fn scene() -> (World, Client, Client) {
    let mut world = World::new();
    let (juliet, romeo) = (world.login("juliet", "balcony"), world.login("romeo", "orchard"));
    (world, juliet, romeo)
}

/// What they were seen to ask for.
const OPTIONS: &[&[(&str, &str)]] = &[
    &[("access_model", "open")],
    &[("persist_items", "true"), ("access_model", "open")],
    &[("persist_items", "true"), ("max_items", "1"), ("access_model", "open")],
    &[
        ("persist_items", "true"),
        ("max_items", "max"),
        ("access_model", "open"),
        ("send_last_published_item", "never"),
        ("notify_delete", "true"),
        ("notify_retract", "true"),
    ],
];

#[test]
fn everyone_may_fetch_a_device_list_and_keys_whatever_options_they_come_with() {
    for fields in OPTIONS {
        let (mut world, juliet, romeo) = scene();
        world.publish(juliet, DEVICES, "current", &device_list(&[1, 2]), fields);
        for device in [1, 2] {
            let node = format!("eu.siacs.conversations.axolotl.bundles:{device}");
            world.publish(juliet, &node, "current", &bundle(), fields);
            let items = world.items_of(romeo, "juliet@example.org", &node).expect("for everyone");
            assert_eq!(show(&items[0].1), bundle());
        }
        // The same again, as at each login.
        world.publish(juliet, DEVICES, "current", &device_list(&[1, 2, 3]), fields);
        let items = world.items_of(romeo, "juliet@example.org", DEVICES).expect("for everyone");
        assert_eq!(show(&items[0].1), device_list(&[1, 2, 3]));
        world.restart();
        let romeo = world.login("romeo", "orchard");
        assert!(world.items_of(romeo, "juliet@example.org", DEVICES).is_some(), "{fields:?}");
    }
}

// XEP-0384 §5.3.2: one node with an item for each device
#[test]
fn the_keys_of_all_devices_have_room_on_one_node() {
    let (mut world, juliet, romeo) = scene();
    let node = "urn:xmpp:omemo:2:bundles";
    for device in 0..30 {
        let bundle = bundle().replace("eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2");
        world.publish(juliet, node, &device.to_string(), &bundle, OPTIONS[3]);
    }
    let items = world.items_of(romeo, "juliet@example.org", node).expect("for everyone");
    assert_eq!(items.len(), 30);
}

// Clients take this for "reconfigure, and try again".
#[test]
fn options_that_the_node_does_not_meet_are_said_to_be_so_and_can_be_met() {
    let (mut world, juliet, romeo) = scene();
    world.publish(juliet, DEVICES, "current", &device_list(&[1]), &[("access_model", "presence")]);
    let again = publication(DEVICES, "current", &device_list(&[1, 2]), &options(OPTIONS[0]));
    let error = world.ask(juliet, &again);
    assert_eq!(condition_of(&error).as_deref(), Some("conflict"), "{}", show(&error));
    let detail = error.find("error", "jabber:client").expect("an error");
    assert!(detail.find("precondition-not-met", "http://jabber.org/protocol/pubsub#errors").is_some());
    let configure = format!(
        "<iq type='set' id='c'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='{DEVICES}'>\
         <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>http://jabber.org/protocol/pubsub#node_config</value></field>\
         <field var='pubsub#access_model'><value>open</value></field></x></configure></pubsub></iq>"
    );
    world.expect_result(juliet, &configure);
    world.expect_result(juliet, &again);
    let items = world.items_of(romeo, "juliet@example.org", DEVICES).expect("for everyone");
    assert_eq!(show(&items[0].1), device_list(&[1, 2]));
}

// profanity publishes its first list only if the error is an item that is not found, with the old number beside it.
#[test]
fn a_list_that_is_not_there_is_not_found_and_says_404() {
    let (mut world, juliet, romeo) = scene();
    for (client, to) in [(juliet, ""), (romeo, " to='juliet@example.org'")] {
        let request = format!(
            "<iq type='get' id='i'{to}><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{DEVICES}'/></pubsub></iq>"
        );
        let error = world.ask(client, &request);
        assert_eq!(condition_of(&error).as_deref(), Some("item-not-found"), "{}", show(&error));
        assert_eq!(error.find("error", "jabber:client").and_then(|it| it.get_attr("code")), Some("404"));
    }
}

#[test]
fn contacts_and_other_devices_hear_of_a_new_device() {
    let mut world = World::new();
    world.friends("juliet", "romeo");
    let juliet = world.login("juliet", "balcony");
    let other = world.interested("juliet", "phone", &[DEVICES]);
    let romeo = world.interested("romeo", "orchard", &[DEVICES]);
    world.send(juliet, "<presence/>");
    world.publish(juliet, DEVICES, "current", &device_list(&[1, 2]), OPTIONS[0]);
    assert_eq!(world.events(other, DEVICES), ["current"]);
    assert_eq!(world.events(romeo, DEVICES), ["current"]);
    // And whoever comes later hears of the last one.
    world.close(romeo);
    let (_, told) = world.interested_at_once("romeo", "orchard", &[DEVICES]);
    assert_eq!(events(&told, DEVICES), ["current"]);
}

//! XEP-0334: what senders say about the keeping of their messages.

use crate::client::Client;
use crate::world::{World, show};

/// Juliet, who is offline, and Romeo, who writes.
fn world() -> (World, Client) {
    let mut world = World::new();
    world.account("juliet");
    let romeo = world.login("romeo", "orchard");
    (world, romeo)
}

fn hinted(content: &str, hint: &str) -> String {
    format!(
        "<message to='juliet@example.org' type='chat'>{content}<{hint} xmlns='urn:xmpp:hints'/></message>"
    )
}

fn archived(world: &mut World, client: Client) -> usize {
    world.clear(client);
    world.send(client, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    world.drain(client).len() - 1
}

/// How many messages Juliet gets when she comes, and how many her archive has.
fn come(world: &mut World) -> (usize, usize) {
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, "<presence/>");
    let got = world.drain(juliet).into_iter().filter(|stanza| stanza.name == "message").count();
    (got, archived(world, juliet))
}

#[test]
fn the_server_says_that_it_reads_hints() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    let info =
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    assert!(show(&world.expect_result(romeo, info)).contains("<feature var='urn:xmpp:hints'/>"));
}

// §4.1
#[test]
fn no_permanent_store_keeps_a_message_out_of_archives_but_lets_it_wait() {
    let (mut world, romeo) = world();
    world.send(romeo, &hinted("<body>hi</body>", "no-permanent-store"));
    world.expect_nothing(romeo);
    assert_eq!(archived(&mut world, romeo), 0);
    assert_eq!(come(&mut world), (1, 0));
}

// §4.2: and its sender is told, if there was anything in it
#[test]
fn no_store_keeps_a_message_nowhere() {
    let (mut world, romeo) = world();
    world.send(romeo, &hinted("<body>hi</body>", "no-store"));
    world.expect_bounce(romeo, "service-unavailable");
    world.send(romeo, &hinted("<composing xmlns='http://jabber.org/protocol/chatstates'/>", "no-store"));
    world.expect_nothing(romeo);
    assert_eq!(archived(&mut world, romeo), 0);
    assert_eq!(come(&mut world), (0, 0));
}

#[test]
fn what_is_not_to_be_stored_is_delivered_to_who_is_there() {
    let (mut world, romeo) = world();
    let juliet = world.online("juliet", "balcony");
    world.send(romeo, &hinted("<body>hi</body>", "no-store"));
    world.expect_nothing(romeo);
    let message = world.receive(juliet);
    assert!(message.find("stanza-id", "urn:xmpp:sid:0").is_none(), "{}", show(&message));
    assert_eq!(archived(&mut world, juliet), 0);
}

// §4.4
#[test]
fn store_archives_what_would_not_be() {
    let (mut world, romeo) = world();
    let unknown = "<secret xmlns='urn:example'/>";
    world.send(romeo, &hinted(unknown, "store"));
    world.send(romeo, &format!("<message to='juliet@example.org' type='chat'>{unknown}</message>"));
    assert_eq!(archived(&mut world, romeo), 1);
    assert_eq!(come(&mut world), (2, 1));
}

#[test]
fn not_to_store_weighs_more_than_to_store() {
    let (mut world, romeo) = world();
    let both = "<body>hi</body><store xmlns='urn:xmpp:hints'/>";
    world.send(romeo, &hinted(both, "no-permanent-store"));
    assert_eq!(archived(&mut world, romeo), 0);
    assert_eq!(come(&mut world), (1, 0));
}

// §4.4 "that is not of type 'error'", §5
#[test]
fn hints_in_an_error_are_ignored() {
    let (mut world, romeo) = world();
    world.send(romeo, &hinted("<body>hi</body>", "store").replace("chat", "error"));
    assert_eq!(archived(&mut world, romeo), 0);
    assert_eq!(come(&mut world), (0, 0));
}

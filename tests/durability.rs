//! What is promised is on the disk; what is on the disk survives; and what can't be kept is refused, while everything
//! else goes on.

use stube::control::{Request, Response};
use stube::core::Event;

use crate::client::Client;
use crate::world::{World, show};

const GET: &str = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>";
const ADD: &str =
    "<iq type='set' id='add'><query xmlns='jabber:iq:roster'><item jid='nurse@example.org'/></query></iq>";
const BLOCK: &str = "<iq type='set' id='block'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@example.org'/></block></iq>";
const PING: &str = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>";

fn contacts(world: &mut World, client: Client) -> Vec<String> {
    let roster = world.expect_result(client, GET);
    let items = roster.find("query", "jabber:iq:roster").expect("a roster").children();
    items.filter_map(|item| item.get_attr("jid").map(str::to_owned)).collect()
}

fn bodies(stanzas: &[stube::xml::Element]) -> Vec<String> {
    let bodies = stanzas.iter().filter_map(|stanza| stanza.find("body", "jabber:client"));
    bodies.map(|body| body.text_content()).collect()
}

fn message(to: &str, body: &str) -> String {
    format!("<message to='{to}@example.org' type='chat'><body>{body}</body></message>")
}

// --- answers wait for the disk ---

#[test]
fn a_change_is_confirmed_when_it_is_on_the_disk_and_shown_at_once() {
    for (request, id) in [(ADD, "add"), (BLOCK, "block")] {
        let mut world = World::new();
        let romeo = world.online("romeo", "orchard");
        let garden = world.online("romeo", "garden");
        world.expect_result(garden, "<iq type='get' id='b'><blocklist xmlns='urn:xmpp:blocking'/></iq>");
        world.clear(romeo);
        world.hold_commits();
        world.send(romeo, request);
        assert_eq!(world.answer(romeo, id), None);
        assert_eq!(world.receive(garden).get_attr("type"), Some("set"), "the push");
        // Nothing else waits with it.
        world.expect_result(romeo, PING);
        world.commit();
        assert!(world.answer(romeo, id).is_some_and(|answer| answer.get_attr("type") == Some("result")));
    }
}

#[test]
fn a_message_is_delivered_whatever_the_disk_does() {
    let mut world = World::new();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.hold_commits();
    world.send(romeo, ADD);
    world.send(romeo, &message("juliet", "hello"));
    assert_eq!(bodies(&world.drain(juliet)), ["hello"]);
}

#[test]
fn the_operator_is_told_when_an_account_is_on_the_disk() {
    let mut world = World::new();
    world.hold_commits();
    let add = Request::UserAdd { address: "romeo@example.org".into(), password: "romeo's password".into() };
    assert_eq!(world.control(add), Response::Failed("no answer yet".into()));
    world.commit();
    assert!(matches!(world.replies.pop(), Some((_, Response::Done(_)))));
}

#[test]
fn what_was_not_confirmed_may_be_lost_and_what_was_is_there() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, ADD);
    assert!(world.answer(romeo, "add").is_some());
    world.hold_commits();
    world.send(romeo, &ADD.replace("nurse", "peter"));
    assert_eq!(contacts(&mut world, romeo), ["nurse@example.org", "peter@example.org"]);
    assert!(world.answer(romeo, "add").is_none());
    world.restart();
    let romeo = world.online("romeo", "orchard");
    assert_eq!(contacts(&mut world, romeo), ["nurse@example.org"]);
}

#[test]
fn a_restart_loses_nothing_that_was_confirmed() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let romeo = world.online("romeo", "orchard");
    world.expect_result(romeo, ADD);
    world.expect_result(romeo, BLOCK);
    world.send(romeo, &message("juliet", "while you were away"));
    for _ in 0..3 {
        world.restart();
    }
    let romeo = world.online("romeo", "orchard");
    assert_eq!(contacts(&mut world, romeo), ["juliet@example.org", "nurse@example.org"]);
    let list =
        world.expect_result(romeo, "<iq type='get' id='b'><blocklist xmlns='urn:xmpp:blocking'/></iq>");
    assert!(show(&list).contains("tybalt@example.org"));
    assert_eq!(bodies(&world.online_with_everything("juliet", "balcony")), ["while you were away"]);
}

// Both sides of a subscription change in one batch: there is no moment in which the disk has half of it.
#[test]
fn both_sides_of_a_subscription_are_lost_or_kept_together() {
    let mut world = World::new();
    world.account("juliet");
    let romeo = world.online("romeo", "orchard");
    world.hold_commits();
    world.send(romeo, "<presence type='subscribe' to='juliet@example.org'/>");
    world.restart();
    let juliet = world.online_with_everything("juliet", "balcony");
    assert!(juliet.iter().all(|stanza| stanza.get_attr("type") != Some("subscribe")));
    let romeo = world.online("romeo", "orchard");
    assert!(contacts(&mut world, romeo).is_empty());
}

// --- messages that wait ---

#[test]
fn a_message_that_waits_is_given_once() {
    let mut world = World::new();
    world.account("juliet");
    let romeo = world.online("romeo", "orchard");
    for n in 0..3 {
        world.send(romeo, &message("juliet", &n.to_string()));
    }
    assert_eq!(bodies(&world.online_with_everything("juliet", "balcony")), ["0", "1", "2"]);
    assert!(bodies(&world.online_with_everything("juliet", "garden")).is_empty());
    world.restart();
    assert!(bodies(&world.online_with_everything("juliet", "balcony")).is_empty());
}

#[test]
fn a_message_that_is_not_on_the_disk_yet_is_given_all_the_same() {
    let mut world = World::new();
    world.account("juliet");
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, &message("juliet", "kept"));
    world.hold_commits();
    world.send(romeo, &message("juliet", "not yet"));
    // Long enough for accounts without a session to be forgotten.
    world.advance(120_000);
    assert_eq!(bodies(&world.online_with_everything("juliet", "balcony")), ["kept", "not yet"]);
    world.commit();
    assert!(bodies(&world.online_with_everything("juliet", "garden")).is_empty());
    world.restart();
    assert!(bodies(&world.online_with_everything("juliet", "balcony")).is_empty());
}

// Twice rather than never: what was given is forgotten when the disk has forgotten it.
#[test]
fn a_message_that_was_given_and_not_yet_deleted_comes_again_after_a_crash() {
    let mut world = World::new();
    world.account("juliet");
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, &message("juliet", "hello"));
    world.hold_commits();
    assert_eq!(bodies(&world.online_with_everything("juliet", "balcony")), ["hello"]);
    world.restart();
    assert_eq!(bodies(&world.online_with_everything("juliet", "balcony")), ["hello"]);
}

#[test]
fn many_messages_come_in_order_as_fast_as_they_are_read() {
    let mut world = World::new();
    world.account("juliet");
    let romeo = world.online("romeo", "orchard");
    for n in 0..200 {
        world.send(romeo, &message("juliet", &n.to_string()));
    }
    let juliet = world.login("juliet", "balcony");
    world.room = 700;
    world.stop_reading(juliet);
    world.send(juliet, "<presence/>");
    // What comes meanwhile queues up behind.
    for n in 200..205 {
        world.send(romeo, &message("juliet", &n.to_string()));
    }
    world.go_on_reading(juliet);
    let got = bodies(&world.drain(juliet));
    assert_eq!(got, (0..205).map(|n| n.to_string()).collect::<Vec<_>>());
    world.send(romeo, &message("juliet", "and now live"));
    assert_eq!(bodies(&world.drain(juliet)), ["and now live"]);
}

#[test]
fn who_takes_messages_again_gets_what_came_meanwhile() {
    let mut world = World::new();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.send(juliet, "<presence><priority>-1</priority></presence>");
    world.send(romeo, &message("juliet", "hello"));
    assert!(bodies(&world.drain(juliet)).is_empty());
    world.send(juliet, "<presence><priority>1</priority></presence>");
    assert_eq!(bodies(&world.drain(juliet)), ["hello"]);
}

// --- accounts that are forgotten and read again ---

#[test]
fn an_account_without_a_session_is_forgotten_and_read_again_as_it_was() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    world.advance(120_000);
    assert!(world.core.loaded(&"romeo@example.org".parse().expect("an address")).is_none());
    let romeo = world.online("romeo", "orchard");
    assert_eq!(contacts(&mut world, romeo), ["juliet@example.org"]);
}

#[test]
fn an_account_with_changes_that_are_not_on_the_disk_is_not_forgotten() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.hold_commits();
    world.send(romeo, ADD);
    world.close(romeo);
    world.advance(120_000);
    let romeo = world.online("romeo", "orchard");
    assert_eq!(contacts(&mut world, romeo), ["nurse@example.org"]);
}

#[test]
fn an_account_that_was_removed_is_gone_before_the_disk_knows() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.expect_result(romeo, ADD);
    world.hold_commits();
    world.control(Request::UserRemove { address: "romeo@example.org".into() });
    world.expect_stream_error(romeo, "not-authorized");
    world.advance(120_000);
    let client = world.connect_tls();
    world.open_stream(client);
    world.plain(client, "romeo", "romeo's password");
    assert_eq!(world.receive(client).name, "failure");
    // A new account of that name has nothing of the old one's, on either side of the commit.
    let romeo = world.login("romeo", "orchard");
    assert!(contacts(&mut world, romeo).is_empty());
    world.commit();
    world.restart();
    let romeo = world.login("romeo", "orchard");
    assert!(contacts(&mut world, romeo).is_empty());
}

// --- a disk that is full or failing ---

#[test]
fn what_cannot_be_kept_is_refused_and_everything_else_goes_on() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    world.account("nurse");
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.clear(romeo);
    world.handle(Event::StoreStalled("no space left on device".into()));
    world.expect_error(romeo, ADD, "resource-constraint");
    world.expect_error(romeo, BLOCK, "resource-constraint");
    world.send(romeo, &message("nurse", "are you there?"));
    world.expect_bounce(romeo, "resource-constraint");
    for kind in ["subscribe", "subscribed", "unsubscribe", "unsubscribed"] {
        world.send(romeo, &format!("<presence type='{kind}' to='nurse@example.org'/>"));
        world.expect_bounce(romeo, "resource-constraint");
    }
    let add = Request::UserAdd { address: "tybalt@example.org".into(), password: "x".into() };
    assert!(matches!(world.control(add), Response::Failed(_)));
    let remove = Request::UserRemove { address: "nurse@example.org".into() };
    assert!(matches!(world.control(remove), Response::Failed(_)));

    world.send(romeo, &message("juliet", "still here"));
    assert_eq!(bodies(&world.drain(juliet)), ["still here"]);
    world.send(romeo, "<presence><show>away</show></presence>");
    assert_eq!(world.drain(juliet).len(), 1);
    world.clear(romeo);
    world.expect_result(romeo, PING);
    assert_eq!(contacts(&mut world, romeo), ["juliet@example.org"]);
    world.login("nurse", "kitchen");

    world.handle(Event::StoreResumed);
    world.expect_result(romeo, ADD);
}

#[test]
fn a_request_from_outside_that_cannot_be_kept_is_refused() {
    let mut world = World::federated();
    world.account("romeo");
    world.handle(Event::StoreStalled("no space left on device".into()));
    world.from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    world.expect_remote(
        "<presence type='error' from='romeo@example.org' to='juliet@example.net'><error code='500' type='wait'>\
         <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*</text></error></presence>",
    );
    world.from_remote("<message type='chat' from='juliet@example.net/x' to='romeo@example.org'><body>hello</body></message>");
    assert_eq!(world.to_remote().len(), 1);
}

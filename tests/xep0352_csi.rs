//! XEP-0352: what can wait does, while nobody looks.

use crate::client::Client;
use crate::world::World;

const INACTIVE: &str = "<inactive xmlns='urn:xmpp:csi:0'/>";
const ACTIVE: &str = "<active xmlns='urn:xmpp:csi:0'/>";
const PING: &str = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>";

/// juliet writes; romeo's client is inactive.
fn scene() -> (World, Client, Client) {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    world.send(romeo, INACTIVE);
    world.expect_nothing(romeo);
    (world, juliet, romeo)
}

fn state(name: &str) -> String {
    format!(
        "<message to='romeo@example.org' type='chat'><{name} xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
}

fn names(world: &mut World, client: Client) -> Vec<String> {
    world.drain(client).into_iter().map(|stanza| stanza.name).collect()
}

#[test]
fn it_is_offered_once_somebody_has_logged_in() {
    let mut world = World::new();
    let client = world.connect_tls();
    assert!(world.open_stream(client).find("csi", "urn:xmpp:csi:0").is_none());
    world.account("romeo");
    world.plain(client, "romeo", "romeo's password");
    world.clear(client);
    assert!(world.open_stream(client).find("csi", "urn:xmpp:csi:0").is_some());
}

#[test]
fn presence_waits_and_only_the_last_of_each_resource_comes() {
    let (mut world, juliet, romeo) = scene();
    for show in ["away", "xa", "dnd"] {
        world.send(juliet, &format!("<presence><show>{show}</show></presence>"));
    }
    world.expect_nothing(romeo);
    world.send(romeo, ACTIVE);
    world.expect(romeo, "<presence from='juliet@example.org/balcony' to='*'><show>dnd</show></presence>");
    world.expect_nothing(romeo);
}

#[test]
fn typing_waits_and_only_the_last_of_it_comes() {
    let (mut world, juliet, romeo) = scene();
    for name in ["composing", "paused", "composing", "active"] {
        world.send(juliet, &state(name));
    }
    world.expect_nothing(romeo);
    world.send(romeo, ACTIVE);
    let got = world.drain(romeo);
    assert_eq!(got.len(), 1);
    assert!(got[0].find("active", "http://jabber.org/protocol/chatstates").is_some());
}

#[test]
fn receipts_markers_and_headlines_wait() {
    let (mut world, juliet, romeo) = scene();
    for content in [
        "type='chat'><received xmlns='urn:xmpp:receipts' id='x'/>",
        "type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>",
        "type='headline'><body>news</body>",
    ] {
        world.send(juliet, &format!("<message to='romeo@example.org' {content}</message>"));
    }
    world.expect_nothing(romeo);
    world.send(romeo, ACTIVE);
    assert_eq!(names(&mut world, romeo), ["message", "message", "message"]);
}

#[test]
fn what_a_person_may_be_waiting_for_takes_along_what_waited_in_order() {
    for urgent in [
        "<message to='romeo@example.org' type='chat'><body>hello</body></message>",
        "<message to='romeo@example.org' type='chat'><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>",
        "<message to='romeo@example.org' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='x'/></message>",
        "<message to='romeo@example.org'><x xmlns='jabber:x:conference' jid='r@r.example.org'/></message>",
        "<iq type='get' id='v' to='romeo@example.org/orchard'><query xmlns='jabber:iq:version'/></iq>",
        "<presence type='unsubscribe' to='romeo@example.org'/>",
    ] {
        let (mut world, juliet, romeo) = scene();
        world.send(juliet, "<presence><show>away</show></presence>");
        world.send(juliet, &state("composing"));
        world.expect_nothing(romeo);
        world.send(juliet, urgent);
        let got = names(&mut world, romeo);
        assert_eq!(got[..2], ["presence", "message"], "{urgent}");
        assert!(got.len() >= 3, "{urgent}");
    }
}

#[test]
fn what_waited_comes_before_the_answer_to_the_next_request() {
    let (mut world, juliet, romeo) = scene();
    world.send(juliet, "<presence><show>away</show></presence>");
    world.send(romeo, &format!("{ACTIVE}{PING}"));
    assert_eq!(names(&mut world, romeo), ["presence", "iq"]);
}

#[test]
fn an_active_client_gets_everything_at_once() {
    let (mut world, juliet, romeo) = scene();
    world.send(romeo, ACTIVE);
    world.send(juliet, "<presence><show>away</show></presence>");
    world.send(juliet, &state("composing"));
    assert_eq!(names(&mut world, romeo), ["presence", "message"]);
}

#[test]
fn what_waits_is_bounded() {
    let (mut world, juliet, romeo) = scene();
    let text = "x".repeat(2_000);
    for _ in 0..100 {
        world.send(
            juliet,
            &format!("<message to='romeo@example.org' type='headline'><body>{text}</body></message>"),
        );
    }
    let got = world.drain(romeo).len();
    assert!((30..100).contains(&got), "{got}");
}

#[test]
fn a_stream_that_goes_on_with_a_session_is_active() {
    let (mut world, juliet, romeo) = scene();
    world.send(romeo, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let id = world.receive(romeo).get_attr("id").expect("an id").to_owned();
    world.send(romeo, INACTIVE);
    world.send(juliet, "<presence><show>away</show></presence>");
    world.cut(romeo);
    let romeo = world.authenticate("romeo");
    world.send(romeo, &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"));
    assert_eq!(names(&mut world, romeo), ["resumed", "presence", "r"]);
    world.send(juliet, "<presence><show>xa</show></presence>");
    assert_eq!(names(&mut world, romeo), ["presence"]);
}

#[test]
fn what_waited_for_a_session_that_ends_is_not_a_message_lost() {
    let (mut world, juliet, romeo) = scene();
    world.send(romeo, "<enable xmlns='urn:xmpp:sm:3'/>");
    world.send(romeo, INACTIVE);
    world.clear(romeo);
    world.send(
        juliet,
        "<message to='romeo@example.org' type='chat'><received xmlns='urn:xmpp:receipts' id='x'/></message>",
    );
    world.cut(romeo);
    let got = world.online_with_everything("romeo", "garden");
    assert!(got.iter().any(|stanza| stanza.find("received", "urn:xmpp:receipts").is_some()));
}

#[test]
fn nobody_else_can_tell() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let romeo = world.online("romeo", "orchard");
    let juliet = world.online("juliet", "balcony");
    world.clear(romeo);
    world.clear(juliet);
    world.send(romeo, INACTIVE);
    world.send(romeo, ACTIVE);
    world.expect_nothing(juliet);
}

#[test]
fn an_operator_can_switch_it_off() {
    let mut world = World::with(|config| config.sessions.hold_while_inactive = false);
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, INACTIVE);
    world.send(juliet, "<presence><show>away</show></presence>");
    assert_eq!(names(&mut world, romeo), ["presence"]);
}

#[test]
fn anything_else_in_its_namespace_ends_the_stream() {
    let (mut world, _, romeo) = scene();
    world.send(romeo, "<asleep xmlns='urn:xmpp:csi:0'/>");
    world.expect_stream_error(romeo, "unsupported-stanza-type");
}

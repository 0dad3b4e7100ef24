//! XEP-0199: ping.

use crate::world::{World, show};

fn ping(to: &str) -> String {
    let to = if to.is_empty() { String::new() } else { format!(" to='{to}'") };
    format!("<iq type='get' id='c2s1'{to}><ping xmlns='urn:xmpp:ping'/></iq>")
}

// §4.2 "A client may also ping its server by sending an IQ-get over the stream between the two entities. [...] The client
// MAY include a 'to' address of the client's bare JID [...] or MAY include no 'to' address [...] If the server supports
// the ping namespace, it MUST return an IQ-result"
#[test]
fn the_server_answers_by_its_domain_by_the_bare_address_and_by_no_address() {
    let mut world = World::new();
    let juliet = world.login("juliet", "balcony");
    for (to, from) in [
        ("example.org", "example.org"),
        ("juliet@example.org", "juliet@example.org"),
        ("", "juliet@example.org"),
    ] {
        world.send(juliet, &ping(to));
        world.expect(
            juliet,
            &format!("<iq type='result' id='c2s1' from='{from}' to='juliet@example.org/balcony'/>"),
        );
    }
}

// §4.3
#[test]
fn another_server_can_ping() {
    let mut world = World::federated();
    world.from_remote(
        "<iq type='get' id='s2s1' from='example.net' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    world.expect_remote("<iq type='result' id='s2s1' from='example.org' to='example.net'/>");
}

// §4.4
#[test]
fn a_ping_to_a_resource_is_the_clients_to_answer() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (juliet, romeo) = (world.online("juliet", "balcony"), world.online("romeo", "orchard"));
    world.clear(juliet);
    world.clear(romeo);
    world.send(romeo, &ping("juliet@example.org/balcony"));
    world.expect(
        juliet,
        "<iq type='get' id='c2s1' from='romeo@example.org/orchard' to='juliet@example.org/balcony'>\
         <ping xmlns='urn:xmpp:ping'/></iq>",
    );
    world.send(juliet, "<iq type='result' id='c2s1' to='romeo@example.org/orchard'/>");
    world.expect(
        romeo,
        "<iq type='result' id='c2s1' from='juliet@example.org/balcony' to='romeo@example.org/orchard'/>",
    );
}

// §8: the answers to strangers are those of nobody, so that a ping tells no presence.
#[test]
fn a_ping_tells_a_stranger_nothing() {
    let mut world = World::new();
    world.online("juliet", "balcony");
    let romeo = world.login("romeo", "orchard");
    for resource in ["", "/balcony", "/none"] {
        let answers = ["juliet@example.org", "nobody@example.org"].map(|account| {
            let to = format!("{account}{resource}");
            show(&world.ask(romeo, &ping(&to))).replace(&to, "")
        });
        assert!(answers[0].contains("<service-unavailable"), "{}", answers[0]);
        assert_eq!(answers[0], answers[1]);
    }
}

#[test]
fn a_friend_can_ping_the_account() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let romeo = world.login("romeo", "orchard");
    world.expect_result(romeo, &ping("juliet@example.org"));
    world.expect_error(romeo, &ping("juliet@example.org/none"), "service-unavailable");
}

#[test]
fn a_ping_is_a_get() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    for to in ["example.org", "romeo@example.org"] {
        world.expect_error(romeo, &ping(to).replace("'get'", "'set'"), "bad-request");
    }
}

// §4.1
#[test]
fn a_silent_client_is_pinged_and_any_answer_will_do() {
    for answer in [
        "<iq type='result' id='ID' to='example.org'/>",
        "<iq type='error' id='ID' to='example.org'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    ] {
        let mut world = World::new();
        let juliet = world.login("juliet", "balcony");
        world.advance(300_000);
        let asked = world.receive(juliet);
        assert!(asked.find("ping", "urn:xmpp:ping").is_some(), "{}", show(&asked));
        world.send(juliet, &answer.replace("ID", asked.get_attr("id").expect("an id")));
        world.advance(60_000);
        assert!(!world.is_closed(juliet));
        world.expect_nothing(juliet);
    }
}

#[test]
fn a_client_that_never_answers_is_gone() {
    let mut world = World::new();
    let juliet = world.login("juliet", "balcony");
    world.advance(300_000);
    world.clear(juliet);
    world.advance(60_000);
    world.expect_stream_error(juliet, "connection-timeout");
}

//! RFC 6121 §8: who gets a stanza, by the form of its address, its type, and who is there.

use crate::client::Client;
use crate::world::{World, condition_of, show};

/// juliet sends; romeo's account has these resources, each with a priority, or none if it is only connected.
fn stage(resources: &[(&str, Option<i8>)]) -> (World, Client, Vec<Client>) {
    let mut world = World::new();
    world.account("romeo");
    let juliet = world.online("juliet", "balcony");
    let mut romeos = Vec::new();
    for (resource, priority) in resources {
        let romeo = world.login("romeo", resource);
        if let Some(priority) = priority {
            world.send(romeo, &format!("<presence><priority>{priority}</priority></presence>"));
        }
        romeos.push(romeo);
    }
    romeos.iter().for_each(|romeo| world.clear(*romeo));
    (world, juliet, romeos)
}

/// How a type of message is written.
fn message(kind: &str, to: &str) -> String {
    match kind {
        "normal" => format!("<message to='{to}' id='m'><body>hello</body></message>"),
        "error" => format!(
            "<message to='{to}' id='m' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        ),
        kind => format!("<message to='{to}' id='m' type='{kind}'><body>hello</body></message>"),
    }
}

const KINDS: [&str; 5] = ["normal", "chat", "groupchat", "headline", "error"];

/// Sends a message and says which resources got it, with its address untouched, and what the sender was told.
fn sent(
    world: &mut World,
    juliet: Client,
    romeos: &[Client],
    kind: &str,
    to: &str,
) -> (Vec<usize>, Option<String>) {
    world.send(juliet, &message(kind, to));
    let mut takers = Vec::new();
    for (at, romeo) in romeos.iter().enumerate() {
        for got in world.drain(*romeo) {
            assert_eq!(got.get_attr("to"), Some(to), "the address is never rewritten");
            assert_eq!(got.get_attr("from"), Some("juliet@example.org/balcony"));
            assert_eq!(got.get_attr("id"), Some("m"));
            takers.push(at);
        }
    }
    let told = world.try_receive(juliet).map(|told| condition_of(&told).unwrap_or_else(|| show(&told)));
    world.expect_nothing(juliet);
    (takers, told)
}

/// How many messages wait for romeo.
fn waiting(world: &mut World) -> usize {
    let romeo = world.login("romeo", "later");
    world.send(romeo, "<presence/>");
    let all = world.drain(romeo);
    world.close(romeo);
    all.iter().filter(|stanza| stanza.name == "message").count()
}

fn refused() -> Option<String> {
    Some("service-unavailable".into())
}

// --- §8.5.1: no such account ---

#[test]
fn a_message_or_a_request_for_an_account_that_does_not_exist_is_service_unavailable() {
    let (mut world, juliet, _) = stage(&[]);
    for to in ["nobody@example.org", "nobody@example.org/home"] {
        for kind in KINDS {
            let told = sent(&mut world, juliet, &[], kind, to).1;
            assert_eq!(told, if kind == "error" { None } else { refused() }, "{kind}");
        }
        for (kind, query) in
            [("get", "jabber:iq:version"), ("set", "urn:example:x"), ("get", "jabber:iq:roster")]
        {
            world.expect_error(
                juliet,
                &format!("<iq type='{kind}' id='a' to='{to}'><query xmlns='{query}'/></iq>"),
                "service-unavailable",
            );
        }
    }
}

// "For a presence stanza with no 'type' attribute or a 'type' attribute of "unavailable", ... "subscribe",
// "subscribed", "unsubscribe", or "unsubscribed", the server MUST silently ignore the stanza."
#[test]
fn presence_for_an_account_that_does_not_exist_is_ignored() {
    let (mut world, juliet, _) = stage(&[]);
    world.expect_result(juliet, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    for to in ["nobody@example.org", "nobody@example.org/home"] {
        for kind in [
            "",
            "type='unavailable'",
            "type='subscribe'",
            "type='subscribed'",
            "type='unsubscribe'",
            "type='unsubscribed'",
        ] {
            world.send(juliet, &format!("<presence {kind} to='{to}'/>"));
            // Her own roster may change, but nobody answers.
            assert!(world.drain(juliet).iter().all(|got| got.name == "iq"), "{kind} {to}");
        }
    }
    // and from outside
    world.core.federated = true;
    for kind in [
        "",
        "type='unavailable'",
        "type='subscribe'",
        "type='subscribed'",
        "type='unsubscribe'",
        "type='unsubscribed'",
    ] {
        for to in ["nobody@example.org", "nobody@example.org/home"] {
            world.from_remote(&format!("<presence {kind} from='tybalt@example.net' to='{to}'/>"));
            assert!(world.to_remote().is_empty(), "{kind}");
        }
    }
}

// "For a presence stanza of type "probe", the server MUST either (a) silently ignore the stanza or (b) return a
// presence stanza of type "unsubscribed"."
#[test]
fn a_probe_of_an_account_that_does_not_exist_finds_what_a_stranger_finds() {
    let (mut world, juliet, _) = stage(&[("orchard", Some(0))]);
    world.core.federated = true;
    for to in ["nobody@example.org", "nobody@example.org/home", "romeo@example.org"] {
        world.from_remote(&format!("<presence type='probe' from='tybalt@example.net/x' to='{to}'/>"));
        let bare = to.split('/').next().expect("an address");
        world
            .expect_remote(&format!("<presence type='unsubscribed' from='{bare}' to='tybalt@example.net'/>"));
        // One of ours has no subscription that this could end.
        world.send(juliet, &format!("<presence type='probe' to='{to}'/>"));
        world.expect_nothing(juliet);
    }
}

// --- §8.5.2: to the account ---

// §8.5.2.1.1: one resource
#[test]
fn a_message_to_the_account_reaches_its_only_resource() {
    let (mut world, juliet, romeos) = stage(&[("orchard", Some(0))]);
    for (kind, takers, told) in [
        ("normal", vec![0], None),
        ("chat", vec![0], None),
        ("headline", vec![0], None),
        ("groupchat", vec![], refused()),
        ("error", vec![], None),
    ] {
        assert_eq!(sent(&mut world, juliet, &romeos, kind, "romeo@example.org"), (takers, told), "{kind}");
    }
    assert_eq!(waiting(&mut world), 0);
}

// §8.5.2.1.1: "deliver the message to all of the non-negative resources"; "for any message type the server MUST NOT
// deliver the stanza to any available resource with a negative priority"
#[test]
fn a_message_to_the_account_reaches_every_resource_but_those_with_a_negative_priority() {
    let (mut world, juliet, romeos) = stage(&[
        ("one", Some(0)),
        ("two", Some(10)),
        ("mute", Some(-1)),
        ("connected", None),
        ("three", Some(127)),
    ]);
    for (kind, takers, told) in [
        ("normal", vec![0, 1, 4], None),
        ("chat", vec![0, 1, 4], None),
        ("headline", vec![0, 1, 4], None),
        ("groupchat", vec![], refused()),
        ("error", vec![], None),
    ] {
        assert_eq!(sent(&mut world, juliet, &romeos, kind, "romeo@example.org"), (takers, told), "{kind}");
    }
    assert_eq!(waiting(&mut world), 0);
}

// §8.5.2.1.1: "If the only available resource has a negative presence priority then the server SHOULD store the message
// offline"; a headline is ignored. §8.5.2.2.1: nobody there. Connected is not available.
#[test]
fn a_message_to_an_account_that_nobody_can_take_waits_if_it_is_worth_it() {
    for resources in [&[][..], &[("mute", Some(-1))], &[("connected", None)]] {
        for (kind, told, waits) in [
            ("normal", None, 1),
            ("chat", None, 1),
            ("headline", None, 0),
            ("groupchat", refused(), 0),
            ("error", None, 0),
        ] {
            let (mut world, juliet, romeos) = stage(resources);
            assert_eq!(
                sent(&mut world, juliet, &romeos, kind, "romeo@example.org"),
                (vec![], told),
                "{kind}"
            );
            assert_eq!(waiting(&mut world), waits, "{kind} {resources:?}");
        }
    }
}

// §8.5.2.1.2: "For a presence stanza with no type or of type "unavailable", the server MUST deliver it to all available
// resources."
#[test]
fn presence_to_the_account_reaches_every_available_resource_whatever_its_priority() {
    let (mut world, juliet, romeos) = stage(&[("one", Some(0)), ("mute", Some(-5)), ("connected", None)]);
    for kind in ["", "type='unavailable'"] {
        world.send(juliet, &format!("<presence {kind} to='romeo@example.org'/>"));
        for romeo in &romeos[..2] {
            world.expect(
                *romeo,
                &format!("<presence {kind} from='juliet@example.org/balcony' to='romeo@example.org'/>"),
            );
        }
        world.expect_nothing(romeos[2]);
        world.expect_nothing(juliet);
    }
}

// §8.5.2.2.2
#[test]
fn presence_to_an_account_that_is_not_there_is_ignored() {
    let (mut world, juliet, _) = stage(&[]);
    for kind in ["", "type='unavailable'"] {
        world.send(juliet, &format!("<presence {kind} to='romeo@example.org'/>"));
        world.expect_nothing(juliet);
    }
    assert_eq!(waiting(&mut world), 0);
}

// §8.5.2.1.3, §8.5.2.2.3: "the server itself MUST reply on behalf of the user with either an IQ result or an IQ error,
// and MUST NOT deliver the IQ stanza to any of the user's available resources"
#[test]
fn a_request_to_the_account_is_answered_by_the_server_whoever_is_there() {
    for resources in [&[][..], &[("orchard", Some(0))]] {
        let (mut world, juliet, romeos) = stage(resources);
        let unknown =
            "<iq type='get' id='a' to='romeo@example.org'><query xmlns='urn:example:unknown'/></iq>";
        world.expect_error(juliet, unknown, "service-unavailable");
        world.expect_error(juliet, &unknown.replace("get", "set"), "service-unavailable");
        // "if the semantics of the qualifying namespace define a reply that the server can provide on behalf of the
        // user, then the server MUST reply ... that is appropriate to the original payload"
        world.expect_error(
            juliet,
            "<iq type='get' id='b' to='romeo@example.org'><query xmlns='jabber:iq:roster'/></iq>",
            "forbidden",
        );
        let disco = "<iq type='get' id='c' to='juliet@example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
        world.expect_result(juliet, disco);
        for romeo in romeos {
            world.expect_nothing(romeo);
        }
    }
}

#[test]
fn an_answer_to_the_account_is_for_nobody() {
    let (mut world, juliet, romeos) = stage(&[("orchard", Some(0))]);
    world.send(juliet, "<iq type='result' id='a' to='romeo@example.org'/>");
    world.expect_nothing(romeos[0]);
    world.expect_nothing(juliet);
}

// --- §8.5.3.1: to a resource that is there ---

// "For a message stanza, the server MUST deliver the stanza to the resource": available or only connected, of any type
// and any priority
#[test]
fn a_message_to_a_resource_reaches_that_one_and_no_other() {
    let (mut world, juliet, romeos) = stage(&[("one", Some(0)), ("mute", Some(-5)), ("connected", None)]);
    for (at, resource) in ["one", "mute", "connected"].iter().enumerate() {
        for kind in KINDS {
            let to = format!("romeo@example.org/{resource}");
            assert_eq!(sent(&mut world, juliet, &romeos, kind, &to), (vec![at], None), "{kind} {to}");
        }
    }
}

// "For a presence stanza with no 'type' attribute or a 'type' attribute of "unavailable", the server MUST deliver the
// stanza to the resource."
#[test]
fn presence_to_a_resource_reaches_it() {
    let (mut world, juliet, romeos) = stage(&[("one", Some(0)), ("connected", None)]);
    for kind in ["", "type='unavailable'"] {
        for (romeo, resource) in romeos.iter().zip(["one", "connected"]) {
            world.send(juliet, &format!("<presence {kind} to='romeo@example.org/{resource}'/>"));
            world.expect(
                *romeo,
                &format!(
                    "<presence {kind} from='juliet@example.org/balcony' to='romeo@example.org/{resource}'/>"
                ),
            );
        }
    }
}

// "For an IQ stanza of type "get" or "set", if the intended recipient does not share presence with the requesting
// entity either by means of a presence subscription of type "both" or "from" or by means of directed presence, then the
// server SHOULD NOT deliver the IQ stanza but instead SHOULD return a <service-unavailable/> stanza error"
#[test]
fn a_request_reaches_a_resource_that_has_shown_itself() {
    let ask = "<iq type='get' id='a' to='romeo@example.org/orchard'><query xmlns='jabber:iq:version'/></iq>";
    let asked = "<iq type='get' id='a' from='juliet@example.org/balcony' to='romeo@example.org/orchard'><query xmlns='jabber:iq:version'/></iq>";
    let (mut world, juliet, romeos) = stage(&[("orchard", Some(0))]);
    world.expect_error(juliet, ask, "service-unavailable");
    world.expect_nothing(romeos[0]);
    // by directed presence
    world.send(romeos[0], "<presence to='juliet@example.org/balcony'/>");
    world.clear(juliet);
    world.send(juliet, ask);
    world.expect(romeos[0], asked);
    world.send(romeos[0], "<presence type='unavailable' to='juliet@example.org/balcony'/>");
    world.clear(juliet);
    world.expect_error(juliet, ask, "service-unavailable");
    // by subscription
    world.send(juliet, "<presence type='subscribe' to='romeo@example.org'/>");
    world.send(romeos[0], "<presence type='subscribed' to='juliet@example.org'/>");
    world.clear(romeos[0]);
    world.clear(juliet);
    world.send(juliet, ask);
    world.expect(romeos[0], asked);
    // because it is the same account
    let garden = world.login("romeo", "garden");
    world.send(garden, ask);
    world.expect(romeos[0], &asked.replace("juliet@example.org/balcony", "romeo@example.org/garden"));
}

// Her seeing him is no reason for him to ask her.
#[test]
fn a_subscription_to_someone_is_not_presence_shared_with_them() {
    let (mut world, juliet, romeos) = stage(&[("orchard", Some(0))]);
    world.send(juliet, "<presence type='subscribe' to='romeo@example.org'/>");
    world.send(romeos[0], "<presence type='subscribed' to='juliet@example.org'/>");
    world.clear(romeos[0]);
    world.clear(juliet);
    world.expect_error(
        romeos[0],
        "<iq type='get' id='a' to='juliet@example.org/balcony'><query xmlns='jabber:iq:version'/></iq>",
        "service-unavailable",
    );
    world.expect_nothing(juliet);
}

// "For an IQ stanza of type "result" or "error", the server MUST deliver the stanza to the resource."
#[test]
fn an_answer_to_a_resource_reaches_it() {
    let (mut world, juliet, romeos) = stage(&[("orchard", Some(0)), ("connected", None)]);
    for (romeo, resource) in romeos.iter().zip(["orchard", "connected"]) {
        for kind in ["result", "error"] {
            world.send(juliet, &format!("<iq type='{kind}' id='a' to='romeo@example.org/{resource}'/>"));
            world.expect(
                *romeo,
                &format!("<iq type='{kind}' id='a' from='juliet@example.org/balcony' to='romeo@example.org/{resource}'/>"),
            );
        }
    }
}

// --- §8.5.3.2: to a resource that is not there ---

// §8.5.3.2.1: a chat message takes the way of one to the account; "normal", "groupchat" get an error, "headline" and
// "error" are ignored
#[test]
fn a_message_to_a_resource_that_is_gone_is_for_the_account_if_it_is_chat() {
    let (mut world, juliet, romeos) =
        stage(&[("one", Some(0)), ("two", Some(3)), ("mute", Some(-1)), ("connected", None)]);
    for (kind, takers, told) in [
        ("chat", vec![0, 1], None),
        ("normal", vec![], refused()),
        ("groupchat", vec![], refused()),
        ("headline", vec![], None),
        ("error", vec![], None),
    ] {
        assert_eq!(
            sent(&mut world, juliet, &romeos, kind, "romeo@example.org/gone"),
            (takers, told),
            "{kind}"
        );
    }
    assert_eq!(waiting(&mut world), 0);
}

// §8.5.3.2.1: "If there is no available or connected resource, the server MUST either (a) store the message offline for
// later delivery or (b) return an error stanza"
#[test]
fn a_chat_message_to_a_resource_that_is_gone_waits_when_nobody_else_is_there() {
    for resources in [&[][..], &[("mute", Some(-1))]] {
        let (mut world, juliet, romeos) = stage(resources);
        assert_eq!(sent(&mut world, juliet, &romeos, "chat", "romeo@example.org/gone"), (vec![], None));
        assert_eq!(waiting(&mut world), 1);
    }
}

// §8.5.3.2.2: ignored, all but requests and probes
#[test]
fn presence_to_a_resource_that_is_gone_is_ignored() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    // A contact with whom everything would have an effect: both, and asking again.
    world.send(romeo, "<presence type='subscribe' to='juliet@example.net'/>");
    world.from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    world.send(romeo, "<presence type='subscribed' to='juliet@example.net'/>");
    world.to_remote();
    world.clear(romeo);
    for kind in [
        "",
        "type='unavailable'",
        "type='subscribed'",
        "type='unsubscribe'",
        "type='unsubscribed'",
        "type='error'",
    ] {
        world.from_remote(&format!(
            "<presence {kind} from='juliet@example.net' to='romeo@example.org/gone'/>"
        ));
        world.expect_nothing(romeo);
        assert!(world.to_remote().is_empty(), "{kind}");
    }
    let roster = world.expect_result(romeo, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    assert!(show(&roster).contains("subscription='from' ask='subscribe'"), "{}", show(&roster));
}

// §8.5.3.2.2: "For a presence stanza of type "subscribe", the server MUST follow the guidelines provided under Section
// 3.1.3"; §8.5.3.1: so it does for a resource that is there
#[test]
fn a_subscription_stanza_to_a_resource_is_for_the_account() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    world.from_remote("<presence type='subscribe' from='juliet@example.net/x' to='romeo@example.org/gone'/>");
    world.expect(romeo, "<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
    world.send(romeo, "<presence type='subscribed' to='juliet@example.net'/>");
    world.clear(romeo);
    world.from_remote(
        "<presence type='unsubscribe' from='juliet@example.net/x' to='romeo@example.org/orchard'/>",
    );
    world.expect(romeo, "<presence type='unsubscribe' from='juliet@example.net' to='romeo@example.org'/>");
}

// §8.5.3.2.3: "For an IQ stanza, the server MUST return a <service-unavailable/> stanza error to the sender."
#[test]
fn a_request_to_a_resource_that_is_gone_is_service_unavailable() {
    let (mut world, juliet, _) = stage(&[("orchard", Some(0))]);
    for kind in ["get", "set"] {
        world.expect_error(
            juliet,
            &format!(
                "<iq type='{kind}' id='a' to='romeo@example.org/gone'><query xmlns='urn:example:x'/></iq>"
            ),
            "service-unavailable",
        );
    }
    world.send(juliet, "<iq type='result' id='a' to='romeo@example.org/gone'/>");
    world.expect_nothing(juliet);
}

// --- order ---

// RFC 6120 §10.1: "stanzas ... processed in order"
#[test]
fn stanzas_between_two_resources_keep_their_order() {
    let (mut world, juliet, romeos) = stage(&[("orchard", Some(0))]);
    let all: String =
        (0..50).map(|n| message("chat", "romeo@example.org").replace("hello", &n.to_string())).collect();
    world.send(juliet, &all);
    let bodies: Vec<String> = world
        .drain(romeos[0])
        .iter()
        .filter_map(|message| message.find("body", "jabber:client").map(|body| body.text_content()))
        .collect();
    assert_eq!(bodies, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
}

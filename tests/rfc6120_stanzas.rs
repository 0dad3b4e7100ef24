//! RFC 6120 §8 and §10: what a stanza must be, the errors of those that are not, and who they are from.

use crate::client::Client;
use crate::world::{World, condition_of, show};

fn stage() -> (World, Client, Client) {
    let mut world = World::new();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    (world, romeo, juliet)
}

// --- §8.1: addresses ---

// §8.1.2.1
#[test]
fn the_server_says_who_a_stanza_is_from() {
    let (mut world, romeo, juliet) = stage();
    for from in [
        "",
        "from='romeo@example.org'",
        "from='romeo@example.org/orchard'",
        "from='Romeo@EXAMPLE.org/orchard'",
    ] {
        world.send(romeo, &format!("<message {from} to='juliet@example.org'><body>hello</body></message>"));
        world.expect(
            juliet,
            "<message from='romeo@example.org/orchard' to='juliet@example.org'><body>hello</body></message>",
        );
    }
}

// §8.1.2.1, §4.9.3.9
#[test]
fn a_client_that_claims_to_be_someone_else_is_cut_off() {
    for from in [
        "juliet@example.org",
        "juliet@example.org/balcony",
        "romeo@example.org/garden",
        "example.org",
        "romeo@example.net",
    ] {
        let (mut world, romeo, juliet) = stage();
        world.send(
            romeo,
            &format!("<message from='{from}' to='juliet@example.org'><body>hello</body></message>"),
        );
        world.expect_stream_error(romeo, "invalid-from");
        world.expect_nothing(juliet);
    }
}

// §8.1.1.1, §8.1.3, §8.1.4: what the sender wrote arrives, attributes, language and all.
#[test]
fn a_stanza_arrives_as_it_was_sent() {
    let (mut world, romeo, juliet) = stage();
    world.send(
        romeo,
        "<message to='juliet@example.org/balcony' id='a&amp;b' type='chat' xml:lang='it'><subject>?</subject>\
         <body xml:lang='en'>a &lt; b &#x1F600; ]]&gt; <![CDATA[<c/>]]></body>\
         <x xmlns='urn:example:x' y:attr='z' xmlns:y='urn:example:y'><y:deep/></x></message>",
    );
    world.expect(
        juliet,
        "<message from='romeo@example.org/orchard' to='juliet@example.org/balcony' id='a&amp;b' type='chat' xml:lang='it'>\
         <subject>?</subject><body xml:lang='en'>a &lt; b 😀 ]]&gt; &lt;c/></body>\
         <x xmlns='urn:example:x' y:attr='z' xmlns:y='urn:example:y'><deep xmlns='urn:example:y'/></x></message>",
    );
}

// §8.1.5: the language of the stream is that of its stanzas.
#[test]
fn a_stanza_without_a_language_has_that_of_its_senders_stream() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let romeo = world.login_with("romeo", "orchard", "xml:lang='it'");
    world.send(romeo, "<message to='juliet@example.org'><body>ciao</body></message>");
    world.expect(
        juliet,
        "<message from='romeo@example.org/orchard' to='juliet@example.org' xml:lang='it'><body>ciao</body></message>",
    );
    world.send(romeo, "<message to='juliet@example.org' xml:lang='de'><body>hallo</body></message>");
    world.expect(
        juliet,
        "<message from='romeo@example.org/orchard' to='juliet@example.org' xml:lang='de'><body>hallo</body></message>",
    );
}

// §8.3.3.8
#[test]
fn an_address_that_is_none_is_malformed() {
    for to in [
        "@example.org",
        "romeo@",
        "a b@example.org",
        "romeo@exa mple.org",
        "juliet@example.org/",
        "juliet@example.org/\u{fff9}",
        "",
        "&#x20;",
        "\u{130}\u{ad}@example..org",
    ] {
        for stanza in [
            "<message id='m' to='TO'><body>hello</body></message>",
            "<presence id='m' to='TO'/>",
            "<iq id='m' type='get' to='TO'><ping xmlns='urn:xmpp:ping'/></iq>",
        ] {
            let (mut world, romeo, _) = stage();
            world.send(romeo, &stanza.replace("TO", to));
            let error = world.receive(romeo);
            assert_eq!(condition_of(&error).as_deref(), Some("jid-malformed"), "{to:?}: {}", show(&error));
            assert_eq!(error.get_attr("id"), Some("m"));
            assert_eq!(error.get_attr("from"), None, "what is no address can't be repeated");
            assert_eq!(error.get_attr("to"), Some("romeo@example.org/orchard"));
        }
    }
}

// --- §8.2.3: requests and answers ---

#[test]
fn an_iq_that_breaks_its_rules_is_a_bad_request() {
    for iq in [
        // 1: an id
        "<iq type='get' to='juliet@example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        // 2: one of four types
        "<iq id='m' to='juliet@example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='m' type='ask' to='juliet@example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='m' type='GET' to='juliet@example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        // 3: a request has one child
        "<iq id='m' type='get' to='juliet@example.org'/>",
        "<iq id='m' type='set' to='juliet@example.org'>text</iq>",
        "<iq id='m' type='get' to='juliet@example.org'><ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/></iq>",
    ] {
        let (mut world, romeo, juliet) = stage();
        world.send(romeo, iq);
        let error = world.receive(romeo);
        assert_eq!(condition_of(&error).as_deref(), Some("bad-request"), "{iq}: {}", show(&error));
        assert_eq!(error.get_attr("from"), Some("juliet@example.org"));
        world.expect_nothing(juliet);
        world.expect_nothing(romeo);
    }
}

// RFC 6121 §4.7.1; for messages RFC 6121 §5.2.2: what is not known is normal
#[test]
fn presence_of_an_unknown_type_is_a_bad_request_and_a_message_of_one_is_normal() {
    let (mut world, romeo, juliet) = stage();
    for kind in ["online", "", "Unavailable", "subscribe "] {
        world.send(romeo, &format!("<presence type='{kind}' to='juliet@example.org'/>"));
        world.expect_bounce(romeo, "bad-request");
        world.expect_nothing(juliet);
    }
    for kind in ["", "whisper", "CHAT"] {
        world.send(
            romeo,
            &format!("<message type='{kind}' to='juliet@example.org'><body>hello</body></message>"),
        );
        world.expect(
            juliet,
            "<message from='romeo@example.org/orchard' to='juliet@example.org'><body>hello</body></message>",
        );
    }
}

// --- §8.3: errors ---

// §8.3.1, §8.3.2; XEP-0086 for the number
#[test]
fn an_error_goes_back_with_the_addresses_turned_around_and_the_same_id() {
    let (mut world, romeo, _) = stage();
    world.send(
        romeo,
        "<message id='m1' to='nobody@example.org/home' type='chat'><body>hello</body></message>",
    );
    world.expect(
        romeo,
        "<message type='error' id='m1' from='nobody@example.org/home' to='romeo@example.org/orchard'>\
         <error code='503' type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    world.send(romeo, "<iq id='i1' type='get' to='example.net'><ping xmlns='urn:xmpp:ping'/></iq>");
    world.expect(
        romeo,
        "<iq type='error' id='i1' from='example.net' to='romeo@example.org/orchard'>\
         <error code='404' type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    world.send(romeo, "<iq id='i2' to='juliet@example.org'/>");
    world.expect(
        romeo,
        "<iq type='error' id='i2' from='juliet@example.org' to='romeo@example.org/orchard'>\
         <error code='400' type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
}

// §8.3.1: "An entity that receives an error stanza MUST NOT respond to the stanza with a further error stanza"
#[test]
fn no_error_and_no_result_is_ever_answered() {
    let (mut world, romeo, juliet) = stage();
    for to in [
        "nobody@example.org",
        "nobody@example.org/home",
        "example.net",
        "example.org",
        "juliet@example.org",
        "juliet@example.org/gone",
        "romeo@example.org/gone",
        "@",
    ] {
        let error =
            "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        for stanza in [
            format!("<message type='error' to='{to}'>{error}</message>"),
            format!("<presence type='error' to='{to}'>{error}</presence>"),
            format!("<iq type='error' id='a' to='{to}'>{error}</iq>"),
            format!("<iq type='error' to='{to}'>{error}</iq>"),
            format!("<iq type='result' id='a' to='{to}'/>"),
            format!("<iq type='result' id='a' to='{to}'><a xmlns='b'/><a xmlns='b'/></iq>"),
        ] {
            world.send(romeo, &stanza);
            world.expect_nothing(romeo);
        }
    }
    assert!(world.drain(juliet).iter().all(|stanza| stanza.name == "presence"));
}

// --- §10.3: no 'to' ---

// §10.3.1
#[test]
fn a_message_to_nobody_is_for_the_account_itself() {
    let (mut world, romeo, _) = stage();
    let other = world.online("romeo", "garden");
    world.clear(romeo);
    world.send(romeo, "<message><body>note to self</body></message>");
    for client in [romeo, other] {
        world.expect(
            client,
            "<message from='romeo@example.org/orchard' to='romeo@example.org'><body>note to self</body></message>",
        );
    }
}

// §10.3.3
#[test]
fn a_request_to_nobody_is_answered_for_the_account() {
    let (mut world, romeo, _) = stage();
    let answer = world.expect_result(romeo, "<iq type='get' id='a'><query xmlns='jabber:iq:roster'/></iq>");
    assert_eq!(answer.get_attr("from"), Some("romeo@example.org"));
    world.expect_error(
        romeo,
        "<iq type='get' id='b'><query xmlns='urn:example:unknown'/></iq>",
        "service-unavailable",
    );
}

// --- §10.5: the server itself ---

// §10.5.1, §8.4
#[test]
fn a_request_that_the_server_does_not_know_is_service_unavailable() {
    let (mut world, romeo, _) = stage();
    for to in ["example.org", "example.org/somewhere", "juliet@example.org"] {
        let iq = format!("<iq type='get' id='a' to='{to}'><query xmlns='urn:example:unknown'/></iq>");
        world.expect_error(romeo, &iq, "service-unavailable");
    }
}

#[test]
fn the_server_takes_no_messages_and_has_no_presence() {
    let (mut world, romeo, _) = stage();
    world.send(romeo, "<message to='example.org'><body>hello</body></message>");
    world.expect_bounce(romeo, "service-unavailable");
    for kind in ["", "type='unavailable'", "type='probe'"] {
        world.send(romeo, &format!("<presence {kind} to='example.org'/>"));
        world.expect_nothing(romeo);
    }
}

// --- §10.4: other domains ---

#[test]
fn without_federation_other_domains_are_not_found() {
    let (mut world, romeo, _) = stage();
    world.send(romeo, "<message to='juliet@example.net'><body>hello</body></message>");
    world.expect_bounce(romeo, "remote-server-not-found");
    world.send(romeo, "<presence to='juliet@example.net/balcony'/>");
    world.expect_bounce(romeo, "remote-server-not-found");
    world.expect_error(
        romeo,
        "<iq type='get' id='a' to='example.net'><ping xmlns='urn:xmpp:ping'/></iq>",
        "remote-server-not-found",
    );
}

#[test]
fn a_stanza_for_another_domain_leaves_with_its_senders_full_address() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    world.send(romeo, "<message id='m' to='juliet@example.net' type='chat'><body>hello</body></message>");
    world.expect_remote(
        "<message id='m' from='romeo@example.org/orchard' to='juliet@example.net' type='chat'><body>hello</body></message>",
    );
}

// §8.1.2.2, §4.9.3.9: another domain speaks for itself only.
#[test]
fn a_stanza_from_outside_that_claims_to_be_ours_goes_nowhere() {
    let mut world = World::federated();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    for from in ["juliet@example.org", "juliet@example.org/balcony", "example.org", "romeo@example.org"] {
        world.from_remote(&format!(
            "<message from='{from}' to='romeo@example.org'><body>it's me</body></message>"
        ));
        world.from_remote(&format!("<presence from='{from}' to='romeo@example.org'/>"));
        world.from_remote(&format!("<presence type='subscribe' from='{from}' to='romeo@example.org'/>"));
        // A roster push, a result and a carbon that the account's own server might send.
        world.from_remote(&format!(
            "<iq type='set' id='push1' from='{from}' to='romeo@example.org/orchard'><query xmlns='jabber:iq:roster'><item jid='evil@example.net' subscription='both'/></query></iq>"
        ));
        world.from_remote(&format!(
            "<iq type='result' id='roster' from='{from}' to='romeo@example.org/orchard'/>"
        ));
        world.from_remote(&format!(
            "<message from='{from}' to='romeo@example.org/orchard'><received xmlns='urn:xmpp:carbons:2'/></message>"
        ));
        world.from_remote(&format!(
            "<iq type='get' id='a' from='{from}' to='romeo@example.org'><query xmlns='jabber:iq:roster'/></iq>"
        ));
    }
    world.expect_nothing(romeo);
    world.expect_nothing(juliet);
    assert!(world.to_remote().is_empty());
}

#[test]
fn nobody_outside_is_relayed_to_another_domain() {
    let mut world = World::federated();
    world.from_remote(
        "<message from='tybalt@example.com' to='juliet@example.net'><body>hello</body></message>",
    );
    world.from_remote(
        "<iq type='get' id='a' from='example.com' to='example.net'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    assert!(world.to_remote().is_empty());
}

#[test]
fn a_stanza_from_outside_without_addresses_goes_nowhere() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    world.from_remote("<message from='juliet@example.net'><body>hello</body></message>");
    world.from_remote("<message to='romeo@example.org'><body>hello</body></message>");
    world.expect_nothing(romeo);
    assert!(world.to_remote().is_empty());
}

#[test]
fn answers_from_outside_reach_only_the_resource_that_asked() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    world.from_remote("<iq type='result' id='a' from='juliet@example.net' to='romeo@example.org'/>");
    world.from_remote("<iq type='error' id='a' from='juliet@example.net' to='romeo@example.org'/>");
    world.from_remote("<iq type='result' id='a' from='juliet@example.net' to='example.org'/>");
    world.expect_nothing(romeo);
    world.from_remote("<iq type='result' id='a' from='juliet@example.net' to='romeo@example.org/orchard'/>");
    world
        .expect(romeo, "<iq type='result' id='a' from='juliet@example.net' to='romeo@example.org/orchard'/>");
    assert!(world.to_remote().is_empty());
}

#[test]
fn errors_go_back_to_other_domains() {
    let mut world = World::federated();
    world.from_remote(
        "<message id='m' from='juliet@example.net/x' to='nobody@example.org'><body>hello</body></message>",
    );
    world.expect_remote(
        "<message type='error' id='m' from='nobody@example.org' to='juliet@example.net/x'>\
         <error code='503' type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    world.from_remote(
        "<iq type='set' id='i' from='juliet@example.net/x' to='example.org'><a xmlns='b'/></iq>",
    );
    world.expect_remote(
        "<iq type='error' id='i' from='example.org' to='juliet@example.net/x'>\
         <error code='503' type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
}

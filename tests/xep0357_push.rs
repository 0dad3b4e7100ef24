//! XEP-0357: push notifications.

use crate::client::Client;
use crate::world::{World, show};
use stube::config::Limit;
use stube::xml::Element;

const SERVICE: &str = "push.example.net";
const FORM: &str = "<x xmlns='jabber:x:data' type='submit'>\
     <field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>\
     <field var='secret'><value>a secret</value></field></x>";

fn enabling(service: &str, node: &str, form: &str) -> String {
    format!(
        "<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='{service}' node='{node}'>{form}</enable></iq>"
    )
}

fn disabling(attrs: &str) -> String {
    format!("<iq type='set' id='d'><disable xmlns='urn:xmpp:push:0' {attrs}/></iq>")
}

const MESSAGE: &str = "<message type='chat' from='romeo@montague.net/orchard' to='juliet@example.org'><body>Ay me!</body></message>";

/// Juliet's phone, which has enabled these nodes and is gone.
fn asleep(nodes: &[&str]) -> World {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    for node in nodes {
        world.expect_result(phone, &enabling(SERVICE, node, ""));
    }
    world.close(phone);
    world
}

/// What came for the push service: nodes, ids and the whole requests.
#[track_caller]
fn pushed(world: &mut World) -> Vec<(String, String, Element)> {
    let requests = world.to_remote().into_iter();
    let requests = requests.filter(|stanza| stanza.get_attr("to") == Some(SERVICE));
    requests
        .map(|request| (node_of(&request), request.get_attr("id").expect("an id").to_owned(), request))
        .collect()
}

fn node_of(request: &Element) -> String {
    let pubsub = request.find("pubsub", "http://jabber.org/protocol/pubsub").expect("a publication");
    let publish = pubsub.children().next().expect("a publication");
    publish.get_attr("node").unwrap_or_default().to_owned()
}

#[track_caller]
fn nodes(world: &mut World) -> Vec<String> {
    pushed(world).into_iter().map(|(node, ..)| node).collect()
}

/// The id of the one request that has come.
#[track_caller]
fn id(world: &mut World) -> String {
    let mut pushed = pushed(world);
    assert_eq!(pushed.len(), 1, "{pushed:?}");
    pushed.remove(0).1
}

fn answer(world: &mut World, id: &str) {
    world.from_remote(&format!("<iq type='result' from='{SERVICE}' to='example.org' id='{id}'/>"));
}

fn refuse(world: &mut World, id: &str, kind: &str, condition: &str) {
    world.from_remote(&format!(
        "<iq type='error' from='{SERVICE}' to='example.org' id='{id}'><error type='{kind}'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
}

fn count_in(request: &Element) -> String {
    let text = show(request);
    let after = text.split("var='message-count'><value>").nth(1).expect("a count");
    after.split('<').next().expect("a count").to_owned()
}

/// Long enough for a pause to be over.
const PAUSE: u64 = 3_000;

// §4.1
#[test]
fn the_account_says_that_it_can_push() {
    let mut world = World::new();
    let juliet = world.login("juliet", "phone");
    let info = "<iq type='get' id='i' to='juliet@example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    assert!(show(&world.expect_result(juliet, info)).contains("<feature var='urn:xmpp:push:0'/>"));
}

// §7, §9: the count alone, and the options as they came
#[test]
fn a_message_for_nobody_is_told_to_the_push_service_without_sender_text_or_account() {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling(SERVICE, "abc", FORM));
    world.close(phone);
    world.from_remote(MESSAGE);
    world.expect_remote(&format!(
        "<iq type='set' from='example.org' to='{SERVICE}' id='*'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish node='abc'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>\
         <field var='message-count'><value>1</value></field></x></notification></item></publish>\
         <publish-options>{FORM}</publish-options></pubsub></iq>"
    ));
}

#[test]
fn a_service_without_node_and_options_gets_neither() {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    let enable = enabling(SERVICE, "", "").replace(" node=''", "");
    world.expect_result(phone, &enable);
    world.close(phone);
    world.from_remote(MESSAGE);
    let (_, _, request) = pushed(&mut world).remove(0);
    assert!(!show(&request).contains("node="), "{}", show(&request));
    assert!(!show(&request).contains("publish-options"), "{}", show(&request));
}

#[test]
fn registrations_outlive_the_server() {
    let mut world = asleep(&["abc"]);
    world.restart();
    world.from_remote(MESSAGE);
    assert_eq!(nodes(&mut world), ["abc"]);
}

#[test]
fn what_is_enabled_is_kept_before_it_is_answered() {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    world.hold_commits();
    world.send(phone, &enabling(SERVICE, "abc", ""));
    assert!(world.answer(phone, "e").is_none());
    world.commit();
    assert!(world.answer(phone, "e").is_some());
}

#[test]
fn a_client_that_is_there_is_not_woken() {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling(SERVICE, "abc", ""));
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty());
    assert_eq!(world.receive(phone).name, "message");
}

/// Juliet's phone, available, with push and stream management; and the id to resume with.
fn managed_phone(world: &mut World) -> (Client, String) {
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling(SERVICE, "abc", ""));
    world.send(phone, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let id = world.receive(phone).get_attr("id").expect("an id").to_owned();
    (phone, id)
}

fn resume(world: &mut World, previous: &str, h: u32) -> Client {
    let phone = world.authenticate("juliet");
    world.send(phone, &format!("<resume xmlns='urn:xmpp:sm:3' previd='{previous}' h='{h}'/>"));
    assert_eq!(world.receive(phone).name, "resumed");
    phone
}

#[test]
fn a_client_that_hibernates_is_woken_until_it_resumes() {
    let mut world = World::federated();
    let (phone, previous) = managed_phone(&mut world);
    world.cut(phone);
    world.from_remote(MESSAGE);
    world.from_remote("<message type='chat' from='romeo@montague.net/orchard' to='juliet@example.org'/>");
    let first = id(&mut world);
    answer(&mut world, &first);
    world.advance(PAUSE);
    world.from_remote(MESSAGE);
    let (_, second, request) = pushed(&mut world).remove(0);
    assert_eq!(count_in(&request), "2");
    answer(&mut world, &second);
    let phone = resume(&mut world, &previous, 0);
    assert_eq!(
        world.drain(phone).iter().filter(|stanza| stanza.find("body", "jabber:client").is_some()).count(),
        2
    );
    world.advance(PAUSE);
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty(), "it is there");
    world.cut(phone);
    assert_eq!(nodes(&mut world), ["abc"], "it has not acknowledged it");
}

#[test]
fn what_a_client_did_not_acknowledge_before_its_line_broke_wakes_it() {
    let mut world = World::federated();
    let (phone, _) = managed_phone(&mut world);
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty());
    world.cut(phone);
    assert_eq!(nodes(&mut world), ["abc"]);
}

#[test]
fn a_client_that_resumes_stops_what_was_about_to_be_told() {
    let mut world = World::federated();
    let (phone, previous) = managed_phone(&mut world);
    world.cut(phone);
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    world.from_remote(MESSAGE);
    resume(&mut world, &previous, 0);
    answer(&mut world, &first);
    world.advance(PAUSE);
    assert!(nodes(&mut world).is_empty());
}

// XEP-0352
#[test]
fn a_client_that_nobody_looks_at_is_woken_until_somebody_does() {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling(SERVICE, "abc", ""));
    world.send(phone, "<inactive xmlns='urn:xmpp:csi:0'/>");
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    answer(&mut world, &first);
    world.send(phone, "<active xmlns='urn:xmpp:csi:0'/>");
    world.advance(PAUSE);
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty());
    world.send(phone, "<inactive xmlns='urn:xmpp:csi:0'/>");
    world.from_remote(MESSAGE);
    let (_, _, request) = pushed(&mut world).remove(0);
    assert_eq!(count_in(&request), "1");
}

#[test]
fn a_hibernating_client_is_woken_by_the_copy_that_waits_for_it() {
    let mut world = World::federated();
    let (phone, _) = managed_phone(&mut world);
    world.expect_result(phone, "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    let desktop = world.online("juliet", "desktop");
    world.cut(phone);
    world.from_remote(&MESSAGE.replace("to='juliet@example.org'", "to='juliet@example.org/desktop'"));
    assert_eq!(nodes(&mut world), ["abc"]);
    assert!(world.drain(desktop).iter().any(|stanza| stanza.name == "message"));
    // What she writes at her desk wakes nobody.
    world.advance(PAUSE);
    world.send(desktop, "<message type='chat' to='romeo@montague.net'><body>Ay me!</body></message>");
    assert!(nodes(&mut world).is_empty());
}

#[test]
fn a_client_without_session_is_woken_also_if_another_has_the_message() {
    let mut world = asleep(&["abc"]);
    let desktop = world.online("juliet", "desktop");
    world.from_remote(MESSAGE);
    assert_eq!(nodes(&mut world), ["abc"]);
    assert_eq!(world.receive(desktop).name, "message");
}

#[test]
fn what_a_room_says_to_one_client_wakes_no_other() {
    let mut world = asleep(&["abc"]);
    let desktop = world.online("juliet", "desktop");
    world.from_remote(
        "<message type='groupchat' from='ball@rooms.montague.net/Romeo' to='juliet@example.org/desktop'>\
         <body>hi</body></message>",
    );
    assert!(nodes(&mut world).is_empty());
    assert_eq!(world.receive(desktop).name, "message");
    // But a room that the phone is in does.
    let (phone, _) = managed_phone(&mut world);
    world.cut(phone);
    world.from_remote(
        "<message type='groupchat' from='ball@rooms.montague.net/Romeo' to='juliet@example.org/phone'>\
         <body>hi</body></message>",
    );
    assert_eq!(nodes(&mut world), ["abc"]);
}

#[test]
fn only_what_a_person_wants_to_be_woken_by_wakes() {
    let wakes = |from: &str, kind: &str, payload: &str| {
        let mut world = asleep(&["abc"]);
        world.from_remote(&format!(
            "<message type='{kind}' from='{from}' to='juliet@example.org'>{payload}</message>"
        ));
        !nodes(&mut world).is_empty()
    };
    let body = "<body>Ay me!</body>";
    let romeo = "romeo@montague.net/orchard";
    assert!(wakes(romeo, "chat", body));
    assert!(wakes(romeo, "normal", body));
    for namespace in ["eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2"] {
        let encrypted =
            |inside: &str| format!("<encrypted xmlns='{namespace}'><header/>{inside}</encrypted>");
        assert!(wakes(romeo, "chat", &encrypted("<payload>c2VjcmV0</payload>")));
        assert!(!wakes(romeo, "chat", &encrypted("")), "a key without anything to read");
    }
    assert!(wakes(romeo, "chat", "<openpgp xmlns='urn:xmpp:openpgp:0'>c2VjcmV0</openpgp>"));
    assert!(wakes(romeo, "chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>"));
    assert!(wakes(romeo, "normal", "<x xmlns='jabber:x:conference' jid='ball@rooms.montague.net'/>"));
    assert!(wakes(
        "ball@rooms.montague.net",
        "normal",
        "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='romeo@montague.net'/></x>"
    ));
    for nothing in [
        "<body/>",
        "<subject>A ball</subject>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<received xmlns='urn:xmpp:receipts' id='1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
        "<accept xmlns='urn:xmpp:jingle-message:0' id='1'/>",
        "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
    ] {
        assert!(!wakes(romeo, "chat", nothing), "{nothing}");
        assert!(!wakes(romeo, "normal", nothing), "{nothing}");
    }
    assert!(!wakes(romeo, "headline", body));
    assert!(!wakes(romeo, "error", body));
}

#[test]
fn nobody_is_woken_by_whom_she_has_blocked() {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling(SERVICE, "abc", ""));
    let block =
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='montague.net'/></block></iq>";
    world.expect_result(phone, block);
    world.close(phone);
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty());
}

// Many messages are few notifications.
#[test]
fn a_flood_is_told_once_and_then_in_one() {
    let mut world = asleep(&["abc"]);
    for _ in 0..50 {
        world.from_remote(MESSAGE);
    }
    let first = id(&mut world);
    // Not before the answer, and not at once then.
    world.advance(10_000);
    assert!(nodes(&mut world).is_empty());
    answer(&mut world, &first);
    assert!(nodes(&mut world).is_empty());
    world.advance(PAUSE);
    let (_, second, request) = pushed(&mut world).remove(0);
    assert_eq!(count_in(&request), "50");
    answer(&mut world, &second);
    world.advance(PAUSE);
    assert!(nodes(&mut world).is_empty(), "there is nothing new");
}

#[test]
fn counting_begins_anew_when_the_client_was_there() {
    let mut world = asleep(&["abc"]);
    world.from_remote(MESSAGE);
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    let phone = world.online("juliet", "phone");
    answer(&mut world, &first);
    world.advance(PAUSE);
    assert!(nodes(&mut world).is_empty(), "she has seen it");
    world.close(phone);
    world.from_remote(MESSAGE);
    let (_, _, request) = pushed(&mut world).remove(0);
    assert_eq!(count_in(&request), "1");
}

// §5: "the server SHOULD use the last received request for any publish options"
#[test]
fn the_same_node_enabled_again_is_one_registration_with_the_last_options() {
    let mut world = World::federated();
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling(SERVICE, "abc", FORM));
    world.expect_result(phone, &enabling(SERVICE, "abc", &FORM.replace("a secret", "another")));
    world.close(phone);
    world.from_remote(MESSAGE);
    let pushed = pushed(&mut world);
    assert_eq!(pushed.len(), 1);
    assert!(show(&pushed[0].2).contains("<value>another</value>"));
}

// §6
#[test]
fn one_node_or_all_of_a_service_can_be_disabled_from_any_resource() {
    let mut world = asleep(&["a", "b", "c"]);
    let desktop = world.login("juliet", "desktop");
    world.expect_result(desktop, &enabling("other.example.net", "d", ""));
    world.expect_result(desktop, &disabling(&format!("jid='{SERVICE}' node='b'")));
    world.close(desktop);
    world.from_remote(MESSAGE);
    assert_eq!(nodes(&mut world), ["a", "c"]);
    let desktop = world.login("juliet", "desktop");
    world.expect_result(desktop, &disabling(&format!("jid='{SERVICE}'")));
    // What is not there is as disabled as can be.
    world.expect_result(desktop, &disabling(&format!("jid='{SERVICE}' node='b'")));
    world.close(desktop);
    world.restart();
    world.from_remote(MESSAGE);
    let left: Vec<_> = world.to_remote();
    assert_eq!(
        left.iter().map(|push| push.get_attr("to").expect("to")).collect::<Vec<_>>(),
        ["other.example.net"]
    );
}

#[test]
fn a_request_that_is_none_changes_nothing() {
    let mut world = World::federated();
    let phone = world.login("juliet", "phone");
    let good = enabling(SERVICE, "abc", FORM);
    world.expect_error(phone, &good.replace(&format!(" jid='{SERVICE}'"), ""), "bad-request");
    world.expect_error(phone, &good.replace("'set'", "'get'"), "bad-request");
    world.expect_error(phone, &good.replace(SERVICE, "@"), "jid-malformed");
    world.expect_error(phone, &good.replace("pubsub#publish-options", "pubsub#node_config"), "bad-request");
    world.expect_error(phone, &enabling(SERVICE, "abc", "<x xmlns='urn:x'/>"), "bad-request");
    world.expect_error(phone, &enabling(SERVICE, "abc", &[FORM, FORM].concat()), "bad-request");
    world.expect_error(phone, &enabling(SERVICE, &"n".repeat(2000), ""), "not-acceptable");
    let long = FORM.replace("a secret", &"s".repeat(5000));
    world.expect_error(phone, &enabling(SERVICE, "abc", &long), "not-acceptable");
    world.expect_error(phone, &disabling("node='abc'"), "bad-request");
    world.expect_error(phone, &disabling("jid='@'"), "jid-malformed");
    world.close(phone);
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty());
}

#[test]
fn nobody_changes_where_somebody_else_is_pushed_to() {
    let mut world = asleep(&["abc"]);
    let iago = world.login("iago", "venice");
    for request in [enabling("iago.example.net", "n", ""), disabling(&format!("jid='{SERVICE}'"))] {
        world.expect_error(iago, &request.replace("<iq", "<iq to='juliet@example.org'"), "forbidden");
    }
    world.from_remote(MESSAGE);
    assert_eq!(nodes(&mut world), ["abc"]);
}

#[test]
fn an_account_has_room_for_so_many_and_the_oldest_gives_way() {
    let mut world = World::with(|config| config.limits.push_registrations = Limit::of(2));
    world.core.federated = true;
    let phone = world.online("juliet", "phone");
    for node in ["a", "b", "a", "c"] {
        world.expect_result(phone, &enabling(SERVICE, node, ""));
    }
    world.close(phone);
    world.from_remote(MESSAGE);
    assert_eq!(nodes(&mut world), ["a", "c"]);
}

// §7.1: "then the server SHOULD consider the particular JID and node combination to be disabled"
#[test]
fn a_node_that_is_gone_or_closed_is_not_published_to_again() {
    for (kind, condition) in [
        ("cancel", "item-not-found"),
        ("auth", "forbidden"),
        ("auth", "not-authorized"),
        ("cancel", "gone"),
        ("cancel", "conflict"),
        ("modify", "bad-request"),
        ("cancel", "feature-not-implemented"),
    ] {
        let mut world = asleep(&["a", "b"]);
        world.from_remote(MESSAGE);
        let first = pushed(&mut world).remove(0).1;
        refuse(&mut world, &first, kind, condition);
        world.restart();
        world.from_remote(MESSAGE);
        assert_eq!(nodes(&mut world), ["b"], "{condition}");
    }
}

// "a server MAY choose to keep a service enabled if the error is deemed recoverable or transient, until a sufficient
// number of errors have been received in a row"
#[test]
fn a_service_that_is_out_of_order_is_asked_again_ever_later_and_at_last_no_more() {
    for (kind, condition) in [
        ("wait", "remote-server-timeout"),
        ("cancel", "remote-server-not-found"),
        ("cancel", "service-unavailable"),
        ("wait", "resource-constraint"),
        ("wait", "undefined-condition"),
    ] {
        let mut world = asleep(&["abc"]);
        world.from_remote(MESSAGE);
        let mut wait = 30_000;
        for _ in 1..16 {
            let id = id(&mut world);
            refuse(&mut world, &id, kind, condition);
            world.advance(wait - 1);
            assert!(nodes(&mut world).is_empty(), "{condition}");
            world.advance(1);
            wait = (2 * wait).min(3_600_000);
        }
        let last = id(&mut world);
        refuse(&mut world, &last, kind, condition);
        world.advance(7_200_000);
        world.from_remote(MESSAGE);
        assert!(nodes(&mut world).is_empty(), "{condition}");
    }
}

#[test]
fn one_success_makes_up_for_all_failures() {
    let mut world = asleep(&["abc"]);
    world.from_remote(MESSAGE);
    for _ in 0..40 {
        let first = id(&mut world);
        refuse(&mut world, &first, "wait", "resource-constraint");
        world.advance(30_000);
        let second = id(&mut world);
        answer(&mut world, &second);
        world.advance(PAUSE);
        world.from_remote(MESSAGE);
    }
    assert_eq!(nodes(&mut world), ["abc"]);
}

#[test]
fn no_answer_is_a_failure() {
    let mut world = asleep(&["abc"]);
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    world.advance(60_000);
    world.advance(29_999);
    assert!(nodes(&mut world).is_empty());
    world.advance(1);
    assert_eq!(nodes(&mut world), ["abc"]);
    // And one that comes too late is none.
    refuse(&mut world, &first, "cancel", "item-not-found");
    world.restart();
    world.from_remote(MESSAGE);
    assert_eq!(nodes(&mut world), ["abc"]);
}

#[test]
fn a_failure_is_forgotten_when_the_client_has_come_meanwhile() {
    let mut world = asleep(&["abc"]);
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    let phone = world.online("juliet", "phone");
    world.close(phone);
    refuse(&mut world, &first, "wait", "resource-constraint");
    world.advance(3_600_000);
    assert!(nodes(&mut world).is_empty());
}

#[test]
fn nobody_but_the_service_answers_for_it() {
    let mut world = asleep(&["abc"]);
    let iago = world.login("iago", "venice");
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    let error = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    for from in ["evil.example.net", "push.example.net/other", "someone@push.example.net"] {
        world.from_remote(&format!(
            "<iq type='error' from='{from}' to='example.org' id='{first}'>{error}</iq>"
        ));
    }
    world.send(iago, &format!("<iq type='error' to='example.org' id='{first}'>{error}</iq>"));
    refuse(&mut world, "guessed", "cancel", "item-not-found");
    // The true answer still counts.
    answer(&mut world, &first);
    world.advance(PAUSE);
    world.from_remote(MESSAGE);
    assert_eq!(nodes(&mut world), ["abc"]);
}

#[test]
fn requests_have_ids_that_say_nothing() {
    let mut world = asleep(&["a", "b"]);
    world.from_remote(MESSAGE);
    let ids: Vec<String> = pushed(&mut world).into_iter().map(|(_, id, _)| id).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|id| id.len() == 24) && ids[0] != ids[1], "{ids:?}");
}

// §8
#[test]
fn a_service_can_end_it_itself_but_no_other_can() {
    let message = |from: &str, node: &str, of: &str, affiliation: &str| {
        format!(
            "<message from='{from}' to='juliet@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub' \
             node='{node}'><affiliation jid='{of}' affiliation='{affiliation}'/></pubsub></message>"
        )
    };
    let left = |message: &str| {
        let mut world = asleep(&["a", "b"]);
        world.from_remote(message);
        world.restart();
        world.from_remote(MESSAGE);
        nodes(&mut world)
    };
    assert_eq!(left(&message(SERVICE, "a", "juliet@example.org", "none")), ["b"]);
    assert_eq!(left(&message("evil.example.net", "a", "juliet@example.org", "none")), ["a", "b"]);
    assert_eq!(left(&message(SERVICE, "a", "nurse@example.org", "none")), ["a", "b"]);
    assert_eq!(left(&message(SERVICE, "a", "juliet@example.org", "publish-only")), ["a", "b"]);
    assert_eq!(left(&message(SERVICE, "c", "juliet@example.org", "none")), ["a", "b"]);
}

/// Juliet's tablet is a push service for her phone.
fn with_local_service(service: &str, online: &str) -> (World, Client) {
    let mut world = World::new();
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling(service, "abc", ""));
    world.close(phone);
    let client = world.login(online, "push");
    world.send(client, "<presence><priority>-1</priority></presence>");
    world.clear(client);
    (world, client)
}

#[test]
fn a_service_can_be_a_client_of_the_same_server() {
    let (mut world, service) = with_local_service("juliet@example.org/push", "juliet");
    let nurse = world.login("nurse", "street");
    let message = "<message type='chat' to='juliet@example.org'><body>Madam!</body></message>";
    world.send(nurse, message);
    let request = world.receive(service);
    assert_eq!(node_of(&request), "abc");
    let id = request.get_attr("id").expect("an id").to_owned();
    world.send(service, &format!("<iq type='result' to='example.org' id='{id}'/>"));
    world.advance(PAUSE);
    world.send(nurse, message);
    let request = world.receive(service);
    assert_eq!(count_in(&request), "2");
    let id = request.get_attr("id").expect("an id").to_owned();
    world.send(
        service,
        &format!(
            "<iq type='error' to='example.org' id='{id}'><error type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ),
    );
    world.advance(PAUSE);
    world.send(nurse, message);
    world.expect_nothing(service);
}

// RFC 6121 §8.5.3.1
#[test]
fn a_strangers_resource_is_no_push_service() {
    let (mut world, romeo) = with_local_service("romeo@example.org/push", "romeo");
    world.send(romeo, "<message type='chat' to='juliet@example.org'><body>But soft!</body></message>");
    world.expect_nothing(romeo);
}

#[test]
fn a_friend_who_has_blocked_the_user_is_no_push_service() {
    let mut world = World::new();
    world.friends("juliet", "romeo");
    let phone = world.online("juliet", "phone");
    world.expect_result(phone, &enabling("romeo@example.org/push", "abc", ""));
    world.close(phone);
    let romeo = world.online("romeo", "push");
    let nurse = world.login("nurse", "street");
    let message = "<message type='chat' to='juliet@example.org'><body>Madam!</body></message>";
    world.send(nurse, message);
    let request = world.receive(romeo);
    let id = request.get_attr("id").expect("an id").to_owned();
    world.send(romeo, &format!("<iq type='result' to='example.org' id='{id}'/>"));
    let block = "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@example.org'/></block></iq>";
    world.expect_result(romeo, block);
    world.advance(PAUSE);
    world.send(nurse, message);
    world.expect_nothing(romeo);
}

#[test]
fn a_service_that_cannot_be_is_given_up_without_a_loop() {
    for service in ["example.org", "juliet@example.org", "example.org/x", "nobody@example.org"] {
        let mut world = World::new();
        let phone = world.online("juliet", "phone");
        world.expect_result(phone, &enabling(service, "abc", ""));
        world.close(phone);
        let nurse = world.login("nurse", "street");
        world.send(nurse, "<message type='chat' to='juliet@example.org'><body>Madam!</body></message>");
        world.expect_nothing(nurse);
    }
}

#[test]
fn registrations_go_with_their_account() {
    let mut world = asleep(&["abc"]);
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    let remove = "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>";
    let phone = world.login("juliet", "phone");
    world.send(phone, remove);
    refuse(&mut world, &first, "wait", "resource-constraint");
    world.advance(3_600_000);
    world.account("juliet");
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty());
}

#[test]
fn while_nothing_can_be_written_nothing_is_enabled_and_pushes_go_on() {
    let mut world = asleep(&["abc"]);
    let desktop = world.login("juliet", "desktop");
    world.handle(stube::core::Event::StoreStalled("full".into()));
    world.expect_error(desktop, &enabling(SERVICE, "n", ""), "resource-constraint");
    world.expect_error(desktop, &disabling(&format!("jid='{SERVICE}'")), "resource-constraint");
    world.handle(stube::core::Event::StoreResumed);
    world.close(desktop);
    world.from_remote(MESSAGE);
    let first = id(&mut world);
    world.handle(stube::core::Event::StoreStalled("full".into()));
    refuse(&mut world, &first, "cancel", "item-not-found");
    world.handle(stube::core::Event::StoreResumed);
    world.from_remote(MESSAGE);
    // It is still there, and is refused again.
    let second = id(&mut world);
    refuse(&mut world, &second, "cancel", "item-not-found");
    world.advance(PAUSE);
    world.from_remote(MESSAGE);
    assert!(nodes(&mut world).is_empty());
}

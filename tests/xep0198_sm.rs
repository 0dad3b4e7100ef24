//! XEP-0198: stanzas are counted, acknowledged when they are on the disk, and survive the connection.

use stube::config::Limit;
use stube::core::Event;

use crate::client::Client;
use crate::world::{World, show};

const R: &str = "<r xmlns='urn:xmpp:sm:3'/>";
const ADD: &str =
    "<iq type='set' id='add'><query xmlns='jabber:iq:roster'><item jid='nurse@example.org'/></query></iq>";
const PING: &str = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>";

/// Enables it; gives the id for resumption.
fn enable(world: &mut World, client: Client) -> String {
    world.send(client, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = world.receive(client);
    assert_eq!(
        (enabled.name.as_str(), enabled.get_attr("resume")),
        ("enabled", Some("true")),
        "{}",
        show(&enabled)
    );
    enabled.get_attr("id").expect("an id").to_owned()
}

/// A session that is available and counts.
fn managed(world: &mut World, name: &str, resource: &str) -> (Client, String) {
    let client = world.online(name, resource);
    let id = enable(world, client);
    (client, id)
}

fn message(to: &str, body: &str) -> String {
    format!("<message to='{to}@example.org' type='chat'><body>{body}</body></message>")
}

fn bodies(world: &mut World, client: Client) -> Vec<String> {
    let got = world.drain(client);
    let bodies = got.iter().filter_map(|stanza| stanza.find("body", "jabber:client"));
    bodies.map(|body| body.text_content()).collect()
}

/// The `h` of the last `<a/>` that has come.
fn ack(world: &mut World, client: Client) -> Option<u32> {
    let got = world.drain(client);
    let acks = got.iter().filter(|got| got.is("a", "urn:xmpp:sm:3"));
    acks.filter_map(|ack| ack.get_attr("h")?.parse().ok()).next_back()
}

fn confirm(world: &mut World, client: Client, h: u32) {
    world.send(client, &format!("<a xmlns='urn:xmpp:sm:3' h='{h}'/>"));
}

/// Logs in again and asks to resume; gives the answer, and what follows it stays with the client.
fn resume(world: &mut World, name: &str, previous: &str, h: u32) -> (Client, stube::xml::Element) {
    let client = world.authenticate(name);
    world.send(client, &format!("<resume xmlns='urn:xmpp:sm:3' previd='{previous}' h='{h}'/>"));
    let answer = world.receive(client);
    (client, answer)
}

fn resumed(world: &mut World, name: &str, previous: &str, h: u32) -> Client {
    let (client, answer) = resume(world, name, previous, h);
    assert_eq!(answer.name, "resumed", "{}", show(&answer));
    assert_eq!(answer.get_attr("previd"), Some(previous));
    client
}

#[track_caller]
fn expect_failed(answer: &stube::xml::Element, condition: &str, h: Option<&str>) {
    assert_eq!(answer.name, "failed", "{}", show(answer));
    assert_eq!(answer.children().next().map(|child| child.name.as_str()), Some(condition));
    assert_eq!(answer.get_attr("h"), h, "{}", show(answer));
}

// --- §2, §3: enabling ---

#[test]
fn it_is_offered_once_somebody_has_logged_in() {
    let mut world = World::new();
    let client = world.connect_tls();
    let features = world.open_stream(client);
    assert!(features.find("sm", "urn:xmpp:sm:3").is_none());
    world.account("romeo");
    world.plain(client, "romeo", "romeo's password");
    world.clear(client);
    let features = world.open_stream(client);
    assert!(features.find("sm", "urn:xmpp:sm:3").is_some());
}

#[test]
fn it_can_be_enabled_without_resumption() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, "<enable xmlns='urn:xmpp:sm:3'/>");
    let enabled = world.receive(romeo);
    assert_eq!(enabled.name, "enabled");
    assert_eq!((enabled.get_attr("id"), enabled.get_attr("resume")), (None, None));
}

#[test]
fn a_client_can_wish_for_less_time_and_not_for_more() {
    let mut world = World::new();
    for (wish, granted) in [("60", "60"), ("100000", "600"), ("-1", "600"), ("99999999999999999999", "600")] {
        let romeo = world.login("romeo", "orchard");
        world.send(romeo, &format!("<enable xmlns='urn:xmpp:sm:3' resume='1' max='{wish}'/>"));
        assert_eq!(world.receive(romeo).get_attr("max"), Some(granted), "{wish}");
        world.close(romeo);
    }
}

#[test]
fn a_server_can_be_told_not_to_resume() {
    let mut world = World::with(|config| config.sessions.resume_seconds = 0);
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    assert_eq!(world.receive(romeo).get_attr("resume"), None);
}

#[test]
fn it_cannot_be_enabled_before_there_is_a_resource_or_twice() {
    let mut world = World::new();
    let stranger = world.connect_tls();
    world.open_stream(stranger);
    world.send(stranger, "<enable xmlns='urn:xmpp:sm:3'/>");
    expect_failed(&world.receive(stranger), "unexpected-request", None);
    let romeo = world.authenticate("romeo");
    world.send(romeo, "<enable xmlns='urn:xmpp:sm:3'/>");
    expect_failed(&world.receive(romeo), "unexpected-request", None);
    let (juliet, _) = managed(&mut world, "juliet", "balcony");
    world.send(juliet, "<enable xmlns='urn:xmpp:sm:3'/>");
    expect_failed(&world.receive(juliet), "unexpected-request", None);
    world.send(juliet, "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>");
    expect_failed(&world.receive(juliet), "unexpected-request", None);
    world.expect_result(juliet, PING);
}

#[test]
fn ids_are_long_and_never_the_same() {
    let mut world = World::new();
    let mut ids: Vec<String> = Vec::new();
    for n in 0..20 {
        let romeo = world.login("romeo", &n.to_string());
        ids.push(enable(&mut world, romeo));
    }
    assert!(ids.iter().all(|id| id.len() >= 22));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

// --- §4: acknowledgements ---

#[test]
fn stanzas_are_counted_from_enable_on_and_other_elements_are_not() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.expect_result(romeo, PING);
    enable(&mut world, romeo);
    world.send(romeo, R);
    assert_eq!(ack(&mut world, romeo), Some(0));
    world.send(romeo, &format!("{PING}<presence/><active xmlns='urn:xmpp:csi:0'/>{R}"));
    assert_eq!(ack(&mut world, romeo), Some(2));
    // One that gets an error counts, too.
    world.send(romeo, &format!("<message to='@@@'/>{R}"));
    assert_eq!(ack(&mut world, romeo), Some(3));
}

#[test]
fn who_has_not_enabled_it_gets_no_acknowledgement() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, R);
    expect_failed(&world.receive(romeo), "unexpected-request", None);
}

#[test]
fn a_change_is_acknowledged_when_it_is_on_the_disk() {
    let mut world = World::new();
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.hold_commits();
    world.send(romeo, &format!("{PING}{R}"));
    assert_eq!(ack(&mut world, romeo), Some(1), "it needs no disk");
    world.send(romeo, &format!("{ADD}{PING}{R}"));
    assert_eq!(ack(&mut world, romeo), None);
    world.commit();
    assert_eq!(ack(&mut world, romeo), Some(3));
}

#[test]
fn a_message_that_has_to_wait_for_its_receiver_is_acknowledged_when_it_is_on_the_disk() {
    let mut world = World::new();
    world.account("juliet");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.hold_commits();
    world.send(romeo, &format!("{}{R}", message("juliet", "hello")));
    assert_eq!(ack(&mut world, romeo), None);
    world.commit();
    assert_eq!(ack(&mut world, romeo), Some(1));
}

// The second request changes nothing, since the first has changed it already; but that is not on the disk.
#[test]
fn what_promises_somebody_elses_change_waits_for_it() {
    let mut world = World::new();
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    let (garden, _) = managed(&mut world, "romeo", "garden");
    let block = "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@example.org'/></block></iq>";
    world.hold_commits();
    world.send(romeo, block);
    world.send(garden, &format!("{block}{R}"));
    assert_eq!(ack(&mut world, garden), None);
    world.commit();
    assert_eq!(ack(&mut world, garden), Some(1));
}

#[test]
fn a_new_password_is_acknowledged_when_it_is_on_the_disk() {
    let mut world = World::new();
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.hold_work();
    let change = "<iq type='set' id='p' to='example.org'><query xmlns='jabber:iq:register'><username>romeo</username><password>another one</password></query></iq>";
    world.send(romeo, &format!("{PING}{change}{PING}{R}"));
    assert_eq!(ack(&mut world, romeo), Some(1));
    world.hold_commits();
    world.do_work();
    world.send(romeo, R);
    assert_eq!(ack(&mut world, romeo), None);
    world.commit();
    assert_eq!(ack(&mut world, romeo), Some(3));
}

#[test]
fn a_disk_that_refuses_does_not_withhold_the_answer_and_does_not_make_it_a_lie() {
    let mut world = World::new();
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.hold_commits();
    world.send(romeo, &format!("{PING}{ADD}{PING}{R}"));
    assert_eq!(ack(&mut world, romeo), None);
    world.handle(Event::StoreStalled("the disk is full".into()));
    assert_eq!(ack(&mut world, romeo), Some(1));
    world.send(romeo, R);
    assert_eq!(ack(&mut world, romeo), Some(1));
    world.handle(Event::StoreResumed);
    world.commit();
    world.send(romeo, R);
    assert_eq!(ack(&mut world, romeo), Some(3));
}

#[test]
fn the_server_asks_once_until_it_has_an_answer() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    for n in 0..3 {
        world.send(juliet, &message("romeo", &n.to_string()));
    }
    let asked = world.drain(romeo).iter().filter(|got| got.is("r", "urn:xmpp:sm:3")).count();
    assert_eq!(asked, 1);
    // It had only the first when it answered: there is more to be acknowledged.
    confirm(&mut world, romeo, 1);
    world.expect(romeo, R);
    confirm(&mut world, romeo, 3);
    world.expect_nothing(romeo);
    world.send(juliet, &message("romeo", "4"));
    world.expect(romeo, "<message from='*' to='*' type='chat'><body>4</body></message>");
    world.expect(romeo, R);
}

#[test]
fn who_acknowledges_too_much_is_told_and_closed() {
    let mut world = World::new();
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    confirm(&mut world, romeo, 1);
    let last = world.drain(romeo).pop().expect("an error");
    let detail = last.find("handled-count-too-high", "urn:xmpp:sm:3").expect("the detail");
    assert_eq!((detail.get_attr("h"), detail.get_attr("send-count")), (Some("1"), Some("0")));
    assert!(last.find("undefined-condition", "urn:ietf:params:xml:ns:xmpp-streams").is_some());
    assert!(world.is_closed(romeo));
}

#[test]
fn an_acknowledgement_needs_a_number() {
    for bad in ["", "h='x'", "h='-1'", "h='4294967296'"] {
        let mut world = World::new();
        let (romeo, _) = managed(&mut world, "romeo", "orchard");
        world.send(romeo, &format!("<a xmlns='urn:xmpp:sm:3' {bad}/>"));
        world.expect_stream_error(romeo, "bad-format");
    }
}

#[test]
fn a_silent_client_is_asked_and_then_its_session_waits_for_it() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.advance(300_000);
    world.expect(romeo, R);
    world.advance(60_000);
    world.expect_stream_error(romeo, "connection-timeout");
    world.cut(romeo);
    resumed(&mut world, "romeo", &id, 0);
}

// --- §5: resumption ---

#[test]
fn a_session_goes_on_where_it_was() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.clear(juliet);
    world.send(juliet, &message("romeo", "one"));
    world.send(juliet, &message("romeo", "two"));
    world.cut(romeo);
    world.send(juliet, &message("romeo", "three"));
    // Nobody has seen it go.
    world.expect_nothing(juliet);
    let romeo = resumed(&mut world, "romeo", &id, 1);
    assert_eq!(bodies(&mut world, romeo), ["two", "three"]);
    world.expect_nothing(juliet);
    world.send(romeo, &message("juliet", "here I am"));
    assert_eq!(bodies(&mut world, juliet), ["here I am"]);
    // It is the same resource, and counts on.
    confirm(&mut world, romeo, 3);
    world.send(romeo, R);
    assert_eq!(ack(&mut world, romeo), Some(1));
}

#[test]
fn what_was_sent_before_the_cut_is_in_the_count_of_the_resumption() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.send(romeo, &format!("{PING}{PING}"));
    world.cut(romeo);
    let (_, answer) = resume(&mut world, "romeo", &id, 0);
    assert_eq!(answer.get_attr("h"), Some("2"));
}

#[test]
fn a_resumption_waits_until_what_it_acknowledges_is_on_the_disk() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.hold_commits();
    world.send(romeo, ADD);
    world.cut(romeo);
    let again = world.authenticate("romeo");
    world.send(again, &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"));
    world.expect_nothing(again);
    world.commit();
    let answer = world.receive(again);
    assert_eq!((answer.name.as_str(), answer.get_attr("h")), ("resumed", Some("1")));
    world.expect_result(again, PING);
}

#[test]
fn a_disk_that_refuses_does_not_withhold_the_resumption_and_what_was_not_kept_is_said_and_counted_again() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.hold_commits();
    world.send(romeo, &format!("{PING}{ADD}"));
    world.cut(romeo);
    let client = world.authenticate("romeo");
    world.send(client, &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>"));
    world.expect_nothing(client);
    world.handle(Event::StoreStalled("the disk is full".into()));
    assert_eq!(world.receive(client).get_attr("h"), Some("1"));
    world.handle(Event::StoreResumed);
    world.commit();
    world.send(client, &format!("{ADD}{R}"));
    assert_eq!(ack(&mut world, client), Some(2));
}

#[test]
fn a_resumption_waits_for_a_password_that_is_being_changed() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    let again = world.authenticate("romeo");
    world.hold_work();
    let change = "<iq type='set' id='p' to='example.org'><query xmlns='jabber:iq:register'><username>romeo</username><password>another one</password></query></iq>";
    world.send(romeo, &format!("{change}{PING}{ADD}"));
    world.cut(romeo);
    world.send(again, &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"));
    world.expect_nothing(again);
    world.do_work();
    let answer = world.receive(again);
    assert_eq!((answer.name.as_str(), answer.get_attr("h")), ("resumed", Some("3")));
}

#[test]
fn the_old_connection_may_look_alive_and_is_closed() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.stop_reading(romeo);
    world.send(juliet, &message("romeo", "one"));
    let again = resumed(&mut world, "romeo", &id, 0);
    assert_eq!(bodies(&mut world, again), ["one"]);
    world.go_on_reading(romeo);
    world.expect_stream_error(romeo, "conflict");
    world.cut(romeo);
    // That was the old connection's end, not the session's.
    world.send(juliet, &message("romeo", "two"));
    assert_eq!(bodies(&mut world, again), ["two"]);
}

#[test]
fn a_session_can_be_resumed_again_and_again() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (mut romeo, id) = managed(&mut world, "romeo", "orchard");
    for n in 0..5 {
        world.cut(romeo);
        world.send(juliet, &message("romeo", &n.to_string()));
        romeo = resumed(&mut world, "romeo", &id, n);
        assert_eq!(bodies(&mut world, romeo), [n.to_string()]);
    }
}

#[test]
fn nobody_else_can_resume_a_session_and_nobody_learns_of_it() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.send(romeo, PING);
    world.cut(romeo);
    let (tybalt, answer) = resume(&mut world, "tybalt", &id, 0);
    expect_failed(&answer, "item-not-found", None);
    let (_, answer) = resume(&mut world, "tybalt", "made up", 0);
    expect_failed(&answer, "item-not-found", None);
    // A resource can be bound instead.
    world.expect_result(
        tybalt,
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    );
    resumed(&mut world, "romeo", &id, 0);
}

#[test]
fn who_comes_too_late_is_told_what_had_arrived() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.send(romeo, &format!("{PING}{PING}"));
    world.cut(romeo);
    world.advance(600_000);
    let (_, answer) = resume(&mut world, "romeo", &id, 0);
    expect_failed(&answer, "item-not-found", Some("2"));
    let (_, answer) = resume(&mut world, "tybalt", &id, 0);
    expect_failed(&answer, "item-not-found", None);
}

#[test]
fn a_request_to_resume_needs_an_id_and_a_number_that_can_be() {
    let mut world = World::new();
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.cut(romeo);
    let again = world.authenticate("romeo");
    for bad in [
        "h='0'".into(),
        format!("previd='{id}'"),
        format!("previd='{id}' h='-1'"),
        format!("previd='{id}' h='7'"),
    ] {
        world.send(again, &format!("<resume xmlns='urn:xmpp:sm:3' {bad}/>"));
        expect_failed(&world.receive(again), "bad-request", None);
    }
    world.send(again, &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"));
    assert_eq!(world.receive(again).name, "resumed");
}

#[test]
fn after_a_restart_no_session_is_known() {
    let mut world = World::new();
    let (_, id) = managed(&mut world, "romeo", "orchard");
    world.restart();
    let (_, answer) = resume(&mut world, "romeo", &id, 0);
    expect_failed(&answer, "item-not-found", None);
}

// --- §4: what becomes of stanzas that were not acknowledged ---

#[test]
fn a_session_that_nobody_comes_back_to_ends_and_its_messages_wait() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.send(juliet, &message("romeo", "had"));
    let asked = world.drain(romeo).len() as u32;
    confirm(&mut world, romeo, asked - 1);
    world.send(juliet, &message("romeo", "written"));
    world.cut(romeo);
    world.send(juliet, &message("romeo", "kept"));
    world.clear(juliet);
    world.advance(599_999);
    assert!(world.drain(juliet).iter().all(|stanza| stanza.name != "presence"));
    world.advance(1);
    world.expect(juliet, "<presence from='romeo@example.org/orchard' to='*' type='unavailable'/>");
    let got = world.online_with_everything("romeo", "garden");
    let messages: Vec<_> = got.iter().filter(|stanza| stanza.name == "message").collect();
    let texts: Vec<_> =
        messages.iter().map(|m| m.find("body", "jabber:client").map(|b| b.text_content())).collect();
    assert_eq!(texts, [Some("written".to_owned()), Some("kept".to_owned())]);
    for message in messages {
        let delays = message.children().filter(|child| child.is("delay", "urn:xmpp:delay"));
        let stamps: Vec<_> = delays.filter_map(|delay| delay.get_attr("stamp")).collect();
        assert_eq!(stamps.first(), Some(&"2026-11-22T13:11:11.000Z"), "{}", show(message));
    }
}

#[test]
fn what_one_session_did_not_acknowledge_another_gets() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.send(juliet, "<message to='romeo@example.org/orchard' type='chat'><body>hello</body></message>");
    world.cut(romeo);
    let garden = world.online("romeo", "garden");
    world.advance(600_000);
    world.drain(juliet);
    assert_eq!(bodies(&mut world, garden), ["hello"]);
}

#[test]
fn what_another_session_has_is_not_sent_again() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    let garden = world.online("romeo", "garden");
    world.send(juliet, &message("romeo", "hello"));
    assert_eq!(bodies(&mut world, garden), ["hello"]);
    world.cut(romeo);
    world.advance(600_000);
    assert!(bodies(&mut world, garden).is_empty());
}

#[test]
fn of_two_sessions_that_never_come_back_only_the_last_passes_a_message_on() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (orchard, _) = managed(&mut world, "romeo", "orchard");
    let (garden, _) = managed(&mut world, "romeo", "garden");
    world.send(juliet, &message("romeo", "hello"));
    world.cut(orchard);
    world.advance(300_000);
    world.cut(garden);
    world.advance(300_000);
    world.advance(300_000);
    let got = world.online_with_everything("romeo", "cell");
    assert_eq!(got.iter().filter(|stanza| stanza.find("body", "jabber:client").is_some()).count(), 1);
}

#[test]
fn of_two_sessions_one_that_acknowledges_is_enough() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (orchard, _) = managed(&mut world, "romeo", "orchard");
    let (garden, _) = managed(&mut world, "romeo", "garden");
    let before = world.drain(garden).iter().filter(|got| got.name == "presence").count() as u32;
    world.send(juliet, &message("romeo", "hello"));
    confirm(&mut world, garden, before + 1);
    world.cut(garden);
    world.cut(orchard);
    world.advance(600_000);
    let got = world.online_with_everything("romeo", "cell");
    assert!(got.iter().all(|stanza| stanza.find("body", "jabber:client").is_none()));
}

#[test]
fn a_clean_end_leaves_nothing_to_resume_and_loses_nothing() {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.send(juliet, &message("romeo", "hello"));
    world.close(romeo);
    let (again, answer) = resume(&mut world, "romeo", &id, 0);
    expect_failed(&answer, "item-not-found", Some("0"));
    world.cut(again);
    let got = world.online_with_everything("romeo", "cell");
    assert_eq!(got.iter().filter(|stanza| stanza.find("body", "jabber:client").is_some()).count(), 1);
}

#[test]
fn a_request_that_was_not_acknowledged_gets_an_error() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.clear(juliet);
    world.send(
        juliet,
        "<iq type='get' id='v' to='romeo@example.org/orchard'><query xmlns='jabber:iq:version'/></iq>",
    );
    world.cut(romeo);
    world.advance(600_000);
    let answer = world.answer(juliet, "v").expect("an answer");
    assert_eq!(crate::world::condition_of(&answer).as_deref(), Some("service-unavailable"));
}

#[test]
fn a_blocked_sender_is_not_heard_when_the_session_ends() {
    let mut world = World::new();
    let tybalt = world.online("tybalt", "street");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.send(tybalt, &message("romeo", "coward"));
    world.cut(romeo);
    let garden = world.online("romeo", "garden");
    world.expect_result(
        garden,
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@example.org'/></block></iq>",
    );
    world.advance(600_000);
    assert!(bodies(&mut world, garden).is_empty());
}

#[test]
fn an_orderly_end_of_the_server_loses_nothing_that_waits_for_a_session() {
    let mut world = World::new();
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.expect_result(romeo, "<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>");
    let (garden, _) = managed(&mut world, "romeo", "garden");
    let juliet = world.online("juliet", "balcony");
    world.cut(romeo);
    for body in ["one", "two"] {
        world.send(juliet, &message("romeo", body));
    }
    world.stop_reading(garden);
    world.handle(Event::Shutdown);
    world.restart();
    let romeo = world.login("romeo", "cell");
    world.send(romeo, "<presence/>");
    assert_eq!(bodies(&mut world, romeo), ["one", "two"]);
}

// --- bounds ---

#[test]
fn a_session_without_connection_holds_so_much_and_then_its_messages_wait_on_the_disk_in_order() {
    let mut world = World::with(|config| config.sessions.hibernating_bytes = Limit::of(5_000));
    let juliet = world.online("juliet", "balcony");
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    world.cut(romeo);
    for n in 0..20 {
        world.send(juliet, &message("romeo", &format!("{n:0500}")));
    }
    let (again, answer) = resume(&mut world, "romeo", &id, 0);
    expect_failed(&answer, "item-not-found", Some("0"));
    world.cut(again);
    let garden = world.login("romeo", "garden");
    world.send(garden, "<presence/>");
    let expected: Vec<String> = (0..20).map(|n| format!("{n:0500}")).collect();
    assert_eq!(bodies(&mut world, garden), expected);
}

#[test]
fn a_client_that_never_acknowledges_is_disconnected_and_its_messages_wait() {
    let mut world = World::with(|config| config.limits.outbox_bytes = Limit::of(10_000));
    let juliet = world.online("juliet", "balcony");
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    for n in 0..30 {
        world.send(juliet, &message("romeo", &format!("{n:0500}")));
    }
    world.expect_stream_error(romeo, "resource-constraint");
    world.cut(romeo);
    let garden = world.login("romeo", "garden");
    world.send(garden, "<presence/>");
    let mut got = bodies(&mut world, garden);
    got.sort();
    let expected: Vec<String> = (0..30).map(|n| format!("{n:0500}")).collect();
    assert_eq!(got, expected);
}

#[test]
fn a_session_that_nobody_comes_back_to_gives_way_to_a_new_one() {
    let mut world = World::with(|config| config.limits.sessions_per_account = Limit::of(2));
    let (orchard, id) = managed(&mut world, "romeo", "orchard");
    managed(&mut world, "romeo", "garden");
    world.cut(orchard);
    world.login("romeo", "cell");
    let (_, answer) = resume(&mut world, "romeo", &id, 0);
    expect_failed(&answer, "item-not-found", Some("0"));
}

#[test]
fn while_the_connection_is_gone_only_the_last_presence_of_each_is_kept() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let (romeo, id) = managed(&mut world, "romeo", "orchard");
    let seen = world.drain(romeo).iter().filter(|got| got.name == "presence").count() as u32;
    world.cut(romeo);
    for n in 0..50 {
        world.send(juliet, &format!("<presence><status>{n}</status></presence>"));
    }
    let romeo = resumed(&mut world, "romeo", &id, seen);
    world.expect(romeo, "<presence from='juliet@example.org/balcony' to='*'><status>49</status></presence>");
    world.expect(romeo, R);
    world.expect_nothing(romeo);
}

#[test]
fn who_asks_over_and_over_while_the_disk_is_busy_is_not_read_for_ever() {
    let mut world = World::new();
    let (romeo, _) = managed(&mut world, "romeo", "orchard");
    world.hold_commits();
    world.send(romeo, ADD);
    assert!(!world.core.is_full_of_promises());
    for _ in 0..200 {
        world.send(romeo, &R.repeat(100));
    }
    assert!(world.core.is_full_of_promises());
    world.commit();
    assert!(!world.core.is_full_of_promises());
    world.send(romeo, R);
    assert_eq!(ack(&mut world, romeo), Some(1));
}

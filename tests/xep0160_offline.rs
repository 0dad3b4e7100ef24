//! XEP-0160: messages for those who are offline, marked as XEP-0203 wants.

use crate::client::Client;
use crate::world::{World, show};
use stube::config::Limit;
use stube::store::Table;
use stube::xml::Element;

fn message(kind: &str, content: &str) -> String {
    format!("<message to='juliet@capulet' type='{kind}' id='m'>{content}</message>")
        .replace("juliet@capulet", "juliet@example.org")
}

fn say(text: &str) -> String {
    message("chat", &format!("<body>{text}</body>"))
}

/// Juliet, who is offline, and Romeo, who writes.
fn world() -> (World, Client) {
    let mut world = World::new();
    world.account("juliet");
    let romeo = world.login("romeo", "orchard");
    (world, romeo)
}

/// The messages that Juliet gets when she comes.
fn come(world: &mut World, resource: &str) -> (Client, Vec<Element>) {
    let juliet = world.login("juliet", resource);
    world.send(juliet, "<presence/>");
    (juliet, messages(world, juliet))
}

fn messages(world: &mut World, client: Client) -> Vec<Element> {
    world.drain(client).into_iter().filter(|stanza| stanza.name == "message").collect()
}

fn bodies(messages: &[Element]) -> Vec<String> {
    let body = |message: &Element| message.find("body", "jabber:client").map(Element::text_content);
    messages.iter().filter_map(body).collect()
}

#[test]
fn the_server_says_that_it_keeps_messages() {
    let mut world = World::new();
    let juliet = world.login("juliet", "balcony");
    let info =
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    assert!(show(&world.expect_result(juliet, info)).contains("<feature var='msgoffline'/>"));
}

// XEP-0203 §2: from the server that kept it, with the time when it came
#[test]
fn a_message_waits_and_says_since_when() {
    let (mut world, romeo) = world();
    world.send(romeo, &say("O blessed, blessed night!"));
    world.expect_nothing(romeo);
    world.advance(60_000);
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, "<presence><priority>1</priority></presence>");
    world.expect(juliet, "<presence from='juliet@example.org/balcony' to='juliet@example.org'><priority>1</priority></presence>");
    world.expect(
        juliet,
        "<message from='romeo@example.org/orchard' to='juliet@example.org' type='chat' id='m'>\
         <body>O blessed, blessed night!</body>\
         <delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-11-22T13:11:11.000Z'>Offline Storage</delay>\
         </message>",
    );
}

#[test]
fn messages_come_once_and_in_their_order() {
    let (mut world, romeo) = world();
    for text in ["I am afeard.", "Being in night,", "all this is but a dream"] {
        world.send(romeo, &say(text));
    }
    let (balcony, first) = come(&mut world, "balcony");
    assert_eq!(bodies(&first), ["I am afeard.", "Being in night,", "all this is but a dream"]);
    assert!(come(&mut world, "chamber").1.is_empty());
    world.close(balcony);
    world.restart();
    assert!(come(&mut world, "balcony").1.is_empty());
}

#[test]
fn more_than_one_piece_comes_whole_and_in_order_with_what_is_sent_meanwhile() {
    let (mut world, romeo) = world();
    let text = |n| format!("{n} {}", "o".repeat(1000));
    for n in 0..130 {
        world.send(romeo, &say(&text(n)));
    }
    let (juliet, before) = come(&mut world, "balcony");
    world.send(romeo, &say("now"));
    let all = [before, messages(&mut world, juliet)].concat();
    let expected: Vec<String> = (0..130).map(text).chain(["now".into()]).collect();
    assert_eq!(bodies(&all), expected);
    // What came when all had been given was not delayed.
    assert!(all[130].find("delay", "urn:xmpp:delay").is_none());
}

#[test]
fn exactly_one_piece_is_followed_by_what_comes_next() {
    let (mut world, romeo) = world();
    world.send(romeo, &say(&"o".repeat(32 * 1024)));
    let (juliet, before) = come(&mut world, "balcony");
    assert_eq!(before.len(), 1);
    world.send(romeo, &say("now"));
    assert_eq!(bodies(&messages(&mut world, juliet)), ["now"]);
}

#[test]
fn what_waits_is_given_as_fast_as_it_is_read_however_much_it_is() {
    let mut world = World::with(|config| config.limits.outbox_bytes = Limit::of(10_000));
    world.account("juliet");
    let romeo = world.login("romeo", "orchard");
    let text = |n| format!("{n} {}", "o".repeat(4000));
    for n in 0..50 {
        world.send(romeo, &say(&text(n)));
    }
    let (juliet, all) = come(&mut world, "balcony");
    assert_eq!(bodies(&all), (0..50).map(text).collect::<Vec<_>>());
    world.expect_nothing(juliet);
}

// "Recipient's server determines that the intended recipient has no available resources that have specified non-negative
// presence priority."
#[test]
fn a_negative_priority_is_not_there_for_messages() {
    let (mut world, romeo) = world();
    let juliet = world.login("juliet", "robot");
    world.send(juliet, "<presence><priority>-1</priority></presence>");
    world.send(romeo, &say("O blessed, blessed night!"));
    world.expect_nothing(romeo);
    assert!(messages(&mut world, juliet).is_empty());
    world.send(juliet, "<presence><priority>0</priority></presence>");
    assert_eq!(bodies(&messages(&mut world, juliet)), ["O blessed, blessed night!"]);
}

#[test]
fn a_message_for_a_resource_that_is_gone_waits_if_it_is_chat() {
    let (mut world, romeo) = world();
    world.send(romeo, &say("hi").replace("juliet@example.org", "juliet@example.org/gone"));
    assert_eq!(bodies(&come(&mut world, "balcony").1), ["hi"]);
}

// "Handling of Message Types"
#[test]
fn normal_and_chat_messages_are_kept_and_others_are_not() {
    let (mut world, romeo) = world();
    for kind in ["normal", "chat"] {
        world.send(romeo, &message(kind, &format!("<body>{kind}</body>")));
    }
    world.expect_nothing(romeo);
    for kind in ["headline", "error"] {
        world.send(romeo, &message(kind, "<body>no</body>"));
    }
    world.expect_nothing(romeo);
    world.send(romeo, &message("groupchat", "<body>no</body>"));
    world.expect_bounce(romeo, "service-unavailable");
    assert_eq!(bodies(&come(&mut world, "balcony").1), ["normal", "chat"]);
}

// "with the exception of messages that contain only XEP-0085 content"
#[test]
fn that_somebody_is_typing_is_nothing_to_keep() {
    let (mut world, romeo) = world();
    let composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    world.send(romeo, &message("chat", composing));
    world.send(romeo, &message("chat", &format!("{composing}<thread>t</thread>")));
    world.send(romeo, &message("chat", ""));
    world.expect_nothing(romeo);
    assert!(come(&mut world, "balcony").1.is_empty());
    let (mut world, romeo) = self::world();
    world.send(romeo, &message("chat", &format!("<body>hi</body>{composing}")));
    world.send(romeo, &message("chat", "<received xmlns='urn:xmpp:receipts' id='x'/>"));
    assert_eq!(come(&mut world, "balcony").1.len(), 2);
}

// "if not (e.g., because the recipient's offline message queue is full), the server returns a <service-unavailable/> error"
#[test]
fn so_many_messages_wait_and_one_more_comes_back() {
    let mut world = World::with(|config| config.limits.offline_messages = Limit::of(2));
    world.account("juliet");
    let romeo = world.login("romeo", "orchard");
    for text in ["one", "two", "three"] {
        world.send(romeo, &say(text));
    }
    world.expect_bounce(romeo, "service-unavailable");
    // It is counted anew after a restart.
    world.restart();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &say("four"));
    world.expect_bounce(romeo, "service-unavailable");
    let (juliet, got) = come(&mut world, "balcony");
    assert_eq!(bodies(&got), ["one", "two"]);
    world.close(juliet);
    world.send(romeo, &say("five"));
    world.expect_nothing(romeo);
    assert_eq!(bodies(&come(&mut world, "balcony").1), ["five"]);
}

#[test]
fn so_many_bytes_wait_and_one_more_message_comes_back() {
    let mut world = World::with(|config| config.limits.offline_bytes = Limit::of(2000));
    world.account("juliet");
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &say(&"x".repeat(1400)));
    world.expect_nothing(romeo);
    world.send(romeo, &say(&"x".repeat(600)));
    world.expect_bounce(romeo, "service-unavailable");
    world.send(romeo, &say("x"));
    world.expect_nothing(romeo);
}

#[test]
fn what_was_committed_survives_a_crash_and_the_rest_was_promised_to_nobody() {
    let (mut world, romeo) = world();
    world.send(romeo, &say("kept"));
    world.hold_commits();
    world.send(romeo, &say("lost"));
    // A result that would promise as much as the message's keeping has not left either.
    world.send(
        romeo,
        "<iq type='set' id='after'><query xmlns='jabber:iq:roster'><item jid='juliet@example.org'/></query></iq>",
    );
    assert!(world.answer(romeo, "after").is_none());
    world.restart();
    assert_eq!(bodies(&come(&mut world, "balcony").1), ["kept"]);
}

#[test]
fn what_is_not_committed_yet_is_delivered_all_the_same() {
    let (mut world, romeo) = world();
    let juliet = world.login("juliet", "balcony");
    world.send(romeo, &say("one"));
    world.hold_commits();
    world.send(romeo, &say("two"));
    world.send(juliet, "<presence/>");
    assert_eq!(bodies(&messages(&mut world, juliet)), ["one", "two"]);
    world.commit();
    world.close(juliet);
    assert!(come(&mut world, "balcony").1.is_empty());
}

#[test]
fn what_was_delivered_stays_delivered_though_its_deletion_waits() {
    let (mut world, romeo) = world();
    world.send(romeo, &say("one"));
    world.hold_commits();
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, "<presence/>");
    assert_eq!(bodies(&messages(&mut world, juliet)), ["one"]);
    world.send(juliet, "<presence type='unavailable'/>");
    world.send(romeo, &say("two"));
    world.send(juliet, "<presence/>");
    assert_eq!(bodies(&messages(&mut world, juliet)), ["two"]);
}

#[test]
fn a_clock_that_was_set_back_does_not_change_the_order() {
    let (mut world, romeo) = world();
    world.advance(100_000);
    world.send(romeo, &say("first"));
    world.now -= 100_000;
    world.restart();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &say("second"));
    assert_eq!(bodies(&come(&mut world, "balcony").1), ["first", "second"]);
}

#[test]
fn while_the_disk_refuses_nothing_is_taken_that_could_not_be_kept() {
    let (mut world, romeo) = world();
    world.handle(stube::core::Event::StoreStalled("the disk is full".into()));
    world.send(romeo, &say("hi"));
    world.expect_bounce(romeo, "resource-constraint");
    world.handle(stube::core::Event::StoreResumed);
    world.send(romeo, &say("hi"));
    world.expect_nothing(romeo);
}

#[test]
fn two_resources_that_come_at_once_share_what_waits() {
    let (mut world, romeo) = world();
    let (balcony, chamber) = (world.login("juliet", "balcony"), world.login("juliet", "chamber"));
    for n in 0..5 {
        world.send(romeo, &say(&n.to_string()));
    }
    world.send(balcony, "<presence/>");
    world.send(chamber, "<presence/>");
    assert_eq!(messages(&mut world, balcony).len(), 5);
    assert!(messages(&mut world, chamber).is_empty());
}

#[test]
fn messages_from_elsewhere_wait_too() {
    let (mut world, _) = world();
    world.core.federated = true;
    world.from_remote(
        "<message from='nurse@verona.it/x' to='juliet@example.org' type='chat'><body>Madam!</body></message>",
    );
    assert!(world.to_remote().is_empty());
    assert_eq!(bodies(&come(&mut world, "balcony").1), ["Madam!"]);
}

// --- with acknowledgements (XEP-0198) ---

/// A session that acknowledges, to which what waits has been given.
fn managed(world: &mut World, name: &str, resource: &str) -> crate::client::Client {
    let client = world.login(name, resource);
    world.send(client, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    world.clear(client);
    world.send(client, "<presence/>");
    client
}

/// What is there of messages, and how many stanzas came.
fn came(world: &mut World, client: crate::client::Client) -> (Vec<String>, usize) {
    let got = world.drain(client);
    let bodies = got.iter().filter_map(|stanza| stanza.find("body", "jabber:client"));
    let bodies = bodies.map(|body| body.text_content()).collect();
    let stanzas = got.iter().filter(|got| matches!(got.name.as_str(), "message" | "presence" | "iq")).count();
    (bodies, stanzas)
}

/// Three messages wait for romeo, who archives nothing.
fn three_wait() -> World {
    let mut world = World::new();
    let romeo = world.login("romeo", "settings");
    world.expect_result(romeo, "<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>");
    world.close(romeo);
    let juliet = world.online("juliet", "balcony");
    for body in ["one", "two", "three"] {
        world.send(
            juliet,
            &format!("<message to='romeo@example.org' type='chat'><body>{body}</body></message>"),
        );
    }
    world.close(juliet);
    world
}

#[test]
fn what_was_given_and_not_acknowledged_survives_a_crash() {
    let mut world = three_wait();
    let romeo = managed(&mut world, "romeo", "orchard");
    assert_eq!(came(&mut world, romeo).0, ["one", "two", "three"]);
    world.restart();
    let romeo = managed(&mut world, "romeo", "orchard");
    let (bodies, stanzas) = came(&mut world, romeo);
    assert_eq!(bodies, ["one", "two", "three"]);
    world.send(romeo, &format!("<a xmlns='urn:xmpp:sm:3' h='{stanzas}'/>"));
    world.restart();
    let romeo = managed(&mut world, "romeo", "orchard");
    assert!(came(&mut world, romeo).0.is_empty());
}

#[test]
fn what_was_given_and_not_acknowledged_goes_to_the_next_session_in_order() {
    let mut world = three_wait();
    let orchard = managed(&mut world, "romeo", "orchard");
    assert_eq!(came(&mut world, orchard).0.len(), 3);
    world.cut(orchard);
    let garden = managed(&mut world, "romeo", "garden");
    let (bodies, stanzas) = came(&mut world, garden);
    assert!(bodies.is_empty(), "they are with the orchard");
    world.send(garden, &format!("<a xmlns='urn:xmpp:sm:3' h='{stanzas}'/>"));
    world.advance(600_000);
    assert_eq!(came(&mut world, garden).0, ["one", "two", "three"]);
    world.close(garden);
    let cell = managed(&mut world, "romeo", "cell");
    let (bodies, stanzas) = came(&mut world, cell);
    assert_eq!(bodies, ["one", "two", "three"]);
    world.send(cell, &format!("<a xmlns='urn:xmpp:sm:3' h='{stanzas}'/>"));
    world.close(cell);
    let last = managed(&mut world, "romeo", "last");
    assert!(came(&mut world, last).0.is_empty());
}

#[test]
fn what_was_acknowledged_in_part_comes_back_in_part() {
    let mut world = three_wait();
    let romeo = managed(&mut world, "romeo", "orchard");
    let (bodies, stanzas) = came(&mut world, romeo);
    assert_eq!(bodies.len(), 3);
    world.send(romeo, &format!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", stanzas - 1));
    world.close(romeo);
    let garden = managed(&mut world, "romeo", "garden");
    assert_eq!(came(&mut world, garden).0, ["three"]);
}

const QUERY: &str = "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>";

/// How many messages the archive of a session's account has.
fn archived(world: &mut World, client: Client) -> usize {
    world.clear(client);
    world.send(client, QUERY);
    world.drain(client).iter().filter(|stanza| stanza.find("result", "urn:xmpp:mam:2").is_some()).count()
}

/// The ids that messages have in Juliet's archive, and how often each says that it was delayed.
fn ids_and_delays(messages: &[Element]) -> Vec<(String, usize)> {
    let of = |message: &Element| {
        let ids: Vec<&Element> =
            message.children().filter(|child| child.is("stanza-id", "urn:xmpp:sid:0")).collect();
        let [id] = ids.as_slice() else { panic!("{}", show(message)) };
        assert_eq!(id.get_attr("by"), Some("juliet@example.org"));
        let delays = message.children().filter(|child| child.is("delay", "urn:xmpp:delay")).count();
        (id.get_attr("id").unwrap_or_default().to_owned(), delays)
    };
    messages.iter().map(of).collect()
}

// XEP-0313
#[test]
fn what_is_archived_waits_as_a_reference_and_comes_with_its_id() {
    let (mut world, romeo) = world();
    world.send(romeo, &say(&"o".repeat(10_000)));
    world.hold_commits();
    world.send(romeo, &say("not on disk"));
    let waiting = world.table(Table::Offline);
    assert!(waiting.len() == 1 && waiting[0].1.len() < 20, "{waiting:?}");
    let (juliet, got) = come(&mut world, "balcony");
    assert_eq!(bodies(&got), ["o".repeat(10_000), "not on disk".into()]);
    let ids = ids_and_delays(&got);
    assert!(ids.iter().all(|(_, delays)| *delays == 1), "{ids:?}");
    world.clear(juliet);
    world.send(juliet, QUERY);
    let archived = world.drain(juliet).into_iter().filter_map(|stanza| {
        stanza.find("result", "urn:xmpp:mam:2").and_then(|result| result.get_attr("id")).map(str::to_owned)
    });
    assert_eq!(archived.collect::<Vec<_>>(), ids.into_iter().map(|(id, _)| id).collect::<Vec<_>>());
}

#[test]
fn what_is_not_archived_waits_as_a_copy_without_an_id() {
    let (mut world, romeo) = world();
    world.send(romeo, &message("chat", "<body>hi</body><no-permanent-store xmlns='urn:xmpp:hints'/>"));
    let (juliet, got) = come(&mut world, "balcony");
    assert!(got.len() == 1 && got[0].find("stanza-id", "urn:xmpp:sid:0").is_none());
    assert!(got[0].find("delay", "urn:xmpp:delay").is_some());
    assert_eq!(archived(&mut world, juliet), 0);
}

/// One message that is in Juliet's archive waits for her, and one that is not.
fn both_kinds_wait() -> (World, Client) {
    let (mut world, romeo) = world();
    both_kinds(&mut world, romeo);
    (world, romeo)
}

fn both_kinds(world: &mut World, romeo: Client) {
    world.send(romeo, &say("archived"));
    world.send(romeo, &message("chat", "<body>copy</body><no-permanent-store xmlns='urn:xmpp:hints'/>"));
}

#[test]
fn who_has_read_the_archive_before_coming_is_not_given_the_same_again() {
    let (mut world, _) = both_kinds_wait();
    let juliet = world.login("juliet", "balcony");
    assert_eq!(archived(&mut world, juliet), 1);
    world.send(juliet, "<presence/>");
    assert_eq!(bodies(&messages(&mut world, juliet)), ["copy"]);
    // Nor is anybody else: it is dealt with.
    assert!(come(&mut world, "chamber").1.is_empty());
    assert_eq!(world.rows(Table::Offline), 0);
}

#[test]
fn who_comes_before_reading_the_archive_is_given_what_waits_the_first_time() {
    let (mut world, romeo) = both_kinds_wait();
    let (juliet, got) = come(&mut world, "balcony");
    assert_eq!(bodies(&got), ["archived", "copy"]);
    assert_eq!(archived(&mut world, juliet), 1);
    world.close(juliet);
    // From then on this resource is known to read the archive, also after a restart; others are not.
    for restart in [false, true] {
        both_kinds(&mut world, romeo);
        let romeo = match restart {
            true => {
                world.restart();
                world.login("romeo", "orchard")
            }
            false => romeo,
        };
        let (juliet, got) = come(&mut world, "balcony");
        assert_eq!(bodies(&got), ["copy"]);
        world.close(juliet);
        world.send(romeo, &say("for whoever comes"));
        let (chamber, got) = come(&mut world, "chamber");
        assert_eq!(bodies(&got), ["for whoever comes"]);
        world.close(chamber);
    }
}

#[test]
fn the_last_32_resources_that_read_an_archive_are_remembered() {
    let (mut world, romeo) = world();
    for n in 0..33 {
        let juliet = world.login("juliet", &n.to_string());
        archived(&mut world, juliet);
        world.close(juliet);
    }
    for (resource, is_remembered) in [("0", false), ("1", true), ("32", true)] {
        world.send(romeo, &say("hi"));
        let (juliet, got) = come(&mut world, resource);
        assert_eq!(got.is_empty(), is_remembered, "{resource}");
        world.close(juliet);
    }
}

#[test]
fn more_references_than_one_piece_are_passed_over_at_once() {
    let (mut world, romeo) = world();
    for n in 0..100 {
        world.send(romeo, &say(&format!("{n} {}", "o".repeat(1000))));
    }
    world.send(romeo, &message("chat", "<body>copy</body><no-permanent-store xmlns='urn:xmpp:hints'/>"));
    let juliet = world.login("juliet", "balcony");
    archived(&mut world, juliet);
    world.send(juliet, "<presence/>");
    assert_eq!(bodies(&messages(&mut world, juliet)), ["copy"]);
    world.send(romeo, &say("now"));
    assert_eq!(bodies(&messages(&mut world, juliet)), ["now"]);
}

#[test]
fn what_has_gone_out_of_the_archive_does_not_wait_any_more() {
    let mut world = World::with(|config| config.archive.keep_days = Limit::of(1));
    world.account("juliet");
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &say("old"));
    world.advance(60_000);
    world.advance(24 * 60 * 60_000 + 11 * 60_000);
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &say("young"));
    assert_eq!(bodies(&come(&mut world, "balcony").1), ["young"]);
}

#[test]
fn who_was_blocked_meanwhile_is_not_heard_from_the_archive_either() {
    let (mut world, romeo) = world();
    world.send(romeo, &say("hi"));
    let juliet = world.login("juliet", "balcony");
    world.expect_result(
        juliet,
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></block></iq>",
    );
    world.send(juliet, "<presence/>");
    assert!(messages(&mut world, juliet).is_empty());
}

// XEP-0198: what nobody acknowledged comes back here with the id that it has.
#[test]
fn what_a_lost_session_had_waits_as_a_reference_and_is_not_archived_again() {
    let (mut world, romeo) = world();
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, "<enable xmlns='urn:xmpp:sm:3'/>");
    world.clear(juliet);
    world.send(romeo, &say("one"));
    world.send(romeo, &message("chat", "<body>two</body><no-permanent-store xmlns='urn:xmpp:hints'/>"));
    let before = ids_and_delays(&messages(&mut world, juliet)[..1]);
    world.advance(5_000);
    world.cut(juliet);
    assert!(world.table(Table::Offline)[0].1.len() < 20, "{:?}", world.table(Table::Offline));
    let (juliet, got) = come(&mut world, "balcony");
    assert_eq!(bodies(&got), ["one", "two"]);
    assert_eq!(ids_and_delays(&got[..1])[0].0, before[0].0);
    for message in &got {
        let delays: Vec<_> = message.children().filter(|child| child.name == "delay").collect();
        assert_eq!(delays.len(), 1, "{}", show(message));
        assert_eq!(delays[0].get_attr("stamp"), Some("2026-11-22T13:11:11.000Z"));
    }
    assert_eq!(archived(&mut world, juliet), 1);
}

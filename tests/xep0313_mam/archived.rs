//! What is archived, for whom, and in which form.

use super::*;
use stube::config::Limit;
use stube::core::Event;
use stube::store::Table;

#[test]
fn both_sides_have_what_was_said_in_its_order() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "one");
    say(&mut world, juliet, "romeo", "two");
    say(&mut world, romeo, "juliet", "three");
    for client in [romeo, juliet] {
        assert_eq!(found(&mut world, client, ""), ["one", "two", "three"]);
    }
}

// §4.2
#[test]
fn a_result_is_the_message_as_it_was_with_its_time_and_its_id() {
    let (mut world, romeo, juliet) = world();
    let content = "<subject>s &amp; t</subject><body xml:lang='it'>&lt;ciao&gt; it's</body><x xmlns='urn:x' a='b'><y/>z</x>";
    world.send(romeo, &format!("<message to='juliet@example.org' id='m' xml:lang='en'>{content}</message>"));
    world.advance(5_000);
    world.clear(juliet);
    world.send(juliet, &format!("<iq type='set' id='q'><query xmlns='{MAM}' queryid=\"f'27\"/></iq>"));
    world.expect(
        juliet,
        &format!(
            "<message from='juliet@example.org' to='juliet@example.org/balcony'>\
             <result xmlns='urn:xmpp:mam:2' queryid=\"f'27\" id='*'><forwarded xmlns='urn:xmpp:forward:0'>\
             <delay xmlns='urn:xmpp:delay' stamp='2026-11-22T13:11:11.000Z'/>\
             <message xmlns='jabber:client' from='romeo@example.org/orchard' to='juliet@example.org' id='m' \
             xml:lang='en'>{content}</message></forwarded></result></message>"
        ),
    );
    world.expect(
        juliet,
        "<iq from='juliet@example.org' to='juliet@example.org/balcony' id='q' type='result'>\
         <fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'>\
         <first>*</first><last>*</last><count>1</count></set></fin></iq>",
    );
    world.expect_nothing(juliet);
}

#[test]
fn an_empty_archive_answers_with_an_empty_page() {
    let (mut world, romeo, _) = world();
    world.send(romeo, &ask(""));
    world.expect(
        romeo,
        "<iq from='romeo@example.org' to='romeo@example.org/orchard' id='q' type='result'>\
         <fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count>\
         </set></fin></iq>",
    );
    world.expect_nothing(romeo);
}

// §6.1.1
#[test]
fn what_makes_a_conversation_is_archived_and_what_passes_by_is_not() {
    let archived = [
        "<body>hi</body>",
        "<subject>hi</subject>",
        "<body>hi</body><composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload/></encrypted>",
        "<encrypted xmlns='urn:xmpp:omemo:2'><payload/></encrypted>",
        "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:x'/>",
        "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>",
        "<received xmlns='urn:xmpp:receipts' id='x'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='x'><reaction>x</reaction></reactions>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='x'/>",
        "<propose xmlns='urn:xmpp:jingle-message:0' id='x'/>",
        "<x xmlns='jabber:x:conference' jid='room@chat.example.org'/>",
        "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>",
        "<body>psst</body><x xmlns='http://jabber.org/protocol/muc#user'/>",
    ];
    let passing = [
        "",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread>",
        "<request xmlns='urn:xmpp:receipts'/>",
        "<markable xmlns='urn:xmpp:chat-markers:0'/>",
        "<x xmlns='http://jabber.org/protocol/muc#user'/>",
        "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
        "<body xmlns='urn:x'>hi</body>",
        "<origin-id xmlns='urn:xmpp:sid:0' id='x'/>",
    ];
    for (contents, count) in [(archived.as_slice(), 1), (&passing, 0)] {
        for content in contents {
            for kind in ["chat", "normal"] {
                let (mut world, romeo, juliet) = world();
                world.send(
                    romeo,
                    &format!("<message to='juliet@example.org' type='{kind}'>{content}</message>"),
                );
                for client in [romeo, juliet] {
                    assert_eq!(found(&mut world, client, "").len(), count, "{kind} {content}");
                }
            }
        }
    }
}

#[test]
fn rooms_headlines_and_errors_are_not_archived() {
    let (mut world, romeo, juliet) = world();
    for kind in ["groupchat", "headline", "error"] {
        world.send(romeo, &message("juliet@example.org/balcony", "no").replace("chat", kind));
        world.from_remote(
            &message("juliet@example.org/balcony", "no")
                .replace("chat", kind)
                .replace("<message", "<message from='room@chat.verona.it/nurse'"),
        );
    }
    for client in [romeo, juliet] {
        assert!(found(&mut world, client, "").is_empty());
    }
}

#[test]
fn what_comes_from_elsewhere_and_goes_there_is_archived() {
    let mut world = World::federated();
    let juliet = world.online("juliet", "balcony");
    world.from_remote(
        "<message from='nurse@verona.it/x' to='juliet@example.org' type='chat'><body>Madam!</body></message>",
    );
    say(&mut world, juliet, "nurse@verona.it", "Anon, good nurse!");
    let sent = world.to_remote();
    assert!(sent[0].find("stanza-id", "urn:xmpp:sid:0").is_none(), "whoever it is for has no such archive");
    assert_eq!(found(&mut world, juliet, ""), ["Madam!", "Anon, good nurse!"]);
}

#[test]
fn a_message_is_stored_once_for_both_sides() {
    let (mut world, romeo, _) = world();
    say(&mut world, romeo, "juliet", "one");
    assert_eq!((world.rows(Table::Archive), world.rows(Table::ArchiveIndex)), (1, 0));
    world.advance(60_000);
    assert_eq!((world.rows(Table::Archive), world.rows(Table::ArchiveIndex)), (1, 2));
}

#[test]
fn a_message_to_oneself_is_archived_once() {
    let (mut world, romeo, _) = world();
    let other = world.online("romeo", "street");
    say(&mut world, romeo, "romeo", "note");
    say(&mut world, romeo, "romeo@example.org/street", "other note");
    assert_eq!(found(&mut world, other, ""), ["note", "other note"]);
    world.advance(60_000);
    assert_eq!((world.rows(Table::Archive), world.rows(Table::ArchiveIndex)), (2, 2));
}

// "irrespective of multiple connected clients receiving copies"
#[test]
fn a_message_that_several_clients_get_is_archived_once_and_has_one_id() {
    let (mut world, romeo, juliet) = world();
    let chamber = world.online("juliet", "chamber");
    world.clear(juliet);
    say(&mut world, romeo, "juliet", "hi");
    let id = |message: Element| {
        message.find("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.get_attr("id")).map(str::to_owned)
    };
    let got = [juliet, chamber].map(|client| id(world.receive(client)));
    assert_eq!(got[0], got[1]);
    assert_eq!(all_ids(&mut world, juliet), [got[0].clone().expect("an id")]);
}

// §3.5: "servers SHOULD include the element as a child of the forwarded message when using Message Carbons"
#[test]
fn copies_for_the_senders_clients_have_the_id_of_its_archive() {
    let (mut world, romeo, juliet) = world();
    let street = world.online("romeo", "street");
    world.expect_result(street, "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    world.clear(street);
    say(&mut world, romeo, "juliet", "hi");
    let copy = world.receive(street);
    let forwarded = copy.children().next().and_then(|sent| sent.find("forwarded", "urn:xmpp:forward:0"));
    let message = forwarded.and_then(|forwarded| forwarded.find("message", "jabber:client")).expect("a copy");
    let id = message.find("stanza-id", "urn:xmpp:sid:0").expect("an id");
    assert_eq!(id.get_attr("by"), Some("romeo@example.org"));
    assert_eq!(id.get_attr("id").map(str::to_owned), all_ids(&mut world, romeo).pop());
    let got = world.receive(juliet);
    assert!(!show(&got).contains("by='romeo@example.org'"), "{}", show(&got));
}

// §6.1: "only contain messages accepted for delivery"
#[test]
fn what_is_refused_is_in_no_archive_but_its_senders() {
    let mut world = World::with(|config| config.limits.offline_messages = Limit::of(1));
    world.account("tybalt");
    let (mut world, romeo, juliet) = meet(world);
    world.expect_result(
        juliet,
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></block></iq>",
    );
    say(&mut world, romeo, "juliet", "blocked");
    world.expect_bounce(romeo, "service-unavailable");
    say(&mut world, romeo, "tybalt", "waits");
    world.expect_nothing(romeo);
    say(&mut world, romeo, "tybalt", "too many");
    world.expect_bounce(romeo, "service-unavailable");
    world.send(romeo, &message("tybalt@example.org/gone", "nobody").replace("chat", "normal"));
    world.expect_bounce(romeo, "service-unavailable");
    let tybalt = world.login("tybalt", "street");
    assert!(found(&mut world, juliet, "").is_empty());
    assert_eq!(found(&mut world, tybalt, ""), ["waits"]);
    assert_eq!(found(&mut world, romeo, ""), ["blocked", "waits", "too many", "nobody"]);
}

#[test]
fn what_the_sender_was_not_allowed_to_send_is_not_archived() {
    let (mut world, romeo, _) = world();
    world.expect_result(
        romeo,
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='juliet@example.org'/></block></iq>",
    );
    say(&mut world, romeo, "juliet", "no");
    assert!(found(&mut world, romeo, "").is_empty());
}

#[test]
fn what_is_not_on_disk_yet_is_found() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "one");
    world.hold_commits();
    say(&mut world, juliet, "romeo", "two");
    say(&mut world, romeo, "juliet", "three");
    for content in [String::new(), set("<max>2</max><before/>"), set("<max>3</max>")] {
        let expected =
            if content.contains("<max>2") { &["two", "three"][..] } else { &["one", "two", "three"] };
        assert_eq!(found(&mut world, juliet, &content), expected);
    }
    let ids = all_ids(&mut world, romeo);
    assert_eq!(found(&mut world, romeo, &form(&[("ids", &ids[2])])), ["three"]);
    assert_eq!(found(&mut world, romeo, &form(&[("after-id", &ids[1])])), ["three"]);
    assert_eq!(found(&mut world, romeo, &form(&[("with", "juliet@example.org/balcony")])), ["two"]);
    world.commit();
    assert_eq!(all_ids(&mut world, romeo), ids);
}

#[test]
fn what_was_committed_survives_a_crash_and_keeps_its_id() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "kept");
    let ids = all_ids(&mut world, juliet);
    world.hold_commits();
    say(&mut world, romeo, "juliet", "lost");
    world.restart();
    let juliet = world.login("juliet", "balcony");
    assert_eq!(found(&mut world, juliet, ""), ["kept"]);
    assert_eq!(all_ids(&mut world, juliet), ids);
}

/// Rows of the index are written together, a minute after the first; or sooner, if there are many.
#[test]
fn the_index_is_the_same_before_and_after_it_is_written_and_after_a_crash_in_between() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "one");
    say(&mut world, juliet, "romeo", "two");
    say(&mut world, romeo, "romeo", "three");
    let before = (all_ids(&mut world, romeo), all_ids(&mut world, juliet));
    let rows = |world: &World| world.table(Table::ArchiveIndex);
    assert!(rows(&world).is_empty());
    let mut crashed = world;
    crashed.restart();
    let (romeo, juliet) = (crashed.login("romeo", "orchard"), crashed.login("juliet", "balcony"));
    crashed.clear(romeo);
    let with = form(&[("with", "juliet@example.org/balcony")]);
    assert_eq!(found(&mut crashed, romeo, &with), ["two"]);
    assert_eq!((all_ids(&mut crashed, romeo), all_ids(&mut crashed, juliet)), before);
    assert_eq!(rows(&crashed).len(), 5, "what was missing was made up for");
    say(&mut crashed, romeo, "juliet", "four");
    crashed.advance(60_000);
    assert_eq!(rows(&crashed).len(), 7);
    assert_eq!(found(&mut crashed, juliet, ""), ["one", "two", "four"]);
    crashed.restart();
    let juliet = crashed.login("juliet", "balcony");
    assert_eq!(found(&mut crashed, juliet, ""), ["one", "two", "four"]);
}

#[test]
fn many_messages_do_not_wait_for_their_rows_in_the_index() {
    let (mut world, romeo, juliet) = world();
    for from in (0..5_000).step_by(500) {
        say_numbers(&mut world, romeo, "juliet", from..from + 500);
    }
    world.clear(juliet);
    assert_eq!(world.rows(Table::ArchiveIndex), 8_000);
    assert_eq!(found(&mut world, juliet, &set("<max>2</max><before/>")), ["4998", "4999"]);
}

#[test]
fn a_server_that_is_stopped_leaves_nothing_to_make_up_for() {
    let (mut world, romeo, _) = world();
    say(&mut world, romeo, "juliet", "one");
    world.handle(Event::Shutdown);
    assert_eq!(world.rows(Table::ArchiveIndex), 2);
}

#[test]
fn a_clock_that_was_set_back_does_not_change_the_order() {
    let (mut world, romeo, _) = world();
    world.advance(1_000_000);
    say(&mut world, romeo, "juliet", "first");
    world.now -= 1_000_000;
    world.restart();
    let romeo = world.login("romeo", "orchard");
    say(&mut world, romeo, "juliet", "second");
    say(&mut world, romeo, "juliet", "third");
    assert_eq!(found(&mut world, romeo, ""), ["first", "second", "third"]);
}

#[test]
fn while_the_disk_refuses_messages_are_delivered_and_not_archived() {
    let (mut world, romeo, juliet) = world();
    world.handle(Event::StoreStalled("the disk is full".into()));
    say(&mut world, romeo, "juliet", "hi");
    let got = world.receive(juliet);
    assert!(got.find("stanza-id", "urn:xmpp:sid:0").is_none(), "{}", show(&got));
    assert!(found(&mut world, juliet, "").is_empty());
    world.handle(Event::StoreResumed);
    say(&mut world, romeo, "juliet", "again");
    assert_eq!(found(&mut world, juliet, ""), ["again"]);
}

#[test]
fn an_archive_that_is_switched_off_is_neither_written_nor_read() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "before");
    world.configure(|config| config.archive.enabled = false);
    say(&mut world, romeo, "juliet", "meanwhile");
    assert_eq!(refused(&mut world, juliet, ""), "service-unavailable");
    world.expect_error(
        juliet,
        &format!("<iq type='get' id='f'><query xmlns='{MAM}'/></iq>"),
        "service-unavailable",
    );
    world.expect_error(
        juliet,
        &format!("<iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>"),
        "service-unavailable",
    );
    assert!(!features(&mut world, juliet).contains(MAM));
    world.configure(|config| config.archive.enabled = true);
    assert_eq!(found(&mut world, juliet, ""), ["before"]);
}

fn features(world: &mut World, client: Client) -> String {
    let info = "<iq type='get' id='i'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    show(&world.expect_result(client, info))
}

// §7
#[test]
fn an_account_says_that_it_has_an_archive_with_everything() {
    let (mut world, romeo, _) = world();
    let features = features(&mut world, romeo);
    for feature in [MAM, "urn:xmpp:mam:2#extended", "urn:xmpp:mam:2#groupchat-field", "urn:xmpp:sid:0"] {
        assert!(features.contains(&format!("<feature var='{feature}'/>")), "{feature}: {features}");
    }
    assert!(!features.contains("groupchat-available"));
}

// §8.1
#[test]
fn nobody_reads_the_archive_of_another_and_nobody_learns_who_is_there() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "hi");
    for to in ["juliet@example.org", "nobody@example.org"] {
        for (kind, content) in [
            ("set", format!("<query xmlns='{MAM}'/>")),
            ("get", format!("<query xmlns='{MAM}'/>")),
            ("get", format!("<metadata xmlns='{MAM}'/>")),
        ] {
            world.expect_error(
                romeo,
                &format!("<iq type='{kind}' id='q' to='{to}'>{content}</iq>"),
                "forbidden",
            );
        }
    }
    world.clear(juliet);
    world.expect_nothing(romeo);
    world.core.federated = true;
    world.from_remote(&format!(
        "<iq from='tybalt@verona.it/x' type='set' id='q' to='juliet@example.org'><query xmlns='{MAM}'/></iq>"
    ));
    let answers = world.to_remote();
    assert_eq!(answers.len(), 1);
    assert_eq!(condition_of(&answers[0]).as_deref(), Some("forbidden"));
}

// §5
#[test]
fn metadata_tells_the_ends_of_an_archive() {
    let (mut world, romeo, juliet) = world();
    let get = format!("<iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>");
    let empty = world.expect_result(romeo, &get);
    assert!(show(&empty).contains("<metadata xmlns='urn:xmpp:mam:2'/>"), "{}", show(&empty));
    say(&mut world, romeo, "juliet", "one");
    world.advance(1_500);
    say(&mut world, romeo, "juliet", "two");
    let ids = all_ids(&mut world, romeo);
    world.hold_commits();
    for last in [&ids[1], &ids[1]] {
        let metadata = show(&world.expect_result(romeo, &get));
        let start = format!("<start id='{}' timestamp='2026-11-22T13:11:11.000Z'/>", ids[0]);
        let end = format!("<end id='{last}' timestamp='2026-11-22T13:11:12.500Z'/>");
        assert!(metadata.contains(&(start + &end)), "{metadata}");
    }
    say(&mut world, juliet, "romeo", "three");
    let ids = all_ids(&mut world, romeo);
    assert!(
        show(&world.expect_result(romeo, &get)).contains(&format!("<end id='{}'", ids[2])),
        "not on disk"
    );
    world.expect_error(romeo, &get.replace("'get'", "'set'"), "bad-request");
}

#[test]
fn metadata_of_an_archive_that_is_only_in_memory_has_both_ends() {
    let (mut world, romeo, _) = world();
    world.hold_commits();
    say(&mut world, romeo, "juliet", "one");
    say(&mut world, romeo, "juliet", "two");
    let ids = all_ids(&mut world, romeo);
    let metadata =
        show(&world.expect_result(romeo, &format!("<iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>")));
    for (name, id) in [("start", &ids[0]), ("end", &ids[1])] {
        assert!(metadata.contains(&format!("<{name} id='{id}'")), "{metadata}");
    }
}

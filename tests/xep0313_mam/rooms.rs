//! §6.1.2: the archives of rooms.

use super::*;
use crate::rooms::{ROOM, entering};
use stube::store::Table;

const USER: &str = "http://jabber.org/protocol/muc#user";

fn said(text: &str) -> String {
    format!("<message type='groupchat' to='{ROOM}' id='{text}'><body>{text}</body></message>")
}

/// A room in which its owner says these things.
fn room(texts: &[&str]) -> (World, Vec<Client>) {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    for text in texts {
        world.send(clients[0], &said(text));
    }
    clients.iter().for_each(|client| world.clear(*client));
    (world, clients)
}

fn ask_room(content: &str) -> String {
    format!("<iq type='set' id='q' to='{ROOM}'><query xmlns='{MAM}'>{content}</query></iq>")
}

fn query_room(world: &mut World, client: Client, content: &str) -> (Vec<Element>, Element) {
    world.clear(client);
    world.send(client, &ask_room(content));
    let mut results = world.drain(client);
    let fin = results.pop().expect("an answer");
    (results, fin)
}

fn found_in_room(world: &mut World, client: Client, content: &str) -> Vec<String> {
    let (results, fin) = query_room(world, client, content);
    assert_eq!(fin.get_attr("type"), Some("result"), "{}", show(&fin));
    bodies(&results)
}

#[track_caller]
fn refused_by_room(world: &mut World, client: Client, content: &str, condition: &str) {
    let (results, error) = query_room(world, client, content);
    assert!(results.is_empty(), "{}", show(&results[0]));
    assert_eq!(condition_of(&error).as_deref(), Some(condition), "{}", show(&error));
}

fn features(world: &mut World, client: Client) -> Vec<String> {
    let info = world.expect_result(
        client,
        &format!(
            "<iq type='get' id='i' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        ),
    );
    let query = info.children().next().expect("a query");
    let features = query.children().filter(|child| child.name == "feature");
    features.filter_map(|feature| feature.get_attr("var")).map(str::to_owned).collect()
}

#[test]
fn what_is_said_is_archived_once_in_its_order() {
    let (mut world, clients) = room(&["one", "two"]);
    world.send(clients[1], &said("three"));
    for client in clients {
        assert_eq!(found_in_room(&mut world, client, ""), ["one", "two", "three"]);
        assert!(found(&mut world, client, "").is_empty(), "it is in no account's archive");
    }
    assert_eq!((world.rows(Table::Archive), world.rows(Table::ArchiveIndex)), (3, 0));
    world.advance(60_000);
    assert_eq!((world.rows(Table::Archive), world.rows(Table::ArchiveIndex)), (3, 3));
}

#[test]
fn a_result_is_from_the_occupant_and_for_nobody() {
    let (mut world, clients) = room(&["one"]);
    world.send(clients[1], &ask_room(""));
    world.expect(
        clients[1],
        &format!(
            "<message from='{ROOM}' to='juliet@example.org/phone'><result xmlns='urn:xmpp:mam:2' id='*'>\
             <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-11-22T13:11:11.000Z'/>\
             <message xmlns='jabber:client' from='{ROOM}/romeo' id='one' type='groupchat'><body>one</body>\
             <occupant-id xmlns='urn:xmpp:occupant-id:0' id='*'/></message></forwarded></result></message>"
        ),
    );
    world.expect(
        clients[1],
        &format!(
            "<iq from='{ROOM}' to='juliet@example.org/phone' id='q' type='result'>\
             <fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'>\
             <first>*</first><last>*</last><count>1</count></set></fin></iq>"
        ),
    );
    world.expect_nothing(clients[1]);
}

// §3.5, XEP-0359
#[test]
fn everyone_is_told_the_id_that_a_message_has_there_and_nobody_can_forge_it() {
    let (mut world, clients) = room(&[]);
    let forged = "<stanza-id xmlns='urn:xmpp:sid:0' id='forged'";
    world.send(
        clients[0],
        &format!(
            "<message type='groupchat' to='{ROOM}'><body>hi</body>{forged} by='{ROOM}'/>\
             {forged} by='{}'/>{forged} by='else@where.example'/></message>",
            ROOM.to_uppercase(),
        ),
    );
    for client in clients {
        let message = world.receive(client);
        let stanza_ids: Vec<_> =
            message.children().filter(|child| child.is("stanza-id", "urn:xmpp:sid:0")).collect();
        let by: Vec<_> = stanza_ids.iter().filter_map(|id| id.get_attr("by")).collect();
        assert_eq!(by, ["else@where.example", ROOM]);
        let id = stanza_ids[1].get_attr("id").map(str::to_owned).expect("an id");
        assert_eq!(ids(&query_room(&mut world, client, "").0), strings(&[&id]));
        assert_eq!(found_in_room(&mut world, client, &form(&[("ids", &id)])), ["hi"]);
    }
}

#[test]
fn what_the_room_refuses_is_not_archived_nor_what_passes_by_nor_private_messages() {
    let (mut world, clients) = room(&[]);
    let tybalt = world.online("tybalt", "phone");
    world.send(tybalt, &said("from outside"));
    world.expect_bounce(tybalt, "not-acceptable");
    world.core.change_room(&jid(ROOM), |room| room.config.moderated = true).expect("a room");
    world.enter(tybalt, ROOM, "tybalt");
    world.send(tybalt, &said("without voice"));
    world.expect_bounce(tybalt, "forbidden");
    world.send(
        clients[0],
        &format!(
            "<message type='groupchat' to='{ROOM}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
    );
    let hints = "<body>psst</body><no-store xmlns='urn:xmpp:hints'/>";
    world.send(clients[0], &format!("<message type='groupchat' to='{ROOM}'>{hints}</message>"));
    world.send(
        clients[0],
        &format!("<message type='chat' to='{ROOM}/juliet'><body>between us</body></message>"),
    );
    assert!(found_in_room(&mut world, clients[0], "").is_empty());
}

// "as should subject change stanzas"
#[test]
fn a_change_of_the_subject_is_archived() {
    let (mut world, clients) = room(&[]);
    world.send(
        clients[0],
        &format!("<message type='groupchat' to='{ROOM}'><subject>Love</subject></message>"),
    );
    let told = world.receive(clients[1]);
    assert!(told.find("stanza-id", "urn:xmpp:sid:0").is_some(), "{}", show(&told));
    let (results, _) = query_room(&mut world, clients[1], "");
    let subject = archived_message(&results[0]).find("subject", "jabber:client").expect("a subject");
    assert_eq!(subject.text_content(), "Love");
}

#[test]
fn only_who_may_see_the_others_sees_their_real_addresses() {
    let (mut world, clients) = room(&["one"]);
    let real = |results: &[Element]| {
        let item = archived_message(&results[0]).find("x", USER).and_then(|x| x.find("item", USER));
        item.and_then(|item| item.get_attr("jid")).map(str::to_owned)
    };
    let romeos = Some("romeo@example.org/phone".to_owned());
    for (client, address) in [(clients[0], romeos.clone()), (clients[1], None)] {
        assert_eq!(real(&query_room(&mut world, client, "").0), address);
    }
    // Those who may see them may look for them.
    let by_romeo = form(&[("with", "romeo@example.org")]);
    assert_eq!(found_in_room(&mut world, clients[0], &by_romeo), ["one"]);
    assert!(found_in_room(&mut world, clients[1], &by_romeo).is_empty());
    world.core.change_room(&jid(ROOM), |room| room.config.non_anonymous = true).expect("a room");
    assert_eq!(real(&query_room(&mut world, clients[1], "").0), romeos);
    assert_eq!(found_in_room(&mut world, clients[1], &by_romeo), ["one"]);
}

// "MUST strip any pre-existing <x> element"
#[test]
fn nobody_can_claim_another_real_address() {
    let (mut world, clients) = room(&[]);
    world.send(
        clients[1],
        &format!(
            "<message type='groupchat' to='{ROOM}'><body>hi</body><x xmlns='{USER}'>\
             <item jid='tybalt@example.org/sword'/></x></message>"
        ),
    );
    let (results, _) = query_room(&mut world, clients[0], "");
    let shown = show(&results[0]);
    assert!(!shown.contains("tybalt") && shown.contains("juliet@example.org/phone"), "{shown}");
}

// §4.1.1
#[test]
fn messages_are_found_by_who_has_said_them() {
    let (mut world, clients) = room(&["one"]);
    world.send(clients[1], &said("two"));
    world.advance(60_000);
    world.send(clients[1], &said("three"));
    let with = |nick: &str| form(&[("with", &format!("{ROOM}{nick}"))]);
    for client in clients {
        assert_eq!(found_in_room(&mut world, client, &with("/romeo")), ["one"]);
        assert_eq!(found_in_room(&mut world, client, &with("/juliet")), ["two", "three"]);
        assert_eq!(found_in_room(&mut world, client, &with("")), ["one", "two", "three"]);
        assert!(found_in_room(&mut world, client, &with("/jul")).is_empty());
    }
}

#[test]
fn pages_and_filters_are_those_of_accounts() {
    let (mut world, clients) = room(&["one", "two", "three", "four"]);
    let client = clients[1];
    assert_eq!(found_in_room(&mut world, client, &set("<max>2</max><before/>")), ["three", "four"]);
    let (results, fin) = query_room(&mut world, client, &set("<max>2</max>"));
    let (complete, _, last, _) = end(&fin);
    assert_eq!((complete, last.as_ref()), (false, ids(&results).last()));
    let after = set(&format!("<after>{}</after>", last.expect("an id")));
    assert_eq!(found_in_room(&mut world, client, &after), ["three", "four"]);
    let flipped = format!("{}<flip-page/>", set("<max>2</max>"));
    assert_eq!(found_in_room(&mut world, client, &flipped), ["two", "one"]);
    refused_by_room(&mut world, client, &set("<after>0123456789abcdef</after>"), "item-not-found");
    refused_by_room(&mut world, client, &form(&[("colour", "red")]), "feature-not-implemented");
    refused_by_room(&mut world, client, &set("<max>-1</max>"), "bad-request");
}

#[test]
fn an_id_of_another_archive_is_not_there() {
    let (mut world, clients) = room(&["one"]);
    say(&mut world, clients[0], "juliet", "between us");
    let private = all_ids(&mut world, clients[0]);
    refused_by_room(&mut world, clients[0], &form(&[("ids", &private[0])]), "item-not-found");
    let public = ids(&query_room(&mut world, clients[0], "").0);
    assert_eq!(refused(&mut world, clients[0], &form(&[("ids", &public[0])])), "item-not-found");
}

#[test]
fn who_may_not_enter_may_not_read() {
    let (mut world, clients) = room(&["one"]);
    let tybalt = world.online("tybalt", "phone");
    let romeo = clients[0];
    assert_eq!(found_in_room(&mut world, tybalt, ""), ["one"], "an open room is open to all");
    let banned = stube::store::record::RoomPerson {
        affiliation: stube::store::record::RoomAffiliation::Outcast,
        ..Default::default()
    };
    world.core.set_person(&jid(ROOM), &jid("tybalt@example.org"), banned).expect("a room");
    refused_by_room(&mut world, tybalt, "", "forbidden");
    let metadata = format!("<iq type='get' id='m' to='{ROOM}'><metadata xmlns='{MAM}'/></iq>");
    world.expect_error(tybalt, &metadata, "forbidden");
    world.expect_error(
        tybalt,
        &format!("<iq type='get' id='f' to='{ROOM}'><query xmlns='{MAM}'/></iq>"),
        "forbidden",
    );
    // Members only: not even who happens to be in it.
    let nurse = world.online("nurse", "phone");
    world.core.change_room(&jid(ROOM), |room| room.config.members_only = true).expect("a room");
    refused_by_room(&mut world, nurse, "", "forbidden");
    refused_by_room(&mut world, clients[1], "", "forbidden");
    assert_eq!(found_in_room(&mut world, romeo, ""), ["one"]);
    let member = stube::store::record::RoomPerson {
        affiliation: stube::store::record::RoomAffiliation::Member,
        ..Default::default()
    };
    world.core.set_person(&jid(ROOM), &jid("nurse@example.org"), member).expect("a room");
    assert_eq!(found_in_room(&mut world, nurse, ""), ["one"]);
}

#[test]
fn a_password_opens_the_archive_while_who_gave_it_is_in() {
    let (mut world, clients) = room(&["one"]);
    world.core.change_room(&jid(ROOM), |room| room.config.password = "cauldron".into()).expect("a room");
    let tybalt = world.online("tybalt", "phone");
    refused_by_room(&mut world, tybalt, "", "forbidden");
    for client in clients {
        assert_eq!(found_in_room(&mut world, client, ""), ["one"]);
    }
}

#[test]
fn a_room_that_nobody_may_enter_yet_has_no_readers() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "romeo");
    let tybalt = world.online("tybalt", "phone");
    refused_by_room(&mut world, tybalt, "", "forbidden");
    assert!(found_in_room(&mut world, romeo, "").is_empty());
}

#[test]
fn a_room_that_does_not_exist_has_no_archive() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    refused_by_room(&mut world, romeo, "", "item-not-found");
}

#[test]
fn a_room_without_archive_keeps_nothing_and_says_so() {
    let (mut world, clients) = room(&["before"]);
    for feature in [MAM, "urn:xmpp:mam:2#extended", "urn:xmpp:sid:0"] {
        assert!(features(&mut world, clients[0]).contains(&feature.into()), "{feature}");
    }
    assert!(!features(&mut world, clients[0]).contains(&"urn:xmpp:mam:2#groupchat-field".into()));
    world.core.change_room(&jid(ROOM), |room| room.config.archived = false).expect("a room");
    world.send(clients[0], &said("now"));
    let told = world.receive(clients[1]);
    assert!(told.find("stanza-id", "urn:xmpp:sid:0").is_some(), "it can be spoken of");
    refused_by_room(&mut world, clients[0], "", "service-unavailable");
    assert!(!features(&mut world, clients[0]).contains(&MAM.into()));
    assert_eq!(world.rows(Table::Archive), 1);
    world.core.change_room(&jid(ROOM), |room| room.config.archived = true).expect("a room");
    assert_eq!(found_in_room(&mut world, clients[0], ""), ["before"]);
    world.configure(|config| config.archive.enabled = false);
    refused_by_room(&mut world, clients[0], "", "service-unavailable");
    assert!(!features(&mut world, clients[0]).contains(&MAM.into()));
}

#[test]
fn metadata_name_the_ends_of_the_archive() {
    let (mut world, clients) = room(&["one", "two", "three"]);
    let all = ids(&query_room(&mut world, clients[1], "").0);
    let answer = world.expect_result(
        clients[1],
        &format!("<iq type='get' id='m' to='{ROOM}'><metadata xmlns='{MAM}'/></iq>"),
    );
    let metadata = answer.find("metadata", MAM).expect("metadata");
    let id = |name| metadata.find(name, MAM).and_then(|end| end.get_attr("id"));
    assert_eq!((id("start"), id("end")), (Some(all[0].as_str()), Some(all[2].as_str())));
    world.expect_error(
        clients[1],
        &format!("<iq type='set' id='m' to='{ROOM}'><metadata xmlns='{MAM}'/></iq>"),
        "bad-request",
    );
}

#[test]
fn rooms_have_no_preferences() {
    let (mut world, clients) = room(&[]);
    let get = format!("<iq type='get' id='p' to='{ROOM}'><prefs xmlns='{MAM}'/></iq>");
    world.expect_error(clients[0], &get, "service-unavailable");
}

#[test]
fn the_form_of_a_room_has_the_fields_that_make_sense_there() {
    let (mut world, clients) = room(&[]);
    let answer = world
        .expect_result(clients[1], &format!("<iq type='get' id='f' to='{ROOM}'><query xmlns='{MAM}'/></iq>"));
    let shown = show(&answer);
    assert!(shown.contains("var='after-id'") && !shown.contains("include-groupchat"), "{shown}");
}

#[test]
fn what_has_come_back_to_its_sender_survives_a_power_cut() {
    let (mut world, clients) = room(&["kept"]);
    world.hold_commits();
    world.send(clients[0], &said("lost"));
    world.expect_nothing(clients[0]);
    assert!(world.try_receive(clients[1]).is_some(), "others need not wait");
    world.restart();
    // The room was not persistent, but it was not left either.
    let juliet = world.online("juliet", "phone");
    assert_eq!(found_in_room(&mut world, juliet, ""), ["kept"]);
}

#[test]
fn nothing_is_archived_while_the_disk_refuses_and_talk_goes_on() {
    let (mut world, clients) = room(&["one"]);
    world.handle(stube::core::Event::StoreStalled("full".into()));
    world.send(clients[0], &said("two"));
    let told = world.receive(clients[1]);
    assert!(told.find("stanza-id", "urn:xmpp:sid:0").is_none(), "{}", show(&told));
    world.handle(stube::core::Event::StoreResumed);
    assert_eq!(found_in_room(&mut world, clients[1], ""), ["one"]);
}

#[test]
fn what_is_too_old_goes_and_what_belonged_to_a_room_goes_with_it() {
    let (mut world, clients) = room(&["old"]);
    world.configure(|config| config.archive.keep_days = stube::config::Limit::of(1));
    world.advance(25 * 60 * 60 * 1000);
    world.send(clients[0], &said("new"));
    world.advance(60_000);
    world.advance(11 * 60 * 1000);
    assert_eq!(found_in_room(&mut world, clients[0], ""), ["new"]);
    assert_eq!((world.rows(Table::Archive), world.rows(Table::ArchiveIndex)), (1, 1));
    world.core.remove_room(&jid(ROOM)).expect("a room");
    for _ in 0..10 {
        world.advance(1_000);
    }
    assert_eq!((world.rows(Table::Archive), world.rows(Table::ArchiveIndex)), (0, 0));
}

#[test]
fn a_new_room_of_the_same_name_has_nothing_of_the_old_one() {
    let (mut world, clients) = room(&["old"]);
    for client in &clients {
        world.send(*client, &format!("<presence type='unavailable' to='{ROOM}'/>"));
    }
    world.enter(clients[1], ROOM, "juliet");
    assert!(found_in_room(&mut world, clients[1], "").is_empty());
}

// XEP-0045 §7.2.12, §14.3
#[test]
fn who_enters_is_warned_if_anybody_can_read_what_is_said_afterwards() {
    let (mut world, clients) = room(&[]);
    let is_warned = |world: &mut World, change: fn(&mut stube::store::record::RoomConfig)| {
        world.core.change_room(&jid(ROOM), |room| change(&mut room.config)).expect("a room");
        let told = world.enter(clients[0], ROOM, "romeo");
        told.iter().any(|presence| crate::rooms::codes(presence).contains(&"170".into()))
    };
    assert!(is_warned(&mut world, |_| {}));
    assert!(!is_warned(&mut world, |config| config.archived = false));
    assert!(!is_warned(&mut world, |config| (config.archived, config.members_only) = (true, true)));
    assert!(!is_warned(&mut world, |config| {
        (config.members_only, config.password) = (false, "cauldron".into());
    }));
    assert!(is_warned(&mut world, |config| config.password.clear()));
    world.configure(|config| config.archive.enabled = false);
    assert!(!is_warned(&mut world, |_| {}));
}

fn ask_from_elsewhere(world: &mut World, who: &str, content: &str) {
    world.from_remote(&format!(
        "<iq type='set' id='q' from='{who}' to='{ROOM}'><query xmlns='{MAM}'>{content}</query></iq>"
    ));
}

#[test]
fn who_asks_from_another_domain_is_answered_there() {
    let (mut world, _) = room(&["one", "two"]);
    world.core.federated = true;
    ask_from_elsewhere(&mut world, "mercutio@verona.it/phone", "");
    let mut answer = world.to_remote();
    let fin = answer.pop().expect("an answer");
    assert_eq!(fin.get_attr("to"), Some("mercutio@verona.it/phone"));
    assert!(end(&fin).0);
    assert_eq!(bodies(&answer), ["one", "two"]);
    assert!(!show(&answer[0]).contains("example.org/phone"), "no real addresses");
    let banned = stube::store::record::RoomPerson {
        affiliation: stube::store::record::RoomAffiliation::Outcast,
        ..Default::default()
    };
    world.core.set_person(&jid(ROOM), &jid("mercutio@verona.it"), banned).expect("a room");
    ask_from_elsewhere(&mut world, "mercutio@verona.it/phone", "");
    assert_eq!(condition_of(&world.to_remote()[0]).as_deref(), Some("forbidden"));
}

#[test]
fn someone_elsewhere_may_ask_only_a_few_questions_at_one_time() {
    let (mut world, _) = room(&["one"]);
    world.core.federated = true;
    let ask = |who: &str| {
        let xml = format!("<iq type='set' id='q' from='{who}' to='{ROOM}'><query xmlns='{MAM}'/></iq>");
        stube::core::Event::Remote(crate::world::try_stanza(&xml).expect("a stanza"))
    };
    for n in 0..8 {
        world.core.handle(ask(&format!("mercutio@verona.it/{n}")));
    }
    world.core.handle(ask("benvolio@verona.it/x"));
    world.settle();
    let answers: Vec<Element> = world.to_remote().into_iter().filter(|stanza| stanza.name == "iq").collect();
    let refused: Vec<_> = answers.iter().filter_map(condition_of).collect();
    assert_eq!(refused, ["resource-constraint"; 3]);
    assert_eq!(answers.len(), 9);
}

fn jid(text: &str) -> stube::jid::Jid {
    stube::jid::Jid::parse(text).expect("an address")
}

#[test]
fn who_enters_later_reads_what_was_said_before() {
    let (mut world, _) = room(&["one"]);
    let tybalt = world.online("tybalt", "phone");
    world.send(tybalt, &entering(ROOM, "tybalt"));
    assert_eq!(found_in_room(&mut world, tybalt, ""), ["one"]);
}

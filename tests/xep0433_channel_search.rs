//! XEP-0433: search for rooms.

use stube::xml::Element;

use crate::client::Client;
use crate::rooms::ROOMS;
use crate::world::{World, condition_of, show};

const NS: &str = "urn:xmpp:channel-search:0:search";
const PARAMS: &str = "urn:xmpp:channel-search:0:search-params";

fn search(fields: &[(&str, &str)], set: &str) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"))
        .collect();
    format!(
        "<iq type='get' id='s' to='{ROOMS}'><search xmlns='{NS}'>{set}<x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>{PARAMS}</value></field>{fields}</x></search></iq>"
    )
}

#[track_caller]
fn result(world: &mut World, client: Client, fields: &[(&str, &str)], set: &str) -> Element {
    world.expect_result(client, &search(fields, set)).find("result", NS).expect("a result").clone()
}

/// The names of the rooms that are found.
#[track_caller]
fn found(world: &mut World, client: Client, fields: &[(&str, &str)]) -> Vec<String> {
    names(&result(world, client, fields, ""))
}

fn names(result: &Element) -> Vec<String> {
    let items = result.children().filter(|child| child.is("item", NS));
    let local = |jid: &str| jid.split('@').next().unwrap_or_default().to_owned();
    items.filter_map(|item| item.get_attr("address")).map(local).collect()
}

/// The error of a search must have this condition, this type and this detail.
#[track_caller]
fn refused(world: &mut World, client: Client, fields: &[(&str, &str)], what: [&str; 3]) -> Element {
    let answer = world.ask(client, &search(fields, ""));
    let error = answer.find("error", "jabber:client").expect("an error").clone();
    let [condition, kind, detail] = what;
    assert_eq!(condition_of(&answer).as_deref(), Some(condition), "{}", show(&answer));
    assert_eq!(error.get_attr("type"), Some(kind), "{}", show(&answer));
    assert!(error.find(detail, "urn:xmpp:channel-search:0:error").is_some(), "{}", show(&answer));
    error
}

/// Three rooms that can be found, with one, two and no person in them, and one that can't.
fn rooms(world: &mut World) -> Client {
    let romeo = world.online("romeo", "phone");
    let tybalt = world.online("tybalt", "phone");
    for (name, title, description) in [
        ("attic", "The Attic", "Old things"),
        ("hall", "Great hall", "Dances, and things to eat"),
        ("shed", "", "Tools"),
        ("plot", "The plot", "Secret things"),
    ] {
        let room = format!("{name}@{ROOMS}");
        world.enter(romeo, &room, "romeo");
        world.open_room(romeo, &room);
        world.shape_room(&room, |config| {
            config.public = name != "plot";
            config.persistent = true;
            config.title = title.into();
            config.description = description.into();
        });
    }
    world.enter(tybalt, &format!("hall@{ROOMS}"), "tybalt");
    world.send(romeo, &format!("<presence type='unavailable' to='shed@{ROOMS}/romeo'/>"));
    let juliet = world.online("juliet", "phone");
    world.clear(juliet);
    juliet
}

// §4.1
#[test]
fn the_service_says_that_one_can_search_there() {
    let mut world = World::new();
    let juliet = world.online("juliet", "phone");
    let asks = format!(
        "<iq type='get' id='d' to='{ROOMS}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    );
    assert!(show(&world.expect_result(juliet, &asks)).contains(NS));
}

// §4.2.1; §5 "the Search Service MUST include all fields it supports with their respective default values"
#[test]
fn the_form_has_every_field_and_what_it_is_where_nothing_is_said() {
    let mut world = World::new();
    let juliet = world.online("juliet", "phone");
    let asks = format!("<iq type='get' id='s' to='{ROOMS}'><search xmlns='{NS}'/></iq>");
    let answer = world.expect_result(juliet, &asks);
    let form =
        answer.find("search", NS).and_then(|search| search.find("x", "jabber:x:data")).expect("a form");
    let defaults: Vec<_> = form
        .children()
        .filter(|field| field.name == "field")
        .map(|field| {
            let value = field.children().find(|child| child.name == "value").map(Element::text_content);
            (field.get_attr("var").unwrap_or_default(), value.unwrap_or_default())
        })
        .collect();
    let expected = [
        ("FORM_TYPE", PARAMS),
        ("q", ""),
        ("all", "false"),
        ("sinname", "true"),
        ("sindescription", "true"),
        ("sinaddress", "true"),
        ("min_users", "0"),
        ("types", "xep-0045"),
        ("key", "{urn:xmpp:channel-search:0:order}nusers"),
    ];
    assert_eq!(defaults, expected.map(|(var, value)| (var, value.to_owned())));
}

// §4.2.2.1, §6.2
#[test]
fn words_are_found_in_names_descriptions_and_addresses() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    assert_eq!(found(&mut world, juliet, &[("q", "THINGS")]), ["hall", "attic"]);
    assert_eq!(found(&mut world, juliet, &[("q", "great")]), ["hall"]);
    assert_eq!(found(&mut world, juliet, &[("q", "shed@")]), ["shed"]);
    assert_eq!(found(&mut world, juliet, &[("q", "old things")]), ["attic"]);
    assert_eq!(found(&mut world, juliet, &[("q", "things"), ("sindescription", "0")]), [] as [&str; 0]);
    let elsewhere = [("q", "attic"), ("sinaddress", "false"), ("sindescription", "false")];
    assert_eq!(found(&mut world, juliet, &elsewhere), ["attic"]);
    assert_eq!(
        found(&mut world, juliet, &[("q", "hall"), ("sinname", "0"), ("sinaddress", "0")]),
        [] as [&str; 0]
    );
}

#[test]
fn what_is_found_says_what_kind_of_room_it_is() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    world.shape_room(&format!("hall@{ROOMS}"), |config| {
        config.language = "it".into();
        config.non_anonymous = true;
        config.members_only = true;
    });
    let told = |world: &mut World, name: &str| {
        let result = result(world, juliet, &[("q", name), ("sindescription", "0")], "");
        let item = result.find("item", NS).expect("a room").clone();
        item.children().map(|child| (child.name.clone(), child.text_content())).collect::<Vec<_>>()
    };
    let expect = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    assert_eq!(
        told(&mut world, "hall"),
        expect(&[
            ("name", "Great hall"),
            ("description", "Dances, and things to eat"),
            ("language", "it"),
            ("nusers", "2"),
            ("service-type", "xep-0045"),
            ("anonymity-mode", "{urn:xmpp:channel-search:0:anonymity}none"),
        ])
    );
    assert_eq!(
        told(&mut world, "shed"),
        expect(&[
            ("description", "Tools"),
            ("nusers", "0"),
            ("service-type", "xep-0045"),
            ("is-open", ""),
            ("anonymity-mode", "muc_semianonymous"),
        ])
    );
}

#[test]
fn of_a_long_description_the_beginning_is_found() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    let text = format!("{}needle", "ä".repeat(600));
    world.shape_room(&format!("hall@{ROOMS}"), |config| config.description = text);
    assert_eq!(found(&mut world, juliet, &[("q", "needle")]), [] as [&str; 0]);
    let result = result(&mut world, juliet, &[("q", "äää")], "");
    let item = result.find("item", NS).expect("a room");
    let description = item.find("description", NS).expect("a description").text_content();
    assert_eq!(description, format!("{}…", "ä".repeat(500)));
}

// §6.1: "Order the results descendingly by the number of users", "by the address of the channel"
#[test]
fn the_order_is_by_people_or_by_address() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    let by = |key: &str| format!("{{urn:xmpp:channel-search:0:order}}{key}");
    assert_eq!(found(&mut world, juliet, &[("all", "1"), ("key", &by("nusers"))]), ["hall", "attic", "shed"]);
    assert_eq!(
        found(&mut world, juliet, &[("all", "1"), ("key", &by("address"))]),
        ["attic", "hall", "shed"]
    );
    assert_eq!(found(&mut world, juliet, &[("all", "1"), ("min_users", "1")]), ["hall", "attic"]);
    refused(
        &mut world,
        juliet,
        &[("all", "1"), ("key", "{urn:example}luck")],
        ["feature-not-implemented", "modify", "invalid-sort-key"],
    );
}

// §4.2.2: "The Searcher MAY include a Result Set Management (XEP-0059) <set/> element"
#[test]
fn what_is_found_comes_in_pages() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    let rsm = "http://jabber.org/protocol/rsm";
    for key in ["nusers", "address"] {
        let key = format!("{{urn:xmpp:channel-search:0:order}}{key}");
        let fields = [("all", "1"), ("key", key.as_str())];
        let all = names(&result(&mut world, juliet, &fields, ""));
        let (mut seen, mut after) = (Vec::new(), String::new());
        for _ in 0..3 {
            let set = format!("<set xmlns='{rsm}'><max>1</max>{after}</set>");
            let page = result(&mut world, juliet, &fields, &set);
            seen.extend(names(&page));
            let set = page.find("set", rsm).expect("a set");
            assert_eq!(set.find("count", rsm).map(Element::text_content).as_deref(), Some("3"));
            after = format!("<after>{}</after>", set.find("last", rsm).expect("the last").text_content());
        }
        assert_eq!(seen, all);
    }
    let gone = format!("<set xmlns='{rsm}'><after>cellar@{ROOMS}</after></set>");
    world.expect_error(juliet, &search(&[("all", "1")], &gone), "item-not-found");
}

// §4.2.2.3, §4.2.2.6, §4.2.2.7
#[test]
fn a_search_that_makes_no_sense_is_refused_with_the_reason() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    let bad = |kind, detail| ["bad-request", kind, detail];
    refused(&mut world, juliet, &[("q", "...")], bad("modify", "invalid-search-terms"));
    refused(&mut world, juliet, &[("q", &"word ".repeat(11))], bad("modify", "invalid-search-terms"));
    refused(&mut world, juliet, &[("q", &"x".repeat(501))], bad("modify", "invalid-search-terms"));
    refused(&mut world, juliet, &[], bad("cancel", "no-search-conditions"));
    refused(&mut world, juliet, &[("q", "")], bad("cancel", "no-search-conditions"));
    refused(&mut world, juliet, &[("all", "0")], bad("cancel", "no-search-conditions"));
    let error =
        refused(&mut world, juliet, &[("q", "x"), ("all", "true")], bad("modify", "conflicting-fields"));
    assert!(show(&error).contains("<var>all</var><var>q</var>"), "{}", show(&error));
    let nowhere = [("q", "x"), ("sinname", "0"), ("sindescription", "0"), ("sinaddress", "0")];
    refused(&mut world, juliet, &nowhere, bad("modify", "conflicting-fields"));
    for field in [("min_users", "-1"), ("min_users", "many"), ("all", "maybe"), ("sinname", "2")] {
        world.expect_error(juliet, &search(&[("q", "x"), field], ""), "bad-request");
    }
    let other = search(&[("q", "x")], "").replace(PARAMS, "urn:example:other");
    world.expect_error(juliet, &other, "bad-request");
    world.expect_error(juliet, &search(&[("q", "x")], "").replace("type='get'", "type='set'"), "bad-request");
}

// §5 "the Search Service MUST ignore fields with a var value it does not understand"; "MUST reply with a <result/> without any
// <item/> children"; §6.2 "MUST NOT return service types the client has not asked for"
#[test]
fn what_is_not_understood_is_ignored_and_nothing_found_is_no_error() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    assert_eq!(found(&mut world, juliet, &[("q", "great"), ("{urn:example}luck", "1")]), ["hall"]);
    let nothing = result(&mut world, juliet, &[("q", "nowhere")], "");
    assert_eq!(nothing.children().count(), 0);
    assert_eq!(found(&mut world, juliet, &[("all", "1"), ("types", "xep-0369")]), [] as [&str; 0]);
}

// §4.2.2.4 "it MUST reply with an <resource-constraint/> error with type wait. The application defined error condition
// <rate-limit/> MUST be included"
#[test]
fn one_searches_so_often_a_minute_and_no_more() {
    let mut world = World::new();
    let juliet = rooms(&mut world);
    let nurse = world.online("nurse", "phone");
    world.advance(60_000);
    for _ in 0..30 {
        result(&mut world, juliet, &[("all", "1")], "");
    }
    let error = refused(&mut world, juliet, &[("all", "1")], ["resource-constraint", "wait", "rate-limit"]);
    let limit = error.find("rate-limit", "urn:xmpp:channel-search:0:error").expect("a limit");
    let seconds: u64 = limit.get_attr("retry-after").and_then(|text| text.parse().ok()).expect("a number");
    assert!((1..=60).contains(&seconds), "{seconds}");
    result(&mut world, nurse, &[("all", "1")], "");
    world.advance(seconds * 1000);
    result(&mut world, juliet, &[("all", "1")], "");
}

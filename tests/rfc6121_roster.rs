//! RFC 6121 §2: the roster.

use stube::config::Limit;

use crate::client::Client;
use crate::world::{World, show};

const GET: &str = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>";

fn set(item: &str) -> String {
    format!("<iq type='set' id='set'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
}

/// romeo's roster as its server tells it.
fn roster(items: &str) -> String {
    format!(
        "<iq type='result' id='get' from='romeo@example.org' to='romeo@example.org/orchard'>\
         <query xmlns='jabber:iq:roster'>{items}</query></iq>"
    )
}

fn push(resource: &str, item: &str) -> String {
    format!(
        "<iq type='set' id='*' to='romeo@example.org/{resource}'><query xmlns='jabber:iq:roster' ver='*'>{item}</query></iq>"
    )
}

const SET_DONE: &str = "<iq type='result' id='set' from='romeo@example.org' to='romeo@example.org/orchard'/>";

/// A world with romeo in the orchard, who has asked for his roster.
fn stage() -> (World, Client) {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.expect_result(romeo, GET);
    (world, romeo)
}

/// Changes an item; the push and the answer must come.
#[track_caller]
fn change(world: &mut World, romeo: Client, item: &str, pushed: &str) {
    world.send(romeo, &set(item));
    world.expect_all(romeo, &[&push("orchard", pushed), SET_DONE]);
}

// --- §2.1.4: asking for it ---

#[test]
fn a_new_account_has_an_empty_roster() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, GET);
    world.expect(romeo, &roster(""));
}

#[test]
fn the_roster_lists_every_contact_with_its_name_and_groups() {
    let (mut world, romeo) = stage();
    let juliet = "<item jid='juliet@example.net' subscription='none' name='Juliet'><group>Friends</group><group>Lovers</group></item>";
    let nurse = "<item jid='nurse@example.org' subscription='none'/>";
    change(&mut world, romeo, juliet, juliet);
    change(&mut world, romeo, "<item jid='nurse@example.org'/>", nurse);
    world.send(romeo, GET);
    world.expect(romeo, &roster(&format!("{juliet}{nurse}")));
    world.restart();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, GET);
    world.expect(romeo, &roster(&format!("{juliet}{nurse}")));
}

// §2.1.5: "if not return a <forbidden/> error"
#[test]
fn nobody_reads_the_roster_of_another() {
    let (mut world, _) = stage();
    let juliet = world.online("juliet", "balcony");
    world.expect_error(juliet, &GET.replace("id=", "to='romeo@example.org' id="), "forbidden");
}

// --- §2.1.5, §2.3: adding ---

// §2.1.5: "The server MUST ignore any value of the 'subscription' attribute other than "remove""
#[test]
fn the_states_of_an_item_are_not_the_clients_to_set() {
    let (mut world, romeo) = stage();
    for state in [
        "subscription='both'",
        "subscription='to'",
        "subscription='nonsense'",
        "ask='subscribe'",
        "approved='true'",
    ] {
        change(
            &mut world,
            romeo,
            &format!("<item jid='juliet@example.org' {state}/>"),
            "<item jid='juliet@example.org' subscription='none'/>",
        );
    }
}

// §2.1.5: "the entity that processes a roster set MUST verify that the sender of the roster set is authorized to
// update the roster, and if not return a <forbidden/> error"; §2.3.3 and §2.4.3 the same
#[test]
fn nobody_changes_the_roster_of_another() {
    let (mut world, romeo) = stage();
    change(
        &mut world,
        romeo,
        "<item jid='nurse@example.org'/>",
        "<item jid='nurse@example.org' subscription='none'/>",
    );
    let juliet = world.online("juliet", "balcony");
    for item in [
        "<item jid='tybalt@example.org'/>",
        "<item jid='nurse@example.org' name='N'/>",
        "<item jid='nurse@example.org' subscription='remove'/>",
    ] {
        world.expect_error(juliet, &set(item).replace("id=", "to='romeo@example.org' id="), "forbidden");
    }
    world.expect_nothing(romeo);
    world.send(romeo, GET);
    world.expect(romeo, &roster("<item jid='nurse@example.org' subscription='none'/>"));
}

#[test]
fn nobody_outside_reads_or_changes_a_roster() {
    let mut world = World::federated();
    world.account("romeo");
    world.from_remote("<iq type='set' id='a' from='evil@example.net/x' to='romeo@example.org'><query xmlns='jabber:iq:roster'><item jid='evil@example.net'/></query></iq>");
    world.expect_remote(
        "<iq type='error' id='a' from='romeo@example.org' to='evil@example.net/x'>\
         <error code='403' type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
}

// §2.3.2: "The server MUST return an IQ stanza of type "result" to the connected resource that sent the roster set."
#[test]
fn who_adds_a_contact_is_told_that_it_is_kept() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &set("<item jid='juliet@example.org'/>"));
    // Not interested: it has not asked for its roster, and so gets no push.
    world.expect(romeo, SET_DONE);
    world.expect_nothing(romeo);
}

// §2.3.2: "The server MUST also send a roster push containing the new roster item to all of the user's interested
// resources, including the resource that generated the roster set."
#[test]
fn every_resource_that_has_asked_for_the_roster_learns_of_a_change() {
    let (mut world, romeo) = stage();
    let interested = world.login("romeo", "garden");
    world.expect_result(interested, GET);
    let available = world.login("romeo", "street");
    world.send(available, "<presence/>");
    world.clear(available);
    world.clear(romeo);
    world.clear(interested);
    let item = "<item jid='juliet@example.org' subscription='none' name='Juliet'/>";
    change(&mut world, romeo, item, item);
    world.expect(interested, &push("garden", item));
    // §2.4.2: and of the next one
    let item = "<item jid='juliet@example.org' subscription='none'><group>Lovers</group></item>";
    change(&mut world, romeo, item, item);
    world.expect(interested, &push("garden", item));
    world.expect_nothing(interested);
    world.expect_nothing(available);
}

#[test]
fn a_contacts_address_is_bare_and_prepared() {
    let (mut world, romeo) = stage();
    change(
        &mut world,
        romeo,
        "<item jid='JULIET@Example.org/balcony'/>",
        "<item jid='juliet@example.org' subscription='none'/>",
    );
}

// §2.3.3: "The <query/> element contains more than one <item/> child element"; §2.4.3 the same
#[test]
fn a_roster_set_has_exactly_one_item() {
    let (mut world, romeo) = stage();
    for items in [
        "",
        "<item jid='a@example.org'/><item jid='b@example.org'/>",
        "<item jid='a@example.org'/><group xmlns='urn:example:other'/>",
        "<contact jid='a@example.org'/>",
    ] {
        world.expect_error(romeo, &set(items), "bad-request");
    }
    world.send(romeo, GET);
    world.expect(romeo, &roster(""));
}

// §2.3.3: "The <item/> element contains more than one <group/> element, but there are duplicate groups"
#[test]
fn an_item_is_in_a_group_once() {
    let (mut world, romeo) = stage();
    let item = "<item jid='juliet@example.org'><group>Friends</group><group>Friends</group></item>";
    world.expect_error(romeo, &set(item), "bad-request");
    // §2.4.3
    change(
        &mut world,
        romeo,
        "<item jid='juliet@example.org'/>",
        "<item jid='juliet@example.org' subscription='none'/>",
    );
    world.expect_error(romeo, &set(item), "bad-request");
    world.expect_error(
        romeo,
        &set("<item jid='juliet@example.org'/><item jid='nurse@example.org'/>"),
        "bad-request",
    );
}

// §2.3.3: "The XML character data of the <group/> element is of zero length", and what is longer than we keep
#[test]
fn a_group_has_a_name_of_bearable_length() {
    let (mut world, romeo) = stage();
    let long = "x".repeat(1024);
    let many: String = (0..101).map(|n| format!("<group>{n}</group>")).collect();
    let bad = [
        "<item jid='juliet@example.org'><group/></item>".to_owned(),
        "<item jid='juliet@example.org'><group></group></item>".to_owned(),
        format!("<item jid='juliet@example.org'><group>{long}</group></item>"),
        format!("<item jid='juliet@example.org' name='{long}'/>"),
        format!("<item jid='juliet@example.org'>{many}</item>"),
    ];
    for item in &bad {
        world.expect_error(romeo, &set(item), "not-acceptable");
    }
    // §2.4.3
    change(
        &mut world,
        romeo,
        "<item jid='juliet@example.org'/>",
        "<item jid='juliet@example.org' subscription='none'/>",
    );
    for item in &bad {
        world.expect_error(romeo, &set(item), "not-acceptable");
    }
}

#[test]
fn a_contact_has_an_address() {
    let (mut world, romeo) = stage();
    world.expect_error(romeo, &set("<item name='Juliet'/>"), "bad-request");
    world.expect_error(romeo, &set("<item jid='@example.org'/>"), "jid-malformed");
}

// §2.3.3: "the 'jid' attribute ... matches the bare JID of the user's own"
#[test]
fn nobody_is_a_contact_of_their_own() {
    let (mut world, romeo) = stage();
    world.expect_error(romeo, &set("<item jid='romeo@example.org'/>"), "not-allowed");
    world.expect_error(romeo, &set("<item jid='Romeo@example.org/garden'/>"), "not-allowed");
}

#[test]
fn a_roster_has_room_for_so_many() {
    let mut world = World::with(|config| config.limits.roster_items = Limit::of(2));
    let romeo = world.login("romeo", "orchard");
    world.expect_result(romeo, &set("<item jid='a@example.org'/>"));
    world.expect_result(romeo, &set("<item jid='b@example.org'/>"));
    world.expect_error(romeo, &set("<item jid='c@example.org'/>"), "resource-constraint");
    world.send(romeo, "<presence type='subscribe' to='c@example.org'/>");
    world.expect_bounce(romeo, "resource-constraint");
    world.send(romeo, "<presence type='subscribed' to='c@example.org'/>");
    world.expect_bounce(romeo, "resource-constraint");
    // What is there can still be changed, and what goes makes room.
    world.expect_result(romeo, &set("<item jid='a@example.org' name='A'/>"));
    world.expect_result(romeo, &set("<item jid='b@example.org' subscription='remove'/>"));
    world.expect_result(romeo, &set("<item jid='c@example.org'/>"));
}

// --- §2.4: changing ---

// §2.4.1: "Because a roster item is atomic, the item MUST be updated exactly as provided in the roster set":
// adding a group, deleting one, changing the handle, deleting it; §2.4.2: push and result each time
#[test]
fn an_item_becomes_exactly_what_was_set() {
    let (mut world, romeo) = stage();
    for (name, groups) in [
        ("", "<group>Friends</group>"),
        ("", "<group>Friends</group><group>Lovers</group>"),
        ("", "<group>Lovers</group>"),
        ("", ""),
        ("name='Juliet'", ""),
        ("name='Jule'", "<group>Lovers</group>"),
        ("", "<group>Lovers</group>"),
    ] {
        let item = format!("<item jid='juliet@example.org' subscription='none' {name}>{groups}</item>");
        change(&mut world, romeo, &item, &item);
        world.send(romeo, GET);
        world.expect(romeo, &roster(&item));
    }
    // An empty handle is none.
    change(
        &mut world,
        romeo,
        "<item jid='juliet@example.org' name=''/>",
        "<item jid='juliet@example.org' subscription='none'/>",
    );
}

// §2.4.2
#[test]
fn a_change_keeps_the_states_of_an_item() {
    let (mut world, romeo) = stage();
    world.account("juliet");
    world.send(romeo, "<presence type='subscribe' to='juliet@example.org'/>");
    world.clear(romeo);
    change(
        &mut world,
        romeo,
        "<item jid='juliet@example.org' name='Juliet'/>",
        "<item jid='juliet@example.org' subscription='none' ask='subscribe' name='Juliet'/>",
    );
}

// --- §2.5: removing ---

// §2.5.2: "send an IQ result to the initiating resource", "send a roster push to all of the user's interested
// resources (with the 'subscription' attribute set to a value of "remove")"
#[test]
fn a_contact_that_is_removed_is_gone_for_every_resource() {
    let (mut world, romeo) = stage();
    let other = world.login("romeo", "garden");
    world.expect_result(other, GET);
    world.send(romeo, &set("<item jid='juliet@example.org' name='Juliet'><group>Lovers</group></item>"));
    world.clear(romeo);
    world.clear(other);
    let removed = "<item jid='juliet@example.org' subscription='remove'/>";
    change(&mut world, romeo, removed, removed);
    world.expect(other, &push("garden", removed));
    world.send(romeo, GET);
    world.expect(romeo, &roster(""));
    world.restart();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, GET);
    world.expect(romeo, &roster(""));
}

// §2.5.2: "If the user has a presence subscription to the contact, then the user's server MUST send a presence stanza
// of type "unsubscribe" to the contact"; "If the contact has a presence subscription to the user, ... "unsubscribed"";
// "If the presence subscription is mutual, then the user's server MUST send both"
#[test]
fn removing_a_contact_ends_what_was_between_them() {
    for (state, sent) in [
        ("none", &[][..]),
        ("asked", &["unsubscribe"]),
        ("to", &["unsubscribe"]),
        ("from", &["unavailable", "unsubscribed"]),
        ("both", &["unavailable", "unsubscribe", "unsubscribed"]),
    ] {
        let mut world = World::federated();
        let romeo = world.online("romeo", "orchard");
        world.send(romeo, &set("<item jid='juliet@example.net'/>"));
        if state != "none" && state != "from" {
            world.send(romeo, "<presence type='subscribe' to='juliet@example.net'/>");
        }
        if state == "to" || state == "both" {
            world.from_remote(
                "<presence type='subscribed' from='juliet@example.net' to='romeo@example.org'/>",
            );
        }
        if state == "from" || state == "both" {
            world
                .from_remote("<presence type='subscribe' from='juliet@example.net' to='romeo@example.org'/>");
            world.send(romeo, "<presence type='subscribed' to='juliet@example.net'/>");
        }
        world.to_remote();
        world.send(romeo, &set("<item jid='juliet@example.net' subscription='remove'/>"));
        for kind in sent {
            let resource = if *kind == "unavailable" { "/orchard" } else { "" };
            world.expect_remote(&format!(
                "<presence type='{kind}' from='romeo@example.org{resource}' to='juliet@example.net'/>"
            ));
        }
        assert!(world.to_remote().is_empty(), "{state}");
    }
}

#[test]
fn removing_a_contact_of_ours_ends_it_on_both_sides() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.clear(romeo);
    world.send(romeo, &set("<item jid='juliet@example.org' subscription='remove'/>"));
    world.expect(
        juliet,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='juliet@example.org'/>",
    );
    let both_ways = world.drain(juliet);
    let pushed: Vec<_> = both_ways.iter().filter(|element| element.name == "iq").map(show).collect();
    assert!(pushed.last().is_some_and(|last| last.contains("subscription='none'")), "{pushed:?}");
    world.send(juliet, "<presence><status>alone</status></presence>");
    assert!(
        world
            .drain(romeo)
            .iter()
            .all(|element| element.get_attr("from") != Some("juliet@example.org/balcony")
                || element.get_attr("type") == Some("unavailable"))
    );
}

// §2.5.3: "If the value of the 'jid' attribute specifies an item that is not in the roster, then the server MUST
// return an <item-not-found/> stanza error."
#[test]
fn who_is_no_contact_cannot_be_removed() {
    let (mut world, romeo) = stage();
    let removed = set("<item jid='juliet@example.org' subscription='remove'/>");
    world.expect_error(romeo, &removed, "item-not-found");
    world.expect_result(romeo, &set("<item jid='juliet@example.org'/>"));
    world.expect_result(romeo, &removed);
    world.expect_error(romeo, &removed, "item-not-found");
    world.send(
        romeo,
        &set("<item jid='juliet@example.org' subscription='remove'/><item jid='a@example.org'/>"),
    );
}

// --- §2.6: versions ---

fn get_since(version: &str) -> String {
    format!("<iq type='get' id='get'><query xmlns='jabber:iq:roster' ver='{version}'/></iq>")
}

/// Asks for what has changed since a version; the result's query, and the versions and items of the pushes after it.
fn since(
    world: &mut World,
    client: Client,
    version: &str,
) -> (Option<stube::xml::Element>, Vec<(String, String)>) {
    let answer = world.expect_result(client, &get_since(version));
    let pushes = world.drain(client).into_iter().map(|push| {
        let query = push.find("query", "jabber:iq:roster").unwrap_or_else(|| panic!("{}", show(&push)));
        let item = query.children().next().map(show).unwrap_or_default();
        (query.get_attr("ver").unwrap_or_default().to_owned(), item)
    });
    (answer.find("query", "jabber:iq:roster").cloned(), pushes.collect())
}

// §2.6.1
#[test]
fn versions_are_offered() {
    let mut world = World::new();
    world.account("romeo");
    let romeo = world.connect_tls();
    world.open_stream(romeo);
    world.plain(romeo, "romeo", "romeo's password");
    world.receive(romeo);
    assert!(world.open_stream(romeo).find("ver", "urn:xmpp:features:rosterver").is_some());
}

// §2.6.2: "if the client does not support roster versioning ... it will not include the 'ver' attribute"
#[test]
fn who_says_nothing_of_versions_gets_the_whole_roster_without_one() {
    let (mut world, romeo) = stage();
    world.send(romeo, GET);
    world.expect(romeo, &roster(""));
}

// §2.6.2: the empty version asks for all; §2.6.3: "return the complete roster ... (including a 'ver' attribute that
// signals the latest version)"
#[test]
fn the_empty_version_and_any_that_we_never_gave_mean_the_whole_roster() {
    let (mut world, romeo) = stage();
    change(
        &mut world,
        romeo,
        "<item jid='juliet@example.org'/>",
        "<item jid='juliet@example.org' subscription='none'/>",
    );
    for version in ["", "nonsense", "0", "99999999999999999999", "18446744073709551615", "-1"] {
        let (query, pushes) = since(&mut world, romeo, version);
        let query = query.expect("the whole roster");
        assert!(query.get_attr("ver").is_some_and(|ver| !ver.is_empty()), "{version}");
        assert_eq!(query.children().count(), 1);
        assert!(pushes.is_empty());
    }
}

// §2.6.3: "If roster versioning is enabled and the roster has not been modified since the version ID enumerated by
// the client, the server will simply not send any roster pushes to the client"
#[test]
fn who_is_up_to_date_gets_an_empty_result_and_no_push() {
    let (mut world, romeo) = stage();
    change(
        &mut world,
        romeo,
        "<item jid='juliet@example.org'/>",
        "<item jid='juliet@example.org' subscription='none'/>",
    );
    let (query, _) = since(&mut world, romeo, "");
    let version = query.expect("a roster").get_attr("ver").expect("a version").to_owned();
    world.restart();
    let romeo = world.login("romeo", "orchard");
    assert_eq!(since(&mut world, romeo, &version), (None, Vec::new()));
}

// §2.6.3: one push for each item that has been modified, its final state only, in order of modification, each with a
// version of its own that is the latest once all are taken
#[test]
fn who_comes_back_gets_what_has_changed_each_contact_once_and_in_order() {
    let (mut world, romeo) = stage();
    let (query, _) = since(&mut world, romeo, "");
    let start = query.expect("a roster").get_attr("ver").expect("a version").to_owned();
    for item in [
        "<item jid='a@example.org' name='first'/>",
        "<item jid='b@example.org'/>",
        "<item jid='c@example.org'/>",
        "<item jid='a@example.org' name='second'/>",
        "<item jid='b@example.org' subscription='remove'/>",
        "<item jid='d@example.org'/>",
    ] {
        world.expect_result(romeo, &set(item));
    }
    world.restart();
    let romeo = world.login("romeo", "orchard");
    let (query, pushes) = since(&mut world, romeo, &start);
    assert_eq!(query, None);
    let items: Vec<_> = pushes.iter().map(|(_, item)| item.as_str()).collect();
    assert_eq!(
        items,
        [
            "<item xmlns='jabber:iq:roster' jid='c@example.org' subscription='none'/>",
            "<item xmlns='jabber:iq:roster' jid='a@example.org' subscription='none' name='second'/>",
            "<item xmlns='jabber:iq:roster' jid='b@example.org' subscription='remove'/>",
            "<item xmlns='jabber:iq:roster' jid='d@example.org' subscription='none'/>",
        ]
    );
    let mut versions: Vec<_> = pushes.iter().map(|(version, _)| version.clone()).collect();
    // From any of them a client goes on where it was.
    let (_, rest) = since(&mut world, romeo, &versions[1]);
    assert_eq!(rest, pushes[2..]);
    assert_eq!(since(&mut world, romeo, &versions[3]), (None, Vec::new()));
    versions.dedup();
    assert_eq!(versions.len(), 4, "each version is unique");
}

// §2.6.3: "the server MUST include the updated roster version with each roster push"
#[test]
fn every_push_has_a_version_of_its_own() {
    let (mut world, romeo) = stage();
    let mut versions = Vec::new();
    for name in ["a", "b", "c", "c"] {
        world.send(romeo, &set(&format!("<item jid='juliet@example.org' name='{name}'/>")));
        let push = world.receive(romeo);
        let query = push.find("query", "jabber:iq:roster").expect("a push");
        versions.push(query.get_attr("ver").expect("a version").parse::<u64>().expect("a number"));
        world.expect(romeo, SET_DONE);
    }
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

#[test]
fn so_many_removals_are_remembered_and_older_versions_get_the_whole_roster() {
    let (mut world, romeo) = stage();
    let (query, _) = since(&mut world, romeo, "");
    let start = query.expect("a roster").get_attr("ver").expect("a version").to_owned();
    world.expect_result(romeo, &set("<item jid='stays@example.org'/>"));
    for n in 0..65 {
        world.expect_result(romeo, &set(&format!("<item jid='c{n}@example.org'/>")));
        world.expect_result(romeo, &set(&format!("<item jid='c{n}@example.org' subscription='remove'/>")));
    }
    world.restart();
    let romeo = world.login("romeo", "orchard");
    let (query, pushes) = since(&mut world, romeo, &start);
    assert_eq!(query.map(|query| query.children().count()), Some(1));
    assert!(pushes.is_empty());
}

// A name that is given anew is a new account with another past.
#[test]
fn the_versions_of_an_account_are_not_those_of_its_predecessor() {
    let (mut world, romeo) = stage();
    change(
        &mut world,
        romeo,
        "<item jid='juliet@example.org'/>",
        "<item jid='juliet@example.org' subscription='none'/>",
    );
    let (query, _) = since(&mut world, romeo, "");
    let version = query.expect("a roster").get_attr("ver").expect("a version").to_owned();
    world.control(stube::control::Request::UserRemove { address: "romeo@example.org".into() });
    world.advance(1000);
    let romeo = world.login("romeo", "orchard");
    let (query, _) = since(&mut world, romeo, &version);
    assert_eq!(query.map(|query| query.children().count()), Some(0));
}

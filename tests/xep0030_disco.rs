//! XEP-0030: service discovery.

use crate::client::Client;
use crate::world::{World, show};
use stube::xml::Element;

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

fn ask(ns: &str, to: &str, node: &str) -> String {
    format!("<iq type='get' id='disco' to='{to}'><query xmlns='{ns}'{node}/></iq>")
}

#[track_caller]
fn query(world: &mut World, client: Client, ns: &str, to: &str) -> Element {
    let answer = world.expect_result(client, &ask(ns, to, ""));
    answer.find("query", ns).expect("a query").clone()
}

fn children<'a>(query: &'a Element, name: &'a str, attr: &'a str) -> Vec<&'a str> {
    query.children().filter(|child| child.name == name).filter_map(|child| child.get_attr(attr)).collect()
}

// §3.1 "The result MUST contain a <query/> element [...], which in turn contains one or more <identity/> elements",
// "one or more <feature/> elements", "every entity MUST support at least the disco#info feature", "Each <identity/>
// element MUST possess the 'category'" and the "'type' attribute[s]", "Each <feature/> element MUST possess a 'var'
// attribute"
#[test]
fn the_server_says_who_it_is_and_what_it_knows() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    let about = query(&mut world, romeo, INFO, "example.org");
    let identity = about.find("identity", INFO).expect("an identity");
    assert_eq!((identity.get_attr("category"), identity.get_attr("type")), (Some("server"), Some("im")));
    let features = children(&about, "feature", "var");
    for feature in [
        INFO,
        ITEMS,
        "jabber:iq:last",
        "jabber:iq:private",
        "jabber:iq:register",
        "jabber:iq:version",
        "http://jabber.org/protocol/caps",
        "http://jabber.org/protocol/commands",
        "msgoffline",
        "urn:xmpp:blocking",
        "urn:xmpp:ping",
        "urn:xmpp:time",
        "vcard-temp",
    ] {
        assert!(features.contains(&feature), "{feature}");
    }
    let everything = about.children().filter(|child| child.name == "feature").count();
    assert_eq!(features.len(), everything, "each has a 'var'");
    let mut once = features.clone();
    once.dedup();
    assert_eq!(features, once);
}

// §3.1 "the <query/> element MUST NOT include multiple <identity/> elements with the same category+type+xml:lang but
// with different 'name' values"
#[test]
fn no_identity_is_there_twice() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    for to in ["example.org", "romeo@example.org"] {
        let about = query(&mut world, romeo, INFO, to);
        let key = |identity: &Element| {
            ["category", "type", "xml:lang"].map(|a| identity.get_attr(a).map(str::to_owned))
        };
        let mut keys: Vec<_> = about.children().filter(|child| child.name == "identity").map(key).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}

// §3.1 "When an entity sends a disco#info request to a bare JID (<account@domain.tld>) hosted by a server, the server
// itself MUST reply on behalf of the hosted account"
// §4.1 "As with disco#info requests, when an entity sends a disco#items request to a bare JID [...] the server itself
// MUST reply on behalf of the hosted account."
// §4.1 "the <item/> child MUST possess a 'jid' attribute specifying the JID of the item"
#[test]
fn the_server_answers_for_an_account_those_who_see_its_presence() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    world.login("juliet", "not available");
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    let about = query(&mut world, romeo, INFO, "juliet@example.org");
    let identity = about.find("identity", INFO).expect("an identity");
    assert_eq!(
        (identity.get_attr("category"), identity.get_attr("type")),
        (Some("account"), Some("registered"))
    );
    assert!(children(&about, "feature", "var").contains(&INFO));
    let items = query(&mut world, romeo, ITEMS, "juliet@example.org");
    assert_eq!(children(&items, "item", "jid"), ["juliet@example.org/balcony"]);
    world.expect_nothing(juliet);
    // And everyone asks for oneself.
    let own = query(&mut world, romeo, ITEMS, "romeo@example.org");
    assert_eq!(children(&own, "item", "jid"), ["romeo@example.org/orchard"]);
}

// §8 "In response to a disco#info request, the server MUST return a <service-unavailable/> error if [...] [t]he target
// entity does not exist", "[t]he requesting entity is not authorized to receive presence from the target entity"
#[test]
fn a_stranger_is_told_nothing_about_an_account_not_even_whether_it_is_one() {
    let mut world = World::new();
    world.online("juliet", "balcony");
    let romeo = world.login("romeo", "orchard");
    for node in ["", " node='some'"] {
        let answers = ["juliet@example.org", "nobody@example.org"]
            .map(|to| show(&world.ask(romeo, &ask(INFO, to, node))).replace(to, ""));
        assert!(answers[0].contains("<service-unavailable"), "{}", answers[0]);
        assert_eq!(answers[0], answers[1]);
    }
}

// §8 "In response to a disco#items request, the server MUST return an empty result set if [...] [t]he target entity does
// not exist", "the only items are available resources [...], and the requesting entity is not authorized to receive
// presence from the target entity"
#[test]
fn a_stranger_sees_no_items_of_an_account_nor_of_none() {
    let mut world = World::new();
    world.online("juliet", "balcony");
    let romeo = world.login("romeo", "orchard");
    for node in ["", " node='some'"] {
        for to in ["juliet@example.org", "nobody@example.org"] {
            world.send(romeo, &ask(ITEMS, to, node));
            world.expect(
                romeo,
                &format!(
                    "<iq type='result' id='disco' from='{to}' to='romeo@example.org/orchard'>\
                     <query xmlns='{ITEMS}'{node}/></iq>"
                ),
            );
        }
    }
}

#[test]
fn being_seen_by_somebody_is_not_seeing_them() {
    let mut world = World::new();
    let (juliet, romeo) = (world.login("juliet", "balcony"), world.login("romeo", "orchard"));
    world.send(romeo, "<presence type='subscribed' to='juliet@example.org'/>");
    world.send(juliet, "<presence type='subscribe' to='romeo@example.org'/>");
    world.expect_error(romeo, &ask(INFO, "juliet@example.org", ""), "service-unavailable");
    world.expect_result(juliet, &ask(INFO, "romeo@example.org", ""));
}

// §4.1 "The target entity then MUST either return its list of publicly-available items, or return an error."
// §4.3 "If the hierarchy category is used, every node in the hierarchy MUST be identified as either a branch or a leaf":
// it is not used.
#[test]
fn the_servers_items_are_its_services() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    let items = query(&mut world, romeo, ITEMS, "example.org");
    assert_eq!(children(&items, "item", "jid"), ["conference.example.org", "pubsub.example.org"]);
    let about = query(&mut world, romeo, INFO, "example.org");
    assert!(!children(&about, "identity", "category").contains(&"hierarchy"));
}

// §7
#[test]
fn a_node_that_is_not_there_is_not_found() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    for to in ["example.org", "romeo@example.org"] {
        world.expect_error(romeo, &ask(INFO, to, " node='none'"), "item-not-found");
        world.expect_error(romeo, &ask(ITEMS, to, " node='none'"), "item-not-found");
    }
    // An empty one is none at all.
    world.expect_result(romeo, &ask(INFO, "example.org", " node=''"));
}

#[test]
fn whoever_comes_from_elsewhere_can_ask_the_server() {
    let mut world = World::federated();
    world.from_remote(&format!(
        "<iq type='get' id='r' from='example.net' to='example.org'><query xmlns='{INFO}'/></iq>"
    ));
    let answer = world.to_remote().remove(0);
    assert_eq!((answer.get_attr("type"), answer.get_attr("to")), (Some("result"), Some("example.net")));
}

#[test]
fn discovery_cannot_be_set() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    for ns in [INFO, ITEMS] {
        world.expect_error(romeo, &ask(ns, "example.org", "").replace("'get'", "'set'"), "bad-request");
    }
}

#[test]
fn what_is_asked_of_a_resource_reaches_it_from_those_who_may() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (juliet, romeo) = (world.online("juliet", "balcony"), world.online("romeo", "orchard"));
    let tybalt = world.online("tybalt", "street");
    world.clear(juliet);
    world.expect_error(tybalt, &ask(INFO, "juliet@example.org/balcony", ""), "service-unavailable");
    world.expect_nothing(juliet);
    world.send(romeo, &ask(INFO, "juliet@example.org/balcony", ""));
    assert_eq!(world.receive(juliet).get_attr("from"), Some("romeo@example.org/orchard"));
}

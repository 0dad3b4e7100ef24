//! §5: what anyone may find out.

use super::*;

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

fn disco(ns: &str, to: &str, node: &str) -> String {
    let node = if node.is_empty() { String::new() } else { format!(" node='{node}'") };
    format!("<iq type='get' id='d' to='{to}'><query xmlns='{ns}'{node}/></iq>")
}

fn values<'a>(answer: &'a Element, ns: &str, attr: &'a str) -> Vec<&'a str> {
    answer.find("query", ns).expect("a query").children().filter_map(|child| child.get_attr(attr)).collect()
}

// §5.1 "A service MUST respond to service discovery information requests", "MUST indicate the identity of the service",
// "which pubsub features are supported": publish and subscribe are REQUIRED.
#[test]
fn the_service_says_what_it_is_and_can() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "elsinore");
    let about = world.expect_result(hamlet, &disco(INFO, SERVICE, ""));
    let identity =
        about.find("query", INFO).and_then(|query| query.find("identity", INFO)).expect("an identity");
    assert_eq!((identity.get_attr("category"), identity.get_attr("type")), (Some("pubsub"), Some("service")));
    let features = values(&about, INFO, "var");
    for feature in ["publish", "subscribe", "instant-nodes", "publish-options", "config-node-max", "rsm"] {
        assert!(features.contains(&format!("{PUBSUB}#{feature}").as_str()), "{feature}");
    }
    for feature in [PUBSUB, INFO, ITEMS, "urn:xmpp:ping", "jabber:iq:version"] {
        assert!(features.contains(&feature), "{feature}");
    }
    for feature in ["filtered-notifications", "auto-subscribe", "multi-subscribe", "collections"] {
        assert!(!features.contains(&format!("{PUBSUB}#{feature}").as_str()), "{feature}");
    }
    assert!(!features.contains(&"jabber:iq:register") && !features.contains(&"urn:xmpp:blocking"));
}

#[test]
fn the_service_answers_pings_and_requests_for_its_version_and_no_others() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "elsinore");
    world.expect_result(
        hamlet,
        &format!("<iq type='get' id='p' to='{SERVICE}'><ping xmlns='urn:xmpp:ping'/></iq>"),
    );
    let version = format!("<iq type='get' id='v' to='{SERVICE}'><query xmlns='jabber:iq:version'/></iq>");
    world.expect_result(hamlet, &version);
    let last = format!("<iq type='get' id='l' to='{SERVICE}'><query xmlns='jabber:iq:last'/></iq>");
    world.expect_error(hamlet, &last, "service-unavailable");
    let commands = disco(ITEMS, SERVICE, "http://jabber.org/protocol/commands");
    world.expect_error(hamlet, &commands, "item-not-found");
    // And the domain itself is no such service.
    world.expect_error(hamlet, &get("example.org", "<subscriptions/>"), "service-unavailable");
}

#[test]
fn messages_for_the_service_come_back_and_presence_does_not() {
    let mut world = World::new();
    let hamlet = world.online("hamlet", "elsinore");
    world.send(hamlet, &format!("<message to='{SERVICE}' id='m'><body>Hello?</body></message>"));
    world.expect_bounce(hamlet, "service-unavailable");
    world.send(hamlet, &format!("<presence to='{SERVICE}'/>"));
    world.expect_nothing(hamlet);
}

#[test]
fn nobody_has_an_account_at_the_service() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "elsinore");
    let to = format!("hamlet@{SERVICE}");
    world.send(hamlet, &format!("<message to='{to}' type='chat'><body>Me?</body></message>"));
    world.expect_bounce(hamlet, "service-unavailable");
    let client = world.connect_tls();
    world.send(client, &crate::client::HEADER.replace("example.org", SERVICE));
    world.expect_stream_error(client, "host-unknown");
}

#[test]
fn a_service_without_a_name_is_not_there() {
    let mut world = World::with(|config| config.services.pubsub = String::new());
    let hamlet = world.login("hamlet", "elsinore");
    let items = world.expect_result(hamlet, &disco(ITEMS, "example.org", ""));
    assert_eq!(values(&items, ITEMS, "jid"), ["conference.example.org"]);
    world.expect_error(hamlet, &get(SERVICE, "<subscriptions/>"), "remote-server-not-found");
    // What lives on accounts does not need it.
    world.expect_result(hamlet, &publish("hamlet@example.org", "urn:note", "1"));
}

#[test]
fn a_domain_with_the_name_of_a_service_stays_a_domain() {
    let mut world = World::with(|config| config.domains.push(SERVICE.into()));
    let hamlet = world.login("hamlet", "elsinore");
    let about = world.expect_result(hamlet, &disco(INFO, SERVICE, ""));
    let identity =
        about.find("query", INFO).and_then(|query| query.find("identity", INFO)).expect("an identity");
    assert_eq!(identity.get_attr("category"), Some("server"));
}

// §5.2: "accessible to the requesting entity"; §5.3 "The "disco#info" result MUST include an identity with a category of
// "pubsub" and a type of either "leaf" or "collection"."
#[test]
fn nodes_are_listed_and_described_for_those_who_may_see_them() {
    let (mut world, hamlet, horatio) = elsinore(&[("title", "Princely musings")]);
    create(&mut world, hamlet, SERVICE, "secrets", &[("access_model", "whitelist")]);
    create(&mut world, hamlet, SERVICE, "audiences", &[("access_model", "authorize")]);
    let items = world.expect_result(horatio, &disco(ITEMS, SERVICE, ""));
    assert_eq!(values(&items, ITEMS, "node"), ["audiences", "musings"]);
    assert_eq!(values(&items, ITEMS, "name"), ["Princely musings"]);
    let items = world.expect_result(hamlet, &disco(ITEMS, SERVICE, ""));
    assert_eq!(values(&items, ITEMS, "node"), ["audiences", "musings", "secrets"]);

    let about = world.expect_result(horatio, &disco(INFO, SERVICE, "musings"));
    let query = about.find("query", INFO).expect("a query");
    let identity = query.find("identity", INFO).expect("an identity");
    assert_eq!((identity.get_attr("category"), identity.get_attr("type")), (Some("pubsub"), Some("leaf")));
    world.expect_error(horatio, &disco(INFO, SERVICE, "secrets"), "forbidden");
    world.expect_error(horatio, &disco(INFO, SERVICE, "nonsense"), "item-not-found");
    world.expect_error(horatio, &disco(ITEMS, SERVICE, "nonsense"), "item-not-found");
}

// §5.4
#[test]
fn a_node_has_meta_data() {
    let (mut world, hamlet, horatio) = elsinore(&[("title", "Princely musings"), ("max_items", "5")]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    let about = world.expect_result(hamlet, &disco(INFO, SERVICE, "musings"));
    let form = about.find("query", INFO).and_then(|query| query.find("x", "jabber:x:data")).expect("a form");
    let value = |var: &str| {
        let mut fields = form.children().filter(|field| field.get_attr("var") == Some(var));
        let value = fields.next().and_then(|field| field.find("value", "jabber:x:data"));
        value.map(Element::text_content)
    };
    assert_eq!(value("FORM_TYPE").as_deref(), Some("http://jabber.org/protocol/pubsub#meta-data"));
    assert_eq!(value("pubsub#title").as_deref(), Some("Princely musings"));
    assert_eq!(value("pubsub#creator").as_deref(), Some("hamlet@example.org"));
    assert_eq!(value("pubsub#owner").as_deref(), Some("hamlet@example.org"));
    assert_eq!(value("pubsub#num_subscribers").as_deref(), Some("1"));
    assert_eq!(value("pubsub#max_items").as_deref(), Some("5"));
    assert_eq!(value("pubsub#creation_date").as_deref(), Some("2026-11-22T13:11:11.000Z"));
}

// §5.5 "The 'name' attribute of each Service Discovery item MUST contain its ItemID and the item MUST NOT possess a 'node'
// attribute."
#[test]
fn the_items_of_a_node_are_its_published_items() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "2"));
    let items = world.expect_result(horatio, &disco(ITEMS, SERVICE, "musings"));
    assert_eq!(values(&items, ITEMS, "name"), ["1", "2"]);
    let listed: Vec<&Element> = items.find("query", ITEMS).expect("a query").children().collect();
    assert!(
        listed.iter().all(|item| item.get_attr("node").is_none() && item.get_attr("jid") == Some(SERVICE))
    );
}

// §5.6 "it MUST return all subscriptions for all JIDs that match the bare JID"; "If the requesting entity has no
// subscriptions, the pubsub service MUST return an empty <subscriptions/> element."
#[test]
fn one_learns_of_ones_own_subscriptions_only() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    create(&mut world, hamlet, SERVICE, "audiences", &[("access_model", "authorize")]);
    let answer = world.expect_result(horatio, &get(SERVICE, "<subscriptions/>"));
    let none = format!("<pubsub xmlns='{PUBSUB}'><subscriptions/></pubsub>");
    assert!(show(&answer).contains(&none), "{}", show(&answer));
    for (node, jid) in [
        ("musings", "horatio@example.org"),
        ("musings", "horatio@example.org/castle"),
        ("audiences", "horatio@example.org"),
    ] {
        world.expect_result(horatio, &subscribe(node, jid));
    }
    world.expect_result(hamlet, &subscribe("musings", "hamlet@example.org"));
    world.clear(horatio);
    world.send(horatio, &get(SERVICE, "<subscriptions/>"));
    world.expect(
        horatio,
        &format!(
            "<iq type='result' id='q' from='{SERVICE}' to='horatio@example.org/castle'><pubsub xmlns='{PUBSUB}'><subscriptions>\
             <subscription node='audiences' jid='horatio@example.org' subscription='pending'/>\
             <subscription node='musings' jid='horatio@example.org' subscription='subscribed'/>\
             <subscription node='musings' jid='horatio@example.org/castle' subscription='subscribed'/>\
             </subscriptions></pubsub></iq>"
        ),
    );
    let one = world.expect_result(horatio, &get(SERVICE, "<subscriptions node='audiences'/>"));
    assert!(show(&one).contains("pending") && !show(&one).contains("musings"), "{}", show(&one));
    world.expect_error(horatio, &get(SERVICE, "<subscriptions node='nonsense'/>"), "item-not-found");
}

// §5.7
#[test]
fn one_learns_of_ones_own_affiliations_only() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    let answer = world.expect_result(hamlet, &get(SERVICE, "<affiliations/>"));
    assert!(show(&answer).contains("<affiliation node='musings' affiliation='owner'/>"), "{}", show(&answer));
    let answer = world.expect_result(horatio, &get(SERVICE, "<affiliations node='musings'/>"));
    assert!(show(&answer).contains("<affiliations node='musings'/>"), "{}", show(&answer));
}

#[test]
fn what_is_no_request_is_a_bad_one() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "elsinore");
    for (request, condition) in [
        (set(SERVICE, ""), "bad-request"),
        (set(SERVICE, "<dance/>"), "bad-request"),
        (get(SERVICE, "<publish node='musings'/>"), "bad-request"),
        (set(SERVICE, "<items node='musings'/>"), "bad-request"),
        (set(SERVICE, "<publish xmlns='urn:other' node='musings'/>"), "bad-request"),
        (owner_get(SERVICE, "<publish node='musings'/>"), "bad-request"),
    ] {
        world.expect_error(hamlet, &request, condition);
    }
}

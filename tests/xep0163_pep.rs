//! XEP-0163: personal eventing, and what is stored with it (XEP-0222, XEP-0223). What nodes can do at all is in
//! `xep0060_pubsub.rs`; what the server learns from capabilities (XEP-0115 §5.4) is here, since this is what for.

use crate::client::{Client, parse};
use crate::world::{World, condition_of, show};
use crate::xep0060_pubsub::{
    EVENT, PUBSUB, all_ids, configure, create, event, get, item, note, owner_get, owner_set, publish,
    publish_options, refused, set,
};
use stube::core::caps::verification_string;
use stube::jid::Jid;
use stube::password::Hash;
use stube::store::record::{AccessModel, NodeConfig, SendLast};
use stube::xml::Element;

const ROMEO: &str = "romeo@example.org";
const JULIET: &str = "juliet@example.org";
const NODE: &str = "urn:note";

/// The content of a disco#info answer of a client that wants notifications from these nodes.
fn client_info(nodes: &[&str]) -> String {
    let features: String = nodes.iter().map(|node| format!("<feature var='{node}+notify'/>")).collect();
    format!("<identity category='client' type='pc'/>{features}")
}

fn ver(info: &str, hash: Hash) -> String {
    let query = parse(&format!("<query xmlns='http://jabber.org/protocol/disco#info'>{info}</query>"));
    verification_string(&query, hash).expect("well-formed")
}

fn presence_with(hash: &str, ver: &str) -> String {
    let caps = "http://jabber.org/protocol/caps";
    format!("<presence><c xmlns='{caps}' hash='{hash}' node='urn:client' ver='{ver}'/></presence>")
}

fn presence(nodes: &[&str]) -> String {
    presence_with("sha-1", &ver(&client_info(nodes), Hash::Sha1))
}

/// The server's question to a client, if there is one among what has come.
fn question(world: &mut World, client: Client) -> Option<Element> {
    world.pick(client, |it| it.name == "iq" && it.get_attr("type") == Some("get"))
}

fn reply(world: &mut World, client: Client, question: &Element, info: &str) {
    let (id, from) = (question.get_attr("id").expect("an id"), question.get_attr("from").expect("a sender"));
    let query = question.children().next().expect("a query");
    let node = query.get_attr("node").expect("a node");
    world.send(
        client,
        &format!(
            "<iq type='result' id='{id}' to='{from}'>\
             <query xmlns='http://jabber.org/protocol/disco#info' node='{node}'>{info}</query></iq>"
        ),
    );
}

/// A session that wants notifications from these nodes, and has said so if it was asked. What it has got since then is
/// still there.
fn interested(world: &mut World, name: &str, resource: &str, nodes: &[&str]) -> Client {
    let client = world.login(name, resource);
    world.send(client, &presence(nodes));
    if let Some(question) = question(world, client) {
        reply(world, client, &question, &client_info(nodes));
    }
    while world.pick(client, |it| it.name == "presence").is_some() {}
    client
}

fn messages(world: &mut World, client: Client) -> Vec<Element> {
    world.drain(client).into_iter().filter(|it| it.name == "message").collect()
}

fn notified(world: &mut World, client: Client) -> bool {
    !messages(world, client).is_empty()
}

fn verona() -> World {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    world
}

// §6.1: an identity "pubsub/pep" and the features
#[test]
fn an_account_says_that_it_has_nodes() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    let ask = format!(
        "<iq type='get' id='d' to='{ROMEO}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    );
    let about = show(&world.expect_result(romeo, &ask));
    assert!(about.contains("<identity category='account' type='registered'/>"), "{about}");
    assert!(about.contains("<identity category='pubsub' type='pep'/>"), "{about}");
    for feature in [
        "access-presence",
        "auto-create",
        "auto-subscribe",
        "config-node",
        "config-node-max",
        "create-and-configure",
        "create-nodes",
        "filtered-notifications",
        "last-published",
        "persistent-items",
        "publish",
        "publish-options",
        "pubsub-on-a-jid",
        "retrieve-items",
        "subscribe",
    ] {
        assert!(about.contains(&format!("<feature var='{PUBSUB}#{feature}'/>")), "{feature}");
    }
    assert!(!about.contains("#instant-nodes'") && !about.contains("#multi-subscribe'"));
}

// §3: "If the node does not already exist, the PEP service MUST create the node."
#[test]
fn publishing_makes_the_node_whose_last_item_friends_can_read() {
    let mut world = verona();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    let tybalt = world.online("tybalt", "street");
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    assert_eq!(all_ids(&mut world, romeo, ROMEO, NODE), ["2"]);
    assert_eq!(all_ids(&mut world, juliet, ROMEO, NODE), ["2"]);
    let items = get(ROMEO, &format!("<items node='{NODE}'/>"));
    refused(&mut world, tybalt, &items, "not-authorized", "presence-subscription-required");
}

// §2.2
#[test]
fn nobody_but_the_account_makes_nodes_or_publishes() {
    let mut world = verona();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    refused(&mut world, juliet, &publish(ROMEO, NODE, "1"), "forbidden", "");
    refused(&mut world, juliet, &set(ROMEO, &format!("<create node='{NODE}'/>")), "forbidden", "");
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    refused(&mut world, juliet, &publish(ROMEO, NODE, "1"), "forbidden", "");
    let configure = format!("<configure node='{NODE}'/>");
    refused(&mut world, juliet, &owner_get(ROMEO, &configure), "forbidden", "");
    // And it stays its nodes' one owner.
    for (who, what) in [(JULIET, "owner"), (ROMEO, "none")] {
        let change = format!("<affiliation jid='{who}' affiliation='{what}'/>");
        let content = format!("<affiliations node='{NODE}'>{change}</affiliations>");
        refused(&mut world, romeo, &owner_set(ROMEO, &content), "not-acceptable", "");
    }
    // Without an address a request is for one's own nodes.
    let own = publish(ROMEO, NODE, "1").replace(&format!(" to='{ROMEO}'"), "");
    world.expect_result(romeo, &own);
}

// An account that doesn't exist looks like one without nodes.
#[test]
fn strangers_do_not_learn_who_has_an_account() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    world.account("juliet");
    let node = format!("node='{NODE}'");
    for request in [
        get("%", &format!("<items {node}/>")),
        get("%", "<items/>"),
        get("%", "<subscriptions/>"),
        get("%", &format!("<subscriptions {node}/>")),
        get("%", "<affiliations/>"),
        get("%", "<default/>"),
        get("%", &format!("<options {node} jid='{ROMEO}'/>")),
        get("%", "<nonsense/>"),
        set("%", &format!("<subscribe {node} jid='{ROMEO}'/>")),
        set("%", &format!("<unsubscribe {node} jid='{ROMEO}'/>")),
        set("%", &format!("<publish {node}>{}</publish>", item("1"))),
        set("%", &format!("<retract {node}><item id='1'/></retract>")),
        set("%", &format!("<create {node}/>")),
        owner_get("%", &format!("<configure {node}/>")),
        owner_get("%", "<default/>"),
        owner_set("%", &format!("<delete {node}/>")),
        owner_set("%", &format!("<purge {node}/>")),
        owner_get("%", &format!("<affiliations {node}/>")),
    ] {
        let [real, none] = [JULIET, "nobody@example.org"].map(|to| {
            let answer = world.ask(romeo, &request.replace('%', to));
            show(&answer).replace(to, "someone")
        });
        assert_eq!(real, none, "{request}");
    }
}

// §4.3, §4.2: "The server MUST set the 'from' address on the notification to the bare JID", "to the full JID(s)"
#[test]
fn friends_and_own_resources_that_want_it_are_told() {
    let mut world = verona();
    let romeo = interested(&mut world, "romeo", "orchard", &[NODE]);
    let own = interested(&mut world, "romeo", "phone", &[NODE]);
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE, "urn:other"]);
    let deaf = interested(&mut world, "juliet", "chamber", &["urn:other"]);
    let mute = world.online("juliet", "garden");
    let tybalt = interested(&mut world, "tybalt", "street", &[NODE]);
    for client in [romeo, own, juliet, deaf, mute, tybalt] {
        world.clear(client);
    }
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    let content = format!("<items node='{NODE}'>{}</items>", item("1"));
    world.expect(romeo, &event(ROMEO, "romeo@example.org/orchard", &content));
    world.expect(own, &event(ROMEO, "romeo@example.org/phone", &content));
    world.expect(juliet, &event(ROMEO, "juliet@example.org/balcony", &content));
    for client in [romeo, own, juliet, deaf, mute, tybalt] {
        world.expect_nothing(client);
    }
}

// §2.3: "This works only if the subscription state is "both"": who does not show its presence is not known to be there.
#[test]
fn who_does_not_share_its_presence_is_not_told() {
    let mut world = World::new();
    let romeo = interested(&mut world, "romeo", "orchard", &[]);
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    world.send(juliet, &format!("<presence type='subscribe' to='{ROMEO}'/>"));
    world.send(romeo, &format!("<presence type='subscribed' to='{JULIET}'/>"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    assert!(!notified(&mut world, juliet));
    // But may ask.
    assert_eq!(all_ids(&mut world, juliet, ROMEO, NODE), ["1"]);
}

// §4.3.3, rule 3
#[test]
fn who_is_blocked_is_not_told() {
    let mut world = verona();
    let romeo = world.online("romeo", "orchard");
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    let block = format!("<block xmlns='urn:xmpp:blocking'><item jid='{JULIET}'/></block>");
    world.expect_result(romeo, &format!("<iq type='set' id='b'>{block}</iq>"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    assert!(!notified(&mut world, juliet));
    world.close(juliet);
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    assert!(!notified(&mut world, juliet), "nor given the last item");
    let items = get(ROMEO, &format!("<items node='{NODE}'/>"));
    world.expect_error(juliet, &items, "service-unavailable");
}

// §4.3.4: with the time of its publication, once, and from contacts who are not there, too
#[test]
fn the_last_item_of_each_wanted_node_comes_with_the_presence() {
    let mut world = verona();
    let romeo = world.online("romeo", "orchard");
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    world.expect_result(romeo, &publish(ROMEO, "urn:other", "2"));
    world.close(romeo);
    world.advance(3_600_000);
    let stamped = |to: &str| {
        format!(
            "<message type='headline' id='*' from='{ROMEO}' to='{to}'><event xmlns='{EVENT}'><items node='{NODE}'>{}</items></event>\
             <delay xmlns='urn:xmpp:delay' stamp='2026-11-22T13:11:11.000Z'/></message>",
            item("1")
        )
    };
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    world.expect(juliet, &stamped("juliet@example.org/balcony"));
    world.expect_nothing(juliet);
    // "any subsequent presence stanza [...] MUST NOT trigger sending of a new pubsub notification"
    world.send(juliet, &presence(&[NODE]).replace("<c ", "<show>away</show><c "));
    assert!(!notified(&mut world, juliet));
    // What it comes to want later it gets then.
    world.send(juliet, &presence(&[NODE, "urn:other"]));
    let question = question(&mut world, juliet).expect("a question");
    reply(&mut world, juliet, &question, &client_info(&[NODE, "urn:other"]));
    let all = messages(&mut world, juliet);
    assert_eq!(all.len(), 1);
    assert!(show(&all[0]).contains("node='urn:other'"));
    // And after it has been away, everything.
    world.send(juliet, "<presence type='unavailable'/>");
    world.send(juliet, &presence(&[NODE]));
    let all = messages(&mut world, juliet);
    assert_eq!(all.len(), 1);
    assert!(show(&all[0]).contains(&format!("node='{NODE}'")));
    let romeo = interested(&mut world, "romeo", "phone", &[NODE]);
    let all = messages(&mut world, romeo);
    assert_eq!(all.len(), 1, "one's own");
}

// Else a contact could fill somebody's outbox at every login.
#[test]
fn of_a_large_last_item_only_the_id_comes_unasked() {
    let mut world = verona();
    let romeo = interested(&mut world, "romeo", "orchard", &[NODE]);
    let large = format!("<item id='large'>{}</item>", note(&"x".repeat(20_000)));
    world.expect_result(romeo, &set(ROMEO, &format!("<publish node='{NODE}'>{large}</publish>")));
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    let last = show(&messages(&mut world, juliet)[0]);
    assert!(last.contains("<item id='large'/>"), "{last}");
    assert_eq!(all_ids(&mut world, juliet, ROMEO, NODE), ["large"]);
    let phone = interested(&mut world, "romeo", "phone", &[NODE]);
    assert!(show(&messages(&mut world, phone)[0]).contains("xxx"), "one's own comes whole");
}

#[test]
fn last_items_never_end_a_session() {
    let mut world = World::with(|config| {
        config.limits.outbox_bytes = stube::config::Limit::of(64 * 1024);
        config.limits.stanza_bytes = stube::config::Limit::of(32 * 1024);
    });
    world.friends("romeo", "juliet");
    let romeo = world.online("romeo", "orchard");
    let nodes: Vec<String> = (0..20).map(|n| format!("urn:node:{n}")).collect();
    for node in &nodes {
        let item = format!("<item id='1'>{}</item>", note(&"x".repeat(15_000)));
        world.expect_result(romeo, &set(ROMEO, &format!("<publish node='{node}'>{item}</publish>")));
    }
    let wanted: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, &presence(&wanted));
    let asked = question(&mut world, juliet).expect("a question");
    world.stop_reading(juliet);
    reply(&mut world, juliet, &asked, &client_info(&wanted));
    world.go_on_reading(juliet);
    let some = messages(&mut world, juliet).len();
    assert!((1..20).contains(&some), "{some}");
    world.expect_result(juliet, &get(JULIET, "<subscriptions/>"));
}

// XEP-0222 §3, and nodes that only tell of what changes
#[test]
fn a_node_can_keep_its_last_item_for_those_who_ask() {
    let mut world = verona();
    let romeo = world.online("romeo", "orchard");
    let options = publish_options(&[("send_last_published_item", "never"), ("persist_items", "true")]);
    world.expect_result(
        romeo,
        &set(ROMEO, &format!("<publish node='{NODE}'>{}</publish>{options}", item("1"))),
    );
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    assert!(!notified(&mut world, juliet));
    assert_eq!(all_ids(&mut world, juliet, ROMEO, NODE), ["1"]);
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    assert!(notified(&mut world, juliet));
}

// XEP-0223 §3, §5: "whitelist", and nobody on it
#[test]
fn private_storage_is_the_accounts_own() {
    let mut world = verona();
    let romeo = interested(&mut world, "romeo", "orchard", &[NODE]);
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    let options = publish_options(&[
        ("persist_items", "true"),
        ("access_model", "whitelist"),
        ("max_items", "max"),
        ("send_last_published_item", "never"),
        ("notify_delete", "true"),
        ("notify_retract", "true"),
    ]);
    for id in ["1", "2"] {
        let content = format!("<publish node='{NODE}'>{}</publish>{options}", item(id));
        world.expect_result(romeo, &set(ROMEO, &content));
        assert!(notified(&mut world, romeo), "its own resources are");
    }
    assert!(!notified(&mut world, juliet));
    refused(
        &mut world,
        juliet,
        &get(ROMEO, &format!("<items node='{NODE}'/>")),
        "not-allowed",
        "closed-node",
    );
    let list = format!(
        "<iq type='get' id='d' to='{ROMEO}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
    );
    assert!(!show(&world.expect_result(juliet, &list)).contains(NODE), "nor is it seen");
    assert!(show(&world.expect_result(romeo, &list)).contains(NODE));
    world.expect_result(romeo, &set(ROMEO, &format!("<retract node='{NODE}'><item id='1'/></retract>")));
    assert!(notified(&mut world, romeo));
    assert_eq!(all_ids(&mut world, romeo, ROMEO, NODE), ["2"]);
    // A node that is open already does not become private by being published to.
    world.expect_result(romeo, &publish(ROMEO, "urn:open", "1"));
    let content = format!("<publish node='urn:open'>{}</publish>{options}", item("1"));
    refused(&mut world, romeo, &set(ROMEO, &content), "conflict", "precondition-not-met");
}

// OMEMO: "open" nodes that strangers read, and a list that is published anew
#[test]
fn strangers_read_what_is_open() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    create(&mut world, romeo, ROMEO, NODE, &[("access_model", "open"), ("max_items", "max")]);
    for id in ["1", "2", "3"] {
        world.expect_result(romeo, &publish(ROMEO, NODE, id));
    }
    let tybalt = world.online("tybalt", "street");
    assert_eq!(all_ids(&mut world, tybalt, ROMEO, NODE), ["1", "2", "3"]);
    world.from_remote(&format!(
        "<iq type='get' id='s' from='iago@example.net/x' to='{ROMEO}'><pubsub xmlns='{PUBSUB}'><items node='{NODE}' max_items='1'/></pubsub></iq>"
    ));
    let answer = show(&world.to_remote().pop().expect("an answer"));
    assert!(answer.contains(&item("3")) && !answer.contains(&item("2")), "{answer}");
}

// §4.1, XEP-0060 §9.1.3: a stranger that has sent its presence, where everyone may read, until it goes
#[test]
fn a_stranger_that_shows_its_presence_is_told_of_open_nodes() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    create(&mut world, romeo, ROMEO, "urn:open", &[("access_model", "open")]);
    world.expect_result(romeo, &publish(ROMEO, "urn:open", "1"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    let tybalt = interested(&mut world, "tybalt", "street", &["urn:open", NODE]);
    assert!(!notified(&mut world, tybalt));
    world.send(tybalt, &format!("<presence to='{ROMEO}'/>"));
    assert_eq!(messages(&mut world, tybalt).len(), 1, "the last item of the open one");
    world.expect_result(romeo, &publish(ROMEO, "urn:open", "2"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    assert_eq!(messages(&mut world, tybalt).len(), 1);
    world.send(tybalt, &format!("<presence type='unavailable' to='{ROMEO}'/>"));
    world.expect_result(romeo, &publish(ROMEO, "urn:open", "3"));
    assert!(!notified(&mut world, tybalt));
}

// XEP-0060 §6.1.3.3, §9.1.2
#[test]
fn a_node_for_groups_of_the_roster_is_for_these() {
    let mut world = verona();
    let romeo = world.online("romeo", "orchard");
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    create(
        &mut world,
        romeo,
        ROMEO,
        NODE,
        &[("access_model", "roster"), ("roster_groups_allowed", "Lovers")],
    );
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    assert!(!notified(&mut world, juliet));
    let items = get(ROMEO, &format!("<items node='{NODE}'/>"));
    refused(&mut world, juliet, &items, "not-authorized", "not-in-roster-group");
    let group = |group: &str| {
        format!(
            "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='{JULIET}'><group>{group}</group></item></query></iq>"
        )
    };
    world.expect_result(romeo, &group("Lovers"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    assert!(notified(&mut world, juliet));
    // §7.1: "If the modification results in a loss of access, the service MUST cancel the entity's subscription."
    world.expect_result(juliet, &set(ROMEO, &format!("<subscribe node='{NODE}' jid='{JULIET}'/>")));
    world.clear(juliet);
    world.expect_result(romeo, &group("Strangers"));
    let gone = format!("<subscription node='{NODE}' jid='{JULIET}' subscription='none'/>");
    world.expect(juliet, &event(ROMEO, JULIET, &gone));
    world.expect_result(romeo, &publish(ROMEO, NODE, "3"));
    assert!(!notified(&mut world, juliet));
}

// §7.1
#[test]
fn with_the_subscription_to_the_presence_that_to_a_node_ends() {
    let mut world = verona();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    world.expect_result(juliet, &set(ROMEO, &format!("<subscribe node='{NODE}' jid='{JULIET}'/>")));
    assert!(notified(&mut world, juliet), "§6.1.7");
    world.send(romeo, &format!("<presence type='unsubscribed' to='{JULIET}'/>"));
    let told = messages(&mut world, juliet);
    assert!(told.iter().any(|it| show(it).contains("subscription='none'")));
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    assert!(!notified(&mut world, juliet));
    let items = get(ROMEO, &format!("<items node='{NODE}'/>"));
    refused(&mut world, juliet, &items, "not-authorized", "presence-subscription-required");
}

// §4.3.4 "to all new subscribers"
#[test]
fn new_friends_get_each_others_last_items() {
    let mut world = World::new();
    let romeo = interested(&mut world, "romeo", "orchard", &[NODE]);
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    world.expect_result(juliet, &publish(JULIET, NODE, "2"));
    world.clear(romeo);
    world.clear(juliet);
    for (client, other) in [(romeo, JULIET), (juliet, ROMEO)] {
        world.send(client, &format!("<presence type='subscribed' to='{other}'/>"));
        world.send(client, &format!("<presence type='subscribe' to='{other}'/>"));
    }
    world.send(romeo, &format!("<presence type='subscribe' to='{JULIET}'/>"));
    let got =
        |all: Vec<Element>, from: &str| all.iter().filter(|it| it.get_attr("from") == Some(from)).count();
    assert_eq!(got(messages(&mut world, romeo), JULIET), 1);
    assert_eq!(got(messages(&mut world, juliet), ROMEO), 1);
}

// §4.3.2, rules 1 to 3
#[test]
fn an_explicit_subscriber_is_told_once() {
    let mut world = verona();
    let romeo = world.online("romeo", "orchard");
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    let other = world.online("juliet", "chamber");
    world.expect_result(juliet, &set(ROMEO, &format!("<subscribe node='{NODE}' jid='{JULIET}'/>")));
    world.clear(juliet);
    world.clear(other);
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    let told = messages(&mut world, juliet);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].get_attr("to"), Some("juliet@example.org/balcony"));
    assert!(!notified(&mut world, other), "it has not asked for it");
    // Without a resource that is known to want it, the address that has subscribed gets it.
    world.close(juliet);
    world.expect_result(romeo, &publish(ROMEO, NODE, "3"));
    assert_eq!(messages(&mut world, other)[0].get_attr("to"), Some(JULIET));
}

// XEP-0060 §8.6, on an account
#[test]
fn an_account_approves_subscriptions_to_its_nodes() {
    let mut world = verona();
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    create(&mut world, romeo, ROMEO, NODE, &[("access_model", "authorize")]);
    world.expect_result(juliet, &set(ROMEO, &format!("<subscribe node='{NODE}' jid='{JULIET}'/>")));
    let question = messages(&mut world, romeo).pop().expect("a question");
    assert_eq!(question.get_attr("from"), Some(ROMEO));
    world.send(
        romeo,
        &format!(
            "<message to='{ROMEO}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field>\
             <field var='pubsub#node'><value>{NODE}</value></field>\
             <field var='pubsub#subscriber_jid'><value>{JULIET}</value></field>\
             <field var='pubsub#allow'><value>1</value></field></x></message>"
        ),
    );
    world.expect_nothing(romeo);
    let content = format!("<subscription node='{NODE}' jid='{JULIET}' subscription='subscribed'/>");
    world.expect(juliet, &event(ROMEO, JULIET, &content));
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    assert!(notified(&mut world, juliet));
}

#[test]
fn nodes_go_with_their_account() {
    let mut world = World::new();
    let romeo = world.online("romeo", "orchard");
    create(&mut world, romeo, ROMEO, NODE, &[("access_model", "open")]);
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    world.control(stube::control::Request::UserRemove { address: ROMEO.into() });
    let romeo = world.online("romeo", "orchard");
    refused(&mut world, romeo, &get(ROMEO, &format!("<items node='{NODE}'/>")), "item-not-found", "");
}

#[test]
fn a_change_of_access_is_one_for_the_next_item() {
    let mut world = verona();
    let romeo = world.online("romeo", "orchard");
    let juliet = interested(&mut world, "juliet", "balcony", &[NODE]);
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    world.clear(juliet);
    configure(&mut world, romeo, ROMEO, NODE, &[("access_model", "whitelist")]);
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    assert!(!notified(&mut world, juliet));
    let member = format!("<affiliation jid='{JULIET}' affiliation='member'/>");
    let content = format!("<affiliations node='{NODE}'>{member}</affiliations>");
    world.expect_result(romeo, &owner_set(ROMEO, &content));
    world.expect_result(romeo, &publish(ROMEO, NODE, "3"));
    assert!(notified(&mut world, juliet));
}

// ---- XEP-0115 §5.4, §6.2, §9.1

#[test]
fn a_client_is_asked_once_for_each_hash_and_its_answer_is_good_for_all() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &presence(&[NODE]));
    let asked = question(&mut world, romeo).expect("a question");
    assert_eq!(asked.get_attr("from"), Some("example.org"));
    assert_eq!(asked.get_attr("to"), Some("romeo@example.org/orchard"));
    let query = asked.children().next().expect("a query");
    let node = format!("urn:client#{}", ver(&client_info(&[NODE]), Hash::Sha1));
    assert_eq!((query.name.as_str(), query.get_attr("node")), ("query", Some(node.as_str())));
    // Others with the same hash wait for the same answer.
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, &presence(&[NODE]));
    assert!(question(&mut world, juliet).is_none());
    reply(&mut world, romeo, &asked, &client_info(&[NODE]));
    world.expect_result(juliet, &publish(JULIET, NODE, "1"));
    assert!(notified(&mut world, juliet));
    // And whoever comes later is known at once.
    let phone = world.login("romeo", "phone");
    world.send(phone, &presence(&[NODE]));
    assert!(question(&mut world, phone).is_none());
    world.expect_result(phone, &publish(ROMEO, NODE, "1"));
    assert!(notified(&mut world, phone) && notified(&mut world, romeo));
}

#[test]
fn other_hash_functions_that_we_have_are_checked_too() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    let info = client_info(&[NODE]);
    world.send(romeo, &presence_with("sha-256", &ver(&info, Hash::Sha256)));
    let asked = question(&mut world, romeo).expect("a question");
    reply(&mut world, romeo, &asked, &info);
    let phone = world.login("romeo", "phone");
    world.send(phone, &presence_with("sha-256", &ver(&info, Hash::Sha256)));
    assert!(question(&mut world, phone).is_none());
}

// "If the values of the received and reconstructed hashes do not match, the processing application MUST consider the result
// to be invalid and MUST NOT globally cache the verification string; however, it SHOULD check the service discovery identity
// and supported features of another generating entity who advertises that value."
#[test]
fn an_answer_with_another_hash_counts_for_its_client_only() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &presence(&[NODE]));
    let asked = question(&mut world, romeo).expect("a question");
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, &presence(&[NODE]));
    reply(&mut world, romeo, &asked, &client_info(&["urn:poison"]));
    world.expect_result(romeo, &publish(ROMEO, "urn:poison", "1"));
    assert!(notified(&mut world, romeo), "it may poison itself");
    let asked = question(&mut world, juliet).expect("now she is asked");
    reply(&mut world, juliet, &asked, &client_info(&[NODE]));
    world.expect_result(juliet, &publish(JULIET, "urn:poison", "1"));
    assert!(!notified(&mut world, juliet));
    world.expect_result(juliet, &publish(JULIET, NODE, "1"));
    assert!(notified(&mut world, juliet));
}

#[test]
fn a_hash_of_an_unknown_function_is_nobody_elses() {
    let mut world = World::new();
    for (name, resource) in [("romeo", "orchard"), ("juliet", "balcony")] {
        let client = world.login(name, resource);
        world.send(client, &presence_with("whirlpool", "abc"));
        let asked = question(&mut world, client).expect("each is asked");
        reply(&mut world, client, &asked, &client_info(&[NODE]));
        world.expect_result(client, &publish(&format!("{name}@example.org"), NODE, "1"));
        assert!(notified(&mut world, client));
    }
}

#[test]
fn without_a_hash_it_is_the_legacy_format_and_says_nothing() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &presence_with("sha-1", "abc").replace(" hash='sha-1'", ""));
    assert!(question(&mut world, romeo).is_none());
}

#[test]
fn an_answer_from_somebody_else_is_none() {
    let mut world = World::new();
    let (romeo, tybalt) = (world.login("romeo", "orchard"), world.login("tybalt", "street"));
    world.send(romeo, &presence(&[NODE]));
    let asked = question(&mut world, romeo).expect("a question");
    reply(&mut world, tybalt, &asked, &client_info(&["urn:other"]));
    reply(&mut world, romeo, &asked, &client_info(&[NODE]));
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    assert!(notified(&mut world, romeo));
}

#[test]
fn a_client_that_does_not_answer_is_waited_for_a_minute() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &presence(&[NODE]));
    assert!(question(&mut world, romeo).is_some());
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, &presence(&[NODE]));
    assert!(question(&mut world, juliet).is_none());
    world.advance(100_000);
    assert!(question(&mut world, juliet).is_some(), "then the next one is asked");
    // So is one that has not left an answer.
    let asked_of = world.login("juliet", "garden");
    world.send(asked_of, &presence(&["urn:other"]));
    let asked = question(&mut world, asked_of).expect("a question");
    let id = asked.get_attr("id").expect("an id").to_owned();
    world.send(asked_of, &format!("<iq type='error' id='{id}' to='example.org'/>"));
    world.expect_result(asked_of, &publish(JULIET, "urn:other", "1"));
    assert!(!notified(&mut world, asked_of));
}

// XEP-0163 §1.2, with a contact on another server
#[test]
fn contacts_elsewhere_are_asked_and_told_at_their_resources() {
    let mut world = World::federated();
    let romeo = world.online("romeo", "orchard");
    let iago = "iago@example.net";
    world.send(romeo, &format!("<presence type='subscribe' to='{iago}'/>"));
    world.from_remote(&format!("<presence type='subscribed' from='{iago}' to='{ROMEO}'/>"));
    world.from_remote(&format!("<presence type='subscribe' from='{iago}' to='{ROMEO}'/>"));
    world.send(romeo, &format!("<presence type='subscribed' to='{iago}'/>"));
    world.expect_result(romeo, &publish(ROMEO, NODE, "1"));
    world.to_remote();
    let shown = presence(&[NODE]).replace("<presence>", &format!("<presence from='{iago}/x' to='{ROMEO}'>"));
    world.from_remote(&shown);
    let asked = world.to_remote().pop().expect("a question");
    assert_eq!((asked.get_attr("from"), asked.get_attr("to")), (Some(ROMEO), Some("iago@example.net/x")));
    let id = asked.get_attr("id").expect("an id");
    let info = client_info(&[NODE]);
    world.from_remote(&format!(
        "<iq type='result' id='{id}' from='{iago}/x' to='{ROMEO}'><query xmlns='http://jabber.org/protocol/disco#info'>{info}</query></iq>"
    ));
    let last = world.to_remote();
    assert_eq!(last.len(), 1, "the last item");
    assert!(show(&last[0]).contains("<delay"));
    world.from_remote(&shown);
    assert!(world.to_remote().is_empty(), "once");
    world.expect_result(romeo, &publish(ROMEO, NODE, "2"));
    world.expect_remote(&event(
        ROMEO,
        "iago@example.net/x",
        &format!("<items node='{NODE}'>{}</items>", item("2")),
    ));
    world.from_remote(&format!("<presence type='unavailable' from='{iago}/x' to='{ROMEO}'/>"));
    world.to_remote();
    world.expect_result(romeo, &publish(ROMEO, NODE, "3"));
    assert!(world.to_remote().is_empty());
}

// ---- What other features use

#[test]
fn features_keep_their_own_things_on_an_accounts_nodes() {
    let mut world = World::new();
    let romeo = interested(&mut world, "romeo", "orchard", &[NODE]);
    let jid = Jid::parse("romeo@example.org/orchard").expect("an address");
    let payload = parse(&note("x"));
    let config = NodeConfig {
        access_model: AccessModel::Open,
        send_last: SendLast::Never,
        max_items: 2,
        ..NodeConfig::default()
    };
    assert_eq!(world.core.pep_last_item(&jid, NODE).expect("readable"), None);
    assert_eq!(world.core.pep_items(&jid, NODE).expect("readable"), []);
    for id in ["1", "2", "3"] {
        world.core.pep_publish(&jid, NODE, id, payload.clone(), config.clone()).expect("published");
    }
    world.handle(stube::core::Event::Tick);
    assert!(notified(&mut world, romeo));
    let ids = |world: &mut World| -> Vec<String> {
        world.core.pep_items(&jid, NODE).expect("readable").into_iter().map(|item| item.id).collect()
    };
    assert_eq!(ids(&mut world), ["2", "3"]);
    let last = world.core.pep_last_item(&jid, NODE).expect("readable").expect("an item");
    assert_eq!((last.id.as_str(), last.payload), ("3", Some(payload)));
    assert_eq!(world.core.pep_item(&jid, NODE, "1").expect("readable"), None);
    world.core.pep_retract(&jid, NODE, "3").expect("retracted");
    assert_eq!(ids(&mut world), ["2"]);
    assert_eq!(
        world.core.pep_last_item(&jid, NODE).expect("readable").map(|item| item.id).as_deref(),
        Some("2")
    );
    let missing = world.core.pep_retract(&jid, NODE, "3").expect_err("it is gone");
    assert_eq!(missing.condition.name(), "item-not-found");
    world.core.pep_delete(&jid, NODE).expect("deleted");
    assert_eq!(ids(&mut world), [""; 0]);
    let nobody = Jid::parse("nobody@example.org").expect("an address");
    assert!(world.core.pep_publish(&nobody, NODE, "1", parse(&note("x")), NodeConfig::default()).is_err());
    assert_eq!(
        condition_of(&world.ask(romeo, &owner_get(ROMEO, &format!("<configure node='{NODE}'/>")))).as_deref(),
        Some("item-not-found")
    );
}

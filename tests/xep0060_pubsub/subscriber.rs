//! §6.1 to §6.4: subscriptions and their options.

use super::*;

// §6.1.2, §7.1.2.1
#[test]
fn a_subscriber_gets_what_is_published_at_the_address_that_has_subscribed() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    let other = world.online("horatio", "gate");
    world.clear(horatio);
    world.send(horatio, &subscribe("musings", "horatio@example.org/castle"));
    world.expect(
        horatio,
        &format!(
            "<iq type='result' id='q' from='{SERVICE}' to='horatio@example.org/castle'><pubsub xmlns='{PUBSUB}'>\
             <subscription node='musings' jid='horatio@example.org/castle' subscription='subscribed'/></pubsub></iq>"
        ),
    );
    world.clear(other);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect(
        horatio,
        &event(
            SERVICE,
            "horatio@example.org/castle",
            &format!("<items node='musings'>{}</items>", item("1")),
        ),
    );
    world.expect_nothing(other);
    world.expect_nothing(hamlet);
}

// §6.1.3.1
#[test]
fn nobody_subscribes_somebody_else() {
    let (mut world, _, horatio) = elsinore(&[]);
    for jid in ["hamlet@example.org", "hamlet@example.org/castle", "example.org", "@", ""] {
        refused(&mut world, horatio, &subscribe("musings", jid), "bad-request", "invalid-jid");
    }
    refused(&mut world, horatio, &set(SERVICE, "<subscribe node='musings'/>"), "bad-request", "invalid-jid");
}

// §6.1.3.12
#[test]
fn a_node_must_be_there_and_be_named() {
    let (mut world, _, horatio) = elsinore(&[]);
    refused(&mut world, horatio, &subscribe("nonsense", "horatio@example.org"), "item-not-found", "");
    refused(&mut world, horatio, &subscribe("", "horatio@example.org"), "bad-request", "nodeid-required");
}

// §6.1.3.2, §6.1.3.3: at a service it is the owners' rosters that count.
#[test]
fn access_models_of_presence_and_roster_look_at_the_owners_contacts() {
    let mut world = World::new();
    world.friends("hamlet", "horatio");
    let (hamlet, horatio) = (world.online("hamlet", "elsinore"), world.online("horatio", "castle"));
    let claudius = world.online("claudius", "throne");
    create(&mut world, hamlet, SERVICE, "presence", &[("access_model", "presence")]);
    let groups = [("access_model", "roster"), ("roster_groups_allowed", "Friends|Students")];
    create(&mut world, hamlet, SERVICE, "roster", &groups);
    let ask = |node: &str, who: &str| subscribe(node, &format!("{who}@example.org"));
    let missing = "presence-subscription-required";
    refused(&mut world, claudius, &ask("presence", "claudius"), "not-authorized", missing);
    refused(&mut world, claudius, &ask("roster", "claudius"), "not-authorized", "not-in-roster-group");
    world.expect_result(horatio, &ask("presence", "horatio"));
    refused(&mut world, horatio, &ask("roster", "horatio"), "not-authorized", "not-in-roster-group");
    world.expect_result(
        hamlet,
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='horatio@example.org'><group>Students</group></item></query></iq>",
    );
    world.expect_result(horatio, &ask("roster", "horatio"));
}

// §6.1.3.4
#[test]
fn a_whitelist_is_closed_to_those_who_are_not_on_it() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "whitelist")]);
    let ask = subscribe("musings", "horatio@example.org");
    refused(&mut world, horatio, &ask, "not-allowed", "closed-node");
    people::affiliate(&mut world, hamlet, "horatio", "member");
    world.expect_result(horatio, &ask);
}

// §6.1.3.8
#[test]
fn outcasts_and_those_who_may_only_publish_cannot_subscribe() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    for affiliation in ["outcast", "publish-only"] {
        people::affiliate(&mut world, hamlet, "horatio", affiliation);
        refused(&mut world, horatio, &subscribe("musings", "horatio@example.org"), "forbidden", "");
    }
}

// §6.1.3.10
#[test]
fn a_node_can_take_no_subscriptions() {
    let (mut world, _, horatio) = elsinore(&[("subscribe", "0")]);
    unsupported(&mut world, horatio, &subscribe("musings", "horatio@example.org"), "subscribe");
}

// §6.1.3.9
#[test]
fn one_person_has_so_many_subscriptions_to_a_node() {
    let (mut world, _, horatio) = elsinore(&[]);
    for n in 0..20 {
        world.expect_result(horatio, &subscribe("musings", &format!("horatio@example.org/{n}")));
    }
    let more = subscribe("musings", "horatio@example.org/more");
    refused(&mut world, horatio, &more, "policy-violation", "too-many-subscriptions");
}

// §6.1.6 "it receives an additional subscription request, the service MUST return the current subscription state"
#[test]
fn subscribing_again_tells_how_things_stand() {
    let (mut world, _, horatio) = elsinore(&[]);
    let ask = subscribe("musings", "horatio@example.org");
    let first = world.expect_result(horatio, &ask);
    assert_eq!(world.expect_result(horatio, &ask), first);
}

// §6.1.4, §6.1.3.7
#[test]
fn where_an_owner_must_approve_the_subscription_is_pending() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "authorize")]);
    let ask = subscribe("musings", "horatio@example.org");
    let answer = world.expect_result(horatio, &ask);
    assert!(show(&answer).contains("subscription='pending'"), "{}", show(&answer));
    refused(&mut world, horatio, &ask, "not-authorized", "pending-subscription");
    // Meanwhile there is nothing to be had.
    world.clear(hamlet);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_nothing(horatio);
    let items = get(SERVICE, "<items node='musings'/>");
    refused(&mut world, horatio, &items, "not-authorized", "not-subscribed");
}

// §6.1.7
#[test]
fn the_last_item_comes_with_the_subscription_and_with_the_time_of_its_publication() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.advance(1000);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "2"));
    world.advance(60_000);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    world.expect(
        horatio,
        &format!(
            "<message type='headline' id='*' from='{SERVICE}' to='horatio@example.org'>\
             <event xmlns='{EVENT}'><items node='musings'>{}</items></event>\
             <delay xmlns='urn:xmpp:delay' stamp='2026-11-22T13:11:12.000Z'/></message>",
            item("2")
        ),
    );
    configure(&mut world, hamlet, SERVICE, "musings", &[("send_last_published_item", "never")]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org/castle"));
    world.expect_nothing(horatio);
}

// §6.2.2
#[test]
fn who_unsubscribes_gets_nothing_more() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    let answer = world.expect_result(horatio, &unsubscribe("musings", "horatio@example.org"));
    assert!(show(&answer).contains("subscription='none'"), "{}", show(&answer));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_nothing(horatio);
}

fn unsubscribe(node: &str, jid: &str) -> String {
    set(SERVICE, &format!("<unsubscribe node='{node}' jid='{jid}'/>"))
}

// §6.2.3
#[test]
fn unsubscribing_can_fail() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(hamlet, &subscribe("musings", "hamlet@example.org"));
    let nobody = unsubscribe("musings", "horatio@example.org");
    refused(&mut world, horatio, &nobody, "unexpected-request", "not-subscribed");
    refused(&mut world, horatio, &unsubscribe("musings", "hamlet@example.org"), "forbidden", "");
    refused(&mut world, horatio, &unsubscribe("nonsense", "horatio@example.org"), "item-not-found", "");
    // §6.2.3.5: "the service SHOULD ignore the SubID"
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    let subid = "<unsubscribe node='musings' jid='horatio@example.org' subid='123'/>";
    world.expect_result(horatio, &set(SERVICE, subid));
}

fn options(deliver: &str) -> String {
    form("http://jabber.org/protocol/pubsub#subscribe_options", &[("deliver", deliver)])
}

// §6.3, §6.4
#[test]
fn a_subscriber_can_pause_notifications() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    let holder = "node='musings' jid='horatio@example.org'";
    let set_options =
        |deliver: &str| set(SERVICE, &format!("<options {holder}>{}</options>", options(deliver)));
    world.expect_result(horatio, &set_options("0"));
    let answer = world.expect_result(horatio, &get(SERVICE, &format!("<options {holder}/>")));
    assert!(show(&answer).contains("<value>0</value>"), "{}", show(&answer));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_nothing(horatio);
    world.expect_result(horatio, &set_options("true"));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "2"));
    assert_eq!(world.drain(horatio).len(), 1);
    let default = world.expect_result(horatio, &get(SERVICE, "<default/>"));
    assert!(show(&default).contains("pubsub#deliver"), "{}", show(&default));
}

// §6.3.7
#[test]
fn one_subscribes_and_configures_at_once() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    let content =
        format!("<subscribe node='musings' jid='horatio@example.org'/><options>{}</options>", options("0"));
    world.expect_result(horatio, &set(SERVICE, &content));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_nothing(horatio);
}

// §6.3.4, §6.3.6
#[test]
fn options_can_be_refused() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(hamlet, &subscribe("musings", "hamlet@example.org"));
    let ask = |content: &str| get(SERVICE, content);
    let own = "<options node='musings' jid='horatio@example.org'/>";
    refused(&mut world, horatio, &ask(own), "unexpected-request", "not-subscribed");
    let foreign = "<options node='musings' jid='hamlet@example.org'/>";
    refused(&mut world, horatio, &ask(foreign), "forbidden", "");
    refused(&mut world, horatio, &ask("<options node='musings'/>"), "bad-request", "jid-required");
    let nowhere = "<options node='nonsense' jid='horatio@example.org'/>";
    refused(&mut world, horatio, &ask(nowhere), "item-not-found", "");
    let wrong = format!("<options node='musings' jid='hamlet@example.org'>{}</options>", options("perhaps"));
    refused(&mut world, hamlet, &set(SERVICE, &wrong), "bad-request", "invalid-options");
}

// §16.4.4, notify_sub: "Whether to notify owners about new subscribers and unsubscribes"
#[test]
fn owners_can_be_told_of_who_comes_and_goes() {
    let (mut world, hamlet, horatio) = elsinore(&[("notify_sub", "1")]);
    let told = |state: &str| {
        let content =
            format!("<subscription node='musings' jid='horatio@example.org' subscription='{state}'/>");
        event(SERVICE, "hamlet@example.org", &content)
    };
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    world.expect(hamlet, &told("subscribed"));
    world.expect_result(horatio, &unsubscribe("musings", "horatio@example.org"));
    world.expect(hamlet, &told("none"));
}

#[test]
fn somebody_elsewhere_can_subscribe() {
    let mut world = World::federated();
    let hamlet = world.online("hamlet", "elsinore");
    create(&mut world, hamlet, SERVICE, "musings", &[]);
    world.from_remote(&format!(
        "<iq type='set' id='s' from='fortinbras@example.net/x' to='{SERVICE}'><pubsub xmlns='{PUBSUB}'>\
         <subscribe node='musings' jid='fortinbras@example.net'/></pubsub></iq>"
    ));
    assert_eq!(
        world.to_remote().pop().and_then(|it| it.get_attr("type").map(str::to_owned)).as_deref(),
        Some("result")
    );
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    let items = format!("<items node='musings'>{}</items>", item("1"));
    world.expect_remote(&event(SERVICE, "fortinbras@example.net", &items));
}

// §12.4 "If the XMPP error is of type "cancel" [...] the pubsub service SHOULD terminate the subscription"
#[test]
fn who_is_not_there_any_more_is_no_subscriber_any_more() {
    let mut world = World::federated();
    let hamlet = world.online("hamlet", "elsinore");
    create(&mut world, hamlet, SERVICE, "musings", &[]);
    world.from_remote(&format!(
        "<iq type='set' id='s' from='fortinbras@example.net/x' to='{SERVICE}'><pubsub xmlns='{PUBSUB}'>\
         <subscribe node='musings' jid='fortinbras@example.net'/></pubsub></iq>"
    ));
    let error = |from: &str, condition: &str| {
        format!(
            "<message type='error' from='{from}' to='{SERVICE}'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )
    };
    for (from, condition, stays) in [
        ("fortinbras@example.net", "remote-server-not-found", true),
        ("norway@example.net", "gone", true),
        ("fortinbras@example.net", "gone", false),
    ] {
        world.from_remote(&error(from, condition));
        world.to_remote();
        world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
        assert_eq!(world.to_remote().len(), usize::from(stays), "{from} {condition}");
    }
}

#[test]
fn subscriptions_outlive_a_restart() {
    let (mut world, _, horatio) = elsinore(&[]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    world.restart();
    let (hamlet, horatio) = (world.online("hamlet", "elsinore"), world.online("horatio", "castle"));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    assert_eq!(world.drain(horatio).len(), 1);
}

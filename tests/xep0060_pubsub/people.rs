//! §8.6, §8.8, §8.9: how owners manage who has to do with a node.

use super::*;

/// Makes somebody something at the node "musings".
#[track_caller]
pub fn affiliate(world: &mut World, owner: Client, name: &str, affiliation: &str) {
    world.expect_result(owner, &affiliating(&[(name, affiliation)]));
}

fn affiliating(changes: &[(&str, &str)]) -> String {
    let changes = changes.iter().map(|(name, affiliation)| {
        format!("<affiliation jid='{name}@example.org' affiliation='{affiliation}'/>")
    });
    owner_set(
        SERVICE,
        &format!("<affiliations node='musings'>{}</affiliations>", changes.collect::<String>()),
    )
}

fn listed(kind: &str) -> String {
    owner_get(SERVICE, &format!("<{kind} node='musings'/>"))
}

// §8.9.1, §8.9.3
#[test]
fn affiliations_are_listed_and_none_is_not() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    affiliate(&mut world, hamlet, "horatio", "publisher");
    affiliate(&mut world, hamlet, "claudius", "outcast");
    affiliate(&mut world, hamlet, "claudius", "none");
    world.send(hamlet, &listed("affiliations"));
    world.expect(
        hamlet,
        &format!(
            "<iq type='result' id='q' from='{SERVICE}' to='hamlet@example.org/elsinore'><pubsub xmlns='{OWNER}'>\
             <affiliations node='musings'><affiliation jid='hamlet@example.org' affiliation='owner'/>\
             <affiliation jid='horatio@example.org' affiliation='publisher'/></affiliations></pubsub></iq>"
        ),
    );
    refused(&mut world, horatio, &listed("affiliations"), "forbidden", "");
    refused(&mut world, horatio, &affiliating(&[("horatio", "owner")]), "forbidden", "");
    let nowhere = owner_get(SERVICE, "<affiliations node='nonsense'/>");
    refused(&mut world, hamlet, &nowhere, "item-not-found", "");
}

// §8.9.2.4: "an action which MUST NOT be allowed if there is only one owner"; "the pubsub service MUST return any
// <affiliation/> element(s) which caused the error. Returned entities which failed to be modified MUST include the existing
// 'affiliation' attribute. Any [...] elements which are not returned in an IQ error case MUST be treated as successful"
#[test]
fn what_cannot_be_changed_comes_back_and_the_rest_is_done() {
    let (mut world, hamlet, _) = elsinore(&[]);
    let changes = [("hamlet", "none"), ("horatio", "member"), ("claudius", "king")];
    let error = refused(&mut world, hamlet, &affiliating(&changes), "not-acceptable", "");
    let refused_ones = format!(
        "<pubsub xmlns='{OWNER}'><affiliations node='musings'><affiliation jid='hamlet@example.org' affiliation='owner'/>\
         <affiliation jid='claudius@example.org' affiliation='none'/></affiliations></pubsub>"
    );
    assert!(show(&error).contains(&refused_ones), "{}", show(&error));
    assert!(show(&world.expect_result(hamlet, &listed("affiliations"))).contains("affiliation='member'"));
    // With another owner one can go.
    affiliate(&mut world, hamlet, "horatio", "owner");
    affiliate(&mut world, hamlet, "hamlet", "none");
    refused(&mut world, hamlet, &listed("affiliations"), "forbidden", "");
}

// §8.9.2.4 "The owner MUST NOT specify multiple <affiliation/> elements for the same entity; otherwise the service MUST
// return a bad-request error."
#[test]
fn nobody_becomes_two_things_at_once() {
    let (mut world, hamlet, _) = elsinore(&[]);
    let twice = affiliating(&[("horatio", "member"), ("horatio", "outcast")]);
    refused(&mut world, hamlet, &twice, "bad-request", "");
    refused(&mut world, hamlet, &affiliating(&[("@", "member")]), "bad-request", "");
    assert!(!show(&world.expect_result(hamlet, &listed("affiliations"))).contains("horatio"));
}

#[test]
fn an_outcast_is_unsubscribed() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    affiliate(&mut world, hamlet, "horatio", "outcast");
    let gone = "<subscription node='musings' jid='horatio@example.org' subscription='none'/>";
    world.expect(horatio, &event(SERVICE, "horatio@example.org", gone));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_nothing(horatio);
}

#[test]
fn a_node_has_to_do_with_so_many() {
    let (mut world, hamlet, _) = elsinore(&[]);
    let crowd: Vec<String> = (0..999).map(|n| format!("user{n}")).collect();
    let changes: Vec<(&str, &str)> = crowd.iter().map(|name| (name.as_str(), "member")).collect();
    world.expect_result(hamlet, &affiliating(&changes));
    refused(
        &mut world,
        hamlet,
        &affiliating(&[("one-more", "member")]),
        "policy-violation",
        "too-many-subscriptions",
    );
}

// §8.8.1
#[test]
fn subscriptions_are_listed_and_pending_ones_are_not() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "authorize")]);
    affiliate(&mut world, hamlet, "horatio", "member");
    let claudius = world.online("claudius", "throne");
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org/castle"));
    world.expect_result(claudius, &subscribe("musings", "claudius@example.org"));
    world.clear(hamlet);
    world.send(hamlet, &listed("subscriptions"));
    world.expect(
        hamlet,
        &format!(
            "<iq type='result' id='q' from='{SERVICE}' to='hamlet@example.org/elsinore'><pubsub xmlns='{OWNER}'>\
             <subscriptions node='musings'><subscription jid='horatio@example.org/castle' subscription='subscribed'/>\
             </subscriptions></pubsub></iq>"
        ),
    );
    refused(&mut world, horatio, &listed("subscriptions"), "forbidden", "");
}

fn subscribing(changes: &[(&str, &str)]) -> String {
    let changes = changes
        .iter()
        .map(|(name, state)| format!("<subscription jid='{name}@example.org' subscription='{state}'/>"));
    owner_set(
        SERVICE,
        &format!("<subscriptions node='musings'>{}</subscriptions>", changes.collect::<String>()),
    )
}

// §8.8.2, §8.8.3, §8.8.4
#[test]
fn an_owner_approves_and_ends_subscriptions_and_subscribes_nobody() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "authorize")]);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    world.expect_result(hamlet, &subscribing(&[("horatio", "subscribed")]));
    let state = |state: &str| {
        let content =
            format!("<subscription node='musings' jid='horatio@example.org' subscription='{state}'/>");
        event(SERVICE, "horatio@example.org", &content)
    };
    world.expect(horatio, &state("subscribed"));
    assert!(show(&world.receive(horatio)).contains("<delay"), "the last item");
    world.expect_result(hamlet, &subscribing(&[("horatio", "none")]));
    world.expect(horatio, &state("none"));
    let error =
        refused(&mut world, hamlet, &subscribing(&[("claudius", "subscribed")]), "not-acceptable", "");
    assert!(show(&error).contains("<subscription jid='claudius@example.org' subscription='none'/>"));
    refused(&mut world, horatio, &subscribing(&[("horatio", "subscribed")]), "forbidden", "");
}

fn answer(id: &str, kind: &str, allow: &str) -> String {
    format!(
        "<message to='{SERVICE}' id='{id}'><x xmlns='jabber:x:data' type='{kind}'><field var='FORM_TYPE'>\
         <value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field>\
         <field var='pubsub#node'><value>musings</value></field>\
         <field var='pubsub#subscriber_jid'><value>horatio@example.org</value></field>\
         <field var='pubsub#allow'><value>{allow}</value></field></x></message>"
    )
}

// §8.6
#[test]
fn the_owner_is_asked_and_the_answer_decides() {
    for (kind, allow, state) in
        [("submit", "true", Some("subscribed")), ("submit", "0", Some("none")), ("cancel", "1", None)]
    {
        let (mut world, hamlet, horatio) = elsinore(&[("access_model", "authorize")]);
        world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
        let question = world.receive(hamlet);
        let form = show(&question);
        assert!(form.contains("type='form'") && form.contains("pubsub#subscribe_authorization"), "{form}");
        assert!(
            form.contains("<value>musings</value>") && form.contains("<value>horatio@example.org</value>")
        );
        let id = question.get_attr("id").expect("an id").to_owned();
        // Nobody else's answer counts.
        world.send(horatio, &answer(&id, "submit", "1"));
        world.expect_bounce(horatio, "forbidden");
        world.send(hamlet, &answer(&id, kind, allow));
        world.expect_nothing(hamlet);
        match state {
            None => world.expect_nothing(horatio),
            Some(state) => {
                let content = format!(
                    "<subscription node='musings' jid='horatio@example.org' subscription='{state}'/>"
                );
                world.expect(horatio, &event(SERVICE, "horatio@example.org", &content));
            }
        }
        world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
        assert_eq!(world.drain(horatio).len(), usize::from(state == Some("subscribed")));
    }
}

// §8.7: "the service SHOULD automatically approve the subscription request"
#[test]
fn whoever_becomes_a_member_need_not_wait() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "authorize")]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    affiliate(&mut world, hamlet, "horatio", "member");
    let content = "<subscription node='musings' jid='horatio@example.org' subscription='subscribed'/>";
    world.expect(horatio, &event(SERVICE, "horatio@example.org", content));
}

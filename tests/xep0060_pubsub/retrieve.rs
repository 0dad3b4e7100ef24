//! §6.5: items for those who ask.

use super::*;

fn published(config: &[(&str, &str)], count: usize) -> (World, Client, Client) {
    let (mut world, hamlet, horatio) = elsinore(config);
    for n in 1..=count {
        world.expect_result(hamlet, &publish(SERVICE, "musings", &n.to_string()));
    }
    (world, hamlet, horatio)
}

// §6.5.3
#[test]
fn all_items_come_in_the_order_of_their_publication() {
    let (mut world, _, horatio) = published(&[], 3);
    world.send(horatio, &get(SERVICE, "<items node='musings'/>"));
    world.expect(
        horatio,
        &format!(
            "<iq type='result' id='q' from='{SERVICE}' to='horatio@example.org/castle'><pubsub xmlns='{PUBSUB}'>\
             <items node='musings'>{}{}{}</items></pubsub></iq>",
            item("1"),
            item("2"),
            item("3")
        ),
    );
}

// §6.5.7
#[test]
fn the_most_recent_items_can_be_asked_for() {
    let (mut world, _, horatio) = published(&[], 3);
    let recent = |max: &str| get(SERVICE, &format!("<items node='musings' max_items='{max}'/>"));
    assert_eq!(ids(&mut world, horatio, &recent("2")), ["2", "3"]);
    assert_eq!(ids(&mut world, horatio, &recent("10")), ["1", "2", "3"]);
    for max in ["0", "-1", "many", "99999999999999999999999"] {
        world.expect_error(horatio, &recent(max), "bad-request");
    }
}

// §6.5.6, §6.5.8 "implementations MUST allow multiple items to be specified in the request"; §6.5.9.12 "the service SHOULD
// return an IQ stanza of type "result" with an empty <items/> element"
#[test]
fn certain_items_can_be_asked_for() {
    let (mut world, _, horatio) = published(&[], 3);
    let some = |content: &str| get(SERVICE, &format!("<items node='musings'>{content}</items>"));
    assert_eq!(ids(&mut world, horatio, &some("<item id='3'/><item id='1'/><item id='7'/>")), ["1", "3"]);
    assert_eq!(ids(&mut world, horatio, &some("<item id='7'/>")), [""; 0]);
}

fn paged(set: &str) -> String {
    let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>");
    get(SERVICE, &format!("<items node='musings'/>{set}"))
}

fn rsm(answer: &Element) -> Element {
    let pubsub = answer.find("pubsub", PUBSUB).expect("pubsub");
    pubsub.find("set", "http://jabber.org/protocol/rsm").expect("a set").clone()
}

// §6.5.4, XEP-0059 §2.1, §2.2, §2.3, §2.5, §2.7
#[test]
fn items_can_be_had_page_by_page() {
    let (mut world, _, horatio) = published(&[], 5);
    assert_eq!(ids(&mut world, horatio, &paged("<max>2</max>")), ["1", "2"]);
    assert_eq!(ids(&mut world, horatio, &paged("<max>2</max><after>2</after>")), ["3", "4"]);
    assert_eq!(ids(&mut world, horatio, &paged("<max>2</max><before/>")), ["4", "5"]);
    assert_eq!(ids(&mut world, horatio, &paged("<max>2</max><before>4</before>")), ["2", "3"]);
    let answer = world.expect_result(horatio, &paged("<max>2</max><after>2</after>"));
    let set = show(&rsm(&answer));
    assert!(set.contains("<first index='2'>3</first><last>4</last><count>5</count>"), "{set}");
    let count = world.expect_result(horatio, &paged("<max>0</max>"));
    assert!(show(&rsm(&count)).contains("'><count>5</count></set>"), "{}", show(&count));
    world.expect_error(horatio, &paged("<after>7</after>"), "item-not-found");
    world.expect_error(horatio, &paged("<max>-1</max>"), "bad-request");
}

// §6.5.4: "it MAY truncate the result set [...] the service SHOULD return some of the items and note that the list of items
// has been truncated"
#[test]
fn what_is_too_much_for_one_answer_comes_as_a_page() {
    let mut world = World::with(|config| {
        config.limits.outbox_bytes = stube::config::Limit::of(10_000);
        config.limits.stanza_bytes = stube::config::Limit::of(10_000);
    });
    let hamlet = world.online("hamlet", "elsinore");
    create(&mut world, hamlet, SERVICE, "musings", &[]);
    for n in 1..=4 {
        let item = format!("<item id='{n}'>{}</item>", note(&"x".repeat(2000)));
        world.expect_result(hamlet, &set(SERVICE, &format!("<publish node='musings'>{item}</publish>")));
    }
    let all = get(SERVICE, "<items node='musings'/>");
    assert_eq!(ids(&mut world, hamlet, &all), ["1", "2"]);
    let answer = world.expect_result(hamlet, &all);
    assert!(show(&rsm(&answer)).contains("<last>2</last><count>4</count>"));
    assert_eq!(ids(&mut world, hamlet, &paged("<after>2</after>")), ["3", "4"]);
    assert_eq!(ids(&mut world, hamlet, &paged("<before/>")), ["3", "4"]);
}

// §6.5.9
#[test]
fn access_to_items_follows_the_access_model() {
    let (mut world, hamlet, horatio) = published(&[("access_model", "whitelist")], 1);
    let items = get(SERVICE, "<items node='musings'/>");
    refused(&mut world, horatio, &items, "not-allowed", "closed-node");
    for affiliation in ["member", "publisher", "owner"] {
        people::affiliate(&mut world, hamlet, "horatio", affiliation);
        assert_eq!(ids(&mut world, horatio, &items), ["1"], "{affiliation}");
    }
    people::affiliate(&mut world, hamlet, "horatio", "outcast");
    refused(&mut world, horatio, &items, "forbidden", "");
    people::affiliate(&mut world, hamlet, "horatio", "none");
    for (model, detail) in [
        ("presence", "presence-subscription-required"),
        ("roster", "not-in-roster-group"),
        ("authorize", "not-subscribed"),
    ] {
        configure(&mut world, hamlet, SERVICE, "musings", &[("access_model", model)]);
        refused(&mut world, horatio, &items, "not-authorized", detail);
    }
    configure(&mut world, hamlet, SERVICE, "musings", &[("access_model", "open")]);
    assert_eq!(ids(&mut world, horatio, &items), ["1"]);
}

// §6.5.9.4, §6.5.9.11
#[test]
fn a_node_must_be_there_and_keep_its_items() {
    let (mut world, _, horatio) = elsinore(&[("persist_items", "0")]);
    unsupported(&mut world, horatio, &get(SERVICE, "<items node='musings'/>"), "persistent-items");
    refused(&mut world, horatio, &get(SERVICE, "<items node='nonsense'/>"), "item-not-found", "");
    refused(&mut world, horatio, &get(SERVICE, "<items/>"), "bad-request", "nodeid-required");
}

#[test]
fn items_outlive_a_restart_in_their_order() {
    let (mut world, hamlet, _) = published(&[], 3);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "2"));
    world.restart();
    let hamlet = world.online("hamlet", "elsinore");
    assert_eq!(all_ids(&mut world, hamlet, SERVICE, "musings"), ["1", "3", "2"]);
}

#[test]
fn items_that_are_not_on_disk_yet_are_there() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.hold_commits();
    world.send(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_nothing(hamlet);
    assert_eq!(all_ids(&mut world, horatio, SERVICE, "musings"), ["1"]);
    world.commit();
    assert!(world.answer(hamlet, "q").is_some());
    // And after what is not used has left the memory.
    world.advance(200_000);
    assert_eq!(all_ids(&mut world, horatio, SERVICE, "musings"), ["1"]);
}

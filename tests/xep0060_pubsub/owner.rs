//! §8.1 to §8.5: what owners do with nodes.

use super::*;

// §8.1.1
#[test]
fn accounts_of_the_domain_make_nodes_and_others_do_not() {
    let mut world = World::federated();
    let hamlet = world.online("hamlet", "elsinore");
    world.expect_result(hamlet, &set(SERVICE, "<create node='musings'/>"));
    refused(&mut world, hamlet, &set(SERVICE, "<create node='musings'/>"), "conflict", "");
    world.from_remote(&format!(
        "<iq type='set' id='s' from='fortinbras@example.net/x' to='{SERVICE}'><pubsub xmlns='{PUBSUB}'><create node='x'/></pubsub></iq>"
    ));
    assert_eq!(condition_of(&world.to_remote().pop().expect("an answer")).as_deref(), Some("forbidden"));
    let long = format!("<create node='{}'/>", "x".repeat(2000));
    refused(&mut world, hamlet, &set(SERVICE, &long), "not-acceptable", "");
}

// §8.1.1: instant nodes
#[test]
fn a_node_without_a_name_gets_one() {
    let mut world = World::new();
    let hamlet = world.online("hamlet", "elsinore");
    let answer = world.expect_result(hamlet, &set(SERVICE, "<create/>"));
    let create = answer.find("pubsub", PUBSUB).and_then(|it| it.find("create", PUBSUB)).expect("a name");
    let name = create.get_attr("node").expect("a name").to_owned();
    world.expect_result(hamlet, &publish(SERVICE, &name, "1"));
    refused(&mut world, hamlet, &set("hamlet@example.org", "<create/>"), "not-acceptable", "nodeid-required");
}

// §8.1.3
#[test]
fn a_node_is_made_as_its_maker_wants() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "whitelist"), ("title", "Musings")]);
    refused(&mut world, horatio, &get(SERVICE, "<items node='musings'/>"), "not-allowed", "closed-node");
    let wrong = |configure: &str| set(SERVICE, &format!("<create node='other'/>{configure}"));
    let mut refuses = |configure: &str, condition: &str, detail: &str| {
        refused(&mut world, hamlet, &wrong(configure), condition, detail);
    };
    refuses("<configure node='other'/>", "bad-request", "");
    refuses("<publish node='other'/>", "bad-request", "");
    let config = |fields: &[(&str, &str)]| format!("<configure>{}</configure>", node_config(fields));
    refuses(&config(&[("access_model", "nonsense")]), "not-acceptable", "unsupported-access-model");
    refuses(&config(&[("max_items", "100000")]), "not-acceptable", "");
    refuses(&config(&[("node_type", "collection")]), "not-acceptable", "");
    world.expect_error(hamlet, &get(SERVICE, "<items node='other'/>"), "item-not-found");
    // An empty one means the defaults.
    world.expect_result(hamlet, &wrong("<configure/>"));
}

// §8.2
#[test]
fn an_owner_sees_and_changes_the_configuration() {
    let (mut world, hamlet, _) = elsinore(&[("title", "Musings")]);
    let ask = owner_get(SERVICE, "<configure node='musings'/>");
    let form = show(&world.expect_result(hamlet, &ask));
    assert!(form.contains("<value>http://jabber.org/protocol/pubsub#node_config</value>"), "{form}");
    assert!(form.contains(
        "<field var='pubsub#title' type='text-single' label='A name for people'><value>Musings</value>"
    ));
    // What is not in the form stays (XEP-0004 §3.1), and what nobody asked for does not matter.
    configure(&mut world, hamlet, SERVICE, "musings", &[("description", "To be"), ("colour", "black")]);
    let form = show(&world.expect_result(hamlet, &ask));
    assert!(form.contains("<value>Musings</value>") && form.contains("<value>To be</value>"), "{form}");
    configure(&mut world, hamlet, SERVICE, "musings", &[("title", "")]);
    assert!(!show(&world.expect_result(hamlet, &ask)).contains("<value>Musings</value>"));
}

// Each field that the form shows is taken as it is shown.
#[test]
fn the_form_can_be_submitted_as_it_comes() {
    let (mut world, hamlet, _) =
        elsinore(&[("contact", "hamlet@example.org"), ("roster_groups_allowed", "a|b")]);
    let ask = owner_get(SERVICE, "<configure node='musings'/>");
    let answer = world.expect_result(hamlet, &ask);
    let configure = answer.find("pubsub", OWNER).and_then(|it| it.find("configure", OWNER)).expect("a form");
    let submitted = show(configure).replacen("type='form'", "type='submit'", 1);
    world.expect_result(hamlet, &owner_set(SERVICE, &submitted));
    assert_eq!(world.expect_result(hamlet, &ask), answer);
}

// §8.2.3, §8.2.5.2
#[test]
fn configuring_can_be_refused() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    for content in ["<configure node='musings'/>", "<configure node='nonsense'/>", "<configure/>"] {
        let (condition, detail) = match content {
            "<configure/>" => ("bad-request", "nodeid-required"),
            content if content.contains("nonsense") => ("item-not-found", ""),
            _ => ("forbidden", ""),
        };
        refused(&mut world, horatio, &owner_get(SERVICE, content), condition, detail);
    }
    let content = |form: &str| owner_set(SERVICE, &format!("<configure node='musings'>{form}</configure>"));
    let title = node_config(&[("title", "Mine")]);
    refused(&mut world, horatio, &content(&title), "forbidden", "");
    refused(&mut world, hamlet, &content(""), "bad-request", "");
    refused(&mut world, hamlet, &content("<x xmlns='jabber:x:data' type='form'/>"), "bad-request", "");
    for (field, value) in [
        ("persist_items", "perhaps"),
        ("max_items", "0"),
        ("max_items", "-1"),
        ("max_items", "4294967295"),
        ("item_expire", "soon"),
        ("publish_model", "nobody"),
        ("send_last_published_item", "always"),
        ("title", "a|b"),
        ("contact", "@"),
        ("notification_type", "chat"),
    ] {
        // The field before the wrong one changes nothing either.
        let form = node_config(&[("description", "changed"), (field, value)]);
        refused(&mut world, hamlet, &content(&form), "not-acceptable", "");
    }
    let form = show(&world.expect_result(hamlet, &owner_get(SERVICE, "<configure node='musings'/>")));
    assert!(!form.contains("changed"), "{form}");
    // §8.2.4: "the owner MAY cancel the configuration process"
    world.expect_result(hamlet, &content("<x xmlns='jabber:x:data' type='cancel'/>"));
}

// §8.2.5.3
#[test]
fn subscribers_can_be_told_of_a_new_configuration() {
    let (mut world, hamlet, horatio) = elsinore(&[("notify_config", "1"), ("deliver_payloads", "0")]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    configure(&mut world, hamlet, SERVICE, "musings", &[("title", "Musings")]);
    world.expect(horatio, &event(SERVICE, "horatio@example.org", "<configuration node='musings'/>"));
    configure(&mut world, hamlet, SERVICE, "musings", &[("deliver_payloads", "1")]);
    let with_form = show(&world.receive(horatio));
    assert!(
        with_form.contains("<configuration node='musings'><x xmlns='jabber:x:data' type='result'>"),
        "{with_form}"
    );
}

#[test]
fn with_less_room_the_oldest_items_go() {
    let (mut world, hamlet, _) = elsinore(&[]);
    for id in ["1", "2", "3"] {
        world.expect_result(hamlet, &publish(SERVICE, "musings", id));
    }
    configure(&mut world, hamlet, SERVICE, "musings", &[("max_items", "2")]);
    assert_eq!(all_ids(&mut world, hamlet, SERVICE, "musings"), ["2", "3"]);
    configure(&mut world, hamlet, SERVICE, "musings", &[("persist_items", "0")]);
    configure(&mut world, hamlet, SERVICE, "musings", &[("persist_items", "1")]);
    assert_eq!(all_ids(&mut world, hamlet, SERVICE, "musings"), [""; 0]);
}

// XEP-0163 §7.1, and as much at a service
#[test]
fn who_may_not_have_a_node_any_more_loses_the_subscription() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    configure(&mut world, hamlet, SERVICE, "musings", &[("access_model", "whitelist")]);
    let gone = "<subscription node='musings' jid='horatio@example.org' subscription='none'/>";
    world.expect(horatio, &event(SERVICE, "horatio@example.org", gone));
    configure(&mut world, hamlet, SERVICE, "musings", &[("access_model", "open")]);
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.expect_nothing(horatio);
}

// §8.3
#[test]
fn the_defaults_can_be_asked_for() {
    let mut world = World::new();
    let hamlet = world.online("hamlet", "elsinore");
    let at_service = show(&world.expect_result(hamlet, &owner_get(SERVICE, "<default/>")));
    assert!(
        at_service.contains("<field var='pubsub#access_model'") && at_service.contains("<value>open</value>")
    );
    // XEP-0163 §5: "presence", with payloads, on_sub_and_presence
    let own = show(&world.expect_result(hamlet, &owner_get("hamlet@example.org", "<default/>")));
    for value in ["presence", "on_sub_and_presence"] {
        assert!(own.contains(&format!("'><value>{value}</value><option")), "{own}");
    }
    assert!(own.contains("label='Whether they have the items&apos; content'><value>1</value>"), "{own}");
}

// §8.4
#[test]
fn a_deleted_node_is_gone_with_its_items_and_subscribers_are_told() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    world.expect_result(hamlet, &publish(SERVICE, "musings", "1"));
    world.clear(horatio);
    let delete = owner_set(SERVICE, "<delete node='musings'/>");
    refused(&mut world, horatio, &delete, "forbidden", "");
    world.expect_result(hamlet, &delete);
    world.expect(horatio, &event(SERVICE, "horatio@example.org", "<delete node='musings'/>"));
    refused(&mut world, hamlet, &delete, "item-not-found", "");
    // A new one of the same name begins empty, at once and after a restart.
    create(&mut world, hamlet, SERVICE, "musings", &[]);
    assert_eq!(all_ids(&mut world, hamlet, SERVICE, "musings"), [""; 0]);
    world.restart();
    let hamlet = world.online("hamlet", "elsinore");
    assert_eq!(all_ids(&mut world, hamlet, SERVICE, "musings"), [""; 0]);
}

// §8.4.1, §8.4.2: "which SHOULD include pending and unconfigured subscriptions"
#[test]
fn a_deletion_can_say_where_to_go_even_to_those_who_wait() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "authorize")]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    let redirect = "<redirect uri='xmpp:hamlet@example.org'/>";
    world.expect_result(hamlet, &owner_set(SERVICE, &format!("<delete node='musings'>{redirect}</delete>")));
    let content = format!("<delete node='musings'>{redirect}</delete>");
    world.expect(horatio, &event(SERVICE, "horatio@example.org", &content));
}

// §8.5
#[test]
fn a_purge_takes_all_items_and_is_told_once() {
    let (mut world, hamlet, horatio) = elsinore(&[]);
    world.expect_result(horatio, &subscribe("musings", "horatio@example.org"));
    for id in ["1", "2"] {
        world.expect_result(hamlet, &publish(SERVICE, "musings", id));
    }
    world.clear(horatio);
    let purge = owner_set(SERVICE, "<purge node='musings'/>");
    refused(&mut world, horatio, &purge, "forbidden", "");
    world.expect_result(hamlet, &purge);
    world.expect(horatio, &event(SERVICE, "horatio@example.org", "<purge node='musings'/>"));
    world.expect_nothing(horatio);
    assert_eq!(all_ids(&mut world, hamlet, SERVICE, "musings"), [""; 0]);
    refused(&mut world, hamlet, &owner_set(SERVICE, "<purge node='nonsense'/>"), "item-not-found", "");
    configure(&mut world, hamlet, SERVICE, "musings", &[("persist_items", "0")]);
    unsupported(&mut world, hamlet, &purge, "persistent-items");
}

#[test]
fn one_account_has_so_many_nodes() {
    let mut world = World::with(|config| config.limits.pubsub_nodes = stube::config::Limit::of(2));
    let (hamlet, horatio) = (world.online("hamlet", "elsinore"), world.online("horatio", "castle"));
    let make = |to: &str, node: &str| set(to, &format!("<create node='{node}'/>"));
    for to in [SERVICE, "hamlet@example.org"] {
        world.expect_result(hamlet, &make(to, "1"));
        world.expect_result(hamlet, &make(to, "2"));
        refused(&mut world, hamlet, &make(to, "3"), "resource-constraint", "");
        refused(&mut world, hamlet, &publish(to, "3", "1"), "resource-constraint", "");
    }
    world.expect_result(horatio, &make(SERVICE, "3"));
}

// Whoever registers the name later is somebody else.
#[test]
fn the_nodes_and_rights_of_an_account_at_the_service_go_with_it() {
    let (mut world, hamlet, horatio) = elsinore(&[("access_model", "whitelist")]);
    people::affiliate(&mut world, hamlet, "horatio", "member");
    world.expect_result(horatio, &set(SERVICE, "<create node='horatios'/>"));
    world.expect_result(horatio, &set(SERVICE, "<create node='shared'/>"));
    let content = "<affiliations node='shared'><affiliation jid='hamlet@example.org' affiliation='owner'/></affiliations>";
    world.expect_result(horatio, &owner_set(SERVICE, content));
    world.control(stube::control::Request::UserRemove { address: "horatio@example.org".into() });
    let again = world.online("horatio", "castle");
    refused(&mut world, again, &get(SERVICE, "<items node='musings'/>"), "not-allowed", "closed-node");
    refused(&mut world, again, &get(SERVICE, "<items node='horatios'/>"), "item-not-found", "");
    refused(&mut world, again, &owner_get(SERVICE, "<configure node='shared'/>"), "forbidden", "");
    world.expect_result(hamlet, &owner_get(SERVICE, "<configure node='shared'/>"));
}

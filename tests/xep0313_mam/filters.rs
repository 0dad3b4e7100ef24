//! Which messages a question is about (§4.1).

use super::*;

// §4.1.5
#[test]
fn the_form_has_all_fields_and_requires_none() {
    let (mut world, romeo, _) = world();
    let answer = world.expect_result(romeo, &format!("<iq type='get' id='f'><query xmlns='{MAM}'/></iq>"));
    let form = answer.find("query", MAM).and_then(|query| query.find("x", "jabber:x:data")).expect("a form");
    let fields: Vec<_> =
        form.children().map(|field| (field.get_attr("var"), field.get_attr("type"))).collect();
    let expected = [
        ("FORM_TYPE", "hidden"),
        ("with", "jid-single"),
        ("start", "text-single"),
        ("end", "text-single"),
        ("before-id", "text-single"),
        ("after-id", "text-single"),
        ("ids", "list-multi"),
        ("include-groupchat", "boolean"),
    ];
    assert_eq!(fields, expected.map(|(var, kind)| (Some(var), Some(kind))));
    let text = show(form);
    assert!(!text.contains("<required"), "{text}");
    let open =
        "<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate>";
    assert!(text.contains(open), "{text}");
}

// §4.1.1
#[test]
fn a_bare_address_stands_for_all_its_resources_and_a_full_one_for_itself() {
    let (mut world, romeo, juliet) = world();
    let chamber = world.online("juliet", "chamber");
    let nurse = world.online("nurse", "x");
    say(&mut world, romeo, "juliet", "to all of you");
    say(&mut world, romeo, "juliet@example.org/chamber", "to the chamber");
    say(&mut world, juliet, "romeo", "from the balcony");
    say(&mut world, chamber, "romeo", "from the chamber");
    say(&mut world, nurse, "romeo", "from the nurse");
    let with = |world: &mut World, jid: &str| found(world, romeo, &form(&[("with", jid)]));
    assert_eq!(
        with(&mut world, "juliet@example.org"),
        ["to all of you", "to the chamber", "from the balcony", "from the chamber"]
    );
    assert_eq!(with(&mut world, "JULIET@Example.org/chamber"), ["to the chamber", "from the chamber"]);
    assert_eq!(with(&mut world, "juliet@example.org/balcony"), ["from the balcony"]);
    assert_eq!(with(&mut world, "nurse@example.org"), ["from the nurse"]);
    assert!(with(&mut world, "nurse@example.org/y").is_empty());
    assert!(with(&mut world, "nurse@example.or").is_empty());
    assert!(with(&mut world, "example.org").is_empty());
    assert_eq!(with(&mut world, "").len(), 5, "an empty value is none");
}

// "only return results where both the 'to' and 'from' match the bare JID"
#[test]
fn with_ones_own_address_are_the_notes_to_oneself() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "not this");
    say(&mut world, juliet, "romeo", "nor this");
    say(&mut world, romeo, "romeo", "note");
    say(&mut world, romeo, "romeo@example.org/orchard", "another");
    assert_eq!(found(&mut world, romeo, &form(&[("with", "romeo@example.org")])), ["note", "another"]);
}

// §4.1.2
#[test]
fn start_and_end_take_in_the_moments_that_they_name() {
    let (mut world, romeo, _) = world();
    for text in ["11.000", "12.000", "13.000"] {
        say(&mut world, romeo, "juliet", text);
        world.advance(1_000);
    }
    let between = |world: &mut World, fields: &[(&str, &str)]| found(world, romeo, &form(fields));
    let at = |second: &str| format!("2026-11-22T13:11:{second}Z");
    assert_eq!(between(&mut world, &[("start", &at("12"))]), ["12.000", "13.000"]);
    assert_eq!(between(&mut world, &[("start", &at("12.0001"))]), ["13.000"]);
    assert_eq!(between(&mut world, &[("end", &at("12.000"))]), ["11.000", "12.000"]);
    assert_eq!(between(&mut world, &[("end", &at("11.9999"))]), ["11.000"]);
    assert_eq!(between(&mut world, &[("start", &at("12")), ("end", &at("12"))]), ["12.000"]);
    assert_eq!(
        between(&mut world, &[("start", "2026-11-22T14:11:12+01:00"), ("end", &at("12"))]),
        ["12.000"]
    );
    assert!(between(&mut world, &[("start", &at("13")), ("end", &at("12"))]).is_empty());
    assert_eq!(
        between(&mut world, &[("start", "0001-01-01T00:00:00Z"), ("end", "9999-12-31T23:59:59Z")]).len(),
        3
    );
    assert_eq!(between(&mut world, &[("start", ""), ("end", "")]).len(), 3);
}

// §4.1.3
#[test]
fn before_and_after_an_id_leave_out_its_message() {
    let (mut world, romeo, _) = world();
    say_numbers(&mut world, romeo, "juliet", 0..5);
    let ids = all_ids(&mut world, romeo);
    assert_eq!(found(&mut world, romeo, &form(&[("after-id", &ids[2])])), ["3", "4"]);
    assert_eq!(found(&mut world, romeo, &form(&[("before-id", &ids[2])])), ["0", "1"]);
    assert_eq!(found(&mut world, romeo, &form(&[("after-id", &ids[0]), ("before-id", &ids[3])])), ["1", "2"]);
    assert!(found(&mut world, romeo, &form(&[("after-id", &ids[3]), ("before-id", &ids[1])])).is_empty());
    assert!(found(&mut world, romeo, &form(&[("after-id", &ids[4])])).is_empty());
}

#[test]
fn messages_are_found_by_their_ids_in_their_own_order() {
    let (mut world, romeo, _) = world();
    say_numbers(&mut world, romeo, "juliet", 0..5);
    let ids = all_ids(&mut world, romeo);
    let wanted = |ids: &[&String]| {
        let values: String = ids.iter().map(|id| format!("<value>{id}</value>")).collect();
        form(&[]).replace("</x>", &format!("<field var='ids'>{values}</field></x>"))
    };
    assert_eq!(found(&mut world, romeo, &wanted(&[&ids[4], &ids[1], &ids[1]])), ["1", "4"]);
    assert_eq!(found(&mut world, romeo, &wanted(&[&ids[0]])), ["0"]);
    let both = wanted(&[&ids[0], &ids[3], &ids[4]]) + &set("<max>1</max><before/>");
    assert_eq!(found(&mut world, romeo, &both), ["4"]);
    let unknown = "0123456789abcdef".to_owned();
    assert_eq!(refused(&mut world, romeo, &wanted(&[&ids[0], &unknown])), "item-not-found");
    let many: Vec<&String> = std::iter::repeat_n(&ids[0], 251).collect();
    assert_eq!(refused(&mut world, romeo, &wanted(&many)), "not-acceptable");
}

#[test]
fn an_id_that_is_not_in_the_archive_is_not_found_and_that_of_anothers_message_neither() {
    let (mut world, romeo, juliet) = world();
    let nurse = world.online("nurse", "x");
    say(&mut world, romeo, "juliet", "one");
    say(&mut world, nurse, "juliet", "two");
    let foreign = all_ids(&mut world, nurse).remove(0);
    for id in ["0123456789abcdef", "x", "ÿ", "99999999999999999999", foreign.as_str()] {
        for field in ["before-id", "after-id", "ids"] {
            assert_eq!(refused(&mut world, romeo, &form(&[(field, id)])), "item-not-found", "{field} {id}");
        }
        for element in ["before", "after"] {
            let page = set(&format!("<{element}>{id}</{element}>"));
            assert_eq!(refused(&mut world, romeo, &page), "item-not-found", "{element} {id}");
        }
    }
    world.hold_commits();
    say(&mut world, nurse, "juliet", "three");
    let uncommitted = all_ids(&mut world, juliet).remove(2);
    assert_eq!(refused(&mut world, romeo, &form(&[("after-id", &uncommitted)])), "item-not-found");
}

// §4.1.4
#[test]
fn what_is_said_in_rooms_may_be_asked_for() {
    let (mut world, romeo, _) = world();
    say(&mut world, romeo, "juliet", "hi");
    for value in ["true", "false", "1", "0"] {
        assert_eq!(found(&mut world, romeo, &form(&[("include-groupchat", value)])), ["hi"]);
    }
    assert_eq!(refused(&mut world, romeo, &form(&[("include-groupchat", "maybe")])), "bad-request");
}

#[test]
fn filters_work_together() {
    let (mut world, romeo, juliet) = world();
    let nurse = world.online("nurse", "x");
    for n in 0..4 {
        say(&mut world, juliet, "romeo", &format!("j{n}"));
        say(&mut world, nurse, "romeo", &format!("n{n}"));
        world.advance(1_000);
    }
    let ids = all_ids(&mut world, romeo);
    let fields = [
        ("with", "nurse@example.org"),
        ("start", "2026-11-22T13:11:12Z"),
        ("end", "2026-11-22T13:11:14Z"),
        ("before-id", ids[6].as_str()),
    ];
    assert_eq!(found(&mut world, romeo, &form(&fields)), ["n1", "n2"]);
}

// "If a client includes a form field that the server does not recognise"
#[test]
fn a_field_that_is_not_known_is_not_implemented() {
    let (mut world, romeo, _) = world();
    for value in ["x", ""] {
        assert_eq!(
            refused(&mut world, romeo, &form(&[("{urn:x}full-text", value)])),
            "feature-not-implemented"
        );
    }
}

#[test]
fn a_form_that_makes_no_sense_is_refused() {
    let (mut world, romeo, _) = world();
    say(&mut world, romeo, "juliet", "hi");
    for fields in [
        vec![("with", "@")],
        vec![("with", "juliet@example.org/")],
        vec![("start", "yesterday")],
        vec![("end", "2026-02-30T00:00:00Z")],
        vec![("with", "juliet@example.org"), ("with", "nurse@example.org")],
        vec![("FORM_TYPE", "urn:xmpp:mam:2")],
    ] {
        assert_eq!(refused(&mut world, romeo, &form(&fields)), "bad-request", "{fields:?}");
    }
    for wrong in [
        form(&[]).replace("submit", "form"),
        form(&[]).replace(MAM, "urn:xmpp:mam:1"),
        form(&[]).replace("</x>", "<field var='end'><value>a</value><value>b</value></field></x>"),
    ] {
        assert_eq!(refused(&mut world, romeo, &wrong), "bad-request", "{wrong}");
    }
    assert_eq!(found(&mut world, romeo, &form(&[])), ["hi"]);
}

// XEP-0442 is another text.
#[test]
fn there_are_no_archives_of_nodes_here() {
    let (mut world, romeo, _) = world();
    let request = format!("<iq type='set' id='q'><query xmlns='{MAM}' node='urn:x'/></iq>");
    world.expect_error(romeo, &request, "feature-not-implemented");
}

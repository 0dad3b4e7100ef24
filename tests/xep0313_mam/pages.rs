//! How results become pages (§4.3, XEP-0059), whatever their number and however slowly they are read.

use super::*;
use stube::config::Limit;
use stube::store::Table;

/// Romeo has said so many numbers to Juliet.
fn said(count: usize) -> (World, Client, Client) {
    let (mut world, romeo, juliet) = world();
    for from in (0..count).step_by(500) {
        say_numbers(&mut world, romeo, "juliet", from..count.min(from + 500));
        world.clear(juliet);
    }
    (world, romeo, juliet)
}

#[test]
fn a_page_has_fifty_messages_where_nothing_else_is_said_and_never_more_than_250() {
    let (mut world, romeo, _) = said(300);
    let (results, fin) = query(&mut world, romeo, "");
    assert_eq!(bodies(&results), numbers(0..50));
    let ids = ids(&results);
    assert_eq!(end(&fin), (false, Some(ids[0].clone()), Some(ids[49].clone()), None));
    for max in ["250", "251", "99999999999999999999"] {
        let page = set(&format!("<max>{max}</max>"));
        assert_eq!(found(&mut world, romeo, &page), numbers(0..250), "{max}");
    }
}

#[test]
fn forwards_page_after_page_gives_everything_once() {
    let (mut world, romeo, _) = said(25);
    let (mut all, mut after) = (Vec::new(), String::new());
    for n in 0..3 {
        let (results, fin) = query(&mut world, romeo, &set(&format!("<max>10</max>{after}")));
        all.extend(bodies(&results));
        let (complete, _, last, count) = end(&fin);
        assert_eq!((complete, count), (n == 2, None));
        after = format!("<after>{}</after>", last.expect("a last one"));
    }
    assert_eq!(all, numbers(0..25));
    let (results, fin) = query(&mut world, romeo, &set(&format!("<max>10</max>{after}")));
    assert!(results.is_empty());
    assert_eq!(end(&fin), (true, None, None, None));
}

#[test]
fn backwards_from_the_last_page_gives_everything_once_and_each_page_in_order() {
    let (mut world, romeo, _) = said(25);
    let (mut all, mut before) = (Vec::new(), "<before/>".to_owned());
    for n in 0..3 {
        let (results, fin) = query(&mut world, romeo, &set(&format!("<max>10</max>{before}")));
        let page = bodies(&results);
        assert_eq!(page, numbers((25_usize.saturating_sub(10 * (n + 1)))..25 - 10 * n));
        all.splice(0..0, page);
        let (complete, first, last, _) = end(&fin);
        assert_eq!(complete, n == 2);
        assert_eq!((first.as_ref(), last.as_ref()), (ids(&results).first(), ids(&results).last()));
        before = format!("<before>{}</before>", first.expect("a first one"));
    }
    assert_eq!(all, numbers(0..25));
    assert!(found(&mut world, romeo, &set(&format!("<max>10</max>{before}"))).is_empty());
}

#[test]
fn a_page_that_is_exactly_full_is_complete_if_nothing_follows() {
    let (mut world, romeo, _) = said(10);
    for page in ["<max>10</max>", "<max>10</max><before/>"] {
        let (results, fin) = query(&mut world, romeo, &set(page));
        assert_eq!(bodies(&results), numbers(0..10));
        let (complete, .., count) = end(&fin);
        assert_eq!((complete, count.as_deref()), (true, Some("10")));
    }
    assert!(!end(&query(&mut world, romeo, &set("<max>9</max>")).1).0);
}

// XEP-0059 §2.7; "or when results have been limited"
#[test]
fn a_page_of_nothing_says_whether_there_is_something() {
    let (mut world, romeo, _) = world();
    assert_eq!(end(&query(&mut world, romeo, &set("<max>0</max>")).1), (true, None, None, Some("0".into())));
    say(&mut world, romeo, "juliet", "hi");
    let (results, fin) = query(&mut world, romeo, &set("<max>0</max>"));
    assert!(results.is_empty());
    assert_eq!(end(&fin), (false, None, None, None));
}

// §4.3.4
#[test]
fn a_flipped_page_has_the_same_messages_in_reverse() {
    let (mut world, romeo, _) = said(25);
    for page in ["<max>10</max>", "<max>10</max><before/>"] {
        let (straight, fin) = query(&mut world, romeo, &set(page));
        let (flipped, flipped_fin) = query(&mut world, romeo, &(set(page) + "<flip-page/>"));
        let mut expected = bodies(&straight);
        expected.reverse();
        assert_eq!(bodies(&flipped), expected);
        assert_eq!(end(&flipped_fin), end(&fin));
    }
}

#[test]
fn pages_of_a_filtered_set_have_what_fits_and_nothing_else() {
    let (mut world, romeo, juliet) = world();
    let nurse = world.online("nurse", "x");
    for n in 0..20 {
        say(&mut world, if n % 4 == 0 { nurse } else { juliet }, "romeo", &n.to_string());
    }
    let with = form(&[("with", "nurse@example.org")]);
    let (results, fin) = query(&mut world, romeo, &(with.clone() + &set("<max>3</max>")));
    assert_eq!(bodies(&results), ["0", "4", "8"]);
    let (complete, _, last, _) = end(&fin);
    assert!(!complete);
    let after = set(&format!("<max>3</max><after>{}</after>", last.expect("a last one")));
    let (results, fin) = query(&mut world, romeo, &(with.clone() + &after));
    assert_eq!((bodies(&results), end(&fin).0), (strings(&["12", "16"]), true));
    // The id may be one that the filter leaves out.
    let ids = all_ids(&mut world, romeo);
    let page = with + &set(&format!("<max>2</max><before>{}</before>", ids[10]));
    assert_eq!(found(&mut world, romeo, &page), ["4", "8"]);
}

#[test]
fn a_page_that_makes_no_sense_is_refused() {
    let (mut world, romeo, _) = said(3);
    for max in ["-1", "", "many", "1.5"] {
        assert_eq!(refused(&mut world, romeo, &set(&format!("<max>{max}</max>"))), "bad-request", "{max}");
    }
    assert_eq!(refused(&mut world, romeo, &set("<index>1</index>")), "feature-not-implemented");
    assert_eq!(refused(&mut world, romeo, &set("<max>1</max><max>2</max>")), "bad-request");
}

#[test]
fn pages_go_on_from_what_was_on_disk_to_what_is_not() {
    let (mut world, romeo, _) = said(5);
    world.hold_commits();
    say_numbers(&mut world, romeo, "juliet", 5..10);
    for size in 1..=10 {
        for forwards in [true, false] {
            let (mut all, mut turn) = (Vec::new(), if forwards { "" } else { "<before/>" }.to_owned());
            for _ in 0..11 {
                let (results, fin) = query(&mut world, romeo, &set(&format!("<max>{size}</max>{turn}")));
                let (complete, first, last, _) = end(&fin);
                if forwards {
                    all.extend(bodies(&results));
                    turn = format!("<after>{}</after>", last.expect("some"));
                } else {
                    all.splice(0..0, bodies(&results));
                    turn = format!("<before>{}</before>", first.expect("some"));
                }
                if complete {
                    break;
                }
            }
            assert_eq!(all, numbers(0..10), "{size} {forwards}");
        }
    }
}

#[test]
fn large_messages_make_smaller_pages() {
    let (mut world, romeo, _) = world();
    let text = "x".repeat(100_000);
    for n in 0..5 {
        say(&mut world, romeo, "juliet", &format!("{n}{text}"));
    }
    let (results, fin) = query(&mut world, romeo, "");
    assert_eq!(results.len(), 3);
    let (complete, _, last, _) = end(&fin);
    assert!(!complete);
    let (results, fin) =
        query(&mut world, romeo, &set(&format!("<after>{}</after>", last.expect("a last one"))));
    assert_eq!((results.len(), end(&fin).0), (2, true));
    let (results, _) = query(&mut world, romeo, &set("<before/>"));
    assert!(bodies(&results)[2].starts_with('4'));
}

#[test]
fn a_queryid_that_would_fill_the_page_counts_as_such() {
    let (mut world, romeo, _) = said(50);
    let query_id = "x".repeat(100_000);
    world.send(romeo, &format!("<iq type='set' id='q'><query xmlns='{MAM}' queryid='{query_id}'/></iq>"));
    assert_eq!(world.drain(romeo).len(), 3 + 1);
}

#[test]
fn a_page_larger_than_the_outbox_comes_as_fast_as_it_is_read() {
    let (mut world, romeo, juliet) = meet(World::with(|config| {
        config.limits.outbox_bytes = Limit::of(10_000);
    }));
    let text = "x".repeat(2_000);
    for n in 0..50 {
        say(&mut world, juliet, "romeo", &format!("{n} {text}"));
        world.clear(romeo);
    }
    let (results, fin) = query(&mut world, romeo, "");
    assert_eq!(results.len(), 50);
    assert!(end(&fin).0);
    assert!(world.largest_piece() < 20_000, "{}", world.largest_piece());
}

#[test]
fn who_does_not_read_gets_the_answer_later_and_whole() {
    let (mut world, romeo, juliet) = said(200);
    world.stop_reading(romeo);
    world.send(romeo, &ask(&set("<max>200</max>")));
    say(&mut world, juliet, "romeo", "meanwhile");
    world.go_on_reading(romeo);
    let got = world.drain(romeo);
    assert_eq!(got.iter().filter(|stanza| stanza.find("result", MAM).is_some()).count(), 200);
    let fin = got.iter().position(|stanza| stanza.name == "iq").expect("a fin");
    assert!(got[fin..].iter().all(|stanza| stanza.find("result", MAM).is_none()), "a result came late");
}

#[test]
fn questions_are_answered_in_their_order_and_too_many_at_once_are_refused() {
    let (mut world, romeo, _) = meet(World::with(|config| {
        config.limits.outbox_bytes = Limit::of(10_000);
    }));
    let text = "x".repeat(2_000);
    for n in 0..20 {
        say(&mut world, romeo, "juliet", &format!("{n} {text}"));
    }
    world.stop_reading(romeo);
    let questions: String =
        (0..15).map(|n| ask(&set("<max>20</max>")).replace("id='q'", &format!("id='{n}'"))).collect();
    world.send(romeo, &questions);
    world.go_on_reading(romeo);
    let answers: Vec<Element> = world.drain(romeo).into_iter().filter(|stanza| stanza.name == "iq").collect();
    let of_kind = |kind| {
        let answers = answers.iter().filter(move |answer| answer.get_attr("type") == Some(kind));
        answers.filter_map(|answer| answer.get_attr("id")).map(str::to_owned).collect::<Vec<_>>()
    };
    let answered = of_kind("result");
    assert!((10..15).contains(&answered.len()), "{answered:?}");
    assert_eq!(answered, numbers(0..answered.len()));
    assert_eq!(of_kind("error"), numbers(answered.len()..15));
    let error = answers.iter().find(|answer| answer.get_attr("type") == Some("error")).expect("an error");
    assert_eq!(condition_of(error).as_deref(), Some("resource-constraint"));
    assert_eq!(found(&mut world, romeo, &set("<max>3</max>")).len(), 3, "and then it goes on");
}

#[test]
fn ten_thousand_messages_are_paged_through_in_both_directions() {
    let (mut world, romeo, _) = said(10_000);
    assert_eq!(world.rows(Table::Archive), 10_000);
    let (mut all, mut after) = (Vec::new(), String::new());
    for _ in 0..40 {
        let (results, fin) = query(&mut world, romeo, &set(&format!("<max>250</max>{after}")));
        all.extend(bodies(&results));
        after = format!("<after>{}</after>", end(&fin).2.expect("a last one"));
    }
    assert_eq!(all, numbers(0..10_000));
    assert_eq!(found(&mut world, romeo, &set("<max>2</max><before/>")), ["9998", "9999"]);
}

#[test]
fn a_search_through_a_large_archive_lets_others_have_their_turn() {
    let (mut world, romeo, juliet) = world();
    let nurse = world.online("nurse", "x");
    say(&mut world, nurse, "romeo", "needle");
    for from in (0..5_000).step_by(500) {
        say_numbers(&mut world, romeo, "juliet", from..from + 500);
    }
    world.clear(juliet);
    say(&mut world, nurse, "romeo", "pin");
    world.clear(romeo);
    let with_nurse = ask(&form(&[("with", "nurse@example.org")]));
    world.advance(60_000);
    world.clear(romeo);
    let turns = world.turns();
    world.send(romeo, &with_nurse);
    assert!(world.turns() - turns >= 5, "5,002 rows in {} turns", world.turns() - turns);
    let got = world.drain(romeo);
    assert_eq!(bodies(&got[..2]), ["needle", "pin"]);
    assert!(end(&got[2]).0);
    for (direction, text) in [("", "needle"), ("<before/>", "pin")] {
        let page = form(&[("with", "nurse@example.org")]) + &set(&format!("<max>1</max>{direction}"));
        assert_eq!(found(&mut world, romeo, &page), [text]);
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_search_ends_it() {
    let (mut world, romeo, _) = said(3_000);
    world.advance(60_000);
    world.send_unsettled(romeo, &ask(&form(&[("with", "nurse@example.org")])));
    assert!(world.core.next_tick() <= world.now, "it goes on at once");
    world.cut(romeo);
    assert!(world.core.next_tick() > world.now);
}

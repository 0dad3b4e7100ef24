//! XEP-0012: last activity.

use crate::world::{World, condition_of, show};

fn last(to: &str) -> String {
    format!("<iq type='get' id='last' to='{to}'><query xmlns='jabber:iq:last'/></iq>")
}

/// The seconds and the text of an answer.
#[track_caller]
fn told(world: &mut World, client: crate::client::Client, to: &str) -> (u64, String) {
    let answer = world.expect_result(client, &last(to));
    let query = answer.find("query", "jabber:iq:last").expect("a query");
    (query.get_attr("seconds").expect("seconds").parse().expect("a number"), query.text_content())
}

#[test]
fn the_server_says_for_how_long_it_has_been_up() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.advance(90_000);
    assert_eq!(told(&mut world, romeo, "example.org"), (90, String::new()));
}

#[test]
fn a_contact_hears_how_long_ago_somebody_left_and_with_which_words() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    world.send(juliet, "<presence type='unavailable'><status>Heading Home</status></presence>");
    world.close(juliet);
    world.advance(903_000);
    let romeo = world.online("romeo", "orchard");
    assert_eq!(told(&mut world, romeo, "juliet@example.org"), (903, "Heading Home".into()));
}

#[test]
fn the_last_logout_survives_a_restart() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    world.close(juliet);
    world.restart();
    world.advance(10_000);
    let romeo = world.login("romeo", "orchard");
    assert_eq!(told(&mut world, romeo, "juliet@example.org").0, 10);
}

#[test]
fn somebody_who_is_connected_left_no_seconds_ago() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    world.login("juliet", "not available");
    let romeo = world.login("romeo", "orchard");
    world.advance(5_000);
    assert_eq!(told(&mut world, romeo, "juliet@example.org"), (0, String::new()));
    assert_eq!(told(&mut world, romeo, "romeo@example.org"), (0, String::new()));
}

#[test]
fn somebody_who_has_never_been_there_has_been_away_since_the_account_was_made() {
    let mut world = World::new();
    world.account("juliet");
    world.advance(60_000);
    // She has let him see her presence, and gone again.
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, "<presence type='subscribed' to='romeo@example.org'/>");
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, "<presence type='subscribe' to='juliet@example.org'/>");
    world.cut(juliet);
    world.advance(7_000);
    assert_eq!(told(&mut world, romeo, "juliet@example.org").0, 7);
}

#[test]
fn a_stranger_cannot_tell_whether_somebody_is_there_or_exists() {
    let mut world = World::new();
    world.account("offline");
    world.online("online", "phone");
    let romeo = world.login("romeo", "orchard");
    let answers = ["offline@example.org", "online@example.org", "nobody@example.org"]
        .map(|to| show(&world.ask(romeo, &last(to))).replace(to, ""));
    assert!(answers[0].contains("<forbidden"), "{}", answers[0]);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[test]
fn to_see_somebodys_presence_it_is_not_enough_to_be_seen() {
    let mut world = World::new();
    let juliet = world.login("juliet", "balcony");
    let romeo = world.login("romeo", "orchard");
    // Juliet sees Romeo; he doesn't see her.
    world.send(romeo, "<presence type='subscribed' to='juliet@example.org'/>");
    world.send(juliet, "<presence type='subscribe' to='romeo@example.org'/>");
    world.expect_error(romeo, &last("juliet@example.org"), "forbidden");
    assert_eq!(told(&mut world, juliet, "romeo@example.org").0, 0);
}

#[test]
fn a_request_to_a_resource_reaches_it_only_from_those_who_see_its_presence() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let (romeo, tybalt) = (world.online("romeo", "orchard"), world.online("tybalt", "street"));
    world.clear(juliet);
    for to in ["juliet@example.org/balcony", "juliet@example.org/none", "nobody@example.org/none"] {
        world.expect_error(tybalt, &last(to), "forbidden");
    }
    world.expect_nothing(juliet);
    world.send(romeo, &last("juliet@example.org/balcony"));
    world.expect(
        juliet,
        "<iq type='get' id='last' from='romeo@example.org/orchard' to='juliet@example.org/balcony'>\
         <query xmlns='jabber:iq:last'/></iq>",
    );
    world.expect_error(romeo, &last("juliet@example.org/none"), "service-unavailable");
}

#[test]
fn whoever_is_blocked_is_told_nothing_at_all() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let juliet = world.online("juliet", "balcony");
    let romeo = world.online("romeo", "orchard");
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></block>";
    world.expect_result(juliet, &format!("<iq type='set' id='block'>{block}</iq>"));
    world.expect_error(romeo, &last("juliet@example.org"), "service-unavailable");
}

#[test]
fn last_activity_cannot_be_set() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    for to in ["example.org", "romeo@example.org"] {
        let answer = world.ask(romeo, &last(to).replace("get", "set"));
        assert_eq!(condition_of(&answer).as_deref(), Some("bad-request"));
    }
}

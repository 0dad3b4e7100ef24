//! XEP-0077: in-band registration.

use std::net::{IpAddr, Ipv4Addr};

use crate::client::Client;
use crate::world::{World, condition_of, show};
use stube::config::{Limit, Registration};
use stube::jid::Jid;
use stube::stream::TlsInfo;

fn open() -> World {
    World::with(|config| config.registration = Registration::Open)
}

fn connect(world: &mut World) -> Client {
    let client = world.connect_tls();
    world.open_stream(client);
    client
}

fn connect_from(world: &mut World, last: u8) -> Client {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    let client = world.connect_from(address, Some(TlsInfo::default()));
    world.open_stream(client);
    client
}

fn register(name: &str, password: &str) -> String {
    format!(
        "<iq type='set' id='reg2'><query xmlns='jabber:iq:register'>\
         <username>{name}</username><password>{password}</password></query></iq>"
    )
}

const GET: &str = "<iq type='get' id='reg1'><query xmlns='jabber:iq:register'/></iq>";
const REMOVE: &str = "<iq type='set' id='unreg1'><query xmlns='jabber:iq:register'><remove/></query></iq>";

fn exists(world: &mut World, name: &str) -> bool {
    world.core.account_exists(&Jid::parse(&format!("{name}@example.org")).expect("an address"))
}

/// Whether this password opens the account.
fn opens(world: &mut World, name: &str, password: &str) -> bool {
    let client = connect_from(world, 99);
    world.plain(client, name, password);
    let answer = world.receive(client);
    world.cut(client);
    answer.name == "success"
}

fn info(world: &mut World, client: Client) -> String {
    let ask = "<iq type='get' id='info' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    show(&world.expect_result(client, ask))
}

#[test]
fn the_form_says_what_is_needed_twice_for_older_clients_and_newer_ones() {
    let mut world = open();
    let client = connect(&mut world);
    world.send(client, GET);
    world.expect(
        client,
        "<iq type='result' id='reg1' from='example.org'><query xmlns='jabber:iq:register'>\
         <instructions>*</instructions><username/><password/>\
         <x xmlns='jabber:x:data' type='form'><title>*</title><instructions>*</instructions>\
         <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>\
         <field type='text-single' label='*' var='username'><required/></field>\
         <field type='text-private' label='*' var='password'><required/></field></x></query></iq>",
    );
}

#[test]
fn whoever_registers_can_log_in_on_the_same_stream() {
    let mut world = open();
    let client = connect(&mut world);
    world.send(client, &register("Bill", "Calliope"));
    world.expect(client, "<iq type='result' id='reg2' from='example.org'/>");
    world.plain(client, "bill", "Calliope");
    world.expect(client, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
}

#[test]
fn the_form_can_be_submitted_instead_of_the_fields() {
    let mut world = open();
    let client = connect(&mut world);
    let form = |fields: &str| {
        format!(
            "<iq type='set' id='reg4'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>jabber:iq:register</value></field>{fields}</x></query></iq>"
        )
    };
    world.expect_error(client, &form("<field var='username'><value>bill</value></field>"), "not-acceptable");
    let both =
        "<field var='username'><value>bill</value></field><field var='password'><value>pw</value></field>";
    world.expect_result(client, &form(both));
    assert!(opens(&mut world, "bill", "pw"));
}

#[test]
fn the_result_of_a_registration_promises_that_it_is_kept() {
    let mut world = open();
    let client = connect(&mut world);
    world.hold_commits();
    world.send(client, &register("bill", "Calliope"));
    world.expect_nothing(client);
    world.commit();
    world.expect(client, "<iq type='result' id='reg2' from='example.org'/>");
    world.restart();
    assert!(opens(&mut world, "bill", "Calliope"));
}

// §3.1: "If the requesting entity does not provide all of the requested information during registration [...] the
// server [...] MUST return a <not-acceptable/> error"
#[test]
fn a_name_and_a_password_are_required() {
    let mut world = open();
    let client = connect(&mut world);
    world.expect_error(client, &register("bill", ""), "not-acceptable");
    world.expect_error(client, &register("", "Calliope"), "not-acceptable");
    let nothing = GET.replace("get", "set");
    world.expect_error(client, &nothing, "not-acceptable");
    assert!(!exists(&mut world, "bill"));
}

#[test]
fn a_name_that_is_taken_is_a_conflict_and_another_one_may_follow() {
    let mut world = open();
    world.account("bill");
    let client = connect(&mut world);
    world.expect_error(client, &register("BILL", "m1cro"), "conflict");
    assert!(!opens(&mut world, "bill", "m1cro"));
    world.expect_result(client, &register("will", "Calliope"));
}

#[test]
fn of_two_who_want_a_name_at_once_one_has_it() {
    let mut world = open();
    let (one, other) = (connect_from(&mut world, 1), connect_from(&mut world, 2));
    world.hold_work();
    world.send(one, &register("bill", "first"));
    world.send(other, &register("bill", "second"));
    world.do_work();
    world.expect(one, "<iq type='result' id='reg2' from='example.org'/>");
    world.expect_bounce(other, "conflict");
    assert!(opens(&mut world, "bill", "first"));
}

#[test]
fn what_cannot_be_a_name_or_a_password_is_refused() {
    let mut world = open();
    let client = connect(&mut world);
    for name in ["bill@example.org", "bill gates", "a/b", "&#x2665;", &"x".repeat(1024)] {
        world.expect_error(client, &register(name, "Calliope"), "jid-malformed");
    }
    world.expect_error(client, &register("bill", "&#x7f;"), "not-acceptable");
}

#[test]
fn reserved_names_are_the_operators() {
    let mut world = open();
    let client = connect(&mut world);
    for name in ["admin", "Postmaster", "ABUSE"] {
        world.expect_error(client, &register(name, "Calliope"), "not-acceptable");
    }
    assert!(!exists(&mut world, "admin"));
}

// §3.1.1: "if an entity attempts to register a second identity after successfully completing the registration"
#[test]
fn one_stream_makes_one_account() {
    let mut world = open();
    let client = connect(&mut world);
    world.expect_result(client, &register("bill", "Calliope"));
    world.expect_error(client, &register("will", "Calliope"), "not-acceptable");
    assert!(!exists(&mut world, "will"));
}

#[test]
fn one_address_makes_so_many_accounts_within_an_hour() {
    let mut world = open();
    for name in ["a", "b", "c", "d", "e"] {
        let client = connect_from(&mut world, 1);
        world.expect_result(client, &register(name, "pw"));
        world.cut(client);
    }
    let client = connect_from(&mut world, 1);
    let refused = world.ask(client, &register("f", "pw"));
    assert_eq!(condition_of(&refused).as_deref(), Some("resource-constraint"));
    assert!(show(&refused).contains("type='wait'"), "{}", show(&refused));
    let elsewhere = connect_from(&mut world, 2);
    world.expect_result(elsewhere, &register("g", "pw"));
    world.advance(3_600_000);
    let later = connect_from(&mut world, 1);
    world.expect_result(later, &register("f", "pw"));
}

#[test]
fn registration_is_offered_under_tls_only_and_where_it_is_open() {
    let offered = |world: &mut World| {
        let client = world.connect_tls();
        let features = world.open_stream(client);
        features.find("register", "http://jabber.org/features/iq-register").is_some()
    };
    assert!(offered(&mut open()));
    assert!(!offered(&mut World::new()));
    let mut world = open();
    let client = world.connect();
    let features = world.open_stream(client);
    assert!(features.find("register", "http://jabber.org/features/iq-register").is_none());
    world.send(client, &register("bill", "Calliope"));
    world.expect_stream_error(client, "not-authorized");
    assert!(!exists(&mut world, "bill"));
}

// §3.1: "If the host does not support In-Band Registration, it MUST return a <service-unavailable/> error."
#[test]
fn where_it_is_closed_nobody_registers() {
    let mut world = World::new();
    let client = connect(&mut world);
    world.expect_error(client, GET, "service-unavailable");
    world.expect_error(client, &register("bill", "Calliope"), "service-unavailable");
    assert!(!exists(&mut world, "bill"));
}

// §10
#[test]
fn users_see_that_they_can_change_their_password_and_strangers_whether_they_can_register() {
    const FEATURE: &str = "<feature var='jabber:iq:register'/>";
    for (registration, shown) in [(Registration::Open, true), (Registration::Closed, false)] {
        let mut world = World::with(|config| config.registration = registration);
        world.core.federated = true;
        let romeo = world.login("romeo", "orchard");
        assert!(info(&mut world, romeo).contains(FEATURE));
        world.from_remote(
            "<iq type='get' id='r' from='example.net' to='example.org'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        );
        assert_eq!(show(&world.to_remote()[0]).contains(FEATURE), shown);
    }
}

#[test]
fn a_person_has_time_to_fill_in_the_form_but_not_for_ever() {
    let mut world = open();
    let slow = connect(&mut world);
    world.expect_result(slow, GET);
    world.advance(9 * 60_000);
    world.expect_result(slow, &register("bill", "Calliope"));
    world.advance(2 * 60_000);
    world.expect_stream_error(slow, "connection-timeout");
}

// §3.1: "the IQ result [...] MUST contain an empty <registered/> element"
#[test]
fn whoever_is_logged_in_is_registered() {
    for registration in [Registration::Open, Registration::Closed] {
        let mut world = World::with(|config| config.registration = registration);
        let juliet = world.login("juliet", "balcony");
        for to in ["", " to='example.org'", " to='juliet@example.org'"] {
            let answer = world.expect_result(juliet, &GET.replace("<iq", &format!("<iq{to}")));
            let query = answer.find("query", "jabber:iq:register").expect("a query");
            assert!(query.find("registered", "jabber:iq:register").is_some());
            let field = |name| query.find(name, "jabber:iq:register").map(|field| field.text_content());
            assert_eq!(field("username").as_deref(), Some("juliet"));
            assert_eq!(field("password").as_deref(), Some(""));
        }
    }
}

#[test]
fn an_account_goes_with_its_answer_and_its_sessions() {
    let mut world = World::new();
    world.friends("bill", "anne");
    let anne = world.online("anne", "cottage");
    let (globe, home) = (world.online("bill", "globe"), world.online("bill", "home"));
    world.clear(anne);
    world.hold_commits();
    world.send(globe, REMOVE);
    assert!(world.answer(globe, "unreg1").is_none());
    world.commit();
    let answer = world.answer(globe, "unreg1").expect("an answer");
    assert_eq!(answer.get_attr("type"), Some("result"));
    world.expect_stream_error(globe, "not-authorized");
    world.expect_stream_error(home, "not-authorized");
    assert!(!exists(&mut world, "bill"));
    assert!(!opens(&mut world, "bill", "bill's password"));
    // §3.2: "the server SHOULD also cancel all existing presence subscriptions"
    let seen = world.drain(anne).iter().map(show).collect::<String>();
    for kind in ["unsubscribe", "unsubscribed", "unavailable"] {
        assert!(seen.contains(&format!("type='{kind}'")), "{kind}: {seen}");
    }
    assert!(seen.contains("subscription='none'"), "{seen}");
}

#[test]
fn an_account_made_anew_has_nothing_of_the_old_one() {
    let mut world = open();
    let bill = world.login("bill", "globe");
    world.expect_result(bill, "<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Bill</FN></vCard></iq>");
    world.expect_result(
        bill,
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='anne@example.net'/></query></iq>",
    );
    world.send(bill, REMOVE);
    world.cut(bill);
    let client = connect(&mut world);
    world.expect_result(client, &register("bill", "bill's password"));
    let bill = world.login("bill", "globe");
    let roster = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";
    assert!(!show(&world.expect_result(bill, roster)).contains("anne"));
    let vcard = "<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>";
    assert!(!show(&world.expect_result(bill, vcard)).contains("Bill"));
}

// §3.2
#[test]
fn remove_stands_alone_and_needs_an_account() {
    let mut world = open();
    let bill = world.login("bill", "globe");
    world.expect_error(
        bill,
        &REMOVE.replace("<remove/>", "<remove/><username>bill</username>"),
        "bad-request",
    );
    assert!(exists(&mut world, "bill"));
    let stranger = connect(&mut world);
    world.expect_error(stranger, REMOVE, "unexpected-request");
    world.core.federated = true;
    world.from_remote(
        "<iq type='set' id='r' from='bill@example.net/x' to='example.org'>\
         <query xmlns='jabber:iq:register'><remove/></query></iq>",
    );
    assert_eq!(condition_of(&world.to_remote()[0]).as_deref(), Some("registration-required"));
}

#[test]
fn nobody_removes_or_changes_somebody_elses_account() {
    let mut world = World::new();
    world.account("bill");
    let iago = world.login("iago", "venice");
    world.expect_error(iago, &REMOVE.replace("<iq", "<iq to='bill@example.org'"), "forbidden");
    let change = register("bill", "mine");
    world.expect_error(iago, &change.replace("<iq", "<iq to='bill@example.org'"), "forbidden");
    world.expect_error(iago, &change, "not-allowed");
    assert!(opens(&mut world, "bill", "bill's password"));
}

// §3.3
#[test]
fn a_user_changes_the_password_and_the_other_sessions_end() {
    let mut world = World::new();
    let (globe, home) = (world.online("bill", "globe"), world.online("bill", "home"));
    world.clear(globe);
    world.hold_commits();
    world.send(globe, &register("bill", "newpass").replace("<iq", "<iq to='example.org'"));
    assert!(world.answer(globe, "reg2").is_none());
    world.commit();
    let answer = world.answer(globe, "reg2").expect("an answer");
    assert_eq!(answer.get_attr("type"), Some("result"));
    assert!(!world.is_closed(globe));
    world.expect_stream_error(home, "not-authorized");
    assert!(opens(&mut world, "bill", "newpass"));
    assert!(!opens(&mut world, "bill", "bill's password"));
}

#[test]
fn who_changes_the_password_again_and_again_leaves_room_for_others() {
    let mut world = World::new();
    let (bill, anne) = (world.login("bill", "globe"), world.login("anne", "cottage"));
    world.hold_work();
    for n in 0..5 {
        world.send(bill, &register("bill", &format!("pw{n}")));
    }
    world.expect_nothing(bill);
    world.expect_error(bill, &register("bill", "pw5"), "resource-constraint");
    world.send(anne, &register("anne", "new"));
    world.do_work();
    assert!(world.answer(anne, "reg2").is_some_and(|answer| answer.get_attr("type") == Some("result")));
    assert!(opens(&mut world, "bill", "pw4"));
}

#[test]
fn the_whole_address_is_a_name_too() {
    let mut world = World::new();
    let bill = world.login("bill", "globe");
    world.expect_result(bill, &register("bill@example.org", "newpass"));
    assert!(opens(&mut world, "bill", "newpass"));
}

// §3.3: "MUST NOT change the password to a null value, but instead MUST maintain the existing password"
#[test]
fn an_empty_password_changes_nothing() {
    let mut world = World::new();
    let bill = world.login("bill", "globe");
    world.expect_error(bill, &register("bill", ""), "bad-request");
    world.expect_error(bill, &register("bill", "x").replace("<password>x</password>", ""), "bad-request");
    world.expect_error(bill, &register("", "newpass"), "bad-request");
    assert!(opens(&mut world, "bill", "bill's password"));
}

// §3.3: "SHOULD NOT return the original XML sent in IQ error stanzas related to password changes"
#[test]
fn no_error_repeats_a_password() {
    let mut world = World::new();
    let bill = world.login("bill", "globe");
    let answer = world.ask(bill, &register("anne", "s3cret"));
    assert!(!show(&answer).contains("s3cret"));
}

#[test]
fn nobody_elsewhere_registers_here() {
    let mut world = open();
    world.core.federated = true;
    for kind in ["get", "set"] {
        world.from_remote(&format!(
            "<iq type='{kind}' id='r' from='bill@example.net/x' to='example.org'><query xmlns='jabber:iq:register'>\
             <username>bill</username><password>pw</password></query></iq>"
        ));
        assert_eq!(condition_of(&world.to_remote()[0]).as_deref(), Some("service-unavailable"));
    }
    assert!(!exists(&mut world, "bill"));
}

#[test]
fn with_no_limit_an_address_makes_as_many_as_it_likes() {
    let mut world = World::with(|config| {
        config.registration = Registration::Open;
        config.limits.registrations_per_hour = Limit::OFF;
    });
    for n in 0..20 {
        let client = connect_from(&mut world, 1);
        world.expect_result(client, &register(&format!("user{n}"), "pw"));
        world.cut(client);
    }
}

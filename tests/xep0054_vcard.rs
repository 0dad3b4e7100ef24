//! XEP-0054: vcard-temp.

use crate::world::{World, show};
use stube::config::Limit;

const VCARD: &str = "<vCard xmlns='vcard-temp'><FN>Peter</FN><N><FAMILY>Saint-Andre</FAMILY></N></vCard>";

fn set(vcard: &str) -> String {
    format!("<iq type='set' id='v2'>{vcard}</iq>")
}

fn get(to: &str) -> String {
    format!("<iq type='get' id='v3' to='{to}'><vCard xmlns='vcard-temp'/></iq>")
}

// §3.2 "A user may publish [...] his or her vCard by sending an IQ of type "set" with no 'to' address"
// §3.1 "If a vCard exists for the user, the server MUST return [it] in an IQ-result"
#[test]
fn a_user_publishes_a_vcard_and_gets_it_again() {
    let mut world = World::new();
    let peter = world.login("peter", "roundabout");
    world.send(peter, &set(VCARD));
    world.expect(
        peter,
        "<iq type='result' id='v2' from='peter@example.org' to='peter@example.org/roundabout'/>",
    );
    world.send(peter, "<iq type='get' id='v1'><vCard xmlns='vcard-temp'/></iq>");
    world.expect(
        peter,
        &format!(
            "<iq type='result' id='v1' from='peter@example.org' to='peter@example.org/roundabout'>{VCARD}</iq>"
        ),
    );
}

// §3.2 "A user may [...] update his or her vCard"
#[test]
fn a_vcard_is_replaced_as_a_whole() {
    let mut world = World::new();
    let peter = world.login("peter", "roundabout");
    world.expect_result(peter, &set(VCARD));
    world.expect_result(peter, &set("<vCard xmlns='vcard-temp'><NICKNAME>stpeter</NICKNAME></vCard>"));
    let answer = world.expect_result(peter, &get("peter@example.org"));
    assert!(show(&answer).contains("stpeter") && !show(&answer).contains("Saint-Andre"));
}

// §3.1 "or an IQ-result containing an empty <vCard/> element"
#[test]
fn ones_own_vcard_is_empty_until_there_is_one() {
    let mut world = World::new();
    let peter = world.login("peter", "roundabout");
    world.send(peter, "<iq type='get' id='v1'><vCard xmlns='vcard-temp'/></iq>");
    let empty = "<iq type='result' id='v1' from='peter@example.org' to='peter@example.org/roundabout'>\
                 <vCard xmlns='vcard-temp'/></iq>";
    world.expect(peter, empty);
    world.expect_result(peter, &set(VCARD));
    world.expect_result(peter, &set("<vCard xmlns='vcard-temp'/>"));
    world.send(peter, "<iq type='get' id='v1'><vCard xmlns='vcard-temp'/></iq>");
    world.expect(peter, empty);
}

// §3.2 "If a user attempts to perform an IQ set on another user's vCard [...] the server MUST return a stanza error"
#[test]
fn nobody_sets_somebody_elses_vcard() {
    let mut world = World::new();
    let (peter, iago) = (world.login("peter", "roundabout"), world.login("iago", "venice"));
    world.expect_result(peter, &set(VCARD));
    let forged =
        format!("<iq type='set' id='v2' to='peter@example.org'>{VCARD}</iq>").replace("Peter", "Ass");
    world.expect_error(iago, &forged, "forbidden");
    assert!(show(&world.expect_result(iago, &get("peter@example.org"))).contains("Peter"));
}

// §3.3 "a compliant server MUST respond on behalf of the requestor and not forward the IQ to the requestee's
// connected resource"
#[test]
fn anyone_reads_a_vcard_and_the_server_answers_for_its_owner() {
    let mut world = World::federated();
    let jer = world.online("jer", "home");
    world.expect_result(jer, &set(VCARD));
    let stranger = world.login("stranger", "far");
    world.send(stranger, &get("jer@example.org"));
    world.expect(
        stranger,
        &format!(
            "<iq type='result' id='v3' from='jer@example.org' to='stranger@example.org/far'>{VCARD}</iq>"
        ),
    );
    world.expect_nothing(jer);
    world.close(jer);
    world.from_remote(
        "<iq type='get' id='r' from='juliet@example.net/x' to='jer@example.org'><vCard xmlns='vcard-temp'/></iq>",
    );
    world.expect_remote(&format!(
        "<iq type='result' id='r' from='jer@example.org' to='juliet@example.net/x'>{VCARD}</iq>"
    ));
}

// §3.3 "If no vCard exists [...] the server MUST return a stanza error", "If [...] the user does not exist, the
// server MUST return a stanza error", "the server MUST return the same error condition in both cases to help
// prevent directory harvesting attacks"
#[test]
fn an_account_without_vcard_looks_like_none() {
    let mut world = World::new();
    world.account("jer");
    let stranger = world.login("stranger", "far");
    let answers = ["jer@example.org", "nobody@example.org"]
        .map(|to| show(&world.ask(stranger, &get(to))).replace(to, ""));
    assert!(answers[0].contains("<service-unavailable"), "{}", answers[0]);
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_vcard_has_so_much_room() {
    let mut world = World::with(|config| config.limits.vcard_bytes = Limit::of(100));
    let peter = world.login("peter", "roundabout");
    let vcard = |length: usize| format!("<vCard xmlns='vcard-temp'><FN>{}</FN></vCard>", "x".repeat(length));
    let most = 100 - vcard(0).len();
    world.expect_error(peter, &set(&vcard(most + 1)), "resource-constraint");
    world.expect_result(peter, &set(&vcard(most)));
}

#[test]
fn the_result_promises_that_it_is_kept() {
    let mut world = World::new();
    let peter = world.login("peter", "roundabout");
    world.hold_commits();
    world.send(peter, &set(VCARD));
    world.expect_nothing(peter);
    assert!(show(&world.expect_result(peter, &get("peter@example.org"))).contains("Peter"));
    world.commit();
    assert!(world.answer(peter, "v2").is_some());
    world.restart();
    let peter = world.login("peter", "roundabout");
    assert!(show(&world.expect_result(peter, &get("peter@example.org"))).contains("Peter"));
}

// §4
#[test]
fn server_and_accounts_say_that_they_know_vcards() {
    let mut world = World::new();
    let peter = world.login("peter", "roundabout");
    for to in ["example.org", "peter@example.org"] {
        let info = world.expect_result(
            peter,
            &format!(
                "<iq type='get' id='i' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
            ),
        );
        assert!(show(&info).contains("<feature var='vcard-temp'/>"), "{}", show(&info));
    }
}

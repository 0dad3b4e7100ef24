//! XEP-0202: entity time, in the format of XEP-0082.

use crate::world::World;

const ASK: &str = "<iq type='get' id='time_1' to='example.org'><time xmlns='urn:xmpp:time'/></iq>";

// §2 "The format MUST conform to the dateTime profile specified in XEP-0082 and MUST be expressed in UTC."
#[test]
fn the_server_tells_its_time_in_utc() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.advance(1_042);
    world.send(romeo, ASK);
    world.expect(
        romeo,
        "<iq type='result' id='time_1' from='example.org' to='romeo@example.org/orchard'>\
         <time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2026-11-22T13:11:12.042Z</utc></time></iq>",
    );
}

#[test]
fn time_cannot_be_set() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.expect_error(romeo, &ASK.replace("'get'", "'set'"), "bad-request");
}

#[test]
fn an_account_has_no_time_of_its_own() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.expect_error(romeo, &ASK.replace("'example.org'", "'romeo@example.org'"), "service-unavailable");
}

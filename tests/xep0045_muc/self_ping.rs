//! XEP-0410: is one still in a room?

use crate::rooms::{ROOM, ROOMS};
use crate::world::World;

fn ping(address: &str) -> String {
    format!("<iq type='get' id='s2c1' to='{address}'><ping xmlns='urn:xmpp:ping'/></iq>")
}

// §3.3 "Successful IQ response: the client is joined to the MUC"
#[test]
fn who_is_in_a_room_is_answered_by_the_room() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.send(romeo, &ping(&format!("{ROOM}/romeo")));
    world.expect(
        romeo,
        &format!("<iq type='result' id='s2c1' from='{ROOM}/romeo' to='romeo@example.org/phone'/>"),
    );
    world.expect_nothing(romeo);
}

// §3.3 "Error (<not-acceptable>): the client is not joined to the MUC"
#[test]
fn who_is_not_in_it_is_told_so_whether_there_is_such_a_room_and_nick_or_not() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    for address in [&format!("{ROOM}/juliet"), &format!("{ROOM}/romeo"), &format!("attic@{ROOMS}/juliet")] {
        world.expect_error(juliet, &ping(address), "not-acceptable");
    }
}

// §3.3: it is the device that asks that is in the room, or not.
#[test]
fn each_device_is_told_of_itself() {
    let mut world = World::new();
    let phone = world.room_of(&["romeo"])[0];
    let (tablet, laptop) = (world.online("romeo", "tablet"), world.online("romeo", "laptop"));
    world.enter(tablet, ROOM, "romeo");
    let own = format!("{ROOM}/romeo");
    world.clear(phone);
    world.expect_result(phone, &ping(&own));
    world.expect_result(tablet, &ping(&own));
    world.expect_error(laptop, &ping(&own), "not-acceptable");
    world.send(tablet, &format!("<presence type='unavailable' to='{own}'/>"));
    world.clear(tablet);
    world.expect_error(tablet, &ping(&own), "not-acceptable");
    world.clear(phone);
    world.expect_result(phone, &ping(&own));
    world.expect_nothing(phone);
}

// §3.2 "Error (<item-not-found>): the client is joined, but the occupant just changed their name"
#[test]
fn after_a_change_of_nick_the_old_one_is_not_found() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.send(romeo, &format!("<presence to='{ROOM}/montague'/>"));
    world.clear(romeo);
    world.expect_error(romeo, &ping(&format!("{ROOM}/romeo")), "item-not-found");
    world.expect_result(romeo, &ping(&format!("{ROOM}/montague")));
}

#[test]
fn a_room_that_has_forgotten_everyone_says_so_after_a_restart() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    world.shape_room(ROOM, |config| config.persistent = true);
    world.restart();
    let romeo = world.online("romeo", "phone");
    world.expect_error(romeo, &ping(&format!("{ROOM}/romeo")), "not-acceptable");
}

#[test]
fn people_of_other_servers_are_answered_too() {
    let mut world = World::federated();
    world.room_of(&["romeo"]);
    world.from_remote(&format!(
        "<presence from='eve@example.net/x' to='{ROOM}/eve'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    world.to_remote();
    let asks = |from: &str| {
        format!("<iq type='get' id='p' from='{from}' to='{ROOM}/eve'><ping xmlns='urn:xmpp:ping'/></iq>")
    };
    world.from_remote(&asks("eve@example.net/x"));
    world.expect_remote(&format!("<iq type='result' id='p' from='{ROOM}/eve' to='eve@example.net/x'/>"));
    world.from_remote(&asks("eve@example.net/y"));
    let refused = world.to_remote().pop().expect("an answer");
    assert_eq!(crate::world::condition_of(&refused).as_deref(), Some("not-acceptable"));
}

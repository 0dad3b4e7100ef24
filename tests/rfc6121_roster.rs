//! RFC 6121 §2: the roster.

use crate::world::World;

const GET: &str = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>";

#[test]
fn a_new_account_has_an_empty_roster() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, GET);
    world.expect(
        romeo,
        "<iq type='result' id='get' from='romeo@example.org' to='romeo@example.org/orchard'><query xmlns='jabber:iq:roster'/></iq>",
    );
}

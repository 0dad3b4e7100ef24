//! XEP-0092: software version.

use crate::world::{World, show};

fn ask(to: &str) -> String {
    format!("<iq type='get' id='v' to='{to}'><query xmlns='jabber:iq:version'/></iq>")
}

// §2 "<name/> [...] This element is REQUIRED in a result.", "<version/> [...] This element is REQUIRED in a result."
// §5: the operating system is not told.
#[test]
fn the_server_tells_its_name_and_version_and_no_more() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.send(romeo, &ask("example.org"));
    world.expect(
        romeo,
        &format!(
            "<iq type='result' id='v' from='example.org' to='romeo@example.org/orchard'>\
             <query xmlns='jabber:iq:version'><name>stube</name><version>{}</version></query></iq>",
            env!("CARGO_PKG_VERSION")
        ),
    );
}

#[test]
fn an_account_has_no_version_of_its_own() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.expect_error(romeo, &ask("romeo@example.org"), "service-unavailable");
    world.expect_error(romeo, &ask("nobody@example.org"), "service-unavailable");
}

#[test]
fn a_version_cannot_be_set() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.expect_error(romeo, &ask("example.org").replace("'get'", "'set'"), "bad-request");
}

#[test]
fn the_server_says_that_it_tells_its_version() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    let info =
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    assert!(show(&world.expect_result(romeo, info)).contains("<feature var='jabber:iq:version'/>"));
}

//! XEP-0049: private XML storage.

use crate::world::World;
use stube::config::Limit;

fn set(content: &str) -> String {
    format!("<iq type='set' id='set'><query xmlns='jabber:iq:private'>{content}</query></iq>")
}

fn get(content: &str) -> String {
    format!("<iq type='get' id='get'><query xmlns='jabber:iq:private'>{content}</query></iq>")
}

fn result(content: &str) -> String {
    format!(
        "<iq type='result' id='get' from='hamlet@example.org' to='hamlet@example.org/denmark'>\
         <query xmlns='jabber:iq:private'>{content}</query></iq>"
    )
}

const PREFS: &str = "<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>";

#[test]
fn what_is_stored_is_found_again_by_its_name_and_namespace() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "denmark");
    world.send(hamlet, &set(PREFS));
    world.expect(
        hamlet,
        "<iq type='result' id='set' from='hamlet@example.org' to='hamlet@example.org/denmark'/>",
    );
    world.send(hamlet, &get("<exodus xmlns='exodus:prefs'/>"));
    world.expect(hamlet, &result(PREFS));
    world.send(hamlet, &get("<other xmlns='exodus:prefs'/>"));
    world.expect(hamlet, &result("<other xmlns='exodus:prefs'/>"));
    world.send(hamlet, &get("<exodus xmlns='other:prefs'/>"));
    world.expect(hamlet, &result("<exodus xmlns='other:prefs'/>"));
}

#[test]
fn the_result_promises_that_it_is_kept() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "denmark");
    world.hold_commits();
    world.send(hamlet, &set(PREFS));
    world.expect_nothing(hamlet);
    // It can be read before, by the one whose it is.
    world.send(hamlet, &get("<exodus xmlns='exodus:prefs'/>"));
    world.expect(hamlet, &result(PREFS));
    world.commit();
    assert!(world.answer(hamlet, "set").is_some());
    world.restart();
    let hamlet = world.login("hamlet", "denmark");
    world.send(hamlet, &get("<exodus xmlns='exodus:prefs'/>"));
    world.expect(hamlet, &result(PREFS));
}

#[test]
fn several_fragments_can_be_stored_at_once() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "denmark");
    world.expect_result(hamlet, &set("<a xmlns='urn:x'>1</a><b xmlns='urn:x'>2</b>"));
    world.send(hamlet, &get("<b xmlns='urn:x'/><a xmlns='urn:x'/>"));
    world.expect(hamlet, &result("<b xmlns='urn:x'>2</b><a xmlns='urn:x'>1</a>"));
    world.expect_error(hamlet, &set("<a xmlns='urn:x'>1</a><a xmlns='urn:x'>2</a>"), "bad-request");
}

#[test]
fn nobody_else_gets_or_sets_it() {
    let mut world = World::federated();
    let hamlet = world.login("hamlet", "denmark");
    world.expect_result(hamlet, &set(PREFS));
    let macbeth = world.login("macbeth", "castle");
    let to_hamlet = |iq: String| iq.replace("<iq ", "<iq to='hamlet@example.org' ");
    world.expect_error(macbeth, &to_hamlet(get("<exodus xmlns='exodus:prefs'/>")), "forbidden");
    world.expect_error(macbeth, &to_hamlet(set("<exodus xmlns='exodus:prefs'>no</exodus>")), "forbidden");
    world.from_remote(
        "<iq type='get' id='r' from='iago@example.net/x' to='hamlet@example.org'>\
         <query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'/></query></iq>",
    );
    world.expect_remote(
        "<iq type='error' id='r' to='iago@example.net/x' from='hamlet@example.org'><error type='auth' code='403'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    world.send(hamlet, &get("<exodus xmlns='exodus:prefs'/>"));
    world.expect(hamlet, &result(PREFS));
}

#[test]
fn a_fragment_must_be_there_and_have_a_namespace_of_its_own() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "denmark");
    for content in ["", "text", "<a/>", "<a xmlns='jabber:client'/>"] {
        world.expect_error(hamlet, &set(content), "not-acceptable");
        world.expect_error(hamlet, &get(content), "not-acceptable");
    }
}

#[test]
fn an_account_has_so_much_room_and_what_is_replaced_makes_room() {
    let mut world = World::with(|config| config.limits.private_bytes = Limit::of(100));
    let hamlet = world.login("hamlet", "denmark");
    let fragment = |name: &str, length: usize| format!("<{name} xmlns='u'>{}</{name}>", "x".repeat(length));
    // <a xmlns='u'></a> is 17 bytes.
    world.expect_result(hamlet, &set(&fragment("a", 43)));
    world.expect_error(hamlet, &set(&fragment("b", 24)), "resource-constraint");
    world.expect_result(hamlet, &set(&fragment("b", 23)));
    world.expect_error(hamlet, &set(&fragment("a", 44)), "resource-constraint");
    world.expect_result(hamlet, &set(&fragment("a", 3)));
    world.expect_result(hamlet, &set(&fragment("c", 23)));
    // It is counted anew after a restart, and comes to the same.
    world.restart();
    let hamlet = world.login("hamlet", "denmark");
    world.expect_error(hamlet, &set(&fragment("d", 4)), "resource-constraint");
    world.expect_result(hamlet, &set("<c xmlns='u'/>"));
    world.expect_result(hamlet, &set(&fragment("d", 23)));
}

#[test]
fn an_empty_element_deletes() {
    let mut world = World::new();
    let hamlet = world.login("hamlet", "denmark");
    world.expect_result(hamlet, &set(PREFS));
    world.expect_result(hamlet, &set("<exodus xmlns='exodus:prefs'/>"));
    world.send(hamlet, &get("<exodus xmlns='exodus:prefs'/>"));
    world.expect(hamlet, &result("<exodus xmlns='exodus:prefs'/>"));
}

#[test]
fn two_accounts_store_apart() {
    let mut world = World::new();
    let (hamlet, ophelia) = (world.login("hamlet", "denmark"), world.login("ophelia", "river"));
    world.expect_result(ophelia, &set("<a xmlns='urn:x'>hers</a>"));
    world.send(hamlet, &get("<a xmlns='urn:x'/>"));
    world.expect(hamlet, &result("<a xmlns='urn:x'/>"));
}

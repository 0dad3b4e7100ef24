//! RFC 3921 §3: the session request of older clients.

use crate::world::World;

const BEGIN: &str =
    "<iq type='set' id='sess_1'TO><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";

#[test]
fn a_session_is_offered_as_optional() {
    let mut world = World::new();
    world.account("juliet");
    let client = world.connect_tls();
    world.open_stream(client);
    world.plain(client, "juliet", "juliet's password");
    world.clear(client);
    let features = world.open_stream(client);
    let session = features.find("session", "urn:ietf:params:xml:ns:xmpp-session").expect("offered");
    assert!(session.find("optional", "urn:ietf:params:xml:ns:xmpp-session").is_some());
}

#[test]
fn the_request_has_a_result_to_the_server_or_to_nobody() {
    let mut world = World::new();
    let juliet = world.login("juliet", "balcony");
    world.send(juliet, &BEGIN.replace("TO", " to='example.org'"));
    world
        .expect(juliet, "<iq type='result' id='sess_1' from='example.org' to='juliet@example.org/balcony'/>");
    world.expect_result(juliet, &BEGIN.replace("TO", ""));
}

#[test]
fn nobody_begins_somebody_elses_session() {
    let mut world = World::new();
    world.account("romeo");
    let juliet = world.login("juliet", "balcony");
    world.expect_error(juliet, &BEGIN.replace("TO", " to='romeo@example.org'"), "forbidden");
}

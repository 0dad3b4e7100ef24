//! XEP-0421: occupants are known by an id, whatever their nick.

use stube::xml::Element;

use crate::rooms::{ROOM, ROOMS};
use crate::world::World;

const NS: &str = "urn:xmpp:occupant-id:0";

fn ids(stanza: &Element) -> Vec<&str> {
    let ids = stanza.children().filter(|child| child.is("occupant-id", NS));
    ids.filter_map(|child| child.get_attr("id")).collect()
}

/// The one id that a stanza has.
#[track_caller]
fn id_of(stanza: &Element) -> String {
    let [id] = ids(stanza)[..] else { panic!("one id: {stanza:?}") };
    id.to_owned()
}

// §4 "attached to every message and every presence sent by a MUC"; §3.1, §3.2
#[test]
fn every_presence_and_message_of_an_occupant_has_the_same_id() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    let told = world.enter(nurse, ROOM, "nurse");
    let romeos = id_of(
        told.iter()
            .find(|it| it.get_attr("from") == Some("kitchen@conference.example.org/romeo"))
            .expect("Romeo"),
    );
    for say in [
        format!("<message type='groupchat' to='{ROOM}'><body>Hi</body></message>"),
        format!("<message type='groupchat' to='{ROOM}'><subject>Dinner</subject></message>"),
        format!("<message type='chat' to='{ROOM}/nurse'><body>psst</body></message>"),
        format!("<presence to='{ROOM}/romeo'><show>away</show></presence>"),
        format!("<presence to='{ROOM}/montague'/>"),
        format!("<presence type='unavailable' to='{ROOM}/montague'/>"),
    ] {
        world.send(clients[0], &say);
        let heard = world.drain(nurse);
        assert!(!heard.is_empty(), "{say}");
        for stanza in heard {
            assert_eq!(id_of(&stanza), romeos, "{say}");
        }
    }
}

// §4 "This includes messages sent as part of the discussion history after joining a room, requested via XEP-0313 or any other
// means"
#[test]
fn what_is_told_later_has_it_too() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let seen = world.enter(clients[0], ROOM, "romeo");
    let from = format!("{ROOM}/juliet");
    let juliets = id_of(seen.iter().find(|it| it.get_attr("from") == Some(&from)).expect("Juliet"));
    world.send(clients[1], &format!("<message type='groupchat' to='{ROOM}'><body>Hi</body></message>"));
    world.affiliate(ROOM, "juliet", stube::store::record::RoomAffiliation::Admin);
    world.send(clients[1], &format!("<presence type='unavailable' to='{from}'/>"));
    world.enter(clients[1], ROOM, "juliet");
    world.send(
        clients[1],
        &format!("<message type='groupchat' to='{ROOM}'><subject>Dinner</subject></message>"),
    );
    world.send(clients[1], &format!("<presence type='unavailable' to='{from}'/>"));
    let nurse = world.online("nurse", "phone");
    world.clear(nurse);
    world.send(
        nurse,
        &format!("<presence to='{ROOM}/nurse'><x xmlns='http://jabber.org/protocol/muc'/></presence>"),
    );
    let told = world.drain(nurse);
    let said: Vec<&Element> = told.iter().filter(|it| it.get_attr("from") == Some(&from)).collect();
    assert_eq!(said.len(), 2, "a message and the subject: {said:?}");
    assert!(said.iter().all(|stanza| id_of(stanza) == juliets));
    let asks = format!("<iq type='set' id='a' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>");
    world.send(nurse, &asks);
    let results = world.drain(nurse);
    let archived: Vec<Element> = results.iter().filter_map(forwarded).collect();
    let archived: Vec<&Element> = archived.iter().filter(|it| it.get_attr("from") == Some(&from)).collect();
    assert!(!archived.is_empty());
    assert!(archived.iter().all(|stanza| id_of(stanza) == juliets));
}

/// The message in a result of the archive.
fn forwarded(result: &Element) -> Option<Element> {
    let result = result.find("result", "urn:xmpp:mam:2")?;
    result.find("forwarded", "urn:xmpp:forward:0")?.find("message", "jabber:client").cloned()
}

// §4 "the MUC service MUST replace such element before reflecting"
#[test]
fn a_forged_id_is_replaced() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let forged = format!("<occupant-id xmlns='{NS}' id='forged'/>");
    for say in [
        format!("<message type='groupchat' to='{ROOM}'><body>Hi</body>{forged}</message>"),
        format!("<message type='groupchat' to='{ROOM}'><subject>Hi</subject>{forged}</message>"),
        format!("<message type='chat' to='{ROOM}/juliet'><body>psst</body>{forged}</message>"),
        format!("<presence to='{ROOM}/romeo'><show>away</show>{forged}</presence>"),
    ] {
        world.send(clients[0], &say);
        let heard = world.receive(clients[1]);
        assert_ne!(id_of(&heard), "forged", "{say}");
    }
}

// §4.1 "if a user joins the same room a second time, the occupant identifier MUST be the same", "A user in the sense of this
// specification is identified by its real bare JID"
#[test]
fn the_id_stays_with_the_person_and_differs_from_room_to_room() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.shape_room(ROOM, |config| config.persistent = true);
    let juliet = world.online("juliet", "phone");
    let own = |told: Vec<Element>| {
        id_of(told.iter().rfind(|stanza| stanza.name == "presence").expect("one's own presence"))
    };
    let first = own(world.enter(juliet, ROOM, "Juliet"));
    world.send(juliet, &format!("<presence type='unavailable' to='{ROOM}/Juliet'/>"));
    let tablet = world.online("juliet", "tablet");
    assert_eq!(own(world.enter(tablet, ROOM, "Capulet")), first);
    let attic = format!("attic@{ROOMS}");
    assert_ne!(own(world.enter(tablet, &attic, "Juliet")), first);
    assert_ne!(own(world.enter(romeo, ROOM, "romeo")), first);
    world.restart();
    let again = world.online("juliet", "phone");
    assert_eq!(own(world.enter(again, ROOM, "Juliet")), first);
    assert!(first.len() <= 128, "§4.1");
    assert!(!first.contains("juliet"));
}

// §2; §4 "If occupant identifiers are force enabled for all rooms on a MUC service, it SHOULD additionally specify the [...]
// feature on the MUC service"
#[test]
fn rooms_and_their_service_say_so() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    for to in [ROOM, ROOMS] {
        let asks = format!(
            "<iq type='get' id='d' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        );
        let about = world.expect_result(romeo, &asks);
        let query = about.find("query", "http://jabber.org/protocol/disco#info").expect("a query");
        assert!(query.children().any(|child| child.get_attr("var") == Some(NS)), "{to}");
    }
}

//! §7.13, §8.6: asking for voice, and getting it.

use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ROOM, item};
use crate::world::World;

const DATA: &str = "jabber:x:data";

fn submit(fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"))
        .collect();
    format!(
        "<message to='{ROOM}' id='voice'><x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'>\
         <value>http://jabber.org/protocol/muc#request</value></field>{fields}</x></message>"
    )
}

fn request() -> String {
    submit(&[("muc#role", "participant")])
}

fn decision(allow: &str) -> String {
    submit(&[
        ("muc#role", "participant"),
        ("muc#jid", "tybalt@example.org/phone"),
        ("muc#roomnick", "tybalt"),
        ("muc#request_allow", allow),
    ])
}

/// The moderated room of `romeo`, where `juliet` is a moderator, `nurse` may speak and `tybalt` may not.
fn moderated(world: &mut World) -> Vec<Client> {
    let clients = world.room_of(&["romeo", "juliet", "nurse", "tybalt"]);
    world.configure_room(clients[0], ROOM, &[("moderatedroom", "1")]);
    world.change_person(clients[0], ROOM, "nick='juliet' role='moderator'");
    world.change_person(clients[0], ROOM, "nick='nurse' role='participant'");
    clients.iter().for_each(|client| world.clear(*client));
    clients
}

fn fields(message: &Element) -> Vec<(String, String, String)> {
    let form = message.find("x", DATA).expect("a form");
    assert_eq!(form.get_attr("type"), Some("form"));
    let fields = form.children().filter(|child| child.name == "field");
    fields
        .map(|field| {
            let attr = |name| field.get_attr(name).unwrap_or_default().to_owned();
            let value = field.find("value", DATA).map(Element::text_content).unwrap_or_default();
            (attr("var"), attr("type"), value)
        })
        .collect()
}

#[test]
fn every_moderator_is_asked_and_nobody_else() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    world.send(clients[3], &request());
    let of = |var: &str, kind: &str, value: &str| (var.to_owned(), kind.to_owned(), value.to_owned());
    for client in &clients[..2] {
        let question = world.receive(*client);
        assert_eq!((question.name.as_str(), question.get_attr("from")), ("message", Some(ROOM)));
        assert!(question.get_attr("id").is_some());
        assert_eq!(
            fields(&question),
            [
                of("FORM_TYPE", "hidden", "http://jabber.org/protocol/muc#request"),
                of("muc#role", "list-single", "participant"),
                of("muc#jid", "jid-single", "tybalt@example.org/phone"),
                of("muc#roomnick", "text-single", "tybalt"),
                of("muc#request_allow", "boolean", "0"),
            ]
        );
    }
    clients.iter().for_each(|client| world.expect_nothing(*client));
}

#[test]
fn who_is_let_may_speak_and_everyone_sees_it() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    world.send(clients[3], &request());
    clients.iter().for_each(|client| world.clear(*client));
    world.send(clients[1], &decision("true"));
    for client in &clients {
        let shown = world.receive(*client);
        assert_eq!(shown.get_attr("from"), Some(format!("{ROOM}/tybalt").as_str()));
        assert_eq!(item(&shown, "role").as_deref(), Some("participant"));
        world.expect_nothing(*client);
    }
    // The other moderator is too late, and that is no error.
    world.send(clients[0], &decision("1"));
    clients.iter().for_each(|client| world.expect_nothing(*client));
}

#[test]
fn a_no_and_a_closed_form_change_nothing() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    world.send(clients[1], &decision("0"));
    world.send(clients[1], &decision("1").replace("'submit'", "'cancel'"));
    clients.iter().for_each(|client| world.expect_nothing(*client));
}

#[test]
fn nobody_but_a_moderator_decides() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    for client in [clients[2], clients[3]] {
        world.send(client, &decision("1"));
        world.expect_bounce(client, "forbidden");
    }
    world.expect_nothing(clients[0]);
}

#[test]
fn a_decision_is_about_the_one_who_has_asked_and_not_whoever_has_the_nick() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    world.send(clients[3], &format!("<presence to='{ROOM}/cousin'/>"));
    clients.iter().for_each(|client| world.clear(*client));
    world.send(clients[1], &decision("1"));
    world.expect_bounce(clients[1], "item-not-found");
    let paris = world.online("paris", "phone");
    world.enter(paris, ROOM, "tybalt");
    clients.iter().for_each(|client| world.clear(*client));
    world.send(clients[1], &decision("1"));
    world.expect_bounce(clients[1], "item-not-found");
    world.expect_nothing(paris);
}

#[test]
fn one_asks_once_in_ten_minutes() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    world.send(clients[3], &request());
    world.send(clients[3], &request());
    world.expect_bounce(clients[3], "policy-violation");
    assert_eq!(world.drain(clients[0]).len(), 1);
    world.advance(10 * 60_000);
    world.clear(clients[3]);
    world.send(clients[3], &request());
    world.expect_nothing(clients[3]);
    assert!(world.drain(clients[0]).iter().any(|stanza| stanza.find("x", DATA).is_some()));
}

#[test]
fn requests_that_make_no_sense_get_an_error_and_disturb_nobody() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    let stranger = world.online("paris", "phone");
    for (client, form, condition) in [
        (clients[2], request(), "not-allowed"),
        (clients[0], request(), "not-allowed"),
        (stranger, request(), "not-acceptable"),
        (clients[3], submit(&[]), "bad-request"),
        (clients[3], submit(&[("muc#role", "moderator")]), "bad-request"),
        (clients[3], submit(&[("muc#role", "participant"), ("muc#request_allow", "maybe")]), "bad-request"),
        (clients[3], request().replace("kitchen", "cellar"), "item-not-found"),
    ] {
        world.send(client, &form);
        world.expect_bounce(client, condition);
    }
    clients.iter().for_each(|client| world.expect_nothing(*client));
}

#[test]
fn a_room_can_take_no_requests() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    let form = "<field var='{urn:stube}voice_requests'><value>0</value></field>";
    world.expect_result(
        clients[0],
        &format!(
            "<iq type='set' id='config' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='{DATA}' type='submit'>{form}</x></query></iq>"
        ),
    );
    clients.iter().for_each(|client| world.clear(*client));
    world.send(clients[3], &request());
    world.expect_bounce(clients[3], "forbidden");
    world.expect_nothing(clients[0]);
}

#[test]
fn where_no_moderator_is_there_is_nobody_to_ask() {
    let mut world = World::new();
    let clients = moderated(&mut world);
    for (client, nick) in [(clients[0], "romeo"), (clients[1], "juliet")] {
        world.send(client, &format!("<presence type='unavailable' to='{ROOM}/{nick}'/>"));
    }
    world.clear(clients[3]);
    world.send(clients[3], &request());
    world.expect_bounce(clients[3], "recipient-unavailable");
}

//! §17.4: requests from one occupant to another.

use stube::store::record::{Role, RoomAffiliation};

use crate::client::Client;
use crate::rooms::{ROOM, ROOMS};
use crate::world::{World, condition_of, show};

const VERSION: &str = "<query xmlns='jabber:iq:version'/>";
const VCARD: &str = "<vCard xmlns='vcard-temp'/>";

fn ask(nick: &str, content: &str) -> String {
    format!("<iq type='get' id='q1' to='{ROOM}/{nick}'>{content}</iq>")
}

/// Romeo, who owns the room, and two who are participants.
fn three(world: &mut World) -> [Client; 3] {
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    [clients[0], clients[1], clients[2]]
}

/// The id under which a request has come to this client.
#[track_caller]
fn asked(world: &mut World, client: Client, from: &str) -> String {
    let got = world.receive(client);
    assert_eq!(got.get_attr("type"), Some("get"), "{}", show(&got));
    assert_eq!(got.get_attr("from"), Some(format!("{ROOM}/{from}").as_str()));
    got.get_attr("id").expect("an id").to_owned()
}

#[test]
fn a_request_reaches_the_other_from_the_room_and_so_does_its_answer() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    world.send(juliet, &ask("nurse", VERSION));
    let id = asked(&mut world, nurse, "juliet");
    assert_ne!(id, "q1", "ids of different askers don't meet");
    let version = "<query xmlns='jabber:iq:version'><name>Profanity</name></query>";
    world.send(nurse, &format!("<iq type='result' id='{id}' to='{ROOM}/juliet'>{version}</iq>"));
    world.expect(
        juliet,
        &format!(
            "<iq type='result' id='q1' from='{ROOM}/nurse' to='juliet@example.org/phone'>{version}</iq>"
        ),
    );
}

// §17.4 "the MUC service MUST NOT reveal the sender's real JID to the recipient at any time, nor reveal the recipient's real
// JID to the sender"
#[test]
fn no_real_address_travels_either_way() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    world.send(juliet, &ask("nurse", VERSION));
    let got = world.receive(nurse);
    assert!(!show(&got).contains("juliet@"), "{}", show(&got));
    let id = got.get_attr("id").expect("an id");
    world.send(
        nurse,
        &format!(
            "<iq type='error' id='{id}' to='{ROOM}/juliet'><error type='modify' by='nurse@example.org'>\
             <gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:nurse@example.org</gone>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>I am nurse@example.org/phone</text>\
             <nurse xmlns='urn:example'/></error></iq>"
        ),
    );
    let told = world.receive(juliet);
    assert_eq!(condition_of(&told).as_deref(), Some("gone"));
    assert_eq!(told.find("error", "jabber:client").and_then(|error| error.get_attr("type")), Some("modify"));
    assert!(!show(&told).contains("nurse@"), "{}", show(&told));
}

#[test]
fn an_answer_with_the_real_address_in_it_does_not_come_back_in_an_anonymous_room() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = three(&mut world);
    let items = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
    let real =
        "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='Nurse@example.org/phone'/></query>";
    world.send(juliet, &ask("nurse", items));
    let id = asked(&mut world, nurse, "juliet");
    world.send(nurse, &format!("<iq type='result' id='{id}' to='{ROOM}/juliet'>{real}</iq>"));
    let told = world.receive(juliet);
    assert_eq!(condition_of(&told).as_deref(), Some("not-acceptable"));
    assert!(!show(&told).contains("nurse@"), "{}", show(&told));
    // A moderator sees real addresses anyway.
    world.send(romeo, &ask("nurse", items));
    let id = asked(&mut world, nurse, "romeo");
    world.send(nurse, &format!("<iq type='result' id='{id}' to='{ROOM}/romeo'>{real}</iq>"));
    assert_eq!(world.receive(romeo).get_attr("type"), Some("result"));
}

// A call, for example, has the address of who makes it in its content.
#[test]
fn a_request_with_the_real_address_in_it_does_not_go_on_in_an_anonymous_room() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = three(&mut world);
    let call = |nick: &str| {
        format!(
            "<iq type='set' id='s' to='{ROOM}/{nick}'>\
             <jingle xmlns='urn:xmpp:jingle:1' initiator='Juliet@example.org/phone'/></iq>"
        )
    };
    world.expect_error(juliet, &call("nurse"), "not-acceptable");
    world.expect_nothing(nurse);
    // Moderators know it.
    world.send(juliet, &call("romeo"));
    assert_eq!(world.receive(romeo).get_attr("type"), Some("set"));
    world.shape_room(ROOM, |config| config.non_anonymous = true);
    world.send(juliet, &call("nurse"));
    assert_eq!(world.receive(nurse).get_attr("type"), Some("set"));
}

#[test]
fn an_answer_is_taken_only_from_whom_it_was_asked() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = three(&mut world);
    world.send(juliet, &ask("nurse", VERSION));
    let id = asked(&mut world, nurse, "juliet");
    let answer = format!("<iq type='result' id='{id}' to='{ROOM}/juliet'/>");
    world.send(romeo, &answer);
    let tablet = world.online("nurse", "tablet");
    world.enter(tablet, ROOM, "nurse");
    world.clear(juliet);
    world.send(tablet, &answer);
    world.send(nurse, &format!("<iq type='result' id='{id}' to='attic@{ROOMS}/juliet'/>"));
    world.send(nurse, &format!("<iq type='result' id='q1' to='{ROOM}/juliet'/>"));
    world.expect_nothing(juliet);
    world.send(nurse, &answer);
    world.expect(juliet, &format!("<iq type='result' id='q1' from='{ROOM}/nurse' to='*'/>"));
    // Once.
    world.send(nurse, &answer);
    world.expect_nothing(juliet);
}

// §6.6 "If a non-occupant attempts to send a disco request to an address of the form <room@service/nick>, a MUC service MUST
// return a badrequest error"
#[test]
fn outsiders_ask_nobody_in_a_room() {
    let mut world = World::new();
    let [_, juliet, _] = three(&mut world);
    let eve = world.online("eve", "phone");
    for nick in ["juliet", "nobody"] {
        for kind in ["info", "items"] {
            let disco = format!("<query xmlns='http://jabber.org/protocol/disco#{kind}'/>");
            world.expect_error(eve, &ask(nick, &disco), "bad-request");
        }
        world.expect_error(eve, &ask(nick, VERSION), "not-acceptable");
        world.expect_error(eve, &ask(nick, VCARD), "not-acceptable");
    }
    world.expect_nothing(juliet);
}

#[test]
fn a_nick_that_is_nobodys_is_not_found_nor_one_that_is_not_shown() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    world.expect_error(juliet, &ask("nobody", VERSION), "item-not-found");
    world.shape_room(ROOM, |config| config.broadcast = Role::Moderator);
    world.expect_error(juliet, &ask("nurse", VERSION), "item-not-found");
    world.expect_nothing(nurse);
}

#[test]
fn a_request_goes_to_the_device_whose_presence_is_shown() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    let tablet = world.online("nurse", "tablet");
    world.enter(tablet, ROOM, "nurse");
    world.clear(nurse);
    world.clear(juliet);
    world.send(juliet, &ask("nurse", VERSION));
    asked(&mut world, tablet, "juliet");
    world.expect_nothing(nurse);
}

#[test]
fn a_set_is_passed_on_too() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    world.send(
        juliet,
        &format!("<iq type='set' id='s' to='{ROOM}/nurse'><jingle xmlns='urn:xmpp:jingle:1'/></iq>"),
    );
    let got = world.receive(nurse);
    assert_eq!(
        (got.get_attr("type"), got.get_attr("from")),
        (Some("set"), Some("kitchen@conference.example.org/juliet"))
    );
}

#[test]
fn a_vcard_is_asked_of_the_account() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    let photo = "<PHOTO><TYPE>image/png</TYPE><BINVAL>iVBORw0KGgo=</BINVAL></PHOTO>";
    world.expect_result(
        nurse,
        &format!(
            "<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Angelica</FN><NICKNAME>nurse@EXAMPLE.org</NICKNAME>\
             {photo}<JABBERID>nurse@example.org</JABBERID><EMAIL><USERID>a@example.net</USERID></EMAIL></vCard></iq>"
        ),
    );
    world.clear(nurse);
    world.send(juliet, &ask("nurse", VCARD));
    // What could tell who it is stays behind.
    world.expect(
        juliet,
        &format!(
            "<iq type='result' id='q1' from='{ROOM}/nurse' to='juliet@example.org/phone'>\
             <vCard xmlns='vcard-temp'><FN>Angelica</FN>{photo}</vCard></iq>"
        ),
    );
    world.expect_nothing(nurse);
    // Where addresses are shown, all of it is.
    world.shape_room(ROOM, |config| config.non_anonymous = true);
    let all = world.expect_result(juliet, &ask("nurse", VCARD));
    assert!(show(&all).contains("JABBERID") && show(&all).contains("a@example.net"));
}

#[test]
fn a_vcard_that_is_not_there_says_nothing_of_who_has_none() {
    let mut world = World::new();
    let [_, juliet, _] = three(&mut world);
    let told = world.ask(juliet, &ask("nurse", VCARD));
    assert_eq!(condition_of(&told).as_deref(), Some("service-unavailable"));
    assert!(!show(&told).contains("nurse@"), "{}", show(&told));
}

#[test]
fn a_vcard_of_somebody_elsewhere_comes_from_their_server() {
    let mut world = World::federated();
    let [_, juliet, _] = three(&mut world);
    world.from_remote(&format!(
        "<presence from='eve@example.net/x' to='{ROOM}/eve'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    world.clear(juliet);
    world.to_remote();
    world.send(juliet, &ask("eve", VCARD));
    let gone = world.to_remote().pop().expect("a request");
    assert_eq!(
        (gone.get_attr("to"), gone.get_attr("from")),
        (Some("eve@example.net"), Some("kitchen@conference.example.org/juliet"))
    );
    let id = gone.get_attr("id").expect("an id");
    world.from_remote(&format!(
        "<iq type='result' id='{id}' from='eve@example.net' to='{ROOM}/juliet'><vCard xmlns='vcard-temp'>\
         <FN>Eve</FN><JABBERID>eve@example.net</JABBERID></vCard></iq>"
    ));
    world.expect(
        juliet,
        &format!("<iq type='result' id='q1' from='{ROOM}/eve' to='*'><vCard xmlns='vcard-temp'><FN>Eve</FN></vCard></iq>"),
    );
}

#[test]
fn what_is_not_answered_is_over_after_a_minute() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    world.send(juliet, &ask("nurse", VERSION));
    let id = asked(&mut world, nurse, "juliet");
    for _ in 0..4 {
        world.advance(30_000);
    }
    let told = world.answer(juliet, "q1").expect("an answer");
    assert_eq!(condition_of(&told).as_deref(), Some("remote-server-timeout"));
    world.send(nurse, &format!("<iq type='result' id='{id}' to='{ROOM}/juliet'/>"));
    assert!(world.answer(juliet, "q1").is_none(), "too late");
}

#[test]
fn one_device_has_so_many_open_requests_and_no_more() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = three(&mut world);
    for _ in 0..20 {
        world.send(juliet, &ask("nurse", VERSION));
    }
    world.expect_nothing(juliet);
    world.expect_error(juliet, &ask("nurse", VERSION), "resource-constraint");
    assert_eq!(world.drain(nurse).len(), 20);
    // Others are not in its way.
    world.send(romeo, &ask("nurse", VERSION));
    asked(&mut world, nurse, "romeo");
}

#[test]
fn who_has_left_is_told_nothing_any_more() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    world.send(juliet, &ask("nurse", VERSION));
    let id = asked(&mut world, nurse, "juliet");
    world.send(juliet, &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    world.clear(juliet);
    world.send(nurse, &format!("<iq type='result' id='{id}' to='{ROOM}/juliet'/>"));
    world.expect_nothing(juliet);
}

#[test]
fn who_blocks_an_occupant_is_not_asked_by_it() {
    let mut world = World::new();
    let [_, juliet, nurse] = three(&mut world);
    world.expect_result(
        nurse,
        &format!(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{ROOM}/juliet'/></block></iq>"
        ),
    );
    world.clear(nurse);
    world.expect_error(juliet, &ask("nurse", VERSION), "service-unavailable");
    world.expect_nothing(nurse);
}

#[test]
fn what_one_asks_of_oneself_reaches_ones_own_client() {
    let mut world = World::new();
    let [_, juliet, _] = three(&mut world);
    world.send(juliet, &ask("juliet", VERSION));
    let id = asked(&mut world, juliet, "juliet");
    world.send(juliet, &format!("<iq type='result' id='{id}' to='{ROOM}/juliet'/>"));
    world.expect(juliet, &format!("<iq type='result' id='q1' from='{ROOM}/juliet' to='*'/>"));
}

#[test]
fn an_outcast_can_not_ask_through_a_room_that_it_was_in() {
    let mut world = World::new();
    let [_, _, nurse] = three(&mut world);
    world.affiliate(ROOM, "eve", RoomAffiliation::Outcast);
    let eve = world.online("eve", "phone");
    world.expect_error(eve, &ask("nurse", VCARD), "not-acceptable");
    world.expect_nothing(nurse);
}

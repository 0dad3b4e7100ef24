//! XEP-0486: pictures of rooms.

use stube::config::Limit;
use stube::store::Table;
use stube::store::record::RoomAffiliation;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ROOM, ROOMS, codes};
use crate::world::{World, show};

const INFO: &str = "http://jabber.org/protocol/disco#info";
/// A picture and its hash.
const ONE: (&str, &str) = ("iVBORyBvbmU=", "cede3a5c8159ee6b3ccb9aec14e4ef93f94de320");
const OTHER: (&str, &str) = ("iVBORyB0d28=", "5ff0371783f2adcf01f0d69a5aba5b0d78fea9f1");

fn photo(data: &str) -> String {
    format!("<PHOTO><TYPE>image/png</TYPE><BINVAL>{data}</BINVAL></PHOTO>")
}

fn set(content: &str) -> String {
    format!("<iq type='set' id='v' to='{ROOM}'><vCard xmlns='vcard-temp'>{content}</vCard></iq>")
}

fn get() -> String {
    format!("<iq type='get' id='v' to='{ROOM}'><vCard xmlns='vcard-temp'/></iq>")
}

fn about(world: &mut World, client: Client, to: &str) -> Element {
    let asks = format!("<iq type='get' id='d' to='{to}'><query xmlns='{INFO}'/></iq>");
    world.expect_result(client, &asks).find("query", INFO).expect("a query").clone()
}

/// The hashes that the room tells; `None`: it does not say that it has a picture.
fn hashes(world: &mut World, client: Client) -> Option<Vec<String>> {
    let about = about(world, client, ROOM);
    let form = about.find("x", "jabber:x:data")?;
    let field = form.children().find(|field| field.get_attr("var") == Some("muc#roominfo_avatarhash"))?;
    Some(field.children().map(Element::text_content).collect())
}

fn update(hash: &str) -> String {
    format!(
        "<presence from='{ROOM}' to='*'><x xmlns='vcard-temp:x:update'><photo>{hash}</photo></x></presence>"
    )
}

// §3.1
#[test]
fn rooms_and_their_service_say_that_there_may_be_a_picture() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    for to in [ROOMS, ROOM] {
        let about = about(&mut world, romeo, to);
        assert!(about.children().any(|child| child.get_attr("var") == Some("vcard-temp")), "{to}");
    }
}

// §3.2, §3.3, §3.4
#[test]
fn an_owner_gives_a_room_a_picture_that_others_find_and_get() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    assert_eq!(hashes(&mut world, nurse), None);
    assert!(show(&world.expect_result(nurse, &get())).contains("<vCard xmlns='vcard-temp'/>"));
    world.expect_result(clients[0], &set(&photo(ONE.0)));
    assert_eq!(hashes(&mut world, nurse), Some(vec![ONE.1.to_owned()]));
    assert!(show(&world.expect_result(nurse, &get())).contains(&photo(ONE.0)));
    world.shape_room(ROOM, |config| config.persistent = true);
    world.restart();
    let nurse = world.online("nurse", "phone");
    assert_eq!(hashes(&mut world, nurse), Some(vec![ONE.1.to_owned()]));
}

// §3.2 "The room should then broadcast a notification that the configuration changed to all users present"
#[test]
fn those_in_the_room_learn_of_a_new_picture() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.expect_result(clients[0], &set(&photo(ONE.0)));
    let told = world.receive(clients[1]);
    assert_eq!((told.get_attr("from"), told.get_attr("type")), (Some(ROOM), Some("groupchat")));
    assert_eq!(codes(&told), ["104"]);
    world.expect(clients[1], &update(ONE.1));
    // The same picture is no news, but the rest may be.
    world.expect_result(clients[0], &set(&format!("<FN>Kitchen</FN>{}", photo(ONE.0))));
    assert_eq!(codes(&world.receive(clients[1])), ["104"]);
    world.expect_nothing(clients[1]);
    // "Setting an empty vCard unpublishes the avatar."
    world.expect_result(clients[0], &set(""));
    assert_eq!(codes(&world.receive(clients[1])), ["104"]);
    world.expect(clients[1], &update(""));
    assert_eq!(hashes(&mut world, clients[1]), None);
}

// §5.2
#[test]
fn who_enters_learns_of_the_picture_before_the_subject() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.expect_result(romeo, &set(&photo(ONE.0)));
    let juliet = world.online("juliet", "phone");
    world.clear(juliet);
    world.send(juliet, &crate::rooms::entering(ROOM, "juliet"));
    let told = world.drain(juliet);
    let places: Vec<&str> = told.iter().filter_map(|stanza| stanza.get_attr("from")).collect();
    let of = |nick: &str| format!("{ROOM}/{nick}");
    assert_eq!(places, [of("romeo"), of("juliet"), ROOM.into(), ROOM.into()]);
    assert!(show(&told[2]).contains(ONE.1), "{}", show(&told[2]));
}

// §3.2, §6 "only allowed entities can publish a vCard-temp on a MUC"
#[test]
fn nobody_but_an_owner_changes_the_picture() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    world.expect_result(clients[0], &set(&photo(ONE.0)));
    world.affiliate(ROOM, "nurse", RoomAffiliation::Admin);
    let eve = world.online("eve", "phone");
    for client in [clients[1], clients[2], eve] {
        world.clear(client);
        world.expect_error(client, &set(&photo(OTHER.0)), "forbidden");
        world.expect_nothing(client);
    }
    assert_eq!(hashes(&mut world, clients[0]), Some(vec![ONE.1.to_owned()]));
}

#[test]
fn the_picture_of_a_hidden_room_is_not_for_those_who_may_not_enter() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.expect_result(clients[0], &set(&photo(ONE.0)));
    world.shape_room(ROOM, |config| config.members_only = true);
    let eve = world.online("eve", "phone");
    world.expect_error(eve, &get(), "forbidden");
    assert_eq!(hashes(&mut world, eve), None);
    world.clear(clients[1]);
    world.expect_result(clients[1], &get());
    world.shape_room(ROOM, |config| config.public = true);
    world.expect_result(eve, &get());
}

// §5.1 "the 'muc#roominfo_avatarhash' field must contain a hash of all of them"
#[test]
fn a_picture_in_several_forms_has_several_hashes() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.expect_result(romeo, &set(&(photo(ONE.0) + &photo(OTHER.0))));
    assert_eq!(hashes(&mut world, romeo), Some(vec![ONE.1.to_owned(), OTHER.1.to_owned()]));
    // A bomb of them has no more.
    world.expect_result(romeo, &set(&photo(ONE.0).repeat(100)));
    assert_eq!(hashes(&mut world, romeo).expect("some").len(), 8);
}

#[test]
fn what_is_no_picture_is_kept_but_is_none() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.expect_result(romeo, &set("<FN>Kitchen</FN><PHOTO><BINVAL>not Base64!</BINVAL></PHOTO>"));
    assert_eq!(hashes(&mut world, romeo), None);
    assert!(show(&world.expect_result(romeo, &get())).contains("Kitchen"));
}

#[test]
fn a_vcard_that_is_too_large_changes_nothing() {
    let mut world = World::with(|config| config.limits.vcard_bytes = Limit::of(1000));
    let romeo = world.room_of(&["romeo"])[0];
    world.expect_result(romeo, &set(&photo(ONE.0)));
    world.expect_error(romeo, &set(&photo(&"AAAA".repeat(300))), "resource-constraint");
    assert_eq!(hashes(&mut world, romeo), Some(vec![ONE.1.to_owned()]));
}

#[test]
fn the_picture_goes_with_the_room() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.expect_result(romeo, &set(&photo(ONE.0)));
    assert_eq!(world.rows(Table::Vcard), 1);
    world.send(romeo, &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
    assert_eq!(world.rows(Table::Vcard), 0);
    world.enter(romeo, ROOM, "romeo");
    assert_eq!(hashes(&mut world, romeo), None);
}

#[test]
fn a_room_that_is_not_there_has_no_picture() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.expect_error(romeo, &get(), "item-not-found");
    world.expect_error(romeo, &set(&photo(ONE.0)), "item-not-found");
}

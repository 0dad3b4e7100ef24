//! §6: what the service and its rooms say of themselves.

use stube::jid::Jid;
use stube::store::record::{Role, RoomAffiliation};
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ROOM, ROOMS, entering};
use crate::world::{World, show};

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

fn asking(ns: &str, to: &str, node: &str, content: &str) -> String {
    format!("<iq type='get' id='d' to='{to}'><query xmlns='{ns}'{node}>{content}</query></iq>")
}

#[track_caller]
fn query(world: &mut World, client: Client, ns: &str, to: &str) -> Element {
    let answer = world.expect_result(client, &asking(ns, to, "", ""));
    answer.find("query", ns).expect("a query").clone()
}

fn all<'a>(query: &'a Element, name: &'a str, attr: &'a str) -> Vec<&'a str> {
    query.children().filter(|child| child.name == name).filter_map(|child| child.get_attr(attr)).collect()
}

fn features(query: &Element) -> Vec<&str> {
    all(query, "feature", "var")
}

/// The value of a field of the form; `None`: there is no such field.
fn field(query: &Element, var: &str) -> Option<String> {
    let form = query.find("x", "jabber:x:data")?;
    let field = form.children().find(|field| field.get_attr("var") == Some(var))?;
    Some(field.children().map(Element::text_content).collect::<Vec<_>>().join("\n"))
}

/// A page of the list of rooms: their names, and what the `<set/>` says of first, last and count.
#[track_caller]
fn page(world: &mut World, client: Client, set: &str) -> (Vec<String>, [Option<String>; 3]) {
    let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>");
    let answer = world.expect_result(client, &asking(ITEMS, ROOMS, "", &set));
    let query = answer.find("query", ITEMS).expect("a query");
    let names = all(query, "item", "jid").into_iter().map(|jid| local(jid).to_owned()).collect();
    let rsm = "http://jabber.org/protocol/rsm";
    let set = query.find("set", rsm);
    let told = ["first", "last", "count"]
        .map(|name| set.and_then(|set| set.find(name, rsm)).map(|it| local(&it.text_content()).to_owned()));
    (names, told)
}

fn local(jid: &str) -> &str {
    jid.split('@').next().unwrap_or_default()
}

/// Rooms that anyone can find.
fn public_rooms(world: &mut World, names: &[&str]) -> Client {
    let romeo = world.online("romeo", "phone");
    names.iter().for_each(|name| open(world, romeo, name));
    romeo
}

fn open(world: &mut World, owner: Client, name: &str) {
    let room = format!("{name}@{ROOMS}");
    world.enter(owner, &room, "Romeo");
    world.open_room(owner, &room);
    world.shape_room(&room, |config| config.public = true);
}

// §6.1
#[test]
fn the_service_is_among_the_servers_items() {
    let mut world = World::new();
    let romeo = world.login("romeo", "phone");
    let items = query(&mut world, romeo, ITEMS, "example.org");
    assert!(all(&items, "item", "jid").contains(&ROOMS));
}

// §6.2 "The service MUST return its identity and the features it supports"
#[test]
fn the_service_says_that_it_has_rooms() {
    let mut world = World::new();
    let romeo = world.login("romeo", "phone");
    let about = query(&mut world, romeo, INFO, ROOMS);
    assert_eq!(all(&about, "identity", "category"), ["conference"]);
    assert_eq!(all(&about, "identity", "type"), ["text"]);
    let stable_id = "http://jabber.org/protocol/muc#stable_id";
    for feature in
        [INFO, ITEMS, "http://jabber.org/protocol/muc", "http://jabber.org/protocol/rsm", stable_id]
    {
        assert!(features(&about).contains(&feature), "{feature}");
    }
}

// §6.3 "The service SHOULD return a full list of the public rooms it hosts (i.e., not return any rooms that are hidden)"
#[test]
fn public_rooms_are_listed_with_their_titles_and_hidden_ones_are_not() {
    let mut world = World::new();
    let romeo = public_rooms(&mut world, &["hall", "attic"]);
    world.enter(romeo, ROOM, "Romeo");
    world.open_room(romeo, ROOM);
    world.shape_room("attic@conference.example.org", |config| config.title = "The attic".into());
    world.send(romeo, &asking(ITEMS, ROOMS, "", ""));
    world.expect(
        romeo,
        &format!(
            "<iq type='result' id='d' from='{ROOMS}' to='romeo@example.org/phone'><query xmlns='{ITEMS}'>\
             <item jid='attic@{ROOMS}' name='The attic'/><item jid='hall@{ROOMS}'/></query></iq>"
        ),
    );
}

#[test]
fn the_list_follows_what_happens_to_rooms() {
    let mut world = World::new();
    let romeo = public_rooms(&mut world, &["hall", "attic"]);
    assert_eq!(page(&mut world, romeo, "").0, ["attic", "hall"]);
    world.shape_room(&format!("attic@{ROOMS}"), |config| config.public = false);
    assert_eq!(page(&mut world, romeo, "").0, ["hall"]);
    open(&mut world, romeo, "shed");
    assert_eq!(page(&mut world, romeo, "").0, ["hall", "shed"]);
    world.core.remove_room(&Jid::parse(&format!("hall@{ROOMS}")).expect("an address")).expect("removed");
    assert_eq!(page(&mut world, romeo, "").0, ["shed"]);
}

#[test]
fn rooms_that_nobody_is_in_are_listed_after_a_restart() {
    let mut world = World::new();
    public_rooms(&mut world, &["hall"]);
    world.shape_room(&format!("hall@{ROOMS}"), |config| config.persistent = true);
    world.restart();
    let romeo = world.online("romeo", "tablet");
    assert_eq!(page(&mut world, romeo, "").0, ["hall"]);
}

#[test]
fn a_room_that_is_not_open_yet_is_not_there_for_others() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.send(romeo, &entering(ROOM, "Romeo"));
    world.clear(romeo);
    world.shape_room(ROOM, |config| config.public = true);
    let juliet = world.online("juliet", "phone");
    world.expect_error(juliet, &asking(INFO, ROOM, "", ""), "item-not-found");
    assert_eq!(page(&mut world, juliet, ""), (vec![], [None, None, None]));
    assert!(features(&query(&mut world, romeo, INFO, ROOM)).contains(&"muc_public"), "its owner sees it");
}

// §6.3, XEP-0059 §2.2, §2.3, §2.5, §2.7
#[test]
fn the_list_comes_in_pages() {
    let mut world = World::new();
    let romeo = public_rooms(&mut world, &["a", "b", "c", "d", "e"]);
    let told = |first: &str, last: &str| [first, last, "5"].map(|text| Some(text.to_owned()));
    assert_eq!(page(&mut world, romeo, "<max>2</max>"), (vec!["a".into(), "b".into()], told("a", "b")));
    let after = format!("<max>2</max><after>b@{ROOMS}</after>");
    assert_eq!(page(&mut world, romeo, &after), (vec!["c".into(), "d".into()], told("c", "d")));
    assert_eq!(page(&mut world, romeo, "<max>1</max><before/>"), (vec!["e".into()], told("e", "e")));
    let before = format!("<max>2</max><before>d@{ROOMS}</before>");
    assert_eq!(page(&mut world, romeo, &before), (vec!["b".into(), "c".into()], told("b", "c")));
    let (none, [first, last, count]) = page(&mut world, romeo, "<max>0</max>");
    assert_eq!((none, first, last, count.as_deref()), (vec![], None, None, Some("5")));
}

// XEP-0059 §2.4: its place in the order of addresses is known.
#[test]
fn a_page_goes_on_behind_a_room_that_has_gone_meanwhile() {
    let mut world = World::new();
    let romeo = public_rooms(&mut world, &["a", "b", "c"]);
    assert_eq!(page(&mut world, romeo, "<max>2</max>").0, ["a", "b"]);
    world.shape_room(&format!("b@{ROOMS}"), |config| config.public = false);
    assert_eq!(page(&mut world, romeo, &format!("<after>b@{ROOMS}</after>")).0, ["c"]);
}

#[test]
fn a_list_of_rooms_is_not_asked_for_by_nonsense() {
    let mut world = World::new();
    let romeo = public_rooms(&mut world, &["a"]);
    for (set, condition) in [
        ("<max>-1</max>", "bad-request"),
        ("<max>x</max>", "bad-request"),
        ("<index>1</index>", "feature-not-implemented"),
    ] {
        let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>");
        world.expect_error(romeo, &asking(ITEMS, ROOMS, "", &set), condition);
    }
    world.expect_error(romeo, &asking(ITEMS, ROOMS, " node='x'", ""), "item-not-found");
    let set = format!("<iq type='set' id='d' to='{ROOMS}'><query xmlns='{ITEMS}'/></iq>");
    world.expect_error(romeo, &set, "bad-request");
}

// §6.4 "The room MUST return its identity and SHOULD return the features it supports"
#[test]
fn a_room_says_what_it_is_in_every_configuration() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    let about = query(&mut world, romeo, INFO, ROOM);
    assert_eq!(all(&about, "identity", "category"), ["conference"]);
    for feature in [
        "http://jabber.org/protocol/muc",
        "http://jabber.org/protocol/muc#stable_id",
        "http://jabber.org/protocol/muc#self-ping-optimization",
        "urn:xmpp:occupant-id:0",
        "urn:xmpp:ping",
        INFO,
        ITEMS,
    ] {
        assert!(features(&about).contains(&feature), "{feature}");
    }
    let of_configuration = |world: &mut World| -> Vec<String> {
        let about = query(world, romeo, INFO, ROOM);
        let features = features(&about).into_iter().filter(|feature| feature.starts_with("muc_"));
        features.map(|feature| feature["muc_".len()..].to_owned()).collect()
    };
    let plain = ["hidden", "open", "semianonymous", "temporary", "unmoderated", "unsecured"];
    assert_eq!(of_configuration(&mut world), plain);
    world.shape_room(ROOM, |config| {
        config.public = true;
        config.members_only = true;
        config.moderated = true;
        config.non_anonymous = true;
        config.persistent = true;
        config.password = "thunder".into();
    });
    let other = ["membersonly", "moderated", "nonanonymous", "passwordprotected", "persistent", "public"];
    assert_eq!(of_configuration(&mut world), other);
}

// §6.4, §16.5.4
#[test]
fn a_room_describes_itself_to_those_who_may_know() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(
        clients[0],
        &format!("<message type='groupchat' to='{ROOM}'><subject>Dinner</subject></message>"),
    );
    world.shape_room(ROOM, |config| {
        config.title = "The kitchen".into();
        config.description = "Where it is warm".into();
        config.language = "en".into();
        config.contacts = vec!["romeo@example.org".into(), "nurse@example.org".into()];
        config.participants_change_subject = true;
        config.history = 7;
        config.private_messages = Role::Moderator;
    });
    world.clear(clients[0]);
    let about = query(&mut world, clients[0], INFO, ROOM);
    assert_eq!(all(&about, "identity", "name"), ["The kitchen"]);
    for (var, value) in [
        ("FORM_TYPE", "http://jabber.org/protocol/muc#roominfo"),
        ("muc#roomconfig_roomname", "The kitchen"),
        ("muc#roominfo_description", "Where it is warm"),
        ("muc#roominfo_contactjid", "romeo@example.org\nnurse@example.org"),
        ("muc#roominfo_lang", "en"),
        ("muc#roominfo_occupants", "2"),
        ("muc#roominfo_subject", "Dinner"),
        ("muc#roominfo_subjectmod", "1"),
        ("muc#roomconfig_changesubject", "1"),
        ("muc#roomconfig_allowinvites", "1"),
        ("muc#roomconfig_allowpm", "moderators"),
        ("muc#maxhistoryfetch", "7"),
    ] {
        assert_eq!(field(&about, var).as_deref(), Some(value), "{var}");
    }
}

// §14.4 "The "roominfo" data form used in extended service discovery can result in information leaks"
#[test]
fn a_hidden_room_tells_outsiders_what_entering_takes_and_nothing_else() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    world.shape_room(ROOM, |config| {
        config.members_only = true;
        config.title = "The plot".into();
        config.description = "Do not tell".into();
    });
    let (juliet, nurse) = (world.online("juliet", "phone"), world.online("nurse", "phone"));
    world.affiliate(ROOM, "nurse", RoomAffiliation::Member);
    let outside = query(&mut world, juliet, INFO, ROOM);
    assert!(features(&outside).contains(&"muc_membersonly"));
    assert!(outside.find("x", "jabber:x:data").is_none());
    assert!(!show(&outside).contains("plot"));
    assert_eq!(field(&query(&mut world, nurse, INFO, ROOM), "muc#roominfo_occupants").as_deref(), Some("1"));
    // A password or a ban keep people out as well.
    world.shape_room(ROOM, |config| config.members_only = false);
    assert!(query(&mut world, juliet, INFO, ROOM).find("x", "jabber:x:data").is_some());
    world.shape_room(ROOM, |config| config.password = "thunder".into());
    assert!(query(&mut world, juliet, INFO, ROOM).find("x", "jabber:x:data").is_none());
    world.shape_room(ROOM, |config| config.password = String::new());
    world.affiliate(ROOM, "juliet", RoomAffiliation::Outcast);
    assert!(query(&mut world, juliet, INFO, ROOM).find("x", "jabber:x:data").is_none());
}

#[test]
fn a_public_room_for_members_keeps_its_subject_from_outsiders() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world.send(romeo, &format!("<message type='groupchat' to='{ROOM}'><subject>Dinner</subject></message>"));
    world.shape_room(ROOM, |config| {
        config.public = true;
        config.members_only = true;
        config.description = "Ask us".into();
    });
    let juliet = world.online("juliet", "phone");
    let about = query(&mut world, juliet, INFO, ROOM);
    assert_eq!(field(&about, "muc#roominfo_description").as_deref(), Some("Ask us"));
    assert_eq!(field(&about, "muc#roominfo_subject"), None);
}

// §6.5 "If the list of occupants is private, the room MUST return an empty <query/> element"
#[test]
fn who_is_in_a_room_is_for_those_who_are() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let nurse = world.online("nurse", "phone");
    assert_eq!(query(&mut world, nurse, ITEMS, ROOM).children().count(), 0);
    let seen = query(&mut world, clients[1], ITEMS, ROOM);
    assert_eq!(all(&seen, "item", "jid"), [format!("{ROOM}/juliet"), format!("{ROOM}/romeo")]);
    // Not those whose presence is not shown.
    world.shape_room(ROOM, |config| config.broadcast = Role::Moderator);
    let seen = query(&mut world, clients[1], ITEMS, ROOM);
    assert_eq!(all(&seen, "item", "jid"), [format!("{ROOM}/romeo")]);
}

#[test]
fn a_room_that_is_not_there_says_nothing() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    for ns in [INFO, ITEMS] {
        world.expect_error(romeo, &asking(ns, ROOM, "", ""), "item-not-found");
    }
}

// §7.12 "If the user does not have a registered nickname, the room MUST return a service discovery <query/> element that is
// empty"
#[test]
fn a_room_tells_a_person_the_nick_that_is_kept_for_them() {
    let mut world = World::new();
    world.room_of(&["romeo"]);
    let juliet = world.online("juliet", "phone");
    let asks = asking(INFO, ROOM, " node='x-roomuser-item'", "");
    let none = world.expect_result(juliet, &asks);
    let empty = none.find("query", INFO).expect("a query");
    assert_eq!((empty.children().count(), empty.get_attr("node")), (0, Some("x-roomuser-item")));
    let (room, who) = (Jid::parse(ROOM), Jid::parse("juliet@example.org"));
    let person = stube::store::record::RoomPerson {
        affiliation: RoomAffiliation::Member,
        nick: "Capulet".into(),
        ..Default::default()
    };
    world.core.set_person(&room.expect("a room"), &who.expect("a person"), person).expect("known");
    let about = world.expect_result(juliet, &asks);
    let query = about.find("query", INFO).expect("a query");
    assert_eq!(all(query, "identity", "name"), ["Capulet"]);
    // It is nobody else's to know.
    let nurse = world.online("nurse", "phone");
    assert!(!show(&world.expect_result(nurse, &asks)).contains("Capulet"));
}

// §18.1.1 "If a service does not discard any namespaces, it MUST return a unavailable error"
#[test]
fn a_room_lets_all_namespaces_pass_and_knows_no_other_nodes() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    let traffic = " node='http://jabber.org/protocol/muc#traffic'";
    for ns in [INFO, ITEMS] {
        world.expect_error(romeo, &asking(ns, ROOM, traffic, ""), "service-unavailable");
        world.expect_error(romeo, &asking(ns, ROOM, " node='urn:example:other'", ""), "item-not-found");
    }
}

// §6.7: it is the contact's client that knows.
#[test]
fn which_rooms_a_contact_is_in_is_for_its_client_to_say() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (romeo, juliet) = (world.online("romeo", "phone"), world.online("juliet", "phone"));
    world.clear(juliet);
    let node = " node='http://jabber.org/protocol/muc#rooms'";
    world.send(romeo, &asking(ITEMS, "juliet@example.org/phone", node, ""));
    let asked = world.drain(juliet).pop().expect("the question");
    let query = asked.find("query", ITEMS).expect("a query");
    assert_eq!(query.get_attr("node"), Some("http://jabber.org/protocol/muc#rooms"));
}

#[test]
fn the_service_and_its_rooms_answer_pings_and_say_version_and_time() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    for to in [ROOMS, ROOM] {
        world.expect_result(
            romeo,
            &format!("<iq type='get' id='p' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>"),
        );
        let version = format!("<iq type='get' id='v' to='{to}'><query xmlns='jabber:iq:version'/></iq>");
        assert!(show(&world.expect_result(romeo, &version)).contains("stube"));
        world.expect_result(
            romeo,
            &format!("<iq type='get' id='t' to='{to}'><time xmlns='urn:xmpp:time'/></iq>"),
        );
    }
    world.expect_error(
        romeo,
        &format!("<iq type='get' id='p' to='attic@{ROOMS}'><ping xmlns='urn:xmpp:ping'/></iq>"),
        "item-not-found",
    );
}

//! Rooms that the configuration asks for (`[[room]]`), and the bookmarks of those who belong to them (XEP-0402).

use stube::config::{Config, RoomMembers, StandingRoom};
use stube::core::Event;
use stube::jid::Jid;
use stube::store::Table;
use stube::store::record::{RoomAffiliation, RoomConfig};
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{USER, codes, item};
use crate::world::{World, show};

const FAMILY: &str = "family@conference.example.org";
const BOOKMARKS: &str = "urn:xmpp:bookmarks:1";

fn family() -> StandingRoom {
    StandingRoom {
        name: "family".into(),
        domain: String::new(),
        title: "Family".into(),
        description: "All of us".into(),
        members: RoomMembers::Everyone,
        owners: Vec::new(),
        autojoin: true,
    }
}

fn of(members: &[&str]) -> RoomMembers {
    RoomMembers::Listed(members.iter().map(|member| (*member).to_owned()).collect())
}

fn with(change: impl Fn(&mut StandingRoom)) -> impl Fn(&mut Config) {
    move |config| {
        let mut room = family();
        change(&mut room);
        config.admins = vec!["romeo@example.org".into()];
        config.standing_rooms = vec![room];
    }
}

fn world(change: impl Fn(&mut StandingRoom)) -> World {
    let mut world = World::with(with(change));
    world.handle(Event::Tick);
    world
}

fn config(world: &mut World) -> RoomConfig {
    world.core.room(&Jid::parse(FAMILY).expect("an address")).expect("a room").config().clone()
}

fn bookmarks(world: &mut World, client: Client) -> Vec<(String, Element)> {
    world.items(client, BOOKMARKS)
}

#[test]
fn a_room_of_the_configuration_is_there_from_the_start_and_after_a_restart() {
    let mut world = world(|_| {});
    assert_eq!(world.rows(Table::Rooms), 1);
    let made = config(&mut world);
    assert_eq!((made.title.as_str(), made.description.as_str()), ("Family", "All of us"));
    assert!(made.persistent && made.members_only && made.non_anonymous && made.archived && !made.public);
    let rows = world.table(Table::Rooms);
    world.restart();
    world.handle(Event::Tick);
    assert_eq!(world.table(Table::Rooms), rows);
    let juliet = world.online("juliet", "phone");
    let told = world.enter(juliet, FAMILY, "Juliet");
    assert_eq!(codes(&told[0]), ["100", "110"]);
    assert_eq!(item(&told[0], "affiliation").as_deref(), Some("member"));
}

#[test]
fn everyone_belongs_to_it_also_those_who_come_later_and_nobody_else() {
    let mut world = world(|_| {});
    world.core.federated = true;
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, FAMILY, "Juliet");
    world.from_remote(&format!(
        "<presence from='eve@example.net/x' to='{FAMILY}/Eve'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    assert!(show(&world.to_remote()[0]).contains("<registration-required "));
    world.expect_nothing(juliet);
    // They may bring along somebody.
    world.send(
        juliet,
        &format!("<message to='{FAMILY}'><x xmlns='{USER}'><invite to='eve@example.net'/></x></message>"),
    );
    world.to_remote();
    world.from_remote(&format!(
        "<presence from='eve@example.net/x' to='{FAMILY}/Eve'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    assert_eq!(
        codes(world.to_remote().iter().rfind(|stanza| stanza.name == "presence").expect("her own")),
        ["100", "110"]
    );
}

#[test]
fn the_admins_of_the_server_own_it_unless_others_are_named() {
    let mut world = world(|_| {});
    assert_eq!(world.affiliation(FAMILY, "romeo@example.org"), RoomAffiliation::Owner);
    world.configure(with(|room| room.owners = vec!["juliet".into(), "nurse@example.net".into()]));
    assert_eq!(world.affiliation(FAMILY, "juliet@example.org"), RoomAffiliation::Owner);
    assert_eq!(world.affiliation(FAMILY, "nurse@example.net"), RoomAffiliation::Owner);
    assert_eq!(world.affiliation(FAMILY, "romeo@example.org"), RoomAffiliation::Member);
}

#[test]
fn members_follow_the_list_and_who_is_taken_off_has_to_go() {
    let mut world = world(|room| room.members = of(&["juliet", "tybalt", "nurse@example.net"]));
    let juliet = world.online("juliet", "phone");
    let tybalt = world.online("tybalt", "phone");
    let paris = world.online("paris", "phone");
    world.enter(juliet, FAMILY, "Juliet");
    world.enter(tybalt, FAMILY, "Tybalt");
    world.expect_no_entry(paris, FAMILY, "Paris", "registration-required");
    assert_eq!(world.affiliation(FAMILY, "nurse@example.net"), RoomAffiliation::Member);
    world.clear(juliet);
    world.clear(tybalt);
    world.configure(with(|room| room.members = of(&["juliet", "paris"])));
    let gone = world.drain(tybalt).into_iter().rfind(|stanza| stanza.name == "presence").expect("an end");
    assert_eq!(
        (gone.get_attr("type"), codes(&gone)),
        (Some("unavailable"), vec!["110".to_owned(), "321".to_owned()])
    );
    assert!(world.drain(juliet).iter().any(|stanza| codes(stanza) == ["321"]));
    world.expect_no_entry(tybalt, FAMILY, "Tybalt", "registration-required");
    world.enter(paris, FAMILY, "Paris");
    assert_eq!(world.affiliation(FAMILY, "nurse@example.net"), RoomAffiliation::None);
}

#[test]
fn everyone_and_a_list_can_take_each_others_place() {
    let mut world = world(|_| {});
    let juliet = world.online("juliet", "phone");
    let tybalt = world.online("tybalt", "phone");
    world.enter(juliet, FAMILY, "Juliet");
    world.enter(tybalt, FAMILY, "Tybalt");
    world.configure(with(|room| room.members = of(&["juliet"])));
    assert!(world.drain(tybalt).iter().any(|stanza| codes(stanza) == ["110", "321"]));
    world.expect_no_entry(tybalt, FAMILY, "Tybalt", "registration-required");
    world.clear(juliet);
    world.configure(with(|_| {}));
    let gone = world.drain(juliet).iter().any(|stanza| stanza.get_attr("type") == Some("unavailable"));
    assert!(!gone, "who belongs to it either way stays in it");
    world.enter(tybalt, FAMILY, "Tybalt");
}

#[test]
fn the_list_changes_nothing_that_it_has_not_made() {
    let mut world = world(|room| room.members = of(&["juliet", "tybalt"]));
    // In their clients, the owners have made a friend a member, one member an admin, and banned another.
    world.set_affiliation(FAMILY, "friend@example.net", RoomAffiliation::Member, "");
    world.set_affiliation(FAMILY, "juliet@example.org", RoomAffiliation::Admin, "");
    world.set_affiliation(FAMILY, "tybalt@example.org", RoomAffiliation::Outcast, "");
    world.restart();
    world.handle(Event::Tick);
    world.configure(with(|room| room.members = of(&["paris"])));
    assert_eq!(world.affiliation(FAMILY, "friend@example.net"), RoomAffiliation::Member);
    assert_eq!(world.affiliation(FAMILY, "juliet@example.org"), RoomAffiliation::Admin);
    assert_eq!(world.affiliation(FAMILY, "tybalt@example.org"), RoomAffiliation::Outcast);
    assert_eq!(world.affiliation(FAMILY, "paris@example.org"), RoomAffiliation::Member);
}

#[test]
fn what_owners_change_stays_until_the_configuration_says_something_new() {
    let mut world = world(|_| {});
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, FAMILY, "Juliet");
    world.set_room(FAMILY, |room| (room.title, room.slow_mode) = ("The Capulets".into(), 5));
    world.configure(with(|room| room.autojoin = false));
    assert_eq!(config(&mut world).title, "The Capulets");
    world.clear(juliet);
    world.configure(with(|room| room.title = "Home".into()));
    assert_eq!((config(&mut world).title.as_str(), config(&mut world).slow_mode), ("Home", 5));
    assert_eq!(codes(&world.receive(juliet)), ["104"]);
    world.expect_nothing(juliet);
}

#[test]
fn a_room_that_is_no_longer_named_stays_as_an_ordinary_one() {
    let mut world = world(|_| {});
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, FAMILY, "Juliet");
    world.configure(|config| config.standing_rooms.clear());
    world.expect_nothing(juliet);
    assert!(config(&mut world).persistent);
    assert_eq!(world.affiliation(FAMILY, "juliet@example.org"), RoomAffiliation::Member);
    // And comes back as one of the configuration's.
    world.configure(with(|room| room.members = of(&["nurse"])));
    assert_eq!(world.affiliation(FAMILY, "nurse@example.org"), RoomAffiliation::Member);
}

#[test]
fn a_room_that_somebody_has_made_before_is_not_taken_over() {
    let mut world = World::new();
    let tybalt = world.online("tybalt", "phone");
    world.enter(tybalt, FAMILY, "Tybalt");
    world.open_room(tybalt, FAMILY);
    world.configure(with(|_| {}));
    assert_eq!(world.affiliation(FAMILY, "juliet@example.org"), RoomAffiliation::None);
    assert_eq!(config(&mut world).title, "");
    assert_eq!(world.affiliation(FAMILY, "tybalt@example.org"), RoomAffiliation::Owner);
}

#[test]
fn one_that_an_owner_has_ended_is_there_again_after_a_reload() {
    let mut world = world(|_| {});
    world.core.remove_room(&Jid::parse(FAMILY).expect("an address")).expect("a room");
    world.handle(Event::Tick);
    assert_eq!(world.rows(Table::Rooms), 0);
    world.configure(with(|_| {}));
    assert_eq!(world.rows(Table::Rooms), 1);
}

#[test]
fn each_domain_has_its_own() {
    let world = World::with(|config| {
        config.domains.push("example.com".into());
        let elsewhere = StandingRoom { domain: "example.com".into(), ..family() };
        config.standing_rooms = vec![family(), elsewhere];
    });
    let mut world = world;
    world.handle(Event::Tick);
    let other = "family@conference.example.com";
    assert_eq!(world.affiliation(other, "paris@example.com"), RoomAffiliation::Member);
    assert_eq!(world.affiliation(other, "juliet@example.org"), RoomAffiliation::None);
}

#[test]
fn who_logs_in_finds_a_bookmark_that_lets_the_client_enter() {
    let mut world = world(|_| {});
    let juliet = world.login("juliet", "phone");
    let found = bookmarks(&mut world, juliet);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, FAMILY);
    assert_eq!(
        (found[0].1.get_attr("name"), found[0].1.get_attr("autojoin")),
        (Some("Family"), Some("true"))
    );
    // For older clients, too (XEP-0048).
    let private = "<iq type='get' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query></iq>";
    assert!(show(&world.expect_result(juliet, private)).contains(&format!("jid='{FAMILY}'")));
}

#[test]
fn who_is_there_when_the_configuration_changes_gets_the_bookmark_then() {
    let mut world = World::new();
    let juliet = world.interested("juliet", "phone", &[BOOKMARKS]);
    let tybalt = world.interested("tybalt", "phone", &[BOOKMARKS]);
    world.configure(with(|room| (room.members, room.autojoin) = (of(&["juliet"]), false)));
    let told = world.drain(juliet);
    assert!(told.iter().any(|stanza| show(stanza).contains(&format!("<item id='{FAMILY}'"))), "{told:?}");
    assert_eq!(bookmarks(&mut world, juliet)[0].1.get_attr("autojoin"), None);
    world.expect_nothing(tybalt);
}

#[test]
fn a_bookmark_that_was_changed_or_removed_stays_so() {
    let mut world = world(|_| {});
    let juliet = world.login("juliet", "phone");
    let own = format!("<conference xmlns='{BOOKMARKS}' name='Noise'/>");
    world.publish(juliet, BOOKMARKS, FAMILY, &own, &[]);
    let nurse = world.login("nurse", "phone");
    let retract = format!(
        "<iq type='set' id='r'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <retract node='{BOOKMARKS}'><item id='{FAMILY}'/></retract></pubsub></iq>"
    );
    world.expect_result(nurse, &retract);
    world.restart();
    world.configure(with(|room| room.title = "Home".into()));
    let (juliet, nurse) = (world.login("juliet", "laptop"), world.login("nurse", "laptop"));
    assert_eq!(bookmarks(&mut world, juliet)[0].1.get_attr("name"), Some("Noise"));
    assert!(bookmarks(&mut world, nurse).is_empty());
}

#[test]
fn a_bookmark_that_somebody_has_already_is_left_alone() {
    let mut world = World::new();
    let juliet = world.login("juliet", "phone");
    let own = format!("<conference xmlns='{BOOKMARKS}' name='Mine'><nick>J</nick></conference>");
    world.publish(juliet, BOOKMARKS, FAMILY, &own, &[("access_model", "whitelist"), ("max_items", "max")]);
    world.configure(with(|_| {}));
    assert_eq!(bookmarks(&mut world, juliet)[0].1.get_attr("name"), Some("Mine"));
}

#[test]
fn bookmarks_that_others_may_read_get_none() {
    let mut world = World::new();
    let juliet = world.login("juliet", "phone");
    let own = format!("<conference xmlns='{BOOKMARKS}'/>");
    world.publish(
        juliet,
        BOOKMARKS,
        "hall@example.net",
        &own,
        &[("access_model", "open"), ("max_items", "max")],
    );
    world.configure(with(|_| {}));
    assert_eq!(bookmarks(&mut world, juliet).len(), 1);
}

#[test]
fn what_could_not_be_kept_when_the_configuration_changed_is_done_when_it_can() {
    let mut world = World::new();
    let juliet = world.login("juliet", "phone");
    world.handle(Event::StoreStalled("full".into()));
    world.configure(with(|_| {}));
    world.expect_no_entry(juliet, FAMILY, "Juliet", "resource-constraint");
    world.handle(Event::StoreResumed);
    assert_eq!(bookmarks(&mut world, juliet).len(), 1);
    world.enter(juliet, FAMILY, "Juliet");
}

#[test]
fn while_nothing_can_be_kept_the_bookmark_waits_for_the_next_login() {
    let mut world = world(|_| {});
    world.account("juliet");
    world.handle(Event::StoreStalled("full".into()));
    let juliet = world.login("juliet", "phone");
    assert!(bookmarks(&mut world, juliet).is_empty());
    world.handle(Event::StoreResumed);
    let juliet = world.login("juliet", "laptop");
    assert_eq!(bookmarks(&mut world, juliet).len(), 1);
}

//! §7.10, §7.12, §9.9: registering with a room, and the nick that one has there.

use stube::config::Limit;
use stube::store::Table;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ADMIN, ROOM, USER, codes, entering, item};
use crate::world::{World, condition_of};

const DATA: &str = "jabber:x:data";
const REGISTER: &str = "jabber:iq:register";

fn get() -> String {
    format!("<iq type='get' id='reg' to='{ROOM}'><query xmlns='{REGISTER}'/></iq>")
}

fn set(content: &str) -> String {
    format!("<iq type='set' id='reg' to='{ROOM}'><query xmlns='{REGISTER}'>{content}</query></iq>")
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"))
        .collect();
    format!(
        "<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'>\
         <value>http://jabber.org/protocol/muc#register</value></field>{fields}</x>"
    )
}

fn register(nick: &str) -> String {
    set(&form(&[("muc#register_roomnick", nick)]))
}

fn decision(who: &str, nick: &str, allow: &str) -> String {
    let fields = [("{urn:stube}jid", who), ("muc#register_roomnick", nick), ("muc#register_allow", allow)];
    format!("<message to='{ROOM}' id='d'>{}</message>", form(&fields))
}

/// The reserved nick that somebody has, as discovery says it.
fn reserved(world: &mut World, client: Client) -> Option<String> {
    const INFO: &str = "http://jabber.org/protocol/disco#info";
    let ask =
        format!("<iq type='get' id='nick' to='{ROOM}'><query xmlns='{INFO}' node='x-roomuser-item'/></iq>");
    let answer = world.expect_result(client, &ask);
    let identity = answer.find("query", INFO)?.find("identity", INFO)?;
    identity.get_attr("name").map(str::to_owned)
}

fn affiliation(world: &mut World, owner: Client, who: &str) -> Option<String> {
    ["owner", "admin", "member", "outcast"].into_iter().find_map(|affiliation| {
        let ask = format!(
            "<iq type='get' id='list' to='{ROOM}'><query xmlns='{ADMIN}'><item affiliation='{affiliation}'/>\
             </query></iq>"
        );
        let answer = world.expect_result(owner, &ask);
        let mut items = answer.find("query", ADMIN)?.children();
        items.any(|item| item.get_attr("jid") == Some(who)).then(|| affiliation.to_owned())
    })
}

#[test]
fn who_is_nothing_to_the_room_gets_a_form_and_a_nick_proposed() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let answer = world.expect_result(clients[1], &get());
    let query = answer.find("query", REGISTER).expect("a query");
    assert!(query.find("registered", REGISTER).is_none());
    let form = query.find("x", DATA).expect("a form");
    let fields: Vec<_> = form
        .children()
        .filter(|child| child.name == "field")
        .map(|field| (field.get_attr("var"), field.find("value", DATA).map(Element::text_content)))
        .collect();
    assert_eq!(
        fields,
        [
            (Some("FORM_TYPE"), Some("http://jabber.org/protocol/muc#register".to_owned())),
            (Some("muc#register_roomnick"), Some("juliet".to_owned())),
        ]
    );
}

#[test]
fn who_registers_is_a_member_and_everyone_sees_it() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.expect_result(clients[1], &register("Capulet"));
    for client in &clients {
        let shown = world.receive(*client);
        assert_eq!(shown.get_attr("from"), Some(format!("{ROOM}/juliet").as_str()));
        assert_eq!(item(&shown, "affiliation").as_deref(), Some("member"));
        assert_eq!(item(&shown, "role").as_deref(), Some("participant"));
        world.expect_nothing(*client);
    }
    let query = world.expect_result(clients[1], &get());
    let query = query.find("query", REGISTER).expect("a query").clone();
    assert!(query.find("registered", REGISTER).is_some());
    assert_eq!(query.find("username", REGISTER).expect("a nick").text_content(), "Capulet");
}

#[test]
fn a_membership_outlives_a_restart_and_a_room_that_nobody_is_in() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    world.configure_room(clients[0], ROOM, &[("persistentroom", "1")]);
    let juliet = world.online("juliet", "phone");
    world.expect_result(juliet, &register("Capulet"));
    world.restart();
    let juliet = world.online("juliet", "phone");
    assert_eq!(reserved(&mut world, juliet).as_deref(), Some("Capulet"));
    let told = world.enter(juliet, ROOM, "Capulet");
    let own = told.iter().rfind(|stanza| codes(stanza).contains(&"110".into())).expect("its presence");
    assert_eq!(item(own, "affiliation").as_deref(), Some("member"));
}

// §7.12
#[test]
fn a_reserved_nick_is_nobody_elses() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.expect_result(clients[1], &register("Capulet"));
    let tybalt = world.online("tybalt", "phone");
    world.send(tybalt, &entering(ROOM, "Capulet"));
    world.expect_bounce(tybalt, "conflict");
    world.enter(tybalt, ROOM, "tybalt");
    world.send(tybalt, &format!("<presence to='{ROOM}/Capulet'/>"));
    world.expect_bounce(tybalt, "conflict");
    world.expect_error(tybalt, &register("Capulet"), "conflict");
    world.expect_error(tybalt, &register("juliet"), "conflict");
    // Whose it is may have another one, too.
    let laptop = world.online("juliet", "laptop");
    world.enter(laptop, ROOM, "Capulet");
    assert_eq!(reserved(&mut world, tybalt), None);
    assert_eq!(reserved(&mut world, laptop).as_deref(), Some("Capulet"));
}

#[test]
fn a_nick_can_be_changed_and_given_back() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "tybalt"]);
    world.expect_result(clients[1], &register("Capulet"));
    world.expect_result(clients[1], &register("Montague"));
    assert_eq!(reserved(&mut world, clients[1]).as_deref(), Some("Montague"));
    world.expect_result(clients[2], &register("Capulet"));
    clients.iter().for_each(|client| world.clear(*client));
    world.expect_result(clients[1], &set("<remove/>"));
    let shown = world.receive(clients[2]);
    assert_eq!(item(&shown, "affiliation").as_deref(), Some("none"));
    assert_eq!(reserved(&mut world, clients[1]), None);
    assert_eq!(affiliation(&mut world, clients[0], "juliet@example.org"), None);
    world.expect_result(clients[2], &register("Montague"));
    world.expect_error(clients[1], &set("<remove/>"), "registration-required");
    world.expect_error(clients[2], &set("<remove/><username/>"), "bad-request");
}

#[test]
fn an_owner_has_a_nick_reserved_and_stays_an_owner() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    world.expect_result(clients[0], &register("Montague"));
    assert_eq!(reserved(&mut world, clients[0]).as_deref(), Some("Montague"));
    world.expect_result(clients[0], &set("<remove/>"));
    assert_eq!(reserved(&mut world, clients[0]), None);
    assert_eq!(affiliation(&mut world, clients[0], "romeo@example.org").as_deref(), Some("owner"));
    world.expect_nothing(clients[0]);
}

// §9.1, §9.3, §9.5
#[test]
fn admins_give_nicks_to_members_and_take_them() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "tybalt"]);
    let member = "jid='juliet@example.org' affiliation='member'";
    world.change_person(clients[0], ROOM, &format!("{member} nick='Capulet'"));
    assert_eq!(reserved(&mut world, clients[1]).as_deref(), Some("Capulet"));
    // Without a word of it, it stays.
    world.change_person(clients[0], ROOM, member);
    assert_eq!(reserved(&mut world, clients[1]).as_deref(), Some("Capulet"));
    let taken =
        world.change_person(clients[0], ROOM, "jid='tybalt@example.org' affiliation='member' nick='Capulet'");
    assert_eq!(condition_of(&taken).as_deref(), Some("conflict"));
    world.change_person(clients[0], ROOM, &format!("{member} nick=''"));
    assert_eq!(reserved(&mut world, clients[1]), None);
    world.change_person(clients[0], ROOM, &format!("{member} nick='Capulet'"));
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='outcast'");
    world.change_person(clients[0], ROOM, "jid='tybalt@example.org' affiliation='member' nick='Capulet'");
    assert_eq!(reserved(&mut world, clients[2]).as_deref(), Some("Capulet"));
}

#[test]
fn what_is_no_valid_form_is_a_bad_request_and_no_nick_not_acceptable() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    for content in [
        "".to_owned(),
        "<username>Capulet</username>".to_owned(),
        form(&[]),
        form(&[("muc#register_roomnick", "")]),
        form(&[("muc#register_roomnick", "Capulet")]).replace("muc#register<", "muc#request<"),
        form(&[("muc#register_roomnick", "Capulet")]).replace("'submit'", "'form'"),
    ] {
        world.expect_error(clients[1], &set(&content), "bad-request");
    }
    let long = "x".repeat(129);
    for nick in [" ", "\u{2800}", &long] {
        world.expect_error(clients[1], &register(nick), "not-acceptable");
    }
    assert_eq!(reserved(&mut world, clients[1]), None);
    world.expect_result(clients[1], &set(&form(&[]).replace("'submit'", "'cancel'")));
}

#[test]
fn who_may_not_register_is_told_so() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let outcast = world.online("tybalt", "phone");
    world.expect_error(outcast, &get().replace("kitchen", "cellar"), "item-not-found");
    world.change_person(clients[0], ROOM, "jid='tybalt@example.org' affiliation='outcast'");
    let closed = "<field var='{urn:stube}registration'><value>0</value></field>";
    world.expect_result(
        clients[0],
        &format!(
            "<iq type='set' id='config' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='{DATA}' type='submit'>{closed}</x></query></iq>"
        ),
    );
    for client in [clients[1], outcast] {
        world.expect_error(client, &get(), "not-allowed");
        world.expect_error(client, &register("Capulet"), "not-allowed");
    }
}

#[test]
fn before_a_room_is_open_nobody_registers_with_it() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "romeo");
    let juliet = world.online("juliet", "phone");
    world.expect_error(juliet, &register("Capulet"), "item-not-found");
}

// §9.9
#[test]
fn where_a_member_may_more_than_others_owners_and_admins_decide() {
    for setting in [("membersonly", "1"), ("moderatedroom", "1"), ("roomsecret", "onion")] {
        let mut world = World::new();
        let clients = world.room_of(&["romeo"]);
        world.configure_room(clients[0], ROOM, &[setting]);
        let nurse = world.online("nurse", "phone");
        world.change_person(clients[0], ROOM, "jid='nurse@example.org' affiliation='admin'");
        world.clear(clients[0]);
        let juliet = world.online("juliet", "phone");
        world.expect_result(juliet, &register("Capulet"));
        assert_eq!(affiliation(&mut world, clients[0], "juliet@example.org"), None);
        for client in [clients[0], nurse] {
            let question = world.receive(client);
            assert_eq!(question.get_attr("from"), Some(ROOM));
            let form = question.find("x", DATA).expect("a form");
            let values: Vec<_> = form
                .children()
                .filter_map(|field| field.find("value", DATA))
                .map(Element::text_content)
                .collect();
            assert_eq!(
                values,
                ["http://jabber.org/protocol/muc#register", "juliet@example.org", "Capulet", "0"]
            );
        }
        world.send(nurse, &decision("juliet@example.org", "Capulet", "1"));
        world.expect_nothing(nurse);
        assert_eq!(affiliation(&mut world, clients[0], "juliet@example.org").as_deref(), Some("member"));
        assert_eq!(reserved(&mut world, juliet).as_deref(), Some("Capulet"));
        let invited = world
            .drain(juliet)
            .iter()
            .any(|stanza| stanza.find("x", USER).is_some_and(|x| x.find("invite", USER).is_some()));
        assert_eq!(invited, setting.0 == "membersonly");
    }
}

#[test]
fn who_has_lost_the_voice_does_not_get_it_back_by_registering_or_stopping_to() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "tybalt"]);
    let again = |world: &mut World, client: Client, nick: &str| {
        world.send(client, &format!("<presence type='unavailable' to='{ROOM}'/>"));
        let told = world.enter(client, ROOM, nick);
        let own = told.into_iter().rfind(|stanza| codes(stanza).contains(&"110".into()));
        item(&own.expect("its own presence"), "role").expect("a role")
    };
    world.change_person(clients[0], ROOM, "nick='tybalt' role='visitor'");
    clients.iter().for_each(|client| world.clear(*client));
    world.expect_result(clients[2], &register("Prince"));
    assert!(world.receive(clients[0]).find("x", DATA).is_some(), "the owner is asked");
    world.expect_nothing(clients[2]);
    assert_eq!(again(&mut world, clients[2], "tybalt"), "visitor");
    world.expect_result(clients[1], &register("Capulet"));
    world.change_person(clients[0], ROOM, "nick='juliet' role='visitor'");
    world.expect_result(clients[1], &set("<remove/>"));
    assert_eq!(again(&mut world, clients[1], "juliet"), "visitor");
}

#[test]
fn one_asks_for_membership_once_in_ten_minutes() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    world.configure_room(clients[0], ROOM, &[("membersonly", "1")]);
    let juliet = world.online("juliet", "phone");
    world.expect_result(juliet, &register("Capulet"));
    world.expect_error(juliet, &register("Capulet"), "policy-violation");
    assert_eq!(world.drain(clients[0]).len(), 1);
    world.advance(10 * 60_000);
    world.clear(juliet);
    world.expect_result(juliet, &register("Capulet"));
}

#[test]
fn nobody_else_decides_and_a_no_changes_nothing() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let paris = "paris@example.org";
    world.send(clients[1], &decision("juliet@example.org", "Capulet", "1"));
    world.expect_bounce(clients[1], "forbidden");
    world.change_person(clients[0], ROOM, "nick='juliet' role='moderator'");
    clients.iter().for_each(|client| world.clear(*client));
    world.send(clients[1], &decision(paris, "Paris", "1"));
    world.expect_bounce(clients[1], "forbidden");
    world.send(clients[0], &decision(paris, "Paris", "0"));
    world.send(clients[0], &decision(paris, "Paris", "1").replace("'submit'", "'cancel'"));
    world.expect_nothing(clients[0]);
    for (wrong, condition) in [
        (decision("@", "Paris", "1"), "bad-request"),
        (decision("example.org", "Paris", "1"), "bad-request"),
        (decision(paris, "", "1"), "bad-request"),
        (decision(paris, " ", "1"), "not-acceptable"),
        (decision(paris, "juliet", "1"), "conflict"),
    ] {
        world.send(clients[0], &wrong);
        world.expect_bounce(clients[0], condition);
    }
    // Who is banned by now stays banned.
    world.change_person(clients[0], ROOM, "jid='paris@example.org' affiliation='outcast'");
    world.send(clients[0], &decision(paris, "Paris", "1"));
    assert_eq!(affiliation(&mut world, clients[0], paris).as_deref(), Some("outcast"));
}

#[test]
fn strangers_do_not_take_all_the_places() {
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::OFF);
    let clients = world.room_of(&["romeo", "juliet"]);
    for from in (0..1000).step_by(200) {
        let items: String = (from..from + 200)
            .map(|n| format!("<item jid='o{n}@example.org' affiliation='outcast'/>"))
            .collect();
        world.expect_result(
            clients[0],
            &format!("<iq type='set' id='s' to='{ROOM}'><query xmlns='{ADMIN}'>{items}</query></iq>"),
        );
    }
    world.expect_error(clients[1], &register("Capulet"), "resource-constraint");
    assert_eq!(world.rows(Table::RoomPeople), 1001);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='member'");
    world.expect_result(clients[1], &register("Capulet"));
}

//! §8.2 to §8.5, §9.1 to §9.8, §10.3 to §10.8: roles and affiliations, by those who may give and take them.

use stube::config::Limit;
use stube::core::Event;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ADMIN, ROOM, USER, codes, entering, item};
use crate::world::World;

const ALL: &[&str] = &["romeo", "juliet", "tybalt"];

fn set(items: &str) -> String {
    format!("<iq type='set' id='set' to='{ROOM}'><query xmlns='{ADMIN}'>{items}</query></iq>")
}

fn get(what: &str) -> String {
    format!("<iq type='get' id='get' to='{ROOM}'><query xmlns='{ADMIN}'><item {what}/></query></iq>")
}

fn of(nick: &str) -> String {
    format!("{ROOM}/{nick}")
}

/// The items of a list, each as its attributes.
fn list(world: &mut World, client: Client, what: &str) -> Vec<Vec<(String, String)>> {
    let answer = world.expect_result(client, &get(what));
    let query = answer.find("query", ADMIN).expect("a list");
    query
        .children()
        .map(|item| {
            let mut attrs = item.attrs.clone();
            attrs.sort();
            attrs
        })
        .collect()
}

fn attrs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn clear(world: &mut World, clients: &[Client]) {
    clients.iter().for_each(|client| world.clear(*client));
}

fn child(stanza: &Element, name: &str) -> Option<Element> {
    stanza.find("x", USER)?.find("item", USER)?.find(name, USER).cloned()
}

/// The next thing that a client gets: presence of this occupant.
#[track_caller]
fn presence(world: &mut World, client: Client, nick: &str) -> Element {
    let told = world.receive(client);
    assert_eq!(
        (told.name.as_str(), told.get_attr("from")),
        ("presence", Some(of(nick).as_str())),
        "{told:?}"
    );
    told
}

// §8.2
#[test]
fn who_is_kicked_is_out_and_everyone_learns_by_whom_and_why() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.send(clients[0], &set("<item nick='tybalt' role='none'><reason>Avaunt</reason></item>"));
    for (client, expected) in [(clients[2], ["110", "307"].as_slice()), (clients[1], &["307"])] {
        let gone = presence(&mut world, client, "tybalt");
        assert_eq!(gone.get_attr("type"), Some("unavailable"));
        assert_eq!(codes(&gone), expected);
        assert_eq!(item(&gone, "role").as_deref(), Some("none"));
        assert_eq!(item(&gone, "affiliation").as_deref(), Some("none"));
        assert_eq!(child(&gone, "actor").expect("an actor").get_attr("nick"), Some("romeo"));
        assert_eq!(child(&gone, "reason").expect("a reason").text_content(), "Avaunt");
    }
    assert_eq!(world.answer(clients[0], "set").expect("an answer").get_attr("type"), Some("result"));
    world.expect_nothing(clients[2]);
    // A kick is no ban.
    world.enter(clients[2], ROOM, "tybalt");
}

#[test]
fn all_devices_of_a_kicked_occupant_are_out() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "tybalt"]);
    let laptop = world.online("tybalt", "laptop");
    world.enter(laptop, ROOM, "tybalt");
    clear(&mut world, &clients);
    world.change_person(clients[0], ROOM, "nick='tybalt' role='none'");
    for client in [clients[1], laptop] {
        assert_eq!(codes(&presence(&mut world, client, "tybalt")), ["110", "307"]);
        world.send(client, &format!("<message type='groupchat' to='{ROOM}'><body>hm</body></message>"));
        world.expect_bounce(client, "not-acceptable");
    }
    assert_eq!(codes(&presence(&mut world, clients[0], "tybalt")), ["307"]);
    world.expect_nothing(clients[0]);
}

#[test]
fn a_moderator_may_kick_oneself() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.change_person(clients[0], ROOM, "nick='juliet' role='moderator'");
    clear(&mut world, &clients);
    world.send(clients[1], &set("<item nick='juliet' role='none'/>"));
    assert_eq!(codes(&presence(&mut world, clients[1], "juliet")), ["110", "307"]);
}

// §8.3, §8.4, §9.6, §9.7
#[test]
fn everyone_sees_the_role_that_somebody_gets() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    for role in ["visitor", "participant", "moderator", "participant"] {
        clear(&mut world, &clients);
        let what = format!("<item nick='tybalt' role='{role}'><reason>Worthy?</reason></item>");
        world.expect_result(clients[0], &set(&what));
        for client in &clients {
            let shown = presence(&mut world, *client, "tybalt");
            assert_eq!((shown.get_attr("type"), item(&shown, "role").as_deref()), (None, Some(role)));
            assert_eq!(child(&shown, "reason").expect("a reason").text_content(), "Worthy?");
            assert_eq!(child(&shown, "actor").expect("an actor").get_attr("nick"), Some("romeo"));
        }
    }
}

#[test]
fn a_role_that_somebody_has_already_is_shown_to_nobody() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.expect_result(clients[0], &set("<item nick='tybalt' role='participant'/>"));
    clients.iter().for_each(|client| world.expect_nothing(*client));
}

#[test]
fn a_new_moderator_sees_whose_occupants_they_are() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.change_person(clients[0], ROOM, "nick='tybalt' role='moderator'");
    presence(&mut world, clients[2], "tybalt");
    let juliet = presence(&mut world, clients[2], "juliet");
    assert_eq!(item(&juliet, "jid").as_deref(), Some("juliet@example.org/phone"));
    presence(&mut world, clients[2], "romeo");
    world.expect_nothing(clients[2]);
}

// §9.1
#[test]
fn who_is_banned_is_out_and_stays_out() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    let laptop = world.online("tybalt", "laptop");
    world.enter(laptop, ROOM, "prince");
    clear(&mut world, &clients);
    let ban = "<item jid='tybalt@example.org/phone' affiliation='outcast'><reason>Treason</reason></item>";
    world.send(clients[0], &set(ban));
    for (client, nick) in [(clients[2], "tybalt"), (laptop, "prince")] {
        let gone = world.drain(client).into_iter().rfind(|stanza| codes(stanza).contains(&"110".into()));
        let gone = gone.expect("its own presence");
        assert_eq!(gone.get_attr("from"), Some(of(nick).as_str()));
        assert_eq!(codes(&gone), ["110", "301"]);
        assert_eq!(item(&gone, "affiliation").as_deref(), Some("outcast"));
        assert_eq!(item(&gone, "role").as_deref(), Some("none"));
        assert_eq!(child(&gone, "reason").expect("a reason").text_content(), "Treason");
        world.send(client, &entering(ROOM, "again"));
        world.expect_bounce(client, "forbidden");
    }
    for nick in ["prince", "tybalt"] {
        let gone = presence(&mut world, clients[1], nick);
        assert_eq!((gone.get_attr("type"), codes(&gone)), (Some("unavailable"), vec!["301".to_owned()]));
    }
    assert_eq!(world.answer(clients[0], "set").expect("an answer").get_attr("type"), Some("result"));
}

#[test]
fn a_ban_lasts_when_the_server_starts_again() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.configure_room(clients[0], ROOM, &[("persistentroom", "1")]);
    world.change_person(clients[0], ROOM, "jid='tybalt@example.org' affiliation='outcast'");
    world.restart();
    let tybalt = world.online("tybalt", "phone");
    world.send(tybalt, &entering(ROOM, "tybalt"));
    world.expect_bounce(tybalt, "forbidden");
}

#[test]
fn a_banned_occupant_can_be_named_by_nick() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.expect_result(clients[0], &set("<item nick='tybalt' affiliation='outcast'/>"));
    let banned = attrs(&[("affiliation", "outcast"), ("jid", "tybalt@example.org")]);
    assert_eq!(list(&mut world, clients[0], "affiliation='outcast'"), [banned]);
}

// §9.2
#[test]
fn a_whole_domain_can_be_banned_and_those_with_an_affiliation_stay() {
    let mut world = World::federated();
    let clients = world.room_of(&["romeo"]);
    for name in ["hecate", "witch"] {
        let entry = entering(ROOM, name).replace("to=", &format!("from='{name}@heath.example/a' to="));
        world.from_remote(&entry);
    }
    world.change_person(clients[0], ROOM, "jid='hecate@heath.example' affiliation='member'");
    world.to_remote();
    world.clear(clients[0]);
    world.send(clients[0], &set("<item jid='heath.example' affiliation='outcast'/>"));
    let gone = presence(&mut world, clients[0], "witch");
    assert_eq!((codes(&gone), item(&gone, "affiliation").as_deref()), (vec!["301".into()], Some("outcast")));
    assert_eq!(world.receive(clients[0]).get_attr("type"), Some("result"));
    world.expect_nothing(clients[0]);
    world.to_remote();
    let entry = entering(ROOM, "other").replace("to=", "from='other@heath.example/a' to=");
    world.from_remote(&entry);
    assert_eq!(world.to_remote()[0].get_attr("type"), Some("error"));
    // The ban is taken back as it was given.
    world.expect_result(clients[0], &set("<item jid='heath.example' affiliation='none'/>"));
    world.from_remote(&entry);
    assert_eq!(codes(&world.to_remote().pop().expect("the subject").clone()), Vec::<String>::new());
    assert_eq!(presence(&mut world, clients[0], "other").get_attr("type"), None);
}

#[test]
fn a_domain_is_nothing_but_banned() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo"]);
    for affiliation in ["member", "admin", "owner"] {
        let request = set(&format!("<item jid='heath.example' affiliation='{affiliation}'/>"));
        world.expect_error(clients[0], &request, "not-acceptable");
    }
}

// §9.3, §9.4
#[test]
fn membership_is_given_and_taken_and_everyone_sees_it() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    for affiliation in ["member", "none"] {
        let what = format!("<item jid='tybalt@example.org' affiliation='{affiliation}'/>");
        world.expect_result(clients[0], &set(&what));
        for client in &clients {
            let shown = presence(&mut world, *client, "tybalt");
            assert_eq!(shown.get_attr("type"), None);
            assert_eq!(item(&shown, "affiliation").as_deref(), Some(affiliation));
            assert_eq!(item(&shown, "role").as_deref(), Some("participant"));
        }
    }
}

// §5.1.3
#[test]
fn in_a_moderated_room_a_member_has_a_voice_and_who_is_none_any_more_has_not() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.configure_room(clients[0], ROOM, &[("moderatedroom", "1")]);
    clear(&mut world, &clients);
    for (affiliation, role) in [("member", "participant"), ("none", "visitor")] {
        world.expect_result(
            clients[0],
            &set(&format!("<item jid='tybalt@example.org' affiliation='{affiliation}'/>")),
        );
        assert_eq!(item(&presence(&mut world, clients[1], "tybalt"), "role").as_deref(), Some(role));
    }
}

// §9.4
#[test]
fn who_is_no_member_any_more_has_to_leave_a_room_for_members() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    for name in ["juliet", "tybalt"] {
        world.change_person(clients[0], ROOM, &format!("jid='{name}@example.org' affiliation='member'"));
    }
    world.configure_room(clients[0], ROOM, &[("membersonly", "1")]);
    clear(&mut world, &clients);
    world.expect_result(clients[0], &set("<item jid='tybalt@example.org' affiliation='none'/>"));
    for (client, expected) in [(clients[2], ["110", "321"].as_slice()), (clients[1], &["321"])] {
        let gone = presence(&mut world, client, "tybalt");
        assert_eq!(
            (gone.get_attr("type"), codes(&gone).as_slice()),
            (Some("unavailable"), expected_of(expected).as_slice())
        );
        assert_eq!(item(&gone, "affiliation").as_deref(), Some("none"));
        world.expect_nothing(client);
    }
    world.send(clients[2], &entering(ROOM, "tybalt"));
    world.expect_bounce(clients[2], "registration-required");
}

fn expected_of(codes: &[&str]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

// §9.5
#[test]
fn a_new_member_of_a_room_for_members_is_invited() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let fields = [("membersonly", "1"), ("passwordprotectedroom", "1"), ("roomsecret", "onion")];
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='member'");
    world.configure_room(clients[0], ROOM, &fields);
    let tybalt = world.online("tybalt", "phone");
    let add = "<item jid='tybalt@example.org' affiliation='member'><reason>Come</reason></item>";
    world.expect_result(clients[0], &set(add));
    world.expect(
        tybalt,
        &format!(
            "<message from='{ROOM}' to='tybalt@example.org' id='*'><x xmlns='{USER}'>\
             <invite from='{ROOM}/romeo'><reason>Come</reason></invite><password>onion</password></x></message>"
        ),
    );
    // Who is a member already is not invited again, and who is in an open room has no need of it.
    world.expect_result(clients[0], &set(add));
    world.configure_room(clients[0], ROOM, &[("membersonly", "0")]);
    world.account("nurse");
    let nurse = world.online("nurse", "phone");
    world.expect_result(clients[0], &set("<item jid='nurse@example.org' affiliation='member'/>"));
    world.expect_nothing(tybalt);
    world.expect_nothing(nurse);
}

// §10.3, §10.6
#[test]
fn those_who_may_see_addresses_learn_of_the_affiliation_of_somebody_who_is_not_there() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let admin = set("<item jid='nurse@example.org' affiliation='admin'/>");
    let told = |affiliation: &str| {
        format!(
            "<message from='{ROOM}' to='*' id='*'><x xmlns='{USER}'><item affiliation='{affiliation}' \
             jid='nurse@example.org' role='none'><actor nick='romeo'/></item></x></message>"
        )
    };
    world.expect_result(clients[0], &admin);
    world.expect(clients[0], &told("admin"));
    world.expect_nothing(clients[1]);
    world.configure_room(clients[0], ROOM, &[("whois", "anyone")]);
    clear(&mut world, &clients);
    world.expect_result(clients[0], &set("<item jid='nurse@example.org' affiliation='none'/>"));
    for client in clients {
        world.expect(client, &told("none"));
    }
}

// §10.3, §10.4, §10.6, §10.7
#[test]
fn owners_and_admins_are_moderators_as_long_as_they_are_that() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    for (affiliation, role) in [
        ("owner", "moderator"),
        ("admin", "moderator"),
        ("member", "participant"),
        ("admin", "moderator"),
        ("none", "participant"),
    ] {
        clear(&mut world, &clients);
        let what = format!("<item jid='juliet@example.org' affiliation='{affiliation}'/>");
        world.expect_result(clients[0], &set(&what));
        let shown = presence(&mut world, clients[2], "juliet");
        assert_eq!(item(&shown, "affiliation").as_deref(), Some(affiliation));
        assert_eq!(item(&shown, "role").as_deref(), Some(role));
    }
}

#[test]
fn what_was_granted_beyond_an_affiliation_stays_when_it_goes() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='member'");
    world.change_person(clients[0], ROOM, "nick='juliet' role='moderator'");
    clear(&mut world, &clients);
    world.expect_result(clients[0], &set("<item jid='juliet@example.org' affiliation='none'/>"));
    assert_eq!(item(&presence(&mut world, clients[2], "juliet"), "role").as_deref(), Some("moderator"));
}

// §10.4, §10.5
#[test]
fn there_is_always_an_owner() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let step_down = "<item jid='romeo@example.org' affiliation='admin'/>";
    world.expect_error(clients[0], &set(step_down), "conflict");
    world.expect_result(
        clients[0],
        &set(&format!("{step_down}<item jid='juliet@example.org' affiliation='owner'/>")),
    );
    let owner = attrs(&[("affiliation", "owner"), ("jid", "juliet@example.org"), ("nick", "juliet")]);
    assert_eq!(list(&mut world, clients[1], "affiliation='owner'"), [owner]);
}

// §9.1
#[test]
fn nobody_bans_oneself() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='owner'");
    world.change_person(clients[0], ROOM, "jid='nurse@example.org' affiliation='admin'");
    for (client, name) in [(clients[1], "juliet"), (clients[2], "nurse")] {
        let request = set(&format!("<item jid='{name}@example.org' affiliation='outcast'/>"));
        world.expect_error(client, &request, "conflict");
    }
}

// §9.2
#[test]
fn of_several_changes_all_are_made_or_none() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "tybalt"]);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='admin'");
    clear(&mut world, &clients);
    let ban = "<item jid='tybalt@example.org' affiliation='outcast'/>";
    for (wrong, condition) in [
        ("<item jid='romeo@example.org' affiliation='outcast'/>", "not-allowed"),
        ("<item jid='juliet@example.org' affiliation='outcast'/>", "conflict"),
        ("<item jid='nurse@example.org' affiliation='admin'/>", "forbidden"),
        ("<item nick='nobody' role='none'/>", "item-not-found"),
        ("<item nick='romeo' role='none'/>", "not-allowed"),
        ("<item jid='nurse@example.org' affiliation='king'/>", "bad-request"),
        ("<item jid='@' affiliation='member'/>", "jid-malformed"),
        (ban, "bad-request"),
    ] {
        world.expect_error(clients[1], &set(&format!("{ban}{wrong}")), condition);
    }
    clients.iter().for_each(|client| world.expect_nothing(*client));
    assert_eq!(list(&mut world, clients[1], "affiliation='outcast'"), Vec::<Vec<_>>::new());
    let more = "<item jid='paris@example.org' affiliation='outcast'/><item nick='juliet' role='none'/>";
    world.send(clients[1], &set(&format!("{ban}{more}")));
    let banned = |name: &str| attrs(&[("affiliation", "outcast"), ("jid", &format!("{name}@example.org"))]);
    assert_eq!(list(&mut world, clients[0], "affiliation='outcast'"), [banned("paris"), banned("tybalt")]);
}

// §17.4
#[test]
fn an_item_that_makes_no_sense_is_a_bad_request() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    for items in [
        "",
        "<item/>",
        "<item nick='juliet'/>",
        "<item jid='juliet@example.org'/>",
        "<item role='none'/>",
        "<item jid='juliet@example.org' role='none'/>",
        "<item nick='juliet' role='king'/>",
        "<item affiliation='member'/>",
        "<item nick='juliet' jid='juliet@example.org' role='visitor' affiliation='none'/>",
        "<item nick='juliet' role='none'/><item nick='juliet' role='visitor'/>",
    ] {
        world.expect_error(clients[0], &set(items), "bad-request");
    }
    world.expect_error(clients[0], &get("role='none'"), "bad-request");
    world.expect_error(clients[0], &get("affiliation='none'"), "bad-request");
    world.expect_error(clients[0], &get("role='visitor' affiliation='none'"), "bad-request");
    world.expect_error(clients[0], &get(""), "bad-request");
    world.expect_error(clients[0], &set("<item nick='nobody' affiliation='outcast'/>"), "item-not-found");
    world.expect_nothing(clients[1]);
}

#[test]
fn reasons_and_the_number_of_items_have_bounds() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let reason = "x".repeat(1025);
    let long = format!("<item nick='juliet' role='none'><reason>{reason}</reason></item>");
    world.expect_error(clients[0], &set(&long), "not-acceptable");
    let members = |count: usize| {
        let items = (0..count).map(|n| format!("<item jid='m{n}@example.org' affiliation='member'/>"));
        set(&items.collect::<String>())
    };
    world.expect_error(clients[0], &members(201), "policy-violation");
    world.expect_nothing(clients[1]);
    world.expect_result(clients[0], &members(200));
    assert_eq!(list(&mut world, clients[0], "affiliation='member'").len(), 200);
}

#[test]
fn a_room_does_not_know_any_number_of_people() {
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::OFF);
    let clients = world.room_of(&["romeo"]);
    let outcasts = |from: usize| {
        let items =
            (from..from + 200).map(|n| format!("<item jid='o{n}@example.org' affiliation='outcast'/>"));
        set(&items.collect::<String>())
    };
    for from in (0..1800).step_by(200) {
        world.expect_result(clients[0], &outcasts(from));
    }
    // With the owner that would be one too many.
    world.expect_error(clients[0], &outcasts(1800), "resource-constraint");
    assert_eq!(list(&mut world, clients[0], "affiliation='outcast'").len(), 1800);
}

// §8.5, §9.8
#[test]
fn lists_of_roles_say_everything_of_an_occupant() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.change_person(clients[0], ROOM, "nick='tybalt' role='visitor'");
    let occupant = |name: &str, affiliation: &str, role: &str| {
        let jid = format!("{name}@example.org/phone");
        attrs(&[("affiliation", affiliation), ("jid", &jid), ("nick", name), ("role", role)])
    };
    for (role, expected) in [
        ("participant", occupant("juliet", "none", "participant")),
        ("visitor", occupant("tybalt", "none", "visitor")),
        ("moderator", occupant("romeo", "owner", "moderator")),
    ] {
        assert_eq!(list(&mut world, clients[0], &format!("role='{role}'")), [expected]);
        world.expect_error(clients[1], &get(&format!("role='{role}'")), "forbidden");
    }
    // A moderator who is no admin has the voice list, and not that of moderators.
    world.change_person(clients[0], ROOM, "nick='juliet' role='moderator'");
    assert_eq!(list(&mut world, clients[1], "role='visitor'").len(), 1);
    world.expect_error(clients[1], &get("role='moderator'"), "forbidden");
}

// §9.2, §9.5, §10.5, §10.8
#[test]
fn lists_of_affiliations_have_addresses_and_no_roles() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    let items = "<item jid='juliet@example.org' affiliation='admin'/>\
                 <item jid='nurse@example.org' affiliation='member' nick='Angelica'/>\
                 <item jid='tybalt@example.org' affiliation='outcast'><reason>Treason</reason></item>";
    world.expect_result(clients[0], &set(items));
    for (affiliation, jid, nick) in [
        ("owner", "romeo@example.org", Some("romeo")),
        ("admin", "juliet@example.org", Some("juliet")),
        ("member", "nurse@example.org", Some("Angelica")),
        ("outcast", "tybalt@example.org", None),
    ] {
        let mut expected = attrs(&[("affiliation", affiliation), ("jid", jid)]);
        expected.extend(nick.map(|nick| ("nick".to_owned(), nick.to_owned())));
        let what = format!("affiliation='{affiliation}'");
        assert_eq!(list(&mut world, clients[0], &what), [expected]);
        world.expect_error(clients[2], &get(&what), "forbidden");
    }
    let banned = world.expect_result(clients[0], &get("affiliation='outcast'"));
    let reason =
        banned.find("query", ADMIN).and_then(|query| query.find("item", ADMIN)?.find("reason", ADMIN));
    assert_eq!(reason.expect("a reason").text_content(), "Treason");
}

// §5.2.1, §9.5, §10.5, §10.8
#[test]
fn who_may_have_which_list_depends_on_whether_addresses_are_seen() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    let items = "<item jid='juliet@example.org' affiliation='admin'/>\
                 <item jid='tybalt@example.org' affiliation='member'/>";
    world.expect_result(clients[0], &set(items));
    let absent = world.online("tybalt", "phone");
    let may = |world: &mut World, client: Client| {
        ["outcast", "member", "admin", "owner"].map(|affiliation| {
            let answer = world.ask(client, &get(&format!("affiliation='{affiliation}'")));
            answer.get_attr("type") == Some("result")
        })
    };
    assert_eq!(may(&mut world, clients[0]), [true, true, true, true]);
    assert_eq!(may(&mut world, clients[1]), [true, true, false, false]);
    assert_eq!(may(&mut world, absent), [false; 4]);
    world.configure_room(clients[0], ROOM, &[("whois", "anyone")]);
    assert_eq!(may(&mut world, clients[1]), [true, true, true, true]);
    assert_eq!(may(&mut world, absent), [false, true, true, true]);
    // Who is nothing to the room learns nothing of those who are not there.
    assert_eq!(may(&mut world, clients[2]), [false; 4]);
    world.configure_room(clients[0], ROOM, &[("getmemberlist", "moderator")]);
    assert_eq!(may(&mut world, clients[1]), [true, true, true, true]);
    assert_eq!(may(&mut world, absent), [false; 4]);
}

#[test]
fn a_stranger_changes_nothing_and_learns_nothing() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    let stranger = world.online("tybalt", "phone");
    for items in [
        "<item nick='juliet' role='none'/>",
        "<item nick='nobody' role='none'/>",
        "<item jid='@' affiliation='none'/>",
    ] {
        world.expect_error(stranger, &set(items), "forbidden");
    }
    world.expect_nothing(clients[1]);
    world.expect_error(stranger, &set("<item/>").replace("kitchen", "cellar"), "item-not-found");
}

// §9
#[test]
fn an_admin_who_is_not_there_changes_affiliations_and_makes_moderators_and_kicks_nobody() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.change_person(clients[0], ROOM, "jid='nurse@example.org' affiliation='admin'");
    let nurse = world.online("nurse", "phone");
    world.expect_result(nurse, &set("<item nick='juliet' role='moderator'/>"));
    world.expect_result(nurse, &set("<item jid='tybalt@example.org' affiliation='member'/>"));
    world.expect_error(nurse, &set("<item nick='tybalt' role='none'/>"), "forbidden");
}

#[test]
fn a_temporary_room_whose_last_occupant_is_banned_is_over() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    world.send(clients[0], &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
    clear(&mut world, &clients);
    let items =
        "<item nick='juliet' affiliation='outcast'/><item jid='nurse@example.org' affiliation='member'/>";
    world.expect_result(clients[0], &set(items));
    assert_eq!(codes(&presence(&mut world, clients[1], "juliet")), ["110", "301"]);
    world.expect_error(clients[0], &get("affiliation='owner'"), "item-not-found");
    assert_eq!(world.rows(stube::store::Table::RoomPeople), 0);
}

#[test]
fn a_result_that_promises_an_affiliation_waits_for_the_disk() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.hold_commits();
    world.send(clients[0], &set("<item jid='tybalt@example.org' affiliation='outcast'/>"));
    assert_eq!(codes(&presence(&mut world, clients[2], "tybalt")), ["110", "301"]);
    assert!(world.answer(clients[0], "set").is_none());
    world.commit();
    assert_eq!(world.answer(clients[0], "set").expect("an answer").get_attr("type"), Some("result"));
}

#[test]
fn a_disk_that_fails_changes_no_affiliation_and_lets_roles_change() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    world.handle(Event::StoreStalled("the disk is full".into()));
    let ban = "<item jid='tybalt@example.org' affiliation='outcast'/>";
    world.expect_error(
        clients[0],
        &set(&format!("<item nick='juliet' role='none'/>{ban}")),
        "resource-constraint",
    );
    clients[1..].iter().for_each(|client| world.expect_nothing(*client));
    world.expect_result(clients[0], &set("<item nick='tybalt' role='none'/>"));
    assert_eq!(codes(&presence(&mut world, clients[2], "tybalt")), ["110", "307"]);
}

// §5.1: roles persist in moderated rooms, and nobody gets a voice back by coming anew.
#[test]
fn the_voice_that_a_moderator_has_given_or_taken_outlives_a_visit() {
    let mut world = World::new();
    let clients = world.room_of(ALL);
    let again = |world: &mut World, client: Client, nick: &str| {
        world.send(client, &format!("<presence type='unavailable' to='{ROOM}'/>"));
        let told = world.enter(client, ROOM, nick);
        let own = told.into_iter().rfind(|stanza| codes(stanza).contains(&"110".into()));
        item(&own.expect("its own presence"), "role").expect("a role")
    };
    world.change_person(clients[0], ROOM, "nick='tybalt' role='visitor'");
    assert_eq!(again(&mut world, clients[2], "prince"), "visitor");
    world.change_person(clients[0], ROOM, "nick='prince' role='none'");
    assert_eq!(again(&mut world, clients[2], "tybalt"), "visitor");
    world.change_person(clients[0], ROOM, "nick='tybalt' role='participant'");
    world.configure_room(clients[0], ROOM, &[("moderatedroom", "1")]);
    assert_eq!(again(&mut world, clients[2], "tybalt"), "visitor");
    world.change_person(clients[0], ROOM, "nick='tybalt' role='moderator'");
    assert_eq!(again(&mut world, clients[2], "tybalt"), "participant");
    // Another affiliation is a new beginning.
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='member'");
    world.change_person(clients[0], ROOM, "nick='juliet' role='visitor'");
    assert_eq!(again(&mut world, clients[1], "juliet"), "visitor");
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='none'");
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='member'");
    assert_eq!(again(&mut world, clients[1], "juliet"), "participant");
    world.change_person(clients[0], ROOM, "nick='juliet' role='visitor'");
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='admin'");
    assert_eq!(again(&mut world, clients[1], "juliet"), "moderator");
}

#[test]
fn a_moderator_does_not_change_people_faster_than_others_may_talk() {
    let mut world = World::new();
    let clients = world.room_of(&["romeo", "juliet"]);
    for change in 0..20 {
        let role = if change % 2 == 1 { "participant" } else { "visitor" };
        world.expect_result(clients[0], &set(&format!("<item nick='juliet' role='{role}'/>")));
    }
    clients.iter().for_each(|client| world.clear(*client));
    let more = set("<item nick='juliet' role='visitor'/>");
    world.expect_error(clients[0], &more, "policy-violation");
    world.expect_nothing(clients[1]);
    world.advance(60_000);
    world.clear(clients[0]);
    world.expect_result(clients[0], &more);
}

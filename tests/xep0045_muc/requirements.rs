//! What the text demands, section by section, as far as it is not told elsewhere beside this file.

use stube::store::record::RoomAffiliation;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ADMIN, OWNER, ROOM, USER, codes, entering, item};
use crate::world::World;

fn set(what: &str) -> String {
    format!("<iq type='set' id='set' to='{ROOM}'><query xmlns='{ADMIN}'>{what}</query></iq>")
}

fn of(nick: &str) -> String {
    format!("{ROOM}/{nick}")
}

fn clear(world: &mut World, clients: &[Client]) {
    clients.iter().for_each(|client| world.clear(*client));
}

/// The attributes of a list's items, as in `jid affiliation`.
fn list(world: &mut World, client: Client, which: &str, wanted: &[&str]) -> Vec<String> {
    let request =
        format!("<iq type='get' id='list' to='{ROOM}'><query xmlns='{ADMIN}'><item {which}/></query></iq>");
    let answer = world.expect_result(client, &request);
    let items = answer.find("query", ADMIN).expect("a list").children();
    let line = |item: &Element| {
        wanted.iter().map(|name| item.get_attr(name).unwrap_or("-")).collect::<Vec<_>>().join(" ")
    };
    items.map(line).collect()
}

/// The presences of an occupant among what a client has been told.
fn presences(world: &mut World, client: Client, nick: &str) -> Vec<Element> {
    let told = world.drain(client).into_iter();
    told.filter(|stanza| stanza.name == "presence" && stanza.get_attr("from") == Some(of(nick).as_str()))
        .collect()
}

fn subject(text: &str) -> String {
    format!("<message type='groupchat' id='s' to='{ROOM}'><subject>{text}</subject></message>")
}

#[test]
fn a_subject_is_set_and_removed_by_moderators_and_reflected_to_all() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    for text in ["Verona", ""] {
        world.send(people[1], &subject(text));
        world.expect_bounce(people[1], "forbidden");
        clear(&mut world, &people);
        world.send(people[0], &subject(text));
        for client in &people {
            let told = world.receive(*client);
            assert_eq!(told.get_attr("from"), Some(of("romeo").as_str()));
            assert_eq!(
                told.find("subject", "jabber:client").map(Element::text_content).as_deref(),
                Some(text)
            );
            assert!(told.find("body", "jabber:client").is_none());
        }
    }
    let late = world.online("tybalt", "phone");
    let told = world.enter(late, ROOM, "tybalt").pop().expect("a subject");
    assert_eq!(told.find("subject", "jabber:client").map(Element::text_content).as_deref(), Some(""));
}

#[test]
fn nobody_kicks_somebody_above_them() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse", "tybalt"]);
    world.change_person(people[0], ROOM, "jid='juliet@example.org' affiliation='admin'");
    world.change_person(people[0], ROOM, "jid='nurse@example.org' affiliation='member'");
    world.change_person(people[0], ROOM, "nick='nurse' role='moderator'");
    for (who, whom) in [(2, "juliet"), (2, "romeo"), (1, "romeo")] {
        world.expect_error(people[who], &set(&format!("<item nick='{whom}' role='none'/>")), "not-allowed");
    }
    // The other way round it is all right, and the moderator hears of success.
    for (who, whom) in [(2, "tybalt"), (1, "nurse"), (0, "juliet")] {
        clear(&mut world, &people);
        world.expect_result(people[who], &set(&format!("<item nick='{whom}' role='none'/>")));
        let shown = presences(&mut world, people[0], whom);
        assert_eq!(shown.len(), 1);
        assert!(codes(&shown[0]).contains(&"307".into()));
    }
}

#[test]
fn what_admins_do_is_forbidden_to_a_moderator_who_is_none() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    world.set_affiliation(ROOM, "paris@example.org", RoomAffiliation::Member, "");
    world.set_affiliation(ROOM, "tybalt@example.org", RoomAffiliation::Outcast, "");
    world.change_person(people[0], ROOM, "nick='juliet' role='moderator'");
    clear(&mut world, &people);
    for item in [
        "<item jid='nurse@example.org' affiliation='outcast'/>",
        "<item jid='tybalt@example.org' affiliation='none'/>",
        "<item jid='nurse@example.org' affiliation='member'/>",
        "<item jid='paris@example.org' affiliation='none'/>",
        "<item nick='nurse' role='moderator'/>",
        "<item jid='nurse@example.org' affiliation='admin'/>",
        "<item jid='nurse@example.org' affiliation='owner'/>",
        "<item jid='juliet@example.org' affiliation='owner'/>",
    ] {
        world.expect_error(people[1], &set(item), "forbidden");
        world.expect_nothing(people[2]);
    }
}

#[test]
fn owners_and_admins_are_made_and_unmade_by_owners_alone() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    world.change_person(people[0], ROOM, "jid='juliet@example.org' affiliation='admin'");
    clear(&mut world, &people);
    for affiliation in ["admin", "owner"] {
        let change =
            |affiliation: &str| set(&format!("<item jid='nurse@example.org' affiliation='{affiliation}'/>"));
        world.expect_error(people[1], &change(affiliation), "forbidden");
        for (now, role) in [(affiliation, "moderator"), ("member", "participant")] {
            clear(&mut world, &people);
            world.expect_result(people[0], &change(now));
            for client in &people {
                let shown = presences(&mut world, *client, "nurse");
                assert_eq!(shown.len(), 1);
                assert_eq!(item(&shown[0], "affiliation").as_deref(), Some(now));
                assert_eq!(item(&shown[0], "role").as_deref(), Some(role));
            }
            let there =
                list(&mut world, people[0], &format!("affiliation='{affiliation}'"), &["jid", "affiliation"]);
            let line = format!("nurse@example.org {affiliation}");
            assert_eq!(there.contains(&line), now == affiliation, "{there:?}");
        }
    }
}

#[test]
fn a_ban_is_of_the_bare_address_and_takes_the_nick_away() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet"]);
    world.set_affiliation(ROOM, "tybalt@example.org", RoomAffiliation::Member, "Prince");
    world.expect_result(people[0], &set("<item jid='tybalt@example.org/street' affiliation='outcast'/>"));
    let banned = list(&mut world, people[0], "affiliation='outcast'", &["jid", "affiliation"]);
    assert_eq!(banned, ["tybalt@example.org outcast"]);
    let tybalt = world.online("tybalt", "phone");
    world.expect_no_entry(tybalt, ROOM, "tybalt", "forbidden");
    let mercutio = world.online("mercutio", "phone");
    world.enter(mercutio, ROOM, "Prince");
}

#[test]
fn the_list_of_the_banned_is_changed_by_what_changes() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    for name in ["tybalt", "paris"] {
        world.set_affiliation(ROOM, &format!("{name}@example.org"), RoomAffiliation::Outcast, "");
    }
    clear(&mut world, &people);
    world.expect_result(
        people[0],
        &set("<item jid='paris@example.org' affiliation='none'/><item jid='nurse@example.org' affiliation='outcast'/>"),
    );
    let banned = list(&mut world, people[0], "affiliation='outcast'", &["jid"]);
    assert_eq!(banned, ["nurse@example.org", "tybalt@example.org"]);
    assert_eq!(codes(&presences(&mut world, people[2], "nurse")[0]), ["110", "301"]);
    assert_eq!(codes(&presences(&mut world, people[1], "nurse")[0]), ["301"]);
}

#[test]
fn who_is_no_member_any_more_does_not_get_in_again() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet"]);
    world.set_affiliation(ROOM, "juliet@example.org", RoomAffiliation::Member, "");
    world.configure_room(people[0], ROOM, &[("membersonly", "1")]);
    clear(&mut world, &people);
    world.expect_result(people[0], &set("<item jid='juliet@example.org' affiliation='none'/>"));
    assert_eq!(codes(&presences(&mut world, people[1], "juliet")[0]), ["110", "321"]);
    assert_eq!(codes(&presences(&mut world, people[0], "juliet")[0]), ["321"]);
    world.expect_no_entry(people[1], ROOM, "juliet", "registration-required");
}

#[test]
fn moderators_are_listed_made_and_unmade_by_admins() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    world.change_person(people[0], ROOM, "nick='juliet' role='moderator'");
    clear(&mut world, &people);
    world.expect_result(
        people[0],
        &set("<item nick='juliet' role='participant'/><item nick='nurse' role='moderator'/>"),
    );
    for (nick, role) in [("juliet", "participant"), ("nurse", "moderator")] {
        let told = world
            .pick(people[1], |stanza| stanza.get_attr("from") == Some(of(nick).as_str()))
            .expect("a presence");
        assert_eq!(item(&told, "role").as_deref(), Some(role));
    }
    let moderators = list(&mut world, people[0], "role='moderator'", &["nick", "role"]);
    assert_eq!(moderators, ["nurse moderator", "romeo moderator"]);
}

#[test]
fn nobody_takes_the_moderators_role_from_owners_and_admins() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    for name in ["juliet", "nurse"] {
        world.change_person(people[0], ROOM, &format!("jid='{name}@example.org' affiliation='admin'"));
    }
    for nick in ["romeo", "nurse"] {
        for role in ["participant", "visitor"] {
            world.expect_error(
                people[1],
                &set(&format!("<item nick='{nick}' role='{role}'/>")),
                "not-allowed",
            );
        }
    }
}

#[test]
fn an_owner_who_leaves_a_persistent_room_owns_it_still() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet"]);
    world.configure_room(people[0], ROOM, &[("persistentroom", "1")]);
    for client in people {
        world.close(client);
    }
    world.restart();
    let romeo = world.online("romeo", "laptop");
    let own = world.enter(romeo, ROOM, "romeo");
    let own = own.iter().find(|stanza| stanza.name == "presence").expect("a presence");
    assert_eq!(
        (item(own, "affiliation").as_deref(), item(own, "role").as_deref()),
        (Some("owner"), Some("moderator"))
    );
}

#[test]
fn each_occupant_of_a_destroyed_room_is_told_once_with_all_that_was_given() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    let destroy = format!(
        "<iq type='set' id='d' to='{ROOM}'><query xmlns='{OWNER}'><destroy jid='tomb@conference.example.org'>\
         <password>poison</password><reason>the end</reason></destroy></query></iq>"
    );
    world.expect_error(people[1], &destroy, "forbidden");
    clear(&mut world, &people);
    world.expect_result(people[0], &destroy);
    for (client, nick) in people[1..].iter().zip(["juliet", "nurse"]) {
        let told = world.drain(*client);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            (told[0].get_attr("type"), told[0].get_attr("from")),
            (Some("unavailable"), Some(of(nick).as_str()))
        );
        let destroyed = told[0].find("x", USER).and_then(|x| x.find("destroy", USER)).expect("a destruction");
        let text = |name: &str| destroyed.find(name, USER).map(Element::text_content);
        assert_eq!(destroyed.get_attr("jid"), Some("tomb@conference.example.org"));
        assert_eq!(
            (text("password").as_deref(), text("reason").as_deref()),
            (Some("poison"), Some("the end"))
        );
        assert_eq!(item(&told[0], "affiliation").as_deref(), Some("none"));
    }
}

#[test]
fn who_enters_a_room_that_shows_addresses_is_warned() {
    let mut world = World::new();
    let people = world.room_of(&["romeo"]);
    for (whois, warned) in [("anyone", true), ("moderators", false)] {
        world.configure_room(people[0], ROOM, &[("whois", whois)]);
        let juliet = world.online("juliet", "phone");
        let told = world.enter(juliet, ROOM, "juliet");
        let own = told.iter().rfind(|stanza| stanza.name == "presence").expect("a presence");
        assert_eq!(codes(own).contains(&"100".into()), warned);
        world.close(juliet);
    }
}

// Two who have to go at the moment in which the others' addresses become known, do not learn them.
#[test]
fn who_has_to_leave_a_room_that_closes_learns_nobodys_address() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse", "tybalt"]);
    world.set_affiliation(ROOM, "nurse@example.org", RoomAffiliation::Member, "");
    world.configure_room(people[0], ROOM, &[("membersonly", "1"), ("whois", "anyone")]);
    for (client, other) in [(people[1], "tybalt"), (people[3], "juliet")] {
        let told = world.drain(client);
        let others = told.iter().filter(|stanza| stanza.get_attr("from") == Some(of(other).as_str()));
        assert!(others.filter_map(|stanza| item(stanza, "jid")).next().is_none(), "{told:?}");
    }
    let told = world.drain(people[2]);
    assert_eq!(told.iter().filter(|stanza| codes(stanza).contains(&"322".into())).count(), 2);
    assert!(told.iter().any(|stanza| codes(stanza).contains(&"172".into())));
}

#[test]
fn whoever_waits_for_the_disk_sees_who_comes_and_goes_meanwhile() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet"]);
    world.hold_commits();
    world.send(
        people[0],
        &format!("<message type='groupchat' id='m' to='{ROOM}'><body>hello</body></message>"),
    );
    world.expect_nothing(people[0]);
    // The nick changes hands; whatever is told of its former owner is told before.
    world.send(people[1], &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    world.send(people[0], &format!("<presence to='{ROOM}/juliet'/>"));
    let mut told: Vec<_> = world.drain(people[0]);
    world.commit();
    told.extend(world.drain(people[0]));
    let of_nick: Vec<_> =
        told.iter().filter(|stanza| stanza.get_attr("from") == Some(of("juliet").as_str())).collect();
    assert_eq!(
        of_nick.iter().map(|stanza| stanza.get_attr("type")).collect::<Vec<_>>(),
        [Some("unavailable"), None]
    );
    assert!(told.last().is_some_and(|last| last.find("body", "jabber:client").is_some()));
}

#[test]
fn who_enters_again_hears_what_waited_before_what_was_said_since() {
    for leaves in [false, true] {
        let mut world = World::new();
        let people = world.room_of(&["romeo", "juliet"]);
        let say = |text: &str| {
            format!("<message type='groupchat' id='{text}' to='{ROOM}'><body>{text}</body></message>")
        };
        world.hold_commits();
        world.send(people[0], &say("before"));
        if leaves {
            world.send(people[0], &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
        }
        world.enter(people[0], ROOM, "romeo");
        world.send(people[1], &say("since"));
        world.expect_nothing(people[0]);
        world.commit();
        let told = world.drain(people[0]);
        assert_eq!(
            told.iter().map(|told| told.get_attr("id")).collect::<Vec<_>>(),
            [Some("before"), Some("since")]
        );
    }
}

#[test]
fn a_room_without_addresses_gives_its_lists_to_owners() {
    let mut world = World::new();
    let people = world.room_of(&["romeo", "juliet", "nurse"]);
    world.change_person(people[0], ROOM, "jid='juliet@example.org' affiliation='admin'");
    for which in ["owner", "admin"] {
        let request = format!(
            "<iq type='get' id='l' to='{ROOM}'><query xmlns='{ADMIN}'><item affiliation='{which}'/></query></iq>"
        );
        world.expect_error(people[2], &request, "forbidden");
        let who = if which == "owner" { "romeo" } else { "juliet" };
        let there = list(&mut world, people[0], &format!("affiliation='{which}'"), &["jid", "affiliation"]);
        assert_eq!(there, [format!("{who}@example.org {which}")]);
    }
}

#[test]
fn a_new_room_is_locked_until_its_form_comes_back() {
    let mut world = World::new();
    let (romeo, juliet) = (world.online("romeo", "phone"), world.online("juliet", "phone"));
    let own = world.enter(romeo, ROOM, "romeo").remove(0);
    assert!(codes(&own).contains(&"201".into()));
    assert_eq!(item(&own, "affiliation").as_deref(), Some("owner"));
    let form = world
        .expect_result(romeo, &format!("<iq type='get' id='f' to='{ROOM}'><query xmlns='{OWNER}'/></iq>"));
    let form = form.find("query", OWNER).and_then(|query| query.find("x", "jabber:x:data")).expect("a form");
    assert_eq!(form.get_attr("type"), Some("form"));
    world.send(juliet, &entering(ROOM, "juliet"));
    world.expect_bounce(juliet, "item-not-found");
    world.configure_room(romeo, ROOM, &[("roomname", "Verona")]);
    world.enter(juliet, ROOM, "juliet");
}

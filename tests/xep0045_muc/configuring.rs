//! §10.1, §10.2: how owners configure a room, and what follows for those who are in it.

use std::collections::BTreeMap;

use stube::config::Limit;
use stube::core::Event;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{OWNER, ROOM, ROOMS, USER, codes, entering, item};
use crate::world::World;

const DATA: &str = "jabber:x:data";
const FORM_TYPE: &str =
    "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>";

fn get() -> String {
    format!("<iq type='get' id='form' to='{ROOM}'><query xmlns='{OWNER}'/></iq>")
}

fn set(content: &str) -> String {
    format!("<iq type='set' id='form' to='{ROOM}'><query xmlns='{OWNER}'>{content}</query></iq>")
}

/// A form with these fields, each with its values.
fn submit(fields: &[(&str, &[&str])]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, values)| {
            let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
            format!("<field var='{var}'>{values}</field>")
        })
        .collect();
    set(&format!("<x xmlns='{DATA}' type='submit'>{FORM_TYPE}{fields}</x>"))
}

fn fields(answer: &Element) -> Vec<&Element> {
    let form = answer.find("query", OWNER).and_then(|query| query.find("x", DATA)).expect("a form");
    assert_eq!(form.get_attr("type"), Some("form"));
    form.children().filter(|child| child.name == "field").collect()
}

/// What the form shows to its owner: values by the fields' names.
fn shown(world: &mut World, owner: Client) -> BTreeMap<String, Vec<String>> {
    let answer = world.expect_result(owner, &get());
    let of = |field: &&Element| {
        let values = field.children().filter(|child| child.name == "value").map(Element::text_content);
        (field.get_attr("var").expect("a name").to_owned(), values.collect())
    };
    fields(&answer).iter().map(of).collect()
}

/// The owner `romeo` and others, with `moderated` and the like set before they come.
fn room_with(world: &mut World, fields: &[(&str, &str)], others: &[&str]) -> Vec<Client> {
    let owner = world.online("romeo", "phone");
    world.enter(owner, ROOM, "romeo");
    world.configure_room(owner, ROOM, fields);
    let mut clients = vec![owner];
    for name in others {
        let client = world.online(name, "phone");
        world.enter(client, ROOM, name);
        clients.push(client);
    }
    clients.iter().for_each(|client| world.clear(*client));
    clients
}

/// The codes of all messages of the room.
fn announced(world: &mut World, client: Client) -> Vec<String> {
    let messages = world.drain(client).into_iter().filter(|stanza| stanza.name == "message");
    messages
        .flat_map(|message| {
            assert_eq!(message.get_attr("from"), Some(ROOM));
            assert_eq!(message.get_attr("type"), Some("groupchat"));
            codes(&message)
        })
        .collect()
}

#[test]
fn the_form_has_every_field_with_a_label_and_a_type() {
    let mut world = World::new();
    let owner = room_with(&mut world, &[], &[])[0];
    let answer = world.expect_result(owner, &get());
    let described: Vec<(&str, &str)> = fields(&answer)
        .iter()
        .map(|field| {
            let var = field.get_attr("var").expect("a name");
            assert!(var == "FORM_TYPE" || field.get_attr("label").is_some(), "{var}");
            (var, field.get_attr("type").expect("a type"))
        })
        .collect();
    assert_eq!(
        described,
        [
            ("FORM_TYPE", "hidden"),
            ("muc#roomconfig_roomname", "text-single"),
            ("muc#roomconfig_roomdesc", "text-single"),
            ("muc#roomconfig_lang", "text-single"),
            ("muc#roomconfig_persistentroom", "boolean"),
            ("muc#roomconfig_publicroom", "boolean"),
            ("muc#roomconfig_membersonly", "boolean"),
            ("muc#roomconfig_allowinvites", "boolean"),
            ("muc#roomconfig_passwordprotectedroom", "boolean"),
            ("muc#roomconfig_roomsecret", "text-private"),
            ("muc#roomconfig_whois", "list-single"),
            ("muc#roomconfig_moderatedroom", "boolean"),
            ("{urn:stube}voice_requests", "boolean"),
            ("{urn:stube}visitor_nicks", "boolean"),
            ("muc#roomconfig_changesubject", "boolean"),
            ("muc#roomconfig_allowpm", "list-single"),
            ("muc#roomconfig_presencebroadcast", "list-multi"),
            ("muc#roomconfig_getmemberlist", "list-multi"),
            ("{urn:stube}registration", "boolean"),
            ("muc#roomconfig_enablelogging", "boolean"),
            ("muc#maxhistoryfetch", "text-single"),
            ("muc#roomconfig_forwardmentions", "boolean"),
            ("muc#roomconfig_slow_mode_duration", "text-single"),
            ("muc#roomconfig_maxusers", "list-single"),
            ("{urn:stube}contacts", "jid-multi"),
            ("muc#roomconfig_roomadmins", "jid-multi"),
            ("muc#roomconfig_roomowners", "jid-multi"),
        ]
    );
}

#[test]
fn numbers_say_what_they_may_be() {
    let mut world = World::new();
    let owner = room_with(&mut world, &[], &[])[0];
    let answer = world.expect_result(owner, &get());
    for (var, most) in [("muc#roomconfig_slow_mode_duration", "86400"), ("muc#maxhistoryfetch", "100")] {
        let field = fields(&answer).into_iter().find(|field| field.get_attr("var") == Some(var));
        let validate = field
            .and_then(|field| field.find("validate", "http://jabber.org/protocol/xdata-validate"))
            .expect("a validation");
        assert_eq!(validate.get_attr("datatype"), Some("xs:integer"));
        let range = validate.children().next().expect("a range");
        assert_eq!((range.get_attr("min"), range.get_attr("max")), (Some("0"), Some(most)));
    }
}

#[test]
fn every_setting_is_kept_and_shown_in_the_next_form() {
    let settings: &[(&str, &[&str])] = &[
        ("muc#roomconfig_roomname", &["The kitchen"]),
        ("muc#roomconfig_roomdesc", &["Where it is warm"]),
        ("muc#roomconfig_lang", &["de-AT"]),
        ("muc#roomconfig_persistentroom", &["1"]),
        ("muc#roomconfig_publicroom", &["1"]),
        ("muc#roomconfig_membersonly", &["1"]),
        ("muc#roomconfig_allowinvites", &["0"]),
        ("muc#roomconfig_passwordprotectedroom", &["1"]),
        ("muc#roomconfig_roomsecret", &["onion"]),
        ("muc#roomconfig_whois", &["anyone"]),
        ("muc#roomconfig_moderatedroom", &["1"]),
        ("{urn:stube}voice_requests", &["0"]),
        ("{urn:stube}visitor_nicks", &["0"]),
        ("muc#roomconfig_changesubject", &["1"]),
        ("muc#roomconfig_allowpm", &["moderators"]),
        ("muc#roomconfig_presencebroadcast", &["moderator", "participant"]),
        ("muc#roomconfig_getmemberlist", &["moderator"]),
        ("{urn:stube}registration", &["0"]),
        ("muc#roomconfig_enablelogging", &["0"]),
        ("muc#maxhistoryfetch", &["7"]),
        ("muc#roomconfig_forwardmentions", &["0"]),
        ("muc#roomconfig_slow_mode_duration", &["30"]),
        ("muc#roomconfig_maxusers", &["33"]),
        ("{urn:stube}contacts", &["romeo@example.org"]),
        ("muc#roomconfig_roomadmins", &["friar@example.org", "nurse@example.org"]),
        ("muc#roomconfig_roomowners", &["juliet@example.org", "romeo@example.org"]),
    ];
    let mut world = World::new();
    let owner = room_with(&mut world, &[], &[])[0];
    let before = shown(&mut world, owner);
    for (var, values) in settings {
        assert_ne!(before[*var], *values, "{var} is that already");
    }
    world.expect_result(owner, &submit(settings));
    world.restart();
    let owner = world.online("romeo", "phone");
    let mut now = shown(&mut world, owner);
    now.remove("FORM_TYPE");
    let wanted = settings
        .iter()
        .map(|(var, values)| (var.to_string(), values.iter().map(ToString::to_string).collect::<Vec<_>>()));
    assert_eq!(now, wanted.collect());
}

#[test]
fn fields_that_are_not_there_stay_and_those_that_nobody_asked_for_are_ignored() {
    let mut world = World::new();
    let owner = room_with(&mut world, &[("roomname", "The kitchen"), ("moderatedroom", "1")], &[])[0];
    let before = shown(&mut world, owner);
    world
        .expect_result(owner, &submit(&[("muc#roomconfig_pubsub", &["xmpp:a?;node=b"]), ("shoes", &["44"])]));
    assert_eq!(shown(&mut world, owner), before);
    world.expect_result(owner, &submit(&[("muc#roomconfig_roomname", &[])]));
    assert_eq!(shown(&mut world, owner)["muc#roomconfig_roomname"], [""]);
}

#[test]
fn what_can_not_be_is_not_acceptable_and_changes_nothing() {
    let long = "x".repeat(5000);
    let wrong: &[(&str, &[&str])] = &[
        ("muc#roomconfig_roomname", &[&long]),
        ("muc#roomconfig_roomname", &["one", "two"]),
        ("muc#roomconfig_roomdesc", &[&long]),
        ("muc#roomconfig_lang", &["not a language"]),
        ("muc#roomconfig_lang", &["en-"]),
        ("muc#roomconfig_moderatedroom", &["perhaps"]),
        ("muc#roomconfig_passwordprotectedroom", &["1"]),
        ("muc#roomconfig_roomsecret", &[&long]),
        ("muc#roomconfig_whois", &["nobody"]),
        ("muc#roomconfig_allowpm", &["friends"]),
        ("muc#roomconfig_presencebroadcast", &["king"]),
        ("muc#roomconfig_presencebroadcast", &["visitor"]),
        ("muc#roomconfig_presencebroadcast", &[]),
        ("muc#roomconfig_getmemberlist", &["participant"]),
        ("muc#maxhistoryfetch", &["-1"]),
        ("muc#maxhistoryfetch", &["101"]),
        ("muc#maxhistoryfetch", &["99999999999"]),
        ("muc#roomconfig_slow_mode_duration", &["86401"]),
        ("muc#roomconfig_slow_mode_duration", &["soon"]),
        ("muc#roomconfig_maxusers", &["0"]),
        ("muc#roomconfig_maxusers", &["501"]),
        ("muc#roomconfig_maxusers", &["-5"]),
        ("{urn:stube}contacts", &["@"]),
        ("muc#roomconfig_roomadmins", &["example.org"]),
        ("muc#roomconfig_roomowners", &["@example.org"]),
    ];
    let mut world = World::new();
    let owner = room_with(&mut world, &[], &[])[0];
    let before = shown(&mut world, owner);
    for (var, values) in wrong {
        let request = submit(&[("muc#roomconfig_publicroom", &["1"]), (var, values)]);
        world.expect_error(owner, &request, "not-acceptable");
        assert_eq!(shown(&mut world, owner), before, "{var} {values:?}");
    }
    world.expect_nothing(owner);
}

#[test]
fn a_request_that_is_no_form_is_a_bad_one() {
    let mut world = World::new();
    let owner = room_with(&mut world, &[], &[])[0];
    for content in [
        "",
        "<x xmlns='jabber:x:data'/>",
        "<x xmlns='jabber:x:data' type='form'/>",
        "<item affiliation='owner'/>",
    ] {
        world.expect_error(owner, &set(content), "bad-request");
    }
    let other = submit(&[]).replace("muc#roomconfig", "muc#register");
    world.expect_error(owner, &other, "not-acceptable");
}

#[test]
fn a_room_whose_password_is_asked_for_has_one() {
    let mut world = World::new();
    let owner = room_with(&mut world, &[], &[])[0];
    let (needs, secret) = ("muc#roomconfig_passwordprotectedroom", "muc#roomconfig_roomsecret");
    let password = |world: &mut World, fields: &[(&str, &[&str])]| {
        world.expect_result(owner, &submit(fields));
        let form = shown(world, owner);
        (form[needs][0].clone(), form[secret][0].clone())
    };
    let of = |needs: &str, secret: &str| (needs.to_owned(), secret.to_owned());
    assert_eq!(password(&mut world, &[(secret, &["onion"])]), of("1", "onion"));
    assert_eq!(password(&mut world, &[(needs, &["1"])]), of("1", "onion"));
    assert_eq!(password(&mut world, &[(needs, &["0"]), (secret, &["onion"])]), of("0", ""));
    assert_eq!(password(&mut world, &[(needs, &["1"]), (secret, &["leek"])]), of("1", "leek"));
    world.expect_error(owner, &submit(&[(needs, &["1"]), (secret, &[""])]), "not-acceptable");
}

#[test]
fn nobody_but_an_owner_sees_or_changes_the_configuration() {
    let mut world = World::new();
    let clients = room_with(&mut world, &[], &["juliet"]);
    let (owner, juliet) = (clients[0], clients[1]);
    let stranger = world.online("tybalt", "phone");
    world.change_person(owner, ROOM, "jid='juliet@example.org' affiliation='admin'");
    let before = shown(&mut world, owner);
    for client in [juliet, stranger] {
        for request in [get(), submit(&[("muc#roomconfig_roomname", &["Mine"])]), set("<destroy/>")] {
            world.expect_error(client, &request, "forbidden");
        }
    }
    assert_eq!(shown(&mut world, owner), before);
}

#[test]
fn a_room_that_does_not_exist_can_not_be_configured() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.expect_error(romeo, &get(), "item-not-found");
    world.expect_error(romeo, &submit(&[]), "item-not-found");
    world.expect_error(romeo, &get().replace(ROOM, ROOMS), "service-unavailable");
}

// §10.1.2, §10.1.3
#[test]
fn the_first_form_opens_the_room() {
    for form in [submit(&[]), set("<x xmlns='jabber:x:data' type='submit'/>")] {
        let mut world = World::new();
        let romeo = world.online("romeo", "phone");
        world.enter(romeo, ROOM, "romeo");
        world.expect_result(romeo, &form);
        let juliet = world.online("juliet", "phone");
        world.enter(juliet, ROOM, "juliet");
    }
}

// §10.1.3
#[test]
fn a_room_whose_first_configuration_is_cancelled_is_gone() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "romeo");
    world.send(romeo, &set("<x xmlns='jabber:x:data' type='cancel'/>"));
    let gone = world.receive(romeo);
    assert_eq!(gone.get_attr("type"), Some("unavailable"));
    assert!(gone.find("x", USER).and_then(|x| x.find("destroy", USER)).is_some(), "{gone:?}");
    assert_eq!(world.receive(romeo).get_attr("type"), Some("result"));
    world.expect_error(romeo, &get(), "item-not-found");
}

// §10.1.3
#[test]
fn an_owner_who_leaves_before_the_first_configuration_takes_the_room_along() {
    let mut world = World::new();
    let romeo = world.online("romeo", "phone");
    world.enter(romeo, ROOM, "romeo");
    world.send(romeo, &format!("<presence type='unavailable' to='{ROOM}/romeo'/>"));
    let gone = world.receive(romeo);
    assert!(gone.find("x", USER).and_then(|x| x.find("destroy", USER)).is_some(), "{gone:?}");
    world.expect_error(romeo, &get(), "item-not-found");
}

// §10.2
#[test]
fn a_later_configuration_that_is_cancelled_leaves_everything_as_it_was() {
    let mut world = World::new();
    let clients = room_with(&mut world, &[("roomname", "The kitchen")], &["juliet"]);
    let before = shown(&mut world, clients[0]);
    world.expect_result(clients[0], &set("<x xmlns='jabber:x:data' type='cancel'/>"));
    assert_eq!(shown(&mut world, clients[0]), before);
    world.expect_nothing(clients[1]);
}

// §10.2
#[test]
fn who_is_no_member_has_to_go_when_the_room_becomes_one_for_members() {
    let mut world = World::new();
    let clients = room_with(&mut world, &[], &["juliet", "tybalt"]);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='member'");
    clients.iter().for_each(|client| world.clear(*client));
    world.expect_result(clients[0], &submit(&[("muc#roomconfig_membersonly", &["1"])]));
    for (client, expected) in [(clients[2], ["110", "322"].as_slice()), (clients[1], &["322"])] {
        let gone = world.receive(client);
        assert_eq!(gone.get_attr("from"), Some(format!("{ROOM}/tybalt").as_str()));
        assert_eq!(gone.get_attr("type"), Some("unavailable"));
        assert_eq!(codes(&gone), expected);
        assert_eq!(item(&gone, "role").as_deref(), Some("none"));
    }
    assert_eq!(announced(&mut world, clients[1]), ["171", "104"], "nor can all read its archive any more");
    world.expect_nothing(clients[2]);
    world.send(clients[2], &entering(ROOM, "tybalt"));
    world.expect_bounce(clients[2], "registration-required");
}

// §10.2.1
#[test]
fn everyone_is_told_what_has_changed_by_its_code() {
    let changes: &[(&str, &str, &[&str])] = &[
        ("muc#roomconfig_enablelogging", "0", &["171"]),
        ("muc#roomconfig_enablelogging", "1", &["170"]),
        ("muc#roomconfig_whois", "anyone", &["172"]),
        ("muc#roomconfig_whois", "moderators", &["173"]),
        ("muc#roomconfig_roomname", "The cellar", &["104"]),
        ("muc#roomconfig_roomname", "The cellar", &[]),
    ];
    let mut world = World::new();
    let clients = room_with(&mut world, &[], &["juliet"]);
    for (var, value, expected) in changes {
        world.expect_result(clients[0], &submit(&[(var, &[value])]));
        assert_eq!(announced(&mut world, clients[1]), *expected, "{var} = {value}");
        assert_eq!(announced(&mut world, clients[0]), *expected, "{var} = {value}");
    }
    let both: &[(&str, &[&str])] =
        &[("muc#roomconfig_whois", &["anyone"]), ("muc#roomconfig_roomdesc", &["Stairs"])];
    world.expect_result(clients[0], &submit(both));
    assert_eq!(announced(&mut world, clients[1]), ["172", "104"]);
    // What only those can read who may enter is no public log.
    world.expect_result(clients[0], &submit(&[("muc#roomconfig_roomsecret", &["onion"])]));
    assert_eq!(announced(&mut world, clients[1]), ["171", "104"]);
    world.expect_result(clients[0], &submit(&[("muc#roomconfig_enablelogging", &["0"])]));
    assert_eq!(announced(&mut world, clients[1]), ["104"]);
}

#[test]
fn moderation_takes_the_voice_of_those_who_have_no_affiliation_and_its_end_gives_it_back() {
    let mut world = World::new();
    let clients = room_with(&mut world, &[], &["juliet", "tybalt"]);
    world.change_person(clients[0], ROOM, "jid='juliet@example.org' affiliation='member'");
    clients.iter().for_each(|client| world.clear(*client));
    for (moderated, role) in [("1", "visitor"), ("0", "participant")] {
        world.expect_result(clients[0], &submit(&[("muc#roomconfig_moderatedroom", &[moderated])]));
        for client in &clients {
            let told = world.receive(*client);
            assert_eq!(told.get_attr("from"), Some(format!("{ROOM}/tybalt").as_str()));
            assert_eq!(item(&told, "role").as_deref(), Some(role));
            assert_eq!(announced(&mut world, *client), ["104"]);
        }
    }
}

#[test]
fn whose_presence_is_no_longer_shown_is_gone_for_the_others_and_comes_back() {
    let mut world = World::new();
    let clients = room_with(&mut world, &[("moderatedroom", "1")], &["juliet", "tybalt"]);
    let from = format!("{ROOM}/tybalt");
    let broadcast = "muc#roomconfig_presencebroadcast";
    world.change_person(clients[0], ROOM, "nick='juliet' role='participant'");
    clients.iter().for_each(|client| world.clear(*client));
    world.expect_result(clients[0], &submit(&[(broadcast, &["moderator", "participant"])]));
    for client in &clients[..2] {
        let told = world.receive(*client);
        assert_eq!(
            (told.get_attr("from"), told.get_attr("type")),
            (Some(from.as_str()), Some("unavailable"))
        );
        assert_eq!(announced(&mut world, *client), ["104"]);
    }
    assert_eq!(announced(&mut world, clients[2]), ["104"]);
    // With a voice, there is a face again.
    world.change_person(clients[0], ROOM, "nick='tybalt' role='participant'");
    let told = world.receive(clients[1]);
    assert_eq!((told.get_attr("from"), told.get_attr("type")), (Some(from.as_str()), None));
    world.change_person(clients[0], ROOM, "nick='tybalt' role='visitor'");
    assert_eq!(world.receive(clients[1]).get_attr("type"), Some("unavailable"));
    world.expect_result(clients[0], &submit(&[(broadcast, &["visitor", "moderator", "participant"])]));
    let told = world.receive(clients[1]);
    assert_eq!((told.get_attr("from"), told.get_attr("type")), (Some(from.as_str()), None));
    assert_eq!(item(&told, "role").as_deref(), Some("visitor"));
}

// §10.2
#[test]
fn owners_and_admins_are_those_whom_the_form_names() {
    let mut world = World::new();
    let clients = room_with(&mut world, &[], &["juliet", "nurse", "friar"]);
    let standing = |world: &mut World, client: Client| {
        let told = world.drain(client).into_iter().rfind(|stanza| codes(stanza) == ["110"]);
        let told = told.expect("its own presence");
        (item(&told, "affiliation").expect("one"), item(&told, "role").expect("one"))
    };
    let of = |affiliation: &str, role: &str| (affiliation.to_owned(), role.to_owned());
    let (owners, admins) = ("muc#roomconfig_roomowners", "muc#roomconfig_roomadmins");
    let both: &[(&str, &[&str])] = &[
        (owners, &["romeo@example.org", "juliet@example.org/phone"]),
        (admins, &["nurse@example.org", "friar@example.org"]),
    ];
    world.expect_result(clients[0], &submit(both));
    assert_eq!(standing(&mut world, clients[1]), of("owner", "moderator"));
    assert_eq!(standing(&mut world, clients[2]), of("admin", "moderator"));
    assert_eq!(standing(&mut world, clients[3]), of("admin", "moderator"));
    // Who is not among the admins any more is nothing to an open room.
    world.expect_result(clients[0], &submit(&[(admins, &["nurse@example.org"])]));
    assert_eq!(standing(&mut world, clients[3]), of("none", "participant"));
    // Who is not among the owners any more is an admin.
    world.expect_result(clients[1], &submit(&[(owners, &["juliet@example.org"])]));
    assert_eq!(standing(&mut world, clients[0]), of("admin", "moderator"));
    world.expect_error(clients[0], &get(), "forbidden");
    // In a room for members, they stay members.
    let both: &[(&str, &[&str])] = &[("muc#roomconfig_membersonly", &["1"]), (admins, &[])];
    world.clear(clients[2]);
    world.expect_result(clients[1], &submit(both));
    assert_eq!(standing(&mut world, clients[2]), of("member", "participant"));
}

// §10.2
#[test]
fn the_last_owner_can_not_stop_being_one() {
    let mut world = World::new();
    let owner = room_with(&mut world, &[], &[])[0];
    let owners = "muc#roomconfig_roomowners";
    let before = shown(&mut world, owner);
    world.expect_error(owner, &submit(&[(owners, &[])]), "conflict");
    assert_eq!(shown(&mut world, owner), before);
    world.expect_result(owner, &submit(&[(owners, &["juliet@example.org"])]));
    world.expect_error(owner, &get(), "forbidden");
}

#[test]
fn a_disk_that_fails_changes_nothing() {
    let mut world = World::new();
    let clients = room_with(&mut world, &[], &["juliet"]);
    world.handle(Event::StoreStalled("the disk is full".into()));
    let before = shown(&mut world, clients[0]);
    let request = submit(&[("muc#roomconfig_membersonly", &["1"])]);
    world.expect_error(clients[0], &request, "resource-constraint");
    world.expect_error(clients[0], &set("<destroy/>"), "resource-constraint");
    assert_eq!(shown(&mut world, clients[0]), before);
    world.expect_nothing(clients[1]);
}

#[test]
fn what_the_server_allows_no_longer_is_not_in_the_form() {
    let mut world = World::new();
    let owner = room_with(&mut world, &[("maxusers", "200"), ("persistentroom", "1")], &[])[0];
    world.configure(|config| {
        config.rooms.occupants = Limit::of(60);
        config.rooms.history = Limit::of(5);
    });
    let answer = world.expect_result(owner, &get());
    let form = shown(&mut world, owner);
    assert_eq!(form["muc#roomconfig_maxusers"], ["60"]);
    assert_eq!(form["muc#maxhistoryfetch"], ["5"]);
    let field =
        fields(&answer).into_iter().find(|field| field.get_attr("var") == Some("muc#roomconfig_maxusers"));
    let options = field.expect("the field").children().filter(|child| child.name == "option");
    let options: Vec<_> =
        options.filter_map(|option| option.find("value", DATA)).map(Element::text_content).collect();
    assert_eq!(options, ["none", "10", "20", "50"]);
    // So it can be submitted as it is.
    let as_it_is: Vec<(&str, Vec<&str>)> = form
        .iter()
        .map(|(var, values)| (var.as_str(), values.iter().map(String::as_str).collect()))
        .collect();
    let as_it_is: Vec<(&str, &[&str])> = (as_it_is.iter())
        .filter(|(var, _)| *var != "FORM_TYPE")
        .map(|(var, values)| (*var, values.as_slice()))
        .collect();
    world.expect_result(owner, &submit(&as_it_is));
}

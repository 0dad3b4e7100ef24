//! XEP-0317: hats.

use stube::store::record::RoomAffiliation;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ROOM, codes};
use crate::world::{World, condition_of, show};

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const HATS: &str = "urn:xmpp:hats:0";
const COOK: &str = "https://example.org/hats/cook";
const GUEST: &str = "https://example.org/hats/guest";

fn command(node: &str, session: &str, payload: &str) -> String {
    format!(
        "<iq type='set' id='h' to='{ROOM}'><command xmlns='{COMMANDS}' node='urn:xmpp:hats:commands:{node}'{session}>\
         {payload}</command></iq>"
    )
}

/// A command with its form filled in at once.
fn filled(node: &str, fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='hats#{var}'><value>{value}</value></field>"))
        .collect();
    let form = format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:hats:commands</value></field>\
         {fields}</x>"
    );
    command(node, "", &form)
}

#[track_caller]
fn done(world: &mut World, client: Client, node: &str, fields: &[(&str, &str)]) -> Element {
    let answer = world.expect_result(client, &filled(node, fields));
    let command = answer.find("command", COMMANDS).expect("a command").clone();
    assert_eq!(command.get_attr("status"), Some("completed"));
    command
}

/// The hats in a presence: URI, title and hue.
fn worn(presence: &Element) -> Vec<[String; 3]> {
    let Some(hats) = presence.find("hats", HATS) else { return Vec::new() };
    let of =
        |hat: &Element| ["uri", "title", "hue"].map(|name| hat.get_attr(name).unwrap_or_default().to_owned());
    hats.children().map(of).collect()
}

/// The next presence of Juliet that the client sees.
#[track_caller]
fn juliets(world: &mut World, client: Client) -> Vec<[String; 3]> {
    let from = format!("{ROOM}/juliet");
    let seen = world.drain(client);
    let presence = seen.iter().rfind(|it| it.name == "presence" && it.get_attr("from") == Some(&from));
    worn(presence.expect("a presence of Juliet's"))
}

/// Rows of a table of results.
fn rows(command: &Element) -> Vec<Vec<String>> {
    let form = command.find("x", "jabber:x:data").expect("a form");
    let items = form.children().filter(|child| child.name == "item");
    let values = |item: &Element| {
        item.children().map(|field| field.children().map(Element::text_content).collect()).collect()
    };
    items.map(values).collect()
}

/// Romeo's room with a hat for cooks; and Juliet and the nurse in it.
fn kitchen(world: &mut World) -> [Client; 3] {
    let clients = world.room_of(&["romeo", "juliet", "nurse"]);
    done(world, clients[0], "create", &[("title", "Cook"), ("uri", COOK), ("hue", "327.255249")]);
    clients.iter().for_each(|client| world.clear(*client));
    [clients[0], clients[1], clients[2]]
}

fn cook() -> Vec<[String; 3]> {
    vec![[COOK.into(), "Cook".into(), "327.255249".into()]]
}

// §2 "A room in a MUC service that supports hats MUST advertise [it]", "it should advertise it in its 'muc#roominfo' extension
// form by computing a unique hash based on the list of hats"
#[test]
fn a_room_says_that_it_knows_hats_and_when_they_have_changed() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    let info = "http://jabber.org/protocol/disco#info";
    let asks = format!("<iq type='get' id='d' to='{ROOM}'><query xmlns='{info}'/></iq>");
    let hash = |world: &mut World| {
        let about = world.expect_result(romeo, &asks);
        assert!(show(&about).contains(&format!("<feature var='{HATS}'/>")));
        let form = about.find("query", info)?.find("x", "jabber:x:data")?;
        let field = form.children().find(|field| field.get_attr("var") == Some("hats#hash"))?;
        Some(field.find("value", "jabber:x:data")?.text_content())
    };
    assert_eq!(hash(&mut world), None);
    done(&mut world, romeo, "create", &[("title", "Chef"), ("uri", COOK)]);
    let before = hash(&mut world).expect("a hash");
    assert_eq!(hash(&mut world).as_ref(), Some(&before));
    done(&mut world, romeo, "create", &[("title", "Cook"), ("uri", COOK)]);
    assert_ne!(hash(&mut world).expect("a hash"), before);
}

// §3.1, §3.5
#[test]
fn who_is_given_a_hat_is_seen_with_it_by_all_and_later() {
    let mut world = World::new();
    let [romeo, juliet, nurse] = kitchen(&mut world);
    done(&mut world, romeo, "assign", &[("jid", "juliet@example.org"), ("uri", COOK)]);
    for client in [romeo, juliet, nurse] {
        assert_eq!(juliets(&mut world, client), cook());
    }
    world.send(juliet, &format!("<presence to='{ROOM}/juliet'><show>away</show></presence>"));
    assert_eq!(juliets(&mut world, nurse), cook());
    let tybalt = world.online("tybalt", "phone");
    world.clear(tybalt);
    world.send(tybalt, &crate::rooms::entering(ROOM, "tybalt"));
    assert_eq!(juliets(&mut world, tybalt), cook());
    world.send(juliet, &format!("<presence type='unavailable' to='{ROOM}/juliet'/>"));
    assert_eq!(juliets(&mut world, nurse), [] as [[String; 3]; 0], "whoever is gone wears nothing");
    world.enter(juliet, ROOM, "juliet");
    assert_eq!(juliets(&mut world, nurse), cook());
}

#[test]
fn hats_stay_over_a_restart() {
    let mut world = World::new();
    let [romeo, ..] = kitchen(&mut world);
    world.shape_room(ROOM, |config| config.persistent = true);
    done(&mut world, romeo, "assign", &[("jid", "juliet@example.org"), ("uri", COOK)]);
    world.restart();
    let juliet = world.online("juliet", "phone");
    let told = world.enter(juliet, ROOM, "juliet");
    assert_eq!(worn(told.iter().rfind(|stanza| stanza.name == "presence").expect("her own")), cook());
}

#[test]
fn nobody_puts_a_hat_on_themselves() {
    let mut world = World::new();
    let [_, juliet, nurse] = kitchen(&mut world);
    let forged = format!("<hats xmlns='{HATS}'><hat uri='{COOK}' title='Cook'/></hats>");
    world.send(juliet, &format!("<presence to='{ROOM}/juliet'>{forged}</presence>"));
    assert_eq!(juliets(&mut world, nurse), [] as [[String; 3]; 0]);
    world.send(juliet, &format!("<message type='groupchat' to='{ROOM}'><body>hi</body>{forged}</message>"));
    assert!(!show(&world.receive(nurse)).contains(HATS));
    for node in ["create", "destroy", "assign", "unassign"] {
        let fields = [("jid", "juliet@example.org"), ("uri", COOK), ("title", "Cook")];
        world.expect_error(juliet, &filled(node, &fields), "forbidden");
    }
    world.expect_error(juliet, &command("list-assigned", "", ""), "forbidden");
    assert!(worn(&world.enter(juliet, ROOM, "juliet")[2]).is_empty());
}

// §3.2 "Updating a hat follows the same flow", "the room SHOULD broadcast the related JID presences"; "When any change is
// applied to the hats list the room SHOULD broadcast a notification that the configuration changed"
#[test]
fn a_hat_that_changes_changes_on_those_who_wear_it() {
    let mut world = World::new();
    let [romeo, _, nurse] = kitchen(&mut world);
    done(&mut world, romeo, "assign", &[("jid", "juliet@example.org"), ("uri", COOK)]);
    world.clear(nurse);
    done(&mut world, romeo, "create", &[("title", "Chef"), ("uri", COOK)]);
    let told = world.receive(nurse);
    assert_eq!((codes(&told), told.get_attr("type")), (vec!["104".into()], Some("groupchat")));
    assert_eq!(juliets(&mut world, nurse), [[COOK.into(), "Chef".into(), String::new()]]);
    assert_eq!(rows(&done(&mut world, romeo, "list", &[])).len(), 1);
}

// §3.3 "When a hat is destroyed, it is automatically removed from all the JIDs where it was assigned"
#[test]
fn a_hat_that_is_destroyed_is_on_nobody_any_more() {
    let mut world = World::new();
    let [romeo, _, nurse] = kitchen(&mut world);
    done(&mut world, romeo, "create", &[("title", "Guest"), ("uri", GUEST)]);
    for uri in [COOK, GUEST] {
        done(&mut world, romeo, "assign", &[("jid", "juliet@example.org"), ("uri", uri)]);
    }
    world.clear(nurse);
    done(&mut world, romeo, "destroy", &[("uri", COOK)]);
    assert_eq!(codes(&world.receive(nurse)), ["104"]);
    assert_eq!(juliets(&mut world, nurse), [[GUEST.into(), "Guest".into(), String::new()]]);
    // Another one of the same name is nobody's yet.
    done(&mut world, romeo, "create", &[("title", "Cook"), ("uri", COOK)]);
    assert_eq!(rows(&done(&mut world, romeo, "list-assigned", &[])).len(), 1);
}

// §3.6
#[test]
fn a_hat_can_be_taken_away() {
    let mut world = World::new();
    let [romeo, _, nurse] = kitchen(&mut world);
    let her = [("jid", "juliet@example.org"), ("uri", COOK)];
    world.expect_error(romeo, &filled("unassign", &her), "item-not-found");
    done(&mut world, romeo, "assign", &her);
    world.clear(nurse);
    done(&mut world, romeo, "unassign", &her);
    assert_eq!(juliets(&mut world, nurse), [] as [[String; 3]; 0]);
    assert_eq!(rows(&done(&mut world, romeo, "list-assigned", &[])).len(), 0);
    assert_eq!(world.rows(stube::store::Table::RoomPeople), 1, "nothing is left of her");
}

// §3.4, §3.7
#[test]
fn hats_are_listed_and_for_admins_who_wears_them() {
    let mut world = World::new();
    let [romeo, juliet, _] = kitchen(&mut world);
    done(&mut world, romeo, "create", &[("title", "Guest"), ("uri", GUEST)]);
    done(&mut world, romeo, "assign", &[("jid", "juliet@example.org"), ("uri", COOK)]);
    let all = [vec!["Cook", COOK, "327.255249"], vec!["Guest", GUEST, ""]];
    assert_eq!(rows(&done(&mut world, juliet, "list", &[])), all);
    let worn = [vec!["juliet@example.org", COOK, "Cook", "327.255249"]];
    assert_eq!(rows(&done(&mut world, romeo, "list-assigned", &[])), worn);
    let eve = world.online("eve", "phone");
    world.shape_room(ROOM, |config| config.members_only = true);
    world.expect_error(eve, &command("list", "", ""), "forbidden");
}

// §3.5: the form, step by step
#[test]
fn the_form_offers_the_rooms_hats() {
    let mut world = World::new();
    let [romeo, _, nurse] = kitchen(&mut world);
    let stage = world.expect_result(romeo, &command("assign", " action='execute'", ""));
    let stage = stage.find("command", COMMANDS).expect("a command").clone();
    assert_eq!(stage.get_attr("status"), Some("executing"));
    let option = format!("<option label='Cook'><value>{COOK}</value></option>");
    assert!(show(&stage).contains(&option), "{}", show(&stage));
    let session = format!(" sessionid='{}'", stage.get_attr("sessionid").expect("a session"));
    let second = filled("assign", &[("jid", "juliet@example.org"), ("uri", COOK)]);
    let second = second.replace("commands:assign'", &format!("commands:assign'{session}"));
    world.expect_result(romeo, &second);
    assert_eq!(juliets(&mut world, nurse), cook());
}

#[test]
fn an_occupant_can_be_meant_by_the_nick() {
    let mut world = World::new();
    let [romeo, _, nurse] = kitchen(&mut world);
    done(&mut world, romeo, "assign", &[("jid", &format!("{ROOM}/juliet")), ("uri", COOK)]);
    assert_eq!(juliets(&mut world, nurse), cook());
    for nobody in [format!("{ROOM}/nobody"), ROOM.to_owned()] {
        world.expect_error(romeo, &filled("assign", &[("jid", &nobody), ("uri", COOK)]), "item-not-found");
    }
    world.expect_error(romeo, &filled("assign", &[("jid", "example.org"), ("uri", COOK)]), "jid-malformed");
}

#[test]
fn what_is_no_hat_is_refused_and_changes_nothing() {
    let mut world = World::new();
    let [romeo, _, nurse] = kitchen(&mut world);
    for (title, uri, hue) in [
        ("", COOK, ""),
        (&"x".repeat(101), COOK, ""),
        ("two&#10;lines", COOK, ""),
        ("Cook", "cook", ""),
        ("Cook", ":cook", ""),
        ("Cook", "urn:a cook", ""),
        ("Cook", &format!("urn:{}", "x".repeat(500)), ""),
        ("Cook", COOK, "-1"),
        ("Cook", COOK, "361"),
        ("Cook", COOK, "NaN"),
        ("Cook", COOK, "red"),
    ] {
        let fields = [("title", title), ("uri", uri), ("hue", hue)];
        world.expect_error(romeo, &filled("create", &fields), "bad-request");
    }
    for node in ["destroy", "assign"] {
        let unknown = [("jid", "juliet@example.org"), ("uri", GUEST)];
        let answer = world.ask(romeo, &filled(node, &unknown));
        assert_eq!(condition_of(&answer).as_deref(), Some("bad-request"));
        assert!(show(&answer).contains("bad-payload"));
    }
    world.expect_nothing(nurse);
    assert_eq!(rows(&done(&mut world, romeo, "list", &[])), [["Cook", COOK, "327.255249"]]);
}

#[test]
fn whoever_is_banned_wears_nothing() {
    let mut world = World::new();
    let [romeo, ..] = kitchen(&mut world);
    world.affiliate(ROOM, "tybalt", RoomAffiliation::Outcast);
    world.expect_error(
        romeo,
        &filled("assign", &[("jid", "tybalt@example.org"), ("uri", COOK)]),
        "not-allowed",
    );
}

#[test]
fn there_are_so_many_hats_and_no_more() {
    let mut world = World::new();
    let [romeo, ..] = kitchen(&mut world);
    for n in 1..50 {
        done(&mut world, romeo, "create", &[("title", "Hat"), ("uri", &format!("urn:hat:{n}"))]);
    }
    let one_more = filled("create", &[("title", "Hat"), ("uri", "urn:hat:50")]);
    world.expect_error(romeo, &one_more, "resource-constraint");
    for n in 1..=10 {
        let hat = format!("urn:hat:{n}");
        done(&mut world, romeo, "assign", &[("jid", "juliet@example.org"), ("uri", &hat)]);
    }
    let one_more = filled("assign", &[("jid", "juliet@example.org"), ("uri", "urn:hat:11")]);
    world.expect_error(romeo, &one_more, "resource-constraint");
}

// XEP-0050 §2.2
#[test]
fn a_rooms_commands_are_listed_to_those_who_may_use_them() {
    let mut world = World::new();
    let [romeo, juliet, _] = kitchen(&mut world);
    let asks = |node: &str| {
        format!(
            "<iq type='get' id='d' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#items' node='{node}'/></iq>"
        )
    };
    let listed = |world: &mut World, client| show(&world.expect_result(client, &asks(COMMANDS)));
    assert_eq!(listed(&mut world, romeo).matches("<item ").count(), 6);
    let one = listed(&mut world, juliet);
    assert!(one.matches("<item ").count() == 1 && one.contains("urn:xmpp:hats:commands:list'"), "{one}");
    // The server's are not the room's, nor the room's the server's.
    world.expect_error(romeo, &asks("http://jabber.org/protocol/admin#announce"), "item-not-found");
    let at_server = command("list", "", "").replace(ROOM, "example.org");
    world.expect_error(romeo, &at_server, "item-not-found");
}

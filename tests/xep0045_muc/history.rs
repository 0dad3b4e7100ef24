//! §7.2.13, §7.2.14: what someone who enters is shown of what was said before.

use stube::config::Limit;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{MUC, ROOM};
use crate::world::{World, show};

fn jid(text: &str) -> stube::jid::Jid {
    stube::jid::Jid::parse(text).expect("an address")
}

fn say(world: &mut World, client: Client, content: &str) {
    world.send(client, &format!("<message type='groupchat' to='{ROOM}' id='m'>{content}</message>"));
}

fn say_texts(world: &mut World, client: Client, texts: &[&str]) {
    for text in texts {
        say(world, client, &format!("<body>{text}</body>"));
        world.advance(1_000);
    }
}

/// What somebody is shown who enters with these limits.
fn history(world: &mut World, name: &str, limits: &str) -> Vec<Element> {
    let client = world.online(name, "history");
    let entering = match limits {
        "" => format!("<presence to='{ROOM}/{name}'><x xmlns='{MUC}'/></presence>"),
        limits => {
            format!("<presence to='{ROOM}/{name}'><x xmlns='{MUC}'><history {limits}/></x></presence>")
        }
    };
    world.send(client, &entering);
    let told = world.drain(client);
    world.close(client);
    let presences = told.iter().rposition(|stanza| stanza.name == "presence").expect("it is in");
    let (subject, messages) = told[presences + 1..].split_last().expect("a subject");
    assert!(subject.find("subject", "jabber:client").is_some(), "the subject is the last: {}", show(subject));
    messages.to_vec()
}

fn texts(messages: &[Element]) -> Vec<String> {
    let body = |message: &Element| message.find("body", "jabber:client").map(Element::text_content);
    messages.iter().filter_map(body).collect()
}

fn seen(world: &mut World, name: &str, limits: &str) -> Vec<String> {
    texts(&history(world, name, limits))
}

/// A room whose owner has said these things, one each second.
fn room(said: &[&str]) -> (World, Client) {
    room_in(World::new(), said)
}

fn room_in(mut world: World, said: &[&str]) -> (World, Client) {
    let romeo = world.room_of(&["romeo"])[0];
    say_texts(&mut world, romeo, said);
    world.clear(romeo);
    (world, romeo)
}

#[test]
fn who_enters_sees_what_was_said_with_its_time_as_it_was() {
    let (mut world, romeo) = room(&[]);
    say(&mut world, romeo, "<body>one</body><x xmlns='urn:x'/>");
    let live = world.receive(romeo);
    world.advance(5_000);
    let messages = history(&mut world, "juliet", "");
    let [message] = messages.as_slice() else { panic!("one message") };
    let delay = message.find("delay", "urn:xmpp:delay").expect("a delay");
    assert_eq!(delay.get_attr("from"), Some(ROOM));
    assert_eq!(delay.get_attr("stamp"), Some("2026-11-22T13:11:11.000Z"));
    let mut same = message.clone();
    same.children.pop();
    for (name, value) in &mut same.attrs {
        if name == "to" {
            *value = "romeo@example.org/phone".into();
        }
    }
    assert_eq!(show(&same), show(&live), "and nothing else is different");
    assert_eq!(message.get_attr("to"), Some("juliet@example.org/history"));
}

#[test]
fn the_order_is_presence_then_history_then_the_subject() {
    let (mut world, romeo) = room(&["one"]);
    world.send(romeo, &format!("<message type='groupchat' to='{ROOM}'><subject>Love</subject></message>"));
    say_texts(&mut world, romeo, &["two"]);
    // A change of the subject is not part of the history.
    assert_eq!(seen(&mut world, "juliet", ""), ["one", "two"]);
    assert_eq!(history(&mut world, "nurse", "").len(), 2);
}

#[test]
fn only_what_there_is_to_read_is_shown() {
    let (mut world, romeo) = room(&[]);
    for passing in [
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>",
        "<body>secret</body><no-store xmlns='urn:xmpp:hints'/>",
    ] {
        say(&mut world, romeo, passing);
    }
    say(&mut world, romeo, "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload/></encrypted>");
    say(&mut world, romeo, "<body>not for long</body><no-permanent-store xmlns='urn:xmpp:hints'/>");
    let messages = history(&mut world, "juliet", "");
    assert_eq!(messages.len(), 2);
    assert_eq!(texts(&messages), ["not for long"]);
}

#[test]
fn private_messages_are_nobody_elses() {
    let (mut world, romeo) = room(&[]);
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, ROOM, "juliet");
    world.send(romeo, &format!("<message type='chat' to='{ROOM}/juliet'><body>psst</body></message>"));
    assert!(history(&mut world, "nurse", "").is_empty());
}

#[test]
fn who_wants_less_gets_the_end_of_it() {
    let (mut world, _) = room(&["one", "two", "three", "four"]);
    assert_eq!(seen(&mut world, "juliet", "maxstanzas='2'"), ["three", "four"]);
    // The last was said one second ago, the one before two seconds ago.
    assert_eq!(seen(&mut world, "juliet", "seconds='2'"), ["three", "four"]);
    assert_eq!(seen(&mut world, "juliet", "since='2026-11-22T13:11:14Z'"), ["four"]);
    assert_eq!(seen(&mut world, "juliet", "since='2026-11-22T15:11:13+02:00'"), ["three", "four"]);
    assert_eq!(seen(&mut world, "juliet", "since='1970-01-01T00:00:00Z'"), ["one", "two", "three", "four"]);
    for nothing in ["maxstanzas='0'", "maxchars='0'", "seconds='0'", "since='2100-01-01T00:00:00Z'"] {
        assert!(seen(&mut world, "juliet", nothing).is_empty(), "{nothing}");
    }
}

// "MUST send the smallest amount of traffic that meets any combination of the above criteria"
#[test]
fn of_several_limits_the_strictest_holds() {
    let (mut world, _) = room(&["one", "two", "three", "four"]);
    assert_eq!(seen(&mut world, "juliet", "maxstanzas='3' seconds='1'"), ["four"]);
    assert_eq!(seen(&mut world, "juliet", "maxstanzas='1' seconds='3'"), ["four"]);
    assert!(seen(&mut world, "juliet", "maxstanzas='3' maxchars='0'").is_empty());
    assert_eq!(seen(&mut world, "juliet", "since='2026-11-22T13:11:12Z' seconds='2'"), ["three", "four"]);
}

// "the largest number of complete stanzas that results in a number of characters less than or equal"
#[test]
fn characters_are_those_of_whole_stanzas() {
    let (mut world, _) = room(&["одинодин", "fourfour"]);
    let lengths: Vec<usize> = history(&mut world, "juliet", "")
        .iter()
        .map(|message| String::from_utf8(message.to_bytes("jabber:client")).expect("text").chars().count())
        .collect();
    assert_eq!(lengths[0], lengths[1], "characters, not bytes");
    let with = |chars: usize| format!("maxchars='{chars}'");
    assert_eq!(seen(&mut world, "juliet", &with(2 * lengths[0])).len(), 2);
    assert_eq!(seen(&mut world, "juliet", &with(2 * lengths[0] - 1)), ["fourfour"]);
    assert!(seen(&mut world, "juliet", &with(lengths[0] - 1)).is_empty());
}

#[test]
fn a_limit_that_makes_no_sense_keeps_nobody_outside() {
    let (mut world, _) = room(&["one"]);
    for limits in ["maxstanzas='-1'", "maxchars='all'", "seconds=''", "since='yesterday'", "colour='red'"] {
        assert_eq!(seen(&mut world, "juliet", limits), ["one"], "{limits}");
    }
}

#[test]
fn a_room_shows_no_more_than_its_owners_and_the_operator_want() {
    let all = ["one", "two", "three", "four", "five"];
    let (mut world, romeo) = room_in(World::with(|config| config.rooms.history = Limit::of(4)), &all);
    assert_eq!(seen(&mut world, "juliet", "maxstanzas='100'"), all[1..]);
    world.core.change_room(&jid(ROOM), |room| room.config.history = 2).expect("a room");
    assert_eq!(seen(&mut world, "juliet", ""), all[3..]);
    world.core.change_room(&jid(ROOM), |room| room.config.history = 0).expect("a room");
    assert!(seen(&mut world, "juliet", "").is_empty());
    say_texts(&mut world, romeo, &["six"]);
    assert!(seen(&mut world, "juliet", "").is_empty());
    // Who wants more again finds it in the archive.
    world.core.change_room(&jid(ROOM), |room| room.config.history = 50).expect("a room");
    assert_eq!(seen(&mut world, "juliet", ""), ["three", "four", "five", "six"]);
}

#[test]
fn large_messages_make_a_shorter_history() {
    let (mut world, romeo) = room(&["small"]);
    let large = "x".repeat(40_000);
    say_texts(&mut world, romeo, &[&large, "last"]);
    assert_eq!(seen(&mut world, "juliet", "").len(), 3);
    say_texts(&mut world, romeo, &[&large]);
    assert_eq!(seen(&mut world, "juliet", ""), ["last", &large]);
}

#[test]
fn a_room_that_was_forgotten_remembers_what_is_in_its_archive() {
    let (mut world, romeo) = room(&[]);
    world.core.change_room(&jid(ROOM), |room| room.config.persistent = true).expect("a room");
    say_texts(&mut world, romeo, &["one", "two"]);
    say(&mut world, romeo, "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>");
    let before = history(&mut world, "juliet", "");
    for restart in [false, true] {
        world.send(romeo, &format!("<presence type='unavailable' to='{ROOM}'/>"));
        if restart {
            world.restart();
        } else {
            world.advance(60_000);
            world.advance(60_000);
            assert!(world.core.loaded_room(&jid(ROOM)).is_none());
        }
        let after = history(&mut world, "juliet", "");
        let shown = |messages: &[Element]| messages.iter().map(show).collect::<Vec<_>>();
        assert_eq!(shown(&after), shown(&before), "to the last character");
    }
}

#[test]
fn what_is_said_after_a_restart_follows_what_was_said_before() {
    let (mut world, romeo) = room(&["one", "two"]);
    world.core.change_room(&jid(ROOM), |room| room.config.persistent = true).expect("a room");
    world.send(romeo, &format!("<presence type='unavailable' to='{ROOM}'/>"));
    world.restart();
    let juliet = world.online("juliet", "phone");
    world.enter(juliet, ROOM, "Juliet");
    say_texts(&mut world, juliet, &["three"]);
    assert_eq!(seen(&mut world, "nurse", ""), ["one", "two", "three"]);
    assert_eq!(seen(&mut world, "nurse", "maxstanzas='2'"), ["two", "three"]);
}

#[test]
fn a_room_without_archive_remembers_while_somebody_is_there_and_no_longer() {
    let mut world = World::new();
    let romeo = world.room_of(&["romeo"])[0];
    world
        .core
        .change_room(&jid(ROOM), |room| (room.config.archived, room.config.persistent) = (false, true))
        .expect("a room");
    say_texts(&mut world, romeo, &["one"]);
    assert_eq!(seen(&mut world, "juliet", ""), ["one"]);
    assert_eq!(world.rows(stube::store::Table::Archive), 0);
    world.send(romeo, &format!("<presence type='unavailable' to='{ROOM}'/>"));
    world.advance(60_000);
    world.advance(60_000);
    assert!(seen(&mut world, "juliet", "").is_empty());
}

#[test]
fn a_second_device_sees_the_history_too_and_the_first_one_does_not() {
    let (mut world, romeo) = room(&["one"]);
    let other = world.online("romeo", "tablet");
    world.clear(romeo);
    world.send(other, &format!("<presence to='{ROOM}/romeo'><x xmlns='{MUC}'/></presence>"));
    assert_eq!(texts(&world.drain(other)), ["one"]);
    assert!(texts(&world.drain(romeo)).is_empty());
}

#[test]
fn who_only_changes_their_presence_or_nick_sees_nothing_again() {
    let (mut world, romeo) = room(&["one"]);
    world.send(romeo, &format!("<presence to='{ROOM}/romeo'><show>away</show></presence>"));
    world.send(romeo, &format!("<presence to='{ROOM}/Romeo'/>"));
    assert!(texts(&world.drain(romeo)).is_empty());
}

#[test]
fn someone_of_another_domain_sees_it_too() {
    let (mut world, _) = room(&["one"]);
    world.core.federated = true;
    world.from_remote(&format!(
        "<presence from='mercutio@verona.it/phone' to='{ROOM}/mercutio'><x xmlns='{MUC}'/></presence>"
    ));
    assert_eq!(texts(&world.to_remote()), ["one"]);
}

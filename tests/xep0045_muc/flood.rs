//! One occupant at full speed, a hundred who listen, and some of them don't: nobody costs the others anything.

use stube::config::Limit;
use stube::xml::Element;

use crate::client::Client;
use crate::rooms::{ROOM, codes};
use crate::world::World;

const LISTENERS: usize = 100;
const OUTBOX: usize = 60_000;
/// Bytes of a message, and how many there are: three times what waits for one listener.
const BYTES: usize = 4_000;
const MESSAGES: usize = 45;

fn world() -> World {
    World::with(|config| {
        config.limits.outbox_bytes = Limit::of(OUTBOX as u64);
        config.rooms.messages_per_minute = Limit::OFF;
    })
}

fn crowd(world: &mut World) -> Vec<Client> {
    let names: Vec<String> = (0..=LISTENERS).map(|number| format!("guest{number}")).collect();
    world.room_of(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn speak(world: &mut World, client: Client, number: usize) {
    let text = format!("{number} {}", "x".repeat(BYTES));
    world.send(client, &format!("<message type='groupchat' to='{ROOM}'><body>{text}</body></message>"));
}

/// The numbers of the messages that have come.
fn heard(stanzas: &[Element]) -> Vec<usize> {
    let bodies = stanzas.iter().filter_map(|stanza| stanza.find("body", "jabber:client"));
    bodies.filter_map(|body| body.text_content().split(' ').next()?.parse().ok()).collect()
}

#[test]
fn who_does_not_read_is_put_out_and_everyone_else_hears_everything() {
    let mut world = world();
    let crowd = crowd(&mut world);
    let (speaker, deaf, listening) = (crowd[0], &crowd[1..11], &crowd[11..]);
    deaf.iter().for_each(|client| world.stop_reading(*client));
    for number in 0..MESSAGES {
        speak(&mut world, speaker, number);
    }
    let everything: Vec<usize> = (0..MESSAGES).collect();
    for client in listening.iter().chain([&speaker]) {
        let told = world.drain(*client);
        assert_eq!(heard(&told), everything);
        let lost = told.iter().filter(|stanza| codes(stanza).contains(&"333".to_owned()));
        assert_eq!(lost.count(), deaf.len());
    }
    for client in deaf {
        world.go_on_reading(*client);
        let told = heard(&world.drain(*client));
        assert!(told.len() < MESSAGES && told == everything[..told.len()], "{told:?}");
        assert!(world.stream(*client).finished());
    }
    assert!(world.largest_piece() <= OUTBOX + 2 * BYTES, "{} bytes for one", world.largest_piece());
}

#[test]
fn who_has_lost_the_connection_is_put_out_when_too_much_waits() {
    let mut world = world();
    let crowd = crowd(&mut world);
    let (speaker, away) = (crowd[0], crowd[1]);
    world.send(away, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    world.clear(speaker);
    world.cut(away);
    world.expect_nothing(speaker);
    for number in 0..MESSAGES {
        speak(&mut world, speaker, number);
    }
    let told = world.drain(speaker);
    assert_eq!(heard(&told).len(), MESSAGES);
    let lost: Vec<_> = told.iter().filter(|stanza| codes(stanza).contains(&"333".to_owned())).collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].get_attr("from"), Some(format!("{ROOM}/guest1").as_str()));
}

// An echo waits for the disk, and with it whatever is said after it; so much of that waits, and then nobody is read.
#[test]
fn what_waits_for_the_disk_has_a_bound_for_everyone_together() {
    const MANY: usize = 20_000;
    let mut world = World::with(|config| config.rooms.messages_per_minute = Limit::OFF);
    let crowd = crowd(&mut world);
    world.hold_commits();
    for client in &crowd {
        world.send(*client, &format!("<message type='groupchat' to='{ROOM}'><body>here</body></message>"));
    }
    let mut said = 0;
    while !world.core.is_full_of_promises() {
        world.send(crowd[0], &format!("<message type='groupchat' to='{ROOM}'><body>{said}</body></message>"));
        said += 1;
        assert!(said * LISTENERS < 2 * MANY, "{said} messages wait");
    }
    world.commit();
    assert!(!world.core.is_full_of_promises());
    let everything: Vec<usize> = (0..said).collect();
    for client in &crowd {
        assert_eq!(heard(&world.drain(*client)), everything);
    }
}

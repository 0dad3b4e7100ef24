//! XEP-0313: what is archived, and how clients get it back.

use crate::client::Client;
use crate::world::{World, show};
use stube::xml::Element;

/// Romeo and Juliet, both there.
fn world() -> (World, Client, Client) {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    (world, romeo, juliet)
}

fn say(world: &mut World, from: Client, to: &str, text: &str) {
    world.send(from, &format!("<message to='{to}@example.org' type='chat'><body>{text}</body></message>"));
}

/// A question with this content, and its answer: the results, and the `<fin/>` or the error.
fn query(world: &mut World, client: Client, content: &str) -> (Vec<Element>, Element) {
    world.clear(client);
    world
        .send(client, &format!("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'>{content}</query></iq>"));
    let mut results = world.drain(client);
    let fin = results.pop().expect("an answer");
    assert_eq!(fin.name, "iq", "{}", show(&fin));
    (results, fin)
}

fn bodies(results: &[Element]) -> Vec<String> {
    let body = |result: &Element| {
        let forwarded = result.find("result", "urn:xmpp:mam:2")?.find("forwarded", "urn:xmpp:forward:0")?;
        Some(forwarded.find("message", "jabber:client")?.find("body", "jabber:client")?.text_content())
    };
    results.iter().map(|result| body(result).unwrap_or_else(|| panic!("{}", show(result)))).collect()
}

#[test]
fn a_query_gives_what_was_sent_and_received_in_order() {
    let (mut world, romeo, juliet) = world();
    say(&mut world, romeo, "juliet", "one");
    say(&mut world, juliet, "romeo", "two");
    for client in [romeo, juliet] {
        let (results, fin) = query(&mut world, client, "");
        assert_eq!(bodies(&results), ["one", "two"], "{}", show(&fin));
    }
}

//! XEP-0313: what is archived, and how clients get it back.

#[path = "xep0313_mam/archived.rs"]
mod archived;
#[path = "xep0313_mam/filters.rs"]
mod filters;
#[path = "xep0313_mam/pages.rs"]
mod pages;
#[path = "xep0313_mam/rooms.rs"]
mod rooms;
#[path = "xep0313_mam/rooms_story.rs"]
mod rooms_story;
#[path = "xep0313_mam/upkeep.rs"]
mod upkeep;

use crate::client::Client;
use crate::world::{World, condition_of, show};
use stube::xml::Element;

const MAM: &str = "urn:xmpp:mam:2";

/// Romeo and Juliet, both there.
fn world() -> (World, Client, Client) {
    meet(World::new())
}

fn meet(mut world: World) -> (World, Client, Client) {
    let juliet = world.online("juliet", "balcony");
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    (world, romeo, juliet)
}

fn message(to: &str, text: &str) -> String {
    format!("<message to='{to}' type='chat'><body>{text}</body></message>")
}

fn say(world: &mut World, from: Client, to: &str, text: &str) {
    let to = if to.contains('@') { to.to_owned() } else { format!("{to}@example.org") };
    world.send(from, &message(&to, text));
}

/// Says the numbers from `from` on, in one breath.
fn say_numbers(world: &mut World, client: Client, to: &str, numbers: std::ops::Range<usize>) {
    let to = format!("{to}@example.org");
    world.send(client, &numbers.map(|n| message(&to, &n.to_string())).collect::<String>());
}

fn ask(content: &str) -> String {
    format!("<iq type='set' id='q'><query xmlns='{MAM}'>{content}</query></iq>")
}

/// Asks with this content. The answer: the results, and the `<fin/>` or the error.
fn query(world: &mut World, client: Client, content: &str) -> (Vec<Element>, Element) {
    world.clear(client);
    world.send(client, &ask(content));
    let mut results = world.drain(client);
    let fin = results.pop().expect("an answer");
    assert_eq!(fin.get_attr("id"), Some("q"), "{}", show(&fin));
    (results, fin)
}

/// The texts that a question with this content finds.
fn found(world: &mut World, client: Client, content: &str) -> Vec<String> {
    let (results, fin) = query(world, client, content);
    assert_eq!(fin.get_attr("type"), Some("result"), "{}", show(&fin));
    bodies(&results)
}

/// The condition of the error that answers a question with this content.
fn refused(world: &mut World, client: Client, content: &str) -> String {
    let (results, error) = query(world, client, content);
    assert!(results.is_empty(), "{}", show(&results[0]));
    condition_of(&error).unwrap_or_else(|| panic!("{}", show(&error)))
}

fn form(fields: &[(&str, &str)]) -> String {
    let form_type = [("FORM_TYPE", MAM)];
    let field = |(var, value): &(&str, &str)| format!("<field var='{var}'><value>{value}</value></field>");
    let fields: String = form_type.iter().chain(fields).map(field).collect();
    format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>")
}

fn set(content: &str) -> String {
    format!("<set xmlns='http://jabber.org/protocol/rsm'>{content}</set>")
}

fn archived_message(result: &Element) -> &Element {
    let forwarded =
        result.find("result", MAM).and_then(|result| result.find("forwarded", "urn:xmpp:forward:0"));
    let message = forwarded.and_then(|forwarded| forwarded.find("message", "jabber:client"));
    message.unwrap_or_else(|| panic!("{}", show(result)))
}

fn bodies(results: &[Element]) -> Vec<String> {
    let body = |result| archived_message(result).find("body", "jabber:client").map(Element::text_content);
    results.iter().map(|result| body(result).unwrap_or_default()).collect()
}

fn ids(results: &[Element]) -> Vec<String> {
    let id = |result: &Element| result.find("result", MAM)?.get_attr("id").map(str::to_owned);
    results.iter().filter_map(id).collect()
}

/// The ids of everything in an account's archive.
fn all_ids(world: &mut World, client: Client) -> Vec<String> {
    ids(&query(world, client, &set("<max>250</max>")).0)
}

/// `complete`, and what the `<set/>` says.
fn end(fin: &Element) -> (bool, Option<String>, Option<String>, Option<String>) {
    let fin = fin.find("fin", MAM).unwrap_or_else(|| panic!("{}", show(fin)));
    let set = fin.find("set", "http://jabber.org/protocol/rsm").expect("a set");
    let text = |name| set.find(name, "http://jabber.org/protocol/rsm").map(Element::text_content);
    (fin.get_attr("complete") == Some("true"), text("first"), text("last"), text("count"))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

//! XEP-0060: publish-subscribe, as far as it is the same for the service and for accounts. What is personal is in
//! `xep0163_pep.rs`.

#[path = "xep0060_pubsub/entity.rs"]
mod entity;
#[path = "xep0060_pubsub/owner.rs"]
mod owner;
#[path = "xep0060_pubsub/people.rs"]
mod people;
#[path = "xep0060_pubsub/publisher.rs"]
mod publisher;
#[path = "xep0060_pubsub/random.rs"]
mod random;
#[path = "xep0060_pubsub/retrieve.rs"]
mod retrieve;
#[path = "xep0060_pubsub/subscriber.rs"]
mod subscriber;

use crate::client::Client;
use crate::world::{World, condition_of, show};
use stube::xml::Element;

pub const SERVICE: &str = "pubsub.example.org";
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
pub const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
pub const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
const ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";

fn iq(kind: &str, ns: &str, to: &str, content: &str) -> String {
    format!("<iq type='{kind}' id='q' to='{to}'><pubsub xmlns='{ns}'>{content}</pubsub></iq>")
}

pub fn get(to: &str, content: &str) -> String {
    iq("get", PUBSUB, to, content)
}

pub fn set(to: &str, content: &str) -> String {
    iq("set", PUBSUB, to, content)
}

pub fn owner_get(to: &str, content: &str) -> String {
    iq("get", OWNER, to, content)
}

pub fn owner_set(to: &str, content: &str) -> String {
    iq("set", OWNER, to, content)
}

/// A submitted form; the fields without `pubsub#`.
pub fn form(form_type: &str, fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(var, value)| {
        let values = value.split('|').map(|value| format!("<value>{value}</value>")).collect::<String>();
        format!("<field var='pubsub#{var}'>{values}</field>")
    });
    format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>{form_type}</value></field>{}</x>",
        fields.collect::<String>()
    )
}

pub fn node_config(fields: &[(&str, &str)]) -> String {
    form("http://jabber.org/protocol/pubsub#node_config", fields)
}

pub fn publish_options(fields: &[(&str, &str)]) -> String {
    let form = form("http://jabber.org/protocol/pubsub#publish-options", fields);
    format!("<publish-options>{form}</publish-options>")
}

/// A payload.
pub fn note(text: &str) -> String {
    format!("<note xmlns='urn:note'>{text}</note>")
}

pub fn item(id: &str) -> String {
    format!("<item id='{id}'>{}</item>", note(id))
}

/// What publishes an item whose text is its id.
pub fn publish(to: &str, node: &str, id: &str) -> String {
    set(to, &format!("<publish node='{node}'>{}</publish>", item(id)))
}

pub fn subscribe(node: &str, jid: &str) -> String {
    set(SERVICE, &format!("<subscribe node='{node}' jid='{jid}'/>"))
}

#[track_caller]
pub fn create(world: &mut World, client: Client, to: &str, node: &str, config: &[(&str, &str)]) {
    let configure = format!("<configure>{}</configure>", node_config(config));
    world.expect_result(client, &set(to, &format!("<create node='{node}'/>{configure}")));
}

/// Changes a node's configuration.
#[track_caller]
pub fn configure(world: &mut World, client: Client, to: &str, node: &str, config: &[(&str, &str)]) {
    let content = format!("<configure node='{node}'>{}</configure>", node_config(config));
    world.expect_result(client, &owner_set(to, &content));
}

/// The ids of the items that a request for them finds.
#[track_caller]
pub fn ids(world: &mut World, client: Client, request: &str) -> Vec<String> {
    let answer = world.expect_result(client, request);
    let items = answer.find("pubsub", PUBSUB).and_then(|pubsub| pubsub.find("items", PUBSUB)).expect("items");
    items.children().map(|item| item.get_attr("id").expect("an id").to_owned()).collect()
}

#[track_caller]
pub fn all_ids(world: &mut World, client: Client, to: &str, node: &str) -> Vec<String> {
    ids(world, client, &get(to, &format!("<items node='{node}'/>")))
}

/// The request must fail with this condition and this one of pubsub's own; an empty one is none.
#[track_caller]
pub fn refused(world: &mut World, client: Client, request: &str, condition: &str, detail: &str) -> Element {
    let answer = world.ask(client, request);
    assert_eq!(condition_of(&answer).as_deref(), Some(condition), "{}", show(&answer));
    let error = answer.find("error", "jabber:client").expect("an error");
    let own = error.children().find(|child| child.ns == ERRORS).map_or("", |child| child.name.as_str());
    assert_eq!(own, detail, "{}", show(&answer));
    error.clone()
}

/// It must fail because this is not supported.
#[track_caller]
pub fn unsupported(world: &mut World, client: Client, request: &str, feature: &str) {
    let error = refused(world, client, request, "feature-not-implemented", "unsupported");
    assert_eq!(error.find("unsupported", ERRORS).and_then(|it| it.get_attr("feature")), Some(feature));
}

/// The notification that a client must get next.
pub fn event(from: &str, to: &str, content: &str) -> String {
    format!(
        "<message type='headline' id='*' from='{from}' to='{to}'><event xmlns='{EVENT}'>{content}</event></message>"
    )
}

/// Everyone with their own session: hamlet, who owns a node, and horatio.
pub fn elsinore(config: &[(&str, &str)]) -> (World, Client, Client) {
    let mut world = World::new();
    let (hamlet, horatio) = (world.online("hamlet", "elsinore"), world.online("horatio", "castle"));
    create(&mut world, hamlet, SERVICE, "musings", config);
    (world, hamlet, horatio)
}

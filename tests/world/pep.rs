//! What clients do with their account's nodes (XEP-0163), in short.

use stube::xml::Element;

use crate::client::Client;
use crate::world::{World, show};

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";

/// A form of publish-options with these fields.
pub fn options(fields: &[(&str, &str)]) -> String {
    let field =
        |(var, value): &(&str, &str)| format!("<field var='pubsub#{var}'><value>{value}</value></field>");
    let fields: String = fields.iter().map(field).collect();
    format!(
        "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>http://jabber.org/protocol/pubsub#publish-options</value></field>{fields}</x></publish-options>"
    )
}

pub fn publication(node: &str, id: &str, payload: &str, options: &str) -> String {
    format!(
        "<iq type='set' id='publish'><pubsub xmlns='{PUBSUB}'><publish node='{node}'><item id='{id}'>{payload}</item>\
         </publish>{options}</pubsub></iq>"
    )
}

impl World {
    #[track_caller]
    pub fn publish(&mut self, client: Client, node: &str, id: &str, payload: &str, fields: &[(&str, &str)]) {
        let options = if fields.is_empty() { String::new() } else { options(fields) };
        self.expect_result(client, &publication(node, id, payload, &options));
    }

    #[track_caller]
    pub fn retract(&mut self, client: Client, node: &str, id: &str) {
        self.expect_result(
            client,
            &format!(
                "<iq type='set' id='retract'><pubsub xmlns='{PUBSUB}'><retract node='{node}' notify='true'>\
                 <item id='{id}'/></retract></pubsub></iq>"
            ),
        );
    }

    #[track_caller]
    pub fn delete_node(&mut self, client: Client, node: &str) {
        self.expect_result(
            client,
            &format!(
                "<iq type='set' id='delete'><pubsub xmlns='{PUBSUB}#owner'><delete node='{node}'/></pubsub></iq>"
            ),
        );
    }

    /// What one account has on its own node: ids and payloads, in any order; none if there is no such node.
    pub fn items(&mut self, client: Client, node: &str) -> Vec<(String, Element)> {
        self.items_of(client, "", node).unwrap_or_default()
    }

    /// What is on somebody's node; `None` if it is not there, or not for this client.
    pub fn items_of(&mut self, client: Client, owner: &str, node: &str) -> Option<Vec<(String, Element)>> {
        let to = if owner.is_empty() { String::new() } else { format!(" to='{owner}'") };
        let answer = self.ask(
            client,
            &format!(
                "<iq type='get' id='items'{to}><pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub></iq>"
            ),
        );
        let items = answer
            .find("pubsub", PUBSUB)?
            .find("items", PUBSUB)
            .filter(|_| answer.get_attr("type") == Some("result"))?;
        let item = |item: &Element| {
            let id = item.get_attr("id").expect("an id").to_owned();
            (id, item.children().next().unwrap_or_else(|| panic!("no payload: {}", show(item))).clone())
        };
        Some(items.children().map(item).collect())
    }

    /// What comes of events on a node: for each the ids, retracted ones with a minus.
    pub fn events(&mut self, client: Client, node: &str) -> Vec<String> {
        let event_ns = "http://jabber.org/protocol/pubsub#event";
        let got = self.drain(client);
        let events =
            got.iter().filter_map(|message| message.find("event", event_ns)?.find("items", event_ns));
        let of_node = events.filter(|items| items.get_attr("node") == Some(node));
        let id = |item: &Element| {
            let sign = if item.name == "retract" { "-" } else { "" };
            format!("{sign}{}", item.get_attr("id").unwrap_or_default())
        };
        of_node.flat_map(|items| items.children().map(id).collect::<Vec<_>>()).collect()
    }

    /// Makes a client available that wants notifications of these nodes, and forgets what it is told at first.
    pub fn interested(&mut self, name: &str, resource: &str, nodes: &[&str]) -> Client {
        let client = self.interested_at_once(name, resource, nodes);
        self.clear(client);
        client
    }

    /// The same, with all that it is told.
    pub fn interested_at_once(&mut self, name: &str, resource: &str, nodes: &[&str]) -> Client {
        let client = self.login(name, resource);
        let mut features: Vec<String> = nodes.iter().map(|node| format!("{node}+notify")).collect();
        features.sort();
        let features: String = features.iter().map(|it| format!("<feature var='{it}'/>")).collect();
        let identity = "<identity category='client' type='pc'/>";
        // Each list of nodes is a client of its own make.
        let ver: String = nodes.concat().chars().filter(char::is_ascii_alphanumeric).collect();
        self.send(
            client,
            &format!(
                "<presence><c xmlns='http://jabber.org/protocol/caps' node='urn:test' ver='{ver}'/></presence>"
            ),
        );
        for request in self.drain(client).iter().filter(|stanza| stanza.get_attr("type") == Some("get")) {
            let (id, from) = (request.get_attr("id").expect("id"), request.get_attr("from").expect("from"));
            let query = request.children().next().expect("a query");
            let node = query.get_attr("node").map(|node| format!(" node='{node}'")).unwrap_or_default();
            self.send(
                client,
                &format!(
                    "<iq type='result' id='{id}' to='{from}'>\
                     <query xmlns='http://jabber.org/protocol/disco#info'{node}>{identity}{features}</query></iq>"
                ),
            );
        }
        client
    }
}

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

/// What there is of events on a node: for each the ids, retracted ones with a minus.
pub fn events(got: &[Element], node: &str) -> Vec<String> {
    let ns = "http://jabber.org/protocol/pubsub#event";
    let all = got.iter().filter_map(|message| message.find("event", ns)?.find("items", ns));
    let of_node = all.filter(|items| items.get_attr("node") == Some(node));
    let id = |item: &Element| {
        let sign = if item.name == "retract" { "-" } else { "" };
        format!("{sign}{}", item.get_attr("id").unwrap_or_default())
    };
    of_node.flat_map(|items| items.children().map(id).collect::<Vec<_>>()).collect()
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

    /// [`events`] among what has come for a client.
    pub fn events(&mut self, client: Client, node: &str) -> Vec<String> {
        events(&self.drain(client), node)
    }

    /// Makes a client available that wants notifications of these nodes, and forgets what it is told at first.
    pub fn interested(&mut self, name: &str, resource: &str, nodes: &[&str]) -> Client {
        self.interested_at_once(name, resource, nodes).0
    }

    /// The same, with all that it is told.
    pub fn interested_at_once(
        &mut self,
        name: &str,
        resource: &str,
        nodes: &[&str],
    ) -> (Client, Vec<Element>) {
        let client = self.login(name, resource);
        let mut features: Vec<String> = nodes.iter().map(|node| format!("{node}+notify")).collect();
        features.sort();
        let ver = verification_string(&features);
        let features: String = features.iter().map(|it| format!("<feature var='{it}'/>")).collect();
        let identity = "<identity category='client' type='pc'/>";
        self.send(
            client,
            &format!(
                "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='{ver}'/></presence>"
            ),
        );
        let mut told = self.drain(client);
        for request in told.iter().filter(|stanza| stanza.get_attr("type") == Some("get")) {
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
        told.extend(self.drain(client));
        (client, told)
    }
}

/// XEP-0115 §5, of a client with nothing but features.
fn verification_string(features: &[String]) -> String {
    use base64::Engine;
    use sha1::Digest;
    let text = format!("client/pc//<{}<", features.join("<"));
    base64::engine::general_purpose::STANDARD.encode(sha1::Sha1::digest(text))
}

//! XEP-0115: entity capabilities of the server. The examples of §5.2 and §5.3 are tested where the hash is made.

use crate::client::Client;
use crate::world::{World, show};
use stube::xml::Element;

/// What the stream offers after the login.
fn caps(world: &mut World) -> (Client, Element) {
    let client = world.connect_tls();
    world.account("romeo");
    world.open_stream(client);
    world.plain(client, "romeo", "romeo's password");
    world.clear(client);
    let features = world.open_stream(client);
    let caps = features.find("c", "http://jabber.org/protocol/caps").expect("capabilities").clone();
    (client, caps)
}

fn info(node: &str) -> String {
    format!(
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/></iq>"
    )
}

// §4 "ver [...] REQUIRED", §9.3 "inclusion of the 'hash' attribute is REQUIRED", §13 "the 'node' attribute is REQUIRED",
// §9.1 "All implementations MUST support SHA-1"
#[test]
fn the_stream_tells_hash_node_and_verification_string() {
    let mut world = World::new();
    let (_, caps) = caps(&mut world);
    assert_eq!(caps.get_attr("hash"), Some("sha-1"));
    assert!(caps.get_attr("node").is_some_and(|node| !node.is_empty()));
    // SHA-1 has 20 bytes: 27 characters of Base64 and one of padding.
    assert_eq!(caps.get_attr("ver").map(str::len), Some(28));
}

// §6.2 "The disco 'node' attribute MUST be included for backwards-compatibility": it is answered, and repeated.
#[test]
fn asked_for_its_capabilities_by_their_node_the_server_says_what_it_always_says() {
    let mut world = World::new();
    let (romeo, caps) = caps(&mut world);
    let node = format!("{}#{}", caps.get_attr("node").unwrap(), caps.get_attr("ver").unwrap());
    world.expect_result(romeo, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    let by_node = world.expect_result(romeo, &info(&node));
    let query = by_node.find("query", "http://jabber.org/protocol/disco#info").expect("a query");
    assert_eq!(query.get_attr("node"), Some(node.as_str()));
    let without = world.expect_result(romeo, &info("").replace(" node=''", ""));
    assert_eq!(show(&by_node).replace(&format!(" node='{node}'"), ""), show(&without));
    assert!(show(&without).contains("<feature var='http://jabber.org/protocol/caps'/>"));
    world.expect_error(romeo, &info("urn:stube#AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "item-not-found");
}

// §5.1: it must be what a client computes of the answer, whatever the configuration adds to it.
#[test]
fn the_verification_string_is_the_hash_of_what_the_server_says() {
    let mut world = World::with(|config| {
        config.contact.admin = vec!["xmpp:b@example.org".into(), "mailto:a@example.org".into()];
        config.contact.abuse = vec!["mailto:abuse@example.org".into()];
    });
    let (romeo, caps) = caps(&mut world);
    world.expect_result(romeo, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    let answer = world.expect_result(romeo, &info("").replace(" node=''", ""));
    let query = answer.find("query", "http://jabber.org/protocol/disco#info").expect("a query");
    let mut s = "server/im//stube<".to_owned();
    let mut features: Vec<&str> = query.children().filter_map(|child| child.get_attr("var")).collect();
    features.sort_unstable();
    features.iter().for_each(|feature| s += &format!("{feature}<"));
    s += "http://jabber.org/network/serverinfo<abuse-addresses<mailto:abuse@example.org<\
          admin-addresses<mailto:a@example.org<xmpp:b@example.org<";
    use base64::Engine;
    let digest = stube::password::Hash::Sha1.digest(s.as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(digest);
    assert_eq!(caps.get_attr("ver"), Some(expected.as_str()), "{s}");
}

#[test]
fn another_configuration_has_another_hash() {
    let mut world = World::new();
    let before = caps(&mut world).1;
    let mut config = (*world.core.config).clone();
    config.contact.abuse = vec!["mailto:abuse@example.org".into()];
    world.handle(stube::core::Event::Reload(Box::new(config)));
    let after = caps(&mut world).1;
    assert_ne!(before.get_attr("ver"), after.get_attr("ver"));
}

// §8.4: "any changes in the caps information (e.g., an updated 'ver' attribute) are sent to all subscribers": we strip
// nothing, so they are.
#[test]
fn the_capabilities_of_clients_reach_every_subscriber_untouched() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (romeo, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    for ver in ["QgayPKawpkPSDYmwT/WM94uAlu0=", "66/0NaeaBKkwk85efJTGmU47vXI="] {
        let caps = format!(
            "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://psi-im.org' ver='{ver}'/>"
        );
        world.clear(juliet);
        world.send(romeo, &format!("<presence>{caps}</presence>"));
        world.expect(
            juliet,
            &format!("<presence from='romeo@example.org/orchard' to='juliet@example.org'>{caps}</presence>"),
        );
    }
}

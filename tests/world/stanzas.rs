//! Stanzas made by chance, and what no sane client sends.

use crate::chance::Chance;

/// The people of our domain; one is never there.
pub const PEOPLE: [&str; 4] = ["ann", "ben", "cat", "dan"];
pub const RESOURCES: [&str; 3] = ["one", "two", "three"];
/// Those of another.
pub const STRANGERS: [&str; 2] = ["eve@example.net", "fay@example.net"];

/// Some address: of an account, of a resource, of nobody, of the server, of someone elsewhere.
pub fn address(chance: &mut Chance) -> String {
    let person = chance.pick(&PEOPLE);
    match chance.below(10) {
        0..=4 => format!("{person}@example.org"),
        5..=7 => format!("{person}@example.org/{}", chance.pick(&RESOURCES)),
        8 => format!("{}{}", chance.pick(&STRANGERS), chance.pick(&["", "/x"])),
        _ => chance
            .pick(&["nobody@example.org", "example.org", "example.org/x", "nobody@example.org/x"])
            .to_owned(),
    }
}

/// Someone's bare address, nearly always one of ours.
fn contact(chance: &mut Chance) -> String {
    match chance.below(8) {
        0 => chance.pick(&STRANGERS).to_owned(),
        1 => address(chance),
        _ => format!("{}@example.org", chance.pick(&PEOPLE)),
    }
}

/// A stanza that a sane client may send.
pub fn stanza(chance: &mut Chance, blocks: bool) -> String {
    let to = address(chance);
    match chance.below(if blocks { 28 } else { 27 }) {
        0..=4 => presence(chance),
        5..=8 => format!("<presence type='subscribe' to='{}'/>", contact(chance)),
        9..=11 => {
            let kind = chance.pick(&["subscribed", "unsubscribe", "unsubscribed"]);
            format!("<presence type='{kind}' to='{}'/>", contact(chance))
        }
        12 => format!("<presence to='{to}'/>"),
        13 => format!("<presence type='{}' to='{to}'/>", chance.pick(&["unavailable", "probe", "error"])),
        14..=15 => {
            let kind = chance.pick(&["groupchat", "headline", "error", "chat", "normal"]);
            format!("<message type='{kind}' to='{to}'/>")
        }
        16..=17 => {
            let ver = chance.pick(&["", "ver=''", "ver='1'", "ver='1795353071003'"]);
            format!("<iq type='get' id='r'><query xmlns='jabber:iq:roster' {ver}/></iq>")
        }
        18..=19 => roster_set(chance),
        20 => format!("<iq type='get' id='q' to='{to}'><query xmlns='{}'/></iq>", chance.pick(&NAMESPACES)),
        21 => format!("<iq type='set' id='q' to='{to}'><query xmlns='{}'/></iq>", chance.pick(&NAMESPACES)),
        22 => format!("<iq type='{}' id='q' to='{to}'/>", chance.pick(&["result", "error"])),
        23..=26 => format!("<iq type='set' id='k'>{}</iq>", keeping(chance)),
        _ => {
            let command = chance.pick(&["block", "block", "unblock", "blocklist"]);
            let kind = if command == "blocklist" { "get" } else { "set" };
            let whom = contact(chance);
            format!(
                "<iq type='{kind}' id='b'><{command} xmlns='urn:xmpp:blocking'><item jid='{whom}'/></{command}></iq>"
            )
        }
    }
}

/// Pictures and their names.
const PICTURES: [(&str, &str); 2] = [
    ("iVBORyBvbmU=", "cede3a5c8159ee6b3ccb9aec14e4ef93f94de320"),
    ("iVBORyB0d28=", "5ff0371783f2adcf01f0d69a5aba5b0d78fea9f1"),
];

/// Something to be kept for somebody: a vCard, an avatar, bookmarks, the address of a push service.
fn keeping(chance: &mut Chance) -> String {
    let (data, name) = PICTURES[chance.below(PICTURES.len())];
    let room = format!("room{}@rooms.example.org", chance.below(5));
    let publish = |node: &str, id: &str, payload: String| {
        format!(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='{node}'><item id='{id}'>{payload}</item>\
             </publish></pubsub>"
        )
    };
    match chance.below(9) {
        0 => "<vCard xmlns='vcard-temp'><FN>Somebody</FN></vCard>".into(),
        1 => format!(
            "<vCard xmlns='vcard-temp'><FN>Somebody</FN><PHOTO><BINVAL>{data}</BINVAL></PHOTO></vCard>"
        ),
        2 => {
            publish("urn:xmpp:avatar:data", name, format!("<data xmlns='urn:xmpp:avatar:data'>{data}</data>"))
        }
        3 => publish(
            "urn:xmpp:avatar:metadata",
            name,
            format!("<metadata xmlns='urn:xmpp:avatar:metadata'><info id='{name}'/></metadata>"),
        ),
        4 => publish("urn:xmpp:bookmarks:1", &room, "<conference xmlns='urn:xmpp:bookmarks:1'/>".into()),
        5 => format!(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><retract node='urn:xmpp:bookmarks:1'>\
             <item id='{room}'/></retract></pubsub>"
        ),
        6 => format!(
            "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'><conference jid='{room}'/></storage>\
             </query>"
        ),
        7 => format!(
            "<{} xmlns='urn:xmpp:push:0' jid='push.example.net' node='{}'/>",
            chance.pick(&["enable", "enable", "disable"]),
            chance.below(3)
        ),
        _ => publish(
            "urn:xmpp:vcard4",
            "current",
            format!("<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>{name}</text></fn></vcard>"),
        ),
    }
}

const NAMESPACES: [&str; 8] = [
    "jabber:iq:roster",
    "jabber:iq:version",
    "jabber:iq:last",
    "jabber:iq:private",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "urn:xmpp:ping",
    "urn:example:unknown",
];

pub fn presence(chance: &mut Chance) -> String {
    match chance.below(6) {
        0 => "<presence type='unavailable'/>".into(),
        1 => "<presence><priority>-1</priority></presence>".into(),
        2 => "<presence><show>away</show><priority>9</priority></presence>".into(),
        _ => "<presence/>".into(),
    }
}

fn roster_set(chance: &mut Chance) -> String {
    let jid = contact(chance);
    let item = match chance.below(3) {
        0 => format!("<item jid='{jid}' subscription='remove'/>"),
        1 => format!("<item jid='{jid}' name='{}'/>", chance.below(100)),
        _ => format!("<item jid='{jid}'><group>{}</group></item>", chance.below(3)),
    };
    format!("<iq type='set' id='s'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
}

/// Bytes that no sane client sends: pieces of stanzas, some of them damaged, and what breaks parsers.
pub fn nonsense(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = match chance.below(4) {
        0 => chance.pick(&NONSENSE).as_bytes().to_vec(),
        _ => stanza(chance, false).into_bytes(),
    };
    match chance.below(4) {
        0 => bytes.truncate(chance.below(bytes.len() + 1)),
        1 if !bytes.is_empty() => {
            let at = chance.below(bytes.len());
            bytes[at] = chance.below(256) as u8;
        }
        2 if !bytes.is_empty() => {
            bytes.remove(chance.below(bytes.len()));
        }
        _ => {}
    }
    bytes
}

const NONSENSE: [&str; 14] = [
    "</stream:stream>",
    "<stream:stream to='example.org' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubgBhbm4ncyBwYXNzd29yZA==</auth>",
    "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    "<iq type='get'/>",
    "<iq type='set' id='s'><query xmlns='jabber:iq:roster'/></iq>",
    "<presence type='nonsense' to='ben@example.org'/>",
    "<presence><priority>1000</priority></presence>",
    "<message to='@'/>",
    "<message from='ben@example.org' to='cat@example.org'/>",
    "<a xmlns='b'><c/></a>",
    "<!-- -->",
    "<message><body>&#0;</body></message>",
];

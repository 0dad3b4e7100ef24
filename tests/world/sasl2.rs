//! A client of SASL2 (XEP-0388), and of the tokens that it can have (XEP-0484).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stube::password::Hash;
use stube::stream::TlsInfo;
use stube::xml::Element;

use crate::client::{Client, HEADER};
use crate::scram::Scram;
use crate::world::{World, show};

pub const NS: &str = "urn:xmpp:sasl:2";
pub const FAST: &str = "urn:xmpp:fast:0";

/// What says which client it is.
pub const PHONE: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Swift</software>\
     <device>Phone</device></user-agent>";
pub const LAPTOP: &str = "<user-agent id='0e9a2ec1-9b6f-4c4b-8f5a-0d2c1f4b7a11'/>";

/// What the connections here are bound by.
pub fn tls() -> TlsInfo {
    TlsInfo { exporter: Some([7; 32]), end_point: Some(vec![9; 32]) }
}

/// A stream of somebody who has not logged in, with the features that it was offered.
pub fn stream(world: &mut World, name: &str, tls: TlsInfo) -> (Client, Element) {
    let client = world.connect_from("127.0.0.1".parse().expect("an address"), Some(tls));
    world.send(client, &HEADER.replace("to=", &format!("from='{name}@example.org' to=")));
    let features = world.receive(client);
    assert_eq!(features.name, "features", "{}", show(&features));
    (client, features)
}

/// `<authenticate/>` with the first message and with wishes.
pub fn authenticate(mechanism: &str, message: &[u8], wishes: &str) -> String {
    let data = STANDARD.encode(message);
    format!(
        "<authenticate xmlns='{NS}' mechanism='{mechanism}'><initial-response>{data}</initial-response>{wishes}</authenticate>"
    )
}

pub fn plain(name: &str, password: &str, wishes: &str) -> String {
    authenticate("PLAIN", format!("\0{name}\0{password}").as_bytes(), wishes)
}

pub fn response(message: &str) -> String {
    format!("<response xmlns='{NS}'>{}</response>", STANDARD.encode(message))
}

pub fn failure(condition: &str) -> String {
    format!("<failure xmlns='{NS}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>")
}

pub fn data(element: &Element) -> Vec<u8> {
    STANDARD.decode(element.text_content()).unwrap_or_else(|_| panic!("{}", show(element)))
}

pub fn text(element: &Element) -> String {
    String::from_utf8(data(element)).expect("UTF-8")
}

/// Runs SCRAM until the server has proven itself, by whatever it says then.
pub fn scram(world: &mut World, client: Client, mechanism: &str, scram: &Scram, wishes: &str) -> Element {
    world.send(client, &authenticate(mechanism, scram.first().as_bytes(), wishes));
    let challenge = world.receive(client);
    if challenge.name != "challenge" {
        return challenge;
    }
    let (last, signature) = scram.last(&text(&challenge));
    world.send(client, &response(&last));
    let end = world.receive(client);
    if end.name != "failure" {
        let said = end.find("additional-data", NS).map(text).unwrap_or_default();
        assert!(signature.is(&said), "the server did not prove that it knows the password: {}", show(&end));
    }
    end
}

/// A stream that the owner of an account has logged in to, and its `<success/>`; the account is made if there is none.
pub fn log_in(world: &mut World, name: &str, wishes: &str) -> (Client, Element) {
    if !world.core.account_exists(&stube::jid::Jid::parse(&format!("{name}@example.org")).expect("a name")) {
        world.account(name);
    }
    let (client, _) = stream(world, name, tls());
    world.send(client, &plain(name, &format!("{name}'s password"), wishes));
    let success = world.receive(client);
    assert_eq!(success.name, "success", "{}", show(&success));
    (client, success)
}

pub fn identity(success: &Element) -> String {
    let identity = success.find("authorization-identifier", NS);
    identity.unwrap_or_else(|| panic!("{}", show(success))).text_content()
}

/// What a token is bound to in these connections.
fn binding(mechanism: &str) -> Vec<u8> {
    match mechanism {
        "HT-SHA-256-EXPR" => vec![7; 32],
        "HT-SHA-256-ENDP" => vec![9; 32],
        _ => Vec::new(),
    }
}

/// A token that a client has.
#[derive(Clone, Debug)]
pub struct Token {
    pub mechanism: String,
    pub token: String,
    pub expiry: String,
}

impl Token {
    /// The one in a `<success/>`.
    pub fn given(success: &Element, mechanism: &str) -> Option<Token> {
        let token = success.find("token", FAST)?;
        let attr = |name: &str| token.get_attr(name).unwrap_or_else(|| panic!("{}", show(token))).to_owned();
        Some(Token { mechanism: mechanism.into(), token: attr("token"), expiry: attr("expiry") })
    }

    /// Logs in with a password to get one.
    pub fn get(world: &mut World, name: &str, agent: &str, mechanism: &str) -> Token {
        let (client, success) =
            log_in(world, name, &format!("{agent}<request-token xmlns='{FAST}' mechanism='{mechanism}'/>"));
        world.cut(client);
        Token::given(&success, mechanism).unwrap_or_else(|| panic!("{}", show(&success)))
    }

    fn hash(&self, who: &str) -> Vec<u8> {
        Hash::Sha256.hmac(self.token.as_bytes(), &[who.as_bytes(), &binding(&self.mechanism)].concat())
    }

    /// The message that proves it.
    pub fn proof(&self, name: &str) -> Vec<u8> {
        [name.as_bytes(), &[0], &self.hash("Initiator")].concat()
    }

    pub fn authenticate(&self, name: &str, wishes: &str) -> String {
        authenticate(&self.mechanism, &self.proof(name), wishes)
    }

    /// Logs in with it on a new stream; what the server says.
    pub fn log_in(&self, world: &mut World, name: &str, wishes: &str) -> (Client, Element) {
        let (client, _) = stream(world, name, tls());
        world.send(client, &self.authenticate(name, wishes));
        let end = world.receive(client);
        if end.name == "success" {
            let answer = end.find("additional-data", NS).map(data).unwrap_or_default();
            assert_eq!(answer, self.hash("Responder"), "the server did not prove that it knows the token");
        }
        (client, end)
    }

    /// Whether the token lets this client in.
    pub fn works(&self, world: &mut World, name: &str, agent: &str) -> bool {
        let (client, end) = self.log_in(world, name, &format!("{agent}<fast xmlns='{FAST}'/>"));
        world.cut(client);
        end.name == "success"
    }
}

//! XEP-0474: a client of SCRAM can tell whether what it was offered is what we offered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stube::password::Hash;
use stube::stream::TlsInfo;
use stube::xml::Element;

use crate::sasl2::{NS, authenticate, stream, text, tls};
use crate::scram::Scram;
use crate::world::World;

const SASL1: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// §6.1, as a client computes it from the features of one of the profiles.
fn expected(features: &Element, offer: &Element, hash: Hash) -> String {
    let mut mechanisms: Vec<String> =
        offer.children().filter(|child| child.name == "mechanism").map(Element::text_content).collect();
    mechanisms.sort();
    let mut list = mechanisms.join("\u{1e}");
    if let Some(bindings) = features.find("sasl-channel-binding", "urn:xmpp:sasl-cb:0") {
        let mut types: Vec<&str> =
            bindings.children().filter_map(|binding| binding.get_attr("type")).collect();
        types.sort();
        list = format!("{list}\u{1f}{}", types.join("\u{1e}"));
    }
    STANDARD.encode(hash.digest(list.as_bytes()))
}

fn attribute(server_first: &str) -> String {
    let last = server_first.split(',').next_back().expect("attributes");
    last.strip_prefix("h=").unwrap_or_else(|| panic!("{server_first}")).to_owned()
}

#[test]
fn the_hash_is_of_what_was_offered_in_either_profile() {
    for connection in [tls(), TlsInfo::default(), TlsInfo { exporter: None, ..tls() }] {
        for (hash, mechanism) in [(Hash::Sha1, "SCRAM-SHA-1"), (Hash::Sha256, "SCRAM-SHA-256")] {
            let mut world = World::new();
            world.account("romeo");
            let first = Scram::new(hash, "romeo", "romeo's password").first();

            let (client, features) = stream(&mut world, "romeo", connection.clone());
            world.send(client, &authenticate(mechanism, first.as_bytes(), ""));
            let offer = features.find("authentication", NS).expect("an offer");
            assert_eq!(attribute(&text(&world.receive(client))), expected(&features, offer, hash));

            let (client, features) = stream(&mut world, "romeo", connection.clone());
            let data = STANDARD.encode(&first);
            world.send(client, &format!("<auth xmlns='{SASL1}' mechanism='{mechanism}'>{data}</auth>"));
            let offer = features.find("mechanisms", SASL1).expect("an offer");
            assert_eq!(attribute(&text(&world.receive(client))), expected(&features, offer, hash));
        }
    }
}

// §6.2: whoever changes the hash on its way does not know the password that the proofs are made with.
#[test]
fn a_client_that_saw_another_hash_is_refused() {
    let mut world = World::new();
    world.account("romeo");
    let (client, _) = stream(&mut world, "romeo", tls());
    let scram = Scram::new(Hash::Sha256, "romeo", "romeo's password");
    world.send(client, &authenticate("SCRAM-SHA-256", scram.first().as_bytes(), ""));
    let server_first = text(&world.receive(client));
    let shortened = STANDARD.encode(Hash::Sha256.digest(b"SCRAM-SHA-256"));
    let (last, _) = scram.last(&server_first.replace(&attribute(&server_first), &shortened));
    world.send(client, &crate::sasl2::response(&last));
    world.expect(client, &crate::sasl2::failure("not-authorized"));
}

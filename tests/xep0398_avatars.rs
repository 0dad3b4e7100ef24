//! XEP-0084 and XEP-0398: avatars on nodes and in vCards.

use crate::client::Client;
use crate::world::{World, show};

const DATA: &str = "urn:xmpp:avatar:data";
const METADATA: &str = "urn:xmpp:avatar:metadata";
const OPEN: &[(&str, &str)] = &[("access_model", "open"), ("persist_items", "true")];

/// `\x89PNG one`, and another one.
const ONE: &str = "iVBORyBvbmU=";
const OTHER: &str = "iVBORyB0d28=";

fn hash(base64: &str) -> String {
    use base64::Engine;
    use sha1::Digest;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).expect("Base64");
    sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn info(base64: &str, more: &str) -> String {
    format!("<info bytes='8' id='{}' type='image/png'{more}/>", hash(base64))
}

/// As clients do: the data first.
fn publish_avatar(world: &mut World, client: Client, base64: &str, options: &[(&str, &str)]) {
    world.publish(client, DATA, &hash(base64), &format!("<data xmlns='{DATA}'>{base64}</data>"), options);
    let metadata = format!("<metadata xmlns='{METADATA}'>{}</metadata>", info(base64, ""));
    world.publish(client, METADATA, &hash(base64), &metadata, options);
}

fn set_vcard(world: &mut World, client: Client, content: &str) {
    world.expect_result(
        client,
        &format!("<iq type='set' id='v'><vCard xmlns='vcard-temp'>{content}</vCard></iq>"),
    );
}

fn vcard(world: &mut World, client: Client) -> String {
    show(&world.expect_result(client, "<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>"))
}

fn photo(base64: &str) -> String {
    format!("<PHOTO><TYPE>image/png</TYPE><BINVAL>{base64}</BINVAL></PHOTO>")
}

fn metadata(world: &mut World, client: Client) -> Vec<(String, String)> {
    world.items(client, METADATA).iter().map(|(id, payload)| (id.clone(), show(payload))).collect()
}

fn scene() -> (World, Client) {
    let mut world = World::new();
    let juliet = world.online("juliet", "chamber");
    (world, juliet)
}

// XEP-0398 §2
#[test]
fn the_account_says_that_avatars_are_converted() {
    let (mut world, juliet) = scene();
    let info = "<iq type='get' id='i' to='juliet@example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    let info = show(&world.expect_result(juliet, info));
    assert!(info.contains("<feature var='urn:xmpp:pep-vcard-conversion:0'/>"), "{info}");
}

// XEP-0398 §3.1
#[test]
fn an_avatar_becomes_the_photo_and_the_rest_of_the_vcard_stays() {
    let (mut world, juliet) = scene();
    set_vcard(&mut world, juliet, "<FN>Juliet</FN>");
    publish_avatar(&mut world, juliet, ONE, OPEN);
    let before = vcard(&mut world, juliet);
    assert!(before.contains(&photo(ONE)) && before.contains("<FN>Juliet</FN>"), "{before}");
    publish_avatar(&mut world, juliet, OTHER, OPEN);
    let after = vcard(&mut world, juliet);
    assert!(after.contains(&photo(OTHER)) && !after.contains(ONE), "{after}");
    // And presence says so.
    let presence = world.online_with_everything("juliet", "balcony");
    assert!(presence.iter().any(|stanza| show(stanza).contains(&hash(OTHER))));
    world.restart();
    let juliet = world.login("juliet", "chamber");
    assert!(vcard(&mut world, juliet).contains(&photo(OTHER)));
}

// XEP-0084 §3.5
#[test]
fn an_avatar_that_is_taken_down_is_no_photo_any_more() {
    let nothing = format!("<metadata xmlns='{METADATA}'/>");
    for how in ["disable", "retract", "delete"] {
        let (mut world, juliet) = scene();
        set_vcard(&mut world, juliet, "<FN>Juliet</FN>");
        publish_avatar(&mut world, juliet, ONE, OPEN);
        match how {
            "disable" => world.publish(juliet, METADATA, "x", &nothing, &[]),
            "retract" => world.retract(juliet, METADATA, &hash(ONE)),
            _ => world.delete_node(juliet, METADATA),
        }
        let vcard = vcard(&mut world, juliet);
        assert!(!vcard.contains("PHOTO") && vcard.contains("<FN>Juliet</FN>"), "{how}: {vcard}");
    }
}

// "Services MUST consider the fact that the metadata node might contain multiple info elements and MUST pick the info
// element that does not point to an exernal URL."
#[test]
fn of_several_formats_the_one_that_is_here_is_taken() {
    let (mut world, juliet) = scene();
    world.publish(juliet, DATA, &hash(ONE), &format!("<data xmlns='{DATA}'>{ONE}</data>"), OPEN);
    let infos = info(OTHER, " url='https://example.org/other.png'") + &info(ONE, "");
    world.publish(
        juliet,
        METADATA,
        &hash(ONE),
        &format!("<metadata xmlns='{METADATA}'>{infos}</metadata>"),
        OPEN,
    );
    assert!(vcard(&mut world, juliet).contains(&photo(ONE)));
    // One that is only elsewhere changes nothing.
    let elsewhere = info(OTHER, " url='https://example.org/other.png'");
    world.publish(
        juliet,
        METADATA,
        "x",
        &format!("<metadata xmlns='{METADATA}'>{elsewhere}</metadata>"),
        OPEN,
    );
    assert!(vcard(&mut world, juliet).contains(&photo(ONE)));
}

// "Services SHOULD verify that the SHA-1 hash of the image matches the id."
#[test]
fn a_picture_that_is_not_what_its_name_says_is_not_taken() {
    let (mut world, juliet) = scene();
    world.publish(juliet, DATA, &hash(ONE), &format!("<data xmlns='{DATA}'>{OTHER}</data>"), OPEN);
    let metadata = format!("<metadata xmlns='{METADATA}'>{}</metadata>", info(ONE, ""));
    world.publish(juliet, METADATA, &hash(ONE), &metadata, OPEN);
    assert!(!vcard(&mut world, juliet).contains("PHOTO"));
    // Nor one that is not there, or is none.
    world.publish(juliet, METADATA, "x", &metadata.replace(&hash(ONE), "0123"), OPEN);
    world.publish(juliet, DATA, "x", &format!("<data xmlns='{DATA}'>no Base64!</data>"), OPEN);
    world.publish(juliet, METADATA, "x", &metadata.replace(&hash(ONE), "x"), OPEN);
    assert!(!vcard(&mut world, juliet).contains("PHOTO"));
}

// §7: "SHOULD perform conversion only if the access model of the 'urn:xmpp:avatar:data' node has been set to 'open'"
#[test]
fn a_picture_that_is_not_for_everyone_does_not_become_public() {
    for access in ["presence", "whitelist"] {
        let (mut world, juliet) = scene();
        publish_avatar(&mut world, juliet, ONE, &[("access_model", access)]);
        assert!(!vcard(&mut world, juliet).contains("PHOTO"), "{access}");
    }
}

// §3.2
#[test]
fn a_photo_becomes_an_avatar() {
    let (mut world, juliet) = scene();
    world.friends("juliet", "romeo");
    let romeo = world.interested("romeo", "orchard", &[METADATA]);
    world.events(romeo, METADATA);
    set_vcard(&mut world, juliet, &photo(ONE));
    // "After publication the service SHOULD send out notification messages to all subscribers of the metadata node."
    assert_eq!(world.events(romeo, METADATA), [hash(ONE)]);
    let metadata_payload = format!(
        "<metadata xmlns='{METADATA}'><info bytes='8' id='{}' type='image/png'/></metadata>",
        hash(ONE)
    );
    assert_eq!(metadata(&mut world, juliet), [(hash(ONE), metadata_payload)]);
    let data = world.items_of(romeo, "juliet@example.org", DATA).expect("for everyone");
    assert_eq!(data.len(), 1);
    assert_eq!((data[0].0.as_str(), data[0].1.text_content().as_str()), (hash(ONE).as_str(), ONE));
    // Without a new photo nothing is published.
    set_vcard(&mut world, juliet, &format!("<FN>Juliet</FN>{}", photo(ONE)));
    assert!(world.events(romeo, METADATA).is_empty());
    set_vcard(&mut world, juliet, &photo(OTHER));
    assert_eq!(world.events(romeo, METADATA), [hash(OTHER)]);
}

#[test]
fn a_photo_that_is_taken_out_takes_its_avatar_down_and_no_other() {
    let (mut world, juliet) = scene();
    set_vcard(&mut world, juliet, &photo(ONE));
    set_vcard(&mut world, juliet, "<FN>Juliet</FN>");
    assert_eq!(metadata(&mut world, juliet)[0].1, format!("<metadata xmlns='{METADATA}'/>"));
    // An avatar that did not get into the vCard has nothing to do with it.
    let (mut world, juliet) = scene();
    set_vcard(&mut world, juliet, &photo(ONE));
    let elsewhere =
        format!("<metadata xmlns='{METADATA}'>{}</metadata>", info(OTHER, " url='https://example.org/'"));
    world.publish(juliet, METADATA, &hash(OTHER), &elsewhere, &[]);
    set_vcard(&mut world, juliet, "<FN>Juliet</FN>");
    assert_eq!(metadata(&mut world, juliet)[0].0, hash(OTHER));
}

#[test]
fn a_photo_is_what_it_is_and_not_what_it_is_said_to_be() {
    let (mut world, juliet) = scene();
    set_vcard(&mut world, juliet, &photo(ONE).replace("image/png", "text/html"));
    assert!(metadata(&mut world, juliet)[0].1.contains("type='image/png'"));
    // An unknown kind is taken at its word if that is a kind of picture.
    let unknown = "<PHOTO><TYPE>image/x-painting</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>";
    set_vcard(&mut world, juliet, unknown);
    assert!(metadata(&mut world, juliet)[0].1.contains("type='image/x-painting'"));
    set_vcard(&mut world, juliet, &unknown.replace("image/x-painting", "text/html"));
    assert_eq!(metadata(&mut world, juliet)[0].1, format!("<metadata xmlns='{METADATA}'/>"));
}

// A change that comes of a change ends there.
#[test]
fn nothing_goes_in_circles() {
    let (mut world, juliet) = scene();
    world.friends("juliet", "romeo");
    let romeo = world.interested("romeo", "orchard", &[METADATA]);
    world.events(romeo, METADATA);
    publish_avatar(&mut world, juliet, ONE, OPEN);
    assert_eq!(world.events(romeo, METADATA), [hash(ONE)]);
    world.expect_nothing(romeo);
}

#[test]
fn what_is_too_large_for_the_vcard_stays_an_avatar() {
    let mut world = World::with(|config| config.limits.vcard_bytes = stube::config::Limit::of(60));
    let juliet = world.online("juliet", "chamber");
    publish_avatar(&mut world, juliet, ONE, OPEN);
    assert!(!vcard(&mut world, juliet).contains("PHOTO"));
    assert_eq!(metadata(&mut world, juliet).len(), 1);
}

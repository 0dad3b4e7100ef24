//! XEP-0153, with XEP-0398 §4: the server adds the hash of the picture to presence.

use crate::client::Client;
use crate::world::{World, show};

/// `\x89PNG one`, and another one.
const ONE: &str = "iVBORyBvbmU=";
const OTHER: &str = "iVBORyB0d28=";

fn hash(base64: &str) -> String {
    use base64::Engine;
    use sha1::Digest;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).expect("Base64");
    sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set(world: &mut World, client: Client, photo: &str) {
    let photo = match photo {
        "" => String::new(),
        data => format!("<PHOTO><TYPE>image/png</TYPE><BINVAL>{data}</BINVAL></PHOTO>"),
    };
    let vcard = format!("<vCard xmlns='vcard-temp'><FN>Juliet</FN>{photo}</vCard>");
    world.expect_result(client, &format!("<iq type='set' id='v'>{vcard}</iq>"));
}

fn update(hash: &str) -> String {
    match hash {
        "" => "<x xmlns='vcard-temp:x:update'><photo/></x>".into(),
        hash => format!("<x xmlns='vcard-temp:x:update'><photo>{hash}</photo></x>"),
    }
}

/// Juliet, who is not available yet and has this picture, and Romeo, who sees her.
fn scene(photo: &str) -> (World, Client, Client) {
    let mut world = World::new();
    world.friends("juliet", "romeo");
    let juliet = world.login("juliet", "chamber");
    if !photo.is_empty() {
        set(&mut world, juliet, photo);
    }
    let romeo = world.online("romeo", "orchard");
    (world, juliet, romeo)
}

#[track_caller]
fn expect(world: &mut World, romeo: Client, content: &str) {
    world.expect(romeo, &format!("<presence from='juliet@example.org/chamber' to='*'>{content}</presence>"));
}

// XEP-0398 §4: "services MUST include the hash on behalf of their users in every available presence"
#[test]
fn an_available_presence_gets_the_hash() {
    let (mut world, juliet, romeo) = scene(ONE);
    world.send(juliet, "<presence><show>away</show></presence>");
    expect(&mut world, romeo, &format!("<show>away</show>{}", update(&hash(ONE))));
    world.restart();
    let romeo = world.online("romeo", "orchard");
    let juliet = world.login("juliet", "chamber");
    world.send(juliet, "<presence/>");
    expect(&mut world, romeo, &update(&hash(ONE)));
    // Also for whoever comes later.
    let late = world.online_with_everything("romeo", "late");
    assert!(late.iter().any(|stanza| show(stanza).contains(&hash(ONE))));
}

#[test]
fn without_a_picture_presence_stays_as_it_is() {
    let (mut world, juliet, romeo) = scene("");
    world.send(juliet, "<presence/>");
    expect(&mut world, romeo, "");
    // But one that says that more is to come says that there is none.
    world.send(juliet, "<presence><x xmlns='vcard-temp:x:update'/></presence>");
    expect(&mut world, romeo, &update(""));
}

// "that does not contain an empty photo element"
#[test]
fn a_client_may_show_no_picture() {
    let (mut world, juliet, romeo) = scene(ONE);
    world.send(juliet, &format!("<presence>{}</presence>", update("")));
    expect(&mut world, romeo, &update(""));
    set(&mut world, juliet, OTHER);
    world.expect_nothing(romeo);
}

// "Empty x elements [...] MUST be overwritten. Presences where the content of the photo element is not empty and not
// equal to the hash calculated by the service MAY be overwritten."
#[test]
fn an_empty_or_another_hash_is_overwritten() {
    let (mut world, juliet, romeo) = scene(ONE);
    for said in ["<x xmlns='vcard-temp:x:update'/>", &update("0123456789")] {
        world.send(juliet, &format!("<presence>{said}</presence>"));
        expect(&mut world, romeo, &update(&hash(ONE)));
    }
}

// "The hash MUST also be injected into directed presences such as MUC joins"
#[test]
fn directed_presence_gets_the_hash() {
    let (mut world, juliet, _) = scene(ONE);
    world.core.federated = true;
    world.send(
        juliet,
        "<presence to='ball@rooms.example.net/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
    );
    world.expect_remote(&format!(
        "<presence from='juliet@example.org/chamber' to='ball@rooms.example.net/Juliet'>\
         <x xmlns='http://jabber.org/protocol/muc'/>{}</presence>",
        update(&hash(ONE))
    ));
    world.send(juliet, "<presence to='ball@rooms.example.net/Juliet' type='unavailable'/>");
    world.expect_remote(
        "<presence from='juliet@example.org/chamber' to='ball@rooms.example.net/Juliet' type='unavailable'/>",
    );
}

#[test]
fn another_picture_is_told_at_once() {
    let (mut world, juliet, romeo) = scene(ONE);
    world.send(juliet, "<presence><show>away</show></presence>");
    world.clear(romeo);
    set(&mut world, juliet, OTHER);
    expect(&mut world, romeo, &format!("<show>away</show>{}", update(&hash(OTHER))));
    // The same again is no news.
    set(&mut world, juliet, OTHER);
    world.expect_nothing(romeo);
    set(&mut world, juliet, "");
    expect(&mut world, romeo, &format!("<show>away</show>{}", update("")));
    set(&mut world, juliet, ONE);
    expect(&mut world, romeo, &format!("<show>away</show>{}", update(&hash(ONE))));
}

#[test]
fn what_is_no_picture_has_no_hash() {
    let (mut world, juliet, romeo) = scene("");
    world.send(juliet, "<presence/>");
    world.clear(romeo);
    for photo in [
        "<PHOTO><TYPE>image/png</TYPE><BINVAL>not Base64!</BINVAL></PHOTO>",
        "<PHOTO><TYPE>image/png</TYPE><BINVAL/></PHOTO>",
        "<PHOTO><EXTVAL>https://example.org/me.png</EXTVAL></PHOTO>",
        "<PHOTO><TYPE>text/html</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>",
    ] {
        let vcard = format!("<vCard xmlns='vcard-temp'>{photo}</vCard>");
        world.expect_result(juliet, &format!("<iq type='set' id='v'>{vcard}</iq>"));
        world.expect_nothing(romeo);
    }
}

// XEP-0153 §4.6: "any whitespace characters [...] MUST be ignored"
#[test]
fn white_space_in_a_picture_does_not_count() {
    let (mut world, juliet, romeo) = scene("\n  iVBORyBv\n  bmU=\n");
    world.send(juliet, "<presence/>");
    expect(&mut world, romeo, &update(&hash(ONE)));
}

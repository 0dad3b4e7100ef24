//! XEP-0292: vCard4, in step with vcard-temp.

use crate::client::Client;
use crate::world::{World, show};

const NODE: &str = "urn:xmpp:vcard4";
const OPEN: &[(&str, &str)] = &[("access_model", "open")];

fn scene() -> (World, Client) {
    let mut world = World::new();
    let juliet = world.online("juliet", "chamber");
    (world, juliet)
}

fn set_temp(world: &mut World, client: Client, content: &str) {
    world.expect_result(
        client,
        &format!("<iq type='set' id='v'><vCard xmlns='vcard-temp'>{content}</vCard></iq>"),
    );
}

/// The content of the vCard.
fn temp(world: &mut World, client: Client) -> String {
    let answer = world.expect_result(client, "<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>");
    content(answer.find("vCard", "vcard-temp").expect("a vCard"))
}

fn publish(world: &mut World, client: Client, content: &str, options: &[(&str, &str)]) {
    let vcard = format!("<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'>{content}</vcard>");
    world.publish(client, NODE, "me", &vcard, options);
}

/// The content of the one vCard on the node.
#[track_caller]
fn vcard4(world: &mut World, client: Client) -> String {
    let items = world.items(client, NODE);
    assert_eq!(items.len(), 1);
    content(&items[0].1)
}

fn content(element: &stube::xml::Element) -> String {
    let inner: String = element.children().map(show).collect();
    inner.replace(&format!(" xmlns='{}'", element.ns), "")
}

/// The same person in both.
const TEMP: &str = "<FN>Juliet Capulet</FN><N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN><MIDDLE>M</MIDDLE></N>\
    <NICKNAME>jules</NICKNAME><BDAY>1476-06-09</BDAY><TITLE>Lady</TITLE><ROLE>Daughter</ROLE>\
    <URL>https://example.org/</URL><ORG><ORGNAME>House of Capulet</ORGNAME></ORG><DESC>In love</DESC>\
    <EMAIL><HOME/><USERID>juliet@example.org</USERID></EMAIL><TEL><WORK/><FAX/><NUMBER>+39-045-1</NUMBER></TEL>\
    <ADR><HOME/><STREET>Via Cappello 23</STREET><LOCALITY>Verona</LOCALITY><PCODE>37121</PCODE><CTRY>Italy</CTRY></ADR>\
    <JABBERID>juliet@example.org</JABBERID>";
const VCARD4: &str = "<fn><text>Juliet Capulet</text></fn><n><surname>Capulet</surname><given>Juliet</given>\
    <additional>M</additional></n><nickname><text>jules</text></nickname><bday><date>1476-06-09</date></bday>\
    <title><text>Lady</text></title><role><text>Daughter</text></role><url><uri>https://example.org/</uri></url>\
    <org><text>House of Capulet</text></org><note><text>In love</text></note>\
    <email><parameters><type><text>home</text></type></parameters><text>juliet@example.org</text></email>\
    <tel><parameters><type><text>work</text><text>fax</text></type></parameters><uri>tel:+39-045-1</uri></tel>\
    <adr><parameters><type><text>home</text></type></parameters><street>Via Cappello 23</street>\
    <locality>Verona</locality><code>37121</code><country>Italy</country></adr>\
    <impp><uri>xmpp:juliet@example.org</uri></impp>";

fn words(xml: &str) -> Vec<String> {
    let mut words: Vec<String> =
        xml.replace('<', " <").replace('>', "> ").split_whitespace().map(str::to_owned).collect();
    words.sort();
    words
}

// §7
#[test]
fn server_and_account_say_that_they_know_it() {
    let (mut world, juliet) = scene();
    for to in ["example.org", "juliet@example.org"] {
        let info = format!(
            "<iq type='get' id='i' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        );
        let info = show(&world.expect_result(juliet, &info));
        assert!(info.contains("<feature var='urn:ietf:params:xml:ns:vcard-4.0'/>"), "{info}");
    }
}

// §11
#[test]
fn an_old_vcard_becomes_a_new_one_for_everyone() {
    let (mut world, juliet) = scene();
    set_temp(&mut world, juliet, TEMP);
    assert_eq!(vcard4(&mut world, juliet), VCARD4);
    let stranger = world.login("nurse", "street");
    assert!(world.items_of(stranger, "juliet@example.org", NODE).is_some());
}

#[test]
fn a_new_vcard_becomes_an_old_one() {
    let (mut world, juliet) = scene();
    publish(&mut world, juliet, VCARD4, OPEN);
    assert_eq!(words(&temp(&mut world, juliet)), words(TEMP));
}

#[test]
fn what_only_one_side_knows_stays_there() {
    let (mut world, juliet) = scene();
    let (gender, skype) =
        ("<gender><sex><text>F</text></sex></gender>", "<impp><uri>skype:jules</uri></impp>");
    publish(&mut world, juliet, &format!("<fn><text>Juliet</text></fn>{gender}{skype}"), OPEN);
    assert_eq!(temp(&mut world, juliet), "<FN>Juliet</FN>");
    set_temp(&mut world, juliet, "<FN>Jules</FN><GEO><LAT>45</LAT><LON>11</LON></GEO>");
    let new = vcard4(&mut world, juliet);
    assert_eq!(new, format!("<fn><text>Jules</text></fn>{gender}{skype}"));
    publish(&mut world, juliet, &new.replace("Jules", "Juliet"), OPEN);
    assert_eq!(temp(&mut world, juliet), "<FN>Juliet</FN><GEO><LAT>45</LAT><LON>11</LON></GEO>");
}

#[test]
fn what_is_taken_out_of_one_goes_from_the_other() {
    let (mut world, juliet) = scene();
    publish(&mut world, juliet, "<fn><text>Juliet</text></fn><title><text>Lady</text></title>", OPEN);
    publish(&mut world, juliet, "<fn><text>Juliet</text></fn>", OPEN);
    assert_eq!(temp(&mut world, juliet), "<FN>Juliet</FN>");
    world.retract(juliet, NODE, "me");
    assert_eq!(temp(&mut world, juliet), "");
    set_temp(&mut world, juliet, "<FN>Juliet</FN>");
    set_temp(&mut world, juliet, "");
    assert_eq!(vcard4(&mut world, juliet), "");
}

// §8: vcard-temp is world-readable.
#[test]
fn what_is_not_for_everyone_does_not_become_public() {
    for access in ["presence", "whitelist"] {
        let (mut world, juliet) = scene();
        publish(&mut world, juliet, VCARD4, &[("access_model", access)]);
        assert_eq!(temp(&mut world, juliet), "", "{access}");
    }
}

#[test]
fn a_new_picture_does_not_publish_the_vcard_anew() {
    let (mut world, _) = scene();
    let juliet = world.interested("juliet", "balcony", &[NODE]);
    set_temp(&mut world, juliet, "<FN>Juliet</FN>");
    assert_eq!(world.events(juliet, NODE).len(), 1);
    let photo = "<PHOTO><TYPE>image/png</TYPE><BINVAL>iVBORyBvbmU=</BINVAL></PHOTO>";
    set_temp(&mut world, juliet, &format!("<FN>Juliet</FN>{photo}"));
    assert!(world.events(juliet, NODE).is_empty());
    publish(&mut world, juliet, "<fn><text>Jules</text></fn>", OPEN);
    assert!(temp(&mut world, juliet).contains("BINVAL"), "the picture stays");
    assert_eq!(world.events(juliet, NODE), ["me"], "and nothing goes in circles");
}

#[test]
fn what_makes_no_sense_is_left_out() {
    let (mut world, juliet) = scene();
    publish(
        &mut world,
        juliet,
        "<fn/><n/><tel><uri>tel:</uri></tel><bday><text> </text></bday><org><x/></org>",
        OPEN,
    );
    assert_eq!(temp(&mut world, juliet), "");
    world.publish(juliet, NODE, "me", "<something xmlns='urn:else'/>", OPEN);
    assert_eq!(temp(&mut world, juliet), "");
    set_temp(&mut world, juliet, "<FN> </FN><N/><ADR><HOME/></ADR><TEL><NUMBER/></TEL><EMAIL/><JABBERID/>");
    assert_eq!(world.items(juliet, NODE).len(), 1);
}

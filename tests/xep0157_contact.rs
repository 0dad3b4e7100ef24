//! XEP-0157: contact addresses.

use crate::world::{World, show};
use stube::xml::Element;

fn about_the_server(world: &mut World) -> Element {
    let romeo = world.login("romeo", "orchard");
    let ask =
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    world.expect_result(romeo, ask)
}

// §3 "This information MUST be scoped using a FORM_TYPE of "http://jabber.org/network/serverinfo""
#[test]
fn the_addresses_of_the_configuration_are_shown_by_their_roles() {
    let mut world = World::with(|config| {
        let contact = &mut config.contact;
        contact.abuse = vec!["mailto:abuse@example.org".into(), "xmpp:abuse@example.org".into()];
        contact.status = vec!["https://status.example.org".into()];
    });
    let about = show(&about_the_server(&mut world));
    assert!(
        about.contains(
            "<x xmlns='jabber:x:data' type='result'>\
             <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>\
             <field var='abuse-addresses' type='list-multi'><value>mailto:abuse@example.org</value>\
             <value>xmpp:abuse@example.org</value></field>\
             <field var='status-addresses' type='list-multi'><value>https://status.example.org</value></field></x>"
        ),
        "{about}"
    );
}

#[test]
fn every_role_has_its_field() {
    let mut world = World::with(|config| {
        let contact = &mut config.contact;
        let address = |role: &str| vec![format!("mailto:{role}@example.org")];
        contact.abuse = address("abuse");
        contact.admin = address("admin");
        contact.feedback = address("feedback");
        contact.sales = address("sales");
        contact.security = address("security");
        contact.status = address("status");
        contact.support = address("support");
    });
    let about = show(&about_the_server(&mut world));
    for role in ["abuse", "admin", "feedback", "sales", "security", "status", "support"] {
        let field = format!(
            "<field var='{role}-addresses' type='list-multi'><value>mailto:{role}@example.org</value></field>"
        );
        assert!(about.contains(&field), "{role}: {about}");
    }
}

#[test]
fn without_addresses_there_is_no_form() {
    let mut world = World::new();
    assert!(!show(&about_the_server(&mut world)).contains("jabber:x:data"));
}

#[test]
fn new_addresses_are_shown_when_the_configuration_is_read_again() {
    let mut world = World::new();
    let mut config = (*world.core.config).clone();
    config.contact.abuse = vec!["mailto:abuse@example.org".into()];
    world.handle(stube::core::Event::Reload(Box::new(config)));
    assert!(show(&about_the_server(&mut world)).contains("mailto:abuse@example.org"));
}

#[test]
fn an_account_has_no_such_addresses() {
    let mut world = World::with(|config| config.contact.abuse = vec!["mailto:abuse@example.org".into()]);
    let romeo = world.login("romeo", "orchard");
    let ask = "<iq type='get' id='i'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    assert!(!show(&world.expect_result(romeo, ask)).contains("abuse"));
}

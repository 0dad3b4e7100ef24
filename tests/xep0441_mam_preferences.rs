//! XEP-0441: what accounts want to have archived.

use crate::client::Client;
use crate::world::{World, show};
use stube::config::{ArchiveDefault, Limit};

fn world() -> (World, Client, Client) {
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    let romeo = world.online("romeo", "orchard");
    world.clear(juliet);
    (world, romeo, juliet)
}

fn archived(world: &mut World, client: Client) -> usize {
    world.clear(client);
    world.send(client, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    world.drain(client).len() - 1
}

fn prefs(default: &str, always: &[&str], never: &[&str]) -> String {
    let list = |jids: &[&str]| jids.iter().map(|jid| format!("<jid>{jid}</jid>")).collect::<String>();
    format!(
        "<prefs xmlns='urn:xmpp:mam:2' default='{default}'><always>{}</always><never>{}</never></prefs>",
        list(always),
        list(never)
    )
}

fn set(prefs: &str) -> String {
    format!("<iq type='set' id='p'>{prefs}</iq>")
}

const GET: &str = "<iq type='get' id='g'><prefs xmlns='urn:xmpp:mam:2'/></iq>";

/// The answer must say these preferences.
#[track_caller]
fn expect_prefs(world: &mut World, client: Client, request: &str, prefs: &str) {
    let answer = show(&world.expect_result(client, request));
    let empty = prefs.replace("<always></always>", "<always/>").replace("<never></never>", "<never/>");
    assert!(answer.contains(&empty), "{answer}");
}

fn say(world: &mut World, from: Client, to: &str) {
    world.send(from, &format!("<message to='{to}' type='chat'><body>hi</body></message>"));
}

// §2.1
#[test]
fn everything_is_archived_until_somebody_wants_something_else() {
    let (mut world, romeo, _) = world();
    expect_prefs(&mut world, romeo, GET, &prefs("always", &[], &[]));
    let mut world = World::with(|config| config.archive.default = ArchiveDefault::Roster);
    let romeo = world.login("romeo", "orchard");
    expect_prefs(&mut world, romeo, GET, &prefs("roster", &[], &[]));
}

#[test]
fn preferences_are_answered_as_they_are_kept() {
    let (mut world, romeo, _) = world();
    let wanted = prefs("roster", &["JULIET@example.org", "juliet@example.org"], &["tybalt@example.org/x"]);
    let kept = prefs("roster", &["juliet@example.org"], &["tybalt@example.org/x"]);
    expect_prefs(&mut world, romeo, &set(&wanted), &kept);
    expect_prefs(&mut world, romeo, GET, &kept);
    world.restart();
    let romeo = world.login("romeo", "orchard");
    expect_prefs(&mut world, romeo, GET, &kept);
}

#[test]
fn a_change_is_promised_when_it_is_on_disk() {
    let (mut world, romeo, _) = world();
    world.hold_commits();
    world.send(romeo, &set(&prefs("never", &[], &[])));
    assert!(world.answer(romeo, "p").is_none());
    world.commit();
    assert!(world.answer(romeo, "p").is_some());
}

// §2.1.1
#[test]
fn never_archives_nothing_on_the_side_that_wants_it() {
    let (mut world, romeo, juliet) = world();
    world.expect_result(romeo, &set(&prefs("never", &[], &[])));
    say(&mut world, romeo, "juliet@example.org");
    say(&mut world, juliet, "romeo@example.org");
    assert!(world.receive(romeo).find("stanza-id", "urn:xmpp:sid:0").is_none());
    assert_eq!(archived(&mut world, romeo), 0);
    assert_eq!(archived(&mut world, juliet), 2);
}

#[test]
fn roster_archives_what_concerns_contacts_whatever_their_resource() {
    let (mut world, romeo, juliet) = world();
    world.expect_result(juliet, &set(&prefs("roster", &[], &[])));
    say(&mut world, romeo, "juliet@example.org");
    assert_eq!(archived(&mut world, juliet), 0);
    world.expect_result(
        juliet,
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='romeo@example.org'/></query></iq>",
    );
    say(&mut world, romeo, "juliet@example.org");
    say(&mut world, juliet, "romeo@example.org/orchard");
    assert_eq!(archived(&mut world, juliet), 2);
    world.expect_result(
        juliet,
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='romeo@example.org' subscription='remove'/></query></iq>",
    );
    say(&mut world, romeo, "juliet@example.org");
    assert_eq!(archived(&mut world, juliet), 2);
}

// §2.1.2, §2.1.3, §2.3.1
#[test]
fn the_lists_know_bare_addresses_and_full_ones() {
    for (default, always, never, expected) in [
        ("never", vec!["juliet@example.org"], vec![], 2),
        ("never", vec!["juliet@example.org/balcony"], vec![], 1),
        ("always", vec![], vec!["juliet@example.org"], 0),
        ("always", vec![], vec!["juliet@example.org/balcony"], 1),
        ("always", vec!["juliet@example.org"], vec!["juliet@example.org"], 0),
        ("always", vec![], vec!["juliet@example.or"], 2),
    ] {
        let (mut world, romeo, _) = world();
        world.expect_result(romeo, &set(&prefs(default, &always, &never)));
        say(&mut world, romeo, "juliet@example.org");
        say(&mut world, romeo, "juliet@example.org/balcony");
        assert_eq!(archived(&mut world, romeo), expected, "{default} {always:?} {never:?}");
    }
}

#[test]
fn a_list_that_is_missing_is_empty() {
    let (mut world, romeo, _) = world();
    let request = set("<prefs xmlns='urn:xmpp:mam:2' default='roster'/>");
    expect_prefs(&mut world, romeo, &request, &prefs("roster", &[], &[]));
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let (mut world, romeo, _) = world();
    let kept = prefs("roster", &[], &["tybalt@example.org"]);
    world.expect_result(romeo, &set(&kept));
    for (wrong, condition) in [
        ("<prefs xmlns='urn:xmpp:mam:2'/>".to_owned(), "bad-request"),
        (prefs("sometimes", &[], &[]), "bad-request"),
        (prefs("always", &["@"], &[]), "jid-malformed"),
        (prefs("always", &[""], &[]), "jid-malformed"),
        (
            "<prefs xmlns='urn:xmpp:mam:2' default='always'><never><who/></never></prefs>".into(),
            "bad-request",
        ),
    ] {
        world.expect_error(romeo, &set(&wrong), condition);
    }
    expect_prefs(&mut world, romeo, GET, &kept);
}

#[test]
fn the_lists_have_a_bound() {
    let mut world = World::with(|config| config.archive.preferences = Limit::of(3));
    let romeo = world.login("romeo", "orchard");
    let fits = prefs("always", &["a@example.org", "b@example.org"], &["c@example.org"]);
    world.expect_result(romeo, &set(&fits));
    let too_many = prefs("always", &["a@example.org", "b@example.org"], &["c@example.org", "d@example.org"]);
    world.expect_error(romeo, &set(&too_many), "resource-constraint");
    expect_prefs(&mut world, romeo, GET, &fits);
}

#[test]
fn nobody_else_reads_or_changes_them_and_nobody_learns_who_is_there() {
    let (mut world, _, juliet) = world();
    for to in ["romeo@example.org", "nobody@example.org"] {
        for request in [GET.to_owned(), set(&prefs("never", &[], &[]))] {
            world.expect_error(juliet, &request.replace("<iq", &format!("<iq to='{to}'")), "forbidden");
        }
    }
}

#[test]
fn while_the_disk_refuses_nothing_is_changed() {
    let (mut world, romeo, _) = world();
    world.handle(stube::core::Event::StoreStalled("the disk is full".into()));
    world.expect_error(romeo, &set(&prefs("never", &[], &[])), "resource-constraint");
    expect_prefs(&mut world, romeo, GET, &prefs("always", &[], &[]));
}

#[test]
fn without_an_archive_there_are_no_preferences() {
    let mut world = World::with(|config| config.archive.enabled = false);
    let romeo = world.login("romeo", "orchard");
    world.expect_error(romeo, GET, "service-unavailable");
}

//! XEP-0480: old keys of a password become as good as new ones.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stube::core::Event;
use stube::password::Hash;
use stube::xml::Element;

use crate::client::Client;
use crate::sasl2::{NS, PHONE, Token, authenticate, data, failure, log_in, plain, scram, stream, tls};
use crate::scram::{Challenge, Scram};
use crate::world::{World, show};

const SHA_256: &str = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>";
const BOTH: &str = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-1</upgrade>\
     <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-BLOOP</upgrade>\
     <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>";
const BETTER: u32 = 20;

/// A world with an account from before the operator asked for more iterations.
fn stage() -> World {
    let mut world = World::new();
    world.account("romeo");
    raise(&mut world);
    world
}

fn raise(world: &mut World) {
    let mut config = stube::config::Config::clone(&world.core.config);
    config.accounts.scram_iterations = BETTER;
    world.handle(Event::Reload(Box::new(config)));
}

fn right(hash: Hash) -> Scram {
    Scram::new(hash, "romeo", "romeo's password")
}

/// The iterations of the keys that a login with this hash is made with.
fn iterations(world: &mut World, hash: Hash, mechanism: &str) -> u32 {
    let (client, _) = stream(world, "romeo", tls());
    world.send(client, &authenticate(mechanism, right(hash).first().as_bytes(), ""));
    let challenge = world.receive(client);
    world.cut(client);
    Challenge::read(&crate::sasl2::text(&challenge)).iterations
}

/// Does a task that the server has asked for; what it says then.
fn do_task(world: &mut World, client: Client, hash: Hash, name: &str) -> Element {
    world.send(client, &format!("<next xmlns='{NS}' task='{name}'/>"));
    let task = world.receive(client);
    let salt = task.find("salt", "urn:xmpp:scram-upgrade:0").unwrap_or_else(|| panic!("{}", show(&task)));
    assert_eq!(salt.get_attr("iterations"), Some("20"));
    let salted = right(hash).salted_password(&data(salt), BETTER);
    world.send(client, &salted_password(&salted));
    world.receive(client)
}

fn salted_password(salted: &[u8]) -> String {
    let hash = STANDARD.encode(salted);
    format!("<task-data xmlns='{NS}'><hash xmlns='urn:xmpp:scram-upgrade:0'>{hash}</hash></task-data>")
}

fn task(element: &Element) -> String {
    assert_eq!(element.name, "continue", "{}", show(element));
    let tasks = element.find("tasks", NS).unwrap_or_else(|| panic!("{}", show(element)));
    tasks.children().map(Element::text_content).collect::<Vec<_>>().join(" ")
}

// §2.1: to everyone alike
#[test]
fn the_tasks_are_offered_without_channel_binding_in_their_names() {
    let mut world = World::new();
    let (_, features) = stream(&mut world, "romeo", tls());
    let offer = features.find("authentication", NS).expect("an offer");
    let upgrades = offer.children().filter(|child| child.is("upgrade", "urn:xmpp:sasl:upgrade:0"));
    let upgrades: Vec<String> = upgrades.map(Element::text_content).collect();
    assert_eq!(upgrades, ["UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-1"]);
}

// §2.2, §2.3, §3
#[test]
fn keys_with_fewer_iterations_are_replaced_one_task_after_the_other() {
    let mut world = stage();
    assert_eq!(iterations(&mut world, Hash::Sha256, "SCRAM-SHA-256"), 1);
    let (client, _) = stream(&mut world, "romeo", tls());
    // The server proves itself with the first <continue/>.
    let asked = scram(&mut world, client, "SCRAM-SHA-1", &right(Hash::Sha1), BOTH);
    assert_eq!(task(&asked), "UPGR-SCRAM-SHA-256");
    let asked = do_task(&mut world, client, Hash::Sha256, "UPGR-SCRAM-SHA-256");
    assert_eq!(task(&asked), "UPGR-SCRAM-SHA-1");
    assert!(asked.find("additional-data", NS).is_none());
    let success = do_task(&mut world, client, Hash::Sha1, "UPGR-SCRAM-SHA-1");
    assert_eq!(success.name, "success", "{}", show(&success));
    assert!(success.find("additional-data", NS).is_none());

    world.restart();
    raise(&mut world);
    for (hash, mechanism) in [(Hash::Sha1, "SCRAM-SHA-1"), (Hash::Sha256, "SCRAM-SHA-256")] {
        assert_eq!(iterations(&mut world, hash, mechanism), BETTER);
        let (client, _) = stream(&mut world, "romeo", tls());
        assert_eq!(
            scram(&mut world, client, mechanism, &right(hash), BOTH).name,
            "success",
            "nothing is left to do"
        );
    }
    log_in(&mut world, "romeo", BOTH);
}

#[test]
fn what_a_client_does_not_offer_to_do_is_not_asked_of_it() {
    let mut world = stage();
    let (client, _) = stream(&mut world, "romeo", tls());
    let asked = scram(&mut world, client, "SCRAM-SHA-256", &right(Hash::Sha256), SHA_256);
    assert_eq!(task(&asked), "UPGR-SCRAM-SHA-256");
    assert_eq!(do_task(&mut world, client, Hash::Sha256, "UPGR-SCRAM-SHA-256").name, "success");
    assert_eq!(iterations(&mut world, Hash::Sha1, "SCRAM-SHA-1"), 1);
    log_in(&mut world, "romeo", PHONE);
}

#[test]
fn nobody_is_in_before_the_task_is_done() {
    let mut world = stage();
    let (client, _) = stream(&mut world, "romeo", tls());
    let wishes = format!("{SHA_256}<bind xmlns='urn:xmpp:bind:0'/>");
    scram(&mut world, client, "SCRAM-SHA-256", &right(Hash::Sha256), &wishes);
    assert_eq!(world.core.all_sessions().count(), 0);
    world.send(client, "<presence/>");
    world.expect_stream_error(client, "policy-violation");
}

#[test]
fn better_keys_are_on_disk_before_the_client_hears_of_success() {
    let mut world = stage();
    let (client, _) = stream(&mut world, "romeo", tls());
    world.send(client, &plain("romeo", "romeo's password", SHA_256));
    assert_eq!(task(&world.receive(client)), "UPGR-SCRAM-SHA-256");
    world.send(client, &format!("<next xmlns='{NS}' task='UPGR-SCRAM-SHA-256'/>"));
    world.receive(client);
    world.hold_commits();
    world.send(client, &salted_password(&[1; 32]));
    world.expect_nothing(client);
    world.commit();
    assert_eq!(world.receive(client).name, "success");
}

#[test]
fn a_task_that_is_done_wrongly_fails_the_login_and_changes_nothing() {
    let wrong = [
        format!("<next xmlns='{NS}' task='UPGR-SCRAM-SHA-1'/>"),
        format!("<next xmlns='{NS}'/>"),
        salted_password(&[1; 32]),
        format!("<response xmlns='{NS}'/>"),
    ];
    let begun = [
        format!("<next xmlns='{NS}' task='UPGR-SCRAM-SHA-256'/>"),
        salted_password(&[1; 31]),
        salted_password(&[]),
        format!("<task-data xmlns='{NS}'/>"),
        format!("<response xmlns='{NS}'/>"),
    ];
    let all = wrong.iter().map(|wrong| (false, wrong)).chain(begun.iter().map(|wrong| (true, wrong)));
    for (begin, wrong) in all {
        let mut world = stage();
        let (client, _) = stream(&mut world, "romeo", tls());
        scram(&mut world, client, "SCRAM-SHA-256", &right(Hash::Sha256), SHA_256);
        if begin {
            world.send(client, &format!("<next xmlns='{NS}' task='UPGR-SCRAM-SHA-256'/>"));
            world.receive(client);
        }
        world.send(client, wrong);
        world.expect(client, &failure("malformed-request"));
        assert_eq!(iterations(&mut world, Hash::Sha256, "SCRAM-SHA-256"), 1, "{wrong}");
    }
}

#[test]
fn a_task_can_be_aborted() {
    let mut world = stage();
    let (client, _) = stream(&mut world, "romeo", tls());
    scram(&mut world, client, "SCRAM-SHA-256", &right(Hash::Sha256), SHA_256);
    world.send(client, &format!("<abort xmlns='{NS}'/>"));
    world.expect(client, &failure("aborted"));
}

// A new password must not get the keys of the old one.
#[test]
fn a_password_that_is_changed_meanwhile_stays_changed() {
    let mut world = stage();
    let (client, _) = stream(&mut world, "romeo", tls());
    world.send(client, &plain("romeo", "romeo's password", SHA_256));
    world.receive(client);
    world.send(client, &format!("<next xmlns='{NS}' task='UPGR-SCRAM-SHA-256'/>"));
    world.receive(client);
    world.control(stube::control::Request::UserPasswd {
        address: "romeo@example.org".into(),
        password: "another".into(),
    });
    world.send(client, &salted_password(&[1; 32]));
    world.expect(client, &failure("temporary-auth-failure"));
    let (client, _) = stream(&mut world, "romeo", tls());
    let another = Scram::new(Hash::Sha256, "romeo", "another");
    assert_eq!(scram(&mut world, client, "SCRAM-SHA-256", &another, "").name, "success");
}

#[test]
fn while_the_disk_refuses_nothing_is_upgraded_and_nobody_kept_out() {
    let mut world = stage();
    world.handle(Event::StoreStalled("full".into()));
    log_in(&mut world, "romeo", BOTH);
}

// Who has a token has not shown the password.
#[test]
fn a_login_with_a_token_upgrades_nothing() {
    let mut world = stage();
    let token = Token::get(&mut world, "romeo", PHONE, "HT-SHA-256-EXPR");
    let (_, end) =
        token.log_in(&mut world, "romeo", &format!("{PHONE}<fast xmlns='urn:xmpp:fast:0'/>{BOTH}"));
    assert_eq!(end.name, "success", "{}", show(&end));
}

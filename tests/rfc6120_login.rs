//! RFC 6120 §6 and §7: SASL, and binding a resource.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stube::config::Limit;
use stube::password::Hash;
use stube::stream::TlsInfo;
use stube::xml::Element;

use crate::client::Client;
use crate::scram::{Challenge, Scram};
use crate::world::{World, show};

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

fn failure(condition: &str) -> String {
    format!("<failure xmlns='{SASL}'><{condition}/></failure>")
}

fn auth(mechanism: &str, message: &str) -> String {
    format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{}</auth>", STANDARD.encode(message))
}

fn response(message: &str) -> String {
    format!("<response xmlns='{SASL}'>{}</response>", STANDARD.encode(message))
}

fn decoded(element: &Element) -> String {
    let bytes = STANDARD.decode(element.text_content()).unwrap_or_else(|_| panic!("{}", show(element)));
    String::from_utf8(bytes).expect("UTF-8")
}

/// A world with romeo's account, and a stream under TLS with channel bindings.
fn stage() -> (World, Client) {
    let mut world = World::new();
    world.account("romeo");
    let client = stranger(&mut world);
    (world, client)
}

fn tls() -> TlsInfo {
    TlsInfo { exporter: Some([7; 32]), end_point: Some(vec![9; 32]) }
}

fn stranger(world: &mut World) -> Client {
    let client = world.connect_from("127.0.0.1".parse().expect("an address"), Some(tls()));
    world.open_stream(client);
    client
}

/// Runs SCRAM to its end; what the server says last.
fn run(world: &mut World, client: Client, mechanism: &str, scram: &Scram) -> Element {
    world.send(client, &auth(mechanism, &scram.first()));
    let challenge = world.receive(client);
    if challenge.name != "challenge" {
        return challenge;
    }
    let (last, signature) = scram.last(&decoded(&challenge));
    world.send(client, &response(&last));
    let end = world.receive(client);
    if end.name == "success" {
        assert!(signature.is(&decoded(&end)), "the server did not prove that it knows the password");
    }
    end
}

// --- §6: SASL ---

// §6.3.3, XEP-0440
#[test]
fn the_strongest_mechanisms_are_offered_first_and_those_that_bind_only_where_they_can() {
    let mut world = World::new();
    let offered = |world: &mut World, tls: TlsInfo| {
        let client = world.connect_from("127.0.0.1".parse().expect("an address"), Some(tls));
        let features = world.open_stream(client);
        let texts = |name: &str, ns: &str| -> Vec<Element> {
            features.find(name, ns).into_iter().flat_map(Element::children).cloned().collect()
        };
        let mechanisms: Vec<String> = texts("mechanisms", SASL).iter().map(Element::text_content).collect();
        let bindings: Vec<String> = texts("sasl-channel-binding", "urn:xmpp:sasl-cb:0")
            .iter()
            .filter_map(|binding| binding.get_attr("type").map(str::to_owned))
            .collect();
        (mechanisms.join(" "), bindings.join(" "))
    };
    assert_eq!(
        offered(&mut world, tls()),
        (
            "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN".into(),
            "tls-exporter tls-server-end-point".into()
        )
    );
    let end_point_only = TlsInfo { exporter: None, ..tls() };
    assert_eq!(offered(&mut world, end_point_only).1, "tls-server-end-point");
    assert_eq!(
        offered(&mut world, TlsInfo::default()),
        ("SCRAM-SHA-256 SCRAM-SHA-1 PLAIN".into(), String::new())
    );
}

#[test]
fn a_password_logs_in_by_plain() {
    let (mut world, client) = stage();
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, SUCCESS);
}

#[test]
fn a_password_logs_in_by_scram_and_the_server_proves_that_it_knows_it() {
    for (hash, mechanism) in [(Hash::Sha1, "SCRAM-SHA-1"), (Hash::Sha256, "SCRAM-SHA-256")] {
        let (mut world, client) = stage();
        let end = run(&mut world, client, mechanism, &Scram::new(hash, "romeo", "romeo's password"));
        assert_eq!(end.name, "success");
    }
}

// RFC 9266, RFC 5929 §4
#[test]
fn scram_is_bound_to_the_tls_connection_it_is_made_in() {
    for (hash, mechanism) in [(Hash::Sha1, "SCRAM-SHA-1-PLUS"), (Hash::Sha256, "SCRAM-SHA-256-PLUS")] {
        for (kind, data) in [("tls-exporter", [7; 32]), ("tls-server-end-point", [9; 32])] {
            let (mut world, client) = stage();
            let right = Scram::bound(hash, kind, &data, "romeo", "romeo's password");
            assert_eq!(run(&mut world, client, mechanism, &right).name, "success", "{mechanism} {kind}");

            let client = stranger(&mut world);
            let elsewhere = Scram::bound(hash, kind, &[8; 32], "romeo", "romeo's password");
            world.send(client, &auth(mechanism, &elsewhere.first()));
            let (last, _) = elsewhere.last(&decoded(&world.receive(client)));
            world.send(client, &response(&last));
            world.expect(client, &failure("not-authorized"));
        }
    }
}

// RFC 5802 §6: somebody has hidden from the client what we offer.
#[test]
fn a_client_that_was_lied_to_about_channel_binding_is_refused() {
    let (mut world, client) = stage();
    let mut scram = Scram::new(Hash::Sha256, "romeo", "romeo's password");
    scram.gs2 = "y,,".into();
    let end = run(&mut world, client, "SCRAM-SHA-256", &scram);
    assert_eq!(show(&end), failure("not-authorized"));
}

#[test]
fn a_wrong_password_is_not_authorized() {
    let (mut world, client) = stage();
    world.plain(client, "romeo", "juliet's password");
    world.expect(client, &failure("not-authorized"));
    for (hash, mechanism) in [(Hash::Sha1, "SCRAM-SHA-1"), (Hash::Sha256, "SCRAM-SHA-256")] {
        let end = run(&mut world, client, mechanism, &Scram::new(hash, "romeo", "juliet's password"));
        assert_eq!(show(&end), failure("not-authorized"));
    }
    // §6.4.5: the stream is still of use.
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, SUCCESS);
}

// §13.9.4 and RFC 5802 §9
#[test]
fn an_unknown_name_looks_like_a_wrong_password() {
    let (mut world, _) = stage();
    let ask = |world: &mut World, name: &str, hash: Hash, mechanism: &str| {
        let client = stranger(world);
        let scram = Scram::new(hash, name, "a guess");
        world.send(client, &auth(mechanism, &scram.first()));
        let challenge = decoded(&world.receive(client));
        let (last, _) = scram.last(&challenge);
        world.send(client, &response(&last));
        world.advance(20_000); // more tries from one address than are free
        world.expect(client, &failure("not-authorized"));
        world.cut(client);
        Challenge::read(&challenge)
    };
    for (hash, mechanism) in [(Hash::Sha1, "SCRAM-SHA-1"), (Hash::Sha256, "SCRAM-SHA-256")] {
        let known = ask(&mut world, "romeo", hash, mechanism);
        let unknown = ask(&mut world, "tybalt", hash, mechanism);
        assert_eq!(known.salt.len(), unknown.salt.len());
        assert_eq!(known.iterations, unknown.iterations);
        assert_eq!(known.nonce.len(), unknown.nonce.len());
        assert_ne!(known.salt, unknown.salt);
        assert_ne!(unknown.salt, ask(&mut world, "mercutio", hash, mechanism).salt);
        // The same salt every time, even by another spelling and after a restart.
        assert_eq!(unknown.salt, ask(&mut world, "Tybalt", hash, mechanism).salt);
        world.restart();
        assert_eq!(unknown.salt, ask(&mut world, "tybalt", hash, mechanism).salt);
        assert_eq!(known.salt, ask(&mut world, "romeo", hash, mechanism).salt);
    }
}

#[test]
fn an_unknown_name_costs_plain_the_same_work() {
    let (mut world, client) = stage();
    world.hold_work();
    world.plain(client, "tybalt", "a guess");
    world.expect_nothing(client);
    assert_eq!(world.held_work(), 1, "the password is checked against keys that nobody's password fits");
    world.do_work();
    world.expect(client, &failure("not-authorized"));
}

// §6.4.5
#[test]
fn five_failures_end_the_stream() {
    let (mut world, client) = stage();
    for _ in 0..4 {
        world.plain(client, "romeo", "a guess");
        world.expect(client, &failure("not-authorized"));
    }
    world.plain(client, "romeo", "a guess");
    world.expect(client, &failure("not-authorized"));
    world.expect_stream_error(client, "policy-violation");
}

#[test]
fn failures_of_every_kind_are_counted() {
    let (mut world, client) = stage();
    for _ in 0..5 {
        world.send(client, &auth("DIGEST-MD5", "x"));
        world.expect(client, &failure("invalid-mechanism"));
    }
    world.expect_stream_error(client, "policy-violation");
}

#[test]
fn from_the_sixth_wrong_password_on_the_answers_come_later_and_later() {
    let mut world = World::new();
    world.account("romeo");
    for _ in 0..5 {
        guess(&mut world, "192.0.2.1", 0);
    }
    // The address waits 1, 2, 4 … seconds after what came before; the account no more than ten.
    for wait in [1000, 2000, 4000] {
        guess(&mut world, "192.0.2.1", wait);
    }
}

/// Gives a wrong password from this address; the answer must come after this time and no sooner.
fn guess(world: &mut World, address: &str, wait: u64) {
    let client = world.connect_from(address.parse().expect("an address"), Some(tls()));
    world.open_stream(client);
    world.plain(client, "romeo", "a guess");
    if wait > 0 {
        world.advance(wait - 1);
        world.expect_nothing(client);
        assert!(!world.is_reading(client), "nothing is read while the answer waits");
        world.advance(1);
    }
    world.expect(client, &failure("not-authorized"));
    world.cut(client);
}

#[test]
fn the_owner_waits_too_while_others_guess_but_never_long() {
    let mut world = World::new();
    world.account("romeo");
    for last in 1..=40 {
        let client = world.connect_from(format!("192.0.2.{last}").parse().expect("an address"), Some(tls()));
        world.open_stream(client);
        world.plain(client, "romeo", "a guess");
    }
    let owner = world.connect_from("198.51.100.1".parse().expect("an address"), Some(tls()));
    world.open_stream(owner);
    world.plain(owner, "romeo", "romeo's password");
    world.expect_nothing(owner);
    world.advance(10_000);
    world.expect(owner, SUCCESS);
    // With that the account's past is forgotten.
    guess(&mut world, "203.0.113.1", 0);
}

#[test]
fn an_address_that_guessed_at_one_account_waits_for_every_other() {
    let mut world = World::new();
    world.account("romeo");
    world.account("juliet");
    for _ in 0..5 {
        guess(&mut world, "192.0.2.1", 0);
    }
    guess(&mut world, "192.0.2.1", 1000);
    guess(&mut world, "192.0.2.1", 2000);
    let client = world.connect_from("192.0.2.1".parse().expect("an address"), Some(tls()));
    world.open_stream(client);
    world.plain(client, "juliet", "romeo's password");
    world.expect_nothing(client);
    world.advance(4000);
    world.expect(client, &failure("not-authorized"));
}

#[test]
fn scram_waits_as_plain_does() {
    let mut world = World::new();
    world.account("romeo");
    for _ in 0..6 {
        let client = world.connect_from("192.0.2.1".parse().expect("an address"), Some(tls()));
        world.open_stream(client);
        world.plain(client, "romeo", "a guess");
    }
    let client = stranger(&mut world);
    let scram = Scram::new(Hash::Sha256, "romeo", "a guess");
    world.send(client, &auth("SCRAM-SHA-256", &scram.first()));
    let (last, _) = scram.last(&decoded(&world.receive(client)));
    world.send(client, &response(&last));
    world.expect_nothing(client);
    world.advance(3000);
    world.expect(client, &failure("not-authorized"));
}

#[test]
fn the_time_that_an_answer_waits_is_not_counted_as_the_clients() {
    let mut world = World::new();
    world.account("romeo");
    for _ in 0..7 {
        let client = world.connect_from("192.0.2.1".parse().expect("an address"), Some(tls()));
        world.open_stream(client);
        world.plain(client, "romeo", "a guess");
        world.cut(client);
    }
    let client = world.connect_from("192.0.2.1".parse().expect("an address"), Some(tls()));
    world.open_stream(client);
    world.advance(29_000);
    world.plain(client, "romeo", "a guess");
    world.advance(4000);
    world.expect(client, &failure("not-authorized"));
    assert!(!world.is_closed(client));
}

// §6.3.8
#[test]
fn a_client_acts_for_its_own_account_and_no_other() {
    for authzid in ["romeo@example.org", "Romeo@EXAMPLE.org"] {
        let (mut world, client) = stage();
        world.send(client, &auth("PLAIN", &format!("{authzid}\0romeo\0romeo's password")));
        world.expect(client, SUCCESS);
    }
    for authzid in
        ["juliet@example.org", "romeo@example.net", "example.org", "romeo@example.org/orchard", "@"]
    {
        let (mut world, client) = stage();
        world.account("juliet");
        world.send(client, &auth("PLAIN", &format!("{authzid}\0romeo\0romeo's password")));
        world.expect(client, &failure("invalid-authzid"));
        let mut scram = Scram::new(Hash::Sha256, "romeo", "romeo's password");
        scram.gs2 = format!("n,a={authzid},");
        let end = run(&mut world, client, "SCRAM-SHA-256", &scram);
        assert_eq!(show(&end), failure("invalid-authzid"));
    }
}

// §6.4.4, §6.5.1
#[test]
fn a_client_may_abort_and_begin_anew() {
    let (mut world, client) = stage();
    world.send(client, &auth("SCRAM-SHA-256", &Scram::new(Hash::Sha256, "romeo", "x").first()));
    assert_eq!(world.receive(client).name, "challenge");
    world.send(client, &format!("<abort xmlns='{SASL}'/>"));
    world.expect(client, &failure("aborted"));
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, SUCCESS);
}

// §6.4.3: an exchange is one at a time.
#[test]
fn a_new_attempt_replaces_the_one_before() {
    let (mut world, client) = stage();
    let scram = Scram::new(Hash::Sha256, "romeo", "romeo's password");
    world.send(client, &auth("SCRAM-SHA-256", &scram.first()));
    let (last, _) = scram.last(&decoded(&world.receive(client)));
    world.send(client, &auth("SCRAM-SHA-256", &scram.first()));
    world.receive(client);
    world.send(client, &response(&last));
    assert_eq!(world.receive(client).name, "failure");
}

// §6.5.5
#[test]
fn nobody_logs_in_in_clear_text() {
    let mut world = World::new();
    world.account("romeo");
    let client = world.connect();
    world.open_stream(client);
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, &failure("encryption-required"));
}

// §6.5.2: whoever does not know the password learns nothing of it.
#[test]
fn a_disabled_account_is_told_to_its_owner_only() {
    let (mut world, client) = stage();
    let romeo = world.login("romeo", "orchard");
    world.disable("romeo", true);
    world.expect_stream_error(romeo, "not-authorized");
    world.plain(client, "romeo", "a guess");
    world.expect(client, &failure("not-authorized"));
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, &failure("account-disabled"));
    let end = run(&mut world, client, "SCRAM-SHA-1", &Scram::new(Hash::Sha1, "romeo", "romeo's password"));
    assert_eq!(show(&end), failure("account-disabled"));
    world.disable("romeo", false);
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, SUCCESS);
}

#[test]
fn an_account_that_is_disabled_during_its_login_gets_no_session() {
    let mut world = World::new();
    let romeo = world.authenticate("romeo");
    world.disable("romeo", true);
    world.expect_error(romeo, &bind("<resource>orchard</resource>"), "not-authorized");
}

// §6.5.7
#[test]
fn a_mechanism_that_we_do_not_have_is_invalid() {
    for mechanism in ["DIGEST-MD5", "ANONYMOUS", "EXTERNAL", "plain", "", "SCRAM-SHA-512"] {
        let (mut world, client) = stage();
        world.send(client, &auth(mechanism, "x"));
        world.expect(client, &failure("invalid-mechanism"));
    }
    let (mut world, client) = stage();
    world.send(client, &format!("<auth xmlns='{SASL}'>AAAA</auth>"));
    world.expect(client, &failure("invalid-mechanism"));
}

// §6.5.6, §13.9.1
#[test]
fn data_that_is_no_base64_has_an_incorrect_encoding() {
    for data in ["!", "AGEAYg", "AGEA Yg==", "AGEAYg===", "=AGEA", "é"] {
        let (mut world, client) = stage();
        world.send(client, &format!("<auth xmlns='{SASL}' mechanism='PLAIN'>{data}</auth>"));
        world.expect(client, &failure("incorrect-encoding"));
    }
    let (mut world, client) = stage();
    world.send(client, &auth("SCRAM-SHA-1", &Scram::new(Hash::Sha1, "romeo", "x").first()));
    world.receive(client);
    world.send(client, &format!("<response xmlns='{SASL}'>***</response>"));
    world.expect(client, &failure("incorrect-encoding"));
}

// §6.5.8
#[test]
fn data_that_is_no_message_of_its_mechanism_is_malformed() {
    for message in ["", "romeo", "\0romeo", "\0\0x", "\0romeo\0", "\0romeo\0a\0b"] {
        let (mut world, client) = stage();
        let data = if message.is_empty() { "=".into() } else { STANDARD.encode(message) };
        world.send(client, &format!("<auth xmlns='{SASL}' mechanism='PLAIN'>{data}</auth>"));
        world.expect(client, &failure("malformed-request"));
    }
    for message in ["n,,", "n,,n=romeo", "x,,n=romeo,r=abc", "n,,m=ext,n=romeo,r=abc", "n,,n=ro=2meo,r=abc"] {
        let (mut world, client) = stage();
        world.send(client, &auth("SCRAM-SHA-256", message));
        world.expect(client, &failure("malformed-request"));
    }
    for child in [
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AAAA</response>",
        "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    ] {
        let (mut world, client) = stage();
        world.send(client, child);
        world.expect(client, &failure("malformed-request"));
    }
}

// §6.4.2
#[test]
fn a_client_may_wait_for_an_empty_challenge() {
    let (mut world, client) = stage();
    world.send(client, &format!("<auth xmlns='{SASL}' mechanism='PLAIN'/>"));
    world.expect(client, &format!("<challenge xmlns='{SASL}'/>"));
    world.send(client, &response("\0romeo\0romeo's password"));
    world.expect(client, SUCCESS);
}

// §6.4.6: what comes with the login may be read at once, and not before.
#[test]
fn a_client_need_not_wait_for_the_success_to_go_on() {
    let (mut world, client) = stage();
    world.hold_work();
    let all = format!(
        "{}{}{}",
        auth("PLAIN", "\0romeo\0romeo's password"),
        crate::client::HEADER,
        bind("<resource>orchard</resource>")
    );
    world.send(client, &all);
    world.expect_nothing(client);
    assert!(!world.is_reading(client), "no more than one read waits for a password");
    world.do_work();
    let got: Vec<String> = world.drain(client).iter().map(|element| element.name.clone()).collect();
    assert_eq!(got, ["success", "features", "iq"]);
}

#[test]
fn nobody_logs_in_twice_on_one_stream() {
    let mut world = World::new();
    let romeo = world.authenticate("romeo");
    world.plain(romeo, "romeo", "romeo's password");
    world.expect_stream_error(romeo, "not-authorized");
}

// §4.7.1, §4.9.3.9
#[test]
fn a_stream_from_someone_else_than_who_has_logged_in_is_invalid() {
    let (mut world, client) = stage();
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, SUCCESS);
    world.send(client, &crate::client::HEADER.replace("to=", "from='juliet@example.org' to="));
    world.expect_stream_error(client, "invalid-from");
}

#[test]
fn after_the_login_the_stream_goes_to_the_same_domain() {
    let mut world = World::with(|config| config.domains.push("example.com".into()));
    world.account("romeo");
    let client = world.connect_tls();
    world.open_stream(client);
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, SUCCESS);
    world.send(client, &crate::client::HEADER.replace("example.org", "example.com"));
    world.expect_stream_error(client, "host-unknown");
}

// One server, two domains: a name in one says nothing of the other.
#[test]
fn an_account_is_of_one_domain() {
    let mut world = World::with(|config| config.domains.push("example.com".into()));
    world.account("romeo");
    let client = world.connect_tls();
    world.send(client, &crate::client::HEADER.replace("example.org", "example.com"));
    assert_eq!(world.receive(client).name, "features");
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, &failure("not-authorized"));
}

// --- §7: binding ---

fn bind(content: &str) -> String {
    format!("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{content}</bind></iq>")
}

fn bound(answer: &Element) -> String {
    let bind = answer.find("bind", "urn:ietf:params:xml:ns:xmpp-bind");
    let jid = bind.and_then(|bind| bind.find("jid", "urn:ietf:params:xml:ns:xmpp-bind"));
    jid.unwrap_or_else(|| panic!("{}", show(answer))).text_content()
}

// §6.4.6, §7.3.1
#[test]
fn binding_is_offered_after_the_login_and_mechanisms_no_more() {
    let (mut world, client) = stage();
    world.plain(client, "romeo", "romeo's password");
    world.expect(client, SUCCESS);
    let features = world.open_stream(client);
    assert!(features.find("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_some());
    assert!(features.find("mechanisms", SASL).is_none());
    let stranger = world.connect_tls();
    assert!(world.open_stream(stranger).find("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_none());
}

#[test]
fn an_account_that_is_removed_during_its_login_gets_no_session() {
    let mut world = World::new();
    let romeo = world.authenticate("romeo");
    world.control(stube::control::Request::UserRemove { address: "romeo@example.org".into() });
    world.expect_error(romeo, &bind("<resource>orchard</resource>"), "item-not-found");
}

// §7.7.1
#[test]
fn a_client_gets_the_resource_it_asks_for() {
    let mut world = World::new();
    let romeo = world.authenticate("romeo");
    world.send(romeo, &bind("<resource>orchard</resource>"));
    world.expect(
        romeo,
        "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>romeo@example.org/orchard</jid></bind></iq>",
    );
}

// §7.6.1, §13.10.2
#[test]
fn a_resource_that_the_server_makes_cannot_be_guessed() {
    let mut world = World::new();
    let mut made = Vec::new();
    for content in ["", "<resource/>", "<resource></resource>", "<required/>", ""] {
        let romeo = world.authenticate("romeo");
        let jid = bound(&world.expect_result(romeo, &bind(content)));
        made.push(jid.strip_prefix("romeo@example.org/").expect("the account").to_owned());
    }
    assert!(made.iter().all(|resource| resource.len() >= 22), "{made:?}");
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 5);
}

// §7.7.2.2
#[test]
fn a_resource_that_is_taken_again_closes_the_old_session() {
    let mut world = World::new();
    world.friends("romeo", "juliet");
    let (old, juliet) = (world.online("romeo", "orchard"), world.online("juliet", "balcony"));
    world.clear(juliet);
    let new = world.online("romeo", "orchard");
    world.expect_stream_error(old, "conflict");
    world.expect(
        juliet,
        "<presence type='unavailable' from='romeo@example.org/orchard' to='juliet@example.org'/>",
    );
    world.expect(juliet, "<presence from='romeo@example.org/orchard' to='juliet@example.org'/>");
    world.cut(old);
    world.send(juliet, "<message to='romeo@example.org/orchard'><body>still there?</body></message>");
    assert_eq!(
        world.receive(new).name,
        "message",
        "the new session is not touched by the end of the old one"
    );
}

// §7.7.2.1
#[test]
fn a_malformed_resource_is_a_bad_request_and_another_may_be_tried() {
    let mut world = World::new();
    let romeo = world.authenticate("romeo");
    for resource in ["\u{fff9}", &"a".repeat(1024)] {
        world.expect_error(romeo, &bind(&format!("<resource>{resource}</resource>")), "bad-request");
    }
    world.expect_result(romeo, &bind("<resource>orchard</resource>"));
}

// §7.7.2.3
#[test]
fn an_account_has_so_many_sessions() {
    let mut world = World::with(|config| config.limits.sessions_per_account = Limit::of(2));
    let first = world.login("romeo", "one");
    world.login("romeo", "two");
    let third = world.authenticate("romeo");
    world.expect_error(third, &bind("<resource>three</resource>"), "resource-constraint");
    // To take one over makes none more.
    world.expect_result(third, &bind("<resource>two</resource>"));
    let third = world.authenticate("romeo");
    world.close(first);
    world.expect_result(third, &bind("<resource>three</resource>"));
}

// §7.1: "If, before completing the resource binding step, the client attempts to send an XML stanza to an entity
// other than the server itself or the client's account, the server MUST NOT process the stanza and MUST close the
// stream with a <not-authorized/> stream error"
#[test]
fn a_stanza_to_others_before_a_resource_is_bound_ends_the_stream() {
    for stanza in [
        "<message to='juliet@example.org'><body>hello</body></message>",
        "<presence to='juliet@example.org'/>",
        "<iq type='get' id='a' to='juliet@example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<message to='romeo@example.org/orchard'><body>hello</body></message>",
        "<message to='juliet@example.net'><body>hello</body></message>",
    ] {
        let mut world = World::federated();
        let juliet = world.online("juliet", "balcony");
        let romeo = world.authenticate("romeo");
        world.send(romeo, stanza);
        world.expect_stream_error(romeo, "not-authorized");
        world.expect_nothing(juliet);
        assert!(world.to_remote().is_empty());
    }
}

#[test]
fn a_stanza_to_oneself_before_a_resource_is_bound_is_refused() {
    let mut world = World::new();
    let romeo = world.authenticate("romeo");
    world.expect_error(romeo, "<iq type='get' id='a'><query xmlns='jabber:iq:roster'/></iq>", "not-allowed");
    world.send(romeo, "<message><body>hello</body></message>");
    world.expect_bounce(romeo, "not-allowed");
    world.expect_result(romeo, &bind("<resource>orchard</resource>"));
}

// §6.3.1
#[test]
fn a_stanza_before_the_login_ends_the_stream() {
    for stanza in [
        "<iq type='get' id='a'><query xmlns='jabber:iq:roster'/></iq>",
        &bind("<resource>orchard</resource>"),
        "<message to='romeo@example.org'><body>hello</body></message>",
        "<presence/>",
        "<iq type='nonsense' id='a'/>",
    ] {
        let (mut world, client) = stage();
        world.send(client, stanza);
        world.expect_stream_error(client, "not-authorized");
    }
}

// RFC 3921 §3
#[test]
fn the_session_request_of_older_clients_is_answered() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    let session = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>";
    world.expect_result(romeo, &format!("<iq type='set' id='a'>{session}</iq>"));
    world.expect_result(romeo, &format!("<iq type='set' id='b' to='example.org'>{session}</iq>"));
}

#[test]
fn a_session_has_one_resource() {
    let mut world = World::new();
    let romeo = world.login("romeo", "orchard");
    world.expect_error(romeo, &bind("<resource>garden</resource>"), "service-unavailable");
}

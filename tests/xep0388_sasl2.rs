//! XEP-0388: a login in one profile with all that follows it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stube::password::Hash;
use stube::stream::TlsInfo;

use crate::client::{Client, HEADER};
use crate::sasl2::{NS, PHONE, authenticate, failure, identity, log_in, plain, response, scram, stream, tls};
use crate::scram::Scram;
use crate::world::{World, show};

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND: &str = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
const PING: &str = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>";
const BIND2: &str = "<bind xmlns='urn:xmpp:bind:0'/>";

/// A world with romeo's account, and a stream of his under TLS.
fn stage() -> (World, Client) {
    let mut world = World::new();
    world.account("romeo");
    let (client, _) = stream(&mut world, "romeo", tls());
    (world, client)
}

fn right() -> Scram {
    Scram::new(Hash::Sha256, "romeo", "romeo's password")
}

// --- §2.1: what is offered ---

#[test]
fn it_is_offered_under_tls_to_those_who_have_not_logged_in() {
    let mut world = World::new();
    world.account("romeo");
    let clear = world.connect();
    assert!(world.open_stream(clear).find("authentication", NS).is_none());

    let (client, features) = stream(&mut world, "romeo", tls());
    let offer = features.find("authentication", NS).expect("an offer");
    let mechanisms = offer.children().filter(|child| child.is("mechanism", NS));
    let mechanisms: Vec<String> = mechanisms.map(|mechanism| mechanism.text_content()).collect();
    assert_eq!(
        mechanisms,
        ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    );
    let inline = offer.find("inline", NS).expect("inline features");
    assert!(inline.find("sm", "urn:xmpp:sm:3").is_some(), "{}", show(inline));
    assert!(features.find("sasl-channel-binding", "urn:xmpp:sasl-cb:0").is_some());

    world.send(client, &plain("romeo", "romeo's password", ""));
    world.receive(client);
    assert!(world.receive(client).find("authentication", NS).is_none());
}

// §3: what is offered tells nothing of who has an account.
#[test]
fn everyone_is_offered_the_same() {
    let mut world = World::new();
    world.account("romeo");
    let (_, known) = stream(&mut world, "romeo", tls());
    let (_, unknown) = stream(&mut world, "tybalt", tls());
    assert_eq!(show(&known), show(&unknown));
}

#[test]
fn mechanisms_with_channel_binding_are_offered_where_there_is_one() {
    let mut world = World::new();
    let (client, features) = stream(&mut world, "romeo", TlsInfo::default());
    assert!(!show(&features).contains("-PLUS"), "{}", show(&features));
    let bound = Scram::bound(Hash::Sha256, "tls-exporter", &[7; 32], "romeo", "x");
    world.send(client, &authenticate("SCRAM-SHA-256-PLUS", bound.first().as_bytes(), ""));
    world.expect(client, &failure("invalid-mechanism"));
}

// RFC 6120 §4.9.3.9
#[test]
fn a_stream_from_another_domain_than_it_goes_to_is_invalid() {
    let mut world = World::new();
    let client = world.connect_tls();
    world.send(client, &HEADER.replace("to=", "from='romeo@example.net' to="));
    world.expect_stream_error(client, "invalid-from");
}

// --- §2.3 to §2.6: the exchange ---

#[test]
fn a_password_logs_in_and_the_stream_goes_on_without_a_new_start() {
    for (hash, mechanism) in [(Hash::Sha1, "SCRAM-SHA-1"), (Hash::Sha256, "SCRAM-SHA-256")] {
        let (mut world, client) = stage();
        let success =
            scram(&mut world, client, mechanism, &Scram::new(hash, "romeo", "romeo's password"), PHONE);
        assert_eq!(identity(&success), "romeo@example.org");
        let features = world.receive(client);
        assert!(features.find("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_some(), "{}", show(&features));
        world.expect_result(client, BIND);
        world.expect_result(client, PING);
    }
}

#[test]
fn the_login_is_bound_to_its_tls_connection() {
    for (kind, data) in [("tls-exporter", [7; 32]), ("tls-server-end-point", [9; 32])] {
        let (mut world, client) = stage();
        let bound = Scram::bound(Hash::Sha256, kind, &data, "romeo", "romeo's password");
        let end = scram(&mut world, client, "SCRAM-SHA-256-PLUS", &bound, "");
        assert_eq!(end.name, "success", "{kind}");
        let (client, _) = stream(&mut world, "romeo", tls());
        let elsewhere = Scram::bound(Hash::Sha256, kind, &[1; 32], "romeo", "romeo's password");
        let end = scram(&mut world, client, "SCRAM-SHA-256-PLUS", &elsewhere, "");
        assert_eq!(show(&end), failure("not-authorized"), "{kind}");
    }
}

#[test]
fn a_mechanism_with_nothing_to_add_adds_nothing() {
    let (mut world, client) = stage();
    world.send(client, &plain("romeo", "romeo's password", ""));
    let identity = "<authorization-identifier>romeo@example.org</authorization-identifier>";
    world.expect(client, &format!("<success xmlns='{NS}'>{identity}</success>"));
}

#[test]
fn who_has_logged_in_may_send_large_stanzas() {
    let (mut world, client) = stage();
    world.send(client, &plain("romeo", "romeo's password", ""));
    world.clear(client);
    world.expect_result(client, BIND);
    let body = "a".repeat(100_000);
    world.send(client, "<presence/>");
    world.clear(client);
    world.send(client, &format!("<message to='romeo@example.org' type='chat'><body>{body}</body></message>"));
    assert_eq!(world.receive(client).name, "message");
}

#[test]
fn a_client_may_wait_for_an_empty_challenge() {
    let (mut world, client) = stage();
    world.send(client, &format!("<authenticate xmlns='{NS}' mechanism='PLAIN'/>"));
    world.expect(client, &format!("<challenge xmlns='{NS}'/>"));
    world.send(client, &response("\0romeo\0romeo's password"));
    assert_eq!(world.receive(client).name, "success");
}

#[test]
fn wishes_that_we_do_not_know_are_passed_over() {
    let (mut world, _) = stage();
    let wishes = format!("{PHONE}<megabind xmlns='urn:example:megabind'><resource>x</resource></megabind>");
    let (_, success) = log_in(&mut world, "romeo", &wishes);
    assert_eq!(success.children().count(), 1, "{}", show(&success));
}

#[test]
fn a_client_need_not_wait_for_the_success_to_go_on() {
    let (mut world, client) = stage();
    world.hold_work();
    world.send(client, &format!("{}{BIND}", plain("romeo", "romeo's password", "")));
    world.expect_nothing(client);
    world.do_work();
    let got: Vec<String> = world.drain(client).iter().map(|element| element.name.clone()).collect();
    assert_eq!(got, ["success", "features", "iq"]);
}

#[test]
fn what_comes_behind_a_login_that_binds_is_read_when_there_is_a_session() {
    let (mut world, client) = stage();
    world.hold_commits();
    let token = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>";
    let login = plain("romeo", "romeo's password", &format!("{PHONE}{BIND2}{token}"));
    world.send(client, &format!("{login}{PING}"));
    world.expect_nothing(client);
    world.commit();
    let got: Vec<String> = world.drain(client).iter().map(|element| element.name.clone()).collect();
    assert_eq!(got, ["success", "features", "iq"]);
}

// --- §2.6.2: failures ---

#[test]
fn a_wrong_password_is_not_authorized_and_another_may_be_tried() {
    let (mut world, client) = stage();
    world.send(client, &plain("romeo", "a guess", ""));
    world.expect(client, &failure("not-authorized"));
    let end = scram(&mut world, client, "SCRAM-SHA-256", &Scram::new(Hash::Sha256, "romeo", "a guess"), "");
    assert_eq!(show(&end), failure("not-authorized"));
    assert_eq!(scram(&mut world, client, "SCRAM-SHA-256", &right(), "").name, "success");
}

#[test]
fn the_wishes_of_who_is_not_let_in_come_to_nothing() {
    let mut world = World::new();
    let old = world.login("romeo", "orchard");
    let (client, _) = stream(&mut world, "romeo", tls());
    world.send(client, &plain("romeo", "a guess", &format!("{PHONE}{BIND2}")));
    world.expect(client, &failure("not-authorized"));
    assert_eq!(world.core.all_sessions().count(), 1);
    world.expect_result(old, PING);
}

#[test]
fn an_unknown_name_looks_like_a_wrong_password() {
    let (mut world, _) = stage();
    for name in ["romeo", "tybalt"] {
        let (client, _) = stream(&mut world, name, tls());
        let end = scram(&mut world, client, "SCRAM-SHA-256", &Scram::new(Hash::Sha256, name, "a guess"), "");
        assert_eq!(show(&end), failure("not-authorized"));
    }
}

// XEP-0205: the same account and address wait, whichever profile the guesses were made in.
#[test]
fn wrong_passwords_are_counted_together_with_those_of_the_other_profile() {
    let (mut world, _) = stage();
    for _ in 0..3 {
        let (client, _) = stream(&mut world, "romeo", tls());
        world.plain(client, "romeo", "a guess");
        world.send(client, &plain("romeo", "a guess", ""));
        world.cut(client);
    }
    let (client, _) = stream(&mut world, "romeo", tls());
    world.send(client, &plain("romeo", "romeo's password", ""));
    world.expect_nothing(client);
    world.advance(1000);
    assert_eq!(world.receive(client).name, "success");
}

#[test]
fn five_failures_end_the_stream() {
    let (mut world, client) = stage();
    for _ in 0..5 {
        world.send(client, &authenticate("DIGEST-MD5", b"x", ""));
    }
    world.expect_stream_error(client, "policy-violation");
}

// An answer may wait for long after the check.
#[test]
fn a_password_that_is_changed_before_its_login_is_answered_is_wrong() {
    let (mut world, _) = stage();
    for _ in 0..6 {
        let (client, _) = stream(&mut world, "romeo", tls());
        world.send(client, &plain("romeo", "a guess", ""));
        world.cut(client);
    }
    let (new, _) = stream(&mut world, "romeo", tls());
    world.send(new, &plain("romeo", "romeo's password", BIND2));
    let old = world.connect_tls();
    world.open_stream(old);
    world.plain(old, "romeo", "romeo's password");
    let address = "romeo@example.org".into();
    world.control(stube::control::Request::UserPasswd { address, password: "another".into() });
    world.advance(5000);
    world.expect(new, &failure("not-authorized"));
    world.expect(old, &format!("<failure xmlns='{SASL}'><not-authorized/></failure>"));
}

// RFC 6120 §6.5.5
#[test]
fn nobody_logs_in_in_clear_text() {
    let mut world = World::new();
    world.account("romeo");
    let client = world.connect();
    world.open_stream(client);
    world.send(client, &plain("romeo", "romeo's password", ""));
    world.expect(client, &failure("encryption-required"));
}

#[test]
fn a_disabled_account_is_told_to_its_owner_only() {
    let (mut world, client) = stage();
    world.disable("romeo", true);
    world.send(client, &plain("romeo", "a guess", BIND2));
    world.expect(client, &failure("not-authorized"));
    world.send(client, &plain("romeo", "romeo's password", BIND2));
    world.expect(client, &failure("account-disabled"));
}

// §2.3, §4.4
#[test]
fn who_names_somebody_else_in_the_stream_is_refused() {
    let (mut world, _) = stage();
    world.account("juliet");
    let (client, _) = stream(&mut world, "juliet", tls());
    world.send(client, &plain("romeo", "romeo's password", ""));
    world.expect(client, &failure("invalid-authzid"));
    let end = scram(&mut world, client, "SCRAM-SHA-256", &right(), "");
    assert_eq!(show(&end), failure("invalid-authzid"));
}

#[test]
fn data_that_is_no_base64_has_an_incorrect_encoding() {
    // §2.2: nothing is written as nothing.
    for data in ["!", "=", "AGEAYg", "AGEA Yg==", "AGEAYg==="] {
        let (mut world, client) = stage();
        let initial = format!("<initial-response>{data}</initial-response>");
        world.send(client, &format!("<authenticate xmlns='{NS}' mechanism='PLAIN'>{initial}</authenticate>"));
        world.expect(client, &failure("incorrect-encoding"));
    }
}

#[test]
fn what_is_wrong_with_a_request_is_malformed() {
    let long = format!("<user-agent id='{}'/>", "a".repeat(65));
    let messages =
        ["", "romeo", "\0romeo", "\0\0x"].map(|message| authenticate("PLAIN", message.as_bytes(), ""));
    let wishes = [
        format!("{PHONE}{PHONE}"),
        long,
        "<resume xmlns='urn:xmpp:sm:3' previd='a' h='0'/><resume xmlns='urn:xmpp:sm:3' previd='b' h='0'/>"
            .into(),
        format!("{BIND2}{BIND2}"),
        "<initial-response>AGEAYg==</initial-response>".into(),
    ];
    let requests = wishes.map(|wishes| plain("romeo", "romeo's password", &wishes));
    for request in messages.into_iter().chain(requests) {
        let (mut world, client) = stage();
        world.send(client, &request);
        world.expect(client, &failure("malformed-request"));
        world.send(client, &plain("romeo", "romeo's password", ""));
        assert_eq!(world.receive(client).name, "success", "{request}");
    }
}

#[test]
fn a_mechanism_that_was_not_offered_is_invalid() {
    for mechanism in ["", "plain", "EXTERNAL", "HT-SHA-256-NONE", "SCRAM-SHA-512"] {
        let (mut world, client) = stage();
        world.send(client, &authenticate(mechanism, b"x", ""));
        world.expect(client, &failure("invalid-mechanism"));
    }
    let (mut world, client) = stage();
    world.send(client, &format!("<authenticate xmlns='{NS}'/>"));
    world.expect(client, &failure("invalid-mechanism"));
}

#[test]
fn a_client_that_says_too_much_of_itself_is_cut_off() {
    let (mut world, client) = stage();
    let device = "a".repeat(9000);
    let agent = format!("<user-agent id='x'><device>{device}</device></user-agent>");
    world.send(client, &plain("romeo", "romeo's password", &agent));
    world.expect_stream_error(client, "policy-violation");
}

// --- §2.4, §4.8: one thing after the other ---

#[test]
fn nothing_else_may_be_sent_during_an_exchange() {
    let others = [
        "<presence/>",
        PING,
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<r xmlns='urn:xmpp:sm:3'/>",
    ];
    for other in others {
        let (mut world, client) = stage();
        world.send(client, &authenticate("SCRAM-SHA-256", right().first().as_bytes(), ""));
        world.receive(client);
        world.send(client, other);
        world.expect_stream_error(client, "policy-violation");
    }
    let (mut world, client) = stage();
    let begin = authenticate("SCRAM-SHA-256", right().first().as_bytes(), "");
    world.send(client, &begin);
    world.receive(client);
    world.send(client, &begin);
    world.expect_stream_error(client, "not-authorized");
}

#[test]
fn an_answer_to_no_question_is_malformed() {
    for name in ["response", "abort", "next", "task-data", "success", "nonsense"] {
        let (mut world, client) = stage();
        world.send(client, &format!("<{name} xmlns='{NS}'/>"));
        world.expect(client, &failure("malformed-request"));
        let (mut world, client) = (world, client);
        world.send(client, &authenticate("SCRAM-SHA-256", right().first().as_bytes(), ""));
        world.receive(client);
        if !["response", "abort"].contains(&name) {
            world.send(client, &format!("<{name} xmlns='{NS}'/>"));
            world.expect(client, &failure("malformed-request"));
        }
    }
}

#[test]
fn the_profiles_do_not_mix() {
    let (mut world, client) = stage();
    let data = STANDARD.encode(right().first());
    let auth = format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-256'>{data}</auth>");
    world.send(client, &auth);
    let (last, _) = right().last(&crate::sasl2::text(&world.receive(client)));
    world.send(client, &response(&last));
    world.expect(client, &failure("malformed-request"));
    world.send(client, &auth);
    world.receive(client);
    assert_eq!(scram(&mut world, client, "SCRAM-SHA-256", &right(), "").name, "success");
}

// §4.5
#[test]
fn a_client_may_abort_and_begin_anew() {
    let (mut world, client) = stage();
    world.send(client, &authenticate("SCRAM-SHA-256", right().first().as_bytes(), ""));
    world.receive(client);
    world.send(client, &format!("<abort xmlns='{NS}'><text>No.</text></abort>"));
    world.expect(client, &failure("aborted"));
    assert_eq!(scram(&mut world, client, "SCRAM-SHA-256", &right(), "").name, "success");
}

#[test]
fn nobody_logs_in_twice_on_one_stream() {
    for second in [
        plain("romeo", "romeo's password", ""),
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>".into(),
    ] {
        let (mut world, _) = stage();
        let (client, _) = log_in(&mut world, "romeo", "");
        world.send(client, &second);
        world.expect_stream_error(client, "not-authorized");
        let (client, _) = log_in(&mut world, "romeo", BIND2);
        world.send(client, &second);
        world.expect_stream_error(client, "unsupported-stanza-type");
    }
    let mut world = World::new();
    let client = world.authenticate("romeo");
    world.send(client, &plain("romeo", "romeo's password", ""));
    world.expect_stream_error(client, "not-authorized");
}

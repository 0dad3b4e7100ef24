//! XEP-0484: tokens in place of passwords.

use stube::config::Limit;
use stube::control::{Request, Response};
use stube::core::Event;
use stube::stream::TlsInfo;

use crate::sasl2::{FAST, LAPTOP, NS, PHONE, Token, failure, identity, log_in, stream, tls};
use crate::world::{World, show};

const ALL: [&str; 3] = ["HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"];
const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'/>";
const DAY: u64 = 24 * 60 * 60 * 1000;

fn fast(attributes: &str) -> String {
    format!("{PHONE}<fast xmlns='{FAST}' {attributes}/>")
}

fn request(mechanism: &str) -> String {
    format!("<request-token xmlns='{FAST}' mechanism='{mechanism}'/>")
}

/// A world in which romeo's phone has a token.
fn stage(mechanism: &str) -> (World, Token) {
    let mut world = World::new();
    let token = Token::get(&mut world, "romeo", PHONE, mechanism);
    (world, token)
}

fn offered(world: &mut World, tls: TlsInfo) -> Vec<String> {
    let (_, features) = stream(world, "romeo", tls);
    let inline = features.find("authentication", NS).and_then(|offer| offer.find("inline", NS));
    let fast = inline.and_then(|inline| inline.find("fast", FAST));
    fast.into_iter().flat_map(|fast| fast.children()).map(|mechanism| mechanism.text_content()).collect()
}

// §3.1
#[test]
fn the_mechanisms_are_offered_whose_channel_binding_is_there() {
    let mut world = World::new();
    assert_eq!(offered(&mut world, tls()), ALL);
    assert_eq!(offered(&mut world, TlsInfo { exporter: None, ..tls() }), ALL[1..]);
    assert_eq!(offered(&mut world, TlsInfo::default()), ALL[2..]);
}

#[test]
fn an_operator_can_do_without_tokens() {
    let mut world = World::with(|config| config.accounts.token_days = 0);
    assert!(offered(&mut world, tls()).is_empty());
    let (_, success) = log_in(&mut world, "romeo", &format!("{PHONE}{}", request("HT-SHA-256-NONE")));
    assert!(success.find("token", FAST).is_none());
}

// §3.2, §3.3, §3.4
#[test]
fn a_token_logs_in_with_everything_else_in_one_round_trip() {
    for mechanism in ALL {
        let (mut world, token) = stage(mechanism);
        assert_eq!(token.expiry, "2026-12-22T13:11:11.000Z");
        let (client, success) = token.log_in(&mut world, "romeo", &format!("{}{BIND}", fast("")));
        assert!(identity(&success).starts_with("romeo@example.org/"), "{mechanism}: {}", show(&success));
        assert!(Token::given(&success, mechanism).is_none(), "it is new enough");
        world.clear(client);
        world.expect_result(client, "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>");
        world.restart();
        assert!(token.works(&mut world, "romeo", PHONE), "{mechanism}: after a restart");
    }
}

#[test]
fn nobody_gets_a_token_without_saying_which_client_it_is_or_for_another_mechanism() {
    let mut world = World::new();
    let wishes = [
        request("HT-SHA-256-NONE"),
        format!("<user-agent/>{}", request("HT-SHA-256-NONE")),
        format!("{PHONE}{}", request("SCRAM-SHA-256")),
        format!("{PHONE}{}", request("HT-SHA-256-UNIQ")),
        format!("{PHONE}<request-token xmlns='{FAST}'/>"),
    ];
    for wishes in wishes {
        let (_, success) = log_in(&mut world, "romeo", &wishes);
        assert!(success.find("token", FAST).is_none(), "{wishes}");
    }
}

#[test]
fn no_token_is_the_same_as_another() {
    let (mut world, first) = stage("HT-SHA-256-NONE");
    let second = Token::get(&mut world, "romeo", PHONE, "HT-SHA-256-NONE");
    assert_ne!(first.token, second.token);
    assert!(first.token.len() >= 43);
}

// --- what is no token ---

// §3.4
#[test]
fn a_token_is_good_for_its_mechanism_only() {
    for given in ALL {
        for used in ALL.into_iter().filter(|used| *used != given) {
            let (mut world, token) = stage(given);
            let other = Token { mechanism: used.into(), ..token };
            assert!(!other.works(&mut world, "romeo", PHONE), "{given} {used}");
        }
    }
}

#[test]
fn a_token_is_bound_to_the_connection_that_it_is_used_in() {
    for mechanism in &ALL[..2] {
        let (mut world, token) = stage(mechanism);
        let elsewhere = TlsInfo { exporter: Some([1; 32]), end_point: Some(vec![1; 32]) };
        let (client, _) = stream(&mut world, "romeo", elsewhere);
        world.send(client, &token.authenticate("romeo", &fast("")));
        world.expect(client, &failure("not-authorized"));
        let (client, _) = stream(&mut world, "romeo", TlsInfo::default());
        world.send(client, &token.authenticate("romeo", &fast("")));
        world.expect(client, &failure("invalid-mechanism"));
    }
}

#[test]
fn a_token_is_of_one_client_of_one_account() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let other = Token::get(&mut world, "juliet", PHONE, "HT-SHA-256-NONE");
    Token::get(&mut world, "romeo", LAPTOP, "HT-SHA-256-NONE");
    assert!(!token.works(&mut world, "romeo", LAPTOP));
    assert!(!token.works(&mut world, "juliet", PHONE));
    assert!(!other.works(&mut world, "romeo", PHONE));
    assert!(token.works(&mut world, "romeo", PHONE));
}

#[test]
fn a_guess_looks_the_same_whoever_has_a_token_or_an_account() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    world.account("juliet");
    let guess = Token { token: "a guess".into(), ..token };
    for name in ["romeo", "juliet", "tybalt"] {
        let (_, end) = guess.log_in(&mut world, name, &fast(""));
        assert_eq!(show(&end), failure("not-authorized"), "{name}");
    }
}

// XEP-0205
#[test]
fn guesses_make_the_next_answers_wait_right_or_wrong() {
    for right in [true, false] {
        let (mut world, token) = stage("HT-SHA-256-NONE");
        let guess = Token { token: "a guess".into(), ..token.clone() };
        for _ in 0..6 {
            let (client, _) = stream(&mut world, "romeo", tls());
            world.send(client, &guess.authenticate("romeo", &fast("")));
            world.cut(client);
        }
        let next = if right { token } else { guess };
        let (client, _) = stream(&mut world, "romeo", tls());
        world.send(client, &next.authenticate("romeo", &fast("")));
        world.expect_nothing(client);
        world.advance(3000);
        assert_eq!(world.receive(client).name, if right { "success" } else { "failure" });
    }
}

#[test]
fn a_token_is_shown_as_the_text_says_or_not_at_all() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let (client, _) = stream(&mut world, "romeo", tls());
    // Without <fast/> the mechanism is not among those that were offered.
    world.send(client, &token.authenticate("romeo", PHONE));
    world.expect(client, &failure("invalid-mechanism"));
    // §4.1: it says which client it is.
    world.send(client, &token.authenticate("romeo", &format!("<fast xmlns='{FAST}'/>")));
    world.expect(client, &failure("malformed-request"));
    for wishes in [fast("count='-1'"), fast("count=''"), format!("{}<fast xmlns='{FAST}'/>", fast(""))] {
        let (client, _) = stream(&mut world, "romeo", tls());
        world.send(client, &token.authenticate("romeo", &wishes));
        world.expect(client, &failure("malformed-request"));
    }
    let proof = token.proof("romeo");
    let messages = [
        Vec::new(),
        b"romeo".to_vec(),
        b"romeo\0".to_vec(),
        proof[..proof.len() - 1].to_vec(),
        [&proof[..], b"x"].concat(),
        proof["romeo".len()..].to_vec(),
        [b"\xff", &proof[..]].concat(),
    ];
    for message in messages {
        let (client, _) = stream(&mut world, "romeo", tls());
        world.send(client, &crate::sasl2::authenticate("HT-SHA-256-NONE", &message, &fast("")));
        world.expect(client, &failure("malformed-request"));
    }
    assert!(token.works(&mut world, "romeo", PHONE));
}

#[test]
fn a_token_is_no_password() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let (client, _) = stream(&mut world, "romeo", tls());
    world.send(client, &crate::sasl2::plain("romeo", &token.token, &fast("")));
    world.expect(client, &failure("not-authorized"));
}

#[test]
fn a_token_of_a_disabled_account_is_of_no_use() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    world.disable("romeo", true);
    assert_eq!(show(&token.log_in(&mut world, "romeo", &fast("")).1), failure("account-disabled"));
    world.disable("romeo", false);
    assert!(token.works(&mut world, "romeo", PHONE));
}

// --- §3.4: counting ---

#[test]
fn of_a_client_that_counts_each_number_is_taken_once() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let attempt = |world: &mut World, count: &str| token.log_in(world, "romeo", &fast(count)).1.name;
    assert_eq!(attempt(&mut world, "count='5'"), "success");
    assert_eq!(attempt(&mut world, "count='5'"), "failure");
    assert_eq!(attempt(&mut world, "count='4'"), "failure");
    world.restart();
    assert_eq!(attempt(&mut world, "count='5'"), "failure");
    assert_eq!(attempt(&mut world, "count='6'"), "success");
    assert_eq!(attempt(&mut world, ""), "success", "there is no early data that would need a number");
}

// --- §3.5: rotation ---

#[test]
fn a_token_is_renewed_in_the_second_half_of_its_time() {
    let (mut world, old) = stage("HT-SHA-256-EXPR");
    world.advance(14 * DAY);
    assert!(Token::given(&old.log_in(&mut world, "romeo", &fast("")).1, "HT-SHA-256-EXPR").is_none());
    world.advance(DAY);
    let lost =
        Token::given(&old.log_in(&mut world, "romeo", &fast("")).1, "HT-SHA-256-EXPR").expect("a token");
    // The client may not have got it, and gets another one instead.
    let new =
        Token::given(&old.log_in(&mut world, "romeo", &fast("")).1, "HT-SHA-256-EXPR").expect("a token");
    assert_eq!(new.expiry, "2027-01-06T13:11:11.000Z");
    assert!(!lost.works(&mut world, "romeo", PHONE));
    assert!(old.works(&mut world, "romeo", PHONE));
    // That was one more new token: the last one counts.
    let new =
        Token::given(&old.log_in(&mut world, "romeo", &fast("")).1, "HT-SHA-256-EXPR").expect("a token");
    assert!(new.works(&mut world, "romeo", PHONE));
    assert!(!old.works(&mut world, "romeo", PHONE), "the new one is in use");
    world.advance(14 * DAY);
    assert!(new.works(&mut world, "romeo", PHONE));
}

// §4.2
#[test]
fn a_token_that_has_expired_says_so_to_who_has_it() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    world.advance(30 * DAY);
    assert_eq!(show(&token.log_in(&mut world, "romeo", &fast("")).1), failure("credentials-expired"));
    let guess = Token { token: "a guess".into(), ..token };
    assert_eq!(show(&guess.log_in(&mut world, "romeo", &fast("")).1), failure("not-authorized"));
}

// --- §3.6: the end of a token ---

#[test]
fn a_client_that_logs_out_takes_its_tokens_along() {
    for invalidate in ["true", "1"] {
        let (mut world, token) = stage("HT-SHA-256-NONE");
        let laptop = Token::get(&mut world, "romeo", LAPTOP, "HT-SHA-256-NONE");
        world.advance(20 * DAY);
        let (_, success) = token.log_in(&mut world, "romeo", &fast(&format!("invalidate='{invalidate}'")));
        assert_eq!(success.name, "success");
        assert!(success.find("token", FAST).is_none(), "although it was due");
        assert!(!token.works(&mut world, "romeo", PHONE));
        assert!(laptop.works(&mut world, "romeo", LAPTOP));
    }
}

#[test]
fn a_client_can_exchange_its_token() {
    let (mut world, old) = stage("HT-SHA-256-NONE");
    let wishes = format!("{}{}", fast("invalidate='true'"), request("HT-SHA-256-EXPR"));
    let new = Token::given(&old.log_in(&mut world, "romeo", &wishes).1, "HT-SHA-256-EXPR").expect("a token");
    assert!(!old.works(&mut world, "romeo", PHONE));
    assert!(new.works(&mut world, "romeo", PHONE));
}

#[test]
fn a_new_password_ends_all_tokens() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let address = || "romeo@example.org".to_owned();
    world.control(Request::UserPasswd { address: address(), password: "romeo's password".into() });
    assert!(!token.works(&mut world, "romeo", PHONE));
    let token = Token::get(&mut world, "romeo", PHONE, "HT-SHA-256-NONE");
    let (client, _) = log_in(&mut world, "romeo", BIND);
    world.clear(client);
    world.expect_result(
        client,
        "<iq type='set' id='a'><query xmlns='jabber:iq:register'><username>romeo</username>\
         <password>another</password></query></iq>",
    );
    assert!(!token.works(&mut world, "romeo", PHONE));
}

#[test]
fn tokens_are_gone_with_their_account() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    world.control(Request::UserRemove { address: "romeo@example.org".into() });
    assert!(!token.works(&mut world, "romeo", PHONE));
    world.account("romeo");
    assert!(!token.works(&mut world, "romeo", PHONE));
}

#[test]
fn an_account_has_so_many_clients_with_tokens_and_who_was_away_longest_gives_way() {
    let mut world = World::with(|config| config.limits.tokens_per_account = Limit::of(2));
    let phone = Token::get(&mut world, "romeo", PHONE, "HT-SHA-256-NONE");
    world.advance(DAY);
    let laptop = Token::get(&mut world, "romeo", LAPTOP, "HT-SHA-256-NONE");
    world.advance(DAY);
    assert!(phone.works(&mut world, "romeo", PHONE));
    let third = "<user-agent id='third'/>";
    Token::get(&mut world, "romeo", third, "HT-SHA-256-NONE");
    assert!(!laptop.works(&mut world, "romeo", LAPTOP));
    assert!(phone.works(&mut world, "romeo", PHONE));
}

// --- the operator ---

fn clients(world: &mut World) -> Vec<String> {
    match world.control(Request::UserClients { address: "romeo@example.org".into() }) {
        Response::Done(lines) => lines,
        Response::Failed(why) => panic!("{why}"),
    }
}

fn revoke(world: &mut World, client: Option<&str>) -> Response {
    let client = client.map(str::to_owned);
    world.control(Request::UserRevoke { address: "romeo@example.org".into(), client })
}

#[test]
fn an_operator_sees_which_clients_have_tokens_and_takes_one_away() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let laptop = Token::get(&mut world, "romeo", LAPTOP, "HT-SHA-256-NONE");
    let lines = clients(&mut world);
    let said: Vec<&str> =
        lines.iter().filter_map(|line| line.split_once(' ')).map(|(_, said)| said).collect();
    assert_eq!(
        said,
        [
            "Swift on Phone, seen 2026-11-22, until 2026-12-22",
            "a client without a name, seen 2026-11-22, until 2026-12-22"
        ]
    );
    let (session, _) = token.log_in(&mut world, "romeo", &format!("{}{BIND}", fast("")));
    let name = lines[0].split(' ').next().expect("a name").to_owned();
    assert_eq!(revoke(&mut world, Some(&name)), Response::Done(vec![]));
    world.expect_stream_error(session, "not-authorized");
    assert!(!token.works(&mut world, "romeo", PHONE));
    assert!(laptop.works(&mut world, "romeo", LAPTOP));
    assert_eq!(
        revoke(&mut world, Some(&name)),
        Response::Failed(format!("romeo@example.org has no client {name}"))
    );
    assert_eq!(clients(&mut world).len(), 1);
}

// An answer may wait for long after the check.
#[test]
fn a_token_that_is_revoked_before_its_login_is_answered_gets_nobody_in() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let guess = Token { token: "a guess".into(), ..token.clone() };
    for _ in 0..6 {
        let (client, _) = stream(&mut world, "romeo", tls());
        world.send(client, &guess.authenticate("romeo", &fast("")));
        world.cut(client);
    }
    let (client, _) = stream(&mut world, "romeo", tls());
    world.send(client, &token.authenticate("romeo", &format!("{}{}", fast(""), request("HT-SHA-256-NONE"))));
    revoke(&mut world, None);
    world.advance(5000);
    world.expect(client, &failure("not-authorized"));
    assert!(clients(&mut world).is_empty());
}

#[test]
fn an_operator_takes_all_tokens_away() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    let laptop = Token::get(&mut world, "romeo", LAPTOP, "HT-SHA-256-NONE");
    let (other, _) = log_in(&mut world, "romeo", BIND);
    assert_eq!(revoke(&mut world, None), Response::Done(vec![]));
    assert_eq!(revoke(&mut world, None), Response::Done(vec![]));
    assert!(!token.works(&mut world, "romeo", PHONE) && !laptop.works(&mut world, "romeo", LAPTOP));
    assert!(clients(&mut world).is_empty());
    world.clear(other);
    world.expect_result(other, "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>");
}

#[test]
fn what_a_client_calls_itself_cannot_pass_for_something_else() {
    let mut world = World::new();
    let agent = "<user-agent id='x'><software>a\u{85}b\nc</software><device>é</device></user-agent>";
    Token::get(&mut world, "romeo", agent, "HT-SHA-256-NONE");
    assert!(clients(&mut world)[0].contains(" a b c on é, "), "{:?}", clients(&mut world));
}

// --- the disk ---

#[test]
fn a_token_is_on_disk_before_its_client_has_it() {
    let mut world = World::new();
    world.account("romeo");
    world.hold_commits();
    let (client, _) = stream(&mut world, "romeo", tls());
    let wishes = format!("{PHONE}{BIND}{}", request("HT-SHA-256-NONE"));
    world.send(client, &crate::sasl2::plain("romeo", "romeo's password", &wishes));
    world.expect_nothing(client);
    assert_eq!(world.core.all_sessions().count(), 0, "and before it has a session");
    world.commit();
    let token = Token::given(&world.receive(client), "HT-SHA-256-NONE").expect("a token");
    world.restart();
    assert!(token.works(&mut world, "romeo", PHONE));
}

#[test]
fn a_change_that_is_not_on_disk_yet_is_seen() {
    let (mut world, old) = stage("HT-SHA-256-NONE");
    world.advance(20 * DAY);
    let new =
        Token::given(&old.log_in(&mut world, "romeo", &fast("")).1, "HT-SHA-256-NONE").expect("a token");
    world.hold_commits();
    assert!(new.works(&mut world, "romeo", PHONE));
    assert!(!old.works(&mut world, "romeo", PHONE));
    assert!(new.works(&mut world, "romeo", PHONE));
}

#[test]
fn while_the_disk_refuses_tokens_still_log_in_and_none_are_given_or_taken() {
    let (mut world, token) = stage("HT-SHA-256-NONE");
    world.handle(Event::StoreStalled("full".into()));
    let (_, success) =
        token.log_in(&mut world, "romeo", &format!("{}{}", fast(""), request("HT-SHA-256-NONE")));
    assert_eq!(success.name, "success");
    assert!(success.find("token", FAST).is_none());
    let (_, end) = token.log_in(&mut world, "romeo", &fast("invalidate='true'"));
    assert_eq!(show(&end), failure("temporary-auth-failure"));
    assert!(token.works(&mut world, "romeo", PHONE));
}

//! Dialogues: what a client says and what it hears, the examples of the RFCs first.

use super::*;
use crate::password::{self, Keys, SALT_LENGTH};

const DOMAIN: &str = "example.org";
const SERVER_NONCE: &str = "3rfcNHYJY1ZVvWVs7j";

fn none() -> ChannelBinding {
    ChannelBinding::default()
}

fn both() -> ChannelBinding {
    ChannelBinding { exporter: Some([5; 32]), end_point: Some(vec![7; 32]) }
}

fn credentials(password: &str) -> Credentials {
    Credentials::derive(&password::prepare(password).unwrap(), [[1; SALT_LENGTH], [2; SALT_LENGTH]], 16)
}

fn start(mechanism: Mechanism, binding: &ChannelBinding) -> Exchange {
    Exchange::start(mechanism, binding, "", SERVER_NONCE.into(), DOMAIN)
}

/// What a message is answered with, in short.
fn said(step: Step) -> String {
    match step {
        Step::Lookup { username } => format!("lookup {username}"),
        Step::Challenge(data) => format!("challenge {}", String::from_utf8(data).unwrap()),
        Step::VerifyPlain { username, password } => format!("verify {username} {}", &*password),
        Step::VerifyToken { username, .. } => format!("verify the token of {username}"),
        Step::Success { username, data: None } => format!("success {username}"),
        Step::Success { username, data: Some(data) } => {
            format!("success {username} {}", String::from_utf8(data).unwrap())
        }
        Step::Failure(failure) => failure.name().to_owned(),
    }
}

/// What a first message without channel binding is answered with.
fn first(message: &str) -> String {
    said(start(Mechanism::ScramSha256, &none()).respond(message.as_bytes()))
}

/// What a client of this password does, from its first to its last message.
struct Client<'a> {
    mechanism: Mechanism,
    password: &'a str,
    gs2_header: &'a str,
    cbind_data: &'a [u8],
}

impl Client<'_> {
    /// A login to the account of the credentials; the last message goes through `tamper`.
    fn login(
        &self,
        exchange: &mut Exchange,
        account: &Credentials,
        tamper: impl Fn(String) -> String,
    ) -> String {
        let bare = "n=romeo,r=abc";
        let message = format!("{}{bare}", self.gs2_header);
        match exchange.respond(message.as_bytes()) {
            Step::Lookup { username } => assert_eq!(username, "romeo"),
            other => return said(other),
        }
        let Step::Challenge(server_first) = exchange.credentials(account) else { panic!("no challenge") };
        let server_first = String::from_utf8(server_first).unwrap();
        let attributes: Vec<&str> = server_first.split(',').collect();
        let [nonce, salt, iterations] = attributes[..] else { panic!("{server_first}") };
        let salt = STANDARD.decode(salt.strip_prefix("s=").unwrap()).unwrap();
        let iterations = iterations.strip_prefix("i=").unwrap().parse().unwrap();

        let hash = self.mechanism.scram_hash().unwrap();
        let mut salted = vec![0; hash.digest(b"").len()];
        match hash {
            Hash::Sha1 => {
                pbkdf2::pbkdf2_hmac::<sha1::Sha1>(self.password.as_bytes(), &salt, iterations, &mut salted)
            }
            Hash::Sha256 => {
                pbkdf2::pbkdf2_hmac::<sha2::Sha256>(self.password.as_bytes(), &salt, iterations, &mut salted)
            }
        }
        let client_key = hash.hmac(&salted, b"Client Key");
        let cbind_input = [self.gs2_header.as_bytes(), self.cbind_data].concat();
        let without_proof = format!("c={},{nonce}", STANDARD.encode(cbind_input));
        let auth_message = format!("{bare},{server_first},{without_proof}");
        let signature = hash.hmac(&hash.digest(&client_key), auth_message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let last = tamper(format!("{without_proof},p={}", STANDARD.encode(proof)));

        let outcome = said(exchange.respond(last.as_bytes()));
        let expected = hash.hmac(&hash.hmac(&salted, b"Server Key"), auth_message.as_bytes());
        match outcome.strip_prefix("success romeo v=") {
            Some(signature) if signature == STANDARD.encode(expected) => "success".to_owned(),
            _ => outcome,
        }
    }
}

/// RFC 5802 §5.
#[test]
fn scram_sha_1_goes_as_in_the_rfc() {
    let password = password::prepare("pencil").unwrap();
    let salt = STANDARD.decode("QSXCR+Q6sek8bf92").unwrap();
    let account = Credentials {
        sha1: Keys::derive(Hash::Sha1, &password, &salt, 4096),
        ..credentials("something else")
    };
    let mut exchange = start(Mechanism::ScramSha1, &none());
    assert_eq!(said(exchange.respond(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")), "lookup user");
    assert_eq!(
        said(exchange.credentials(&account)),
        "challenge r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
    );
    assert_eq!(
        said(
            exchange.respond(
                b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
            )
        ),
        "success user v=rmF9pqV8S7suAoZWja4dJRkFsKQ="
    );
}

/// RFC 7677 §3.
#[test]
fn scram_sha_256_goes_as_in_the_rfc() {
    let password = password::prepare("pencil").unwrap();
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let account = Credentials {
        sha256: Keys::derive(Hash::Sha256, &password, &salt, 4096),
        ..credentials("something else")
    };
    let nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".to_owned();
    let mut exchange = Exchange::start(Mechanism::ScramSha256, &none(), "", nonce, DOMAIN);
    assert_eq!(said(exchange.respond(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")), "lookup user");
    assert_eq!(
        said(exchange.credentials(&account)),
        "challenge r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    assert_eq!(
        said(exchange.respond(
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
              p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        )),
        "success user v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    );
}

#[test]
fn every_scram_logs_in_with_the_password_and_only_with_it() {
    let account = credentials("pencil");
    for mechanism in Mechanism::ALL.into_iter().filter(|mechanism| mechanism.scram_hash().is_some()) {
        let bindings: &[(&str, &[u8])] = match mechanism.plus() {
            true => &[("p=tls-exporter,,", &[5; 32]), ("p=tls-server-end-point,,", &[7; 32])],
            false => &[("n,,", &[]), ("n,a=romeo@example.org,", &[])],
        };
        for &(gs2_header, cbind_data) in bindings {
            let login = |password| {
                let client = Client { mechanism, password, gs2_header, cbind_data };
                client.login(&mut start(mechanism, &both()), &account, |last| last)
            };
            assert_eq!(login("pencil"), "success", "{mechanism:?} {gs2_header}");
            assert_eq!(login("Pencil"), "not-authorized", "{mechanism:?} {gs2_header}");
        }
    }
}

#[test]
fn an_unknown_user_goes_the_way_of_a_wrong_password() {
    let fake = Credentials::fake(&[9; 32], "romeo", 16);
    for mechanism in [Mechanism::ScramSha256, Mechanism::ScramSha1] {
        let client = Client { mechanism, password: "pencil", gs2_header: "n,,", cbind_data: &[] };
        assert_eq!(client.login(&mut start(mechanism, &none()), &fake, |last| last), "not-authorized");
    }
}

#[test]
fn a_login_in_another_tls_connection_is_refused() {
    let account = credentials("pencil");
    let mechanism = Mechanism::ScramSha256Plus;
    for gs2_header in ["p=tls-exporter,,", "p=tls-server-end-point,,"] {
        let client = Client { mechanism, password: "pencil", gs2_header, cbind_data: &[1; 32] };
        let outcome = client.login(&mut start(mechanism, &both()), &account, |last| last);
        assert_eq!(outcome, "not-authorized", "{gs2_header}");
    }
}

#[test]
fn channel_binding_needs_a_type_that_the_connection_has() {
    let first = |mechanism, binding: &ChannelBinding, message: &str| {
        said(start(mechanism, binding).respond(message.as_bytes()))
    };
    let plus = Mechanism::ScramSha256Plus;
    let only_exporter = ChannelBinding { end_point: None, ..both() };
    let only_end_point = ChannelBinding { exporter: None, ..both() };
    assert_eq!(first(plus, &only_exporter, "p=tls-exporter,,n=romeo,r=abc"), "lookup romeo");
    assert_eq!(first(plus, &only_end_point, "p=tls-server-end-point,,n=romeo,r=abc"), "lookup romeo");
    for (binding, flag) in [
        (&only_exporter, "p=tls-server-end-point"),
        (&only_end_point, "p=tls-exporter"),
        (&both(), "p=tls-unique"),
        (&both(), "p="),
        (&both(), "p"),
        (&both(), "tls-exporter"),
        (&both(), "P=tls-exporter"),
        (&none(), "p=tls-exporter"),
    ] {
        assert_eq!(first(plus, binding, &format!("{flag},,n=romeo,r=abc")), "malformed-request", "{flag}");
    }
}

#[test]
fn channel_binding_and_mechanism_go_together() {
    for (mechanism, flag) in [
        (Mechanism::ScramSha256Plus, "n"),
        (Mechanism::ScramSha256Plus, "y"),
        (Mechanism::ScramSha1Plus, "n"),
        (Mechanism::ScramSha256, "p=tls-exporter"),
        (Mechanism::ScramSha1, "p=tls-server-end-point"),
    ] {
        let message = format!("{flag},,n=romeo,r=abc");
        assert_eq!(
            said(start(mechanism, &both()).respond(message.as_bytes())),
            "malformed-request",
            "{flag}"
        );
    }
}

/// RFC 5802 §6: somebody took the mechanisms with channel binding out of our offer.
#[test]
fn a_client_that_did_not_see_our_offer_of_channel_binding_is_refused() {
    let first = |binding| said(start(Mechanism::ScramSha256, &binding).respond(b"y,,n=romeo,r=abc"));
    assert_eq!(first(both()), "not-authorized");
    assert_eq!(first(none()), "lookup romeo");
}

/// Somebody in the middle changed `y` or `p=…` into `n`, but can't change what the proof covers.
#[test]
fn the_flag_at_first_and_the_flag_at_last_are_the_same() {
    let account = credentials("pencil");
    let mechanism = Mechanism::ScramSha256;
    for lie in ["y,,", "p=tls-exporter,,", "n,a=romeo@example.org,"] {
        let client = Client { mechanism, password: "pencil", gs2_header: "n,,", cbind_data: &[] };
        let outcome = client.login(&mut start(mechanism, &none()), &account, |last| {
            last.replace("c=biws", &format!("c={}", STANDARD.encode(lie)))
        });
        assert_eq!(outcome, "not-authorized", "{lie}");
    }
}

#[test]
fn a_user_name_is_unescaped_and_prepared() {
    assert_eq!(first("n,,n=Romeo,r=abc"), "lookup romeo");
    assert_eq!(first("n,,n=Ｒomeo,r=abc"), "lookup romeo");
    assert_eq!(first("n,,n=a=2Cb=3Dc,r=abc"), "lookup a,b=c");
    assert_eq!(first("n,,n==3D2C,r=abc"), "lookup =2c");
    for escape in ["=", "=2", "=2c", "=3d", "=41", "a=", "==3D", "=2C="] {
        assert_eq!(first(&format!("n,,n={escape},r=abc")), "malformed-request", "{escape}");
    }
    // Nobody can have these names.
    for name in ["a b", "a@b", "a/b", "♚", &"a".repeat(1024)] {
        assert_eq!(first(&format!("n,,n={name},r=abc")), "not-authorized", "{name}");
    }
}

#[test]
fn nobody_acts_as_somebody_else() {
    for own in ["romeo@example.org", "Romeo@EXAMPLE.org", "romeo@example.org."] {
        assert_eq!(first(&format!("n,a={own},n=romeo,r=abc")), "lookup romeo", "{own}");
    }
    for other in [
        "juliet@example.org",
        "romeo@example.net",
        "romeo@example.org/balcony",
        "romeo",
        "example.org",
        "a b@",
    ] {
        assert_eq!(first(&format!("n,a={other},n=romeo,r=abc")), "invalid-authzid", "{other}");
    }
    for malformed in ["a=", "b=romeo@example.org", "romeo@example.org", "a=romeo=40example.org"] {
        assert_eq!(first(&format!("n,{malformed},n=romeo,r=abc")), "malformed-request", "{malformed}");
    }
}

#[test]
fn a_first_message_has_its_attributes_in_their_order() {
    for message in [
        "",
        ",",
        ",,",
        "n",
        "n,",
        "n,,",
        "n,,n=romeo",
        "n,,n=romeo,",
        "n,,n=romeo,r=",
        "n,,r=abc,n=romeo",
        "n,,n=,r=abc",
        "n,,N=romeo,r=abc",
        "n,n=romeo,r=abc",
        "x,,n=romeo,r=abc",
        "n ,,n=romeo,r=abc",
        ",,n=romeo,r=abc",
        "n,,n=romeo,r=a\u{e4}c",
        "n,,n=romeo,r=a c",
        "n,,n=romeo,r=abc,",
        "n,,n=romeo,r=abc,x",
        "n,,n=romeo,r=abc,x=",
        "n,,n=romeo,r=abc,1=2",
        "n,,n=romeo\0,r=abc",
    ] {
        assert_eq!(first(message), "malformed-request", "{message:?}");
    }
    assert_eq!(first("n,,n=romeo,r=abc,x=y,z=a=b"), "lookup romeo");
}

/// RFC 5802 §5.1: `m=` announces what must be understood.
#[test]
fn a_mandatory_extension_fails() {
    assert_eq!(first("n,,m=something,n=romeo,r=abc"), "malformed-request");
}

#[test]
fn a_last_message_has_its_attributes_in_their_order() {
    let account = credentials("pencil");
    let mechanism = Mechanism::ScramSha256;
    let outcome = |tamper: &dyn Fn(String) -> String| {
        let client = Client { mechanism, password: "pencil", gs2_header: "n,,", cbind_data: &[] };
        client.login(&mut start(mechanism, &none()), &account, tamper)
    };
    assert_eq!(outcome(&|last| last), "success");
    let malformed: [&dyn Fn(String) -> String; 13] = [
        &|_| String::new(),
        &|last| last.replace(",p=", ",q="),
        &|last| last.replace(",p=", ",p=*"),
        &|last| last.split_once(",p=").unwrap().0.to_owned(),
        &|last| format!("{},p=", last.split_once(",p=").unwrap().0),
        &|last| last.replace("c=biws,", ""),
        &|last| last.replace("c=biws", "c="),
        &|last| last.replace("c=biws", "c=biw"),
        &|last| last.replace("c=biws,r=", "r="),
        &|last| last.replace("r=abc", "r=abd"),
        &|last| last.replace(SERVER_NONCE, ""),
        &|last| last.replace(SERVER_NONCE, &format!("{SERVER_NONCE}x")),
        &|last| last.replace(",p=", ",x,p="),
    ];
    for (number, tamper) in malformed.into_iter().enumerate() {
        assert_eq!(outcome(tamper), "malformed-request", "{number}");
    }
    let unproven: [&dyn Fn(String) -> String; 6] = [
        &|last| last.replace(",p=", ",x=y,p="),
        &|last| format!("{},p=AAAA", last.split_once(",p=").unwrap().0),
        &|last| format!("{},p={}", last.split_once(",p=").unwrap().0, STANDARD.encode([0; 32])),
        // The right proof, and more.
        &|last| {
            let (before, proof) = last.split_once(",p=").unwrap();
            let proof = [STANDARD.decode(proof).unwrap(), vec![0; 3]].concat();
            format!("{before},p={}", STANDARD.encode(proof))
        },
        &|last| last.replace("c=biws", "c=eSws"),
        &|last| last.replace("c=biws", "c=biwsAAAA"),
    ];
    for (number, tamper) in unproven.into_iter().enumerate() {
        assert_eq!(outcome(tamper), "not-authorized", "{number}");
    }
}

#[test]
fn an_extension_of_the_last_message_is_covered_by_the_proof_and_otherwise_ignored() {
    let account = credentials("pencil");
    let mut exchange = start(Mechanism::ScramSha1, &none());
    exchange.respond(b"n,,n=romeo,r=abc");
    let Step::Challenge(server_first) = exchange.credentials(&account) else { panic!("no challenge") };
    let without_proof = format!("c=biws,r=abc{SERVER_NONCE},x=y");
    let auth_message = format!("n=romeo,r=abc,{},{without_proof}", String::from_utf8(server_first).unwrap());
    let mut salted = [0; 20];
    pbkdf2::pbkdf2_hmac::<sha1::Sha1>(b"pencil", &account.sha1.salt, account.sha1.iterations, &mut salted);
    let client_key = Hash::Sha1.hmac(&salted, b"Client Key");
    let signature = Hash::Sha1.hmac(&account.sha1.stored_key, auth_message.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    let last = format!("{without_proof},p={}", STANDARD.encode(proof));
    assert!(said(exchange.respond(last.as_bytes())).starts_with("success romeo v="));
}

#[test]
fn plain_hands_out_the_password_to_verify() {
    let begin = |message: &[u8]| {
        let mut exchange = start(Mechanism::Plain, &none());
        let said = said(exchange.respond(message));
        (exchange, said)
    };
    let (mut exchange, said_first) = begin(b"\0Romeo\0 Pencil");
    assert_eq!(said_first, "verify romeo  Pencil");
    assert_eq!(said(exchange.verified(true)), "success romeo");
    let (mut exchange, _) = begin(b"romeo@example.org\0romeo\0pencil");
    assert_eq!(said(exchange.verified(false)), "not-authorized");

    for message in
        [&b""[..], b"romeo", b"\0romeo", b"\0romeo\0", b"\0\0pencil", b"\0romeo\0pencil\0", b"\0romeo\0\xff"]
    {
        assert_eq!(begin(message).1, "malformed-request", "{message:?}");
    }
    for message in ["\0a b\0pencil", "\0romeo\0pen\ncil", &format!("\0romeo\0{}", "a".repeat(1025))] {
        assert_eq!(begin(message.as_bytes()).1, "not-authorized", "{message:?}");
    }
    for authzid in ["juliet@example.org", "romeo", "romeo@example.net", "romeo@example.org/balcony", "@"] {
        assert_eq!(begin(format!("{authzid}\0romeo\0pencil").as_bytes()).1, "invalid-authzid", "{authzid}");
    }
}

#[test]
fn an_exchange_goes_in_its_order_and_ends_once() {
    let account = credentials("pencil");
    let begin = |mechanism| start(mechanism, &none());
    // Out of turn.
    assert_eq!(said(begin(Mechanism::ScramSha1).credentials(&account)), "malformed-request");
    assert_eq!(said(begin(Mechanism::ScramSha1).verified(true)), "malformed-request");
    assert_eq!(said(begin(Mechanism::Plain).credentials(&account)), "malformed-request");
    assert_eq!(said(begin(Mechanism::Plain).verified(true)), "malformed-request");
    let mut exchange = begin(Mechanism::Plain);
    exchange.respond(b"\0romeo\0pencil");
    assert_eq!(said(exchange.respond(b"\0juliet\0pencil")), "malformed-request");
    assert_eq!(said(exchange.verified(true)), "malformed-request");
    let mut exchange = begin(Mechanism::ScramSha1);
    exchange.respond(b"n,,n=romeo,r=abc");
    assert_eq!(said(exchange.respond(b"n,,n=romeo,r=abc")), "malformed-request");
    assert_eq!(said(exchange.credentials(&account)), "malformed-request");

    // After the end.
    let mechanism = Mechanism::ScramSha1;
    for (password, end) in [("pencil", "success"), ("wrong", "not-authorized")] {
        let mut exchange = begin(mechanism);
        let client = Client { mechanism, password, gs2_header: "n,,", cbind_data: &[] };
        assert_eq!(client.login(&mut exchange, &account, |last| last), end);
        assert_eq!(client.login(&mut exchange, &account, |last| last), "malformed-request");
    }
}

#[test]
fn messages_are_bounded_and_utf_8() {
    let mut long = b"n,,n=romeo,r=".to_vec();
    long.resize(MAX_MESSAGE, b'a');
    let respond = |message: &[u8]| said(start(Mechanism::ScramSha1, &none()).respond(message));
    assert_eq!(respond(&long), "lookup romeo");
    long.push(b'a');
    assert_eq!(respond(&long), "malformed-request");
    assert_eq!(respond(b"n,,n=rom\xffeo,r=abc"), "malformed-request");
}

/// RFC 6120 §6.4.2 and §13.9.1.
#[test]
fn base64_is_strict() {
    assert_eq!(decode_initial(""), Ok(None));
    assert_eq!(decode_initial("="), Ok(Some(Vec::new())));
    assert_eq!(decode_initial("AGEAYg=="), Ok(Some(b"\0a\0b".to_vec())));
    assert_eq!(decode(""), Ok(Vec::new()));
    assert_eq!(decode("="), Ok(Vec::new()));
    for text in
        ["AGEAYg", "AGEAYg=", "AGEAYg===", "AGEAYh==", " AGEAYg==", "AGEA\nYg==", "AGEA-_==", "==", "A", "ä"]
    {
        assert_eq!(decode(text), Err(Failure::IncorrectEncoding), "{text:?}");
        assert_eq!(decode_initial(text), Err(Failure::IncorrectEncoding), "{text:?}");
    }
    assert_eq!(encode(b"\0a\0b"), "AGEAYg==");
}

#[test]
fn mechanisms_have_their_registered_names() {
    let names: Vec<&str> = Mechanism::ALL.into_iter().map(Mechanism::name).collect();
    assert_eq!(names, ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
    for mechanism in Mechanism::ALL {
        assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
        assert_eq!(mechanism.plus(), mechanism.name().ends_with("-PLUS"));
    }
    assert_eq!(Mechanism::from_name("DIGEST-MD5"), None);
    assert_eq!(Mechanism::from_name("plain"), None);
}

#[test]
fn channel_binding_types_are_those_of_the_connection() {
    assert_eq!(both().types().collect::<Vec<_>>(), ["tls-exporter", "tls-server-end-point"]);
    assert!(!both().is_empty() && none().is_empty());
    assert_eq!(
        ChannelBinding { exporter: None, ..both() }.types().collect::<Vec<_>>(),
        ["tls-server-end-point"]
    );
}

#[test]
fn a_step_prints_no_password() {
    let step = start(Mechanism::Plain, &none()).respond(b"\0romeo\0pencil");
    assert!(!format!("{step:?}").contains("pencil"));
}

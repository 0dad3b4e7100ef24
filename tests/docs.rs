//! docs/specifications.md: every specification that stube was written from, its version, and where. What features
//! implement is in `xep::ALL`; what the rest of the server implements is listed here.
//!
//! `STUBE_REFRESH=1 cargo test --test docs` writes the file anew; without it a stale one fails the test.

use std::fmt::Write;
use std::path::Path;

use stube::core::module::Spec;

const FILE: &str = "docs/specifications.md";
const REFRESH: &str = "STUBE_REFRESH=1 cargo test --test docs";

/// What is no module, by the file that says so.
const ELSEWHERE: &[(Spec, &str)] = &[
    (Spec::Rfc(4013, ""), "src/password.rs"),
    (Spec::Rfc(4616, ""), "src/stream/sasl/plain.rs"),
    (Spec::Rfc(5802, ""), "src/stream/sasl/scram.rs"),
    (Spec::Rfc(5929, "tls-server-end-point"), "src/stream/sasl/channel_binding.rs"),
    (Spec::Rfc(6120, "for clients"), "src/stream/c2s.rs"),
    (Spec::Rfc(6121, "§8"), "src/core/router.rs"),
    (Spec::Rfc(7590, ""), "src/net/certificate.rs"),
    (Spec::Rfc(7622, ""), "src/jid.rs"),
    (Spec::Rfc(7677, ""), "src/stream/sasl/scram.rs"),
    (Spec::Rfc(8264, ""), "src/precis.rs"),
    (Spec::Rfc(8265, ""), "src/precis.rs"),
    (Spec::Rfc(9266, ""), "src/stream/sasl/channel_binding.rs"),
    (Spec::Xep(4, "2.13.2"), "src/core/form.rs"),
    (Spec::Xep(59, "1.0"), "src/core/rsm.rs"),
    (Spec::Xep(68, "1.3.0"), "src/core/form.rs"),
    (Spec::Xep(82, "1.1.1"), "src/core/time.rs"),
    (Spec::Xep(86, "1.0"), "src/stanza/error.rs"),
    (Spec::Xep(198, "1.6.3"), "src/stream/xep0198_sm.rs"),
    (Spec::Xep(205, "1.0.2"), "src/core/limits.rs"),
    (Spec::Xep(352, "1.0.0"), "src/stream/xep0352_csi.rs"),
    (Spec::Xep(368, "1.1.0"), "src/net/certificate.rs"),
    (Spec::Xep(386, "1.1.0"), "src/stream/xep0386_bind2.rs"),
    (Spec::Xep(388, "1.0.4"), "src/stream/xep0388_sasl2.rs"),
    (Spec::Xep(440, "1.0.0"), "src/stream/features.rs"),
    (Spec::Xep(474, "0.5.0"), "src/stream/sasl/xep0474_downgrade.rs"),
    (Spec::Xep(478, "0.2.0"), "src/stream/features.rs"),
    (Spec::Xep(480, "0.2.0"), "src/stream/xep0480_upgrade.rs"),
    (Spec::Xep(484, "0.2.0"), "src/stream/xep0484_fast.rs"),
];

/// The titles.
const TITLES: &[(Kind, u16, &str)] = &[
    (Kind::Rfc, 3921, "XMPP: Instant Messaging and Presence (obsolete)"),
    (Kind::Rfc, 4013, "SASLprep"),
    (Kind::Rfc, 4616, "The PLAIN SASL Mechanism"),
    (Kind::Rfc, 5802, "SCRAM SASL and GSS-API Mechanisms"),
    (Kind::Rfc, 5929, "Channel Bindings for TLS"),
    (Kind::Rfc, 6120, "XMPP: Core"),
    (Kind::Rfc, 6121, "XMPP: Instant Messaging and Presence"),
    (Kind::Rfc, 7590, "Use of TLS in XMPP"),
    (Kind::Rfc, 7622, "XMPP: Address Format"),
    (Kind::Rfc, 7677, "SCRAM-SHA-256 and SCRAM-SHA-256-PLUS"),
    (Kind::Rfc, 8264, "PRECIS Framework"),
    (Kind::Rfc, 8265, "PRECIS: Usernames and Passwords"),
    (Kind::Rfc, 9266, "Channel Bindings for TLS 1.3"),
    (Kind::Xep, 4, "Data Forms"),
    (Kind::Xep, 12, "Last Activity"),
    (Kind::Xep, 30, "Service Discovery"),
    (Kind::Xep, 45, "Multi-User Chat"),
    (Kind::Xep, 48, "Bookmarks"),
    (Kind::Xep, 49, "Private XML Storage"),
    (Kind::Xep, 50, "Ad-Hoc Commands"),
    (Kind::Xep, 54, "vcard-temp"),
    (Kind::Xep, 59, "Result Set Management"),
    (Kind::Xep, 60, "Publish-Subscribe"),
    (Kind::Xep, 68, "Field Standardization for Data Forms"),
    (Kind::Xep, 77, "In-Band Registration"),
    (Kind::Xep, 82, "XMPP Date and Time Profiles"),
    (Kind::Xep, 84, "User Avatar"),
    (Kind::Xep, 86, "Error Condition Mappings"),
    (Kind::Xep, 92, "Software Version"),
    (Kind::Xep, 115, "Entity Capabilities"),
    (Kind::Xep, 128, "Service Discovery Extensions"),
    (Kind::Xep, 133, "Service Administration"),
    (Kind::Xep, 153, "vCard-Based Avatars"),
    (Kind::Xep, 157, "Contact Addresses for XMPP Services"),
    (Kind::Xep, 160, "Best Practices for Handling Offline Messages"),
    (Kind::Xep, 163, "Personal Eventing Protocol"),
    (Kind::Xep, 191, "Blocking Command"),
    (Kind::Xep, 198, "Stream Management"),
    (Kind::Xep, 199, "XMPP Ping"),
    (Kind::Xep, 202, "Entity Time"),
    (Kind::Xep, 203, "Delayed Delivery"),
    (Kind::Xep, 205, "Best Practices to Discourage Denial of Service Attacks"),
    (Kind::Xep, 249, "Direct MUC Invitations"),
    (Kind::Xep, 297, "Stanza Forwarding"),
    (Kind::Xep, 313, "Message Archive Management"),
    (Kind::Xep, 334, "Message Processing Hints"),
    (Kind::Xep, 359, "Unique and Stable Stanza IDs"),
    (Kind::Xep, 280, "Message Carbons"),
    (Kind::Xep, 297, "Stanza Forwarding"),
    (Kind::Xep, 352, "Client State Indication"),
    (Kind::Xep, 292, "vCard4 Over XMPP"),
    (Kind::Xep, 357, "Push Notifications"),
    (Kind::Xep, 222, "Persistent Storage of Public Data via PubSub"),
    (Kind::Xep, 223, "Persistent Storage of Private Data via PubSub"),
    (Kind::Xep, 368, "SRV records for XMPP over TLS"),
    (Kind::Xep, 386, "Bind 2"),
    (Kind::Xep, 388, "Extensible SASL Profile"),
    (Kind::Xep, 377, "Blocking Command Reports"),
    (Kind::Xep, 398, "User Avatar to vCard-Based Avatars Conversion"),
    (Kind::Xep, 402, "PEP Native Bookmarks"),
    (Kind::Xep, 410, "MUC Self-Ping (Schrödinger's Chat)"),
    (Kind::Xep, 411, "Bookmarks Conversion"),
    (Kind::Xep, 424, "Message Retraction"),
    (Kind::Xep, 425, "Moderated Message Retraction"),
    (Kind::Xep, 421, "Occupant Identifiers for Semi-Anonymous MUCs"),
    (Kind::Xep, 317, "Hats"),
    (Kind::Xep, 433, "Extended Channel Search"),
    (Kind::Xep, 486, "MUC Avatars"),
    (Kind::Xep, 500, "MUC Slow Mode"),
    (Kind::Xep, 502, "MUC Activity Indicator"),
    (Kind::Xep, 440, "SASL Channel-Binding Type Capability"),
    (Kind::Xep, 441, "Message Archive Management Preferences"),
    (Kind::Xep, 452, "MUC Mention Notifications"),
    (Kind::Xep, 474, "SASL SCRAM Downgrade Protection"),
    (Kind::Xep, 478, "Stream Limits Advertisement"),
    (Kind::Xep, 490, "Message Displayed Synchronization"),
    (Kind::Xep, 480, "SASL Upgrade Tasks"),
    (Kind::Xep, 484, "Fast Authentication Streamlining Tokens"),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Rfc,
    Xep,
}

fn kind_and_number(spec: Spec) -> (Kind, u16) {
    match spec {
        Spec::Rfc(number, _) => (Kind::Rfc, number),
        Spec::Xep(number, _) => (Kind::Xep, number),
    }
}

/// Every specification with its file.
fn specifications() -> Vec<(Spec, String)> {
    let modules = stube::xep::ALL.iter().flat_map(|module| {
        let file = file_of(module.name);
        module.specs.iter().map(move |spec| (*spec, file.clone()))
    });
    let elsewhere = ELSEWHERE.iter().map(|(spec, file)| (*spec, (*file).to_owned()));
    let mut all: Vec<(Spec, String)> = modules.chain(elsewhere).collect();
    all.sort_by_key(|(spec, file)| (kind_and_number(*spec), file.clone()));
    all
}

/// The file or directory of a module, by the name that they share.
fn file_of(module: &str) -> String {
    let entries = std::fs::read_dir("src/xep").unwrap().map(|entry| entry.unwrap().file_name());
    let mut names = entries.map(|name| name.into_string().unwrap());
    let is_its = |name: &String| name.trim_end_matches(".rs").ends_with(&format!("_{module}"));
    let name = names.find(is_its).unwrap_or_else(|| panic!("the module {module} has no file of its name"));
    let directory = Path::new("src/xep").join(&name).is_dir();
    format!("src/xep/{name}{}", if directory { "/mod.rs" } else { "" })
}

fn page() -> String {
    let mut page = format!(
        "# What stube implements\n\n<!-- Made from src/xep/mod.rs and tests/docs.rs by {REFRESH}; do not edit. -->\n\n\
         Each file says at its top what it does, what it stores and what it leaves out.\n"
    );
    for (kind, heading) in [(Kind::Rfc, "RFCs"), (Kind::Xep, "XEPs")] {
        let (which, base) = match kind {
            Kind::Rfc => ("Part", "https://www.rfc-editor.org/rfc/rfc"),
            Kind::Xep => ("Version", "https://xmpp.org/extensions/xep-"),
        };
        write!(page, "\n## {heading}\n\n| | Title | {which} | File |\n|---|---|---|---|\n").unwrap();
        let listed = specifications().into_iter().filter(|(spec, _)| kind_and_number(*spec).0 == kind);
        for (spec, file) in listed {
            let title = title(spec);
            let row = match spec {
                Spec::Rfc(number, part) => format!("[RFC {number}]({base}{number}) | {title} | {part}"),
                Spec::Xep(number, version) => {
                    format!("[XEP-{number:04}]({base}{number:04}.html) | {title} | {version}")
                }
            };
            writeln!(page, "| {row} | [{file}](../{file}) |").unwrap();
        }
    }
    page
}

fn title(spec: Spec) -> &'static str {
    let (kind, number) = kind_and_number(spec);
    let found = TITLES.iter().find(|(of, known, _)| (*of, *known) == (kind, number));
    found.unwrap_or_else(|| panic!("{spec:?} has no title in tests/docs.rs")).2
}

#[test]
fn the_list_of_specifications_is_current() {
    let page = page();
    if std::env::var_os("STUBE_REFRESH").is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(kept == page, "{FILE} is stale: {REFRESH}");
}

#[test]
fn a_file_names_the_specifications_that_it_is_listed_with() {
    for (spec, file) in specifications() {
        let name = match spec {
            Spec::Rfc(number, _) => format!("RFC {number}"),
            Spec::Xep(number, _) => format!("XEP-{number:04}"),
        };
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&name), "{file} does not name {name}");
    }
}

#[test]
fn a_feature_is_written_from_the_text_in_its_files_name() {
    for module in stube::xep::ALL {
        let file = file_of(module.name);
        let number: u16 = file["src/xep/xep".len()..][..4].parse().expect("a number");
        let is_its = |spec: &Spec| kind_and_number(*spec).1 == number;
        assert!(module.specs.iter().any(is_its), "{file} does not list {number} among its specifications");
    }
}

#[test]
fn every_title_is_of_something_that_is_listed() {
    let all = specifications();
    for (kind, number, title) in TITLES {
        assert!(
            all.iter().any(|(spec, _)| kind_and_number(*spec) == (*kind, *number)),
            "{title} is not listed"
        );
    }
}

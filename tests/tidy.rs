//! The rules of the house that a machine can check, by reading the sources.
//!
//! They are about words, and words can be hidden; the point is to notice what nobody meant to do. A rule that stands in
//! the way of something good may be changed, here, with a reason.

#[path = "tidy/manual.rs"]
mod manual;
#[path = "tidy/papers.rs"]
mod papers;
#[path = "tidy/source.rs"]
mod source;

use source::{Source, read, sources};

/// Which rooms each room knows. A room's name is its directory or file in `src/`.
const ROOMS: &[(&str, &[&str])] = &[
    ("xml", &[]),
    ("precis", &[]),
    ("jid", &["precis"]),
    ("password", &["precis"]),
    ("token", &["password"]),
    ("stanza", &["xml", "jid"]),
    ("config", &["jid"]),
    ("control", &[]),
    ("store", &["jid", "password", "token"]),
    ("core", &["xml", "jid", "password", "token", "stanza", "config", "control", "store", "xep"]),
    ("xep", &["xml", "jid", "password", "stanza", "config", "store", "core"]),
    ("stream", &["xml", "jid", "password", "token", "stanza", "config", "store", "core", "xep"]),
    ("net", &["xml", "jid", "password", "stanza", "config", "control", "store", "core", "xep", "stream"]),
    (
        "run",
        &[
            "xml", "jid", "password", "stanza", "config", "control", "store", "core", "xep", "stream", "net",
            "cmd",
        ],
    ),
    (
        "cmd",
        &[
            "xml", "jid", "password", "stanza", "config", "control", "store", "core", "xep", "stream", "net",
            "run",
        ],
    ),
    ("lib", &[]),
    ("main", &["cmd"]),
];

/// What the rooms without input and output never name: sockets, files, threads, TLS, the clock, the random source.
const OUTSIDE_WORLD: &[&str] = &[
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "socket2",
    "rustix",
    "libc",
    "fs",
    "thread",
    "rustls",
    "SystemTime",
    "Instant",
    "getrandom",
    "async",
    "await",
    "async_io",
    "async_executor",
];

/// Files in `src/xep/` that name another one there, and why.
const KNOWS_ANOTHER_FEATURE: &[(&str, &str, &str)] = &[];

fn in_rooms(rooms: &[&str]) -> Vec<Source> {
    sources("src").into_iter().filter(|source| rooms.contains(&source.room())).collect()
}

#[test]
fn a_room_knows_only_the_rooms_before_it() {
    for source in sources("src") {
        let room = source.room();
        let known = ROOMS.iter().find(|(name, _)| *name == room).map(|(_, known)| *known);
        let known =
            known.unwrap_or_else(|| panic!("{}: a new room: where does it belong in ROOMS?", source.path));
        for (line, name) in source.crate_paths() {
            let is_room = ROOMS.iter().any(|(room, _)| *room == name);
            assert!(
                !is_room || name == room || known.contains(&name.as_str()),
                "{}:{line}: {room} names {name}, which comes after it",
                source.path
            );
        }
    }
}

#[test]
fn protocol_rules_need_no_socket_no_clock_and_no_chance() {
    let mut pure =
        in_rooms(&["xml", "precis", "jid", "password", "token", "stanza", "stream", "core", "xep"]);
    pure.extend(sources("src").into_iter().filter(|source| source.path == "src/store/schema.rs"));
    for source in pure {
        for word in OUTSIDE_WORLD {
            source.forbid(word, "time, chance and input are arguments here");
        }
    }
}

#[test]
fn only_the_store_names_its_database() {
    for source in sources("src").iter().filter(|source| source.room() != "store") {
        source.forbid("redb", "only src/store/ does");
    }
}

#[test]
fn only_the_outer_rooms_are_async() {
    for source in sources("src").iter().filter(|source| !["net", "run", "cmd"].contains(&source.room())) {
        source.forbid("async", "only net, run and cmd are");
        source.forbid("await", "only net, run and cmd are");
    }
}

#[test]
fn only_the_registry_lists_modules() {
    for source in sources("src").iter().filter(|source| source.path != "src/xep/mod.rs") {
        assert!(!source.code.contains("&[Module]"), "{}: only src/xep/mod.rs lists modules", source.path);
    }
}

#[test]
fn a_feature_names_no_other_feature() {
    let features = sources("src").into_iter().filter_map(|source| source.feature()).collect::<Vec<_>>();
    for source in in_rooms(&["xep"]).iter().filter(|source| source.path != "src/xep/mod.rs") {
        for other in features.iter().filter(|other| source.feature().as_ref() != Some(other)) {
            let listed = |&&(from, to, _): &&(&str, &str, &str)| source.path.contains(from) && other == to;
            if !KNOWS_ANOTHER_FEATURE.iter().any(|exception| listed(&exception)) {
                source.forbid(other, "features meet in Core; an exception needs its reason in tests/tidy.rs");
            }
        }
    }
}

#[test]
fn every_feature_has_its_test_file() {
    let world = read("tests/world/main.rs");
    for feature in sources("src").iter().filter_map(Source::feature) {
        let file = format!("tests/{feature}.rs");
        assert!(std::path::Path::new(&file).exists(), "{file} is missing");
        assert!(world.contains(&format!("\"../{feature}.rs\"")), "tests/world/main.rs does not list {file}");
    }
}

#[test]
fn every_dialogue_is_run() {
    let world = read("tests/world/main.rs");
    for entry in std::fs::read_dir("tests").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".rs") && (name.starts_with("xep") || name.starts_with("rfc")) {
            assert!(world.contains(&format!("\"../{name}\"")), "tests/world/main.rs does not list {name}");
        }
    }
}

#[test]
fn a_feature_cites_the_sections_that_it_implements() {
    for source in sources("src").iter().filter(|source| source.feature().is_some()) {
        let has_tables_only = source.text.lines().count() < 20;
        assert!(has_tables_only || source.text.contains('§'), "{}: no section (§) is cited", source.path);
    }
}

#[test]
fn a_file_begins_by_saying_what_it_does() {
    for source in sources("src") {
        assert!(source.text.starts_with("//! "), "{}: begin with //! and what it does", source.path);
    }
}

#[test]
fn files_are_short() {
    for source in all_sources() {
        let lines = source.text.lines().count();
        assert!(lines <= 800, "{}: {lines} lines are usually two files", source.path);
    }
}

#[test]
fn nothing_is_left_for_later() {
    for source in all_sources() {
        for word in ["todo", "unimplemented", "dbg"] {
            source.forbid(&format!("{word}!"), "finish it");
        }
        source.forbid("ignore]", "a test that does not run is none");
    }
}

#[test]
fn nothing_unwraps_outside_of_tests() {
    for source in sources("src").iter().filter(|source| !source.path.contains("/tests")) {
        let code = source.code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let line = code.lines().position(|line| line.contains(".unwrap()"));
        assert!(
            line.is_none(),
            "{}:{}: say with expect() why it cannot fail",
            source.path,
            line.unwrap_or(0) + 1
        );
    }
}

#[test]
fn an_exception_from_a_lint_has_its_reason() {
    for source in all_sources() {
        for (number, line) in source.code.lines().enumerate() {
            let allows = line.contains("#[allow(") || line.contains("#![allow(");
            assert!(
                !allows || line.contains("reason = "),
                "{}:{}: allow(…, reason = …)",
                source.path,
                number + 1
            );
        }
    }
}

#[test]
fn the_changelog_has_room_for_the_next_change() {
    assert!(read("CHANGELOG.md").contains("\n## Unreleased\n"));
}

#[test]
fn every_dependency_is_explained() {
    let manifest = read("Cargo.toml");
    let table = read("ARCHITECTURE.md");
    let section =
        manifest.split("[dependencies]\n").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    for name in section.lines().filter_map(|line| line.split(" = ").next()).filter(|name| !name.is_empty()) {
        assert!(
            table.contains(&format!("| {name} |")),
            "ARCHITECTURE.md's table of dependencies lacks {name}"
        );
    }
}

fn all_sources() -> Vec<Source> {
    sources("src").into_iter().chain(sources("tests")).chain(sources("fuzz")).collect()
}

//! What the papers promise: their configurations are valid, their links lead somewhere, their commands exist.

use std::path::Path;

use stube::config::Config;

use super::source::read;

const PAPERS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/authentication.md",
    "docs/configuration.md",
    "docs/durability.md",
    "docs/rooms.md",
];

#[test]
fn the_configurations_in_the_papers_are_valid() {
    let mut seen = 0;
    for paper in PAPERS {
        for block in read(paper).split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            Config::parse(block, Path::new(paper)).unwrap();
            seen += 1;
        }
    }
    assert!(seen > 0, "the README has a configuration to begin with");
}

#[test]
fn links_between_the_papers_lead_somewhere() {
    for paper in PAPERS {
        let directory = Path::new(paper).parent().unwrap();
        for link in read(paper).split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_file = !link.is_empty() && !link.contains("://");
            assert!(!is_file || directory.join(link).exists(), "{paper} names {link}, which is not there");
        }
    }
}

#[test]
fn scripts_that_the_papers_name_are_there() {
    for paper in PAPERS {
        for word in read(paper).split([' ', '`', '\n', '(', ')', ',', ';']) {
            let is_script = ["packaging/", "systemd/", "tests/", "src/", "fuzz/", "benches/", "docs/"]
                .iter()
                .any(|directory| word.starts_with(directory));
            let is_pattern = word.contains(['*', 'N']);
            let file = word.trim_end_matches(['.', ':']);
            assert!(
                !is_script || is_pattern || Path::new(file).exists(),
                "{paper} names {file}, which is not there"
            );
        }
    }
}

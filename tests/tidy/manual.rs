//! The manual of the configuration, made from the comments in `src/config/mod.rs`; here it is kept current.
//!
//! `STUBE_REFRESH=1 cargo test --test tidy` writes the files anew; without it a stale one fails the test.

use std::path::Path;

use stube::config::{Config, Limit, Limits};

use super::source::read;

const SOURCE: &str = "src/config/mod.rs";
const REFRESH: &str = "STUBE_REFRESH=1 cargo test --test tidy";

/// A `[section]` of the file; the first has no name.
struct Section {
    name: String,
    /// There can be any number of it: `[[section]]`.
    repeats: bool,
    about: String,
    keys: Vec<Key>,
}

impl Section {
    /// As it is written in the file.
    fn heading(&self) -> String {
        if self.repeats { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

struct Key {
    name: String,
    about: String,
    /// As it is written in TOML; none, where there is none.
    default: Option<String>,
}

#[test]
fn the_manual_is_current() {
    let sections = sections();
    keep("docs/configuration.md", &markdown(&sections));
    keep("packaging/man/stube.toml.5", &man(&sections));
    keep("packaging/stube.toml", &example(&sections));
}

#[test]
fn the_defaults_in_the_manual_are_those_of_the_code() {
    let uncommented: String = example(&sections())
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned() + "\n"
        })
        .collect();
    let config = Config::parse(&uncommented, Path::new("packaging/stube.toml")).unwrap();
    assert_eq!(config, Config::for_domains(&["example.org"]));
}

#[test]
fn the_manual_lists_every_configuration_key() {
    for section in sections() {
        let invented = match section.name.as_str() {
            "" => "domain = \"a\"\nxyz = 1".to_owned(),
            _ => format!("domain = \"a\"\n{}\nxyz = 1", section.heading()),
        };
        // The error for an unknown key lists those that are known.
        let error = Config::parse(&invented, Path::new("x")).unwrap_err().message;
        let not_yet = ["s2s", "s2s_tls", "https", "http", "component", "xyz"];
        let known = error.split('`').skip(1).step_by(2).filter(|key| !not_yet.contains(key));
        for key in known {
            let has = section.keys.iter().any(|listed| listed.name == key);
            assert!(has || is_section(key), "{key} in [{}] is not in the manual", section.name);
        }
    }
}

#[test]
fn every_limit_can_be_reported_as_switched_off() {
    for key in sections().into_iter().find(|section| section.name == "limits").unwrap().keys {
        let text = format!("domain = \"a\"\nlimits.{} = 0", key.name);
        let limits: Limits = Config::parse(&text, Path::new("x")).unwrap().limits;
        assert_eq!(limits.switched_off(), [key.name.as_str()]);
    }
    assert_eq!(Limit::of(0), Limit::OFF);
}

#[test]
fn the_manual_page_of_the_program_has_every_command() {
    let page = read("packaging/man/stube.1").replace("\\-", "-");
    let user = ["user add", "user list", "user passwd", "user remove", "user clients", "user revoke"];
    let room = ["room list", "room show", "room delete"];
    for command in ["run", "try", "check", "version"].into_iter().chain(user).chain(room) {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--help");
        let help = std::process::Command::new(env!("CARGO_BIN_EXE_stube")).args(arguments).output().unwrap();
        assert!(help.status.success(), "there is no command {command}");
        assert!(page.contains(&format!(".B {command}")), "stube.1 lacks {command}");
    }
    for code in ["0", "1", "2", "70"] {
        assert!(page.contains(&format!(".TP\n.B {code}\n")), "stube.1 lacks the exit code {code}");
    }
}

fn is_section(name: &str) -> bool {
    sections().iter().any(|section| section.name == name)
}

/// Writes the file if that is asked for; fails if it is not as it should be.
fn keep(file: &str, content: &str) {
    if std::env::var_os("STUBE_REFRESH").is_some() {
        std::fs::create_dir_all(Path::new(file).parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    let current = std::fs::read_to_string(file).unwrap_or_default();
    assert!(current == content, "{file} is not made from today's {SOURCE}: run {REFRESH}");
}

/// Reads the structs of the configuration, in their order.
fn sections() -> Vec<Section> {
    let text = read(SOURCE);
    let (mut sections, mut names) =
        (Vec::<Section>::new(), vec![("Config".to_owned(), (String::new(), false))]);
    let (mut about, mut renamed) = (Vec::new(), None);
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            about.push(comment.trim());
        } else if let Some(name) = line.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix(" {")) {
            let name = names.iter().find(|(kind, _)| kind == name).map(|(_, name)| name.clone());
            let about = std::mem::take(&mut about).join("\n");
            sections.extend(name.map(|(name, repeats)| Section { name, repeats, about, keys: Vec::new() }));
        } else if let Some((name, kind)) = field(line) {
            let name = renamed.take().unwrap_or_else(|| name.to_owned());
            match std::mem::take(&mut about).join("\n").split_once("\n\nDefault: ") {
                Some((about, default)) => {
                    let default =
                        default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).map(str::to_owned);
                    sections.last_mut().unwrap().keys.push(Key { name, about: about.to_owned(), default });
                }
                None => {
                    let kind = kind.trim_end_matches(',');
                    let many = kind.strip_prefix("Vec<").and_then(|kind| kind.strip_suffix('>'));
                    names.push((many.unwrap_or(kind).to_owned(), (name, many.is_some())));
                }
            }
        } else if let Some(rest) = line.strip_prefix("#[serde(rename = \"") {
            renamed = rest.split('"').next().map(str::to_owned);
        } else if !line.starts_with("#[") {
            about.clear();
        }
    }
    assert_eq!(
        sections.len(),
        names.len(),
        "a section without its struct, or a key without its default: {names:?}"
    );
    sections
}

/// The name and the type of a public field.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, kind) = line.strip_prefix("pub ")?.split_once(": ")?;
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_').then_some((name, kind))
}

fn markdown(sections: &[Section]) -> String {
    let mut page = format!(
        "# The configuration\n\n<!-- Made from {SOURCE} by {REFRESH}; do not edit. -->\n\n\
         stube reads one file, `/etc/stube/stube.toml` or the one that `--config FILE` names. It is written in TOML. A file\n\
         with nothing but `domain = \"example.org\"` is complete. An unknown key, a wrong type or a value that makes no\n\
         sense is an error that names the line. `stube check` says what a configuration means.\n\n\
         After SIGHUP (`systemctl reload stube`) the file is read again; keys that need a restart say so.\n"
    );
    for section in sections {
        if !section.name.is_empty() {
            page += &format!("\n## `{}`\n\n{}\n", section.heading(), wrapped(&section.about, ""));
        }
        for key in &section.keys {
            let default = key.default.as_ref().map_or("none".into(), |default| format!("`{default}`"));
            page += &format!("\n### `{}`\n\n{}\n\nDefault: {default}\n", key.name, wrapped(&key.about, ""));
        }
    }
    page
}

fn man(sections: &[Section]) -> String {
    let mut page = format!(
        ".\\\" Made from {SOURCE} by {REFRESH}; do not edit.\n.TH STUBE.TOML 5\n.SH NAME\nstube.toml \\- the configuration of \
         stube\n.SH DESCRIPTION\n{}\n",
        roff(
            "The server stube reads one file, `/etc/stube/stube.toml` or the one that `--config FILE` names. It is written \
             in TOML. A file with nothing but `domain = \"example.org\"` is complete. After SIGHUP the file is read again; \
             keys that need a restart say so."
        )
    );
    for section in sections {
        if section.name.is_empty() {
            page += ".SH KEYS\n";
        } else {
            page += &format!(".SH {}\n{}\n", section.heading(), roff(&section.about));
        }
        for key in &section.keys {
            let default = key.default.as_ref().map_or("none".into(), |default| format!("`{default}`"));
            page +=
                &format!(".TP\n.B {}\n{}\n.br\nDefault: {}\n", key.name, roff(&key.about), roff(&default));
        }
    }
    page + ".SH SEE ALSO\n.BR stube (1)\n"
}

fn roff(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.replace('\\', "\\e").replace('-', "\\-").split('`').enumerate() {
        out += if index == 0 { "" } else { ["\\fR", "\\fB"][index % 2] };
        out += part;
    }
    // A line that began with a dot or an apostrophe would be a request; `\&` is nothing.
    let safe =
        |line: &str| if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() };
    out.replace("\n\n", "\n.PP\n")
        .lines()
        .map(|line| if line == ".PP" { line.into() } else { safe(line) })
        .collect::<Vec<_>>()
        .join("\n")
}

fn example(sections: &[Section]) -> String {
    let mut page = format!(
        "# The configuration of stube. Every key but `domain` may be left out; what stands here, behind a #,\n\
         # is what holds then. Check it with: stube check\n#\n# Made from {SOURCE} by {REFRESH}\n"
    );
    for section in sections {
        if !section.name.is_empty() {
            // One that may be there several times is not there at all at first.
            let shown = if section.repeats { "# " } else { "" };
            page += &format!("\n\n{}\n{shown}{}\n", wrapped(&section.about, "# "), section.heading());
        }
        for key in &section.keys {
            page += &format!("\n{}\n", wrapped(&key.about, "# "));
            page += &match &key.default {
                _ if key.name == "domain" && section.name.is_empty() => "domain = \"example.org\"\n".into(),
                Some(default) if section.repeats => format!("# {} = {default}\n", key.name),
                None if section.repeats => format!("# {} = \"…\"\n", key.name),
                Some(default) => format!("#{} = {default}\n", key.name),
                None => format!("# {} = \"/etc/stube/…\"\n", key.name),
            };
        }
    }
    page
}

/// Lines of at most 100 characters, each behind the prefix.
fn wrapped(text: &str, prefix: &str) -> String {
    let mut lines = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut line = prefix.to_owned();
        for word in paragraph.split_whitespace() {
            if line.len() > prefix.len() && line.chars().count() + 1 + word.chars().count() > 100 {
                lines.push(std::mem::replace(&mut line, prefix.to_owned()));
            }
            line += if line.len() > prefix.len() { " " } else { "" };
            line += word;
        }
        lines.push(line);
        lines.push(prefix.trim_end().to_owned());
    }
    lines.pop();
    lines.join("\n")
}

//! From a file to a [`Config`], with errors that an operator can act on: file, line, what is wrong, what to do.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::Config;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub file: PathBuf,
    pub line: Option<usize>,
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file; relative paths in it start at its directory.
    pub fn load(file: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
            file: file.into(),
            line: None,
            message: match error.kind() {
                std::io::ErrorKind::NotFound => {
                    "there is no such file; name another with --config FILE, or make this one: a single line \
                     domain = \"example.org\" is enough"
                        .into()
                }
                std::io::ErrorKind::InvalidData => "not a text file in UTF-8".into(),
                _ => format!("cannot be read: {error}"),
            },
        })?;
        let mut config = Config::parse(&text, file)?;
        let directory = file.parent().unwrap_or(Path::new(""));
        config.data = directory.join(&config.data);
        config.tls.certificate = config.tls.certificate.map(|path| directory.join(path));
        config.tls.key = config.tls.key.map(|path| directory.join(path));
        Ok(config)
    }

    /// Reads a configuration's text; `file` is for the messages.
    pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
        let error = |line, message: String| ConfigError { file: file.into(), line, message };
        let config: Config = toml::from_str(text).map_err(|e| {
            let message = e
                .message()
                .replace("unknown field", "unknown key")
                .replace("duplicate field", "duplicate key");
            error(e.span().map(|span| line_at(text, span.start)), message)
        })?;
        config.check_together().map_err(|(key, message)| error(line_of_key(text, key), message.into()))?;
        Ok(config)
    }

    /// What no single value shows: the key to blame, and why.
    fn check_together(&self) -> Result<(), (&'static str, &'static str)> {
        if self.domains.is_empty() {
            return Err(("domain", "no domain to serve; write one, such as domain = \"example.org\""));
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err(("tls", "certificate and key need each other; write both or none"));
        }
        if self.listen.c2s.is_empty() && self.listen.c2s_tls.is_empty() {
            return Err((
                "listen",
                "no address to listen on; write some for c2s or c2s_tls, or remove the keys",
            ));
        }
        if !self.standing_rooms.is_empty() && self.services.rooms.is_empty() {
            return Err(("room", "there is no service for rooms; give rooms a name in [services]"));
        }
        let mut addresses = BTreeSet::new();
        for room in &self.standing_rooms {
            if !room.domain.is_empty() && !self.serves(&room.domain) {
                return Err((
                    "room",
                    "a room is in a domain that is not served; write one of those in domain",
                ));
            }
            if !addresses.insert((self.domain_of(room), &room.name)) {
                return Err(("room", "two rooms have the same name; remove one, or give it another"));
            }
        }
        if let (Some(outbox), Some(stanza)) = (self.limits.outbox_bytes.get(), self.limits.stanza_bytes.get())
            && outbox < stanza
        {
            return Err((
                "limits",
                "outbox_bytes is smaller than stanza_bytes, so no large stanza could be delivered",
            ));
        }
        Ok(())
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

/// The line of a top-level key or section, where it is written in the usual way.
fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let names_it = |line: &str| {
        let rest = line.trim_start().trim_start_matches('[').trim_start();
        rest.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
    };
    text.lines().position(names_it).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Limit, Registration, RoomMembers};

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("stube.toml"))
    }

    fn error(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn a_domain_alone_is_complete() {
        let config = parse("domain = \"example.org\"").unwrap();
        assert_eq!(config, Config::for_domains(&["example.org"]));
        assert_eq!(config.registration, Registration::Closed);
        assert_eq!(config.listen.c2s, ["[::]:5222".parse().unwrap()]);
    }

    #[test]
    fn domains_are_prepared() {
        assert_eq!(parse("domain = \"Bücher.Example\"").unwrap().domains, ["bücher.example"]);
        assert_eq!(
            parse("domain = [\"a.example\", \"b.example\"]").unwrap().domains,
            ["a.example", "b.example"]
        );
    }

    #[test]
    fn an_error_names_its_line_and_what_to_do() {
        let cases = [
            (
                "domain = \"a\"\nregistartion = \"open\"",
                "stube.toml:2: unknown key `registartion`, expected one of ",
            ),
            (
                "domain = \"a\"\n[limits]\n\nstanza = 1",
                "stube.toml:4: unknown key `stanza`, expected one of ",
            ),
            (
                "domain = \"a\"\n[limits]\nstanza_bytes = \"1\"",
                "stube.toml:3: invalid type: string \"1\", expected u64",
            ),
            (
                "domain = \"a\"\n[limits]\nstanza_bytes = 9999",
                "stube.toml:3: 9999 is too small: RFC 6120 asks",
            ),
            (
                "domain = \"a\"\n[limits]\nroster_items = -1",
                "stube.toml:3: invalid value: integer `-1`, expected u64",
            ),
            ("domain = \"me@a\"", "stube.toml:1: \"me@a\" is not a domain; write one"),
            ("domain = [\"a\",\n \"A\"]", "stube.toml:1: \"A\" is here twice"),
            ("domain = 5", "stube.toml:1: expected a domain such as \"example.org\", or a list of domains"),
            ("domain = \"a\"\nadmins = [\"me\"]", "stube.toml:2: \"me\" is not the address of an account"),
            (
                "domain = \"a\"\nregistration = \"yes\"",
                "stube.toml:2: unknown variant `yes`, expected `closed` or `open`",
            ),
            (
                "domain = \"a\"\n[listen]\nc2s = [\"5222\"]",
                "stube.toml:3: \"5222\" is not an address with a port",
            ),
            (
                "domain = \"a\"\n[contact]\nabuse = [\"me@a\"]",
                "stube.toml:3: \"me@a\" is not a URI; write one",
            ),
            (
                "domain = \"a\"\n[log]\nlevel = \"loud\"",
                "stube.toml:3: \"loud\" is not a level; write \"error\"",
            ),
            (
                "domain = \"a\"\n[accounts]\nscram_iterations = 1",
                "stube.toml:3: 1 is not between 4096 and 1000000",
            ),
            ("domain = \"a\"\ndomain = \"b\"", "stube.toml:2: duplicate key"),
            ("domain = \"a", "stube.toml:1: "),
        ];
        for (text, start) in cases {
            assert!(error(text).starts_with(start), "{text:?} gave {}", error(text));
        }
    }

    #[test]
    fn what_fits_alone_but_not_together_is_refused() {
        assert_eq!(
            error("admins = []"),
            "stube.toml: no domain to serve; write one, such as domain = \"example.org\""
        );
        assert!(error("domain = []").starts_with("stube.toml:1: no domain to serve"));
        assert!(error("domain = \"a\"\n[tls]\nkey = \"k\"").starts_with("stube.toml:2: certificate and key"));
        assert!(
            error("domain = \"a\"\n[listen]\nc2s = []\nc2s_tls = []").starts_with("stube.toml:2: no address")
        );
        assert!(
            error("domain = \"a\"\n[limits]\noutbox_bytes = 10000").starts_with("stube.toml:2: outbox_bytes")
        );
    }

    #[test]
    fn a_room_has_a_name_of_its_own_and_members_who_can_be() {
        let room = |text: &str| format!("domain = [\"a.example\", \"b.example\"]\n[[room]]\n{text}");
        let config =
            parse(&room("name = \"Family\"\n[[room]]\nname = \"family\"\ndomain = \"b.example\"")).unwrap();
        let [first, second] = config.standing_rooms.as_slice() else { panic!("two rooms") };
        assert_eq!((first.name.as_str(), config.domain_of(first)), ("family", "a.example"));
        assert_eq!(config.domain_of(second), "b.example");
        assert_eq!((&first.members, first.autojoin), (&RoomMembers::Everyone, true));
        let listed = parse(&room("name = \"family\"\nmembers = [\"Juliet\", \"nurse@C.example\"]")).unwrap();
        let members = &listed.standing_rooms[0].members;
        assert_eq!(*members, RoomMembers::Listed(vec!["juliet".into(), "nurse@c.example".into()]));
        for (text, start) in [
            ("title = \"Family\"", "stube.toml:2: missing field `name`"),
            ("name = \"\"", "stube.toml:3: \"\" is not the name of a room"),
            ("name = \"a b\"", "stube.toml:3: \"a b\" is not the name of a room"),
            ("name = \"a\"\nmembers = \"juliet\"", "stube.toml:4: \"juliet\" is neither \"everyone\" nor"),
            ("name = \"a\"\nmembers = 5", "stube.toml:4: expected \"everyone\", or a list"),
            ("name = \"a\"\nowners = [\"@\"]", "stube.toml:4: \"@\" is not an account"),
            ("name = \"a\"\nnames = \"b\"", "stube.toml:4: unknown key `names`"),
            (
                "name = \"a\"\ndomain = \"c.example\"",
                "stube.toml:2: a room is in a domain that is not served",
            ),
            ("name = \"a\"\n[[room]]\nname = \"A\"", "stube.toml:2: two rooms have the same name"),
            ("name = \"a\"\n[services]\nrooms = \"\"", "stube.toml:2: there is no service for rooms"),
        ] {
            assert!(error(&room(text)).starts_with(start), "{text:?} gave {}", error(&room(text)));
        }
    }

    #[test]
    fn listeners_of_later_versions_are_refused_rather_than_ignored() {
        for key in ["s2s", "s2s_tls", "https", "http", "component"] {
            let message = error(&format!("domain = \"a\"\n[listen]\n{key} = [\"[::]:1\"]"));
            assert_eq!(message, "stube.toml:3: this listener is not in this version yet; remove the line");
        }
    }

    #[test]
    fn zero_switches_a_limit_off() {
        let limits = parse("domain = \"a\"\n[limits]\nstanza_bytes = 0\nlogin_seconds = 0").unwrap().limits;
        assert_eq!(limits.stanza_bytes, Limit::OFF);
        assert_eq!(limits.login_seconds.max_millis(), u64::MAX);
        assert_eq!(limits.roster_items.get(), Some(1000));
    }

    #[test]
    fn relative_paths_start_at_the_directory_of_the_file() {
        let directory = std::env::temp_dir().join(format!("stube-config-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("stube.toml");
        let text = "domain = \"a\"\ndata = \"d\"\n[tls]\ncertificate = \"/c\"\nkey = \"k\"";
        std::fs::write(&file, text).unwrap();
        let config = Config::load(&file);
        std::fs::remove_dir_all(&directory).unwrap();
        let config = config.unwrap();
        assert_eq!(config.data, directory.join("d"));
        assert_eq!(config.tls.certificate, Some("/c".into()));
        assert_eq!(config.tls.key, Some(directory.join("k")));
    }

    #[test]
    fn a_missing_file_says_how_to_make_one() {
        let message = Config::load(Path::new("/nowhere/stube.toml")).unwrap_err().to_string();
        assert!(
            message
                .starts_with("/nowhere/stube.toml: there is no such file; name another with --config FILE")
        );
    }
}

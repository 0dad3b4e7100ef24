//! From a file to a [`Config`], with errors that an operator can act on: file, line, what is wrong, what to do.

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

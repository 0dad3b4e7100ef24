//! The log: lines on standard error, for the journal or for people.
//!
//! Under systemd a line begins with its priority, as sd-daemon(3) says; elsewhere with the time. No text can begin a line
//! of its own: control characters are escaped in everything that is logged. What a peer has sent is logged as
//! [`Quoted`], so that nobody takes it for our words.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, LevelFilter, Log, Metadata, Record, error};
use x509_cert::der::DateTime;

/// What fits into a line of other people's text.
const MOST_QUOTED: usize = 200;

struct Journal {
    /// Standard error is the journal's.
    priorities: bool,
}

/// Starts logging, panics included; it can be called again to change the level.
pub fn start(level: LevelFilter) {
    log::set_max_level(level);
    let journal = Journal { priorities: is_journal() };
    if log::set_boxed_logger(Box::new(journal)).is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let payload = panic.payload();
            let message = payload.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
            let place = panic.location().map_or("nowhere".into(), ToString::to_string);
            error!("a bug: panic at {place}: {}", Quoted(message));
        }));
    }
}

/// systemd says in `JOURNAL_STREAM` which file is its journal: standard error may be another one.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let stderr = std::fs::metadata("/proc/self/fd/2");
    stderr.is_ok_and(|stderr| stream == format!("{}:{}", stderr.dev(), stderr.ino()))
}

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries have nothing to say about details that an operator could use.
        metadata.target().starts_with("stube") || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = self.line(record.level(), &record.args().to_string());
            // Where the log cannot be written, there is nobody to tell.
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

impl Journal {
    fn line(&self, level: Level, message: &str) -> String {
        let mut line = String::with_capacity(message.len() + 40);
        // Writing to a string cannot fail.
        let _ = if self.priorities {
            write!(line, "<{}>", priority(level))
        } else {
            write!(line, "{} {level:5} ", timestamp())
        };
        escape(message, &mut line);
        line.push('\n');
        line
    }
}

fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

fn timestamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTime::from_unix_duration(now).map_or_else(|_| now.as_secs().to_string(), |date| date.to_string())
}

fn escape(text: &str, line: &mut String) {
    for character in text.chars() {
        if is_harmless(character) {
            line.push(character);
        } else {
            line.extend(character.escape_default());
        }
    }
}

/// Characters that neither end a line nor change how the others look.
fn is_harmless(character: char) -> bool {
    let invisible = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !character.is_control() && !invisible
}

/// A peer's text in a line of the log.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut quoted = String::new();
        for character in self.0.chars().take(MOST_QUOTED) {
            match character {
                '"' | '\\' => quoted.extend(['\\', character]),
                _ => escape(character.encode_utf8(&mut [0; 4]), &mut quoted),
            }
        }
        let rest = if self.0.chars().nth(MOST_QUOTED).is_some() { "…" } else { "" };
        write!(f, "\"{quoted}\"{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_begin_a_line_of_its_own() {
        let journal = Journal { priorities: true };
        let line = journal.line(Level::Info, "hello\n<2>the house is on fire\r\u{2028}");
        assert_eq!(line, "<6>hello\\n<2>the house is on fire\\r\\u{2028}\n");
    }

    #[test]
    fn without_the_journal_a_line_begins_with_the_time() {
        let line = Journal { priorities: false }.line(Level::Warn, "careful");
        let (time, rest) = line.split_at(20);
        assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
        assert_eq!(rest, " WARN  careful\n");
    }

    #[test]
    fn quoted_text_shows_where_it_ends_and_is_not_long() {
        assert_eq!(Quoted("a \"b\"\n\u{1b}[2J").to_string(), r#""a \"b\"\n\u{1b}[2J""#);
        assert_eq!(Quoted(&"ä".repeat(201)).to_string(), format!("\"{}\"…", "ä".repeat(200)));
    }
}

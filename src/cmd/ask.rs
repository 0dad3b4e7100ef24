//! Asking for a password: on a terminal twice and without showing it, else one line of standard input.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use super::Failure;
use crate::password::{self, MAX_LENGTH, Password};

/// A new password for an account, prepared.
pub fn new_password(address: &str) -> Result<Password, Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("cannot read the password: {error}"));
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return prepared(&read_line(stdin.lock()).map_err(failed)?);
    }
    // Before the first prompt: an answer that comes quickly must not be shown either, nor lost.
    let silent = Silent::new().map_err(failed)?;
    let first = ask(&format!("New password for {address}: ")).map_err(failed)?;
    let again = ask("The same again: ").map_err(failed)?;
    drop(silent);
    if first != again {
        return Err(Failure::Failed("the two passwords differ; nothing was changed".into()));
    }
    prepared(&first)
}

fn prepared(text: &str) -> Result<Password, Failure> {
    password::prepare(text).map_err(|error| Failure::Failed(format!("{error}; nothing was changed")))
}

/// Asks on the terminal that is standard input.
fn ask(prompt: &str) -> io::Result<String> {
    eprint!("{prompt}");
    io::stderr().flush()?;
    let line = read_line(io::stdin().lock());
    eprintln!();
    line
}

/// A line without its end; a little more than a password may have, so that a longer one is noticed.
fn read_line(input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.take(MAX_LENGTH as u64 + 2).read_line(&mut line)?;
    let end = line.trim_end_matches('\n').trim_end_matches('\r').len();
    line.truncate(end);
    Ok(line)
}

/// While it lives, the terminal does not show what is typed.
struct Silent {
    before: Termios,
}

impl Silent {
    fn new() -> io::Result<Silent> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
        Ok(Silent { before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // There is nobody to tell, and nothing else to try.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_password_is_one_line_of_standard_input() {
        assert_eq!(read_line("with spaces \r\nrest".as_bytes()).unwrap(), "with spaces ");
        assert_eq!(read_line("no line feed".as_bytes()).unwrap(), "no line feed");
    }

    #[test]
    fn an_endless_line_is_too_long_rather_than_cut() {
        let line = read_line(io::BufReader::new(io::repeat(b'a').take(1 << 20))).unwrap();
        assert!(matches!(prepared(&line), Err(Failure::Failed(why)) if why.contains("more than 1024 bytes")));
    }
}

//! The command line: what can be said on it, and what the exit code says.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | failed: the reason is on standard error |
//! | 2 | the configuration or the command line is wrong; starting again without mending it changes nothing |
//! | 70 | a bug in stube |
//!
//! Commands about accounts, reports and rooms go to the running server through its control socket ([`crate::control`]);
//! without a server they are carried out on the database ([`offline`]).

pub mod ask;
mod check;
mod offline;
mod reports;
mod rooms;
mod run;
mod try_;
mod user;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use argh::FromArgs;

use crate::config::{Config, ConfigError};

/// stube, an XMPP server for the home
#[derive(FromArgs)]
struct Arguments {
    /// the configuration file (/etc/stube/stube.toml)
    #[argh(option, default = "PathBuf::from(\"/etc/stube/stube.toml\")", arg_name = "file")]
    config: PathBuf,

    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    Run(Run),
    Try(Try),
    Check(Check),
    User(user::User),
    Reports(reports::Reports),
    Room(rooms::Room),
    Version(Version),
}

/// run the server
#[derive(FromArgs)]
#[argh(subcommand, name = "run")]
struct Run {}

/// run a throwaway server on this machine, with two accounts, to look at
#[derive(FromArgs)]
#[argh(subcommand, name = "try")]
struct Try {}

/// check the configuration, and say what would be served
#[derive(FromArgs)]
#[argh(subcommand, name = "check")]
struct Check {}

/// print the version
#[derive(FromArgs)]
#[argh(subcommand, name = "version")]
struct Version {}

/// Why a command did not do what it was asked to; the text is a line for the operator.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    Failed(String),
    Configuration(String),
    Bug(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Configuration(error.to_string())
    }
}

/// Carries out the command line.
pub fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|text| text.to_string_lossy().into()).collect();
    let arguments = global_options_first(arguments);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match Arguments::from_args(&["stube"], &arguments) {
        Ok(arguments) => arguments.command.carry_out(&arguments.config),
        Err(argh::EarlyExit { output, status: Ok(()) }) => {
            println!("{}", output.trim_end());
            Ok(())
        }
        Err(argh::EarlyExit { output, .. }) => {
            Err(Failure::Configuration(format!("{}; see stube --help", output.trim_end())))
        }
    };
    let (code, message) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => (1, message),
        Err(Failure::Configuration(message)) => (2, message),
        Err(Failure::Bug(message)) => (70, message),
    };
    eprintln!("stube: {message}");
    ExitCode::from(code)
}

impl Command {
    fn carry_out(self, file: &Path) -> Result<(), Failure> {
        match self {
            Command::Run(_) => run::run(file),
            Command::Try(_) => try_::run(),
            Command::Check(_) => check::run(file),
            Command::User(user) => user.run(&Config::load(file)?),
            Command::Reports(reports) => reports.run(&Config::load(file)?),
            Command::Room(room) => room.run(&Config::load(file)?),
            Command::Version(_) => {
                println!("stube {}", env!("CARGO_PKG_VERSION"));
                Ok(())
            }
        }
    }
}

/// `--config FILE` may stand anywhere; the parser wants it in front of the command.
fn global_options_first(arguments: Vec<String>) -> Vec<String> {
    let (mut front, mut rest) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--config=") {
            Some(file) => front.extend(["--config".into(), file.into()]),
            None if argument == "--config" => front.extend([argument].into_iter().chain(arguments.next())),
            None => rest.push(argument),
        }
    }
    front.extend(rest);
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(arguments: &str) -> String {
        global_options_first(arguments.split(' ').map(String::from).collect()).join(" ")
    }

    #[test]
    fn the_configuration_can_be_named_anywhere() {
        assert_eq!(ordered("user add a@b --config f"), "--config f user add a@b");
        assert_eq!(ordered("run --config=f"), "--config f run");
        assert_eq!(ordered("--config f run"), "--config f run");
        assert_eq!(ordered("run --config"), "--config run");
    }

    #[test]
    fn a_password_is_not_an_argument() {
        let with_password = ["user", "add", "me@example.org", "secret"];
        assert!(Arguments::from_args(&["stube"], &with_password).is_err_and(|exit| exit.status.is_err()));
        assert!(Arguments::from_args(&["stube"], &with_password[..3]).is_ok());
    }
}

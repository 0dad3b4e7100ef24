//! `stube user …`: accounts, through the running server or, without one, in the database.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use argh::FromArgs;

use super::{Failure, ask, offline};
use crate::config::Config;
use crate::control::{Request, Response};
use crate::jid::Jid;

/// add, list, change and remove accounts
#[derive(FromArgs)]
#[argh(subcommand, name = "user")]
pub struct User {
    #[argh(subcommand)]
    action: Action,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Action {
    Add(Add),
    List(List),
    Passwd(Passwd),
    Remove(Remove),
    Clients(Clients),
    Revoke(Revoke),
}

/// make an account; the password is asked for, or read from standard input
#[derive(FromArgs)]
#[argh(subcommand, name = "add")]
struct Add {
    /// such as juliet@example.org, or juliet alone for the first domain
    #[argh(positional)]
    address: String,
}

/// list the accounts, one a line
#[derive(FromArgs)]
#[argh(subcommand, name = "list")]
struct List {}

/// change a password, which is asked for, or read from standard input
#[derive(FromArgs)]
#[argh(subcommand, name = "passwd")]
struct Passwd {
    /// such as juliet@example.org, or juliet alone for the first domain
    #[argh(positional)]
    address: String,
}

/// remove an account with everything that it has
#[derive(FromArgs)]
#[argh(subcommand, name = "remove")]
struct Remove {
    /// such as juliet@example.org, or juliet alone for the first domain
    #[argh(positional)]
    address: String,
}

/// list the clients that can log in without the password, one a line
#[derive(FromArgs)]
#[argh(subcommand, name = "clients")]
struct Clients {
    /// such as juliet@example.org, or juliet alone for the first domain
    #[argh(positional)]
    address: String,
}

/// let clients log in with nothing but the password again, and end their sessions
#[derive(FromArgs)]
#[argh(subcommand, name = "revoke")]
struct Revoke {
    /// such as juliet@example.org, or juliet alone for the first domain
    #[argh(positional)]
    address: String,

    /// one client, by its first word in "stube user clients"; else all
    #[argh(positional)]
    client: Option<String>,
}

impl User {
    pub fn run(self, config: &Config) -> Result<(), Failure> {
        let request = self.action.request(config)?;
        let lines = carry_out(config, &request)?;
        what_was_done(&request).into_iter().chain(lines).for_each(|line| println!("{line}"));
        Ok(())
    }
}

/// Lets the running server do it or, without one, does it in the database.
pub fn carry_out(config: &Config, request: &Request) -> Result<Vec<String>, Failure> {
    let response = match ask_server(config, request)? {
        Some(response) => response,
        None => offline::carry_out(config, request)?,
    };
    match response {
        Response::Done(lines) => Ok(lines),
        Response::Failed(why) => Err(Failure::Failed(why)),
    }
}

impl Action {
    fn request(&self, config: &Config) -> Result<Request, Failure> {
        Ok(match self {
            Action::List(_) => Request::UserList,
            Action::Remove(Remove { address }) => Request::UserRemove { address: account(config, address)? },
            Action::Clients(Clients { address }) => {
                Request::UserClients { address: account(config, address)? }
            }
            Action::Revoke(Revoke { address, client }) => {
                Request::UserRevoke { address: account(config, address)?, client: client.clone() }
            }
            Action::Add(Add { address }) => {
                let address = account(config, address)?;
                let password = ask::new_password(&address)?.to_string();
                Request::UserAdd { address, password }
            }
            Action::Passwd(Passwd { address }) => {
                let address = account(config, address)?;
                let password = ask::new_password(&address)?.to_string();
                Request::UserPasswd { address, password }
            }
        })
    }
}

fn what_was_done(request: &Request) -> Option<String> {
    match request {
        Request::UserAdd { address, .. } => Some(format!("{address} was added")),
        Request::UserPasswd { address, .. } => Some(format!("{address} has a new password")),
        Request::UserRemove { address } => Some(format!("{address} was removed")),
        Request::UserRevoke { address, client: None } => {
            Some(format!("{address} has no client with a token"))
        }
        Request::UserRevoke { address, client: Some(client) } => {
            Some(format!("{address} has no client {client} with a token any more"))
        }
        _ => None,
    }
}

/// The address of an account of this server, prepared.
fn account(config: &Config, text: &str) -> Result<String, Failure> {
    let first_domain = || config.domains.first().map(String::as_str).unwrap_or_default();
    let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@{}", first_domain()) };
    let jid = Jid::parse(&whole).map_err(|error| Failure::Failed(format!("{text:?}: {error}")))?;
    if jid.local().is_none() || jid.is_full() {
        return Err(Failure::Failed(format!(
            "{text:?} is not the address of an account, such as me@{}",
            first_domain()
        )));
    }
    if !config.serves(jid.domain()) {
        let served = config.domains.join(", ");
        return Err(Failure::Failed(format!(
            "{} is not served here; the configuration has {served}",
            jid.domain()
        )));
    }
    Ok(jid.to_string())
}

/// The running server's answer; `None` if no server runs.
pub fn ask_server(config: &Config, request: &Request) -> Result<Option<Response>, Failure> {
    let path = config.control_socket();
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let mut socket = match UnixStream::connect(&path) {
        Ok(socket) => socket,
        Err(error) if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) => {
            return Ok(None);
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let hint = "permission denied; run this as the user that runs stube, or as root";
            return Err(Failure::Failed(format!("{}: {hint}", path.display())));
        }
        Err(error) => return Err(failed(error)),
    };
    // Long enough for a slow machine to derive a password's keys while others log in.
    socket.set_read_timeout(Some(Duration::from_secs(60))).map_err(failed)?;
    socket.write_all(&request.encode()).map_err(failed)?;
    socket.shutdown(Shutdown::Write).map_err(failed)?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).map_err(failed)?;
    match Response::decode(&answer) {
        Some(response) => Ok(Some(response)),
        None => Err(Failure::Failed(
            "the server ended before it answered; whether it did anything is not known".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_prepared_and_may_leave_out_the_first_domain() {
        let config = Config::for_domains(&["example.org", "example.net"]);
        assert_eq!(account(&config, "Juliet").unwrap(), "juliet@example.org");
        assert_eq!(account(&config, "Juliet@Example.NET").unwrap(), "juliet@example.net");
    }

    #[test]
    fn an_address_that_cannot_be_an_account_here_is_refused() {
        let config = Config::for_domains(&["example.org"]);
        for text in ["juliet@example.net", "juliet@example.org/balcony", "", "@example.org", "a b"] {
            assert!(account(&config, text).is_err(), "{text}");
        }
    }
}

//! `stube room …`: the rooms, through the running server or, without one, in the database.

use argh::FromArgs;

use super::{Failure, user};
use crate::config::Config;
use crate::control::Request;
use crate::jid::Jid;

/// list, show and delete rooms
#[derive(FromArgs)]
#[argh(subcommand, name = "room")]
pub struct Room {
    #[argh(subcommand)]
    action: Action,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Action {
    List(List),
    Show(Show),
    Delete(Delete),
}

/// list the rooms, one a line
#[derive(FromArgs)]
#[argh(subcommand, name = "list")]
struct List {}

/// show what a room is, who is in it and who belongs to it
#[derive(FromArgs)]
#[argh(subcommand, name = "show")]
struct Show {
    /// such as family@conference.example.org, or family alone for the first domain
    #[argh(positional)]
    address: String,
}

/// remove a room with everything that it has
#[derive(FromArgs)]
#[argh(subcommand, name = "delete")]
struct Delete {
    /// such as family@conference.example.org, or family alone for the first domain
    #[argh(positional)]
    address: String,
}

impl Room {
    pub fn run(self, config: &Config) -> Result<(), Failure> {
        let (request, done) = match self.action {
            Action::List(_) => (Request::RoomList, None),
            Action::Show(Show { address }) => (Request::RoomShow { address: room(config, &address)? }, None),
            Action::Delete(Delete { address }) => {
                let address = room(config, &address)?;
                let done = format!("{address} was removed");
                (Request::RoomDelete { address }, Some(done))
            }
        };
        let lines = user::carry_out(config, &request)?;
        done.into_iter().chain(lines).for_each(|line| println!("{line}"));
        Ok(())
    }
}

/// The address of a room of this server, prepared.
fn room(config: &Config, text: &str) -> Result<String, Failure> {
    let services = config.room_services();
    let first = services.first().ok_or_else(|| {
        Failure::Failed("there is no service for rooms: see rooms in the section [services]".into())
    })?;
    let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@{first}") };
    let jid = Jid::parse(&whole).map_err(|error| Failure::Failed(format!("{text:?}: {error}")))?;
    if jid.local().is_none() || jid.is_full() || !services.iter().any(|service| service == jid.domain()) {
        return Err(Failure::Failed(format!(
            "{text:?} is not the address of a room, such as family@{first}"
        )));
    }
    Ok(jid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_prepared_and_may_leave_out_the_first_service() {
        let config = Config::for_domains(&["example.org", "example.net"]);
        assert_eq!(room(&config, "Family").unwrap(), "family@conference.example.org");
        let elsewhere = "family@conference.example.net";
        assert_eq!(room(&config, "Family@Conference.Example.NET").unwrap(), elsewhere);
    }

    #[test]
    fn what_cannot_be_a_room_here_is_refused() {
        let mut config = Config::for_domains(&["example.org"]);
        for text in ["family@example.org", "family@conference.example.org/me", "", "a b"] {
            assert!(room(&config, text).is_err(), "{text}");
        }
        config.services.rooms = String::new();
        assert!(room(&config, "family").is_err());
    }
}

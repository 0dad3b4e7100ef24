//! What a client knows of a room, from nothing but what it was told.

use std::collections::{BTreeMap, BTreeSet};

use stube::xml::Element;

use crate::rooms::{codes, item};

/// A room, as somebody's client shows it.
#[derive(Default)]
pub struct View {
    /// The nick under which it is in the room; `None`: it is not.
    pub nick: Option<String>,
    /// Who is there, by their nicks.
    pub people: BTreeMap<String, Seen>,
    /// The last message that was said while it was there.
    last: Option<usize>,
    /// All messages that it has got.
    pub heard: BTreeSet<usize>,
}

/// What is seen of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub affiliation: String,
    pub role: String,
    pub id: String,
    pub status: String,
}

impl View {
    /// Takes a presence from the room.
    pub fn take(&mut self, nick: &str, presence: &Element) -> Result<(), String> {
        let codes = codes(presence);
        let own = codes.iter().any(|code| code == "110");
        match presence.get_attr("type") {
            None => {
                self.people.insert(nick.to_owned(), Seen::of(presence));
                if own {
                    if self.nick.is_none() {
                        self.last = None;
                    }
                    self.nick = Some(nick.to_owned());
                }
            }
            Some("unavailable") => {
                let known = self.people.remove(nick).is_some();
                match item(presence, "nick").filter(|_| codes.iter().any(|code| code == "303")) {
                    Some(new) if own => self.nick = Some(new),
                    Some(_) => {}
                    None if own => *self = View { heard: std::mem::take(&mut self.heard), ..View::default() },
                    None => {}
                }
                if !known && self.nick.is_some() {
                    return Err(format!("{nick} goes who was never there"));
                }
            }
            // Something was refused: nothing has changed.
            Some(_) => {}
        }
        Ok(())
    }

    /// Takes a message with this number that was said while the client was there.
    pub fn hear(&mut self, number: usize) -> Result<(), String> {
        self.heard.insert(number);
        match self.last.replace(number) {
            Some(last) if last >= number => Err(format!("message {number} comes behind {last}")),
            _ => Ok(()),
        }
    }
}

impl Seen {
    fn of(presence: &Element) -> Seen {
        let id = presence.find("occupant-id", "urn:xmpp:occupant-id:0");
        let status = presence.find("status", "jabber:client").map(Element::text_content);
        Seen {
            affiliation: item(presence, "affiliation").unwrap_or_default(),
            role: item(presence, "role").unwrap_or_default(),
            id: id.and_then(|id| id.get_attr("id")).unwrap_or_default().to_owned(),
            status: status.unwrap_or_default(),
        }
    }
}

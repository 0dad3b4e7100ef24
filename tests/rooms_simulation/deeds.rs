//! What guests do in rooms.

use super::{House, NICKS, PEOPLE, ROOMS, STRANGERS, Said, jid};
use crate::rooms::{ADMIN, MUC, OWNER, USER};
use crate::world::try_stanza;
use stube::core::Event;
use stube::store::record::Role;

const AFFILIATIONS: [&str; 5] = ["outcast", "none", "member", "admin", "owner"];
const ROLES: [&str; 4] = ["none", "visitor", "participant", "moderator"];

impl House {
    fn say(&mut self, at: usize, stanza: &str) {
        let guest = &self.guests[at];
        let address = guest.address.clone();
        match guest.client {
            Some(client) => {
                self.note(format!("{address} sends {stanza}"));
                self.world.send(client, stanza);
            }
            None => {
                let stanza = stanza.replacen(" to=", &format!(" from='{address}' to="), 1);
                self.note(format!("from elsewhere: {stanza}"));
                if let Some(stanza) = try_stanza(&stanza) {
                    self.world.handle(Event::Remote(stanza));
                }
            }
        }
    }

    pub fn everyone_enters(&mut self) {
        for room in ROOMS {
            for at in (0..self.guests.len()).rev() {
                if !self.chance.one_in(4) {
                    self.enters(at, room);
                }
            }
        }
    }

    pub fn someone_enters(&mut self) {
        let Some(at) = self.someone() else { return };
        let room = self.chance.pick(&ROOMS);
        self.enters(at, room);
    }

    fn enters(&mut self, at: usize, room: &str) {
        let nick = self.chance.pick(&NICKS);
        let password = if self.chance.one_in(4) { "" } else { "<password>secret</password>" };
        let history = self.chance.pick(&["", "<history maxstanzas='0'/>", "<history maxchars='0'/>"]);
        let status = self.status();
        self.say(
            at,
            &format!(
                "<presence to='{room}/{nick}'>{status}<x xmlns='{MUC}'>{password}{history}</x></presence>"
            ),
        );
        let new = self.world.core.room(&jid(room)).is_ok_and(|room| room.record.locked);
        if new && !self.chance.one_in(10) {
            self.say(at, &format!("<iq type='set' id='open' to='{room}'><query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='submit'/></query></iq>"));
        }
    }

    fn status(&mut self) -> String {
        match self.chance.below(3) {
            0 => String::new(),
            number => format!("<status>status {number}</status>"),
        }
    }

    pub fn someone_says_something(&mut self) {
        let Some(at) = self.someone() else { return };
        let (room, number) = (self.chance.pick(&ROOMS), self.said.len());
        let state = self.world.core.loaded_room(&jid(room));
        let devices = state.into_iter().flat_map(|room| room.occupants.iter()).flat_map(|o| &o.devices);
        let audience = devices.map(|device| device.jid.to_string()).collect();
        self.said.push(Said { room, audience, private: false, heard: false });
        let padding = if self.chance.one_in(20) { "x".repeat(20_000) } else { String::new() };
        self.say(
            at,
            &format!("<message id='m{number}' type='groupchat' to='{room}'><body>{number} {padding}</body></message>"),
        );
    }

    pub fn someone_whispers(&mut self) {
        let Some(at) = self.someone() else { return };
        let (room, nick, number) = (self.chance.pick(&ROOMS), self.chance.pick(&NICKS), self.said.len());
        let state = self.world.core.loaded_room(&jid(room));
        let devices = state.and_then(|room| room.occupants.get(nick)).into_iter().flat_map(|o| &o.devices);
        let audience = devices.map(|device| device.jid.to_string()).collect();
        self.said.push(Said { room, audience, private: true, heard: false });
        let kind = self.chance.pick(&["chat", "chat", "normal"]);
        self.say(
            at,
            &format!(
                "<message id='m{number}' type='{kind}' to='{room}/{nick}'><body>{number}</body><x xmlns='{USER}'/></message>"
            ),
        );
    }

    /// Mostly somebody who rules in this room.
    fn someone_in(&mut self, room: &str) -> Option<usize> {
        let state = self.world.core.loaded_room(&jid(room));
        let rules = |address: &str| {
            let occupant = state.and_then(|room| room.occupants.of(&jid(address)));
            occupant.is_some_and(|occupant| occupant.role == Role::Moderator)
        };
        let rulers: Vec<usize> = (0..self.guests.len())
            .filter(|at| !self.guests[*at].is_away() && rules(&self.guests[*at].address))
            .collect();
        if rulers.is_empty() || self.chance.one_in(4) {
            self.someone()
        } else {
            Some(self.chance.pick(&rulers))
        }
    }

    pub fn someone_does_something(&mut self) {
        let (room, nick) = (self.chance.pick(&ROOMS), self.chance.pick(&NICKS));
        let Some(at) = self.someone_in(room) else { return };
        let status = self.status();
        match self.chance.below(30) {
            0..=1 => self.say(at, &format!("<presence type='unavailable' to='{room}/{nick}'/>")),
            2 => self.say(at, &format!("<presence type='unavailable' to='{room}'/>")),
            // Without the `<x/>`: another nick, or another status.
            3..=6 => self.say(at, &format!("<presence to='{room}/{nick}'>{status}</presence>")),
            7..=11 => self.change_role(at, room),
            12..=18 => self.change_affiliation(at, room),
            19..=24 => self.configure(at, room),
            25 => self.invite(at, room),
            26 => self.say(
                at,
                &format!("<message type='groupchat' id='s' to='{room}'><subject>{nick}</subject></message>"),
            ),
            27 if self.chance.one_in(3) => self.destroy(at, room),
            28 => self.everywhere(at),
            _ => self.odd(at, room, nick),
        }
    }

    fn change_role(&mut self, at: usize, room: &str) {
        let items: String = (0..1 + self.chance.below(2))
            .map(|_| {
                format!("<item nick='{}' role='{}'/>", self.chance.pick(&NICKS), self.chance.pick(&ROLES))
            })
            .collect();
        self.say(
            at,
            &format!("<iq type='set' id='role' to='{room}'><query xmlns='{ADMIN}'>{items}</query></iq>"),
        );
    }

    /// Mostly somebody who is in the room.
    fn person(&mut self, room: &str) -> String {
        let state = self.world.core.loaded_room(&jid(room));
        let there: Vec<String> =
            state.into_iter().flat_map(|room| room.occupants.iter()).map(|o| o.real.to_string()).collect();
        match self.chance.below(8) {
            0..=4 if !there.is_empty() => there[self.chance.below(there.len())].clone(),
            0 => self.chance.pick(&STRANGERS).split('/').next().unwrap_or_default().to_owned(),
            _ => format!("{}@example.org", self.chance.pick(&PEOPLE)),
        }
    }

    fn change_affiliation(&mut self, at: usize, room: &str) {
        let items: String = (0..1 + self.chance.below(2))
            .map(|_| {
                format!(
                    "<item jid='{}' affiliation='{}'/>",
                    self.person(room),
                    self.chance.pick(&AFFILIATIONS)
                )
            })
            .collect();
        self.say(
            at,
            &format!("<iq type='set' id='person' to='{room}'><query xmlns='{ADMIN}'>{items}</query></iq>"),
        );
    }

    fn configure(&mut self, at: usize, room: &str) {
        let options: [(&str, &[&str]); 8] = [
            ("persistentroom", &["0", "1", "1"]),
            ("membersonly", &["0", "1"]),
            ("moderatedroom", &["0", "1"]),
            ("whois", &["moderators", "anyone"]),
            ("passwordprotectedroom", &["0", "1"]),
            ("roomsecret", &["secret"]),
            ("enablelogging", &["0", "1"]),
            ("changesubject", &["0", "1"]),
        ];
        let mut fields = String::new();
        for (var, values) in options {
            if self.chance.one_in(3) {
                let value = self.chance.pick(values);
                fields += &format!("<field var='muc#roomconfig_{var}'><value>{value}</value></field>");
            }
        }
        if self.chance.one_in(4) {
            let shown = ["moderator", "participant", "visitor"];
            let values: String = shown[..1 + self.chance.below(3)]
                .iter()
                .map(|role| format!("<value>{role}</value>"))
                .collect();
            fields += &format!("<field var='muc#roomconfig_presencebroadcast'>{values}</field>");
        }
        self.say(
            at,
            &format!(
                "<iq type='set' id='config' to='{room}'><query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='submit'>\
                 <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>{fields}</x>\
                 </query></iq>"
            ),
        );
    }

    fn invite(&mut self, at: usize, room: &str) {
        let whom = self.person(room);
        self.say(
            at,
            &format!("<message to='{room}'><x xmlns='{USER}'><invite to='{whom}'><reason>come</reason></invite></x></message>"),
        );
    }

    fn destroy(&mut self, at: usize, room: &str) {
        self.say(
            at,
            &format!(
                "<iq type='set' id='destroy' to='{room}'><query xmlns='{OWNER}'><destroy><reason>over</reason></destroy>\
                 </query></iq>"
            ),
        );
    }

    /// Presence for everyone, which rooms do not get, unless it says good-bye.
    fn everywhere(&mut self, at: usize) {
        if self.guests[at].client.is_some() {
            let presence = self.chance.pick(&[
                "<presence/>",
                "<presence><status>everywhere</status></presence>",
                "<presence type='unavailable'/>",
            ]);
            self.say(at, presence);
        }
    }

    /// What a client may send by mistake.
    fn odd(&mut self, at: usize, room: &str, nick: &str) {
        let stanza = match self.chance.below(9) {
            0 => format!("<presence type='subscribe' to='{room}'/>"),
            1 => format!("<presence type='probe' to='{room}/{nick}'/>"),
            2 => format!("<message type='groupchat' to='{room}/{nick}'><body>nobody</body></message>"),
            3 => format!("<message type='error' to='{room}/{nick}'/>"),
            4 => format!("<presence to='{room}/{}'><x xmlns='{MUC}'/></presence>", "n".repeat(200)),
            5 => format!("<iq type='get' id='ping' to='{room}/{nick}'><ping xmlns='urn:xmpp:ping'/></iq>"),
            6 => format!("<presence to='{room}'><x xmlns='{MUC}'/></presence>"),
            7 => format!("<iq type='result' id='unasked' to='{room}/{nick}'/>"),
            _ => format!("<message type='chat' to='{room}'><body>to the room</body></message>"),
        };
        self.say(at, &stanza);
    }
}

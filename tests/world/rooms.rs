//! Rooms (XEP-0045), as tests enter, set up and look at them.

use stube::core::Event;
use stube::jid::Jid;
use stube::store::record::{RoomAffiliation, RoomConfig, RoomPerson};
use stube::xml::Element;

use crate::client::Client;
use crate::world::World;

/// The service.
pub const ROOMS: &str = "conference.example.org";
/// A room of it.
pub const ROOM: &str = "kitchen@conference.example.org";

pub const MUC: &str = "http://jabber.org/protocol/muc";
pub const USER: &str = "http://jabber.org/protocol/muc#user";
pub const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
pub const OWNER: &str = "http://jabber.org/protocol/muc#owner";

/// What enters a room.
pub fn entering(room: &str, nick: &str) -> String {
    format!("<presence to='{room}/{nick}'><x xmlns='{MUC}'><history maxstanzas='0'/></x></presence>")
}

/// Status codes of a presence or a message.
pub fn codes(stanza: &Element) -> Vec<String> {
    let Some(x) = stanza.find("x", USER) else { return Vec::new() };
    let codes =
        x.children().filter(|child| child.is("status", USER)).filter_map(|child| child.get_attr("code"));
    codes.map(str::to_owned).collect()
}

/// An attribute of the `<item/>` of a presence.
pub fn item(stanza: &Element, attr: &str) -> Option<String> {
    stanza.find("x", USER)?.find("item", USER)?.get_attr(attr).map(str::to_owned)
}

impl World {
    /// Lets a client enter a room and reads everything that it is told then; the last presence is its own.
    pub fn enter(&mut self, client: Client, room: &str, nick: &str) -> Vec<Element> {
        self.clear(client);
        self.send(client, &entering(room, nick));
        let told = self.drain(client);
        let own = told.iter().rfind(|stanza| stanza.name == "presence");
        let own = own.filter(|own| codes(own).contains(&"110".into()));
        assert!(own.is_some(), "{nick} could not enter {room}: {told:?}");
        told
    }

    /// Opens a new room as it is (§10.1.2), which its maker must have entered.
    pub fn open_room(&mut self, owner: Client, room: &str) {
        self.configure_room(owner, room, &[]);
    }

    /// Configures a room (§10.2), and reads everything that its owner is told.
    pub fn configure_room(&mut self, owner: Client, room: &str, fields: &[(&str, &str)]) {
        let fields: String = fields
            .iter()
            .map(|(var, value)| format!("<field var='muc#roomconfig_{var}'><value>{value}</value></field>"))
            .collect();
        let form = match fields.is_empty() {
            true => "<x xmlns='jabber:x:data' type='submit'/>".to_owned(),
            false => format!(
                "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
                 <value>http://jabber.org/protocol/muc#roomconfig</value></field>{fields}</x>"
            ),
        };
        self.expect_result(
            owner,
            &format!("<iq type='set' id='config' to='{room}'><query xmlns='{OWNER}'>{form}</query></iq>"),
        );
        self.clear(owner);
    }

    /// A room in which these people are under their own names, with clients called "phone"; the first one owns it.
    pub fn room_of(&mut self, names: &[&str]) -> Vec<Client> {
        let mut clients = Vec::new();
        for name in names {
            let client = self.online(name, "phone");
            self.enter(client, ROOM, name);
            if clients.is_empty() {
                self.open_room(client, ROOM);
            }
            clients.push(client);
        }
        for client in &clients {
            self.clear(*client);
        }
        clients
    }

    /// Sets roles or affiliations: `what` are the attributes of the `<item/>`.
    pub fn change_person(&mut self, client: Client, room: &str, what: &str) -> Element {
        self.ask(
            client,
            &format!(
                "<iq type='set' id='person' to='{room}'><query xmlns='{ADMIN}'><item {what}/></query></iq>"
            ),
        )
    }

    /// A room's configuration is another from now on, and nobody is told.
    pub fn set_room(&mut self, room: &str, change: impl FnOnce(&mut RoomConfig)) {
        let room = Jid::parse(room).expect("an address");
        self.core.change_room(&room, |record| change(&mut record.config)).expect("a room");
        self.handle(Event::Tick);
    }

    /// What somebody is to a room, by their bare address.
    pub fn affiliation(&mut self, room: &str, who: &str) -> RoomAffiliation {
        let (room, who) = (Jid::parse(room).expect("an address"), Jid::parse(who).expect("an address"));
        self.core.room(&room).expect("a room").affiliation(&who)
    }

    /// Somebody is something else to a room from now on, or has another nick there, and nobody is told.
    pub fn set_affiliation(&mut self, room: &str, who: &str, affiliation: RoomAffiliation, nick: &str) {
        let (room, who) = (Jid::parse(room).expect("an address"), Jid::parse(who).expect("an address"));
        let person = RoomPerson { affiliation, nick: nick.to_owned(), ..RoomPerson::default() };
        self.core.set_person(&room, &who, person).expect("a room");
        self.handle(Event::Tick);
    }

    /// Tries to enter a room and may not, for this reason.
    #[track_caller]
    pub fn expect_no_entry(&mut self, client: Client, room: &str, nick: &str, condition: &str) {
        self.clear(client);
        self.send(client, &entering(room, nick));
        self.expect_bounce(client, condition);
        self.expect_nothing(client);
    }
}

impl World {
    /// Lets a client say something in the room; the id that this has there (XEP-0359). Everyone has read it.
    pub fn said(&mut self, client: Client, content: &str, readers: &[Client]) -> String {
        readers.iter().for_each(|reader| self.clear(*reader));
        self.send(client, &format!("<message type='groupchat' to='{ROOM}' id='said'>{content}</message>"));
        let told = self.drain(client).pop().expect("an echo");
        let id = told.children().filter(|child| child.is("stanza-id", "urn:xmpp:sid:0")).last();
        let id = id.and_then(|id| id.get_attr("id")).map(str::to_owned).expect("an id");
        readers.iter().for_each(|reader| self.clear(*reader));
        id
    }

    /// What the archive of the room gives a client, as the messages are there.
    pub fn room_archive(&mut self, client: Client) -> Vec<Element> {
        self.clear(client);
        self.send(
            client,
            &format!("<iq type='set' id='all' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>"),
        );
        let mut answer = self.drain(client);
        let fin = answer.pop().expect("an answer");
        assert_eq!(fin.get_attr("type"), Some("result"), "{}", crate::world::show(&fin));
        let message = |result: &Element| {
            let result = result.find("result", "urn:xmpp:mam:2")?.find("forwarded", "urn:xmpp:forward:0")?;
            result.find("message", "jabber:client").cloned()
        };
        answer.iter().filter_map(message).collect()
    }

    /// What somebody who enters is shown of what was said before.
    pub fn room_history(&mut self, name: &str) -> Vec<Element> {
        let client = self.online(name, "history");
        self.send(client, &format!("<presence to='{ROOM}/{name}'><x xmlns='{MUC}'/></presence>"));
        let mut told = self.drain(client);
        told.pop().filter(|last| last.find("subject", "jabber:client").is_some()).expect("a subject");
        self.close(client);
        told.retain(|stanza| stanza.name == "message");
        told
    }
}

impl World {
    /// Makes a room be like this, whoever owns it; nobody is told.
    pub fn shape_room(&mut self, room: &str, change: impl FnOnce(&mut RoomConfig)) {
        let address = Jid::parse(room).expect("an address");
        self.core.change_room(&address, |room| change(&mut room.config)).expect("a room");
        self.handle(Event::Tick);
    }

    /// Gives somebody of ours an affiliation; nobody is told.
    pub fn affiliate(&mut self, room: &str, name: &str, affiliation: RoomAffiliation) {
        let address = Jid::parse(room).expect("an address");
        let who = Jid::parse(&format!("{name}@example.org")).expect("an address");
        let person = RoomPerson { affiliation, ..RoomPerson::default() };
        self.core.set_person(&address, &who, person).expect("a room");
        self.handle(Event::Tick);
    }
}

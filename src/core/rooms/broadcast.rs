//! From a room to everyone in it: written once, and for each only the address put in between.

use std::sync::Arc;

use super::{Device, Occupant, Occupants, Room};
use crate::core::{Core, Kept};
use crate::jid::Jid;
use crate::stanza::{Kind, MessageType, PresenceType, Stanza};
use crate::store::record::{Hat, Role, RoomAffiliation};
use crate::xml::{Element, Payload, ns, writer};

/// What an occupant's presence says beside what the occupant is (XEP-0045 §15.6.2).
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Status codes for everyone.
    pub codes: Vec<u16>,
    /// Status codes for the occupant itself, beside 110.
    pub own_codes: Vec<u16>,
    /// The occupant is no longer there, or not under this nick.
    pub gone: bool,
    /// The nick that it has from now on.
    pub new_nick: Option<String>,
    /// The nick of who has brought it about.
    pub actor: Option<String>,
    pub reason: Option<String>,
    /// Further content of the `<x/>`, such as `<destroy/>`.
    pub extra: Option<Element>,
    /// What somebody who goes says: a `<status/>`.
    pub farewell: Payload,
    /// The id of the presence that has brought it about, for the device that has sent it (§7.2.2).
    pub id: Option<Arc<str>>,
}

/// A stanza without its receiver: the bytes before the address and behind it.
struct Written {
    stanza: Stanza,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Written {
    fn new(stanza: Stanza) -> Written {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        stanza.write_before_to(&mut before);
        stanza.write_after_to(&mut after);
        Written { stanza, before, after }
    }
}

impl Core {
    /// Sends a stanza to all devices of those occupants.
    pub fn tell_occupants(&mut self, room: &Jid, stanza: Stanza, whom: impl Fn(&Occupant) -> bool) {
        let written = Written::new(stanza);
        self.with_occupants(room, |core, occupants| {
            for occupant in occupants.iter_mut().filter(|occupant| whom(occupant)) {
                for device in &occupant.devices {
                    core.give_written(device, &written);
                }
            }
        });
    }

    /// Tells everyone in a room that something about it has changed (§10.2.1).
    pub fn announce_change(&mut self, room: &Jid, code: u16) {
        let status = Element::new("status", ns::MUC_USER).attr("code", code.to_string());
        let x = Element::new("x", ns::MUC_USER).child(status);
        let mut message = Stanza::message(MessageType::Groupchat).from(&room.bare()).with(&x);
        message.id = Some(self.random_word().into());
        self.tell_occupants(room, message, |_| true);
    }

    /// Sends a message of an occupant to everyone in the room, as it is: it has the occupant's address and all that the
    /// room adds. If it is archived, it comes back to the device that has sent it when it is on disk.
    pub fn say_in_room(&mut self, room: &Jid, sender: &Jid, stanza: Stanza) {
        let kept = stanza.archived.is_some();
        let wakes = stanza.payload.find("body", ns::CLIENT).is_some();
        let written = Written::new(stanza);
        let (seq, mut asleep) = (self.now_seq(), Vec::new());
        self.with_occupants(room, |core, occupants| {
            for device in occupants.iter_mut().flat_map(|occupant| &mut occupant.devices) {
                if kept && device.jid == *sender {
                    device.echo = seq;
                }
                core.give_written(device, &written);
                let session = device.session.filter(|_| wakes).and_then(|session| core.session(session));
                asleep.extend(session.filter(|session| !session.is_awake()).map(|session| session.id));
            }
        });
        for session in asleep {
            let stanza = self.session(session).map(|session| written.stanza.clone().to(&session.jid));
            if let Some(stanza) = stanza {
                self.unheard(&stanza, Some(session));
            }
        }
    }

    /// Shows an occupant's presence to everyone in the room who may see it, and to its own devices. It may have been
    /// taken out of the room before; `was` is the role that the others know it to have.
    pub fn show(&mut self, room: &Jid, occupant: &Occupant, was: Role, shown: &Shown) {
        self.show_to_others(room, occupant, was, shown);
        for device in &occupant.devices {
            self.show_to_itself(room, occupant, device, shown);
        }
    }

    /// Shows an occupant's presence to one of its devices (§7.2.2: with the status code 110).
    pub fn show_to_itself(&mut self, room: &Jid, occupant: &Occupant, device: &Device, shown: &Shown) {
        let Some(state) = self.loaded_room(room) else { return };
        let mut presence = presence_of(state, occupant, shown, View { real: true, own: true });
        presence.id = shown.id.clone();
        self.send_from_room(device, presence);
    }

    /// Shows an occupant's presence to everyone else in the room who may see it.
    pub fn show_to_others(&mut self, room: &Jid, occupant: &Occupant, was: Role, shown: &Shown) {
        let Some(state) = self.loaded_room(room) else { return };
        let (everyone, least) = (state.config().non_anonymous, state.config().broadcast);
        let mut shown = shown.clone();
        match (was >= least, occupant.role >= least) {
            (false, false) => return,
            // Who is no longer shown is gone to the others.
            (true, false) => shown.gone = true,
            (_, true) => {}
        }
        let mut views: [Option<Written>; 2] = [None, None];
        self.with_occupants(room, |core, occupants| {
            for other in occupants.iter_mut().filter(|other| other.address != occupant.address) {
                let real = everyone || other.role == Role::Moderator;
                let view = &mut views[usize::from(real)];
                if view.is_none() {
                    let presence = core.loaded_room(room);
                    let presence =
                        presence.map(|room| presence_of(room, occupant, &shown, View { real, own: false }));
                    *view = presence.map(Written::new);
                }
                let Some(view) = view else { continue };
                for device in &other.devices {
                    core.give_written(device, view);
                }
            }
        });
    }

    /// Shows everyone in the room to a device that comes, but for itself.
    pub fn show_everyone(&mut self, room: &Jid, device: &Device) {
        let own = self.loaded_room(room).and_then(|room| room.occupants.of(&device.jid));
        let Some(own) = own.map(|own| own.address.clone()) else { return };
        self.show_occupants(room, device, |occupant| occupant.address != own);
    }

    /// Shows those occupants to a device of one, as far as it may see them.
    pub fn show_occupants(&mut self, room: &Jid, device: &Device, which: impl Fn(&Occupant) -> bool) {
        let Some(state) = self.loaded_room(room) else { return };
        let Some(own) = state.occupants.of(&device.jid) else { return };
        let (others_real, least) = (state.shows_addresses_to(own.role), state.config().broadcast);
        let presences: Vec<Stanza> = (state.occupants.iter())
            .filter(|occupant| which(occupant) && (occupant.role >= least || occupant.address == own.address))
            .map(|occupant| {
                let is_own = occupant.address == own.address;
                let view = View { real: others_real || is_own, own: is_own };
                presence_of(state, occupant, &Shown::default(), view)
            })
            .collect();
        for presence in presences {
            self.send_from_room(device, presence);
        }
    }

    /// Who is in a room can't change while something is sent to them: a session that is too slow ends later.
    fn with_occupants(&mut self, room: &Jid, work: impl FnOnce(&mut Core, &mut Occupants)) {
        let Some(state) = self.loaded_room_mut(room) else { return };
        let mut occupants = std::mem::take(&mut state.occupants);
        work(self, &mut occupants);
        if let Some(state) = self.loaded_room_mut(room) {
            state.occupants = occupants;
        }
    }

    /// Messages to a device stay in order: behind what waits for the disk, they wait too; but not for a disk that takes
    /// nothing. Presence waits for nothing, so that what a client knows of a room is always true.
    fn give_written(&mut self, device: &Device, written: &Written) {
        if self.has_blocked(device, &written.stanza) {
            return;
        }
        let is_message = matches!(written.stanza.kind, Kind::Message(_));
        let waits = is_message && device.echo > self.committed && self.writable().is_ok();
        match device.session {
            Some(session) if !waits => {
                self.send_written(session, &written.stanza, |out| {
                    out.extend_from_slice(&written.before);
                    writer::attr("to", device.jid.as_str(), out);
                    out.extend_from_slice(&written.after);
                });
            }
            Some(session) => self.send_kept(session, written.stanza.clone().to(&device.jid)),
            None if !waits => self.route(written.stanza.clone().to(&device.jid)),
            None => self.keep(Kept::Remote(written.stanza.clone().to(&device.jid))),
        }
    }
}

impl Core {
    /// A device that comes into a room, perhaps not for the first time: something may wait for it since it was there.
    pub fn device(&self, jid: &Jid, presence: Payload) -> Device {
        let session = self.session_of(jid).map(|session| session.id);
        Device { jid: jid.clone(), session, presence, echo: self.now_seq() }
    }

    /// Sends a stanza of a room's to a device of an occupant.
    pub fn send_from_room(&mut self, device: &Device, stanza: Stanza) {
        if self.has_blocked(device, &stanza) {
            return;
        }
        let stanza = stanza.to(&device.jid);
        match device.session {
            Some(session) => {
                self.send(session, &stanza);
            }
            None => self.route(stanza),
        }
    }

    /// Whether the person has blocked the occupant (XEP-0191 §5): what a room says to many does not pass by the
    /// receivers' hooks.
    fn has_blocked(&self, device: &Device, stanza: &Stanza) -> bool {
        let account = device.session.and_then(|_| self.loaded(&device.jid));
        let Some(account) = account.filter(|account| !account.blocked.is_empty()) else { return false };
        stanza.from.as_ref().is_some_and(|from| account.blocks(from))
    }
}

/// Who looks at a presence.
#[derive(Clone, Copy)]
struct View {
    /// They may see the real address.
    real: bool,
    /// It is their own.
    own: bool,
}

fn presence_of(room: &Room, occupant: &Occupant, shown: &Shown, view: View) -> Stanza {
    let kind = if shown.gone { PresenceType::Unavailable } else { PresenceType::Available };
    let mut stanza = Stanza::presence(kind).from(&occupant.address);
    let payload = if shown.gone { shown.farewell.clone() } else { occupant.presence() };
    stanza.payload = payload.with_written(400, |out| {
        out.extend_from_slice(b"<occupant-id");
        writer::attr("xmlns", ns::OCCUPANT_ID, out);
        writer::attr("id", &occupant.id, out);
        out.extend_from_slice(b"/>");
        let person = room.people.get(&occupant.real);
        if let Some(person) = person.filter(|person| !person.hats.is_empty() && !shown.gone) {
            hats(&room.record.hats, &person.hats).write(ns::CLIENT, out);
        }
        x(occupant, room.affiliation(&occupant.real), shown, view).write(ns::CLIENT, out);
    });
    stanza
}

/// XEP-0317 §3.1: those of a room's hats that somebody wears.
fn hats(all: &[Hat], worn: &[String]) -> Element {
    let worn = all.iter().filter(|hat| worn.contains(&hat.uri));
    worn.fold(Element::new("hats", ns::HATS), |hats, hat| {
        let element = Element::new("hat", ns::HATS).attr("uri", &hat.uri).attr("title", &hat.title);
        hats.child(if hat.hue.is_empty() { element } else { element.attr("hue", &hat.hue) })
    })
}

/// §15.6.2
fn x(occupant: &Occupant, affiliation: RoomAffiliation, shown: &Shown, view: View) -> Element {
    let role = if shown.gone && shown.new_nick.is_none() { Role::None } else { occupant.role };
    let mut item =
        Element::new("item", ns::MUC_USER).attr("affiliation", affiliation.name()).attr("role", role.name());
    if view.real
        && let Some(device) = occupant.devices.last()
    {
        item = item.attr("jid", device.jid.as_str());
    }
    if let Some(nick) = &shown.new_nick {
        item = item.attr("nick", nick);
    }
    if let Some(actor) = &shown.actor {
        item = item.child(Element::new("actor", ns::MUC_USER).attr("nick", actor));
    }
    if let Some(reason) = &shown.reason {
        item = item.child(Element::new("reason", ns::MUC_USER).text(reason));
    }
    let mut x = Element::new("x", ns::MUC_USER).child(item);
    if let Some(extra) = &shown.extra {
        x = x.child(extra.clone());
    }
    let own: &[u16] = if view.own { &shown.own_codes } else { &[] };
    let mut codes: Vec<u16> = own.iter().chain(&shown.codes).copied().collect();
    if view.own {
        codes.push(110);
    }
    codes.sort_unstable();
    codes.dedup();
    codes
        .into_iter()
        .fold(x, |x, code| x.child(Element::new("status", ns::MUC_USER).attr("code", code.to_string())))
}

//! Who is in a room: occupants by their nicks, each with one device or several (XEP-0045 §5.1, §7.2.8).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::looks::Looks;
use crate::core::SessionId;
use crate::jid::Jid;
use crate::store::record::Role;
use crate::xml::Payload;

#[derive(Default)]
pub struct Occupants {
    by_nick: BTreeMap<Box<str>, Occupant>,
    /// The nicks of devices by their full addresses.
    nicks: HashMap<Jid, Box<str>>,
    looks: Looks,
}

/// Somebody in a room.
#[derive(Clone, Debug)]
pub struct Occupant {
    /// The room's address with the nick.
    pub address: Jid,
    /// The bare address of the person.
    pub real: Jid,
    /// XEP-0421
    pub id: Arc<str>,
    pub role: Role,
    /// Never empty while the occupant is in the room. The presence of the last one is shown.
    pub devices: Vec<Device>,
}

/// A session of an occupant, here or elsewhere.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its full address.
    pub jid: Jid,
    /// If it is here.
    pub session: Option<SessionId>,
    /// The content of its presence, as far as it is shown.
    pub presence: Payload,
    /// The batch that its last message is in, or may be in: until this is on disk, the message's return to it waits, and
    /// whatever else is said after it.
    pub(super) echo: u64,
}

impl Occupant {
    pub fn nick(&self) -> &str {
        self.address.resource().unwrap_or_default()
    }

    /// What its presence shows.
    pub fn presence(&self) -> Payload {
        self.devices.last().map(|device| device.presence.clone()).unwrap_or_default()
    }
}

impl Occupants {
    pub fn is_empty(&self) -> bool {
        self.by_nick.is_empty()
    }

    pub fn len(&self) -> usize {
        self.by_nick.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Occupant> {
        self.by_nick.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Occupant> {
        self.by_nick.values_mut()
    }

    pub fn get(&self, nick: &str) -> Option<&Occupant> {
        self.by_nick.get(nick)
    }

    pub fn get_mut(&mut self, nick: &str) -> Option<&mut Occupant> {
        self.by_nick.get_mut(nick)
    }

    /// The occupant that somebody's device is, by its full address.
    pub fn of(&self, device: &Jid) -> Option<&Occupant> {
        self.by_nick.get(self.nicks.get(device)?)
    }

    /// The device with this full address.
    pub fn device(&self, device: &Jid) -> Option<&Device> {
        self.of(device)?.devices.iter().find(|other| other.jid == *device)
    }

    /// Those whose nicks could be taken for this one, or are it.
    pub fn alike(&self, nick: &str) -> impl Iterator<Item = &Occupant> {
        self.looks.of_others(nick).into_iter().filter_map(|nick| self.get(nick))
    }

    /// Everything under which a person is in the room.
    pub fn of_person<'a>(&'a self, who: &'a Jid) -> impl Iterator<Item = &'a Occupant> {
        self.iter().filter(move |occupant| occupant.real.same_bare(who))
    }

    /// Lets a device in. The nick is nobody's, or already that of the same person; a device that was there under this
    /// nick has its presence changed.
    pub fn enter(&mut self, address: &Jid, real: &Jid, id: &str, role: Role, device: Device) {
        let nick: Box<str> = address.resource().unwrap_or_default().into();
        self.nicks.insert(device.jid.clone(), nick.clone());
        if !self.by_nick.contains_key(&nick) {
            self.looks.insert(&nick, &nick);
        }
        let occupant = self.by_nick.entry(nick).or_insert_with(|| Occupant {
            address: address.clone(),
            real: real.bare(),
            id: id.into(),
            role,
            devices: Vec::new(),
        });
        occupant.devices.retain(|other| other.jid != device.jid);
        occupant.devices.push(device);
    }

    /// Takes a device out, and with the last one the occupant. Gives back the occupant as it was, with this device alone.
    pub fn leave(&mut self, device: &Jid) -> Option<Occupant> {
        let nick = self.nicks.remove(device)?;
        let occupant = self.by_nick.get_mut(&nick)?;
        let at = occupant.devices.iter().position(|other| other.jid == *device)?;
        let device = occupant.devices.remove(at);
        let alone = Occupant { devices: vec![device], ..occupant.clone() };
        if occupant.devices.is_empty() {
            self.by_nick.remove(&nick);
            self.looks.remove(&nick, &nick);
        }
        Some(alone)
    }

    /// Takes an occupant out with all devices.
    pub fn remove(&mut self, nick: &str) -> Option<Occupant> {
        let occupant = self.by_nick.remove(nick)?;
        self.looks.remove(nick, nick);
        for device in &occupant.devices {
            self.nicks.remove(&device.jid);
        }
        Some(occupant)
    }

    /// Gives an occupant another nick, which is nobody's, or the same person's: then the two are one from here on.
    pub fn rename(&mut self, from: &str, to: &Jid) {
        let Some(mut occupant) = self.by_nick.remove(from) else { return };
        let nick: Box<str> = to.resource().unwrap_or_default().into();
        self.looks.remove(from, from);
        self.looks.insert(&nick, &nick);
        for device in &occupant.devices {
            self.nicks.insert(device.jid.clone(), nick.clone());
        }
        match self.by_nick.get_mut(&nick) {
            Some(other) => other.devices.append(&mut occupant.devices),
            None => {
                occupant.address = to.clone();
                self.by_nick.insert(nick, occupant);
            }
        }
    }
}

//! The rooms that the configuration asks for (`[[room]]`): which these are, and who belongs to them.

use crate::config::RoomMembers;
use crate::core::{Core, ServiceKind};
use crate::jid::Jid;
use crate::store::record::ConfiguredRoom;

impl Core {
    /// The rooms that the configuration asks for, by their addresses.
    pub fn configured_rooms(&self) -> Vec<(Jid, ConfiguredRoom)> {
        let config = &self.config;
        let rooms = config.standing_rooms.iter().filter_map(|room| {
            let domain = config.domain_of(room);
            let mut services = self.services().iter();
            let service = services
                .find(|service| service.kind == ServiceKind::Rooms && service.host.domain() == domain)?;
            let address = Jid::from_parts(Some(&room.name), service.address.domain(), None).ok()?;
            let account = |name: &String| match name.contains('@') {
                true => name.clone(),
                false => format!("{name}@{domain}"),
            };
            let owners = match room.owners.is_empty() {
                true => self.admins.iter().map(Jid::to_string).collect(),
                false => room.owners.iter().map(account).collect(),
            };
            let members = match &room.members {
                RoomMembers::Everyone => vec![domain.to_owned()],
                RoomMembers::Listed(members) => members.iter().map(account).collect(),
            };
            let (title, description) = (room.title.clone(), room.description.clone());
            Some((address, ConfiguredRoom { title, description, members, owners, autojoin: room.autojoin }))
        });
        rooms.collect()
    }

    /// Those that an account belongs to.
    pub fn configured_rooms_of(&self, account: &Jid) -> Vec<(Jid, ConfiguredRoom)> {
        if self.config.standing_rooms.is_empty() {
            return Vec::new();
        }
        let is_one = |who: &String| who == account.bare_str() || who == account.domain();
        let mut rooms = self.configured_rooms();
        rooms.retain(|(_, room)| room.members.iter().chain(&room.owners).any(is_one));
        rooms
    }
}

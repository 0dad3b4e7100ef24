//! Rooms in words, for the operator (`stube room …`).

use super::Occupants;
use crate::core::{Core, ServiceKind, time};
use crate::jid::Jid;
use crate::store::record::{self, RoomAffiliation, RoomPerson};

/// Of a room that the configuration asks for.
pub const COMES_BACK: &str = "the configuration asks for this room: it is made anew at the next start or reload, unless you remove it there";

/// Rooms that are read at a time.
const PIECE: usize = 500;

impl Core {
    /// All rooms, one a line.
    pub fn room_lines(&self) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        for service in self.services().iter().filter(|service| service.kind == ServiceKind::Rooms) {
            let mut after = String::new();
            loop {
                let piece = self.list_rooms(service.address.domain(), &after, PIECE);
                let piece = piece.map_err(|_| "the rooms cannot be read; the log says why".to_owned())?;
                let Some((last, _)) = piece.last() else { break };
                last.local().unwrap_or_default().clone_into(&mut after);
                lines.extend(piece.iter().map(|(room, record)| summary(room, record, self.occupancy(room))));
            }
        }
        Ok(lines)
    }

    /// Everything about a room that is in memory.
    pub fn room_details(&self, room: &Jid) -> Result<Vec<String>, String> {
        let room = self.loaded_room(room).ok_or_else(|| unknown(room))?;
        let people = room.people.iter().map(|(who, person)| (who.as_str(), person));
        Ok(details(&room.address, &room.record, people, &room.occupants))
    }
}

pub fn unknown(room: &Jid) -> String {
    format!("there is no room {room}; see stube room list")
}

/// A room in one line.
pub fn summary(room: &Jid, record: &record::Room, occupants: usize) -> String {
    let mut line = room.to_string();
    if !record.config.title.is_empty() {
        line += &format!("  {}", record.config.title);
    }
    if occupants > 0 {
        line += &format!("  ({occupants} here)");
    }
    printable(&line)
}

/// Everything about a room, in lines.
pub fn details<'a>(
    room: &Jid,
    record: &record::Room,
    people: impl Iterator<Item = (&'a str, &'a RoomPerson)>,
    occupants: &Occupants,
) -> Vec<String> {
    let config = &record.config;
    let kinds = [
        ("persistent", config.persistent),
        ("temporary", !config.persistent),
        ("not open yet", record.locked),
        ("public", config.public),
        ("for members only", config.members_only),
        ("with a password", !config.password.is_empty()),
        ("moderated", config.moderated),
        ("addresses for everyone", config.non_anonymous),
        ("archived", config.archived),
        ("of the configuration", record.configured.is_some()),
    ];
    let kinds: Vec<&str> = kinds.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect();
    let created = time::datetime(record.created.saturating_mul(1000)).replace(".000Z", "Z");
    let mut lines = vec![
        format!("address        {room}"),
        format!("title          {}", config.title),
        format!("description    {}", config.description),
        format!("created        {created}"),
        format!("by             {}", if record.creator.is_empty() { "stube" } else { &record.creator }),
        format!("is             {}", kinds.join(", ")),
    ];
    lines.extend(occupants.iter().map(|occupant| {
        format!("here           {} ({}), {}", occupant.nick(), occupant.real, occupant.role.name())
    }));
    let mut people: Vec<(&str, &RoomPerson)> =
        people.filter(|(_, person)| person.affiliation != RoomAffiliation::None).collect();
    people.sort_by_key(|(who, person)| (std::cmp::Reverse(person.affiliation), *who));
    lines.extend(people.iter().map(|(who, person)| {
        let nick = if person.nick.is_empty() { String::new() } else { format!(" ({})", person.nick) };
        let everyone = if who.contains('@') { "" } else { "everyone of " };
        format!("{:<14} {everyone}{who}{nick}", person.affiliation.name())
    }));
    lines.iter().map(|line| printable(line.trim_end())).collect()
}

/// What strangers have written must not steer a terminal.
fn printable(line: &str) -> String {
    line.replace(char::is_control, " ")
}

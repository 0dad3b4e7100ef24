//! Whatever bytes a table holds: no panic, and what is understood is written back as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stube::store::record::{
    Account, Activity, ArchiveClients, ArchiveIndex, ArchivePreferences, Archived, Blob, Clients,
    GivenBookmarks, Offline, PubsubItem, PubsubNode, PubsubPeople, PushRegistration, Record, Report, Room,
    RoomPerson, RosterItem,
};

fuzz_target!(|data: &[u8]| {
    let Some((kind, value)) = data.split_first() else { return };
    match kind % 18 {
        0 => agrees::<Account>(value),
        1 => agrees::<Activity>(value),
        2 => agrees::<RosterItem>(value),
        3 => agrees::<Offline>(value),
        4 => agrees::<PushRegistration>(value),
        5 => agrees::<Report>(value),
        6 => agrees::<PubsubNode>(value),
        7 => agrees::<PubsubPeople>(value),
        8 => agrees::<PubsubItem>(value),
        9 => agrees::<Archived>(value),
        10 => agrees::<ArchiveIndex>(value),
        11 => agrees::<ArchivePreferences>(value),
        12 => agrees::<ArchiveClients>(value),
        13 => agrees::<Clients>(value),
        14 => agrees::<Room>(value),
        15 => agrees::<RoomPerson>(value),
        16 => agrees::<GivenBookmarks>(value),
        _ => agrees::<Blob>(value),
    }
});

fn agrees<R: Record>(value: &[u8]) {
    if let Ok(record) = R::decode(value) {
        assert_eq!(record.encode(), value);
    }
}

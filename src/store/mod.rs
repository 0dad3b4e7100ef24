//! The store: everything that outlives the process, in one redb file.
//!
//! * [`schema`] lists the tables and makes their keys and changes; [`record`] has the values; [`codec`] their bytes.
//! * [`Store::open`] opens the file or says in one line why not ([`OpenError`]); `migrate` lifts older schemas.
//! * [`Reader`] reads committed snapshots from any thread.
//! * [`Store`] is the thread that commits; [`Committer`] is what it does, without the thread.
//! * `disk` lies under redb and keeps a server on a full disk alive and readable.
//!
//! Nothing is acknowledged before it is on the disk, nothing that was acknowledged is lost, and no file is ever
//! made in the place of another.

pub mod codec;
mod commit;
mod disk;
mod error;
mod migrate;
mod open;
mod read;
pub mod record;
pub mod schema;
mod shared;
mod sync;
mod thread;

pub use commit::Committer;
pub use error::{OpenError, Problem};
pub use open::{Opened, Options};
pub use read::{ArchiveSearch, OfflineUsage, ReadError, Reader, Verdict};
pub use record::{Account, Activity, Offline, RosterItem, Subscription};
pub use schema::{Batch, Op, Table};
pub use thread::{FULL, Pace, Store, StoreEvent};

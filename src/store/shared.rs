//! What readers and the committer share: the open database, which may be exchanged for a newly opened one.

use super::sync::lock;
use redb::Database;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::Thread;

pub struct Shared {
    /// Gone once the store is closed.
    database: Mutex<Option<Arc<Database>>>,
    broken: AtomicBool,
    /// The store thread, to be woken when a reader finds the database broken.
    keeper: OnceLock<Thread>,
}

impl Shared {
    pub fn new(database: Database) -> Arc<Shared> {
        Arc::new(Shared {
            database: Mutex::new(Some(Arc::new(database))),
            broken: AtomicBool::new(false),
            keeper: OnceLock::new(),
        })
    }

    /// Held only for the length of one transaction.
    pub fn database(&self) -> Result<Arc<Database>, redb::Error> {
        lock(&self.database).clone().ok_or(redb::Error::DatabaseClosed)
    }

    pub fn exchange(&self, database: Database) {
        let old = lock(&self.database).replace(Arc::new(database));
        release(old);
        self.broken.store(false, Ordering::Release);
    }

    /// Closes the file as it should be, whoever still has a reader.
    pub fn close(&self) {
        let database = lock(&self.database).take();
        release(database);
    }

    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    pub fn report_broken(&self) {
        self.broken.store(true, Ordering::Release);
        if let Some(keeper) = self.keeper.get() {
            keeper.unpark();
        }
    }

    pub fn set_keeper(&self, thread: Thread) {
        // There is one store thread for a database; a second call would change nothing.
        let _ = self.keeper.set(thread);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

/// Closes a database unless a read goes on; the last one then does it. What can't be closed well, for an error or
/// for pages that make redb panic, is repaired or refused when it is opened the next time.
fn release(database: Option<Arc<Database>>) {
    let close = || database.and_then(Arc::into_inner).map(Database::close);
    let _ = catch_unwind(AssertUnwindSafe(close));
}

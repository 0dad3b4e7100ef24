//! Locks that outlive a panic: nothing here is left half-changed while one is held, and the panic itself ends
//! the process by its own way (see [`super::StoreEvent::Panicked`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

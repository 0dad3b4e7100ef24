//! What all tasks of the network thread share: Core, the store's near end, the certificate, and the way between them.
//!
//! Whoever has news for Core calls [`Server::with_core`]. What Core wants done in return is done before the call is over:
//! streams that have something to write are woken, changes go to the store, passwords to the threads that hash them.
//!
//! A panic within Core leaves state of which nothing is known. It ends the process with [`BUG`], and whoever supervises
//! it starts a new one from what the store has. A panic elsewhere ends the task that it happens in.

use std::cell::{Cell, RefCell, RefMut};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::task::{Poll, Waker};

use async_channel::{Receiver, Sender};
use async_executor::LocalExecutor;
use futures_lite::FutureExt;
use log::error;

use super::certificate::Acceptors;
use super::reactor::Reactor;
use crate::cmd::control::Response;
use crate::core::{ControlId, Core, DeriveId, DeriveJob, Effect, Event, LinkId};
use crate::store::{Batch, Store, StoreEvent};

/// The exit code for a bug in stube itself.
pub const BUG: i32 = 70;
/// Bytes that one read takes at most: a long record, or many short ones.
const READ_BUFFER: usize = 64 * 1024;

pub struct Server {
    pub reactor: Rc<Reactor>,
    executor: LocalExecutor<'static>,
    core: RefCell<Core>,
    /// Whether Core is at work; still set in whoever catches a panic, it says where that came from.
    in_core: Cell<bool>,
    /// `None` once it is closed.
    store: RefCell<Option<Store>>,
    acceptors: RefCell<Rc<Acceptors>>,
    /// The tasks of the connections, by the place of their link.
    links: RefCell<Vec<Option<Waker>>>,
    /// Connections that do not read because the store has enough to do.
    waiting_for_store: RefCell<Vec<Waker>>,
    derive: Sender<(DeriveId, DeriveJob)>,
    replies: RefCell<Vec<(ControlId, Response)>>,
    stop: Cell<Option<Stop>>,
    /// The task that waits for Core's next tick, for the control replies, or for the stop.
    attendants: RefCell<Attendants>,
    buffers: RefCell<Buffers>,
    next_tick: Cell<u64>,
}

//! What all tasks of the network thread share: Core, the store's near end, the certificate, and the ways between them.
//!
//! Whoever has news for Core calls [`Server::with_core`]. What Core wants done in return is set off before the call is
//! over: streams that have something to write are woken, changes go to the store, passwords to the threads that hash them.
//!
//! A panic within Core leaves a state of which nothing is known, and a service that ends leaves the server deaf. Both end
//! the process with [`BUG`], and whoever supervises it starts a new one from what the store has. A panic in a
//! connection's task ends that connection.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use async_channel::{Receiver, Sender};
use async_executor::{LocalExecutor, Task};
use futures_lite::future::yield_now;
use log::{error, info};

use super::certificate::Acceptors;
use super::reactor::Reactor;
use crate::control::{Request, Response};
use crate::core::{ControlId, Core, DeriveId, DeriveJob, Effect, Event, LinkId};
use crate::store::{Store, StoreEvent};

/// The exit code for a bug in stube itself.
pub const BUG: i32 = 70;
/// Threads that may hash passwords at one time.
const MOST_DERIVERS: usize = 4;

pub struct Server {
    pub reactor: Rc<Reactor>,
    executor: LocalExecutor<'static>,
    core: RefCell<Core>,
    /// Whether Core is at work. Where a panic is caught, this tells whether it came from there.
    in_core: Cell<bool>,
    /// `None` once it is closed.
    store: RefCell<Option<Store>>,
    acceptors: RefCell<Rc<Acceptors>>,
    connections: RefCell<Connections>,
    /// Memory for the bytes of one read and one write, lent to one task at a time and never across a wait.
    pub buffers: RefCell<Buffers>,
    derive: Sender<(DeriveId, DeriveJob)>,
    answers: RefCell<Answers>,
    stop: Sender<Stop>,
    tick: Tick,
}

/// How the server is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Quit,
    Restart,
}

pub struct Buffers {
    pub input: Box<[u8]>,
    pub wire: Vec<u8>,
}

/// The tasks of the connections.
#[derive(Default)]
struct Connections {
    /// By the place of their link.
    places: Vec<Option<Place>>,
    /// How many there are, those included whose stream has ended.
    count: usize,
    /// How many have ended since somebody last asked.
    gone: usize,
    /// Some do not read because the store has enough to do.
    store_is_full: bool,
    /// Those who wait for one to end.
    waiting_for_end: Vec<Waker>,
}

struct Place {
    waker: Waker,
    /// Core has news for it.
    woken: bool,
}

/// Requests over the control socket that Core has not answered yet.
#[derive(Default)]
struct Answers {
    waiting: HashMap<ControlId, Sender<Response>>,
    last: ControlId,
}

/// The task that tells Core that its time has come.
#[derive(Default)]
struct Tick {
    /// What its timer is set to.
    at: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

impl Server {
    /// Starts the services that every server has. The receiver gets the reasons to stop.
    pub fn start(
        reactor: Rc<Reactor>,
        core: Core,
        store: Store,
        store_events: Receiver<StoreEvent>,
        acceptors: Acceptors,
    ) -> (Rc<Server>, Receiver<Stop>) {
        let (derive, jobs) = async_channel::unbounded();
        let (stop, stops) = async_channel::unbounded();
        let server = Rc::new(Server {
            reactor,
            executor: LocalExecutor::new(),
            core: RefCell::new(core),
            in_core: Cell::new(false),
            store: RefCell::new(Some(store)),
            acceptors: RefCell::new(Rc::new(acceptors)),
            connections: RefCell::default(),
            buffers: RefCell::new(Buffers { input: vec![0; 64 * 1024].into(), wire: Vec::new() }),
            derive,
            answers: RefCell::default(),
            stop,
            tick: Tick::default(),
        });
        server.spawn(Rc::clone(&server).hear_store(store_events)).detach();
        server.spawn(Rc::clone(&server).tick()).detach();
        let derivers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_DERIVERS);
        for _ in 0..derivers {
            server.spawn(Rc::clone(&server).derive(jobs.clone())).detach();
        }
        (server, stops)
    }

    /// Runs everything until `future` is done.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> std::io::Result<T> {
        self.reactor.block_on(self.executor.run(future))
    }

    /// Starts a task that the server cannot be without.
    pub fn spawn(self: &Rc<Self>, service: impl Future<Output = ()> + 'static) -> Task<()> {
        self.executor.spawn(Supervised { server: Rc::clone(self), future: Box::pin(service), vital: true })
    }

    /// Starts a task whose panic harms nobody else.
    pub fn spawn_visitor(self: &Rc<Self>, visitor: impl Future<Output = ()> + Unpin + 'static) {
        let visitor = Supervised { server: Rc::clone(self), future: visitor, vital: false };
        self.executor.spawn(visitor).detach();
    }

    pub fn with_core<R>(&self, work: impl FnOnce(&mut Core) -> R) -> R {
        self.in_core.set(true);
        let mut core = self.core.borrow_mut();
        core.set_now(self.reactor.now());
        let result = work(&mut core);
        let (woken, effects, next_tick) = (core.take_woken(), core.take_effects(), core.next_tick());
        drop(core);
        self.in_core.set(false);
        if !woken.is_empty() {
            self.connections.borrow_mut().wake(&woken);
        }
        for effect in effects {
            self.perform(effect);
        }
        if next_tick < self.tick.at.get()
            && let Some(waker) = &*self.tick.waker.borrow()
        {
            waker.wake_by_ref();
        }
        result
    }

    pub fn handle(&self, event: Event) {
        self.with_core(|core| core.handle(event));
    }

    fn perform(&self, effect: Effect) {
        match effect {
            Effect::Store(batch) => match &*self.store.borrow() {
                Some(store) => store.send(batch),
                None => error!("a change came after the store was closed, and is lost"),
            },
            // Neither channel is ever closed or full.
            Effect::Derive(id, job) => drop(self.derive.try_send((id, job))),
            Effect::Stop { restart } => self.stop(if restart { Stop::Restart } else { Stop::Quit }),
            Effect::ControlReply(id, response) => {
                if let Some(sender) = self.answers.borrow_mut().waiting.remove(&id) {
                    // Whoever has asked may have gone.
                    let _ = sender.try_send(response);
                }
            }
            // There is no way to other domains yet, and Core knows that: `Core::federated`.
            Effect::Remote(_) => {}
        }
    }

    pub fn stop(&self, stop: Stop) {
        let _ = self.stop.try_send(stop);
    }

    /// Asks Core what an operator has asked over the control socket.
    pub async fn ask(&self, request: Request) -> Option<Response> {
        let (sender, receiver) = async_channel::bounded(1);
        let id = {
            let mut answers = self.answers.borrow_mut();
            answers.last += 1;
            let id = answers.last;
            answers.waiting.insert(id, sender);
            id
        };
        self.with_core(|core| core.control(request, id));
        receiver.recv().await.ok()
    }

    pub fn acceptors(&self) -> Rc<Acceptors> {
        Rc::clone(&self.acceptors.borrow())
    }

    /// Connections from now on get this certificate.
    pub fn set_acceptors(&self, acceptors: Acceptors) {
        *self.acceptors.borrow_mut() = Rc::new(acceptors);
    }

    /// Gives the store up, to be closed.
    pub fn take_store(&self) -> Option<Store> {
        self.store.borrow_mut().take()
    }

    async fn hear_store(self: Rc<Self>, events: Receiver<StoreEvent>) {
        while let Ok(event) = events.recv().await {
            match event {
                StoreEvent::Committed(seq) => self.handle(Event::Committed(seq)),
                StoreEvent::Stalled(reason) => {
                    error!("the database cannot be written: {reason}");
                    self.handle(Event::StoreStalled(reason));
                }
                StoreEvent::Resumed => {
                    info!("the database can be written again");
                    self.handle(Event::StoreResumed);
                }
                // The panic hook has said more.
                StoreEvent::Panicked(_) => process::exit(BUG),
            }
            if !self.is_full() {
                self.connections.borrow_mut().read_on();
            }
        }
    }

    /// Whether more waits for the disk than may.
    fn is_full(&self) -> bool {
        self.store.borrow().as_ref().is_some_and(Store::is_full) || self.core.borrow().is_full_of_promises()
    }

    async fn derive(self: Rc<Self>, jobs: Receiver<(DeriveId, DeriveJob)>) {
        while let Ok((id, job)) = jobs.recv().await {
            let derived = blocking::unblock(move || job.run()).await;
            self.handle(Event::Derived(id, derived));
        }
    }

    async fn tick(self: Rc<Self>) {
        loop {
            let mut timer = None;
            poll_fn(|cx| {
                if let Some(timer) = timer.take() {
                    self.reactor.disarm(timer);
                }
                let at = self.core.borrow().next_tick();
                if at <= self.reactor.now() {
                    return Poll::Ready(());
                }
                self.tick.at.set(at);
                *self.tick.waker.borrow_mut() = Some(cx.waker().clone());
                timer = Some(self.reactor.arm(at, cx.waker()));
                Poll::Pending
            })
            .await;
            self.handle(Event::Tick);
            // The next one may be due at once; everyone else comes first.
            yield_now().await;
        }
    }
}

/// For the tasks of the connections.
impl Server {
    /// Wakes this task from now on when Core has news for the link.
    pub fn admit(&self, link: LinkId, waker: &Waker) {
        let mut connections = self.connections.borrow_mut();
        let index = link.index();
        if connections.places.len() <= index {
            connections.places.resize_with(index + 1, || None);
        }
        connections.places[index] = Some(Place { waker: waker.clone(), woken: true });
    }

    /// Whether Core has woken this link since the last time.
    pub fn take_woken(&self, link: LinkId) -> bool {
        let mut connections = self.connections.borrow_mut();
        let place = connections.places.get_mut(link.index()).and_then(Option::as_mut);
        place.is_some_and(|place| std::mem::take(&mut place.woken))
    }

    pub fn dismiss(&self, link: LinkId) {
        if let Some(place) = self.connections.borrow_mut().places.get_mut(link.index()) {
            *place = None;
        }
    }

    /// A connection has begun.
    pub fn one_more(&self) {
        self.connections.borrow_mut().count += 1;
    }

    /// A connection is over.
    pub fn one_less(&self) {
        let mut connections = self.connections.borrow_mut();
        connections.count -= 1;
        connections.gone += 1;
        connections.waiting_for_end.drain(..).for_each(Waker::wake);
    }

    /// Whether there may be more that waits for the disk; if not, the task is woken when there may.
    pub fn may_read(&self) -> bool {
        let full = self.is_full();
        self.connections.borrow_mut().store_is_full |= full;
        !full
    }

    /// Waits until the last connection is over.
    pub async fn all_gone(&self) {
        self.until(|connections| connections.count == 0).await;
    }

    /// Waits until so many connections are over since [`Server::forget_gone`].
    pub async fn many_gone(&self, many: usize) {
        self.until(|connections| connections.gone >= many).await;
    }

    pub fn forget_gone(&self) {
        self.connections.borrow_mut().gone = 0;
    }

    async fn until(&self, is_so: impl Fn(&Connections) -> bool) {
        poll_fn(|cx| {
            let mut connections = self.connections.borrow_mut();
            if is_so(&connections) {
                return Poll::Ready(());
            }
            connections.waiting_for_end.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Connections {
    fn wake(&mut self, links: &[LinkId]) {
        for link in links {
            // What stands at the place of a link that is gone is woken once too often.
            if let Some(Some(place)) = self.places.get_mut(link.index()) {
                place.woken = true;
                place.waker.wake_by_ref();
            }
        }
    }

    /// The store takes more again.
    fn read_on(&mut self) {
        if std::mem::take(&mut self.store_is_full) {
            self.places.iter().flatten().for_each(|place| place.waker.wake_by_ref());
        }
    }
}

/// A task whose panic does not go unnoticed.
struct Supervised<F> {
    server: Rc<Server>,
    future: F,
    /// The server cannot be without it.
    vital: bool,
}

impl<F: Future<Output = ()> + Unpin> Future for Supervised<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.future).poll(cx)));
        match polled {
            Ok(polled) => polled,
            Err(_) if self.vital || self.server.in_core.get() => process::exit(BUG),
            Err(_) => Poll::Ready(()),
        }
    }
}

#[cfg(test)]
mod tests;

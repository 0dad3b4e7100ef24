//! Waiting: one epoll, one list of timers, and the loop that runs everything on one thread between two waits.
//!
//! Whatever in stube waits for a socket, a moment or another thread waits here. A socket is registered once, for edges:
//! the reactor remembers that it is ready until somebody has found it empty. So a quiet connection costs no system call
//! and some dozens of bytes, and a message costs three calls: the wait, the read, the write. The clock is read once a
//! turn.
//!
//! Nothing here can fail once the reactor is made, but for the kernel refusing to wait: that ends the server.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use slab::Slab;

use super::clock::Clock;

/// Events taken from the kernel at once.
const EVENTS_A_TURN: usize = 256;
/// The longest sleep, in milliseconds: a wall clock that was set forward is noticed after it.
const LONGEST_SLEEP: u64 = 3_600_000;
/// The token of the alarm among the sources.
const ALARM: u64 = u64::MAX;

pub struct Reactor {
    epoll: OwnedFd,
    alarm: Arc<Alarm>,
    sources: RefCell<Slab<Readiness>>,
    timers: RefCell<Timers>,
    clock: Clock,
    now: Cell<u64>,
}

/// What is known of one registered socket.
struct Readiness {
    readable: bool,
    writable: bool,
    /// The peer has closed or the socket has failed: there is no edge to wait for any more.
    hung_up: bool,
    waker: Option<Waker>,
}

/// Those who wait for a moment, by the moment and a number that makes it unique.
#[derive(Default)]
struct Timers {
    waiting: BTreeMap<Timer, Waker>,
    last_number: u64,
}

/// One who waits for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    pub at: u64,
    number: u64,
}

impl Reactor {
    pub fn new() -> io::Result<Rc<Reactor>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // An edge a ring, so that the count in it need never be read.
        epoll::add(&epoll, &bell, EventData::new_u64(ALARM), EventFlags::IN | EventFlags::ET)?;
        let clock = Clock::start();
        Ok(Rc::new(Reactor {
            epoll,
            alarm: Arc::new(Alarm { rung: AtomicBool::new(false), asleep: AtomicBool::new(false), bell }),
            sources: RefCell::default(),
            timers: RefCell::default(),
            now: Cell::new(clock.now()),
            clock,
        }))
    }

    /// The time of this turn, in milliseconds since the Unix epoch. It never goes back.
    pub fn now(&self) -> u64 {
        self.now.get()
    }

    /// Runs `future`, and whatever wakes it, until it is done.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> io::Result<T> {
        let waker = Waker::from(Arc::clone(&self.alarm));
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        let mut events = Vec::with_capacity(EVENTS_A_TURN);
        loop {
            self.alarm.reset();
            if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
                return Ok(result);
            }
            self.wait(&mut events)?;
            self.now.set(self.clock.now());
            for event in events.drain(..) {
                self.note(event);
            }
            self.ring_timers();
        }
    }

    fn wait(&self, events: &mut Vec<epoll::Event>) -> io::Result<()> {
        let timeout = match self.alarm.fall_asleep() {
            Asleep::No => 0,
            Asleep::Yes => self.until_next_timer(),
        };
        let timeout =
            Timespec { tv_sec: (timeout / 1000) as i64, tv_nsec: (timeout % 1000 * 1_000_000) as _ };
        let result = epoll::wait(&self.epoll, spare_capacity(events), Some(&timeout));
        self.alarm.wake_up();
        match result {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn until_next_timer(&self) -> u64 {
        let timers = self.timers.borrow();
        let Some((timer, _)) = timers.waiting.first_key_value() else { return LONGEST_SLEEP };
        timer.at.saturating_sub(self.clock.now()).min(LONGEST_SLEEP)
    }

    fn note(&self, event: epoll::Event) {
        let (token, flags) = (event.data.u64(), event.flags);
        if token == ALARM {
            return;
        }
        let mut sources = self.sources.borrow_mut();
        let Some(source) = sources.get_mut(token as usize) else { return };
        let hung_up = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        source.hung_up |= hung_up;
        source.readable |= hung_up || flags.contains(EventFlags::IN);
        source.writable |= hung_up || flags.contains(EventFlags::OUT);
        if let Some(waker) = &source.waker {
            waker.wake_by_ref();
        }
    }

    fn ring_timers(&self) {
        let mut timers = self.timers.borrow_mut();
        while let Some(first) = timers.waiting.first_entry() {
            if first.key().at > self.now() {
                return;
            }
            first.remove().wake();
        }
    }

    /// Wakes a task at a moment, or soon after it.
    pub fn arm(&self, at: u64, waker: &Waker) -> Timer {
        let mut timers = self.timers.borrow_mut();
        timers.last_number += 1;
        let timer = Timer { at, number: timers.last_number };
        timers.waiting.insert(timer, waker.clone());
        timer
    }

    pub fn disarm(&self, timer: Timer) {
        self.timers.borrow_mut().waiting.remove(&timer);
    }

    /// Waits for some milliseconds.
    pub async fn sleep(&self, milliseconds: u64) {
        let mut armed = Armed { reactor: self, timer: None };
        let at = self.now().saturating_add(milliseconds);
        poll_fn(|cx| {
            armed.disarm();
            if self.now() >= at {
                return Poll::Ready(());
            }
            armed.timer = Some(self.arm(at, cx.waker()));
            Poll::Pending
        })
        .await;
    }

    /// Takes a non-blocking socket under its wings.
    pub fn register<S: AsFd>(self: &Rc<Self>, socket: S) -> io::Result<Source<S>> {
        let mut sources = self.sources.borrow_mut();
        // Ready until it is found not to be: what has happened before makes no edge.
        let place = sources.vacant_entry();
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, &socket, EventData::new_u64(place.key() as u64), flags)?;
        let key = place.key();
        place.insert(Readiness { readable: true, writable: true, hung_up: false, waker: None });
        Ok(Source { socket, key, reactor: Rc::clone(self) })
    }
}

/// A timer that goes when its future goes.
struct Armed<'a> {
    reactor: &'a Reactor,
    timer: Option<Timer>,
}

impl Armed<'_> {
    fn disarm(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.reactor.disarm(timer);
        }
    }
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// A registered socket. Its methods return `Pending` where the socket would block, and then the task that was last given
/// to [`Source::watch`] is woken when it no longer would.
pub struct Source<S> {
    socket: S,
    key: usize,
    reactor: Rc<Reactor>,
}

impl<S> Source<S> {
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// Sets the task to wake.
    pub fn watch(&self, waker: &Waker) {
        self.with(|readiness| match &mut readiness.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        });
    }

    /// Does something that reads, such as accepting a connection, as soon as the socket is ready for it.
    pub async fn reading<T>(&self, mut read: impl FnMut(&S) -> io::Result<T>) -> io::Result<T> {
        poll_fn(|cx| {
            self.watch(cx.waker());
            self.try_read(&mut read)
        })
        .await
    }

    /// The same for something that writes.
    pub async fn writing<T>(&self, mut write: impl FnMut(&S) -> io::Result<T>) -> io::Result<T> {
        poll_fn(|cx| {
            self.watch(cx.waker());
            self.try_write(&mut write)
        })
        .await
    }

    fn try_read<T>(&self, read: impl FnOnce(&S) -> io::Result<T>) -> Poll<io::Result<T>> {
        if !self.with(|readiness| readiness.readable) {
            return Poll::Pending;
        }
        match read(&self.socket) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.with(|readiness| readiness.readable = false);
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }

    fn try_write<T>(&self, write: impl FnOnce(&S) -> io::Result<T>) -> Poll<io::Result<T>> {
        if !self.with(|readiness| readiness.writable) {
            return Poll::Pending;
        }
        match write(&self.socket) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.with(|readiness| readiness.writable = false);
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }

    fn with<R>(&self, change: impl FnOnce(&mut Readiness) -> R) -> R {
        // The entry is there as long as the source is.
        change(&mut self.reactor.sources.borrow_mut()[self.key])
    }
}

impl Source<TcpStream> {
    /// Reads what is there; 0 means that the peer has closed.
    pub fn receive(&self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let result = self.try_read(|mut socket| retry(|| socket.read(buffer)));
        if let Poll::Ready(Ok(read)) = result
            && read < buffer.len()
        {
            // The socket is empty now, and says so when it no longer is: a read that would only fail is saved. After a
            // hang-up there is nothing to wait for, and the reads go on to the end.
            self.with(|readiness| readiness.readable = readiness.hung_up);
        }
        result
    }

    pub fn send(&self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.try_write(|mut socket| retry(|| socket.write(bytes)))
    }
}

impl<S> Drop for Source<S> {
    fn drop(&mut self) {
        // Closing the socket, which follows, takes it out of the epoll.
        self.reactor.sources.borrow_mut().try_remove(self.key);
    }
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => return result,
        }
    }
}

/// How other threads, and tasks of this one, wake the loop.
struct Alarm {
    rung: AtomicBool,
    asleep: AtomicBool,
    bell: OwnedFd,
}

enum Asleep {
    Yes,
    No,
}

impl Alarm {
    fn reset(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }

    /// Whoever rings after this uses the bell; whoever has rung before keeps the loop from sleeping. In this order, and
    /// the opposite one in `wake_by_ref`, no ring is lost.
    fn fall_asleep(&self) -> Asleep {
        self.asleep.store(true, Ordering::SeqCst);
        if self.rung.load(Ordering::SeqCst) { Asleep::No } else { Asleep::Yes }
    }

    fn wake_up(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst) {
            // It can only fail when 2^64 - 1 rings have not been heard.
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use super::*;

    fn pair(reactor: &Rc<Reactor>) -> (Source<TcpStream>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let far = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (near, _) = listener.accept().expect("the connection");
        near.set_nonblocking(true).expect("a socket");
        (reactor.register(near).expect("a place"), far)
    }

    async fn receive(source: &Source<TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| {
            source.watch(cx.waker());
            source.receive(buffer)
        })
        .await
    }

    #[test]
    fn a_read_waits_for_bytes_and_sees_an_end_that_came_with_them() {
        let reactor = Reactor::new().expect("a reactor");
        let (near, mut far) = pair(&reactor);
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            far.write_all(b"last words").expect("a peer");
        });
        let read = reactor.block_on(async {
            let mut buffer = [0; 100];
            let first = receive(&near, &mut buffer).await?;
            let second = receive(&near, &mut buffer[first..]).await?;
            io::Result::Ok((first, second))
        });
        assert_eq!(read.expect("no failure of epoll").expect("no failure of the socket"), (10, 0));
        writer.join().expect("no panic");
    }

    #[test]
    fn a_sleep_ends_after_its_time_and_not_before() {
        let reactor = Reactor::new().expect("a reactor");
        let start = Instant::now();
        reactor.block_on(reactor.sleep(30)).expect("no failure");
        assert!(start.elapsed() >= Duration::from_millis(29), "{:?}", start.elapsed());
        assert!(reactor.timers.borrow().waiting.is_empty());
    }

    #[test]
    fn another_thread_wakes_the_loop() {
        let reactor = Reactor::new().expect("a reactor");
        let (sender, receiver) = async_channel::bounded(1);
        let thread = std::thread::spawn(move || {
            for number in 0..1000 {
                sender.send_blocking(number).expect("a receiver");
            }
        });
        let sum = reactor.block_on(async {
            let mut sum = 0;
            while let Ok(number) = receiver.recv().await {
                sum += number;
            }
            sum
        });
        assert_eq!(sum.expect("no failure"), 499_500);
        thread.join().expect("no panic");
    }

    #[test]
    fn a_source_that_is_dropped_leaves_nothing_behind() {
        let reactor = Reactor::new().expect("a reactor");
        let (near, far) = pair(&reactor);
        drop((near, far));
        assert!(reactor.sources.borrow().is_empty());
    }
}

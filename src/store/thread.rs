//! The store thread: group commit with a window that follows the traffic.
//!
//! What is queued when a commit begins goes into it together: one transaction, one fsync. After a pause a batch is
//! committed at once. As long as commits find company the window between them grows, up to [`Pace::longest`],
//! because flash wears by commits; acknowledgements wait for it, deliveries don't. On a fast disk there may be company
//! only for those who wait for it, so now and then a commit in a row of lonely ones waits a little. Where nobody comes,
//! because the next change is made when this one is confirmed, waiting would cost time and spare nothing.
//!
//! When the disk refuses, nothing is lost and nothing acknowledged: the batches stay, `Stalled` says why, and the
//! thread tries again every few seconds, then says `Resumed` and `Committed`. Meanwhile the queue grows; from
//! [`FULL`] bytes on, whoever feeds it must stop reading from its sources.

use super::commit::Committer;
use super::error::OpenError;
use super::open::{self, Opened, Options};
use super::schema::Batch;
use super::sync::lock;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes in the queue from which it counts as full.
pub const FULL: usize = 16 << 20;

/// Bytes that go into one transaction; more would only cost memory.
const TRANSACTION: usize = 4 << 20;

/// What the thread reports, from the thread: hand it over to Core's and return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreEvent {
    /// This batch and all before it are on the disk.
    Committed(u64),
    /// The disk refuses; nothing is lost, and tries go on.
    Stalled(String),
    /// It works again.
    Resumed,
    /// A bug ended the thread: the process must end too, with exit code 70.
    Panicked(String),
}

/// When to commit.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The longest time between commits that share their cost.
    pub longest: Duration,
    /// Between two tries on a disk that refuses.
    pub retry: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { longest: Duration::from_millis(250), retry: Duration::from_secs(3) }
    }
}

/// The running thread's near end.
pub struct Store {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    /// Bytes not yet committed.
    bytes: AtomicUsize,
}

#[derive(Default)]
struct QueueState {
    batches: VecDeque<Batch>,
    closing: bool,
}

impl Store {
    /// Opens the database at `path`, or makes one if nothing is there. The directory must exist.
    pub fn open(path: &Path, options: Options) -> Result<Opened, OpenError> {
        open::open(path, options)
    }

    /// Opens a database on any storage, for tests.
    pub fn open_backend(storage: impl redb::StorageBackend, options: Options) -> Result<Opened, OpenError> {
        open::open_backend(storage, options)
    }

    /// Starts the thread.
    pub fn start(
        committer: Committer,
        pace: Pace,
        notify: impl Fn(StoreEvent) + Send + 'static,
    ) -> io::Result<Store> {
        let queue = Arc::new(Queue::default());
        let keeper = Keeper { committer, pace, queue: queue.clone(), notify: Box::new(notify) };
        let thread = thread::Builder::new().name("store".into()).spawn(move || keeper.run_or_report())?;
        Ok(Store { queue, thread })
    }

    /// Queues a batch; never waits. Batches are committed in the order in which they come.
    pub fn send(&self, batch: Batch) {
        self.queue.bytes.fetch_add(batch.cost(), Ordering::Relaxed);
        let was_empty = {
            let mut state = lock(&self.queue.state);
            state.batches.push_back(batch);
            state.batches.len() == 1
        };
        if was_empty || self.queued_bytes() >= TRANSACTION {
            self.thread.thread().unpark();
        }
    }

    /// Bytes that wait for their commit.
    pub fn queued_bytes(&self) -> usize {
        self.queue.bytes.load(Ordering::Relaxed)
    }

    /// No more may be read from where batches come from, until this is false again.
    pub fn is_full(&self) -> bool {
        self.queued_bytes() >= FULL
    }

    /// Commits what is queued, closes the file and ends the thread; readers fail from then on. On a disk that
    /// refuses this lasts until it gives in: the caller bounds the time. The error is the thread's panic, already
    /// reported as [`StoreEvent::Panicked`].
    pub fn close(self) -> thread::Result<()> {
        lock(&self.queue.state).closing = true;
        self.thread.thread().unpark();
        self.thread.join()
    }
}

/// The thread's own side.
struct Keeper {
    committer: Committer,
    pace: Pace,
    queue: Arc<Queue>,
    notify: Box<dyn Fn(StoreEvent) + Send>,
}

impl Keeper {
    fn run_or_report(mut self) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.run())) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            (self.notify)(StoreEvent::Panicked(text.to_owned()));
            resume_unwind(panic);
        }
    }

    fn run(&mut self) {
        self.committer.shared.set_keeper(thread::current());
        let mut window = Window::new(self.pace.longest);
        while let Some(batches) = self.next(&window) {
            let began = Instant::now();
            self.persist(|committer| committer.apply(&batches));
            self.queue.bytes.fetch_sub(batches.iter().map(Batch::cost).sum(), Ordering::Relaxed);
            if let Some(last) = batches.last() {
                (self.notify)(StoreEvent::Committed(last.seq));
            }
            window.committed(began, batches.len());
        }
        self.committer.shared.close();
    }

    /// The next transaction's batches, when their time has come; `None` at the end.
    fn next(&mut self, window: &Window) -> Option<Vec<Batch>> {
        loop {
            if self.committer.is_broken() {
                self.persist(Committer::mend);
            }
            let wait = {
                let mut state = lock(&self.queue.state);
                let left = window.remaining(Instant::now());
                let large = self.queue.bytes.load(Ordering::Relaxed) >= TRANSACTION;
                let due = state.closing || large || left.is_zero();
                match (state.batches.is_empty(), due) {
                    (false, true) => return Some(take(&mut state.batches)),
                    (true, _) if state.closing => return None,
                    (true, _) => None,
                    (false, false) => Some(left),
                }
            };
            match wait {
                None => thread::park(),
                Some(wait) => thread::park_timeout(wait),
            }
        }
    }

    /// Tries until it works. Only the first failure is reported: what follows is the same disk.
    fn persist(&mut self, mut work: impl FnMut(&mut Committer) -> Result<(), String>) {
        let mut stalled = false;
        while let Err(reason) = work(&mut self.committer) {
            if !stalled {
                (self.notify)(StoreEvent::Stalled(reason));
                stalled = true;
            }
            let again = Instant::now() + self.pace.retry;
            while let Some(left) = again.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            {
                thread::park_timeout(left);
            }
        }
        if stalled {
            (self.notify)(StoreEvent::Resumed);
        }
    }
}

/// As many as fit into one transaction, at least one.
fn take(batches: &mut VecDeque<Batch>) -> Vec<Batch> {
    let mut bytes = 0;
    let fitting = batches.iter().take_while(|batch| {
        let fits = bytes == 0 || bytes + batch.cost() <= TRANSACTION;
        bytes += batch.cost();
        fits
    });
    let count = fitting.count();
    batches.drain(..count).collect()
}

/// The time between two commits.
struct Window {
    longest: Duration,
    length: Duration,
    last: Option<Instant>,
    /// Commits in a row that had no company and did not wait for it.
    lonely: u32,
}

impl Window {
    /// Below that it is not worth waiting.
    const SHORTEST: Duration = Duration::from_millis(5);
    /// Of so many lonely commits one waits.
    const TRY: u32 = 8;

    fn new(longest: Duration) -> Window {
        Window { longest, length: Duration::ZERO, last: None, lonely: 0 }
    }

    /// How long a waiting batch has to wait.
    fn remaining(&self, now: Instant) -> Duration {
        let since = self.last.map_or(Duration::MAX, |last| now.duration_since(last));
        self.length.saturating_sub(since)
    }

    /// A commit that began then took that many batches: with company the window doubles, alone it halves.
    fn committed(&mut self, began: Instant, batches: usize) {
        let pause = self.last.replace(began).map_or(Duration::MAX, |last| began.duration_since(last));
        self.length = if batches > 1 {
            self.within(self.length * 2)
        } else if self.length > Window::SHORTEST {
            self.length / 2
        } else {
            self.after_a_lonely_one(pause)
        };
    }

    fn after_a_lonely_one(&mut self, pause: Duration) -> Duration {
        self.lonely = if pause < self.longest { self.lonely + 1 } else { 0 };
        if self.lonely < Window::TRY {
            return Duration::ZERO;
        }
        self.lonely = 0;
        // If they come as regularly as that, there will be two.
        self.within(pause * 2)
    }

    fn within(&self, length: Duration) -> Duration {
        length.max(Window::SHORTEST).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_millis(100);

    /// Commits every time the window allows it, each with that many batches; says how long the window became.
    fn after(window: &mut Window, now: &mut Instant, commits: &[usize]) -> Duration {
        for &batches in commits {
            *now += window.remaining(*now);
            window.committed(*now, batches);
        }
        window.length
    }

    #[test]
    fn a_lone_batch_never_waits() {
        let (mut window, mut now) = (Window::new(LONGEST), Instant::now());
        assert_eq!(window.remaining(now), Duration::ZERO);
        assert_eq!(after(&mut window, &mut now, &[1, 1, 1]), Duration::ZERO);
    }

    #[test]
    fn the_window_grows_with_company_up_to_its_bound() {
        let (mut window, mut now) = (Window::new(LONGEST), Instant::now());
        assert_eq!(after(&mut window, &mut now, &[2]), Duration::from_millis(5));
        assert_eq!(after(&mut window, &mut now, &[2, 9, 2, 2, 2, 2]), LONGEST);
        assert_eq!(window.remaining(now), LONGEST);
    }

    #[test]
    fn who_waits_for_each_confirmation_is_hardly_kept_waiting() {
        let (mut window, began) = (Window::new(LONGEST), Instant::now());
        let mut now = began;
        for _ in 0..80 {
            now += Duration::from_millis(2);
            now += window.remaining(now);
            window.committed(now, 1);
        }
        assert!(now - began <= Duration::from_millis(80 * 2 + 10 * 5), "{:?}", now - began);
    }

    #[test]
    fn rare_changes_never_wait() {
        let (mut window, mut now) = (Window::new(LONGEST), Instant::now());
        for _ in 0..100 {
            assert_eq!(window.remaining(now), Duration::ZERO);
            window.committed(now, 1);
            now += LONGEST;
        }
    }

    #[test]
    fn the_window_shrinks_to_nothing_without_company() {
        let (mut window, mut now) = (Window::new(LONGEST), Instant::now());
        after(&mut window, &mut now, &[2; 9]);
        assert_eq!(after(&mut window, &mut now, &[1; 6]), Duration::ZERO);
    }

    #[test]
    fn what_comes_evenly_is_soon_committed_together() {
        let (mut window, start) = (Window::new(LONGEST), Instant::now());
        let (mut commits, mut waiting) = (0, 0);
        for at in (0..10_000).step_by(10) {
            waiting += 1;
            let now = start + Duration::from_millis(at);
            if window.remaining(now).is_zero() {
                window.committed(now, std::mem::take(&mut waiting));
                commits += 1;
            }
        }
        assert!((100..130).contains(&commits), "{commits} commits for 1,000 batches in 10 seconds");
    }

    #[test]
    fn after_a_pause_nothing_waits() {
        let (mut window, mut now) = (Window::new(LONGEST), Instant::now());
        after(&mut window, &mut now, &[2; 9]);
        assert_eq!(window.remaining(now + LONGEST), Duration::ZERO);
    }
}

//! What a message costs in the store: CPU, bytes written and syncs, by how many share a commit; what opening costs
//! after a crash. `cargo bench --bench store [DIRECTORY]`; the directory should be on the disk in question.

use redb::StorageBackend;
use redb::backends::FileBackend;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stube::store::schema::{offline, roster};
use stube::store::{Batch, Offline, Options, RosterItem, Store};

/// A chat message with its envelope.
const MESSAGE: usize = 360;
const ACCOUNTS: u32 = 1_000;

fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let directory = named.map_or_else(std::env::temp_dir, PathBuf::from);
    let path = directory.join(format!("stube-bench-{}.redb", std::process::id()));
    println!("a message of {MESSAGE} bytes to one of {ACCOUNTS} accounts\n");
    println!("quick repair | a commit | CPU µs | written B | syncs | commit ms (median)");
    for quick_repair in [false, true] {
        for batch in [1, 10, 200, 5_000] {
            commits(&path, quick_repair, batch);
        }
    }
    reads(&path);
    println!("\nquick repair | file MB | written a commit, KB | open after a crash ms");
    for quick_repair in [false, true] {
        crash(&path, quick_repair);
    }
}

fn commits(path: &Path, quick_repair: bool, batch: u64) {
    let counted = Counted::create(path);
    let counts = counted.counts.clone();
    let mut committer = Store::open_backend(counted, options(quick_repair)).expect("opens").committer;
    // A database that has seen some use: its trees are a few levels deep.
    let mut order = 0;
    for _ in 0..20 {
        committer.apply(&[messages(&mut order, 1_000)]).expect("commits");
    }
    let rounds = (2_000 / batch).clamp(10, 300);
    let (written, syncs, cpu) = (counts.written(), counts.syncs(), cpu_time());
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let batch = [messages(&mut order, batch)];
            let began = Instant::now();
            committer.apply(&batch).expect("commits");
            began.elapsed()
        })
        .collect();
    times.sort();
    let count = (rounds * batch) as f64;
    println!(
        "{quick_repair:>12} | {batch:>8} | {:>6.1} | {:>9.0} | {:>5.1} | {:.2}",
        (cpu_time() - cpu).as_secs_f64() * 1e6 / count,
        (counts.written() - written) as f64 / count,
        (counts.syncs() - syncs) as f64 / rounds as f64,
        times[times.len() / 2].as_secs_f64() * 1e3,
    );
    drop(committer);
    std::fs::remove_file(path).expect("there");
}

/// What a login reads.
fn reads(path: &Path) {
    let opened = Store::open_backend(Counted::create(path), options(false)).expect("opens");
    let mut committer = opened.committer;
    let item = RosterItem { name: Some("A contact".into()), ..RosterItem::default() };
    for account in 0..ACCOUNTS {
        let contacts =
            (0..20).map(|contact| roster::put(account, &format!("contact{contact}@example.org"), &item));
        committer.apply(&[Batch { seq: 1, ops: contacts.collect() }]).expect("commits");
    }
    let began = Instant::now();
    (0..ACCOUNTS).for_each(|account| assert!(opened.reader.vcard(account).expect("readable").is_none()));
    let row = began.elapsed() / ACCOUNTS;
    let began = Instant::now();
    (0..ACCOUNTS).for_each(|account| assert_eq!(opened.reader.roster(account).expect("readable").len(), 20));
    let roster = began.elapsed() / ACCOUNTS;
    println!("\nreading one row that is not there: {row:?}; a roster of 20: {roster:?}");
    drop(opened.reader);
    committer.close();
    std::fs::remove_file(path).expect("there");
}

/// Fills a few hundred megabytes, then opens a copy of the file as a crash would have left it.
fn crash(path: &Path, quick_repair: bool) {
    let counted = Counted::create(path);
    let counts = counted.counts.clone();
    let mut committer = Store::open_backend(counted, options(quick_repair)).expect("opens").committer;
    let mut order = 0;
    for _ in 0..120 {
        committer.apply(&[messages(&mut order, 5_000)]).expect("commits");
    }
    let before = counts.written();
    for _ in 0..100 {
        committer.apply(&[messages(&mut order, 1)]).expect("commits");
    }
    let written = (counts.written() - before) as f64 / 100.0;
    let copy = path.with_extension("copy");
    std::fs::copy(path, &copy).and_then(|_| File::open(&copy)?.sync_all()).expect("copied");
    drop(committer);
    let file = Counted::open(&copy);
    let began = Instant::now();
    let opened = Store::open_backend(file, options(quick_repair)).expect("opens");
    let elapsed = began.elapsed();
    let megabytes = copy.metadata().expect("there").len() >> 20;
    println!(
        "{quick_repair:>12} | {megabytes:>7} | {:>20.1} | {:.1}",
        written / 1e3,
        elapsed.as_secs_f64() * 1e3
    );
    drop(opened);
    std::fs::remove_file(path).and_then(|()| std::fs::remove_file(copy)).expect("there");
}

fn messages(order: &mut u64, count: u64) -> Batch {
    let stanza = [b'x'; MESSAGE];
    let ops = (0..count).map(|_| {
        *order += 1;
        // Accounts in no order, as messages come.
        let account = (*order * 2_654_435_761 % u64::from(ACCOUNTS)) as u32;
        offline::put(account, *order, &Offline::Copy { stamp: *order, stanza: stanza.to_vec() })
    });
    let ops = ops.collect();
    Batch { seq: *order, ops }
}

fn options(quick_repair: bool) -> Options {
    Options { quick_repair, ..Options::new([0; 32]) }
}

fn cpu_time() -> Duration {
    // SAFETY: a plain struct of numbers, filled by the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1_000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// A file that counts what is written.
#[derive(Debug)]
struct Counted {
    file: FileBackend,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    syncs: AtomicU64,
}

impl Counts {
    fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

impl Counted {
    fn create(path: &Path) -> Counted {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        Counted::on(file.expect("created"))
    }

    fn open(path: &Path) -> Counted {
        Counted::on(OpenOptions::new().read(true).write(true).open(path).expect("there"))
    }

    fn on(file: File) -> Counted {
        Counted { file: FileBackend::new(file).expect("a file"), counts: Arc::default() }
    }
}

impl StorageBackend for Counted {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.counts.written.fetch_add(data.len() as u64, Ordering::Relaxed);
        self.file.write(offset, data)
    }
}

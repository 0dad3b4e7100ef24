//! Which files are opened, and what is said of all others. None of them is ever changed.

use super::faulty::Ending;
use super::{Chance, Faulty, SECRET, numbered, numbered_there, open_on, options};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use stube::store::{OpenError, Problem, Store};

/// A directory of its own, gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("stube-store-{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("a fresh directory");
        Directory(path)
    }

    fn database(&self) -> PathBuf {
        self.0.join("stube.redb")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(path: &Path) -> OpenError {
    let Err(error) = Store::open(path, options()) else { panic!("{} was opened", path.display()) };
    let line = error.to_string();
    assert!(line.starts_with(path.to_str().expect("UTF-8")) && !line.contains('\n'), "{line}");
    error
}

/// Refused, and left as it was.
fn refused_unchanged(path: &Path) -> OpenError {
    let before = fs::read(path).expect("readable");
    let error = refused(path);
    assert_eq!(fs::read(path).expect("readable"), before, "the file was changed");
    error
}

/// A database with `count` batches in it.
fn made(path: &Path, count: u64) {
    let mut committer = Store::open(path, options()).expect("opens").committer;
    (1..=count).for_each(|seq| committer.apply(&[numbered(seq)]).expect("commits"));
}

#[test]
fn a_database_is_made_once_with_its_secret_and_closed_to_others() {
    let directory = Directory::new("made");
    let path = directory.database();
    let opened = Store::open(&path, options()).expect("opens");
    assert!(opened.created);
    assert_eq!(opened.reader.secret(), Ok(SECRET));
    drop(opened);
    let other = stube::store::Options { secret: [8; 32], ..options() };
    let opened = Store::open(&path, other).expect("opens");
    assert!(!opened.created);
    assert_eq!(opened.reader.secret(), Ok(SECRET));
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    let files: Vec<_> = fs::read_dir(&directory.0).expect("readable").collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn what_an_interrupted_first_start_left_is_no_obstacle() {
    let directory = Directory::new("interrupted");
    fs::write(directory.0.join("stube.redb.new"), b"half a database").expect("writable");
    assert!(Store::open(&directory.database(), options()).expect("opens").created);
}

#[test]
fn a_database_that_is_open_is_locked() {
    let directory = Directory::new("locked");
    let opened = Store::open(&directory.database(), options()).expect("opens");
    assert!(matches!(refused(&directory.database()).problem, Problem::Locked));
    drop(opened);
    Store::open(&directory.database(), options()).expect("opens");
}

#[test]
fn a_database_in_the_making_is_locked() {
    let directory = Directory::new("making");
    let temporary = fs::File::create(directory.0.join("stube.redb.new")).expect("writable");
    temporary.try_lock().expect("nobody else");
    assert!(matches!(refused(&directory.database()).problem, Problem::Locked));
}

#[test]
fn a_database_locked_by_another_process_is_refused() {
    let directory = Directory::new("process");
    made(&directory.database(), 1);
    let mut child = std::process::Command::new("flock")
        .arg(directory.database())
        .args(["sh", "-c", "echo locked; read line"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("flock of util-linux");
    let mut line = [0; 7];
    std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut line).expect("a line");
    let error = refused_unchanged(&directory.database());
    assert!(matches!(error.problem, Problem::Locked), "{error}");
    drop(child.stdin.take());
    child.wait().expect("ends");
    Store::open(&directory.database(), options()).expect("opens");
}

#[test]
fn an_empty_file_is_refused() {
    let directory = Directory::new("empty");
    fs::write(directory.database(), b"").expect("writable");
    assert!(matches!(refused_unchanged(&directory.database()).problem, Problem::Corrupt(_)));
}

#[test]
fn a_foreign_file_is_refused() {
    let directory = Directory::new("foreign");
    for content in [b"SQLite format 3\0 and more than a few bytes".as_slice(), b"short", &[0; 5000]] {
        fs::write(directory.database(), content).expect("writable");
        assert!(matches!(refused_unchanged(&directory.database()).problem, Problem::Foreign(_)));
    }
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = Directory::new("other");
    let database = redb::Database::create(directory.database()).expect("made");
    let transaction = database.begin_write().expect("writable");
    let table = redb::TableDefinition::<&str, u64>::new("meta");
    transaction.open_table(table).expect("a table").insert("schema", 1).expect("a row");
    transaction.commit().expect("commits");
    drop(database);
    assert!(matches!(refused(&directory.database()).problem, Problem::Foreign(_)));
}

#[test]
fn a_directory_in_its_place_is_refused() {
    let directory = Directory::new("directory");
    fs::create_dir(directory.database()).expect("writable");
    assert!(matches!(refused(&directory.database()).problem, Problem::Foreign(_)));
}

#[test]
fn a_missing_directory_is_not_made() {
    let directory = Directory::new("missing");
    let path = directory.0.join("deep").join("stube.redb");
    assert!(matches!(refused(&path).problem, Problem::NoDirectory));
    assert!(!directory.0.join("deep").exists());
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = Directory::new("newer");
    let mut committer = Store::open(&directory.database(), options()).expect("opens").committer;
    let ops = vec![stube::store::schema::meta::put_schema(stube::store::schema::VERSION + 1)];
    committer.apply(&[stube::store::Batch { seq: 1, ops }]).expect("commits");
    drop(committer);
    let error = refused(&directory.database());
    assert!(
        matches!(error.problem, Problem::Newer { schema } if schema == stube::store::schema::VERSION + 1),
        "{error}"
    );
}

/// Wherever the file is cut, it is refused and never opened as an older or an empty one.
#[test]
fn a_file_cut_short_is_refused() {
    let directory = Directory::new("cut");
    let path = directory.database();
    made(&path, 300);
    let whole = fs::read(&path).expect("readable");
    for part in 0..16 {
        fs::write(&path, &whole[..whole.len() * part / 16]).expect("writable");
        let error = refused(&path);
        assert!(matches!(error.problem, Problem::Corrupt(_)), "{part}/16: {error}");
    }
    fs::write(&path, &whole).expect("writable");
    assert_eq!(numbered_there(&Store::open(&path, options()).expect("opens").reader), 300);
}

/// Whatever 512 bytes go bad: either the file is refused, or what is read is right or an error, never a panic.
#[test]
fn damage_is_an_error_and_no_panic() {
    let storage = Faulty::new();
    let mut committer = open_on(&storage).committer;
    (1..=300).for_each(|seq| committer.apply(&[numbered(seq)]).expect("commits"));
    committer.close();
    let whole = storage.after(Ending::Kill);
    let mut refused = 0;
    let mut unreadable = 0;
    for seed in 0..200 {
        let mut chance = Chance::new(seed);
        let mut image = whole.clone();
        let at = chance.below(image.len() / 512) * 512;
        image[at..at + 512].fill_with(|| chance.next() as u8);
        match Store::open_backend(Faulty::holding(image), options()) {
            Err(error) => {
                assert!(matches!(error.problem, Problem::Corrupt(_) | Problem::Foreign(_)), "{error}");
                refused += 1;
            }
            Ok(opened) => unreadable += usize::from(opened.reader.offline(1, None, usize::MAX).is_err()),
        }
    }
    assert!(refused > 0 && unreadable > 0, "{refused} refused, {unreadable} unreadable");
}

#[test]
fn a_file_that_belongs_to_someone_else_is_refused_with_both_names() {
    let directory = Directory::new("owner");
    made(&directory.database(), 1);
    fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o755)).expect("ours");
    let error = as_nobody(|| refused(&directory.database()));
    assert!(matches!(error.problem, Problem::Permission { owner: 0, user: 65534 }), "{error}");
    fs::remove_file(directory.database()).expect("ours");
    let error = as_nobody(|| refused(&directory.database()));
    assert!(matches!(error.problem, Problem::Permission { owner: 0, user: 65534 }), "{error}");
}

/// Runs as the user "nobody", on a thread of its own: the bare system call changes no other.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let run = || {
        // SAFETY: plain numbers; -1 leaves an id as it is.
        let changed = unsafe { libc::syscall(libc::SYS_setresuid, -1, 65534, -1) };
        assert_eq!(changed, 0, "this test must run as root");
        work()
    };
    std::thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

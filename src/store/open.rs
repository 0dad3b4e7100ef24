//! Opening the file: every way in which it can be the wrong one is told apart, and nothing is ever recreated.
//!
//! A database is made only where there is no file at all, under a temporary name, and appears under its own when
//! it is complete. A file that is there is opened as it is or refused: one that is empty or cut short was once
//! something else, and only the operator can say what.

use super::commit::Committer;
use super::disk::Disk;
use super::error::{OpenError, Problem, user};
use super::migrate;
use super::read::Reader;
use super::schema::{self, Op};
use super::shared::Shared;
use redb::backends::FileBackend;
use redb::{Database, DatabaseError, StorageBackend};
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Options {
    /// Random bytes for a database that is being made ([`Reader::secret`]); unused if there is one.
    pub secret: [u8; 32],
    /// Bytes of pages to keep in memory.
    pub cache: usize,
    /// Save redb's allocator with each commit, so that the file opens at once after a crash instead of being read
    /// through. Off: on an SSD 544 MB then opened in 0.8 ms instead of 0.7 s (a slow card needs its own time to
    /// read them), but a commit of one message wrote 107 KB instead of 33 (42 instead of 30 in a file of 8 MB) and
    /// took two syncs instead of one. Flash wears by every commit; crashes are rare.
    pub quick_repair: bool,
}

impl Options {
    pub fn new(secret: [u8; 32]) -> Options {
        Options { secret, cache: 4 << 20, quick_repair: false }
    }
}

/// An open database.
pub struct Opened {
    pub committer: Committer,
    pub reader: Reader,
    /// It has just been made.
    pub created: bool,
}

/// Opens the database at `path`, or makes one if nothing is there. The directory must exist.
pub fn open(path: &Path, options: Options) -> Result<Opened, OpenError> {
    let fail = |problem| OpenError { path: path.to_owned(), problem };
    let (file, created) = match existing(path) {
        Ok(file) => (file, false),
        Err(Problem::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            create(path, &options).map_err(fail)?
        }
        Err(problem) => return Err(fail(problem)),
    };
    let backend = FileBackend::new(file).map_err(|error| fail(Problem::of_database(error)))?;
    open_disk(Disk::new(backend), options, created).map_err(fail)
}

/// Opens a database on any storage, for tests; an empty one is made into a database. Give it only what no other
/// process uses: the lock is on files alone.
pub fn open_backend(storage: impl StorageBackend, options: Options) -> Result<Opened, OpenError> {
    let fail = |problem| OpenError { path: PathBuf::from("(memory)"), problem };
    let disk = Disk::new(storage);
    let created = disk.handle().len().map_err(|error| fail(Problem::Io(error)))? == 0;
    if created {
        initialise(&disk, &options).map_err(fail)?;
    }
    open_disk(disk, options, created).map_err(fail)
}

fn open_disk(disk: Arc<Disk>, options: Options, created: bool) -> Result<Opened, Problem> {
    let database = database(&disk, &options)?;
    let shared = Shared::new(database);
    let reader = Reader(shared.clone());
    Ok(Opened { committer: Committer { shared, disk, options }, reader, created })
}

/// Opens redb on the disk, checks whose file it is and brings it to the schema of today.
///
/// redb panics where a page makes no sense to it; at this point that means what its errors mean: the file can't be
/// used.
pub(super) fn database(disk: &Arc<Disk>, options: &Options) -> Result<Database, Problem> {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = redb_on(disk, options)?;
        migrate::to_current(&database)?;
        Ok(database)
    }));
    let database = opened.unwrap_or_else(|_| Err(Problem::Corrupt("a page of it makes no sense".into())))?;
    disk.opened().map_err(Problem::of_io)?;
    Ok(database)
}

fn redb_on(disk: &Arc<Disk>, options: &Options) -> Result<Database, Problem> {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache);
    builder.set_repair_callback(|repair| {
        let done = repair.progress() * 100.0;
        log::info!("the database was not closed properly and is being checked: {done:.0} % done");
    });
    builder.create_with_backend(disk.handle()).map_err(Problem::of_database)
}

/// The file that is there, locked, if it looks like a redb database at all.
fn existing(path: &Path) -> Result<File, Problem> {
    let metadata = path.metadata().map_err(Problem::Io)?;
    if !metadata.is_file() {
        return Err(Problem::Foreign("it is not a regular file"));
    }
    let owner = metadata.uid();
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| Problem::of_access(error, owner))?;
    lock(&file)?;
    const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
    let mut start = [0; MAGIC.len()];
    match file.read_exact(&mut start) {
        Ok(()) if start == MAGIC => Ok(file),
        Ok(()) => Err(Problem::Foreign("it is not a database")),
        Err(_) if metadata.len() == 0 => Err(Problem::Corrupt("it is empty".into())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(Problem::Foreign("it is not a database"))
        }
        Err(error) => Err(Problem::of_io(error)),
    }
}

/// Makes the database beside its place and moves it there when it is whole. Holding the lock on the temporary
/// file, whoever comes second either finds that locked or the finished database in its place.
fn create(path: &Path, options: &Options) -> Result<(File, bool), Problem> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = directory.metadata().map_err(Problem::of_io)?;
    let mut temporary = OsString::from(path);
    temporary.push(".new");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&temporary)
        .map_err(|error| Problem::of_access(error, owner.uid()))?;
    lock(&file)?;
    if path.exists() {
        // Someone else was quicker; theirs is the database.
        std::fs::remove_file(&temporary).map_err(Problem::of_io)?;
        return Ok((existing(path)?, false));
    }
    // An unfinished attempt may have left something.
    file.set_len(0).map_err(Problem::of_io)?;
    if user() == 0 {
        // `sudo stube user add` before the first start must not leave a file that the service can't open.
        std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid())).map_err(Problem::of_io)?;
    }
    let same = file.try_clone().map_err(Problem::of_io)?;
    initialise(&Disk::new(FileBackend::new(same).map_err(Problem::of_database)?), options)?;
    std::fs::rename(&temporary, path).map_err(Problem::of_io)?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(Problem::of_io)?;
    Ok((file, true))
}

/// One process at a time, for as long as the file is open.
fn lock(file: &File) -> Result<(), Problem> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Problem::Locked),
        Err(TryLockError::Error(error)) => Err(Problem::of_io(error)),
    }
}

/// What every database begins with.
fn initialise(disk: &Arc<Disk>, options: &Options) -> Result<(), Problem> {
    let database = redb_on(disk, options)?;
    let first = [
        schema::meta::put_schema(schema::VERSION),
        schema::meta::put_secret(&options.secret),
        schema::meta::put_next_account(1),
    ];
    write_first(&database, &first).map_err(Problem::of_redb)?;
    database.close().map_err(Problem::of_database)
}

fn write_first(database: &Database, ops: &[Op]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    super::commit::write(&transaction, ops)?;
    transaction.commit()?;
    Ok(())
}

impl Problem {
    fn of_database(error: DatabaseError) -> Problem {
        Problem::of_redb(error.into())
    }
}

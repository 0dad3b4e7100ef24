//! Why the database can't be opened, in words for the operator: which file, what is wrong, what to do next.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

#[derive(Debug)]
pub struct OpenError {
    pub path: PathBuf,
    pub problem: Problem,
}

#[derive(Debug)]
pub enum Problem {
    /// Another process has it open.
    Locked,
    /// Something else is in its place.
    Foreign(&'static str),
    /// It was a database once.
    Corrupt(String),
    /// It was written by a newer stube.
    Newer {
        schema: u32,
    },
    /// It belongs to `owner` and we run as `user`.
    Permission {
        owner: u32,
        user: u32,
    },
    /// The disk is full, or the quota used up.
    NoSpace,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The directory is missing.
    NoDirectory,
    Io(io::Error),
}

impl Problem {
    /// An I/O error that says by itself what is the matter.
    pub fn of_io(error: io::Error) -> Problem {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Problem::NoSpace,
            ErrorKind::ReadOnlyFilesystem => Problem::ReadOnly,
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Problem::Corrupt(error.to_string()),
            ErrorKind::NotFound => Problem::NoDirectory,
            _ => Problem::Io(error),
        }
    }

    /// An I/O error on opening something that belongs to `owner`.
    pub fn of_access(error: io::Error, owner: u32) -> Problem {
        match error.kind() {
            ErrorKind::PermissionDenied => Problem::Permission { owner, user: user() },
            _ => Problem::of_io(error),
        }
    }

    pub fn of_redb(error: redb::Error) -> Problem {
        match error {
            redb::Error::Io(error) => Problem::of_io(error),
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Problem::Locked,
            redb::Error::UpgradeRequired(_) => Problem::Foreign("it has another version of the file format"),
            other => Problem::Corrupt(other.to_string()),
        }
    }
}

/// The user id that we run as.
pub fn user() -> u32 {
    // SAFETY: geteuid has no arguments and can't fail.
    unsafe { libc::geteuid() }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Locked => f.write_str("another process has the database open; stop that stube first"),
            Problem::Foreign(what) => {
                write!(
                    f,
                    "this is not a database of stube: {what}; move it away, or set `data` to another directory"
                )
            }
            Problem::Corrupt(what) => {
                write!(f, "the database is damaged: {what}; restore a backup")
            }
            Problem::Newer { schema } => write!(
                f,
                "the database has schema {schema}, and this stube knows only up to {}; install the newer stube again",
                super::schema::VERSION
            ),
            Problem::Permission { owner, user } => write!(
                f,
                "permission denied: it belongs to user id {owner} and stube runs as {user}; run stube as its owner, \
                 or give it away with chown"
            ),
            Problem::NoSpace => {
                f.write_str("there is no space left for the database; free some and start again")
            }
            Problem::ReadOnly => f.write_str(
                "the file system is read-only; mount it writable, or set `data` to another directory",
            ),
            Problem::NoDirectory => f.write_str("the directory does not exist; create it, or set `data`"),
            Problem::Io(error) => write!(f, "the database can't be opened: {error}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Io(error) => Some(error),
            _ => None,
        }
    }
}

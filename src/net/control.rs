//! The control socket: one request a connection, as [`crate::control`] says, answered by Core.
//!
//! Only our own user can connect (0600). A socket that a server has left behind is replaced; where one answers, we refuse
//! to start. Someone who connects and says nothing is dropped after a while, and only a few are heard at a time.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use futures_lite::future::{or, yield_now};
use log::{debug, info, warn};
use rustix::fs::Mode;
use rustix::process::umask;

use super::reactor::Source;
use super::server::Server;
use crate::control::{MAX_REQUEST, Request, Response};

const MOST_CONNECTIONS: usize = 8;
/// Milliseconds for a request to come, and for its answer to be taken.
const PATIENCE: u64 = 5_000;
const PAUSE: u64 = 100;

/// The bound socket. Its file goes when this does.
pub struct Control {
    socket: UnixListener,
    path: PathBuf,
}

impl Control {
    pub fn bind(path: &Path) -> Result<Control, String> {
        let failed = |error: io::Error| format!("{}: cannot listen for commands: {error}", path.display());
        match UnixStream::connect(path) {
            Ok(_) => return Err(format!("{}: another stube answers here; stop it first", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        // The mode must be right from the first moment, not only after a chmod.
        let before = umask(Mode::from_raw_mode(0o177));
        let socket = UnixListener::bind(path);
        umask(before);
        let socket = socket.map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Control { socket, path: path.to_owned() })
    }

    /// Answers requests until it is dropped.
    pub async fn serve(self, server: Rc<Server>) -> io::Result<()> {
        let file = File(self.path);
        let socket = server.reactor.register(self.socket)?;
        let connections = Rc::new(Cell::new(0));
        loop {
            match socket.reading(UnixListener::accept).await {
                Ok((client, _)) if connections.get() < MOST_CONNECTIONS => {
                    let guard = Guard::new(&connections);
                    let visit = visit(Rc::clone(&server), client);
                    server.spawn_visitor(Box::pin(async move {
                        if let Err(error) = visit.await {
                            debug!("a control connection fails: {error}");
                        }
                        drop(guard);
                    }));
                }
                Ok(_) => warn!("too many control connections: one was closed"),
                Err(error) => {
                    warn!("cannot accept a control connection on {}: {error}", file.0.display());
                    server.reactor.sleep(PAUSE).await;
                }
            }
            yield_now().await;
        }
    }
}

/// Counts a connection for as long as it lives.
struct Guard(Rc<Cell<usize>>);

impl Guard {
    fn new(count: &Rc<Cell<usize>>) -> Guard {
        count.set(count.get() + 1);
        Guard(Rc::clone(count))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// The file of a socket.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        // What stays behind is replaced by the next server.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn visit(server: Rc<Server>, client: UnixStream) -> io::Result<()> {
    client.set_nonblocking(true)?;
    let client = server.reactor.register(client)?;
    let request = in_time(&server, read_request(&client)).await?;
    let response = match Request::decode(&request) {
        Some(request) => {
            info!("an operator asks: {request:?}");
            server.ask(request).await.ok_or(ErrorKind::ConnectionAborted)?
        }
        None => Response::Failed("the server does not know this request; is it of another version?".into()),
    };
    in_time(&server, write_all(&client, &response.encode())).await
}

async fn in_time<T>(server: &Server, task: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let too_late = async {
        server.reactor.sleep(PATIENCE).await;
        Err(ErrorKind::TimedOut.into())
    };
    or(task, too_late).await
}

/// Reads up to the line feed, or as much as a request may have.
async fn read_request(client: &Source<UnixStream>) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\n") && request.len() <= MAX_REQUEST {
        let read = client.reading(|mut socket| socket.read(&mut buffer)).await?;
        if read == 0 {
            break;
        }
        request.extend_from_slice(&buffer[..read]);
    }
    Ok(request)
}

async fn write_all(client: &Source<UnixStream>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = client.writing(|mut socket| socket.write(bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> PathBuf {
        let directory = std::env::temp_dir().join(format!(
            "stube-control-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&directory).expect("a directory");
        directory
    }

    #[test]
    fn a_socket_that_is_left_behind_is_replaced_and_one_that_answers_is_not() {
        use std::os::unix::fs::PermissionsExt;
        let directory = directory();
        let path = directory.join("control.sock");
        drop(UnixListener::bind(&path).expect("a socket"));
        let control = Control::bind(&path).expect("a stale file is no obstacle");
        let mode = path.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Control::bind(&path).err().unwrap_or_default();
        assert!(second.contains("another stube answers here"), "{second}");
        drop(control);
        std::fs::remove_dir_all(directory).expect("our own directory");
    }
}

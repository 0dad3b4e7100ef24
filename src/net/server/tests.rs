//! What a task of a connection weighs, and what its panic does.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::super::conn::Conn;
use super::*;
use crate::config::Config;
use crate::store::{Opened, Options, Pace};

// What a session needs besides is counted where it lives: TLS, the stream's reader, Core.
#[test]
fn the_task_of_a_connection_is_small() {
    let size = size_of::<Supervised<Conn>>();
    assert!(size <= 512, "{size} bytes");
}

/// A server that nobody can reach. Its directory goes when this does.
struct Hermit {
    server: Rc<Server>,
    directory: PathBuf,
}

impl Hermit {
    fn new(name: &str) -> Hermit {
        let directory = directory(name, process::id());
        std::fs::create_dir_all(&directory).expect("a directory");
        let mut config = Config::for_domains(&["localhost"]);
        config.data = directory.clone();
        let Opened { committer, reader, .. } =
            Store::open(&config.database(), Options::new([0; 32])).expect("a database");
        let (events_in, events) = async_channel::unbounded();
        let hear = move |event| drop(events_in.try_send(event));
        let store = Store::start(committer, Pace::default(), hear).expect("a thread");
        let reactor = Reactor::new().expect("a reactor");
        let acceptors =
            Acceptors::load(&config, Duration::from_millis(reactor.now())).expect("a certificate");
        let core = Core::new(Arc::new(config), reader, Box::new(|bytes| bytes.fill(1)), reactor.now());
        let (server, _) = Server::start(reactor, core.expect("a database"), store, events, acceptors);
        Hermit { server, directory }
    }

    /// Runs what has been spawned.
    fn run_for_a_moment(&self) {
        self.server.run(self.server.reactor.sleep(20)).expect("a reactor");
    }
}

impl Drop for Hermit {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Runs this test again in a process of its own, which `end` is to end; the exit code.
fn exit_code(test: &str, end: impl FnOnce(&Hermit)) -> Option<i32> {
    const MARK: &str = "STUBE_TEST_TO_END";
    if std::env::var_os(MARK).is_some_and(|marked| marked == test) {
        let hermit = Hermit::new(test);
        end(&hermit);
        hermit.run_for_a_moment();
        process::exit(0);
    }
    let name = format!("net::server::tests::{test}");
    let this = std::env::current_exe().expect("a test");
    let mut command = Command::new(this);
    command.args(["--exact", &name]).env(MARK, test).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a process");
    let status = child.wait().expect("our own process");
    std::fs::remove_dir_all(directory(test, child.id())).expect("what the process has left behind");
    status.code()
}

fn directory(name: &str, process: u32) -> PathBuf {
    std::env::temp_dir().join(format!("stube-{name}-{process}"))
}

#[test]
fn a_panic_in_the_task_of_a_connection_ends_that_alone() {
    let hermit = Hermit::new("alone");
    hermit.server.spawn_visitor(Box::pin(async { panic!("a bug in a connection") }));
    hermit.run_for_a_moment();
}

#[test]
fn a_panic_within_core_ends_the_process() {
    let code = exit_code("a_panic_within_core_ends_the_process", |hermit| {
        let server = Rc::clone(&hermit.server);
        hermit.server.spawn_visitor(Box::pin(async move {
            server.with_core(|_| panic!("a bug in Core"));
        }));
    });
    assert_eq!(code, Some(BUG));
}

#[test]
fn a_panic_in_a_service_ends_the_process() {
    let code = exit_code("a_panic_in_a_service_ends_the_process", |hermit| {
        hermit.server.spawn(async { panic!("a bug in a service") }).detach();
    });
    assert_eq!(code, Some(BUG));
}

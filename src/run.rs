//! Starting, running and stopping the server.
//!
//! The order of the start is the order in which failing is cheapest to understand: the data directory, the database, the
//! certificate, the addresses. Each failure is one line. Then the streams are served until somebody asks for the end; every
//! stream is told, what it has to say is written, and the database is closed: within [`GRACE`], or the rest is given up.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use async_executor::Task;
use futures_lite::future::or;
use log::{error, info, warn};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cmd::Failure;
use crate::config::Config;
use crate::core::{Core, Event};
use crate::net::certificate::Acceptors;
use crate::net::control::Control;
use crate::net::listen::{self, Listener};
use crate::net::reactor::Reactor;
use crate::net::server::{BUG, Server, Stop};
use crate::net::signals::Signals;
use crate::net::{files, journal, memory, notify};
use crate::store::{Opened, Options, Pace, Store, StoreEvent};

/// Milliseconds for the streams to end; the database gets the rest of five seconds.
const GRACE: u64 = 4_000;
const STORE_GRACE: Duration = Duration::from_secs(1);

/// What to run.
pub struct Plan {
    pub config: Config,
    /// Read again on SIGHUP.
    pub file: Option<PathBuf>,
    /// Bound already; else the addresses of the configuration are bound.
    pub listeners: Option<Vec<Listener>>,
    /// Printed when everything is ready.
    pub greeting: String,
}

/// Runs the server until it is told to stop.
pub fn run(plan: Plan) -> Result<(), Failure> {
    journal::start(plan.config.log.level);
    raise_descriptor_limit();
    match serve(plan).map_err(Failure::Failed)? {
        Stop::Quit => Ok(()),
        Stop::Restart => restart(),
    }
}

fn serve(plan: Plan) -> Result<Stop, String> {
    let Plan { config, file, listeners, greeting } = plan;
    files::prepare_directory(&config.data)?;
    let Opened { committer, reader, created } = open_store(&config)?;
    if created {
        info!("made a new database: {}", config.database().display());
    }
    let reactor = Reactor::new().map_err(line("cannot wait for anything"))?;
    let acceptors = Acceptors::load(&config, Duration::from_millis(reactor.now()))?;
    let listeners = listeners.map_or_else(|| listen::bind(&config.listen), Ok)?;
    let control = Control::bind(&config.control_socket())?;
    let to_stop = Signals::to_stop(&reactor).map_err(line("cannot catch signals"))?;
    let to_reload = Signals::to_reload(&reactor).map_err(line("cannot catch signals"))?;

    let (events_in, events) = async_channel::unbounded();
    let pace = Pace { longest: Duration::from_millis(config.store.commit_window_ms), ..Pace::default() };
    // The channel is unbounded and outlives the store: nothing is lost.
    let hear = move |event: StoreEvent| drop(events_in.try_send(event));
    let store =
        Store::start(committer, pace, hear).map_err(line("cannot start the thread of the database"))?;
    let config = Arc::new(config);
    let core = Core::new(Arc::clone(&config), reader, Box::new(random), reactor.now())
        .map_err(line("the database cannot be read"))?;
    let (server, stops) = Server::start(reactor, core, store, events, acceptors);

    listen::announce(&listeners);
    server.spawn(obey(Rc::clone(&server), to_stop)).detach();
    server.spawn(reload(Rc::clone(&server), to_reload, config, file)).detach();
    server.spawn(notify::watchdog(Rc::clone(&server))).detach();
    server.spawn(memory::tidy_up(Rc::clone(&server))).detach();
    let mut doors: Vec<Task<()>> = vec![server.spawn(vital(control.serve(Rc::clone(&server))))];
    doors.extend(
        listeners.into_iter().map(|listener| server.spawn(vital(listener.serve(Rc::clone(&server))))),
    );
    info!("stube {} is ready", env!("CARGO_PKG_VERSION"));
    // Whoever has closed standard output does not want to read it.
    let _ = io::stdout().write_all(greeting.as_bytes());
    notify::ready();

    let stop = server.run(async {
        // The server itself holds the other end: this always comes.
        let stop = stops.recv().await.unwrap_or(Stop::Quit);
        notify::stopping();
        info!("stopping");
        drop(doors);
        server.handle(Event::Shutdown);
        or(server.all_gone(), server.reactor.sleep(GRACE)).await;
        stop
    });
    close_store(&server)?;
    info!("stopped");
    stop.map_err(line("cannot wait for anything"))
}

fn line<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

fn open_store(config: &Config) -> Result<Opened, String> {
    let mut secret = [0; 32];
    random(&mut secret);
    let options = Options { quick_repair: config.store.quick_repair, ..Options::new(secret) };
    Store::open(&config.database(), options).map_err(|error| error.to_string())
}

/// Without chance there are no keys and no salts, and it has no reason to fail.
fn random(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        error!("the system gives no random bytes: {error}");
        process::exit(BUG);
    }
}

/// Each connection takes a descriptor, and the usual soft limit of 1024 is for programs that use select(2).
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        warn!("cannot raise the limit of open files: {error}");
    }
}

/// A service that cannot go on ends the server, rather than leave it deaf.
async fn vital(service: impl Future<Output = io::Result<()>>) {
    if let Err(error) = service.await {
        error!("cannot go on: {error}");
        process::exit(1);
    }
}

/// The first signal asks for an orderly end, the second for one at once.
async fn obey(server: Rc<Server>, signals: Signals) {
    for asked_before in [false, true] {
        if let Err(error) = signals.next().await {
            error!("cannot hear signals: {error}");
        }
        if asked_before {
            process::exit(1);
        }
        server.stop(Stop::Quit);
    }
}

/// Reads the configuration and the certificate again, as often as it is asked to. What is wrong is logged, and changes
/// nothing.
async fn reload(server: Rc<Server>, signals: Signals, mut config: Arc<Config>, file: Option<PathBuf>) {
    while signals.next().await.is_ok() {
        notify::reloading();
        match reloaded(&server, &config, file.as_deref()) {
            Ok((new, acceptors)) => {
                log::set_max_level(new.log.level);
                server.set_acceptors(acceptors);
                server.handle(Event::Reload(Box::new(new.clone())));
                config = Arc::new(new);
                info!("the configuration and the certificate have been read again");
            }
            Err(error) => error!("nothing is reloaded: {error}"),
        }
        notify::ready();
    }
}

fn reloaded(server: &Server, old: &Config, file: Option<&Path>) -> Result<(Config, Acceptors), String> {
    let mut new = match file {
        Some(file) => Config::load(file).map_err(|error| error.to_string())?,
        None => old.clone(),
    };
    let needs_restart = [
        ("domain", new.domains != old.domains),
        ("data", new.data != old.data),
        ("[listen]", new.listen != old.listen),
        ("[store]", new.store != old.store),
    ];
    for (key, _) in needs_restart.iter().filter(|(_, changed)| *changed) {
        warn!("{key} has changed: that needs a restart");
    }
    // They stay what they are until then, for everybody who looks.
    new.domains.clone_from(&old.domains);
    new.data.clone_from(&old.data);
    new.listen.clone_from(&old.listen);
    new.store.clone_from(&old.store);
    let acceptors = Acceptors::load(&new, Duration::from_millis(server.reactor.now()))?;
    Ok((new, acceptors))
}

/// Waits until everything is on the disk, though not for a disk that refuses.
fn close_store(server: &Server) -> Result<(), String> {
    let Some(store) = server.take_store() else { return Ok(()) };
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        // A panic of the store has been reported as an event; the receiver may have given up.
        let _ = done.send(store.close().is_ok());
    });
    match is_done.recv_timeout(STORE_GRACE) {
        Ok(true) => Ok(()),
        Ok(false) => process::exit(BUG),
        Err(_) => Err("the database does not take the last changes; what was not confirmed is lost".into()),
    }
}

/// Becomes a new process of the same program, which may be a newer one by now.
fn restart() -> Result<(), Failure> {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let error = Command::new(&program).args(arguments).exec();
    Err(Failure::Failed(format!("cannot restart {}: {error}", program.display())))
}

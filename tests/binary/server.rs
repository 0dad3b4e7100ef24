//! A server under test, and the directory it lives in.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take, on a machine that does other things too.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const BINARY: &str = env!("CARGO_BIN_EXE_stube");

/// A directory of our own, with a configuration; both go when this does.
pub struct Place {
    pub directory: PathBuf,
}

impl Place {
    pub fn new() -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("stube-binary-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        Place { directory }
    }

    /// A place with a configuration: ports that the kernel chooses, and what else is given.
    pub fn with(top: &str, tables: &str) -> Place {
        let place = Place::new();
        place.configure(top, tables);
        place
    }

    pub fn configure(&self, top: &str, tables: &str) {
        let text = format!(
            "domain = \"localhost\"\ndata = \"data\"\n{top}\n\
             [listen]\nc2s = [\"127.0.0.1:0\"]\nc2s_tls = [\"127.0.0.1:0\"]\n{tables}\n"
        );
        std::fs::write(self.path("stube.toml"), text).expect("a file");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(self.path("stube.toml")).args(arguments).current_dir(&self.directory);
        command
    }

    /// Runs a command to its end; what it reads from standard input comes with it.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary");
        // A command that does not ask may have gone before it is told.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("a process")
    }

    /// Makes an account, whether a server runs or not.
    pub fn add_account(&self, name: &str) {
        // The server makes the directory; this command leaves that to it.
        std::fs::create_dir_all(self.path("data")).expect("a directory");
        let output =
            self.run(&["user", "add", &format!("{name}@localhost")], &format!("{}\n", password(name)));
        assert!(output.status.success(), "{output:?}");
    }

    pub fn start(&self) -> Server {
        Server::start(self.command(&["run"]))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The password of a test's account.
pub fn password(name: &str) -> String {
    format!("{name}'s password")
}

/// A running server. It is killed when this goes.
pub struct Server {
    child: Child,
    log: Arc<Lines>,
}

/// Lines that a process has written, and whether there will be more.
#[derive(Default)]
pub struct Lines {
    state: Mutex<(Vec<String>, bool)>,
    news: Condvar,
}

impl Lines {
    pub fn of(output: impl Read + Send + 'static) -> Arc<Lines> {
        let lines = Arc::new(Lines::default());
        let filled = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                filled.state.lock().expect("no panic").0.push(line);
                filled.news.notify_all();
            }
            filled.state.lock().expect("no panic").1 = true;
            filled.news.notify_all();
        });
        lines
    }

    /// Waits for `count` lines with this text in them.
    pub fn wait_for(&self, text: &str, count: usize) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        let mut state = self.state.lock().expect("no panic");
        loop {
            let found: Vec<String> = state.0.iter().filter(|line| line.contains(text)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !state.1, "no {text:?} in {:#?}", state.0);
            state = self.news.wait_timeout(state, left).expect("no panic").0;
        }
    }

    pub fn all(&self) -> Vec<String> {
        self.state.lock().expect("no panic").0.clone()
    }
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub fn start(mut command: Command) -> Server {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary");
        let log = Lines::of(child.stderr.take().expect("a pipe"));
        let server = Server { child, log };
        server.wait_for_log("is ready", 1);
        server
    }

    pub fn wait_for_log(&self, text: &str, count: usize) -> Vec<String> {
        self.log.wait_for(text, count)
    }

    pub fn log(&self) -> Vec<String> {
        self.log.all()
    }

    pub fn starttls(&self) -> SocketAddr {
        self.address("(STARTTLS)")
    }

    pub fn direct_tls(&self) -> SocketAddr {
        self.address("(direct TLS)")
    }

    fn address(&self, kind: &str) -> SocketAddr {
        let line = self.wait_for_log(&format!("listening for clients {kind} on "), 1).remove(0);
        let address = line.rsplit(' ').next().expect("an address");
        address.parse().expect("an address")
    }

    pub fn signal(&self, signal: i32) {
        signal_process(&self.child, signal);
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }
}

pub fn signal_process(child: &Child, signal: i32) {
    let id = rustix::process::Pid::from_child(child);
    let signal = rustix::process::Signal::from_named_raw(signal).expect("a signal");
    rustix::process::kill_process(id, signal).expect("our own process");
}

/// Waits for a process to end.
pub fn wait(child: &mut Child) -> ExitStatus {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("our own process") {
            return status;
        }
        assert!(Instant::now() < end, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the certificate and key of a test are.
pub fn write_certificate(certificate: &Path, key: &Path) -> Vec<u8> {
    let pair = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let signed = params.self_signed(&pair).expect("a certificate");
    std::fs::write(certificate, signed.pem()).expect("a file");
    std::fs::write(key, pair.serialize_pem()).expect("a file");
    signed.der().to_vec()
}

//! `stube try`: what a newcomer sees.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::SIGINT;

use crate::client::Client;
use crate::server::{BINARY, Lines, Place, signal_process, wait};

/// The usual ports are there only once: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static USUAL_PORTS: Mutex<()> = Mutex::new(());
    USUAL_PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Trial {
    child: Child,
    output: Arc<Lines>,
}

impl Trial {
    fn start(place: &Place) -> Trial {
        let mut command = Command::new(BINARY);
        command.arg("try").current_dir(&place.directory).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary");
        let output = Lines::of(child.stdout.take().expect("a pipe"));
        Trial { child, output }
    }

    /// Name and password of the accounts that were printed.
    fn accounts(&self) -> Vec<(String, String)> {
        let lines = self.output.wait_for("@localhost", 2);
        let word = |line: &str, place| line.split(' ').nth(place).unwrap_or_default().to_owned();
        lines.iter().map(|line| (word(line, 1).replace("@localhost", ""), word(line, 3))).collect()
    }

    fn starttls_port(&self) -> u16 {
        let line = self.output.wait_for("connect any XMPP client to localhost, port ", 1).remove(0);
        let port = line.split("port ").nth(1).and_then(|rest| rest.split(' ').next());
        port.and_then(|port| port.parse().ok()).expect("a port")
    }

    fn log_in(&self, (name, password): &(String, String)) -> Client {
        let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], self.starttls_port())));
        client.start_tls();
        client.log_in(name, password);
        client.send("<presence/>");
        client.wait_for("<presence");
        client
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn both_accounts_log_in_and_know_each_other() {
    let _alone = alone();
    let place = Place::new();
    let trial = Trial::start(&place);
    let accounts = trial.accounts();
    let mut romeo = trial.log_in(&accounts[0]);
    let mut juliet = trial.log_in(&accounts[1]);
    let presence = romeo.wait_for("from='juliet@localhost/");
    assert!(presence.contains("<presence"), "{presence}");
    let presence = juliet.wait_for("from='romeo@localhost/");
    assert!(presence.contains("<presence"), "{presence}");
}

#[test]
fn a_second_run_goes_on_and_ctrl_c_ends_it() {
    let _alone = alone();
    let place = Place::new();
    for _ in 0..2 {
        let mut trial = Trial::start(&place);
        let accounts = trial.accounts();
        for account in &accounts {
            trial.log_in(account);
        }
        signal_process(&trial.child, SIGINT);
        assert_eq!(wait(&mut trial.child).code(), Some(0));
    }
}

#[test]
fn ports_that_are_taken_are_replaced_and_it_says_so() {
    let _alone = alone();
    let (first_place, second_place) = (Place::new(), Place::new());
    let first = Trial::start(&first_place);
    first.accounts();
    let second = Trial::start(&second_place);
    assert_ne!(first.starttls_port(), second.starttls_port());
    second.output.wait_for("(5222 is taken)", 1);
    second.log_in(&second.accounts()[0]);
}

#[test]
fn what_something_else_has_made_is_left_alone() {
    let place = Place::new();
    std::fs::create_dir(place.path("stube-try")).expect("a directory");
    std::fs::write(place.path("stube-try/thesis.txt"), "done!").expect("a file");
    let mut command = Command::new(BINARY);
    let output = command.arg("try").current_dir(&place.directory).output().expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("there is something here that stube has not made"), "{text}");
    assert_eq!(std::fs::read_to_string(place.path("stube-try/thesis.txt")).ok().as_deref(), Some("done!"));
}

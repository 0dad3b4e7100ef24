//! The command line, as an operator or a script meets it: what is printed, what the exit code is, what is left on disk.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use stube::store::record::{Room, RoomAffiliation, RoomConfig, RoomPerson};
use stube::store::{Batch, Options, Store, schema};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A directory with a configuration, gone at the end.
struct Site(PathBuf);

impl Site {
    fn new(test: &str) -> Site {
        let directory = std::env::temp_dir().join(format!("stube-cli-{test}-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("data")).unwrap();
        std::fs::set_permissions(directory.join("data"), PermissionsExt::from_mode(0o700)).unwrap();
        let site = Site(directory);
        site.configure("");
        site
    }

    fn configure(&self, more: &str) {
        let text = format!("domain = [\"example.org\", \"example.net\"]\ndata = \"data\"\n{more}");
        std::fs::write(self.0.join("stube.toml"), text).unwrap();
    }

    fn database(&self) -> PathBuf {
        self.0.join("data/stube.redb")
    }

    fn command(&self, arguments: &str) -> Command {
        // A command that waits for something that never comes fails the test with the code 124.
        let mut command = Command::new("timeout");
        command.args(["--foreground", "30", env!("CARGO_BIN_EXE_stube")]);
        command.args(arguments.split(' ')).arg("--config").arg(self.0.join("stube.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn stube(&self, arguments: &str) -> Outcome {
        self.command(arguments).output().unwrap().into()
    }

    /// With a line, or more, on standard input.
    fn stube_with(&self, arguments: &str, input: &str) -> Outcome {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A command that fails early does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap().into()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a command came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    code: i32,
    out: String,
    error: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code().unwrap(), out: text(output.stdout), error: text(output.stderr) }
    }
}

fn done(out: &str) -> Outcome {
    Outcome { code: 0, out: out.into(), error: String::new() }
}

fn failed(code: i32, error: &str) -> Outcome {
    Outcome { code, out: String::new(), error: format!("stube: {error}\n") }
}

#[test]
fn an_account_is_added_listed_changed_and_removed() {
    let site = Site::new("life");
    assert_eq!(site.stube("user list"), done(""));
    assert_eq!(
        site.stube_with("user add Juliet@Example.Org", "pencil\n"),
        done("juliet@example.org was added\n")
    );
    assert_eq!(
        site.stube_with("user add romeo@example.net", "pencil"),
        done("romeo@example.net was added\n")
    );
    assert_eq!(site.stube("user list"), done("juliet@example.org\nromeo@example.net\n"));
    assert_eq!(
        site.stube_with("user passwd juliet", "eraser\n"),
        done("juliet@example.org has a new password\n")
    );
    assert_eq!(site.stube("user remove juliet"), done("juliet@example.org was removed\n"));
    assert_eq!(site.stube("user list"), done("romeo@example.net\n"));
}

#[test]
fn an_account_is_not_added_twice() {
    let site = Site::new("twice");
    site.stube_with("user add juliet", "pencil\n");
    let refused = failed(1, "juliet@example.org is there already; stube user passwd changes its password");
    assert_eq!(site.stube_with("user add juliet", "other\n"), refused);
}

#[test]
fn an_account_that_is_not_there_cannot_be_changed_or_removed() {
    let site = Site::new("absent");
    let refused = || failed(1, "there is no account juliet@example.org");
    assert_eq!(site.stube_with("user passwd juliet", "pencil\n"), refused());
    assert_eq!(site.stube("user remove juliet"), refused());
    assert_eq!(site.stube("user clients juliet"), refused());
    assert_eq!(site.stube("user revoke juliet"), refused());
}

#[test]
fn clients_without_a_token_are_not_listed_and_cannot_be_named() {
    let site = Site::new("clients");
    site.stube_with("user add juliet", "pencil\n");
    assert_eq!(site.stube("user clients juliet"), done(""));
    assert_eq!(site.stube("user revoke juliet"), done("juliet@example.org has no client with a token\n"));
    let refused = failed(1, "juliet@example.org has no client 0123abcd");
    assert_eq!(site.stube("user revoke juliet 0123abcd"), refused);
}

#[test]
fn an_address_that_cannot_be_here_is_refused_before_a_password_is_asked_for() {
    let site = Site::new("address");
    let outcome = site.stube("user add juliet@example.com");
    assert_eq!(
        outcome,
        failed(1, "example.com is not served here; the configuration has example.org, example.net")
    );
    let outcome = site.stube("user add juliet@example.org/balcony");
    assert!(outcome.code == 1 && outcome.error.contains("is not the address of an account"), "{outcome:?}");
}

#[test]
fn a_password_that_is_none_is_refused_and_nothing_is_made() {
    let site = Site::new("empty");
    for password in ["", "\n", "\u{7}\n"] {
        let outcome = site.stube_with("user add juliet", password);
        assert!(outcome.code == 1 && outcome.error.contains("nothing was changed"), "{outcome:?}");
    }
    assert!(!site.database().exists());
}

#[test]
fn the_database_is_for_its_owner_only() {
    let site = Site::new("mode");
    site.stube_with("user add juliet", "pencil\n");
    assert_eq!(site.database().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn reports_are_listed_shown_and_removed() {
    let site = Site::new("reports");
    let report = |reported: &str| stube::store::record::Report {
        stamp: 1_795_353_071,
        reporter: "juliet@example.org".into(),
        reported: reported.into(),
        reason: "urn:xmpp:reporting:abuse".into(),
        text: "Every day".into(),
        stanzas: Vec::new(),
        to_origin: false,
        to_third_parties: true,
    };
    let opened = Store::open(&site.database(), Options::new([0; 32])).unwrap();
    let mut committer = opened.committer;
    let names = ["a@example.net", "b@example.net", "c@example.net"];
    let ops = (1..).zip(names).map(|(number, name)| schema::report::put(number, &report(name))).collect();
    committer.apply(&[Batch { seq: 1, ops }]).unwrap();
    drop((committer, opened.reader));

    let line =
        |number, name| format!("{number}  2026-11-22T13:11:11Z  juliet@example.org about {name}: abuse\n");
    let all = (1..).zip(names).map(|(number, name)| line(number, name)).collect::<String>();
    assert_eq!(site.stube("reports list"), done(&all));
    let shown = site.stube("reports show 2");
    assert!(
        shown.code == 0 && shown.out.contains("b@example.net") && shown.out.contains("Every day"),
        "{shown:?}"
    );
    assert_eq!(site.stube("reports remove 2"), done("report 2 was removed\n"));
    let gone = || failed(1, "there is no report 2; see stube reports list");
    assert_eq!(site.stube("reports show 2"), gone());
    assert_eq!(site.stube("reports remove 2"), gone());
    assert_eq!(site.stube("reports clear"), done("all reports were removed\n"));
    assert_eq!(site.stube("reports list"), done(""));
}

/// A site with the room `family@conference.example.org`, owned by Juliet, and Romeo as an admin of it.
fn site_with_room(test: &str) -> Site {
    let site = Site::new(test);
    site.stube_with("user add juliet", "pencil\n");
    let person = |affiliation| RoomPerson { affiliation, ..RoomPerson::default() };
    let record = Room {
        id: 77,
        created: 1_795_353_071,
        creator: "juliet@example.org".into(),
        config: RoomConfig { title: "Fam\u{1b}ily".into(), persistent: true, ..RoomConfig::default() },
        ..Room::default()
    };
    let mut ops = schema::room::created("conference.example.org", "family", &record);
    ops.push(schema::room::put_person(77, "juliet@example.org", &person(RoomAffiliation::Owner)));
    ops.push(schema::room::put_person(77, "romeo@example.org", &person(RoomAffiliation::Admin)));
    let opened = Store::open(&site.database(), Options::new([0; 32])).unwrap();
    let mut committer = opened.committer;
    committer.apply(&[Batch { seq: 1, ops }]).unwrap();
    site
}

#[test]
fn rooms_are_listed_shown_and_deleted() {
    let site = site_with_room("rooms");
    assert_eq!(site.stube("room list"), done("family@conference.example.org  Fam ily\n"));
    assert_eq!(
        site.stube("room show family"),
        done(
            "address        family@conference.example.org\ntitle          Fam ily\ndescription\n\
             created        2026-11-22T13:11:11Z\nby             juliet@example.org\n\
             is             persistent, archived\nowner          juliet@example.org\n\
             admin          romeo@example.org\n"
        )
    );
    let unknown = || failed(1, "there is no room hall@conference.example.org; see stube room list");
    assert_eq!(site.stube("room show hall"), unknown());
    assert_eq!(site.stube("room delete hall@conference.example.org"), unknown());
    assert_eq!(site.stube("room delete family"), done("family@conference.example.org was removed\n"));
    assert_eq!(site.stube("room list"), done(""));
    let opened = Store::open(&site.database(), Options::new([0; 32])).unwrap();
    assert!(opened.reader.room_people(77).unwrap().is_empty());
}

#[test]
fn who_deletes_a_room_of_the_configuration_is_told_that_it_comes_back() {
    let site = site_with_room("comes-back");
    site.configure("[[room]]\nname = \"family\"\n");
    let outcome = site.stube("room delete family");
    assert!(outcome.code == 0 && outcome.out.contains("the configuration asks for this room"), "{outcome:?}");
}

#[test]
fn what_is_no_room_here_is_refused() {
    let site = Site::new("no-room");
    for address in ["family@example.org", "family@conference.example.com", "family@conference.example.org/me"]
    {
        let outcome = site.stube(&format!("room show {address}"));
        assert!(outcome.code == 1 && outcome.error.contains("is not the address of a room"), "{outcome:?}");
    }
}

#[test]
fn rooms_forget_an_account_that_is_removed_and_its_room_goes_to_the_admins() {
    let site = site_with_room("heirs");
    site.stube("user remove juliet");
    let shown = site.stube("room show family").out;
    assert!(shown.contains("owner          romeo@example.org\n") && !shown.contains("juliet"), "{shown}");
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let site = Site::new("foreign");
    std::fs::write(site.database(), "a diary of many years").unwrap();
    let outcome = site.stube("user list");
    assert_eq!(outcome.code, 1);
    assert!(outcome.error.contains("stube.redb: this is not a database of stube"), "{outcome:?}");
    assert_eq!(std::fs::read_to_string(site.database()).unwrap(), "a diary of many years");
}

#[test]
fn a_missing_data_directory_is_named() {
    let site = Site::new("nodata");
    std::fs::remove_dir(site.0.join("data")).unwrap();
    let outcome = site.stube("user list");
    assert!(outcome.code == 1 && outcome.error.contains("the directory does not exist"), "{outcome:?}");
}

#[test]
fn a_wrong_configuration_is_exit_code_2_for_every_command() {
    let site = Site::new("config");
    site.configure("registartion = \"open\"\n");
    for command in ["run", "check", "user list"] {
        let outcome = site.stube(command);
        assert_eq!(outcome.code, 2, "{command}: {outcome:?}");
        assert!(outcome.error.contains("stube.toml:3: unknown key `registartion`"), "{outcome:?}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2_and_help_is_none() {
    let site = Site::new("usage");
    for command in ["", "frobnicate", "user", "user add", "user add juliet secret", "run now"] {
        let outcome = site.stube(command);
        assert!(outcome.code == 2 && outcome.error.contains("see stube --help"), "{command}: {outcome:?}");
    }
    let help = site.stube("--help");
    assert!(help.code == 0 && help.out.contains("check the configuration"), "{help:?}");
    assert_eq!(site.stube("version"), done(concat!("stube ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn check_says_what_would_be_served() {
    let site = Site::new("check");
    site.configure("[limits]\nroster_items = 0\n[[room]]\nname = \"family\"\n");
    let outcome = site.stube("check");
    assert_eq!((outcome.code, outcome.error.as_str()), (0, ""));
    for line in [
        "domain        example.org\n              example.net\n",
        "server        does not run\n",
        "listen        [::]:5222 for clients with STARTTLS, IPv6 and IPv4\n",
        "registration  closed: ",
        "limits        switched off: roster_items\n",
        "room          family@conference.example.org for everyone\n",
        "warning: nobody owns the room family@conference.example.org; ",
        "_xmpp-client._tcp.example.org. 3600 IN SRV 0 5 5222 example.org.\n",
        "warning: clients warn about a self-signed certificate",
    ] {
        assert!(outcome.out.contains(line), "{line:?} is not in {}", outcome.out);
    }
    assert!(!site.database().exists(), "check changes nothing");
}

#[test]
fn check_finds_a_certificate_that_cannot_be_served() {
    let site = Site::new("certificate");
    site.configure("[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n");
    let outcome = site.stube("check");
    assert_eq!(outcome.code, 2);
    assert!(outcome.error.contains("cert.pem: cannot be read: "), "{outcome:?}");
}

/// A command whose standard input is a terminal, and the terminal's other end.
fn on_a_terminal(site: &Site, arguments: &str) -> (std::process::Child, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
    (site.command(arguments).stdin(terminal).spawn().unwrap(), File::from(master))
}

/// Reads what the command says until it ends in this.
fn wait_for(prompt: &str, said: &mut impl Read) {
    let mut text = Vec::new();
    while !text.ends_with(prompt.as_bytes()) {
        let mut byte = [0];
        said.read_exact(&mut byte).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&text)));
        text.extend(byte);
    }
}

#[test]
fn on_a_terminal_a_password_is_asked_for_twice_and_not_shown() {
    let site = Site::new("terminal");
    let (mut child, mut keyboard) = on_a_terminal(&site, "user add juliet");
    let mut said = child.stderr.take().unwrap();
    wait_for("New password for juliet@example.org: ", &mut said);
    keyboard.write_all(b"pencil\n").unwrap();
    wait_for("The same again: ", &mut said);
    keyboard.write_all(b"pencil\n").unwrap();
    assert!(child.wait().unwrap().success());
    let mut shown = Vec::new();
    // The end of a terminal that nobody has open any more is an error.
    let _ = keyboard.read_to_end(&mut shown);
    assert!(!String::from_utf8_lossy(&shown).contains("pencil"));
    assert_eq!(site.stube("user list"), done("juliet@example.org\n"));
}

#[test]
fn two_passwords_that_differ_change_nothing() {
    let site = Site::new("differ");
    let (mut child, mut keyboard) = on_a_terminal(&site, "user add juliet");
    let mut said = child.stderr.take().unwrap();
    wait_for(": ", &mut said);
    keyboard.write_all(b"pencil\n").unwrap();
    wait_for(": ", &mut said);
    keyboard.write_all(b"pencli\n").unwrap();
    wait_for("the two passwords differ; nothing was changed\n", &mut said);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!site.database().exists());
}

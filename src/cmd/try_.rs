//! `stube try`: a throwaway server on this machine, with two accounts that know each other, to look at.
//!
//! Its data is in `./stube-try`. Nothing is ever deleted there: a second run goes on where the first ended, but for the
//! passwords, which are new each time, because nobody keeps the old ones. A directory of that name that something else has
//! made is left alone. Ports that are taken are replaced by free ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Failure;
use crate::config::{Config, Registration};
use crate::net::files;
use crate::net::listen::{Kind, Listener};
use crate::password::{self, Credentials, Password, SALT_LENGTH};
use crate::run::{self, Plan};
use crate::store::schema::{account, roster};
use crate::store::{
    Account, Batch, Committer, Op, Opened, Options, ReadError, Reader, RosterItem, Store, Subscription,
};

const DATA: &str = "stube-try";
const DOMAIN: &str = "localhost";
const STARTTLS_PORT: u16 = 5222;
const DIRECT_TLS_PORT: u16 = 5223;
/// Ports to try where the usual one is taken.
const MOST_PORTS: usize = 20;

pub fn run() -> Result<(), Failure> {
    let mut config = Config::for_domains(&[DOMAIN]);
    config.data = DATA.into();
    config.registration = Registration::Open;
    prepare_directory(&config).map_err(Failure::Failed)?;
    let accounts =
        [Inhabitant::new("romeo", "juliet", "Juliet")?, Inhabitant::new("juliet", "romeo", "Romeo")?];
    move_in(&config, &accounts)?;

    let starttls = bind(Kind::StartTls, STARTTLS_PORT).map_err(Failure::Failed)?;
    let direct = bind(Kind::DirectTls, DIRECT_TLS_PORT).map_err(Failure::Failed)?;
    let greeting = greeting(&accounts, port(&starttls), port(&direct));
    let listeners = starttls.into_iter().chain(direct).collect();
    run::run(Plan { config, file: None, listeners: Some(listeners), greeting })
}

/// What stands in a directory that is not ours stays as it is.
fn prepare_directory(config: &Config) -> Result<(), String> {
    let directory = &config.data;
    let is_empty = |path: &Path| path.read_dir().map(|mut entries| entries.next().is_none());
    if directory.exists() && !config.database().exists() && !is_empty(directory).unwrap_or(false) {
        return Err(format!(
            "{}: there is something here that stube has not made; move it away, or start in another directory",
            directory.display()
        ));
    }
    files::prepare_directory(directory)
}

fn greeting(accounts: &[Inhabitant], starttls: u16, direct: u16) -> String {
    let moved = |port, usual| if port == usual { String::new() } else { format!(" ({usual} is taken)") };
    let mut text = String::from("\n");
    for account in accounts {
        text += &format!("account {}@{DOMAIN} password {}\n", account.name, &*account.password);
    }
    text += &format!(
        "connect any XMPP client to localhost, port {starttls}{} with STARTTLS or {direct}{} with direct TLS; \
         it will warn of the self-signed certificate: accept it. Ctrl-C ends the server.\n",
        moved(starttls, STARTTLS_PORT),
        moved(direct, DIRECT_TLS_PORT)
    );
    text
}

/// Someone who lives here, and who knows someone else.
struct Inhabitant {
    name: &'static str,
    friend: &'static str,
    friends_name: &'static str,
    password: Password,
}

impl Inhabitant {
    fn new(
        name: &'static str,
        friend: &'static str,
        friends_name: &'static str,
    ) -> Result<Inhabitant, Failure> {
        let password = password::prepare(&readable_password()?).map_err(failed)?;
        Ok(Inhabitant { name, friend, friends_name, password })
    }
}

/// 54 bits, as nine syllables.
fn readable_password() -> Result<String, Failure> {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 4] = b"aeio";
    let mut password = String::new();
    for (place, byte) in random::<9>()?.into_iter().enumerate() {
        if place % 3 == 0 && place > 0 {
            password.push('-');
        }
        password.push(CONSONANTS[usize::from(byte % 16)].into());
        password.push(VOWELS[usize::from(byte / 16 % 4)].into());
    }
    Ok(password)
}

/// Makes the accounts, or gives those that are there new passwords, and puts each into the other's roster.
fn move_in(config: &Config, accounts: &[Inhabitant]) -> Result<(), Failure> {
    let Opened { mut committer, reader, .. } =
        Store::open(&config.database(), Options::new(random()?)).map_err(failed)?;
    for inhabitant in accounts {
        set_password(config, &mut committer, &reader, inhabitant)?;
    }
    let mut ops = Vec::new();
    for inhabitant in accounts {
        ops.extend(befriend(&reader, inhabitant).map_err(failed)?);
    }
    apply(&mut committer, ops)
}

fn set_password(
    config: &Config,
    committer: &mut Committer,
    reader: &Reader,
    Inhabitant { name, password, .. }: &Inhabitant,
) -> Result<(), Failure> {
    let salts = [random::<SALT_LENGTH>()?, random::<SALT_LENGTH>()?];
    let credentials = Credentials::derive(password, salts, config.accounts.scram_iterations);
    let ops = match reader.account(DOMAIN, name).map_err(failed)? {
        Some(known) => vec![account::put(DOMAIN, name, &Account { credentials, disabled: false, ..known })],
        None => {
            let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let id = reader.next_account().map_err(failed)?;
            account::created(DOMAIN, name, &Account { id, created, disabled: false, credentials })
        }
    };
    apply(committer, ops)
}

fn befriend(reader: &Reader, inhabitant: &Inhabitant) -> Result<Option<Op>, ReadError> {
    let Some(account) = reader.account(DOMAIN, inhabitant.name)? else { return Ok(None) };
    let contacts = reader.roster(account.id)?;
    let friend = format!("{}@{DOMAIN}", inhabitant.friend);
    let is_friend = |item: &RosterItem| item.subscription == Subscription::Both && !item.removed;
    if contacts.iter().any(|(contact, item)| *contact == friend && is_friend(item)) {
        return Ok(None);
    }
    let item = RosterItem {
        name: Some(inhabitant.friends_name.into()),
        subscription: Subscription::Both,
        version: contacts.iter().map(|(_, item)| item.version).max().unwrap_or_default() + 1,
        ..RosterItem::default()
    };
    Ok(Some(roster::put(account.id, &friend, &item)))
}

fn apply(committer: &mut Committer, ops: impl IntoIterator<Item = Op>) -> Result<(), Failure> {
    committer.apply(&[Batch { seq: 1, ops: ops.into_iter().collect() }]).map_err(Failure::Failed)
}

/// Listens on this machine's own addresses, with the usual port or with a free one.
fn bind(kind: Kind, usual: u16) -> Result<Vec<Listener>, String> {
    let mut outcome = bind_port(kind, usual);
    for _ in 0..MOST_PORTS {
        if outcome.is_ok() {
            break;
        }
        outcome = bind_port(kind, 0);
    }
    outcome
}

/// The same port of IPv4 and, where the machine has it, of IPv6.
fn bind_port(kind: Kind, port: u16) -> Result<Vec<Listener>, String> {
    let v4 = Listener::bind(kind, SocketAddr::from((Ipv4Addr::LOCALHOST, port)), false)?;
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, v4.address.port()));
    let mut listeners = vec![v4];
    if has_address(v6.ip()) {
        listeners.push(Listener::bind(kind, v6, false)?);
    }
    Ok(listeners)
}

fn has_address(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

fn port(listeners: &[Listener]) -> u16 {
    listeners.first().map_or(0, |listener| listener.address.port())
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Failed(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

//! Commands about accounts, reports and rooms while no server runs: what the server would do, done on the database itself.
//!
//! What only a server can do is left out, and said: people on other servers do not learn that an account is gone.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Failure;
use crate::config::Config;
use crate::control::{Request, Response};
use crate::core::rooms::{Occupants, lines};
use crate::core::{client_lines, client_name, reports};
use crate::jid::Jid;
use crate::password::{self, Credentials, SALT_LENGTH};
use crate::store::record::{Clients, PubsubPeople, Room, RoomAffiliation, RoomPerson};
use crate::store::schema::{account, clients, pubsub, report, room, roster, subscription_request};
use crate::store::{Account, Batch, Op, Opened, Options, Reader, RosterItem, Store, Subscription};

/// Opens the database, carries out the request and closes it again.
pub fn carry_out(config: &Config, request: &Request) -> Result<Response, Failure> {
    let mut options = Options::new(random()?);
    options.quick_repair = config.store.quick_repair;
    let Opened { mut committer, reader, .. } =
        Store::open(&config.database(), options).map_err(|error| Failure::Failed(error.to_string()))?;
    let (ops, response) = match request {
        Request::UserAdd { address, password } => add(config, &reader, address, password)?,
        Request::UserPasswd { address, password } => change_password(config, &reader, address, password)?,
        Request::UserRemove { address } => remove(config, &reader, address)?,
        Request::UserClients { address } => list_clients(&reader, address)?,
        Request::UserRevoke { address, client } => revoke(&reader, address, client.as_deref())?,
        Request::UserList => list(config, &reader)?,
        Request::ReportList => list_reports(&reader)?,
        Request::ReportShow { number } => show_report(&reader, *number)?,
        Request::ReportRemove { number } => remove_reports(&reader, *number)?,
        Request::RoomList => list_rooms(config, &reader)?,
        Request::RoomShow { address } => show_room(&reader, address)?,
        Request::RoomDelete { address } => delete_room(config, &reader, address)?,
        Request::Status => return Ok(Response::Failed("the server does not run".into())),
    };
    if !ops.is_empty() {
        committer.apply(&[Batch { seq: 1, ops }]).map_err(Failure::Failed)?;
    }
    Ok(response)
}

type Outcome = Result<(Vec<Op>, Response), Failure>;

fn add(config: &Config, reader: &Reader, address: &str, password: &str) -> Outcome {
    let (jid, existing) = find(reader, address)?;
    if existing.is_some() {
        return refuse(format!("{address} is there already; stube user passwd changes its password"));
    }
    let id = reader.next_account().map_err(failed)?;
    let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let account = Account { id, created, disabled: false, credentials: derive(config, password)? };
    Ok((account::created(jid.domain(), local(&jid), &account), Response::Done(Vec::new())))
}

fn change_password(config: &Config, reader: &Reader, address: &str, password: &str) -> Outcome {
    match find(reader, address)? {
        (jid, Some(account)) => {
            let account = Account { credentials: derive(config, password)?, ..account };
            let ops = vec![account::put(jid.domain(), local(&jid), &account), clients::delete(account.id)];
            Ok((ops, Response::Done(Vec::new())))
        }
        (_, None) => refuse(format!("there is no account {address}")),
    }
}

fn remove(config: &Config, reader: &Reader, address: &str) -> Outcome {
    let (jid, Some(account)) = find(reader, address)? else {
        return refuse(format!("there is no account {address}"));
    };
    let mut ops = account::removed(jid.domain(), local(&jid), account.id);
    let mut elsewhere = 0;
    for (contact, item) in reader.roster(account.id).map_err(failed)? {
        let (contact, friend) = find(reader, &contact)?;
        match friend {
            Some(friend) => ops.extend(end_subscriptions(reader, &friend, address)?),
            None if item.removed || config.serves(contact.domain()) => {}
            None => elsewhere += 1,
        }
    }
    for domain in &config.domains {
        let service = format!("{}.{domain}", config.services.pubsub);
        ops.extend(leave_service(reader, &service, address)?);
    }
    for service in config.room_services() {
        ops.extend(leave_rooms(config, reader, &service, address)?);
    }
    let mut lines = Vec::new();
    if elsewhere > 0 {
        lines.push(format!(
            "contacts on other servers that were not told, since stube does not run: {elsewhere}"
        ));
    }
    Ok((ops, Response::Done(lines)))
}

/// What a publish-subscribe service would look like without someone: whoever gets the same address later is somebody else.
fn leave_service(reader: &Reader, service: &str, address: &str) -> Result<Vec<Op>, Failure> {
    let Some(owner) = reader.service(service).map_err(failed)? else { return Ok(Vec::new()) };
    let people: HashMap<u32, PubsubPeople> =
        reader.pubsub_people(owner).map_err(failed)?.into_iter().collect();
    let mut ops = Vec::new();
    for (name, node) in reader.pubsub_nodes(owner).map_err(failed)? {
        let Some(before) = people.get(&node.number) else { continue };
        let mut after = before.clone();
        after.forget(address);
        if before.is_only_owner(address) {
            ops.extend(pubsub::delete_node(owner, &name, node.number));
        } else if after != *before {
            ops.push(pubsub::put_people(owner, node.number, &after));
        }
    }
    Ok(ops)
}

/// What the rooms of a service would look like without someone.
fn leave_rooms(config: &Config, reader: &Reader, service: &str, address: &str) -> Result<Vec<Op>, Failure> {
    let mut ops = Vec::new();
    for (name, room) in reader.rooms(service, "", usize::MAX).map_err(failed)? {
        if room.creator == address {
            let room = Room { creator: String::new(), ..room.clone() };
            ops.push(room::put(service, &name, &room));
        }
        let people = reader.room_people(room.id).map_err(failed)?;
        let Some((_, person)) = people.iter().find(|(known, _)| known == address) else { continue };
        ops.push(room::delete_person(room.id, address));
        let others = || people.iter().filter(|(known, _)| known != address);
        let with = |wanted| others().filter(move |(_, person)| person.affiliation == wanted);
        if person.affiliation != RoomAffiliation::Owner || with(RoomAffiliation::Owner).next().is_some() {
            continue;
        }
        let mut heirs: Vec<&str> = with(RoomAffiliation::Admin).map(|(known, _)| known.as_str()).collect();
        if heirs.is_empty() {
            heirs = config.admins.iter().map(String::as_str).filter(|admin| *admin != address).collect();
        }
        for heir in heirs {
            let known = others().find(|(known, _)| known == heir).map(|(_, person)| person.clone());
            let owner = RoomPerson { affiliation: RoomAffiliation::Owner, ..known.unwrap_or_default() };
            ops.push(room::put_person(room.id, heir, &owner));
        }
    }
    Ok(ops)
}

fn list_rooms(config: &Config, reader: &Reader) -> Outcome {
    let mut lines = Vec::new();
    for service in config.room_services() {
        for (name, room) in reader.rooms(&service, "", usize::MAX).map_err(failed)? {
            let Ok(address) = Jid::from_parts(Some(&name), &service, None) else { continue };
            lines.push(lines::summary(&address, &room, 0));
        }
    }
    Ok((Vec::new(), Response::Done(lines)))
}

fn show_room(reader: &Reader, address: &str) -> Outcome {
    let (jid, room) = find_room(reader, address)?;
    let Some(room) = room else { return refuse(lines::unknown(&jid)) };
    let people = reader.room_people(room.id).map_err(failed)?;
    let people = people.iter().map(|(who, person)| (who.as_str(), person));
    Ok((Vec::new(), Response::Done(lines::details(&jid, &room, people, &Occupants::default()))))
}

/// Its archive is removed by the server, bit by bit.
fn delete_room(config: &Config, reader: &Reader, address: &str) -> Outcome {
    let (jid, room) = find_room(reader, address)?;
    let Some(room) = room else { return refuse(lines::unknown(&jid)) };
    let ops = room::removed(jid.domain(), local(&jid), room.id);
    let domain = |room| format!("{}.{}", config.services.rooms, config.domain_of(room));
    let comes_back =
        config.standing_rooms.iter().any(|room| room.name == local(&jid) && domain(room) == jid.domain());
    Ok((ops, Response::Done(comes_back.then(|| lines::COMES_BACK.to_owned()).into_iter().collect())))
}

fn find_room(reader: &Reader, address: &str) -> Result<(Jid, Option<Room>), Failure> {
    let jid = Jid::parse(address).map_err(|error| Failure::Failed(format!("{address}: {error}")))?;
    let room = reader.room(jid.domain(), local(&jid)).map_err(failed)?;
    Ok((jid, room))
}

/// What a friend's roster and requests would look like if the account had cancelled all subscriptions (RFC 6121 §3.2, §3.3).
fn end_subscriptions(reader: &Reader, friend: &Account, address: &str) -> Result<Vec<Op>, Failure> {
    let mut ops = vec![subscription_request::delete(friend.id, address)];
    let roster = reader.roster(friend.id).map_err(failed)?;
    let version = roster.iter().map(|(_, item)| item.version).max().unwrap_or_default() + 1;
    if let Some((_, item)) = roster.into_iter().find(|(contact, item)| contact == address && !item.removed) {
        let item = RosterItem { subscription: Subscription::None, ask: false, version, ..item };
        ops.push(roster::put(friend.id, address, &item));
    }
    Ok(ops)
}

fn list_clients(reader: &Reader, address: &str) -> Outcome {
    match find(reader, address)? {
        (_, Some(account)) => Ok((Vec::new(), Response::Done(client_lines(&clients_of(reader, &account)?)))),
        (_, None) => refuse(format!("there is no account {address}")),
    }
}

/// Without a server there are no sessions to end.
fn revoke(reader: &Reader, address: &str, client: Option<&str>) -> Outcome {
    let (_, Some(account)) = find(reader, address)? else {
        return refuse(format!("there is no account {address}"));
    };
    let mut left = clients_of(reader, &account)?;
    let before = left.0.len();
    left.0.retain(|known| client.is_some_and(|client| client_name(&known.id) != client));
    match client {
        Some(client) if left.0.len() == before => refuse(format!("{address} has no client {client}")),
        _ => Ok((vec![clients::put(account.id, &left)], Response::Done(Vec::new()))),
    }
}

fn clients_of(reader: &Reader, account: &Account) -> Result<Clients, Failure> {
    Ok(reader.clients(account.id).map_err(failed)?.unwrap_or_default())
}

fn list(config: &Config, reader: &Reader) -> Outcome {
    let mut lines = Vec::new();
    for domain in &config.domains {
        for (name, account) in reader.accounts(domain).map_err(failed)? {
            let disabled = if account.disabled { " (disabled)" } else { "" };
            lines.push(format!("{name}@{domain}{disabled}"));
        }
    }
    Ok((Vec::new(), Response::Done(lines)))
}

fn list_reports(reader: &Reader) -> Outcome {
    let reports = reader.reports().map_err(failed)?;
    let lines = reports.iter().map(|(number, report)| reports::summary(*number, report)).collect();
    Ok((Vec::new(), Response::Done(lines)))
}

fn show_report(reader: &Reader, number: u64) -> Outcome {
    let reports = reader.reports().map_err(failed)?;
    match reports.iter().find(|(known, _)| *known == number) {
        Some((_, report)) => Ok((Vec::new(), Response::Done(reports::details(number, report)))),
        None => refuse(reports::unknown(number)),
    }
}

fn remove_reports(reader: &Reader, number: Option<u64>) -> Outcome {
    let known = reader.reports().map_err(failed)?.into_iter().map(|(known, _)| known);
    let ops: Vec<Op> =
        known.filter(|known| number.is_none_or(|number| number == *known)).map(report::delete).collect();
    match number {
        Some(number) if ops.is_empty() => refuse(reports::unknown(number)),
        _ => Ok((ops, Response::Done(Vec::new()))),
    }
}

fn find(reader: &Reader, address: &str) -> Result<(Jid, Option<Account>), Failure> {
    let jid = Jid::parse(address).map_err(|error| Failure::Failed(format!("{address}: {error}")))?;
    let account = reader.account(jid.domain(), local(&jid)).map_err(failed)?;
    Ok((jid, account))
}

fn derive(config: &Config, password: &str) -> Result<Credentials, Failure> {
    let password = password::prepare(password).map_err(|error| Failure::Failed(error.to_string()))?;
    let salts = [random::<SALT_LENGTH>()?, random::<SALT_LENGTH>()?];
    Ok(Credentials::derive(&password, salts, config.accounts.scram_iterations))
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Failed(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

fn local(jid: &Jid) -> &str {
    jid.local().unwrap_or_default()
}

fn refuse(why: String) -> Outcome {
    Ok((Vec::new(), Response::Failed(why)))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{Affiliation, Client, PubsubNode};
    use crate::store::schema::meta;

    fn request(address: &str) -> Request {
        Request::UserAdd { address: address.into(), password: "pencil".into() }
    }

    fn open(config: &Config) -> Opened {
        Store::open(&config.database(), Options::new([0; 32])).unwrap()
    }

    /// A configuration with a data directory of its own, which is to be removed.
    fn site(name: &str) -> Config {
        let mut config = Config::for_domains(&["example.org"]);
        config.data = std::env::temp_dir().join(format!("stube-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&config.data).unwrap();
        config.accounts.scram_iterations = 4096;
        config
    }

    #[test]
    fn tokens_are_listed_taken_away_and_gone_with_a_new_password() {
        let config = site("tokens");
        let address = || "romeo@example.org".to_owned();
        let ask = |request| match carry_out(&config, &request).unwrap() {
            Response::Done(lines) => lines,
            Response::Failed(why) => vec![why],
        };
        ask(request(&address()));
        let client = |id| Client {
            id: [id; 16],
            software: "Swift".into(),
            device: "Phone".into(),
            seen: 1_795_000_000,
            current: None,
            new: None,
        };
        let give = || {
            let ops = vec![clients::put(1, &Clients(vec![client(1), client(2)]))];
            open(&config).committer.apply(&[Batch { seq: 1, ops }]).unwrap();
        };
        let list = || ask(Request::UserClients { address: address() });
        let revoke = |client: Option<&str>| {
            ask(Request::UserRevoke { address: address(), client: client.map(str::to_owned) })
        };
        give();
        assert!(list()[0].starts_with("01010101 Swift on Phone, seen 2026-11-18"), "{:?}", list());
        assert_eq!(revoke(Some("01010101")), [""; 0]);
        assert_eq!(list().len(), 1);
        assert_eq!(revoke(Some("01010101")), ["romeo@example.org has no client 01010101"]);
        revoke(None);
        assert!(list().is_empty());
        give();
        ask(Request::UserPasswd { address: address(), password: "eraser".into() });
        assert!(list().is_empty());
        std::fs::remove_dir_all(&config.data).unwrap();
    }

    #[test]
    fn who_is_removed_is_no_subscription_of_friends_any_more_and_has_no_rights_at_the_service() {
        let config = site("offline");
        for address in ["romeo@example.org", "juliet@example.org"] {
            carry_out(&config, &request(address)).unwrap();
        }

        let both = RosterItem { subscription: Subscription::Both, version: 7, ..RosterItem::default() };
        let (romeo, juliet, far) = (1, 2, "mercutio@example.net");
        let ops = vec![
            roster::put(
                romeo,
                "juliet@example.org",
                &RosterItem { name: Some("Juliet".into()), ..both.clone() },
            ),
            roster::put(juliet, "romeo@example.org", &both),
            roster::put(juliet, far, &both),
        ];
        open(&config).committer.apply(&[Batch { seq: 1, ops }]).unwrap();
        let (service, own, shared) = (9, 0, 1);
        let affiliated = |people: &[(&str, Affiliation)]| PubsubPeople {
            affiliations: people.iter().map(|(name, it)| (format!("{name}@example.org"), *it)).collect(),
            ..PubsubPeople::default()
        };
        let owner = ("romeo", Affiliation::Owner);
        let node = |number| PubsubNode { number, ..PubsubNode::default() };
        let mut ops = meta::put_service("pubsub.example.org", service);
        ops.extend([
            pubsub::put_node(service, "hers", &node(own)),
            pubsub::put_people(service, own, &affiliated(&[("juliet", Affiliation::Owner)])),
            pubsub::put_node(service, "shared", &node(shared)),
            pubsub::put_people(service, shared, &affiliated(&[owner, ("juliet", Affiliation::Owner)])),
        ]);
        open(&config).committer.apply(&[Batch { seq: 2, ops }]).unwrap();

        let response =
            carry_out(&config, &Request::UserRemove { address: "juliet@example.org".into() }).unwrap();
        let Response::Done(lines) = response else { panic!("{response:?}") };
        assert!(lines[0].ends_with("were not told, since stube does not run: 1"), "{lines:?}");

        let reader = open(&config).reader;
        std::fs::remove_dir_all(&config.data).unwrap();
        assert_eq!(reader.account("example.org", "juliet").unwrap(), None);
        assert_eq!(reader.pubsub_nodes(service).unwrap(), [("shared".into(), node(shared))]);
        assert_eq!(reader.pubsub_people(service).unwrap(), [(shared, affiliated(&[owner]))]);
        assert_eq!(reader.roster(juliet).unwrap(), vec![]);
        let item = reader.roster_item(romeo, "juliet@example.org").unwrap().unwrap();
        assert_eq!((item.subscription, item.version), (Subscription::None, 8));
        assert_eq!(
            item.name.as_deref(),
            Some("Juliet"),
            "it stays a contact, as after any cancelled subscription"
        );
    }
}

//! `stube check`: what the configuration means, before anyone depends on it.
//!
//! It changes nothing, and needs no server. What would keep the server from starting is an error; what would work, but
//! hardly as meant, is a warning.

mod certificate;

use std::fs::Metadata;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Failure, user};
use crate::config::{Config, Limit, Limits, Listen, Registration, RoomMembers};
use crate::control::{Request, Response};

/// What is found out on the way.
#[derive(Default)]
struct Report {
    /// What would be served: a heading and its lines.
    lines: Vec<(&'static str, String)>,
    warnings: Vec<String>,
    errors: Vec<String>,
}

pub fn run(file: &Path) -> Result<(), Failure> {
    let config = Config::load(file)?;
    let report = Report::of(&config);
    println!("{}: the configuration is well-formed\n", file.display());
    let mut last = "";
    for (heading, line) in &report.lines {
        println!("{:<14}{line}", if *heading == last { "" } else { heading });
        last = heading;
    }
    report.warnings.iter().for_each(|warning| println!("\nwarning: {warning}"));
    if report.errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::Configuration(report.errors.join("\nstube: ")))
    }
}

impl Report {
    fn of(config: &Config) -> Report {
        let mut report = Report::default();
        config.domains.iter().for_each(|domain| report.say("domain", domain.clone()));
        report.data(config);
        report.server(config);
        report.listeners("STARTTLS", &config.listen.c2s);
        report.listeners("direct TLS", &config.listen.c2s_tls);
        certificate::check(config, now(), &mut report);
        report.registration(config);
        report.rooms(config);
        report.limits(&config.limits);
        report.names(config);
        report
    }

    fn say(&mut self, heading: &'static str, line: String) {
        self.lines.push((heading, line));
    }

    fn data(&mut self, config: &Config) {
        let path = config.data.display();
        match config.data.metadata() {
            Ok(metadata) if !metadata.is_dir() => {
                self.errors.push(format!("{path} is not a directory; see `data`"))
            }
            Ok(metadata) => {
                self.say(
                    "data",
                    format!("{path} (user id {}, mode {:04o})", metadata.uid(), mode(&metadata)),
                );
                if mode(&metadata) & 0o077 != 0 {
                    self.warnings
                        .push(format!("others can look into {path}; chmod 700 {path} keeps them out"));
                }
            }
            Err(_) => self.say("data", format!("{path}, which the server will make")),
        }
    }

    fn server(&mut self, config: &Config) {
        match user::ask_server(config, &Request::Status) {
            Ok(None) => self.say("server", "does not run".into()),
            Ok(Some(Response::Done(lines))) => lines.into_iter().for_each(|line| self.say("server", line)),
            Ok(Some(Response::Failed(why))) | Err(Failure::Failed(why)) => self.warnings.push(why),
            Err(Failure::Configuration(why) | Failure::Bug(why)) => self.warnings.push(why),
        }
    }

    fn listeners(&mut self, kind: &str, list: &[SocketAddr]) {
        for &address in list {
            let families = if Listen::is_dual_stack(address, list) { ", IPv6 and IPv4" } else { "" };
            self.say("listen", format!("{address} for clients with {kind}{families}"));
        }
    }

    fn registration(&mut self, config: &Config) {
        match config.registration {
            Registration::Closed => {
                self.say("registration", "closed: accounts are made with stube user add".into())
            }
            Registration::Open => {
                self.say("registration", "open: anyone can make an account".into());
                if config.limits.registrations_per_hour == Limit::OFF {
                    let what = "registration is open and registrations_per_hour is off";
                    self.warnings.push(format!("{what}: a spammer can make any number of accounts"));
                }
            }
        }
    }

    /// Those that the configuration asks for.
    fn rooms(&mut self, config: &Config) {
        for room in &config.standing_rooms {
            let address = format!("{}@{}.{}", room.name, config.services.rooms, config.domain_of(room));
            let members = match &room.members {
                RoomMembers::Everyone => "everyone".to_owned(),
                RoomMembers::Listed(members) => members.join(", "),
            };
            if room.owners.is_empty() && config.admins.is_empty() {
                self.warnings.push(format!(
                    "nobody owns the room {address}; name somebody in `owners`, or in `admins`"
                ));
            }
            self.say("room", format!("{address} for {members}"));
        }
    }

    fn limits(&mut self, limits: &Limits) {
        let off = limits.switched_off();
        if !off.is_empty() {
            self.say("limits", format!("switched off: {}", off.join(", ")));
        }
    }

    /// The DNS records that clients look for (RFC 6120 §3.2.1, XEP-0368). The host is ours to guess: often it has the
    /// domain's own name.
    fn names(&mut self, config: &Config) {
        for domain in config.domains.iter().filter(|domain| is_name(domain)) {
            let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.clone());
            let services = [("_xmpp-client", &config.listen.c2s), ("_xmpps-client", &config.listen.c2s_tls)];
            for (service, addresses) in services {
                for port in ports(addresses) {
                    self.say("DNS", format!("{service}._tcp.{domain}. 3600 IN SRV 0 5 {port} {domain}."));
                }
            }
        }
        if self.lines.iter().any(|(heading, _)| *heading == "DNS") {
            self.say(
                "DNS",
                "with the name of this machine at the end, where it is another; that name needs an".into(),
            );
            self.say(
                "DNS",
                "A or AAAA record. Without SRV records clients try the domain itself on port 5222.".into(),
            );
        }
    }
}

/// Whether DNS can know it: neither an IP address nor a name of this machine alone.
fn is_name(domain: &str) -> bool {
    let address = domain.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    address.is_err() && domain.contains('.')
}

/// The ports, each once; one that the kernel chooses cannot be in DNS.
fn ports(addresses: &[SocketAddr]) -> Vec<u16> {
    let mut ports: Vec<u16> = addresses.iter().map(SocketAddr::port).filter(|&port| port != 0).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn mode(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o7777
}

fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let text = format!("domain = [\"example.org\", \"bücher.example\"]\ndata = \"/nowhere\"\n{text}");
        Config::parse(&text, Path::new("stube.toml")).unwrap()
    }

    fn under(heading: &str, text: &str) -> Vec<String> {
        let lines = Report::of(&config(text)).lines;
        lines.into_iter().filter(|line| line.0 == heading).map(|line| line.1).collect()
    }

    #[test]
    fn dns_records_name_every_domain_as_dns_writes_it() {
        let records = under("DNS", "");
        assert_eq!(records[0], "_xmpp-client._tcp.example.org. 3600 IN SRV 0 5 5222 example.org.");
        assert_eq!(records[1], "_xmpps-client._tcp.example.org. 3600 IN SRV 0 5 5223 example.org.");
        assert!(records[2].starts_with("_xmpp-client._tcp.xn--bcher-kva.example. "));
    }

    #[test]
    fn a_port_that_is_not_known_or_not_served_has_no_record() {
        assert_eq!(under("DNS", "listen.c2s = [\"[::]:0\"]\nlisten.c2s_tls = []"), Vec::<String>::new());
    }

    #[test]
    fn both_families_are_said_where_both_are_served() {
        let listeners =
            under("listen", "listen.c2s = [\"[::]:1\", \"[::]:2\", \"0.0.0.0:2\"]\nlisten.c2s_tls = []");
        assert_eq!(listeners[0], "[::]:1 for clients with STARTTLS, IPv6 and IPv4");
        assert_eq!(listeners[1], "[::]:2 for clients with STARTTLS");
        assert_eq!(listeners[2], "0.0.0.0:2 for clients with STARTTLS");
    }

    #[test]
    fn limits_that_are_off_are_named() {
        assert_eq!(under("limits", ""), Vec::<String>::new());
        let off = under("limits", "limits.roster_items = 0\nlimits.login_seconds = 0");
        assert_eq!(off, ["switched off: login_seconds, roster_items"]);
    }

    #[test]
    fn open_registration_without_a_limit_is_worth_a_warning() {
        let warnings =
            Report::of(&config("registration = \"open\"\nlimits.registrations_per_hour = 0")).warnings;
        assert!(warnings.iter().any(|warning| warning.starts_with("registration is open")), "{warnings:?}");
    }
}

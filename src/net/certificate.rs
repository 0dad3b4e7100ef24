//! The server's certificate: read from the files of the configuration, or made by ourselves and kept.
//!
//! A certificate that cannot be used is an error of one line that names the file and the remedy: at the start it ends the
//! server, on a reload the old certificate stays. The self-signed one lives in `self-signed.pem` in the data directory,
//! with its key, readable by its owner only. It is made again, with a warning, when it has run out or lacks a domain;
//! a file that is there but cannot be read is left alone.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::NoServerSessionStorage;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::der::{DateTime, Decode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::exporter;
use crate::config::Config;

/// The self-signed certificate and its key, in the data directory.
pub const SELF_SIGNED: &str = "self-signed.pem";
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Clients keep a self-signed certificate that their user has once accepted, and warn again when it changes: a long
/// validity is the safer one.
const SELF_SIGNED_VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Enough for a client to resume once; each costs it and us a few hundred bytes a login.
const TICKETS: usize = 1;

/// What a TLS connection is accepted with.
pub struct Acceptor {
    pub config: Arc<ServerConfig>,
    /// `tls-server-end-point` (RFC 5929 §4.1).
    pub end_point: Option<Vec<u8>>,
}

/// The same certificate for the two kinds of listeners.
pub struct Acceptors {
    pub starttls: Acceptor,
    pub direct: Acceptor,
}

impl Acceptors {
    /// The certificate that the configuration names, or the self-signed one. `now` is Unix time.
    pub fn load(config: &Config, now: Duration) -> Result<Acceptors, String> {
        let files = match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Files { certificate: certificate.clone(), key: key.clone() },
            (None, None) => self_signed(config, now)?,
            (Some(_), None) => return Err("[tls] names a certificate, but no key".into()),
            (None, Some(_)) => return Err("[tls] names a key, but no certificate".into()),
        };
        let certified = files.read()?;
        warn_about_dates(&files, &certified.leaf, now);
        certified.into_acceptors(&files)
    }
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

struct Certified {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    leaf: Certificate,
}

impl Files {
    fn read(&self) -> Result<Certified, String> {
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(|sections| sections.collect::<Result<Vec<_>, _>>())
            .map_err(|error| unreadable(&self.certificate, "certificate", error))?;
        let first = chain
            .first()
            .ok_or_else(|| unreadable(&self.certificate, "certificate", pem::Error::NoItemsFound))?;
        let leaf = Certificate::from_der(first).map_err(|error| {
            format!("{}: the certificate is damaged: {error}", self.certificate.display())
        })?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| unreadable(&self.key, "private key", error))?;
        Ok(Certified { chain, key, leaf })
    }
}

fn unreadable(file: &Path, what: &str, error: pem::Error) -> String {
    let file = file.display();
    match error {
        pem::Error::Io(error) => format!("{file}: the {what} cannot be read: {error}"),
        pem::Error::NoItemsFound => format!("{file}: there is no {what} in PEM format in it"),
        error => format!("{file}: the {what} is damaged: {error}"),
    }
}

fn warn_about_dates(files: &Files, leaf: &Certificate, now: Duration) {
    let validity = leaf.tbs_certificate().validity();
    let (file, until) = (files.certificate.display(), validity.not_after.to_date_time());
    if validity.not_after.to_unix_duration() < now {
        warn!("{file}: the certificate ran out on {until}; clients will refuse it");
    } else if validity.not_before.to_unix_duration() > now {
        warn!("{file}: the certificate is not valid before {}", validity.not_before.to_date_time());
    }
}

impl Certified {
    fn into_acceptors(self, files: &Files) -> Result<Acceptors, String> {
        let end_point = end_point(&self.leaf, &self.chain[0]);
        let provider = Arc::new(ring::default_provider());
        // RFC 7590 §3: TLS 1.2 and 1.3, and of their ciphers those with forward secrecy.
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)
            .map_err(|error| refused(files, error))?;
        // Whoever resumes brings everything along in his ticket: nothing is kept for those who are away. A reload makes
        // new keys for the tickets, so that nobody resumes with a certificate of the past.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = ring::Ticketer::new().map_err(|error| error.to_string())?;
        config.send_tls13_tickets = TICKETS;
        config.key_log = Arc::new(exporter::Catch);
        let mut direct = config.clone();
        // XEP-0368 §3: who offers other protocols only is refused; who offers none is not.
        direct.alpn_protocols = vec![b"xmpp-client".to_vec()];
        Ok(Acceptors {
            starttls: Acceptor { config: Arc::new(config), end_point: end_point.clone() },
            direct: Acceptor { config: Arc::new(direct), end_point },
        })
    }
}

fn refused(files: &Files, error: rustls::Error) -> String {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("{key}: this key does not belong to the certificate {certificate}")
        }
        error => format!("{certificate} and {key}: the certificate cannot be used: {error}"),
    }
}

/// The hash of the certificate, by the hash function of its signature; SHA-256 for the two that are too weak. A signature
/// that names no hash function, or more than one, defines nothing.
fn end_point(certificate: &Certificate, der: &[u8]) -> Option<Vec<u8>> {
    match certificate.signature_algorithm().oid.to_string().as_str() {
        // RSA (PKCS #1) with MD5, SHA-1, SHA-256; ECDSA with SHA-1, SHA-256.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => Some(Sha256::digest(der).to_vec()),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(Sha384::digest(der).to_vec()),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(Sha512::digest(der).to_vec()),
        _ => None,
    }
}

/// The files of the self-signed certificate, made now where they are missing or of no use any more.
fn self_signed(config: &Config, now: Duration) -> Result<Files, String> {
    let path = config.data.join(SELF_SIGNED);
    let files = Files { certificate: path.clone(), key: path.clone() };
    let domains = ascii_domains(config)?;
    if path.exists() {
        let leaf =
            files.read().map_err(|error| format!("{error}; remove the file to have a new one made"))?.leaf;
        if leaf.tbs_certificate().validity().not_after.to_unix_duration() < now {
            warn!("{}: the certificate has run out; making a new one", path.display());
        } else if names_all(&leaf, &domains) {
            return Ok(files);
        } else {
            warn!("{}: the certificate lacks a domain; making a new one", path.display());
        }
    }
    let pem =
        make_self_signed(domains, now).map_err(|error| format!("cannot make a certificate: {error}"))?;
    super::files::write_private(&path, pem.as_bytes())
        .map_err(|error| format!("{}: cannot be written: {error}", path.display()))?;
    info!("made a self-signed certificate: {}", path.display());
    Ok(files)
}

fn make_self_signed(domains: Vec<String>, now: Duration) -> Result<String, Box<dyn std::error::Error>> {
    let mut params = rcgen::CertificateParams::new(domains.clone())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, domains.into_iter().next().unwrap_or_default());
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    // A client whose clock is slow would not accept a certificate of today.
    let (from, until) = (now.saturating_sub(DAY), now + SELF_SIGNED_VALIDITY);
    let (from, until) = (DateTime::from_unix_duration(from)?, DateTime::from_unix_duration(until)?);
    params.not_before = rcgen::date_time_ymd(from.year().into(), from.month(), from.day());
    params.not_after = rcgen::date_time_ymd(until.year().into(), until.month(), until.day());
    let key = rcgen::KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(certificate.pem() + &key.serialize_pem())
}

/// The domains as certificates name them.
fn ascii_domains(config: &Config) -> Result<Vec<String>, String> {
    let ascii = |domain: &String| {
        idna::domain_to_ascii(domain)
            .map_err(|_| format!("domain = {domain:?}: no certificate can be made for it"))
    };
    config.domains.iter().map(ascii).collect()
}

/// Whether the certificate is for all these domains. An IP address that serves as a domain is not looked for.
fn names_all(certificate: &Certificate, domains: &[String]) -> bool {
    let extension = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(names)))) = extension else { return false };
    let has = |domain: &str| {
        names.iter().any(|name| matches!(name, GeneralName::DnsName(dns) if dns.as_str() == domain))
    };
    domains.iter().all(|domain| domain.parse::<IpAddr>().is_ok() || has(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    /// A configuration with a data directory of its own, which goes when this does.
    struct Place(Config);

    impl Place {
        fn new(name: &str) -> Place {
            let mut config = Config::for_domains(&["example.org"]);
            config.data = std::env::temp_dir().join(format!("stube-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&config.data).expect("a directory");
            Place(config)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.data.join(name);
            std::fs::write(&path, text).expect("a file");
            path
        }

        fn load(&self) -> Result<Vec<u8>, String> {
            Acceptors::load(&self.0, NOW).map(|acceptors| acceptors.starttls.end_point.unwrap_or_default())
        }

        /// Uses a certificate of these files; says what is wrong with it.
        fn error_with(&mut self, certificate: PathBuf, key: PathBuf) -> String {
            self.0.tls.certificate = Some(certificate);
            self.0.tls.key = Some(key);
            self.load().expect_err("a certificate that cannot be used")
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0.data);
        }
    }

    #[test]
    fn a_self_signed_certificate_is_made_once_and_again_for_another_domain() {
        use std::os::unix::fs::PermissionsExt;
        let mut place = Place::new("self-signed");
        let first = place.load().expect("a certificate");
        assert_eq!(place.load().as_ref(), Ok(&first));
        let mode = place.0.data.join(SELF_SIGNED).metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        place.0.domains.push("bücher.example".into());
        let second = place.load().expect("a certificate");
        assert_ne!(first, second);
        assert_eq!(place.load(), Ok(second));
    }

    #[test]
    fn a_self_signed_certificate_that_has_run_out_is_made_again() {
        let place = Place::new("run-out");
        let first = place.load().expect("a certificate");
        let later = NOW + SELF_SIGNED_VALIDITY + DAY;
        let second = Acceptors::load(&place.0, later).expect("a certificate").starttls.end_point;
        assert_ne!(Some(first), second);
    }

    #[test]
    fn a_damaged_self_signed_certificate_is_not_replaced() {
        let place = Place::new("damaged");
        let path = place.write(SELF_SIGNED, "something else");
        let error = place.load().expect_err("no certificate");
        assert!(
            error.ends_with(
                "there is no certificate in PEM format in it; remove the file to have a new one made"
            ),
            "{error}"
        );
        assert_eq!(std::fs::read_to_string(path).ok().as_deref(), Some("something else"));
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said() {
        let mut place = Place::new("files");
        let pem = || make_self_signed(vec!["example.org".into()], NOW).expect("a certificate");
        let (ours, other) = (place.write("ours.pem", &pem()), place.write("other.pem", &pem()));
        let missing = place.0.data.join("missing.pem");
        let error = place.error_with(missing.clone(), ours.clone());
        assert!(error.contains("missing.pem: the certificate cannot be read: No such file"), "{error}");
        let error = place.error_with(ours.clone(), missing);
        assert!(error.contains("missing.pem: the private key cannot be read: No such file"), "{error}");
        let error = place.error_with(ours.clone(), other);
        assert!(error.contains("other.pem: this key does not belong to the certificate"), "{error}");
        let text = place.write("text.pem", "hello");
        let error = place.error_with(ours, text);
        assert!(error.ends_with("text.pem: there is no private key in PEM format in it"), "{error}");
    }
}

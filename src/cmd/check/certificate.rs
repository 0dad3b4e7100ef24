//! The certificate of the configuration: for whom it is, until when, and whether its key fits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::Report;
use crate::config::Config;

const DAY: u64 = 24 * 3600;

pub(super) fn check(config: &Config, now: Duration, report: &mut Report) {
    let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) else {
        report.say("certificate", "self-signed, kept in the data directory".into());
        report.warnings.push("clients warn about a self-signed certificate, or refuse it; see [tls]".into());
        return;
    };
    let leaf = match read(certificate, key) {
        Ok(leaf) => leaf,
        Err(why) => return report.errors.push(why),
    };
    let names = names(&leaf);
    let file = certificate.display();
    let until = leaf.tbs_certificate().validity().not_after;
    let left = until.to_unix_duration().as_secs().checked_sub(now.as_secs());
    report.say("certificate", format!("{file} for {}", names.join(", ")));
    report.say(
        "certificate",
        match left {
            Some(left) => format!("valid until {}, {} days from now", until.to_date_time(), left / DAY),
            None => format!("ran out on {}", until.to_date_time()),
        },
    );
    if left.is_none() {
        report.warnings.push(format!("{file} ran out on {}; clients will refuse it", until.to_date_time()));
    }
    for domain in &config.domains {
        let ascii = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.clone());
        if !names.iter().any(|name| covers(name, &ascii)) {
            report
                .warnings
                .push(format!("{file} is not for {domain}; clients of that domain will warn or refuse"));
        }
    }
}

/// The certificate, once it is sure that the two files can be served.
fn read(certificate: &Path, key: &Path) -> Result<Certificate, String> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|sections| sections.collect::<Result<Vec<_>, _>>())
        .map_err(|error| unreadable(certificate, error))?;
    let first = chain.first().ok_or_else(|| unreadable(certificate, pem::Error::NoItemsFound))?;
    let leaf = Certificate::from_der(first).map_err(|error| format!("{}: {error}", certificate.display()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
    rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("{}: not the key of the certificate {}", key.display(), certificate.display())
            }
            error => format!("{}: {error}", certificate.display()),
        })?;
    Ok(leaf)
}

fn unreadable(file: &Path, error: pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("{}: cannot be read: {error}", file.display()),
        pem::Error::NoItemsFound => {
            format!("{}: there is no such thing in PEM format in it; see [tls]", file.display())
        }
        error => format!("{}: {error}", file.display()),
    }
}

fn names(certificate: &Certificate) -> Vec<String> {
    match certificate.tbs_certificate().get_extension::<SubjectAltName>() {
        Ok(Some((_, SubjectAltName(names)))) => names.iter().filter_map(dns_name).collect(),
        Ok(None) | Err(_) => Vec::new(),
    }
}

fn dns_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string().to_ascii_lowercase()),
        _ => None,
    }
}

/// RFC 6125 §6.4.3: a star stands for exactly one label, the first.
fn covers(name: &str, domain: &str) -> bool {
    let below = |star: &str| domain.split_once('.').is_some_and(|(_, parent)| parent == star);
    name == domain || name.strip_prefix("*.").is_some_and(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files(std::path::PathBuf);

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// A directory with a certificate for these names and its key, and a configuration that names them.
    fn configured(test: &str, names: &[&str]) -> (Files, Config) {
        let directory = std::env::temp_dir().join(format!("stube-check-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let names = names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let mut config = Config::for_domains(&["example.org", "chat.example.org"]);
        config.tls.certificate = Some(directory.join("cert.pem"));
        config.tls.key = Some(directory.join("key.pem"));
        (Files(directory), config)
    }

    fn report(config: &Config, now: Duration) -> Report {
        let mut report = Report::default();
        check(config, now, &mut report);
        report
    }

    const TODAY: Duration = Duration::from_secs(1_795_000_000);

    #[test]
    fn a_certificate_for_all_domains_raises_no_warning() {
        let (_files, config) = configured("all", &["example.org", "*.example.org"]);
        let report = report(&config, TODAY);
        assert_eq!((report.warnings, report.errors), (vec![], vec![]));
        assert!(report.lines[0].1.ends_with("cert.pem for example.org, *.example.org"));
    }

    #[test]
    fn a_domain_that_the_certificate_lacks_is_named() {
        let (_files, config) = configured("lacks", &["*.example.org"]);
        let report = report(&config, TODAY);
        assert_eq!(report.warnings.len(), 1);
        assert!(report.warnings[0].contains("is not for example.org;"));
    }

    #[test]
    fn a_certificate_that_ran_out_is_a_warning() {
        let (_files, config) = configured("late", &["example.org", "*.example.org"]);
        let report = report(&config, Duration::from_secs(100_000_000_000));
        assert!(report.warnings[0].contains("ran out on"), "{:?}", report.warnings);
    }

    #[test]
    fn a_key_of_another_certificate_is_an_error() {
        let (files, config) = configured("other", &["example.org"]);
        let other = rcgen::KeyPair::generate().unwrap();
        std::fs::write(files.0.join("key.pem"), other.serialize_pem()).unwrap();
        assert!(report(&config, TODAY).errors[0].contains("key.pem: not the key of the certificate "));
    }

    #[test]
    fn a_file_that_is_missing_or_no_certificate_is_an_error() {
        let (files, config) = configured("damaged", &["example.org"]);
        std::fs::write(files.0.join("cert.pem"), "hello").unwrap();
        assert!(report(&config, TODAY).errors[0].contains("PEM format"));
        std::fs::remove_file(files.0.join("cert.pem")).unwrap();
        assert!(report(&config, TODAY).errors[0].contains("cannot be read"));
    }

    #[test]
    fn a_star_is_one_label() {
        assert!(covers("*.example.org", "chat.example.org"));
        assert!(!covers("*.example.org", "example.org"));
        assert!(!covers("*.example.org", "a.chat.example.org"));
    }
}

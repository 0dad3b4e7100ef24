//! TLS against the client of rustls, in memory.

use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};

use super::*;
use crate::config::Config;
use crate::net::certificate::Acceptors;

#[derive(Debug)]
struct TrustAnyone;

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A client and a connection of ours, with wires between them.
struct Pair {
    client: ClientConnection,
    server: Tls,
    to_client: Vec<u8>,
    info: Option<TlsInfo>,
    heard: Vec<u8>,
    heard_by_client: Vec<u8>,
    client_error: Option<rustls::Error>,
    /// How many bytes our side reads at once.
    piece: usize,
}

fn acceptors() -> &'static Acceptors {
    static ACCEPTORS: OnceLock<Acceptors> = OnceLock::new();
    ACCEPTORS.get_or_init(|| {
        let mut config = Config::for_domains(&["localhost"]);
        config.data = std::env::temp_dir().join(format!("stube-tls-{}", std::process::id()));
        std::fs::create_dir_all(&config.data).expect("a directory");
        let acceptors = Acceptors::load(&config, Duration::from_secs(1_800_000_000)).expect("a certificate");
        std::fs::remove_dir_all(&config.data).expect("our own directory");
        acceptors
    })
}

fn client_config(version: &'static SupportedProtocolVersion, alpn: &[&[u8]]) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .expect("a version")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAnyone))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

impl Pair {
    fn new(acceptor: &Acceptor, config: Arc<ClientConfig>) -> Pair {
        let name = ServerName::try_from("localhost").expect("a name");
        Pair {
            client: ClientConnection::new(config, name).expect("a client"),
            server: Tls::new(acceptor).expect("a server"),
            to_client: Vec::new(),
            info: None,
            heard: Vec::new(),
            heard_by_client: Vec::new(),
            client_error: None,
            piece: usize::MAX,
        }
    }

    fn of_version(version: &'static SupportedProtocolVersion) -> Pair {
        Pair::new(&acceptors().starttls, client_config(version, &[]))
    }

    /// Carries bytes to and fro until there are none; the server's error ends it.
    fn talk(&mut self) -> Result<(), TlsError> {
        loop {
            let mut to_server = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut to_server).expect("memory");
            }
            let mut result = Ok(());
            for piece in to_server.chunks(self.piece) {
                result = result.and_then(|()| self.feed(piece));
            }
            let silent = self.to_client.is_empty();
            while !self.to_client.is_empty() {
                let read = self.client.read_tls(&mut &self.to_client[..]).expect("memory");
                self.to_client.drain(..read);
                if let Err(error) = self.client.process_new_packets() {
                    self.client_error = Some(error);
                }
                self.client_reads();
            }
            result?;
            assert_eq!(self.client_error, None);
            if silent {
                return Ok(());
            }
        }
    }

    fn feed(&mut self, piece: &[u8]) -> Result<(), TlsError> {
        let mut input = vec![0; LARGEST_INPUT + piece.len()];
        let kept = self.server.keep_rest(&mut input);
        input[kept..kept + piece.len()].copy_from_slice(piece);
        let (info, heard) = (&mut self.info, &mut self.heard);
        self.server.receive(
            &mut input[..kept + piece.len()],
            &mut self.to_client,
            |received| match received {
                Received::Secured(secured) => {
                    assert_eq!(info.replace(secured), None, "it comes once");
                    assert!(heard.is_empty(), "it comes first");
                }
                Received::Plaintext(bytes) => heard.extend_from_slice(bytes),
            },
        )
    }

    fn client_reads(&mut self) {
        match self.client.reader().read_to_end(&mut self.heard_by_client) {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => panic!("{error}"),
            _ => {}
        }
    }
}

#[test]
fn both_versions_carry_bytes_both_ways_however_they_are_cut() {
    for version in [&TLS12, &TLS13] {
        for piece in [1, 7, usize::MAX] {
            let mut pair = Pair::of_version(version);
            pair.piece = piece;
            // The client may write before it has heard that the handshake is done.
            pair.client.writer().write_all(b"first").expect("memory");
            pair.talk().expect("no error");
            let long = vec![b'x'; 40_000];
            pair.client.writer().write_all(&long).expect("memory");
            pair.talk().expect("no error");
            assert_eq!(pair.heard.len(), 40_005);
            pair.server.send(&long, &mut pair.to_client).expect("no error");
            pair.server.send(b"last", &mut pair.to_client).expect("no error");
            pair.server.close(&mut pair.to_client).expect("no error");
            pair.talk().expect("no error");
            assert_eq!(pair.heard_by_client.len(), 40_004);
        }
    }
}

#[test]
fn the_exporter_is_the_one_that_the_client_computes() {
    let mut suites = 0;
    for suite in ring::ALL_CIPHER_SUITES.iter().filter(|suite| suite.tls13().is_some()) {
        let mut provider = ring::default_provider();
        provider.cipher_suites = vec![*suite];
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])
            .expect("a version")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TrustAnyone))
            .with_no_client_auth();
        let mut pair = Pair::new(&acceptors().starttls, Arc::new(config));
        pair.talk().expect("no error");
        let client = pair.client.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
        assert_eq!(pair.info.and_then(|info| info.exporter), client.ok());
        suites += 1;
    }
    assert_eq!(suites, 3);
}

#[test]
fn the_exporter_of_a_resumed_connection_is_its_own() {
    let config = client_config(&TLS13, &[]);
    let mut exporters = Vec::new();
    for _ in 0..2 {
        let mut pair = Pair::new(&acceptors().starttls, Arc::clone(&config));
        pair.talk().expect("no error");
        let client = pair.client.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
        let ours = pair.info.as_ref().and_then(|info| info.exporter);
        assert_eq!(ours, client.ok());
        exporters.push((ours, pair.client.handshake_kind()));
    }
    assert_eq!(exporters[1].1, Some(rustls::HandshakeKind::Resumed));
    assert_ne!(exporters[0].0, exporters[1].0);
}

#[test]
fn tls_1_2_has_no_exporter_and_both_versions_have_an_end_point() {
    for version in [&TLS12, &TLS13] {
        let mut pair = Pair::of_version(version);
        pair.talk().expect("no error");
        let certificate =
            pair.client.peer_certificates().and_then(|chain| chain.first()).expect("a certificate");
        let info = pair.info.expect("the handshake is done");
        // Our own certificate is signed with ECDSA and SHA-256.
        assert_eq!(info.end_point, Some(Sha256::digest(certificate).to_vec()));
        assert_eq!(info.exporter.is_some(), version.version == rustls::ProtocolVersion::TLSv1_3);
    }
}

// XEP-0368 §3, rule 8.
#[test]
fn direct_tls_accepts_xmpp_client_and_no_alpn_and_refuses_others() {
    let refused = |alpn: &[&[u8]]| {
        let mut pair = Pair::new(&acceptors().direct, client_config(&TLS13, alpn));
        let result = pair.talk();
        (result.is_err(), pair.client.alpn_protocol().map(<[u8]>::to_vec))
    };
    assert_eq!(refused(&[]), (false, None));
    assert_eq!(refused(&[b"xmpp-client"]), (false, Some(b"xmpp-client".to_vec())));
    assert_eq!(refused(&[b"h2", b"xmpp-client"]), (false, Some(b"xmpp-client".to_vec())));
    assert_eq!(refused(&[b"h2"]), (true, None));
}

#[test]
fn a_failed_handshake_sends_an_alert() {
    let mut pair = Pair::new(&acceptors().direct, client_config(&TLS13, &[b"h2"]));
    let error = pair.talk().expect_err("no protocol in common");
    assert!(matches!(error, TlsError::Protocol(rustls::Error::NoApplicationProtocol)), "{error}");
    let alert = rustls::AlertDescription::NoApplicationProtocol;
    assert_eq!(pair.client_error, Some(rustls::Error::AlertReceived(alert)));
}

#[test]
fn garbage_is_refused_with_an_alert_and_without_a_panic() {
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"<stream:stream>", &[0x16, 3, 1, 0xff, 0xff, 1, 2], &[0; 100]]
    {
        let mut pair = Pair::of_version(&TLS13);
        assert!(pair.feed(garbage).is_err(), "{garbage:?}");
        let mut pair = Pair::of_version(&TLS13);
        pair.talk().expect("no error");
        assert!(pair.feed(garbage).is_err(), "{garbage:?}");
    }
}

#[test]
fn a_handshake_that_never_ends_has_a_bound() {
    let mut pair = Pair::of_version(&TLS13);
    // A ClientHello of 16 MB, in records of 16 KiB.
    let mut first = vec![0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
    first.resize(5 + 0x4000, 0);
    let mut next = vec![0x16, 3, 1, 0x40, 0];
    next.resize(5 + 0x4000, 0);
    let mut result = pair.feed(&first);
    for _ in 0..2 {
        result = result.and_then(|()| pair.feed(&next));
    }
    assert!(matches!(result, Err(TlsError::TooLarge | TlsError::Protocol(_))), "{result:?}");
}

#[test]
fn an_idle_connection_keeps_no_buffer() {
    let mut pair = Pair::of_version(&TLS13);
    pair.client.writer().write_all(&[b'x'; 10_000]).expect("memory");
    pair.talk().expect("no error");
    assert_eq!(pair.server.rest.capacity(), 0);
    assert!(pair.server.handshake.is_none());
}

#[test]
fn an_end_that_the_peer_announces_is_noticed_after_its_last_words() {
    let mut pair = Pair::of_version(&TLS13);
    pair.talk().expect("no error");
    pair.client.writer().write_all(b"bye").expect("memory");
    pair.client.send_close_notify();
    pair.talk().expect("no error");
    assert_eq!(pair.heard, b"bye");
    assert!(pair.server.peer_closed());
}

#[test]
fn new_keys_on_the_peers_request_are_sent_with_the_next_words() {
    let mut pair = Pair::of_version(&TLS13);
    pair.talk().expect("no error");
    for _ in 0..3 {
        pair.client.refresh_traffic_keys().expect("TLS 1.3");
        pair.client.writer().write_all(b"x").expect("memory");
        pair.talk().expect("no error");
        pair.server.send(b"y", &mut pair.to_client).expect("no error");
        pair.talk().expect("no error");
    }
    assert_eq!(pair.heard, b"xxx");
    assert_eq!(pair.heard_by_client, b"yyy");
}

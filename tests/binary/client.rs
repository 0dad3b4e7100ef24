//! A client that blocks: as little XMPP as the tests need, over the TLS of rustls.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::server::{PATIENCE, Server, password};

pub const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                          to='localhost' version='1.0'>";
pub const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

pub struct Client {
    wire: Wire,
    /// What has come and has not been asked for.
    heard: String,
}

enum Wire {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

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

/// A client's TLS that trusts anyone, with these protocols to choose from.
pub fn tls(versions: &[&'static rustls::SupportedProtocolVersion], alpn: &[&str]) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAnyone))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

pub fn any_tls() -> Arc<ClientConfig> {
    tls(&[&TLS12, &TLS13], &[])
}

impl Client {
    /// Connects in clear text.
    pub fn connect(address: SocketAddr) -> Client {
        let socket = TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_nodelay(true).expect("a socket");
        Client { wire: Wire::Clear(socket), heard: String::new() }
    }

    /// Connects with TLS from the first byte on; the error is the handshake's.
    pub fn connect_tls(address: SocketAddr, config: Arc<ClientConfig>) -> io::Result<Client> {
        let mut client = Client::connect(address);
        client.secure(config)?;
        Ok(client)
    }

    /// A client that has logged in, bound a resource and told that it is available.
    pub fn online(server: &Server, name: &str) -> Client {
        let mut client = Client::connect(server.starttls());
        client.start_tls();
        client.log_in(name, &password(name));
        client.send("<presence/>");
        client.wait_for("<presence");
        client
    }

    /// RFC 6120 §5.
    pub fn start_tls(&mut self) {
        self.send(HEADER);
        self.wait_for("</stream:features>");
        self.send(STARTTLS);
        self.wait_for("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        self.secure(any_tls()).expect("a handshake");
    }

    /// Does the handshake of TLS on what is there.
    pub fn secure(&mut self, config: Arc<ClientConfig>) -> io::Result<()> {
        let Wire::Clear(socket) = &self.wire else { panic!("TLS is there already") };
        let name = ServerName::try_from("localhost").expect("a name");
        let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut socket = socket.try_clone()?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        self.heard.clear();
        self.wire = Wire::Tls(Box::new(StreamOwned::new(connection, socket)));
        Ok(())
    }

    /// RFC 6120 §6 (PLAIN) and §7.
    pub fn log_in(&mut self, name: &str, password: &str) {
        self.send(HEADER);
        self.wait_for("</stream:features>");
        let credentials = BASE64.encode(format!("\0{name}\0{password}"));
        self.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{credentials}</auth>"
        ));
        self.wait_for("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        self.send(HEADER);
        self.wait_for("</stream:features>");
        self.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        self.wait_for("</iq>");
    }

    pub fn send(&mut self, text: &str) {
        self.try_send(text).expect("a server that listens");
    }

    pub fn try_send(&mut self, text: &str) -> io::Result<()> {
        match &mut self.wire {
            Wire::Clear(socket) => socket.write_all(text.as_bytes()),
            Wire::Tls(tls) => tls.write_all(text.as_bytes()).and_then(|()| tls.flush()),
        }
    }

    /// Reads on until `text` has come; returns everything up to its end.
    pub fn wait_for(&mut self, text: &str) -> String {
        loop {
            if let Some(place) = self.heard.find(text) {
                return self.heard.drain(..place + text.len()).collect();
            }
            match self.read() {
                Ok(true) => {}
                end => panic!("{end:?} before {text:?}: {}", self.heard),
            }
        }
    }

    /// Reads to the end of the connection, which must come in time and in order; returns what came.
    pub fn wait_for_end(&mut self) -> String {
        while self.read().expect("an end in order") {}
        std::mem::take(&mut self.heard)
    }

    /// Reads once; `false` is the end.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        let read = match &mut self.wire {
            Wire::Clear(socket) => socket.read(&mut buffer)?,
            Wire::Tls(tls) => tls.read(&mut buffer)?,
        };
        self.heard.push_str(std::str::from_utf8(&buffer[..read]).map_err(|_| ErrorKind::InvalidData)?);
        Ok(read > 0)
    }

    /// The certificate of the server.
    pub fn certificate(&self) -> Vec<u8> {
        let Wire::Tls(tls) = &self.wire else { panic!("there is no TLS") };
        let chain = tls.conn.peer_certificates().expect("a certificate");
        chain[0].to_vec()
    }

    pub fn alpn(&self) -> Option<String> {
        let Wire::Tls(tls) = &self.wire else { panic!("there is no TLS") };
        tls.conn.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned())
    }

    /// Goes without a word: no end of the stream, no end of TLS.
    pub fn vanish(self) {
        self.socket().shutdown(Shutdown::Both).expect("a connection");
    }

    pub fn socket(&self) -> &TcpStream {
        match &self.wire {
            Wire::Clear(socket) => socket,
            Wire::Tls(tls) => &tls.sock,
        }
    }
}

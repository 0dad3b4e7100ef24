//! Listening for clients: binding the addresses of the configuration, and accepting who comes.
//!
//! An address that cannot be bound ends the server with one line that names it. While descriptors run out, nobody is
//! accepted and the log says so once a minute; whoever waits in the kernel's queue is not lost. Connections that Core
//! refuses are told why, but only so many at a time.

use std::cell::Cell;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;

use futures_lite::future::yield_now;
use log::{debug, info, warn};
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

use super::conn::Conn;
use super::reactor::Source;
use super::server::Server;
use crate::config;
use crate::stream::c2s::C2s;

/// Connections that wait in the kernel to be accepted.
const BACKLOG: i32 = 1024;
/// Refused connections that are told why at one time; others are just closed.
const MOST_REFUSALS: usize = 100;
/// Milliseconds without accepting while descriptors or memory run out.
const PAUSE: u64 = 100;
/// Milliseconds between two lines in the log about that.
const COMPLAINT_INTERVAL: u64 = 60_000;

/// What clients begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    StartTls,
    DirectTls,
}

/// A bound address.
pub struct Listener {
    pub kind: Kind,
    pub address: SocketAddr,
    socket: TcpListener,
}

/// Binds every address, or says which one cannot be bound.
pub fn bind(listen: &config::Listen) -> Result<Vec<Listener>, String> {
    let lists = [(Kind::StartTls, &listen.c2s), (Kind::DirectTls, &listen.c2s_tls)];
    let mut listeners = Vec::new();
    for (kind, list) in lists {
        for &wanted in list {
            let dual_stack = config::Listen::is_dual_stack(wanted, list);
            listeners.push(Listener::bind(kind, wanted, dual_stack)?);
        }
    }
    Ok(listeners)
}

fn cannot_listen(address: SocketAddr, error: io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => {
            format!("cannot listen on {address}: another program has this address in use")
        }
        ErrorKind::AddrNotAvailable => {
            format!("cannot listen on {address}: this machine has no such address")
        }
        ErrorKind::PermissionDenied => {
            format!("cannot listen on {address}: only root may use ports below 1024; choose a higher one")
        }
        _ => format!("cannot listen on {address}: {error}"),
    }
}

fn socket(address: SocketAddr, dual_stack: bool) -> io::Result<TcpListener> {
    match socket_of_family(address, dual_stack) {
        Err(error) if dual_stack && lacks_ipv6(&error) => {
            socket_of_family(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())), false)
        }
        result => result,
    }
}

fn lacks_ipv6(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL))
}

fn socket_of_family(address: SocketAddr, dual_stack: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(!dual_stack)?;
    }
    // A restart need not wait for the connections of the past.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl Listener {
    pub fn bind(kind: Kind, wanted: SocketAddr, dual_stack: bool) -> Result<Listener, String> {
        let bound = socket(wanted, dual_stack).and_then(|socket| {
            let address = socket.local_addr()?;
            Ok(Listener { kind, address, socket })
        });
        bound.map_err(|error| cannot_listen(wanted, error))
    }

    /// Accepts connections until it is dropped.
    pub async fn serve(self, server: Rc<Server>) -> io::Result<()> {
        let door = Door { kind: self.kind, server: Rc::clone(&server), refusals: Rc::default() };
        let socket = server.reactor.register(self.socket)?;
        let mut complained: Option<u64> = None;
        loop {
            match socket.reading(TcpListener::accept).await {
                Ok((client, address)) => {
                    if let Err(error) = door.welcome(client, address) {
                        debug!("a connection was lost while it was accepted: {error}");
                    }
                }
                Err(error) if is_shortage(&error) => {
                    let now = server.reactor.now();
                    if complained.is_none_or(|last| now - last >= COMPLAINT_INTERVAL) {
                        warn!("cannot accept connections on {}: {error}", self.address);
                        complained = Some(now);
                    }
                    server.reactor.sleep(PAUSE).await;
                }
                // The client has gone before we came.
                Err(error) => debug!("nobody to accept on {}: {error}", self.address),
            }
            yield_now().await;
        }
    }
}

fn is_shortage(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

/// Where the connections of one listener come in.
struct Door {
    kind: Kind,
    server: Rc<Server>,
    refusals: Rc<Cell<usize>>,
}

impl Door {
    fn welcome(&self, client: TcpStream, address: SocketAddr) -> io::Result<()> {
        client.set_nonblocking(true)?;
        client.set_nodelay(true)?;
        let socket = self.server.reactor.register(client)?;
        match self.server.with_core(|core| C2s::open(core, address.ip(), None)) {
            Ok(stream) => {
                debug!("connection {:?} comes from {address}", stream.link());
                self.admit(socket, stream);
            }
            Err(error) => {
                debug!("a connection from {address} is refused: {error:?}");
                if self.kind == Kind::StartTls && self.refusals.get() < MOST_REFUSALS {
                    let last_words = self.server.with_core(|core| C2s::refusal(core, error));
                    self.refuse(Conn::refused(Rc::clone(&self.server), socket, last_words));
                }
            }
        }
        Ok(())
    }

    fn admit(&self, socket: Source<TcpStream>, stream: C2s) {
        let acceptors = self.server.acceptors();
        let acceptor = match self.kind {
            Kind::StartTls => None,
            Kind::DirectTls => Some(&acceptors.direct),
        };
        match Conn::new(Rc::clone(&self.server), socket, stream, acceptor) {
            Ok(connection) => self.server.spawn_visitor(connection),
            Err(error) => warn!("TLS cannot begin: {error}"),
        }
    }

    fn refuse(&self, connection: Conn) {
        let refusals = Rc::clone(&self.refusals);
        refusals.set(refusals.get() + 1);
        self.server.spawn_visitor(Box::pin(async move {
            connection.await;
            refusals.set(refusals.get() - 1);
        }));
    }
}

/// Tells the operator what clients can connect to.
pub fn announce(listeners: &[Listener]) {
    for listener in listeners {
        info!("listening for clients ({}) on {}", listener.kind, listener.address);
    }
    if listeners.is_empty() {
        warn!("no address to listen on is configured: nobody can connect");
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::StartTls => "STARTTLS",
            Kind::DirectTls => "direct TLS",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_in_use_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
        let taken_socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let taken_address = taken_socket.local_addr().expect("an address");
        assert_ne!(taken.expect("an address"), taken_address);
        let error = bind(&config::Listen::new(vec![taken_address], vec![])).err();
        let expected = format!("cannot listen on {taken_address}: another program has this address in use");
        assert_eq!(error, Some(expected));
    }

    #[test]
    fn port_0_is_replaced_by_what_the_kernel_chose() {
        let any = address("127.0.0.1:0");
        let listeners = bind(&config::Listen::new(vec![any], vec![any])).expect("two ports");
        assert!(listeners.iter().all(|listener| listener.address.port() != 0));
        assert_eq!(
            listeners.iter().map(|listener| listener.kind).collect::<Vec<_>>(),
            [Kind::StartTls, Kind::DirectTls]
        );
    }

    #[test]
    fn the_unspecified_ipv6_address_takes_ipv4_too() {
        let listeners = bind(&config::Listen::new(vec![address("[::]:0")], vec![])).expect("a port");
        let port = listeners[0].address.port();
        TcpStream::connect(("127.0.0.1", port)).expect("a connection over IPv4");
    }
}

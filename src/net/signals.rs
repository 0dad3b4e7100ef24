//! SIGTERM and SIGINT ask for an orderly end, and for one at once when they come again; SIGHUP asks to read the
//! configuration and the certificate again.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use super::reactor::{Reactor, Source};
use std::rc::Rc;

/// Signals of one meaning, as a stream of bytes.
pub struct Signals(Source<UnixStream>);

impl Signals {
    pub fn to_stop(reactor: &Rc<Reactor>) -> io::Result<Signals> {
        Signals::catch(reactor, &[SIGTERM, SIGINT])
    }

    pub fn to_reload(reactor: &Rc<Reactor>) -> io::Result<Signals> {
        Signals::catch(reactor, &[SIGHUP])
    }

    fn catch(reactor: &Rc<Reactor>, signals: &[i32]) -> io::Result<Signals> {
        let (near, far) = UnixStream::pair()?;
        for &signal in signals {
            pipe::register(signal, far.try_clone()?)?;
        }
        near.set_nonblocking(true)?;
        Ok(Signals(reactor.register(near)?))
    }

    /// Waits for the next one; several that come at once are one.
    pub async fn next(&self) -> io::Result<()> {
        self.0.reading(|mut pipe| pipe.read(&mut [0; 64])).await.map(drop)
    }
}

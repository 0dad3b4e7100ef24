//! Channel binding (RFC 5056): a login that only counts inside the TLS connection it was made in, so that nobody in
//! the middle, not even with a certificate that the client believes, can pass it on.

/// What a TLS connection can be bound by, as far as it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelBinding {
    /// `tls-exporter` (RFC 9266): keying material only both ends of this connection can know.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate.
    pub end_point: Option<Vec<u8>>,
}

impl ChannelBinding {
    pub const EXPORTER: &'static str = "tls-exporter";
    pub const END_POINT: &'static str = "tls-server-end-point";

    /// The types this connection has, the strongest first, as XEP-0440 announces them.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        [Self::EXPORTER, Self::END_POINT].into_iter().filter(|name| self.data(name).is_some())
    }

    /// Without any, no mechanism with channel binding can be offered.
    pub fn is_empty(&self) -> bool {
        self.types().next().is_none()
    }

    /// The data of a type, if it is known and there.
    pub fn data(&self, name: &str) -> Option<&[u8]> {
        match name {
            Self::EXPORTER => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            Self::END_POINT => self.end_point.as_deref(),
            _ => None,
        }
    }
}

//! Bytes to elements and back: the security boundary of the program.
//!
//! * [`Reader`] takes the bytes of one stream and gives its header, its stanzas and its end. What it gives has
//!   been cut out, checked and written anew, in *canonical form*; a peer's bytes are never passed on.
//! * [`Payload`] is the content of a stanza in that form: shared bytes with an index of their children.
//! * [`Element`] is a tree, for code that looks inside.
//! * [`writer`] is the one place that escapes; [`ns`] lists every namespace.
//!
//! Canonical form: namespaces only as default declarations, which come first and only where they differ from the
//! parent's; attributes in the order of the source, in single quotes; an attribute of a foreign namespace with a
//! prefix made for it and declared right before it; one way to escape; `<a/>` for what is empty; no CDATA. A
//! stream's content namespace, `jabber:client` or `jabber:server`, is always `jabber:client`.

mod canonical;
mod chars;
mod cut;
mod element;
mod fragment;
mod header;
pub mod ns;
mod payload;
mod reader;
mod scope;
mod tag;
#[cfg(test)]
mod tests;
pub mod writer;

pub use element::{Element, Node};
pub use fragment::Fragment;
pub use header::Header;
pub use payload::{Child, Payload};
pub use reader::{Item, Limits, ReadError, Reader};

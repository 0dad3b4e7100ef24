//! XEP-0045: rooms, a file for each part of it.

#[path = "xep0045_muc/entering.rs"]
mod entering;
#[path = "xep0045_muc/flood.rs"]
mod flood;

//! Message processing hints (XEP-0334): the archive and offline storage do as they are told, see `core/hints`;
//! `<no-copy/>` is for carbons.

use crate::core::module::{Module, Spec};
use crate::xml::ns;

pub const MODULE: Module =
    Module { name: "hints", specs: &[Spec::Xep(334, "1.0.0")], features: &[ns::HINTS], ..Module::NONE };

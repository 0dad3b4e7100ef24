//! `stube run`: the server.

use std::path::Path;

use super::Failure;
use crate::config::Config;
use crate::run::{self, Plan};

pub fn run(file: &Path) -> Result<(), Failure> {
    let config = Config::load(file)?;
    run::run(Plan { config, file: Some(file.to_owned()), listeners: None, greeting: String::new() })
}

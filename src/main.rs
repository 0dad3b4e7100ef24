//! The program: the command line, and an exit code for what nobody foresaw.

use std::process::ExitCode;

/// `EX_SOFTWARE`: a bug, whose message the panic has printed.
const BUG: u8 = 70;

fn main() -> ExitCode {
    std::panic::catch_unwind(stube::cmd::main).unwrap_or(ExitCode::from(BUG))
}

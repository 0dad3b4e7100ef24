//! `stube reports …`: what users have reported, through the running server or, without one, from the database.

use argh::FromArgs;

use super::{Failure, user};
use crate::config::Config;
use crate::control::Request;

/// read and remove what users have reported as spam or abuse
#[derive(FromArgs)]
#[argh(subcommand, name = "reports")]
pub struct Reports {
    #[argh(subcommand)]
    action: Action,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Action {
    List(List),
    Show(Show),
    Remove(Remove),
    Clear(Clear),
}

/// list the reports, one a line, oldest first
#[derive(FromArgs)]
#[argh(subcommand, name = "list")]
struct List {}

/// show everything in a report
#[derive(FromArgs)]
#[argh(subcommand, name = "show")]
struct Show {
    /// its number in the list
    #[argh(positional)]
    number: u64,
}

/// remove a report
#[derive(FromArgs)]
#[argh(subcommand, name = "remove")]
struct Remove {
    /// its number in the list
    #[argh(positional)]
    number: u64,
}

/// remove all reports
#[derive(FromArgs)]
#[argh(subcommand, name = "clear")]
struct Clear {}

impl Reports {
    pub fn run(self, config: &Config) -> Result<(), Failure> {
        let (request, done) = match self.action {
            Action::List(_) => (Request::ReportList, None),
            Action::Show(Show { number }) => (Request::ReportShow { number }, None),
            Action::Remove(Remove { number }) => {
                (Request::ReportRemove { number: Some(number) }, Some(format!("report {number} was removed")))
            }
            Action::Clear(_) => {
                (Request::ReportRemove { number: None }, Some("all reports were removed".to_owned()))
            }
        };
        let lines = user::carry_out(config, &request)?;
        done.into_iter().chain(lines).for_each(|line| println!("{line}"));
        Ok(())
    }
}

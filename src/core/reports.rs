//! What users have reported about others (XEP-0377), for the operator to read (`stube reports`).
//!
//! Stored: table `reports`, at most the configuration's `reports` and [`MAX_EACH`] of one account, so that nobody's
//! zeal hides what others say; the oldest gives way. In memory is who reported what under which number, once
//! somebody has reported something.

use super::{Core, time};
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::store::ReadError;
use crate::store::record::Report;
use crate::store::schema::{self, Op, Table};

/// Reports that are kept of one account.
const MAX_EACH: usize = 50;

impl Core {
    /// Keeps a report of an account of ours.
    pub fn add_report(&mut self, reporter: &Jid, report: &Report) -> Result<(), StanzaError> {
        let max = self.config.limits.reports.max_len().max(1);
        let known = self.reports_index().map_err(|error| {
            log::error!("the reports cannot be read: {error}");
            StanzaError::from(super::Unavailable::Broken)
        })?;
        let number = known.last().map_or(1, |(number, _)| number + 1);
        let mut ops = vec![schema::report::put(number, report)];
        let own = |(_, by): &(u64, String)| *by == report.reporter;
        if known.iter().filter(|entry| own(entry)).count() >= MAX_EACH
            && let Some(oldest) = known.iter().position(own)
        {
            ops.push(schema::report::delete(known.remove(oldest).0));
        }
        let superfluous = (known.len() + 1).saturating_sub(max);
        ops.extend(known.drain(..superfluous).map(|(number, _)| schema::report::delete(number)));
        known.push((number, report.reporter.clone()));
        self.write(reporter, ops);
        Ok(())
    }

    /// A line for each report, oldest first.
    pub(super) fn list_reports(&mut self) -> Result<Vec<String>, String> {
        let index = self.reports_index().map_err(|error| error.to_string())?;
        let numbers: Vec<u64> = index.iter().map(|(number, _)| *number).collect();
        let lines = numbers.into_iter().map(|number| Ok(summary(number, &self.report(number)?)));
        lines.collect()
    }

    pub(super) fn show_report(&mut self, number: u64) -> Result<Vec<String>, String> {
        Ok(details(number, &self.report(number)?))
    }

    /// Removes one report, or all.
    pub(super) fn remove_reports(&mut self, number: Option<u64>) -> Result<(), String> {
        if self.writable().is_err() {
            return Err("the store cannot write now".into());
        }
        let index = self.reports_index().map_err(|error| error.to_string())?;
        let chosen = |(known, _): &(u64, String)| number.is_none_or(|number| number == *known);
        let ops: Vec<Op> = index
            .iter()
            .filter(|entry| chosen(entry))
            .map(|(number, _)| schema::report::delete(*number))
            .collect();
        index.retain(|entry| !chosen(entry));
        match number {
            Some(number) if ops.is_empty() => Err(unknown(number)),
            _ => {
                // They are the server's, whoever made them.
                let host = self.hosts.first().cloned();
                host.into_iter().for_each(|host| self.write(&host, ops.iter().cloned()));
                Ok(())
            }
        }
    }

    fn report(&self, number: u64) -> Result<Report, String> {
        let report = self.value(Table::Reports, &schema::report::key(number));
        report.map_err(|_| format!("the report {number} cannot be read"))?.ok_or_else(|| unknown(number))
    }

    /// The numbers of all reports and who made them, oldest first.
    fn reports_index(&mut self) -> Result<&mut Vec<(u64, String)>, ReadError> {
        if self.reports.is_none() {
            // Nothing of this table is unwritten: it was read before the first change.
            let stored = self.store.reports()?.into_iter();
            self.reports = Some(stored.map(|(number, report)| (number, report.reporter)).collect());
        }
        Ok(self.reports.get_or_insert_default())
    }
}

/// There is no such report, for the operator.
pub fn unknown(number: u64) -> String {
    format!("there is no report {number}; see stube reports list")
}

/// A report in one line.
pub fn summary(number: u64, report: &Report) -> String {
    let reason = report.reason.strip_prefix("urn:xmpp:reporting:").unwrap_or(&report.reason);
    let when = when(report);
    printable(&format!("{number}  {when}  {} about {}: {reason}", report.reporter, report.reported))
}

/// Everything in a report, in lines.
pub fn details(number: u64, report: &Report) -> Vec<String> {
    let yes = |agreed| if agreed { "yes" } else { "no" };
    let mut lines = vec![
        format!("number         {number}"),
        format!("time           {}", when(report)),
        format!("by             {}", report.reporter),
        format!("about          {}", report.reported),
        format!("reason         {}", report.reason),
        format!(
            "may be told    their server: {}, others: {}",
            yes(report.to_origin),
            yes(report.to_third_parties)
        ),
    ];
    lines.extend(report.stanzas.iter().map(|stanza| format!("message        {stanza}")));
    lines.extend(report.text.lines().map(|line| format!("text           {line}")));
    lines.iter().map(|line| printable(line)).collect()
}

fn when(report: &Report) -> String {
    time::datetime(report.stamp.saturating_mul(1000)).replace(".000Z", "Z")
}

/// What strangers have written must not steer a terminal.
fn printable(line: &str) -> String {
    line.replace(char::is_control, " ")
}

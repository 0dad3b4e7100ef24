//! From older schemas to today's: one step a version, all in one transaction, before anything else is read.
//!
//! A file of each released schema is kept under `tests/fixtures/` and opened in the tests. A step is written
//! against the bytes of its time, not against [`super::record`], which moves on.

use super::error::Problem;
use super::read::definition;
use super::record::{Blob, Record};
use super::schema::{self, Table, VERSION};
use redb::{Database, ReadableDatabase, TableError, WriteTransaction};

/// Takes a database from one schema to the next.
type Step = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// The first goes from schema 1 to 2.
const STEPS: &[Step] = &[];
const _: () = assert!(STEPS.len() + 1 == VERSION as usize);

/// Refuses what is not ours or newer than us, and lifts what is older.
pub fn to_current(database: &Database) -> Result<(), Problem> {
    run(database, STEPS)
}

fn run(database: &Database, steps: &[Step]) -> Result<(), Problem> {
    let schema = schema_of(database)?;
    let missing = match usize::try_from(schema).ok().and_then(|schema| schema.checked_sub(1)) {
        None => return Err(Problem::Corrupt("its schema has no number".into())),
        Some(done) => steps.get(done..).ok_or(Problem::Newer { schema })?,
    };
    if missing.is_empty() {
        return Ok(());
    }
    lift(database, missing, steps.len() as u32 + 1).map_err(Problem::of_redb)
}

fn lift(database: &Database, missing: &[Step], schema: u32) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // Done once; here nothing is too slow to be sure.
    transaction.set_two_phase_commit(true);
    for step in missing {
        step(&transaction)?;
    }
    super::commit::write(&transaction, &[schema::meta::put_schema(schema)])?;
    transaction.commit()?;
    Ok(())
}

/// The version that the file says it has.
fn schema_of(database: &Database) -> Result<u32, Problem> {
    let entry = meta_entry(database).map_err(|error| match error {
        redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. } => {
            Problem::Foreign("it holds other tables")
        }
        other => Problem::of_redb(other),
    })?;
    let Blob(bytes) =
        Blob::decode(&entry).map_err(|what| Problem::Corrupt(format!("its schema's number: {what}")))?;
    let number =
        bytes.as_slice().try_into().map_err(|_| Problem::Corrupt("its schema has no number".into()))?;
    Ok(u32::from_be_bytes(number))
}

fn meta_entry(database: &Database) -> Result<Vec<u8>, redb::Error> {
    let meta = database.begin_read()?.open_table(definition(Table::Meta))?;
    let entry = meta.get(schema::meta::key(schema::meta::SCHEMA).as_slice())?;
    Ok(entry.ok_or(TableError::TableDoesNotExist(schema::meta::SCHEMA.into()))?.value().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::{announcement, vcard};
    use crate::store::{Options, Store};
    use redb::backends::InMemoryBackend;
    use std::sync::Arc;

    fn database() -> Arc<Database> {
        let opened = Store::open_backend(InMemoryBackend::new(), Options::new([0; 32])).expect("opens");
        opened.committer.shared.database().expect("open")
    }

    fn write(transaction: &WriteTransaction, op: schema::Op) -> Result<(), redb::Error> {
        super::super::commit::write(transaction, &[op])
    }

    fn first(transaction: &WriteTransaction) -> Result<(), redb::Error> {
        write(transaction, announcement::put("step", b"first"))
    }

    fn second(transaction: &WriteTransaction) -> Result<(), redb::Error> {
        write(transaction, announcement::put("step", b"second"))
    }

    fn failing(transaction: &WriteTransaction) -> Result<(), redb::Error> {
        write(transaction, vcard::put(1, b"half"))?;
        Err(redb::Error::Corrupted("a test".into()))
    }

    fn step(database: &Database) -> Option<Vec<u8>> {
        let table = database.begin_read().ok()?.open_table(definition(Table::Announcements)).ok()?;
        Some(table.get(announcement::key("step").as_slice()).ok()??.value().to_vec())
    }

    #[test]
    fn missing_steps_run_once_and_in_order() {
        let database = database();
        run(&database, &[first, second]).expect("lifted");
        assert_eq!(schema_of(&database).ok(), Some(3));
        assert_eq!(step(&database), Some(Blob(b"second".to_vec()).encode()));
        run(&database, &[failing, failing]).expect("nothing is missing");
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_schema_whole() {
        let database = database();
        let problem = run(&database, &[first, failing]).expect_err("the second step fails");
        assert!(matches!(problem, Problem::Corrupt(_)));
        assert_eq!(schema_of(&database).ok(), Some(1));
        assert_eq!(step(&database), None);
    }

    #[test]
    fn a_newer_schema_is_left_alone() {
        let database = database();
        run(&database, &[first]).expect("lifted");
        assert!(matches!(run(&database, &[]), Err(Problem::Newer { schema: 2 })));
        assert_eq!(schema_of(&database).ok(), Some(2));
    }
}

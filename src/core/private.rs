//! Private XML storage (XEP-0049) as several features need it: elements by namespace and name, within a quota.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Core;
use crate::jid::Jid;
use crate::stanza::{Condition, StanzaError};
use crate::store::record::Blob;
use crate::store::schema::{self, Op, Table};
use crate::xml::{Element, ns};

impl Core {
    /// What an account has stored under the namespace and the name of an element.
    pub fn private(&mut self, owner: &Jid, ns: &str, name: &str) -> Result<Option<Element>, StanzaError> {
        let id = self.account(owner)?.record.id;
        let stored = self.value::<Blob>(Table::Private, &schema::private::key(id, ns, name))?;
        Ok(stored.and_then(|Blob(bytes)| Element::parse(&bytes, ns::CLIENT)))
    }

    /// Stores elements in place of those of their names and namespaces; an empty one deletes. All or none.
    pub fn set_private(&mut self, owner: &Jid, fragments: &[&Element]) -> Result<(), StanzaError> {
        self.writable()?;
        let id = self.account(owner)?.record.id;
        let before = self.private_usage(owner, id)?;
        let mut after = before;
        let mut ops: BTreeMap<(&str, &str), Op> = BTreeMap::new();
        for fragment in fragments {
            let key = schema::private::key(id, &fragment.ns, &fragment.name);
            let old = self.value::<Blob>(Table::Private, &key)?.map_or(0, |Blob(bytes)| bytes.len());
            let bytes = fragment.to_bytes(ns::CLIENT);
            let (new, op) = match fragment.attrs.is_empty() && fragment.children.is_empty() {
                true => (0, schema::private::delete(id, &fragment.ns, &fragment.name)),
                false => (bytes.len(), schema::private::put(id, &fragment.ns, &fragment.name, &bytes)),
            };
            after = (after + new as u64).saturating_sub(old as u64);
            if ops.insert((&fragment.ns, &fragment.name), op).is_some() {
                // Only one of them could be kept.
                return Err(Condition::BadRequest.into());
            }
        }
        // Someone who has too much already can still make it less.
        if after > self.config.limits.private_bytes.max() && after > before {
            return Err(StanzaError::new(Condition::ResourceConstraint, "There is no room for more."));
        }
        self.account(owner)?.private_bytes = Some(after);
        self.write(&owner.bare(), ops.into_values());
        Ok(())
    }

    /// The bytes that an account has stored; counted when it is first needed.
    fn private_usage(&mut self, owner: &Jid, id: u32) -> Result<u64, StanzaError> {
        if let Some(bytes) = self.account(owner)?.private_bytes {
            return Ok(bytes);
        }
        let mut bytes = 0;
        // Nothing of this account is unwritten: it was counted when the first such change was made.
        let counted = self.store.scan(Table::Private, &schema::owned(id), &[], |_, value| {
            bytes += Blob::payload_length(value) as u64;
            ControlFlow::Continue(())
        });
        counted.map_err(|why| {
            log::error!("the private storage of {owner} cannot be read: {why}");
            StanzaError::from(Condition::InternalServerError)
        })?;
        self.account(owner)?.private_bytes = Some(bytes);
        Ok(bytes)
    }
}

//! Rules of access are made and removed.

use std::collections::BTreeSet;
use std::sync::Arc;

use barnabas_auth::{Acl, AclFilter};
use barnabas_storage::seam::Rng;

use super::DeletedAcls;
use super::actor::RECORDS_PER_ENTRY;
use crate::error::AclError;
use crate::metadata::acls::{AccessControlEntryRecord, RemoveAccessControlEntryRecord};
use crate::metadata::{AclId, MetadataImage, Record};

/// The rules that are not there yet, each once.
///
/// # Errors
/// `TooManyToCreate`, and then none is made.
pub(super) fn create(image: &MetadataImage, acls: Vec<Acl>, rng: &dyn Rng) -> Result<Vec<Record>, AclError> {
    let (mut ids, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut records = Vec::new();
    for acl in acls {
        if image.has_acl(&acl) || seen.contains(&acl) {
            continue;
        }
        if records.len() == RECORDS_PER_ENTRY {
            return Err(AclError::TooManyToCreate);
        }
        seen.insert(acl.clone());
        let id = loop {
            let id = AclId(rng.uuid());
            if !image.has_acl_id(id) && ids.insert(id) {
                break id;
            }
        };
        records.push(AccessControlEntryRecord { id, acl: Arc::new(acl) }.into());
    }
    Ok(records)
}

/// The removals, and what each filter means, in the order of the request. A rule that two filters mean is in the answer
/// to both, as in Kafka.
pub(super) fn delete(image: &MetadataImage, filters: &[AclFilter]) -> (Vec<Record>, DeletedAcls) {
    let mut gone: BTreeSet<AclId> = BTreeSet::new();
    let outcomes = filters.iter().map(|filter| {
        let meant: Vec<(AclId, &Arc<Acl>)> = image.acls().filter(|(_, acl)| filter.matches(acl)).collect();
        let new = meant.iter().filter(|(id, _)| !gone.contains(id)).count();
        if gone.len() + new > RECORDS_PER_ENTRY {
            return Err(AclError::TooManyToDelete(RECORDS_PER_ENTRY));
        }
        gone.extend(meant.iter().map(|(id, _)| *id));
        Ok(meant.into_iter().map(|(_, acl)| Arc::clone(acl)).collect())
    });
    let outcomes = outcomes.collect();
    (gone.into_iter().map(|id| RemoveAccessControlEntryRecord { id }.into()).collect(), outcomes)
}

#[cfg(test)]
mod tests {
    use barnabas_auth::{Operation, PatternFilter, PatternType, Permission, ResourceType};
    use barnabas_storage::Timestamp;
    use barnabas_storage::seam::Seams;

    use super::*;
    use crate::metadata::{Entry, Touched};

    fn acl(name: &str) -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            resource_name: name.to_owned(),
            pattern_type: PatternType::Literal,
            principal: "User:a".to_owned(),
            host: "*".to_owned(),
            operation: Operation::Read,
            permission: Permission::Allow,
        }
    }

    fn applied(image: &mut MetadataImage, records: Vec<Record>) {
        let index = image.applied_index() + 1;
        image.apply(index, &Entry { timestamp: Timestamp(0), records }, &mut Touched::default());
    }

    fn named(name: Option<&str>) -> AclFilter {
        AclFilter { resource_name: name.map(str::to_owned), pattern: PatternFilter::Any, ..AclFilter::EVERYTHING }
    }

    #[test]
    fn a_rule_is_made_once() {
        let (mut image, rng) = (MetadataImage::default(), Seams::system().rng);
        let records = create(&image, vec![acl("a"), acl("b"), acl("a")], &*rng).unwrap();
        assert_eq!(records.len(), 2);
        applied(&mut image, records);
        assert_eq!(create(&image, vec![acl("b"), acl("c")], &*rng).unwrap().len(), 1);
        assert_eq!(image.acls().count(), 2);
    }

    #[test]
    fn each_filter_is_told_what_it_means_and_a_rule_is_removed_once() {
        let (mut image, rng) = (MetadataImage::default(), Seams::system().rng);
        let records = create(&image, vec![acl("a"), acl("b")], &*rng).unwrap();
        applied(&mut image, records);
        let (records, outcomes) = delete(&image, &[named(Some("a")), named(None), named(Some("x"))]);
        let told: Vec<usize> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap().len()).collect();
        assert_eq!((records.len(), told), (2, vec![1, 2, 0]));
        applied(&mut image, records);
        assert_eq!(image.acls().count(), 0);
    }

    #[test]
    fn more_than_an_entry_holds_is_refused_whole() {
        let (mut image, rng) = (MetadataImage::default(), Seams::system().rng);
        let rules = |range: std::ops::Range<usize>| range.map(|at| acl(&at.to_string())).collect::<Vec<_>>();
        let refused = create(&image, rules(0..RECORDS_PER_ENTRY + 1), &*rng);
        assert_eq!(refused, Err(AclError::TooManyToCreate));
        for range in [0..RECORDS_PER_ENTRY, RECORDS_PER_ENTRY..RECORDS_PER_ENTRY + 1] {
            let records = create(&image, rules(range), &*rng).unwrap();
            applied(&mut image, records);
        }
        let (records, outcomes) = delete(&image, &[named(None), named(Some("1"))]);
        assert_eq!(outcomes[0], Err(AclError::TooManyToDelete(RECORDS_PER_ENTRY)));
        assert_eq!((records.len(), outcomes[1].as_ref().map(Vec::len)), (1, Ok(1)));
    }
}

//! Client quotas are set and removed.

use std::collections::BTreeMap;

use crate::metadata::client_quotas::{ClientQuotaRecord, QuotaEntity, QuotaValue};
use crate::metadata::{MetadataImage, Record};

/// What becomes of one entity's quotas; the values were checked by the caller.
#[derive(Clone, Debug)]
pub struct AlteredQuotas {
    /// Whose.
    pub entity: QuotaEntity,
    /// New values by Kafka's names; `None` removes one.
    pub values: BTreeMap<String, Option<QuotaValue>>,
}

/// One record for each value that changes.
pub(super) fn decide(image: &MetadataImage, altered: Vec<AlteredQuotas>) -> Vec<Record> {
    let mut records = Vec::new();
    for AlteredQuotas { entity, values } in altered {
        for (key, value) in values {
            let present = image.client_quotas_of(&entity).and_then(|values| values.get(&key)).copied();
            if present != value {
                records.push(ClientQuotaRecord { entity: entity.clone(), key, value }.into());
            }
        }
    }
    records
}

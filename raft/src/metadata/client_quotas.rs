//! Client quotas (KIP-13, KIP-124, KIP-546, KIP-599, KIP-612): how much of the broker each user, client id or address may
//! have.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;

/// Whom a quota is for: by name, or everybody of that kind who has none of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaName {
    /// Everybody without a quota by name (a null on the wire).
    Default,
    /// This one.
    Named(Arc<str>),
}

impl QuotaName {
    /// From the wire's form.
    #[must_use]
    pub fn of(name: Option<&str>) -> Self {
        name.map_or(Self::Default, |name| Self::Named(name.into()))
    }

    /// The wire's form.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Named(name) => Some(name),
        }
    }
}

/// Who shares one quota: a user, a client id, both together, or an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuotaEntity {
    /// The user's name, without `User:`.
    pub user: Option<QuotaName>,
    /// The client id.
    pub client_id: Option<QuotaName>,
    /// The address.
    pub ip: Option<QuotaName>,
}

/// A quota's value, always finite. Kept as bits, so that it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaValue(u64);

impl QuotaValue {
    /// Keeps a value.
    #[must_use]
    pub const fn new(value: f64) -> Self {
        Self(value.to_bits())
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// The quotas of one entity by Kafka's names (`producer_byte_rate` ...), never empty.
pub type QuotaValues = BTreeMap<String, QuotaValue>;

/// Sets or removes one quota of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientQuotaRecord {
    /// Whose.
    pub entity: QuotaEntity,
    /// Kafka's name of the quota.
    pub key: String,
    /// The value; `None` removes it.
    pub value: Option<QuotaValue>,
}

impl Body for ClientQuotaRecord {
    fn encode(&self, out: &mut Writer) {
        for name in [&self.entity.user, &self.entity.client_id, &self.entity.ip] {
            out.optional(name.as_ref(), |out, name| out.optional(name.name(), Writer::text));
        }
        out.text(&self.key);
        out.optional(self.value, |out, value| out.put(&value.0.to_le_bytes()));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = |from: &mut Reader<'_>| from.optional(|from| Ok(QuotaName::of(from.optional(|from| from.text())?)));
        let entity = QuotaEntity { user: name(from)?, client_id: name(from)?, ip: name(from)? };
        let value = |from: &mut Reader<'_>| {
            let bytes = from.take(8)?.try_into().map_err(|_| DecodeError::Truncated)?;
            Ok(QuotaValue(u64::from_le_bytes(bytes)))
        };
        Ok(Self { entity, key: from.text()?.to_owned(), value: from.optional(value)? })
    }
}

impl ClientQuotaRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        touched.client_quotas();
        let mut values =
            image.client_quotas.get(&self.entity).map_or_else(QuotaValues::new, |values| (**values).clone());
        match self.value {
            Some(value) => values.insert(self.key.clone(), value),
            None => values.remove(&self.key),
        };
        if values.is_empty() {
            image.client_quotas.remove_mut(&self.entity);
        } else {
            image.client_quotas.insert_mut(self.entity.clone(), Arc::new(values));
        }
    }

    /// The records that make one entity's quotas.
    pub(super) fn of(entity: &QuotaEntity, values: &QuotaValues) -> impl Iterator<Item = Self> {
        values.iter().map(|(key, value)| Self { entity: entity.clone(), key: key.clone(), value: Some(*value) })
    }
}

//! Who is entitled to how much: the quotas of the metadata, in a form that is quick to ask.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use barnabas_raft::{MetadataImage, QuotaEntity, QuotaName, QuotaValues};

use super::{Client, QuotaKind};

/// The quota that applies to a client, and what of the client shares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entitlement {
    /// So much a second.
    pub value: f64,
    /// Each user has it for itself.
    pub per_user: bool,
    /// Each client id has it for itself.
    pub per_id: bool,
}

/// The quotas of one kind for one user, for users by default, or for client ids whatever their user.
#[derive(Debug, Default)]
struct Quotas {
    /// The user's own.
    own: Option<f64>,
    by_id: HashMap<Arc<str>, f64>,
    default_id: Option<f64>,
}

impl Quotas {
    fn of_id(&self, id: &str) -> Option<f64> {
        self.by_id.get(id).copied().or(self.default_id)
    }
}

/// The quotas of one kind.
#[derive(Debug, Default)]
struct OfKind {
    is_set: bool,
    users: HashMap<Arc<str>, Quotas>,
    default_user: Quotas,
    any_user: Quotas,
}

/// Every quota.
#[derive(Debug, Default)]
pub struct Entitled {
    produce: OfKind,
    fetch: OfKind,
    request: OfKind,
    mutation: OfKind,
    none: OfKind,
    addresses: HashMap<IpAddr, f64>,
    default_address: Option<f64>,
}

impl Entitled {
    /// The quotas of an image.
    #[must_use]
    pub fn of(image: &MetadataImage) -> Self {
        let mut entitled = Self::default();
        for (entity, values) in image.client_quotas() {
            for kind in QuotaKind::ALL {
                if let Some(value) = values.get(kind.key()) {
                    entitled.kind_mut(kind).put(entity, value.get());
                }
            }
            entitled.put_address(entity, values);
        }
        entitled
    }

    /// Whether anybody has a quota of this kind.
    #[must_use]
    pub fn are_set(&self, kind: QuotaKind) -> bool {
        self.kind(kind).is_set
    }

    /// The quota of a client. The most specific one counts: by user and client id, the user's for any client id, the
    /// user's; then the same of users by default; then by client id alone.
    #[must_use]
    pub fn quota(&self, kind: QuotaKind, client: Client<'_>) -> Option<Entitlement> {
        let quotas = self.kind(kind);
        if !quotas.is_set {
            return None;
        }
        let entitlement = |per_user, per_id| move |value| Entitlement { value, per_user, per_id };
        let of_user = |user: &Quotas| {
            let by_id = user.of_id(client.id).map(entitlement(true, true));
            by_id.or_else(|| user.own.map(entitlement(true, false)))
        };
        let named = quotas.users.get(client.user).and_then(of_user);
        named
            .or_else(|| of_user(&quotas.default_user))
            .or_else(|| quotas.any_user.of_id(client.id).map(entitlement(false, true)))
    }

    /// Connections that an address may open in a second.
    #[must_use]
    pub fn connection_rate(&self, address: IpAddr) -> Option<f64> {
        self.addresses.get(&address).copied().or(self.default_address)
    }

    fn kind(&self, kind: QuotaKind) -> &OfKind {
        match kind {
            // Addresses have it, not clients.
            QuotaKind::Arrival => &self.none,
            QuotaKind::Produce => &self.produce,
            QuotaKind::Fetch => &self.fetch,
            QuotaKind::Request => &self.request,
            QuotaKind::Mutation => &self.mutation,
        }
    }

    fn kind_mut(&mut self, kind: QuotaKind) -> &mut OfKind {
        match kind {
            QuotaKind::Arrival => &mut self.none,
            QuotaKind::Produce => &mut self.produce,
            QuotaKind::Fetch => &mut self.fetch,
            QuotaKind::Request => &mut self.request,
            QuotaKind::Mutation => &mut self.mutation,
        }
    }

    fn put_address(&mut self, entity: &QuotaEntity, values: &QuotaValues) {
        let (Some(ip), Some(value)) = (&entity.ip, values.get(QuotaKind::Arrival.key())) else { return };
        match ip {
            QuotaName::Default => self.default_address = Some(value.get()),
            QuotaName::Named(name) => {
                if let Ok(address) = name.parse() {
                    self.addresses.insert(address, value.get());
                }
            }
        }
    }
}

impl OfKind {
    fn put(&mut self, entity: &QuotaEntity, value: f64) {
        let of_user = match &entity.user {
            None => &mut self.any_user,
            Some(QuotaName::Default) => &mut self.default_user,
            Some(QuotaName::Named(user)) => self.users.entry(Arc::clone(user)).or_default(),
        };
        match &entity.client_id {
            None => of_user.own = Some(value),
            Some(QuotaName::Default) => of_user.default_id = Some(value),
            Some(QuotaName::Named(id)) => drop(of_user.by_id.insert(Arc::clone(id), value)),
        }
        self.is_set = true;
    }
}

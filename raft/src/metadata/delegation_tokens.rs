//! Delegation tokens (KIP-48): who may act as whom, until when. What a token's bearer shows is made from its id and
//! `delegation.token.secret.key`, and is not kept.

use std::fmt;
use std::sync::Arc;

use barnabas_auth::Principal;
use barnabas_storage::Timestamp;

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;

/// The id of a token: as in Kafka 22 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DelegationTokenId(pub Arc<str>);

impl fmt::Display for DelegationTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationToken {
    /// Its id.
    pub id: DelegationTokenId,
    /// Whom its bearer acts as.
    pub owner: Principal,
    /// Who asked for it.
    pub requester: Principal,
    /// Who may renew it beside the owner.
    pub renewers: Vec<Principal>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it expires unless it is renewed; never after `ends`.
    pub expires: Timestamp,
    /// When it expires whatever happens.
    pub ends: Timestamp,
}

impl DelegationToken {
    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.ends < now || self.expires < now
    }

    /// Whether the principal owns it or may renew it.
    #[must_use]
    pub fn is_of(&self, principal: &Principal) -> bool {
        self.owner == *principal || self.renewers.contains(principal)
    }
}

/// A token was made or renewed: whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationTokenRecord {
    /// As it is now.
    pub token: Arc<DelegationToken>,
}

/// A token is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveDelegationTokenRecord {
    /// Its id.
    pub id: DelegationTokenId,
}

fn write_principal(out: &mut Writer, principal: &Principal) {
    out.text(&principal.kind);
    out.text(&principal.name);
}

fn read_principal(from: &mut Reader<'_>) -> Result<Principal, DecodeError> {
    Ok(Principal { kind: from.text()?.to_owned(), name: from.text()?.to_owned() })
}

impl Body for DelegationTokenRecord {
    fn encode(&self, out: &mut Writer) {
        let token = &self.token;
        out.text(&token.id.0);
        write_principal(out, &token.owner);
        write_principal(out, &token.requester);
        out.list(&token.renewers, write_principal);
        out.signed(token.issued.0);
        out.signed(token.expires.0);
        out.signed(token.ends.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let token = DelegationToken {
            id: DelegationTokenId(from.text()?.into()),
            owner: read_principal(from)?,
            requester: read_principal(from)?,
            renewers: from.list(read_principal)?,
            issued: Timestamp(from.signed()?),
            expires: Timestamp(from.signed()?),
            ends: Timestamp(from.signed()?),
        };
        Ok(Self { token: Arc::new(token) })
    }
}

impl Body for RemoveDelegationTokenRecord {
    fn encode(&self, out: &mut Writer) {
        out.text(&self.id.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: DelegationTokenId(from.text()?.into()) })
    }
}

impl DelegationTokenRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        image.delegation_tokens.insert_mut(self.token.id.clone(), Arc::clone(&self.token));
        touched.delegation_token(&self.token.id);
    }
}

impl RemoveDelegationTokenRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        if image.delegation_tokens.remove_mut(&self.id) {
            touched.delegation_token(&self.id);
        }
    }
}

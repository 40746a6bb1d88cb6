//! Delegation tokens are made, renewed, and expire (KIP-48), as Kafka's `DelegationTokenControlManager` decides it.

use std::sync::Arc;

use barnabas_auth::Principal;
use barnabas_storage::Timestamp;
use barnabas_storage::seam::Rng;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::actor::RECORDS_PER_ENTRY;
use crate::error::DelegationTokenError;
use crate::metadata::delegation_tokens::{DelegationTokenRecord, RemoveDelegationTokenRecord};
use crate::metadata::{DelegationToken, DelegationTokenId, MetadataImage, Record};

/// Tokens that a cluster may have at once: whoever may log in may have tokens made.
const DELEGATION_TOKENS_MAX: usize = 100_000;
/// Principals that may renew one token.
const RENEWERS_MAX: usize = 1000;

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelegationToken {
    /// Whom its bearer will act as.
    pub owner: Principal,
    /// Who asks for it.
    pub requester: Principal,
    /// Who may renew it beside the owner.
    pub renewers: Vec<Principal>,
    /// For how long it may be renewed, in milliseconds.
    pub lifetime_max_ms: i64,
    /// For how long it is good without being renewed, in milliseconds.
    pub lifetime_ms: i64,
}

/// A change of when a token expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationTokenChange {
    /// Which.
    pub id: DelegationTokenId,
    /// Who asks for it.
    pub by: Principal,
    /// When it is to expire, in milliseconds from now; `None` removes it at once.
    pub period_ms: Option<i64>,
}

/// A new token's record.
///
/// # Errors
/// `TooMany`, `TooManyRenewers`.
pub(super) fn create(
    image: &MetadataImage,
    new: NewDelegationToken,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Arc<DelegationToken>, DelegationTokenError> {
    if image.delegation_token_count() >= DELEGATION_TOKENS_MAX {
        return Err(DelegationTokenError::TooMany);
    }
    if new.renewers.len() > RENEWERS_MAX {
        return Err(DelegationTokenError::TooManyRenewers);
    }
    let id = loop {
        let id = DelegationTokenId(URL_SAFE_NO_PAD.encode(rng.uuid().as_bytes()).into());
        // As Kafka's ids: none begins with a dash, which command lines take for an option.
        if !id.0.starts_with('-') && image.delegation_token(&id).is_none() {
            break id;
        }
    };
    let ends = later(now, new.lifetime_max_ms);
    let expires = ends.min(later(now, new.lifetime_ms));
    let NewDelegationToken { owner, requester, renewers, .. } = new;
    Ok(Arc::new(DelegationToken { id, owner, requester, renewers, issued: now, expires, ends }))
}

/// The record that renews a token or lets it expire, and when it then expires.
///
/// # Errors
/// `NotFound`, `Expired`, `NotAllowed`.
pub(super) fn change(
    image: &MetadataImage,
    change: &DelegationTokenChange,
    now: Timestamp,
) -> Result<(Record, Timestamp), DelegationTokenError> {
    let token = image.delegation_token(&change.id).ok_or(DelegationTokenError::NotFound)?;
    let is_allowed = token.is_of(&change.by);
    match change.period_ms {
        // An expired token may be removed, by whom it is of.
        None if is_allowed => Ok((RemoveDelegationTokenRecord { id: token.id.clone() }.into(), now)),
        Some(_) if token.is_expired(now) => Err(DelegationTokenError::Expired),
        Some(period_ms) if is_allowed => {
            let expires = token.ends.min(later(now, period_ms));
            let token = Arc::new(DelegationToken { expires, ..DelegationToken::clone(token) });
            Ok((DelegationTokenRecord { token }.into(), expires))
        }
        None | Some(_) => Err(DelegationTokenError::NotAllowed),
    }
}

/// The removals of tokens whose time is over, as many as one entry holds.
pub(super) fn expired(image: &MetadataImage, now: Timestamp) -> Vec<Record> {
    let expired = image.delegation_tokens().filter(|token| token.is_expired(now)).take(RECORDS_PER_ENTRY);
    expired.map(|token| RemoveDelegationTokenRecord { id: token.id.clone() }.into()).collect()
}

fn later(now: Timestamp, by_ms: i64) -> Timestamp {
    Timestamp(now.0.saturating_add(by_ms))
}

#[cfg(test)]
mod tests {
    use barnabas_storage::seam::Seams;

    use super::*;
    use crate::metadata::{Entry, Touched};

    fn user(name: &str) -> Principal {
        Principal::user(name.to_owned())
    }

    fn new(lifetime_max_ms: i64, lifetime_ms: i64) -> NewDelegationToken {
        let (owner, requester, renewers) = (user("owner"), user("requester"), vec![user("renewer")]);
        NewDelegationToken { owner, requester, renewers, lifetime_max_ms, lifetime_ms }
    }

    fn made(new: NewDelegationToken, now: i64) -> Arc<DelegationToken> {
        create(&MetadataImage::default(), new, Timestamp(now), &*Seams::system().rng).unwrap()
    }

    fn image(token: &Arc<DelegationToken>) -> MetadataImage {
        let mut image = MetadataImage::default();
        applied(&mut image, DelegationTokenRecord { token: Arc::clone(token) }.into());
        image
    }

    fn applied(image: &mut MetadataImage, record: Record) {
        let entry = Entry { timestamp: Timestamp(0), records: vec![record] };
        image.apply(image.applied_index() + 1, &entry, &mut Touched::default());
    }

    fn changed(
        image: &MetadataImage,
        by: &str,
        period_ms: Option<i64>,
        now: i64,
    ) -> Result<(Record, Timestamp), DelegationTokenError> {
        let id = image.delegation_tokens().next().unwrap().id.clone();
        change(image, &DelegationTokenChange { id, by: user(by), period_ms }, Timestamp(now))
    }

    #[test]
    fn a_token_expires_before_its_end_and_both_before_the_end_of_time() {
        let token = made(new(1000, 100), 5);
        assert_eq!((token.issued.0, token.expires.0, token.ends.0, token.id.0.len()), (5, 105, 1005, 22));
        assert_eq!(made(new(50, 100), 5).expires.0, 55);
        assert_eq!(made(new(i64::MAX, i64::MAX), 5).ends.0, i64::MAX);
        assert!(!token.is_expired(Timestamp(105)) && token.is_expired(Timestamp(106)));
    }

    #[test]
    fn owner_and_renewers_renew_up_to_the_end_and_nobody_else() {
        let image = image(&made(new(1000, 100), 0));
        assert_eq!(changed(&image, "owner", Some(200), 50).unwrap().1.0, 250);
        assert_eq!(changed(&image, "renewer", Some(5000), 50).unwrap().1.0, 1000);
        assert_eq!(changed(&image, "requester", Some(200), 50), Err(DelegationTokenError::NotAllowed));
        assert_eq!(changed(&image, "requester", None, 50), Err(DelegationTokenError::NotAllowed));
        assert_eq!(changed(&image, "owner", Some(200), 101), Err(DelegationTokenError::Expired));
        assert_eq!(changed(&image, "requester", Some(200), 101), Err(DelegationTokenError::Expired));
        let absent = DelegationTokenId("absent".into());
        let absent = DelegationTokenChange { id: absent, by: user("owner"), period_ms: None };
        assert_eq!(change(&image, &absent, Timestamp(0)), Err(DelegationTokenError::NotFound));
    }

    #[test]
    fn a_token_is_removed_at_once_or_when_it_has_expired() {
        let token = made(new(1000, 100), 0);
        let mut image = image(&token);
        let (removal, at) = changed(&image, "owner", None, 200).unwrap();
        assert_eq!((removal.clone(), at.0), (RemoveDelegationTokenRecord { id: token.id.clone() }.into(), 200));
        assert!(expired(&image, Timestamp(100)).is_empty());
        assert_eq!(expired(&image, Timestamp(101)), std::slice::from_ref(&removal));
        let (renewal, _) = changed(&image, "owner", Some(500), 100).unwrap();
        applied(&mut image, renewal);
        assert!(expired(&image, Timestamp(101)).is_empty());
        applied(&mut image, removal);
        assert_eq!(image.delegation_token_count(), 0);
    }

    #[test]
    fn tokens_and_renewers_are_bounded() {
        let mut image = MetadataImage::default();
        let token = made(new(1000, 100), 0);
        for number in 0..DELEGATION_TOKENS_MAX {
            let id = DelegationTokenId(number.to_string().into());
            let token = Arc::new(DelegationToken { id, ..DelegationToken::clone(&token) });
            applied(&mut image, DelegationTokenRecord { token }.into());
        }
        let rng = Seams::system().rng;
        let refused = create(&image, new(1000, 100), Timestamp(0), &*rng);
        assert_eq!(refused, Err(DelegationTokenError::TooMany));
        assert_eq!(expired(&image, Timestamp(101)).len(), RECORDS_PER_ENTRY);
        let renewers = vec![user("renewer"); RENEWERS_MAX + 1];
        let many = NewDelegationToken { renewers, ..new(1000, 100) };
        let refused = create(&MetadataImage::default(), many, Timestamp(0), &*rng);
        assert_eq!(refused, Err(DelegationTokenError::TooManyRenewers));
    }
}

//! What handlers tell the audit: denials, operations and what became of them, logins.

use std::sync::Arc;

use barnabas_auth::{Operation, Principal, Reason, ResourceType};
use kafka_protocol::error::ResponseError;

use super::RequestContext;
use super::context::ConnectionInfo;
use crate::audit::event::{Activity, Actor, Deed, Subject, Text};
use crate::broker::Broker;
use crate::login::{LoginError, Step};
use crate::network::Ends;
use crate::tls::RefusedHandshake;

impl RequestContext {
    /// The authorizer said no.
    pub(super) fn tell_denied(&self, operation: Operation, kind: ResourceType, name: &str, reason: &Reason) {
        let audit = &self.broker.audit;
        if !audit.is_on() {
            return;
        }
        let rule = match reason {
            Reason::Rule(acl) => Some(Text::of(&acl.to_string())),
            Reason::NoAuthorizer | Reason::SuperUser | Reason::NoRule | Reason::NoAcl => None,
        };
        let subject = Subject::new(kind.name(), name);
        audit.tell(self.actor(), Deed::Denied { api: self.api, operation: operation.name(), subject, rule });
    }

    /// An operation was done, or refused. Refusals for want of a right are not told twice.
    pub(super) fn tell(&self, activity: Activity, refused: Option<ResponseError>, subject: impl FnOnce() -> Subject) {
        if !refused.is_some_and(is_denial) {
            self.tell_also_denials(activity, refused, subject);
        }
    }

    /// As [`RequestContext::tell`], for a want of a right that the authorizer knows nothing of.
    pub(super) fn tell_also_denials(
        &self,
        activity: Activity,
        refused: Option<ResponseError>,
        subject: impl FnOnce() -> Subject,
    ) {
        let audit = &self.broker.audit;
        if audit.is_on() {
            let refused = refused.map(|error| (error.code(), format!("{error:?}")));
            audit.tell(self.actor(), Deed::Operation { api: self.api, activity, subject: subject(), refused });
        }
    }

    /// A login cannot even begin.
    pub(super) fn tell_no_login(&self, error: &LoginError) {
        let audit = &self.broker.audit;
        if audit.is_on() {
            let (is_encrypted, failed) = (self.connection.protocol.is_tls(), Some(Text::of(&error.to_string())));
            let nobody = actor(&self.connection, None, &self.client_id);
            audit.tell(nobody, Deed::Login { mechanism: None, is_encrypted, failed });
        }
    }

    fn actor(&self) -> Actor {
        actor(&self.connection, Some(&self.principal), &self.client_id)
    }
}

/// What the authorizer's no becomes; it has told the audit itself.
fn is_denial(error: ResponseError) -> bool {
    matches!(
        error,
        ResponseError::TopicAuthorizationFailed
            | ResponseError::GroupAuthorizationFailed
            | ResponseError::ClusterAuthorizationFailed
            | ResponseError::TransactionalIdAuthorizationFailed
            | ResponseError::DelegationTokenAuthorizationFailed
    )
}

fn actor(connection: &ConnectionInfo, principal: Option<&Principal>, client_id: &str) -> Actor {
    Actor {
        principal: principal.map(|principal| Text::of(&principal.to_string())),
        client_id: Text::of(client_id),
        peer: connection.peer,
        local: connection.local,
        listener: connection.listener.clone(),
    }
}

/// A peer was not let in by TLS.
pub(super) fn tell_refused(broker: &Broker, ends: &Ends, kind: &'static str, refused: &RefusedHandshake) {
    if !broker.audit.is_on() {
        return;
    }
    let actor = Actor {
        principal: refused.subject.as_ref().map(|subject| Text::of(&Principal::user(subject.clone()).to_string())),
        client_id: Text::of(""),
        peer: ends.peer,
        local: ends.local,
        listener: Arc::clone(&ends.listener),
    };
    broker.audit.tell(actor, Deed::Handshake { kind, reason: Text::of(&refused.error.to_string()) });
}

/// A step of a login, and word of how it ended: of one that failed with the name that the client claimed.
pub(super) async fn login_step(
    broker: &Broker,
    connection: &ConnectionInfo,
    client_id: &str,
    token: &[u8],
) -> Result<Step, LoginError> {
    let (audit, before) = (&broker.audit, connection.session());
    let mechanism = connection.login.exchanging();
    let stepped = broker.logins.step(connection, token).await;
    let after = connection.session();
    let is_made = stepped.is_ok() && !Arc::ptr_eq(&before, &after);
    let failed = stepped.as_ref().err().map(|error| Text::of(&error.to_string()));
    if audit.is_on() && (failed.is_some() || is_made && audit.takes_logins()) {
        let principal = is_made.then_some(&*after.principal);
        let (is_encrypted, mechanism) = (connection.protocol.is_tls(), mechanism.map(|mechanism| mechanism.name()));
        let mut actor = actor(connection, principal, client_id);
        actor.principal = actor.principal.or_else(|| connection.login.claimed());
        audit.tell(actor, Deed::Login { mechanism, is_encrypted, failed });
    }
    stepped
}

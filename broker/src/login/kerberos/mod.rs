//! GSSAPI: tickets of Kerberos are checked by the system's library, where the broker is built with the feature `gssapi`.
//!
//! The library opens files by itself (its configuration, the keytab, the cache of tickets that were seen): its calls are
//! blocking work, a bounded number at a time. The keys are read anew with each ticket, so a keytab may be changed while the broker runs.

use std::collections::HashMap;
use std::sync::Arc;

use barnabas_auth::Mechanism;
use barnabas_auth::kerberos::ShortNames;
use barnabas_auth::sasl::Refusal;
use barnabas_auth::sasl::gssapi::{Answer, GssapiError, GssapiServer};
use tokio::sync::Semaphore;

use super::conversation::Exchange;
use super::settings::{ListenerLogins, LoginSettingsError};
use super::{Stepped, USER, note_reason};
use crate::api::context::ConnectionInfo;
use crate::limits::KERBEROS_STEPS_MAX;
use crate::metrics::Metrics;
use crate::seam::Tasks;

#[cfg_attr(not(feature = "gssapi"), path = "absent.rs")]
mod acceptor;
pub(super) mod settings;

use acceptor::Acceptor;

/// Checks the tickets of one listener.
pub(super) struct Kerberos {
    acceptor: Acceptor,
    names: Arc<ShortNames>,
    tasks: Tasks,
    metrics: Arc<Metrics>,
    steps: Arc<Semaphore>,
}

impl Kerberos {
    /// What checks the tickets of each listener that serves GSSAPI.
    pub(super) fn of_listeners(
        listeners: &HashMap<String, ListenerLogins>,
        tasks: &Tasks,
        metrics: &Arc<Metrics>,
    ) -> Result<HashMap<String, Self>, LoginSettingsError> {
        let steps = Arc::new(Semaphore::new(KERBEROS_STEPS_MAX));
        let open = |(listener, logins): (&String, &ListenerLogins)| {
            let settings = logins.kerberos.as_ref()?;
            let named = |reason| LoginSettingsError::Gssapi { listener: listener.clone(), reason };
            let opened = Acceptor::open(settings).map_err(named);
            Some(opened.map(|acceptor| {
                let names = Arc::new(ShortNames::new(settings.rules.clone(), acceptor.default_realm()));
                let (tasks, metrics, steps) = (tasks.clone(), Arc::clone(metrics), Arc::clone(&steps));
                (listener.clone(), Self { acceptor, names, tasks, metrics, steps })
            }))
        };
        listeners.iter().filter_map(open).collect()
    }

    /// A fresh exchange.
    pub(super) fn begin(&self) -> Box<GssapiServer> {
        Box::new(GssapiServer::new(self.acceptor.context()))
    }

    /// Takes a token of the client's.
    pub(super) async fn take(
        &self,
        connection: &ConnectionInfo,
        server: Box<GssapiServer>,
        token: &[u8],
    ) -> Result<Stepped, Refusal> {
        let (server, answer, initiator) = self.step(server, token.to_vec()).await;
        if let Some(initiator) = initiator {
            connection.login.claim(USER, &initiator);
        }
        match answer {
            Ok(Answer::Done(login)) => Ok(Stepped::Done(Vec::new(), login)),
            Ok(Answer::More(token)) => {
                connection.login.put_back(Mechanism::Gssapi, Exchange::Gssapi(server));
                Ok(Stepped::More(token))
            }
            Err(error) => {
                note_reason(connection, self.metrics.tickets_refused.increment(), "a ticket was refused", &error);
                Err(Refusal::Credentials)
            }
        }
    }

    /// The same off the async workers; of an error also whom the ticket names, where that is known.
    async fn step(
        &self,
        mut server: Box<GssapiServer>,
        token: Vec<u8>,
    ) -> (Box<GssapiServer>, Result<Answer, GssapiError>, Option<String>) {
        // Nobody closes it.
        let Ok(_turn) = self.steps.acquire().await else { return (server, Err(GssapiError::Over), None) };
        let names = Arc::clone(&self.names);
        let work = move || {
            let answer = server.take(&token, &names);
            let initiator = answer.as_ref().err().and_then(|_| server.initiator());
            (server, answer, initiator)
        };
        self.tasks.blocking(work).await
    }
}

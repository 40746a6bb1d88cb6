//! What ends a command with an error: what failed and why, how the process ends, and what to try next.

use std::fmt;

use kafka_protocol::error::ResponseError;

use super::exit::Exit;
use crate::bench::BenchError;
use crate::client::settings::SettingsError;
use crate::client::{CallError, code};

/// What ends a command with an error.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    exit: Exit,
    text: String,
    /// Kafka's code, when a broker answered with one.
    code: Option<i16>,
    /// Whether the broker does not serve what was asked for.
    is_unsupported: bool,
    /// The next command or step to try.
    next: Option<String>,
}

impl Failure {
    /// Ends the process like this.
    pub(super) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into(), code: None, is_unsupported: false, next: None }
    }

    /// The command line makes no sense.
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// What was named does not exist.
    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, text)
    }

    /// A broker answered with an error: `act` is what was asked for, e.g. "create topic t".
    pub(super) fn refused(act: impl fmt::Display, code: i16, message: Option<&str>) -> Self {
        let name = code::name(code);
        let said = message.filter(|message| !message.is_empty()).map_or_else(String::new, |text| format!(": {text}"));
        let text = format!("{act}: {name} ({code}){said}");
        Self { code: Some(code), next: next_step(code).map(str::to_owned), ..Self::new(exit_of(code), text) }
    }

    /// Several things were asked for: nothing failed, all did, or some did while `any_done`.
    ///
    /// # Errors
    /// The first failure, with the others behind it.
    pub(super) fn all_or_some(failures: Vec<Self>, any_done: bool) -> Result<Exit, Self> {
        let mut failures = failures.into_iter();
        let Some(mut first) = failures.next() else { return Ok(Exit::Done) };
        if any_done {
            first.exit = Exit::Partly;
        }
        for other in failures {
            first.text = format!("{}\n{}", first.text, other.text);
        }
        Err(first)
    }

    /// Ctrl-C has ended it after some of its steps.
    pub(super) fn stopped(done: usize, of: usize) -> Self {
        let exit = if done == 0 { Exit::Failed } else { Exit::Partly };
        Self::new(exit, format!("stopped by Ctrl-C after {done} of {of} steps")).next("the same again does the rest")
    }

    /// With what to try next.
    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// How the process ends.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// Kafka's code, when a broker answered with one.
    pub(super) fn code(&self) -> Option<i16> {
        self.code
    }

    /// Whether the broker does not serve what was asked for.
    pub(super) fn is_unsupported(&self) -> bool {
        self.is_unsupported
    }

    /// What failed, without what to try next.
    pub(super) fn message(&self) -> &str {
        &self.text
    }

    fn of(exit: Exit, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(exit, with_causes(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.next {
            Some(next) => write!(f, "\n  try: {next}"),
            None => Ok(()),
        }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::new(Exit::Failed, text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self::new(Exit::Failed, text)
    }
}

/// Errors that say all there is to say.
macro_rules! plain {
    ($($error:ty => $exit:ident),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::of(Exit::$exit, &error)
            }
        }
    )+};
}

plain! {
    std::io::Error => Failed,
    barnabas_config::ConfigErrors => Usage,
    barnabas_storage::LogDirError => Failed,
    crate::server::StartError => Failed,
    crate::server::FormatError => Failed,
    SettingsError => Usage,
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        let exit = match &error {
            BenchError::Connect { .. } | BenchError::Stalled { .. } | BenchError::NoLeaders(_) => Exit::Unreachable,
            BenchError::Login { .. } | BenchError::Tls { .. } => Exit::Denied,
            BenchError::NoTopic(_) | BenchError::Empty(_) => Exit::NotFound,
            BenchError::Refused { code, .. } => exit_of(*code),
            _ => Exit::Failed,
        };
        Self::of(exit, &error)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Connect { .. } => Self::of(Exit::Unreachable, &error)
                .next("start a broker with `barnabas serve`, or name one with -b host:port"),
            CallError::Io { source, .. } => Self::of(Exit::Unreachable, &error).next(of_break(source)),
            CallError::TimedOut { .. } => Self::of(Exit::Unreachable, &error).next("a longer --timeout SECONDS"),
            CallError::NoBroker(_) => Self::of(Exit::Unreachable, &error).next("barnabas doctor"),
            CallError::Security { .. } => Self::of(Exit::Denied, &error)
                .next("other sasl.* and ssl.* by --command-config FILE, as Java clients read it"),
            CallError::Refused { code, .. } => Self {
                code: Some(*code),
                next: next_step(*code).map(str::to_owned),
                ..Self::of(exit_of(*code), &error)
            },
            CallError::Malformed { .. } => Self::of(Exit::Failed, &error),
            CallError::Unsupported { .. } => Self { is_unsupported: true, ..Self::of(Exit::Failed, &error) },
        }
    }
}

/// What to try when a connection broke. With TLS 1.3 a client hears only then what the broker says of its certificate.
fn of_break(error: &std::io::Error) -> &'static str {
    use rustls::AlertDescription as Alert;
    let alert = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
        _ => None,
    };
    match alert {
        Some(Alert::CertificateRequired) => {
            "a certificate: ssl.keystore.location and ssl.keystore.type by --command-config FILE, as Java clients read it"
        }
        Some(
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => "another certificate (ssl.keystore.location): the broker's log says what is wrong with this one",
        _ => "the listener's own security.protocol by --command-config FILE; the broker's log says why it closed",
    }
}

/// An error with everything behind it that it does not say itself, in one line.
pub(super) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// How a command ends that is refused with this code of Kafka's.
fn exit_of(code: i16) -> Exit {
    use ResponseError as E;
    match ResponseError::try_from_code(code) {
        Some(
            E::TopicAuthorizationFailed
            | E::GroupAuthorizationFailed
            | E::ClusterAuthorizationFailed
            | E::TransactionalIdAuthorizationFailed
            | E::DelegationTokenAuthorizationFailed
            | E::DelegationTokenOwnerMismatch
            | E::DelegationTokenRequestNotAllowed
            | E::SaslAuthenticationFailed
            | E::UnsupportedSaslMechanism
            | E::IllegalSaslState,
        ) => Exit::Denied,
        Some(E::TopicAlreadyExists | E::DuplicateResource) => Exit::Exists,
        Some(
            E::UnknownTopicOrPartition
            | E::UnknownTopicId
            | E::GroupIdNotFound
            | E::ResourceNotFound
            | E::UnknownMemberId
            | E::DelegationTokenNotFound
            | E::TransactionalIdNotFound,
        ) => Exit::NotFound,
        Some(E::RequestTimedOut | E::BrokerNotAvailable | E::CoordinatorNotAvailable | E::LeaderNotAvailable) => {
            Exit::Unreachable
        }
        _ => Exit::Failed,
    }
}

fn next_step(code: i16) -> Option<&'static str> {
    use ResponseError as E;
    match ResponseError::try_from_code(code)? {
        E::UnknownTopicOrPartition => Some("barnabas topics list"),
        E::GroupIdNotFound => Some("barnabas groups list"),
        E::TopicAlreadyExists => Some("`barnabas topics describe NAME` shows it, --if-not-exists passes over it"),
        E::InvalidReplicationFactor => Some("a lower --replication-factor; `barnabas cluster info` lists the brokers"),
        E::NonEmptyGroup => Some("stop the group's consumers first; `barnabas groups describe GROUP` names them"),
        E::GroupSubscribedToTopic => Some("stop the consumers that read the topic first"),
        E::InvalidConfig => Some("`barnabas configs list WHAT/NAME --all` names every setting"),
        E::TopicAuthorizationFailed | E::GroupAuthorizationFailed | E::ClusterAuthorizationFailed => {
            Some("another user by --command-config FILE, or a rule for this one: `barnabas acls grant`")
        }
        E::SecurityDisabled => Some("authorizer.class.name=standard in the broker's settings"),
        E::CoordinatorLoadInProgress | E::CoordinatorNotAvailable | E::RequestTimedOut => Some("the same again"),
        E::DelegationTokenAuthDisabled => Some("delegation.token.secret.key in the broker's settings"),
        E::DelegationTokenRequestNotAllowed => Some("a login over SASL or by a certificate, and not with a token"),
        E::TopicDeletionDisabled => Some("delete.topic.enable=true in the broker's settings"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let error = crate::server::StartError::Thread(std::io::Error::other("no thread left"));
        assert_eq!(with_causes(&error), "start a thread: no thread left");
    }

    #[test]
    fn what_an_error_says_of_its_cause_is_not_said_twice() {
        let source = std::io::Error::other("no such file");
        let error =
            crate::tls::TlsError::Unreadable { setting: "ssl.keystore.location", path: "/k.pem".into(), source };
        assert_eq!(with_causes(&error), "ssl.keystore.location=/k.pem: no such file");
    }

    #[test]
    fn who_shows_no_certificate_is_told_to_and_who_speaks_another_protocol_which_setting_it_is() {
        let next =
            |source: std::io::Error| Failure::from(CallError::Io { address: "a:1".to_owned(), source }).to_string();
        let alert = |alert| next(std::io::Error::other(rustls::Error::AlertReceived(alert)));
        let required = alert(rustls::AlertDescription::CertificateRequired);
        assert!(required.contains("try: a certificate: ssl.keystore.location"), "{required}");
        let unsupported = alert(rustls::AlertDescription::UnsupportedCertificate);
        assert!(unsupported.contains("try: another certificate"), "{unsupported}");
        let closed = next(std::io::ErrorKind::UnexpectedEof.into());
        assert!(closed.contains("security.protocol"), "{closed}");
    }

    #[test]
    fn a_refusal_names_kafkas_error_what_the_broker_said_and_the_next_step() {
        let failure = Failure::refused("delete group g", 68, Some("it has members"));
        let text = failure.to_string();
        assert!(text.starts_with("delete group g: NON_EMPTY_GROUP (68): it has members\n  try: "), "{text}");
        assert_eq!(Failure::refused("x", 3, None).exit(), Exit::NotFound);
        assert_eq!(Failure::refused("x", 29, None).exit(), Exit::Denied);
        assert_eq!(Failure::refused("x", 36, None).exit(), Exit::Exists);
    }

    #[test]
    fn nobody_there_is_unreachable() {
        let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let failure = Failure::from(CallError::Connect { address: "a:1".to_owned(), source });
        assert_eq!(failure.exit(), Exit::Unreachable);
        assert!(failure.to_string().contains("a:1"));
    }
}

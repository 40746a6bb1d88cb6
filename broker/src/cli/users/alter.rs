//! `users create`, `users passwd`, `users delete`.

use barnabas_auth::scram::{ITERATIONS_MAX, ITERATIONS_MIN};
use barnabas_auth::{ScramMechanism, base36};
use barnabas_storage::seam::Seams;
use kafka_protocol::messages::AlterUserScramCredentialsRequest;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::protocol::StrBytes;

use super::{VERSION, describe, password};
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::print;
use crate::cli::remark::say;
use crate::client::Cluster;

/// What `create` and `passwd` are told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The user's name.
    #[arg(add = names::users())]
    name: String,
    /// Only this mechanism; both when not given.
    #[arg(long, value_name = "MECHANISM")]
    mechanism: Option<ScramMechanism>,
    /// Rounds of the salting.
    #[arg(long, default_value_t = ITERATIONS_MIN,
        value_parser = clap::value_parser!(u32).range(i64::from(ITERATIONS_MIN)..=i64::from(ITERATIONS_MAX)))]
    iterations: u32,
    #[command(flatten)]
    password: password::PasswordSource,
}

pub(super) async fn create(arguments: &Arguments, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let odd = check_name(&arguments.name)?;
    if !describe(cluster, &[&arguments.name]).await?.is_empty() {
        let text = format!("user {} is there already", arguments.name);
        return Err(Failure::new(Exit::Exists, text).next(format!("barnabas users passwd {}", arguments.name)));
    }
    set(arguments, cluster).await?;
    if let Some(odd) = odd {
        say(format_args!("note: {odd}"));
    }
    print(&client_settings(&arguments.name, arguments.mechanism.unwrap_or(ScramMechanism::Sha512)))?;
    Ok(Exit::Done)
}

/// What is odd about a name. A broker stores any, Apache Kafka too, but a login by SCRAM is read with ASCII characters only.
fn check_name(name: &str) -> Result<Option<String>, Failure> {
    if name.is_empty() {
        return Err(Failure::usage("the user's name is empty"));
    }
    Ok((!name.is_ascii()).then(|| format!("{name}: SCRAM takes names of ASCII characters only: log in by PLAIN")))
}

pub(super) async fn passwd(arguments: &Arguments, cluster: &mut Cluster) -> Result<Exit, Failure> {
    if describe(cluster, &[&arguments.name]).await?.is_empty() {
        let text = format!("there is no user {}", arguments.name);
        return Err(Failure::not_found(text).next(format!("barnabas users create {}", arguments.name)));
    }
    set(arguments, cluster).await?;
    Ok(Exit::Done)
}

async fn set(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let password = arguments.password.read()?;
    let one = arguments.mechanism.map(|mechanism| vec![mechanism]);
    // Apache Kafka takes one mechanism of a user in one request.
    for mechanism in one.unwrap_or_else(|| ScramMechanism::ALL.to_vec()) {
        set_credential(cluster, &arguments.name, mechanism, arguments.iterations, &password).await?;
    }
    Ok(())
}

/// Lets a user log in with a password. The broker gets the salted password, which is as good as the password: it
/// refuses one that comes in the clear.
pub(in crate::cli) async fn set_credential(
    cluster: &mut Cluster,
    user: &str,
    mechanism: ScramMechanism,
    iterations: u32,
    password: &str,
) -> Result<(), Failure> {
    let rng = Seams::system().rng;
    let bits: Vec<u8> = (0..3).flat_map(|_| rng.next_u64().to_be_bytes()).collect();
    let salt = base36::of_130_bits(&bits).into_bytes();
    let salted = mechanism.salted_password(password, &salt, iterations);
    let upsertion = ScramCredentialUpsertion::default()
        .with_name(StrBytes::from_string(user.to_owned()))
        .with_mechanism(mechanism.number())
        .with_iterations(i32::try_from(iterations).unwrap_or(i32::MAX))
        .with_salt(salt.into())
        .with_salted_password(salted.into());
    let request = AlterUserScramCredentialsRequest::default().with_upsertions(vec![upsertion]);
    alter(cluster, "set the password of", request).await
}

/// Takes a way to log in from a user.
pub(in crate::cli) async fn remove_credential(
    cluster: &mut Cluster,
    user: &str,
    mechanism: ScramMechanism,
) -> Result<(), Failure> {
    let name = StrBytes::from_string(user.to_owned());
    let deletion = ScramCredentialDeletion::default().with_name(name).with_mechanism(mechanism.number());
    let request = AlterUserScramCredentialsRequest::default().with_deletions(vec![deletion]);
    alter(cluster, "remove", request).await
}

pub(super) async fn delete(names: &[String], cluster: &mut Cluster) -> Result<Exit, Failure> {
    let (mut failures, mut any_done) = (Vec::new(), false);
    for name in names {
        match delete_one(name, cluster).await {
            Ok(()) => any_done = true,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::all_or_some(failures, any_done)
}

async fn delete_one(name: &str, cluster: &mut Cluster) -> Result<(), Failure> {
    let found = describe(cluster, &[name]).await?;
    let user = found.first().ok_or_else(|| Failure::not_found(format!("there is no user {name}")))?;
    for info in &user.credential_infos {
        let deletion = ScramCredentialDeletion::default().with_name(user.user.clone()).with_mechanism(info.mechanism);
        let request = AlterUserScramCredentialsRequest::default().with_deletions(vec![deletion]);
        alter(cluster, "remove", request).await?;
    }
    Ok(())
}

async fn alter(cluster: &mut Cluster, act: &str, request: AlterUserScramCredentialsRequest) -> Result<(), Failure> {
    let code = |answer: &kafka_protocol::messages::AlterUserScramCredentialsResponse| {
        answer.results.first().map_or(0, |result| result.error_code)
    };
    let answer = cluster.ask_controller(VERSION, |_| request.clone(), code).await?;
    match answer.results.into_iter().find(|result| result.error_code != 0) {
        None => Ok(()),
        Some(refused) => {
            let act = format!("{act} user {}", refused.user.as_str());
            Err(Failure::refused(act, refused.error_code, refused.error_message.as_deref()))
        }
    }
}

/// What a client needs, but for the password.
fn client_settings(user: &str, mechanism: ScramMechanism) -> String {
    let user = user.replace('\\', "\\\\\\\\").replace('"', "\\\\\"");
    format!(
        "# Put the password in place of PASSWORD; SASL_PLAINTEXT where the listener has no TLS.\n\
         security.protocol=SASL_SSL\n\
         sasl.mechanism={mechanism}\n\
         sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  \
         username=\"{user}\" password=\"PASSWORD\";\n"
    )
}

#[cfg(test)]
mod tests {
    use barnabas_auth::sasl::jaas::JaasEntry;

    use super::*;

    #[test]
    fn a_name_that_no_login_by_scram_can_have_is_told_of_and_no_name_is_refused() {
        for name in ["alice", "CN=a,O=b", "a b"] {
            assert_eq!(check_name(name).unwrap(), None);
        }
        assert!(check_name("").is_err());
        let said = check_name("\u{fc}lf").unwrap().unwrap();
        assert!(said.contains("PLAIN"), "{said}");
    }

    #[test]
    fn the_settings_are_read_by_a_client_as_they_were_meant() {
        for name in ["alice", "a\"b", "a\\b"] {
            let text = client_settings(name, ScramMechanism::Sha512);
            let properties = barnabas_config::properties::parse(&text);
            let properties: Vec<_> = properties.into_iter().map(|property| property.unwrap()).collect();
            let jaas = properties.iter().find(|property| property.key == "sasl.jaas.config").unwrap();
            assert_eq!(JaasEntry::read(&jaas.value).unwrap().option("username"), Some(name));
            assert!(properties.iter().any(|property| property.value == "SCRAM-SHA-512"));
        }
    }
}

//! kafka-configs of users, clients and addresses: quotas, and what users log in with.

use barnabas_auth::ScramMechanism;
use barnabas_auth::scram::ITERATIONS_MIN;

use super::entity::{Entities, EntityKind};
use super::{Changes, quotas};
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::cli::users;
use crate::client::Cluster;

/// Quotas of users and clients.
const CLIENT_QUOTAS: [&str; 4] =
    ["producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"];
/// Quotas of addresses.
const IP_QUOTAS: [&str; 1] = ["connection_creation_rate"];

pub(super) async fn describe(entities: &Entities, cluster: &mut Cluster) -> Result<(), Failure> {
    let mut lines: Vec<String> = quotas::found(entities, cluster).await?.iter().map(quotas::line).collect();
    lines.sort();
    print(&lines.concat())?;
    let is_of_users = entities.kinds == [EntityKind::User] && !entities.names.iter().any(String::is_empty);
    if !is_of_users {
        return Ok(());
    }
    let names: Vec<&str> = entities.names.iter().map(String::as_str).collect();
    let mut text = String::new();
    for user in users::describe(cluster, &names).await? {
        let info = |info: &kafka_protocol::messages::describe_user_scram_credentials_response::CredentialInfo| {
            let mechanism = ScramMechanism::of_number(info.mechanism).map_or("UNKNOWN", ScramMechanism::name);
            format!("{mechanism}=iterations={}", info.iterations)
        };
        let infos: Vec<String> = user.credential_infos.iter().map(info).collect();
        text +=
            &format!("SCRAM credential configs for user-principal '{}' are {}\n", user.user.as_str(), infos.join(", "));
    }
    print(&text)
}

pub(super) async fn alter(entities: &Entities, changes: &Changes, cluster: &mut Cluster) -> Result<(), Failure> {
    let keys = || changes.add.iter().map(|(key, _)| key).chain(&changes.delete);
    let is_scram = |key: &str| key.parse::<ScramMechanism>().is_ok();
    let quotas = if entities.first() == EntityKind::Ip { &IP_QUOTAS[..] } else { &CLIENT_QUOTAS };
    let scram_fits = entities.kinds == [EntityKind::User];
    let is_taken = |key: &str| quotas.contains(&key) || (scram_fits && is_scram(key));
    let strangers: Vec<&str> = keys().map(String::as_str).filter(|key| !is_taken(key)).collect();
    if !strangers.is_empty() {
        return Err(stranger(entities, &strangers));
    }
    if keys().any(|key| is_scram(key)) {
        if entities.names.iter().any(String::is_empty) {
            return Err(Failure::usage(
                "The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using \
                 --bootstrap-server.",
            ));
        }
        if keys().any(|key| !is_scram(key)) {
            return Err(Failure::usage(
                "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.",
            ));
        }
        credentials(entities.name(), changes, cluster).await?;
    } else {
        quotas::alter(entities, changes, cluster).await?;
    }
    print(&entities.done())
}

fn stranger(entities: &Entities, names: &[&str]) -> Failure {
    let names = names.join(",");
    let (what, kind) = match entities.first() {
        EntityKind::Ip => ("connection quota", "ips"),
        EntityKind::User if entities.kinds.len() == 1 => ("quota and SCRAM credential", "users"),
        _ => ("quota", "clients"),
    };
    Failure::usage(format!(
        "Only {what} configs can be added for '{kind}' using --bootstrap-server. Unexpected config names: {names}"
    ))
}

async fn credentials(user: &str, changes: &Changes, cluster: &mut Cluster) -> Result<(), Failure> {
    for name in &changes.delete {
        if let Ok(mechanism) = name.parse() {
            users::remove_credential(cluster, user, mechanism).await?;
        }
    }
    for (name, value) in &changes.add {
        let Ok(mechanism) = name.parse::<ScramMechanism>() else { continue };
        let (iterations, password) = credential(name, value)?;
        users::set_credential(cluster, user, mechanism, iterations, password).await?;
    }
    Ok(())
}

/// `[iterations=N,]password=P`.
fn credential<'a>(mechanism: &str, text: &'a str) -> Result<(u32, &'a str), Failure> {
    let wrong = || Failure::usage(format!("Invalid credential property {mechanism}=(hidden)"));
    let (iterations, rest) = match text.strip_prefix("iterations=") {
        Some(rest) => rest.split_once(',').ok_or_else(wrong)?,
        None => ("-1", text),
    };
    let password = rest.strip_prefix("password=").ok_or_else(wrong)?;
    let iterations = if iterations == "-1" { ITERATIONS_MIN } else { iterations.parse().map_err(|_| wrong())? };
    if iterations < ITERATIONS_MIN {
        let text =
            format!("Iterations {iterations} is less than the minimum {ITERATIONS_MIN} required for {mechanism}");
        return Err(Failure::usage(text));
    }
    Ok((iterations, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_iterations_and_password() {
        let read = |text| credential("SCRAM-SHA-256", text).unwrap();
        assert_eq!(read("iterations=8192,password=a,b=c"), (8192, "a,b=c"));
        assert_eq!(read("password=iterations=1"), (ITERATIONS_MIN, "iterations=1"));
        for wrong in ["iterations=8192", "pass=x", "iterations=7,password=x", "iterations=x,password=y"] {
            let failure = credential("SCRAM-SHA-256", wrong).err().unwrap().to_string();
            assert!(!failure.contains("=x"), "{failure}");
        }
    }
}

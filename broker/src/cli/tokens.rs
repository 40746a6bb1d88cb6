//! `barnabas tokens`: delegation tokens (KIP-48), on any broker that speaks the Kafka protocol. What a token's bearer shows is a
//! password: it is printed once, in a client's settings, and tokens are named by their ids.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kafka_protocol::messages::create_delegation_token_request::CreatableRenewers;
use kafka_protocol::messages::describe_delegation_token_request::DescribeDelegationTokenOwner;
use kafka_protocol::messages::describe_delegation_token_response::DescribedDelegationToken;
use kafka_protocol::messages::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse, DescribeDelegationTokenRequest,
    ExpireDelegationTokenRequest, RenewDelegationTokenRequest,
};
use kafka_protocol::protocol::StrBytes;
use serde_json::json;

use super::Failure;
use super::confirm::Confirm;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::{Cell, Column, Format, Output, Table, column, print, rfc3339, wide};
use crate::client::Cluster;

/// The last versions whose fields are all understood here.
const CREATE_VERSION: i16 = 3;
const DESCRIBE_VERSION: i16 = 3;
const CHANGE_VERSION: i16 = 2;
/// The first version in which a token may be another's.
const WITH_OWNER: i16 = 3;
/// As long as the broker's settings say.
const DEFAULT_MS: i64 = -1;
/// At once.
const NOW_MS: i64 = -1;

/// What `tokens` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas tokens create --max-life 7d > job.properties\n  \
    barnabas tokens create --owner app --renewer scheduler --command-config admin.properties\n  \
    barnabas tokens list\n  barnabas tokens renew ZkX0bDTqQQq0yDEP1Tq4Dg --life 12h\n  barnabas tokens expire ZkX0bDTqQQq0yDEP1Tq4Dg")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Makes a token and prints a client's settings that log in with it.
    Create(Create),
    /// Lists the tokens that may be seen.
    List {
        /// Only those that this user owns or may renew; may be given several times.
        #[arg(long, value_name = "USER")]
        owner: Vec<String>,
    },
    /// Puts off when tokens expire.
    Renew {
        /// Their ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// For how long from now, as 90s, 15m, 12h or 7d; as the broker's settings say when not given.
        #[arg(long, value_name = "TIME", value_parser = time)]
        life: Option<Duration>,
    },
    /// Lets tokens expire, at once when no time is given. Open connections go on until their sessions end.
    Expire {
        /// Their ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// When, from now, as 90s, 15m, 12h or 7d.
        #[arg(long, value_name = "TIME", value_parser = time)]
        after: Option<Duration>,
        #[command(flatten)]
        confirm: Confirm,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// For whom, when not for oneself: who asks needs the right CreateTokens on it.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// Who may renew it beside its owner; may be given several times.
    #[arg(long, value_name = "USER")]
    renewer: Vec<String>,
    /// For how long it may be renewed, as 90s, 15m, 12h or 7d; as the broker's settings say when not given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_life: Option<Duration>,
}

const COLUMNS: &[Column] = &[
    column("ID", "id"),
    column("OWNER", "owner"),
    column("RENEWERS", "renewers"),
    column("EXPIRES", "expires"),
    column("ENDS", "ends"),
    wide("REQUESTER", "requester"),
    wide("ISSUED", "issued"),
];

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    match command {
        Command::Create(told) => create(&told, &mut connection.connect().await?, output).await,
        Command::List { owner } => list(&owner, &mut connection.connect().await?, output).await,
        Command::Renew { ids, life } => {
            let period = life.map_or(DEFAULT_MS, millis);
            let renew = |token: &DescribedDelegationToken| {
                RenewDelegationTokenRequest::default().with_hmac(token.hmac.clone()).with_renew_period_ms(period)
            };
            let code = |answer: &kafka_protocol::messages::RenewDelegationTokenResponse| answer.error_code;
            change(&ids, "renew", &mut connection.connect().await?, renew, code).await
        }
        Command::Expire { ids, after, confirm } => {
            if after.is_none() {
                confirm.ask(&format!("Removes {}: nobody logs in with it any more", ids.join(", ")))?;
            }
            let period = after.map_or(NOW_MS, millis);
            let expire = |token: &DescribedDelegationToken| {
                ExpireDelegationTokenRequest::default().with_hmac(token.hmac.clone()).with_expiry_time_period_ms(period)
            };
            let code = |answer: &kafka_protocol::messages::ExpireDelegationTokenResponse| answer.error_code;
            change(&ids, "expire", &mut connection.connect().await?, expire, code).await
        }
    }
}

async fn create(told: &Create, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let renewer =
        |name: &String| CreatableRenewers::default().with_principal_type(text("User")).with_principal_name(text(name));
    let has_owner =
        cluster.controller().await?.version_of::<CreateDelegationTokenRequest>(CREATE_VERSION)? >= WITH_OWNER;
    if told.owner.is_some() && !has_owner {
        return Err(Failure::new(Exit::Failed, "this broker makes tokens only for whoever asks (KIP-373)"));
    }
    let request = CreateDelegationTokenRequest::default()
        .with_owner_principal_type(told.owner.as_ref().map(|_| text("User")))
        .with_owner_principal_name(told.owner.as_deref().map(text))
        .with_renewers(told.renewer.iter().map(renewer).collect())
        .with_max_lifetime_ms(told.max_life.map_or(DEFAULT_MS, millis));
    let answer = cluster.ask_controller(CREATE_VERSION, |_| request.clone(), |answer| answer.error_code).await?;
    if answer.error_code != 0 {
        return Err(Failure::refused("make a delegation token", answer.error_code, None));
    }
    let password = STANDARD.encode(&answer.hmac);
    if matches!(output.format, Format::Table | Format::Wide) {
        print(&client_settings(&answer, &password))?;
        return Ok(Exit::Done);
    }
    let document = json!({
        "id": answer.token_id.as_str(),
        "password": password,
        "owner": format!("{}:{}", answer.principal_type.as_str(), answer.principal_name.as_str()),
        "issued": rfc3339(answer.issue_timestamp_ms),
        "expires": rfc3339(answer.expiry_timestamp_ms),
        "ends": rfc3339(answer.max_timestamp_ms),
    });
    output.show_document(&document, "")?;
    Ok(Exit::Done)
}

async fn list(owners: &[String], cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    output.show(&table(owners, cluster).await?)?;
    Ok(Exit::Done)
}

/// The tokens of these owners, or all that may be seen, without what their bearers show.
pub(super) async fn table(owners: &[String], cluster: &mut Cluster) -> Result<Table, Failure> {
    let mut table = Table::new(COLUMNS);
    for token in describe(cluster, owners).await? {
        let user = |kind: &StrBytes, name: &StrBytes| format!("{}:{}", kind.as_str(), name.as_str());
        let requester = user(&token.token_requester_principal_type, &token.token_requester_principal_name);
        table.row(vec![
            Cell::text(token.token_id.as_str()),
            Cell::text(user(&token.principal_type, &token.principal_name)),
            Cell::list(token.renewers.iter().map(|one| user(&one.principal_type, &one.principal_name))),
            Cell::text(rfc3339(token.expiry_timestamp)),
            Cell::text(rfc3339(token.max_timestamp)),
            // A broker from before KIP-373 does not know it.
            Cell::optional(Some(requester).filter(|requester| requester != ":")),
            Cell::text(rfc3339(token.issue_timestamp)),
        ]);
    }
    Ok(table)
}

/// The tokens of these owners, or all that may be seen, in the order of their ids.
async fn describe(cluster: &mut Cluster, owners: &[String]) -> Result<Vec<DescribedDelegationToken>, Failure> {
    let owner = |name: &String| {
        DescribeDelegationTokenOwner::default().with_principal_type(text("User")).with_principal_name(text(name))
    };
    let owners = (!owners.is_empty()).then(|| owners.iter().map(owner).collect());
    let request = DescribeDelegationTokenRequest::default().with_owners(owners);
    let broker = cluster.any();
    let version = broker.version_of::<DescribeDelegationTokenRequest>(DESCRIBE_VERSION)?;
    let mut answer = broker.call(&request, version).await?;
    if answer.error_code != 0 {
        return Err(Failure::refused("list delegation tokens", answer.error_code, None));
    }
    answer.tokens.sort_by(|left, right| left.token_id.cmp(&right.token_id));
    Ok(answer.tokens)
}

/// Asks for the same change of each token: whoever sees a token knows what its bearer shows, by which brokers know it.
async fn change<R: kafka_protocol::protocol::Request + Clone>(
    ids: &[String],
    act: &str,
    cluster: &mut Cluster,
    request: impl Fn(&DescribedDelegationToken) -> R,
    code_of: impl Fn(&R::Response) -> i16,
) -> Result<Exit, Failure> {
    let tokens = describe(cluster, &[]).await?;
    let (mut failures, mut any_done) = (Vec::new(), false);
    for id in ids {
        let Some(token) = tokens.iter().find(|token| *token.token_id == **id) else {
            failures.push(Failure::not_found(format!("there is no delegation token {id} that may be seen")));
            continue;
        };
        let request = request(token);
        let answer = cluster.ask_controller(CHANGE_VERSION, |_| request.clone(), &code_of).await?;
        match code_of(&answer) {
            0 => any_done = true,
            code => failures.push(Failure::refused(format!("{act} delegation token {id}"), code, None)),
        }
    }
    Failure::all_or_some(failures, any_done)
}

/// What a client needs to log in with the token.
fn client_settings(token: &CreateDelegationTokenResponse, password: &str) -> String {
    format!(
        "# {}:{} by a delegation token, until {} and, renewed, until {}. SASL_PLAINTEXT where the listener has no TLS.\n\
         security.protocol=SASL_SSL\n\
         sasl.mechanism=SCRAM-SHA-512\n\
         sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  \
         username=\"{}\" password=\"{password}\" tokenauth=\"true\";\n",
        token.principal_type.as_str(),
        token.principal_name.as_str().escape_debug(),
        rfc3339(token.expiry_timestamp_ms),
        rfc3339(token.max_timestamp_ms),
        token.token_id.as_str(),
    )
}

/// A number with its unit: s, m, h or d.
fn time(told: &str) -> Result<Duration, String> {
    let wrong = || "a whole number and a unit, as 90s, 15m, 12h or 7d".to_owned();
    let unit = told.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = told.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    number.checked_mul(seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(wrong)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

#[cfg(test)]
mod tests {
    use barnabas_auth::sasl::jaas::JaasEntry;

    use super::*;

    #[test]
    fn the_settings_are_read_by_a_client_as_they_were_meant() {
        let token = CreateDelegationTokenResponse::default()
            .with_token_id(text("ZkX0bDTqQQq0yDEP1Tq4Dg"))
            .with_principal_type(text("User"))
            .with_principal_name(text("a\nsasl.mechanism=PLAIN"));
        let properties = barnabas_config::properties::parse(&client_settings(&token, "ab+/=="));
        let properties: Vec<_> = properties.into_iter().map(|property| property.unwrap()).collect();
        assert_eq!(properties.len(), 3);
        let jaas = properties.iter().find(|property| property.key == "sasl.jaas.config").unwrap();
        let entry = JaasEntry::read(&jaas.value).unwrap();
        let option = |name| entry.option(name).unwrap_or_default();
        assert_eq!(
            [option("username"), option("password"), option("tokenauth")],
            ["ZkX0bDTqQQq0yDEP1Tq4Dg", "ab+/==", "true"]
        );
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for wrong in
            ["", "s", "7", "0d", "-1h", "1.5h", "7w", "99999999999999999999d", "18446744073709551615d", "7\u{e4}"]
        {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}

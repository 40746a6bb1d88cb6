//! `configs export`.

use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

use super::list::own_of_all;
use super::resource::Resource;
use super::wanted::{Wanted, written, written_properties};
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::{Format, Output, print};
use crate::cli::remark::say;
use crate::cli::topics::wanted::WantedConfigs;
use crate::client::Cluster;

/// What `export` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What has settings; everything that was changed in the cluster when nothing is named.
    #[arg(value_name = "WHAT/NAME", add = names::resources())]
    resources: Vec<Resource>,
    /// Writes properties, as `import --to` and `kafka-configs --add-config-file` read them; of one resource.
    #[arg(long, requires = "resources")]
    properties: bool,
}

pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    if told.properties && told.resources.len() > 1 {
        return Err(Failure::usage("properties are of one resource").next("the same without --properties"));
    }
    let mut all = Vec::new();
    for resource in &told.resources {
        all.push((resource.clone(), resource.own_settings(cluster).await?));
    }
    if told.resources.is_empty() {
        all = own_of_all(cluster).await?;
        all.retain(|(_, settings)| !settings.is_empty());
    }
    let (mut wanted, mut secrets) = (Vec::new(), Vec::new());
    for (resource, settings) in all {
        let (configs, hidden) = of(settings);
        secrets.extend(hidden.iter().map(|name| format!("{resource} {name}")));
        wanted.push(Wanted { resource, configs });
    }
    if !secrets.is_empty() {
        say(format_args!("left out, as nobody is shown them: {}", secrets.join(", ")));
    }
    match wanted.first() {
        Some(one) if told.properties => print(&written_properties(&one.configs))?,
        _ => as_document(output).show_document(&written(&wanted), "")?,
    }
    Ok(Exit::Done)
}

/// A file is no table.
fn as_document(output: Output) -> Output {
    match output.format {
        Format::Json => output,
        _ => Output { format: Format::Yaml },
    }
}

/// Settings that can be written, and the names of those that cannot.
fn of(settings: Vec<DescribeConfigsResourceResult>) -> (WantedConfigs, Vec<String>) {
    let (hidden, shown): (Vec<_>, Vec<_>) =
        settings.into_iter().partition(|setting| setting.is_sensitive || setting.value.is_none());
    let pair = |setting: DescribeConfigsResourceResult| {
        (setting.name.to_string(), setting.value.map(|value| value.to_string()))
    };
    (shown.into_iter().map(pair).collect(), hidden.iter().map(|setting| setting.name.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    #[test]
    fn secrets_are_left_out() {
        let text = StrBytes::from_static_str;
        let setting = |name, value| DescribeConfigsResourceResult::default().with_name(text(name)).with_value(value);
        let secret = setting("b", Some(text("x"))).with_is_sensitive(true);
        let (configs, hidden) = of(vec![setting("a", Some(text("1"))), secret, setting("c", None)]);
        assert_eq!(configs.into_iter().collect::<Vec<_>>(), [("a".to_owned(), Some("1".to_owned()))]);
        assert_eq!(hidden, ["b", "c"]);
    }
}

//! `cluster features` (KIP-584).

use std::collections::BTreeMap;

use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::client::{CallError, Cluster};

/// The last version whose fields are all understood here. Only from 4 on features whose least level is 0 are told.
const API_VERSIONS_VERSION: i16 = 4;
/// From here on an answer has features.
const FEATURES_SINCE: i16 = 3;

const COLUMNS: &[Column] = &[
    column("FEATURE", "feature"),
    column("LEVEL", "level"),
    column("SUPPORTED FROM", "supported_from"),
    column("SUPPORTED TO", "supported_to"),
    column("EPOCH", "epoch"),
];

pub(super) async fn run(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    output.show(&ask(cluster).await?)?;
    Ok(Exit::Done)
}

/// Every feature that is supported or agreed on.
pub(super) async fn ask(cluster: &mut Cluster) -> Result<Table, Failure> {
    let broker = cluster.any();
    let version = broker.version_of::<ApiVersionsRequest>(API_VERSIONS_VERSION)?;
    if version < FEATURES_SINCE {
        let (address, api) = (broker.address().to_owned(), 18);
        return Err(CallError::Unsupported { address, api }.into());
    }
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("barnabas"))
        .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
    let answer = broker.call(&request, version).await?;
    if answer.error_code != 0 {
        return Err(Failure::refused("describe the features", answer.error_code, None));
    }
    Ok(features(&answer))
}

/// Levels of a feature.
#[derive(Clone, Copy, Debug, Default)]
struct Levels {
    agreed: Option<i16>,
    /// The least and the last one.
    supported: Option<(i16, i16)>,
}

/// Every feature that is supported or agreed on, ordered by name. One without a level is not in use.
fn features(answer: &ApiVersionsResponse) -> Table {
    let mut features: BTreeMap<&str, Levels> = BTreeMap::new();
    for feature in &answer.supported_features {
        features.entry(&feature.name).or_default().supported = Some((feature.min_version, feature.max_version));
    }
    for feature in &answer.finalized_features {
        features.entry(&feature.name).or_default().agreed = Some(feature.max_version_level);
    }
    let epoch = Some(answer.finalized_features_epoch).filter(|epoch| *epoch >= 0);
    let mut table = Table::new(COLUMNS);
    for (name, Levels { agreed, supported }) in features {
        table.row(vec![
            Cell::text(name),
            Cell::number(agreed.map(i64::from)),
            Cell::number(supported.map(|(least, _)| least.into())),
            Cell::number(supported.map(|(_, last)| last.into())),
            Cell::number(epoch),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::api_versions_response::{FinalizedFeatureKey, SupportedFeatureKey};

    use super::*;

    #[test]
    fn a_feature_is_told_with_its_level_and_what_is_supported() {
        let text = StrBytes::from_static_str;
        let supported = |name| SupportedFeatureKey::default().with_name(text(name)).with_max_version(3);
        let finalized = |name| FinalizedFeatureKey::default().with_name(text(name)).with_max_version_level(2);
        let answer = ApiVersionsResponse::default()
            .with_supported_features(vec![supported("b"), supported("a")])
            .with_finalized_features(vec![finalized("b"), finalized("c")]);
        let shown = features(&answer).value();
        let levels: Vec<_> =
            (0..3).map(|at| (shown[at]["level"].as_i64(), shown[at]["supported_to"].as_i64())).collect();
        assert_eq!(levels, [(None, Some(3)), (Some(2), Some(3)), (Some(2), None)]);
    }
}

//! ApiVersions (key 18): which APIs and versions this broker serves, and the finalized features of the cluster.
//!
//! Where it differs from Apache Kafka: the only feature is `metadata.version` (30, which is 4.3-IV0); the others
//! (`transaction.version`, `group.version`, ...) are shown when they are real.
//!
//! Versions: 0-2 plain; 3 (KIP-511, KIP-584) software name and features; 4 shows features whose minimum is 0
//! (KAFKA-17492), which below are left out: we have none. The response header is version 0 in every version, so that
//! a client can read it before it knows ours. A version that is not served is answered in the form of version 0 with
//! UNSUPPORTED_VERSION and only this API's own versions.

use barnabas_raft::MetadataImage;
use barnabas_raft::metadata::features::METADATA_VERSION;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::shape::text;
use crate::api::table::encode;
use crate::api::{
    Api, CloseReason, Gate, Need, OneStage, QuotaClass, Reply, RequestContext, Row, RunsOn, Shape, Versions, table,
};
use crate::telemetry::Software;

/// 3.3-IV3: the least that Kafka 4.3 supports.
pub(super) const METADATA_VERSION_MIN: i16 = 7;
/// 4.3-IV0.
pub(super) const METADATA_VERSION_MAX: i16 = 30;

/// What is kept of a client's software and of its version.
const SOFTWARE_CHARS_MAX: usize = 64;

/// ApiVersions.
pub struct ApiVersions;

impl Api for ApiVersions {
    type Request = ApiVersionsRequest;
    const NAME: &'static str = "ApiVersions";
    const VERSIONS: Versions = Versions::new(0, 4);
    const SHAPE: Shape = Shape { flexible: 3, fields: &[text().since(3), text().since(3)] };
    const NEEDS: &'static [Need] = &[];
    const GATE: Gate = Gate::Always;
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
    const ON_CONTROLLER: bool = true;
    const QUOTA: QuotaClass = QuotaClass::Exempt;
}

impl OneStage for ApiVersions {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<ApiVersionsResponse, CloseReason> {
        let named = is_software(&request.client_software_name) && is_software(&request.client_software_version);
        if context.version >= 3 && !named {
            let error = ResponseError::InvalidRequest.code();
            return Ok(ApiVersionsResponse::default().with_error_code(error));
        }
        if !context.connection.login.tell_versions() {
            let error = ResponseError::IllegalSaslState.code();
            return Ok(ApiVersionsResponse::default().with_error_code(error));
        }
        if named {
            let text = |text: StrBytes| text.chars().take(SOFTWARE_CHARS_MAX).collect();
            let (name, version) = (text(request.client_software_name), text(request.client_software_version));
            context.connection.set_software(Software { name, version });
        }
        let image = context.broker.controller.image();
        let served = |row: &&Row| row.on_controller || !context.connection.is_controller;
        Ok(response(table().iter().filter(served), &image))
    }

    fn error_codes(response: &ApiVersionsResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

/// What a supported version is answered.
fn response<'a>(rows: impl Iterator<Item = &'a Row>, image: &MetadataImage) -> ApiVersionsResponse {
    let supported = SupportedFeatureKey::default()
        .with_name(StrBytes::from_static_str(METADATA_VERSION))
        .with_min_version(METADATA_VERSION_MIN)
        .with_max_version(METADATA_VERSION_MAX);
    let finalized = image.features().map(|(name, level)| {
        FinalizedFeatureKey::default()
            .with_name(StrBytes::from_string(name.to_owned()))
            .with_min_version_level(level)
            .with_max_version_level(level)
    });
    ApiVersionsResponse::default()
        .with_api_keys(rows.map(advertise).collect())
        .with_supported_features(vec![supported])
        .with_finalized_features_epoch(i64::try_from(image.applied_index()).unwrap_or(i64::MAX))
        .with_finalized_features(finalized.collect())
}

/// What a version that is not served is answered: in the form of version 0.
pub(crate) fn unsupported_version() -> Reply {
    let own = table().iter().filter(|row| row.key == crate::api::API_VERSIONS_KEY).map(advertise).collect();
    let error = ResponseError::UnsupportedVersion.code();
    encode(&ApiVersionsResponse::default().with_error_code(error).with_api_keys(own), 0)
}

fn advertise(row: &Row) -> ApiVersion {
    ApiVersion::default()
        .with_api_key(row.key)
        .with_min_version(row.advertised.min)
        .with_max_version(row.advertised.max)
}

/// Letters and digits, with `-` and `.` inside (KIP-511).
fn is_software(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().last()) else {
        return false;
    };
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_software_name_begins_and_ends_with_a_letter_or_digit() {
        for good in ["librdkafka", "apache-kafka-java", "4.3.1", "a", "1"] {
            assert!(is_software(good), "{good}");
        }
        for bad in ["", "-a", "a-", ".1", "a b", "ä", "a_b"] {
            assert!(!is_software(bad), "{bad}");
        }
    }

    #[test]
    fn the_answer_is_the_table() {
        let keys = response(table().iter(), &MetadataImage::default()).api_keys;
        assert_eq!(keys.len(), table().len());
        for (shown, row) in keys.iter().zip(table()) {
            let shown = (shown.api_key, shown.min_version, shown.max_version);
            assert_eq!(shown, (row.key, row.advertised.min, row.advertised.max));
        }
    }
}

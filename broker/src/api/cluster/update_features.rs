//! UpdateFeatures (key 57): finalized levels of features are raised, all of a request or none (KIP-584). As in Kafka 4.3
//! the metadata version is never lowered.
//!
//! Where it differs from Apache Kafka: `metadata.version` is the only feature.
//!
//! Versions: 0 `allow_downgrade`; 1 a type of upgrade and validate_only (KIP-778); 2 one error for the whole.

use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::MetadataImage;
use barnabas_raft::metadata::features::METADATA_VERSION;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::update_features_response::UpdatableFeatureResult;
use kafka_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};

use super::api_versions::{METADATA_VERSION_MAX, METADATA_VERSION_MIN};
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::refusal::Refusal;
use crate::api::shape::{boolean, int8, int16, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// UpdateFeatures.
pub struct UpdateFeatures;

/// From this version on there is one error for the whole.
const ONE_ERROR_SINCE: i16 = 2;
/// Kafka's numbers of an upgrade type (`FeatureUpdate.UpgradeType`).
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;
const UNSAFE_DOWNGRADE: i8 = 3;

impl Api for UpdateFeatures {
    type Request = UpdateFeaturesRequest;
    const NAME: &'static str = "UpdateFeatures";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape = Shape {
        flexible: 0,
        fields: &[int32(), structs(&[text(), int16(), boolean().until(0), int8().since(1)]), boolean().since(1)],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Alter, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for UpdateFeatures {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<UpdateFeaturesResponse, CloseReason> {
        let updates = &request.feature_updates;
        if !context.allowed(Operation::Alter, ResourceType::Cluster, CLUSTER_NAME) {
            let refusal = Refusal::new(ResponseError::ClusterAuthorizationFailed, "Cluster authorization failed.");
            return Ok(whole(refusal));
        }
        let image = context.broker.controller.image();
        let mut outcome = updates.iter().try_for_each(|update| check(&image, update, context.version));
        if outcome.is_ok() && !request.validate_only {
            let levels = updates.iter().map(|update| (update.feature.to_string(), update.max_version_level));
            let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
            let update = context.broker.controller.update_features(levels.collect());
            outcome = match context.broker.tasks.within(timeout, update).await {
                Some(updated) => updated.map_err(|error| Refusal::of(&error)),
                None => Err(Refusal::bare(ResponseError::RequestTimedOut)),
            };
        }
        if !request.validate_only {
            context.tell(Activity::Update, outcome.as_ref().err().map(|refusal| refusal.code), || {
                let level = |update: &FeatureUpdateKey| format!("{}={}", &*update.feature, update.max_version_level);
                let levels: Vec<String> = updates.iter().map(level).collect();
                Subject::new(ResourceType::Cluster.name(), CLUSTER_NAME).with("features", levels.join(","))
            });
        }
        Ok(match outcome {
            Err(refusal) if context.version >= ONE_ERROR_SINCE => whole(refusal),
            outcome => each(updates, outcome.err(), context.version),
        })
    }

    fn error_codes(response: &UpdateFeaturesResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.results.iter().map(|result| result.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

fn whole(refusal: Refusal) -> UpdateFeaturesResponse {
    UpdateFeaturesResponse::default().with_error_code(refusal.code.code()).with_error_message(refusal.wire_message())
}

fn each(updates: &[FeatureUpdateKey], refusal: Option<Refusal>, version: i16) -> UpdateFeaturesResponse {
    let result = |update: &FeatureUpdateKey| {
        UpdatableFeatureResult::default()
            .with_feature(update.feature.clone())
            .with_error_code(refusal.as_ref().map_or(0, |refusal| refusal.code.code()))
            .with_error_message(refusal.clone().and_then(Refusal::wire_message))
    };
    let results = if version < ONE_ERROR_SINCE { updates.iter().map(result).collect() } else { Vec::new() };
    UpdateFeaturesResponse::default().with_error_message(None).with_results(results)
}

/// Kafka's checks in Kafka's order.
fn check(image: &MetadataImage, update: &FeatureUpdateKey, version: i16) -> Result<(), Refusal> {
    let (name, level) = (&*update.feature, update.max_version_level);
    let upgrade = match (version, update.allow_downgrade) {
        (0, true) => SAFE_DOWNGRADE,
        (0, false) => UPGRADE,
        _ => update.upgrade_type,
    };
    let present = image.features().find(|(feature, _)| *feature == name).map_or(0, |(_, level)| level);
    let invalid = format!("Invalid update version {level} for feature {name}.");
    let downgrade = format!("Unsupported {name} downgrade from {present} to {level}.");
    let why = if !matches!(upgrade, UPGRADE | SAFE_DOWNGRADE | UNSAFE_DOWNGRADE) {
        format!("{invalid} The controller does not support the given upgrade type.")
    } else if level < 0 {
        format!("{invalid} A feature version cannot be less than 0.")
    } else if name != METADATA_VERSION && level == 0 {
        format!("{invalid} Feature {name} not found.")
    } else if name != METADATA_VERSION {
        format!("{invalid} Local controller {} does not support this feature.", this(image))
    } else if !(METADATA_VERSION_MIN..=METADATA_VERSION_MAX).contains(&level) {
        let range = format!("{METADATA_VERSION_MIN}-{METADATA_VERSION_MAX}");
        format!("{invalid} Local controller {} only supports versions {range}", this(image))
    } else if level < present && upgrade == UPGRADE {
        format!(
            "{invalid} Can't downgrade the version of this feature without setting the upgrade type to either safe or \
             unsafe downgrade."
        )
    } else if level > present && upgrade != UPGRADE {
        format!("{invalid} Can't downgrade to a newer version.")
    } else if level < present && upgrade == SAFE_DOWNGRADE {
        format!("{downgrade} Refusing to perform the requested downgrade because it might delete metadata information.")
    } else if level < present {
        format!("{downgrade} Unsafe metadata downgrade is not supported in this version.")
    } else {
        return Ok(());
    };
    let message = format!("The update failed for all features since the following feature had an error: {why}");
    Err(Refusal::new(ResponseError::InvalidUpdateVersion, message))
}

/// The one node.
fn this(image: &MetadataImage) -> String {
    image.brokers().next().map_or_else(String::new, |broker| broker.id.0.to_string())
}

#[cfg(test)]
mod tests {
    use barnabas_raft::metadata::features::FeatureLevelRecord;
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    fn judged(name: &str, level: i16, upgrade: i8) -> Option<String> {
        let feature = FeatureLevelRecord { name: METADATA_VERSION.to_owned(), level: 20 };
        let image = MetadataImage::from_records(1, &[feature.into()]);
        let update = FeatureUpdateKey::default()
            .with_feature(StrBytes::from_string(name.to_owned()))
            .with_max_version_level(level)
            .with_upgrade_type(upgrade);
        check(&image, &update, 1).err().and_then(|refusal| refusal.message)
    }

    #[test]
    fn levels_only_go_up() {
        assert_eq!(judged(METADATA_VERSION, 30, UPGRADE), None);
        assert_eq!(judged(METADATA_VERSION, 20, SAFE_DOWNGRADE), None);
        assert!(judged(METADATA_VERSION, 19, SAFE_DOWNGRADE).expect("refused").contains("Refusing to perform"));
        assert!(judged(METADATA_VERSION, 19, UNSAFE_DOWNGRADE).expect("refused").contains("not supported"));
        let refused = judged(METADATA_VERSION, 19, UPGRADE).expect("refused");
        assert!(refused.contains("Invalid update version 19 for feature metadata.version. Can't downgrade"));
        assert!(judged(METADATA_VERSION, 30, SAFE_DOWNGRADE).expect("refused").ends_with("to a newer version."));
        assert!(judged(METADATA_VERSION, 31, UPGRADE).expect("refused").ends_with("only supports versions 7-30"));
        assert!(judged("x", 1, UPGRADE).expect("refused").ends_with("does not support this feature."));
        assert!(judged("x", 1, 9).expect("refused").ends_with("given upgrade type."));
    }
}

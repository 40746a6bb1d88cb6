//! Both APIs against a real broker, handlers called without a socket.

use kafka_protocol::messages::{GetTelemetrySubscriptionsRequest, PushTelemetryRequest};

use super::get_telemetry_subscriptions::GetTelemetrySubscriptions;
use super::push_telemetry::PushTelemetry;
use super::*;
use crate::api::OneStage;
use crate::api::data::tests::bench::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_given_an_id_and_pushes_under_it() {
    let bench = Bench::start().await;
    let context = bench.context::<GetTelemetrySubscriptions>(0);
    let asked = GetTelemetrySubscriptionsRequest::default();
    let told = GetTelemetrySubscriptions::handle(context, asked).await.unwrap();
    assert_eq!((told.error_code, told.push_interval_ms, told.telemetry_max_bytes), (0, 300_000, 1 << 20));
    assert_eq!(told.accepted_compression_types, [4, 3, 1, 2]);
    assert!(told.requested_metrics.is_empty() && !is_reserved(told.client_instance_id));
    let push = |request: PushTelemetryRequest| {
        let context = bench.context::<PushTelemetry>(0);
        async { PushTelemetry::handle(context, request).await.unwrap().error_code }
    };
    let of_nobody = PushTelemetryRequest::default().with_client_instance_id(Uuid::from_u128(99));
    assert_eq!(push(of_nobody).await, ResponseError::InvalidRequest.code());
    let good = || {
        let request = PushTelemetryRequest::default().with_client_instance_id(told.client_instance_id);
        request.with_subscription_id(told.subscription_id)
    };
    assert_eq!(push(good()).await, 0);
    assert_eq!(push(good()).await, ResponseError::ThrottlingQuotaExceeded.code());
    let damaged = good().with_terminating(true).with_metrics(bytes::Bytes::from_static(&[0xff; 9]));
    assert_eq!(push(damaged).await, ResponseError::InvalidRecord.code());
    assert_eq!(push(good()).await, ResponseError::InvalidRequest.code(), "it has said that it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_with_an_unknown_codec_or_too_many_bytes_is_refused() {
    let bench = Bench::with(&["telemetry.max.bytes=10"]).await;
    for (codec, bytes, refused) in [
        (5, 1, ResponseError::UnsupportedCompressionType),
        (-1, 1, ResponseError::UnsupportedCompressionType),
        (4, 11, ResponseError::TelemetryTooLarge),
    ] {
        let context = bench.context::<GetTelemetrySubscriptions>(0);
        let asked = GetTelemetrySubscriptionsRequest::default();
        let told = GetTelemetrySubscriptions::handle(context, asked).await.unwrap();
        let request = PushTelemetryRequest::default()
            .with_client_instance_id(told.client_instance_id)
            .with_subscription_id(told.subscription_id)
            .with_compression_type(codec)
            .with_metrics(bytes::Bytes::from(vec![0; bytes]));
        let answer = PushTelemetry::handle(bench.context::<PushTelemetry>(0), request).await.unwrap();
        assert_eq!(answer.error_code, refused.code(), "codec {codec}, {bytes} bytes");
    }
}

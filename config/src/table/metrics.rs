//! Metrics and telemetry of clients.

settings! {
    /// Java classes that report metrics.
    "metric.reporters": List = "org.apache.kafka.common.metrics.JmxReporter", cluster_wide;
    /// Samples that a metric's value is made of.
    "metrics.num.samples": Int = "2", min(1);
    /// Length of one of them.
    "metrics.sample.window.ms": Long = "30000", min(1);
    /// Least level of metrics that are recorded.
    "metrics.recording.level": Text = "INFO";
    /// Java classes that report Yammer metrics.
    "kafka.metrics.reporters": List = "";
    /// How often they are asked.
    "kafka.metrics.polling.interval.secs": Int = "10", min(1);
    /// Largest report of a client's metrics.
    "telemetry.max.bytes": Int = "1048576", min(1), honoured;
    /// Names of value providers. env, file and directory work without being named.
    "config.providers": List = "", cluster_wide;
}

//! Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write};

/// The text so far, and the family that samples belong to.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
    family: String,
}

impl Exposition {
    /// Begins a family of samples that may fall.
    pub(super) fn family(&mut self, name: &str, help: &str) {
        self.begin(name, help, "gauge");
    }

    /// Begins a family of samples that only rise while the broker runs.
    pub(super) fn counters(&mut self, name: &str, help: &str) {
        self.begin(name, help, "counter");
    }

    /// Begins a family of quantiles, and of the count and sum of what they are of.
    pub(super) fn summaries(&mut self, name: &str, help: &str) {
        self.begin(name, help, "summary");
    }

    fn begin(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        name.clone_into(&mut self.family);
    }

    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.part("", labels, value);
    }

    /// A sample whose name is the family's with `suffix` behind it.
    pub(super) fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", self.family);
    }

    /// A family of one sample without labels.
    pub(super) fn single(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, help);
        self.sample(&[], value);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_labels_escaped() {
        let mut text = Exposition::default();
        text.family("kafka_x", "What it is.");
        text.sample(&[("topic", "a\"b\\c\nd"), ("partition", "0")], 7);
        text.sample(&[], 1.5);
        let wanted = "# HELP kafka_x What it is.\n# TYPE kafka_x gauge\n\
                      kafka_x{topic=\"a\\\"b\\\\c\\nd\",partition=\"0\"} 7\nkafka_x 1.5\n";
        assert_eq!(text.into_text(), wanted);
    }

    #[test]
    fn a_summary_has_its_quantiles_its_count_and_its_sum() {
        let mut text = Exposition::default();
        text.summaries("kafka_x", "What it is.");
        text.sample(&[("quantile", "0.5")], 1.5);
        text.part("_count", &[], 2);
        text.part("_sum", &[], 3);
        let wanted = "# HELP kafka_x What it is.\n# TYPE kafka_x summary\n\
                      kafka_x{quantile=\"0.5\"} 1.5\nkafka_x_count 2\nkafka_x_sum 3\n";
        assert_eq!(text.into_text(), wanted);
    }
}

//! Figures by broker and round, and the Markdown table of their medians.

use crate::peer::Peer;

/// Whether a larger or a smaller figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

/// One row.
#[derive(Debug)]
struct Row {
    name: String,
    better: Better,
    /// Figures by column, one for each round.
    figures: Vec<Vec<f64>>,
}

/// The table of a run.
#[derive(Debug)]
pub(crate) struct Table {
    peers: Vec<Peer>,
    rows: Vec<Row>,
}

/// Figures of one broker in one round. A row may have the same name as another one, as "- broker CPU s per GB" below each
/// workload: rows come in the same order each time.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(String, Better, f64)>);

impl Figures {
    pub(crate) fn note(&mut self, name: impl Into<String>, better: Better, figure: f64) {
        self.0.push((name.into(), better, figure));
    }
}

impl Table {
    pub(crate) fn new(peers: Vec<Peer>) -> Self {
        Self { peers, rows: Vec::new() }
    }

    /// Adds a round of `peer`.
    pub(crate) fn add(&mut self, peer: Peer, figures: Figures) {
        let column = self.peers.iter().position(|known| *known == peer);
        for (at, (name, better, figure)) in figures.0.into_iter().enumerate() {
            if self.rows.len() <= at {
                self.rows.push(Row { name, better, figures: vec![Vec::new(); self.peers.len()] });
            }
            let row = self.rows.get_mut(at).zip(column).and_then(|(row, column)| row.figures.get_mut(column));
            row.into_iter().for_each(|row| row.push(figure));
        }
    }

    /// Medians, and in brackets how many times better than Apache Kafka in the same run.
    pub(crate) fn markdown(&self) -> String {
        let heads: Vec<_> = self.peers.iter().map(|peer| peer.name()).collect();
        let mut lines =
            vec![format!("| work | {} |", heads.join(" | ")), format!("|---|{}", "---|".repeat(heads.len()))];
        let kafka = self.peers.iter().position(|peer| *peer == Peer::Kafka);
        for row in &self.rows {
            let medians: Vec<f64> = row.figures.iter().map(|figures| median(figures)).collect();
            let of_kafka = kafka.and_then(|column| medians.get(column).copied());
            let cells: Vec<_> = medians.iter().map(|own| cell(*own, of_kafka, row.better)).collect();
            lines.push(format!("| {} | {} |", row.name, cells.join(" | ")));
        }
        lines.join("\n")
    }
}

fn cell(own: f64, kafka: Option<f64>, better: Better) -> String {
    let figure = if own.is_nan() { "-".to_owned() } else { figure(own) };
    let ratio = kafka.map(|kafka| if better == Better::More { own / kafka } else { kafka / own });
    match ratio.filter(|ratio| ratio.is_finite()) {
        Some(ratio) => format!("{figure} ({ratio:.2}x)"),
        None => figure,
    }
}

/// Three figures that count, and no more digits than that.
fn figure(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The middle one; of an even number, the mean of the two in the middle. NaN when there is none.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    if sorted.is_empty() { f64::NAN } else { f64::midpoint(at((sorted.len() - 1) / 2), at(sorted.len() / 2)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_say_how_much_better_whatever_better_is() {
        let mut table = Table::new(vec![Peer::Kafka, Peer::Os]);
        for (peer, rate, cost) in [(Peer::Kafka, 100.0, 4.0), (Peer::Os, 250.0, 1.0)] {
            let mut figures = Figures::default();
            figures.note("work, MB/s", Better::More, rate);
            figures.note("- CPU", Better::Less, cost);
            table.add(peer, figures);
        }
        let markdown = table.markdown();
        assert!(markdown.contains("| work, MB/s | 100 (1.00x) | 250 (2.50x) |"), "{markdown}");
        assert!(markdown.contains("| - CPU | 4.00 (1.00x) | 1.00 (4.00x) |"), "{markdown}");
    }

    #[test]
    fn without_kafka_there_are_no_ratios_and_without_a_figure_a_dash() {
        let mut table = Table::new(vec![Peer::Os]);
        let mut figures = Figures::default();
        figures.note("cold", Better::More, f64::NAN);
        table.add(Peer::Os, figures);
        assert!(table.markdown().ends_with("| cold | - |"), "{}", table.markdown());
    }
}

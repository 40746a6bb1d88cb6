//! Small line plots in SVG: panels in rows, a logarithmic x axis with a line where something was measured, one legend.

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// From zero, in even steps.
    Linear,
    /// In powers of ten.
    Log,
}

/// A line of one panel.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// By x, which grows.
    pub(crate) points: Vec<(f64, f64)>,
}

/// One plot.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    /// Of the y axis; x is always logarithmic.
    pub(crate) scale: Scale,
    pub(crate) series: Vec<Series>,
}

/// Colours that are told apart also by those who see few, and in grey; with each a mark of its own.
const COLOURS: [&str; 3] = ["#7a7a7a", "#d55e00", "#0072b2"];

const PANEL_WIDTH: f64 = 330.0;
const PANEL_HEIGHT: f64 = 270.0;
/// Room for the axes of a panel.
const LEFT: f64 = 58.0;
const BOTTOM: f64 = 46.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 14.0;
/// Room for title and legend above the panels.
const HEAD: f64 = 64.0;

/// The picture with `columns` panels in a row.
pub(crate) fn page(title: &str, panels: &[Panel], columns: usize) -> String {
    let rows = panels.len().div_ceil(columns);
    let (width, height) = (PANEL_WIDTH * columns as f64 + 10.0, HEAD + PANEL_HEIGHT * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    svg += &text((14.0, 24.0), "start", "font-size=\"15\" font-weight=\"bold\"", title);
    svg += &legend(panels);
    for (at, panel) in panels.iter().enumerate() {
        let (x, y) = (PANEL_WIDTH * (at % columns) as f64, HEAD + PANEL_HEIGHT * (at / columns) as f64);
        svg += &format!("<g transform=\"translate({x} {y})\">\n{}</g>\n", drawn(panel));
    }
    svg + "</svg>\n"
}

fn legend(panels: &[Panel]) -> String {
    let names = panels.first().into_iter().flat_map(|panel| &panel.series).map(|series| series.name);
    let entry = |(at, name): (usize, &str)| {
        let x = 20.0 + 230.0 * at as f64;
        let line = format!("<path d=\"M{x} 46h26\" stroke=\"{}\" stroke-width=\"2\"/>\n", colour(at));
        let name = name.replace('`', "");
        line + &mark(at, (x + 13.0, 46.0)) + &text((x + 34.0, 50.0), "start", "font-size=\"12\"", &name)
    };
    names.enumerate().map(entry).collect()
}

fn drawn(panel: &Panel) -> String {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let x = Axis::log(points().map(|point| point.0), LEFT, PANEL_WIDTH - RIGHT);
    let (bottom, top) = (PANEL_HEIGHT - BOTTOM, TOP);
    let y = match panel.scale {
        Scale::Linear => Axis::linear(points().map(|point| point.1), bottom, top),
        Scale::Log => Axis::log(points().map(|point| point.1), bottom, top),
    };
    let mut svg = text((LEFT, TOP - 12.0), "start", "font-size=\"12\" font-weight=\"bold\"", panel.y);
    svg += &text((f64::midpoint(LEFT, PANEL_WIDTH - RIGHT), PANEL_HEIGHT - 10.0), "middle", "", panel.x);
    for tick in measured(&panel.series) {
        let at = x.place(tick);
        svg += &format!("<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#e4e4e4\"/>\n");
        svg += &text((at, bottom + 16.0), "middle", "", &number(tick));
    }
    for tick in y.ticks() {
        let at = y.place(tick);
        svg += &format!("<path d=\"M{LEFT} {at:.1}H{}\" stroke=\"#e4e4e4\"/>\n", PANEL_WIDTH - RIGHT);
        svg += &text((LEFT - 6.0, at + 4.0), "end", "", &number(tick));
    }
    svg += &format!("<path d=\"M{LEFT} {top}V{bottom}H{}\" stroke=\"#666\" fill=\"none\"/>\n", PANEL_WIDTH - RIGHT);
    for (at, series) in panel.series.iter().enumerate() {
        let places: Vec<_> = series.points.iter().map(|(px, py)| (x.place(*px), y.place(*py))).collect();
        let path: Vec<_> = places.iter().map(|(px, py)| format!("{px:.1} {py:.1}")).collect();
        if !path.is_empty() {
            let d = path.join("L");
            svg += &format!("<path d=\"M{d}\" stroke=\"{}\" stroke-width=\"2\" fill=\"none\"/>\n", colour(at));
        }
        svg.extend(places.into_iter().map(|place| mark(at, place)));
    }
    svg
}

/// Every x once: where something was measured.
fn measured(series: &[Series]) -> Vec<f64> {
    let mut all: Vec<_> = series.iter().flat_map(|series| &series.points).map(|point| point.0).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

fn colour(at: usize) -> &'static str {
    COLOURS[at % COLOURS.len()]
}

/// A circle, a square or a triangle.
fn mark(at: usize, (x, y): (f64, f64)) -> String {
    let colour = colour(at);
    match at % 3 {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>\n"),
        1 => format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\" fill=\"{colour}\"/>\n", x - 4.0, y - 4.0),
        _ => format!("<path d=\"M{x:.1} {:.1}l5 9h-10z\" fill=\"{colour}\"/>\n", y - 5.5),
    }
}

fn text((x, y): (f64, f64), anchor: &str, style: &str, content: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{content}</text>\n")
}

/// 10000 as 10,000; 0.5 as 0.5.
fn number(value: f64) -> String {
    let plain = format!("{value:.3}");
    let plain = plain.trim_end_matches('0').trim_end_matches('.');
    let (whole, part) =
        plain.split_once('.').map_or((plain, String::new()), |(whole, part)| (whole, format!(".{part}")));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &part
}

/// Where values lie between two ends of a panel.
#[derive(Clone, Copy, Debug)]
struct Axis {
    scale: Scale,
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// From zero to a round value above the largest.
    fn linear(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let most = values.fold(0.0, f64::max).max(1e-9);
        let step = step(most);
        Self { scale: Scale::Linear, least: 0.0, most: (most / step).ceil() * step, from, to }
    }

    /// From a power of ten, or two or five times it, to another one; a little wider, so that no mark is on the edge.
    fn log(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let positive = values.filter(|value| *value > 0.0);
        let least = positive.clone().fold(f64::INFINITY, f64::min);
        let most = positive.fold(0.0, f64::max);
        let (least, most) = if most > 0.0 { (least, most) } else { (1.0, 10.0) };
        Self { scale: Scale::Log, least: least / 1.4, most: most * 1.4, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let part = match self.scale {
            Scale::Linear => (value - self.least) / (self.most - self.least),
            Scale::Log => (value / self.least).ln() / (self.most / self.least).ln(),
        };
        self.from + part * (self.to - self.from)
    }

    /// Where lines are drawn and values written.
    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = step(self.most);
                (0..=20).map(|at| step * f64::from(at)).take_while(|tick| *tick <= self.most * 1.0001).collect()
            }
            Scale::Log => {
                let powers = (-6..=12).map(|power| 10f64.powi(power));
                let wide = self.most / self.least > 200.0;
                let steps: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let ticks = powers.flat_map(|power| steps.iter().map(move |step| step * power));
                ticks.filter(|tick| *tick >= self.least && *tick <= self.most).collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, so that there are three to seven of them up to `most`.
fn step(most: f64) -> f64 {
    let power = 10f64.powf(most.log10().floor() - 1.0);
    [2.0, 5.0, 10.0, 20.0, 50.0].map(|step| step * power).into_iter().find(|step| most / step <= 7.0).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-6
    }

    #[test]
    fn a_linear_axis_begins_at_zero_and_ends_at_a_round_value() {
        let axis = Axis::linear([320.0, 1460.0].into_iter(), 200.0, 0.0);
        assert!(near(axis.place(0.0), 200.0) && near(axis.place(axis.most), 0.0));
        assert_eq!(axis.ticks(), [0.0, 500.0, 1000.0, 1500.0]);
    }

    #[test]
    fn decades_are_equally_far_apart_on_a_logarithmic_axis() {
        let axis = Axis::log([1.0, 10_000.0].into_iter(), 0.0, 100.0);
        let places: Vec<_> = axis.ticks().iter().map(|tick| axis.place(*tick)).collect();
        assert_eq!(axis.ticks(), [1.0, 10.0, 100.0, 1000.0, 10_000.0]);
        assert!(places.windows(2).all(|pair| near(pair[1] - pair[0], places[1] - places[0])));
        assert!(places[0] > 0.0 && places[4] < 100.0);
    }

    #[test]
    fn a_short_logarithmic_axis_has_ticks_between_the_decades() {
        assert_eq!(Axis::log([30.0, 400.0].into_iter(), 0.0, 1.0).ticks(), [50.0, 100.0, 200.0, 500.0]);
    }

    #[test]
    fn steps_give_three_to_seven_lines() {
        for most in [0.3, 1.0, 1.9, 4.2, 7.1, 9.9, 37.0, 1999.0] {
            let lines = most / step(most);
            assert!((2.0..=7.0).contains(&lines), "{most}: {lines}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([10_000.0, 1_000_000.0, 0.5, 20.0, 0.0].map(number), ["10,000", "1,000,000", "0.5", "20", "0"]);
    }

    #[test]
    fn an_empty_panel_is_still_a_picture() {
        let panel = Panel { x: "x", y: "y", scale: Scale::Log, series: vec![Series { name: "none", points: vec![] }] };
        let svg = page("title", &[panel], 1);
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

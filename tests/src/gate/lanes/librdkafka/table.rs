//! The table of librdkafka's tests: what each came to, and why where it did not pass.

use std::fmt::Write as _;

/// The first line of the file.
const HEAD: &str = "number\tname\tstate\tseconds\treason";

/// What a test came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Pass,
    Fail,
    Skip,
}

impl State {
    const ALL: [(Self, &'static str); 3] = [(Self::Pass, "pass"), (Self::Fail, "fail"), (Self::Skip, "skip")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Four digits.
    pub(super) number: String,
    /// What follows the number in its name: some numbers have several tests.
    pub(super) name: String,
    pub(super) state: State,
    /// How long it took, in whole seconds.
    pub(super) seconds: u64,
    /// Why it was skipped or is allowed to fail; of a pass, what it skipped within.
    pub(super) reason: String,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next().map(str::to_owned);
        let (number, name) = (next()?, next()?);
        let state = State::parse(&next()?)?;
        let seconds = next()?.parse().ok()?;
        Some(Self { number, name, state, seconds, reason: next().unwrap_or_default() })
    }

    fn is(&self, other: &Self) -> bool {
        (&self.number, &self.name) == (&other.number, &other.name)
    }
}

/// Every test, in the order of the numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table(Vec<Row>);

impl Table {
    /// Reads a file; lines that are no rows, as its head, are passed over.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(Row::parse).collect())
    }

    /// The file.
    pub(super) fn rendered(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for Row { number, name, state, seconds, reason } in &self.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{number}\t{name}\t{}\t{seconds}\t{reason}", state.word());
        }
        text
    }

    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.0.extend(rows);
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.0
    }

    /// This table with the rows of `some` in place of its own.
    pub(super) fn with(&self, some: &Self) -> Self {
        let others = self.0.iter().filter(|row| some.row(row).is_none()).cloned();
        let mut rows: Vec<Row> = others.chain(some.0.iter().cloned()).collect();
        rows.sort_by(|a, b| (&a.number, &a.name).cmp(&(&b.number, &b.name)));
        Self(rows)
    }

    fn row(&self, row: &Row) -> Option<&Row> {
        self.0.iter().find(|known| known.is(row))
    }

    /// The row with the reason that stands for the same state already: failures are explained by hand.
    pub(super) fn with_reason(&self, row: Row) -> Row {
        match self.row(&row) {
            Some(known) if known.state == row.state && row.state == State::Fail => {
                Row { reason: known.reason.clone(), ..row }
            }
            _ => row,
        }
    }

    /// Which of `rows` are worse than in this table: a test that passed has to, and one that fails has to be known for it.
    pub(super) fn missed_by(&self, rows: &[Row]) -> Vec<String> {
        let worse = |row: &&Row| match self.row(row).map(|known| known.state) {
            Some(State::Pass) => row.state != State::Pass,
            Some(State::Fail) => false,
            Some(State::Skip) | None => row.state == State::Fail,
        };
        let shown = |row: &Row| format!("{}_{}: {}, {}", row.number, row.name, row.state.word(), row.reason);
        rows.iter().filter(worse).map(shown).collect()
    }

    /// What is worse here than `before`, tests that are gone included.
    pub(super) fn worse_than(&self, before: &Self) -> Vec<String> {
        let mut worse = before.missed_by(&self.0);
        let gone = before.0.iter().filter(|row| row.state == State::Pass && self.row(row).is_none());
        worse.extend(gone.map(|row| format!("{}_{} was not run", row.number, row.name)));
        worse
    }

    /// How many there are of each state.
    pub(super) fn counts(&self) -> String {
        let count = |state| self.0.iter().filter(|row| row.state == state).count();
        let [passed, failed, skipped] = [State::Pass, State::Fail, State::Skip].map(count);
        format!("{passed} tests pass, {failed} fail, {skipped} are skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, state: State) -> Row {
        Row { number: "0001".into(), name: name.into(), state, seconds: 1, reason: "as it is".into() }
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let table = Table(vec![row("one", State::Pass), row("two", State::Fail), row("three", State::Skip)]);
        assert_eq!(Table::parse(&table.rendered()), table);
    }

    #[test]
    fn a_test_that_passed_has_to_pass_and_a_failure_has_to_be_known() {
        let before = Table(vec![row("passed", State::Pass), row("failed", State::Fail), row("skipped", State::Skip)]);
        let worse = |name: &str, state| !before.missed_by(&[row(name, state)]).is_empty();
        assert!(worse("passed", State::Fail) && worse("passed", State::Skip) && !worse("passed", State::Pass));
        assert!(!worse("failed", State::Fail) && !worse("failed", State::Pass));
        assert!(worse("skipped", State::Fail) && !worse("skipped", State::Skip));
        assert!(worse("new", State::Fail) && !worse("new", State::Pass));
        assert_eq!(Table(Vec::new()).worse_than(&before), ["0001_passed was not run"]);
    }

    #[test]
    fn some_rows_take_the_place_of_their_own() {
        let before = Table(vec![row("a", State::Pass), row("b", State::Fail), row("c", State::Pass)]);
        let now = before.with(&Table(vec![row("b", State::Pass)]));
        assert_eq!(now, Table(vec![row("a", State::Pass), row("b", State::Pass), row("c", State::Pass)]));
    }

    #[test]
    fn the_reason_of_a_failure_stays_and_others_are_of_the_run() {
        let before = Table(vec![Row { reason: "no transactions yet".into(), ..row("one", State::Fail) }]);
        assert_eq!(before.with_reason(row("one", State::Fail)).reason, "no transactions yet");
        assert_eq!(before.with_reason(row("one", State::Pass)).reason, "as it is");
    }
}

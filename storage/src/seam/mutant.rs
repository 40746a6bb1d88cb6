//! Bugs on purpose, by which the simulator proves that it catches what it should (tests/sim). They exist only in a build with
//! `--cfg barnabas_mutant`, which is the simulator's: everywhere else the question is `false` when it is compiled.

/// True when the bug of this name is switched on.
#[cfg(not(barnabas_mutant))]
#[inline(always)]
#[must_use]
pub const fn mutant(_name: &str) -> bool {
    false
}

#[cfg(barnabas_mutant)]
static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// True when the bug of this name is switched on.
#[cfg(barnabas_mutant)]
#[must_use]
pub fn mutant(name: &str) -> bool {
    CHOSEN.get().is_some_and(|chosen| chosen == name)
}

/// Switches one on, for good.
#[cfg(barnabas_mutant)]
pub fn switch_on(name: &str) {
    let _ = CHOSEN.set(name.to_owned());
}

//! Runs the snippets of `docs/runtimes.md`, with the crates that they use.

/// The page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/runtimes.md")]
pub mod page {}

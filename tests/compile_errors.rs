//! Programs that must not compile, in `tests/ui`, each with the compiler's messages.
//!
//! The messages are those of the toolchain that CI uses. `TRYBUILD=overwrite cargo test --test compile_errors` writes
//! them anew. How the compiler spells the paths of `Exception` and `Result` depends on all the other crates of the
//! build: the messages that name them are those of `cargo test` at the root of the workspace.

#[test]
fn misuse_is_a_compile_error_that_says_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}

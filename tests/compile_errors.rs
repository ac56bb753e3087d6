//! What must not compile, and what the compiler says then: each program in `tests/ui`, with its messages.
//!
//! The messages are those of the toolchain that CI uses. `TRYBUILD=overwrite cargo test --test compile_errors`
//! writes them anew. A message that names `Exception` has no place here: how the compiler spells that depends on
//! all the other crates of the build.

#[test]
fn misuse_is_a_compile_error_that_says_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}

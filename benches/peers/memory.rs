//! The rows that count bytes: they need a counting allocator, which would slow the other rows down, so the bench
//! `memory` is a program of its own, which this file has cargo run.

use std::process::Command;

/// Prints the table of bytes.
pub(crate) fn table(quick: bool) {
    println!();
    let Some(cargo) = std::env::var_os("CARGO") else {
        return println!("The rows that count bytes run only under cargo: cargo bench --bench memory");
    };
    let mut bench = Command::new(cargo);
    bench.args(["bench", "--quiet", "--package", "squall-benches", "--bench", "memory", "--"]);
    if quick {
        bench.arg("--quick");
    }
    let status = bench.status().expect("cargo can be run: it has run this");
    assert!(status.success(), "the bench `memory` failed: {status}");
}

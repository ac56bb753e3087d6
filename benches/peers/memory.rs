//! The rows that count bytes. They need an allocator that counts, which would slow the other rows down: so the
//! bench `memory` is a program of its own, and this asks cargo to run it.

use std::process::Command;

/// Prints the table of bytes.
pub(crate) fn table(quick: bool) {
    println!();
    let Some(cargo) = std::env::var_os("CARGO") else {
        return println!("The rows that count bytes run by cargo only: cargo bench --bench memory");
    };
    let mut bench = Command::new(cargo);
    bench.args(["bench", "--quiet", "--package", "squall-benches", "--bench", "memory", "--"]);
    if quick {
        bench.arg("--quick");
    }
    let status = bench.status().expect("cargo can be run: it has run this");
    assert!(status.success(), "the bench `memory` failed: {status}");
}

//! Typical user code compiles and works in separate crates of edition 2021 and edition 2024.
//!
//! The crates stand in `tests/editions`, outside of the workspace, with one source. They take the versions of
//! the workspace's `Cargo.lock`.

use std::path::Path;
use std::process::Command;

#[test]
fn the_face_compiles_and_runs_in_both_editions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for edition in ["2021", "2024"] {
        let package = root.join("tests/editions").join(format!("edition{edition}"));
        std::fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--manifest-path"])
            .arg(package.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("editions"))
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "edition {edition}:\n{out}{err}");
        assert!(out.ends_with("every snippet does what it says\n"), "edition {edition}:\n{out}{err}");
    }
}

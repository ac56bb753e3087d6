//! The README shows what its commands really print.

use std::path::Path;
use std::process::Command;

/// Returns each command of the README that is followed by a picture, with that picture.
fn pictures(readme: &str) -> Vec<(&str, &str)> {
    let mut blocks = readme.split("```").skip(1).step_by(2).peekable();
    let mut pictures = Vec::new();
    while let Some(block) = blocks.next() {
        let command = block.strip_prefix("console\n$ cargo run -- ");
        let picture = blocks.peek().and_then(|next| next.strip_prefix("text\n"));
        if let (Some(command), Some(picture)) = (command, picture) {
            pictures.push((command.trim_end(), picture));
        }
    }
    pictures
}

#[test]
fn each_picture_is_what_the_command_above_it_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let pictures = pictures(&readme);
    assert!(!pictures.is_empty(), "the README has no picture");
    for (command, picture) in pictures {
        let mut squall = Command::new(env!("CARGO_BIN_EXE_squall"));
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            squall.env_remove(variable);
        }
        let output = squall.args(command.split(' ')).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(picture, printed, "put this below `cargo run -- {command}` in README.md:\n{printed}");
    }
}

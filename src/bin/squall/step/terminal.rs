//! The terminal: taken over, and given back however the stepper ends.

use std::fs;
use std::io::{self, IsTerminal};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};
use ratatui::Frame;

use super::app::App;
use super::draw::draw;

/// Returns whether there is a terminal to draw on and to read keys from. If standard input is `taken` by the trace, keys
/// come from the terminal itself.
pub(crate) fn is_interactive(taken: bool) -> bool {
    let has_keys = if taken { fs::File::open("/dev/tty").is_ok() } else { io::stdin().is_terminal() };
    has_keys && io::stdout().is_terminal()
}

/// Shows the stepper until the reader quits. The terminal is restored after that, after an error and after a panic. Ctrl-C is a
/// key like any other meanwhile.
pub(crate) fn run(app: &mut App<'_>) -> io::Result<()> {
    show(app, draw)
}

fn show<'a>(app: &mut App<'a>, draw: impl Fn(&App<'a>, &mut Frame<'_>)) -> io::Result<()> {
    // This also has a panic restore the terminal before its message is printed.
    let mut terminal = ratatui::try_init()?;
    let shown = (|| {
        while !app.done {
            terminal.draw(|frame| draw(app, frame))?;
            // What was typed meanwhile is not drawn key by key.
            loop {
                if let Event::Key(key) = event::read()? {
                    app.key(key);
                }
                if app.done || !event::poll(Duration::ZERO)? {
                    break;
                }
            }
        }
        Ok(())
    })();
    ratatui::try_restore()?;
    shown
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use squall::trace::Lang;

    use super::super::{Play, Theme};
    use super::*;

    const OPENED: &str = "\x1b[?1049h";
    const CLOSED: &str = "\x1b[?1049l";
    const CURSOR: &str = "\x1b[?25h";

    fn stepper<R>(f: impl FnOnce(&mut App<'_>) -> R) -> R {
        let trace = squall::trace::record(|| squall::trace::note("hello"));
        f(&mut App::new(&Play::new(&trace, "hello", ["", ""]), Lang::En, Theme::Dark))
    }

    /// These two are run by the others, in terminals of their own.
    #[test]
    #[ignore = "needs a terminal"]
    fn steps() {
        stepper(run).unwrap();
    }

    #[test]
    #[ignore = "needs a terminal"]
    fn panics_after_a_key() {
        stepper(|app| {
            show(app, |app, frame| {
                draw(app, frame);
                assert!(!app.help, "a fault");
            })
        })
        .unwrap();
    }

    /// Runs one of the tests above in a terminal, types keys once the screen is there, and returns what the terminal got.
    fn in_a_terminal(test: &str, keys: &[u8]) -> String {
        let exe = std::env::current_exe().unwrap();
        let line = format!(
            "stty rows 24 cols 80; was=$(stty -g); {} --ignored --exact step::terminal::tests::{test}; \
             test \"$was\" = \"$(stty -g)\" && echo as it was",
            exe.display()
        );
        let mut script = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut typed, mut out) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let (mut got, mut part, mut has_typed) = (Vec::new(), [0; 4096], false);
        loop {
            let count = out.read(&mut part).unwrap();
            if count == 0 {
                break;
            }
            got.extend_from_slice(&part[..count]);
            let screen = String::from_utf8_lossy(&got);
            if !has_typed && screen.find(OPENED).is_some_and(|at| screen[at..].contains("hello")) {
                has_typed = true;
                typed.write_all(keys).unwrap();
            }
        }
        script.wait().unwrap();
        String::from_utf8_lossy(&got).into_owned()
    }

    #[test]
    fn the_terminal_is_as_it_was_after_q_and_after_ctrl_c() {
        for keys in [b"q", b"\x03"] {
            let got = in_a_terminal("steps", keys);
            let closed = got.rfind(CLOSED).expect("the screen is closed");
            assert!(got.find(OPENED).unwrap() < closed, "{got:?}");
            assert!(got[closed..].contains(CURSOR) && got.contains("as it was"), "{got:?}");
        }
    }

    #[test]
    fn a_panic_is_printed_after_the_terminal_was_restored() {
        let got = in_a_terminal("panics_after_a_key", b"?");
        let closed = got.find(CLOSED).expect("the screen is closed");
        assert!(got[closed..].contains("a fault") && !got[..closed].contains("a fault"), "{got:?}");
        assert!(got[closed..].contains(CURSOR) && got.contains("as it was"), "{got:?}");
    }
}

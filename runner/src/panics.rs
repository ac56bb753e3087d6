//! The panic hook: keeps what a panic says, for tools that show it in a report of their own.
//!
//! The hook is installed once, in front of the one that the program has then, and calls that one in turn.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

thread_local! {
    /// Whether panics of this thread are kept instead of printed.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// What was not printed last: its text and its line.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the hook, the first time that it is called.
#[cold]
pub fn install_hook() {
    static HOOK: Once = Once::new();
    // While a panic is under way the hook cannot be exchanged.
    if std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if is_quiet() {
                keep(info);
            } else {
                before(info);
            }
        }));
    });
}

fn keep(info: &PanicHookInfo<'_>) {
    let text = text_of(info.payload());
    let text = match info.location() {
        Some(location) => format!("{text}\nat {location}"),
        None => text,
    };
    let _ = KEPT.try_with(|kept| kept.replace(Some(text)));
}

/// Returns what a panic says, if that is a text.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a value that is not a string").to_owned()
}

/// Returns whether panics and reports of this thread are kept instead of printed.
pub(crate) fn is_quiet() -> bool {
    QUIET.get()
}

/// Calls `f`, for a tool that shows what happened in it: panics and reports are not printed meanwhile. Returns the text
/// and the line of the last panic as well, trapped or not.
///
/// ```
/// use squall_runner::{panics::quietly, Exception};
///
/// let (_, panic) = quietly(|| Exception::trap(|| panic!("no"), drop));
/// assert!(panic.unwrap().starts_with("no\nat "));
/// ```
pub fn quietly<R>(f: impl FnOnce() -> R) -> (R, Option<String>) {
    struct Quiet(bool);
    impl Drop for Quiet {
        fn drop(&mut self) {
            QUIET.set(self.0);
        }
    }
    install_hook();
    let take = || KEPT.try_with(RefCell::take).ok().flatten();
    take();
    let quiet = Quiet(QUIET.replace(true));
    let result = f();
    drop(quiet);
    (result, take())
}

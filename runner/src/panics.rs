//! The panic hook: notes where a panic happened, before the stack is unwound and that is lost.
//!
//! The hook is installed once, in front of the one that the program has then, and calls that one in turn. If the
//! program replaces it later, a trapped panic is reported at the line of the last yield instead.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::place::Place;

/// The last panic of a thread.
struct Last {
    text: String,
    payload: TypeId,
    place: Option<Place>,
}

thread_local! {
    /// Whether panics of this thread are kept instead of printed.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The last panic that nobody has asked for yet.
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
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
            note(info);
            if is_quiet() {
                keep(info);
            } else {
                before(info);
            }
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|at| Place::new(at.file(), at.line(), at.column()));
    let payload = info.payload();
    let last = Last { text: text_of(payload), payload: payload.type_id(), place };
    // On a thread that is ending there is nowhere to note it.
    let _ = LAST.try_with(|cell| cell.replace(Some(last)));
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

/// Returns where the panic happened that was caught with this payload.
///
/// The last panic that the hook saw may be another one: the program may have replaced the hook since.
pub(crate) fn place_of(payload: &(dyn Any + Send)) -> Option<Place> {
    let last = LAST.try_with(RefCell::take).ok().flatten()?;
    let is_same = last.payload == payload.type_id() || is_text(last.payload) && is_text(payload.type_id());
    (is_same && last.text == text_of(payload)).then_some(last.place)?
}

fn is_text(payload: TypeId) -> bool {
    [TypeId::of::<String>(), TypeId::of::<&'static str>()].contains(&payload)
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

//! The panic hook: records where a panic happened, which is unknown once the stack is unwound.
//!
//! The hook is installed once, in front of the program's current hook, which it calls. If the program replaces it
//! later, a trapped panic is reported at the line of the last yield instead.

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
    /// `true` while panics of this thread are kept instead of printed.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The last panic that nothing has asked for yet.
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    /// The last panic that was not printed: its text and its line.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the hook. Only the first call has an effect.
#[cold]
pub fn install_hook() {
    static HOOK: Once = Once::new();
    // The hook cannot be exchanged during a panic.
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
    // A thread that is ending cannot record it.
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

/// Returns the message of a panic, if it is a text.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a value that is not a string").to_owned()
}

/// Returns the line of the panic that was caught with this payload.
///
/// Compares the payload, since the last panic that the hook saw may be another one: the program may have replaced the
/// hook.
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

/// Calls `f` without printing panics and reports, for a tool that shows what happened in `f`. Also returns the text and
/// the line of the last panic, whether it was trapped or not.
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

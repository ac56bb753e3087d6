//! The panic hook: records where a panic happened, which is unknown once the stack is unwound.
//!
//! The hook is installed once, in front of the program's current hook, which it calls. If the program replaces it
//! later, a trapped panic is reported at the line of the last yield instead.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::place::Place;

/// A panic of a thread, as the hook saw it.
struct Seen {
    text: String,
    payload: TypeId,
    place: Option<Place>,
}

thread_local! {
    /// `true` while panics of this thread are kept instead of printed.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The last panics that nothing has asked for yet, oldest first. There are several while a value that is dropped
    /// by a panic panics, too.
    static SEEN: RefCell<Vec<Seen>> = const { RefCell::new(Vec::new()) };
    /// The last panic that was not printed: its text and its line.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Completed once the hook is installed.
static HOOK: Once = Once::new();

/// Installs the hook. Only the first call has an effect.
#[inline]
pub fn install_hook() {
    if !HOOK.is_completed() {
        install();
    }
}

#[cold]
fn install() {
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

/// How many panics are kept at most. Those that the program itself catches are never asked for.
const KEPT_PLACES: usize = 8;

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|at| Place::new(at.file(), at.line(), at.column()));
    let payload = info.payload();
    let panic = Seen { text: text_of(payload), payload: payload.type_id(), place };
    // A thread that is ending cannot record it.
    let _ = SEEN.try_with(|seen| {
        let mut seen = seen.borrow_mut();
        if seen.len() == KEPT_PLACES {
            seen.remove(0);
        }
        seen.push(panic);
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

/// Returns the message of a panic, if it is a text.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a value that is not a string").to_owned()
}

/// Returns the line of the panic that was caught with this payload.
///
/// Compares the payload, since the last panic that the hook saw may be another one: the program may have replaced the
/// hook. The last panic is the first to be caught, so those after this one are over.
pub(crate) fn place_of(payload: &(dyn Any + Send)) -> Option<Place> {
    let text = text_of(payload);
    let is_it = |panic: &Seen| {
        let is_same =
            panic.payload == payload.type_id() || is_text(panic.payload) && is_text(payload.type_id());
        is_same && panic.text == text
    };
    let find = |seen: &RefCell<Vec<Seen>>| {
        let mut seen = seen.borrow_mut();
        let index = seen.iter().rposition(is_it);
        let place = index.and_then(|index| seen.drain(index..).next()?.place);
        // Without another panic under way, those before it were caught by the program.
        if !std::thread::panicking() {
            seen.clear();
        }
        place
    };
    SEEN.try_with(find).ok().flatten()
}

fn is_text(payload: TypeId) -> bool {
    [TypeId::of::<String>(), TypeId::of::<&'static str>()].contains(&payload)
}

/// Returns whether panics and reports of this thread are kept instead of printed.
pub fn is_quiet() -> bool {
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

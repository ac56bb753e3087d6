//! [`Printed`]: a value as a trace prints it.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use squall_runner::foreign;
use squall_runner::trace::{Show, Shown};

thread_local! {
    static SHOWS: RefCell<HashMap<TypeId, Show>> = RefCell::default();
}

/// Prints values of type `T` by `show` on this thread, unless the coroutine attribute saw the `Debug` of the type.
///
/// ```
/// use squall::trace::{show_as, Printed, Shown};
///
/// struct Page(u32);
/// show_as::<Page>(|page, f| match page.downcast_ref::<Page>() {
///     Some(Page(number)) => write!(f, "page {number}"),
///     None => Ok(()),
/// });
/// assert_eq!(Printed(Shown::new(&Page(5), None)).to_string(), "page 5");
/// ```
pub fn show_as<T: 'static>(show: Show) {
    // Nothing is shown on a thread that is ending.
    let _ = SHOWS.try_with(|shows| shows.borrow_mut().insert(TypeId::of::<T>(), show));
}

/// A value as a trace prints it: by `Debug` if the coroutine attribute saw that; else by the function that was passed to
/// [`show_as`]; else by `Debug` if the type is from the standard library; else by the name of the type.
#[derive(Clone, Copy)]
pub struct Printed<'a>(pub Shown<'a>);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(shown) = self;
        if let Some(show) = shown.show {
            return foreign::show(f, |f| show(shown.value, f));
        }
        let told = SHOWS.try_with(|shows| shows.borrow().get(&shown.value.type_id()).copied());
        if let Ok(Some(show)) = told {
            return foreign::show(f, |f| show(shown.value, f));
        }
        macro_rules! known {
            ($($t:ty),*) => { $(
                if let Some(value) = shown.value.downcast_ref::<$t>() { return write!(f, "{value:?}"); }
                known!(@ $t: Vec<$t>, Option<$t>, [$t; 2], [$t; 3], BTreeMap<String, $t>, BTreeMap<&'static str, $t>);
            )* };
            (@ $t:ty: $($of:ty),*) => { $(
                if let Some(value) = shown.value.downcast_ref::<$of>() { return write!(f, "{value:?}"); }
            )* };
        }
        known!(
            (),
            bool,
            char,
            i8,
            i16,
            i32,
            i64,
            u8,
            u16,
            u32,
            u64,
            usize,
            f64,
            String,
            &'static str,
            Duration
        );
        TypeName(shown.type_name).fmt(f)
    }
}

/// The name of a type as traces print it in place of a value: `<Vec<C>>` for `alloc::vec::Vec<a::b::C>`.
pub(crate) struct TypeName(pub(crate) &'static str);

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<")?;
        write_without_paths(f, self.0)?;
        f.write_str(">")
    }
}

/// Writes `alloc::vec::Vec<a::b::C>` as `Vec<C>`.
fn write_without_paths(f: &mut fmt::Formatter<'_>, type_name: &str) -> fmt::Result {
    let mut rest = type_name;
    while let Some(end) = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')) {
        let path = rest[end..].strip_prefix("::");
        if path.is_none() {
            let next = end + rest[end..].chars().next().map_or(0, char::len_utf8);
            f.write_str(&rest[..next])?;
            rest = &rest[next..];
        }
        rest = path.unwrap_or(rest);
    }
    f.write_str(rest)
}

impl fmt::Debug for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::any::Any;

    use super::*;

    fn of<T: 'static>(value: &T) -> String {
        Printed(Shown::new(value, None)).to_string()
    }

    #[test]
    fn a_value_of_an_unknown_type_is_shown_as_its_type_without_paths() {
        struct Page;
        let shown = |value: &dyn Any, type_name| Printed(Shown { value, show: None, type_name }).to_string();
        assert_eq!(of(&vec![Page]), "<Vec<Page>>");
        assert_eq!(of(&Some((Page, [1_u8]))), "<Option<(Page, [u8; 1])>>");
        assert_eq!(shown(&Page, "a::B<c::D, &dyn e::F>"), "<B<D, &dyn F>>");
    }

    #[test]
    fn a_value_of_the_standard_library_is_shown_by_its_debug() {
        assert_eq!(of(&["a", "b"]), r#"["a", "b"]"#);
        assert_eq!(of(&BTreeMap::from([("a", 1_i32)])), r#"{"a": 1}"#);
    }
}

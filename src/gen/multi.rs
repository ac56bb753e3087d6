//! [`multi`]: waits for many things at once, like a coroutine that yields a list, a tuple or a map.
//!
//! ```
//! use std::collections::BTreeMap;
//! use squall::{multi, Future};
//!
//! let both = multi([Future::ready(1), Future::ready(2)]);
//! assert_eq!(both.result()?, [1, 2]);
//! let by_name = multi(BTreeMap::from([("a", Future::ready(1))]));
//! assert_eq!(by_name.result()?["a"], 1);
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! Source: `tornado.gen.multi`, `multi_future`.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::rc::{Rc, Weak};

use squall_runner::foreign::Guarded;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::{self, FutureId, Kind, Origin, Problem, Queued, State};
use squall_runner::Held;
use squall_runner::{
    convert_yielded, AnyFuture, Exception, Future, Place, Resolvable, Result, Shared, Yieldable,
};

use crate::kept::Kept;

/// Returns a Future that is done when all of `children` are, with their results in the shape of `children`.
///
/// If children fail, the Future fails with the exception of the first of them in list order, once all are done. The
/// other exceptions are logged. A `HashMap` starts its children in arbitrary order; use a `BTreeMap` where the order
/// matters.
///
/// A child that cannot be waited for fails the Future with [`Error::BadYield`](crate::Error::BadYield). The children
/// before it have already started, and run on.
#[track_caller]
pub fn multi<M, C: Children<M>>(children: C) -> Future<C::Output> {
    multi_quiet(children, |_| false)
}

/// Waits like [`multi`], but does not log a further exception for which `quiet` returns `true` (Tornado's
/// `quiet_exceptions`).
///
/// ```
/// use squall::{multi_quiet, Error, Future};
///
/// let children = [Future::<()>::failed(Error::Timeout), Future::failed(Error::Timeout)];
/// let all = multi_quiet(children, |e| e.is::<Error>());      // the second one is not logged
/// assert!(all.exception().is_some());
/// ```
#[track_caller]
pub fn multi_quiet<M, C: Children<M>>(
    children: C,
    quiet: impl Fn(&Exception) -> bool + 'static,
) -> Future<C::Output> {
    start(children, quiet, Some(Place::caller())).unwrap_or_else(Future::failed)
}

/// Begins to wait for all of them. `place` is the line of the call; a yielded collection is made at the line of its yield.
fn start<M, C: Children<M>>(
    children: C,
    quiet: impl Fn(&Exception) -> bool + 'static,
    place: Option<Place>,
) -> Result<Future<C::Output>> {
    let children = children.convert()?;
    let multi = Rc::new_cyclic(|this: &Weak<Multi<C::Futures, _>>| Multi {
        shared: Shared::new(),
        children: Cell::new(None),
        unfinished: Cell::new(0),
        kept: Kept::default(),
        quiet: Guarded::new(quiet),
        held: Cell::new(Some(Held::new(this.clone()))),
    });
    let mut of = Vec::new();
    if trace::observed() {
        children.each(&mut |child| of.push(child.id()));
    }
    multi.shared.announce_as(|| (Origin::Multi(&of), None, place));
    let number = trace::observed().then(|| multi.shared.id());
    let part = Rc::new(Part(Rc::downgrade(&multi), number));
    children.each(&mut |child| {
        // A Future may be in the list twice and is then waited for once, since no other waiter comes in between.
        if !child.done() && child.call_once_when_done(part.clone()) {
            multi.unfinished.set(multi.unfinished.get() + 1);
        }
    });
    multi.children.set(Some(children));
    if multi.unfinished.get() == 0 {
        multi.finish();
    }
    Ok(Future::from_core(multi))
}

/// The Future of all results. Its handles hold it, and it holds the children, which do not hold it in turn: the list is
/// dropped with its last handle.
struct Multi<F: Futures, Q> {
    shared: Shared<F::Output>,
    /// `None` once all children are done.
    children: Cell<Option<F>>,
    /// How many children are not done yet.
    unfinished: Cell<usize>,
    kept: Kept<Self>,
    quiet: Guarded<Q>,
    held: Cell<Option<Held>>,
}

/// The callback of each child, and the number of the list in the trace, if it is observed.
struct Part<F: Futures, Q>(Weak<Multi<F, Q>>, Option<FutureId>);

/// Asks a predicate of the user. One that panics counts as `false`, and the panic is reported.
pub(super) fn is_quiet(quiet: &impl Fn(&Exception) -> bool, exception: &Exception) -> bool {
    Exception::trap(
        || quiet(exception),
        |panic| {
            squall_runner::report::report(Problem::Callback, &panic);
            false
        },
    )
}

impl<F: Futures, Q: Fn(&Exception) -> bool> Multi<F, Q> {
    fn finish(&self) {
        drop(self.held.take());
        let Some(children) = self.children.take() else { return };
        // If the Future was cancelled, nothing receives the first exception either.
        let pending = self.shared.state() == State::Pending;
        let mut first = None;
        children.each(&mut |child| {
            if child.state() == State::Done {
                return;
            }
            if let Some(exception) = child.exception() {
                if pending && first.is_none() {
                    first = Some(exception);
                } else if !is_quiet(&*self.quiet, &exception) {
                    squall_runner::report::report(Problem::Multiple, &exception);
                }
            }
        });
        // Comparing the keys of a map and cloning results is foreign code, which may panic.
        self.shared.set(first.map_or_else(|| Exception::trap(|| children.results(), Err), Err));
        self.kept.release();
    }
}

impl<F: Futures, Q: Fn(&Exception) -> bool + 'static> Run for Part<F, Q> {
    fn run(self: Rc<Self>) {
        let Some(multi) = self.0.upgrade() else { return };
        multi.unfinished.set(multi.unfinished.get() - 1);
        if multi.unfinished.get() == 0 {
            multi.finish();
        }
    }

    fn queued_as(&self) -> Queued {
        self.1.map_or(Queued::Callback("multi"), Queued::Future)
    }

    /// Returns whether the list was dropped.
    fn is_over(&self, _holders: usize) -> bool {
        self.0.strong_count() == 0
    }
}

impl<F: Futures, Q: Fn(&Exception) -> bool + 'static> Withdraw for Part<F, Q> {}

impl<F: Futures, Q: Fn(&Exception) -> bool + 'static> Withdraw for Multi<F, Q> {
    fn withdraw(&self) {
        drop((self.held.take(), self.children.take()));
        self.shared.end_with_loop();
        self.kept.release();
    }
}

impl<F: Futures, Q> Drop for Multi<F, Q> {
    fn drop(&mut self) {
        if trace::observed() {
            self.shared.tell_dropped();
        }
    }
}

impl<F: Futures, Q: 'static> Resolvable for Multi<F, Q> {
    type Output = F::Output;

    fn shared(&self) -> &Shared<F::Output> {
        &self.shared
    }

    fn on_cancel(&self) {
        self.kept.release();
    }

    fn keep(self: Rc<Self>) {
        self.kept.keep(self.clone());
    }

    fn parts(&self) -> Vec<AnyFuture> {
        let (children, mut parts) = (self.children.take(), Vec::new());
        if let Some(children) = &children {
            children.each(&mut |child| parts.push(child));
        }
        self.children.set(children);
        parts
    }

    /// Describes the children that are still pending.
    fn describe(&self) -> Option<String> {
        let children = self.children.take();
        let mut descriptions = Vec::new();
        if let Some(children) = &children {
            children.each(&mut |child| {
                if !child.done() {
                    descriptions.extend(child.describe());
                }
            });
        }
        self.children.set(children);
        (!descriptions.is_empty()).then(|| format!("[{}]", descriptions.join("; ")))
    }
}

/// A collection that [`multi`] takes: arrays, `Vec`s, tuples and maps of yieldable things, also nested; and a `Vec` of
/// [`AnyFuture`]s.
pub trait Children<M> {
    /// The results, in the shape of the collection.
    type Output: 'static;
    #[doc(hidden)]
    type Futures: Futures<Output = Self::Output>;

    #[doc(hidden)]
    fn convert(self) -> Result<Self::Futures>;
    #[doc(hidden)]
    fn kind_of(&self) -> Kind;
    /// Calls `f` with the number of each Future among them.
    #[doc(hidden)]
    fn each_child(&self, f: &mut dyn FnMut(FutureId));
}

/// The Futures of all children, in the shape of the collection.
#[doc(hidden)]
pub trait Futures: 'static {
    type Output: 'static;
    fn each(&self, f: &mut dyn FnMut(AnyFuture));
    /// Returns the results of Futures that are all done without an exception.
    fn results(self) -> Result<Self::Output>;
}

/// The kind of an array or a `Vec`. `M` is the kind of its elements.
#[derive(Debug)]
pub struct List<M>(PhantomData<M>);

/// The kind of a tuple. `M` is the tuple of the kinds of its fields.
#[derive(Debug)]
pub struct Tuple<M>(PhantomData<M>);

/// The kind of a map. `M` is the kind of its values.
#[derive(Debug)]
pub struct Map<M>(PhantomData<M>);

/// Makes a collection that `multi` takes yieldable.
macro_rules! yieldable {
    ([$($generics:tt)*] $collection:ty, $marker:ty) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Yieldable<$marker> for $collection {
            type Output = <Self as Children<$marker>>::Output;

            fn convert_yielded(self) -> Result<Future<Self::Output>> {
                start(self, |_| false, None)
            }

            fn kind(&self) -> Kind {
                self.kind_of()
            }

            fn each_future(&self, f: &mut dyn FnMut(FutureId)) {
                self.each_child(f);
            }
        }
    };
}

impl<M, Y: Yieldable<M>> Children<List<M>> for Vec<Y> {
    type Output = Vec<Y::Output>;
    type Futures = Vec<Future<Y::Output>>;

    fn convert(self) -> Result<Self::Futures> {
        self.into_iter().map(convert_yielded).collect()
    }
    fn kind_of(&self) -> Kind {
        Kind::List(self.len())
    }
    fn each_child(&self, f: &mut dyn FnMut(FutureId)) {
        self.iter().for_each(|child| child.each_future(f));
    }
}
yieldable!([M, Y: Yieldable<M>] Vec<Y>, List<M>);

/// The kind of a `Vec` of Futures whose types are erased.
#[derive(Debug)]
pub struct Erased(());

/// Allows generators of other languages to wait for several Futures. The result is the list of these Futures, all done:
/// [`AnyFuture::into_result`] takes the result of each.
///
/// ```
/// use squall::{moment, Coroutine, Future, Generator, GeneratorState, IoLoop, Place, Resume, Runner, Yielded};
/// use squall::{multi, AnyFuture};
///
/// /// Line 3 of a program of another language: `return sum((yield [double(4), double(5)]))`.
/// struct Sum;
/// impl Generator for Sum {
///     type Return = i32;
///     fn resume(&mut self, resume: Resume) -> GeneratorState<i32> {
///         match resume {
///             Resume::Next => {
///                 let both: Vec<AnyFuture> = vec![double(4).erase(), double(5).erase()];
///                 GeneratorState::Yielded(Yielded::erased(multi(both).erase(), Some(Place::new("sum.py", 3, 16))))
///             }
///             Resume::Send(sent) => sum(sent).into(),
///             Resume::Throw(exception) => GeneratorState::Raised(exception),
///         }
///     }
/// }
/// fn sum(both: AnyFuture) -> squall::Result<i32> {
///     both.into_result::<Vec<AnyFuture>>()?.into_iter().map(AnyFuture::into_result::<i32>).sum()
/// }
/// fn double(n: i32) -> Future<i32> {
///     squall::coroutine(move |co| async move {
///         co.yield_(moment()).await?;
///         Ok(2 * n)
///     })
/// }
///
/// static SUM: Coroutine = Coroutine::new("sum", "sum.py", 1);
/// assert_eq!(IoLoop::current().run_sync(|| Runner::start(&SUM, Sum))?, 18);
/// # Ok::<(), squall::Exception>(())
/// ```
impl Children<Erased> for Vec<AnyFuture> {
    type Output = Self;
    type Futures = Self;

    fn convert(self) -> Result<Self> {
        Ok(self)
    }
    fn kind_of(&self) -> Kind {
        Kind::List(self.len())
    }
    fn each_child(&self, f: &mut dyn FnMut(FutureId)) {
        self.iter().for_each(|child| f(child.id()));
    }
}
yieldable!([] Vec<AnyFuture>, Erased);

impl Futures for Vec<AnyFuture> {
    type Output = Self;

    fn each(&self, f: &mut dyn FnMut(AnyFuture)) {
        self.iter().cloned().for_each(f);
    }
    fn results(self) -> Result<Self> {
        Ok(self)
    }
}

impl<T> Futures for Vec<Future<T>> {
    type Output = Vec<T>;

    fn each(&self, f: &mut dyn FnMut(AnyFuture)) {
        self.iter().for_each(|future| f(future.erased()));
    }
    fn results(self) -> Result<Vec<T>> {
        self.into_iter().map(Future::into_result).collect()
    }
}

impl<M, Y: Yieldable<M>, const N: usize> Children<List<M>> for [Y; N] {
    type Output = [Y::Output; N];
    type Futures = Array<Y::Output, N>;

    fn convert(self) -> Result<Self::Futures> {
        self.into_iter().map(convert_yielded).collect::<Result<_>>().map(Array)
    }
    fn kind_of(&self) -> Kind {
        Kind::List(N)
    }
    fn each_child(&self, f: &mut dyn FnMut(FutureId)) {
        self.iter().for_each(|child| child.each_future(f));
    }
}
yieldable!([M, Y: Yieldable<M>, const N: usize] [Y; N], List<M>);

/// The Futures of an array of length `N`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Array<T: 'static, const N: usize>(Vec<Future<T>>);

impl<T, const N: usize> Futures for Array<T, N> {
    type Output = [T; N];

    fn each(&self, f: &mut dyn FnMut(AnyFuture)) {
        self.0.each(f);
    }
    fn results(self) -> Result<[T; N]> {
        let results = self.0.results()?;
        Ok(results.try_into().unwrap_or_else(|_| unreachable!("there are as many results as children")))
    }
}

impl<M, K, Y, S> Children<Map<M>> for HashMap<K, Y, S>
where
    K: Eq + Hash + 'static,
    Y: Yieldable<M>,
    S: BuildHasher + Default + 'static,
{
    type Output = HashMap<K, Y::Output, S>;
    type Futures = Entries<K, Y::Output, Self::Output>;

    fn convert(self) -> Result<Self::Futures> {
        Entries::convert(self)
    }
    fn kind_of(&self) -> Kind {
        Kind::Dict(self.len())
    }
    fn each_child(&self, f: &mut dyn FnMut(FutureId)) {
        self.values().for_each(|child| child.each_future(f));
    }
}
yieldable!([M, K: Eq + Hash + 'static, Y: Yieldable<M>, S: BuildHasher + Default + 'static] HashMap<K, Y, S>, Map<M>);

impl<M, K: Ord + 'static, Y: Yieldable<M>> Children<Map<M>> for BTreeMap<K, Y> {
    type Output = BTreeMap<K, Y::Output>;
    type Futures = Entries<K, Y::Output, Self::Output>;

    fn convert(self) -> Result<Self::Futures> {
        Entries::convert(self)
    }
    fn kind_of(&self) -> Kind {
        Kind::Dict(self.len())
    }
    fn each_child(&self, f: &mut dyn FnMut(FutureId)) {
        self.values().for_each(|child| child.each_future(f));
    }
}
yieldable!([M, K: Ord + 'static, Y: Yieldable<M>] BTreeMap<K, Y>, Map<M>);

/// The Futures of a map of kind `O`, with their keys.
#[doc(hidden)]
#[derive(Debug)]
pub struct Entries<K, T: 'static, O> {
    entries: Vec<(Guarded<K>, Future<T>)>,
    _map: PhantomData<O>,
}

impl<K, T, O> Entries<K, T, O> {
    fn convert<M, Y: Yieldable<M, Output = T>>(children: impl IntoIterator<Item = (K, Y)>) -> Result<Self> {
        let convert = |(key, child)| Ok((Guarded::new(key), convert_yielded(child)?));
        Ok(Self { entries: children.into_iter().map(convert).collect::<Result<_>>()?, _map: PhantomData })
    }
}

impl<K: 'static, T, O: FromIterator<(K, T)> + 'static> Futures for Entries<K, T, O> {
    type Output = O;

    fn each(&self, f: &mut dyn FnMut(AnyFuture)) {
        self.entries.iter().for_each(|(_, future)| f(future.erased()));
    }
    fn results(self) -> Result<O> {
        self.entries.into_iter().map(|(key, future)| Ok((key.into_inner(), future.into_result()?))).collect()
    }
}

macro_rules! tuple {
    ($count:literal: $($y:ident $m:ident $t:ident),*) => {
        impl<$($m, $y: Yieldable<$m>),*> Children<Tuple<($($m,)*)>> for ($($y,)*) {
            type Output = ($($y::Output,)*);
            type Futures = ($(Future<$y::Output>,)*);

            #[allow(non_snake_case)]
            fn convert(self) -> Result<Self::Futures> {
                let ($($y,)*) = self;
                Ok(($(convert_yielded($y)?,)*))
            }
            fn kind_of(&self) -> Kind {
                Kind::List($count)
            }
            #[allow(non_snake_case)]
            fn each_child(&self, f: &mut dyn FnMut(FutureId)) {
                let ($($t,)*) = self;
                $($t.each_future(f);)*
            }
        }
        yieldable!([$($m, $y: Yieldable<$m>),*] ($($y,)*), Tuple<($($m,)*)>);

        impl<$($t),*> Futures for ($(Future<$t>,)*) {
            type Output = ($($t,)*);

            #[allow(non_snake_case)]
            fn each(&self, f: &mut dyn FnMut(AnyFuture)) {
                let ($($t,)*) = self;
                $(f($t.erased());)*
            }
            #[allow(non_snake_case)]
            fn results(self) -> Result<Self::Output> {
                let ($($t,)*) = self;
                Ok(($($t.into_result()?,)*))
            }
        }
    };
}
tuple!(1: A MA TA);
tuple!(2: A MA TA, B MB TB);
tuple!(3: A MA TA, B MB TB, C MC TC);
tuple!(4: A MA TA, B MB TB, C MC TC, D MD TD);
tuple!(5: A MA TA, B MB TB, C MC TC, D MD TD, E ME TE);
tuple!(6: A MA TA, B MB TB, C MC TC, D MD TD, E ME TE, F MF TF);
tuple!(7: A MA TA, B MB TB, C MC TC, D MD TD, E ME TE, F MF TF, G MG TG);
tuple!(8: A MA TA, B MB TB, C MC TC, D MD TD, E ME TE, F MF TF, G MG TG, H MH TH);

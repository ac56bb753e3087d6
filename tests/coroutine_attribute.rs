//! `#[squall::coroutine]`: what may be written under it, and what it becomes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::rc::Rc;

use squall::trace::{self, Event, Observer};
use squall::{moment, Error, Exception, Future, Place, Promise, Result, Return};
use squall_runner::ready::ReadyQueue;

/// Runs everything that is ready, and everything that becomes ready by that.
fn turn_until_idle() {
    while let Some(callback) = ReadyQueue::current().pop() {
        callback.run();
    }
}

/// Turns the loop until it has nothing to do, and returns the result of `future`.
fn run<T: Clone>(future: Future<T>) -> Result<T> {
    turn_until_idle();
    future.result()
}

/// Returns a Future and its Promise.
fn pending<T>() -> (Future<T>, Promise<T>) {
    let future = Future::new();
    let promise = future.promise();
    (future, promise)
}

/// Returns the place at which a text first occurs in this file.
fn place(of: &str) -> String {
    let mut lines = include_str!("coroutine_attribute.rs").lines().enumerate();
    let (line, column) = lines.find_map(|(n, line)| Some((n, line.find(of)?))).expect("it is there");
    format!("{}:{}:{}", file!(), line + 1, column + 1)
}

#[derive(Debug, thiserror::Error, PartialEq)]
#[error("division by zero")]
struct ZeroDivision;

/// Notes when it is dropped.
struct Dropped(&'static str, Rc<RefCell<Vec<&'static str>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

#[squall::coroutine]
fn doubled(number: Future<i32>) -> Result<i32> {
    let n = yield_!(number)?;
    Ok(n * 2)
}

#[test]
fn a_call_runs_to_the_first_pending_yield_and_goes_on_when_it_is_done() {
    let (number, promise) = pending();
    let future = doubled(number);
    assert!(!future.done());
    promise.set_result(21);
    assert_eq!(run(future).unwrap(), 42);
}

#[test]
fn a_call_that_yields_only_what_is_done_is_done_when_it_returns() {
    assert_eq!(doubled(Future::ready(2)).result().unwrap(), 4);
}

#[squall::coroutine]
fn divide(x: i32, y: i32) -> Result<i32> {
    if y == 0 {
        Err(ZeroDivision)?;
    }
    Ok(x / y)
}

#[squall::coroutine]
fn good_call() -> Result<i32> {
    match yield_!(divide(1, 0)) {
        Err(e) if e.is::<ZeroDivision>() => Ok(0),
        other => other,
    }
}

#[squall::coroutine]
fn bad_call() -> Result<i32> {
    let one = yield_!(divide(1, 1))?;
    let sum = one + yield_!(divide(1, 0))?;
    Ok(sum)
}

#[test]
fn an_exception_is_trapped_in_the_future_and_raised_at_the_yield() {
    assert!(divide(1, 0).exception().is_some_and(|e| e.is::<ZeroDivision>()));
    assert_eq!(run(good_call()).unwrap(), 0);
}

#[test]
fn a_traceback_has_the_line_and_column_of_what_the_user_wrote() {
    let e = run(bad_call()).unwrap_err();
    assert_eq!(
        format!("{e:?}"),
        format!(
            "Traceback (most recent call last):\n  {} in bad_call\n  {} in divide\nZeroDivision: division by zero",
            place("yield_!(divide(1, 0))?;"),
            place("Err(ZeroDivision)?;"),
        )
    );
}

/// Notes where something was yielded.
#[derive(Default)]
struct Yields(RefCell<Vec<String>>);

impl Observer for Yields {
    fn event(&self, event: &Event<'_>) {
        if let Event::Yield { place, .. } = event {
            self.0.borrow_mut().push(place.to_string());
        }
    }
}

#[test]
fn a_yield_is_found_at_its_own_line_and_column_inside_other_macros_too() {
    #[squall::coroutine]
    fn printing() -> Result<String> {
        yield_!(moment())?;
        let one_line = format!("{} {}", yield_!(Future::ready(11))?, yield_!(Future::ready(12))?);
        Ok(one_line)
    }
    let yields = Rc::new(Yields::default());
    let observing = trace::observe(yields.clone());
    assert_eq!(run(printing()).unwrap(), "11 12");
    drop(observing);
    assert_eq!(
        *yields.0.borrow(),
        [
            place("yield_!(moment())?;"),
            place("yield_!(Future::ready(11))?,"),
            place("yield_!(Future::ready(12))?)")
        ]
    );
}

#[derive(Default)]
struct Calls(RefCell<Vec<(&'static str, Place, trace::Body)>>);

impl Observer for Calls {
    fn event(&self, event: &Event<'_>) {
        if let Event::Call { coroutine, body, .. } = event {
            self.0.borrow_mut().push((coroutine.name(), coroutine.place().unwrap(), *body));
        }
    }
}

#[test]
fn a_coroutine_knows_where_it_is_defined() {
    /// Documented.
    #[squall::coroutine]
    #[allow(unused)]
    fn yielding() -> Result<()> {
        yield_!(())
    }
    #[squall::coroutine]
    fn r#plain() -> Result<()> {
        Ok(())
    }
    let here = line!();

    let calls = Rc::new(Calls::default());
    let observing = trace::observe(calls.clone());
    run(yielding()).unwrap();
    run(plain()).unwrap();
    drop(observing);
    assert_eq!(
        *calls.0.borrow(),
        [
            ("yielding", Place::new(file!(), here - 7, 8), trace::Body::Generator),
            ("plain", Place::new(file!(), here - 3, 8), trace::Body::Plain)
        ]
    );
}

#[test]
fn what_is_raised_by_a_plain_body_is_trapped() {
    #[squall::coroutine]
    fn parse(text: String) -> Result<i32> {
        Ok(text.parse::<i32>()?)
    }
    #[squall::coroutine]
    fn panics() -> Result<()> {
        panic!("on purpose")
    }
    assert_eq!(parse("5".into()).result().unwrap(), 5);
    assert!(parse("x".into()).result().unwrap_err().is::<std::num::ParseIntError>());
    assert_eq!(
        panics().result().unwrap_err().downcast_ref::<Error>(),
        Some(&Error::Panic("on purpose".to_owned()))
    );
}

#[test]
fn return_ends_a_coroutine_with_its_value() {
    fn leave() -> Result<()> {
        Err(Return(42))?
    }
    #[squall::coroutine]
    fn yielding() -> Result<i32> {
        yield_!(())?;
        leave()?;
        Ok(0)
    }
    #[squall::coroutine]
    fn plain() -> Result<i32> {
        Err(Return(42))?
    }
    #[squall::coroutine]
    fn early(number: i32) -> Result<i32> {
        if number == 1 {
            return Ok(yield_!(Future::ready(10))?);
        }
        yield_!(Future::ready(20))
    }
    assert_eq!(run(yielding()).unwrap(), 42);
    assert_eq!(run(plain()).unwrap(), 42);
    assert_eq!(run(early(1)).unwrap(), 10);
    assert_eq!(run(early(2)).unwrap(), 20);
}

#[test]
fn a_yield_stands_wherever_an_expression_does() {
    #[squall::coroutine]
    fn number(n: i32) -> Result<i32> {
        yield_!(moment())?;
        Ok(n)
    }
    #[squall::coroutine]
    fn everywhere() -> Result<Vec<i32>> {
        let mut seen = vec![yield_!(number(1))?, yield_!(number(2))?];
        assert_eq!(yield_!(number(3))?, 3, "{}", yield_!(number(4))?);
        if matches!(yield_!(number(5)), Ok(5)) && yield_!(number(1))? == 1 {
            seen.extend([yield_!(number(yield_!(number(6))?))?; 2]);
        }
        let block = { yield_!(number(7),)? } + yield_!(number(8))?.abs();
        seen.push(block);
        let text = format!("{}", yield_!(number(9))?);
        seen.push(text.parse()?);
        for n in 10..12 {
            seen.push(match yield_!(number(n)) {
                Ok(10) => continue,
                Ok(n) => n,
                Err(_) => break,
            });
        }
        Ok(seen)
    }
    assert_eq!(run(everywhere()).unwrap(), [1, 2, 6, 6, 15, 9, 11]);
}

#[test]
fn a_loop_ends_with_the_chunk_that_is_none() {
    #[squall::coroutine]
    fn next(left: Rc<Cell<u32>>) -> Result<Option<u32>> {
        yield_!(())?;
        left.set(left.get().wrapping_sub(1));
        Ok((left.get() != u32::MAX).then(|| left.get()))
    }
    #[squall::coroutine]
    fn sum() -> Result<u32> {
        let left = Rc::new(Cell::new(4));
        let mut sum = 0;
        while let Some(n) = yield_!(next(left.clone()))? {
            sum += n;
        }
        Ok(sum)
    }
    assert_eq!(run(sum()).unwrap(), 6);
}

#[test]
fn a_coroutine_yields_itself() {
    #[squall::coroutine]
    fn fibonacci(n: u64) -> Result<u64> {
        if n < 2 {
            return Ok(n);
        }
        let (a, b) = (fibonacci(n - 1), fibonacci(n - 2));
        Ok(yield_!(a)? + yield_!(b)?)
    }
    assert_eq!(run(fibonacci(15)).unwrap(), 610);
}

#[squall::coroutine]
fn first<T, const N: usize>(all: [Future<T>; N]) -> Result<T>
where
    T: Clone + Debug + 'static,
{
    let mut first = None;
    for future in all {
        let value = yield_!(future)?;
        first.get_or_insert(value);
    }
    Ok(first.expect("N is not 0"))
}

#[squall::coroutine]
fn shown(what: impl Display + 'static) -> Result<String> {
    yield_!(())?;
    Ok(what.to_string())
}

#[squall::coroutine]
pub(crate) fn hidden(n: i32) -> Result<impl Display + Clone> {
    yield_!(())?;
    Ok(n + 1)
}

#[squall::coroutine]
fn plain_generic<T: Display + 'static>(what: T) -> Result<String> {
    Ok(what.to_string())
}

#[test]
fn generic_functions_are_coroutines_too() {
    assert_eq!(run(first([Future::ready("a"), Future::ready("b")])).unwrap(), "a");
    assert_eq!(run(shown(5)).unwrap(), "5");
    assert_eq!(run(hidden(5)).unwrap().to_string(), "6");
    assert_eq!(run(plain_generic('c')).unwrap(), "c");
}

struct Account<M> {
    balance: Cell<i32>,
    memo: M,
}

trait Bank {
    fn pay(self: Rc<Self>, amount: i32) -> Future<i32>;
    fn name(self: Rc<Self>) -> Future<String>;
}

impl<M: Clone + 'static> Account<M> {
    #[squall::coroutine]
    fn memo(self: Rc<Self>) -> Result<M> {
        yield_!(moment())?;
        Ok(self.memo.clone())
    }

    #[squall::coroutine]
    fn open(memo: M) -> Result<Rc<Self>> {
        yield_!(moment())?;
        Ok(Rc::new(Self { balance: Cell::new(0), memo }))
    }

    #[squall::coroutine]
    fn close(self) -> Result<(M, i32)> {
        Ok((self.memo, self.balance.get()))
    }
}

impl<M: Debug + Clone + 'static> Bank for Account<M> {
    #[squall::coroutine]
    fn pay(self: Rc<Self>, amount: i32) -> Result<i32> {
        yield_!(moment())?;
        self.balance.set(self.balance.get() - amount);
        Ok(self.balance.get())
    }

    #[squall::coroutine]
    fn name(self: Rc<Self>) -> Result<String> {
        let memo = yield_!(self.clone().memo())?;
        Ok(format!("{memo:?}"))
    }
}

#[test]
fn methods_are_coroutines_too() {
    let account = run(Account::open("rent")).unwrap();
    assert_eq!(run(account.clone().pay(5)).unwrap(), -5);
    assert_eq!(run(account.clone().name()).unwrap(), "\"rent\"");
    assert_eq!(run(Rc::into_inner(account).unwrap().close()).unwrap(), ("rent", -5));
}

#[test]
fn parameters_may_be_mutable_and_patterns() {
    struct Point {
        x: i32,
        y: i32,
    }
    #[squall::coroutine]
    fn sums(mut n: i32, (a, _): (i32, i32), Point { x, y: other }: Point, [b, ..]: [i32; 4]) -> Result<i32> {
        n += yield_!(Future::ready(a))?;
        n += x + other + b;
        Ok(n)
    }
    #[squall::coroutine]
    fn plain(mut n: i32, (a, _): (i32, i32)) -> Result<i32> {
        n += a;
        Ok(n)
    }
    assert_eq!(run(sums(1, (2, 0), Point { x: 3, y: 4 }, [5, 0, 0, 0])).unwrap(), 15);
    assert_eq!(run(plain(1, (2, 0))).unwrap(), 3);
}

#[test]
fn parameters_live_as_long_as_the_body_and_go_from_last_to_first() {
    #[squall::coroutine]
    fn holds(
        a: Dropped,
        _b: Dropped,
        _: Dropped,
        wait: Future<()>,
        (d, e): (Dropped, Dropped),
    ) -> Result<()> {
        yield_!(wait)?;
        a.1.borrow_mut().push("body");
        let _ = (&d, &e.0);
        Ok(())
    }
    async fn native(
        a: Dropped,
        _b: Dropped,
        _: Dropped,
        wait: Future<()>,
        (d, e): (Dropped, Dropped),
    ) -> Result<()> {
        wait.await?;
        a.1.borrow_mut().push("body");
        let _ = (&d, &e.0);
        Ok(())
    }
    let order = |native_coroutine: bool| {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let named = |name| Dropped(name, seen.clone());
        let (wait, promise) = pending();
        let (a, b, c, d) = (named("a"), named("b"), named("c"), (named("d"), named("e")));
        let future = if native_coroutine {
            squall::convert_yielded(native(a, b, c, wait, d)).unwrap()
        } else {
            holds(a, b, c, wait, d)
        };
        turn_until_idle();
        assert!(seen.borrow().is_empty());
        promise.set_result(());
        run(future).unwrap();
        Rc::into_inner(seen).unwrap().into_inner()
    };
    assert_eq!(order(false)[0], "body");
    assert_eq!(order(false), order(true));
}

#[test]
fn a_parameter_that_is_used_in_part_is_kept_whole() {
    struct Both {
        number: i32,
        _guard: Dropped,
    }
    #[squall::coroutine]
    fn uses(both: Both) -> Result<i32> {
        yield_!(())?;
        Ok(both.number)
    }
    let seen = Rc::default();
    let future = uses(Both { number: 5, _guard: Dropped("guard", Rc::clone(&seen)) });
    assert!(seen.borrow().is_empty());
    assert_eq!(run(future).unwrap(), 5);
    assert_eq!(*seen.borrow(), ["guard"]);
}

#[test]
fn a_parameter_that_only_a_format_string_names_is_there() {
    #[squall::coroutine]
    fn greets(name: String) -> Result<String> {
        yield_!(())?;
        Ok(format!("hello {name}"))
    }
    assert_eq!(run(greets("ben".to_owned())).unwrap(), "hello ben");
}

#[test]
fn a_temporary_in_the_last_expression_may_borrow_a_parameter() {
    #[squall::coroutine]
    fn borrows((cell, _): (RefCell<i32>, i32), other: RefCell<i32>) -> Result<i32> {
        yield_!(())?;
        Ok(*cell.borrow() + *other.borrow())
    }
    assert_eq!(run(borrows((RefCell::new(1), 0), RefCell::new(2))).unwrap(), 3);
}

#[test]
fn a_name_of_the_macro_is_no_name_of_the_body() {
    #[squall::coroutine]
    fn co(co: i32, unnamed: i32, body: i32, call: i32) -> Result<i32> {
        let value = yield_!(Future::ready(co))?;
        Ok(co + value + unnamed + body + call)
    }
    assert_eq!(run(co(1, 2, 3, 4)).unwrap(), 11);
}

#[test]
fn an_alias_of_result_may_be_returned() {
    type Answer = Result<i32>;
    mod other {
        pub(super) type Result = std::result::Result<u8, super::Exception>;
    }
    #[squall::coroutine]
    fn answer() -> Answer {
        yield_!(())?;
        Ok(42)
    }
    #[squall::coroutine]
    fn plain() -> other::Result {
        Ok(42)
    }
    #[squall::coroutine]
    fn long() -> std::result::Result<HashMap<String, i32>, Exception> {
        yield_!(())?;
        Ok(HashMap::from([("a".to_owned(), 1)]))
    }
    assert_eq!(run(answer()).unwrap(), 42);
    assert_eq!(run(plain()).unwrap(), 42);
    assert_eq!(run(long()).unwrap()["a"], 1);
}

#[test]
fn a_return_value_is_shown_with_its_debug_if_it_has_one() {
    #[derive(Debug, Clone)]
    #[allow(dead_code)]
    struct Visible(i32);
    #[derive(Clone)]
    struct Opaque;

    #[derive(Default)]
    struct Returns(RefCell<Vec<String>>);
    impl Observer for Returns {
        fn event(&self, event: &Event<'_>) {
            if let Event::Return { value, .. } = event {
                self.0.borrow_mut().push(trace::Printed(*value).to_string());
            }
        }
    }
    #[squall::coroutine]
    fn visible() -> Result<Visible> {
        yield_!(())?;
        Ok(Visible(5))
    }
    #[squall::coroutine]
    fn plain() -> Result<Vec<Visible>> {
        Ok(vec![Visible(6)])
    }
    #[squall::coroutine]
    fn opaque() -> Result<Opaque> {
        Ok(Opaque)
    }
    #[squall::coroutine]
    fn bounded<T: Debug + 'static>(value: T) -> Result<T> {
        Ok(value)
    }
    #[squall::coroutine]
    fn unbounded<T: 'static>(value: T) -> Result<T> {
        Ok(value)
    }
    impl Visible {
        #[squall::coroutine]
        fn this(self: Rc<Self>) -> Result<Rc<Self>> {
            Ok(self)
        }
    }
    let returns = Rc::new(Returns::default());
    let observing = trace::observe(returns.clone());
    run(visible()).unwrap();
    run(plain()).unwrap();
    let _ = run(opaque());
    run(bounded(Visible(7))).unwrap();
    run(unbounded(Visible(8))).unwrap();
    run(Rc::new(Visible(9)).this()).unwrap();
    drop(observing);
    assert_eq!(
        *returns.0.borrow(),
        ["Visible(5)", "[Visible(6)]", "<Opaque>", "Visible(7)", "<Visible>", "Visible(9)"]
    );
}

#[test]
fn other_attributes_and_inner_ones_stay() {
    #[squall::coroutine]
    #[inline]
    #[must_use = "it is"]
    fn attributed(#[allow(unused)] a: i32, #[cfg(any())] b: NoSuchType) -> Result<i32> {
        #![allow(clippy::no_effect, unused_must_use)]
        5;
        yield_!(())?;
        Ok(1)
    }
    assert_eq!(run(attributed(5)).unwrap(), 1);
}

#[test]
fn a_macro_of_the_user_may_make_coroutines() {
    macro_rules! adder {
        ($name:ident, $n:expr) => {
            #[squall::coroutine]
            fn $name(n: i32) -> Result<i32> {
                let m = yield_!(Future::ready(n))?;
                Ok(m + $n)
            }
        };
    }
    macro_rules! again {
        ($number:expr) => {
            yield_!(Future::ready($number))? + yield_!(Future::ready($number))?
        };
    }
    adder!(add_five, 5);
    #[squall::coroutine]
    fn uses() -> Result<i32> {
        let once = yield_!(add_five(1))?;
        Ok(once + again!(1))
    }
    assert_eq!(run(add_five(1)).unwrap(), 6);
    assert_eq!(run(uses()).unwrap(), 8);
}

#[test]
fn fragments_of_a_macro_may_be_types_and_bodies() {
    macro_rules! coroutines {
        ($name:ident($parameter:ident: $type:ty) -> $returned:ty $body:block) => {
            #[squall::coroutine]
            fn $name($parameter: $type) -> $returned {
                yield_!(())?;
                $body
            }
        };
    }
    coroutines!(twice(n: i32) -> Result<i32> {
        Ok(n + yield_!(Future::ready(n))?)
    });
    coroutines!(unused(_n: Vec<i32>) -> Result<()> {
        Ok(())
    });
    assert_eq!(run(twice(4)).unwrap(), 8);
    run(unused(vec![])).unwrap();
}

#[test]
fn a_yield_stands_in_patterns_guards_and_labelled_blocks() {
    #[squall::coroutine]
    fn number(n: u32) -> Result<Option<u32>> {
        yield_!(())?;
        Ok((n < 3).then_some(n))
    }
    #[squall::coroutine]
    fn control() -> Result<Vec<u32>> {
        let mut seen = Vec::new();
        let Some(n) = yield_!(number(1))? else { return Ok(seen) };
        seen.push(n);
        'outer: loop {
            for n in 0.. {
                match n {
                    1 if yield_!(number(n))? == Some(1) => continue,
                    3 => break 'outer,
                    n => seen.push(10 + n),
                }
                if let (Some(n), true) = (yield_!(number(n))?, n < 3) {
                    seen.push(20 + n);
                }
            }
        }
        let block = 'block: {
            if yield_!(number(3))?.is_none() {
                break 'block 30;
            }
            31
        };
        seen.push(block);
        let all = [yield_!(number(0))?, yield_!(number(9))?];
        seen.extend(all.into_iter().flatten());
        seen[yield_!(number(0))?.unwrap_or(0) as usize] += 100;
        Ok(seen)
    }
    assert_eq!(run(control()).unwrap(), [101, 10, 20, 12, 22, 30, 0]);
}

#[test]
fn a_borrow_of_the_body_lives_across_a_yield() {
    #[squall::coroutine]
    fn borrows(text: String, mut all: Vec<i32>) -> Result<usize> {
        let words: Vec<&str> = text.split(' ').collect();
        let last = all.last_mut().expect("it is not empty");
        *last = yield_!(Future::ready(7))?;
        for word in &words {
            yield_!(moment())?;
            *last += i32::try_from(word.len())?;
        }
        Ok(usize::try_from(all[0])? + words.len())
    }
    assert_eq!(run(borrows("a bc".to_owned(), vec![1])).unwrap(), 12);
}

#[test]
fn self_may_be_any_owned_pointer_and_a_trait_may_have_the_body() {
    use std::pin::Pin;

    trait Named: 'static {
        fn name(&self) -> String;

        #[squall::coroutine]
        fn greeting(self: Rc<Self>) -> Result<String> {
            yield_!(())?;
            Ok(format!("hello {}", self.name()))
        }
    }
    struct Ben;
    impl Named for Ben {
        fn name(&self) -> String {
            "ben".to_owned()
        }
    }
    impl Ben {
        #[squall::coroutine]
        fn boxed(self: Box<Self>) -> Result<Box<Self>> {
            yield_!(())?;
            Ok(self)
        }
        #[squall::coroutine]
        fn pinned(self: Pin<Rc<Self>>) -> Result<String> {
            yield_!(())?;
            Ok(self.name())
        }
        #[squall::coroutine]
        fn moved(mut self) -> Result<Self> {
            yield_!(())?;
            self = Ben;
            Ok(self)
        }
    }
    assert_eq!(run(Rc::new(Ben).greeting()).unwrap(), "hello ben");
    let dynamic: Rc<dyn Fn() -> Future<String>> = Rc::new(|| Rc::new(Ben).greeting());
    assert_eq!(run(dynamic()).unwrap(), "hello ben");
    assert_eq!(run(Rc::pin(Ben).pinned()).unwrap(), "ben");
    turn_until_idle();
    let (boxed, moved) = (Box::new(Ben).boxed(), Ben.moved());
    turn_until_idle();
    assert_eq!(
        boxed.with_value(|ben| ben.name()).unwrap() + &moved.with_value(Named::name).unwrap(),
        "benben"
    );
}

#[test]
fn a_coroutine_that_only_diverges_needs_no_value() {
    #[squall::coroutine]
    fn for_ever(turns: Rc<Cell<u32>>) -> Result<()> {
        loop {
            yield_!(())?;
            turns.set(turns.get() + 1);
            assert!(turns.get() < 3, "on purpose");
        }
    }
    #[squall::coroutine]
    fn fails() -> Result<std::convert::Infallible> {
        yield_!(())?;
        Err(ZeroDivision.into())
    }
    let turns = Rc::default();
    assert!(run(for_ever(Rc::clone(&turns))).is_err());
    assert_eq!(turns.get(), 3);
    assert!(run(fails()).unwrap_err().is::<ZeroDivision>());
}

#[test]
fn the_type_of_a_value_is_found_from_the_return_type() {
    #[squall::coroutine]
    fn collected(numbers: Vec<i32>) -> Result<Vec<String>> {
        yield_!(())?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let parsed: i32 = "5".parse()?;
        if numbers[0] == parsed {
            return Ok(vec![String::default()]);
        }
        Ok(numbers.iter().map(ToString::to_string).collect())
    }
    #[squall::coroutine]
    fn dynamic() -> Result<Rc<dyn Display>> {
        yield_!(())?;
        Ok(Rc::new(5))
    }
    #[squall::coroutine]
    fn closure() -> Result<Box<dyn Fn(&str) -> usize>> {
        yield_!(())?;
        Ok(Box::new(str::len))
    }
    assert_eq!(run(collected(vec![1, 2])).unwrap(), ["1", "2"]);
    assert_eq!(run(dynamic()).unwrap().to_string(), "5");
    let closure = closure();
    turn_until_idle();
    assert_eq!(closure.with_value(|f| f("abc")), Some(3));
}

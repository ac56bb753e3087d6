//! Lines of a program: those of Rust, and those that are made at run time by generators of other languages.

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;

use squall_runner::ready::ReadyQueue;
use squall_runner::trace::{Event, Kind, Observer};
use squall_runner::{
    convert_yielded, native, Coroutine, Exception, Frame, Future, Generator, GeneratorState, Place, Resume,
    Runner, Yielded,
};

use crate::{drain, panics_in, turn, Lines, Observing};

static VISIT: Coroutine = Coroutine::new("visit", "visit.py", 10);

type Step = Box<dyn FnOnce(Resume) -> GeneratorState<i32>>;

/// A generator of another language: its steps, and the line at which it stands.
struct Other {
    steps: Vec<Step>,
    line: Rc<Cell<u32>>,
}

impl Generator for Other {
    type Return = i32;

    fn resume(&mut self, resume: Resume) -> GeneratorState<i32> {
        self.line.set(self.line.get() + 1);
        self.steps.remove(0)(resume)
    }

    fn place(&self) -> Option<Place> {
        match self.line.get() {
            0 => None,
            13 => panic!("expected, while it is asked"),
            line => Some(Place::new("visit.py", line, 5)),
        }
    }
}

/// Calls a generator that stands at `line` once it has begun.
fn start<const N: usize>(line: u32, steps: [Step; N]) -> Future<i32> {
    let line = Rc::new(Cell::new(line - 1));
    Runner::start(&VISIT, Other { steps: Vec::from(steps), line })
}

fn yields(future: &Future<i32>, place: Option<Place>) -> Step {
    let yielded = Yielded::erased(future.clone().erase(), place);
    Box::new(move |_| GeneratorState::Yielded(yielded))
}

fn raises() -> Step {
    Box::new(|resume| match resume {
        Resume::Throw(exception) => GeneratorState::Raised(exception),
        resume => panic!("{resume:?}"),
    })
}

/// Returns where the oldest coroutine is suspended.
fn suspended_at() -> String {
    ReadyQueue::current().suspended()[0].place.to_string()
}

#[test]
fn places_are_equal_by_file_line_and_column_however_they_were_made() {
    let here = Place::caller();
    let made = Place::new(here.file(), here.line(), here.column());
    assert_eq!(here, made);
    assert_eq!(HashSet::from([here, made]).len(), 1);
    assert_eq!(made.to_string(), format!("{}:{}:{}", file!(), line!() - 4, here.column()));
    assert_eq!(Place::from(std::panic::Location::caller()).line(), line!());
    assert!(Place::new("a.py", 1, 2) < Place::new("a.py", 1, 3));
    assert!(Place::new("a.py", 2, 2) < Place::new("b.py", 1, 3));
}

#[test]
fn place_that_was_made_before_is_not_made_again() {
    let name = String::from("once.py");
    let (first, second) = (Place::new(&name, 1, 2), Place::new(&name.clone(), 3, 4));
    assert!(std::ptr::eq(first.file(), second.file()));
    assert!(std::ptr::eq(Place::new(&name, 1, 2).file(), first.file()));
}

#[test]
fn generator_that_says_where_it_stands_is_named_by_that() {
    let future = Future::new();
    let visit = start(12, [yields(&future, None), raises()]);
    assert_eq!(suspended_at(), "visit.py:12:5");
    future.promise().set_exception(Exception::msg("no"));
    drain();
    // The exception came in at that yield, whatever the generator says after it has raised.
    let frame = visit.exception().unwrap().traceback()[0];
    assert_eq!(frame, Frame { place: Place::new("visit.py", 12, 5), name: "visit" });
}

#[test]
fn place_of_a_yield_wins_over_what_the_generator_says() {
    let futures = [(); 3].map(|()| Future::new());
    let [to_first, to_second, to_third] = futures.each_ref().map(Future::promise);
    let [first, second, third] = futures;
    let (there, here) = (Place::new("visit.py", 100, 9), Place::caller());
    let steps = [yields(&first, Some(there)), yields(&second, Some(here)), yields(&third, None), raises()];
    let visit = start(20, steps);
    assert_eq!(suspended_at(), "visit.py:100:9");
    to_first.set_result(0);
    turn();
    assert_eq!(suspended_at(), here.to_string());
    to_second.set_result(0);
    turn();
    assert_eq!(suspended_at(), "visit.py:22:5");
    to_third.set_exception(Exception::msg("no"));
    turn();
    assert_eq!(visit.exception().unwrap().traceback()[0].place.to_string(), "visit.py:22:5");
}

#[test]
fn frame_of_an_exception_that_comes_in_at_a_yield_with_a_place_names_that() {
    let future = Future::new();
    let there = Place::new("visit.py", 100, 9);
    let visit = start(20, [yields(&future, Some(there)), raises()]);
    future.promise().set_exception(Exception::msg("no"));
    drain();
    assert_eq!(visit.exception().unwrap().traceback()[0].place, there);
}

#[test]
fn exception_of_a_generator_is_raised_where_that_says() {
    let there = Place::new("visit.py", 12, 5);
    let raised: Step = Box::new(move |_| GeneratorState::Raised(Exception::msg("no").at(there)));
    let exception = start(30, [raised]).exception().unwrap();
    assert_eq!((exception.origin(), exception.raised_at()), (there, there));
    assert!(format!("{exception:?}").contains("\n  visit.py:12:5 in visit\n"));
}

#[test]
fn generator_that_panics_when_it_is_asked_stands_where_it_was_called() {
    let future = Future::new();
    let (_, line) = panics_in(|| {
        let visit = start(13, [yields(&future, None)]);
        let place = ReadyQueue::current().suspended()[0].place;
        drop(visit);
        (place.file(), place.line())
    });
    assert_eq!(line.0, file!());
}

#[test]
fn observer_is_told_the_lines_of_the_generator_and_of_its_yields() {
    struct Places(Lines);
    impl Observer for Places {
        fn event(&self, event: &Event<'_>) {
            if let Event::Yield { place, .. } = event {
                self.0.add(place.to_string());
            }
        }
    }
    let lines = Lines::default();
    let observing = Observing::by(Rc::new(Places(lines.clone())));
    let done = Future::ready(0);
    let there = Place::new("visit.py", 100, 9);
    let pending = Future::new();
    let visit = start(20, [yields(&done, None), yields(&done, Some(there)), yields(&pending, None)]);
    assert_eq!(lines.take(), ["visit.py:20:5", "visit.py:100:9", "visit.py:22:5"]);
    assert_eq!(suspended_at(), "visit.py:22:5");
    drop((visit, observing));
}

/// Yields something of which a native coroutine is made that waits for ever.
fn yields_native(place: Option<Place>) -> Step {
    let convert = || Ok(convert_yielded(native(std::future::pending::<i32>()))?.erase());
    Box::new(move |_| GeneratorState::Yielded(Yielded::deferred(Kind::Awaitable, place, convert)))
}

#[test]
fn native_coroutine_that_a_generator_yields_waits_at_the_place_of_the_yield() {
    for (place, at) in [(None, "visit.py:30:5"), (Some(Place::new("visit.py", 12, 5)), "visit.py:12:5")] {
        let visit = start(30, [yields_native(place)]);
        let natives = ReadyQueue::current().suspended();
        let natives: Vec<_> = natives.iter().filter(|it| it.coroutine.name() != "visit").collect();
        assert_eq!(natives[0].place.to_string(), at);
        drop(visit);
        ReadyQueue::current().abandon();
    }
}

#[test]
fn place_of_a_conversion_that_panics_is_not_that_of_the_next_one() {
    let there = Place::new("visit.py", 12, 5);
    let panics = || squall_runner::native::yielded_at(there, || panic!("expected"));
    panics_in(|| Exception::trap(panics, drop));
    let never = convert_yielded(native(std::future::pending::<i32>()));
    assert_eq!(suspended_at(), format!("{}:{}:17", file!(), line!() - 1));
    drop(never);
}

#[test]
fn deferred_thing_is_converted_when_the_generator_is_suspended() {
    let lines = Lines::default();
    let converted = lines.clone();
    let convert = move || {
        converted.add("converted");
        Ok(Future::ready(5).erase())
    };
    let returned = lines.clone();
    let yields: Step = Box::new(move |_| {
        let yielded = Yielded::deferred(Kind::Other("page"), None, convert);
        returned.add(format!("yielded {}", yielded.kind()));
        GeneratorState::Yielded(yielded)
    });
    let took: Step = Box::new(|resume| match resume {
        Resume::Send(future) => future.into_result().into(),
        resume => panic!("{resume:?}"),
    });
    assert_eq!(start(1, [yields, took]).result().unwrap(), 5);
    assert_eq!(lines.take(), ["yielded page", "converted"]);
}

#[test]
fn deferred_thing_that_cannot_be_converted_is_raised_at_the_yield() {
    let there = Place::new("visit.py", 12, 5);
    for convert in [(|| Err(Exception::msg("no"))) as fn() -> _, || panic!("expected")] {
        let yields: Step =
            Box::new(move |_| GeneratorState::Yielded(Yielded::deferred(Kind::Bad, Some(there), convert)));
        let (_, visit) = panics_in(|| start(1, [yields, raises()]));
        assert_eq!(visit.exception().unwrap().traceback()[0].place, there);
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn places_made_at_run_time_take_no_room_where_all_are_lines_of_rust() {
    struct Small(#[allow(dead_code)] u64);
    impl Generator for Small {
        type Return = ();
        fn resume(&mut self, _resume: Resume) -> GeneratorState<()> {
            GeneratorState::Returned(())
        }
    }
    assert_eq!(size_of::<Yielded>(), 32);
    assert_eq!(size_of::<Runner<Small>>(), 104);
}

//! [`Tornado`]: what the words of a program are called in Tornado code that runs, with the imports and definitions that
//! the code needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::syntax::{
    walk, Action, Arguments, Body, Class, Expression, Function, Method, Name, Statement, Type,
};

/// The imports and helpers that the file needs so far.
#[derive(Debug, Default)]
pub(super) struct Tornado {
    /// The imported names of each module; none if the module itself is imported.
    imports: RefCell<BTreeMap<&'static str, BTreeSet<&'static str>>>,
    helpers: RefCell<BTreeSet<Helper>>,
    /// The variables that hold an exception somewhere.
    raised: BTreeSet<Name>,
}

/// A definition for what Tornado has under no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Helper {
    AppError,
    Started,
    Now,
    Late,
    Show,
    Task,
}

impl Helper {
    fn text(self) -> &'static str {
        match self {
            Self::AppError => "class AppError(Exception):\n    pass\n",
            Self::Started => "STARTED = IOLoop.current().time()\n",
            Self::Now => "def now():\n    return round((IOLoop.current().time() - STARTED) * 1000)\n",
            Self::Late => "def late(seconds, f, *args):\n    time.sleep(seconds)\n    return f(*args)\n",
            Self::Show => "def show(value):  # An exception is shown with its type.\n    if isinstance(value, BaseException):\n        return ': '.join([type(value).__name__, *map(str, value.args[:1])])\n    return value\n",
            Self::Task => "def task(f, *args):  # What gen.Task did before Tornado 6.\n    future = Future()\n    f(*args, lambda value: future_set_result_unless_cancelled(future, value))\n    return future\n",
        }
    }
}

/// Names that a file may need for itself. A name of the program that is one of these gets a `_` behind it.
const TAKEN: &[&str] = &[
    "AppError",
    "IOLoop",
    "STARTED",
    "asyncio",
    "gen",
    "late",
    "len",
    "now",
    "object",
    "print",
    "range",
    "round",
    "show",
    "str",
    "task",
    "time",
    "timedelta",
];

const IOLOOP: (&str, &str) = ("tornado.ioloop", "IOLoop");

impl Tornado {
    /// Creates one for a program with these bodies.
    pub(super) fn of<'a>(bodies: impl Iterator<Item = &'a Body>) -> Self {
        let mut raised = BTreeSet::new();
        for body in bodies {
            walk(body, &mut |statement| {
                if let Statement::Try(t) = statement {
                    raised.extend(t.handlers.iter().filter_map(|handler| handler.variable.clone()));
                }
            });
        }
        Self { raised, ..Self::default() }
    }

    /// Returns a value that is printed, as the program prints it: an exception with its type.
    fn printed(&self, value: &Expression, shown: &str) -> String {
        let may_be_raised = match value {
            Expression::Variable(name) => self.raised.contains(name),
            Expression::Exception(..) | Expression::Method(_, Method::Exception, _) => true,
            _ => false,
        };
        if !may_be_raised {
            return shown.to_owned();
        }
        self.help(Helper::Show);
        format!("show({shown})")
    }

    fn each_printed(&self, arguments: &Arguments, shown: &[String]) -> Vec<String> {
        let values = arguments.values.iter().zip(shown);
        values.map(|(value, shown)| self.printed(value, shown)).collect()
    }

    /// Returns the imports and the helpers.
    pub(super) fn head(&self) -> String {
        let imports = self.imports.borrow();
        let line = |module: &str, names: &BTreeSet<&str>| match names.is_empty() {
            true => format!("import {module}\n"),
            false => {
                let names: Vec<_> = names.iter().copied().collect();
                format!("from {module} import {}\n", names.join(", "))
            }
        };
        let is_ours = |module: &str| module.starts_with("tornado");
        let group = |ours: bool| -> String {
            let group = imports.iter().filter(|(module, _)| is_ours(module) == ours);
            let mut group: Vec<_> = group.collect();
            // Modules go before names of modules.
            group.sort_by_key(|(_, names)| !names.is_empty());
            group.into_iter().map(|(module, names)| line(module, names)).collect()
        };
        let parts = [group(false), group(true)];
        let helpers = self.helpers.borrow();
        let helpers = helpers.iter().map(|helper| helper.text().to_owned());
        let parts = parts.into_iter().chain(helpers).filter(|part| !part.is_empty());
        parts.flat_map(|part| [part, "\n".to_owned()]).collect()
    }

    /// Imports a name, and returns it.
    fn import(&self, (module, name): (&'static str, &'static str)) -> &'static str {
        self.imports.borrow_mut().entry(module).or_default().insert(name);
        name
    }

    /// Imports a module.
    fn module(&self, module: &'static str) {
        self.imports.borrow_mut().entry(module).or_default();
    }

    fn help(&self, helper: Helper) {
        self.helpers.borrow_mut().insert(helper);
        match helper {
            Helper::AppError | Helper::Show => {}
            Helper::Started => drop(self.import(IOLOOP)),
            Helper::Now => self.help(Helper::Started),
            Helper::Late => self.module("time"),
            Helper::Task => {
                self.import(("tornado.concurrent", "Future"));
                self.import(("tornado.concurrent", "future_set_result_unless_cancelled"));
            }
        }
    }

    /// Returns a name of the program.
    pub(super) fn name(name: &str) -> String {
        if TAKEN.contains(&name) {
            format!("{name}_")
        } else {
            name.to_owned()
        }
    }

    /// Returns a call of the loop.
    fn of_loop(&self, method: &str, arguments: &[String]) -> String {
        format!("{}.current().{method}({})", self.import(IOLOOP), arguments.join(", "))
    }

    fn of_gen(&self, name: &str, arguments: &str) -> String {
        format!("{}({arguments})", self.gen(name))
    }

    /// Returns a name of the module `gen`.
    pub(super) fn gen(&self, name: &str) -> String {
        format!("{}.{name}", self.import(("tornado", "gen")))
    }

    /// Returns the name of a type of exceptions.
    pub(super) fn exception(&self, kind: Type) -> String {
        let name = kind.name();
        match kind {
            Type::TimeoutError => self.import(("tornado.util", "TimeoutError")).to_owned(),
            Type::BadYieldError | Type::Return => self.gen(name),
            Type::QueueEmpty | Type::QueueFull => self.import(("tornado.queues", name)).to_owned(),
            Type::InvalidStateError | Type::CancelledError => self.import(("asyncio", name)).to_owned(),
            Type::AppError => {
                self.help(Helper::AppError);
                name.to_owned()
            }
            _ => name.to_owned(),
        }
    }

    /// Returns milliseconds as a time limit.
    fn limit(&self, ms: &Expression, shown: &str) -> String {
        match ms {
            Expression::Null => shown.to_owned(),
            _ => format!("{}(milliseconds={shown})", self.import(("datetime", "timedelta"))),
        }
    }

    /// Returns the end of a list of arguments with the exceptions that are not logged.
    fn quiet(&self, quiet: Option<&[Type]>) -> String {
        let Some(types) = quiet else { return String::new() };
        let names: Vec<_> = types.iter().map(|kind| self.exception(*kind)).collect();
        match names.as_slice() {
            [one] => format!(", quiet_exceptions={one}"),
            all => format!(", quiet_exceptions=({})", all.join(", ")),
        }
    }

    /// Returns a function that calls `f` with a Future and these arguments, which are evaluated now.
    fn with_future(f: &str, arguments: &[String]) -> String {
        if arguments.is_empty() {
            return f.to_owned();
        }
        let named = |(n, argument): (usize, &String)| format!("_{n}={argument}");
        let parameters: Vec<_> = arguments.iter().enumerate().map(named).collect();
        let passed: Vec<_> = (0..arguments.len()).map(|n| format!("_{n}")).collect();
        format!("lambda future, {}: {f}(future, {})", parameters.join(", "), passed.join(", "))
    }

    /// Returns a call without a value. `f` is the def that is passed, if there is one.
    pub(super) fn action(&self, action: Action, f: &str, arguments: &Arguments, shown: &[String]) -> String {
        let with_f = || [&[f.to_owned()], shown].concat();
        match action {
            Action::Log => format!("print({})", self.each_printed(arguments, shown).join(", ")),
            Action::Append => format!("{}.append({})", shown[0], shown[1]),
            Action::AddCallback | Action::SpawnCallback => self.of_loop(action.name(), &with_f()),
            Action::RemoveTimeout | Action::Stop => self.of_loop(action.name(), shown),
            Action::Busy => {
                self.module("time");
                format!("time.sleep({})", seconds(&arguments.values[0], &shown[0]))
            }
            Action::OnDone => {
                let add = self.import(("tornado.concurrent", "future_add_done_callback"));
                format!("{add}({}, {})", shown[0], Self::with_future(f, &shown[1..]))
            }
            Action::AddFuture => {
                self.of_loop("add_future", &[shown[0].clone(), Self::with_future(f, &shown[1..])])
            }
            Action::Chain => {
                format!("{}({})", self.import(("tornado.concurrent", "chain_future")), shown.join(", "))
            }
            Action::Invoke => format!("{}({})", shown[0], shown[1]),
        }
    }

    /// Returns a call with a value.
    pub(super) fn function(
        &self,
        function: Function,
        f: &str,
        arguments: &Arguments,
        shown: &[String],
    ) -> String {
        let values = &arguments.values;
        let quiet = || self.quiet(arguments.quiet.as_deref());
        // The arguments of a timer: when, the def, and what it is called with.
        let timer = |when: String| [&[when, f.to_owned()], &shown[1..]].concat();
        match function {
            Function::Sleep => self.of_gen("sleep", &seconds(&values[0], &shown[0])),
            Function::AsyncioSleep => {
                self.module("asyncio");
                format!("asyncio.sleep({})", seconds(&values[0], &shown[0]))
            }
            Function::Multi => self.of_gen("multi", &format!("{}{}", shown[0], quiet())),
            Function::WithTimeout => {
                let limit = self.limit(&values[0], &shown[0]);
                self.of_gen("with_timeout", &format!("{limit}, {}{}", shown[1], quiet()))
            }
            Function::Convert => self.of_gen("convert_yielded", &shown[0]),
            Function::MaybeFuture => self.of_gen("maybe_future", &shown[0]),
            Function::Task => {
                self.help(Helper::Task);
                format!("task({})", [&[f.to_owned()], shown].concat().join(", "))
            }
            Function::Executor => {
                self.help(Helper::Late);
                let first = ["None".to_owned(), "late".to_owned()];
                self.of_loop("run_in_executor", &[&first, &*timer(seconds(&values[0], &shown[0]))].concat())
            }
            Function::CallLater => self.of_loop("call_later", &timer(seconds(&values[0], &shown[0]))),
            Function::CallAt => {
                self.help(Helper::Started);
                self.of_loop("call_at", &timer(format!("STARTED + {}", seconds(&values[0], &shown[0]))))
            }
            Function::AddTimeout => self.of_loop("add_timeout", &timer(self.limit(&values[0], &shown[0]))),
            Function::Now => {
                self.help(Helper::Now);
                "now()".to_owned()
            }
            Function::Cat if values.is_empty() => "''".to_owned(),
            Function::Cat => {
                let text = |(value, shown): (&Expression, &String)| match value {
                    Expression::String(_) => shown.clone(),
                    value => format!("str({})", self.printed(value, shown)),
                };
                let parts: Vec<_> = values.iter().zip(shown).map(text).collect();
                if parts.len() == 1 {
                    parts.join("")
                } else {
                    format!("({})", parts.join(" + "))
                }
            }
            Function::Len => format!("len({})", shown[0]),
            Function::Div => format!("({} // {})", shown[0], shown[1]),
        }
    }

    /// Returns the creation of an object.
    pub(super) fn create(&self, class: Class, f: &str, shown: &[String]) -> String {
        let name = class.name();
        let made = shown.join(", ");
        match class {
            Class::Future => format!("{}()", self.import(("tornado.concurrent", name))),
            Class::Queue | Class::PriorityQueue | Class::LifoQueue => {
                format!("{}({made})", self.import(("tornado.queues", name)))
            }
            Class::WaitIterator => self.of_gen(name, &made),
            Class::PeriodicCallback => {
                format!("{}({f}, {made})", self.import(("tornado.ioloop", name)))
            }
            Class::Lock | Class::Semaphore | Class::BoundedSemaphore | Class::Event | Class::Condition => {
                format!("{}({made})", self.import(("tornado.locks", name)))
            }
        }
    }

    /// Returns a call of a method.
    pub(super) fn method(&self, method: Method, arguments: &[Expression], shown: &[String]) -> String {
        // The place of the argument that is a time limit.
        let limit = match method {
            Method::Acquire | Method::Wait | Method::Get | Method::Join => Some(0),
            Method::Put => Some(1),
            // An attribute.
            Method::Index => return "current_index".to_owned(),
            _ => None,
        };
        let argument = |(n, shown): (usize, &String)| match limit {
            Some(place) if place == n => self.limit(&arguments[n], shown),
            _ => shown.clone(),
        };
        let all: Vec<_> = shown.iter().enumerate().map(argument).collect();
        format!("{}({})", method.name(), all.join(", "))
    }

    /// Returns a run of the loop until a coroutine is done.
    pub(super) fn run_sync(&self, f: &str, arguments: &[String], ms: Option<i64>) -> String {
        let call = match arguments {
            [] => f.to_owned(),
            all => format!("lambda: {f}({})", all.join(", ")),
        };
        let timeout = ms.map(|ms| format!("timeout={}", seconds(&Expression::Integer(ms), "")));
        self.of_loop("run_sync", &[call].into_iter().chain(timeout).collect::<Vec<_>>())
    }

    pub(super) fn start(&self) -> String {
        self.of_loop("start", &[])
    }
}

/// Returns milliseconds as seconds.
fn seconds(ms: &Expression, shown: &str) -> String {
    match ms {
        Expression::Integer(ms) if ms % 1000 == 0 => (ms / 1000).to_string(),
        Expression::Integer(ms) => {
            let sign = if *ms < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:03}", (ms / 1000).abs(), (ms % 1000).abs());
            text.trim_end_matches('0').to_owned()
        }
        _ => format!("{shown} / 1000"),
    }
}

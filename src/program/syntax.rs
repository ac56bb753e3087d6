//! The syntax tree of a coroutine program, and the words of its language.

use std::collections::BTreeSet;
use std::sync::Arc;

/// A name in the program: of a variable, of a def, or a key of a dict.
pub(crate) type Name = Arc<str>;

/// Defines an enum of words, each with its spelling and, if it takes arguments, its signature.
///
/// A signature has a letter for each argument: `e` for an expression, `f` for the name of a def, `q` for an optional
/// list of exception types, `e?` for an optional expression, `*` for any number of expressions.
macro_rules! words {
    ($(#[$doc:meta])* $words:ident { $($word:ident $spelling:literal $($signature:literal)?,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(clippy::enum_variant_names)]
        pub(crate) enum $words { $($word),* }

        #[allow(dead_code)]
        impl $words {
            /// All words of this kind.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$word),*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$word => $spelling),* }
            }

            pub(crate) fn named(name: &str) -> Option<Self> {
                match name { $($spelling => Some(Self::$word),)* _ => None }
            }

            pub(crate) fn signature(self) -> &'static str {
                match self { $(Self::$word => concat!($($signature)?)),* }
            }
        }
    };
}

words! {
    /// Calls without a value.
    Action {
        Log "log" "*",
        Append "append" "ee",
        AddCallback "add_callback" "f*",
        SpawnCallback "spawn_callback" "f*",
        RemoveTimeout "remove_timeout" "e",
        Busy "busy" "e",
        Stop "stop" "",
        OnDone "on_done" "ef*",
        AddFuture "add_future" "ef*",
        Chain "chain" "ee",
        Invoke "invoke" "ee",
    }
}

words! {
    /// Calls with a value.
    Function {
        Sleep "sleep" "e",
        AsyncioSleep "asyncio_sleep" "e",
        Multi "multi" "eq",
        WithTimeout "with_timeout" "eeq",
        Convert "convert" "e",
        MaybeFuture "maybe_future" "e",
        Task "task" "f*",
        Executor "executor" "ef*",
        CallLater "call_later" "ef*",
        CallAt "call_at" "ef*",
        AddTimeout "add_timeout" "ef*",
        Now "now" "",
        Cat "cat" "*",
        Len "len" "e",
        Div "div" "ee",
    }
}

words! {
    /// Operators between two expressions.
    Operator {
        Add "+", Subtract "-", Multiply "*", Modulo "%",
        Less "<", LessOrEqual "<=", Greater ">", GreaterOrEqual ">=", Equal "==", NotEqual "!=",
        And "and", Or "or",
    }
}

words! {
    /// Classes of objects that `new` creates.
    Class {
        Future "Future" "",
        Lock "Lock" "",
        Semaphore "Semaphore" "e",
        BoundedSemaphore "BoundedSemaphore" "e",
        Event "Event" "",
        Condition "Condition" "",
        Queue "Queue" "e",
        PriorityQueue "PriorityQueue" "e",
        LifoQueue "LifoQueue" "e",
        WaitIterator "WaitIterator" "*",
        PeriodicCallback "PeriodicCallback" "fe",
    }
}

words! {
    /// Methods of objects.
    Method {
        SetResult "set_result" "e",
        SetException "set_exception" "e",
        Cancel "cancel" "",
        Done "done" "",
        Cancelled "cancelled" "",
        Result "result" "",
        Exception "exception" "",
        Acquire "acquire" "e?",
        Release "release" "",
        Set "set" "",
        Clear "clear" "",
        IsSet "is_set" "",
        Wait "wait" "e?",
        Notify "notify" "e?",
        NotifyAll "notify_all" "",
        Put "put" "ee?",
        Get "get" "e?",
        PutNowait "put_nowait" "e",
        GetNowait "get_nowait" "",
        TaskDone "task_done" "",
        Join "join" "e?",
        Qsize "qsize" "",
        Empty "empty" "",
        Full "full" "",
        Next "next" "",
        Index "index" "",
        Start "start" "",
        Stop "stop" "",
        IsRunning "is_running" "",
    }
}

words! {
    /// Types of exceptions, as handlers name them.
    Type {
        ValueError "ValueError",
        KeyError "KeyError",
        RuntimeError "RuntimeError",
        ZeroDivisionError "ZeroDivisionError",
        TypeError "TypeError",
        TimeoutError "TimeoutError",
        AppError "AppError",
        Exception "Exception",
        BaseException "BaseException",
        BadYieldError "BadYieldError",
        QueueEmpty "QueueEmpty",
        QueueFull "QueueFull",
        InvalidStateError "InvalidStateError",
        CancelledError "CancelledError",
        Return "Return",
    }
}

impl Type {
    /// The types of exceptions that a program may create.
    pub(crate) const RAISABLE: &'static [Self] = &[
        Self::ValueError,
        Self::KeyError,
        Self::RuntimeError,
        Self::ZeroDivisionError,
        Self::TypeError,
        Self::TimeoutError,
        Self::AppError,
    ];
}

/// The kinds of defs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefKind {
    /// `@gen.coroutine def`
    Decorated,
    /// `async def`
    Native,
    /// `def`
    Plain,
}

/// A def, by its index in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DefId(pub(crate) usize);

/// A function of the program.
#[derive(Debug)]
pub(crate) struct Def {
    pub(crate) name: Name,
    pub(crate) kind: DefKind,
    pub(crate) params: Vec<Name>,
    pub(crate) body: Body,
    /// The names that are local to a call. All other names are global.
    pub(crate) locals: BTreeSet<Name>,
    /// `true` if the body contains something that can suspend it.
    pub(crate) suspends: bool,
}

pub(crate) type Body = Vec<Statement>;

/// A statement. The variants are named as in the language.
#[derive(Debug)]
pub(crate) enum Statement {
    Action(Action, Arguments),
    Let(Name, Expression),
    Expr(Expression),
    If(Expression, Body, Body),
    For(Name, Expression, Body),
    While(Expression, Body),
    Break,
    Continue,
    Try(Box<Try>),
    Raise(Expression),
    Reraise,
    Return(Option<Expression>),
    GenReturn(Option<Expression>),
    Yield(Option<Name>, Expression),
    WhileYield(Option<Name>, Expression, Body),
    WithYield(Expression, Body),
    AsyncWith(Expression, Body),
    AsyncFor(Name, Expression, Body),
    RunSync(DefId, Vec<Expression>, Option<i64>),
    Start,
}

#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) body: Body,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) otherwise: Body,
    pub(crate) finally: Body,
}

#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) types: Vec<Type>,
    pub(crate) variable: Option<Name>,
    pub(crate) body: Body,
}

/// The arguments of an action, a function, a class or a method.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// The def, if the signature has one.
    pub(crate) def: Option<DefId>,
    /// The expressions, in order.
    pub(crate) values: Vec<Expression>,
    /// The `quiet_exceptions`, if the signature has them and they were passed.
    pub(crate) quiet: Option<Vec<Type>>,
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Expression {
    Null,
    Bool(bool),
    Integer(i64),
    String(Name),
    Variable(Name),
    List(Vec<Expression>),
    Dict(Vec<(Name, Expression)>),
    Binary(Operator, Box<(Expression, Expression)>),
    Get(Box<(Expression, Expression)>),
    Not(Box<Expression>),
    Call(DefId, Vec<Expression>),
    Exception(Type, Option<Box<Expression>>),
    Moment,
    Bogus,
    Function(Function, Arguments),
    New(Class, Arguments),
    WaitIteratorKw(Vec<(Name, Expression)>),
    Method(Box<Expression>, Method, Vec<Expression>),
}

impl Statement {
    /// Returns the bodies inside this statement.
    pub(crate) fn bodies(&self) -> Vec<&Body> {
        match self {
            Self::If(_, then, otherwise) => vec![then, otherwise],
            Self::For(_, _, body)
            | Self::While(_, body)
            | Self::WhileYield(_, _, body)
            | Self::WithYield(_, body)
            | Self::AsyncWith(_, body)
            | Self::AsyncFor(_, _, body) => vec![body],
            Self::Try(t) => {
                let mut bodies = vec![&t.body, &t.otherwise, &t.finally];
                bodies.extend(t.handlers.iter().map(|handler| &handler.body));
                bodies
            }
            _ => Vec::new(),
        }
    }

    /// Returns the name to which this statement itself assigns.
    pub(crate) fn target(&self) -> Option<&Name> {
        match self {
            Self::Let(name, _) | Self::For(name, _, _) | Self::AsyncFor(name, _, _) => Some(name),
            Self::Yield(name, _) | Self::WhileYield(name, _, _) => name.as_ref(),
            _ => None,
        }
    }

    /// Returns whether this statement itself can suspend the coroutine.
    pub(crate) fn suspends(&self) -> bool {
        matches!(
            self,
            Self::Yield(..)
                | Self::WhileYield(..)
                | Self::WithYield(..)
                | Self::AsyncWith(..)
                | Self::AsyncFor(..)
        )
    }
}

/// Calls `f` with every statement of a body, including nested ones.
pub(crate) fn walk<'a>(body: &'a Body, f: &mut impl FnMut(&'a Statement)) {
    for statement in body {
        f(statement);
        statement.bodies().into_iter().for_each(|body| walk(body, f));
    }
}

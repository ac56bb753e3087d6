//! A program as Python source.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use squall_runner::Place;

use super::syntax::{
    walk, Arguments, Body, Class, Def, DefId, DefKind, Expression, Function, Name, Statement, Type,
};
use super::tornado::Tornado;
use super::Code;

pub(super) fn source(code: &Code) -> String {
    written(code).text
}

/// Returns the program as Tornado code that runs, with its imports.
pub(super) fn tornado(code: &Code) -> String {
    let tornado = Tornado::of(code.defs.iter().map(|def| &def.body).chain([&code.top]));
    let text = Writer::with(code, Some(&tornado)).whole().text;
    format!("{}{text}", tornado.head())
}

/// Returns the name of a program's file in places: the name of the program.
pub(super) fn file(code: &Code) -> String {
    let name: String = code.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if name.trim().is_empty() {
        return "program".to_owned();
    }
    name
}

/// The place of each statement and of each def in the Python source, whose file has the name of the program.
#[derive(Debug)]
pub(super) struct Places {
    statements: HashMap<StatementId, Place>,
    /// In the order of the defs.
    defs: Vec<Place>,
}

impl Places {
    pub(super) fn of(code: &Code) -> Self {
        let file = file(code);
        let place = |(id, (line, column))| (id, Place::new(&file, line, column));
        let Writer { places, defs, .. } = written(code);
        Self {
            statements: places.into_iter().map(place).collect(),
            defs: defs.into_iter().map(|line| Place::new(&file, line, 1)).collect(),
        }
    }

    /// Returns the place of a statement of that program.
    pub(super) fn get(&self, statement: StatementId) -> Option<Place> {
        self.statements.get(&statement).copied()
    }

    /// Returns the place of each def, in order.
    pub(super) fn defs(&self) -> &[Place] {
        &self.defs
    }
}

/// Returns the address of a statement, which identifies it while its program lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StatementId(usize);

impl StatementId {
    pub(super) fn of(statement: &Statement) -> Self {
        Self(std::ptr::from_ref(statement).addr())
    }
}

fn written(code: &Code) -> Writer<'_> {
    Writer::with(code, None).whole()
}

/// The indentation of each level.
const INDENT: &str = "    ";

/// Writes a program: in short, or, with `tornado`, as Tornado code that runs.
struct Writer<'a> {
    code: &'a Code,
    tornado: Option<&'a Tornado>,
    text: String,
    /// How many lines are complete.
    ended: u32,
    /// The line and column at which each statement begins, by the statement's address.
    places: HashMap<StatementId, (u32, u32)>,
    /// The line of each def, in order; not that of its decorator.
    defs: Vec<u32>,
    /// The word for waiting in the current def: `yield` or `await`.
    wait: &'static str,
}

impl<'a> Writer<'a> {
    fn with(code: &'a Code, tornado: Option<&'a Tornado>) -> Self {
        let (text, places, defs) = (String::new(), HashMap::new(), Vec::new());
        Self { code, tornado, text, ended: 0, places, defs, wait: "yield" }
    }

    /// Writes the whole program.
    fn whole(mut self) -> Self {
        for def in &self.code.defs {
            self.def(def);
        }
        self.wait = "yield";
        if !self.code.top.is_empty() {
            self.body(&self.code.top, 0);
        }
        self
    }

    fn def(&mut self, def: &Def) {
        let keyword = match (def.kind, self.tornado) {
            (DefKind::Decorated, Some(tornado)) => format!("@{}\ndef", tornado.gen("coroutine")),
            (DefKind::Decorated, None) => "@coroutine\ndef".to_owned(),
            (DefKind::Native, _) => "async def".to_owned(),
            (DefKind::Plain, _) => "def".to_owned(),
        };
        self.wait = if def.kind == DefKind::Native { "await" } else { "yield" };
        let params: Vec<_> = def.params.iter().map(|name| self.name(name)).collect();
        self.line(0, format_args!("{keyword} {}({}):", self.name(&def.name), params.join(", ")));
        self.defs.push(self.ended);
        let mut assigned = BTreeSet::<&Name>::new();
        walk(&def.body, &mut |statement| assigned.extend(statement.target()));
        let shared = assigned.into_iter().filter(|name| self.code.globals.contains(*name));
        let shared: Vec<String> = shared.map(|name| self.name(name)).collect();
        if !shared.is_empty() {
            self.line(1, format_args!("global {}", shared.join(", ")));
        }
        self.body(&def.body, 1);
        self.line(0, "");
    }

    fn name(&self, name: &str) -> String {
        self.tornado.map_or_else(|| name.to_owned(), |_| Tornado::name(name))
    }

    fn kind(&self, kind: Type) -> String {
        self.tornado.map_or_else(|| kind.name().to_owned(), |tornado| tornado.exception(kind))
    }

    fn def_name(&self, def: DefId) -> String {
        self.name(&self.code.defs[def.0].name)
    }

    /// Returns the def that is passed as an argument; nothing if there is none.
    fn passed(&self, arguments: &Arguments) -> String {
        arguments.def.map_or(String::new(), |def| self.def_name(def))
    }

    fn line(&mut self, depth: usize, text: impl std::fmt::Display) {
        for _ in 0..depth {
            self.text.push_str(INDENT);
        }
        // Writing to a String cannot fail.
        let start = self.text.len();
        let _ = writeln!(self.text, "{text}");
        self.ended += u32::try_from(self.text[start..].matches('\n').count()).unwrap_or(0);
    }

    fn body(&mut self, body: &Body, depth: usize) {
        if body.is_empty() {
            self.line(depth, "pass");
        }
        for statement in body {
            self.statement(statement, depth);
        }
    }

    fn block(&mut self, head: impl std::fmt::Display, body: &Body, depth: usize) {
        self.line(depth, head);
        self.body(body, depth + 1);
    }

    fn statement(&mut self, statement: &Statement, depth: usize) {
        let wait = self.wait;
        let column = u32::try_from(depth * INDENT.len() + 1).unwrap_or(u32::MAX);
        self.places.insert(StatementId::of(statement), (self.ended + 1, column));
        match statement {
            Statement::Action(action, arguments) => {
                let call = match self.tornado {
                    Some(tornado) => {
                        let shown = self.each(&arguments.values);
                        tornado.action(*action, &self.passed(arguments), arguments, &shown)
                    }
                    None => format!("{}({})", action.name(), self.arguments(action.signature(), arguments)),
                };
                self.line(depth, call);
            }
            Statement::Let(name, e) => {
                self.line(depth, format!("{} = {}", self.name(name), self.expression(e)));
            }
            Statement::Expr(e) => self.line(depth, self.expression(e)),
            Statement::If(e, then, otherwise) => {
                self.block(format!("if {}:", self.expression(e)), then, depth);
                if !otherwise.is_empty() {
                    self.block("else:", otherwise, depth);
                }
            }
            Statement::For(name, n, body) => {
                let head = format!("for {} in range({}):", self.name(name), self.expression(n));
                self.block(head, body, depth);
            }
            Statement::While(e, body) => self.block(format!("while {}:", self.expression(e)), body, depth),
            Statement::Break => self.line(depth, "break"),
            Statement::Continue => self.line(depth, "continue"),
            Statement::Try(t) => {
                self.block("try:", &t.body, depth);
                for handler in &t.handlers {
                    let types: Vec<_> = handler.types.iter().map(|kind| self.kind(*kind)).collect();
                    let types = types.join(", ");
                    let types = if handler.types.len() == 1 { types } else { format!("({types})") };
                    let name = handler.variable.as_ref();
                    let name = name.map_or(String::new(), |name| format!(" as {}", self.name(name)));
                    self.block(format!("except {types}{name}:"), &handler.body, depth);
                }
                for (word, body) in [("else:", &t.otherwise), ("finally:", &t.finally)] {
                    if !body.is_empty() {
                        self.block(word, body, depth);
                    }
                }
            }
            Statement::Raise(e) => self.line(depth, format!("raise {}", self.expression(e))),
            Statement::Reraise => self.line(depth, "raise"),
            Statement::Return(None) => self.line(depth, "return"),
            Statement::Return(Some(e)) => self.line(depth, format!("return {}", self.expression(e))),
            Statement::GenReturn(e) => {
                let value = e.as_ref().map_or(String::new(), |e| self.expression(e));
                self.line(depth, format!("raise {}({value})", self.kind(Type::Return)));
            }
            Statement::Yield(name, e) => {
                let target = name.as_ref().map_or(String::new(), |name| format!("{} = ", self.name(name)));
                self.line(depth, format!("{target}{wait} {}", self.expression(e)));
            }
            Statement::WhileYield(name, e, body) => {
                let waited = format!("({wait} {})", self.expression(e));
                let head = match name {
                    Some(name) => format!("while ({} := {waited}):", self.name(name)),
                    None => format!("while {waited}:"),
                };
                self.block(head, body, depth);
            }
            Statement::WithYield(e, body) => {
                self.block(format!("with (yield {}):", self.expression(e)), body, depth);
            }
            Statement::AsyncWith(e, body) => {
                self.block(format!("async with {}:", self.expression(e)), body, depth);
            }
            Statement::AsyncFor(name, e, body) => {
                let head = format!("async for {} in {}:", self.name(name), self.expression(e));
                self.block(head, body, depth);
            }
            Statement::RunSync(def, arguments, ms) => {
                let (def, arguments) = (self.def_name(*def), self.each(arguments));
                let run = match self.tornado {
                    Some(tornado) => tornado.run_sync(&def, &arguments, *ms),
                    None => {
                        let parts = [def].into_iter().chain(arguments);
                        let parts = parts.chain(ms.map(|ms| format!("timeout={ms}")));
                        format!("run_sync({})", parts.collect::<Vec<_>>().join(", "))
                    }
                };
                self.line(depth, run);
            }
            Statement::Start => {
                self.line(depth, self.tornado.map_or("start()".to_owned(), Tornado::start));
            }
        }
    }

    fn expression(&self, e: &Expression) -> String {
        match e {
            Expression::Null => "None".to_owned(),
            Expression::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
            Expression::Integer(n) => n.to_string(),
            Expression::String(s) => quoted(s),
            Expression::Variable(name) => self.name(name),
            Expression::List(items) => format!("[{}]", self.expressions(items)),
            Expression::Dict(entries) => {
                let entries =
                    entries.iter().map(|(key, e)| format!("{}: {}", quoted(key), self.expression(e)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            Expression::Binary(operator, operands) => {
                let (a, b) = (self.expression(&operands.0), self.expression(&operands.1));
                format!("({a} {} {b})", operator.name())
            }
            Expression::Get(operands) => {
                format!("{}[{}]", self.expression(&operands.0), self.expression(&operands.1))
            }
            Expression::Not(e) => format!("(not {})", self.expression(e)),
            Expression::Call(def, arguments) => {
                format!("{}({})", self.def_name(*def), self.expressions(arguments))
            }
            Expression::Exception(kind, argument) => {
                let argument = argument.as_ref().map_or(String::new(), |e| self.expression(e));
                format!("{}({argument})", self.kind(*kind))
            }
            Expression::Moment => self.tornado.map_or("moment".to_owned(), |tornado| tornado.gen("moment")),
            Expression::Bogus => if self.tornado.is_some() { "object()" } else { "bogus" }.to_owned(),
            Expression::Function(function, arguments) if self.tornado.is_some() => {
                let shown = self.each(&arguments.values);
                let call = |tornado: &Tornado| {
                    tornado.function(*function, &self.passed(arguments), arguments, &shown)
                };
                self.tornado.map_or(String::new(), call)
            }
            Expression::Function(Function::Div, Arguments { values, .. }) if values.len() == 2 => {
                format!("({} // {})", self.expression(&values[0]), self.expression(&values[1]))
            }
            Expression::Function(function, arguments) => {
                format!("{}({})", function.name(), self.arguments(function.signature(), arguments))
            }
            Expression::New(class, arguments) => match self.tornado {
                Some(tornado) => {
                    tornado.create(*class, &self.passed(arguments), &self.each(&arguments.values))
                }
                None => format!("{}({})", class.name(), self.arguments(class.signature(), arguments)),
            },
            Expression::WaitIteratorKw(futures) => {
                let futures = futures.iter().map(|(key, e)| format!("{key}={}", self.expression(e)));
                let futures: Vec<_> = futures.collect();
                match self.tornado {
                    Some(tornado) => tornado.create(Class::WaitIterator, "", &futures),
                    None => format!("{}({})", Class::WaitIterator.name(), futures.join(", ")),
                }
            }
            Expression::Method(object, method, arguments) => {
                let object = self.expression(object);
                match self.tornado {
                    Some(tornado) => {
                        format!("{object}.{}", tornado.method(*method, arguments, &self.each(arguments)))
                    }
                    None => format!("{object}.{}({})", method.name(), self.expressions(arguments)),
                }
            }
        }
    }

    fn each(&self, expressions: &[Expression]) -> Vec<String> {
        expressions.iter().map(|e| self.expression(e)).collect()
    }

    fn expressions(&self, expressions: &[Expression]) -> String {
        self.each(expressions).join(", ")
    }

    /// Returns the arguments in the order of a signature.
    fn arguments(&self, signature: &str, arguments: &Arguments) -> String {
        let mut parts: Vec<_> = arguments.values.iter().map(|e| self.expression(e)).collect();
        if let Some(def) = arguments.def {
            let place = signature.find('f').unwrap_or_default();
            parts.insert(place, self.def_name(def));
        }
        if let Some(quiet) = &arguments.quiet {
            let types = quiet.iter().map(|kind: &Type| kind.name()).collect::<Vec<_>>();
            parts.push(format!("quiet=[{}]", types.join(", ")));
        }
        parts.join(", ")
    }
}

/// Returns a string as a Python literal.
pub(super) fn quoted(s: &str) -> String {
    let quote = if s.contains('\'') && !s.contains('"') { '"' } else { '\'' };
    let mut text = String::from(quote);
    for c in s.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            c if c == quote => text.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(text, "\\x{:02x}", u32::from(c));
            }
            // Characters that would change how the rest of the line is shown.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push(quote);
    text
}

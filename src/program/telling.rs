//! Reports to a trace what a program does beyond its coroutines: its lines, functions and variables.

use std::cell::RefCell;
use std::collections::HashMap;

use squall_runner::trace::{
    body, emit, line, returns_at, running_call, set_line, CallId, Event, Scope, Shown, Variable,
};
use squall_runner::{Coroutine, Result};

use super::show;
use super::source::StatementId;
use super::statements::Frame;
use super::syntax::{Def, DefKind, Name, Statement};
use super::value::Value;
use super::world::World;

/// The variables that were reported last. They are reported again only if they have changed.
#[derive(Default)]
pub(super) struct Told {
    calls: RefCell<HashMap<CallId, Vec<Variable>>>,
    globals: RefCell<Vec<Variable>>,
}

impl World {
    /// Returns the arguments of a call as a trace shows them; `None` if there is no trace.
    pub(super) fn told_arguments(&self, def: &Def, locals: &HashMap<Name, Value>) -> Option<Vec<Variable>> {
        self.record.is_traced().then(|| variables(&def.params, locals))
    }

    /// Tells the global variables, if one has changed.
    fn tell_globals(&self) {
        let names: Vec<_> = self.code.globals.iter().cloned().collect();
        let now = variables(&names, &self.globals.borrow());
        if *self.told.globals.borrow() != now {
            emit(|| Event::Variables { scope: Scope::Program, variables: &now });
            self.told.globals.replace(now);
        }
    }
}

/// Calls a function that is not a coroutine, and tells its call and its end.
pub(super) fn tell_function(
    function: &'static Coroutine,
    arguments: Option<Vec<Variable>>,
    call: impl FnOnce() -> Result<Value>,
) -> Result<Value> {
    let Some(arguments) = arguments else { return call() };
    let (name, place, defined, arguments) = (function.name(), line(), function.place(), &arguments);
    emit(|| Event::Enter { name, place, defined, arguments });
    let (result, place) = body(call);
    let shown = |value| Shown::new(value, Some(show::value));
    emit(|| Event::Leave { outcome: result.as_ref().map(shown), place });
    result
}

impl Frame {
    /// Runs from now on at that statement.
    pub(super) fn comes_to(&self, statement: &Statement) {
        if self.world.record.is_traced() {
            set_line(self.world.place(StatementId::of(statement)));
        }
    }

    /// Returns from the body at that statement.
    pub(super) fn returns_at(&self, statement: &Statement) {
        if self.world.record.is_traced() {
            returns_at(self.world.place(StatementId::of(statement)));
        }
    }

    /// Tells the variables that the body sees, if one has changed.
    pub(super) fn tell_variables(&self) {
        if !self.world.record.is_traced() {
            return;
        }
        self.world.tell_globals();
        let Some(def) = self.def.map(|def| &self.world.code.defs[def.0]) else { return };
        let others = def.locals.iter().filter(|name| !def.params.contains(name));
        let names: Vec<_> = def.params.iter().chain(others).cloned().collect();
        let now = variables(&names, &self.locals.borrow());
        let scope = match def.kind {
            DefKind::Plain if *self.told.borrow() == now => return,
            DefKind::Plain => {
                self.told.replace(now.clone());
                Scope::Function
            }
            DefKind::Decorated | DefKind::Native => {
                let Some(call) = running_call() else { return };
                let mut told = self.world.told.calls.borrow_mut();
                if told.insert(call, now.clone()).as_ref() == Some(&now) {
                    return;
                }
                Scope::Call(call)
            }
        };
        emit(|| Event::Variables { scope, variables: &now });
    }
}

/// Returns those of the variables that have a value.
fn variables(names: &[Name], values: &HashMap<Name, Value>) -> Vec<Variable> {
    let shown = |name: &Name| {
        let value = show::shown(values.get(name)?);
        Some(Variable { name: name.to_string().into(), value })
    };
    names.iter().filter_map(shown).collect()
}

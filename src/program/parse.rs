//! From JSON to the syntax tree. A malformed program becomes an error that says where, and what was expected.

mod expression;
mod names;
mod path;
mod statement;

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use super::json::Node;
use super::syntax::{walk, Body, Def, DefId, DefKind, Name, Statement};
use super::{Code, ProgramError};

use names::check_name;
use path::{entries, items, string, Fields, Path};
use statement::Inside;

type Result<T, E = ProgramError> = std::result::Result<T, E>;

/// Reads and checks a whole program.
pub(super) fn program(text: &str) -> Result<Code> {
    let root = Node::parse(text)?;
    let root = Fields::of(&root, Path::Root, &["name", "about", "defs", "top"], &["expect"])?;
    let (defs, at_defs) = root.get("defs");
    let defs = entries(defs, at_defs)?;
    let (top, at_top) = root.get("top");
    let reader = Reader { defs: declared(defs), globals: globals(top) };
    let read = |(name, node): &(String, Node)| reader.def(name, node, at_defs.key(name));
    let program = Code {
        name: string(root.get("name"))?.to_owned(),
        about: string(root.get("about"))?.to_owned(),
        defs: defs.iter().map(read).collect::<Result<_>>()?,
        top: reader.body(top, at_top, Inside::TOP)?,
        globals: reader.globals.iter().map(|&name| name.into()).collect(),
        places: OnceLock::new(),
    };
    if !program.top.iter().any(|s| matches!(s, Statement::RunSync(..) | Statement::Start)) {
        return Err(
            at_top.error("nothing runs the loop: expected a run_sync or a start among the statements")
        );
    }
    Ok(program)
}

/// Returns the defs by name, each with the number of its parameters.
fn declared(defs: &[(String, Node)]) -> HashMap<&str, (DefId, usize)> {
    let arity = |def: &Node| match def {
        Node::Object(fields) => fields.iter().find_map(|(key, node)| match node {
            Node::Array(params) if key == "params" => Some(params.len()),
            _ => None,
        }),
        _ => None,
    };
    let defs = defs.iter().enumerate();
    defs.map(|(n, (name, def))| (name.as_str(), (DefId(n), arity(def).unwrap_or(0)))).collect()
}

/// Returns the names that a `let` directly at the top level assigns.
fn globals(top: &Node) -> BTreeSet<&str> {
    let Node::Array(statements) = top else { return BTreeSet::new() };
    let mut names = BTreeSet::new();
    for statement in statements {
        if let Node::Array(items) = statement {
            if let [Node::String(op), Node::String(name), ..] = items.as_slice() {
                if op == "let" {
                    names.insert(name.as_str());
                }
            }
        }
    }
    names
}

/// The definitions and globals of the whole program, known while its parts are read.
struct Reader<'a> {
    defs: HashMap<&'a str, (DefId, usize)>,
    globals: BTreeSet<&'a str>,
}

impl Reader<'_> {
    fn def(&self, name: &str, node: &Node, at: Path<'_>) -> Result<Def> {
        check_name(name, at)?;
        if self.globals.contains(name) {
            return Err(at.error(format!("the def {name} has the name of a global: expected another name")));
        }
        let fields = Fields::of(node, at, &["kind", "params", "body"], &[])?;
        let (kind, at_kind) = fields.get("kind");
        let kind = match kind {
            Node::String(kind) if kind == "decorated" => DefKind::Decorated,
            Node::String(kind) if kind == "native" => DefKind::Native,
            Node::String(kind) if kind == "plain" => DefKind::Plain,
            other => return Err(at_kind.expected(r#""decorated", "native" or "plain""#, other)),
        };
        let params = self.params(fields.get("params"))?;
        let (body, at_body) = fields.get("body");
        let body = self.body(body, at_body, Inside::def(kind))?;
        if body.is_empty() {
            return Err(at_body.error("expected at least one statement"));
        }
        let locals = self.locals(&params, &body);
        let mut suspends = false;
        walk(&body, &mut |statement| suspends |= statement.suspends());
        Ok(Def { name: name.into(), kind, params, body, locals, suspends })
    }

    fn params(&self, (node, at): (&Node, Path<'_>)) -> Result<Vec<Name>> {
        let mut params = Vec::<Name>::new();
        for (n, param) in items(node, at)?.iter().enumerate() {
            let at = at.item(n);
            let name = string((param, at))?;
            check_name(name, at)?;
            if self.globals.contains(name) {
                return Err(at.error(format!("the parameter {name} has the name of a global")));
            }
            if params.iter().any(|other| **other == *name) {
                return Err(at.error(format!("the parameter {name} comes twice")));
            }
            params.push(name.into());
        }
        Ok(params)
    }

    /// Returns the names that are local to a call: parameters, and names that are assigned and not global.
    fn locals(&self, params: &[Name], body: &Body) -> BTreeSet<Name> {
        let mut locals: BTreeSet<Name> = params.iter().cloned().collect();
        walk(body, &mut |statement| {
            locals.extend(statement.target().cloned());
            if let Statement::Try(t) = statement {
                locals.extend(t.handlers.iter().filter_map(|handler| handler.variable.clone()));
            }
        });
        locals.retain(|name| !self.globals.contains(&**name));
        locals
    }

    /// Finds a def by name.
    fn def_named(&self, node: &Node, at: Path<'_>) -> Result<(DefId, usize)> {
        let found = if let Node::String(name) = node { self.defs.get(name.as_str()) } else { None };
        found.copied().ok_or_else(|| at.expected("the name of a def", node))
    }
}

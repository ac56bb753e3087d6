//! The parts of a JSON tree, and the paths by which errors name them.

use std::fmt;

use super::Result;
use crate::program::json::Node;
use crate::program::ProgramError;

/// The path from the root to a node: `defs.f.body[2][1]`.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path::Key(self, key)
    }

    pub(super) fn item(&'a self, index: usize) -> Path<'a> {
        Path::Item(self, index)
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ProgramError {
        ProgramError::new(self.to_string(), message)
    }

    pub(super) fn expected(&self, what: impl fmt::Display, found: &Node) -> ProgramError {
        self.error(format!("expected {what}, found {}", found.described()))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(parent, key) if key.is_empty() || key.contains(['.', '[', ' ']) => {
                write!(f, "{parent}[{key:?}]")
            }
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

pub(super) fn string<'n>((node, at): (&'n Node, Path<'_>)) -> Result<&'n str> {
    match node {
        Node::String(s) => Ok(s),
        other => Err(at.expected("a string", other)),
    }
}

pub(super) fn items<'n>(node: &'n Node, at: Path<'_>) -> Result<&'n [Node]> {
    match node {
        Node::Array(items) => Ok(items),
        other => Err(at.expected("an array", other)),
    }
}

/// Returns the entries of an object, in which no key may occur twice.
pub(super) fn entries<'n>(node: &'n Node, at: Path<'_>) -> Result<&'n [(String, Node)]> {
    let Node::Object(entries) = node else { return Err(at.expected("an object", node)) };
    let mut keys: Vec<_> = entries.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(at.key(pair[0]).error("this key comes twice")),
        None => Ok(entries),
    }
}

/// An object that may only have known keys.
pub(super) struct Fields<'n, 'a> {
    entries: &'n [(String, Node)],
    at: Path<'a>,
}

impl<'n, 'a> Fields<'n, 'a> {
    pub(super) fn of(node: &'n Node, at: Path<'a>, needed: &[&str], allowed: &[&str]) -> Result<Self> {
        let entries = entries(node, at)?;
        if let Some(missing) = needed.iter().find(|needed| !entries.iter().any(|(key, _)| key == *needed)) {
            return Err(at.error(format!("the key {missing:?} is missing")));
        }
        let known = |key: &str| needed.contains(&key) || allowed.contains(&key);
        match entries.iter().find(|(key, _)| !known(key)) {
            Some((key, _)) => Err(at.key(key).error(format!("unknown key: expected {}", needed.join(", ")))),
            None => Ok(Self { entries, at }),
        }
    }

    /// Returns the value of a required key.
    pub(super) fn get<'s>(&'s self, key: &'s str) -> (&'n Node, Path<'s>) {
        let entry = self.entries.iter().find(|(k, _)| k == key);
        (&entry.expect("it was looked for when this was made").1, self.at.key(key))
    }
}

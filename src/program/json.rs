//! JSON text as a tree that keeps what the reader of programs must see: the order of keys, repeated keys, and numbers
//! that are not integers. Its depth is limited, so that no text overflows the stack.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::ProgramError;

/// The largest depth of nested arrays and objects.
pub(crate) const DEPTH: usize = 200;

#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is not an `i64`.
    Number(f64),
    String(String),
    Array(Vec<Node>),
    /// The entries in order. A key may occur twice.
    Object(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn parse(text: &str) -> Result<Self, ProgramError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        // `DEPTH`, below, is the limit.
        deserializer.disable_recursion_limit();
        let node = Tree { depth: 0 }.deserialize(&mut deserializer);
        let node = node.and_then(|node| deserializer.end().map(|()| node));
        node.map_err(|error| match error.classify() {
            Category::Syntax | Category::Eof => ProgramError::not_json(error.to_string()),
            Category::Data | Category::Io => ProgramError::new("the JSON text", error.to_string()),
        })
    }

    /// Returns a description of the node for messages.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Integer(n) => n.to_string(),
            Self::Number(n) => format!("the number {n}"),
            Self::String(s) if s.chars().count() <= 40 => format!("{s:?}"),
            Self::String(_) => "a long string".to_owned(),
            Self::Array(items) if items.is_empty() => "an empty array".to_owned(),
            Self::Array(_) => "an array".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

/// Builds a [`Node`] at a given depth.
#[derive(Clone, Copy)]
struct Tree {
    depth: usize,
}

impl Tree {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom(format_args!("arrays are nested deeper than {DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Node, E> {
        Ok(Node::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Node, E> {
        Ok(Node::Integer(n))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E>(self, n: u64) -> Result<Node, E> {
        Ok(i64::try_from(n).map_or(Node::Number(n as f64), Node::Integer))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Node, E> {
        Ok(Node::Number(n))
    }

    fn visit_str<E>(self, s: &str) -> Result<Node, E> {
        Ok(Node::String(s.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let (inside, mut items) = (self.inside()?, Vec::new());
        while let Some(item) = seq.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (inside, mut entries) = (self.inside()?, Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value_seed(inside)?));
        }
        Ok(Node::Object(entries))
    }
}

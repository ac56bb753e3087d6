//! Values in records: as JSON, with a text in angle brackets for values that JSON does not have.

use std::any::Any;
use std::fmt;

use serde_json::Value as Json;
use squall_runner::Exception;

use super::raised;
use super::source::quoted;
use super::value::{Object, Value};

/// Limits for showing a value: its depth, its parts, and its bytes of text. A list can contain itself.
const DEPTH: usize = 200;
const PARTS: usize = 100_000;

/// The error for a value that is too deep or too large to be shown, perhaps because it contains itself.
#[derive(Debug, thiserror::Error)]
#[error("a value is too large or nested too deeply to be shown")]
pub(super) struct TooDeep;

type Result<T> = std::result::Result<T, TooDeep>;

/// Returns the value as JSON data.
pub(super) fn plain(value: &Value) -> Result<Json> {
    Showing { parts: PARTS }.plain(value, 0)
}

/// Returns the value as text: a string unchanged, anything else as compact JSON.
pub(super) fn text(value: &Value) -> Result<String> {
    Ok(match plain(value)? {
        Json::String(text) => text,
        json => json.to_string(),
    })
}

/// Returns `Type: message`, or only the type if there is no message.
pub(super) fn exception(exception: &Exception) -> Result<String> {
    Showing { parts: PARTS }.exception(exception, 0)
}

/// Returns the value like Python's `str`, for what people read: programs are shown as Python. Records have [`text`].
pub(super) fn printed(value: &Value) -> String {
    match plain(value) {
        Ok(Json::String(text)) => text,
        Ok(json) => python(&json),
        Err(TooDeep) => format!("<{}>", value.type_name()),
    }
}

/// Prints a value of a coroutine in traces like Python does, since programs are shown as Python.
pub(super) fn value(value: &dyn Any, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(value) = value.downcast_ref::<Value>() else { return f.write_str("...") };
    match (value, plain(value)) {
        (Value::Exception(_), Ok(Json::String(text))) => f.write_str(&text),
        (_, Ok(json)) => f.write_str(&python(&json)),
        (_, Err(TooDeep)) => f.write_str("..."),
    }
}

/// Returns the value as a trace shows it.
pub(super) fn shown(of: &Value) -> String {
    struct Shown<'a>(&'a Value);
    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            value(self.0, f)
        }
    }
    Shown(of).to_string()
}

/// Returns the value like Python's `repr`. Values that JSON does not have are in angle brackets already.
pub(super) fn python(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) if text.starts_with('<') && text.ends_with('>') => text.clone(),
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| format!("{}: {}", quoted(key), python(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

struct Showing {
    /// How many more parts may be shown.
    parts: usize,
}

impl Showing {
    fn plain(&mut self, value: &Value, depth: usize) -> Result<Json> {
        if depth == DEPTH || self.parts == 0 {
            return Err(TooDeep);
        }
        self.parts -= 1;
        Ok(match value {
            Value::Null => Json::Null,
            Value::Bool(b) => (*b).into(),
            Value::Integer(n) => (*n).into(),
            Value::String(s) => {
                self.parts = self.parts.checked_sub(s.len()).ok_or(TooDeep)?;
                (**s).into()
            }
            Value::Exception(exception) => self.exception(exception, depth)?.into(),
            Value::Local(object) => match &***object {
                Object::List(list) => {
                    let items = list.0.borrow();
                    Json::Array(items.iter().map(|item| self.plain(item, depth + 1)).collect::<Result<_>>()?)
                }
                Object::Dict(dict) => {
                    let mut entry = |(key, value): &(super::syntax::Name, Value)| {
                        Ok((key.to_string(), self.plain(value, depth + 1)?))
                    };
                    Json::Object(dict.0.iter().map(&mut entry).collect::<Result<_>>()?)
                }
                Object::Future(_) => "<future>".into(),
                Object::Awaitable(_) => "<awaitable>".into(),
                Object::Moment => "<moment>".into(),
                Object::Bogus | Object::Timer(_) | Object::Callback(_) | Object::Service(_) => {
                    "<object>".into()
                }
            },
        })
    }

    fn exception(&mut self, exception: &Exception, depth: usize) -> Result<String> {
        let name = raised::name(exception);
        let message = match raised::argument(exception) {
            Some(argument) => match self.plain(&argument, depth + 1)? {
                Json::String(text) => text,
                json => json.to_string(),
            },
            None => String::new(),
        };
        Ok(if message.is_empty() { name.to_owned() } else { format!("{name}: {message}") })
    }
}

//! The meaning of the words of a program in JSON, where it is shown as Python: which are Tornado's, and which are short
//! for something.

use std::collections::BTreeSet;

use squall::trace::Lang;

/// Names that Tornado has, too, by where they are.
const TORNADO: &[(&str, &[&str])] = &[
    (
        "tornado.gen",
        &["coroutine", "sleep", "multi", "with_timeout", "maybe_future", "moment", "Return", "WaitIterator"],
    ),
    ("tornado.concurrent", &["Future"]),
    ("tornado.ioloop", &["PeriodicCallback"]),
    ("tornado.locks", &["Lock", "Semaphore", "BoundedSemaphore", "Event", "Condition"]),
    ("tornado.queues", &["Queue", "PriorityQueue", "LifoQueue"]),
    (
        "IOLoop.current()",
        &["add_callback", "spawn_callback", "call_later", "call_at", "remove_timeout", "start", "stop"],
    ),
];

/// Words that Tornado does not have, or that take other arguments there.
const SHORT: &[(&str, &str)] = &[
    ("log", "print(x)"),
    ("now", "IOLoop.current().time()"),
    ("cat", "\"\".join(..)"),
    ("append", "list.append(x)"),
    ("run_sync", "run_sync(f, x) = IOLoop.current().run_sync(lambda: f(x))"),
    ("executor", "executor(t, f, x) = IOLoop.current().run_in_executor(None, f, x), where f takes t"),
    ("add_timeout", "add_timeout(t, f) = IOLoop.current().add_timeout(timedelta(milliseconds=t), f)"),
    (
        "add_future",
        "add_future(future, f, x) = IOLoop.current().add_future(future, lambda future: f(future, x))",
    ),
    ("on_done", "on_done(future, f, x) = future_add_done_callback(future, lambda future: f(future, x))"),
    ("task", "task(f, x) = gen.Task(f, x)"),
    ("invoke", "invoke(callback, x) = callback(x)"),
    ("convert", "gen.convert_yielded(x)"),
    ("chain", "chain(a, b) = chain_future(a, b)"),
    ("asyncio_sleep", "asyncio.sleep(t)"),
    ("busy", "time.sleep(t)"),
    ("bogus", "object()"),
];

/// Returns a note about the words in the source of a program.
pub(crate) fn note(source: &str, lang: Lang) -> String {
    let between = if lang == Lang::Zh { "；" } else { "; " };
    format!("{}{between}{}", what_it_is(lang), explained(source, lang).join(between))
}

/// Returns the Tornado code of a program, with a note below it on the words of its short source.
pub(crate) fn with_note(tornado: &str, source: &str, lang: Lang) -> String {
    let short = match lang {
        Lang::Zh => "运行记录里的行号属于简写的源程序，那里的时间以毫秒为单位",
        _ => "The lines of the trace are those of the short source, whose times are in milliseconds",
    };
    let lines = std::iter::once(short.to_owned()).chain(explained(source, lang));
    let comments: Vec<_> = lines.map(|line| format!("# {line}")).collect();
    format!("{}\n\n{}\n", tornado.trim_end(), comments.join("\n"))
}

fn what_it_is(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "简写的 Tornado 程序：时间以毫秒为单位",
        _ => "as Python for Tornado, in short: times are in milliseconds",
    }
}

/// Returns for each word in the source where it is in Tornado, or what stands there for it.
fn explained(source: &str, lang: Lang) -> Vec<String> {
    let words = words(source);
    let mut parts = Vec::new();
    for (place, names) in TORNADO {
        let used: Vec<_> = names.iter().filter(|name| words.contains(*name)).copied().collect();
        if !used.is_empty() {
            parts.push(match lang {
                Lang::Zh => format!("{place}：{}", used.join("、")),
                _ => format!("{place}: {}", used.join(", ")),
            });
        }
    }
    for (word, meaning) in SHORT.iter().filter(|(word, _)| words.contains(word)) {
        parts.push(if meaning.contains(" = ") {
            (*meaning).to_owned()
        } else {
            format!("{word} = {meaning}")
        });
    }
    parts
}

/// Returns the names in a source that no dot precedes, without those in strings.
fn words(source: &str) -> BTreeSet<&str> {
    let mut words = BTreeSet::new();
    let mut rest = source;
    while let Some(at) = rest.find(|c: char| c == '\'' || c == '"' || c == '.' || is_of_word(c)) {
        rest = &rest[at..];
        let first = rest.chars().next().unwrap_or_default();
        if is_of_word(first) {
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            if !first.is_ascii_digit() {
                words.insert(&rest[..end]);
            }
            rest = &rest[end..];
        } else if first == '.' {
            rest = rest[1..].trim_start_matches(is_of_word);
        } else {
            rest = after_string(&rest[1..], first);
        }
    }
    words
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns what follows the string whose text begins here.
fn after_string(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_names_outside_of_strings_without_a_dot_before() {
        let found = words("x = yield sleep(5)\nlog('it\\'s busy', \"now\", q.get(3))\nperiodic.stop()");
        assert_eq!(found, ["log", "q", "periodic", "sleep", "x", "yield"].into());
    }

    #[test]
    fn the_note_below_tornado_code_explains_each_short_word_in_a_comment() {
        let text = with_note(
            "IOLoop.current().run_sync(main)\n",
            "def main():\n    log(1)\n\nrun_sync(main)\n",
            Lang::En,
        );
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines[1], "# log = print(x)");
        assert!(lines.len() == 3 && lines.iter().all(|line| line.starts_with("# ")), "{text}");
        assert!(with_note("", "log(1)", Lang::Zh).contains("# 运行记录"));
    }

    /// A function that a program calls is Python's, is Tornado's by its own name, is defined in the program, or is
    /// explained.
    #[test]
    fn each_word_of_each_program_of_the_suite_is_known_or_explained() {
        const PYTHON: &[&str] = &[
            "len", "range", "def", "if", "while", "yield", "await", "with", "in", "and", "or", "not",
            "return",
        ];
        let suite = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/conformance/hand");
        for case in std::fs::read_dir(suite).unwrap() {
            let path = case.unwrap().path();
            let program = squall::program::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let source = program.source();
            let note = note(&source, Lang::En);
            let own: BTreeSet<_> = source
                .lines()
                .filter_map(|line| line.trim_start_matches("async ").strip_prefix("def ")?.split('(').next())
                .collect();
            let is_called = |word: &&str| {
                let begins = |at: usize| !source[..at].ends_with(|c| is_of_word(c) || c == '.');
                source.match_indices(&format!("{word}(")).any(|(at, _)| begins(at))
            };
            for word in words(&source).into_iter().filter(is_called) {
                let is_error =
                    word.ends_with("Error") || word.ends_with("Exception") || word.starts_with("Queue");
                let is_known = own.contains(word) || PYTHON.contains(&word) || is_error;
                assert!(is_known || words(&note).contains(word), "{}: {word}", path.display());
            }
        }
    }
}

//! [`Chinese`]: what clap says of arguments that it refuses, in Chinese.

use std::error::Error as _;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorFormatter, ErrorKind};

/// Formats clap's errors in Chinese. Names, values and the usage stay as they are typed.
#[derive(Debug)]
pub(crate) struct Chinese;

impl ErrorFormatter for Chinese {
    fn format_error(error: &Error<Self>) -> StyledStr {
        let mut parts = vec![format!("错误：{}", what(error))];
        for (kind, lead) in [
            (ContextKind::ValidValue, "可用的值"),
            (ContextKind::ValidSubcommand, "可用的命令"),
            (ContextKind::SuggestedArg, "是不是"),
            (ContextKind::SuggestedValue, "是不是"),
            (ContextKind::SuggestedSubcommand, "是不是"),
        ] {
            if let Some(all) = listed(error, kind).filter(|all| !all.is_empty()) {
                let all: Vec<_> = all.iter().map(|one| format!("'{one}'")).collect();
                let mark = if lead == "是不是" { "？" } else { "" };
                parts.push(format!("  {lead}：{}{mark}", all.join("、")));
            }
        }
        if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
            let usage = usage.to_string();
            parts.push(format!("用法：{}", usage.strip_prefix("Usage: ").unwrap_or(&usage)));
        }
        parts.push("'--help' 显示全部帮助。\n".to_owned());
        StyledStr::from(parts.join("\n\n"))
    }
}

/// Returns what is wrong, in a sentence without its full stop.
fn what(error: &Error<Chinese>) -> String {
    let [argument, value, command, prior] = [
        ContextKind::InvalidArg,
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
        ContextKind::PriorArg,
    ]
    .map(|kind| listed(error, kind).unwrap_or_default().join("'、'"));
    match error.kind() {
        ErrorKind::UnknownArgument => format!("没有 '{argument}' 这个参数"),
        ErrorKind::InvalidSubcommand => format!("没有 '{command}' 这个命令"),
        ErrorKind::InvalidValue if value.is_empty() => format!("'{argument}' 后面缺少一个值"),
        ErrorKind::InvalidValue => format!("'{argument}' 没有 '{value}' 这个值"),
        ErrorKind::ValueValidation => {
            let reason = error.source().map(|source| format!("：{}", reason(&source.to_string())));
            format!("'{argument}' 的值 '{value}' 不对{}", reason.unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数 '{argument}'"),
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::ArgumentConflict if argument == prior => format!("'{argument}' 只能给出一次"),
        ErrorKind::ArgumentConflict => format!("'{argument}' 不能和 '{prior}' 一起使用"),
        ErrorKind::NoEquals => format!("'{argument}' 和它的值之间要有等号"),
        ErrorKind::TooManyValues => format!("'{argument}' 多了一个值 '{value}'"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("'{argument}' 的值的个数不对"),
        ErrorKind::InvalidUtf8 => "参数不是 UTF-8 文本".to_owned(),
        // The others are no mistakes in arguments.
        kind => kind.to_string(),
    }
}

/// Returns why a value is refused, as far as the parsers of this command say it.
fn reason(english: &str) -> String {
    if let Some((value, range)) = english.split_once(" is not in ") {
        return format!("{value} 不在 {range} 的范围内");
    }
    let known = |(text, _): &&(&str, &str)| *text == english;
    match REASONS.iter().find(known) {
        Some((_, chinese)) => (*chinese).to_owned(),
        None => english.to_owned(),
    }
}

/// The words of a time that cannot be read.
pub(crate) const NOT_A_TIME: &str = "a time is a number with ms, s or m, as in 300ms";

const REASONS: &[(&str, &str)] = &[
    (NOT_A_TIME, "时间是带 ms、s 或 m 的数，例如 300ms"),
    ("invalid digit found in string", "这不是一个自然数"),
    ("cannot parse integer from empty string", "这里要有一个自然数"),
    ("number too large to fit in target type", "这个数太大"),
];

fn listed(error: &Error<Chinese>, kind: ContextKind) -> Option<Vec<String>> {
    Some(match error.get(kind)? {
        ContextValue::String(one) => vec![one.clone()],
        ContextValue::Strings(all) => all.clone(),
        ContextValue::StyledStr(one) => vec![one.to_string()],
        ContextValue::StyledStrs(all) => all.iter().map(ToString::to_string).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use squall::trace::Lang;

    use super::*;
    use crate::help;

    fn refused(arguments: &[&str]) -> String {
        let command = help::in_language(crate::Command::command(), Lang::Zh);
        let all = ["squall"].into_iter().chain(arguments.iter().copied());
        command.try_get_matches_from(all).unwrap_err().apply::<Chinese>().to_string()
    }

    #[test]
    fn what_is_refused_is_said_in_chinese_with_what_was_typed() {
        for (arguments, said) in [
            (&["trase", "x"][..], "没有 'trase' 这个命令"),
            (&["trace", "x", "--widht", "90"], "没有 '--widht' 这个参数"),
            (&["trace"], "缺少必需的参数 '<LESSON|FILE>'"),
            (&["trace", "x", "--format", "svg"], "没有 'svg' 这个值"),
            (&["trace", "x", "--width", "9"], "9 不在 40..=65535 的范围内"),
            (&["trace", "x", "--width", "wide"], "这不是一个自然数"),
            (&["trace", "x", "--until", "5h"], "时间是带 ms、s 或 m 的数"),
            (&["trace", "x", "--turns"], "'--turns <N>' 后面缺少一个值"),
            (&["trace", "x", "--width=50", "--width=60"], "'--width <COLUMNS>' 只能给出一次"),
            (&["course", "--list", "--reset"], "不能和"),
        ] {
            let text = refused(arguments);
            assert!(text.contains(said), "{arguments:?}: {text}");
            // No sentence of clap is left.
            for english in ["error", "Usage", "tip", "unexpected", "For more", "invalid", "required"] {
                assert!(!text.contains(english), "{english}: {text}");
            }
        }
    }

    #[test]
    fn what_is_nearly_right_is_suggested() {
        let text = refused(&["trase", "x"]);
        assert!(text.contains("是不是：") && text.contains("'trace'"), "{text}");
        assert!(refused(&["trace", "x", "--widht", "90"]).contains("是不是：'--width'？"));
        assert!(refused(&["trace", "x", "--format", "svg"]).contains("可用的值：'text'、'jsonl'"));
        assert!(refused(&["trace"]).contains("用法：squall trace"));
    }
}

//! The texts of the stepper that the other views do not have, in English and in Chinese.

use squall::trace::Lang;

/// A text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    NotFound,
    Search,
    Until,
    Never,
    TooSmall,
    Breakpoint,
    Keys,
    KeysWide,
    Close,
    NoBreakpoint,
    NoCoroutine,
    Answer,
    GoOn,
    Decides,
    NoSource,
}

const TEXTS: &[(Text, [&str; 2])] = &[
    (Text::NotFound, ["not found", "没有找到"]),
    (Text::Search, ["search", "搜索"]),
    (Text::Until, ["until line, coroutine, time (200ms) or turn (t7)", "直到：行号、协程、时间（200ms）或轮次（t7）"]),
    (Text::Never, ["It is never done in this trace", "在这份记录里它一直没有完成"]),
    (Text::TooSmall, ["The terminal is too small.", "终端太小。"]),
    (Text::Breakpoint, ["breakpoint", "断点"]),
    (Text::Keys, ["n/b resume  s/S step  N/B turn  c breakpoint  Tab pane  z zoom  t timeline  ? q", "n/b 恢复  s/S 单步  N/B 轮  c 断点  Tab 窗格  z 放大  t 时间线  ? q"]),
    (
        Text::KeysWide,
        [
            "n/b resume  s/S step  N/B turn  c breakpoint  u until  g/G ends  Space breakpoint  / search  Enter follow  Tab pane  z zoom  ? help  q",
            "n/b 恢复   s/S 单步   N/B 轮   c 断点   u 直到   g/G 首尾   空格 在此设断点   / 搜索   Enter 跟随   Tab 窗格   z 放大   ? 帮助   q",
        ],
    ),
    (Text::NoBreakpoint, ["There is no breakpoint: Space sets one at the line with the cursor", "还没有断点：按空格在光标所在行设一个"]),
    (Text::NoCoroutine, ["No coroutine acts in this step", "这一步没有协程在执行"]),
    (Text::Answer, ["a number answers, Esc goes on without", "按数字回答，Esc 跳过"]),
    (Text::GoOn, ["s or n goes on", "按 s 或 n 继续"]),
    (Text::Decides, ["Enter shows the step that decides it", "Enter 显示决定答案的那一步"]),
    (Text::NoSource, ["The trace does not contain the source text.", "这份记录里没有源代码。"]),
    (Text::Close, ["any key closes this", "按任意键关闭"]),
];

/// The keys, and what each does.
pub(super) const KEYS: &[(&str, [&str; 2])] = &[
    ("n  b", ["to the next resume of a coroutine, back to the one before", "到下一次恢复协程、回到上一次"]),
    (
        "s  S",
        [
            "one step on, one step back (also the arrows right and left)",
            "前进一步、后退一步（也可用右、左方向键）",
        ],
    ),
    ("N  B", ["to the next turn of the loop, back to the turn before", "到循环的下一轮、回到上一轮"]),
    ("c", ["on to the next breakpoint", "运行到下一个断点"]),
    ("u", ["on until a line, a coroutine, a time or a turn", "运行到某一行、某个协程、某个时间或某一轮"]),
    ("g  G", ["first step, last step", "第一步、最后一步"]),
    (
        "Space",
        ["breakpoint at the line with the cursor (arrows move it)", "在光标所在行设断点（方向键移动光标）"],
    ),
    ("C", ["breakpoint at the coroutine that acts now", "在正在执行的协程上设断点"]),
    (
        "/",
        [
            "search what is said of the steps; ] finds the next, [ the one before",
            "搜索各步的说明；] 找下一处，[ 找上一处",
        ],
    ),
    (
        "Enter",
        ["follow the chosen Future to the step that settles it", "跟随选中的 Future，到它完成的那一步"],
    ),
    ("Tab", ["next pane (Shift-Tab: the one before)", "下一个窗格（Shift-Tab：上一个）"]),
    ("z", ["this pane as large as the screen", "把当前窗格放大到整个屏幕"]),
    ("t", ["the timeline", "时间线"]),
    ("r", ["the Runner in Rust or Python", "Runner 用 Rust 或 Python 显示"]),
    ("l", ["English, 中文", "中文、English"]),
    ("d", ["light, dark", "浅色、深色"]),
    ("1-9", ["answer a question (Esc: go on without)", "回答问题（Esc：跳过）"]),
    ("q", ["quit", "退出"]),
];

/// The meaning of the signs beside names.
pub(super) const SIGNS: &[(char, &str)] = &[
    (super::look::RUNS, "running"),
    (super::look::CALLS, "calling"),
    (super::look::READY, "ready"),
    (super::look::WAITS, "waiting"),
    (super::look::PENDING, "pending"),
    (super::look::DONE, "done"),
    (super::look::FAILED, "failed"),
    (super::look::CANCELLED, "cancelled"),
];

pub(super) fn word(text: Text, lang: Lang) -> &'static str {
    let (_, texts) = TEXTS.iter().find(|(other, _)| *other == text).expect("each text is in the table");
    pick(texts, lang)
}

/// Returns the text of a language.
pub(super) fn pick<'a>(texts: &[&'a str; 2], lang: Lang) -> &'a str {
    texts[usize::from(lang == Lang::Zh)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_in_chinese_too() {
        let all = TEXTS.iter().map(|(_, texts)| texts).chain(KEYS.iter().map(|(_, texts)| texts));
        for [en, zh] in all {
            assert!(
                en.chars().any(|c| c.is_ascii_alphabetic()) && zh.chars().any(|c| c > '\u{2e80}'),
                "{en}"
            );
        }
    }
}

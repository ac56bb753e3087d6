//! The texts of the course, in English and in Chinese.

use squall::trace::Lang;

/// A text. What stands in braces is filled in.
const WORDS: &[(&str, [&str; 2])] = &[
    ("lesson", ["Lesson {n} of {all}: {name}", "第 {n} 课，共 {all} 课：{name}"]),
    (
        "go_on",
        ["[Enter] on   [s] skip   [b] back   [q] leave", "[Enter] 继续   [s] 跳过   [b] 上一课   [q] 离开"],
    ),
    ("answer", ["Your answer, 1 to {n}: ", "你的答案（1 到 {n}）："]),
    (
        "choose",
        [
            "A number from 1 to {n}; s skips the lesson, q leaves.",
            "请输入 1 到 {n} 的数字；s 跳过本课，q 离开。",
        ],
    ),
    ("question", ["Question: {question}", "提问：{question}"]),
    ("right", ["Right.", "对。"]),
    ("wrong", ["Not quite. The answer: {answer}.", "不对。答案：{answer}。"]),
    ("decides", ["This step decides it:", "关键在这一步："]),
    ("tornado", ["With Tornado", "用 Tornado 写"]),
    ("squall", ["With squall", "用 squall 写"]),
    ("happens", ["What happens", "运行过程"]),
    ("done", ["That was {name}.", "{name} 学完了。"]),
    (
        "more",
        [
            "Look again: squall step {name}, squall trace {name}",
            "再看一遍：squall step {name}、squall trace {name}",
        ],
    ),
    ("finished", ["That was the last lesson.", "全部课程都学完了。"]),
    ("left", ["squall course goes on here.", "下次运行 squall course 从这里继续。"]),
    (
        "all_done",
        [
            "All lessons are done. squall course --lesson NAME repeats one, --reset begins anew.",
            "所有课程都学完了。squall course --lesson NAME 重学某一课，--reset 从头开始。",
        ],
    ),
    ("reset", ["What was done is forgotten.", "学习进度已清除。"]),
    ("here", ["you are here", "学到这里"]),
    ("is_done", ["done", "已学"]),
];

/// Returns a text in a language.
pub(super) fn word(name: &str, lang: Lang) -> &'static str {
    let found = WORDS.iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("no text `{name}`")).1[lang as usize]
}

/// Returns a text with what is filled in.
pub(super) fn filled(name: &str, lang: Lang, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(word(name, lang).to_owned(), |text, (hole, value)| text.replace(&format!("{{{hole}}}"), value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|hole| Some(hole.split_once('}')?.0)).collect()
    }

    #[test]
    fn each_text_has_chinese_and_is_filled_in_like_the_english_one() {
        for (name, [en, zh]) in WORDS {
            let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(!chinese(en) && chinese(zh), "{name}");
            assert_eq!(holes(en), holes(zh), "{name}");
        }
    }
}

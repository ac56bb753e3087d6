//! The texts of `squall compare`, in English and in Chinese.

use squall::trace::Lang;

use super::parting::Why;

/// A text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Simplified,
    Real,
    Both,
    Earlier,
    Parting,
    Nothing,
    Why,
    InTheLoop,
    OutOfTheCall,
    Moment,
    Waits,
    Same,
    Unused,
    List,
}

const TEXTS: &[(Text, [&str; 2])] = &[
    (Text::Simplified, ["The simplified Runner", "简化的 Runner"]),
    (Text::Real, ["The real Runner", "真正的 Runner"]),
    (Text::Both, ["Both do the same:", "两者做的一样："]),
    (Text::Earlier, ["{n} steps before these; --all shows them", "此前还有 {n} 步；--all 全部显示"]),
    (Text::Parting, ["Here they part:", "从这里开始不同："]),
    (Text::Nothing, ["Nothing more happens.", "之后什么也没有发生。"]),
    (Text::Why, ["Why: ", "原因："]),
    (Text::InTheLoop, ["surfaces in the loop, which logs it", "冒到循环里，由循环记入日志"]),
    (Text::OutOfTheCall, ["leaves the call, into the caller", "从这次调用里冒出去，落到调用者那里"]),
    (
        Text::Moment,
        [
            "Both wait one turn for `moment`, for different reasons: the simplified Runner takes a turn for each Future, done or not; the real one goes on at once with what is done, except with `moment`.",
            "对 `moment` 两者都等一轮，但原因不同：简化的 Runner 对每个 Future 都要花一轮，不管它是否完成；真正的 Runner 遇到已完成的就立刻继续，唯独 `moment` 例外。",
        ],
    ),
    (
        Text::Waits,
        ["A callback is added, although the Future is done.", "虽然 Future 已经完成，照样添加回调。"],
    ),
    (
        Text::Same,
        ["They do the same from the first step to the last.", "从第一步到最后一步，两者做的完全一样。"],
    ),
    (
        Text::Unused,
        [
            "No generator is driven here: neither Runner has anything to do.",
            "这里没有生成器要驱动：两个 Runner 都无事可做。",
        ],
    ),
    (Text::List, ["Programs that show where they part:", "展示两者差别的程序："]),
];

/// The sentences that say why they part. `{surfaces}` is what becomes of the exception in the simplified Runner.
const REASONS: &[(Why, [&str; 2])] = &[
    (
        Why::Failed,
        [
            "the Future has failed, so `f.result()` raises inside the callback. The exception {surfaces}, and nothing resumes the generator: its `except` is never reached. The real Runner throws the exception into the generator, at the yield.",
            "Future 失败了，`f.result()` 在回调里抛出异常。这个异常{surfaces}，再没有谁恢复生成器：它的 `except` 永远执行不到。真正的 Runner 把异常抛进生成器，就在 yield 那里。",
        ],
    ),
    (
        Why::Done,
        [
            "the Future is done already. The simplified Runner adds a callback all the same, which the loop calls in its next turn. The real one looks first: it sends the value in at once, and no turn passes.",
            "这个 Future 已经完成。简化的 Runner 照样添加回调，循环要到下一轮才调用它。真正的 Runner 先看一眼：立刻把值送进去，不花一轮。",
        ],
    ),
    (
        Why::FailedBefore,
        [
            "the Future has failed already. The simplified Runner adds a callback all the same; in the next turn `f.result()` raises there, the exception surfaces in the loop, and nothing resumes the generator. The real one looks first, and throws the exception in at once.",
            "这个 Future 已经失败。简化的 Runner 照样添加回调；到下一轮，`f.result()` 在回调里抛出异常，异常冒到循环里，再没有谁恢复生成器。真正的 Runner 先看一眼，立刻把异常抛进去。",
        ],
    ),
    (
        Why::List,
        [
            "a list or a dict has no `add_done_callback`: the AttributeError {surfaces}. The real Runner makes a Future of it first, by `convert_yielded`, which is done once everything in it is.",
            "列表和字典没有 `add_done_callback`：AttributeError {surfaces}。真正的 Runner 先用 `convert_yielded` 把它变成一个 Future，其中的全部完成，它才完成。",
        ],
    ),
    (
        Why::Converted,
        [
            "what was yielded is not a Future and has no `add_done_callback`: the AttributeError {surfaces}. The real Runner makes a Future of it first, by `convert_yielded`.",
            "yield 的不是 Future，没有 `add_done_callback`：AttributeError {surfaces}。真正的 Runner 先用 `convert_yielded` 把它变成 Future。",
        ],
    ),
    (
        Why::Nothing,
        [
            "`None` has no `add_done_callback`: the AttributeError {surfaces}. The real Runner takes `None` for `moment`, by `convert_yielded`, and waits one turn.",
            "`None` 没有 `add_done_callback`：AttributeError {surfaces}。真正的 Runner 通过 `convert_yielded` 把 `None` 当作 `moment`，等一轮。",
        ],
    ),
    (
        Why::NotYieldable,
        [
            "what was yielded cannot be waited for. Both fail, but not in the same place: the AttributeError of the simplified Runner {surfaces}, and the generator is never resumed; the real one throws BadYieldError into the generator, at the yield, where it can be caught.",
            "yield 的东西不能等待。两者都失败，但地方不同：简化的 Runner 的 AttributeError {surfaces}，生成器再也不会恢复；真正的 Runner 把 BadYieldError 抛进生成器，就在 yield 那里，可以捕获。",
        ],
    ),
    (
        Why::Returned,
        [
            "the generator has ended, so `send` raises StopIteration, which {surfaces}. The simplified Runner has no Future for the result: nothing ever gets it. The real one resolves the Future of its result, and so wakes what waits for that.",
            "生成器结束了，`send` 抛出 StopIteration，它{surfaces}。简化的 Runner 没有存放结果的 Future：谁也得不到结果。真正的 Runner 让结果的 Future 完成，从而唤醒等待它的协程。",
        ],
    ),
    (
        Why::RaisedReturn,
        [
            "to the simplified Runner `Return` is an exception like any other: it {surfaces}, and nothing gets the value. The real one takes the value out of it, and resolves the Future of its result.",
            "对简化的 Runner 来说，`Return` 和别的异常没有区别：它{surfaces}，谁也得不到那个值。真正的 Runner 取出其中的值，让结果的 Future 完成。",
        ],
    ),
    (
        Why::Raised,
        [
            "the exception leaves the generator by `send`, and the simplified Runner does not trap it: it {surfaces}, and what waits for this coroutine waits for ever. The real one traps it in the Future of its result, which raises it where that is yielded.",
            "异常从 `send` 冒出生成器，简化的 Runner 不捕获它：它{surfaces}，等待这个协程的就永远等下去。真正的 Runner 把它存进结果的 Future，谁 yield 这个 Future，异常就在那里抛出。",
        ],
    ),
    (
        Why::Unseen,
        [
            "the program has run coroutines before its trace begins: `explore` runs them once for each order and leaves these runs out. There, too, the simplified Runner lost what coroutines return and raise, so already its first order fails; the real one goes on until an order shows the mistake of the program itself.",
            "程序在记录开始之前已经运行过协程：`explore` 把每种顺序各运行一次，这些运行不在记录里。在那里，简化的 Runner 同样丢掉了协程返回的值和抛出的异常，所以第一种顺序就失败了；真正的 Runner 一直试到某种顺序暴露出程序自身的错误。",
        ],
    ),
    (
        Why::Other,
        [
            "what the simplified Runner has done differently before shows here.",
            "简化的 Runner 此前的差别在这里显现出来。",
        ],
    ),
];

pub(super) fn word(text: Text, lang: Lang) -> &'static str {
    let (_, texts) = TEXTS.iter().find(|(other, _)| *other == text).expect("each text is in the table");
    texts[usize::from(lang == Lang::Zh)]
}

/// Says why they part.
pub(super) fn reason(why: Why, in_the_loop: bool, lang: Lang) -> String {
    let (_, texts) = REASONS.iter().find(|(other, _)| *other == why).expect("each reason is in the table");
    let surfaces = if in_the_loop { Text::InTheLoop } else { Text::OutOfTheCall };
    let text = texts[usize::from(lang == Lang::Zh)].replace("{surfaces}", word(surfaces, lang));
    format!("{}{text}", word(Text::Why, lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_in_chinese_too() {
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let reasons = REASONS.iter().map(|(_, texts)| texts);
        for [en, zh] in TEXTS.iter().map(|(_, texts)| texts).chain(reasons) {
            assert!(!is_chinese(en) && is_chinese(zh), "{en}: {zh}");
            assert_eq!(en.contains("{surfaces}"), zh.contains("{surfaces}"), "{en}");
        }
    }
}

//! [`Phrases`]: the words of a trace in columns and of a sequence diagram, in English and in Chinese. What stands in
//! code stays as it is: `yield`, `await`, `send`, `throw`, `return`, `raise`, names, values and times.

use squall_runner::trace::Problem;

use super::say::problem;
use super::Lang;

macro_rules! phrases {
    ($($phrase:ident: $en:literal, $zh:literal;)*) => {
        /// A phrase. Each `{}` in it is a name, a value or a time.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Phrase { $($phrase),* }

        impl Phrase {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$phrase),*];

            fn texts(self) -> [&'static str; 2] {
                match self { $(Self::$phrase => [$en, $zh]),* }
            }
        }
    };
}

phrases! {
    // The loop and the calls.
    Loop: "loop", "循环";
    Thread: "thread {}", "线程 {}";
    Turn: "turn {}", "第 {} 轮";
    TurnAt: "turn {}, {}", "第 {} 轮，{}";
    QuietTurn: "turn {}: nothing seen", "第 {} 轮：没有动静";
    QuietTurns: "turns {} to {}: nothing seen", "第 {} 到 {} 轮：没有动静";
    Call: "call {}", "调用 {}";
    Called: "call", "调用";
    CalledLater: "call, which starts later", "调用，稍后才启动";
    CalledBefore: "was called before this", "此前已被调用";
    Start: "start", "启动";
    StartLater: "ready to start", "等待启动";
    GoOn: "go on", "继续";
    Wake: "wake", "唤醒";
    Stop: "stop", "停止";
    Returns: "returns {}", "返回 {}";
    Raises: "raises {}", "抛出 {}";
    FunctionReturns: "{} returns {}", "{} 返回 {}";
    FunctionRaises: "{} raises {}", "{} 抛出 {}";
    Print: "print \"{}\"", "打印 \"{}\"";
    PrintPlain: "print {}", "打印 {}";
    Logged: "logged: {}", "日志：{}";
    LoggedProblem: "logged: {}: {}", "日志：{}：{}";
    EventsLeftOut: "{} events left out", "略去 {} 个事件";
    HandOver: "hand over a job", "交出一个任务";
    Job: "job", "任务";
    Dropped: "dropped", "被丢弃";
    // What is yielded, and what is waited for.
    Future: "a future", "一个 Future";
    Native: "a native coroutine", "一个原生协程";
    List: "a list of {}", "{} 个元素的列表";
    Map: "a map of {}", "{} 个元素的字典";
    Bad: "what cannot be yielded", "不能 yield 的东西";
    DoneAlready: "done already", "早已完成";
    FailedAlready: "failed already", "早已失败";
    CancelledAlready: "cancelled already", "早已取消";
    AllDoneAlready: "all done already", "全都早已完成";
    YieldDoneAlready: "yield {}, done already", "yield {}，早已完成";
    Until: "until {}", "到 {} 为止";
    UntilAtMost: "wait until {} at most", "最多等到 {}";
    WaitForIt: "wait for it", "等它完成";
    WaitFor: "wait for {}", "等待 {}";
    WaitForBoth: "wait for both", "等两个都完成";
    WaitForAll: "wait for all {}", "等 {} 个都完成";
    WaitOneTurn: "wait one turn", "等一轮";
    WaitToBeWoken: "wait to be woken", "等待唤醒";
    AwaitToBeWoken: "await, to be woken", "await，等待唤醒";
    Comma: "{}, {}", "{}，{}";
    Colon: "{}: {}", "{}：{}";
    // What is done.
    Done: "done", "完成";
    IsDone: "{} done", "{} 完成";
    IsFailed: "{} failed", "{} 失败";
    IsCancelled: "{} cancelled", "{} 取消";
    IsOver: "{} over", "{} 到时";
    TimeOver: "time over", "时间到";
    BothDone: "both done", "两个都完成";
    AllDone: "all {} done", "{} 个都完成";
    Cancelled: "cancelled", "被取消";
    ResultCancelled: "its result is cancelled", "它的结果被取消";
    Ready: "{}, {} ready", "{}，{} 就绪";
    ReadyAndMore: "{}, {} and {} more ready", "{}，{} 和另外 {} 个就绪";
    // Locks.
    Held: "{}, held {}", "{}，{}";
    HeldAndMore: "{} and {} more", "{}，另有 {} 个";
    By: "by {}", "由 {} 持有";
    BySince: "by {} since {}", "由 {} 持有，自 {}";
    Since: "since {}", "已被持有，自 {}";
    ByProgram: "by the program", "由程序持有";
    // The end.
    Outcome: "outcome", "结果";
    OutcomeReturned: "returned {}", "返回 {}";
    OutcomeRaised: "raised {}", "抛出 {}";
    Unretrieved: "unretrieved", "未取出";
    Unawaited: "unawaited", "未运行";
    Log: "logged", "日志";
    Waiting: "waiting", "仍在等待";
    LeftOut: "left out", "略去";
    Cut: "cut", "截断";
    LeftOutBefore: "{} events came before those that are shown", "在显示的事件之前还有 {} 个";
    LeftOutAfter: "{} events came after those that are shown", "在显示的事件之后还有 {} 个";
    CutHere: "the program would have gone on from here", "程序本来会从这里继续";
    At: "{}, at {}", "{}，时刻 {}";
    ProblemAt: "{}, at {}: {}", "{}，时刻 {}：{}";
    MoreFrames: "... {} more", "…… 另有 {} 行";
}

/// The phrases of a language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phrases(pub(crate) Lang);

impl Phrases {
    /// Returns a phrase in which nothing is to be filled.
    pub(super) fn word(self, phrase: Phrase) -> &'static str {
        phrase.texts()[self.0 as usize]
    }

    /// Returns a phrase filled with names, values or times, in order.
    pub(super) fn say(self, phrase: Phrase, filled: &[&str]) -> String {
        let mut filled = filled.iter();
        let mut parts = self.word(phrase).split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(filled.next().copied().unwrap_or_default());
            text.push_str(part);
        }
        text
    }

    /// Returns a phrase filled with a number.
    pub(super) fn count(self, phrase: Phrase, n: usize) -> String {
        self.say(phrase, &[&n.to_string()])
    }

    /// Returns what a report is about.
    pub(super) fn problem(self, about: Problem) -> &'static str {
        match self.0 {
            Lang::En => about.text(),
            lang @ Lang::Zh => problem(about, lang),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phrase_is_in_chinese_too_and_takes_as_much() {
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for phrase in Phrase::ALL {
            let [en, zh] = phrase.texts();
            assert!(!is_chinese(en), "{en}");
            // A comma alone is not a word.
            let is_a_word = en.chars().any(char::is_alphabetic) && !matches!(phrase, Phrase::Held);
            assert!(is_chinese(zh) || !is_a_word, "{en}: {zh}");
            assert_eq!(en.matches("{}").count(), zh.matches("{}").count(), "{en}: {zh}");
        }
    }

    #[test]
    fn a_phrase_is_filled_in_order_and_only_once() {
        assert_eq!(Phrases(Lang::En).say(Phrase::Ready, &["{}", "b"]), "{}, b ready");
        assert_eq!(Phrases(Lang::Zh).count(Phrase::Turn, 3), "第 3 轮");
    }
}

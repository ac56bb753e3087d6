//! The words that views of a trace share: titles of panes, states, keys, and explanations, in English and Chinese.

use crate::trace::Lang;

impl Lang {
    /// Returns a word that the views share, such as the title of a pane, by its English name in lower case. Returns
    /// `None` if there is no such word.
    ///
    /// ```
    /// use squall::trace::Lang;
    ///
    /// assert_eq!(Lang::Zh.word("timers"), Some("定时器"));
    /// assert_eq!(Lang::En.word("no such word"), None);
    /// ```
    pub fn word(self, name: &str) -> Option<&'static str> {
        word(name, self)
    }
}

/// A word of the views, by the name under which they ask for it, in English and in Chinese.
pub(crate) const WORDS: &[(&str, [&str; 2])] = &[
    ("language_name", ["English", "中文"]),
    // Panes.
    ("program", ["Program", "程序"]),
    ("runner", ["Runner", "Runner"]),
    ("loop", ["Event loop", "事件循环"]),
    ("loop_short", ["loop", "循环"]),
    ("main", ["program", "主程序"]),
    ("state", ["State", "状态"]),
    ("timeline", ["Timeline", "时间线"]),
    ("locks", ["Locks and queues", "锁和队列"]),
    ("jobs", ["Jobs on threads", "线程池任务"]),
    ("variables", ["Variables", "变量"]),
    ("futures", ["Futures", "Future"]),
    ("printed", ["Printed", "输出"]),
    ("file", ["File", "文件"]),
    ("line", ["Line", "第几行"]),
    ("rust", ["Rust", "Rust"]),
    ("python", ["Python", "Python"]),
    ("lit", ["now", "正在执行"]),
    ("passed", ["just passed", "刚刚经过"]),
    ("inside", ["the program runs in it", "程序在其中运行"]),
    // The loop.
    ("stack", ["running", "正在运行"]),
    ("this_turn", ["this turn", "本轮"]),
    ("next_turn", ["next turn", "下一轮"]),
    ("timers", ["timers", "定时器"]),
    ("empty", ["empty", "空"]),
    ("none", ["none", "无"]),
    ("nobody", ["nothing waits", "没有协程在等"]),
    ("woken_by", ["woken by", "唤醒者："]),
    ("held_by", ["held by", "持有者："]),
    ("free", ["free", "空闲"]),
    ("permits", ["permits:", "剩余许可："]),
    ("set", ["is set", "已置位"]),
    ("not_set", ["is not set", "未置位"]),
    ("in_line", ["in line:", "排队："]),
    ("logged", ["logged", "日志"]),
    ("on_a_thread", ["on a thread, or in line for one", "在线程中，或在排队"]),
    ("globals", ["of the program", "程序的"]),
    (
        "left_out",
        ["{} events came after the last step, and were not kept.", "最后一步之后还有 {} 个事件没有保留。"],
    ),
    // The status of a coroutine, and the state of a Future.
    ("running", ["running", "运行中"]),
    ("called", ["not started", "尚未启动"]),
    ("calling", ["has called the next", "正在调用下一个"]),
    ("ready", ["ready", "就绪"]),
    ("waiting", ["waiting", "挂起"]),
    ("pending", ["pending", "未完成"]),
    ("done", ["done", "已完成"]),
    ("failed", ["failed", "失败"]),
    ("cancelled", ["cancelled", "已取消"]),
    ("wakes", ["wakes", "唤醒"]),
    ("calls", ["calls", "调用"]),
    // Time and steps.
    ("time", ["time", "时间"]),
    ("turn", ["Turn", "下一轮"]),
    ("turns", ["turn", "轮次"]),
    ("nth_turn", ["turn {}", "第 {} 轮"]),
    ("what", ["What happens", "发生了什么"]),
    ("step", ["Step", "单步"]),
    ("back", ["Step back", "后退一步"]),
    ("turnBack", ["Turn back", "上一轮"]),
    ("first", ["First step", "第一步"]),
    ("last", ["Last step", "最后一步"]),
    ("play", ["Play", "播放"]),
    ("pause", ["Pause", "暂停"]),
    ("speed", ["Speed", "播放速度"]),
    ("toBreakpoint", ["On to the next breakpoint", "运行到下一个断点"]),
    ("breakpoint", ["Breakpoint at line", "断点：第几行"]),
    ("lanes", ["Lanes", "横向"]),
    ("columns", ["Columns", "纵向"]),
    ("settings", ["Settings", "设置"]),
    ("theme", ["Light or dark", "浅色或深色"]),
    ("help", ["Help", "帮助"]),
    // Questions.
    ("ask", ["Before you go on", "先猜一猜"]),
    ("right", ["Right.", "答对了。"]),
    ("wrong", ["Not quite.", "不对。"]),
    ("go_on", ["See it", "看结果"]),
    ("skip", ["Skip", "跳过"]),
    ("decides", ["Step {} decides it", "看起决定作用的第 {} 步"]),
];

/// Why something is on the ready queue, where no coroutine has put it there.
pub(crate) const REASONS: &[(&str, [&str; 2])] = &[
    ("called", ["to be started", "待启动"]),
    ("done", ["what it waits for is done", "等待的已完成"]),
    ("moment", ["moment", "moment"]),
    ("woken", ["woken", "被唤醒"]),
    ("timer", ["its timer was due", "定时器到期"]),
    ("added", ["callback", "回调"]),
    ("outside", ["from another thread", "来自其他线程"]),
    ("job", ["its job is back", "任务已返回"]),
    ("io", ["a socket is ready", "套接字就绪"]),
    ("internal", ["what it waits for is done", "等待的已完成"]),
];

/// The keys of the page, and what each does.
pub(crate) const KEYS: &[(&str, [&str; 2])] = &[
    ("→ ←", ["step on, step back", "前进一步、后退一步"]),
    ("Shift → ←", ["next turn, turn before", "下一轮、上一轮"]),
    ("Home End", ["first step, last step", "第一步、最后一步"]),
    ("Space", ["play, pause", "播放、暂停"]),
    ("C", ["on to the next breakpoint", "运行到下一个断点"]),
    ("↑ ↓ Enter", ["in the line numbers: choose a line, set a breakpoint", "在行号上：选行、设断点"]),
    ("R", ["the Runner in Rust or Python", "Runner 用 Rust 或 Python 显示"]),
    ("T", ["the timeline in lanes or columns", "时间线横向或纵向"]),
    ("L", ["English, 中文", "English、中文"]),
    ("D", ["light, dark", "浅色、深色"]),
    ("1–4", ["answer a question", "回答问题"]),
    ("?", ["this help", "显示帮助"]),
];

/// A word that is explained where it stands: its name, its forms in a sentence, and the explanation.
pub(crate) const EXPLAINED: &[(&str, [&[&str]; 2], [&str; 2])] = &[
    (
        "coroutine",
        [&["coroutine"], &["协程"]],
        [
            "A function that can stop at a yield and go on later, where it stopped.",
            "可以在 yield 处停下、以后再从原处继续的函数。",
        ],
    ),
    (
        "generator",
        [&["generator"], &["生成器"]],
        [
            "A coroutine's body while it is suspended: its variables, and the line to go on from. Calling it runs nothing; send and throw do.",
            "被挂起的协程体：保存着局部变量和下次继续的位置。调用它并不运行，send 和 throw 才让它运行。",
        ],
    ),
    (
        "runner",
        [&["Runner"], &["Runner"]],
        [
            "Drives one generator: takes the Future that it yields, waits until that is done, and sends the result back in. Each coroutine has a Runner of its own.",
            "驱动一个生成器：接过它 yield 出来的 Future，等其完成，再把结果 send 回去。每个协程各有自己的 Runner。",
        ],
    ),
    (
        "futures",
        [&["Future", "Futures"], &["Future"]],
        [
            "A box for a result that may not be there yet. Pending: still empty. Done: a value is in it. Failed: an exception is in it.",
            "装结果的盒子，结果可能还没到。未完成：还是空的；已完成：里面是值；失败：里面是异常。",
        ],
    ),
    (
        "loop",
        [&["event loop", "loop"], &["事件循环"]],
        [
            "One thread that goes round and round. In each turn it runs what is ready; with nothing ready it sleeps until the next timer.",
            "一个线程反复地转。每一轮运行已经就绪的回调；没有就绪的，就睡到下一个定时器。",
        ],
    ),
    (
        "ready_queue",
        [&["ready queue"], &["就绪队列"]],
        [
            "The callbacks that the loop will run, first come, first served. Waking a coroutine puts it here; nothing runs at that moment.",
            "循环将要运行的回调，先来先运行。唤醒一个协程，就是把它放进这里，当时什么也不运行。",
        ],
    ),
    (
        "stack",
        [&[], &[]],
        [
            "The call stack: what the loop has called, and what that has called in turn. Only the last one is at work.",
            "调用栈：循环调用了谁，它又调用了谁。正在运行的只有最后一个。",
        ],
    ),
    (
        "this_turn",
        [&[], &[]],
        [
            "The part of the ready queue that the loop still runs in this turn: what was ready when the turn began.",
            "就绪队列中本轮还要运行的部分：本轮开始时就已就绪的回调。",
        ],
    ),
    (
        "next_turn",
        [&[], &[]],
        [
            "What became ready after this turn began. It has to wait for the next one.",
            "本轮开始之后才就绪的回调，要等到下一轮。",
        ],
    ),
    (
        "timers",
        [&["timer", "timers"], &["定时器"]],
        [
            "What the loop is to call at a certain time. A timer runs from the moment at which it is set, whether or not something waits for it.",
            "约定在某一时刻调用的回调。定时器从设定那一刻起计时，不管有没有协程在等。",
        ],
    ),
    (
        "locks",
        [&["lock"], &["锁"]],
        [
            "Locks let one coroutine in at a time; queues hand items on. What waits stands in line: first come, first served.",
            "锁一次只放一个协程进去，队列用来传递数据。等待者排队，先来先得。",
        ],
    ),
    (
        "jobs",
        [&["executor"], &["线程池"]],
        [
            "Plain functions that an executor runs on threads of their own, while the loop goes on.",
            "交给线程池、在别的线程里运行的普通函数；事件循环照常运行。",
        ],
    ),
    (
        "turns",
        [&["turn"], &["一轮", "本轮", "下一轮"]],
        [
            "One round of the event loop. It runs what is ready when it begins; what becomes ready meanwhile runs in the next.",
            "事件循环转一圈。只运行这一圈开始时已就绪的回调，期间新就绪的留到下一圈。",
        ],
    ),
    (
        "moment",
        [&["moment"], &["moment"]],
        [
            "A Future that is done already, but costs one turn all the same: it lets others run.",
            "本来就已完成、却仍要等一轮的 Future，用来让别的协程先运行。",
        ],
    ),
    (
        "native",
        [&["native coroutine", "Task"], &["原生协程", "Task"]],
        [
            "An async fn. Calling it runs nothing: a Task starts it in the next turn, and polls it when what it awaits is done.",
            "async fn。调用时什么也不运行：由 Task 在下一轮启动，等它 await 的东西完成后再次 poll。",
        ],
    ),
    (
        "trapped",
        [&["trapped"], &["截住"]],
        [
            "Caught by the Runner and kept in the Future. It is raised again only where that Future is yielded.",
            "被 Runner 接住、存进 Future。只有 yield 这个 Future 的地方才会再次抛出。",
        ],
    ),
];

/// Returns the word of that name in a language.
pub(super) fn word(name: &str, lang: Lang) -> Option<&'static str> {
    WORDS.iter().find(|(word, _)| *word == name).map(|(_, texts)| texts[lang as usize])
}

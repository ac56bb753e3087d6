//! The sentences in which a trace is told, in English and Chinese. What stands in braces is filled in.

/// A sentence by its name. Those that end in `.why` say why, or what follows; the others say what happens.
pub(super) const SENTENCES: &[(&str, [&str; 2])] = &[
    // Who acts, where it is no coroutine.
    ("loop", ["The loop", "事件循环"]),
    ("program", ["The program", "程序"]),
    ("and_more", [" and {n} more", " 等另外 {n} 个"]),
    ("comma", [", ", "、"]),
    // The loop.
    ("run", ["The program starts the event loop with {by}.", "程序用 {by} 启动事件循环。"]),
    (
        "run.run_sync.why",
        [
            "The first callback goes onto the ready queue: it will call the function that was handed in.",
            "第一个回调排进就绪队列，由它去调用传入的函数。",
        ],
    ),
    ("run.why", ["It runs until something stops it.", "它会一直运行，直到有人叫停。"]),
    ("turn", ["Turn {n} of the event loop begins.", "事件循环第 {n} 轮开始。"]),
    (
        "turn.batch.why",
        [
            "It runs what is ready now: {list}. What becomes ready meanwhile waits for the next turn.",
            "本轮只运行此刻已就绪的：{list}。之后才就绪的留到下一轮。",
        ],
    ),
    (
        "turn.timer.why",
        [
            "Nothing was ready, so the loop slept until a timer was due, at {time}: {list}.",
            "刚才没有就绪的回调，循环一直睡到 {time} 定时器到期：{list}。",
        ],
    ),
    (
        "turn.outside.why",
        [
            "Nothing was ready, so the loop slept until something outside of it woke it: {list}.",
            "刚才没有就绪的回调，循环一直睡到外部把它唤醒：{list}。",
        ],
    ),
    ("turn.empty.why", ["Nothing is ready.", "没有就绪的回调。"]),
    ("sleep", ["Nothing is ready: the loop sleeps until {time}.", "没有就绪的回调，循环睡到 {time}。"]),
    (
        "sleep.outside",
        [
            "Nothing is ready: the loop sleeps until something outside of it wakes it.",
            "没有就绪的回调，循环一直睡到外部把它唤醒。",
        ],
    ),
    ("sleep.why", ["One thread, and nothing to do.", "只有一个线程，此刻无事可做。"]),
    (
        "pop.callback",
        [
            "The loop takes {callback} off the ready queue and calls it.",
            "事件循环从就绪队列取出 {callback} 并调用。",
        ],
    ),
    (
        "pop.first.why",
        [
            "It is the first callback: it calls the function that was handed to run_sync.",
            "这是第一个回调，它调用传给 run_sync 的函数。",
        ],
    ),
    (
        "pop.until.why",
        [
            "The Future that run_sync waits for is done: this callback stops the loop.",
            "run_sync 等待的 Future 已完成，这个回调让循环停下。",
        ],
    ),
    ("pop.done.why", ["It was to be called when {future} is done.", "约定 {future} 完成时调用它。"]),
    ("pop.timer.why", ["Its timer was due.", "它的定时器到期了。"]),
    ("pop.added.why", ["It was added by add_callback.", "它由 add_callback 加入。"]),
    ("pop.outside.why", ["Another thread has added it.", "它由另一个线程加入。"]),
    ("pop.io.why", ["A socket or descriptor is ready.", "有套接字或描述符就绪。"]),
    (
        "pop.multi",
        ["{future} is told: one of its Futures is done.", "{future} 得知：其中一个 Future 已完成。"],
    ),
    (
        "pop.multi.why",
        ["Not all of them are done yet, so it stays pending.", "还没有全部完成，它仍是未完成。"],
    ),
    ("pop.future", ["The loop calls back {future}.", "事件循环回调 {future}。"]),
    ("pop.call", ["The loop takes {call} off the ready queue.", "事件循环从就绪队列取出 {call}。"]),
    ("push", ["{who} adds {callback} to the ready queue.", "{who}把 {callback} 加进就绪队列。"]),
    (
        "push.stops",
        [
            "{by} has its result: the callback that stops the loop goes onto the ready queue.",
            "{by} 已有结果：让循环停下的回调排进就绪队列。",
        ],
    ),
    ("push.call", ["{call} goes onto the ready queue.", "{call} 排进就绪队列。"]),
    ("push.why", ["It runs in the next turn.", "下一轮才运行。"]),
    ("timer", ["{who} sets a timer for {time}: {callback}.", "{who}设定一个 {time} 的定时器：{callback}。"]),
    ("timer.why", ["The loop puts it on the ready queue then.", "到那时，循环把它放进就绪队列。"]),
    ("stop.returned", ["The event loop stops: {by} returns {value}.", "事件循环停止，{by} 返回 {value}。"]),
    (
        "stop.raised",
        ["The event loop stops: {by} raises {exception}.", "事件循环停止，{by} 抛出 {exception}。"],
    ),
    ("stop", ["The event loop stops.", "事件循环停止。"]),
    (
        "stop.returned.why",
        ["The result is taken out of the Future that it waited for.", "结果取自它所等待的 Future。"],
    ),
    (
        "stop.raised.why",
        [
            "The exception is taken out of the Future that it waited for: here it is raised at last.",
            "异常取自它所等待的 Future，到这里才终于抛出。",
        ],
    ),
    (
        "stop.deadlock.why",
        [
            "Nothing is ready, and no timer and nothing outside can make anything ready.",
            "没有就绪的回调，也没有定时器或外部事件能让任何东西就绪。",
        ],
    ),
    ("stop.why", ["Something has called stop.", "有人调用了 stop。"]),
    // Calls.
    (
        "call",
        [
            "{who} calls {call}: a generator, a Runner to drive it, and a Future for its result.",
            "{who}调用 {call}：创建生成器、驱动它的 Runner，以及装结果的 Future。",
        ],
    ),
    (
        "call.why",
        [
            "The caller goes on when the generator first has to wait, or ends.",
            "等生成器第一次需要等待或者结束，调用者才继续。",
        ],
    ),
    (
        "call.plain",
        [
            "{who} calls {call}, which has no yield: it runs like any function.",
            "{who}调用 {call}。它没有 yield，像普通函数一样运行到底。",
        ],
    ),
    (
        "call.plain.why",
        [
            "Its result, or its exception, goes into a Future. There is no Runner.",
            "返回值或异常都装进一个 Future，不需要 Runner。",
        ],
    ),
    (
        "call.native",
        [
            "{who} calls {call}, an async fn: its Task goes onto the ready queue.",
            "{who}调用 {call}，它是 async fn：它的 Task 排进就绪队列。",
        ],
    ),
    (
        "call.native.why",
        [
            "Calling a native coroutine runs nothing of it: it starts in the next turn.",
            "调用原生协程时什么也不运行，下一轮才启动。",
        ],
    ),
    ("arguments", ["Arguments: {list}.", "参数：{list}。"]),
    ("enter", ["{who} calls the function {function}.", "{who}调用函数 {function}。"]),
    (
        "enter.why",
        [
            "It is not a coroutine: it runs to its end before the caller goes on.",
            "它不是协程：一直运行到结束，调用者才继续。",
        ],
    ),
    ("leave", ["{function} returns {value}.", "{function} 返回 {value}。"]),
    ("leave.raises", ["{function} raises {exception}.", "{function} 抛出 {exception}。"]),
    (
        "leave.raises.why",
        [
            "The exception goes on in the caller, at once: no Future traps it.",
            "异常立刻传给调用者：没有 Future 装住它。",
        ],
    ),
    ("call.idle", ["{who} calls {call}, an async fn.", "{who}调用 {call}，它是 async fn。"]),
    (
        "call.idle.why",
        [
            "Nothing of it runs: nothing has awaited or spawned it yet.",
            "什么也不运行：还没有人 await 它，也没有人 spawn 它。",
        ],
    ),
    ("start", ["The Runner starts {call}: {code}.", "Runner 启动 {call}：{code}。"]),
    (
        "start.why",
        [
            "At once, within the call, without a turn of the loop: the body runs up to its first yield.",
            "就在调用之内立刻开始，不经过事件循环，一直运行到第一个 yield。",
        ],
    ),
    ("start.native", ["The Task polls {call} for the first time.", "Task 第一次 poll {call}。"]),
    (
        "start.native.why",
        [
            "The body runs up to its first await of something that is not done.",
            "函数体一直运行到第一个尚未完成的 await。",
        ],
    ),
    ("send", ["The Runner sends {value} into {call}.", "Runner 把 {value} send 进 {call}。"]),
    (
        "send.why",
        [
            "It is the result of {future}: the yield in line {line} returns it, and the body goes on.",
            "这是 {future} 的结果：第 {line} 行的 yield 返回它，函数体接着运行。",
        ],
    ),
    (
        "send.nowhere.why",
        [
            "It is the result of {future}: the yield returns it, and the body goes on.",
            "这是 {future} 的结果：yield 返回它，函数体接着运行。",
        ],
    ),
    (
        "send.moment.why",
        ["Its turn has come: what was ready before has run.", "轮到它了：先就绪的都已运行过。"],
    ),
    ("throw", ["The Runner throws {exception} into {call}.", "Runner 把 {exception} throw 进 {call}。"]),
    (
        "throw.why",
        [
            "{future} has failed: the yield in line {line} raises its exception.",
            "{future} 失败了：第 {line} 行的 yield 抛出其中的异常。",
        ],
    ),
    (
        "throw.nowhere.why",
        ["What it waits for has failed: the yield raises.", "它等待的东西失败了：yield 处抛出异常。"],
    ),
    ("wake", ["The Task polls {call} again.", "Task 再次 poll {call}。"]),
    ("wake.why", ["What it awaits has woken it.", "它 await 的东西把它唤醒了。"]),
    ("yield", ["{call} yields {future} to its Runner.", "{call} 把 {future} yield 给 Runner。"]),
    ("yield.why", ["Is it done already? handle_yield looks.", "它已经完成了吗？handle_yield 来判断。"]),
    (
        "yield.moment",
        ["{call} yields {code}: it lets others run.", "{call} yield 了 {code}，让别的协程先运行。"],
    ),
    (
        "yield.moment.why",
        ["A moment is done already, and costs one turn all the same.", "moment 本来就已完成，但仍要等一轮。"],
    ),
    ("yield.none", ["{call} yields {code}.", "{call} yield 了 {code}。"]),
    (
        "yield.none.why",
        ["That is taken as a moment: it costs one turn.", "这等同于 yield moment：要等一轮。"],
    ),
    ("yield.list", ["{call} yields a list of {n}.", "{call} yield 了一个列表，共 {n} 项。"]),
    ("yield.dict", ["{call} yields a map of {n}.", "{call} yield 了一个字典，共 {n} 项。"]),
    (
        "yield.many.why",
        [
            "The Runner makes one Future of them, which is done when all are.",
            "Runner 把它们合成一个 Future，全部完成它才完成。",
        ],
    ),
    ("yield.awaitable", ["{call} yields a native coroutine.", "{call} yield 了一个原生协程。"]),
    ("yield.other", ["{call} yields {code}.", "{call} yield 了 {code}。"]),
    (
        "yield.converted.why",
        ["convert_yielded makes a Future of it.", "convert_yielded 把它变成一个 Future。"],
    ),
    ("yield.bad", ["{call} yields something that cannot be waited for.", "{call} yield 了无法等待的东西。"]),
    (
        "yield.bad.why",
        [
            "convert_yielded makes a failed Future of it: BadYield will be raised at the yield.",
            "convert_yielded 把它变成一个失败的 Future：yield 处将抛出 BadYield。",
        ],
    ),
    (
        "already",
        ["{future} is done already: the Runner goes on at once.", "{future} 早已完成：Runner 立刻继续。"],
    ),
    (
        "already.failed",
        ["{future} has failed already: the Runner goes on at once.", "{future} 早已失败：Runner 立刻继续。"],
    ),
    (
        "already.cancelled",
        [
            "{future} is cancelled already: the Runner goes on at once.",
            "{future} 早已取消：Runner 立刻继续。",
        ],
    ),
    ("already.why", ["No waiting, and no turn of the event loop.", "不等待，也不经过事件循环。"]),
    ("wait", ["Not done: {call} waits for {future}.", "还没完成：{call} 挂起，等待 {future}。"]),
    (
        "wait.up.why",
        [
            "The Runner asks to be called back, and returns to {up}, which goes on.",
            "Runner 登记回调后返回，{up} 接着运行。",
        ],
    ),
    (
        "wait.loop.why",
        [
            "The Runner asks to be called back, and returns to the event loop.",
            "Runner 登记回调后返回事件循环。",
        ],
    ),
    ("wait.held.why", ["{lock} is held by {list}.", "{lock} 正由 {list} 持有。"]),
    ("wait.moment", ["{call} goes to the end of the ready queue.", "{call} 排到就绪队列的末尾。"]),
    (
        "wait.moment.why",
        ["It goes on in the next turn, after what is ready before it.", "下一轮继续，排在它前面的先运行。"],
    ),
    ("wait.waker", ["{call} is suspended until it is woken.", "{call} 挂起，直到被唤醒。"]),
    (
        "wait.waker.why",
        ["It has given its waker to what it awaits.", "它把自己的 waker 交给了 await 的东西。"],
    ),
    ("return", ["{call} returns {value}.", "{call} 返回 {value}。"]),
    ("return.raised", ["{call} returns {value} by raising Return.", "{call} 用 raise Return 返回 {value}。"]),
    (
        "return.why",
        [
            "The generator is finished. The Runner puts the value into the Future.",
            "生成器结束，Runner 把这个值装进 Future。",
        ],
    ),
    ("return.plain.why", ["The value goes into the Future.", "这个值装进 Future。"]),
    ("raise", ["{call} raises {exception}.", "{call} 抛出 {exception}。"]),
    (
        "raise.why",
        [
            "It is trapped: it goes into the Future, and the caller sees nothing of it.",
            "异常被截住，装进 Future，调用者看不到。",
        ],
    ),
    ("abandon", ["{call} is dropped while it is suspended.", "{call} 在挂起状态下被丢弃。"]),
    ("abandon.why", ["Nothing can resume it any more.", "再也没有东西能让它继续。"]),
    // Futures.
    (
        "made.sleep",
        [
            "{who} calls {code}: a Future, and a timer for {time}.",
            "{who}调用 {code}：得到一个 Future，定时器定在 {time}。",
        ],
    ),
    (
        "made.sleep.why",
        [
            "The clock runs from now on, whether or not something waits for it.",
            "从现在起开始计时，不管有没有协程在等。",
        ],
    ),
    ("made.multi", ["One Future is made of {n}: {future}.", "{n} 个合成一个 Future：{future}。"]),
    (
        "made.multi.why",
        [
            "It is done when all are done, and fails with the first exception.",
            "全部完成它才完成；只要有异常，它就以第一个异常失败。",
        ],
    ),
    (
        "made.timeout",
        ["{who} sets a limit for {of}: {future}, at {time}.", "{who}给 {of} 设定时限 {time}：{future}。"],
    ),
    (
        "made.timeout.why",
        [
            "It is done when that is done, and fails if the time comes first.",
            "前者完成它就完成；时间先到，它就失败。",
        ],
    ),
    ("made.request", ["{who} calls {future}.", "{who}调用 {future}。"]),
    (
        "made.line.why",
        ["It has to stand in line, so the Future is pending.", "需要排队，所以 Future 未完成。"],
    ),
    (
        "made.held.why",
        ["{lock} is held by {list}: it stands in line.", "{lock} 正由 {list} 持有，需要排队。"],
    ),
    (
        "made.at_once.why",
        ["That can be had at once: the Future is done.", "可以立刻得到，Future 直接就是完成的。"],
    ),
    ("made.job", ["{who} hands a job to the executor: {future}.", "{who}把一个任务交给线程池：{future}。"]),
    (
        "made.job.why",
        ["It runs on another thread, while the loop goes on.", "它在另一个线程里运行，事件循环照常运行。"],
    ),
    ("made", ["{who} makes a Future: {future}.", "{who}创建一个 Future：{future}。"]),
    ("made.why", ["It is pending until something resolves it.", "在有人给出结果之前，它一直未完成。"]),
    ("resolve", ["{future} is done.", "{future} 完成了。"]),
    ("resolve.failed", ["{future} fails.", "{future} 失败了。"]),
    ("resolve.raised", ["{future} fails: {exception}.", "{future} 失败了：{exception}。"]),
    ("resolve.cancelled", ["{future} is cancelled.", "{future} 被取消。"]),
    ("resolve.sleep", ["{future} is over: its timer was due.", "{future} 到时间了，Future 完成。"]),
    ("resolve.timeout", ["The time is over: {future} fails.", "时间到：{future} 失败。"]),
    (
        "resolve.job",
        ["The job is back from {thread}: {future} is done.", "任务从线程 {thread} 返回：{future} 完成了。"],
    ),
    (
        "resolve.wakes.why",
        [
            "That wakes {list}: onto the ready queue, to run in the next turn. Nothing runs here.",
            "它唤醒 {list}：排进就绪队列，下一轮才运行，此刻什么也不运行。",
        ],
    ),
    (
        "resolve.until.why",
        [
            "run_sync waits for it: the callback that stops the loop goes onto the ready queue.",
            "run_sync 在等它：让循环停下的回调排进就绪队列。",
        ],
    ),
    ("resolve.nobody.why", ["Nothing waits for it.", "没有协程在等它。"]),
    ("job", ["A job is back from {thread}.", "任务从线程 {thread} 返回。"]),
    ("job.why", ["It ran there from {started} to {ended}.", "它在那里从 {started} 运行到 {ended}。"]),
    // Locks and queues.
    ("lock.new", ["{who} makes {lock}.", "{who}创建 {lock}。"]),
    ("lock.taken", ["{who} takes {lock}.", "{who}取得 {lock}。"]),
    ("lock.released", ["{who} releases {lock}.", "{who}释放 {lock}。"]),
    ("lock.set", ["{who} sets {lock}.", "{who}置位 {lock}。"]),
    ("lock.cleared", ["{who} clears {lock}.", "{who}清除 {lock}。"]),
    ("lock.waiting", ["The line at {lock} has changed.", "{lock} 的等待队列有变化。"]),
    ("lock.free.why", ["It is free.", "它现在空闲。"]),
    ("lock.held.why", ["It is held by {list}.", "它现在由 {list} 持有。"]),
    ("lock.permits.why", ["Permits that are free: {n}.", "剩余许可：{n}。"]),
    ("lock.line.why", ["In line: {n}.", "排队：{n} 个。"]),
    ("queue.new", ["{who} makes {lock}.", "{who}创建 {lock}。"]),
    ("queue.put", ["{who} puts an item into {lock}.", "{who}往 {lock} 里放入一项。"]),
    ("queue.taken", ["{who} takes an item out of {lock}.", "{who}从 {lock} 里取走一项。"]),
    ("queue.finished", ["{who} is finished with an item of {lock}.", "{who}处理完 {lock} 的一项。"]),
    ("queue.waiting", ["The line at {lock} has changed.", "{lock} 的等待队列有变化。"]),
    ("queue.size.why", ["Items in it: {n}.", "其中有 {n} 项。"]),
    ("queue.room.why", ["Items in it: {n} of at most {max}.", "其中有 {n} 项，最多 {max} 项。"]),
    ("queue.unfinished.why", ["Items that are not finished: {n}.", "还没处理完的：{n} 项。"]),
    // What is said.
    ("note", ["{who} prints {text}.", "{who}输出 {text}。"]),
    ("report", ["Logged: {problem}: {exception}.", "日志：{problem}：{exception}。"]),
    (
        "report.why",
        [
            "No exception can tell the program of it, so it goes on.",
            "没有地方可以抛出这个异常，程序照常运行。",
        ],
    ),
    (
        "report.never_retrieved.why",
        [
            "The Future was dropped, and nothing had asked for its exception. The program goes on.",
            "Future 被丢弃，没有人取过其中的异常。程序照常运行。",
        ],
    ),
    (
        "report.never_awaited.why",
        [
            "Calling an async fn runs nothing: without an await or spawn it is lost.",
            "调用 async fn 什么也不运行：没有 await 或 spawn，它就白白丢掉了。",
        ],
    ),
    (
        "report.multiple.why",
        [
            "Only the first exception of a list is raised at its yield; this is another one.",
            "列表里只有第一个异常会在 yield 处抛出，这是另外一个。",
        ],
    ),
    ("left_out", ["{n} events came before this, and were not kept.", "在这之前有 {n} 个事件没有保留。"]),
];

/// The problems of reports.
pub(super) const PROBLEMS: &[(&str, [&str; 2])] = &[
    ("callback", ["a callback raised", "回调抛出异常"]),
    ("done_callback", ["a done callback raised", "完成回调抛出异常"]),
    ("multiple", ["one more exception in a list", "列表中还有别的异常"]),
    ("late_failure", ["it failed after the time was over", "超时之后才失败"]),
    ("after_cancel", ["it raised after it was cancelled", "取消之后才抛出异常"]),
    ("never_retrieved", ["exception was never retrieved", "异常从未被取出"]),
    ("never_awaited", ["a native coroutine has not run", "原生协程从未运行"]),
];

/// Each event in a few words, for the timeline.
pub(super) const BRIEF: &[(&str, [&str; 2])] = &[
    ("turn", ["turn {n}", "第 {n} 轮"]),
    ("sleep", ["sleeps", "休眠"]),
    ("pop", ["calls {callback}", "调用 {callback}"]),
    ("push", ["adds {callback}", "加入 {callback}"]),
    ("timer", ["timer {time}", "定时器 {time}"]),
    ("stop", ["stop", "停止"]),
    ("call", ["call {call}", "调用 {call}"]),
    ("start", ["start", "启动"]),
    ("wake", ["goes on", "继续"]),
    ("already", ["done already", "早已完成"]),
    ("already.failed", ["failed already", "早已失败"]),
    ("wait", ["waits", "挂起"]),
    ("wait.moment", ["next turn", "等下一轮"]),
    ("abandon", ["dropped", "被丢弃"]),
    ("resolve.done", ["{future} done", "{future} 完成"]),
    ("resolve.failed", ["{future} failed", "{future} 失败"]),
    ("resolve.cancelled", ["{future} cancelled", "{future} 取消"]),
    ("resolve.pending", ["{future}", "{future}"]),
    ("report", ["logged", "日志"]),
    ("left_out", ["{n} left out", "略去 {n} 个"]),
];

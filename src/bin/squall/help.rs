//! The help in Chinese.

use clap::Command;
use squall::trace::Lang;

/// The help of each command and of each argument, by the path of its names.
const CHINESE: &[(&str, &str)] = &[
    ("squall", "运行协程程序，看清 Runner 做了什么。"),
    ("squall.color", "何时使用颜色：auto、always、never [默认：auto]"),
    ("squall.lang", "文字的语言：en、zh [默认：按系统区域设置]"),
    ("squall.help", "显示帮助"),
    ("squall.version", "显示版本"),
    ("squall.run", "运行一个程序，显示它打印的内容"),
    ("squall.trace", "运行一个程序，分栏显示每个协程做了什么；也可显示已保存的记录"),
    ("squall.trace.width", "记录的宽度（列数） [默认：COLUMNS，否则终端的宽度，否则 100]"),
    ("squall.trace.no_source", "不显示源代码"),
    (
        "squall.trace.format",
        "显示成什么：text 分栏文本，jsonl 每行一个 JSON（见 docs/trace.md），mermaid 时序图，chrome 供 ui.perfetto.dev 打开，html 可在浏览器里前后单步的网页，tornado 不是记录，而是可以直接运行的 Tornado 代码 [默认：text]",
    ),
    ("squall.trace.output", "写进文件"),
    ("squall.trace.no_questions", "网页里不提课程的问题"),
    ("squall.step", "运行一个程序，在终端里前后单步查看发生的一切；也可查看已保存的记录"),
    ("squall.step.theme", "颜色：dark 深色，light 浅色，plain 不用颜色 [默认：终端说自己是浅色时用浅色，否则深色；设了 NO_COLOR 时不用颜色]"),
    ("squall.step.no_questions", "不提课程的问题；否则在回答它的那一步之前提问"),
    ("squall.compare", "在文档里常见的简化 Runner 上运行一个程序，与真正的 Runner 对照，直到两者不同的那一步"),
    ("squall.compare.program", "不带参数时列出的程序之一、一课的名字、一个 JSON 程序，或 `-`"),
    ("squall.compare.all", "显示两者相同的全部步骤"),
    ("squall.compare.no_source", "不显示源代码"),
    ("squall.compare.width", "文字的宽度（列数） [默认：COLUMNS，否则终端的宽度，否则 100]"),
    ("squall.lessons", "列出内置课程，或显示其中一课：正文、Tornado 原版和源代码"),
    ("squall.lessons.lesson", "要显示的课程"),
    ("squall.course", "学习：按顺序逐课进行，预测接下来会发生什么。下次从上次的地方继续"),
    ("squall.course.lesson", "从这一课开始"),
    ("squall.course.list", "列出课程，标出已学的"),
    ("squall.course.reset", "清除学习进度"),
    ("squall.course.state", "把进度存进这个文件 [默认：XDG_STATE_HOME 或 ~/.local/state 下的 squall/course]"),
    ("squall.help", "显示本帮助，或某个命令的帮助"),
    // Arguments that several commands have.
    ("program", "一课的名字、一个 JSON 或 Python 程序、一份已保存的记录（FILE.jsonl），或 `-`：来自标准输入的 JSON 程序或记录"),
    (
        "real_time",
        "用真实的时钟，而不是无事可做时就跳过等待的时钟。Ctrl-C 结束运行；`trace` 会显示此前发生的一切",
    ),
    ("until", "到这个时刻停止程序：5s、1.5s、300ms、2m"),
    ("turns", "循环运行这么多轮后停止程序"),
    ("help", "显示帮助"),
    ("color", "何时使用颜色：auto、always、never [默认：auto]"),
    ("lang", "文字的语言：en、zh [默认：按系统区域设置]"),
];

const EXAMPLES: &str = "\
例子：
  squall course                      学习：按顺序逐课进行，边学边预测
  squall lessons                     列出课程
  squall trace interleaving          显示一课：源代码和运行记录
  squall trace minute_loop | less    分页查看记录
  squall trace bad_call --format mermaid -o bad_call.mmd
                                     写成时序图
  squall trace clock.json --until 5s 记录一个不会结束的程序
  squall step minute_loop            在终端里前后单步查看一课
  squall trace program.py --format jsonl -o program.jsonl
  squall step program.jsonl          先保存记录，以后再单步查看
  squall compare done                看文档里的 Runner 和真正的 Runner 在哪里不同
  squall run program.json            运行 JSON 写成的程序
  squall trace - < program.json      记录来自标准输入的程序
  squall trace program.py            记录 Python 程序，由 squall 的 Python 包运行

退出码：
  0  成功
  1  程序抛出异常，或被中止
  2  程序不存在或格式有误，或输出无法写出";

const TEMPLATE: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// Returns the command with its help in a language.
pub(crate) fn in_language(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::Zh => {
            let mut command = command;
            // Adds what clap adds by itself.
            command.build();
            let name = command.get_name().to_owned();
            chinese(command, &name).after_help(EXAMPLES)
        }
        _ => command,
    }
}

fn chinese(command: Command, path: &str) -> Command {
    let arguments: Vec<_> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
    let commands: Vec<_> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let mut command =
        command.help_template(TEMPLATE).subcommand_help_heading("命令").subcommand_value_name("命令");
    if let Some(about) = text(path, None) {
        command = command.about(about).long_about(about);
    }
    for id in arguments {
        let text = text(path, Some(id.as_str()));
        command = command.mut_arg(&id, |argument| {
            let heading = if argument.is_positional() { "参数" } else { "选项" };
            let argument = argument.help_heading(heading).hide_possible_values(true).hide_default_value(true);
            match text {
                Some(text) => argument.help(text).long_help(text),
                None => argument,
            }
        });
    }
    for name in commands {
        let path = format!("{path}.{name}");
        command = command.mut_subcommand(&name, |command| chinese(command, &path));
    }
    command
}

/// Returns the Chinese help of a command, or of an argument of it.
fn text(path: &str, argument: Option<&str>) -> Option<&'static str> {
    // The help of `squall help trace` is that of `squall trace`.
    let path = &path.replacen(".help.", ".", 1);
    let find = |name: &str| CHINESE.iter().find(|(other, _)| *other == name).map(|(_, text)| *text);
    match argument {
        Some(argument) => find(&format!("{path}.{argument}")).or_else(|| find(argument)),
        None => find(path),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn is_chinese(text: impl ToString) -> bool {
        text.to_string().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    fn check(command: &Command, path: &str) {
        assert!(command.get_about().is_some_and(is_chinese), "{path} has no Chinese");
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some_and(is_chinese),
                "{path}: {} has no Chinese",
                argument.get_id()
            );
        }
        for command in command.get_subcommands() {
            check(command, &format!("{path} {}", command.get_name()));
        }
    }

    #[test]
    fn each_command_and_argument_has_chinese() {
        let command = in_language(crate::Command::command(), Lang::Zh);
        check(&command, "squall");
        assert!(command.get_after_help().is_some_and(is_chinese));
    }

    #[test]
    fn each_example_stands_in_both_languages() {
        let commands = |text: &'static str| -> Vec<&str> {
            let lines = text.lines().filter_map(|line| line.strip_prefix("  squall "));
            lines.map(|line| line.split("  ").next().unwrap_or_default()).collect()
        };
        let shorter = |commands: Vec<&'static str>| {
            commands.into_iter().map(|c| c.get(..12).unwrap_or(c)).collect::<Vec<_>>()
        };
        assert_eq!(shorter(commands(EXAMPLES)), shorter(commands(crate::EXAMPLES)));
    }
}

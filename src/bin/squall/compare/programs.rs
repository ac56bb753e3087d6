//! The programs on which the two Runners part, one for each reason.

use squall::program::{parse, Program};

/// A program, with what it shows in Chinese.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) name: &'static str,
    json: &'static str,
    about_in_chinese: &'static str,
}

macro_rules! programs {
    ($($name:literal: $zh:literal,)*) => {
        /// All programs, in the recommended order of reading.
        pub(crate) const PROGRAMS: &[Compared] = &[$(Compared {
            name: $name,
            json: include_str!(concat!("programs/", $name, ".json")),
            about_in_chinese: $zh,
        },)*];
    };
}

programs! {
    "exception": "一个协程抛出异常，另一个协程 yield 它。",
    "failed": "被 yield 的 Future 失败了。",
    "done": "被 yield 的 Future 已经完成。",
    "moment": "两个协程 yield moment，轮流执行。",
    "list": "yield 一个由 Future 组成的列表。",
    "not_yieldable": "yield 了一个不能等待的东西。",
    "gen_return": "协程用 `raise gen.Return(value)` 结束。",
}

impl Compared {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        PROGRAMS.iter().find(|program| program.name == name)
    }

    /// Returns the program.
    pub(crate) fn program(&self) -> Program {
        parse(self.json).expect("a test parses it")
    }

    /// Returns what it shows, in English and in Chinese.
    pub(crate) fn about(&self) -> [String; 2] {
        [self.program().about().to_owned(), self.about_in_chinese.to_owned()]
    }
}

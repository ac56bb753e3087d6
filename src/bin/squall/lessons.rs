//! The built-in lessons. Each is a whole program that shows one pattern of Tornado's coroutine guide.

/// Prints to the trace as well. It hides the standard `println!` in the modules below.
macro_rules! println {
    ($($text:tt)*) => {
        crate::stage::print(&format!($($text)*))
    };
}

/// Declares the modules of the lessons, and lists them in the recommended order of reading.
macro_rules! lessons {
    ($($name:literal: $module:ident,)*) => {
        $(mod $module;)*

        /// All lessons.
        pub(crate) const LESSONS: &[Lesson] = &[$(Lesson {
            name: $name,
            module: stringify!($module),
            file: include_str!(concat!("lessons/", stringify!($module), ".rs")),
            main: $module::main,
        },)*];
    };
}

lessons! {
    "nested_call": nested_call,
    "run_sync": run_sync,
    "spawn_callback": spawn_callback,
    "bad_call": bad_call,
    "good_call": good_call,
    "return": gen_return,
    "parallel_list": parallel_list,
    "parallel_map": parallel_map,
    "interleaving": interleaving,
    "leaving_client": leaving_client,
    "looping": looping,
    "minute_loop": minute_loop,
    "minute_loop2": minute_loop2,
    "native": native,
}

/// A built-in lesson.
#[derive(Debug)]
pub(crate) struct Lesson {
    pub(crate) name: &'static str,
    /// The name of its module.
    module: &'static str,
    /// The source. Its first line says what the lesson shows, its second line names the section of the guide.
    file: &'static str,
    pub(crate) main: fn() -> squall::Result<()>,
}

impl Lesson {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        LESSONS.iter().find(|lesson| lesson.name == name)
    }

    /// Returns the lesson whose name is most similar to `name`, if one is similar enough.
    pub(crate) fn nearest(name: &str) -> Option<&'static Self> {
        let likeness = |lesson: &Self| strsim::jaro_winkler(name, lesson.name);
        LESSONS
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .filter(|lesson| likeness(lesson) > 0.75)
    }

    /// Returns the path of its file, as the compiler has it.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}.rs", file!().trim_end_matches(".rs"), self.module)
    }

    /// Returns the text of its file.
    pub(crate) fn text(&self) -> &'static str {
        self.file
    }

    /// Returns what the lesson shows, in one sentence.
    pub(crate) fn about(&self) -> &'static str {
        self.heading(0)
    }

    /// Returns what it shows, in a Chinese sentence.
    pub(crate) fn about_in_chinese(&self) -> &'static str {
        match self.name {
            "nested_call" => "协程调用协程：yield 调用得到的 Future。",
            "run_sync" => "`run_sync` 把一个协程运行到底，并交出结果。",
            "spawn_callback" => "发出去就不管：由循环调用协程，没有人等它。",
            "bad_call" => "像普通函数那样调用协程，什么异常也不会抛出。",
            "good_call" => "yield 协程，异常就在 yield 处抛出。",
            "return" => "`raise gen.Return(value)` 可以在任何地方结束协程。",
            "parallel_list" => "yield 一个列表：其中所有的同时等待。",
            "parallel_map" => "yield 一个字典：结果按键取得。",
            "interleaving" => "先留着 Future 不 yield，同时做别的事。",
            "leaving_client" => "客户端在两次 flush 之间离开：只有某些次序才会暴露。",
            "looping" => "循环处理陆续到来的东西：在循环条件里 yield。",
            "minute_loop" => "每分钟做一次，每次都再晚一点：多出做事所花的时间。",
            "minute_loop2" => "严格每分钟做一次：做事的同时，时钟在走。",
            "native" => "`async fn` 和 yield 写法并用：可以互相等待。",
            _ => self.about(),
        }
    }

    /// Returns the section of Tornado's guide that describes the pattern.
    pub(crate) fn guide(&self) -> &'static str {
        self.heading(1).trim_start_matches("Tornado's guide: ").trim_end_matches('.')
    }

    fn heading(&self, line: usize) -> &'static str {
        self.file.lines().nth(line).unwrap_or_default().trim_start_matches("//! ")
    }

    /// Returns the lines of the program, each with its number in the file.
    pub(crate) fn source(&self) -> impl Iterator<Item = (usize, &'static str)> {
        (1..).zip(self.file.lines()).skip(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lesson_says_what_it_shows_and_what_part_of_the_guide_it_is() {
        for lesson in LESSONS {
            assert!(lesson.file.starts_with("//! "), "{}", lesson.name);
            assert!(lesson.heading(1).starts_with("Tornado's guide: "), "{}", lesson.name);
            assert!(lesson.about().len() <= 70, "{}", lesson.name);
            assert_ne!(lesson.about_in_chinese(), lesson.about(), "{}", lesson.name);
            assert!(
                lesson.source().next().is_some_and(|(n, line)| n == 4 && !line.is_empty()),
                "{}",
                lesson.name
            );
        }
    }

    #[test]
    fn a_name_that_is_like_that_of_a_lesson_finds_it() {
        let nearest = |name| Lesson::nearest(name).map(|lesson| lesson.name);
        assert_eq!(nearest("interleving"), Some("interleaving"));
        assert_eq!(nearest("paralel_list"), Some("parallel_list"));
        assert_eq!(nearest("xyz"), None);
    }
}

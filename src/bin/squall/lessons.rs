//! The built-in lessons: each a whole program that shows one pattern of Tornado's coroutine guide.

/// In the lessons `println!` goes to the trace, too: this one hides the standard one in the modules below.
macro_rules! println {
    ($($text:tt)*) => {
        crate::stage::print(&format!($($text)*))
    };
}

/// The modules of the lessons, and the list of them in the order in which they are best read.
macro_rules! lessons {
    ($($name:literal: $module:ident,)*) => {
        $(mod $module;)*

        /// All lessons.
        pub(crate) const LESSONS: &[Lesson] = &[$(Lesson {
            name: $name,
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

/// One of them.
#[derive(Debug)]
pub(crate) struct Lesson {
    pub(crate) name: &'static str,
    /// The source. Its first line says what the lesson shows, the second which part of the guide that is.
    file: &'static str,
    pub(crate) main: fn() -> squall::Result<()>,
}

impl Lesson {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        LESSONS.iter().find(|lesson| lesson.name == name)
    }

    /// The lesson whose name is most like `name`, if one is like it at all.
    pub(crate) fn nearest(name: &str) -> Option<&'static Self> {
        let likeness = |lesson: &Self| strsim::jaro_winkler(name, lesson.name);
        LESSONS
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .filter(|lesson| likeness(lesson) > 0.75)
    }

    /// What it shows, in a sentence.
    pub(crate) fn about(&self) -> &'static str {
        self.heading(0)
    }

    /// The section of Tornado's guide that has this pattern.
    pub(crate) fn guide(&self) -> &'static str {
        self.heading(1).trim_start_matches("Tornado's guide: ").trim_end_matches('.')
    }

    fn heading(&self, line: usize) -> &'static str {
        self.file.lines().nth(line).unwrap_or_default().trim_start_matches("//! ")
    }

    /// The program, with the numbers that its lines have in the file.
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

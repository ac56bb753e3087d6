//! The built-in lessons, in the order of the course. Each is a folder with a whole program, the Tornado original of it, and
//! what is said and asked of it in English and in Chinese.

mod text;

use squall::trace::Lang;

pub(crate) use text::{Prediction, Text};

/// Prints to the trace as well. It hides the standard `println!` in the modules below.
macro_rules! println {
    ($($text:tt)*) => {
        crate::stage::print(&format!($($text)*))
    };
}

/// Declares the programs of the lessons, and lists the lessons in the recommended order of reading.
macro_rules! lessons {
    ($($name:literal: $module:ident,)*) => {
        $(mod $module {
            // Each has a `main` of one type, and reads as the programs of the guide do.
            #[allow(clippy::unchecked_time_subtraction, clippy::unnecessary_wraps, clippy::unused_async)]
            pub(super) mod program;
        })*

        /// All lessons.
        pub(crate) const LESSONS: &[Lesson] = &[$(Lesson {
            name: $name,
            program: include_str!(concat!("lessons/", $name, "/program.rs")),
            original: include_str!(concat!("lessons/", $name, "/tornado.py")),
            english: include_str!(concat!("lessons/", $name, "/text.en")),
            chinese: include_str!(concat!("lessons/", $name, "/text.zh")),
            main: $module::program::main,
        },)*];
    };
}

lessons! {
    "raw_generator": raw_generator,
    "simplified_runner": simplified_runner,
    "nested_call": nested_call,
    "hops": hops,
    "run_sync": run_sync,
    "run_sync_lambda": run_sync_lambda,
    "bad_call": bad_call,
    "good_call": good_call,
    "spawn_callback": spawn_callback,
    "never_started": never_started,
    "return": r#return,
    "timer": timer,
    "native": native,
    "never_awaited": never_awaited,
    "convert_yielded": convert_yielded,
    "task": task,
    "executor": executor,
    "parallel_list": parallel_list,
    "parallel_map": parallel_map,
    "interleaving": interleaving,
    "leaving_client": leaving_client,
    "looping": looping,
    "minute_loop": minute_loop,
    "minute_loop2": minute_loop2,
    "with_timeout": with_timeout,
    "lost_update": lost_update,
    "deadlock": deadlock,
    "back_pressure": back_pressure,
}

/// A built-in lesson.
#[derive(Debug)]
pub(crate) struct Lesson {
    /// The name of the lesson and of its folder.
    pub(crate) name: &'static str,
    /// The source. Its first line says what the lesson shows, its second line what part of Tornado's guide it belongs to.
    program: &'static str,
    /// The Tornado original of the program, which prints what the program prints.
    pub(crate) original: &'static str,
    english: &'static str,
    chinese: &'static str,
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

    /// Returns the path of its program, as the compiler has it.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}/program.rs", file!().trim_end_matches(".rs"), self.name)
    }

    /// Returns the text of its program's file.
    pub(crate) fn program(&self) -> &'static str {
        self.program
    }

    /// Returns what is said and asked of the lesson in a language.
    pub(crate) fn text(&self, lang: Lang) -> Text {
        Text::parse(match lang {
            // After the title and the section.
            Lang::Zh => self.chinese.split_once("\n\n").map_or("", |(_, text)| text),
            _ => self.english,
        })
    }

    /// Returns what the lesson shows, in one sentence.
    pub(crate) fn about(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.chinese.lines().next().unwrap_or_default(),
            _ => self.heading(0),
        }
    }

    /// Returns what the lesson belongs to: a section of Tornado's guide, or a module.
    pub(crate) fn section(&self, lang: Lang) -> &'static str {
        let section = match lang {
            Lang::Zh => self.chinese.lines().nth(1).unwrap_or_default(),
            _ => self.heading(1),
        };
        section.trim_end_matches(['.', '。'])
    }

    fn heading(&self, line: usize) -> &'static str {
        self.program.lines().nth(line).unwrap_or_default().trim_start_matches("//! ")
    }

    /// Returns the lines of the program, each with its number in the file.
    pub(crate) fn source(&self) -> impl Iterator<Item = (usize, &'static str)> {
        (1..).zip(self.program.lines()).skip(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lesson_says_what_it_shows_and_what_part_of_the_guide_it_is() {
        for lesson in LESSONS {
            assert!(lesson.program.starts_with("//! "), "{}", lesson.name);
            assert!(lesson.heading(1).starts_with("Tornado's "), "{}", lesson.name);
            assert!(lesson.about(Lang::En).len() <= 70, "{}", lesson.name);
            assert!(
                lesson.source().next().is_some_and(|(n, line)| n == 4 && !line.is_empty()),
                "{}",
                lesson.name
            );
        }
    }

    #[test]
    fn the_programs_of_each_lesson_fit_a_terminal_of_80_columns() {
        for lesson in LESSONS {
            for (_, line) in lesson.source() {
                assert!(line.chars().count() <= 74, "{}: {line}", lesson.name);
            }
            for line in lesson.original.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", lesson.name);
            }
        }
    }

    #[test]
    fn the_lessons_of_a_section_stand_together() {
        let sections: Vec<_> = LESSONS
            .chunk_by(|a, b| a.section(Lang::En) == b.section(Lang::En))
            .map(|of| of[0].section(Lang::En))
            .collect();
        for (n, section) in sections.iter().enumerate() {
            assert!(!sections[..n].contains(section), "{section}");
        }
        let section = |lesson: &'static Lesson| [Lang::En, Lang::Zh].map(|lang| lesson.section(lang));
        for pair in LESSONS.windows(2) {
            let [one, other] = [section(&pair[0]), section(&pair[1])];
            assert_eq!(one[0] == other[0], one[1] == other[1], "{}", pair[1].name);
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

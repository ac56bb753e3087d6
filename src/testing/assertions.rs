//! [`Steps`]: the steps of a test, and what can be said of them, strictly or loosely.

use std::fmt::{self, Write};
use std::rc::Rc;

use super::report::counted;
use super::Step;

/// The steps that a test loop has made, in order. Iterate over them, or say what must be true of them.
///
/// ```
/// use squall::testing::TestLoop;
/// use squall::{moment, Result};
///
/// #[squall::coroutine]
/// fn tick(n: u32) -> Result<u32> {
///     yield_!(moment())?;
///     Ok(n)
/// }
///
/// let mut t = TestLoop::new();
/// let (a, b) = (t.spawn(|| tick(1)), t.spawn(|| tick(2)));
/// t.run_until_idle();
/// let steps = t.steps();
/// steps.exactly(["tick: start", "tick#2: start", "tick: send ()", "tick#2: send ()"]);
/// steps.eventually("return 2");
/// steps.before("return 1", "return 2");
/// steps.never(|step: &squall::testing::Step| step.raised().is_some());
/// # drop((a, b));
/// ```
#[derive(Clone, Copy)]
pub struct Steps<'a> {
    steps: &'a [Rc<Step>],
}

/// What a step may be recognised by: a part of its line as [`Step`] prints it, or a function that says `true`.
pub trait Pattern {
    /// Whether it is such a step.
    fn matches(&self, step: &Step) -> bool;

    /// What a message calls it.
    fn describe(&self) -> String {
        "such a step".to_owned()
    }
}

impl Pattern for &str {
    fn matches(&self, step: &Step) -> bool {
        step.to_string().contains(self)
    }

    fn describe(&self) -> String {
        format!("a step with `{self}`")
    }
}

impl<F: Fn(&Step) -> bool> Pattern for F {
    fn matches(&self, step: &Step) -> bool {
        self(step)
    }
}

impl<'a> Steps<'a> {
    pub(super) fn new(steps: &'a [Rc<Step>]) -> Self {
        Self { steps }
    }

    /// Returns how many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Returns whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns an iterator over the steps.
    pub fn iter(&self) -> impl Iterator<Item = &'a Step> + use<'a> {
        self.steps.iter().map(|step| &**step)
    }

    /// That there are exactly these, in this order.
    ///
    /// # Panics
    /// At the first that is missing, is another, or is too many.
    #[track_caller]
    pub fn exactly<P: Pattern>(&self, patterns: impl IntoIterator<Item = P>) {
        let mut wanted = 0;
        for (index, pattern) in patterns.into_iter().enumerate() {
            wanted += 1;
            match self.steps.get(index) {
                Some(step) if pattern.matches(step) => {}
                Some(step) => {
                    panic!("step {} should be {}, and is\n  {step}\n{self}", index + 1, pattern.describe())
                }
                None => {
                    panic!("after {} there should be {}\n{self}", counted(index, "step"), pattern.describe())
                }
            }
        }
        let (wanted_steps, len) = (counted(wanted, "step"), self.len());
        assert!(len == wanted, "there should be {wanted_steps}, and there are {len}\n{self}");
    }

    /// That there is such a step.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn eventually(&self, pattern: impl Pattern) {
        assert!(
            self.find(&pattern).is_some(),
            "there should be {}, and there is none\n{self}",
            pattern.describe()
        );
    }

    /// That there is no such step.
    ///
    /// # Panics
    /// If there is one.
    #[track_caller]
    pub fn never(&self, pattern: impl Pattern) {
        if let Some(index) = self.find(&pattern) {
            panic!("{} should never be, and is step {}\n{self}", pattern.describe(), index + 1);
        }
    }

    /// That there is a step like the one, before the first like the other; and that there is one like the other.
    ///
    /// # Panics
    /// If one of them is missing, or they come the other way round.
    #[track_caller]
    pub fn before(&self, first: impl Pattern, then: impl Pattern) {
        match (self.find(&first), self.find(&then)) {
            (Some(one), Some(other)) => assert!(
                one < other,
                "{} should come before {}, and they are steps {} and {}\n{self}",
                first.describe(),
                then.describe(),
                one + 1,
                other + 1
            ),
            (None, _) => panic!("there should be {}, and there is none\n{self}", first.describe()),
            (_, None) => panic!("there should be {}, and there is none\n{self}", then.describe()),
        }
    }

    fn find(&self, pattern: &impl Pattern) -> Option<usize> {
        self.steps.iter().position(|step| pattern.matches(step))
    }
}

/// One line for each step; of more than thirty, the last.
impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_out = self.len().saturating_sub(30);
        let mut text = String::new();
        for (index, step) in self.steps.iter().enumerate().skip(left_out) {
            writeln!(text, "{:4}  {step}", index + 1)?;
        }
        f.write_str(text.trim_end())
    }
}

impl fmt::Debug for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

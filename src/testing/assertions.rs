//! [`Steps`]: the steps of a test, and assertions about them.

use std::fmt::{self, Write};
use std::rc::Rc;

use super::report::counted;
use super::Step;

/// The steps that a test loop has made, in order. Iterate over them, or use its assertions.
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

/// Describes a step: a part of its line as [`Step`] prints it, or a predicate.
pub trait Pattern {
    /// Returns whether the step matches.
    fn matches(&self, step: &Step) -> bool;

    /// Returns the description for messages.
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

    /// Asserts that the steps are exactly these, in this order.
    ///
    /// # Panics
    /// Panics at the first step that is missing, different or too many.
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

    /// Asserts that there is a matching step.
    ///
    /// # Panics
    /// Panics if there is none.
    #[track_caller]
    pub fn eventually(&self, pattern: impl Pattern) {
        assert!(
            self.find(&pattern).is_some(),
            "there should be {}, and there is none\n{self}",
            pattern.describe()
        );
    }

    /// Asserts that there is no matching step.
    ///
    /// # Panics
    /// Panics if there is one.
    #[track_caller]
    pub fn never(&self, pattern: impl Pattern) {
        if let Some(index) = self.find(&pattern) {
            panic!("{} should never be, and is step {}\n{self}", pattern.describe(), index + 1);
        }
    }

    /// Asserts that a step matches `then`, and that a step before the first such step matches `first`.
    ///
    /// # Panics
    /// Panics if one of them is missing, or if they come in the other order.
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

/// Prints one line for each step; of more than thirty, the last ones.
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

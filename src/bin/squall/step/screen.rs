//! [`Screen`]: which pane is where, by the size of the terminal.

use ratatui::layout::Rect;

use super::play::Variables;

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pane {
    Program,
    Runner,
    Loop,
    Locks,
    Variables,
    Futures,
    Printed,
    Timeline,
}

/// The least that anything can be shown on.
const LEAST: (u16, u16) = (30, 8);

/// Smaller terminals show one pane.
const ONE: (u16, u16) = (64, 18);

/// Larger ones show three columns, and the timeline below.
const LARGE: (u16, u16) = (120, 32);

/// How high a pane's title is.
const TITLE: u16 = 1;

/// How high the pane of the loop is.
const LOOP: u16 = TITLE + 4;

/// A pane with less than a title and a line shows nothing.
const LEAST_LINES: u16 = TITLE + 1;

/// The needs by which the height of a column is shared out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants {
    /// How many lines there are of locks and queues.
    pub(super) locks: u16,
    /// The kind of variables that the program reports.
    pub(super) variables: Variables,
    /// How many lines there are of what is said, if more than usual.
    pub(super) says: u16,
    /// How many lanes the timeline has.
    pub(super) lanes: u16,
    pub(super) timeline: bool,
    /// The pane that is to be as large as the screen.
    pub(super) zoomed: Option<Pane>,
    pub(super) focus: Pane,
}

/// The places of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Screen {
    pub(super) header: Rect,
    pub(super) says: Rect,
    pub(super) panes: Vec<(Pane, Rect)>,
    /// Lines between columns.
    pub(super) between: Vec<Rect>,
    pub(super) footer: Rect,
    /// `true` if there are three columns.
    pub(super) large: bool,
}

impl Screen {
    /// Places everything. Returns `None` if the terminal is too small.
    pub(super) fn of(area: Rect, wants: Wants) -> Option<Self> {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        let row = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
        let says = if area.height < ONE.1 { 2 } else { 3 };
        let says = says.max(wants.says).min(area.height / 2);
        let body = row(1 + says, area.height - 2 - says);
        let mut screen = Self {
            header: row(0, 1),
            says: row(1, says),
            footer: row(area.height - 1, 1),
            large: area.width >= LARGE.0 && area.height >= LARGE.1,
            ..Self::default()
        };
        let is_small = area.width < ONE.0 || area.height < ONE.1;
        if let Some(pane) = wants.zoomed.or(is_small.then_some(wants.focus)) {
            screen.panes.push((pane, body));
        } else if screen.large {
            screen.large_panes(body, wants);
        } else {
            screen.panes_in_two_columns(body, wants);
        }
        Some(screen)
    }

    fn panes_in_two_columns(&mut self, body: Rect, wants: Wants) {
        let has_variables = wants.variables == Variables::All || wants.focus == Pane::Variables;
        let upper = body.height * if has_variables { 10 } else { 11 } / 19;
        let (top, bottom) = split_rows(body, upper);
        let (left, right) = self.split(top, top.width / 2);
        self.panes.extend([(Pane::Program, left), (Pane::Runner, right)]);
        if wants.timeline || wants.focus == Pane::Timeline {
            self.panes.push((Pane::Timeline, bottom));
            return;
        }
        let (left, right) = self.split(bottom, bottom.width / 2);
        let locks = Self::for_locks(wants, left.height);
        if has_variables {
            let looped = LOOP.min(left.height.saturating_sub(LEAST_LINES + locks));
            let (left, variables) = split_rows(left, looped + locks);
            self.stack(left, locks);
            self.panes.push((Pane::Variables, variables));
        } else {
            self.stack(left, locks);
        }
        let (futures, printed) = split_rows(right, right.height.saturating_sub(3 + right.height / 8));
        self.panes.extend([(Pane::Futures, futures), (Pane::Printed, printed)]);
    }

    fn large_panes(&mut self, body: Rect, wants: Wants) {
        // On a large screen the timeline is there unless it was put away.
        let lanes = (wants.lanes + 4).max(7).min(body.height / 3);
        let below = if wants.timeline { 0 } else { lanes };
        let (top, bottom) = split_rows(body, body.height - below);
        let (program, rest) = self.split(top, top.width * 37 / 100);
        let (runner, state) = self.split(rest, rest.width * 58 / 100);
        self.panes.extend([(Pane::Program, program), (Pane::Runner, runner)]);
        let locks = Self::for_locks(wants, state.height);
        let (looped, rest) = split_rows(state, LOOP + 1 + locks);
        self.stack(looped, locks);
        let (rest, printed) = split_rows(rest, rest.height.saturating_sub(6));
        let variables = match wants.variables {
            Variables::None => 0,
            Variables::Arguments => (rest.height / 3).min(5),
            Variables::All => rest.height / 2,
        };
        let (futures, variables) = split_rows(rest, rest.height - variables);
        if variables.height > 0 {
            self.panes.push((Pane::Variables, variables));
        }
        self.panes.extend([(Pane::Futures, futures), (Pane::Printed, printed)]);
        if below > 0 {
            self.panes.push((Pane::Timeline, bottom));
        }
    }

    /// Adds the pane of the loop, and that of locks and queues if there are any.
    fn stack(&mut self, area: Rect, locks: u16) {
        let (looped, locks) = split_rows(area, area.height - locks);
        self.panes.push((Pane::Loop, looped));
        if locks.height > 0 {
            self.panes.push((Pane::Locks, locks));
        }
    }

    fn for_locks(wants: Wants, height: u16) -> u16 {
        match wants.locks {
            0 => 0,
            lines => (lines + TITLE).min(height * 3 / 8).max(2),
        }
    }

    /// Two columns with a line between them.
    fn split(&mut self, area: Rect, left: u16) -> (Rect, Rect) {
        let at = |x: u16, width: u16| Rect { x: area.x + x, width, ..area };
        self.between.push(at(left, 1));
        (at(0, left), at(left + 1, area.width - left - 1))
    }

    /// Returns the panes in the order in which Tab goes through them.
    pub(super) fn order(locks: bool, variables: Variables) -> Vec<Pane> {
        let all = [
            Pane::Program,
            Pane::Runner,
            Pane::Loop,
            Pane::Locks,
            Pane::Futures,
            Pane::Variables,
            Pane::Printed,
            Pane::Timeline,
        ];
        let is_there = |pane: &Pane| match pane {
            Pane::Locks => locks,
            Pane::Variables => variables != Variables::None,
            _ => true,
        };
        all.into_iter().filter(is_there).collect()
    }
}

fn split_rows(area: Rect, upper: u16) -> (Rect, Rect) {
    let upper = upper.min(area.height);
    (Rect { height: upper, ..area }, Rect { y: area.y + upper, height: area.height - upper, ..area })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_are_within_the_screen_and_beside_each_other_at_every_size() {
        for (width, height) in
            (30..200).step_by(7).flat_map(|width| (8..70).map(move |height| (width, height)))
        {
            let area = Rect::new(0, 0, width, height);
            let all = [Variables::None, Variables::Arguments, Variables::All];
            for (locks, variables) in [0, 1, 9].into_iter().flat_map(|locks| all.map(|all| (locks, all))) {
                for (timeline, focus) in
                    [(false, Pane::Program), (true, Pane::Loop), (false, Pane::Variables)]
                {
                    let says = locks * 3;
                    let wants = Wants { locks, variables, says, lanes: 4, timeline, zoomed: None, focus };
                    let screen = Screen::of(area, wants).expect("it is large enough");
                    let mut all: Vec<Rect> = screen.panes.iter().map(|(_, place)| *place).collect();
                    all.extend(screen.between.iter().copied());
                    all.extend([screen.header, screen.says, screen.footer]);
                    let cells: u32 =
                        all.iter().map(|place| u32::from(place.width) * u32::from(place.height)).sum();
                    assert_eq!(
                        cells,
                        u32::from(width) * u32::from(height),
                        "{width}x{height} {wants:?}: {screen:?}"
                    );
                    assert!(
                        all.iter().all(|place| area.union(*place) == area),
                        "{width}x{height}: {screen:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_is_drawn_on_less_than_eight_rows() {
        let (variables, focus) = (Variables::None, Pane::Program);
        let wants = Wants { locks: 0, variables, says: 0, lanes: 1, timeline: false, zoomed: None, focus };
        assert_eq!(Screen::of(Rect::new(0, 0, 80, 7), wants), None);
        assert_eq!(Screen::of(Rect::new(0, 0, 29, 24), wants), None);
    }
}

//! A story in lanes, for more coroutines than columns fit. Each coroutine has a line that shows when it is alive; what
//! it does is at the right, with its name.

use super::cell::wrap;
use super::columns::{log, margin, stamp};
use super::paint::Line;
use super::phrases::Phrase;
use super::story::{Act, Life, Story, Tone, What, LOOP};

/// The smallest width of the texts, whatever the number of lanes.
const TEXT: usize = 36;

/// Draws the story within `width` columns.
pub(crate) fn draw(story: &Story, width: usize) -> Vec<Line> {
    let margin = margin(story);
    let room = width.saturating_sub(margin + TEXT);
    let (lane_of, count) = lanes(story);
    let step = if count * 2 <= room { 2 } else { 1 };
    let sheet = Sheet { margin, step, count: count.min(room), width };
    let mut states = vec![Life::Gone; count];
    let mut shown = None;
    let mut drawn = Vec::new();
    for row in &story.rows {
        let first = drawn.len();
        match &row.what {
            What::Turn(number) => {
                let turn = story.phrases.count(Phrase::Turn, *number);
                drawn.push(sheet.turn(&turn, &states));
            }
            What::Acts(acts) => drawn.extend(sheet.acts(story, acts, &lane_of, &mut states)),
            What::Log(text) => drawn.extend(log(text, margin, width)),
        }
        stamp(&mut drawn[first], story.unit.tell(row.time), margin, &mut shown);
    }
    drawn
}

struct Sheet {
    margin: usize,
    /// The distance between two lanes.
    step: usize,
    /// How many lanes are drawn at most.
    count: usize,
    width: usize,
}

impl Sheet {
    fn turn(&self, turn: &str, states: &[Life]) -> Line {
        let mut line = Line::default();
        line.pad_to(self.margin);
        for state in &states[..self.count] {
            line.push(Tone::Faint, if *state == Life::Gone { "┄" } else { state.line() });
            line.push(Tone::Faint, &"┄".repeat(self.step - 1));
        }
        line.push(Tone::Faint, &format!("┄ {turn} "));
        line.push(Tone::Faint, &"┄".repeat(self.width.saturating_sub(line.width())));
        line
    }

    /// Draws the lanes, and at their right the first of `acts`.
    fn acts(&self, story: &Story, acts: &[Act], lane_of: &[usize], states: &mut [Life]) -> Vec<Line> {
        let Some(first) = acts.first() else { return Vec::new() };
        let mut marks = vec![None; states.len()];
        for act in acts {
            let lane = lane_of[act.actor];
            marks[lane] = Some((act.tone, act.mark(states[lane])));
            states[lane] = act.life;
        }
        let lanes = acts.iter().map(|act| lane_of[act.actor]);
        let path = lanes.clone().min().unwrap_or(0)..lanes.max().unwrap_or(0);
        let text = story.phrases.say(Phrase::Colon, &[&story.actors[first.actor].label, &first.line()]);
        let x = self.margin + self.count * self.step + 1;
        let texts = wrap(&text, self.width.saturating_sub(x).max(TEXT / 2), 3);
        let draw = |(nth, text): (usize, &String)| {
            let mut line = Line::default();
            line.pad_to(self.margin);
            for (lane, (state, mark)) in states.iter().zip(&marks).take(self.count).enumerate() {
                let on_path = nth == 0 && path.contains(&lane);
                match mark {
                    Some((tone, mark)) if nth == 0 => line.push(*tone, mark),
                    _ if on_path && *state == Life::Gone => line.push(Tone::Faint, "─"),
                    _ if on_path => line.push(Tone::Faint, "┼"),
                    _ => line.push(Tone::Faint, state.line()),
                }
                line.push(Tone::Faint, &(if on_path { "─" } else { " " }).repeat(self.step - 1));
            }
            line.pad_to(x);
            let (text, place) = first.split(text);
            line.push(first.tone, text);
            if !place.is_empty() {
                line.push(Tone::Faint, place);
            }
            line
        };
        texts.iter().enumerate().map(draw).collect()
    }
}

/// Returns the lane of each actor, and the number of lanes. A finished actor makes room for a new one.
fn lanes(story: &Story) -> (Vec<usize>, usize) {
    let mut lane_of = vec![LOOP; story.actors.len()];
    let mut alive = vec![true];
    for row in &story.rows {
        let What::Acts(acts) = &row.what else { continue };
        for act in acts.iter().filter(|act| act.actor != LOOP) {
            if act.begins {
                let free = alive.iter().position(|alive| !alive).unwrap_or(alive.len());
                lane_of[act.actor] = free;
                alive.resize(alive.len().max(free + 1), true);
            }
            alive[lane_of[act.actor]] = act.life != Life::Gone;
        }
    }
    (lane_of, alive.len())
}

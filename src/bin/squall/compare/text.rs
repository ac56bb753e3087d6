//! The comparison as text: what both do, where they part, and why.

use squall::trace::{Body, ExcerptLine, Lang, Recorded, Thing};
use unicode_width::UnicodeWidthStr;

use super::parting::{At, Parting, Why};
use super::side::{Side, Told};
use super::words::{reason, word, Text};
use crate::fold::fold;

/// The simplified Runner, as Tornado's guide has it.
const SIMPLIFIED: [(&str, Option<At>); 6] = [
    ("def run(self):", None),
    ("    future = self.gen.send(self.next)", Some(At::Send)),
    ("    def callback(f):", None),
    ("        self.next = f.result()", Some(At::Result)),
    ("        self.run()", None),
    ("    future.add_done_callback(callback)", Some(At::AddDoneCallback)),
];

/// As many steps are shown of what both do, unless all are wanted.
const COMMON: usize = 12;

/// As many steps are shown of what each does from there on.
const APART: usize = 4;

/// Narrower columns do not stand side by side.
const NARROWEST: usize = 36;

/// The least width to which a sentence is folded.
const LEAST: usize = 20;

/// How the comparison is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) width: usize,
    pub(super) lang: Lang,
    /// `true` if all steps are shown that both have in common.
    pub(super) all: bool,
}

/// Returns the comparison, with colours.
pub(super) fn text(simplified: &Side<'_>, real: &Side<'_>, look: Look) -> String {
    let parting = Parting::find((simplified.entries(), &simplified.steps), (real.entries(), &real.steps));
    let say = |text| word(text, look.lang);
    let mut lines = vec![bold(say(Text::Simplified))];
    for (line, at) in SIMPLIFIED {
        let here = at.is_some() && at == parting.map(|parting| parting.why.at());
        let line = format!("{}{line}", if here { "> " } else { "  " });
        lines.extend(
            fold(&line, look.width, 6).iter().map(|line| if here { bold(line) } else { line.clone() }),
        );
    }
    let common = parting.map_or(real.steps.len(), |parting| parting.common);
    lines.extend([String::new(), bold(say(Text::Both))]);
    let from = if look.all { 0 } else { common.saturating_sub(COMMON) };
    if from > 0 {
        let earlier = format!("      ({})", say(Text::Earlier).replace("{n}", &from.to_string()));
        lines.extend(fold(&earlier, look.width, 7));
    }
    lines.extend((from..common).flat_map(|k| row(k, &real.tell(k, look.lang), look.width)));
    let remark = |text| fold(say(text), look.width, 0);
    if let Some(parting) = parting {
        lines.extend([String::new(), bold(say(Text::Parting))]);
        lines.extend(apart(simplified, real, parting, look));
        lines.push(String::new());
        lines.extend(fold(&reason(parting.why, parting.in_the_loop, look.lang), look.width, 0));
    } else {
        lines.push(String::new());
        lines.extend(remark(Text::Same));
        let is_driven = |event: &Recorded| matches!(event, Recorded::Call { body: Body::Generator, .. });
        if !real.has(common, is_driven) {
            lines.extend(remark(Text::Unused));
        }
    }
    if real.has(common, |event| matches!(event, Recorded::Yield { kind: Thing::Moment, .. })) {
        lines.push(String::new());
        lines.extend(remark(Text::Moment));
    }
    lines.join("\n") + "\n"
}

/// Returns what each Runner does from there on: side by side, or one below the other where there is no room.
fn apart(simplified: &Side<'_>, real: &Side<'_>, parting: Parting, look: Look) -> Vec<String> {
    const BETWEEN: &str = " | ";
    let half = look.width.saturating_sub(BETWEEN.len()) / 2;
    let beside = half >= NARROWEST;
    let width = if beside { half } else { look.width };
    let side = |side: &Side<'_>, name, line: Option<String>, first: Option<Text>| {
        let mut rows = vec![(fold(word(name, look.lang), width, 0), true)];
        rows.extend(line.map(|line| (fold(&format!("> {line}"), width, 4), true)));
        let steps = parting.common..side.steps.len().min(parting.common + APART);
        if steps.is_empty() {
            rows.push((fold(word(Text::Nothing, look.lang), width, 0), false));
        }
        for k in steps {
            let mut told = side.tell(k, look.lang);
            if let Some(first) = first.filter(|_| k == parting.common) {
                word(first, look.lang).clone_into(&mut told.what);
            }
            rows.push((row(k, &told, width), false));
        }
        rows
    };
    let at = parting.why.at();
    let quoted =
        SIMPLIFIED.into_iter().find(|(_, other)| *other == Some(at)).map(|(line, _)| line.trim().to_owned());
    let steps = parting.common..real.steps.len().min(parting.common + APART);
    let lit = steps.into_iter().find_map(|k| real.line(k)).map(place);
    // The simplified Runner waits without a look at what it waits for.
    let waits = matches!(parting.why, Why::Done | Why::FailedBefore).then_some(Text::Waits);
    let left = side(simplified, Text::Simplified, quoted, waits);
    let right = side(real, Text::Real, lit, None);
    let shown =
        |line: &str, is_head| if is_head { bold(line.trim_end()) } else { line.trim_end().to_owned() };
    if !beside {
        let one = |rows: Vec<(Vec<String>, bool)>| {
            rows.into_iter()
                .flat_map(|(lines, is_head)| lines.into_iter().map(move |line| shown(&line, is_head)))
        };
        return one(left).chain([String::new()]).chain(one(right)).collect();
    }
    let empty = || (Vec::new(), false);
    let mut lines = Vec::new();
    for nth in 0..left.len().max(right.len()) {
        let [(left, is_head), (right, _)] =
            [&left, &right].map(|side| side.get(nth).cloned().unwrap_or_else(empty));
        for line in 0..left.len().max(right.len()) {
            let [left, right] = [&left, &right].map(|cell| cell.get(line).map_or("", String::as_str));
            let pad = " ".repeat(half.saturating_sub(left.width()));
            lines.push(shown(&format!("{left}{pad}{BETWEEN}{right}"), is_head));
        }
    }
    lines
}

/// Returns a line of the real Runner, with its place.
fn place((line, file): (&ExcerptLine, &str)) -> String {
    let number = line.number.map(|number| format!(":{number}")).unwrap_or_default();
    format!("{}  ({file}{number})", line.text.trim())
}

/// Returns a step: its number, its turn and time, and what happens; below them where there is no room beside.
fn row(k: usize, told: &Told, width: usize) -> Vec<String> {
    const INDENT: usize = 4;
    let head = format!("{:4} {:2} {:>6}  ", k + 1, told.turn, told.time);
    let beside = width >= head.width() + LEAST;
    let indent = " ".repeat(if beside { head.width() } else { INDENT });
    let what = fold(&told.what, width.saturating_sub(indent.len()), 0);
    let mut lines: Vec<_> = what.iter().map(|line| format!("{indent}{line}")).collect();
    if beside {
        lines[0].replace_range(..indent.len(), &head);
    } else {
        lines.insert(0, head);
    }
    lines
}

fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

//! The effect of each key.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use squall::trace::Lang;

use super::app::{futures_of, App, Prompt, PromptKind};
use super::screen::{Pane, Screen};
use super::words::Text;

/// So many lines go by with Page Down.
const PAGE: isize = 10;

impl App<'_> {
    /// Does what a key asks for.
    pub(crate) fn key(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.message = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            self.done |= matches!(key.code, KeyCode::Char('c' | 'd'));
            return;
        }
        if self.prompt.is_some() {
            return self.prompted(key.code);
        }
        if self.help {
            // Any key closes it, and does nothing else.
            self.help = false;
            return;
        }
        let answers = match key.code {
            KeyCode::Char(c) => self.reply(c),
            KeyCode::Enter => self.reply('\n'),
            KeyCode::Esc => self.skip(),
            _ => false,
        };
        if answers {
            return;
        }
        match key.code {
            KeyCode::Char('n') => self.forward(self.next_resume()),
            KeyCode::Char('b') => self.to(self.resume_before()),
            KeyCode::Char('s') | KeyCode::Right => self.forward(self.k + 1),
            KeyCode::Char('S') | KeyCode::Left => self.to(self.k.saturating_sub(1)),
            KeyCode::Char('N') => self.forward(self.next_turn()),
            KeyCode::Char('B') => self.to(self.turn_before()),
            KeyCode::Char('g') | KeyCode::Home => self.to(0),
            KeyCode::Char('G') | KeyCode::End => self.to(self.play.last()),
            KeyCode::Char('c') => self.go_to_breakpoint(),
            KeyCode::Char('C') => self.toggle_coroutine(),
            KeyCode::Char(' ') => self.toggle_line(),
            KeyCode::Char('u') => self.prompt_for(PromptKind::Until),
            KeyCode::Char('/') => self.prompt_for(PromptKind::Search),
            KeyCode::Char(']') => self.search_on(false),
            KeyCode::Char('[') => self.search_on(true),
            KeyCode::Enter => self.follow(),
            KeyCode::Tab => self.go_round(1),
            KeyCode::BackTab => self.go_round(-1),
            KeyCode::Char('z') => self.zoomed = !self.zoomed,
            KeyCode::Char('t') => self.timeline = !self.timeline,
            KeyCode::Char('r') => self.python = !self.python,
            KeyCode::Char('l') => {
                self.lang = if self.lang == Lang::En { Lang::Zh } else { Lang::En };
            }
            KeyCode::Char('d') => self.theme = self.theme.other(),
            KeyCode::Char('?') => self.help = true,
            KeyCode::Down => self.go(1),
            KeyCode::Up => self.go(-1),
            KeyCode::PageDown => self.go(PAGE),
            KeyCode::PageUp => self.go(-PAGE),
            KeyCode::Esc => self.zoomed = false,
            KeyCode::Char('q') => self.done = true,
            _ => {}
        }
    }

    /// Moves what the focus is on: the cursor of the program, the chosen Future, or the lines that are shown.
    fn go(&mut self, by: isize) {
        match self.pane {
            Pane::Program => self.move_cursor(by),
            Pane::Futures => {
                let last = futures_of(&self.now.after).len().saturating_sub(1);
                self.chosen = self.chosen.min(last).saturating_add_signed(by).min(last);
            }
            _ => self.scrolled = self.scrolled.saturating_add(by),
        }
    }

    fn go_round(&mut self, by: isize) {
        let now = &self.now.after;
        let panes = Screen::order(!now.locks.is_empty() || !now.queues.is_empty(), self.play.variables);
        let at = panes.iter().position(|pane| *pane == self.pane).unwrap_or(0);
        let count = panes.len().cast_signed();
        self.pane = panes[(at.cast_signed() + by).rem_euclid(count).cast_unsigned()];
        self.scrolled = 0;
        if self.pane == Pane::Futures {
            self.chosen = self.newest_future();
        }
    }

    /// Returns the place of the Future that the step is about, else of the last one.
    fn newest_future(&self) -> usize {
        let all = futures_of(&self.now.after);
        let acted = &self.play.steps[self.k].futures;
        let of_step = acted.iter().rev().find_map(|id| all.iter().position(|other| other == id));
        of_step.unwrap_or(all.len().saturating_sub(1))
    }

    fn go_to_breakpoint(&mut self) {
        if self.lines.is_empty() && self.coroutines.is_empty() {
            self.message = Some(self.text(Text::NoBreakpoint).to_owned());
            return;
        }
        let found = (self.k + 1..self.play.steps.len()).find(|k| self.stops_at(*k));
        self.go_to(found, self.text(Text::Breakpoint));
    }

    fn toggle_coroutine(&mut self) {
        let Some(name) = self.play.actor(self.k) else {
            self.message = Some(self.text(Text::NoCoroutine).to_owned());
            return;
        };
        let name = super::app::coroutine(&name).to_owned();
        let (sign, set) = match self.coroutines.remove(&name) {
            true => ('-', false),
            false => ('+', true),
        };
        self.message = Some(format!("{sign} {}: {name}", self.text(Text::Breakpoint)));
        if set {
            self.coroutines.insert(name);
        }
    }

    /// Goes to the step that settles the chosen Future.
    fn follow(&mut self) {
        let all = futures_of(&self.now.after);
        let chosen = if self.pane == Pane::Futures { self.chosen } else { self.newest_future() };
        let Some(future) = all.get(chosen.min(all.len().saturating_sub(1))).copied() else { return };
        match self.play.settles(future) {
            Some(k) => {
                self.to(k);
                let all = futures_of(&self.now.after);
                self.chosen = all.iter().position(|other| *other == future).unwrap_or(0);
            }
            None => {
                let name = self.play.narrator.future(future);
                self.message = Some(format!("{}: {name}", self.text(Text::Never)));
            }
        }
    }

    fn prompt_for(&mut self, kind: PromptKind) {
        self.prompt = Some(Prompt { kind, text: String::new() });
    }

    fn prompted(&mut self, key: KeyCode) {
        let Some(mut prompt) = self.prompt.take() else { return };
        match key {
            KeyCode::Esc => return,
            KeyCode::Backspace if prompt.text.pop().is_none() => return,
            KeyCode::Char(c) => prompt.text.push(c),
            KeyCode::Enter => return self.answered(prompt),
            _ => {}
        }
        self.prompt = Some(prompt);
    }

    /// Goes to the next step, or the one before, with the text that was searched for.
    fn search_on(&mut self, back: bool) {
        if self.searched.is_empty() {
            return self.prompt_for(PromptKind::Search);
        }
        let wanted = self.searched.clone();
        self.go_to(self.search(&wanted, back), &wanted);
    }

    fn answered(&mut self, prompt: Prompt) {
        let text = prompt.text.trim().to_owned();
        match prompt.kind {
            PromptKind::Search => {
                if !text.is_empty() {
                    self.searched = text;
                }
                self.search_on(false);
            }
            PromptKind::Until if !text.is_empty() => self.go_to(self.until(&text), &text),
            PromptKind::Until => {}
        }
    }
}

//! The keys and the signs, over the panes.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use ratatui::Frame;
use unicode_width::UnicodeWidthStr;

use super::app::App;
use super::code::{fit, span};
use super::look::BREAKS;
use super::words::{pick, Text, KEYS, SIGNS};

pub(super) fn draw(app: &App<'_>, frame: &mut Frame<'_>, place: Rect) {
    frame.render_widget(Clear, place);
    frame.buffer_mut().set_style(place, app.theme.base());
    for (line, y) in lines(app).into_iter().zip(place.y..place.bottom()) {
        frame.render_widget(fit(line, place.width.into()), Rect { y, height: 1, ..place });
    }
}

fn lines(app: &App<'_>) -> Vec<Line<'static>> {
    let close = span(format!("  {}", app.text(Text::Close)), app.theme.quiet());
    let mut lines =
        vec![Line::from(vec![span(format!(" {} ", app.word("help")), app.theme.title(true)), close])];
    let bold = Style::new().add_modifier(Modifier::BOLD);
    for (key, does) in KEYS {
        let pad = " ".repeat(8_usize.saturating_sub(key.width()));
        lines.push(Line::from(vec![span(format!(" {key}{pad}"), bold), Span::raw(pick(does, app.lang))]));
    }
    let (coroutines, futures) = SIGNS.split_at(4);
    let breakpoint = (BREAKS, app.text(Text::Breakpoint));
    let named = |(sign, name): &(char, &str)| (*sign, app.word(name));
    for signs in
        [coroutines.iter().map(named).chain([breakpoint]).collect(), futures.iter().map(named).collect()]
    {
        let signs: Vec<(char, &str)> = signs;
        let texts: Vec<_> = signs.iter().map(|(sign, name)| format!(" {sign} {name} ")).collect();
        let text = texts.concat();
        lines.push(Line::from(span(text, app.theme.quiet())));
    }
    lines
}

//! `squall step`: a trace in the terminal, stepped both ways.

mod app;
mod asks;
mod code;
mod content;
mod draw;
mod fact;
mod help;
mod keys;
mod look;
mod machine;
mod names;
mod play;
mod program;
mod questions;
mod screen;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod timeline;
mod variables;
mod words;

pub(crate) use app::App;
pub(crate) use look::Theme;
pub(crate) use play::Play;
pub(crate) use terminal::{is_interactive, run};

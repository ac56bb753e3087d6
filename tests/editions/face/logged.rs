//! A logger that keeps what is logged.

use std::sync::Mutex;

use log::{Log, Metadata, Record};

pub struct Logged(Mutex<Vec<String>>);

impl Logged {
    pub fn install() -> &'static Self {
        let logged: &'static Self = Box::leak(Box::new(Self(Mutex::default())));
        log::set_logger(logged).expect("there is no other");
        log::set_max_level(log::LevelFilter::Warn);
        logged
    }

    /// Takes the lines that were logged since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no thread panics while it logs"))
    }
}

impl Log for Logged {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}: {}", record.level(), record.target(), record.args());
        self.0.lock().expect("no thread panics while it logs").push(line);
    }

    fn flush(&self) {}
}

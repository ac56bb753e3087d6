//! [`Cut`]: where a trace ends.

use std::time::Duration;

use squall::trace::Recorder;

use crate::refused;

/// The end of a trace, for a program that does not end by itself.
#[derive(Debug, clap::Args)]
pub(crate) struct Cut {
    /// Stop the program at this time: 5s, 1.5s, 300ms, 2m
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Duration>,
    /// Stop the program after that many turns of the loop
    #[arg(long, value_name = "N")]
    pub(crate) turns: Option<usize>,
}

impl Cut {
    /// Returns a recorder that ends its trace accordingly.
    pub(crate) fn recorder(&self) -> Recorder {
        let mut recorder = Recorder::new();
        if let Some(until) = self.until {
            recorder = recorder.until(until);
        }
        if let Some(turns) = self.turns {
            recorder = recorder.turns(turns);
        }
        recorder
    }
}

/// Reads a time with its unit.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(char::is_alphabetic);
    let seconds = match &text[number.len()..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(refused::NOT_A_TIME.to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

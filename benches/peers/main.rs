//! squall and its peers, measured in the same run, in turn, as one table.
//!
//! ```text
//! cargo bench --bench peers                      the table
//! cargo bench --bench peers -- waiting multi     the rows whose names contain one of these
//! cargo bench --bench peers -- --growth          each row at ten times the work, too
//! cargo bench --bench peers -- --quick           each row once with a tiny size: does it still run?
//! cargo bench --bench peers -- --rounds 31       more rounds than 11
//! cargo bench --bench peers -- --alone ROW CONTESTANT N   one contestant once, for a profiler
//! ```

mod executors;
mod measure;
mod memory;
mod rows;

use measure::{Contestant, Measured, Row, Spread};

fn main() {
    let arguments = Arguments::parse(std::env::args().skip(1));
    let rows: Vec<Row> = rows::rows().into_iter().filter(|row| arguments.wants(row.name)).collect();
    if let Some((contestant, n)) = arguments.alone {
        for row in &rows {
            row.run_alone(contestant, n)
                .unwrap_or_else(|| panic!("{contestant} is not in the row {}", row.name));
        }
        return;
    }
    heading();
    for row in &rows {
        let n = if arguments.quick { row.n.min(1_000) } else { row.n };
        // The first round warms up.
        row.measure(n.min(10_000), 1);
        let rounds = if arguments.quick { 1 } else { arguments.rounds_of(row) };
        print_row(row, &row.measure(n, rounds));
    }
    println!();
    rows.iter().for_each(|row| println!("- {}: {}", row.name, row.what));
    if arguments.wants("bytes") {
        memory::table(arguments.quick);
    }
    if arguments.growth {
        growth(&rows, &arguments);
    }
}

fn heading() {
    println!("Nanoseconds per thing: the median of all rounds. Ratios: squall / peer in the same round, median (least-greatest).\n");
    print!("| {:<17} | {:>9} ", "row", "things");
    for contestant in Contestant::ALL {
        print!("| {contestant:>14} ");
    }
    println!("| {:<18} | {:<33} | {:<14} |", "squall / tokio", "squall / best peer, or the limit", "target");
    println!("|---|---:|---:|---:|---:|---:|---:|---|---|---|");
}

fn print_row(row: &Row, measured: &Measured) {
    print!("| {:<17} | {:>9} ", row.name, row.n);
    for contestant in Contestant::ALL {
        match measured.time(contestant) {
            Some(time) => print!("| {:>14.1} ", time.median),
            None => print!("| {:>14} ", ""),
        }
    }
    let beside = if measured.time(Contestant::Limit).is_some() {
        Some(Contestant::Limit)
    } else {
        measured.best_peer()
    };
    let beside = beside.and_then(|contestant| Some((contestant, measured.ratio(contestant)?)));
    print!(
        "| {:<18} ",
        measured.ratio(Contestant::Tokio).map_or_else(String::new, |ratio| ratio.to_string())
    );
    print!(
        "| {:<33} ",
        beside.map_or_else(String::new, |(contestant, ratio)| format!("{ratio} {contestant}"))
    );
    println!(
        "| {:<14} |",
        row.target.map_or_else(|| "stated".to_owned(), |target| verdict(target, measured))
    );
}

/// Says whether the target is met and no peer is faster than squall.
fn verdict((peer, target): (Contestant, f64), measured: &Measured) -> String {
    let reached = |peer, target| measured.ratio(peer).is_none_or(|ratio| ratio.median <= target);
    let met = reached(peer, target) && measured.best_peer().is_none_or(|best| reached(best, 1.0));
    format!("{target:.2} {}", if met { "met" } else { "not met" })
}

/// The greatest growth that counts as linear: the time of one thing at ten times the work, over its time before.
const LINEAR: f64 = 1.15;

fn growth(rows: &[Row], arguments: &Arguments) {
    println!(
        "\nGrowth: the time of one thing at ten times the work, over its time at the work of the table, median (least-greatest).\n"
    );
    println!("| {:<19} | {:>9} | {:<18} | {:<18} | {LINEAR:.2} |", "row", "from", "squall", "tokio");
    println!("|---|---:|---|---|---|");
    for row in rows {
        // A row of a million is the large size; its small size is a tenth of it.
        let n = if row.n < 1_000_000 { row.n } else { row.n / 10 };
        let (n, rounds) =
            if arguments.quick { (n.min(1_000), 1) } else { (n, (arguments.rounds_of(row) / 3).max(1)) };
        let text = |growth: Option<Spread>| growth.map_or_else(String::new, |growth| growth.to_string());
        let squall = row.growth(Contestant::Squall, n, rounds);
        let tokio = text(row.growth(Contestant::Tokio, n, rounds));
        let met = if squall.is_none_or(|growth| growth.median <= LINEAR) { "met" } else { "not met" };
        println!("| {:<19} | {:>9} | {:<18} | {tokio:<18} | {met} |", row.name, n, text(squall));
    }
}

/// The arguments of the command line.
#[derive(Default)]
struct Arguments {
    filters: Vec<String>,
    quick: bool,
    growth: bool,
    rounds: Option<usize>,
    /// The contestant that runs alone, and its number of things.
    alone: Option<(Contestant, usize)>,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut parsed = Self::default();
        while let Some(argument) = arguments.next() {
            let mut next = |what: &str| arguments.next().unwrap_or_else(|| panic!("{argument} needs {what}"));
            match argument.as_str() {
                "--quick" => parsed.quick = true,
                "--growth" => parsed.growth = true,
                "--rounds" => parsed.rounds = Some(next("a number").parse().expect("a number of rounds")),
                "--alone" => {
                    parsed.filters.push(format!("={}", next("a row")));
                    let name = next("the contestant");
                    let contestant = Contestant::ALL.into_iter().find(|known| known.to_string() == name);
                    let n = next("how many").parse().expect("how many things");
                    parsed.alone = Some((contestant.expect("one of the columns"), n));
                }
                // Cargo says this to every bench.
                "--bench" => {}
                option if option.starts_with("--") => panic!("unknown option {option}"),
                filter => parsed.filters.push(filter.to_owned()),
            }
        }
        parsed
    }

    fn wants(&self, row: &str) -> bool {
        self.filters.is_empty()
            || self.filters.iter().any(|filter| match filter.strip_prefix('=') {
                Some(name) => row == name,
                None => row.contains(filter),
            })
    }

    fn rounds_of(&self, row: &Row) -> usize {
        self.rounds.unwrap_or(if row.n < 1_000_000 { 11 } else { 7 }).max(1)
    }
}

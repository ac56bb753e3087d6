//! Each snippet of squall's first pages as a program, which does what is said there.
//!
//! This source is compiled in edition 2021 and in edition 2024, in which `gen` is a keyword.
#![deny(warnings)]

mod by_hand;
mod logged;
mod looking;
mod writing;
mod yielding;

use squall::Result;

#[squall::main]
fn main() -> Result<()> {
    yield_!(())?;
    println!("main is a coroutine");
    std::thread::spawn(|| {
        let logged = logged::Logged::install();
        writing::all(&logged);
        yielding::all();
        by_hand::all(&logged);
        looking::all();
    })
    .join()
    .expect("every snippet does what it says");
    println!("every snippet does what it says");
    Ok(())
}

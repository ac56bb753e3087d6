use std::path::Path;
use std::rc::Rc;

use squall::Result;

struct Pair<'a>(&'a str, &'a str);

#[squall::coroutine]
fn text(url: &str) -> Result<usize> {
    yield_!(())?;
    Ok(url.len())
}

#[squall::coroutine]
fn never_yields(url: &str) -> Result<usize> {
    Ok(url.len())
}

#[squall::coroutine]
fn list(numbers: &[i32], path: &Path) -> Result<i32> {
    yield_!(())?;
    Ok(path.as_os_str().len() as i32 + numbers[0])
}

#[squall::coroutine]
fn place(numbers: &mut Vec<i32>) -> Result<()> {
    yield_!(())?;
    numbers.push(1);
    Ok(())
}

#[squall::coroutine]
fn within(all: Vec<Option<&i32>>, pair: Pair<'_>, dynamic: Box<dyn Fn(&str) + '_>) -> Result<()> {
    yield_!(())?;
    drop((all, pair, dynamic));
    Ok(())
}

#[squall::coroutine]
fn parameter<'a>(of: Pair<'a>) -> Result<usize> {
    yield_!(())?;
    Ok(of.0.len() + of.1.len())
}

#[squall::coroutine]
fn arguments(all: impl Iterator<Item = &str>) -> Result<usize> {
    yield_!(())?;
    Ok(all.count())
}

#[squall::coroutine]
fn result(text: String) -> Result<&str> {
    yield_!(())?;
    Ok(&text)
}

#[squall::coroutine]
fn fine(of: &'static str, f: fn(&str) -> &str, g: Rc<dyn for<'a> Fn(&'a str) -> &'a str>) -> Result<usize> {
    yield_!(())?;
    Ok(f(g(of)).len())
}

fn main() {
    let _ = (text("a"), never_yields("a"), list(&[1], Path::new("")), place(&mut vec![]));
}

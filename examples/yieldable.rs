//! Makes a foreign type yieldable: the promise of another library, which calls back.

use squall::{marker, Future, IoLoop, Result, Yieldable};

/// The promise of the other library.
struct Thenable {
    value: i32,
}

impl Thenable {
    fn then(self, callback: impl FnOnce(i32) + 'static) {
        IoLoop::current().add_callback(move || callback(self.value));
    }
}

impl Yieldable<marker::Custom> for Thenable {
    type Output = i32;

    fn convert_yielded(self) -> Result<Future<i32>> {
        let future = Future::new();
        let promise = future.promise();
        self.then(move |value| promise.set_result(value));
        Ok(future)
    }
}

#[squall::coroutine]
fn sum() -> Result<i32> {
    let first = yield_!(Thenable { value: 1 })?;
    let [second, third] = yield_!([Thenable { value: 2 }, Thenable { value: 3 }])?;
    Ok(first + second + third)
}

fn main() -> Result<()> {
    println!("1 + 2 + 3 = {}", IoLoop::current().run_sync(sum)?);
    Ok(())
}

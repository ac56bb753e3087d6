use std::rc::Rc;

use squall::Result;

struct Visitor(u32);

impl Visitor {
    #[squall::coroutine]
    fn shared(&self) -> Result<u32> {
        yield_!(())?;
        Ok(self.0)
    }

    #[squall::coroutine]
    fn exclusive(&mut self) -> Result<()> {
        yield_!(())?;
        self.0 += 1;
        Ok(())
    }

    #[squall::coroutine]
    fn typed(self: &Rc<Self>) -> Result<u32> {
        yield_!(())?;
        Ok(self.0)
    }

    #[squall::coroutine]
    fn fine(self: Rc<Self>) -> Result<u32> {
        yield_!(())?;
        Ok(self.0)
    }
}

fn main() {
    let mut visitor = Visitor(1);
    let _ = (visitor.shared(), visitor.exclusive(), Rc::new(visitor).typed());
}

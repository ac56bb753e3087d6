use std::rc::Rc;

use squall::Result;

#[squall::coroutine]
struct Foo {
    _field: i32,
}

trait Visitor {
    #[squall::coroutine]
    fn visit(self: Rc<Self>) -> Result<()>;
}

fn main() {
    let _ = Foo { _field: 5 };
}

//! Every order in which ready coroutines and due timers may run; and a corpus of seeded concurrency bugs that are
//! found so, each with its fixed twin in which nothing is found.

mod orders;

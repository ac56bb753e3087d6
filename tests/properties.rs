//! Random programs of coroutines, locks, queues, time limits and cancellation, and the invariants that all of them
//! keep.

#[path = "properties/models.rs"]
mod models;
#[path = "properties/programs.rs"]
mod programs;
#[path = "properties/world.rs"]
mod world;

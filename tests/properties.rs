//! Random programs of coroutines, locks, queues, time limits and cancellation: what must hold in every one of them.

#[path = "properties/models.rs"]
mod models;
#[path = "properties/programs.rs"]
mod programs;
#[path = "properties/world.rs"]
mod world;

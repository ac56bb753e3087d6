//! Traces of coroutines: what they did, recorded and drawn.
//!
//! [`record`] calls a function and returns a [`Trace`] of what coroutines, Futures and the loop did until it returned.
//! [`note`] adds a line of your own to the trace, in the column of the running coroutine.
//!
//! ```
//! use std::time::Duration;
//! use squall::{sleep, IoLoop};
//!
//! let trace = squall::trace::record(|| {
//!     IoLoop::current().run_sync(|| {
//!         squall::coroutine(|co| async move {
//!             squall::trace::note("before the sleep");
//!             co.yield_(sleep(Duration::from_millis(1))).await?;
//!             Ok(5)
//!         })
//!     })
//! });
//! println!("{trace}");                           // columns: one for the loop, one for each coroutine
//! assert!(trace.to_text().contains("before the sleep"));
//! assert_eq!(trace.result?, 5);
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! A [`Trace`] is a list of [entries](Entry), and every view is made from that list alone. Calls and Futures are named
//! and numbered in order of appearance, and times begin at the first entry: on a virtual clock a program has the same
//! trace on every machine.
//!
//! Traces leave out squall's internal work: the steps of the HTTP client, of the web server, of a connect. They show
//! the Future of a fetch, like that of a lock, and the coroutines of handlers. [`internal`] leaves out a part of a
//! program in the same way, such as a server that replaces a real one.
//!
//! [`observe`] installs an [`Observer`], which receives each event as it happens.

#[cfg(feature = "trace")]
mod cell;
#[cfg(feature = "trace")]
mod chrome;
#[cfg(feature = "trace")]
mod columns;
mod cut;
#[cfg(feature = "trace")]
mod entry;
#[cfg(feature = "trace")]
mod excerpts;
#[cfg(feature = "trace")]
mod fields;
#[cfg(feature = "trace")]
mod fold;
#[cfg(feature = "trace")]
mod jsonl;
#[cfg(feature = "trace")]
mod keep;
#[cfg(feature = "trace")]
mod lanes;
#[cfg(feature = "trace")]
mod lang;
#[cfg(feature = "trace")]
mod locks;
#[cfg(feature = "trace")]
pub mod machine;
#[cfg(feature = "trace")]
mod mermaid;
#[cfg(feature = "trace")]
mod names;
mod observe;
#[cfg(feature = "trace")]
mod page;
#[cfg(feature = "trace")]
mod paint;
#[cfg(feature = "trace")]
mod persistent;
#[cfg(feature = "trace")]
mod phrases;
#[cfg(feature = "trace")]
mod ready_line;
#[cfg(feature = "trace")]
mod recorder;
#[cfg(feature = "trace")]
mod say;
mod show;
#[cfg(feature = "trace")]
mod source_text;
#[cfg(feature = "trace")]
pub mod state;
#[cfg(feature = "trace")]
mod steps;
#[cfg(feature = "trace")]
mod story;
#[cfg(feature = "trace")]
mod teller;
#[cfg(feature = "trace")]
mod text;
#[cfg(feature = "trace")]
mod timeline;
#[cfg(feature = "trace")]
mod tracks;

pub use observe::{note, observe, observe_in_front, Observing, Paused};
pub use show::{show_as, Printed};
pub use squall_runner::runner::simplified;
pub use squall_runner::trace::{
    internal, observed, program, Body, CallId, Event, FutureId, Kind, LockId, Observer, Origin, Problem,
    Show, Shown, State, Variable,
};

pub(crate) use cut::cut;
#[cfg(feature = "trace")]
pub use entry::{Earlier, Entry, Recorded, VERSION};
#[cfg(feature = "trace")]
pub use excerpts::{Excerpt, ExcerptLine, Marks};
#[cfg(feature = "trace")]
pub use fields::{Holder, Line, LoopId, Raised, Reason, Scope, Source, Standing, Thing, TimerId, Variables};
#[cfg(feature = "trace")]
pub use jsonl::NotATrace;
#[cfg(feature = "trace")]
pub(crate) use keep::Keeper;
#[cfg(feature = "trace")]
pub use lang::Lang;
#[cfg(feature = "trace")]
pub use page::{Ask, Page};
#[cfg(feature = "trace")]
pub use recorder::{record, Recorder, Trace};
#[cfg(feature = "trace")]
pub use say::{Narrator, Part, Said};
pub(crate) use show::TypeName;
#[cfg(feature = "trace")]
pub use source_text::{Language, SourceText};
#[cfg(feature = "trace")]
pub use steps::{steps, Step};
#[cfg(feature = "trace")]
pub use text::Text;
#[cfg(feature = "trace")]
pub use timeline::Timeline;
#[cfg(feature = "trace")]
pub use tracks::{Lanes, Segment, Track, Tracks};

//! Groups of ranks that train one model together, see [`Fit::group`](surprisal_train::Fit::group), or share independent runs, see
//! [`Team`](surprisal_train::Team).
//!
//! | file | contents |
//! |---|---|
//! | `local` | [`local`]: ranks in the threads of one process |
//! | `world` | `World`: the processes that `mpirun` started; only with the feature `mpi` |
//!
//! A batch is cut in shards, each rank computes some of them, and their gradients are added in an order that does not depend on the ranks:
//! the trained parameters have the same bits for any number of ranks.
//!
//! ```
//! use surprisal_data::Dataset;
//! use surprisal_distributed::local;
//! use surprisal_layers::{Linear, rng};
//! use surprisal_optim::Adam;
//! use surprisal_tensor::Params;
//! use surprisal_train::{Group, Trainer};
//!
//! let trained = |group: &mut dyn Group| {
//!     let iris = Dataset::iris();
//!     let mut params = Params::<f32>::new();
//!     let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
//!     let trainer = Trainer { epochs: 3, shards: 8, ..Trainer::default() };
//!     trainer.on(&iris).group(group).fit(&model, &mut params, &mut Adam::new(0.01)).map(|_| params)
//! };
//! let on_three = std::thread::scope(|scope| {
//!     let ranks = Vec::from_iter(local(3).into_iter().map(|mut rank| scope.spawn(move || trained(&mut rank))));
//!     ranks.into_iter().map(|rank| rank.join().expect("no rank panics")).collect::<Result<Vec<_>, _>>()
//! })?;
//! let alone = trained(&mut local(1)[0])?;
//! assert!(on_three.iter().all(|params| params.as_slice() == alone.as_slice()));
//! # Ok::<(), surprisal_train::TrainError>(())
//! ```

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr)]

mod local;
#[cfg(feature = "mpi")]
mod world;

pub use local::{Local, local};
#[cfg(feature = "mpi")]
pub use world::World;

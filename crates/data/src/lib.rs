//! Data sets: reading, preprocessing, splitting, batches, metrics.
//!
//! This crate depends on [`ndarray`] and [`rand`], not on the tape: it returns plain arrays and slices of row indices.
//! Its files, in reading order:
//!
//! | file | contents |
//! |---|---|
//! | `dataset.rs` | [`Dataset`]: features, targets, and their names |
//! | `embedded.rs` | [`Dataset::iris`], [`Dataset::breast_cancer`], [`Dataset::digits`], [`Dataset::penguins`], [`Dataset::nuclei`]: embedded data sets |
//! | `csv/read.rs` | [`Dataset::from_csv`], [`features_from_csv`]: a table of numbers |
//! | `csv/options.rs` | [`CsvOptions`]: delimiter, target, ignored columns, missing values |
//! | `csv/text.rs` | the text of a table, its rows, and the positions of errors; [`split_list`], [`join_list`]: lists of names as text |
//! | `csv/pieces.rs` | the text of a table in pieces of whole rows, which several threads read |
//! | `csv/numbers.rs` | [`Numbers`]: a column of numbers in little memory |
//! | `csv/fields.rs`, `csv/number_form.rs` | single fields: missing values, numbers, dates, and [`NumberForm`]: number formats that are rejected |
//! | `csv/table.rs`, `csv/column.rs` | [`Table`]: columns of numbers and categories, before encoding |
//! | `notice.rs` | [`Notice`]: automatic decisions of the reader |
//! | `targets.rs` | [`Targets`]: class indices or numbers |
//! | `target_column.rs` | [`TargetColumn`]: the target column of a table that a model is evaluated on |
//! | `encoder` | [`Encoder`]: from a table, or new rows, to the inputs of a net; it is saved with the model |
//! | `idx` | [`Dataset::mnist`], [`read_idx`]: MNIST, and other IDX files |
//! | `images` | [`Dataset::from_image_folder`], [`Dataset::from_image_masks`], [`read_png`]: folders of PNG images |
//! | `npy` | [`read_npy`], [`NpyArray`]: an NPY file, one NumPy array |
//! | `npy/npz.rs`, `npy/zip.rs` | [`Npz`], [`Dataset::from_npz_path`]: an NPZ file, several arrays with names |
//! | `synthetic.rs` | [`Dataset::moons`] and others, [`Synthetic`]: synthetic data |
//! | `clutter.rs` | [`Dataset::clutter`]: digits among pieces of other digits, with masks |
//! | `harder.rs` | [`Dataset::with_label_noise`], [`Dataset::imbalanced`]: harder variants |
//! | `standardize.rs` | [`Standardize`]: columns to mean 0 and standard deviation 1 |
//! | `min_max.rs` | [`MinMax`]: columns to the range from 0 to 1 |
//! | `preprocess.rs` | [`Preprocess`]: preprocessing of features |
//! | `split` | [`stratified_split`], [`split_rows`], [`k_fold`]: training, validation and test sets |
//! | `balance.rs` | [`balanced_weights`], [`oversampled`]: imbalanced classes |
//! | `source` | [`DataSource`]: any of these data sets, from a text such as `moons:n=500` |
//! | `spill.rs` | [`Spill`]: a temporary file for data that are larger than memory |
//! | `matrix.rs` | rows of numbers in the type of their file |
//! | `loaded.rs` | [`Loaded`]: an opened data source, which can be split any number of times |
//! | `batches.rs` | [`Batches`], [`gather_rows`]: shuffled mini-batches, without allocation |
//! | `labels.rs` | [`one_hot`], [`argmax_rows`], [`accuracy`]: class indices |
//! | `tsne.rs` | [`Tsne`]: points of many dimensions as a picture |
//! | [`metrics`] | the metrics of scikit-learn, for classes, probabilities, rankings and numbers; by name, and as tables |
//! | `error.rs` | [`DataError`]: all error messages of this crate |
//!
//! With the feature `serde`, an [`Encoder`] and what it consists of can be serialized.
//!
//! # From table to batch
//!
//! ```
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha8Rng;
//! use surprisal_data::{Batches, Dataset, Standardize, gather_rows, stratified_split};
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(7);
//! let (mut train, mut test) = stratified_split(&Dataset::iris(), 0.2, &mut rng)?;
//! assert_eq!((train.rows(), test.rows()), (120, 30));
//!
//! // computed from the training rows and applied to both sets: the test rows stay unseen
//! let standardize = Standardize::fit(&train.features)?;
//! train.features = standardize.apply(&train.features)?;
//! test.features = standardize.apply(&test.features)?;
//!
//! let mut batches = Batches::new(train.rows(), 32)?;
//! let mut x = vec![0.0; 32 * train.columns()];
//! for _epoch in 0..3 {
//!     batches.shuffle(&mut rng);
//!     for batch in &batches {
//!         let x = &mut x[..batch.len() * train.columns()]; // the last batch has 24 rows
//!         gather_rows(train.features.view(), batch, x);
//!         let _labels = batch.iter().map(|&row| train.labels()[row]);
//!         // ... one step of training ...
//!     }
//! }
//! # Ok::<(), surprisal_data::DataError>(())
//! ```
#![forbid(unsafe_code)]

mod balance;
mod batches;
mod clutter;
mod csv;
mod dataset;
mod embedded;
mod encoder;
mod error;
mod files;
mod harder;
mod idx;
mod images;
mod labels;
mod loaded;
mod matrix;
pub mod metrics;
mod min_max;
mod notice;
mod npy;
mod preprocess;
mod source;
mod spill;
mod split;
mod standardize;
mod synthetic;
mod target_column;
mod targets;
mod tsne;
mod words;

pub use balance::{balanced_weights, oversampled, undersampled};
pub use batches::{Batches, gather_rows};
pub use csv::column::{Column, ColumnValues};
pub use csv::error::{CsvError, CsvProblem, Within};
pub use csv::number_form::NumberForm;
pub use csv::numbers::Numbers;
pub use csv::options::{Categorical, CsvOptions, Decimal, Missing, Task, Thousands, Unseen};
pub use csv::read::{features_from_csv, features_from_csv_path};
pub use csv::table::Table;
pub use csv::text::{join_list, split_list};
pub use dataset::Dataset;
pub use encoder::error::{EncoderError, EncoderProblem};
pub use encoder::{EncodedColumn, Encoder, Encoding, Scaling};
pub use error::{DataError, ErrorKind};
pub use files::read_file;
pub use idx::error::{IdxError, IdxProblem};
pub use idx::{Idx, read_idx};
pub use images::error::{ImageError, ImageProblem};
pub use images::{gray_to_png, image_paths, mask_to_png, read_png, rgb_to_png};
pub use labels::{accuracy, argmax_rows, one_hot};
pub use loaded::Loaded;
pub use metrics::error::{MetricError, MetricProblem};
pub use min_max::MinMax;
pub use notice::{LeftOut, Notice};
pub use npy::error::{NpyError, NpyProblem};
pub use npy::npz::{Npz, npz_bytes, write_npz};
pub use npy::{NpyArray, NpyElement, NpyType, f64_from_f16, read_npy, write_npy};
pub use preprocess::Preprocess;
pub use source::DataSource;
pub use source::error::SpecError;
pub use spill::Spill;
pub use split::error::{SplitError, SplitProblem};
pub use split::{Fold, k_fold, split_rows, stratified_k_fold, stratified_split, stratified_split_rows};
pub use standardize::Standardize;
pub use synthetic::Synthetic;
pub use target_column::TargetColumn;
pub use targets::Targets;
pub use tsne::{Tsne, TsneError, TsnePicture};

//! [`Loaded`]: data that is opened once and split any number of times.

use crate::csv::options::{CsvOptions, Task};
use crate::csv::table::Table;
use crate::dataset::Dataset;
use crate::encoder::{Encoder, Encoding, Scaling, fit_columns};
use crate::error::DataError;
use crate::idx::read_mnist;
use crate::images::read_folder;
use crate::matrix::Matrix;
use crate::notice::Notice;
use crate::npy::npz::{read_npz, read_pair};
use crate::source::DataSource;
use crate::source::error::SpecError;
use crate::spill::Spill;
use crate::split::{Fold, Strata};
use crate::targets::Targets;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use rand::Rng;
use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;

/// Data as read or drawn, without preprocessing; parts of it are encoded for a net.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::{CsvOptions, DataSource, Scaling};
///
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let source: DataSource = "iris".parse()?;
/// let loaded = source.open(&CsvOptions::default(), &mut rng)?;
/// for fold in loaded.k_fold(5, &mut rng)? {
///     // measured on the training rows, applied to both parts
///     let encoder = loaded.prepare(&fold.train, Some(Scaling::MinMax))?;
///     let (train, test) = (loaded.dataset(&fold.train, &encoder)?, loaded.dataset(&fold.test, &encoder)?);
///     assert_eq!((train.rows(), test.rows()), (120, 30));
///     assert!(train.features.iter().all(|x| (0.0..=1.0).contains(x)));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    name: String,
    content: Content,
    given_test: Option<Range<usize>>,
    scaling: Scaling,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    /// Features that stand beside their data set, whose own have no columns.
    Arrays(Dataset, Matrix),
    Table(Table),
}

/// The number of numbers that are encoded at a time.
const TOGETHER: usize = 1 << 18;

impl DataSource {
    /// Reads or draws the data, and leaves it whole.
    ///
    /// A table is read as the options say. What is drawn comes from the generator; nothing else uses it.
    ///
    /// Errors as [`check_target`](DataSource::check_target) does, if options of tables are given for data
    /// that is none, and as the reader of the source does.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::{CsvOptions, DataSource};
    ///
    /// let source: DataSource = "datasets/iris.csv".parse()?;
    /// let options = CsvOptions { target: Some("species".to_owned()), ..CsvOptions::default() };
    /// let loaded = source.open(&options, &mut ChaCha8Rng::seed_from_u64(7))?;
    /// assert_eq!((loaded.rows(), loaded.targets().class_names()[0].as_str()), (150, "setosa"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(&self, options: &CsvOptions, rng: &mut (impl Rng + ?Sized)) -> Result<Loaded, DataError> {
        self.open_in(options, rng, None)
    }

    /// [`open`](Self::open), with the features in a temporary file, if there is one: for data that are larger than memory. Targets are in
    /// memory.
    ///
    /// Errors as there, and if the file cannot be written.
    pub fn open_in(
        &self,
        options: &CsvOptions,
        rng: &mut (impl Rng + ?Sized),
        spill: Option<&Arc<Spill>>,
    ) -> Result<Loaded, DataError> {
        self.check_target(options.target.as_deref())?;
        self.check_task(options.task)?;
        let mut given_test = None;
        let content = match self {
            Self::Csv(path) => Content::Table(Table::read_path(path, options, spill)?),
            Self::Embedded("penguins") => Content::Table(Table::penguins(options)?),
            other if !other.needless(options).is_empty() => {
                let (origin, options) = (self.to_string(), self.needless(options));
                return Err(SpecError::NeedlessOptions { origin, options }.into());
            }
            Self::Embedded(name) => {
                given_test = (*name == "nuclei").then_some(8..16); // the lower half of the image
                Content::of(Dataset::named(name)?)
            }
            Self::Synthetic(set) => Content::of(set.draw(rng)),
            Self::Npz(_) | Self::Npy(..) | Self::Images(_) => self.arrays(options.task, true, spill)?,
            Self::MnistClutter(folder) => Content::of(Dataset::mnist(folder)?.0.clutter(2000, 64, 0)?),
            Self::Mnist(folder) => {
                let [mut all, test] = read_mnist(folder, spill)?;
                given_test = Some(all.labels.len()..all.labels.len() + test.labels.len());
                all.labels.extend(test.labels);
                let (set, pixels) = (all.without_pixels(), all.pixels.followed_by(test.pixels));
                Content::Arrays(set, Matrix::new(pixels, all.size.iter().product()))
            }
        };
        let content = match (content, spill) {
            (Content::Arrays(set, features), Some(spill)) => Content::Arrays(set, features.spilled(spill)),
            (content, _) => content,
        };
        spill.map_or(Ok(()), |spill| spill.check())?;
        Ok(Loaded { name: self.to_string(), content, given_test, scaling: self.scaling() })
    }
}

impl DataSource {
    /// [`open`](Self::open) of arrays for a model that predicts as the task says; labels may be missing unless they are `needed`: then the
    /// targets are empty, and only the features can be used.
    /// Other sources are opened as there.
    ///
    /// Errors as `open` does.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::{DataSource, NpyArray, Task, write_npy};
    ///
    /// let path = std::env::temp_dir().join(format!("surprisal-example-{}-new.npy", std::process::id()));
    /// write_npy(&path, &NpyArray::new(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]))?;
    /// let source: DataSource = path.to_str().unwrap().parse()?;
    /// let rows = source.open_arrays(Task::Classification, false, &mut ChaCha8Rng::seed_from_u64(7))?;
    /// assert_eq!((rows.rows(), rows.targets().len()), (3, 0)); // the file holds features alone
    /// std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_arrays(
        &self,
        task: Task,
        needed: bool,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Loaded, DataError> {
        self.check_task(task)?;
        if !matches!(self, Self::Npz(_) | Self::Npy(..) | Self::Images(_)) {
            return self.open(&CsvOptions::default(), rng);
        }
        let content = self.arrays(task, needed, None)?;
        Ok(Loaded { name: self.to_string(), content, given_test: None, scaling: self.scaling() })
    }

    /// The options that are for tables alone; arrays and images have a task too.
    fn needless(&self, options: &CsvOptions) -> Vec<&'static str> {
        let tasks = match self {
            Self::Npz(_) | Self::Npy(..) => true,
            Self::Images(_) => options.task != Task::Regression,
            other => other.has_masks() && options.task == Task::Segmentation,
        };
        options.given().into_iter().filter(|&name| !(tasks && name == "task")).collect()
    }

    /// Whether it can have masks.
    fn has_masks(&self) -> bool {
        match self {
            Self::Images(_) => true,
            Self::Synthetic(set) => set.has_masks(),
            Self::Embedded("nuclei") | Self::MnistClutter(_) => true,
            _ => false,
        }
    }

    fn check_task(&self, task: Task) -> Result<(), SpecError> {
        match task == Task::Segmentation && !self.has_masks() {
            true => Err(SpecError::NoMasks { origin: self.to_string() }),
            false => Ok(()),
        }
    }

    fn arrays(&self, task: Task, needed: bool, spill: Option<&Arc<Spill>>) -> Result<Content, DataError> {
        let (set, features) = match self {
            Self::Npy(x, y) => read_pair(x, y.as_deref(), task, needed, spill)?,
            Self::Npz(path) => read_npz(path, task, needed, spill)?,
            Self::Images(folder) => return Ok(Content::of(read_folder(folder, task, needed)?)),
            other => unreachable!("{other} is no file of arrays"),
        };
        Ok(Content::Arrays(set, features))
    }
}

impl Content {
    fn of(mut set: Dataset) -> Content {
        let none = Array2::zeros((set.rows(), 0));
        let features = std::mem::replace(&mut set.features, none);
        Content::Arrays(set, features.into())
    }
}

impl Loaded {
    /// The name of the data in messages: the text of its source, which for a table is its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.content {
            Content::Arrays(_, features) => features.rows(),
            Content::Table(table) => table.rows(),
        }
    }

    /// Automatic decisions of the reader of a table; empty for other data.
    pub fn notices(&self) -> &[Notice] {
        match &self.content {
            Content::Arrays(..) => &[],
            Content::Table(table) => table.notices(),
        }
    }

    /// The target of every row.
    pub fn targets(&self) -> &Targets {
        match &self.content {
            Content::Arrays(set, _) => &set.targets,
            Content::Table(table) => table.targets(),
        }
    }

    /// `[channels, height, width]` of the rows, if they are images: see [`Dataset::image_shape`].
    pub fn image_shape(&self) -> Option<[usize; 3]> {
        match &self.content {
            Content::Arrays(set, _) => set.image_shape,
            Content::Table(_) => None,
        }
    }

    /// The rows for testing, if the data comes in two parts, as MNIST does: the last ones. Those before are
    /// for training.
    pub fn given_test(&self) -> Option<Range<usize>> {
        self.given_test.clone()
    }

    /// The rows in as many parts as there are shares, every class in the same proportion, if there are
    /// classes.
    ///
    /// The number of rows in each part is described at [`split_rows`](crate::split_rows).
    ///
    /// Errors if there are not two shares or more, above 0 and 1 in all, and if a class has fewer rows than
    /// there are parts.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::{CsvOptions, DataSource};
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(7);
    /// let loaded = "moons:n=100".parse::<DataSource>()?.open(&CsvOptions::default(), &mut rng)?;
    /// let parts = loaded.split(&[0.6, 0.2, 0.2], &mut rng)?;
    /// assert_eq!([parts[0].len(), parts[1].len(), parts[2].len()], [60, 20, 20]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split(&self, shares: &[f64], rng: &mut (impl Rng + ?Sized)) -> Result<Vec<Vec<usize>>, DataError> {
        self.strata("split").split(shares, rng)
    }

    /// The rows cut `k` times, as [`stratified_k_fold`](crate::stratified_k_fold) does if there are classes,
    /// and [`k_fold`](crate::k_fold) if not.
    ///
    /// Errors if `k` is below 2, and if there are fewer rows, or rows of a class, than `k`.
    ///
    /// See the example of [`Loaded`].
    pub fn k_fold(&self, k: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Vec<Fold>, DataError> {
        self.strata("k_fold").k_fold(k, rng)
    }

    /// Fits the encoder to the training rows.
    ///
    /// Without a `scaling`, pixels are divided by their largest value, 16 (digits)
    /// or 255 (MNIST, folders of images), synthetic sets stay as they are, and all else is standardized.
    ///
    /// Errors as [`Encoder::fit`] does. Panics if a row is not below [`rows`](Loaded::rows).
    ///
    /// See the example of [`Loaded`].
    #[track_caller]
    pub fn prepare(&self, train_rows: &[usize], scaling: Option<Scaling>) -> Result<Encoder, DataError> {
        let scaling = scaling.unwrap_or(self.scaling);
        match &self.content {
            Content::Table(table) => Encoder::fit_rows(table, train_rows, scaling),
            Content::Arrays(set, features) => {
                let columns = features.columns();
                let parts = match scaling {
                    // over the pixels of all rows
                    Scaling::Channels => {
                        return Encoder::of_numbers(
                            &set.feature_names,
                            &scaling.fit(&features.select(train_rows), set.image_shape)?,
                        );
                    }
                    _ => {
                        let (rows, together) = (train_rows.len(), features.together(train_rows.len()));
                        fit_columns(scaling, rows, columns, together, &|columns, slots| {
                            features.write(train_rows, columns, slots)
                        })?
                    }
                };
                Encoder::of_parts(&set.feature_names, parts)
            }
        }
    }

    /// The chosen rows, encoded, in the order given.
    ///
    /// Errors as [`Encoder::apply`] and [`Encoder::apply_array`] do. Panics if a row is not below
    /// [`rows`](Loaded::rows).
    ///
    /// See the example of [`Loaded`].
    #[track_caller]
    pub fn dataset(&self, rows: &[usize], encoder: &Encoder) -> Result<Dataset, DataError> {
        let mut set = self.without_features(rows, encoder);
        set.features = match &self.content {
            Content::Arrays(_, features) => {
                let mut features = features.select(rows);
                encoder.apply_array_in_place(&mut features)?;
                features
            }
            Content::Table(table) => {
                let sources = encoder.sources(table, rows)?;
                let mut encoded = Array2::zeros((rows.len(), encoder.width()));
                encoder.encode(table, &sources, rows, encoded.as_slice_mut().unwrap_or_default());
                encoded
            }
        };
        Ok(set)
    }

    /// The chosen rows in the order given, as [`dataset`](Loaded::dataset) returns them, but with features of no columns.
    ///
    /// Panics if a row is not below [`rows`](Loaded::rows).
    #[track_caller]
    pub fn without_features(&self, rows: &[usize], encoder: &Encoder) -> Dataset {
        let features = Array2::zeros((rows.len(), 0));
        match &self.content {
            Content::Arrays(set, _) => Dataset {
                name: set.name.clone(),
                features,
                targets: set.targets.select(rows),
                feature_names: set.feature_names.clone(),
                image_shape: set.image_shape,
            },
            Content::Table(table) => Dataset {
                name: table.set_name().to_owned(),
                features,
                targets: table.targets().select(rows),
                feature_names: encoder.feature_names(),
                image_shape: None,
            },
        }
    }

    /// Encodes the rows of several parts, some rows at a time: `each` gets the index of the part, that of the first row within it, and the
    /// numbers, `[rows, width]`. Rows in ascending order come from the last to the first.
    ///
    /// If the data are owned, rows are forgotten as soon as they are encoded, so that there is never memory for both.
    ///
    /// Errors as [`dataset`](Loaded::dataset) does for the first part that has one, and with the first error of `each`.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use std::borrow::Cow;
    /// use surprisal_data::{CsvOptions, DataError, DataSource, Loaded};
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(7);
    /// let iris = "iris".parse::<DataSource>()?.open(&CsvOptions::default(), &mut rng)?;
    /// let (some, others) = (Vec::from_iter(0..50), Vec::from_iter(50..150));
    /// let encoder = iris.prepare(&some, None)?;
    /// let mut x = [vec![0.0_f32; 50 * 4], vec![0.0; 100 * 4]];
    /// Loaded::encode(Cow::Owned(iris), &[&some, &others], &encoder, |part, first, numbers| {
    ///     x[part][4 * first..].iter_mut().zip(numbers).for_each(|(x, &number)| *x = number as f32);
    ///     Ok::<_, DataError>(())
    /// })?;
    /// assert!(x[0].iter().sum::<f32>().abs() < 1e-3 && x[1].iter().sum::<f32>() > 100.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode<E: From<DataError>>(
        data: Cow<'_, Loaded>,
        parts: &[&[usize]],
        encoder: &Encoder,
        mut each: impl FnMut(usize, usize, ArrayView2<f64>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sources = match &data.content {
            Content::Table(table) => {
                let sources = parts.iter().map(|rows| encoder.sources(table, rows));
                sources.collect::<Result<Vec<_>, _>>()?
            }
            Content::Arrays(_, features) => {
                encoder.apply_array_in_place(&mut Array2::zeros((0, features.columns())))?;
                Vec::new()
            }
        };
        let width = encoder.width();
        let mut numbers = Vec::new();
        Loaded::in_pieces(data, parts, width, |data, part, at| {
            let rows = &parts[part][at.clone()];
            numbers.clear();
            numbers.resize(rows.len() * width, 0.0);
            let mut all =
                ArrayViewMut2::from_shape((rows.len(), width), &mut numbers[..]).expect("rows times width");
            match &data.content {
                Content::Table(table) => {
                    encoder.encode(table, &sources[part], rows, all.as_slice_mut().unwrap_or_default());
                }
                Content::Arrays(_, features) => {
                    features.write(rows, 0..features.columns(), all.as_slice_mut().unwrap_or_default());
                    encoder.apply_array_in_place(&mut all)?;
                }
            }
            each(part, at.start, all.view())
        })
    }

    /// Calls `some` with the index of a part and some rows within it, until all rows had their turn: of rows of this width, in ascending order
    /// from the last to the first, after which owned data are forgotten.
    fn in_pieces<E>(
        mut data: Cow<'_, Loaded>,
        parts: &[&[usize]],
        width: usize,
        mut some: impl FnMut(&Loaded, usize, Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        let together = (TOGETHER / width.max(1)).max(1);
        let mut ends: Vec<usize> = parts.iter().map(|rows| rows.len()).collect();
        for (part, end) in ends.iter_mut().enumerate().filter(|&(part, _)| !parts[part].is_sorted()) {
            for first in (0..*end).step_by(together) {
                some(&data, part, first..(first + together).min(*end))?;
            }
            *end = 0;
        }
        for begin in (0..data.rows().div_ceil(together)).rev().map(|block| block * together) {
            for (part, end) in ends.iter_mut().enumerate() {
                let first = parts[part][..*end].partition_point(|&row| row < begin);
                while *end > first {
                    let from = first.max(end.saturating_sub(together)); // a row may come several times
                    some(&data, part, from..*end)?;
                    *end = from;
                }
            }
            if let Cow::Owned(data) = &mut data {
                match &mut data.content {
                    Content::Table(table) => table.truncate(begin),
                    Content::Arrays(_, features) => features.truncate(begin),
                }
            }
        }
        Ok(())
    }

    /// Copies the bytes of the rows of several parts, some rows at a time: `each` gets the index of the part, that of the first row within
    /// it, and the bytes. In the order of [`encode`](Self::encode), and owned data are forgotten as there.
    ///
    /// # Panics
    /// If there is no such row, and if there are no [`numbers_of_bytes`](Self::numbers_of_bytes).
    #[track_caller]
    pub fn bytes(data: Cow<'_, Loaded>, parts: &[&[usize]], mut each: impl FnMut(usize, usize, &[u8])) {
        let columns = data.matrix().map_or(0, Matrix::columns);
        let mut bytes = Vec::new();
        let copied = Loaded::in_pieces(data, parts, columns, |data, part, at| {
            let features = data.matrix().filter(|features| features.are_bytes());
            let Some(features) = features else { panic!("bytes: the features are not bytes in memory") };
            features.copy_bytes(&parts[part][at.clone()], &mut bytes);
            each(part, at.start, &bytes);
            Ok::<_, Infallible>(())
        });
        let Ok(()) = copied;
    }

    fn matrix(&self) -> Option<&Matrix> {
        match &self.content {
            Content::Arrays(_, features) => Some(features),
            Content::Table(_) => None,
        }
    }

    /// The number in `f32` that each byte is encoded as. `None` if the features are not bytes in memory, such as the pixels of an IDX file, if
    /// columns are encoded differently, and if `f32` does not hold one of the numbers.
    pub fn numbers_of_bytes(&self, encoder: &Encoder) -> Option<[f32; 256]> {
        let features = self.matrix().filter(|features| features.are_bytes())?;
        let encoding = &encoder.columns.first()?.encoding;
        let &Encoding::Number { offset, scale, .. } = encoding else { return None };
        let alike = encoder.columns.iter().all(|column| column.encoding == *encoding);
        let numbers: [f32; 256] = std::array::from_fn(|byte| ((byte as f64 - offset) / scale) as f32);
        let fits = alike
            && features.columns() == encoder.columns.len()
            && numbers.iter().all(|x| x.abs() < f32::MAX);
        fits.then_some(numbers)
    }

    fn strata(&self, by: &'static str) -> Strata<'_> {
        Strata {
            by,
            name: Some(&self.name),
            rows: self.rows(),
            labels: match self.targets() {
                Targets::Classes { labels, .. } => Some(labels),
                Targets::Values(_) | Targets::Masks { .. } => None,
            },
            class_names: self.targets().class_names(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::NpyArray;
    use crate::npy::npz::write_npz;
    use crate::split::stratified_split;
    use ndarray::Axis;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn opened_split_and_encoded_is_what_its_parts_do_one_by_one() {
        for (text, set) in
            [("iris", Dataset::iris()), ("digits", Dataset::digits()), ("datasets/iris.csv", Dataset::iris())]
        {
            let source: DataSource = text.parse().unwrap();
            let rng = &mut ChaCha8Rng::seed_from_u64(5);
            let (mut train, mut test) = stratified_split(&set, 0.25, rng).unwrap();
            let preprocess = source.scaling().fit(&train.features, None).unwrap();
            for part in [&mut train, &mut test] {
                preprocess.apply_in_place(&mut part.features).unwrap();
            }

            let rng = &mut ChaCha8Rng::seed_from_u64(5);
            let target = text.ends_with("csv").then(|| "species".to_owned());
            let loaded = source.open(&CsvOptions { target, ..CsvOptions::default() }, rng).unwrap();
            let parts = loaded.split(&[0.75, 0.25], rng).unwrap();
            let encoder = loaded.prepare(&parts[0], None).unwrap();
            let [again, test_again] = [0, 1].map(|k: usize| loaded.dataset(&parts[k], &encoder).unwrap());
            assert!(again == train && test_again == test, "{text}");
        }
    }

    #[test]
    fn all_that_is_drawn_comes_from_the_generator() {
        let source: DataSource = "moons:noise=0.1".parse().unwrap();
        let open = |seed| source.open(&CsvOptions::default(), &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        assert_eq!(open(5), open(5));
        assert_ne!(open(5), open(6));
    }

    #[test]
    fn rows_for_testing_have_no_say_in_what_is_measured() {
        let source: DataSource = "iris".parse().unwrap();
        let loaded = source.open(&CsvOptions::default(), &mut ChaCha8Rng::seed_from_u64(5)).unwrap();
        let setosa: Vec<usize> = (0..50).collect();
        let encoder = loaded.prepare(&setosa, None).unwrap();
        let means =
            |rows: &[usize]| loaded.dataset(rows, &encoder).unwrap().features.mean_axis(Axis(0)).unwrap();
        assert!(means(&setosa).iter().all(|mean| mean.abs() < 1e-13));
        assert!(means(&[100, 120, 140])[2] > 5.0);
    }

    #[test]
    fn arrays_of_a_file_hold_classes_if_whole_and_numbers_to_predict_if_not() {
        let path = std::env::temp_dir().join(format!("surprisal-loaded-{}.npz", std::process::id()));
        let x = NpyArray::new(&[4, 1], &[1.0, 2.0, 3.0, 4.0]);
        let open = |y: &NpyArray| {
            write_npz(&path, [("x", &x), ("y", y)]).unwrap();
            let source: DataSource = path.to_str().unwrap().parse().unwrap();
            source.open(&CsvOptions::default(), &mut ChaCha8Rng::seed_from_u64(0)).unwrap()
        };
        let classes = open(&NpyArray::new(&[4], &[7i64, 7, 9, 9]));
        let numbers = open(&NpyArray::new(&[4], &[0.5, 1.5, 2.5, 2.0]));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(classes.targets().labels(), [0, 0, 1, 1]);
        assert_eq!(numbers.targets(), &Targets::Values(vec![0.5, 1.5, 2.5, 2.0]));
        let encoder = numbers.prepare(&[0, 2], Some(Scaling::MinMax)).unwrap();
        let set = numbers.dataset(&[1, 3], &encoder).unwrap();
        assert_eq!(
            (set.features, set.targets),
            (ndarray::array![[0.5], [1.5]], Targets::Values(vec![1.5, 2.0]))
        );
    }

    #[test]
    fn bytes_are_encoded_as_other_numbers_are() {
        let path = std::env::temp_dir().join(format!("surprisal-bytes-{}.npz", std::process::id()));
        let x = NpyArray::new(&[4, 2], &[0u8, 255, 3, 1, 254, 128, 77, 7]);
        write_npz(&path, [("x", &x), ("y", &NpyArray::new(&[4], &[7i64, 7, 9, 9]))]).unwrap();
        let source: DataSource = path.to_str().unwrap().parse().unwrap();
        let loaded = source.open(&CsvOptions::default(), &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
        std::fs::remove_file(&path).unwrap();
        for scaling in [Scaling::None, Scaling::Divide(255.0), Scaling::Divide(0.3)] {
            let encoder = loaded.prepare(&[0, 1], Some(scaling)).unwrap();
            let numbers = loaded.numbers_of_bytes(&encoder).unwrap();
            let parts: [&[usize]; 3] = [&[1, 3], &[3, 0, 3], &[]];
            for data in [Cow::Borrowed(&loaded), Cow::Owned(loaded.clone())] {
                let mut found = parts.map(|rows| Array2::zeros((rows.len(), 2)));
                Loaded::bytes(data, &parts, |part, first, bytes| {
                    let slots = found[part].iter_mut().skip(2 * first);
                    slots.zip(bytes).for_each(|(slot, byte)| *slot = numbers[usize::from(*byte)]);
                });
                for (rows, found) in parts.iter().zip(found) {
                    let expected = loaded.dataset(rows, &encoder).unwrap().features.mapv(|x| x as f32);
                    assert_eq!(found, expected, "{scaling}");
                }
            }
        }
        for scaling in [Scaling::Standardize, Scaling::Divide(1e-37)] {
            let encoder = loaded.prepare(&[0, 1], Some(scaling)).unwrap();
            assert_eq!(loaded.numbers_of_bytes(&encoder), None);
        }
    }
}

//! [`DataSource`]: data by name, as on a command line, loaded ready for training.

pub(crate) mod error;

use crate::csv::options::Task;
use crate::dataset::Dataset;
use crate::encoder::Scaling;
use crate::error::DataError;
use crate::npy::npz::read_pair;
use crate::preprocess::Preprocess;
use crate::source::error::SpecError;
use crate::split::stratified_split;
use crate::synthetic::Synthetic;
use rand::Rng;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A source of data, parsed from a text such as an argument of a command.
///
/// | text | data |
/// |---|---|
/// | `iris`, `breast_cancer`, `digits`, `penguins` | a set that the library carries |
/// | `moons`, `moons:n=500,noise=0.2` | a set that is drawn: [`Synthetic`] |
/// | `mnist:DIR` | the folder with the four files of [`Dataset::mnist`] |
/// | `FILE.csv`, `FILE.tsv`, `FILE.txt`, `FILE.data`, `FILE.dat`, and each of them with `.gz` behind | a table, whose label column is named when it is [loaded](DataSource::load) |
/// | `FILE.npz` | arrays of NumPy's: [`Dataset::from_npz_path`] |
/// | `X.npy,Y.npy` | an array of features and one of labels, as they stand in an NPZ file |
///
/// An invalid text is a [`SpecError`], a usage error. Errors of files occur
/// when the data are loaded, and are a [`DataError`].
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::{DataSource, Preprocess};
///
/// let source: DataSource = "digits".parse()?;
/// let data = source.load(None, &mut ChaCha8Rng::seed_from_u64(7))?;
/// assert_eq!((data.train.rows(), data.test.rows()), (1346, 451));
/// assert_eq!(data.preprocess, Preprocess::Divide(16.0));
/// assert!(data.train.features.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum DataSource {
    /// A set that the library carries, by one of [`Dataset::NAMES`].
    Embedded(&'static str),
    /// A set that is drawn.
    Synthetic(Synthetic),
    /// The folder with the files of MNIST.
    Mnist(PathBuf),
    /// The file of a table.
    Csv(PathBuf),
    /// The file of NumPy's arrays of features and labels.
    Npz(PathBuf),
    /// Two files of an array each: features, and labels, which rows to be predicted do not have.
    Npy(PathBuf, Option<PathBuf>),
}

/// A training set, a test set, and the preprocessing of both.
///
/// See the example of [`DataSource`].
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The training set, preprocessed.
    pub train: Dataset,
    /// The test set, preprocessed in the same way.
    pub test: Dataset,
    /// The preprocessing of both. Other data for the same model need it too: save it with the model.
    pub preprocess: Preprocess,
}

/// The extensions of tables; compressed ones have `.gz` appended.
const TABLES: [&str; 5] = ["csv", "tsv", "txt", "data", "dat"];

impl DataSource {
    /// The share of the rows that goes into the test part, where the source does not come in two parts.
    pub const TEST_SHARE: f64 = 0.25;

    /// Every form that the text can take, with the parameters and their defaults: for a page of help.
    ///
    /// ```
    /// let forms = surprisal_data::DataSource::forms();
    /// assert!(forms.contains(&"moons:n=100,noise=0".to_owned()));
    /// ```
    pub fn forms() -> Vec<String> {
        let synthetic = Synthetic::NAMES
            .iter()
            .filter_map(|name| name.parse::<Synthetic>().ok())
            .map(|set| set.to_string());
        let embedded = Dataset::NAMES.iter().map(|name| name.to_string());
        embedded
            .chain(synthetic)
            .chain(["mnist:DIR", "FILE.csv", "FILE.npz", "X.npy,Y.npy"].map(str::to_owned))
            .collect()
    }

    /// Whether this source needs the name of a label column and has it, or needs none and has none.
    ///
    /// [`load`](DataSource::load) asks this first; a command line may ask before it does anything else.
    ///
    /// Errors if a table comes without, or anything else with the name of a label column.
    ///
    /// ```
    /// use surprisal_data::{DataSource, SpecError};
    ///
    /// let table: DataSource = "pets.csv".parse()?; // need not be there yet
    /// assert!(table.check_target(Some("kind")).is_ok());
    /// assert!(matches!(table.check_target(None), Err(SpecError::NoTarget { .. })));
    /// let iris: DataSource = "iris".parse()?;
    /// assert!(matches!(iris.check_target(Some("kind")), Err(SpecError::NeedlessTarget { .. })));
    /// # Ok::<(), SpecError>(())
    /// ```
    pub fn check_target(&self, target_column: Option<&str>) -> Result<(), SpecError> {
        match (self, target_column) {
            (Self::Csv(_) | Self::Embedded("penguins"), Some(_)) => Ok(()),
            (Self::Csv(_), None) => Err(SpecError::NoTarget { table: self.to_string() }),
            (_, None) => Ok(()),
            (_, Some(target)) => {
                Err(SpecError::NeedlessTarget { origin: self.to_string(), target: target.to_owned() })
            }
        }
    }

    /// The files that the data are read from, if there are any; of a folder, all that are in it.
    ///
    /// ```
    /// use surprisal_data::DataSource;
    /// assert_eq!("pets.csv".parse::<DataSource>()?.files(), [std::path::Path::new("pets.csv")]);
    /// assert!("iris".parse::<DataSource>()?.files().is_empty());
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Embedded(_) | Self::Synthetic(_) => Vec::new(),
            Self::Mnist(folder) => {
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                entries.map(|entry| entry.path()).collect()
            }
            Self::Csv(path) | Self::Npz(path) => vec![path.clone()],
            Self::Npy(x, y) => [Some(x), y.as_ref()].into_iter().flatten().cloned().collect(),
        }
    }

    /// Reads or draws the data, splits it and preprocesses it.
    ///
    /// MNIST has a test part of its own. All else is [split](stratified_split), every class alike, with a share
    /// of [0.25](DataSource::TEST_SHARE) for testing. What is drawn comes from the generator, the set first,
    /// then the split; MNIST draws nothing.
    ///
    /// Pixels are divided by their largest value, 16 (digits) or 255 (MNIST). Tables, iris and breast_cancer
    /// are standardized by what is measured on the training part. Synthetic sets stay as they are.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::{DataSource, Split};
    ///
    /// let source: DataSource = "iris".parse()?;
    /// let Split { train, test, .. } = source.load(None, &mut ChaCha8Rng::seed_from_u64(7))?;
    /// assert_eq!(train.rows() + test.rows(), 150);
    /// assert!(train.features.mean().unwrap().abs() < 1e-12); // standardized
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Errors as [`check_target`](DataSource::check_target), with
    /// [`ErrorKind::Spec`](crate::ErrorKind::Spec): a mistake in the command, not in a file. Errors as the
    /// reader of the source does, if a class has a single row, and if a table cannot be standardized.
    pub fn load(
        &self,
        target_column: Option<&str>,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Split, DataError> {
        self.check_target(target_column)?;
        let (mut train, mut test) = match self {
            Self::Mnist(folder) => Dataset::mnist(folder)?,
            Self::Embedded(name) => stratified_split(&Dataset::named(name)?, Self::TEST_SHARE, rng)?,
            Self::Synthetic(set) => stratified_split(&set.draw(rng), Self::TEST_SHARE, rng)?,
            Self::Csv(path) => {
                // the check has seen that there is one
                let table = Dataset::from_csv_path(path, target_column.unwrap_or_default())?;
                stratified_split(&table, Self::TEST_SHARE, rng)?
            }
            Self::Npz(path) => stratified_split(&Dataset::from_npz_path(path)?, Self::TEST_SHARE, rng)?,
            Self::Npy(x, y) => {
                stratified_split(&read_pair(x, y.as_deref(), Task::Auto, true)?, Self::TEST_SHARE, rng)?
            }
        };
        let preprocess = self.scaling().fit(&train.features)?;
        preprocess.apply_in_place(&mut train.features)?;
        preprocess.apply_in_place(&mut test.features)?;
        Ok(Split { train, test, preprocess })
    }

    /// The default preprocessing of this source.
    pub(crate) fn scaling(&self) -> Scaling {
        match self {
            Self::Synthetic(_) => Scaling::None,
            Self::Mnist(_) => Scaling::Divide(255.0),
            Self::Embedded("digits") => Scaling::Divide(16.0),
            Self::Embedded(_) | Self::Csv(_) | Self::Npz(_) | Self::Npy(..) => Scaling::Standardize,
        }
    }
}

impl FromStr for DataSource {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<DataSource, SpecError> {
        let name = text.split(':').next().unwrap_or_default();
        let rest = text[name.len()..].strip_prefix(':');
        if let Some(set) = Dataset::NAMES.into_iter().find(|&set| set == name) {
            return match rest {
                None => Ok(DataSource::Embedded(set)),
                Some(found) => Err(SpecError::NoParameters { set, found: found.to_owned() }),
            };
        }
        if name == "mnist" {
            let folder = rest.filter(|folder| !folder.is_empty()).ok_or(SpecError::NoMnistFolder)?;
            return Ok(DataSource::Mnist(folder.into()));
        }
        let ends = |text: &str, end: &str| {
            Path::new(text).extension().is_some_and(|found| found.eq_ignore_ascii_case(end))
        };
        if Synthetic::NAMES.contains(&name) && rest.is_some() {
            return text.parse().map(DataSource::Synthetic);
        }
        let unpacked = if ends(text, "gz") { &text[..text.len() - ".gz".len()] } else { text };
        if TABLES.iter().any(|end| ends(unpacked, end)) {
            return Ok(DataSource::Csv(text.into()));
        }
        if ends(text, "npz") {
            return Ok(DataSource::Npz(text.into()));
        }
        if ends(text, "npy") {
            return Ok(match text.split_once(".npy,") {
                Some((x, y)) => DataSource::Npy(format!("{x}.npy").into(), Some(y.into())),
                None => DataSource::Npy(text.into(), None),
            });
        }
        text.parse().map(DataSource::Synthetic)
    }
}

/// The text that is read as this source, with all parameters.
impl Display for DataSource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(name) => f.write_str(name),
            Self::Synthetic(set) => set.fmt(f),
            Self::Mnist(folder) => write!(f, "mnist:{}", folder.display()),
            Self::Csv(path) | Self::Npz(path) | Self::Npy(path, None) => path.display().fmt(f),
            Self::Npy(x, Some(y)) => write!(f, "{},{}", x.display(), y.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standardize::Standardize;
    use ndarray::Axis;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    fn source(text: &str) -> DataSource {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_form_is_read_as_what_it_names() {
        for name in Dataset::NAMES {
            assert_eq!(source(name), DataSource::Embedded(name));
        }
        for name in Synthetic::NAMES {
            assert_eq!(source(name), DataSource::Synthetic(name.parse().unwrap()));
        }
        assert_eq!(source("mnist:some/folder"), DataSource::Mnist("some/folder".into()));
        assert_eq!(source("mnist:C:\\data,x=1"), DataSource::Mnist("C:\\data,x=1".into()));
        for path in ["flowers.csv", "some/folder/iris.csv", "C:\\data\\FLOWERS.CSV", "moons.csv", "a:b.csv"] {
            assert_eq!(source(path), DataSource::Csv(path.into()));
        }
        for path in ["a.txt", "wine.data", "a.b/c.dat", "x.csv.gz", "x.TSV.GZ", "moons.data.gz", "a:b.txt"] {
            assert_eq!(source(path), DataSource::Csv(path.into()));
        }
        assert_eq!(source("some/folder/images.npz"), DataSource::Npz("some/folder/images.npz".into()));
        let pair = DataSource::Npy("a/x.npy".into(), Some("b/y.npy".into()));
        assert_eq!((source("a/x.npy,b/y.npy"), pair.to_string()), (pair, "a/x.npy,b/y.npy".into()));
        assert_eq!(source("new.npy"), DataSource::Npy("new.npy".into(), None));
        for text in ["x.gz", "x.zip.gz", "csv", "x.tx"] {
            assert!(text.parse::<DataSource>().is_err(), "{text}");
        }
    }

    #[test]
    fn display_is_read_again_as_the_same_source() {
        for text in
            ["iris", "moons:n=500,noise=0.2", "blobs:noise=1e-7", "mnist:some/folder", "some/flowers.csv"]
        {
            assert_eq!(source(&source(text).to_string()), source(text));
        }
        assert_eq!(source("moons:n=500").to_string(), "moons:n=500,noise=0");
    }

    #[test]
    fn forms_are_read_and_are_all_there() {
        let forms = DataSource::forms();
        assert!(forms.iter().all(|form| source(form).to_string() == *form));
        assert_eq!(forms.len(), Dataset::NAMES.len() + Synthetic::NAMES.len() + 4);
    }

    #[test]
    fn tables_are_standardized_by_their_training_part() {
        let split = source("datasets/iris.csv").load(Some("species"), &mut rng(1)).unwrap();
        let Preprocess::Standardize(standardize) = &split.preprocess else {
            panic!("{:?}", split.preprocess)
        };
        let raw = stratified_split(&Dataset::iris(), 0.25, &mut rng(1)).unwrap();
        assert_eq!(*standardize, Standardize::fit(&raw.0.features).unwrap());
        assert_eq!(split.train.features, split.preprocess.apply(&raw.0.features).unwrap());
        assert_eq!(split.test.features, split.preprocess.apply(&raw.1.features).unwrap());
        let means = |part: &Dataset| part.features.mean_axis(Axis(0)).unwrap();
        assert!(means(&split.train).iter().all(|mean| mean.abs() < 1e-13));
        assert!(means(&split.test).iter().any(|mean| mean.abs() > 1e-3), "the test part had no say");
        assert_eq!(split.test.class_names(), ["setosa", "versicolor", "virginica"]);
        assert_eq!(split, source("iris").load(None, &mut rng(1)).unwrap());
    }

    #[test]
    fn preprocess_is_that_of_the_source() {
        let preprocess = |text: &str| source(text).load(None, &mut rng(2)).unwrap().preprocess;
        assert_eq!(preprocess("digits"), Preprocess::Divide(16.0));
        assert!(matches!(preprocess("breast_cancer"), Preprocess::Standardize(_)));
        for name in Synthetic::NAMES {
            assert_eq!(preprocess(name), Preprocess::None);
        }
    }

    #[test]
    fn a_quarter_of_every_class_is_for_testing() {
        let split = source("blobs:n=80,classes=4").load(None, &mut rng(3)).unwrap();
        assert_eq!((split.train.class_counts(), split.test.class_counts()), (vec![15; 4], vec![5; 4]));
    }

    #[test]
    fn the_smallest_sets_can_be_split() {
        for text in ["xor:n=4", "moons:n=5", "blobs:n=200,classes=100", "spirals:n=6,classes=3"] {
            let split = source(text).load(None, &mut rng(4)).unwrap();
            assert!(split.train.class_counts().iter().all(|&n| n >= 1), "{text}");
            assert!(split.test.class_counts().iter().all(|&n| n >= 1), "{text}");
        }
    }

    #[test]
    fn all_that_is_drawn_comes_from_the_generator() {
        for text in ["moons:noise=0.1", "breast_cancer"] {
            let load = |seed| source(text).load(None, &mut rng(seed)).unwrap();
            assert_eq!(load(5), load(5));
            assert_ne!(load(5), load(6));
        }
    }
}

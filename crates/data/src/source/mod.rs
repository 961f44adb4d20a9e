//! [`DataSource`]: data by name, as on a command line, loaded ready for training.

pub(crate) mod error;

use crate::dataset::Dataset;
use crate::encoder::Scaling;
use crate::images;
use crate::source::error::SpecError;
use crate::synthetic::Synthetic;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A source of data, parsed from a text such as an argument of a command.
///
/// | text | data |
/// |---|---|
/// | `iris`, `breast_cancer`, `digits`, `penguins`, `nuclei` | a set that the library carries |
/// | `moons`, `moons:n=500,noise=0.2` | a set that is drawn: [`Synthetic`] |
/// | `mnist:DIR` | the folder with the four files of [`Dataset::mnist`] |
/// | `mnist-clutter:DIR` | MNIST's training images among pieces of others, with masks, for segmentation: [`Dataset::clutter`] |
/// | `images:DIR`, or `DIR` if it exists and has no name of another source | the folder with a folder of PNG images for each class: [`Dataset::from_image_folder`]; or, for segmentation, with the folders `images` and `masks`: [`Dataset::from_image_masks`] |
/// | `FILE.csv`, `FILE.tsv`, `FILE.txt`, `FILE.data`, `FILE.dat`, and each of them with `.gz` behind | a table, whose label column is named when it is [opened](DataSource::open) |
/// | `FILE.npz` | arrays of NumPy's: [`Dataset::from_npz_path`] |
/// | `X.npy,Y.npy` | an array of features and one of labels, as in an NPZ file |
///
/// An invalid text is a [`SpecError`], a usage error. Errors of files occur
/// when the data are loaded, and are a [`DataError`](crate::DataError).
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::{CsvOptions, DataSource};
///
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let data = "digits".parse::<DataSource>()?.open(&CsvOptions::default(), &mut rng)?;
/// let parts = data.split(&[0.75, 0.25], &mut rng)?; // every class alike
/// let encoder = data.prepare(&parts[0], None)?; // pixels are divided by 16
/// let [train, test] = [data.dataset(&parts[0], &encoder)?, data.dataset(&parts[1], &encoder)?];
/// assert_eq!((train.rows(), test.rows()), (1346, 451));
/// assert!(train.features.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
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
    /// The folder with the files of MNIST, whose images are put among pieces of others.
    MnistClutter(PathBuf),
    /// The folder of images.
    Images(PathBuf),
    /// The file of a table.
    Csv(PathBuf),
    /// The file of NumPy's arrays of features and labels.
    Npz(PathBuf),
    /// Two files of an array each: features, and labels, which rows to be predicted do not have.
    Npy(PathBuf, Option<PathBuf>),
}

/// The extensions of tables; compressed ones have `.gz` appended.
const TABLES: [&str; 5] = ["csv", "tsv", "txt", "data", "dat"];

impl DataSource {
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
            .chain(
                ["mnist:DIR", "mnist-clutter:DIR", "images:DIR", "FILE.csv", "FILE.npz", "X.npy,Y.npy"]
                    .map(str::to_owned),
            )
            .collect()
    }

    /// Whether this source needs the name of a label column and has it, or needs none and has none.
    ///
    /// [`open`](DataSource::open) asks this first; a command line may ask before it does anything else.
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
            Self::Mnist(folder) | Self::MnistClutter(folder) => {
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                entries.map(|entry| entry.path()).collect()
            }
            Self::Images(folder) => images::files(folder),
            Self::Csv(path) | Self::Npz(path) => vec![path.clone()],
            Self::Npy(x, y) => [Some(x), y.as_ref()].into_iter().flatten().cloned().collect(),
        }
    }

    /// The default preprocessing of this source.
    pub(crate) fn scaling(&self) -> Scaling {
        match self {
            Self::Synthetic(_) | Self::MnistClutter(_) => Scaling::None,
            Self::Mnist(_) | Self::Images(_) | Self::Embedded("nuclei") => Scaling::Divide(255.0),
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
        for (of, source) in [
            ("mnist", DataSource::Mnist as fn(_) -> _),
            ("mnist-clutter", DataSource::MnistClutter),
            ("images", DataSource::Images),
        ] {
            if name == of {
                let folder = rest.filter(|folder| !folder.is_empty()).ok_or(SpecError::NoFolder { of })?;
                return Ok(source(folder.into()));
            }
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
        if Path::new(text).is_dir() && !Synthetic::NAMES.contains(&name) {
            return Ok(DataSource::Images(text.into()));
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
            Self::MnistClutter(folder) => write!(f, "mnist-clutter:{}", folder.display()),
            Self::Images(folder) => write!(f, "images:{}", folder.display()),
            Self::Csv(path) | Self::Npz(path) | Self::Npy(path, None) => path.display().fmt(f),
            Self::Npy(x, Some(y)) => write!(f, "{},{}", x.display(), y.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let folder = env!("CARGO_MANIFEST_DIR");
        assert_eq!(source(folder), DataSource::Images(folder.into()));
        for text in ["x.gz", "x.zip.gz", "csv", "x.tx", "no/such/folder"] {
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
        assert_eq!(forms.len(), Dataset::NAMES.len() + Synthetic::NAMES.len() + 6);
    }

    #[test]
    fn each_source_has_its_scaling() {
        for (text, scaling) in [
            ("digits", Scaling::Divide(16.0)),
            ("mnist:folder", Scaling::Divide(255.0)),
            ("breast_cancer", Scaling::Standardize),
            ("datasets/iris.csv", Scaling::Standardize),
            ("moons", Scaling::None),
        ] {
            assert_eq!(source(text).scaling(), scaling, "{text}");
        }
    }
}

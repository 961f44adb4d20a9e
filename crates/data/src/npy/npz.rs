//! NPZ, NumPy's archive of named arrays: [`Npz`], [`write_npz`], [`Dataset::from_npz_path`].

use crate::csv::options::Task;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::files::open_regular;
use crate::matrix::Matrix;
use crate::matrix::Stored;
use crate::npy::error::NpyProblem;
use crate::npy::zip::{self, Archive, Entry};
use crate::npy::{
    self, Header, LONGEST_HEADER, NpyArray, NpyType, Spilling, read_npy, spill_npy, write_file,
};
use crate::spill::Spill;
use crate::targets::Targets;
use ndarray::Array2;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// An archive as `np.savez` and `np.savez_compressed` write it. Arrays are unpacked when they are asked for.
///
/// ```
/// use surprisal_data::{NpyArray, Npz, npz_bytes};
///
/// let (x, y) = (NpyArray::new(&[2, 2], &[0.5, 1.0, 1.5, 2.0]), NpyArray::new(&[2], &[0i64, 1]));
/// let npz = Npz::from_bytes(npz_bytes([("x", &x), ("y", &y)])?, "tiny.npz")?;
/// assert_eq!(npz.names().collect::<Vec<_>>(), ["x", "y"]);
/// assert_eq!(npz.array("y")?.array_i64()?[1], 1);
/// assert_eq!(
///     npz.array("Y").unwrap_err().to_string(),
///     "tiny.npz: expected an array named \"Y\", found \"x\", \"y\" | did you mean \"y\"?"
/// );
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Npz {
    name: String,
    archive: Archive,
    /// Those whose names end in `.npy`, which has been taken off.
    entries: Vec<Entry>,
    /// Where each of them is.
    places: HashMap<String, usize>,
}

impl Npz {
    /// Opens the file and reads its directory; arrays are read when they are asked for.
    ///
    /// Errors if the file cannot be read, and as [`from_bytes`](Self::from_bytes).
    ///
    /// ```
    /// use surprisal_data::Npz;
    ///
    /// let error = Npz::read("no/such/digits.npz").unwrap_err();
    /// assert!(error.to_string().starts_with("no/such/digits.npz: cannot be read: "));
    /// ```
    pub fn read(path: impl AsRef<Path>) -> Result<Npz, DataError> {
        let name = path.as_ref().display().to_string();
        let (file, length) = open_regular(path.as_ref())
            .map_err(|error| npy::fail(&name, None, NpyProblem::Unreadable(error)))?;
        Npz::new(Archive::File(Arc::new(file), length), &name)
    }

    /// Checks the directory of an archive; `name` is for the messages.
    ///
    /// Errors if it is no ZIP archive or a damaged one, if an entry is packed in another way than NumPy's, claims a
    /// size that its packed bytes cannot hold (more than 1032 to 1), or has the name of another.
    ///
    /// Source: NumPy, "numpy.savez", and for ZIP "APPNOTE.TXT - .ZIP File Format Specification".
    pub fn from_bytes(bytes: Vec<u8>, name: &str) -> Result<Npz, DataError> {
        Npz::new(Archive::Memory(bytes), name)
    }

    fn new(archive: Archive, name: &str) -> Result<Npz, DataError> {
        let directory =
            zip::directory(&archive).map_err(|(byte, problem)| npy::fail(name, Some(byte), problem))?;
        let (mut entries, mut places) = (Vec::new(), HashMap::new());
        for mut entry in directory {
            let Some(array) = entry.name.strip_suffix(".npy") else { continue };
            entry.name = array.to_owned();
            if places.insert(entry.name.clone(), entries.len()).is_some() {
                return Err(npy::fail(name, None, NpyProblem::ArrayTwice { array: entry.name }));
            }
            entries.push(entry);
        }
        Ok(Npz { name: name.to_owned(), archive, entries, places })
    }

    /// The names of the arrays, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// Type and shape of an array, of which only the header is unpacked.
    ///
    /// Errors as [`array`](Self::array).
    ///
    /// ```
    /// # use surprisal_data::{NpyArray, Npz, NpyType, npz_bytes};
    /// # let bytes = npz_bytes([("x", &NpyArray::new(&[2, 3], &[0u8; 6]))])?;
    /// let npz = Npz::from_bytes(bytes, "tiny.npz")?;
    /// assert_eq!(npz.header("x")?, (NpyType::UInt8, vec![2, 3]));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn header(&self, array: &str) -> Result<(NpyType, Vec<usize>), DataError> {
        let header = self.parsed(array)?;
        Ok((header.dtype(), header.shape().to_vec()))
    }

    fn parsed(&self, array: &str) -> Result<Header, DataError> {
        let entry = self.entry(array)?;
        let first = entry.first(&self.archive, 12 + LONGEST_HEADER).map_err(self.in_archive())?;
        Header::parse(&first, entry.size)
            .map_err(|(byte, problem)| npy::fail(&self.name_of(array), Some(byte), problem))
    }

    /// Unpacks an array.
    ///
    /// Errors if there is none of this name, if it cannot be unpacked, and as [`NpyArray::from_bytes`]. The header's
    /// claim is held against the size of the entry before more than the header is unpacked.
    pub fn array(&self, array: &str) -> Result<NpyArray, DataError> {
        self.header(array)?;
        let content = self.entry(array)?.content(&self.archive).map_err(self.in_archive())?;
        NpyArray::from_bytes(content, &self.name_of(array))
    }

    /// Checks the content of an array against its size and checksum, without keeping it in memory.
    ///
    /// Errors if there is no array of this name, or if it is damaged.
    ///
    /// ```
    /// # use surprisal_data::{NpyArray, Npz, npz_bytes};
    /// let mut bytes = npz_bytes([("x", &NpyArray::new(&[2], &[7u8, 9]))])?;
    /// assert!(Npz::from_bytes(bytes.clone(), "x.npz")?.verify("x").is_ok());
    /// let number = bytes.windows(2).position(|pair| pair == [7, 9]).expect("they are stored as they are");
    /// bytes[number] = 8;
    /// assert!(Npz::from_bytes(bytes, "x.npz")?.verify("x").is_err());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn verify(&self, array: &str) -> Result<(), DataError> {
        self.entry(array)?.verify(&self.archive).map_err(self.in_archive())
    }

    fn entry(&self, array: &str) -> Result<&Entry, DataError> {
        self.places.get(array).map(|&place| &self.entries[place]).ok_or_else(|| {
            let known = self.names().map(str::to_owned).collect();
            self.fail(NpyProblem::NoArray { array: vec![array.to_owned()], known })
        })
    }

    /// The first of these names that an array has.
    fn first_of<'n>(&self, names: &[&'n str]) -> Result<&'n str, DataError> {
        names.iter().copied().find(|name| self.names().any(|known| known == *name)).ok_or_else(|| {
            let known = self.names().map(str::to_owned).collect();
            let array = names.iter().map(|name| name.to_string()).collect();
            self.fail(NpyProblem::NoArray { array, known })
        })
    }

    /// Features, in a temporary file if there is one.
    fn features(&self, array: &str, spill: Option<&Arc<Spill>>) -> Result<Features, DataError> {
        let Some(spill) = spill else { return Features::of(self.array(array)?) };
        let (name, header) = (self.name_of(array), self.parsed(array)?);
        let mut numbers = Spilling::new(&header, &name, spill)?;
        let read = self.entry(array)?.pieces(&self.archive, |piece| numbers.push(piece));
        read.map_err(self.in_archive())??;
        Ok(Features { shape: header.shape().to_vec(), numbers: numbers.end(), name })
    }

    fn name_of(&self, array: &str) -> String {
        format!("{}, array {array:?}", self.name)
    }

    fn fail(&self, problem: NpyProblem) -> DataError {
        npy::fail(&self.name, None, problem)
    }

    fn in_archive(&self) -> impl Fn((u64, NpyProblem)) -> DataError {
        |(byte, problem)| npy::fail(&self.name, Some(byte), problem)
    }
}

/// The bytes of an archive of named arrays, stored without packing; the same arrays make the same bytes.
///
/// Errors if two have the same name, and if they do not fit in the 4 GiB of an archive of the plain kind.
///
/// See the example of [`Npz`].
pub fn npz_bytes<'a>(
    arrays: impl IntoIterator<Item = (&'a str, &'a NpyArray)>,
) -> Result<Vec<u8>, DataError> {
    let contents = arrays.into_iter().map(|(name, array)| (format!("{name}.npy"), array.as_bytes()));
    let bytes =
        zip::archive(contents).ok_or_else(|| npy::fail("npz_bytes", None, NpyProblem::ArchiveTooLarge))?;
    Npz::from_bytes(bytes.clone(), "npz_bytes").map(|_| bytes)
}

/// Writes named arrays to a file that NumPy's `np.load` reads.
///
/// Errors as [`npz_bytes`], and if the file cannot be written.
///
/// ```
/// use surprisal_data::{NpyArray, Npz, write_npz};
///
/// let path = std::env::temp_dir().join(format!("surprisal-example-{}.npz", std::process::id()));
/// write_npz(&path, [("scores", &NpyArray::new(&[2], &[0.25f32, 0.75]))])?;
/// assert_eq!(Npz::read(&path)?.array("scores")?.array_f32()?[1], 0.75);
/// std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_npz<'a>(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (&'a str, &'a NpyArray)>,
) -> Result<(), DataError> {
    write_file(path.as_ref(), &npz_bytes(arrays)?)
}

/// The names that the array of features may have, and that of the labels.
const FEATURES: [&str; 4] = ["x", "X", "features", "data"];
const LABELS: [&str; 5] = ["y", "Y", "labels", "label", "target"];
/// Floats of more different whole values than this are numbers to predict, unless classes are asked for.
const MOST_CLASSES: usize = 20;

impl Dataset {
    /// Reads features and labels from an NPZ file.
    ///
    /// | array | names | what it holds |
    /// |---|---|---|
    /// | features | `x`, `X`, `features` or `data` | numbers, `[rows, columns]`; of more axes, all but the first become columns; `[rows, height, width]` and `[rows, channels, height, width]` are images: see [`image_shape`](Dataset::image_shape) |
    /// | labels | `y`, `Y`, `labels`, `label` or `target` | one per row: texts and integers are classes, floats are classes if they are whole and at most 20 are different, and otherwise numbers to predict |
    ///
    /// Every label that occurs is a class, numbers in ascending order, texts in that of their letters. Columns are named
    /// `x0`, `x1`, ..; those of images by row and column, `p0_0`, `p0_1`, ..
    ///
    /// Errors if the file fails [`Npz::read`], lacks one of the arrays, or they do not fit each other; if a feature is
    /// not finite, and if there are fewer than two classes.
    ///
    /// ```
    /// use surprisal_data::{Dataset, NpyArray, write_npz};
    ///
    /// let path = std::env::temp_dir().join(format!("surprisal-example-{}-data.npz", std::process::id()));
    /// let x = NpyArray::new(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    /// write_npz(&path, [("x", &x), ("y", &NpyArray::new(&[3], &[7i64, -1, 7]))])?;
    /// let data = Dataset::from_npz_path(&path)?;
    /// assert_eq!(data.features.row(1).to_vec(), [2.0, 3.0]);
    /// assert_eq!((data.class_names()[0].as_str(), data.labels()), ("-1", &[1, 0, 1][..]));
    /// std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_npz_path(path: impl AsRef<Path>) -> Result<Dataset, DataError> {
        let (mut set, features) = read_npz(path.as_ref(), Task::Auto, true, None)?;
        set.features = features.select(&Vec::from_iter(0..set.rows()));
        Ok(set)
    }
}

/// A data set whose features stand beside it; its own have no columns.
pub(crate) type Apart = (Dataset, Matrix);

/// The array of features.
struct Features {
    name: String,
    shape: Vec<usize>,
    numbers: Stored,
}

impl Features {
    fn of(x: NpyArray) -> Result<Features, DataError> {
        let columns = npy::columns(x.name(), x.shape())?;
        let numbers = x.stored()?;
        if let Some(k) = (0..numbers.len()).find(|&k| !numbers.get(k).is_finite()) {
            let value = numbers.get(k);
            return Err(x.fail(NpyProblem::NotFinite { row: k / columns, column: k % columns, value }));
        }
        Ok(Features { name: x.name().to_owned(), shape: x.shape().to_vec(), numbers })
    }
}

/// [`Dataset::from_npz_path`], with labels as the task requires; labels may be missing unless they are `needed`. Features go to a temporary
/// file, if there is one.
pub(crate) fn read_npz(
    path: &Path,
    task: Task,
    needed: bool,
    spill: Option<&Arc<Spill>>,
) -> Result<Apart, DataError> {
    let npz = Npz::read(path)?;
    let x = npz.first_of(&FEATURES)?;
    let there = LABELS.iter().any(|name| npz.names().any(|known| known == *name));
    let labels = if needed || there { Some(npz.first_of(&LABELS)?) } else { None };
    let labels = labels.map(|labels| npz.array(labels)).transpose()?;
    of_arrays(path, npz.features(x, spill)?, labels, task)
}

/// Features and labels of a file each, NPY.
pub(crate) fn read_pair(
    x: &Path,
    y: Option<&Path>,
    task: Task,
    needed: bool,
    spill: Option<&Arc<Spill>>,
) -> Result<Apart, DataError> {
    let features = match spill {
        Some(spill) => {
            let (name, shape, numbers) = spill_npy(x, spill)?;
            Features { name, shape, numbers }
        }
        None => Features::of(read_npy(x)?)?,
    };
    let labels = match y {
        Some(y) => Some(read_npy(y)?),
        None if needed => return Err(npy::fail(&features.name, None, NpyProblem::NoLabels)),
        None => None,
    };
    of_arrays(x, features, labels, task)
}

/// Without labels, the rows are for a model that is to predict them.
fn of_arrays(path: &Path, x: Features, labels: Option<NpyArray>, task: Task) -> Result<Apart, DataError> {
    let Features { name: features_name, shape, numbers } = x;
    let columns = npy::columns(&features_name, &shape)?;
    let (rows, sizes) = (shape[0], &shape[1..]);
    let features = Matrix::new(numbers, columns);
    let feature_names: Vec<String> = match *sizes {
        [height, width] => {
            (0..height).flat_map(|row| (0..width).map(move |column| format!("p{row}_{column}"))).collect()
        }
        _ => (0..columns).map(|column| format!("x{column}")).collect(),
    };
    let image_shape = match *sizes {
        [height, width] => Some([1, height, width]),
        [channels, height, width] => Some([channels, height, width]),
        _ => None,
    };
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let mut set = Dataset {
        name,
        features: Array2::zeros((rows, 0)),
        targets: Targets::Values(Vec::new()),
        feature_names,
        image_shape,
    };
    let Some(y) = labels else { return Ok((set, features)) };
    if y.shape() != [rows] && y.shape() != [rows, 1] {
        let shape = y.shape().to_vec();
        return Err(y.fail(NpyProblem::Labels { shape, rows, features: features_name }));
    }
    set.targets = targets(&y, task)?;
    set.check_targets()?; // a value may not be finite
    Ok((set, features))
}

fn targets(y: &NpyArray, task: Task) -> Result<Targets, DataError> {
    if y.dtype() == NpyType::Text {
        if task == Task::Regression {
            return Err(y.fail(NpyProblem::Text));
        }
        return classes(y, y.array_text()?.into_raw_vec_and_offset().0, |text| text.clone());
    }
    if y.dtype().float_bytes().is_none() && task != Task::Regression {
        return classes(y, y.array_i64()?.into_raw_vec_and_offset().0, i64::to_string);
    }
    let values = y.array_f64()?.into_raw_vec_and_offset().0;
    if task == Task::Regression {
        return Ok(Targets::Values(values));
    }
    // a whole number that i64 holds: beyond 2^53 floats are no names
    let whole = |value: &f64| (value.fract() == 0.0 && value.abs() <= 2f64.powi(53)).then_some(*value as i64);
    match values.iter().map(whole).collect::<Option<Vec<i64>>>() {
        Some(labels) => {
            let distinct = labels.iter().collect::<BTreeSet<_>>().len();
            match task == Task::Classification || (2..=MOST_CLASSES).contains(&distinct) {
                true => classes(y, labels, i64::to_string),
                false => Ok(Targets::Values(values)),
            }
        }
        None if task == Task::Classification => {
            let row = values.iter().position(|value| whole(value).is_none()).unwrap_or_default();
            Err(y.fail(NpyProblem::FractionAsClass { row, value: values[row] }))
        }
        None => Ok(Targets::Values(values)),
    }
}

/// Every label that occurs is a class, in ascending order.
fn classes<T: Ord + Clone>(
    y: &NpyArray,
    labels: Vec<T>,
    name: impl Fn(&T) -> String,
) -> Result<Targets, DataError> {
    let mut classes = labels.clone();
    classes.sort_unstable();
    classes.dedup();
    if let [class] = &classes[..] {
        return Err(y.fail(NpyProblem::OneClass { class: name(class), rows: labels.len() }));
    }
    let numbered = labels.iter().filter_map(|label| classes.binary_search(label).ok()).collect();
    Ok(Targets::Classes { labels: numbered, names: classes.iter().map(name).collect() })
}

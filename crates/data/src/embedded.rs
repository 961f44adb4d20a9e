//! The embedded data sets; `datasets/README.md` lists their sources.

use crate::csv::options::{CsvOptions, Missing};
use crate::csv::table::Table;
use crate::dataset::Dataset;
use crate::encoder::{Encoder, Scaling};
use crate::error::{DataError, ErrorKind};
use crate::images::read_png;
use crate::targets::Targets;
use ndarray::{Array2, Array3};

impl Dataset {
    /// The names that [`Dataset::named`] knows.
    pub const NAMES: [&str; 5] = ["iris", "breast_cancer", "digits", "penguins", "nuclei"];

    /// Fisher's iris flowers: `[150, 4]`, in cm; labels 0 setosa, 1 versicolor, 2 virginica, 50 rows each.
    ///
    /// Two rows differ from the file at UCI, where they stray from Fisher's paper.
    ///
    /// Source: R. A. Fisher (1936), UCI, <https://doi.org/10.24432/C56C76>, CC BY 4.0.
    ///
    /// ```
    /// let iris = surprisal_data::Dataset::iris();
    /// assert_eq!(iris.features.row(0).to_vec(), [5.1, 3.5, 1.4, 0.2]);
    /// ```
    pub fn iris() -> Dataset {
        embedded("iris", include_str!("../datasets/iris.csv"), "species")
    }

    /// The Wisconsin diagnostic breast cancer set: `[569, 30]`; labels 0 malignant (212 rows), 1 benign
    /// (357).
    ///
    /// Ten measures of the cell nuclei in an image, each as mean, standard error and "worst" value; their
    /// sizes range from thousandths to thousands, so [`Standardize`](crate::Standardize) them.
    ///
    /// Source: Wolberg, Mangasarian, Street, Street (1993), UCI, <https://doi.org/10.24432/C5DW2B>, CC BY
    /// 4.0.
    ///
    /// ```
    /// let cancer = surprisal_data::Dataset::breast_cancer();
    /// assert_eq!(cancer.class_names(), ["malignant", "benign"]);
    /// ```
    pub fn breast_cancer() -> Dataset {
        embedded("breast_cancer", include_str!("../datasets/breast_cancer.csv"), "diagnosis")
            .with_class_order(&["malignant", "benign"])
            .expect("these are the classes of the embedded table")
    }

    /// Handwritten digits of 8 x 8 pixels: `[1797, 64]`, row by row, each pixel 0..=16; label = digit.
    ///
    /// Divide by 16 to bring the pixels into 0..=1.
    ///
    /// Source: Alpaydin, Kaynak (1998), the test part, UCI, <https://doi.org/10.24432/C50P49>, CC BY 4.0.
    ///
    /// ```
    /// let mut digits = surprisal_data::Dataset::digits();
    /// digits.features /= 16.0;
    /// assert!(digits.features.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
    /// ```
    pub fn digits() -> Dataset {
        let digits = embedded("digits", include_str!("../datasets/digits.csv"), "digit");
        Dataset { image_shape: Some([1, 8, 8]), ..digits }
    }

    /// The Palmer penguins without missing values: `[333, 10]`; labels 0 Adelie (146 rows), 1 Chinstrap (68),
    /// 2 Gentoo (119).
    ///
    /// Island and sex are columns of 0 and 1. The table itself, with its words and missing values, is
    /// [`Table::penguins`].
    ///
    /// Source: Horst, Hill, Gorman (2020), palmerpenguins, <https://doi.org/10.5281/zenodo.3960218>, CC0.
    ///
    /// ```
    /// let penguins = surprisal_data::Dataset::penguins();
    /// assert_eq!(penguins.feature_names[..3], ["island=Biscoe", "island=Dream", "island=Torgersen"]);
    /// assert_eq!(penguins.class_counts(), [146, 68, 119]);
    /// ```
    pub fn penguins() -> Dataset {
        let options = CsvOptions { missing: Missing::Drop, ..CsvOptions::default() };
        let table = Table::penguins(&options).expect("the embedded tables are sound");
        let encoder = Encoder::fit(&table, Scaling::None).expect("there are rows");
        Dataset {
            name: "penguins".to_owned(),
            features: encoder.apply(&table).expect("the encoder was measured on this table"),
            targets: table.targets().clone(),
            feature_names: encoder.feature_names(),
            image_shape: None,
        }
    }

    /// Nuclei of cells under a fluorescence microscope, for segmentation: 16 images of 64 x 64 pixels from 0 to 255, in whose masks 21 % of
    /// the pixels are nuclei, class 1.
    ///
    /// They are the tiles, in reading order, of one image of 256 x 256 pixels with 125 nuclei. The first eight are its upper half, the last
    /// eight its lower half: with the data source `nuclei` the lower half is the test part, so that no nucleus is cut into both parts.
    /// Divide by 255 to bring the pixels into 0..=1.
    ///
    /// Source: Caicedo et al. (2019), "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl", Nature Methods 16,
    /// 1247-1253; image set BBBC038v1 of the Broad Bioimage Benchmark Collection, CC0; at half the size of the image in StarDist.
    ///
    /// ```
    /// let nuclei = surprisal_data::Dataset::nuclei();
    /// assert_eq!((nuclei.rows(), nuclei.image_shape), (16, Some([1, 64, 64])));
    /// assert_eq!(nuclei.class_names(), ["background", "nucleus"]);
    /// ```
    pub fn nuclei() -> Dataset {
        const SIDE: usize = 256;
        const TILE: usize = 64;
        let read = |bytes, name| read_png(bytes, name).expect("the embedded images are sound");
        let image = read(include_bytes!("../datasets/nuclei.png"), "nuclei.png");
        let mask = read(include_bytes!("../datasets/nuclei_mask.png"), "nuclei_mask.png");
        let across = SIDE / TILE;
        let place = |tile: usize, y: usize, x: usize| [0, tile / across * TILE + y, tile % across * TILE + x];
        let tiles = across * across;
        let pixel = |(tile, at): (usize, usize)| image[place(tile, at / TILE, at % TILE)];
        let class = |(tile, y, x): (usize, usize, usize)| u8::from(mask[place(tile, y, x)] > 0.0);
        let images = Array2::from_shape_fn((tiles, TILE * TILE), pixel);
        let masks = Array3::from_shape_fn((tiles, TILE, TILE), class);
        let names = ["background", "nucleus"].map(str::to_owned).to_vec();
        Dataset::of_square_images("nuclei", images, TILE, Targets::Masks { masks, names })
    }

    /// The embedded data set of this name, one of [`Dataset::NAMES`].
    ///
    /// Errors on any other name, with the known ones and, if one is close, the name that was probably meant.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// assert_eq!(Dataset::named("digits")?.rows(), 1797);
    /// assert!(Dataset::named("irsi").unwrap_err().to_string().ends_with("did you mean \"iris\"?"));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn named(name: &str) -> Result<Dataset, DataError> {
        match name {
            "iris" => Ok(Dataset::iris()),
            "breast_cancer" => Ok(Dataset::breast_cancer()),
            "digits" => Ok(Dataset::digits()),
            "penguins" => Ok(Dataset::penguins()),
            "nuclei" => Ok(Dataset::nuclei()),
            _ => Err(ErrorKind::UnknownDataset { name: name.to_owned() }.into()),
        }
    }
}

impl Table {
    /// The Palmer penguins as they were written down: 344 rows, in 11 of which values are missing; species,
    /// island and sex are words. The target is the species, if the options name no other.
    ///
    /// Source: Horst, Hill, Gorman (2020), palmerpenguins, <https://doi.org/10.5281/zenodo.3960218>, CC0.
    ///
    /// Errors as [`from_csv`](Table::from_csv) does.
    ///
    /// ```
    /// use surprisal_data::{CsvOptions, Table};
    ///
    /// let penguins = Table::penguins(&CsvOptions::default())?;
    /// assert_eq!((penguins.rows(), penguins.columns().len()), (344, 7));
    /// assert_eq!(penguins.targets().class_names(), ["Adelie", "Chinstrap", "Gentoo"]);
    ///
    /// let target = Some("body_mass_g".to_owned());
    /// let weights = Table::penguins(&CsvOptions { target, ..CsvOptions::default() })?;
    /// assert_eq!((weights.targets().values()[0], weights.dropped()), (3750.0, 2));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn penguins(options: &CsvOptions) -> Result<Table, DataError> {
        let target = options.target.clone().or_else(|| Some("species".to_owned()));
        let options = CsvOptions { target, ..options.clone() };
        Table::from_csv(include_str!("../datasets/penguins.csv").as_bytes(), "penguins", &options)
    }
}

/// Reads a table that the tests have read before; it goes through the same reader as everybody's table.
fn embedded(name: &str, text: &str, target_column: &str) -> Dataset {
    Dataset::from_csv(text.as_bytes(), name, target_column).expect("the embedded tables are sound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_known_and_is_the_name_of_its_set() {
        for name in Dataset::NAMES {
            let set = Dataset::named(name).unwrap();
            assert_eq!(set.name, name);
            set.check().unwrap();
        }
    }

    #[test]
    fn class_counts_are_those_of_the_sources() {
        assert_eq!(Dataset::iris().class_counts(), [50, 50, 50]);
        assert_eq!(Dataset::breast_cancer().class_counts(), [212, 357]);
        assert_eq!(Dataset::digits().class_counts(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn digits_are_whole_pixels_from_0_to_16_with_class_k_named_k() {
        let digits = Dataset::digits();
        assert_eq!(digits.features.dim(), (1797, 64));
        assert!(digits.features.iter().all(|&p| p.fract() == 0.0 && (0.0..=16.0).contains(&p)));
        // the ink of the whole set: one pixel read wrongly changes it
        assert_eq!(digits.features.sum(), 561_718.0);
        assert_eq!(digits.class_names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(digits.feature_names[10], "p12", "row 1, column 2");
    }

    #[test]
    fn nuclei_are_tiles_of_one_image_and_brighter_than_what_is_between_them() {
        let nuclei = Dataset::nuclei();
        assert!(nuclei.features.iter().all(|&p| p.fract() == 0.0 && (0.0..=255.0).contains(&p)));
        assert_eq!((nuclei.features.sum(), nuclei.class_counts()), (2_091_027.0, vec![51_917, 13_619]));
        let masks = nuclei.targets.masks();
        let mean = |class: u8| {
            let pixels = nuclei.features.iter().zip(masks).filter(|(_, found)| **found == class);
            pixels.clone().map(|(pixel, _)| pixel).sum::<f64>() / pixels.count() as f64
        };
        assert!(mean(1) > 2.5 * mean(0), "{} and {}", mean(1), mean(0));
        // tiles beside each other go on where the other ends: as far apart as neighboring columns within one
        let column = |tile: usize, x: usize| (0..64).map(move |y| (tile, y * 64 + x));
        let apart = |left: [usize; 2], right: [usize; 2]| -> f64 {
            let pairs = column(left[0], left[1]).zip(column(right[0], right[1]));
            pairs.map(|(a, b)| (nuclei.features[a] - nuclei.features[b]).abs()).sum()
        };
        assert!(apart([0, 63], [1, 0]) < 2.0 * apart([0, 62], [0, 63]));
    }

    #[test]
    fn iris_rows_35_and_38_are_fishers_not_those_of_uci() {
        let iris = Dataset::iris();
        assert_eq!(iris.features.row(34).to_vec(), [4.9, 3.1, 1.5, 0.2]);
        assert_eq!(iris.features.row(37).to_vec(), [4.9, 3.6, 1.4, 0.1]);
    }
}

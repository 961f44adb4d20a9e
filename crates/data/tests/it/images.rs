//! Folders of images, which each test writes itself.

use crate::made_files::{Folder, png};
use png::{BitDepth, ColorType};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use surprisal_data::{
    CsvOptions, DataSource, Dataset, ErrorKind, Scaling, Targets, Task, image_paths, mask_to_png,
};

const GRAY: ColorType = ColorType::Grayscale;
const EIGHT: BitDepth = BitDepth::Eight;

/// Two classes of images of 2 rows and 3 columns, of this color type; pixels count from 0 on.
fn of_color(test: &str, color: ColorType, bits: BitDepth, bytes: &[u8]) -> Folder {
    Folder::new(test)
        .with("b/1.png", &png([3, 2], color, bits, bytes))
        .with("a/2.png", &png([3, 2], color, bits, bytes))
}

#[test]
fn classes_are_folders_and_images_are_in_the_order_of_their_names() {
    let image = |first: u8| png([3, 2], GRAY, EIGHT, &Vec::from_iter(first..first + 6));
    let folder = Folder::new("image-classes")
        .with("dog/2.png", &image(20))
        .with("cat/b.PNG", &image(10))
        .with("cat/a.png", &image(0))
        .with("cat/.hidden", b"ignored")
        .with("README.md", b"ignored");
    let set = Dataset::from_image_folder(folder.path()).unwrap();
    set.check().unwrap();
    assert_eq!(set.image_shape, Some([1, 2, 3]));
    assert_eq!(
        (set.class_names().to_vec(), set.labels()),
        (vec!["cat".into(), "dog".into()], &[0, 0, 1][..])
    );
    assert_eq!(set.features.row(1).to_vec(), [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
    assert_eq!(set.feature_names[5], "p1_2");

    let source: DataSource = format!("images:{}", folder.path().display()).parse().unwrap();
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let loaded = source.open(&CsvOptions::default(), rng).unwrap();
    assert_eq!(loaded.image_shape(), Some([1, 2, 3]));
    let encoder = loaded.prepare(&[0, 1], None).unwrap();
    assert_eq!(loaded.dataset(&[2], &encoder).unwrap().features[[0, 5]], 25.0 / 255.0);
    assert_eq!(
        source.files().iter().filter(|path| path.extension().is_some_and(|end| end != "md")).count(),
        3
    );
    // without classes, for predictions
    let unlabeled: DataSource = format!("images:{}", folder.path().join("dog").display()).parse().unwrap();
    let rows = unlabeled.open_arrays(Task::Classification, false, rng).unwrap();
    assert_eq!((rows.rows(), rows.targets().len(), rows.image_shape()), (1, 0, Some([1, 2, 3])));
}

#[test]
fn every_color_type_becomes_channels_from_0_to_255() {
    let read = |test: &str, color, bits, bytes: &[u8]| {
        let set = Dataset::from_image_folder(of_color(test, color, bits, bytes).path()).unwrap();
        (set.image_shape.unwrap(), set.features.row(0).to_vec())
    };
    let rgb = Vec::from_iter(0..18);
    let by_channel =
        [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 1.0, 4.0, 7.0, 10.0, 13.0, 16.0, 2.0, 5.0, 8.0, 11.0, 14.0, 17.0];
    assert_eq!(read("rgb", ColorType::Rgb, EIGHT, &rgb), ([3, 2, 3], by_channel.to_vec()));
    let rgba = Vec::from_iter(rgb.chunks(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 99]));
    assert_eq!(read("rgba", ColorType::Rgba, EIGHT, &rgba), ([3, 2, 3], by_channel.to_vec()));
    let gray_alpha = [1, 99, 2, 99, 3, 99, 4, 99, 5, 99, 6, 99];
    let expected = ([1, 2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(read("gray-alpha", ColorType::GrayscaleAlpha, EIGHT, &gray_alpha), expected);
    // 16 bits: 65535 is 255; 1 bit: 1 is 255
    let wide = [0xff, 0xff, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1];
    let expected = ([1, 2, 3], vec![255.0, 0.0, 1.0, 0.0, 0.0, 1.0 / 257.0]);
    assert_eq!(read("gray-16", GRAY, BitDepth::Sixteen, &wide), expected);
    let bits = [0b1010_0000, 0b0110_0000];
    let expected = ([1, 2, 3], vec![255.0, 0.0, 255.0, 0.0, 255.0, 255.0]);
    assert_eq!(read("gray-1", GRAY, BitDepth::One, &bits), expected);
    // the palette of `png`: index k is the color (k, 100 + k, 200 + k)
    let (shape, numbers) = read("palette", ColorType::Indexed, EIGHT, &[0, 1, 2, 3, 4, 5]);
    assert_eq!((shape, &numbers[4..8]), ([3, 2, 3], &[4.0, 5.0, 100.0, 101.0][..]));
}

#[test]
fn masks_are_class_indices_of_the_pixels_of_their_images() {
    let image = |color: u8| png([3, 2], ColorType::Rgb, EIGHT, &[color; 18]);
    let folder = Folder::new("masks")
        .with("images/b.png", &image(1))
        .with("images/a.png", &image(0))
        .with("masks/a.png", &png([3, 2], GRAY, EIGHT, &[0, 1, 255, 0, 0, 1]))
        .with("masks/b.png", &png([3, 2], GRAY, BitDepth::One, &[0b1000_0000, 0b0010_0000]));
    let set = Dataset::from_image_masks(folder.path()).unwrap();
    set.check().unwrap();
    assert_eq!((set.rows(), set.image_shape, set.class_names().len()), (2, Some([3, 2, 3]), 2));
    assert_eq!(set.targets.masks().as_slice().unwrap(), [0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1]);
    assert_eq!(set.class_counts(), [7, 5]);
    let second = set.select(&[1]);
    assert_eq!((second.features[[0, 0]], second.targets.masks().sum()), (1.0, 2));

    // as a source: segmentation without being told, and the names of the images in the order of the rows
    let source: DataSource = format!("images:{}", folder.path().display()).parse().unwrap();
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let loaded = source.open(&CsvOptions::default(), rng).unwrap();
    assert!(loaded.targets().is_segmentation());
    assert_eq!(loaded.split(&[0.5, 0.5], rng).unwrap().len(), 2);
    let classes = CsvOptions { task: Task::Classification, ..CsvOptions::default() };
    assert!(source.open(&classes, rng).is_err()); // as two classes of images, which differ in their channels
    let names = image_paths(folder.path()).unwrap();
    assert!(names[0].ends_with("images/a.png") && names[1].ends_with("images/b.png"));

    // a mask that is written is read again
    let mask = set.targets.masks().index_axis(ndarray::Axis(0), 0);
    let folder = folder.with("masks/a.png", &mask_to_png(mask, 2));
    assert_eq!(Dataset::from_image_masks(folder.path()).unwrap(), set);
    // images to be predicted have none
    std::fs::remove_dir_all(folder.path().join("masks")).unwrap();
    for source in [source, format!("images:{}", folder.path().join("images").display()).parse().unwrap()] {
        let rows = source.open_arrays(Task::Segmentation, false, rng).unwrap();
        assert_eq!((rows.rows(), rows.targets()), (2, &Targets::Values(Vec::new())));
    }

    let palette = png([3, 2], ColorType::Indexed, BitDepth::Four, &[0x01, 0x20, 0x34, 0x50]);
    let folder = Folder::new("masks-of-six")
        .with("images/a.png", &image(1))
        .with("masks/a.png", &palette)
        .with("classes.txt", b"none\none\n two \r\n\nthree\nfour\nfive");
    let set = Dataset::from_image_masks(folder.path()).unwrap();
    assert_eq!(set.targets.masks().as_slice().unwrap()[..6], [0, 1, 2, 3, 4, 5]);
    assert_eq!(set.class_names(), ["none", "one", "two", "three", "four", "five"]);
}

#[test]
fn channels_are_standardized_by_the_training_rows() {
    let image = |r: u8, g: u8| png([1, 1], ColorType::Rgb, EIGHT, &[r, g, 7]);
    let folder = Folder::new("channels")
        .with("a/1.png", &image(10, 100))
        .with("b/1.png", &image(30, 140))
        .with("b/2.png", &image(200, 200));
    let source: DataSource = format!("images:{}", folder.path().display()).parse().unwrap();
    let loaded = source.open(&CsvOptions::default(), &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
    let encoder = loaded.prepare(&[0, 1], Some(Scaling::Channels)).unwrap(); // means 20, 120, 7; deviations 10, 20, 0
    let encoded = loaded.dataset(&[0, 2], &encoder).unwrap().features;
    assert_eq!(encoded, ndarray::array![[-1.0, -1.0, 0.0], [18.0, 4.0, 0.0]]);
    assert_eq!("channels".parse(), Ok(Scaling::Channels));
}

#[test]
fn a_damaged_image_is_an_error_wherever_it_is_cut_or_changed() {
    let whole = png([3, 2], GRAY, EIGHT, &[0, 1, 2, 3, 4, 5]);
    let folder = of_color("cut-image", GRAY, EIGHT, &[0; 6]);
    let path = folder.path().join("a/2.png");
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let error = Dataset::from_image_folder(folder.path()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Image(error) if path == *error.path), "{end}: {error}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        std::fs::write(&path, changed).unwrap();
        // a change that no checksum covers may be harmless; none panics
        let _ = Dataset::from_image_folder(folder.path());
    }
}

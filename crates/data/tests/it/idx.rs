//! Files in the IDX format, made small, and MNIST itself where it is at hand.

use crate::made_files::{Folder, gzip, idx};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::io::Read;
use surprisal_data::{CsvOptions, DataSource, Dataset, Idx, read_idx};

#[test]
fn what_was_written_is_read_plain_and_packed() {
    let values: Vec<u8> = (0..=255).cycle().take(3 * 256 * 5).collect();
    for (dims, count) in
        [(vec![3, 256, 5], 3840), (vec![1], 1), (vec![2, 1, 3, 1, 7], 42), (vec![0], 0), (vec![4, 0, 4], 0)]
    {
        let file = idx(&dims, &values[..count]);
        let expected =
            Idx { dims: dims.iter().map(|&size| size as usize).collect(), values: values[..count].to_vec() };
        assert_eq!(read_idx(&file[..], "plain").unwrap(), expected);
        assert_eq!(read_idx(&gzip(&file)[..], "packed").unwrap(), expected);
    }
}

#[test]
fn readers_that_deliver_one_byte_at_a_time_are_read_alike() {
    struct Trickle<'a>(&'a [u8]);
    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let one = into.len().min(1);
            self.0.read(&mut into[..one])
        }
    }
    let file = idx(&[2, 2], &[1, 2, 3, 4]);
    let whole = read_idx(&file[..], "whole").unwrap();
    assert_eq!(read_idx(Trickle(&file), "plain").unwrap(), whole);
    assert_eq!(read_idx(Trickle(&gzip(&file)), "packed").unwrap(), whole);
}

#[test]
fn gzip_of_several_members_is_one_content() {
    let file = idx(&[4], &[1, 2, 3, 4]);
    let packed = [gzip(&file[..5]), gzip(&file[5..])].concat();
    assert_eq!(read_idx(&packed[..], "packed").unwrap().values, [1, 2, 3, 4]);
}

#[test]
fn opened_at_once_the_rows_for_testing_stand_last() {
    let folder = Folder::mnist("opened");
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let loaded = DataSource::Mnist(folder.path().clone()).open(&CsvOptions::default(), rng).unwrap();
    assert_eq!((loaded.rows(), loaded.given_test()), (5, Some(3..5)));
    let encoder = loaded.prepare(&[0, 1, 2], None).unwrap();
    let (train, test) = Dataset::mnist(folder.path()).unwrap();
    for (rows, part) in [(&[0, 1, 2][..], train), (&[3, 4], test)] {
        let opened = loaded.dataset(rows, &encoder).unwrap();
        assert_eq!(opened.features, &part.features / 255.0);
        assert_eq!(opened.labels(), part.labels());
    }
}

#[test]
fn four_files_are_two_data_sets() {
    let folder = Folder::mnist("four-files");
    let (train, test) = Dataset::mnist(folder.path()).unwrap();
    for part in [&train, &test] {
        part.check().unwrap();
        assert_eq!(part.name, "mnist");
        assert_eq!(part.class_names(), ["0", "1", "2"]);
        assert_eq!(part.feature_names, ["p0_0", "p0_1", "p0_2", "p1_0", "p1_1", "p1_2"]);
    }
    assert_eq!(train.features.row(2).to_vec(), [12.0, 13.0, 14.0, 15.0, 16.0, 17.0]);
    assert_eq!(train.labels(), [1, 0, 2]);
    assert_eq!(test.features.dim(), (2, 6));
    assert_eq!(test.labels(), [2, 1]);
}

#[test]
fn files_may_be_packed_or_not_and_have_a_dot_or_not_whatever_they_are_called() {
    let expected = Dataset::mnist(Folder::mnist("names-0").path()).unwrap();
    let labels = idx(&[3], &[1, 0, 2]);
    for (number, (name, content)) in [
        ("train-labels-idx1-ubyte.gz", gzip(&labels)),
        ("train-labels.idx1-ubyte", labels.clone()),
        ("train-labels.idx1-ubyte.gz", gzip(&labels)),
        ("train-labels-idx1-ubyte", gzip(&labels)),
        ("train-labels-idx1-ubyte.gz", labels.clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = Folder::mnist(&format!("names-{}", number + 1)).without("train-labels-idx1-ubyte");
        let folder = folder.with(name, &content);
        assert_eq!(Dataset::mnist(folder.path()).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_folder_of_the_name_of_a_file_is_passed_over() {
    let folder = Folder::mnist("folder-in-folder").without("t10k-labels-idx1-ubyte");
    std::fs::create_dir(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let folder = folder.with("t10k-labels.idx1-ubyte", &idx(&[2], &[2, 1]));
    assert_eq!(Dataset::mnist(folder.path()).unwrap().1.labels(), [2, 1]);
}

#[test]
fn there_are_as_many_classes_as_the_largest_label_of_either_part_asks_for_and_two_at_least() {
    let classes = |test: &str, train: [u8; 3], t10k: [u8; 2]| {
        let folder = Folder::mnist(test)
            .with("train-labels-idx1-ubyte", &idx(&[3], &train))
            .with("t10k-labels-idx1-ubyte", &idx(&[2], &t10k));
        let (train, test) = Dataset::mnist(folder.path()).unwrap();
        assert_eq!(train.class_names(), test.class_names());
        train.classes()
    };
    assert_eq!(classes("classes-of-train", [0, 9, 4], [0, 1]), 10);
    assert_eq!(classes("classes-of-test", [0, 1, 1], [0, 255]), 256);
    assert_eq!(classes("one-class", [0, 0, 0], [0, 0]), 2);
}

#[test]
fn mnist_itself() {
    let Some(folder) = std::env::var_os("SURPRISAL_MNIST") else {
        println!("skipped: SURPRISAL_MNIST does not name a folder with the four files of MNIST");
        return;
    };
    let (train, test) = Dataset::mnist(folder).unwrap();
    assert_eq!(train.features.dim(), (60_000, 784));
    assert_eq!(test.features.dim(), (10_000, 784));
    assert_eq!(train.class_counts(), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(test.class_counts(), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(train.labels()[..5], [5, 0, 4, 1, 9]);
    assert_eq!(test.labels()[..5], [7, 2, 1, 0, 4]);
    assert_eq!(train.class_names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    for part in [&train, &test] {
        assert!(part.features.iter().all(|&p| p.fract() == 0.0 && (0.0..=255.0).contains(&p)));
    }
    // the mean and deviation that so many programs normalize MNIST by
    let (mean, deviation) = (train.features.mean().unwrap() / 255.0, train.features.std(0.0) / 255.0);
    assert!((mean - 0.1307).abs() < 5e-5 && (deviation - 0.3081).abs() < 5e-5, "{mean}, {deviation}");

    let clutter = train.clutter(500, 64, 0).unwrap(); // as mnist-clutter:DIR has them
    let counts = clutter.class_counts();
    assert_eq!((counts.len(), clutter.image_shape), (11, Some([1, 64, 64])));
    let foreground = 1.0 - counts[0] as f64 / counts.iter().sum::<usize>() as f64;
    assert!((0.02..0.03).contains(&foreground), "{foreground}");
}

//! Small files made for a test, in a folder that goes away with it.

use flate2::Compression;
use flate2::write::GzEncoder;
use png::{BitDepth, ColorType};
use std::io::Write;
use std::path::PathBuf;

/// An IDX file of unsigned bytes.
pub fn idx(dims: &[u32], values: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    file.extend(dims.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(values);
    file
}

/// A PNG file of `[width, height]` from the samples of its rows; index k of the palette is the color (k, 100 + k, 200 + k).
pub fn png([width, height]: [u32; 2], color: ColorType, bits: BitDepth, samples: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(bits);
    if color == ColorType::Indexed {
        encoder.set_palette(Vec::from_iter((0..6).flat_map(|k| [k, 100 + k, 200 + k])));
    }
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    file
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

/// A folder of its own for each test.
pub struct Folder(PathBuf);

impl Folder {
    /// `test` tells the folders of tests that run at the same time apart.
    pub fn new(test: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("surprisal-data-{}-{test}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// A folder with four files of the names and the form of MNIST: 3 images to train on, 2 to test on, of 2
    /// rows and 3 columns, whose pixels count from 0 on; labels 1, 0, 2 and 2, 1.
    pub fn mnist(test: &str) -> Folder {
        let pixels: Vec<u8> = (0..18).collect();
        Folder::new(test)
            .with("train-images-idx3-ubyte", &idx(&[3, 2, 3], &pixels))
            .with("train-labels-idx1-ubyte", &idx(&[3], &[1, 0, 2]))
            .with("t10k-images-idx3-ubyte", &idx(&[2, 2, 3], &pixels[..12]))
            .with("t10k-labels-idx1-ubyte", &idx(&[2], &[2, 1]))
    }

    pub fn with(self, name: &str, content: &[u8]) -> Folder {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn without(self, name: &str) -> Folder {
        std::fs::remove_file(self.0.join(name)).unwrap();
        self
    }

    pub fn path(&self) -> &PathBuf {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // a test that fails has more to say
    }
}

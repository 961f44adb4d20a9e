//! Heat maps: the numbers of a node as colors; of images and kernels, a picture of each channel.

use surprisal_report::text::number;

use crate::Node;

/// The most cells of a map of rows and columns; more are averaged in groups.
const CELLS: [usize; 2] = [8, 24];
/// The most cells of a picture.
const PIXELS: [usize; 2] = [32, 32];
/// The most pictures in a row and the width above which a picture is wide: of those there are half as many.
const ACROSS: usize = 8;
const WIDE: usize = 12;
/// The widest picture, and the widest cell.
const LARGEST: f64 = 84.0;
const CELL: f64 = 10.0;
/// The number of shades on either side of 0, and of those from the smallest number to the largest.
const SHADES: i32 = 6;
const GRAYS: i32 = 10;

/// The channels of an image, or the kernels of a convolution.
pub(crate) struct Pictures {
    what: &'static str,
    /// The number of images, of which the first is drawn.
    images: usize,
    count: usize,
    size: [usize; 2],
}

impl Pictures {
    /// The channels of `[N, C, H, W]`; of a parameter `[.., K]` or `[.., K, K]` of a convolution, the kernels.
    pub(crate) fn of(node: &Node) -> Option<Pictures> {
        let (what, images, count, size) = match (node.shape.dims(), node.is_parameter) {
            (&[a, b, h, w], true) => ("kernels", 1, a * b, [h, w]),
            (&[a, b, w], true) => ("kernels", 1, a * b, [1, w]),
            (&[n, c, h, w], false) => ("channels", n, c, [h, w]),
            _ => return None,
        };
        (size[0] * size[1] > 1 && images * count > 0).then_some(Pictures { what, images, count, size })
    }

    fn across(&self) -> usize {
        if self.size[1] > WIDE { ACROSS / 2 } else { ACROSS }
    }

    fn shown(&self) -> usize {
        self.count.min(2 * self.across())
    }

    /// What is left out.
    pub(crate) fn notes(&self) -> Vec<String> {
        let Pictures { what, images, count, .. } = *self;
        let shown = self.shown();
        let image = (images > 1).then(|| format!("image 0 of {images}"));
        image.into_iter().chain((shown < count).then(|| format!("{shown} of {count} {what}"))).collect()
    }
}

/// Pictures of cells, each with a shade.
pub(crate) struct HeatMap {
    /// Its class in the drawing: `value` or `gradient`.
    pub(crate) class: &'static str,
    pub(crate) caption: String,
    /// Whether shades go from the smallest number to the largest, and not to both sides of 0.
    is_gray: bool,
    /// Whether cells are squares.
    is_square: bool,
    size: [usize; 2],
    across: usize,
    pictures: Vec<Vec<i32>>,
}

impl HeatMap {
    /// The numbers in rows of `columns`.
    pub(crate) fn new(class: &'static str, caption: String, numbers: &[f64], columns: usize) -> HeatMap {
        let size = [numbers.len() / columns.max(1), columns.max(1)];
        HeatMap::shaded(class, caption, &[numbers], size, CELLS, false)
    }

    /// The numbers of the first pictures of a node.
    pub(crate) fn pictures(
        class: &'static str,
        caption: String,
        numbers: &[f64],
        pictures: &Pictures,
        is_gray: bool,
    ) -> HeatMap {
        let Pictures { size, .. } = *pictures;
        let each: Vec<&[f64]> = numbers.chunks(size[0] * size[1]).take(pictures.shown()).collect();
        let map = HeatMap::shaded(class, caption, &each, size, PIXELS, is_gray);
        HeatMap { is_square: true, across: pictures.across().min(each.len()), ..map }
    }

    /// Averages cells in groups if there are too many, and shades them: darkest where they are largest.
    fn shaded(
        class: &'static str,
        caption: String,
        pictures: &[&[f64]],
        [rows, columns]: [usize; 2],
        most: [usize; 2],
        is_gray: bool,
    ) -> HeatMap {
        let size @ [down, across] = [rows.min(most[0]), columns.min(most[1])];
        let range = |cell: usize, of: usize, count: usize| cell * count / of..(cell + 1) * count / of;
        let mean = |numbers: &[f64], cell: usize| {
            let inside = range(cell / across, down, rows).flat_map(|row| {
                range(cell % across, across, columns).map(move |column| numbers[row * columns + column])
            });
            let (sum, count) = inside.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
            sum / count
        };
        let means: Vec<Vec<f64>> = pictures
            .iter()
            .map(|numbers| (0..down * across).map(|cell| mean(numbers, cell)).collect())
            .collect();
        let finite = || means.iter().flatten().copied().filter(|x| x.is_finite());
        let (least, most) =
            (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let (zero, range, shades) = match is_gray {
            true => (least, most - least, GRAYS),
            false => (0.0, least.abs().max(most.abs()), SHADES),
        };
        let shade = |&x: &f64| match range > 0.0 && x.is_finite() {
            true => ((x - zero) / range * f64::from(shades)).round() as i32,
            false => 0,
        };
        let pictures = means.iter().map(|means| means.iter().map(shade).collect()).collect();
        HeatMap { class, caption, is_gray, is_square: false, size, across: 1, pictures }
    }

    /// The cells down and across, with one between pictures.
    fn grid(&self) -> [usize; 2] {
        let down = self.pictures.len().div_ceil(self.across);
        [down * (self.size[0] + 1) - 1, self.across * (self.size[1] + 1) - 1]
    }

    /// The width and the height of a cell in `room`.
    fn cell(&self, room: f64) -> (f64, f64) {
        let wide = (room / self.grid()[1] as f64).min(CELL);
        match self.is_square {
            true => {
                let side = wide.min(LARGEST / self.size[0].max(self.size[1]) as f64);
                (side, side)
            }
            false => (wide, wide.max(5.0)),
        }
    }

    /// The height in `room`.
    pub(crate) fn height(&self, room: f64) -> f64 {
        self.cell(room).1 * self.grid()[0] as f64
    }

    /// Draws it as one path for each shade, in units of cells.
    pub(crate) fn draw(&self, left: f64, top: f64, room: f64) -> String {
        let [rows, columns] = self.size;
        let (wide, high) = self.cell(room);
        let corner =
            |picture: usize| (picture % self.across * (columns + 1), picture / self.across * (rows + 1));
        let frames: String = (0..self.pictures.len())
            .map(corner)
            .map(|(x, y)| format!("M{x} {y}h{columns}v{rows}h-{columns}z"))
            .collect();
        let shades = if self.is_gray { GRAYS } else { SHADES };
        let mut paths = vec![String::new(); 2 * shades as usize + 1];
        for (picture, cells) in self.pictures.iter().enumerate() {
            let (x, y) = corner(picture);
            for (row, cells) in cells.chunks(columns).enumerate() {
                let mut column = 0;
                for run in cells.chunk_by(|a, b| a == b) {
                    let n = run.len();
                    paths[(run[0] + shades) as usize] += &format!("M{} {}h{n}v1h-{n}z", x + column, y + row);
                    column += n;
                }
            }
        }
        let mut out = format!(
            "<g class=\"map {}\" transform=\"translate({} {}) scale({wide:.4} {high:.4})\"><path class=\"frame\" d=\"{frames}\"/>",
            self.class,
            number(left),
            number(top),
        );
        for (path, shade) in
            paths.iter().zip(-shades..).filter(|(path, shade)| *shade != 0 && !path.is_empty())
        {
            let color = match shade {
                _ if self.is_gray => "gray",
                ..0 => "minus",
                _ => "plus",
            };
            let opacity = number(f64::from(shade.abs()) / f64::from(shades));
            out += &format!("<path class=\"{color}\" fill-opacity=\"{opacity}\" d=\"{path}\"/>");
        }
        out + "</g>"
    }
}

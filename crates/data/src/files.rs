//! Files are opened here: what they are, and how large, is known before they are read.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest file that is read, and the most that one may unpack to: as numbers it would take several times as much memory.
pub(crate) const MOST_BYTES: u64 = 16 << 30;

/// Opens a regular file, through links; returns its length too.
///
/// Errors if it cannot be opened, if it is a folder, a device, a pipe or a socket, and if it is larger than 16 GiB.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    // asked before it is opened: opening a pipe would wait for somebody who writes
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a device, a pipe or a socket, not a file",
        ));
    }
    let length = metadata.len();
    if length > MOST_BYTES {
        let message = format!("it has {length} bytes: the maximum is {MOST_BYTES} bytes (16 GiB)");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok((File::open(path)?, length))
}

/// The bytes of a regular file.
///
/// ```
/// let error = surprisal_data::read_file("no/such/file").unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
/// ```
///
/// # Errors
/// If it cannot be read, is a folder, a device, a pipe or a socket, or larger than 16 GiB; and if it begins with 4096 zeros, as a
/// file does that was made and never written. The rest is then not read.
pub fn read_file(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    const START: usize = 4096;
    let (mut file, _) = open_regular(path.as_ref())?;
    let mut bytes = Vec::new();
    file.by_ref().take(START as u64).read_to_end(&mut bytes)?;
    if bytes.len() == START && bytes.iter().all(|&byte| byte == 0) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("its first {START} bytes are 0")));
    }
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file on its way in, unpacked if it is packed with gzip, which its first bytes tell.
///
/// Errors while it is read, before more than the first 64 KiB are, if a byte in them is 0, which no text holds.
pub(crate) fn open_text(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let (mut file, _) = open_regular(path)?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    let packed = start == [0x1f, 0x8b];
    let whole = io::Cursor::new(start).chain(file);
    if packed {
        return Ok(Box::new(Checked { inside: MultiGzDecoder::new(whole), read: 0 }));
    }
    Ok(Box::new(Checked { inside: whole, read: 0 }))
}

/// Text that is looked at as it comes in.
struct Checked<R> {
    inside: R,
    read: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const LOOKED_AT: u64 = 1 << 16;
        let count = self.inside.read(buffer)?;
        if self.read < LOOKED_AT
            && let Some(at) = buffer[..count].iter().position(|&byte| byte == 0)
        {
            let message = format!("byte {} is 0, so it is not a text file", self.read + at as u64);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.read += count as u64;
        if self.read > MOST_BYTES {
            let message = format!("it unpacks to more than {MOST_BYTES} bytes (16 GiB)");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(count)
    }
}

/// The delimiter of a table, from its text: the one of comma, semicolon, tab and `|` that occurs equally often in
/// each of the first lines. `None` if none does, or more than one.
pub(crate) fn delimiter(text: &str) -> Option<u8> {
    const LINES: usize = 100;
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(LINES);
    let first = lines().next()?;
    let count = |line: &str, sign: char| {
        // what stands in quotes separates nothing
        line.split('"').step_by(2).map(|part| part.matches(sign).count()).sum::<usize>()
    };
    let even = |&sign: &char| {
        let expected = count(first, sign);
        expected > 0 && lines().all(|line| count(line, sign) == expected)
    };
    let mut found = [',', ';', '\t', '|'].into_iter().filter(even);
    match (found.next(), found.next()) {
        (Some(sign), None) => Some(sign as u8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    struct Temporary(PathBuf);
    impl Temporary {
        fn new(name: &str) -> Temporary {
            let path = std::env::temp_dir().join(format!("surprisal-files-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Temporary(path)
        }
    }
    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_separator_is_taken_only_if_no_other_is_possible() {
        for (text, expected) in [
            ("a,b,c\n1,2,3\n", Some(b',')),
            ("a;b\n1,5;2,5\n\n3,1;4\n", Some(b';')),
            ("a\tb\n1\t2", Some(b'\t')),
            ("a|b\n1|2", Some(b'|')),
            ("\"a;b\",c\n1,2\n", Some(b',')),
            ("1,5;2,5\n3,5;4,5\n", None), // commas between columns, or in numbers
            ("a,b\n1,2,3\n", None),
            ("a b\n1 2\n", None),
            ("a\n1\n", None),
            ("", None),
        ] {
            assert_eq!(delimiter(text), expected, "{text:?}");
        }
    }

    #[test]
    fn only_regular_files_are_opened_and_zeros_are_no_text() {
        let folder = Temporary::new("kinds");
        let text = |path: &Path| {
            let mut text = String::new();
            open_text(path)
                .and_then(|mut file| file.read_to_string(&mut text))
                .map(|_| text)
                .map_err(|error| error.to_string())
        };
        let mut told = vec![text(&folder.0).unwrap_err()];
        let sparse = folder.0.join("sparse.csv");
        fs::File::create(&sparse).unwrap().set_len(1 << 30).unwrap();
        told.push(text(&sparse).unwrap_err());
        fs::File::create(&sparse).unwrap().set_len(100 << 30).unwrap();
        told.push(text(&sparse).unwrap_err());
        expect_test::expect![[r#"
            it is a folder
            byte 0 is 0, so it is not a text file
            it has 107374182400 bytes: the maximum is 17179869184 bytes (16 GiB)"#]]
        .assert_eq(&told.join("\n"));
        #[cfg(unix)]
        {
            let link = folder.0.join("link.csv");
            std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
            expect_test::expect!["it is a device, a pipe or a socket, not a file"]
                .assert_eq(&text(&link).unwrap_err());
        }
    }

    #[test]
    fn what_is_packed_is_unpacked_whatever_it_is_called() {
        use std::io::Write;
        let folder = Temporary::new("packed");
        let path = folder.0.join("a.csv");
        let mut packed =
            flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::default());
        packed.write_all(b"x,y\n1,2\n").unwrap();
        packed.finish().unwrap();
        let mut text = String::new();
        open_text(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "x,y\n1,2\n");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        open_text(&path).unwrap().read_to_string(&mut text).unwrap_err();
    }
}

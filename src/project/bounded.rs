//! Reading a file of a project: it may be missing, too large, or a pipe that would be read for ever.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

/// Why a file that is there is not read.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is a directory, a pipe or a device.
    NotAFile,
    /// It has more bytes than were wanted.
    TooLarge,
    /// The system's reason.
    Failed(io::Error),
}

/// The bytes of a file that has at most so many; `None` when there is none. A link that leads nowhere counts as none.
pub(super) fn read(file: &Path, most: u64) -> Result<Option<Vec<u8>>, Refused> {
    let read = || -> Result<Vec<u8>, Refused> {
        let found = fs::metadata(file)?;
        if !found.is_file() {
            return Err(Refused::NotAFile);
        }
        let mut bytes = Vec::new();
        if found.len() <= most {
            // It may grow meanwhile.
            File::open(file)?.take(most + 1).read_to_end(&mut bytes)?;
        }
        let is_too_large = found.len() > most || bytes.len() as u64 > most;
        if is_too_large { Err(Refused::TooLarge) } else { Ok(bytes) }
    };
    match read() {
        Err(Refused::Failed(error))
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        read => read.map(Some),
    }
}

// === impl Refused ===

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        assert!(matches!(read(&file, 4), Ok(None)));
        assert!(matches!(read(&file.join("below"), 4), Ok(None)));
        fs::write(&file, "four").expect("written");
        assert_eq!(read(&file, 4).expect("readable").as_deref(), Some(&b"four"[..]));
        assert!(matches!(read(&file.join("below"), 4), Ok(None)));
        assert!(matches!(read(&file, 3), Err(Refused::TooLarge)));
        assert!(matches!(read(dir.path(), 4), Err(Refused::NotAFile)));
    }
}

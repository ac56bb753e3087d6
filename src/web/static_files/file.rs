//! [`OpenFile`]: a file below a directory. Everything here blocks, so it runs on the executor.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// A regular file that is open.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
}

impl OpenFile {
    /// Finds and opens a file below `root`. Returns `None` if the path leads elsewhere, or to something that is not a
    /// file.
    ///
    /// # Errors
    /// If the system fails, for example since no descriptor is left.
    pub(super) fn find(root: &Path, path: &str) -> io::Result<Option<Self>> {
        let Some(inside) = below_root(path) else { return Ok(None) };
        match Self::open(root, &inside) {
            Err(error) if is_absence(&error) => Ok(None),
            found => found,
        }
    }

    fn open(root: &Path, inside: &Path) -> io::Result<Option<Self>> {
        let root = root.canonicalize()?;
        // Symbolic links are followed, as long as they stay below the root.
        let path = root.join(inside).canonicalize()?;
        if !path.starts_with(&root) || !path.metadata()?.is_file() {
            return Ok(None);
        }
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then_some(Self { path, file, metadata }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> u64 {
        self.metadata.len()
    }

    /// Returns the time of the last change, if the system knows it.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.metadata.modified().ok()
    }

    /// Returns a tag that changes with the file, made from its length and the time of its last change.
    pub(super) fn etag(&self) -> String {
        let modified = self.modified().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        format!("\"{:x}-{:x}\"", modified.unwrap_or_default().as_nanos(), self.len())
    }

    /// Reads up to `max` bytes, beginning at `at`.
    ///
    /// # Errors
    /// The error of the system; [`ErrorKind::UnexpectedEof`] if the file has become shorter.
    pub(super) fn read_at(&self, at: u64, max: usize) -> io::Result<Bytes> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        let mut buffer = vec![0; max];
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        buffer.truncate(n);
        Ok(buffer.into())
    }
}

/// Returns the path without `.` and `..`; `None` if it leads out of the root or is not one of a file.
///
/// `..` removes the part before it, which need not exist, as Tornado and browsers do it.
fn below_root(path: &str) -> Option<PathBuf> {
    if path.contains('\0') || path.ends_with('/') {
        return None;
    }
    let mut inside = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir if inside.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

/// Returns whether the error means that there is no such file, or none that this process may read.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::PermissionDenied
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidFilename
    ) || is_loop(error)
}

/// Returns whether the error means that symbolic links form a cycle.
#[cfg(unix)]
fn is_loop(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

#[cfg(not(unix))]
fn is_loop(_: &io::Error) -> bool {
    false
}

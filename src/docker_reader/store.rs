//! Lives in a file, so that they outlast this process.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::lives::Lives;
use crate::log_targets::DOCKER_READER;

/// The file and what is in it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    stored: Lives,
}

impl Store {
    /// What the file holds. A file that cannot be read is said and replaced: without it, lines of lives before the last
    /// restart may get a later address, which is better than no lines.
    pub(super) fn open(path: &Path) -> (Self, Lives) {
        let lives = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                let path = path.display();
                tracing::warn!(target: DOCKER_READER, %error, "{path} holds no lives of containers, so it starts anew");
                Lives::default()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Lives::default(),
            Err(error) => {
                let path = path.display();
                tracing::warn!(target: DOCKER_READER, %error, "{path} cannot be read, so it starts anew");
                Lives::default()
            }
        };
        (Self { path: path.to_owned(), stored: lives.clone() }, lives)
    }

    /// Writes `lives` if they are not what the file holds: either the old file is there or the new one, never half of it.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub(super) fn keep(&mut self, lives: &Lives) -> io::Result<()> {
        if *lives == self.stored {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(lives)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.stored = lives.clone();
        Ok(())
    }
}

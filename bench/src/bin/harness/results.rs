//! Measurements as they are kept: one JSON file for each part, in `results/`.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::settings::Settings;

/// What was measured, where, when and how long.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept<T> {
    pub(crate) environment: Environment,
    pub(crate) settings: Settings,
    pub(crate) measured: T,
}

/// Replaces what was kept of that part.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn keep<T: Serialize>(part: &str, settings: &Settings, measured: T) -> Result<()> {
    let kept =
        Kept { environment: Environment::read(settings.before.as_deref())?, settings: settings.clone(), measured };
    let path = path(part);
    fs::create_dir_all("results")?;
    fs::write(&path, serde_json::to_string_pretty(&kept)? + "\n")
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// `None` if that part has not been measured.
///
/// # Errors
/// If the file cannot be read, or was written by another version of this program.
pub(crate) fn kept<T: DeserializeOwned>(part: &str) -> Result<Option<Kept<T>>> {
    let path = path(part);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    serde_json::from_str(&text)
        .with_context(|| format!("{} has another form; measure again: bench/run {part}", path.display()))
}

fn path(part: &str) -> PathBuf {
    PathBuf::from(format!("results/{part}.json"))
}

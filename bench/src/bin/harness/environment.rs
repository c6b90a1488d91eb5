//! Where and with what was measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::assembly::{ASSEMBLIES, BEFORE, REDPANE};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Environment {
    /// When the measurement ended, in UTC.
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    /// The commit that was measured, with `-dirty` if what is measured differed from it.
    pub(crate) revision: String,
    /// Of the packages that are compared, Rust's and Python's, by name.
    pub(crate) versions: BTreeMap<String, String>,
}

const UNKNOWN: &str = "unknown";

/// Of the package that `bench/run` makes for an older checkout.
const BEFORE_LOCK: &str = "target/before/Cargo.lock";

/// What is measured, seen from here. Results and the document change with every part that was measured.
const MEASURED: &[&str] = &[
    "../crates/redpane/src",
    "../crates/redpane/Cargo.toml",
    "../Cargo.toml",
    "src",
    "Cargo.lock",
    "Cargo.toml",
    "fastapi",
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

impl Environment {
    /// `before` is the older checkout of redpane that was measured beside this one.
    pub(crate) fn read(before: Option<&Path>) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let mut versions = rust_versions(&fs::read_to_string("Cargo.lock").context("Cargo.lock cannot be read")?)?;
        versions.extend(python_versions(&fs::read_to_string("fastapi/requirements.txt")?));
        if let Some(before) = before {
            let lock = fs::read_to_string(BEFORE_LOCK).context("bench/run writes the lock file of --before")?;
            let version = rust_versions(&lock)?.remove(REDPANE).context("the lock file of --before has no redpane")?;
            versions.insert(BEFORE.to_owned(), format!("{version} at commit {}", revision(before, &[])));
        }
        versions.retain(|name, _| ASSEMBLIES.iter().any(|assembly| assembly.packages.contains(&name.as_str())));
        Ok(Self {
            date: humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(now)).to_string(),
            processor: processor(&fs::read_to_string("/proc/cpuinfo")?).unwrap_or(UNKNOWN).to_owned(),
            cores: thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            rustc: first_line(Command::new("rustc").arg("--version")),
            revision: revision(Path::new("."), MEASURED),
            versions,
        })
    }

    /// `name version` of each package that is known.
    pub(crate) fn packages(&self, names: &[&str]) -> String {
        let known = |name: &&str| {
            let shown = if *name == BEFORE { REDPANE } else { *name };
            self.versions.get(*name).map(|version| format!("{shown} {version}"))
        };
        names.iter().filter_map(known).collect::<Vec<_>>().join(", ")
    }
}

/// The commit of a checkout, with `-dirty` if one of these paths differs from it; of no paths, if anything does.
fn revision(checkout: &Path, paths: &[&str]) -> String {
    let git = |arguments: &[&str]| first_line(Command::new("git").current_dir(checkout).args(arguments));
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    match git(&[&["status", "--porcelain", "--"], paths].concat()).as_str() {
        "" | UNKNOWN => commit,
        _ => commit + "-dirty",
    }
}

/// `unknown` where the program is missing or fails: a download without its history has no revision.
fn first_line(command: &mut Command) -> String {
    let output = command.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.as_deref().map_or(UNKNOWN, |text| text.lines().next().unwrap_or("")).to_owned()
}

fn processor(cpuinfo: &str) -> Option<&str> {
    cpuinfo.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim()))
}

/// Of two versions of one package the newer one: the other is there for somebody else.
fn rust_versions(lock: &str) -> Result<BTreeMap<String, String>> {
    let lock: Lock = toml::from_str(lock).context("Cargo.lock has another form")?;
    Ok(lock.package.into_iter().map(|package| (package.name, package.version)).collect())
}

fn python_versions(requirements: &str) -> BTreeMap<String, String> {
    let pinned = requirements.lines().filter_map(|line| line.trim().split_once("=="));
    pinned.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_files() {
        let lock = "version = 4\n[[package]]\nname = \"axum\"\nversion = \"0.8.9\"\nchecksum = \"x\"\n";
        assert_eq!(rust_versions(lock).unwrap(), BTreeMap::from([("axum".into(), "0.8.9".into())]));
        let requirements = "# pinned\nfastapi==0.165.0\nuvicorn==0.54.0\n";
        assert_eq!(python_versions(requirements).get("fastapi").map(String::as_str), Some("0.165.0"));
        assert_eq!(python_versions(requirements).len(), 2);
    }

    #[test]
    fn an_older_redpane_is_shown_by_its_name() {
        let versions = BTreeMap::from([(BEFORE.into(), "0.1.0 at commit 0123456789ab".into())]);
        let text = String::new;
        let environment = Environment {
            date: text(),
            processor: text(),
            cores: 1,
            kernel: text(),
            rustc: text(),
            revision: text(),
            versions,
        };
        assert_eq!(environment.packages(&[BEFORE, "axum"]), "redpane 0.1.0 at commit 0123456789ab");
    }

    #[test]
    fn the_processor_has_a_name() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: AMD EPYC\nflags : x\n"), Some("AMD EPYC"));
        assert_eq!(processor("processor\t: 0\n"), None);
    }
}

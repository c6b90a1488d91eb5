//! `REDPANE_LOG`: any text is a filter or a message.
//!
//! An input is the value of the variable, as the environment has it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use redpane_service::settings::{Config, Role};
use tracing_subscriber::filter::{LevelFilter, Targets};

fn read(value: OsString) -> Result<Targets, String> {
    let source = |variable: &str| (variable == "REDPANE_LOG").then(|| value.clone());
    Config::read(Role::Serve, &source).map(|config| config.log).map_err(|error| error.to_string())
}

/// Accepted where each directive is, and then what `Targets` makes of them; else an error that names a bad one.
pub fn check(input: &[u8]) {
    let value = OsString::from_vec(input.to_vec());
    let told = read(value.clone());
    let Some(text) = value.to_str() else {
        let error = told.expect_err("not UTF-8");
        return assert!(error.contains("REDPANE_LOG"), "{error}");
    };
    let directives: Vec<_> = text.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    if text.is_empty() {
        return assert_eq!(told, Ok(Targets::new().with_default(LevelFilter::INFO)), "empty counts as unset");
    }
    let refused: Vec<_> = directives.iter().filter(|directive| read((**directive).into()).is_err()).collect();
    match told {
        Ok(filter) => {
            assert!(!directives.is_empty() && refused.is_empty(), "{text:?} was accepted, {refused:?} was not");
            let parts = |directive: &&str| directive.split('=').map(str::trim).collect::<Vec<_>>().join("=");
            let clear: Vec<_> = directives.iter().map(parts).collect();
            assert_eq!(Ok(&filter), clear.join(",").parse().as_ref().map_err(|_| ()), "{text:?}");
            check_meaning(&filter, &clear);
        }
        Err(error) => {
            assert!(error.contains("REDPANE_LOG") && error.contains("a level (off, error, "), "{error}");
            assert!(!refused.is_empty() || directives.is_empty(), "{text:?} was refused, its directives were not");
            let shown = |directive: &&&str| format!("{:?}", directive.chars().take(120).collect::<String>());
            let named = refused.iter().any(|directive| error.contains(&shown(directive)));
            assert!(named || directives.is_empty(), "{refused:?} is not named: {error}");
        }
    }
}

/// The last directive without a target is the default, the last one of a target holds for it.
fn check_meaning(filter: &Targets, directives: &[String]) {
    let level = |text: &str| text.parse::<LevelFilter>().unwrap_or_else(|_| panic!("{text:?} is not a level"));
    let default = directives.iter().rfind(|directive| !directive.contains('='));
    assert_eq!(filter.default_level(), default.map(|default| level(default)));
    if directives.iter().any(|directive| directive.contains("[{")) {
        // Fields in brackets are about spans; `Targets` has a reading of its own for each way to leave them empty.
        return;
    }
    for directive in directives {
        let Some((target, _)) = directive.split_once('=') else { continue };
        let same = |other: &&String| other.split_once('=').is_some_and(|(other, _)| other == target);
        let last = directives.iter().rfind(same).and_then(|last| last.split_once('=')).unwrap().1;
        assert!(!last.is_empty(), "{directive:?} has no level");
        let highest = level(last);
        for one in [tracing::Level::ERROR, tracing::Level::WARN, tracing::Level::INFO, tracing::Level::TRACE] {
            assert_eq!(filter.would_enable(target, &one), highest >= one, "{target:?} at {one} in {directives:?}");
        }
    }
}

//! Arrows between files run one way: from the top (`telemetry`, `builder`, `install`, `axum`, `testing`) through `middleware`, then
//! `metrics`, `logs`, `traces` and `pane`, which do not know each other, to `request` and `trace_context`. And there is no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The floors, the lowest first. Rooms of one floor do not know each other, but for those of the top.
const FLOORS: [&[&str]; 5] = [
    &["trace_context"],
    &["request"],
    &["logs", "metrics", "pane", "traces"],
    &["client", "middleware"],
    &["axum", "builder", "install", "options", "telemetry", "testing"],
];
const TOP: usize = FLOORS.len() - 1;

/// A use of one module by another: the name that it imports.
type Arrow = (String, String, String);

/// All modules below `src` by their path (`logs/buffer`), `mod.rs` as its folder. `lib.rs` knows everybody and is left out,
/// as tests are.
fn sources(folder: &Path, module: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let inside = if module.is_empty() { name.to_owned() } else { format!("{module}/{name}") };
        if path.is_dir() {
            sources(&path, &inside, found);
        } else if name != "lib" && name != "tests" {
            let module = if name == "mod" { module.to_owned() } else { inside };
            found.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The paths that a file names behind `crate::` or `super::`, in `use` declarations with their braces resolved, and in
/// code. Comments and tests are left out.
fn paths(module: &str, text: &str) -> Vec<String> {
    let code: String = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        let is_inside = code[..start].ends_with([':', '_']) || code[..start].ends_with(char::is_alphanumeric);
        if !is_inside {
            let end =
                code[start..].find([';', '(', ')', '<', '>', ' ', ',', '&']).map_or(code.len(), |end| start + end);
            // A `use` with braces goes on to its semicolon.
            let is_use = code[..start].trim_end().ends_with("use");
            let end = if is_use { start + code[start..].find(';').unwrap() } else { end };
            expand(&absolute(module, &code[start..end]), &mut found);
        }
    }
    found
}

/// `super::x` as seen from a module, from the root on.
fn absolute(module: &str, path: &str) -> String {
    let mut folders: Vec<&str> = module.split('/').collect();
    let mut rest = path.trim();
    while let Some(outer) = rest.strip_prefix("super::") {
        folders.pop();
        rest = outer;
    }
    match rest.strip_prefix("crate::") {
        Some(rest) => rest.replace(' ', ""),
        None => folders.into_iter().chain([rest.replace(' ', "").as_str()]).collect::<Vec<_>>().join("::"),
    }
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expand(path: &str, found: &mut Vec<String>) {
    let Some((start, rest)) = path.split_once('{') else { return found.push(path.to_owned()) };
    let inner = rest.strip_suffix('}').unwrap_or(rest);
    let mut depth = 0;
    let is_between = |character: char| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        character == ',' && depth == 0
    };
    for part in inner.split(is_between).filter(|part| !part.is_empty()) {
        expand(&format!("{start}{}", part.trim_start_matches("self")), found);
    }
}

/// The arrows of a tree of modules.
fn arrows(sources: &BTreeMap<String, String>) -> Vec<Arrow> {
    let mut arrows = BTreeSet::new();
    for (module, text) in sources {
        for path in paths(module, text) {
            let segments: Vec<&str> = path.split("::").filter(|segment| !segment.is_empty()).collect();
            // The longest beginning of the path that is a module.
            let target =
                (1..=segments.len()).rev().map(|end| segments[..end].join("/")).find(|path| sources.contains_key(path));
            if let Some(target) = target.filter(|target| target != module) {
                arrows.insert((module.clone(), target, path));
            }
        }
    }
    arrows.into_iter().collect()
}

fn floor(module: &str) -> usize {
    let room = module.split('/').next().unwrap();
    let floor = FLOORS.iter().position(|rooms| rooms.contains(&room));
    floor.unwrap_or_else(|| panic!("src/{module}.rs is in no room: give the room {room} a floor in this test"))
}

fn room(module: &str) -> &str {
    module.split('/').next().unwrap()
}

/// What is wrong with arrows: those that climb, and circles.
fn faults(arrows: &[Arrow]) -> Vec<String> {
    let climbs = |(from, to, name): &&Arrow| {
        let (lower, upper) = (floor(from), floor(to));
        lower < upper || (lower == upper && lower != TOP && room(from) != room(to)) || name.ends_with('*')
    };
    let mut faults: Vec<String> =
        arrows.iter().filter(climbs).map(|(from, to, name)| format!("{from} may not use {to} ({name})")).collect();
    // What reaches itself is in a circle.
    let reaches = |start: &str| {
        let mut reached = BTreeSet::new();
        let mut next = vec![start.to_owned()];
        while let Some(module) = next.pop() {
            for (_, to, _) in arrows.iter().filter(|(from, _, _)| *from == module) {
                if reached.insert(to.clone()) {
                    next.push(to.clone());
                }
            }
        }
        reached
    };
    for (from, to, name) in arrows {
        if reaches(to).contains(from) {
            faults.push(format!("{from} uses {to} ({name}), which uses {from} in turn"));
        }
    }
    faults
}

#[test]
fn arrows_between_files_run_one_way() {
    let mut found = BTreeMap::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    let arrows = arrows(&found);
    assert!(arrows.len() > 100, "the arrows are found: {arrows:?}");
    assert_eq!(faults(&arrows), Vec::<String>::new());
}

#[test]
fn an_arrow_that_climbs_and_a_circle_are_named() {
    let tree = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(module, text)| ((*module).to_owned(), (*text).to_owned()));
        faults(&arrows(&files.collect()))
    };
    let fine = [
        ("logs/a", "use super::b::B; use crate::request::{c::{C, D}, e};"),
        ("logs/b", ""),
        ("request/c", ""),
        ("request/e", ""),
    ];
    assert_eq!(tree(&fine), Vec::<String>::new());
    let climbs = tree(&[("request/c", "fn f() { crate::logs::a::write() }"), ("logs/a", "")]);
    assert_eq!(climbs, ["request/c may not use logs/a (logs::a::write)"]);
    let beside = tree(&[("metrics/c", "use crate::logs::a::A;"), ("logs/a", "")]);
    assert_eq!(beside, ["metrics/c may not use logs/a (logs::a::A)"]);
    let circle = tree(&[("logs/a", "use super::b::{B, C};"), ("logs/b", "use crate::logs::a::A;")]);
    assert_eq!(circle.len(), 3, "{circle:?}");
    assert!(circle[0].starts_with("logs/a uses logs/b (logs::b::B), which uses logs/a in turn"), "{circle:?}");
}

//! `docs/benchmarks.md` and its plot, from what is kept in `results/`.

mod comparison;
mod growth;
mod own_server;
mod plot;
mod tables;

use std::fs;

use anyhow::{Context, Result};
use minijinja::{AutoEscape, Environment as Templates, UndefinedBehavior, context};
use serde::Serialize;

use crate::results::{Kept, kept};
use crate::settings::Settings;
use crate::{compare, dimensions, instructions, memory, options, own_server as server};

const DOCUMENT: &str = "../docs/benchmarks.md";
const PLOT: &str = "../docs/images/benchmarks.svg";

/// Fewer or shorter rounds than these are a try.
const ROUNDS_TO_QUOTE: u64 = 5;
/// Of all rounds together.
const SECONDS_TO_QUOTE: u64 = 25;
const REQUESTS_TO_QUOTE: u64 = 10_000_000;

/// # Errors
/// If a result or the template has another form than this program expects, or a file cannot be written.
pub(crate) fn run() -> Result<()> {
    let compare: Option<Kept<Vec<compare::Series>>> = kept(compare::PART)?;
    let server: Option<Kept<compare::Series>> = kept(server::PART)?;
    let dimensions: Option<Kept<dimensions::Measured>> = kept(dimensions::PART)?;
    let memory: Option<Kept<Vec<memory::Run>>> = kept(memory::PART)?;
    let instructions: Option<Kept<Vec<instructions::Counted>>> = kept(instructions::PART)?;

    let options: Option<Kept<Vec<instructions::Counted>>> = kept(options::PART)?;

    let long = |settings: &Settings| {
        settings.rounds >= ROUNDS_TO_QUOTE && settings.rounds * settings.seconds >= SECONDS_TO_QUOTE
    };
    let view = context! {
        compare => compare.as_ref().map(|kept| section(kept, long(&kept.settings), comparison::view(kept))),
        server => server
            .as_ref()
            .map(|kept| section(kept, long(&kept.settings), own_server::view(&kept.measured))),
        instructions => instructions.as_ref().map(|kept| section(kept, true, tables::instructions(&kept.measured))),
        options => options.as_ref().map(|kept| section(kept, true, tables::options(&kept.measured))),
        dimensions => dimensions.as_ref().map(|kept| section(kept, long(&kept.settings), growth::view(&kept.measured))),
        memory => memory
            .as_ref()
            .map(|kept| section(kept, kept.settings.requests >= REQUESTS_TO_QUOTE, tables::memory(&kept.measured))),
        notes => read("notes.md")?,
    };
    write(DOCUMENT, render(&read("benchmarks.md.jinja")?, view)?)?;
    if let Some(kept) = &compare {
        write(PLOT, plot::draw(&kept.measured)?)?;
    }
    Ok(())
}

fn section<T, V: Serialize>(kept: &Kept<T>, long_enough: bool, view: V) -> minijinja::Value {
    let Kept { environment, settings, .. } = kept;
    context! { environment, settings, long_enough, view }
}

fn render(template: &str, view: minijinja::Value) -> Result<String> {
    let mut templates = Templates::new();
    templates.set_auto_escape_callback(|_| AutoEscape::None);
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates.set_keep_trailing_newline(true);
    templates.render_str(template, view).context("benchmarks.md.jinja does not render")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{path} cannot be read; the harness works in the folder bench"))
}

fn write(path: &str, text: String) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{path} cannot be written"))?;
    eprintln!("written: {path}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../../benchmarks.md.jinja");

    #[test]
    fn a_document_without_results_is_still_one() {
        let none = None::<()>;
        let view = context! { compare => none, server => none, instructions => none, options => none, dimensions => none, memory => none, notes => "by hand\n" };
        let document = render(TEMPLATE, view).unwrap();
        assert!(document.starts_with("# "), "{document}");
        assert!(document.contains("by hand"), "{document}");
    }

    #[test]
    fn a_name_the_view_lacks_is_an_error() {
        assert!(render("{{ compare.view.nothing }}", context! { compare => context! { view => 1 } }).is_err());
    }
}

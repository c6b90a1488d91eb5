//! Measures what `bench/run` is asked for, keeps it in `results/`, and renders the document from what is kept there.

mod assembly;
mod compare;
mod dimensions;
mod environment;
mod instructions;
mod load;
mod measure;
mod memory;
mod options;
mod own_server;
mod pipe;
mod process;
mod receiver;
mod report;
mod results;
mod scrape;
mod server;
mod settings;
mod start_up;
mod statistics;

use anyhow::Result;
use clap::Parser;

use settings::{Command, Part};

/// Works in the folder `bench`, where `bench/run` starts it.
fn main() -> Result<()> {
    let Command { part, settings } = Command::parse();
    let wanted = |one: Part| part == Part::All || part == one;
    if wanted(Part::Compare) {
        compare::run(&settings)?;
    }
    if wanted(Part::Server) {
        own_server::run(&settings)?;
    }
    if wanted(Part::Dimensions) {
        dimensions::run(&settings)?;
    }
    if wanted(Part::Memory) {
        memory::run(&settings)?;
    }
    if wanted(Part::Instructions) {
        instructions::run(&settings)?;
    }
    if wanted(Part::Options) {
        options::run(&settings)?;
    }
    report::run()
}

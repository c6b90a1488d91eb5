//! How long each server takes from being spawned to its first answer.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::assembly::{Assembly, Program, available};
use crate::server::{Server, Stdout};
use crate::settings::Settings;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartUp {
    pub(crate) assembly: String,
    pub(crate) milliseconds: Vec<f64>,
}

const STARTS: usize = 21;
/// Python takes a second or two each time.
const STARTS_OF_PYTHON: usize = 5;

pub(crate) fn measure(settings: &Settings) -> Result<Vec<StartUp>> {
    let assemblies: Vec<&Assembly> = available(settings).collect();
    let none = assemblies.iter().map(|assembly| StartUp { assembly: assembly.id.into(), milliseconds: Vec::new() });
    let mut all: Vec<StartUp> = none.collect();
    for start in 0..STARTS {
        eprintln!("start-up: {} of {STARTS}", start + 1);
        for (assembly, measured) in assemblies.iter().zip(&mut all) {
            if assembly.program != Program::Uvicorn || start < STARTS_OF_PYTHON {
                let server = Server::start(assembly, Stdout::Null, 0)?;
                measured.milliseconds.push(server.start_up.as_secs_f64() * 1e3);
            }
        }
    }
    Ok(all)
}

//! How long each server takes from being spawned to its first answer.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::assembly::{ASSEMBLIES, Program};
use crate::server::{Server, Stdout};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartUp {
    pub(crate) assembly: String,
    pub(crate) milliseconds: Vec<f64>,
}

/// Python takes a second each time.
const STARTS: usize = 21;
const STARTS_OF_PYTHON: usize = 5;

pub(crate) fn measure() -> Result<Vec<StartUp>> {
    let mut all = Vec::new();
    for assembly in ASSEMBLIES {
        eprintln!("start-up of {}", assembly.id);
        let starts = if assembly.program == Program::Uvicorn { STARTS_OF_PYTHON } else { STARTS };
        let one = |_| Ok(Server::start(assembly, Stdout::Null, 0)?.start_up.as_secs_f64() * 1e3);
        all.push(StartUp { assembly: assembly.id.into(), milliseconds: (0..starts).map(one).collect::<Result<_>>()? });
    }
    Ok(all)
}

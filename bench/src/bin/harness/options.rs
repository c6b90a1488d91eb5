//! What each option of redpane adds to the instructions of a request: of one that does not use it, and of one that does.

use anyhow::Result;

use crate::instructions::{Counted, OF_REQUESTS, PROGRAM_OF_OPTIONS, is_missing};
use crate::results;
use crate::settings::Settings;

pub(crate) const PART: &str = "options";

/// Two variants of the program `in-process-options`: what differs between them is the option.
type Difference = (&'static str, &'static str);

/// An option, and the requests that tell what it costs.
pub(crate) struct Measured {
    pub(crate) title: &'static str,
    /// It is there, and the request does not use it. `None`: there is nothing to set.
    pub(crate) unused: Option<Difference>,
    /// The request uses it. `None`: it is no option of requests.
    pub(crate) used: Option<Difference>,
}

const PLAIN: &str = "plain";

pub(crate) const MEASURED: [Measured; 10] = [
    Measured { title: "`record(\"tenant\", \"acme\")`", unused: None, used: Some((PLAIN, "record")) },
    Measured { title: "`record_error(&error)`", unused: None, used: Some((PLAIN, "error")) },
    Measured {
        title: "`promote_span_fields([\"tenant\"])`; used: a span with the field, beside the same span without the option",
        unused: Some((PLAIN, "promote, no span")),
        used: Some(("in a span", "promote")),
    },
    Measured {
        title: "`label(\"tier\", ..)` from a header; not used: there is no such header",
        unused: Some((PLAIN, "label, no value")),
        used: Some(("a header", "label")),
    },
    Measured {
        title: "streams; not used: another route is named; used: an event stream beside the same bytes of another type",
        unused: Some((PLAIN, "streams named")),
        used: Some(("chunks", "stream")),
    },
    Measured {
        title: "gRPC; not used: HTTP beside a method that is called; used: a call beside the same answer of another type",
        unused: Some((PLAIN, "grpc beside")),
        used: Some(("trailers", "grpc")),
    },
    Measured { title: "`metric_names(Both)`", unused: None, used: Some((PLAIN, "both names")) },
    Measured {
        title: "`access_sample(..)`; not used: the line is kept; used: it is left out",
        unused: Some((PLAIN, "sampled, kept")),
        used: Some((PLAIN, "sampled out")),
    },
    Measured {
        title: "`set_log_filter(..)`, while another filter is set",
        unused: Some((PLAIN, "filter changed")),
        used: None,
    },
    Measured {
        title: "nothing: the same program again, which is the noise",
        unused: Some((PLAIN, "plain again")),
        used: None,
    },
];

pub(crate) fn run(settings: &Settings) -> Result<()> {
    if is_missing() {
        return Ok(());
    }
    let differences = MEASURED.iter().flat_map(|measured| [measured.unused, measured.used]).flatten();
    let mut all: Vec<Counted> = Vec::new();
    for variant in differences.flat_map(|(without, with)| [without, with]) {
        if all.iter().any(|counted| counted.assembly == variant) {
            continue;
        }
        let instructions = OF_REQUESTS.count(PROGRAM_OF_OPTIONS, variant.trim_end_matches(" again"))?;
        eprintln!("{variant}: {:.0} instructions a request", instructions.per_request());
        all.push(Counted { assembly: variant.into(), instructions, allocations: None });
    }
    results::keep(PART, settings, all)
}

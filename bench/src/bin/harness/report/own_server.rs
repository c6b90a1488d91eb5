//! What the service's own server costs beside `axum::serve`.

use serde::Serialize;

use super::comparison::{added, of, pairs};
use crate::assembly::{REDPANE, find};
use crate::compare::Series;
use crate::own_server::TAKE_PART;
use crate::statistics::{Summary, number};

/// Texts, as they stand in the table.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    title: &'static str,
    cpu: String,
    tenth: String,
    added: String,
}

pub(super) fn view(series: &Series) -> Vec<Row> {
    TAKE_PART.iter().filter_map(|id| row(id, series)).collect()
}

/// `None` if the assembly did not take part.
fn row(id: &str, series: &Series) -> Option<Row> {
    let cpu = Summary::of(of(id, &series.samples).map(|sample| sample.cpu_per_request))?;
    let against = match id {
        REDPANE => None,
        _ => Summary::of(pairs(id, REDPANE, &series.samples).map(|(sample, base)| added(sample, base))),
    };
    let title = find(id)?.title;
    let added = against.map_or_else(String::new, |against| against.text(2));
    Some(Row { title, cpu: cpu.text(2), tenth: number(cpu.tenth_percentile, 2), added })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assembly::{BARE, SERVICE};
    use crate::report::comparison::tests::sample;
    use crate::server::Stdout;

    #[test]
    fn each_is_set_against_redpane_on_axums_server_in_the_same_round() {
        let samples = vec![
            sample(REDPANE, 0, 9.0, 1.0),
            sample(SERVICE, 0, 9.25, 1.0),
            sample(SERVICE, 1, 12.5, 1.0),
            sample(REDPANE, 1, 12.0, 1.0),
            sample(SERVICE, 2, 7.0, 1.0),
        ];
        let rows = view(&Series { stdout: Stdout::Null, samples });
        let row = |id| rows.iter().find(|row| row.title == find(id).unwrap().title);
        assert_eq!(row(SERVICE).unwrap().added, "0.38 (0.31 – 0.44)");
        assert_eq!(row(REDPANE).unwrap().added, "");
        assert_eq!(row(REDPANE).unwrap().cpu, "10.50 (9.75 – 11.25)");
        assert_eq!(row(REDPANE).unwrap().tenth, "9.30");
        assert_eq!(row(BARE), None);
    }
}

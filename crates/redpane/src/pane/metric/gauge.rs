//! A gauge: the values of its largest label sets.

use super::super::input::{Series, Value};
use super::super::timeline::STEPS;
use super::columns::{Columns, LABEL_SETS, Labelled, Tick};

pub(super) fn record(columns: &mut Columns, series: &[Series], tick: Tick, free: &mut usize) {
    let numbers = series.iter().filter_map(|one| match one.value {
        Value::Number(now) => Some((&*one.labels, now)),
        Value::Histogram { .. } => None,
    });
    let mut numbers: Vec<(&str, f64)> = numbers.collect();
    let may_give_way = tick.place.fresh[STEPS.len() - 1];
    // The largest come first where there are columns to be had.
    if may_give_way || columns.len() < LABEL_SETS {
        numbers.sort_by(|one, other| size(other.1).total_cmp(&size(one.1)));
    }
    if may_give_way {
        give_way(columns, &numbers);
    }
    for (labels, now) in numbers {
        let Some(labelled) = columns.find_or_add(labels, free) else { continue };
        labelled.not_finite = match now {
            _ if now.is_finite() => None,
            _ if now.is_nan() => Some("NaN"),
            _ => Some(if now > 0.0 { "+Inf" } else { "-Inf" }),
        };
        labelled.put(&tick.place, if now.is_finite() { now } else { f64::NAN });
    }
}

/// The column of the smallest becomes that of a label set that is more than twice as large, or the one of a label set that is
/// gone that of one that is there. Its past is lost, so this is done once a minute.
fn give_way(columns: &mut Columns, numbers: &[(&str, f64)]) {
    let now =
        |label: &str| numbers.iter().find(|(labels, _)| *labels == label).map_or(f64::NEG_INFINITY, |one| size(one.1));
    let sizes = columns.iter().enumerate().map(|(at, labelled)| (at, now(&labelled.label)));
    let Some((at, smallest)) = sizes.min_by(|one, other| one.1.total_cmp(&other.1)) else { return };
    let Some((labels, number)) = numbers.iter().find(|(labels, _)| columns.position(labels).is_none()) else { return };
    let is_gone = smallest == f64::NEG_INFINITY && number.is_finite();
    if columns.len() >= LABEL_SETS && (is_gone || size(*number) > smallest + smallest.abs()) {
        columns.list[at] = Labelled::new((*labels).to_owned().into(), None);
    }
}

/// What a gauge is ordered by: what is no number comes last.
fn size(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NEG_INFINITY }
}

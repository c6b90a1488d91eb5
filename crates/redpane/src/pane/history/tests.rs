//! What a history keeps of its metrics.

use std::sync::Arc;

use super::super::column;
use super::super::input::Value;
use super::*;

fn counter(name: String, labels: &[&str]) -> Family {
    let series = |labels: &&str| Series { labels: (*labels).into(), value: Value::Number(1.0) };
    let series = labels.iter().map(series).collect();
    Family { name: name.into(), kind: Kind::Counter, help: "".into(), unit: None, series }
}

#[test]
fn pinned_metrics_find_their_places_after_five_hundred_others() {
    let pinned = vec!["orders_total".to_owned(), "late_total".to_owned()];
    let mut history = History::new(Arc::new([1.0]), HashSet::new(), pinned);
    let others = (0..500).map(|number| counter(format!("other_{number}_total"), &[""]));
    let mut snapshot = Snapshot { endpoints: Vec::new(), families: others.collect(), application: 0 };
    history.record(&snapshot, 1_800_000_000);
    let room = COLUMNS - 2 * PINNED;
    assert_eq!((history.metrics.len(), history.refused.len()), (room, 500 - room));
    let sets = ["a=\"1\"", "a=\"2\"", "a=\"3\"", "a=\"4\"", "a=\"5\"", "a=\"6\"", "a=\"7\"", "a=\"8\"", "a=\"9\""];
    for name in ["orders_total", "late_total"] {
        snapshot.families.push(counter(name.into(), &sets));
    }
    history.record(&snapshot, 1_800_000_001);
    for name in ["orders_total", "late_total"] {
        assert_eq!(history.metrics[name].columns.len(), PINNED, "{name}");
    }
    assert_eq!(history.metrics.len(), room + 2);
}
#[test]
fn what_names_and_labels_take_is_bounded_and_stated() {
    let mut history = History::new(Arc::new([1.0]), HashSet::new(), Vec::new());
    let (short, long) = ("a=\"1\"", format!("a=\"{}\"", "x".repeat(5000)));
    let names = (0..1000).map(|number| format!("{number:01000}_total"));
    let families = names.map(|name| counter(name, &[short, &long])).collect();
    let snapshot = Snapshot { endpoints: Vec::new(), families, application: 0 };
    history.record(&snapshot, 1_800_000_000);
    history.record(&snapshot, 1_800_000_001);
    let label = |metric: &Metric| metric.columns.iter().map(|one| one.label.to_string()).collect::<Vec<_>>();
    assert_eq!(label(&history.metrics[&format!("{:01000}_total", 0)]), [short, "_other"]);
    // As many names as there is room for, and each once.
    assert_eq!(history.refused.len(), REFUSED_BYTES / 1006);
    let columns = (COLUMNS - history.free) * column::BYTES;
    let texts = history.bytes() - columns - Timeline::bytes() - history.traffic.bytes();
    assert!(texts > REFUSED_BYTES && texts < REFUSED_BYTES + COLUMNS * 1100, "{texts}");
    // One that gets its column later is refused no more, and makes room for the name of another.
    history.free += 1;
    history.record(&snapshot, 1_800_000_002);
    assert!(!history.refused.contains_key(&format!("{:01000}_total", COLUMNS / 2)));
    assert_eq!(history.refused.len(), REFUSED_BYTES / 1006);
    let kept: usize = history.refused.keys().map(String::len).sum();
    assert_eq!(history.refused_bytes, kept);
}

//! The lives of containers: the times in which they had one address.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::moment;

/// Most lives of one container that are remembered. One that crashes every few seconds must not fill the list.
const LIMIT: usize = 32;

/// What is known about every container that was ever listed and still exists.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lives(BTreeMap<String, Vec<Life>>);

/// One life of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Life {
    /// When Docker says that it started last: what tells a new start apart.
    started: String,
    /// Lines from this moment on are its own; 0 for the first life that is known.
    begin: u64,
    /// The container as it was listed then, with the address it had.
    container: Value,
}

/// Where the lines of a life are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    /// The id of the container.
    pub(super) container: String,
    /// The name of the container.
    pub(super) name: String,
    /// The moment of its first line.
    pub(super) begin: u64,
    /// The moment of the next life's first line, if there is one.
    pub(super) end: Option<u64>,
    /// When it started last.
    pub(super) started: String,
}

impl Lives {
    /// Whether the life of the container `id` that began at `started` is the last one noted.
    pub(super) fn knows(&self, id: &str, started: &str) -> bool {
        self.0.get(id).and_then(|lives| lives.last()).is_some_and(|life| life.started == started)
    }

    /// Notes that the container `id` was started at `started`, after a run that ended at `finished`. It goes on with the same
    /// life where its address is the same, or none: Docker gives none to a container that waits for its next start, as in a
    /// crash loop, and to one that ended before anybody looked. An address that is not known stays empty: a collector that reads
    /// anything but an IP address in its place refuses the whole list. promtail-config.yml makes `instance` of the name then.
    pub(super) fn note(&mut self, id: &str, started: &str, finished: &str, container: Value) {
        if self.knows(id, started) {
            return;
        }
        let lives = self.0.entry(id.to_owned()).or_default();
        let addresses = addresses(&container);
        if let Some(last) = lives.last_mut()
            && (addresses.is_empty() || addresses == self::addresses(&last.container))
        {
            started.clone_into(&mut last.started);
            return;
        }
        // Of the first life that is known, all lines are: nobody else would show them.
        let begin = if lives.is_empty() { 0 } else { between(finished, started) };
        lives.push(Life { started: started.to_owned(), begin, container });
        if lives.len() > LIMIT {
            lives.remove(0);
        }
    }

    /// Forgets containers that do not exist any more. Gives whether there were any.
    pub(super) fn retain(&mut self, existing: &BTreeSet<&str>) -> bool {
        let before = self.0.len();
        self.0.retain(|id, _| existing.contains(id.as_str()));
        self.0.len() != before
    }

    /// Every life of these containers, each like a container of its own.
    pub(super) fn list(&self, ids: &[&str]) -> Vec<Value> {
        let known = ids.iter().filter_map(|id| Some((*id, self.0.get(*id)?)));
        let shown = |id: &str, life: &Life| {
            let mut container = life.container.clone();
            container["Id"] = life_id(id, life.begin).into();
            container
        };
        known.flat_map(|(id, lives)| lives.iter().map(move |life| shown(id, life))).collect()
    }

    /// The life of this id, as [`Self::list`] gave it.
    pub(super) fn find(&self, wanted: &str) -> Option<Span> {
        let id = wanted.split('-').next()?;
        let lives = self.0.get(id)?;
        let index = lives.iter().position(|life| life_id(id, life.begin) == wanted)?;
        let end = lives.get(index + 1).map(|life| life.begin);
        let life = &lives[index];
        let (name, started) = (name(&life.container).to_owned(), life.started.clone());
        Some(Span { container: id.to_owned(), name, begin: life.begin, end, started })
    }
}

/// The addresses of a container, as far as it has any.
fn addresses(container: &Value) -> Vec<&str> {
    let networks = container["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    let addresses = networks.filter_map(|(_, network)| network["IPAddress"].as_str());
    addresses.filter(|address| !address.is_empty()).collect()
}

fn name(container: &Value) -> &str {
    container["Names"][0].as_str().unwrap_or_default().trim_start_matches('/')
}

/// The first life has the container's own id: cursors from before this program stay good.
fn life_id(id: &str, begin: u64) -> String {
    if begin == 0 { id.to_owned() } else { format!("{id}-{begin}") }
}

/// A moment after the last line of a life and before the first of the next. Docker reads what a process left in its pipe
/// shortly after `finished`, and notes `started` shortly after the process could write: the middle is neither's.
fn between(finished: &str, started: &str) -> u64 {
    let started = moment::parse(started).unwrap_or(1);
    match moment::parse(finished) {
        Some(finished) if finished < started => finished + (started - finished) / 2,
        _ => started,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NEVER: &str = "0001-01-01T00:00:00Z";

    fn at(second: u32) -> String {
        format!("2026-11-25T00:00:{second:02}Z")
    }

    fn span(begin: u64, end: Option<u64>, started: u32) -> Option<Span> {
        Some(Span { container: "a".into(), name: "api-1".into(), begin, end, started: at(started) })
    }

    fn with(address: &str) -> Value {
        json!({"Id": "a", "Names": ["/api-1"], "NetworkSettings": {"Networks": {"n": {"IPAddress": address}}}})
    }

    #[test]
    fn a_restarted_container_is_two_and_each_keeps_its_address_and_its_lines() {
        let mut lives = Lives::default();
        lives.note("a", &at(0), NEVER, with("172.18.0.5"));
        lives.note("a", &at(0), NEVER, with("172.18.0.6"));
        assert_eq!(lives.list(&["a"]).len(), 1, "the same life again");
        assert_eq!(lives.find("a"), span(0, None, 0));

        lives.note("a", &at(20), &at(10), with("172.18.0.7"));
        let boundary = moment::parse(&at(15)).unwrap();
        let second = format!("a-{boundary}");
        assert_eq!(lives.find("a"), span(0, Some(boundary), 0));
        assert_eq!(lives.find(&second), span(boundary, None, 20));
        let listed = lives.list(&["a", "unknown"]);
        let address = |index: usize| &listed[index]["NetworkSettings"]["Networks"]["n"]["IPAddress"];
        assert_eq!((listed.len(), &listed[0]["Id"], address(0)), (2, &json!("a"), &json!("172.18.0.5")));
        assert_eq!((&listed[1]["Id"], address(1)), (&json!(second), &json!("172.18.0.7")));
        for unknown in ["b", "a-1", "", "a-"] {
            assert_eq!(lives.find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_container_first_seen_after_a_restart_has_one_life_with_all_lines() {
        let mut lives = Lives::default();
        lives.note("a", &at(20), &at(10), with("172.18.0.7"));
        assert_eq!(lives.find("a"), span(0, None, 20));
    }

    #[test]
    fn a_start_with_the_same_address_or_none_goes_on_with_the_same_life() {
        let mut lives = Lives::default();
        lives.note("a", &at(0), NEVER, with("172.18.0.5"));
        lives.note("a", &at(20), &at(10), with("172.18.0.5"));
        assert!(lives.knows("a", &at(20)));
        lives.note("a", &at(30), &at(25), with(""));
        assert_eq!((lives.list(&["a"]).len(), lives.find("a")), (1, span(0, None, 30)));
        lives.note("a", &at(50), &at(40), with("172.18.0.6"));
        assert_eq!(lives.find("a"), span(0, moment::parse(&at(45)), 30));
    }

    #[test]
    fn a_container_without_any_address_stays_without() {
        let mut lives = Lives::default();
        lives.note("a", &at(0), NEVER, with(""));
        assert_eq!(lives.list(&["a"])[0]["NetworkSettings"]["Networks"]["n"]["IPAddress"], "");
    }

    #[test]
    fn an_end_that_docker_does_not_know_begins_the_next_life_at_its_start() {
        let mut lives = Lives::default();
        lives.note("a", &at(0), NEVER, with("172.18.0.5"));
        lives.note("a", &at(20), NEVER, with("172.18.0.7"));
        assert_eq!(lives.find("a").unwrap().end, moment::parse(&at(20)));
    }

    #[test]
    fn lives_are_bounded_and_go_with_their_container() {
        let mut lives = Lives::default();
        for second in 0..50 {
            lives.note("a", &at(second), &at(second.saturating_sub(1)), with(&format!("172.18.0.{second}")));
        }
        assert_eq!(lives.list(&["a"]).len(), LIMIT);
        assert!(!lives.retain(&BTreeSet::from(["a", "b"])));
        assert!(lives.retain(&BTreeSet::from(["b"])));
        assert_eq!(lives, Lives::default());
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let mut lives = Lives::default();
        lives.note("a", &at(0), NEVER, with("172.18.0.5"));
        lives.note("a", &at(20), &at(10), with("172.18.0.7"));
        let text = serde_json::to_string(&lives).unwrap();
        assert_eq!(serde_json::from_str::<Lives>(&text).unwrap(), lives);
    }
}

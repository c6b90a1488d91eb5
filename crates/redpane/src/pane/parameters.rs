//! The query of a request: what is not known or not right is named.

use super::problem::{Problem, shown};
use super::timeline::{Range, Timeline};

/// Names and values that nobody has taken yet.
pub(super) struct Parameters {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Parameters {
    pub(super) fn of(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self { left: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(), known: Vec::new() }
    }

    /// All values of a name, at most this many; an empty one is none.
    pub(super) fn many(&mut self, name: &'static str, most: usize) -> Result<Vec<String>, Problem> {
        self.known.push(name);
        let (taken, left) = std::mem::take(&mut self.left).into_iter().partition(|(given, _)| given == name);
        self.left = left;
        let mut taken: Vec<(String, String)> = taken;
        taken.retain(|(_, value)| !value.is_empty());
        if taken.len() > most {
            let times = if most == 1 { "once".into() } else { format!("at most {most} times") };
            return Err(Problem::bad_request(format!("{name} is given {} times: {times} is right", taken.len())));
        }
        Ok(taken.into_iter().map(|(_, value)| value).collect())
    }

    /// The value of a name; an empty one is none.
    pub(super) fn one(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        Ok(self.many(name, 1)?.pop())
    }

    /// The value of a name, read.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        right: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        let bad = || Problem::bad_request(format!("{name} is {}: must be {right}", shown(&value)));
        read(&value).ok_or_else(bad).map(Some)
    }

    /// Milliseconds since 1970.
    pub(super) fn time(&mut self, name: &'static str) -> Result<Option<u64>, Problem> {
        self.read(name, "Unix time in whole milliseconds", |text| text.parse().ok())
    }

    /// `from` and `to`, which belong together, as steps of a timeline.
    pub(super) fn range(&mut self, timeline: &Timeline) -> Result<Option<Range>, Problem> {
        match (self.time("from")?, self.time("to")?) {
            (Some(from), Some(to)) if from < to => Ok(Some(timeline.range(from, to))),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Problem::bad_request("from is not before to")),
            _ => Err(Problem::bad_request("from and to belong together: give both or none")),
        }
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let Some((name, _)) = self.left.first() else { return Ok(()) };
        let known = match &self.known[..] {
            [] => "none is known here".into(),
            known => format!("known are {}", known.join(", ")),
        };
        Err(Problem::bad_request(format!("there is no parameter {}: {known}", shown(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_right_is_named() {
        let detail = |query: &str| {
            let mut parameters = Parameters::of(Some(query));
            let read =
                parameters.time("from").and_then(|_| parameters.many("name", 2)).and_then(|_| parameters.finish());
            read.err().map(|problem| problem.detail)
        };
        assert_eq!(detail("from=12&name=a&name=b%26%20c"), None);
        assert_eq!(detail("from=&name="), None, "an empty value is none");
        assert!(Parameters::of(Some("name=&name=a")).many("name", 1).is_ok_and(|names| names == ["a"]));
        assert_eq!(detail("from=now").unwrap(), "from is \"now\": must be Unix time in whole milliseconds");
        assert_eq!(detail("from=1&from=2").unwrap(), "from is given 2 times: once is right");
        assert_eq!(detail("name=a&name=b&name=c").unwrap(), "name is given 3 times: at most 2 times is right");
        assert_eq!(detail("form=1").unwrap(), "there is no parameter \"form\": known are from, name");
        assert!(detail(&format!("from={}", "x".repeat(1000))).unwrap().len() < 250);
    }
}

//! What the rules say. How they come to it is in [`judge`](super::judge).

use std::borrow::Cow;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    #[default]
    Ok,
    Warning,
    Burning,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Burning => "burning",
        }
    }
}

/// A method and route, and what it did in the window of the rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Blamed {
    pub(super) method: String,
    pub(super) route: String,
    /// How many they are where it is not one of them.
    pub(super) further_routes: Option<usize>,
    pub(super) requests: u64,
    pub(super) errors: u64,
    /// Only where the rule is about durations.
    pub(super) slow: Option<u64>,
    pub(super) window_seconds: u64,
}

impl Blamed {
    /// `GET /checkout (12 of 400)`, `18 further routes (3 of 50)`.
    pub(super) fn in_words(&self) -> String {
        let Self { method, route, further_routes, requests, errors, slow, .. } = self;
        let guilt = slow.unwrap_or(*errors);
        match further_routes {
            Some(further) => format!("{further} further routes ({guilt} of {requests})"),
            None => format!("{method} {route} ({guilt} of {requests})"),
        }
    }
}

/// One rule, as it is at the last second.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) state: State,
    /// Since which second it is not `Ok`.
    pub(super) since: Option<u64>,
    pub(super) value: Option<f64>,
    pub(super) threshold: f64,
    pub(super) unit: &'static str,
    /// How many requests are behind a quantile.
    pub(super) requests: Option<u64>,
    /// Why it is `Ok` in spite of its value.
    pub(super) reason: Option<&'static str>,
    pub(super) detail: String,
    /// The method and route most to blame, while it fires.
    pub(super) route: Option<Blamed>,
    /// The same in PromQL.
    pub(super) query: Cow<'static, str>,
}

/// All of them, in their fixed order.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(pub(super) Vec<Rule>);

impl Rules {
    pub(super) fn state(&self) -> State {
        self.0.iter().map(|rule| rule.state).max().unwrap_or_default()
    }
}

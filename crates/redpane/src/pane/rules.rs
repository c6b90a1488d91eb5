//! What the rules say. How they come to it is in [`judge`](super::judge).

use std::borrow::Cow;

use super::blame::Blamed;

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

//! Which traces are sampled: decided when a request arrives, and passed on to the next services.

use crate::trace_context::ids::TraceId;
use crate::trace_context::share::Share;

/// Decides which requests are sampled: the samplers of OpenTelemetry's specification, under its names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// What becomes of a request whose caller has not decided.
    root: Root,
    /// What the caller decided holds.
    parent_based: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Root {
    On,
    Off,
    Ratio(Share),
}

/// The names of `OTEL_TRACES_SAMPLER`.
const NAMES: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// `parentbased_always_on`.
impl Default for Sampler {
    fn default() -> Self {
        Self { root: Root::On, parent_based: true }
    }
}

impl Sampler {
    /// The sampler of this name in OpenTelemetry's specification: `always_on`, `always_off`, `traceidratio`, and each of them
    /// after `parentbased_`. `ratio` is the share of traces, from 0 to 1, and counts for `traceidratio` alone.
    ///
    /// # Errors
    /// A text that says what would be right.
    pub fn by_name(name: &str, ratio: f64) -> Result<Self, String> {
        let Some(share) = Share::new(ratio) else { return Err("a ratio is a number from 0 to 1, as in 0.1".into()) };
        let (kind, parent_based) = match name.strip_prefix("parentbased_") {
            Some(kind) => (kind, true),
            None => (name, false),
        };
        let root = match kind {
            "always_on" => Root::On,
            "always_off" => Root::Off,
            "traceidratio" => Root::Ratio(share),
            _ => return Err(format!("a sampler is one of {}", NAMES.join(", "))),
        };
        Ok(Self { root, parent_based })
    }

    /// Whether a request is sampled. `caller` is what its caller decided, where that counts.
    pub(crate) fn samples(&self, trace_id: &TraceId, caller: Option<bool>) -> bool {
        match (caller.filter(|_| self.parent_based), self.root) {
            (Some(decided), _) => decided,
            (None, Root::On) => true,
            (None, Root::Off) => false,
            (None, Root::Ratio(share)) => share.has(trace_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(name: &str, ratio: f64, trace_id: &str, caller: Option<bool>) -> bool {
        Sampler::by_name(name, ratio).unwrap().samples(&trace_id.parse().unwrap(), caller)
    }

    #[test]
    fn every_name_decides_as_specified() {
        // The last bits decide: of these 63 the first id has nearly none set, the second nearly all.
        let (low, high) = ("ffffffffffffffff0000000000000002", "0000000000000001fffffffffffffff0");
        for (name, low_root, high_root) in
            [("always_on", true, true), ("always_off", false, false), ("traceidratio", true, false)]
        {
            for caller in [None, Some(true), Some(false)] {
                assert_eq!(samples(name, 0.5, low, caller), low_root, "{name} {caller:?}");
                assert_eq!(samples(name, 0.5, high, caller), high_root, "{name} {caller:?}");
                let based = format!("parentbased_{name}");
                assert_eq!(samples(&based, 0.5, high, caller), caller.unwrap_or(high_root), "{based} {caller:?}");
            }
        }
    }

    #[test]
    fn what_is_no_sampler_says_what_one_is() {
        assert!(Sampler::by_name("sometimes", 1.0).unwrap_err().contains("parentbased_traceidratio"));
        for ratio in [2.0, -0.1, f64::NAN] {
            assert!(Sampler::by_name("traceidratio", ratio).unwrap_err().contains("from 0 to 1"));
        }
    }
}

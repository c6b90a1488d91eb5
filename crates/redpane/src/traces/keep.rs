//! Which requests are exported although nobody sampled them.

use std::str::FromStr;
use std::time::Duration;

/// Which requests are exported although the sampler said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceKeep {
    /// Those that end badly: a status of 500 or more, or the outcome `panic`, `body_error`, `timeout` or `error`.
    pub errors: bool,
    /// Those that take this long or longer.
    pub slow: Option<Duration>,
}

/// `errors,slow`, where a second is slow.
impl Default for TraceKeep {
    fn default() -> Self {
        Self { errors: true, slow: Some(Duration::from_secs(1)) }
    }
}

impl TraceKeep {
    /// None.
    pub const NONE: Self = Self { errors: false, slow: None };

    /// The same with another time that is slow, where slow requests are kept at all.
    #[must_use]
    pub fn slow_from(mut self, slow: Duration) -> Self {
        self.slow = self.slow.map(|_| slow);
        self
    }
}

/// A list of `errors` and `slow`, or nothing.
impl FromStr for TraceKeep {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let mut keep = Self::NONE;
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "errors" => keep.errors = true,
                "slow" => keep.slow = Self::default().slow,
                _ => return Err("a list of errors and slow, as in errors,slow".into()),
            }
        }
        Ok(keep)
    }
}

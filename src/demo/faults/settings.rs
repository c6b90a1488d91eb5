//! The body of `PUT /faults`, and the check that names every mistake in it.

use serde::Serialize;
use serde_json::Value;

/// Longest delay in milliseconds.
pub(super) const MAX_DELAY_MS: u32 = 60_000;

/// The most mistakes that an error names; the rest are counted.
const NAMED_MISTAKES: usize = 8;

/// What happens to requests of the API. A field that is left out is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct FaultSettings {
    /// Share of requests answered with 500, 0 to 1.
    pub(super) error_ratio: f64,
    /// Wait before each answer in milliseconds, 0 to 60,000.
    pub(super) delay_ms: u64,
    /// Share of requests that panic, 0 to 1.
    pub(super) panic_ratio: f64,
}

impl FaultSettings {
    /// Reads settings from JSON.
    ///
    /// # Errors
    /// One sentence a mistake: each field out of its range and each field that does not exist, the first few of them. The
    /// last sentence may say how many there are beyond those.
    pub(super) fn parse(json: &[u8]) -> Result<Self, Vec<String>> {
        const EXAMPLE: &str =
            r#"the body must be an object such as {"error_ratio":0.2,"delay_ms":800,"panic_ratio":0}"#;
        let fields = match serde_json::from_slice(json) {
            Ok(Value::Object(fields)) => fields,
            _ => return Err(vec![EXAMPLE.to_owned()]),
        };
        let mut settings = Self::default();
        let mut mistakes = Vec::new();
        let mut unnamed = 0_usize;
        for (name, value) in &fields {
            let mistake = match name.as_str() {
                "error_ratio" => set(&mut settings.error_ratio, ratio(value), "a number from 0 to 1"),
                "panic_ratio" => set(&mut settings.panic_ratio, ratio(value), "a number from 0 to 1"),
                "delay_ms" => {
                    set(&mut settings.delay_ms, delay(value), "a whole number of milliseconds from 0 to 60000")
                }
                _ => Some("not a field (the fields are error_ratio, delay_ms and panic_ratio)".to_owned()),
            };
            match mistake {
                Some(mistake) if mistakes.len() < NAMED_MISTAKES => {
                    let name: String = name.chars().take(40).collect();
                    mistakes.push(format!("{name} is {mistake}"));
                }
                Some(_) => unnamed += 1,
                None => {}
            }
        }
        if unnamed > 0 {
            mistakes.push(format!("and {unnamed} more mistakes"));
        }
        if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
    }
}

fn ratio(value: &Value) -> Result<f64, &Value> {
    value.as_f64().filter(|ratio| (0.0..=1.0).contains(ratio)).ok_or(value)
}

fn delay(value: &Value) -> Result<u64, &Value> {
    value.as_u64().filter(|delay| *delay <= MAX_DELAY_MS.into()).ok_or(value)
}

/// Stores a good value, or says what is wrong with a bad one.
fn set<T>(field: &mut T, value: Result<T, &Value>, right: &str) -> Option<String> {
    match value {
        Ok(value) => {
            *field = value;
            None
        }
        Err(wrong) => {
            let given: String = wrong.to_string().chars().take(40).collect();
            Some(format!("{given}: must be {right}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<FaultSettings, Vec<String>> {
        FaultSettings::parse(json.as_bytes())
    }

    #[test]
    fn left_out_fields_are_zero_and_the_bounds_are_inside() {
        let expected = FaultSettings { error_ratio: 0.2, delay_ms: 800, panic_ratio: 0.0 };
        assert_eq!(parse(r#"{"error_ratio":0.2,"delay_ms":800}"#), Ok(expected));
        assert_eq!(parse("{}"), Ok(FaultSettings::default()));
        let most = FaultSettings { error_ratio: 1.0, delay_ms: 60_000, panic_ratio: 1.0 };
        assert_eq!(parse(r#"{"error_ratio":1,"delay_ms":60000,"panic_ratio":1.0}"#), Ok(most));
    }

    #[test]
    fn every_mistake_is_named_with_its_value_and_the_right_range() {
        let json = r#"{"error_ratio":1.01,"delay_ms":60001,"panic_ratio":"often","delay":1}"#;
        let mut mistakes = parse(json).expect_err("all are wrong");
        mistakes.sort();
        assert_eq!(
            mistakes,
            [
                "delay is not a field (the fields are error_ratio, delay_ms and panic_ratio)",
                "delay_ms is 60001: must be a whole number of milliseconds from 0 to 60000",
                "error_ratio is 1.01: must be a number from 0 to 1",
                "panic_ratio is \"often\": must be a number from 0 to 1",
            ]
        );
        for wrong in [r#"{"delay_ms":-1}"#, r#"{"delay_ms":1.5}"#, r#"{"error_ratio":null}"#, r#"{"error_ratio":-0.1}"#]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn anything_but_an_object_is_refused_with_an_example() {
        for wrong in ["[]", "1", "null", "\"x\""] {
            assert!(parse(wrong).expect_err(wrong)[0].contains("error_ratio"), "{wrong}");
        }
    }
}

//! The name that the environment has for the service. It is one of lines too, so spans need not be exported.

use super::config::{Otlp, SERVICE_NAME};
use super::environment::{RESOURCE_ATTRIBUTES, variable_of_environment};
use super::variable_values::attributes;
use super::variables::Variables;

impl Otlp {
    /// The name that the environment has for the service: `OTEL_SERVICE_NAME`, or `service.name` in
    /// `OTEL_RESOURCE_ATTRIBUTES`, whether spans are exported or not. [`otlp_from_env`](crate::Redpane::otlp_from_env) makes
    /// it the app.
    #[must_use]
    pub fn service_name_from_env() -> Option<String> {
        Self::service_name_from_variables(variable_of_environment)
    }

    /// The same of variables that `look` finds. Attributes that cannot be read have no name: [`from_env`](Self::from_env) says
    /// what is wrong with them.
    #[must_use]
    pub fn service_name_from_variables(look: impl Fn(&str) -> Option<String>) -> Option<String> {
        let variables = Variables::new(&look);
        variables.get("OTEL_SERVICE_NAME").or_else(|| {
            let attributes = attributes(&variables.get(RESOURCE_ATTRIBUTES)?)?;
            attributes.into_iter().rfind(|(key, _)| key == SERVICE_NAME).map(|(_, value)| value)
        })
    }
}

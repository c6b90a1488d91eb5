//! What the bundle of the contract is made of, for the tests of its files and those of its containers.

/// Its services. Prometheus has a job for each, whose name is the `app` of its targets.
pub const SERVICES: [&str; 12] = [
    "api",
    "orders",
    "stock",
    "payment",
    "gateway",
    "alerts",
    "docker-reader",
    "prometheus",
    "loki",
    "tempo",
    "promtail",
    "grafana",
];

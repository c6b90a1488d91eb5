//! What Prometheus gets: targets with the bundle's labels, and the bundle's rules for this service alone.

use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::{Value, json};

use crate::files::{items, yaml};
use crate::helm::{Helm, KUBERNETES};

#[test]
fn targets_have_the_labels_of_the_bundle() {
    let Some(helm) = Helm::find() else { return };
    let objects = helm.everything();
    let labels = &objects.one("Deployment")["spec"]["template"]["metadata"]["labels"];
    assert_eq!(labels["logging_job"], "shop", "what the bundle's containers have as their label");
    let monitor = objects.one("ServiceMonitor");
    let selected = monitor["spec"]["selector"]["matchLabels"].as_object().expect("labels");
    let service = objects.one("Service");
    assert!(selected.iter().all(|(name, value)| &service["metadata"]["labels"][name] == value));
    let endpoint = &monitor["spec"]["endpoints"][0];
    let becomes = |label: &str| {
        let rule = items(&endpoint["relabelings"]).iter().find(|rule| rule["targetLabel"] == label);
        rule.map(|rule| rule["sourceLabels"][0].clone()).unwrap_or_default()
    };
    assert_eq!(becomes("app"), "__meta_kubernetes_pod_label_logging_job");
    assert_eq!(becomes("node"), "__meta_kubernetes_pod_node_name");
    for (values, port) in [(json!({}), "http"), (json!({"metrics": {"port": 9000}}), "metrics")] {
        let mut values = values;
        values["serviceMonitor"] = json!({"enabled": true, "labels": {"release": "kps"}});
        let objects = helm.render(values);
        assert_eq!(objects.one("ServiceMonitor")["spec"]["endpoints"][0]["port"], port);
        assert_eq!(objects.one("ServiceMonitor")["metadata"]["labels"]["release"], "kps");
        assert!(items(&objects.one("Service")["spec"]["ports"]).iter().any(|found| found["name"] == port));
        assert!(items(&objects.container()["ports"]).iter().any(|found| found["name"] == port));
        // For a Prometheus without the Operator.
        let number = if port == "http" { "8000" } else { "9000" };
        let annotations = &objects.one("Deployment")["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(annotations["prometheus.io/port"], number);
    }
}

#[test]
fn rules_are_the_bundles_narrowed_to_one_service() {
    let Some(helm) = Helm::find() else { return };
    let objects = helm.render(json!({"app": "orders", "prometheusRule": {"enabled": true, "alerts": true}}));
    let rule = objects.one("PrometheusRule");
    let mut recorded = Vec::new();
    let mut alerts = Vec::new();
    for rule in items(&rule["spec"]["groups"]).iter().flat_map(|group| items(&group["rules"])) {
        let text = rule["expr"].as_str().expect("an expression");
        let expression = parser::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut selectors = Selectors(Vec::new());
        walk_expr(&mut selectors, &expression).expect("it visits all of it");
        assert!(!selectors.0.is_empty(), "{text}");
        for selector in selectors.0 {
            let apps: Vec<_> = selector.matchers.matchers.iter().filter(|matcher| matcher.name == "app").collect();
            let narrowed = apps.iter().any(|matcher| matcher.op == MatchOp::Equal && matcher.value == "orders");
            assert!(narrowed, "reads the series of all services: {text}");
        }
        let list = if rule["record"].is_null() { &mut alerts } else { &mut recorded };
        list.push(rule["record"].as_str().or(rule["alert"].as_str()).expect("a name").to_owned());
    }
    let bundle = yaml("prometheus-rules.yml");
    let of_services = items(&bundle["groups"]).iter().filter(|group| {
        ["redpane-requests", "redpane-slo-short", "redpane-slo-long"].iter().any(|name| group["name"] == *name)
    });
    let expected: Vec<&str> =
        of_services.flat_map(|group| items(&group["rules"])).filter_map(|rule| rule["record"].as_str()).collect();
    assert_eq!(recorded, expected);
    for alert in ["Any5xx", "P99Over1S", "AvailabilityFastBurn", "LatencySlowBurn", "LogLinesDropped", "SeriesOverflow"]
    {
        assert!(alerts.iter().any(|found| found == alert), "{alert} is missing: {alerts:?}");
    }
}

/// Collects what an expression selects.
struct Selectors(Vec<VectorSelector>);

impl ExprVisitor for Selectors {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        match expression {
            Expr::VectorSelector(selector) => self.0.push(selector.clone()),
            Expr::MatrixSelector(matrix) => self.0.push(matrix.vs.clone()),
            _ => {}
        }
        Ok(true)
    }
}

#[test]
fn alerts_lead_to_dashboards_and_runbooks_where_grafana_has_an_address() {
    let Some(helm) = Helm::find() else { return };
    let alerts = |url: &str| -> Vec<Value> {
        let values = json!({"prometheusRule": {"enabled": true, "alerts": true}, "grafana": {"url": url}});
        let objects = helm.render_for(values, KUBERNETES, &[]);
        let groups = objects.one("PrometheusRule")["spec"]["groups"].clone();
        let rules = items(&groups).iter().flat_map(|group| items(&group["rules"]).to_vec()).collect::<Vec<_>>();
        rules.into_iter().filter(|rule| !rule["alert"].is_null()).collect()
    };
    for alert in alerts("https://grafana.example.org/") {
        for link in ["runbook_url", "dashboard_url", "logs_url"] {
            let link = alert["annotations"][link].as_str().unwrap_or_default();
            assert!(link.contains("https://grafana.example.org/") && !link.contains("externalURL"), "{alert}");
        }
        assert!(alert["annotations"]["runbook_url"].as_str().is_some_and(|url| url.contains("/d/redpane-runbooks")));
        assert!(["page", "ticket"].iter().any(|severity| alert["labels"]["severity"] == *severity), "{alert}");
    }
    assert!(alerts("").iter().all(|alert| alert["annotations"]["runbook_url"].is_null()), "a link that leads nowhere");
}

#[test]
fn the_hpa_scales_by_processor_and_by_requests() {
    let Some(helm) = Helm::find() else { return };
    let objects = helm.render(json!({"autoscaling": {"enabled": true, "requestsPerSecond": 100}}));
    assert!(objects.one("Deployment")["spec"]["replicas"].is_null(), "an upgrade would undo what the HPA decided");
    let metrics = objects.one("HorizontalPodAutoscaler")["spec"]["metrics"].clone();
    assert_eq!(
        metrics[0]["resource"],
        json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}})
    );
    let requests = json!({"metric": {"name": "http_requests_per_second"}, "target": {"type": "AverageValue", "averageValue": "100"}});
    assert_eq!(metrics[1]["pods"], requests);
    assert_eq!(helm.render(json!({})).one("Deployment")["spec"]["replicas"], 2);
}

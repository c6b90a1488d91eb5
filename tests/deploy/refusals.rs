//! Bad values: Helm refuses them with a message that names the value.

use serde_json::{Value, json};

use crate::helm::{Helm, KUBERNETES};

/// Values, and what the message must have: where, and what is wrong or would be right.
fn refused() -> Vec<(Value, [&'static str; 2])> {
    vec![
        (json!({"replica": 3}), ["replica", "not allowed"]),
        (json!({"replicas": "3"}), ["/replicas", "integer"]),
        (json!({"image": {"tag": 1.2}}), ["/image/tag", "string"]),
        (json!({"image": {"repository": ""}}), ["/image/repository", "does not match"]),
        (json!({"image": {"repository": "example.org/shop:1.2"}, "app": "my shop"}), ["/app", "does not match"]),
        (json!({"containerPort": 0}), ["/containerPort", "minimum"]),
        (json!({"metrics": {"port": 70000}}), ["/metrics/port", "maximum"]),
        (json!({"metrics": {"path": "metrics"}}), ["/metrics/path", "does not match"]),
        (json!({"settings": {"REDPANE_BODY_LIMIT": "3x"}}), ["/settings/REDPANE_BODY_LIMIT", "'3x'"]),
        (json!({"settings": {"REDPANE_REQUEST_TIMEOUT": "30"}}), ["/settings/REDPANE_REQUEST_TIMEOUT", "'30'"]),
        (json!({"settings": {"REDPANE_LISTN": "0.0.0.0:80"}}), ["/settings", "'REDPANE_LISTN' not allowed"]),
        (json!({"settings": {"REDPANE_LOG_FORMAT": "xml"}}), ["/settings/REDPANE_LOG_FORMAT", "'json', 'pretty'"]),
        (json!({"settings": {"REDPANE_SERIES_LIMIT": 0}}), ["/settings/REDPANE_SERIES_LIMIT", "minimum"]),
        (json!({"settings": {"REDPANE_ACCESS_SAMPLE": 2}}), ["/settings/REDPANE_ACCESS_SAMPLE", "maximum"]),
        (json!({"env": [{"value": "1"}]}), ["/env/0", "'name'"]),
        (json!({"tracing": {"endpoint": "alloy:4318"}}), ["/tracing/endpoint", "does not match"]),
        (json!({"shutdown": {"pauseBy": "sh"}}), ["/shutdown/pauseBy", "'sleep'"]),
        (json!({"service": {"type": "ExternalName"}}), ["/service/type", "'ClusterIP'"]),
        (json!({"serviceMonitor": {"enabled": "yes"}}), ["/serviceMonitor/enabled", "'auto'"]),
        (json!({"autoscaling": {"requestsPerSecond": 0}}), ["/autoscaling/requestsPerSecond", "got 0"]),
        (json!({"networkPolicy": {"from": [{"ipblock": {}}]}}), ["/networkPolicy/from/0", "'ipblock'"]),
        (json!({"grafana": {"dashboards": {"files": ["services"]}}}), ["/grafana/dashboards/files/0", "'service'"]),
        (json!({"grafana": {"url": "grafana"}}), ["/grafana/url", "does not match"]),
        (json!({"resources": {"limits": {"memory": "plenty"}}}), ["/resources/limits/memory", "'plenty'"]),
        // What a schema cannot say, because two values are compared.
        (json!({"resources": {"limits": {"memory": "128Mi"}}}), ["\"128Mi\": must be at least four times", "256Mi"]),
        (json!({"settings": {"REDPANE_CLIENT_MEMORY": "1GiB"}}), ["REDPANE_CLIENT_MEMORY (\"1GiB\")", "4096Mi"]),
        (
            json!({"autoscaling": {"enabled": true, "cpuPercent": null}}),
            ["autoscaling.cpuPercent", "requestsPerSecond"],
        ),
        (json!({"autoscaling": {"enabled": true, "minReplicas": 30}}), ["minReplicas is 30", "at most"]),
        (
            json!({"autoscaling": {"enabled": true}, "resources": {"requests": {"cpu": null}}}),
            ["resources.requests.cpu", "not set"],
        ),
        (json!({"resources": {"requests": {"memory": "1Gi"}}}), ["resources.requests.memory is \"1Gi\"", "256Mi"]),
        (json!({"terminationGracePeriodSeconds": 49}), ["terminationGracePeriodSeconds is 49", "50"]),
        (json!({"service": {"externalTrafficPolicy": "Local"}}), ["service.externalTrafficPolicy", "NodePort"]),
        (json!({"service": {"nodePort": 30080}}), ["service.nodePort", "NodePort or LoadBalancer"]),
        (
            json!({"service": {"type": "NodePort", "loadBalancerClass": "a"}}),
            ["service.loadBalancerClass", "type LoadBalancer"],
        ),
        (
            json!({"service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0"]}}),
            ["/service/loadBalancerSourceRanges/0", "does not match"],
        ),
        (json!({"networkPolicy": {"egress": [{"podSelector": {}}]}}), ["/networkPolicy/egress/0", "'podSelector'"]),
        (json!({"networkPolicy": {"egress": [{}]}}), ["/networkPolicy/egress/0", "minProperties"]),
        (json!({"networkPolicy": {"from": [{}]}}), ["/networkPolicy/from/0", "minProperties"]),
        (json!({"networkPolicy": {"metricsFrom": [{"podSelector": {}}]}}), ["metricsFrom", "needs metrics.port"]),
        (json!({"service": {"port": 9100}, "metrics": {"port": 9100}}), ["service.port", "both 9100"]),
        (json!({"podLabels": {"app.kubernetes.io/instance": "y"}}), ["podLabels", "left out"]),
        (json!({"updateStrategy": {"rollingUpdate": {"maxSurge": 0}}}), ["maxSurge", "both 0"]),
        (json!({"settings": {"REDPANE_BODY_LIMIT": "128MiB"}}), ["REDPANE_BODY_LIMIT is \"128MiB\"", "64MiB"]),
        (json!({"settings": {"REDPANE_LISTEN": "0.0.0.0:9000"}}), ["settings.REDPANE_LISTEN", "set containerPort"]),
        (json!({"settings": {"REDPANE_METRICS_LISTEN": "0.0.0.0:9"}}), ["REDPANE_METRICS_LISTEN", "metrics.port"]),
        (json!({"settings": {"REDPANE_APP": "shop"}}), ["settings.REDPANE_APP", "set app"]),
        (
            json!({"env": [{"name": "REDPANE_SHUTDOWN_GRACE", "value": "5m"}]}),
            ["env: REDPANE_SHUTDOWN_GRACE", "set settings.REDPANE_SHUTDOWN_GRACE"],
        ),
        (json!({"env": [{"name": "REDPANE_LAST_SCRAPE", "value": "5m"}]}), ["env", "settings.REDPANE_LAST_SCRAPE"]),
        (json!({"env": [{"name": "POD_NAME", "value": "a"}]}), ["env: POD_NAME", "another name"]),
        (
            json!({"env": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://a:4318"}], "tracing": {"endpoint": "http://b:4318"}}),
            ["OTEL_EXPORTER_OTLP_ENDPOINT", "tracing.endpoint"],
        ),
    ]
}

#[test]
fn a_bad_value_is_refused_by_its_name() {
    let Some(helm) = Helm::find() else { return };
    for (values, parts) in refused() {
        let message = helm.text(&values, KUBERNETES, &[]).expect_err(&values.to_string());
        for part in parts {
            assert!(message.contains(part), "{values}: {part} is missing in: {message}");
        }
    }
}

#[test]
fn values_that_look_odd_and_are_right_are_taken() {
    let Some(helm) = Helm::find() else { return };
    for values in [
        json!({"image": {"repository": "registry.example.org:5000/team/shop", "tag": "v1.2_rc.3"}}),
        json!({"settings": {"REDPANE_CLIENT_MEMORY": null, "REDPANE_SHUTDOWN_GRACE": "1m 30s"}}),
        json!({"settings": {"REDPANE_BODY_LIMIT": 65536, "REDPANE_TRACE_KEEP": "errors, slow"}}),
        json!({"settings": {"REDPANE_CLIENT_MEMORY": "1GB"}, "resources": {"limits": {"memory": "4G"}}}),
        json!({"resources": {"limits": null}}),
        json!({"metrics": {"port": 8000}}),
        json!({"metrics": {"port": 9100}, "service": {"port": 9100, "type": "NodePort"}}),
        json!({"terminationGracePeriodSeconds": 50}),
        json!({"terminationGracePeriodSeconds": 25, "shutdown": {"pauseBy": "none"}, "settings": {"REDPANE_LAST_SCRAPE": "0s"}}),
        json!({"updateStrategy": {"type": "Recreate"}}),
        json!({"networkPolicy": {"egress": [{"to": [{"podSelector": {}}], "ports": [{"port": 5432}]}]}}),
        json!({"env": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://alloy:4318"}]}),
        json!({"global": {"anything": true}}),
    ] {
        helm.text(&values, KUBERNETES, &[]).unwrap_or_else(|error| panic!("{values}: {error}"));
    }
}

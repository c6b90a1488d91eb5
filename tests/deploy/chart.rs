//! The chart's files: whose they are, and that Helm takes them along.

use std::process::Command;

use serde_json::{Value, json};

use crate::files::{self, CHART, items, names, texts, yaml};
use crate::helm::Helm;
use crate::manifests::Manifests;

/// Files of the chart that are the bundle's own: links, which Helm follows when it reads and packages a chart.
const OF_THE_BUNDLE: [(&str, &str); 4] = [
    ("files/dashboards", "grafana/dashboards"),
    ("files/alerting", "grafana/provisioning/alerting"),
    ("files/datasources.yaml", "grafana/provisioning/datasources/redpane.yaml"),
    ("files/prometheus-rules.yml", "prometheus-rules.yml"),
];
/// The bundle's groups that are about services.
const GROUPS: [&str; 3] = ["redpane-requests", "redpane-slo-short", "redpane-slo-long"];
/// The bundle's alerts outside of its files for services that are about services all the same.
const LOSSES: [&str; 3] = ["no-metrics", "log-lines-dropped", "series-overflow"];

#[test]
fn dashboards_rules_and_runbooks_are_the_bundles_own() {
    for (link, of_the_bundle) in OF_THE_BUNDLE {
        let link = files::path(CHART).join(link);
        assert!(link.is_symlink(), "{} is a copy", link.display());
        let target = link.canonicalize().expect("the link leads somewhere");
        assert_eq!(target, files::path(of_the_bundle).canonicalize().expect("the bundle is here"));
    }
    let values = yaml(&format!("{CHART}/values.yaml"));
    let mut installed: Vec<String> =
        texts(&values["grafana"]["dashboards"]["files"]).iter().map(|name| format!("{name}.json")).collect();
    installed.sort();
    assert_eq!(installed, names("grafana/dashboards"), "the dashboards of values.yaml");
}

#[test]
fn groups_and_alerts_that_the_chart_names_exist() {
    let rules = yaml("prometheus-rules.yml");
    for group in GROUPS {
        assert!(items(&rules["groups"]).iter().any(|found| found["name"] == group), "{group}");
        assert!(files::text(&format!("{CHART}/templates/prometheusrule.yaml")).contains(group), "{group}");
    }
    let stack = yaml("grafana/provisioning/alerting/rules-stack.yaml");
    let uids: Vec<&Value> =
        items(&stack["groups"]).iter().flat_map(|group| items(&group["rules"])).map(|rule| &rule["uid"]).collect();
    for uid in LOSSES {
        assert!(uids.iter().any(|found| *found == uid), "{uid}");
        assert!(files::text(&format!("{CHART}/templates/_rules.tpl")).contains(uid), "{uid}");
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    let chart = yaml(&format!("{CHART}/Chart.yaml"));
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn helm_finds_nothing_wrong() {
    let Some(helm) = Helm::find() else { return };
    helm.run(&[&"lint", &"--strict", &files::path(CHART)]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn config_maps_are_the_bundles_files() {
    let Some(helm) = Helm::find() else { return };
    the_bundles(&helm.everything());
}

/// Helm takes names that are booleans or numbers of YAML.
#[test]
fn a_release_may_have_the_name_of_a_boolean_or_a_number() {
    let Some(helm) = Helm::find() else { return };
    let values = "autoscaling.enabled=true,serviceMonitor.enabled=true,prometheusRule.enabled=true";
    for release in ["true", "null", "1e3"] {
        let arguments: [&dyn AsRef<std::ffi::OsStr>; 5] =
            [&"template", &release, &files::path(CHART), &"--set", &values];
        let printed = helm.run(&arguments).unwrap_or_else(|error| panic!("{error}"));
        for object in Manifests::parse(&printed).all() {
            assert!(object["metadata"]["name"].is_string(), "{release}: {}", object["metadata"]);
            let labels = object["metadata"]["labels"].as_object().expect("labels");
            assert!(labels.values().all(Value::is_string), "{release}: {labels:?}");
        }
    }
}

/// The longest that Helm allows, of which the beginning is the same.
#[test]
fn releases_with_long_names_do_not_share_objects() {
    let Some(helm) = Helm::find() else { return };
    let names = |release: &str| -> Vec<String> {
        let arguments: [&dyn AsRef<std::ffi::OsStr>; 6] = [
            &"template",
            &release,
            &files::path(CHART),
            &"--set",
            &"grafana.datasources.enabled=true",
            &"--skip-tests",
        ];
        let printed = helm.run(&arguments).unwrap_or_else(|error| panic!("{error}"));
        let objects = Manifests::parse(&printed);
        let name = |object: &&Value| object["metadata"]["name"].as_str().expect("a name").to_owned();
        objects.of("ConfigMap").iter().map(name).collect()
    };
    let beginning = "payments-team-checkout-gateway-production-europe";
    let (one, other) = (names(&format!("{beginning}-one")), names(&format!("{beginning}-two")));
    assert!(one.len() > 7, "{one:?}");
    assert!(one.iter().all(|name| !other.contains(name)), "{one:?} {other:?}");
}

#[test]
fn data_sources_are_the_bundles_at_other_addresses() {
    let Some(helm) = Helm::find() else { return };
    let urls = json!({"prometheus": "http://p:1", "loki": "http://l:2", "tempo": "http://t:3"});
    let values =
        json!({"grafana": {"datasources": {"enabled": true, "urls": urls}}, "serviceMonitor": {"interval": "30s"}});
    let objects = helm.render(values);
    let installed = files::documents(objects.file("redpane.yaml").expect("data sources"), "redpane.yaml").remove(0);
    let mut expected = yaml("grafana/provisioning/datasources/redpane.yaml");
    for source in expected["datasources"].as_array_mut().expect("a list") {
        source["url"] = urls[source["uid"].as_str().expect("a uid")].clone();
        if source["uid"] == "prometheus" {
            source["jsonData"]["timeInterval"] = json!("30s");
        }
    }
    assert_eq!(installed, expected);
    assert!(helm.render(json!({})).file("redpane.yaml").is_none(), "Grafana's chart may have its own");
}

#[test]
fn a_packaged_chart_has_all_that_the_folder_has() {
    let Some(helm) = Helm::find() else { return };
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("chart");
    helm.run(&[&"package", &files::path(CHART), &"--destination", &folder]).unwrap_or_else(|error| panic!("{error}"));
    let archive = folder.join(concat!("redpane-", env!("CARGO_PKG_VERSION"), ".tgz"));
    let printed = helm.run(&[&"template", &"shop", &archive]).unwrap_or_else(|error| panic!("{error}"));
    the_bundles(&Manifests::parse(&printed));
    let listed = Command::new("tar").arg("--list").arg("--file").arg(&archive).output().expect("tar starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("files/alerting/rules-service.yaml"), "{listed}");
    // Receivers and routes of the bundle's Grafana may have addresses in them.
    assert!(!listed.contains("contact-points") && !listed.contains("policies"), "{listed}");
}

/// Each dashboard and each alert of the objects is what the bundle has, to the letter or as a value.
fn the_bundles(objects: &Manifests) {
    for dashboard in names("grafana/dashboards") {
        let installed =
            objects.file(&format!("redpane-{dashboard}")).unwrap_or_else(|| panic!("{dashboard} is missing"));
        assert_eq!(installed, files::text(&format!("grafana/dashboards/{dashboard}")), "{dashboard}");
    }
    for rules in ["rules-service.yaml", "rules-objectives.yaml"] {
        let installed = objects.file(&format!("redpane-{rules}"));
        assert_eq!(installed, Some(&*files::text(&format!("grafana/provisioning/alerting/{rules}"))), "{rules}");
    }
    let installed = objects.file("redpane-rules-losses.yaml").expect("alerts about losses");
    let installed = files::documents(installed, "redpane-rules-losses.yaml").remove(0);
    assert_eq!(installed["apiVersion"], 1);
    let of = |value: &Value| -> Vec<Value> {
        items(&value["groups"]).iter().flat_map(|group| items(&group["rules"])).cloned().collect()
    };
    let expected: Vec<Value> = of(&yaml("grafana/provisioning/alerting/rules-stack.yaml"))
        .into_iter()
        .filter(|rule| LOSSES.iter().any(|uid| rule["uid"] == *uid))
        .collect();
    assert_eq!(json!(of(&installed)), json!(expected));
}

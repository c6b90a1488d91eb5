//! The Stack dashboard divides memory by the limits of the compose files, which no program exports: they stand in both, and in the
//! panel's description. Alloy answers as `promtail`, with a limit of its own.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::compose::bytes;
use crate::files::{Bundle, items, scalar};
use crate::findings::Findings;

const STACK: &str = "grafana/dashboards/stack.json";
/// How a query chooses Alloy where it runs in Promtail's place.
const ALLOY: &str = "and on (instance) alloy_build_info";

pub(crate) fn shown(bundle: &Bundle, main: &Value, findings: &mut Findings) {
    let dashboard = bundle.value(STACK, findings).unwrap_or_default();
    let panel = items(&dashboard["panels"]).iter().position(|panel| panel["title"] == "Memory against limits");
    let Some(panel) = panel else { return findings.add(STACK, "panels", "has no panel \"Memory against limits\"") };
    let alloy = bundle.value("docker-compose.alloy.yml", findings).unwrap_or_default();
    let description = scalar(&dashboard["panels"][panel]["description"]);
    let mut programs = BTreeSet::new();
    for (index, target) in items(&dashboard["panels"][panel]["targets"]).iter().enumerate() {
        let path = format!("panels[{panel}].targets[{index}].expr");
        for share in target["expr"].as_str().unwrap_or_default().split(" or ") {
            let app = share.split("app=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            let is_alloy = share.contains(ALLOY);
            let (name, service) =
                if is_alloy { ("Alloy", &alloy["services"]["alloy"]) } else { (app, &main["services"][app]) };
            programs.insert(name);
            let limit = bytes(&service["deploy"]["resources"]["limits"]["memory"]).map(|limit| limit >> 20);
            let agrees = limit.is_some_and(|limit| share.ends_with(&format!("/ ({limit} * 1024 * 1024)")));
            findings.expect(
                agrees,
                STACK,
                &path,
                format!("must divide by the memory limit of {name:?}: {limit:?} MiB"),
            );
            let said = limit.is_some_and(|limit| description.contains(&format!("{name} {limit} MiB")));
            let fault = format!("must say the limit of {name}: {limit:?} MiB");
            findings.expect(said, STACK, &format!("panels[{panel}].description"), fault);
        }
    }
    let fault = "has no share for Alloy, whose limit is not Promtail's";
    findings.expect(programs.contains("Alloy"), STACK, &format!("panels[{panel}].targets"), fault);
}

//! What is deployed on more than one machine: the chart, and the configurations of the engines beside it.
//!
//! Files are judged everywhere. What Helm makes of the chart needs `helm` and `kubeconform` on the PATH: those tests say so and pass,
//! unless `REDPANE_TEST_REQUIRE` names the tool. kubeconform takes its schemas from the internet, or from the folder that
//! `REDPANE_KUBERNETES_SCHEMAS` names (deploy/test/schemas makes one).

mod alloy;
mod alloy_text;
mod chart;
mod check_request;
mod combinations;
mod engines;
mod files;
mod helm;
mod kubeconform;
mod manifests;
mod operator;
mod pods;
mod proof;
mod proof_engines;
mod refusals;
mod release;
mod values;

//! Methods that the builder was told of.

use redpane::{GrpcMethod, Redpane};
use test_support::{Line, Observed};

use super::{called, declared, handled};

#[tokio::test]
async fn a_declared_method_has_all_its_series_before_its_first_call() {
    let observed = Observed::with(declared);
    let samples = observed.samples();
    assert_eq!(samples.of("grpc_server_handled_total", &[]).count(), 5 * 17);
    for (method, kind) in
        [("Refused", "unary"), ("Two", "server_stream"), ("Upload", "client_stream"), ("Chat", "bidi_stream")]
    {
        let labels = [("grpc_method", method), ("grpc_type", kind), ("grpc_code", "Internal")];
        assert_eq!(samples.value("grpc_server_handled_total", &labels), 0.0);
        let labels = [("method", "POST"), ("route", &*format!("/shop.Orders/{method}")), ("status", "500")];
        assert_eq!(samples.value("http_requests_total", &labels), 0.0);
    }
}

/// Without the declaration both are `unmatched`: nobody knows whether there is such a method.
#[tokio::test]
async fn a_declared_method_that_only_fails_has_its_route_and_its_codes() {
    let observed = Observed::with(declared);
    called(&observed, "Refused", None).await;
    called(&observed, "Pending", Some(("grpc-timeout", "20m"))).await;
    let lines = observed.access_lines(2).await;
    let said: Vec<_> = lines.iter().map(|line: &Line| [line.str("route"), line.str("grpc_code")]).collect();
    let expected = [["/shop.Orders/Refused", "Unimplemented"], ["/shop.Orders/Pending", "DeadlineExceeded"]];
    assert_eq!(said, expected);
    for [route, code] in expected {
        assert_eq!(handled(&observed.samples(), route, code), 1.0);
    }
}

#[tokio::test]
async fn a_method_that_is_declared_to_stream_does_so_from_its_first_call_on() {
    let observed = Observed::with(declared);
    called(&observed, "Two", None).await;
    assert_eq!(observed.only_request().await.get("grpc_code"), None);
    assert_eq!(observed.messages("stream", 1).await[0].str("grpc_code"), "OK");
}

#[test]
fn methods_that_cannot_be_are_named() {
    let of = |service: &str, method| Redpane::new("test").grpc_service(service, [GrpcMethod::unary(method)]);
    for (redpane, expected) in [
        (of("/shop.Orders", "Take"), "grpc_service(\"/shop.Orders\", \"Take\"): names as in the path of a call"),
        (of("shop.Orders", "shop.Orders/Take"), "names as in the path of a call"),
        (of("", "Take"), "names as in the path of a call"),
        (of("s.O", "T").grpc_service("s.O", [GrpcMethod::bidi_streaming("T")]), "this method is declared already"),
    ] {
        let error = redpane.build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

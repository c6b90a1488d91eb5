//! Tests of the variables.

use std::time::Duration;

use super::super::sampler::Sampler;
use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<Otlp>, EnvironmentError> {
    let found = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Otlp::from_variables(found)
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:4318");

#[test]
fn without_an_endpoint_or_switched_off_there_is_nothing() {
    for variables in [
        &[][..],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
        &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
        &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
        &[ENDPOINT, ("OTEL_TRACES_EXPORTER", " None ,")],
        &[("OTEL_TRACES_EXPORTER", "otlp")],
    ] {
        assert!(read(variables).unwrap().is_none(), "{variables:?}");
    }
    assert!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "false")]).unwrap().is_some());
}

/// Nobody who asks for lines on a console wants their spans sent somewhere.
#[test]
fn other_exporters_than_otlp_export_nothing_and_are_named() {
    for (list, is_off) in [("console", true), ("zipkin,console", true), ("console, OTLP", false), ("otlp,none", false)]
    {
        let otlp = read(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", list)]).unwrap().unwrap();
        assert_eq!(otlp.is_off(), is_off, "{list}");
        assert_eq!(
            otlp.notes.iter().any(|note| note.contains(list)),
            list.to_lowercase().contains("console"),
            "{list}"
        );
    }
    assert!(read(&[("OTEL_TRACES_EXPORTER", "console")]).unwrap().unwrap().is_off(), "also without an endpoint");
    assert!(!read(&[ENDPOINT]).unwrap().unwrap().is_off());
}

#[test]
fn an_endpoint_is_a_base_or_of_traces() {
    for (variables, expected) in [
        (&[ENDPOINT][..], "http://tempo:4318/v1/traces"),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a/base/")], "http://a/base/v1/traces"),
        (&[ENDPOINT, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/as/it/is")], "http://b/as/it/is"),
    ] {
        assert_eq!(read(variables).unwrap().unwrap().endpoint, expected);
    }
}

#[test]
fn every_variable_is_read() {
    let otlp = read(&[
        ENDPOINT,
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, x=y"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4096"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment%2Eenvironment=a%20b"),
        ("OTEL_SERVICE_NAME", "orders"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
    ]);
    let otlp = otlp.unwrap().unwrap();
    assert_eq!(otlp.headers, [("api-key".into(), "a,b".into()), ("x".into(), "y".into())]);
    assert_eq!((otlp.timeout, otlp.gzip), (Duration::from_millis(1500), true));
    assert_eq!(otlp.sampler, Sampler::by_name("traceidratio", 0.25).unwrap());
    assert_eq!((otlp.delay, otlp.batch_spans, otlp.max_spans), (Duration::from_millis(100), 64, 4096));
    assert!(otlp.give_up_after.unwrap().as_secs() > 1_000_000);
    assert_eq!(otlp.resource, [("deployment.environment".into(), "a b".into())]);
    assert_eq!(otlp.notes.len(), 2, "{:?}", otlp.notes);
}

#[test]
fn the_service_has_its_name_whether_spans_are_exported_or_not() {
    const NAME: (&str, &str) = ("OTEL_SERVICE_NAME", "orders");
    const ATTRIBUTES: (&str, &str) = ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=my%20shop");
    const OFF: (&str, &str) = ("OTEL_SDK_DISABLED", "true");
    for (variables, expected) in [
        (&[NAME][..], Some("orders")),
        (&[ATTRIBUTES], Some("my shop")),
        (&[ATTRIBUTES, NAME, ENDPOINT], Some("orders")),
        (&[ATTRIBUTES, ENDPOINT, OFF], Some("my shop")),
        (&[("OTEL_RESOURCE_ATTRIBUTES", "service.name")], None),
        (&[ENDPOINT], None),
    ] {
        let found =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Otlp::service_name_from_variables(found).as_deref(), expected, "{variables:?}");
    }
}

#[test]
fn names_of_the_specification_are_read_in_any_case() {
    let otlp = read(&[
        ENDPOINT,
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZip"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/protobuf"),
        ("OTEL_TRACES_EXPORTER", "OTLP"),
        ("OTEL_TRACES_SAMPLER", "Always_Off"),
        ("OTEL_PROPAGATORS", "TraceContext,baggage"),
    ]);
    let otlp = otlp.unwrap().unwrap();
    assert_eq!((otlp.gzip, otlp.sampler), (true, Sampler::by_name("always_off", 1.0).unwrap()));
    assert!(otlp.notes.is_empty(), "{:?}", otlp.notes);
    assert!(read(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "None")]).unwrap().is_none());
}

#[test]
fn other_propagators_are_named() {
    let otlp = read(&[ENDPOINT, ("OTEL_PROPAGATORS", "tracecontext,b3")]).unwrap().unwrap();
    assert_eq!(
        otlp.notes,
        ["OTEL_PROPAGATORS=tracecontext,b3 is not supported: tracecontext and baggage are passed on"]
    );
}

#[test]
fn a_password_in_an_endpoint_is_refused_and_not_told() {
    let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ada:s3cret@a")]).unwrap_err().to_string();
    assert!(error.contains("OTEL_EXPORTER_OTLP_ENDPOINT=\"http://…@a\"") && !error.contains("s3cret"), "{error}");
    let otlp = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a?key=s3cret")]).unwrap().unwrap();
    assert_eq!((otlp.endpoint(), &*otlp.endpoint), ("http://a/v1/traces", "http://a/v1/traces?key=s3cret"));
    assert!(!format!("{otlp:?}").contains("s3cret"));
}

/// A colon in place of the first `=`, a comma in a value, a value that is taken for a name: whatever is wrong, no part of a
/// list of headers is told.
#[test]
fn headers_that_cannot_be_read_tell_nothing_of_themselves() {
    for (list, bad) in [
        ("Authorization: Basic dXNlcjpwYXNz==", "1 of 1 is"),
        ("authorization=Bearer dXNl,cjpwYXNz==,dXNlcjpwYXNz", "3 of 3 is"),
        ("a=b,dXNlcjpwYXNz:=c,api-key", "2 and 3 of 3 are"),
        ("dXNlcjpwYXNz=%0a", "1 of 1 is"),
        ("=dXNlcjpwYXNz", "1 of 1 is"),
    ] {
        let error = read(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", list)]).unwrap_err().to_string();
        assert!(["dXNl", "cjpw"].iter().all(|secret| !error.contains(secret)), "{error}");
        assert!(error.contains(bad) && error.contains("name=value"), "{error}");
    }
}

#[test]
fn one_error_names_every_bad_variable_and_no_secret() {
    let error = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "tempo"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret,s3cret"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "x"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
        ("OTEL_RESOURCE_ATTRIBUTES", "no pair"),
        ("OTEL_SDK_DISABLED", "maybe"),
    ]);
    let error = error.unwrap_err();
    assert_eq!(error.problems().len(), 10, "{error}");
    let text = error.to_string();
    assert!(text.contains("OTEL_TRACES_SAMPLER_ARG=\"2\": a ratio is a number from 0 to 1"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    assert!(text.contains("OTEL_EXPORTER_OTLP_HEADERS=\"…\": pair 2 of 2 is not right"), "{text}");
    let sampler = read(&[ENDPOINT, ("OTEL_TRACES_SAMPLER", "sometimes")]).unwrap_err();
    assert!(sampler.to_string().contains("OTEL_TRACES_SAMPLER=\"sometimes\": a sampler is one of always_on"));
}

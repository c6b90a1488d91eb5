//! PromQL: it parses, and names only metrics, labels and bucket bounds that exist.

use std::collections::BTreeSet;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, AggregateExpr, Expr, LabelModifier, VectorSelector};

use crate::findings::Findings;
use crate::metrics::Known;
use crate::queries::{Language, Query};

/// Labels that targets have on Kubernetes and not in the bundle. A query may keep them where they are; one that selects or matches by them
/// finds nothing in the bundle.
const CLUSTER_LABELS: [&str; 3] = ["namespace", "pod", "node"];

pub(crate) fn check(queries: &[Query], known: &Known, findings: &mut Findings) {
    for query in queries.iter().filter(|query| query.language == Language::PromQl) {
        match parser::parse(&query.text) {
            Ok(expression) => {
                for fault in faults(&expression, known) {
                    findings.add(&query.file, &query.path, format!("{fault}: {}", query.text.trim()));
                }
            }
            Err(error) => {
                findings.add(&query.file, &query.path, format!("is no PromQL: {error}: {}", query.text.trim()));
            }
        }
    }
}

fn faults(expression: &Expr, known: &Known) -> Vec<String> {
    let mut faults = Vec::new();
    for selector in selectors(expression) {
        selector_faults(selector, known, &mut faults);
    }
    let everywhere = labels(expression, known);
    visit(expression, &mut |part| match part {
        Expr::Aggregate(AggregateExpr { modifier: Some(modifier), expr, .. }) => {
            let named = modifier.labels().labels.iter().filter(|label| !CLUSTER_LABELS.contains(&label.as_str()));
            missing(named, &labels(expr, known), &mut faults);
        }
        Expr::Binary(binary) => {
            let modifier = binary.modifier.as_ref();
            let matching = modifier.and_then(|modifier| modifier.matching.as_ref()).map(LabelModifier::labels);
            let group = modifier.and_then(|modifier| modifier.card.labels());
            missing(matching.into_iter().chain(group).flat_map(|named| &named.labels), &everywhere, &mut faults);
        }
        _ => {}
    });
    faults
}

fn missing<'a>(named: impl Iterator<Item = &'a String>, known: &BTreeSet<String>, faults: &mut Vec<String>) {
    faults.extend(
        named.filter(|label| !known.contains(*label)).map(|label| format!("nothing has a label {label:?} here")),
    );
}

fn selector_faults(selector: &VectorSelector, known: &Known, faults: &mut Vec<String>) {
    let names = metric_names(selector, known);
    if names.is_empty() {
        faults.push(format!("no metric {:?}", selector.name.clone().unwrap_or_else(|| selector.matchers.to_string())));
        return;
    }
    for matcher in matchers(selector).filter(|matcher| matcher.name != "__name__") {
        for metric in names.iter().filter_map(|name| known.get(name)) {
            if !metric.labels.contains(&matcher.name) {
                faults.push(format!("{} has no label {:?}", names.join(", "), matcher.name));
            } else if matcher.name == "le" && matcher.op == MatchOp::Equal && !metric.bounds.is_empty() {
                let bounded = metric.bounds.contains(&matcher.value);
                faults.extend((!bounded).then(|| format!("{} has no bucket le={:?}", names.join(", "), matcher.value)));
            }
        }
    }
}

/// Metrics that a selector names, directly or by a matcher of `__name__`.
fn metric_names<'a>(selector: &VectorSelector, known: &'a Known) -> Vec<&'a str> {
    known
        .names()
        .filter(|name| match &selector.name {
            Some(wanted) => wanted == name,
            None => {
                matchers(selector).filter(|matcher| matcher.name == "__name__").all(|matcher| matcher.is_match(name))
            }
        })
        .collect()
}

fn matchers(selector: &VectorSelector) -> impl Iterator<Item = &Matcher> {
    selector.matchers.matchers.iter().chain(selector.matchers.or_matchers.iter().flatten())
}

/// Labels that series of an expression may have: those of its metrics, and those that functions make.
fn labels(expression: &Expr, known: &Known) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for selector in selectors(expression) {
        let names = metric_names(selector, known);
        found.extend(
            names.into_iter().filter_map(|name| known.get(name)).flat_map(|metric| metric.labels.iter().cloned()),
        );
    }
    visit(expression, &mut |part| {
        if let Expr::Call(call) = part
            && matches!(call.func.name, "label_replace" | "label_join")
            && let Some(Expr::StringLiteral(made)) = call.args.args.get(1).map(AsRef::as_ref)
        {
            found.insert(made.val.clone());
        }
    });
    found
}

fn selectors(expression: &Expr) -> Vec<&VectorSelector> {
    let mut found = Vec::new();
    visit(expression, &mut |part| match part {
        Expr::VectorSelector(selector) => found.push(selector),
        Expr::MatrixSelector(selector) => found.push(&selector.vs),
        _ => {}
    });
    found
}

/// Calls `visitor` with an expression and everything inside it.
fn visit<'a>(expression: &'a Expr, visitor: &mut dyn FnMut(&'a Expr)) {
    visitor(expression);
    match expression {
        Expr::Aggregate(aggregate) => {
            visit(&aggregate.expr, visitor);
            aggregate.param.iter().for_each(|parameter| visit(parameter, visitor));
        }
        Expr::Unary(unary) => visit(&unary.expr, visitor),
        Expr::Binary(binary) => [&binary.lhs, &binary.rhs].into_iter().for_each(|side| visit(side, visitor)),
        Expr::Paren(inner) => visit(&inner.expr, visitor),
        Expr::Subquery(subquery) => visit(&subquery.expr, visitor),
        Expr::Call(call) => call.args.args.iter().for_each(|argument| visit(argument, visitor)),
        _ => {}
    }
}

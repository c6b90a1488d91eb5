//! The labels that the result of a PromQL query has, told from its text. An alert's labels are its identity: where they
//! depend on which half of an `or` gives the result, one incident pages twice.

use std::collections::BTreeSet;

use promql_parser::parser::{self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier};

type Labels = BTreeSet<String>;

/// The labels of every series of the result, or why they cannot be told.
pub(crate) fn of(query: &str) -> Result<Labels, String> {
    of_expression(&parser::parse(query)?).map(Option::unwrap_or_default)
}

/// `None` is a number, which has no labels and takes any.
fn of_expression(expression: &Expr) -> Result<Option<Labels>, String> {
    match expression {
        Expr::NumberLiteral(_) => Ok(None),
        Expr::Paren(inner) => of_expression(&inner.expr),
        Expr::Unary(inner) => of_expression(&inner.expr),
        Expr::Aggregate(aggregate) => of_aggregate(aggregate).map(Some),
        Expr::Binary(binary) => of_binary(binary),
        Expr::Call(call) => of_call(call),
        other => Err(format!("`{other}` has all labels of its metric, and the metric's name")),
    }
}

fn of_aggregate(aggregate: &AggregateExpr) -> Result<Labels, String> {
    let name = aggregate.op.to_string();
    match &aggregate.modifier {
        _ if ["topk", "bottomk", "limitk"].contains(&name.as_str()) => {
            Err(format!("`{name}` keeps all labels of what it chooses"))
        }
        None => Ok(Labels::new()),
        Some(LabelModifier::Include(kept)) => Ok(kept.labels.iter().cloned().collect()),
        Some(LabelModifier::Exclude(_)) => Err(format!("`{name} without` keeps labels that it does not name")),
    }
}

fn of_binary(binary: &BinaryExpr) -> Result<Option<Labels>, String> {
    let operator = binary.op.to_string();
    // What is only compared with may have any labels; of a comparison of series and of `and` the left side remains.
    if ["and", "unless"].contains(&operator.as_str()) {
        return of_expression(&binary.lhs);
    }
    match (of_expression(&binary.lhs)?, of_expression(&binary.rhs)?) {
        (Some(left), Some(right)) if left != right => Err(format!(
            "the sides of `{operator}` have different labels, {left:?} and {right:?}: one incident would be two alerts"
        )),
        (left, right) => Ok(left.or(right)),
    }
}

fn of_call(call: &Call) -> Result<Option<Labels>, String> {
    let first = || call.args.args.first().ok_or("no argument".to_owned()).and_then(|argument| of_expression(argument));
    match call.func.name {
        "time" => Ok(None),
        "vector" => Ok(Some(Labels::new())),
        "clamp_min" | "clamp_max" | "round" | "abs" => first(),
        "label_replace" => {
            let mut labels = first()?.unwrap_or_default();
            if let Some(Expr::StringLiteral(made)) = call.args.args.get(1).map(AsRef::as_ref) {
                labels.insert(made.val.clone());
            }
            Ok(Some(labels))
        }
        name => Err(format!("`{name}` has all labels of its metric")),
    }
}

#[test]
fn labels_are_told_from_the_query() {
    let told = |query: &str| of(query).map(|labels| labels.into_iter().collect::<Vec<_>>().join(","));
    for (query, labels) in [
        ("sum by (app) (rate(up[5m])) or 0 * max by (app) (up)", "app"),
        ("sum(up) or vector(0)", ""),
        ("1 + 0 * max by (app, route) (up) > 2", "app,route"),
        ("max by (app) (up and up{app=\"x\"})", "app"),
        ("sum by (app) (up) unless on () sum(up)", "app"),
        ("time() - max(timestamp(up))", ""),
        ("label_replace(sum by (config) (up), \"app\", \"$1\", \"config\", \"(.+)\")", "app,config"),
    ] {
        assert_eq!(told(query).as_deref(), Ok(labels), "{query}");
    }
    for (query, fault) in [
        ("a:b:rate5m > 1 or a:b:rate30m > 1", "all labels of its metric, and the metric's name"),
        ("sum by (app, instance) (up) or 0 * sum by (app) (up)", "one incident would be two alerts"),
        ("rate(up[5m]) > 0", "`rate` has all labels"),
        ("topk(1, up)", "`topk` keeps"),
        ("sum without (instance) (up)", "`sum without`"),
    ] {
        assert!(told(query).unwrap_err().contains(fault), "{query}: {:?}", told(query));
    }
}

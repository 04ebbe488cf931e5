//! The exit codes, as `src/cli/failure.rs` gives them.

use std::collections::BTreeMap;

use syn::{Arm, Expr, Item, Lit, Pat, Stmt};

/// The code of each variant of `Failure` that always has the same one.
pub(crate) fn codes(file: &syn::File) -> BTreeMap<String, String> {
    let function = file.items.iter().find_map(|item| match item {
        Item::Fn(function) if function.sig.ident == "code" => Some(function),
        _ => None,
    });
    let [Stmt::Expr(Expr::Match(choice), _)] = function.unwrap().block.stmts.as_slice() else {
        panic!("`code` is not one `match` any more");
    };
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for arm in &choice.arms {
        let code = literal(arm);
        for variant in variants(&arm.pat) {
            found.entry(variant).and_modify(|other| *other = None).or_insert_with(|| code.clone());
        }
    }
    found.into_iter().filter_map(|(variant, code)| Some((variant, code?))).collect()
}

fn literal(arm: &Arm) -> Option<String> {
    match (&*arm.body, &arm.pat) {
        (_, Pat::Guard(_)) => None,
        (Expr::Lit(body), _) => match &body.lit {
            Lit::Int(code) => Some(code.base10_digits().to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn variants(pattern: &Pat) -> Vec<String> {
    let path = match pattern {
        Pat::Guard(guarded) => return variants(&guarded.pat),
        Pat::Or(several) => return several.cases.iter().flat_map(variants).collect(),
        Pat::TupleStruct(one) => &one.path,
        Pat::Struct(one) => &one.path,
        Pat::Path(one) => &one.path,
        _ => return Vec::new(),
    };
    path.segments.last().map(|segment| segment.ident.to_string()).into_iter().collect()
}

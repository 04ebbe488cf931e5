//! The messages of errors, collected from the sources.
//!
//! A message is what an `#[error("…")]` says, or a text on its way into an error: an argument of `Err`, of an error
//! type's variant, of `map_err` and its like, or of a function that takes a `message` or a `reason`. Where that
//! argument is a name, the texts that it was bound to are collected.

use std::collections::{BTreeMap, BTreeSet};

use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Pat, Token};

/// What stands for whatever is filled in.
pub(crate) const GAP: &str = "…";

/// The parameters whose texts reach a person as an error.
const PARAMETERS: [&str; 2] = ["message", "reason"];
/// The ways of `Option` and `Result` that make an error.
const MAKERS: [&str; 3] = ["map_err", "ok_or", "ok_or_else"];

/// A message, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    /// The file, below `src`.
    pub(crate) file: String,
    /// The error type and variant, or the function around it.
    pub(crate) home: String,
    /// What it says, with a gap for each thing that is filled in.
    pub(crate) text: String,
}

/// What the whole crate has to be looked through for first.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The types that are errors.
    pub(crate) types: BTreeSet<String>,
    /// The functions that take a message.
    pub(crate) functions: BTreeSet<String>,
}

impl Names {
    /// Notes what a file declares.
    pub(crate) fn look(&mut self, file: &syn::File) {
        self.visit_file(file);
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if derives_error(&item.attrs) {
            self.types.insert(item.ident.to_string());
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if derives_error(&item.attrs) {
            self.types.insert(item.ident.to_string());
        }
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        let takes = signature.inputs.iter().any(|input| match input {
            syn::FnArg::Typed(typed) => {
                matches!(&*typed.pat, Pat::Ident(name) if PARAMETERS.iter().any(|it| name.ident == it))
            }
            syn::FnArg::Receiver(_) => false,
        });
        if takes {
            self.functions.insert(signature.ident.to_string());
        }
    }
}

fn derives_error(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("derive") => {
            let words = list.tokens.to_string();
            words.split(',').any(|word| word.trim() == "Error" || word.trim().ends_with(":: Error"))
        }
        _ => false,
    })
}

/// Collects the messages of a file that is not there for tests only.
pub(crate) fn collect(name: &str, file: &syn::File, names: &Names) -> Vec<Message> {
    let mut collector = Collector {
        file: name.to_owned(),
        names,
        homes: Vec::new(),
        functions: Vec::new(),
        helpers: helpers(file),
        own_type: None,
        found: Vec::new(),
    };
    collector.visit_file(file);
    collector.found
}

/// The functions of a file that give texts, by name.
fn helpers(file: &syn::File) -> BTreeMap<String, syn::Block> {
    let functions = file.items.iter().filter_map(|item| match item {
        syn::Item::Fn(function) => Some(function),
        _ => None,
    });
    let texts = functions.filter(|function| {
        let mut words = Words::default();
        words.visit_return_type(&function.sig.output);
        let has = |word: &str| words.0.iter().any(|known| known == word);
        (has("String") || has("str")) && !has("Result")
    });
    texts.map(|function| (function.sig.ident.to_string(), (*function.block).clone())).collect()
}

/// The names in a type.
#[derive(Default)]
struct Words(Vec<String>);

impl<'ast> Visit<'ast> for Words {
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.0.push(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }
}

struct Collector<'a> {
    file: String,
    names: &'a Names,
    homes: Vec<String>,
    functions: Vec<syn::Block>,
    helpers: BTreeMap<String, syn::Block>,
    own_type: Option<String>,
    found: Vec<Message>,
}

impl Collector<'_> {
    /// Notes a text that has so many words at least: fewer are a name, or a frame for the texts of others.
    fn note(&mut self, text: &str, fewest: usize) {
        let text = gapped(text).trim().to_owned();
        let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| word.len() > 1).count();
        if words < fewest || !text.contains(' ') {
            return;
        }
        let message = Message { file: self.file.clone(), home: self.homes.join("::"), text };
        if !self.found.iter().any(|known| known.text == message.text) {
            self.found.push(message);
        }
    }

    /// Notes the texts of an expression that becomes an error.
    fn becomes_error(&mut self, expression: &Expr) {
        let mut texts = Texts::default();
        texts.visit_expr(expression);
        let Texts { mut found, names } = texts;
        // A name stands for what it was bound to, here or in the functions around, or for what a function of this
        // file says.
        for name in names {
            let mut bindings = Bindings { name, found: Vec::new() };
            for block in &self.functions {
                bindings.visit_block(block);
            }
            found.extend(bindings.found);
            if let Some(block) = self.helpers.get(&bindings.name) {
                let mut texts = Texts::default();
                texts.visit_block(block);
                found.extend(texts.found);
            }
        }
        for text in found {
            self.note(&text, 2);
        }
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("error")) {
            let Meta::List(list) = &attribute.meta else { continue };
            let first = list.tokens.clone().into_iter().next();
            let literal = first.and_then(|tree| syn::parse2::<syn::LitStr>(tree.into()).ok());
            if let Some(literal) = literal {
                self.note(&literal.value(), 1);
            }
        }
    }

    fn in_home(&mut self, home: String, visit: impl FnOnce(&mut Self)) {
        self.homes.push(home);
        visit(self);
        self.homes.pop();
    }

    fn in_function(&mut self, name: String, block: syn::Block, visit: impl FnOnce(&mut Self)) {
        self.functions.push(block);
        self.in_home(name, visit);
        self.functions.pop();
    }

    /// Whether a path leads to a variant or a constructor of an error type, or is `Err`, or a function that takes a
    /// message.
    fn is_error_maker(&self, path: &syn::Path) -> bool {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        match words.as_slice() {
            [.., last] if last == "Err" => true,
            [.., of, _] if of == "Self" => {
                self.own_type.as_ref().is_some_and(|own| self.names.types.contains(own))
            }
            [.., of, last] => self.names.types.contains(of) || (of != "Self" && self.takes_message(last)),
            [last] => self.names.types.contains(last) || self.takes_message(last),
            [] => false,
        }
    }

    fn takes_message(&self, name: &str) -> bool {
        self.names.functions.contains(name)
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(item_attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        for variant in &item.variants {
            let home = format!("{}::{}", item.ident, variant.ident);
            self.in_home(home, |this| this.attributes(&variant.attrs));
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.in_home(item.ident.to_string(), |this| this.attributes(&item.attrs));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let own = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        let before = std::mem::replace(&mut self.own_type, own);
        visit::visit_item_impl(self, item);
        self.own_type = before;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.in_function(item.sig.ident.to_string(), (*item.block).clone(), |this| {
            visit::visit_item_fn(this, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            self.in_function(item.sig.ident.to_string(), item.block.clone(), |this| {
                visit::visit_impl_item_fn(this, item);
            });
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(function) = &*call.func
            && self.is_error_maker(&function.path)
        {
            for argument in &call.args {
                self.becomes_error(argument);
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        if self.is_error_maker(&expression.path) {
            for field in &expression.fields {
                self.becomes_error(&field.expr);
            }
        }
        visit::visit_expr_struct(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let method = call.method.to_string();
        if MAKERS.contains(&method.as_str()) || self.takes_message(&method) {
            for argument in &call.args {
                self.becomes_error(argument);
            }
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// The texts of an expression, and the names in it that may stand for some.
#[derive(Default)]
struct Texts {
    found: Vec<String>,
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_expr_lit(&mut self, literal: &'ast ExprLit) {
        if let Lit::Str(text) = &literal.lit {
            // A text outside of `format!` is what it is, with its braces.
            self.found.push(text.value().replace('{', "{{").replace('}', "}}"));
        }
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        if item.path.is_ident("format") {
            let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
            let Ok(arguments) = arguments.parse2(item.tokens.clone()) else { return };
            if let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = arguments.first() {
                self.found.push(text.value());
            }
        }
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let Some(name) = path.path.get_ident() {
            self.names.insert(name.to_string());
        }
    }

    fn visit_expr_if(&mut self, expression: &'ast syn::ExprIf) {
        // What is asked is no part of what is said.
        self.visit_block(&expression.then_branch);
        if let Some((_, otherwise)) = &expression.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        for arm in &expression.arms {
            self.visit_expr(&arm.body);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        // What a text is compared with or cut by is no message.
        if matches!(
            call.method.to_string().as_str(),
            "join" | "contains" | "starts_with" | "strip_prefix" | "replace" | "trim_end_matches" | "split"
        ) {
            self.visit_expr(&call.receiver);
            return;
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// The texts that a name is bound to.
struct Bindings {
    name: String,
    found: Vec<String>,
}

impl Bindings {
    fn take(&mut self, pattern: &Pat, bound: &Expr) {
        if binds(pattern, &self.name) {
            let mut texts = Texts::default();
            texts.visit_expr(bound);
            self.found.append(&mut texts.found);
        }
    }
}

impl<'ast> Visit<'ast> for Bindings {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.take(&local.pat, &init.expr);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_let(&mut self, expression: &'ast syn::ExprLet) {
        self.take(&expression.pat, &expression.expr);
        visit::visit_expr_let(self, expression);
    }

    fn visit_expr_for_loop(&mut self, expression: &'ast syn::ExprForLoop) {
        self.take(&expression.pat, &expression.expr);
        visit::visit_expr_for_loop(self, expression);
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        for arm in &expression.arms {
            self.take(&arm.pat, &expression.expr);
        }
        visit::visit_expr_match(self, expression);
    }
}

fn binds(pattern: &Pat, name: &str) -> bool {
    struct Finder<'a>(&'a str, bool);
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
            self.1 |= pattern.ident == self.0;
        }
    }
    let mut finder = Finder(name, false);
    finder.visit_pat(pattern);
    finder.1
}

/// `#[test]` or `#[cfg(test)]`.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::NameValue(_) => false,
    })
}

fn item_attributes(item: &syn::Item) -> &[Attribute] {
    use syn::Item;
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        _ => &[],
    }
}

/// A format with a gap for each thing that is filled in.
pub(crate) fn gapped(format: &str) -> String {
    let mut text = String::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' | '}' if letters.peek() == Some(&letter) => {
                letters.next();
                text.push(letter);
            }
            '{' => {
                letters.by_ref().take_while(|letter| *letter != '}').for_each(drop);
                text.push_str(GAP);
            }
            '\n' => text.push(' '),
            other => text.push(other),
        }
    }
    text
}

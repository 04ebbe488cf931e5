//! What a source names and does, as far as the rules of the house ask.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Meta, UseTree};

const PRINTING: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
const STREAMS: [&str; 2] = ["stdout", "stderr"];
const UNWRAPPING: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];

/// Whether a whole file stands there only for tests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    Yes,
    No,
}

/// What was found in one file.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The floors that it names, each with the path in which it does.
    pub(crate) floors: Vec<(String, String)>,
    /// Paths that go up twice.
    pub(crate) past_the_parent: Vec<String>,
    /// What prints.
    pub(crate) printing: Vec<String>,
    /// What panics where there is nothing, outside tests.
    pub(crate) unwrapping: Vec<String>,
    /// What the compiler does not check, and the lints that let it be.
    pub(crate) unsafety: Vec<String>,
    /// Where the files may stand that are compiled for tests only.
    pub(crate) test_files: Vec<String>,
    /// The modules around what is being visited, from the crate's root.
    modules: Vec<String>,
    /// Where the modules of this file have their own files.
    folder: String,
    in_tests: bool,
}

impl Source {
    /// Reads a file by its path below `src`.
    pub(crate) fn read(name: &str, text: &str, purpose: Test) -> Self {
        let stem = name.strip_suffix(".rs").unwrap_or(name);
        let folder = match stem.rsplit_once('/') {
            Some((folder, "mod")) => folder,
            None if matches!(stem, "lib" | "main") => "",
            _ => stem,
        };
        let modules = folder.split('/').filter(|module| !module.is_empty()).map(str::to_owned).collect();
        let in_tests = purpose == Test::Yes;
        let mut source = Self { modules, folder: folder.to_owned(), in_tests, ..Self::default() };
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{name} is no Rust: {error}"));
        source.visit_file(&file);
        // Anywhere: in tests, in macros and in attributes, too.
        if let Ok(tokens) = text.parse() {
            source.unsafe_words(tokens);
        }
        source
    }

    /// Notes a path: which floor it leads to, if it leaves its own module.
    fn path(&mut self, segments: &[String]) {
        let text = segments.join("::");
        let ups = segments.iter().take_while(|segment| *segment == "super").count();
        if ups > 1 {
            self.past_the_parent.push(text.clone());
        }
        let floor = match segments.first().map(String::as_str) {
            Some("crate" | "mainstay") => segments.get(1),
            // One module up from a floor's own file is the crate itself.
            Some("super") if ups == self.modules.len() => segments.get(ups),
            _ => None,
        };
        if let Some(floor) = floor {
            self.floors.push((floor.clone(), text));
        }
    }

    fn use_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.use_tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.path(&with(name.ident.to_string())),
            UseTree::Rename(rename) => self.path(&with(rename.ident.to_string())),
            UseTree::Glob(_) => self.path(&with("*".to_owned())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(before, tree)),
        }
    }

    /// Goes through what the parser leaves as it is: the words of macros and attributes.
    fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut place = 0;
        while let Some(tree) = trees.get(place) {
            match tree {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(_) => {
                    let (segments, next) = path_at(&trees, place);
                    let after = trees.get(next);
                    let method = place > 0 && is_punctuation(&trees[place - 1], '.');
                    let last = segments.last().cloned().unwrap_or_default();
                    if after.is_some_and(|tree| is_punctuation(tree, '!')) {
                        self.macro_name(&segments);
                    } else if method || segments.len() > 1 {
                        self.unwrapping(&last);
                    }
                    if !method && after.is_some_and(|tree| matches!(tree, TokenTree::Group(_))) {
                        self.stream(&segments);
                    }
                    if segments.len() > 1 {
                        self.path(&segments);
                    }
                    place = next;
                    continue;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            place += 1;
        }
    }

    fn unsafe_words(&mut self, tokens: TokenStream) {
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => self.unsafe_words(group.stream()),
                TokenTree::Ident(word) if word == "unsafe" || word == "unsafe_code" => {
                    self.unsafety.push(format!("`{word}`"));
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn macro_name(&mut self, segments: &[String]) {
        if let Some(name) = segments.last().filter(|name| PRINTING.contains(&name.as_str())) {
            self.printing.push(format!("`{name}!`"));
        }
    }

    /// A standard stream that is named other than to ask whether it is a terminal.
    fn stream(&mut self, segments: &[String]) {
        if let Some(name) = segments.last().filter(|name| STREAMS.contains(&name.as_str())) {
            self.printing.push(format!("`{name}`"));
        }
    }

    fn unwrapping(&mut self, name: &str) {
        if !self.in_tests && UNWRAPPING.contains(&name) {
            self.unwrapping.push(format!("`{name}`"));
        }
    }

    fn within(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let before = self.in_tests;
        self.in_tests |= is_for_tests(attributes);
        visit(self);
        self.in_tests = before;
    }
}

/// The path that begins at a place, without its generic arguments, and the place after it.
fn path_at(trees: &[TokenTree], place: usize) -> (Vec<String>, usize) {
    let mut segments = Vec::new();
    let mut next = place;
    while let Some(TokenTree::Ident(word)) = trees.get(next) {
        segments.push(word.to_string());
        next += 1;
        let goes_on = trees.get(next).is_some_and(|tree| is_punctuation(tree, ':'))
            && trees.get(next + 1).is_some_and(|tree| is_punctuation(tree, ':'))
            && matches!(trees.get(next + 2), Some(TokenTree::Ident(_)));
        if !goes_on {
            break;
        }
        next += 2;
    }
    (segments, next)
}

fn is_punctuation(tree: &TokenTree, wanted: char) -> bool {
    matches!(tree, TokenTree::Punct(found) if found.as_char() == wanted)
}

/// `#[test]` or `#[cfg(test)]`, and not `#[cfg(not(test))]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::NameValue(_) => false,
    })
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item(&mut self, item: &'ast Item) {
        self.within(attributes_of(item), |this| visit::visit_item(this, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if item.content.is_none() && is_for_tests(&item.attrs) {
            let folder = if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) };
            self.test_files.extend([format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")]);
        }
        self.modules.push(name);
        visit::visit_item_mod(self, item);
        self.modules.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.path(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, expression: &'ast syn::ExprPath) {
        let segments: Vec<String> =
            expression.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [.., last] = segments.as_slice()
            && segments.len() > 1
        {
            self.unwrapping(last);
            self.stream(&segments);
        }
        visit::visit_expr_path(self, expression);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(function) = &*call.func
            && let Some(name) = function.path.get_ident()
        {
            self.stream(&[name.to_string()]);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.unwrapping(&call.method.to_string());
        if call.method == "is_terminal" {
            return;
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let segments: Vec<String> =
            item.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.macro_name(&segments);
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        // `#[expect(…)]` is no call.
        let before = std::mem::replace(&mut self.in_tests, true);
        self.tokens(list.tokens.clone());
        self.in_tests = before;
    }
}

//! The import statements of a module, and which names are in use in it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::function::Definition;
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::names::{
    Loaded, ModuleName, Scope, is_always_installed, is_type_checking,
};
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{self, Descend, Node, range_of, walk_body};

/// A name that is imported from a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportedName {
    /// The name and its alias, as written.
    pub range: ByteRange,
    /// The name in the module that it comes from.
    pub name: String,
    /// The name by which it is known here.
    pub local: String,
}

/// An import statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportStatement {
    /// The statement.
    pub range: ByteRange,
    /// `from module`; for `import a.b` the module itself.
    pub module: ModuleName,
    /// The names after `import` of a `from` statement; empty for a plain `import`.
    pub names: Vec<ImportedName>,
    /// Whether it is a `from` statement.
    pub is_from: bool,
    /// The brackets around the names.
    pub brackets: Option<(ByteRange, ByteRange)>,
    /// Whether a comma follows the last name.
    pub trailing_comma: bool,
    /// Whether it is one of the module's own statements, in no block.
    pub is_top_level: bool,
    /// The `if TYPE_CHECKING:` around it: the block's range and how many statements are in it.
    pub type_checking: Option<(ByteRange, usize)>,
}

impl ImportStatement {
    /// Whether it is `import module` and nothing else.
    pub(crate) fn is_of_module(&self, loaded: &Loaded, module: &str) -> bool {
        let mut words = loaded.module.source().slice(self.range).split_whitespace();
        !self.is_from
            && (words.next(), words.next(), words.next()) == (Some("import"), Some(module), None)
    }
}

/// What a module imports, and the names in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Imports {
    /// The import statements, by place.
    pub statements: Vec<ImportStatement>,
    /// Whether `from __future__ import annotations` holds.
    pub future_annotations: bool,
    /// Every name that occurs, other than as an attribute of something, in annotations that are
    /// strings too: none of them is free.
    pub identifiers: FxHashSet<String>,
    /// The names that are taken as attributes of something.
    pub attributes: FxHashSet<String>,
    /// How often each name is used as a variable, imports aside; annotations that are strings, and
    /// `__all__`, count too.
    pub uses: FxHashMap<String, usize>,
    /// Where the first statement after the docstring starts; the end of the text when there is none.
    pub first_statement: usize,
    /// Where the first statement starts that ends the imports at the top of the file.
    pub header_end: usize,
    /// The docstring.
    pub docstring: Option<ByteRange>,
}

impl Imports {
    /// Those of `loaded`.
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let module = &loaded.module;
        let mut imports = Self::default();
        let all = module.tokens().all();
        for (index, token) in all.iter().enumerate() {
            if token.kind != TokenKind::Name {
                continue;
            }
            let name = module.source().slice(token.range);
            let before = |back: usize| index.checked_sub(back).and_then(|index| all.get(index));
            let is_attribute = before(1).is_some_and(|dot| module.source().slice(dot.range) == ".")
                && before(2).is_some_and(|owner| match owner.kind {
                    TokenKind::Name => {
                        !matches!(module.source().slice(owner.range), "from" | "import")
                    }
                    kind => matches!(
                        kind,
                        TokenKind::Close | TokenKind::String | TokenKind::FString
                    ),
                });
            let names = if is_attribute {
                &mut imports.attributes
            } else {
                &mut imports.identifiers
            };
            add(names, name);
        }
        let mut strings: Vec<String> = Vec::new();
        module.walk(module.suite(), module.range(), &mut |node| {
            match node {
                Node::Expr(Expr::Name(name)) => {
                    add(&mut imports.identifiers, &name.id);
                    count(&mut imports.uses, &name.id);
                }
                Node::Expr(Expr::Attribute(attribute)) => {
                    add(&mut imports.attributes, &attribute.attr);
                }
                Node::Stmt(Stmt::Assign(assign))
                    if assign
                        .targets
                        .iter()
                        .any(|target| tree::is_named(target, "__all__")) =>
                {
                    add_strings(&assign.value, &mut strings);
                }
                Node::Stmt(Stmt::AnnAssign(assign)) => {
                    add_strings(&assign.annotation, &mut strings)
                }
                Node::Stmt(statement) => {
                    if let Some(definition) = Definition::of(statement) {
                        let annotations = tree::parameters(definition.arguments)
                            .filter_map(|parameter| parameter.annotation.as_deref())
                            .chain(definition.returns);
                        annotations.for_each(|annotation| add_strings(annotation, &mut strings));
                    }
                }
                Node::Expr(_) => {}
            }
            Descend::Into
        });
        for text in strings {
            for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
                count(&mut imports.uses, word);
                // An import by that name would give a meaning to what has none.
                add(&mut imports.identifiers, word);
            }
        }
        imports.add_block(loaded, module.suite(), true, None);
        imports.statements.sort_by_key(|statement| statement.range);
        let mut body = module.suite();
        if let [Stmt::Expr(first), rest @ ..] = body
            && matches!(&*first.value, Expr::Constant(constant) if matches!(constant.value, Constant::Str(_)))
        {
            imports.docstring = Some(range_of(first));
            body = rest;
        }
        let ends_header = |statement: &&Stmt| {
            !matches!(
                statement,
                Stmt::Import(_) | Stmt::ImportFrom(_) | Stmt::If(_) | Stmt::Try(_)
            )
        };
        imports.header_end = body
            .iter()
            .find(ends_header)
            .map_or(module.range().end(), |s| range_of(s).start());
        imports.first_statement = body.first().map_or(module.range().end(), |s| {
            // A definition starts with its first decorator.
            let decorators = match s {
                Stmt::ClassDef(c) => c.decorator_list.first(),
                _ => Definition::of(s).and_then(|function| function.decorators.first()),
            };
            let start = decorators.map_or(range_of(s).start(), |d| range_of(d).start());
            let line = module.source().line_at(start).start();
            let mark = '\u{feff}';
            if line == 0 && module.source().text().starts_with(mark) {
                mark.len_utf8()
            } else {
                line
            }
        });
        imports
    }

    /// How often `name` is used as a variable.
    pub(crate) fn uses_of(&self, name: &str) -> usize {
        self.uses.get(name).copied().unwrap_or_default()
    }

    /// The statement that imports the local name, and the name in it.
    pub(crate) fn statement_of(&self, local: &str) -> Option<(&ImportStatement, &ImportedName)> {
        self.statements.iter().find_map(|statement| {
            let name = statement.names.iter().find(|name| name.local == local)?;
            Some((statement, name))
        })
    }

    fn add_block(
        &mut self,
        loaded: &Loaded,
        body: &[Stmt],
        is_top_level: bool,
        type_checking: Option<(ByteRange, usize)>,
    ) {
        walk_body(body, &mut |node| match node {
            Node::Stmt(Stmt::Import(statement)) => {
                for alias in &statement.names {
                    self.statements.push(ImportStatement {
                        range: range_of(statement),
                        module: ModuleName {
                            level: 0,
                            dotted: alias.name.to_string(),
                        },
                        names: Vec::new(),
                        is_from: false,
                        brackets: None,
                        trailing_comma: false,
                        is_top_level: is_top_level && is_direct(body, node),
                        type_checking,
                    });
                }
                Descend::Past
            }
            Node::Stmt(Stmt::ImportFrom(statement)) => {
                let top = is_top_level && is_direct(body, node);
                self.add_from(loaded, statement, top, type_checking);
                Descend::Past
            }
            Node::Stmt(Stmt::If(statement)) if is_type_checking(&statement.test) => {
                let block = (range_of(statement), statement.body.len());
                let block = statement.orelse.is_empty().then_some(block);
                self.add_block(loaded, &statement.body, false, block.or(type_checking));
                self.add_block(loaded, &statement.orelse, false, type_checking);
                Descend::Past
            }
            Node::Stmt(_) => Descend::Into,
            Node::Expr(_) => Descend::Past,
        });
    }

    fn add_from(
        &mut self,
        loaded: &Loaded,
        statement: &ast::StmtImportFrom,
        is_top_level: bool,
        type_checking: Option<(ByteRange, usize)>,
    ) {
        let module = ModuleName::of_from(statement);
        if module.dotted == "__future__" && module.level == 0 {
            self.future_annotations |= statement
                .names
                .iter()
                .any(|alias| alias.name.as_str() == "annotations");
        }
        let range = range_of(statement);
        let (source, tokens) = (loaded.module.source(), loaded.module.tokens());
        let inside = tokens.within(range);
        let import_end = inside
            .iter()
            .find(|token| token.kind == TokenKind::Name && source.slice(token.range) == "import")
            .map_or(range.start(), |token| token.range.end());
        let open = tokens
            .next(import_end)
            .filter(|token| token.kind == TokenKind::Open && range.contains(token.range));
        let close = inside.last().filter(|token| token.kind == TokenKind::Close);
        let brackets = open
            .zip(close)
            .map(|(open, close)| (open.range, close.range));
        let list = match brackets {
            Some((open, close)) => ByteRange::new(open.end(), close.start()),
            None => ByteRange::new(import_end, range.end()),
        };
        let (pieces, trailing_comma) = tokens.split_at_commas(list);
        let names = if pieces.len() == statement.names.len() {
            let pairs = statement.names.iter().zip(pieces);
            pairs
                .map(|(alias, range)| ImportedName {
                    range,
                    name: alias.name.to_string(),
                    local: alias.asname.as_ref().unwrap_or(&alias.name).to_string(),
                })
                .collect()
        } else {
            Vec::new()
        };
        self.statements.push(ImportStatement {
            range,
            module,
            names,
            is_from: true,
            brackets,
            trailing_comma,
            is_top_level,
            type_checking,
        });
    }
}

/// Whether statements in `range` may import modules of the repo. Assignments and expressions without
/// a call do not, nor does an import of what is always installed.
pub(crate) fn may_import(loaded: &Loaded, range: ByteRange) -> bool {
    let mut found = false;
    walk_body(loaded.module.suite(), &mut |node| {
        let (place, is_harmless) = match node {
            Node::Stmt(statement) => (range_of(statement), is_harmless(statement)),
            Node::Expr(expression) => {
                let runs_code = matches!(expression, Expr::Call(_) | Expr::Await(_));
                (range_of(expression), !runs_code)
            }
        };
        found |= range.contains(place) && !is_harmless;
        Descend::Into
    });
    found
}

fn is_harmless(statement: &Stmt) -> bool {
    match statement {
        Stmt::Pass(_) | Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::Expr(_) => true,
        Stmt::Import(import) => {
            let mut names = import.names.iter();
            names.all(|alias| is_always_installed(&alias.name))
        }
        Stmt::ImportFrom(import) => {
            let is_absolute = import.level.is_none_or(|level| level.to_usize() == 0);
            let module = import.module.as_ref();
            is_absolute && module.is_some_and(|module| is_always_installed(module))
        }
        _ => false,
    }
}

/// Adds a name; most are there already.
fn add(names: &mut FxHashSet<String>, name: &str) {
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
}

fn count(uses: &mut FxHashMap<String, usize>, name: &str) {
    match uses.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            uses.insert(name.to_owned(), 1);
        }
    }
}

/// The names in these places of a module, each as often as it stands there.
pub(crate) fn names_within(loaded: &Loaded, places: &[ByteRange]) -> Vec<String> {
    let mut names = Vec::new();
    walk_body(loaded.module.suite(), &mut |node| {
        if let Node::Expr(Expr::Name(name)) = node
            && places.iter().any(|place| place.contains(range_of(name)))
        {
            names.push(name.id.to_string());
        }
        Descend::Into
    });
    names
}

/// How often the name that a module binds is used as a variable: where a function has a variable
/// of that name of its own, it is another one.
pub(crate) fn uses_of_global(loaded: &Loaded, name: &str) -> usize {
    fn count<'a>(node: Node<'a>, name: &str, uses: &mut usize) {
        tree::walk(node, &mut |node| {
            match node {
                Node::Expr(Expr::Name(other)) if other.id.as_str() == name => *uses += 1,
                Node::Stmt(statement) => {
                    if let Some(definition) = Definition::of(statement) {
                        let scope = Scope::of_function(definition.arguments, definition.body);
                        let arguments = definition.arguments;
                        let defaults = tree::plain_parameters(arguments)
                            .filter_map(|argument| argument.default.as_deref());
                        for outside in definition.decorators.iter().chain(defaults) {
                            count(Node::Expr(outside), name, uses);
                        }
                        if scope.bindings(name).is_empty() {
                            for inside in definition.body {
                                count(Node::Stmt(inside), name, uses);
                            }
                        }
                        return Descend::Past;
                    }
                }
                Node::Expr(_) => {}
            }
            Descend::Into
        });
    }
    let mut uses = 0;
    for statement in loaded.module.suite() {
        count(Node::Stmt(statement), name, &mut uses);
    }
    for expression in loaded.module.fragments(loaded.module.range()) {
        count(Node::Expr(expression), name, &mut uses);
    }
    uses
}

/// How often `name` is taken as an attribute of something in a module.
pub(crate) fn uses_as_attribute(loaded: &Loaded, name: &str) -> usize {
    let module = &loaded.module;
    let mut uses = 0;
    module.walk(module.suite(), module.range(), &mut |node| {
        if let Node::Expr(Expr::Attribute(attribute)) = node {
            uses += usize::from(attribute.attr.as_str() == name);
        }
        Descend::Into
    });
    uses
}

/// Adds the strings in an expression.
fn add_strings(expression: &Expr, strings: &mut Vec<String>) {
    tree::walk(Node::Expr(expression), &mut |node| {
        if let Node::Expr(Expr::Constant(constant)) = node
            && let Constant::Str(text) = &constant.value
        {
            strings.push(text.clone());
        }
        Descend::Into
    });
}

/// Whether `node` is one of the statements of `body` itself.
fn is_direct(body: &[Stmt], node: Node<'_>) -> bool {
    match node {
        Node::Stmt(statement) => body.iter().any(|other| std::ptr::eq(other, statement)),
        Node::Expr(_) => false,
    }
}

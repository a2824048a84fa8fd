//! What a handler of the context dialect does with its context, and whether a `Request` would do.
//!
//! All that a webhook's context can give that a request has too are the headers and the body of
//! `ctx.webhook_request`. A handler that uses nothing else, and these only in ways that mean the
//! same with Starlette's `Headers` and with `await request.json()`, can take the request itself:
//! [`RequestRewrite`] says what is to be changed for that. Any other is a [`NotRewritable`], with the place.
//!
//! Invariants: every token in the function that is the name of the parameter, or of a name
//! that stands for a part of it, is accounted for, by a change or by a use that stays as it is. So
//! a use that nobody thought of (a second binding, a parameter of an inner function, `del`) is a
//! refusal, and not a name that means something else afterwards.

use std::collections::{BTreeMap, HashSet};

use rustpython_parser::ast::{self, CmpOp, Constant, Expr, ExprContext, Ranged, Stmt};

use super::handler::Handler;
use crate::migrate::edit::ByteRange;
use crate::migrate::python::function::{Definition, definition_at};
use crate::migrate::python::names::{Loaded, Scope};
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{self, Descend, Node, range_of, walk_body};
use crate::text;
use crate::text::Text;

/// What is to be changed in a handler so that it takes the `Request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRewrite {
    /// The parameter, with its annotation.
    pub parameter: ByteRange,
    /// Its new name.
    pub name: &'static str,
    /// The reads of headers and body.
    pub reads: Vec<Read>,
    /// The simple statements of several lines that reads are in.
    pub broken_lines: Vec<ByteRange>,
    /// The statements that have no meaning any more.
    pub removals: Vec<Removal>,
    /// How many decorators the function has, the registrations among them.
    pub decorators: usize,
}

/// A read of a part of the webhook request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The expression, as in `ctx.webhook_request.body`.
    pub range: ByteRange,
    /// Which part.
    pub part: Part,
}

/// A part of the webhook request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The headers.
    Headers,
    /// The body.
    Body {
        /// Whether something is taken of it at once, so that an `await` needs brackets.
        in_brackets: bool,
    },
}

/// A statement that goes: a test whether there is a webhook request, or a name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The statement.
    pub statement: ByteRange,
    /// Its lines, with the blank lines after it that would be too many.
    pub lines: ByteRange,
    /// The names that are used in it, the parameter aside, each as often as it is used.
    pub names: Vec<String>,
}

/// Why a handler needs its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRewritable {
    /// Where.
    pub range: ByteRange,
    /// What is the case there.
    pub detail: Text,
}

/// The names that the parameter may get, the best first.
const NAMES: [&str; 4] = [
    "request",
    "webhook_request",
    "http_request",
    "fastapi_request",
];

/// Those of a parameter that is not used, and whose name says so.
const UNUSED_NAMES: [&str; 2] = ["_request", "_webhook_request"];

/// The methods of the headers that a dict and Starlette's `Headers` have alike.
const HEADER_METHODS: [&str; 4] = ["get", "items", "keys", "values"];

/// The key of the body that stands for a text which is no JSON.
const RAW_CONTENT: &str = "raw_content";

/// What is to be changed in `handler`, which is defined in `loaded`.
///
/// # Errors
/// A [`NotRewritable`] when it needs its context.
pub fn native(loaded: &Loaded, handler: &Handler) -> Result<RequestRewrite, NotRewritable> {
    let refuse = |detail| {
        Err(NotRewritable {
            range: handler.name_range,
            detail,
        })
    };
    let module = &loaded.module;
    let definition = definition_at(module.suite(), handler.range)
        // The ranges of a handler of another module say nothing here.
        .filter(|_| module.source().slice(handler.name_range) == handler.name);
    let Some(definition) = definition else {
        return refuse(text!(
            "`{}` is defined in another module",
            "`{}` 定义在另一个模块中",
            handler.name
        ));
    };
    if handler.is_nested {
        return refuse(text!(
            "`{}` is defined inside another function",
            "`{}` 定义在另一个函数之中",
            handler.name
        ));
    }
    let arguments = definition.arguments;
    let all = tree::parameters(arguments).count();
    if let [parameter] = arguments.posonlyargs.as_slice()
        && all == 1
    {
        // FastAPI passes everything by its name.
        return refuse(text!(
            "the parameter `{}` is positional-only",
            "参数 `{}` 仅限位置传入",
            parameter.def.arg
        ));
    }
    let ([parameter], [], 1) = (
        arguments.args.as_slice(),
        arguments.posonlyargs.as_slice(),
        all,
    ) else {
        return refuse(text!(
            "`{}` has other parameters than its context",
            "`{}` 除上下文外还有其他参数",
            handler.name
        ));
    };
    if parameter.default.is_some() {
        return refuse(text!(
            "the parameter `{}` has a default",
            "参数 `{}` 有默认值",
            parameter.def.arg
        ));
    }
    Reader::new(loaded, definition, &parameter.def).read(parameter, handler.name_range)
}

/// What an expression stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContextPart {
    /// The context.
    Context,
    /// Something of the context that a request does not have.
    Other,
    /// `ctx.webhook_request`.
    WebhookRequest,
    /// The headers, read here.
    Headers,
    /// A name for the headers.
    HeadersName,
    /// The body, read here.
    Body,
}

/// What is done with the value of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UsePosition {
    /// A method of [`HEADER_METHODS`] is called on it.
    Method,
    /// One of its items is looked up.
    Lookup,
    /// An attribute is taken of it, it is called, an item is set.
    Base,
    /// It stands to the right of `in`.
    Container,
    /// It is iterated over.
    Iterated,
    /// It becomes part of a text.
    Shown,
    /// Only its truth matters.
    Truth,
    /// It is assigned to a name whose uses are all seen.
    Named,
    /// Anything else.
    Passed,
}

struct Reader<'a> {
    loaded: &'a Loaded,
    definition: Definition<'a>,
    parameter: &'a str,
    /// Names for `ctx.webhook_request`.
    requests: Vec<&'a str>,
    /// Names for the headers.
    headers: Vec<&'a str>,
    removals: Vec<Removal>,
    /// The starts of removed statements that are the first of their block.
    leading: HashSet<usize>,
    reads: Vec<Read>,
    broken_lines: Vec<ByteRange>,
    /// The starts of the tokens that are not accounted for yet, each with its end.
    open: BTreeMap<usize, usize>,
    /// The starts of the f-strings of Python 3.12 that have been looked into.
    strings: HashSet<usize>,
    /// Every name that is used as a variable.
    variables: HashSet<&'a str>,
    refusal: Option<NotRewritable>,
}

impl<'a> Reader<'a> {
    fn new(loaded: &'a Loaded, definition: Definition<'a>, parameter: &'a ast::Arg) -> Self {
        Self {
            loaded,
            definition,
            parameter: parameter.arg.as_str(),
            requests: Vec::new(),
            headers: Vec::new(),
            removals: Vec::new(),
            leading: HashSet::new(),
            reads: Vec::new(),
            broken_lines: Vec::new(),
            open: BTreeMap::new(),
            strings: HashSet::new(),
            variables: HashSet::new(),
            refusal: None,
        }
    }

    fn read(
        mut self,
        parameter: &'a ast::ArgWithDefault,
        function_name: ByteRange,
    ) -> Result<RequestRewrite, NotRewritable> {
        let body = self.definition.body;
        self.find_names();
        self.find_guards(body);
        self.collect_tokens();
        let start = range_of(&parameter.def).start();
        self.open.remove(&start);
        self.open.remove(&function_name.start());
        for statement in body {
            self.statement(statement, true);
        }
        if self.refusal.is_none()
            && let Some((&start, &end)) = self.open.first_key_value()
        {
            self.rebound(ByteRange::new(start, end));
        }
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        let Some(name) = self.free_name() else {
            return Err(NotRewritable {
                range: range_of(&parameter.def),
                detail: text!(
                    "every name that the request could have is taken",
                    "请求参数可用的名称都已被占用"
                ),
            });
        };
        let name_end = start + self.parameter.len();
        let annotation = parameter.def.annotation.as_deref();
        let written = ByteRange::new(start, annotation.map_or(name_end, |a| range_of(a).end()));
        if !self.is_one_piece(written) {
            return Err(NotRewritable {
                range: written,
                detail: text!(
                    "the parameter is written in a form that cannot be rewritten",
                    "该参数的写法无法改写"
                ),
            });
        }
        self.close_gaps();
        self.reads.sort_by_key(|read| read.range);
        Ok(RequestRewrite {
            parameter: written,
            name,
            reads: self.reads,
            broken_lines: self.broken_lines,
            removals: self.removals,
            decorators: self.definition.decorators.len(),
        })
    }

    fn refuse(&mut self, range: ByteRange, detail: Text) {
        self.refusal.get_or_insert(NotRewritable { range, detail });
    }

    fn rebound(&mut self, range: ByteRange) {
        let name = self.slice(range);
        self.refuse(
            range,
            text!(
                "`{name}` may mean something else here",
                "此处的 `{name}` 可能另有所指"
            ),
        );
    }

    fn is_of_context(&self, name: &str) -> bool {
        name == self.parameter || self.requests.contains(&name) || self.headers.contains(&name)
    }

    fn slice(&self, range: ByteRange) -> &'a str {
        self.loaded.module.source().slice(range)
    }

    /// The names that statements of the function itself give to the webhook request and its headers.
    fn find_names(&mut self) {
        let body = self.definition.body;
        for (index, statement) in body.iter().enumerate() {
            if let Some((name, value)) = single_name(statement)
                && self.meaning(value) == Some(ContextPart::WebhookRequest)
                && self.written_plainly(value)
                && let Some(lines) = self.removable(body, index)
            {
                self.requests.push(name);
                self.remove(index, range_of(statement), lines, Vec::new());
            }
        }
        let mut headers = Vec::new();
        walk_body(body, &mut |node| match node {
            Node::Stmt(statement) => {
                if let Some((name, value)) = single_name(statement)
                    && self.meaning(value) == Some(ContextPart::Headers)
                {
                    headers.push(name);
                }
                descend_unless_nested(statement)
            }
            Node::Expr(_) => Descend::Past,
        });
        self.headers = headers;
    }

    fn remove(&mut self, index: usize, statement: ByteRange, lines: ByteRange, names: Vec<String>) {
        if index == 0 {
            self.leading.insert(statement.start());
        }
        self.removals.push(Removal {
            statement,
            lines,
            names,
        });
    }

    /// The statements of `block` and the blocks in it that only test whether there is a webhook
    /// request: a route always has one.
    fn find_guards(&mut self, block: &'a [Stmt]) {
        for (index, statement) in block.iter().enumerate() {
            if let Some(names) = self.guard(statement) {
                if let Some(lines) = self.removable(block, index) {
                    self.remove(index, range_of(statement), lines, names);
                }
                continue;
            }
            match statement {
                Stmt::If(s) => {
                    self.find_guards(&s.body);
                    self.find_guards(&s.orelse);
                }
                Stmt::For(s) => self.find_guards(&s.body),
                Stmt::AsyncFor(s) => self.find_guards(&s.body),
                Stmt::While(s) => self.find_guards(&s.body),
                Stmt::With(s) => self.find_guards(&s.body),
                Stmt::AsyncWith(s) => self.find_guards(&s.body),
                Stmt::Try(s) => self.find_guards(&s.body),
                _ => {}
            }
        }
    }

    /// The names that are used in a statement, when it does nothing where there is a webhook
    /// request, and binds nothing.
    fn guard(&self, statement: &'a Stmt) -> Option<Vec<String>> {
        let is_guard = match statement {
            Stmt::If(s) => {
                let is_plain = |inner: &Stmt| {
                    matches!(
                        inner,
                        Stmt::Raise(_) | Stmt::Return(_) | Stmt::Expr(_) | Stmt::Pass(_)
                    )
                };
                s.orelse.is_empty() && s.body.iter().all(is_plain) && self.is_absence(&s.test)
            }
            Stmt::Assert(s) => self.is_presence(&s.test),
            _ => false,
        };
        if !is_guard {
            return None;
        }
        let scope = Scope::of_function(self.definition.arguments, self.definition.body);
        let mut names = Vec::new();
        let mut binds = self.loaded.module.is_blanked(range_of(statement));
        tree::walk(Node::Stmt(statement), &mut |node| {
            match node {
                Node::Expr(Expr::Name(name)) => {
                    let name = name.id.as_str();
                    let is_known = name == self.parameter || self.requests.contains(&name);
                    // The last use of a local variable must not go.
                    binds |= !is_known && !scope.bindings(name).is_empty();
                    if !is_known {
                        names.push(name.to_owned());
                    }
                }
                Node::Expr(Expr::NamedExpr(_) | Expr::Yield(_) | Expr::YieldFrom(_)) => {
                    binds = true;
                }
                _ => {}
            }
            Descend::Into
        });
        (!binds).then_some(names)
    }

    /// Whether a test is true where there is a webhook request.
    fn is_presence(&self, test: &Expr) -> bool {
        match test {
            Expr::Compare(compare) => self.is_none_test(compare, CmpOp::IsNot),
            _ => self.meaning(test) == Some(ContextPart::WebhookRequest),
        }
    }

    /// Whether a test is false where there is a webhook request.
    fn is_absence(&self, test: &Expr) -> bool {
        match test {
            Expr::UnaryOp(unary) => {
                unary.op == ast::UnaryOp::Not && self.is_presence(&unary.operand)
            }
            Expr::Compare(compare) => self.is_none_test(compare, CmpOp::Is),
            _ => false,
        }
    }

    fn is_none_test(&self, compare: &ast::ExprCompare, operator: CmpOp) -> bool {
        let is_none = |value: &Expr| matches!(value, Expr::Constant(c) if c.value.is_none());
        compare.ops.as_slice() == [operator]
            && compare.comparators.iter().all(is_none)
            && self.meaning(&compare.left) == Some(ContextPart::WebhookRequest)
    }

    /// The lines of a statement, when they can go: something stays after it in its block, nothing
    /// else stands on them, and no comment is lost or parted from what it speaks of.
    fn removable(&self, block: &[Stmt], index: usize) -> Option<ByteRange> {
        let statement = range_of(block.get(index)?);
        block.get(index + 1)?;
        let module = &self.loaded.module;
        let source = module.source();
        let first = source.line_at(statement.start());
        let last = source.line_at(statement.end());
        let lines = ByteRange::new(first.start(), last.end());
        let is_alone = source
            .slice(ByteRange::new(first.start(), statement.start()))
            .trim()
            .is_empty()
            && source
                .slice(ByteRange::new(statement.end(), last.end()))
                .trim()
                .is_empty();
        let above = source.slice(source.line_at(first.start().checked_sub(1)?));
        if !is_alone || module.tokens().has_comment(lines) || above.trim_start().starts_with('#') {
            return None;
        }
        Some(lines)
    }

    /// Whether a range has no comment in it, and no bracket without its partner.
    fn is_one_piece(&self, range: ByteRange) -> bool {
        let tokens = self.loaded.module.tokens();
        let count = |kind| {
            let all = tokens.within(range).iter();
            all.filter(|token| token.kind == kind).count()
        };
        !tokens.has_comment(range) && count(TokenKind::Open) == count(TokenKind::Close)
    }

    /// Adds the blank lines after removed statements that would be too many: at the start of a
    /// block, and after other blank lines.
    fn close_gaps(&mut self) {
        let source = self.loaded.module.source();
        self.removals.sort_by_key(|removal| removal.statement);
        let mut before: Option<(usize, bool)> = None;
        for removal in &mut self.removals {
            let lines = removal.lines;
            let above = source.line_at(lines.start().saturating_sub(1));
            let continues = before.is_some_and(|(end, no_gap)| end == lines.start() && no_gap);
            let no_gap = continues
                || self.leading.contains(&removal.statement.start())
                || source.slice(above).trim().is_empty();
            let mut end = lines.end();
            while no_gap && end < source.text().len() {
                let next = source.line_at(end);
                if next.is_empty() || !source.slice(next).trim().is_empty() {
                    break;
                }
                end = next.end();
            }
            removal.lines = ByteRange::new(lines.start(), end);
            before = Some((end, no_gap));
        }
    }

    /// The tokens that are names of the parameter or of a part of it, where they are variables.
    fn collect_tokens(&mut self) {
        let names = self.plain_names();
        self.open = names
            .into_iter()
            .filter(|&range| self.is_of_context(self.slice(range)))
            .map(|range| (range.start(), range.end()))
            .collect();
    }

    /// The names in the function that stay and are no attributes.
    fn plain_names(&self) -> Vec<ByteRange> {
        let tokens = self.loaded.module.tokens();
        let is_attribute = |range: ByteRange| {
            let before = tokens.previous(range.start());
            before.is_some_and(|before| self.slice(before.range) == ".")
        };
        tokens
            .within(self.definition.range)
            .iter()
            .filter(|token| token.kind == TokenKind::Name)
            .map(|token| token.range)
            .filter(|&range| !is_attribute(range) && !self.is_removed(range))
            .collect()
    }

    fn is_removed(&self, range: ByteRange) -> bool {
        let mut removals = self.removals.iter();
        removals.any(|removal| removal.statement.contains(range))
    }

    /// A name for the request that is not in use in the function.
    fn free_name(&self) -> Option<&'static str> {
        let names = self.plain_names();
        let is_taken = |candidate: &str| {
            let is_given_up = candidate == self.parameter || self.requests.contains(&candidate);
            !is_given_up
                && (self.variables.contains(candidate)
                    || names.iter().any(|&range| self.slice(range) == candidate))
        };
        let unused: &[&str] = if self.reads.is_empty() && self.parameter.starts_with('_') {
            &UNUSED_NAMES
        } else {
            &[]
        };
        let candidates = unused.iter().chain(&NAMES).copied();
        candidates
            .into_iter()
            .find(|candidate| !is_taken(candidate))
    }

    /// What `expression` stands for, when it has to do with the context.
    fn meaning(&self, expression: &Expr) -> Option<ContextPart> {
        match expression {
            Expr::Name(name) => match name.id.as_str() {
                name if name == self.parameter => Some(ContextPart::Context),
                name if self.requests.contains(&name) => Some(ContextPart::WebhookRequest),
                name if self.headers.contains(&name) => Some(ContextPart::HeadersName),
                _ => None,
            },
            Expr::Attribute(attribute) => {
                match (self.meaning(&attribute.value)?, attribute.attr.as_str()) {
                    (ContextPart::Context, "webhook_request") => Some(ContextPart::WebhookRequest),
                    (ContextPart::WebhookRequest, "headers") => Some(ContextPart::Headers),
                    (ContextPart::WebhookRequest, "body") => Some(ContextPart::Body),
                    (ContextPart::Context | ContextPart::WebhookRequest, _) => {
                        Some(ContextPart::Other)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether the text of an expression that stands for a part of the context is what the tree
    /// says: names and dots, without comments between them.
    fn written_plainly(&self, expression: &Expr) -> bool {
        let mut attributes = Vec::new();
        let mut inner = expression;
        while let Expr::Attribute(attribute) = inner {
            attributes.push(attribute.attr.as_str());
            inner = &attribute.value;
        }
        let Expr::Name(name) = inner else {
            return false;
        };
        attributes.push(name.id.as_str());
        attributes.reverse();
        let written: String = self
            .slice(range_of(expression))
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        written == attributes.join(".")
    }

    /// Takes the name at the root of `expression` off the list of those that are to be explained.
    fn mark_handled(&mut self, expression: &Expr) {
        if !self.written_plainly(expression) {
            let range = range_of(expression);
            self.refuse(
                range,
                text!(
                    "the context is used here in a form that cannot be rewritten",
                    "此处使用上下文的写法无法改写"
                ),
            );
            return;
        }
        let mut inner = expression;
        while let Expr::Attribute(attribute) = inner {
            inner = &attribute.value;
        }
        self.open.remove(&range_of(inner).start());
    }

    /// `can_await`: whether an `await` could stand here.
    fn statement(&mut self, statement: &'a Stmt, can_await: bool) {
        let range = range_of(statement);
        if self
            .removals
            .iter()
            .any(|removal| removal.statement == range)
        {
            return;
        }
        if let Some((name, value)) = single_name(statement)
            && self.headers.contains(&name)
            && self.meaning(value) == Some(ContextPart::Headers)
        {
            self.open.remove(&range.start());
            self.variables.insert(name);
            self.expression(value, can_await, UsePosition::Named);
            return;
        }
        let reads_before = self.reads.len();
        let can_await = can_await && descend_unless_nested(statement) == Descend::Into;
        tree::children(Node::Stmt(statement), &mut |child| match child {
            Node::Stmt(inner) => self.statement(inner, can_await),
            Node::Expr(expression) => {
                let is = |other: &Expr| std::ptr::eq(expression, other);
                let slot = match statement {
                    Stmt::For(s) if is(&s.iter) => UsePosition::Iterated,
                    Stmt::If(s) if is(&s.test) => UsePosition::Truth,
                    Stmt::While(s) if is(&s.test) => UsePosition::Truth,
                    Stmt::Assert(s) if is(&s.test) => UsePosition::Truth,
                    _ => UsePosition::Passed,
                };
                self.expression(expression, can_await, slot);
            }
        });
        let is_simple = matches!(
            statement,
            Stmt::Assign(_)
                | Stmt::AnnAssign(_)
                | Stmt::AugAssign(_)
                | Stmt::Expr(_)
                | Stmt::Return(_)
        );
        if is_simple && self.reads.len() > reads_before && self.slice(range).contains('\n') {
            self.broken_lines.push(range);
        }
    }

    fn expression(&mut self, expression: &'a Expr, can_await: bool, slot: UsePosition) {
        if self.refusal.is_some() {
            return;
        }
        let range = range_of(expression);
        let written = self.slice(range);
        let is_read = match expression {
            Expr::Attribute(attribute) => attribute.ctx == ExprContext::Load,
            Expr::Name(name) => name.ctx == ExprContext::Load,
            _ => true,
        };
        match self.meaning(expression) {
            None => self.below(expression, can_await, slot),
            Some(ContextPart::HeadersName | ContextPart::Context) if !is_read => {
                self.rebound(range)
            }
            Some(ContextPart::Context) => self.refuse(
                range,
                text!("`{written}` is passed on here", "此处传递了 `{written}`"),
            ),
            Some(ContextPart::Other) => self.refuse(
                range,
                text!(
                    "a request has nothing like `{written}`",
                    "请求中没有与 `{written}` 对应的内容"
                ),
            ),
            Some(ContextPart::WebhookRequest) => self.refuse(
                range,
                text!(
                    "`{written}` is used here other than for its headers and its body",
                    "此处对 `{written}` 的使用不限于读取请求头与请求体"
                ),
            ),
            Some(ContextPart::Headers | ContextPart::Body) if !is_read => self.refuse(
                range,
                text!("`{written}` is set here", "此处设置了 `{written}`"),
            ),
            Some(meaning @ (ContextPart::Headers | ContextPart::HeadersName)) => {
                if matches!(slot, UsePosition::Base | UsePosition::Passed) {
                    self.refuse(
                        range,
                        text!(
                            "`{written}` must be a dict here, but the headers of a request are not one",
                            "此处的 `{written}` 必须是字典，而请求的请求头并不是字典"
                        ),
                    );
                    return;
                }
                self.mark_handled(expression);
                if meaning == ContextPart::Headers {
                    self.part(range, slot, Part::Headers);
                }
            }
            Some(ContextPart::Body) => {
                if !can_await {
                    self.refuse(
                        range,
                        text!(
                            "the body is read where `await` is not allowed",
                            "此处读取了请求体，但这里不能使用 `await`"
                        ),
                    );
                    return;
                }
                self.mark_handled(expression);
                let in_brackets = matches!(
                    slot,
                    UsePosition::Base | UsePosition::Method | UsePosition::Lookup
                );
                self.part(range, slot, Part::Body { in_brackets });
            }
        }
    }

    fn part(&mut self, range: ByteRange, slot: UsePosition, part: Part) {
        let after = self.slice(ByteRange::new(
            range.end(),
            self.loaded.module.source().line_at(range.end()).end(),
        ));
        let after = after.trim_start();
        if slot == UsePosition::Shown && after.starts_with('=') && !after.starts_with("==") {
            // `f"{x=}"` shows the expression itself.
            self.refuse(
                range,
                text!(
                    "the text of this expression is shown too",
                    "此处还会输出该表达式本身的文本"
                ),
            );
            return;
        }
        self.reads.push(Read { range, part });
    }

    /// Looks at what is below an expression that is not itself a part of the context.
    fn below(&mut self, expression: &'a Expr, can_await: bool, slot: UsePosition) {
        match expression {
            Expr::Name(name) => {
                self.variables.insert(name.id.as_str());
            }
            Expr::Attribute(e) => self.expression(&e.value, can_await, UsePosition::Base),
            Expr::Await(e) => self.expression(&e.value, can_await, UsePosition::Base),
            Expr::Subscript(e) => {
                let looked_up = match e.ctx {
                    ExprContext::Load => UsePosition::Lookup,
                    _ => UsePosition::Base,
                };
                self.expression(&e.value, can_await, looked_up);
                self.expression(&e.slice, can_await, UsePosition::Passed);
            }
            Expr::Call(e) => self.call(e, can_await),
            Expr::Compare(e) => {
                self.expression(&e.left, can_await, UsePosition::Passed);
                for comparator in &e.comparators {
                    let is_container = matches!(e.ops.as_slice(), [CmpOp::In | CmpOp::NotIn]);
                    let slot = if is_container {
                        UsePosition::Container
                    } else {
                        UsePosition::Passed
                    };
                    self.expression(comparator, can_await, slot);
                }
            }
            Expr::UnaryOp(e) if e.op == ast::UnaryOp::Not => {
                self.expression(&e.operand, can_await, UsePosition::Truth);
            }
            Expr::BoolOp(e) => {
                let inner = if slot == UsePosition::Truth {
                    UsePosition::Truth
                } else {
                    UsePosition::Passed
                };
                for value in &e.values {
                    self.expression(value, can_await, inner);
                }
            }
            Expr::IfExp(e) => {
                self.expression(&e.test, can_await, UsePosition::Truth);
                self.expression(&e.body, can_await, UsePosition::Passed);
                self.expression(&e.orelse, can_await, UsePosition::Passed);
            }
            Expr::FormattedValue(e) => {
                self.expression(&e.value, can_await, UsePosition::Shown);
                if let Some(format) = &e.format_spec {
                    self.expression(format, can_await, UsePosition::Passed);
                }
            }
            Expr::ListComp(e) => self.comprehension(&e.generators, &[&*e.elt], can_await),
            Expr::SetComp(e) => self.comprehension(&e.generators, &[&*e.elt], can_await),
            Expr::GeneratorExp(e) => self.comprehension(&e.generators, &[&*e.elt], can_await),
            Expr::DictComp(e) => {
                self.comprehension(&e.generators, &[&*e.key, &*e.value], can_await);
            }
            Expr::Lambda(e) => {
                let names = tree::parameters(&e.args).map(|parameter| parameter.arg.as_str());
                // In a string its parameters are no tokens.
                if names.into_iter().any(|name| self.is_of_context(name)) {
                    self.rebound(range_of(expression));
                }
                self.every_child(expression, false);
            }
            Expr::JoinedStr(_) | Expr::Constant(_) => {
                if let Expr::Constant(constant) = expression
                    && matches!(&constant.value, Constant::Str(text) if text == RAW_CONTENT)
                {
                    self.refuse(
                        range_of(expression),
                        text!(
                            "`{RAW_CONTENT}` is the text of a body that is no JSON, which `request.json()` does not take",
                            "`{RAW_CONTENT}` 是非 JSON 请求体的文本，而 `request.json()` 不接受这样的请求体"
                        ),
                    );
                }
                self.modern_strings(range_of(expression), can_await);
                self.every_child(expression, can_await);
            }
            _ => self.every_child(expression, can_await),
        }
    }

    fn every_child(&mut self, expression: &'a Expr, can_await: bool) {
        tree::children(Node::Expr(expression), &mut |child| {
            if let Node::Expr(child) = child {
                self.expression(child, can_await, UsePosition::Passed);
            }
        });
    }

    fn call(&mut self, call: &'a ast::ExprCall, can_await: bool) {
        match &*call.func {
            Expr::Attribute(method) if HEADER_METHODS.contains(&method.attr.as_str()) => {
                self.expression(&method.value, can_await, UsePosition::Method);
            }
            function => self.expression(function, can_await, UsePosition::Base),
        }
        let slot = if shows_arguments(&call.func) {
            UsePosition::Shown
        } else {
            UsePosition::Passed
        };
        for argument in &call.args {
            self.expression(argument, can_await, slot);
        }
        for keyword in &call.keywords {
            if keyword.arg.is_some() {
                self.open.remove(&keyword.range().start().to_usize());
            }
            self.expression(&keyword.value, can_await, UsePosition::Passed);
        }
    }

    fn comprehension(
        &mut self,
        generators: &'a [ast::Comprehension],
        elements: &[&'a Expr],
        can_await: bool,
    ) {
        for (index, generator) in generators.iter().enumerate() {
            // The first is evaluated where the comprehension stands, the others inside it.
            self.expression(
                &generator.iter,
                can_await && index == 0,
                UsePosition::Iterated,
            );
            self.expression(&generator.target, false, UsePosition::Passed);
            for test in &generator.ifs {
                self.expression(test, false, UsePosition::Truth);
            }
        }
        for element in elements {
            self.expression(element, false, UsePosition::Passed);
        }
    }

    /// Looks into the f-strings of Python 3.12 in a string, which the tree has blank.
    fn modern_strings(&mut self, range: ByteRange, can_await: bool) {
        let module = &self.loaded.module;
        if !module.is_blanked(range) || !self.strings.insert(range.start()) {
            return;
        }
        for fragment in module.fragments(range) {
            self.expression(fragment, can_await, UsePosition::Shown);
        }
    }
}

/// The name and the value of `name = value`.
fn single_name(statement: &Stmt) -> Option<(&str, &Expr)> {
    match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => Some((name.id.as_str(), &assign.value)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether what is in a statement is still in the function around it.
fn descend_unless_nested(statement: &Stmt) -> Descend {
    if tree::is_definition(statement) {
        Descend::Past
    } else {
        Descend::Into
    }
}

/// Whether a function is one that makes a text of its arguments: `print`, or a logger's.
fn shows_arguments(function: &Expr) -> bool {
    let is_logger = |name: &str| matches!(name, "logger" | "log" | "logging" | "_logger");
    match function {
        Expr::Name(name) => name.id.as_str() == "print",
        Expr::Attribute(method) => match &*method.value {
            Expr::Name(owner) => is_logger(&owner.id),
            Expr::Attribute(owner) => is_logger(&owner.attr),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests;

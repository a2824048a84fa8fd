//! Strings that are made of constants: `%`, `str.format`, f-strings, `str(...)` and the methods that
//! authors use on paths.
//!
//! Invariant: what Python would make of it is given to the character, or nothing is.

use crate::migrate::python::ast::{self, Constant, Expr};
use crate::migrate::python::names::resolver::Resolver;
use crate::migrate::python::names::value::{Budget, MAX_TEXT, MemberKind, Value};

impl Resolver<'_> {
    /// The string that a value is where Python takes it for one, as in `+`.
    pub(super) fn as_text(value: Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text),
            Value::Member(member) if member.kind != MemberKind::Plain => match *member.value {
                Value::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// What `str(...)` makes of a value.
    fn printed(value: Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            // What a member of a class of both `str` and `Enum` prints differs between releases of
            // Python.
            Value::Member(member) if member.kind == MemberKind::StrEnum => match *member.value {
                Value::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn text_within(&self, expression: &Expr, budget: &Budget) -> Option<String> {
        Self::as_text(self.evaluate(expression, budget))
    }

    /// An f-string.
    pub(super) fn joined(&self, values: &[Expr], budget: &Budget) -> Option<String> {
        let mut whole = String::new();
        for value in values {
            match value {
                Expr::Constant(ast::ExprConstant {
                    value: Constant::Str(text),
                    ..
                }) => whole += text,
                Expr::FormattedValue(field)
                    if matches!(
                        field.conversion,
                        ast::ConversionFlag::None | ast::ConversionFlag::Str
                    ) =>
                {
                    let value = self.evaluate(&field.value, budget);
                    whole += &match &field.format_spec {
                        None => Self::printed(value)?,
                        Some(spec) if field.conversion == ast::ConversionFlag::None => {
                            let Expr::JoinedStr(spec) = &**spec else {
                                return None;
                            };
                            formatted(value, &self.joined(&spec.values, budget)?)?
                        }
                        Some(_) => return None,
                    };
                }
                _ => return None,
            }
            if whole.len() > MAX_TEXT {
                return None;
            }
        }
        Some(whole)
    }

    /// `text % values`.
    pub(super) fn percent(&self, operation: &ast::ExprBinOp, budget: &Budget) -> Option<String> {
        let template = match self.evaluate(&operation.left, budget) {
            Value::Text(text) => text,
            _ => return None,
        };
        let values: Vec<&Expr> = match &*operation.right {
            Expr::Tuple(tuple) => tuple.elts.iter().collect(),
            Expr::Dict(_) => return None,
            single => vec![single],
        };
        let mut values = values.into_iter();
        let mut whole = String::new();
        let mut rest = template.as_str();
        while let Some((before, after)) = rest.split_once('%') {
            whole += before;
            let mut characters = after.chars();
            match characters.next()? {
                '%' => whole.push('%'),
                's' => whole += &Self::printed(self.evaluate(values.next()?, budget))?,
                'd' => match self.evaluate(values.next()?, budget) {
                    Value::Number(number) => whole += &number.to_string(),
                    _ => return None,
                },
                // `%02d`
                '0' => {
                    let width = after.bytes().take_while(u8::is_ascii_digit).count();
                    let (specification, behind) = after.split_at_checked(width + 1)?;
                    let value = self.evaluate(values.next()?, budget);
                    if !specification.ends_with('d') {
                        return None;
                    }
                    whole += &formatted(value, specification)?;
                    characters = behind.chars();
                }
                _ => return None,
            }
            rest = characters.as_str();
        }
        whole += rest;
        (values.next().is_none() && whole.len() <= MAX_TEXT).then_some(whole)
    }

    /// `str(x)`, and a method of a string.
    pub(super) fn string_call(&self, call: &ast::ExprCall, budget: &Budget) -> Option<String> {
        let method = match &*call.func {
            Expr::Attribute(method) => method,
            Expr::Name(name) if name.id.as_str() == "str" && self.is_builtin("str") => {
                return match (call.args.as_slice(), call.keywords.as_slice()) {
                    ([value], []) => Self::printed(self.evaluate(value, budget)),
                    _ => None,
                };
            }
            _ => return None,
        };
        let name = method.attr.as_str();
        if !METHODS.contains(&name) {
            return None;
        }
        let text = self.text_within(&method.value, budget)?;
        if name == "format" {
            return self.format(&text, call, budget);
        }
        if !call.keywords.is_empty() {
            return None;
        }
        if name == "join" {
            let [Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })] =
                call.args.as_slice()
            else {
                return None;
            };
            let parts: Option<Vec<String>> = elts
                .iter()
                .map(|part| self.text_within(part, budget))
                .collect();
            return Some(parts?.join(&text));
        }
        let arguments: Option<Vec<String>> = call
            .args
            .iter()
            .map(|argument| self.text_within(argument, budget))
            .collect();
        let arguments = arguments?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let result = match (name, arguments.as_slice()) {
            ("lower", []) if text.is_ascii() => text.to_ascii_lowercase(),
            ("upper", []) if text.is_ascii() => text.to_ascii_uppercase(),
            ("strip", [set]) => text.trim_matches(|c| set.contains(c)).to_owned(),
            ("lstrip", [set]) => text.trim_start_matches(|c| set.contains(c)).to_owned(),
            ("rstrip", [set]) => text.trim_end_matches(|c| set.contains(c)).to_owned(),
            ("removeprefix", [prefix]) => text.strip_prefix(prefix).unwrap_or(&text).to_owned(),
            ("removesuffix", [suffix]) => text.strip_suffix(suffix).unwrap_or(&text).to_owned(),
            ("replace", [from, to]) if !from.is_empty() => text.replace(from, to),
            _ => return None,
        };
        (result.len() <= MAX_TEXT).then_some(result)
    }

    /// `template.format(...)`, whose fields are plain: `{}`, `{0}`, `{name}`.
    fn format(&self, template: &str, call: &ast::ExprCall, budget: &Budget) -> Option<String> {
        let mut whole = String::new();
        let mut next = 0;
        let mut is_numbered = None;
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            whole += &rest[..at];
            let bracket = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(bracket) {
                whole += bracket;
                rest = after;
                continue;
            }
            if bracket == "}" {
                return None;
            }
            let (field, after) = rest.split_once('}')?;
            rest = after;
            let is_number = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
            let value = if field.is_empty() || is_number {
                if is_numbered.is_some_and(|before| before != is_number) {
                    return None;
                }
                is_numbered = Some(is_number);
                let index = if is_number {
                    field.parse().ok()?
                } else {
                    next += 1;
                    next - 1
                };
                if call.args.iter().any(|one| matches!(one, Expr::Starred(_))) {
                    return None;
                }
                call.args.get(index)?
            } else {
                let is_it = |keyword: &&ast::Keyword| {
                    keyword
                        .arg
                        .as_ref()
                        .is_some_and(|name| name.as_str() == field)
                };
                &call.keywords.iter().find(is_it)?.value
            };
            whole += &Self::printed(self.evaluate(value, budget))?;
            if whole.len() > MAX_TEXT {
                return None;
            }
        }
        whole += rest;
        (whole.len() <= MAX_TEXT).then_some(whole)
    }

    /// Whether a name of Python's own is not bound to anything else here.
    pub(crate) fn is_builtin(&self, name: &str) -> bool {
        self.bindings(name).is_empty() && self.loaded.scope.stars().is_empty()
    }
}

/// The methods of strings that are understood.
const METHODS: &[&str] = &[
    "format",
    "join",
    "lower",
    "lstrip",
    "removeprefix",
    "removesuffix",
    "replace",
    "rstrip",
    "strip",
    "upper",
];

/// A whole number by a specification like `02d`.
fn formatted(value: Value, specification: &str) -> Option<String> {
    let Value::Number(number) = value else {
        return None;
    };
    let width = specification.strip_suffix('d').unwrap_or(specification);
    if number < 0 || !width.starts_with('0') || !width.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let width: usize = width.parse().ok().filter(|&width| width <= 64)?;
    Some(format!("{number:0width$}"))
}

//! The call of `mount_webhook_method`: its brackets, its arguments, the endpoint among them.

use super::callee::Callee;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::model::{Argument, CallSite, Role};
use crate::migrate::find::references::finder::Finder;
use crate::migrate::find::references::method::{OLDER_METHOD, role_at, role_of_keyword};
use crate::migrate::python::ast::{self, Expr};
use crate::migrate::python::names::Value;
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::range_of;
use crate::text;
use crate::text::Text;

impl Finder<'_> {
    /// The expression that says the endpoint.
    pub(crate) fn endpoint(&self, call: &ast::ExprCall, site: &CallSite) -> Option<Expr> {
        let argument = site
            .arguments
            .iter()
            .find(|argument| argument.role == Role::Endpoint)?;
        let is_it = |expression: &Expr| argument.value.contains(range_of(expression));
        let keywords = call.keywords.iter();
        let written = call
            .args
            .iter()
            .chain(keywords.map(|keyword| &keyword.value));
        if let Some(endpoint) = written.clone().find(|one| is_it(one)) {
            return Some(endpoint.clone());
        }
        let reader = self.loop_reader();
        let displays = written.filter_map(|one| match one {
            Expr::Starred(starred) => reader.unpacked_display(&starred.value),
            value => reader.unpacked_display(value),
        });
        let mut values = displays.flat_map(|display| match display {
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts
            }
            Expr::Dict(dict) => dict.values,
            _ => Vec::new(),
        });
        values.find(is_it)
    }

    pub(crate) fn call_site(
        &self,
        call: &ast::ExprCall,
        callee_of: &Callee<'_>,
    ) -> Result<CallSite, Text> {
        let tokens = self.loaded.module.tokens();
        let callee = callee_of.range;
        let whole = range_of(call);
        // The result is not text, and beside other arguments Python wants it in brackets.
        if call
            .args
            .iter()
            .chain(call.keywords.iter().map(|keyword| &keyword.value))
            .any(|argument| matches!(argument, Expr::GeneratorExp(_)))
        {
            return Err(unreadable());
        }
        let open = tokens
            .next(callee.end())
            .filter(|token| token.kind == TokenKind::Open);
        let close = tokens
            .previous(whole.end())
            .filter(|token| token.kind == TokenKind::Close);
        let (Some(open), Some(close)) = (open, close) else {
            return Err(unreadable());
        };
        let (mut arguments, trailing_comma) = if is_unpacking(call) {
            (
                self.unpacked_arguments(call, open.range, close.range)?,
                false,
            )
        } else {
            self.written_arguments(call, open.range, close.range)?
        };
        for (index, argument) in arguments.iter().enumerate() {
            if arguments[..index]
                .iter()
                .any(|other| other.role == argument.role)
            {
                return Err(text!("an argument is given twice", "有参数被重复传入"));
            }
        }
        let given: Vec<Role> = arguments.iter().map(|argument| argument.role).collect();
        let preset = callee_of.preset.iter();
        arguments.extend(preset.filter(|preset| !given.contains(&preset.role)));
        // What stands elsewhere cannot be changed in place.
        let brackets = ByteRange::new(open.range.start(), close.range.end());
        if arguments.len() > given.len() && tokens.has_comment(brackets) {
            return Err(unreadable());
        }
        if callee_of.is_older
            && !matches!(
                arguments.as_slice(),
                [Argument {
                    role: Role::Endpoint,
                    keyword: None,
                    ..
                }]
            )
        {
            return Err(text!(
                "`{OLDER_METHOD}` takes the endpoint and nothing else",
                "`{OLDER_METHOD}` 只接收 endpoint 这一个参数"
            ));
        }
        let described = arguments.iter().find(|one| one.role == Role::Description);
        if let Some(argument) = described
            && matches!(
                tokens.within(argument.value),
                [only] if only.kind == TokenKind::Number
            )
        {
            // FastAPI splits it into lines, and raises while the plugin is imported.
            return Err(text!(
                "the description is a number, and a route takes a text",
                "`description` 是数字，而路由的说明必须是文本"
            ));
        }
        let module_prefix = match callee_of.receiver {
            Some(Expr::Attribute(inner)) => match self.resolver().value(&inner.value) {
                Value::Module(_) => Some(range_of(&*inner.value)),
                _ => None,
            },
            _ => None,
        };
        let receiver_name = match callee_of.receiver {
            Some(Expr::Name(name)) => Some(name.id.to_string()),
            _ => None,
        };
        Ok(CallSite {
            call: whole,
            callee,
            module_prefix,
            receiver_name,
            alias: callee_of.alias,
            open: open.range,
            close: close.range,
            arguments,
            trailing_comma,
        })
    }

    /// The arguments as they are written between the brackets, and whether a comma follows the last.
    fn written_arguments(
        &self,
        call: &ast::ExprCall,
        open: ByteRange,
        close: ByteRange,
    ) -> Result<(Vec<Argument>, bool), Text> {
        let module = &self.loaded.module;
        let (source, tokens) = (module.source(), module.tokens());
        let (pieces, trailing_comma) =
            tokens.split_at_commas(ByteRange::new(open.end(), close.start()));
        if pieces.len() != call.args.len() + call.keywords.len() {
            return Err(unreadable());
        }
        let mut arguments = Vec::with_capacity(pieces.len());
        for (index, piece) in pieces.into_iter().enumerate() {
            let inside = tokens.within(piece);
            let (role, keyword, value) = match inside {
                [name, equals, ..]
                    if index >= call.args.len()
                        && name.kind == TokenKind::Name
                        && source.slice(equals.range) == "=" =>
                {
                    let role = role_of_keyword(source.slice(name.range))?;
                    let start = tokens
                        .next(equals.range.end())
                        .map_or(piece.end(), |t| t.range.start());
                    (
                        role,
                        Some(ByteRange::new(name.range.start(), start)),
                        ByteRange::new(start, piece.end()),
                    )
                }
                _ => (role_at(index)?, None, piece),
            };
            arguments.push(Argument {
                role,
                keyword,
                value,
            });
        }
        Ok((arguments, trailing_comma))
    }

    /// The arguments of a call that unpacks displays of constants, in the order of the parameters; their
    /// values stand in the displays.
    fn unpacked_arguments(
        &self,
        call: &ast::ExprCall,
        open: ByteRange,
        close: ByteRange,
    ) -> Result<Vec<Argument>, Text> {
        let unknown = || {
            text!(
                "the arguments are passed as `*` or `**`",
                "参数是以 `*` 或 `**` 的方式传入的"
            )
        };
        let tokens = self.loaded.module.tokens();
        if tokens.has_comment(ByteRange::new(open.start(), close.end())) {
            return Err(unknown());
        }
        let reader = self.loop_reader();
        let mut values: Vec<Expr> = Vec::new();
        for argument in &call.args {
            match argument {
                Expr::Starred(starred) => match reader.unpacked_display(&starred.value) {
                    Some(
                        Expr::Tuple(ast::ExprTuple { elts, .. })
                        | Expr::List(ast::ExprList { elts, .. }),
                    ) => values.extend(elts),
                    _ => return Err(unknown()),
                },
                plain => values.push(plain.clone()),
            }
        }
        let mut arguments = Vec::new();
        for (index, value) in values.iter().enumerate() {
            arguments.push((role_at(index)?, range_of(value)));
        }
        for keyword in &call.keywords {
            let Some(name) = &keyword.arg else {
                let Some(Expr::Dict(dict)) = reader.unpacked_display(&keyword.value) else {
                    return Err(unknown());
                };
                for (key, value) in dict.keys.iter().zip(&dict.values) {
                    let key = key.as_ref().and_then(|key| self.resolver().text(key));
                    let role = role_of_keyword(&key.ok_or_else(unknown)?)?;
                    arguments.push((role, range_of(value)));
                }
                continue;
            };
            arguments.push((role_of_keyword(name)?, range_of(&keyword.value)));
        }
        arguments.sort_by_key(|(role, _)| *role);
        let argument = |(role, value)| Argument {
            role,
            keyword: None,
            value,
        };
        Ok(arguments.into_iter().map(argument).collect())
    }
}

fn unreadable() -> Text {
    text!(
        "the arguments of this call cannot be read",
        "无法解析此处调用的参数"
    )
}

fn is_unpacking(call: &ast::ExprCall) -> bool {
    let mut keywords = call.keywords.iter();
    let is_starred = |argument: &Expr| matches!(argument, Expr::Starred(_));
    call.args.iter().any(is_starred) || keywords.any(|keyword| keyword.arg.is_none())
}

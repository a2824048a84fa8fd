//! The call of `mount_webhook_method`: its brackets, its arguments, the endpoint among them.

use rustpython_parser::ast::{self, Expr};

use super::callee::Callee;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::model::{Argument, CallSite, Role};
use crate::migrate::find::references::finder::Finder;
use crate::migrate::find::references::method::{METHOD, OLDER_METHOD};
use crate::migrate::python::names::Value;
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::range_of;
use crate::text;
use crate::text::Text;

impl Finder<'_> {
    /// The expression that says the endpoint, and where it stands with its brackets.
    pub(super) fn endpoint<'e>(
        &self,
        call: &'e ast::ExprCall,
        site: &CallSite,
    ) -> Option<&'e Expr> {
        let argument = site
            .arguments
            .iter()
            .find(|argument| argument.role == Role::Endpoint)?;
        call.args
            .iter()
            .chain(call.keywords.iter().map(|keyword| &keyword.value))
            .find(|expression| argument.value.contains(range_of(*expression)))
    }

    pub(super) fn call_site(
        &self,
        call: &ast::ExprCall,
        callee_of: &Callee<'_>,
    ) -> Result<CallSite, Text> {
        let module = &self.loaded.module;
        let (source, tokens) = (module.source(), module.tokens());
        let callee = callee_of.range;
        let whole = range_of(call);
        let unreadable = || {
            text!(
                "the arguments of this call cannot be read",
                "无法解析此处调用的参数"
            )
        };
        if call
            .args
            .iter()
            .any(|argument| matches!(argument, Expr::Starred(_)))
            || call.keywords.iter().any(|keyword| keyword.arg.is_none())
        {
            return Err(text!(
                "the arguments are passed as `*` or `**`",
                "参数是以 `*` 或 `**` 的方式传入的"
            ));
        }
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
        let (pieces, trailing_comma) =
            tokens.split_at_commas(ByteRange::new(open.range.end(), close.range.start()));
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
                    let role = match source.slice(name.range) {
                        "endpoint" => Role::Endpoint,
                        "name" => Role::Name,
                        "description" => Role::Description,
                        other => {
                            return Err(text!(
                                "`{other}` is not an argument of `{METHOD}`",
                                "`{METHOD}` 没有名为 `{other}` 的参数"
                            ));
                        }
                    };
                    let start = tokens
                        .next(equals.range.end())
                        .map_or(piece.end(), |t| t.range.start());
                    (
                        role,
                        Some(ByteRange::new(name.range.start(), start)),
                        ByteRange::new(start, piece.end()),
                    )
                }
                _ => {
                    let role = match index {
                        0 => Role::Endpoint,
                        1 => Role::Name,
                        2 => Role::Description,
                        _ => {
                            return Err(text!(
                                "there are more arguments than `{METHOD}` takes",
                                "参数个数多于 `{METHOD}` 所能接收的"
                            ));
                        }
                    };
                    (role, None, piece)
                }
            };
            if arguments.iter().any(|other: &Argument| other.role == role) {
                return Err(text!("an argument is given twice", "有参数被重复传入"));
            }
            arguments.push(Argument {
                role,
                keyword,
                value,
            });
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
}

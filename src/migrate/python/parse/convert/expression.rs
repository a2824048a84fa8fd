//! Expressions, and what only stands in them or in definitions.

use std::str::FromStr;

use ruff_python_ast as ruff;
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashSet;

use super::{Converter, operators};
use crate::migrate::python::ast::bigint::BigInt;
use crate::migrate::python::ast::{self, Constant, Expr, ExprContext};

impl Converter<'_> {
    #[expect(
        clippy::boxed_local,
        reason = "out of its box here, and not at each caller"
    )]
    pub(super) fn boxed(&self, expression: Box<ruff::Expr>) -> Box<Expr> {
        Box::new(self.expression(*expression))
    }

    pub(super) fn optional(&self, expression: Option<Box<ruff::Expr>>) -> Option<Box<Expr>> {
        expression.map(|expression| self.boxed(expression))
    }

    pub(super) fn expressions(&self, all: impl IntoIterator<Item = ruff::Expr>) -> Vec<Expr> {
        all.into_iter().map(|one| self.expression(one)).collect()
    }

    pub(super) fn expression(&self, expression: ruff::Expr) -> Expr {
        let range = self.range(expression.range());
        match expression {
            ruff::Expr::BoolOp(e) => Expr::BoolOp(ast::ExprBoolOp {
                range,
                op: match e.op {
                    ruff::BoolOp::And => ast::BoolOp::And,
                    ruff::BoolOp::Or => ast::BoolOp::Or,
                },
                values: self.expressions(e.values),
            }),
            ruff::Expr::Named(e) => Expr::NamedExpr(ast::ExprNamedExpr {
                range,
                target: self.boxed(e.target),
                value: self.boxed(e.value),
            }),
            ruff::Expr::BinOp(e) => Expr::BinOp(ast::ExprBinOp {
                range,
                left: self.boxed(e.left),
                op: operators::binary(e.op),
                right: self.boxed(e.right),
            }),
            ruff::Expr::UnaryOp(e) => Expr::UnaryOp(ast::ExprUnaryOp {
                range,
                op: match e.op {
                    ruff::UnaryOp::Invert => ast::UnaryOp::Invert,
                    ruff::UnaryOp::Not => ast::UnaryOp::Not,
                    ruff::UnaryOp::UAdd => ast::UnaryOp::UAdd,
                    ruff::UnaryOp::USub => ast::UnaryOp::USub,
                },
                operand: self.boxed(e.operand),
            }),
            ruff::Expr::Lambda(e) => Expr::Lambda(ast::ExprLambda {
                range,
                args: Box::new(match e.parameters {
                    Some(parameters) => self.parameters(*parameters),
                    None => ast::Arguments::empty(range.into()),
                }),
                body: self.boxed(e.body),
            }),
            ruff::Expr::If(e) => Expr::IfExp(ast::ExprIfExp {
                range,
                test: self.boxed(e.test),
                body: self.boxed(e.body),
                orelse: self.boxed(e.orelse),
            }),
            ruff::Expr::Dict(e) => {
                let (keys, values) = e
                    .items
                    .into_iter()
                    .map(|item| {
                        let key = item.key.map(|key| self.expression(key));
                        (key, self.expression(item.value))
                    })
                    .unzip();
                Expr::Dict(ast::ExprDict {
                    range,
                    keys,
                    values,
                })
            }
            ruff::Expr::Set(e) => Expr::Set(ast::ExprSet {
                range,
                elts: self.expressions(e.elts),
            }),
            ruff::Expr::ListComp(e) => Expr::ListComp(ast::ExprListComp {
                range,
                elt: self.boxed(e.elt),
                generators: self.comprehensions(e.generators),
            }),
            ruff::Expr::SetComp(e) => Expr::SetComp(ast::ExprSetComp {
                range,
                elt: self.boxed(e.elt),
                generators: self.comprehensions(e.generators),
            }),
            ruff::Expr::DictComp(e) => {
                let Some(key) = e.key else {
                    return self.unknown_expression(e.range);
                };
                Expr::DictComp(ast::ExprDictComp {
                    range,
                    key: self.boxed(key),
                    value: self.boxed(e.value),
                    generators: self.comprehensions(e.generators),
                })
            }
            ruff::Expr::Generator(e) => Expr::GeneratorExp(ast::ExprGeneratorExp {
                range,
                elt: self.boxed(e.elt),
                generators: self.comprehensions(e.generators),
            }),
            ruff::Expr::Await(e) => Expr::Await(ast::ExprAwait {
                range,
                value: self.boxed(e.value),
            }),
            ruff::Expr::Yield(e) => Expr::Yield(ast::ExprYield {
                range,
                value: self.optional(e.value),
            }),
            ruff::Expr::YieldFrom(e) => Expr::YieldFrom(ast::ExprYieldFrom {
                range,
                value: self.boxed(e.value),
            }),
            ruff::Expr::Compare(e) => Expr::Compare(ast::ExprCompare {
                range,
                left: self.boxed(e.left),
                ops: e.ops.iter().map(operators::comparison).collect(),
                comparators: self.expressions(e.comparators),
            }),
            ruff::Expr::Call(e) => {
                let func = self.boxed(e.func);
                let (args, keywords) = self.arguments(e.arguments);
                Expr::Call(ast::ExprCall {
                    range,
                    func,
                    args,
                    keywords,
                })
            }
            ruff::Expr::FString(e) => self.f_string(e),
            ruff::Expr::StringLiteral(e) => self.string(e),
            ruff::Expr::BytesLiteral(e) => self.bytes(e),
            ruff::Expr::NumberLiteral(e) => {
                let number = self.number(e.value, e.range);
                constant(range, number)
            }
            ruff::Expr::BooleanLiteral(e) => constant(range, Constant::Bool(e.value)),
            ruff::Expr::NoneLiteral(_) => constant(range, Constant::None),
            ruff::Expr::EllipsisLiteral(_) => constant(range, Constant::Ellipsis),
            ruff::Expr::Attribute(e) => Expr::Attribute(ast::ExprAttribute {
                range,
                attr: self.identifier(&e.attr),
                ctx: self.context(e.ctx, e.range),
                value: self.boxed(e.value),
            }),
            ruff::Expr::Subscript(e) => Expr::Subscript(ast::ExprSubscript {
                range,
                ctx: self.context(e.ctx, e.range),
                value: self.boxed(e.value),
                slice: self.boxed(e.slice),
            }),
            ruff::Expr::Starred(e) => Expr::Starred(ast::ExprStarred {
                range,
                ctx: self.context(e.ctx, e.range),
                value: self.boxed(e.value),
            }),
            ruff::Expr::Name(e) => Expr::Name(ast::ExprName {
                range,
                id: self.name(e.id.as_str(), e.range),
                ctx: self.context(e.ctx, e.range),
            }),
            ruff::Expr::List(e) => Expr::List(ast::ExprList {
                range,
                ctx: self.context(e.ctx, e.range),
                elts: self.expressions(e.elts),
            }),
            ruff::Expr::Tuple(e) => Expr::Tuple(ast::ExprTuple {
                range,
                ctx: self.context(e.ctx, e.range),
                elts: self.expressions(e.elts),
            }),
            ruff::Expr::Slice(e) => Expr::Slice(ast::ExprSlice {
                range,
                lower: self.optional(e.lower),
                upper: self.optional(e.upper),
                step: self.optional(e.step),
            }),
            ruff::Expr::TString(e) => self.unknown_expression(e.range),
            ruff::Expr::IpyEscapeCommand(e) => self.unknown_expression(e.range),
        }
    }

    fn unknown_expression(&self, range: TextRange) -> Expr {
        self.note_unknown(range);
        constant(self.range(range), Constant::Ellipsis)
    }

    fn context(&self, context: ruff::ExprContext, range: TextRange) -> ExprContext {
        match context {
            ruff::ExprContext::Load => ExprContext::Load,
            ruff::ExprContext::Store => ExprContext::Store,
            ruff::ExprContext::Del => ExprContext::Del,
            ruff::ExprContext::Invalid => {
                self.note_unknown(range);
                ExprContext::Load
            }
        }
    }

    fn number(&self, number: ruff::Number, range: TextRange) -> Constant {
        match number {
            ruff::Number::Float(value) => Constant::Float(value),
            ruff::Number::Complex { real, imag } => Constant::Complex { real, imag },
            ruff::Number::Int(value) => match value.as_u64() {
                Some(value) => Constant::Int(BigInt::from(value)),
                None => match large(&value.to_string()) {
                    Some(value) => Constant::Int(value),
                    None => {
                        self.note_unknown(range);
                        Constant::Ellipsis
                    }
                },
            },
        }
    }

    fn comprehensions(&self, all: Vec<ruff::Comprehension>) -> Vec<ast::Comprehension> {
        let convert = |one: ruff::Comprehension| ast::Comprehension {
            range: self.range(one.range).into(),
            target: self.expression(one.target),
            iter: self.expression(one.iter),
            ifs: self.expressions(one.ifs),
            is_async: one.is_async,
        };
        all.into_iter().map(convert).collect()
    }

    pub(super) fn arguments(&self, all: ruff::Arguments) -> (Vec<Expr>, Vec<ast::Keyword>) {
        let convert = |keyword: ruff::Keyword| ast::Keyword {
            range: self.range(keyword.range),
            arg: keyword.arg.as_ref().map(|name| self.identifier(name)),
            value: self.expression(keyword.value),
        };
        let args = self.expressions(all.args);
        (args, all.keywords.into_iter().map(convert).collect())
    }

    pub(super) fn parameters(&self, all: ruff::Parameters) -> ast::Arguments {
        let plain = |one: ruff::Parameter| ast::Arg {
            // The star in front of the name is not of it.
            range: self.range(TextRange::new(one.name.range.start(), one.range.end())),
            arg: self.identifier(&one.name),
            annotation: self.optional(one.annotation),
            type_comment: None,
        };
        let with_default = |one: ruff::ParameterWithDefault| ast::ArgWithDefault {
            range: self.range(one.range).into(),
            def: plain(one.parameter),
            default: self.optional(one.default),
        };
        self.refuse_duplicates(&all);
        ast::Arguments {
            range: self.range(all.range).into(),
            posonlyargs: all.posonlyargs.into_iter().map(with_default).collect(),
            args: all.args.into_iter().map(with_default).collect(),
            vararg: all.vararg.map(|one| Box::new(plain(*one))),
            kwonlyargs: all.kwonlyargs.into_iter().map(with_default).collect(),
            kwarg: all.kwarg.map(|one| Box::new(plain(*one))),
        }
    }
}

impl Converter<'_> {
    fn refuse_duplicates(&self, parameters: &ruff::Parameters) {
        let mut names = FxHashSet::default();
        for parameter in parameters {
            let name = parameter.name();
            if !names.insert(name.as_str()) {
                let reason = format!("duplicate argument '{name}' in function definition");
                self.refuse(name.range, &reason);
            }
        }
    }
}

fn constant(range: ast::text_size::TextRange, value: Constant) -> Expr {
    Expr::Constant(ast::ExprConstant {
        range,
        value,
        kind: None,
    })
}

/// An integer of more than 64 bits, as it is written.
fn large(text: &str) -> Option<BigInt> {
    let digits: Vec<u8> = text.bytes().filter(|&byte| byte != b'_').collect();
    let radix = match digits.get(..2) {
        Some(b"0x" | b"0X") => 16,
        Some(b"0o" | b"0O") => 8,
        Some(b"0b" | b"0B") => 2,
        _ => return BigInt::from_str(std::str::from_utf8(&digits).ok()?).ok(),
    };
    BigInt::parse_bytes(digits.get(2..)?, radix)
}

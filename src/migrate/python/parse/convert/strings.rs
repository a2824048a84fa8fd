//! Strings and f-strings. What stands side by side is one node; the parts of an f-string are the
//! texts between its fields, joined, and the fields.

use ruff_python_ast as ruff;
use ruff_text_size::{Ranged, TextRange};

use super::Converter;
use crate::migrate::python::ast::{self, Constant, ConversionFlag, Expr};

/// The parts of an f-string so far, and the text behind the last field.
struct Parts {
    values: Vec<Expr>,
    text: Option<String>,
    kind: Option<String>,
    range: ast::text_size::TextRange,
}

impl Parts {
    fn push_text(&mut self, text: &str) {
        self.text.get_or_insert_default().push_str(text);
    }

    fn end_text(&mut self) {
        if let Some(text) = self.text.take() {
            self.values.push(Expr::Constant(ast::ExprConstant {
                range: self.range,
                value: Constant::Str(text),
                kind: self.kind.clone(),
            }));
        }
    }

    fn push_field(&mut self, field: Expr) {
        self.end_text();
        self.values.push(field);
    }

    fn joined(mut self) -> Expr {
        self.end_text();
        Expr::JoinedStr(ast::ExprJoinedStr {
            range: self.range,
            values: self.values,
        })
    }
}

impl Converter<'_> {
    pub(super) fn string(&self, mut string: ruff::ExprStringLiteral) -> Expr {
        let kind = string.value.is_unicode().then(|| "u".to_owned());
        let mut value = String::new();
        for literal in string.value.iter_mut() {
            self.end_lines_of_string(literal);
            let text = std::mem::take(&mut literal.value).into_string();
            if value.is_empty() {
                value = text;
            } else {
                value.push_str(&text);
            }
        }
        Expr::Constant(ast::ExprConstant {
            range: self.range(string.range),
            value: Constant::Str(value),
            kind,
        })
    }

    pub(super) fn bytes(&self, mut bytes: ruff::ExprBytesLiteral) -> Expr {
        for literal in bytes.value.iter_mut() {
            self.end_lines_of_bytes(literal);
        }
        Expr::Constant(ast::ExprConstant {
            range: self.range(bytes.range),
            value: Constant::Bytes(bytes.value.bytes().collect()),
            kind: None,
        })
    }

    pub(super) fn f_string(&self, mut string: ruff::ExprFString) -> Expr {
        let first = string.value.as_slice().first();
        let is_unicode = first
            .and_then(ruff::FStringPart::as_literal)
            .is_some_and(|literal| literal.flags.prefix().is_unicode());
        let mut parts = Parts {
            values: Vec::new(),
            text: None,
            kind: is_unicode.then(|| "u".to_owned()),
            range: self.range(string.range),
        };
        for part in string.value.iter_mut() {
            match part {
                ruff::FStringPart::Literal(literal) => {
                    self.end_lines_of_string(literal);
                    parts.push_text(&literal.value);
                }
                ruff::FStringPart::FString(string) => {
                    self.end_lines_of_f_string(string);
                    let range = string.range;
                    self.elements(&mut string.elements, range, &mut parts);
                }
            }
        }
        parts.joined()
    }

    /// Adds `elements` of the f-string at `range`, or of the format of one of its fields.
    fn elements(
        &self,
        elements: &mut ruff::InterpolatedStringElements,
        range: TextRange,
        parts: &mut Parts,
    ) {
        for element in elements.iter_mut() {
            match element {
                ruff::InterpolatedStringElement::Literal(literal) => {
                    parts.push_text(&literal.value);
                }
                ruff::InterpolatedStringElement::Interpolation(field) => {
                    if let Some(text) = &field.debug_text {
                        parts.push_text(text.as_str());
                    }
                    parts.push_field(self.field(field, range));
                }
            }
        }
    }

    fn field(&self, field: &mut ruff::InterpolatedElement, range: TextRange) -> Expr {
        let is_plain = field.format_spec.is_none();
        let conversion = match field.conversion {
            // `{x=}` shows the `repr` of `x`.
            ruff::ConversionFlag::None if field.debug_text.is_some() && is_plain => {
                ConversionFlag::Repr
            }
            ruff::ConversionFlag::None => ConversionFlag::None,
            ruff::ConversionFlag::Str => ConversionFlag::Str,
            ruff::ConversionFlag::Ascii => ConversionFlag::Ascii,
            ruff::ConversionFlag::Repr => ConversionFlag::Repr,
        };
        let format_spec = field.format_spec.as_deref_mut().map(|spec| {
            let mut parts = Parts {
                values: Vec::new(),
                text: None,
                kind: None,
                range: self.range(range),
            };
            self.elements(&mut spec.elements, range, &mut parts);
            Box::new(parts.joined())
        });
        let nothing = ruff::Expr::NoneLiteral(ruff::ExprNoneLiteral::default());
        let value = std::mem::replace(&mut *field.expression, nothing);
        if value.is_starred_expr() {
            self.refuse(value.range(), "cannot use starred expression here");
        }
        Expr::FormattedValue(ast::ExprFormattedValue {
            range: self.range(range),
            value: Box::new(self.expression(value)),
            conversion,
            format_spec,
        })
    }
}

//! Line ends within strings: Python reads each kind as `\n`, and ruff's parser keeps what is written.
//!
//! A string of which that matters is parsed again from the text that Python reads; only its texts are
//! taken from there, and the places stay those of the file.

use ruff_python_ast as ruff;
use ruff_text_size::TextRange;

use super::Converter;

impl Converter<'_> {
    /// The literal at `range` with its line ends as Python reads them; none where they are so already.
    fn with_line_ends(&self, range: TextRange) -> Option<ruff::Expr> {
        let text = self
            .text
            .get(range.start().to_usize()..range.end().to_usize())?;
        memchr::memchr(b'\r', text.as_bytes())?;
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let parsed = ruff_python_parser::parse_expression(&text).ok()?;
        Some(parsed.into_expr())
    }

    pub(super) fn end_lines_of_string(&self, literal: &mut ruff::StringLiteral) {
        if let Some(ruff::Expr::StringLiteral(mut same)) = self.with_line_ends(literal.range)
            && let Some(same) = same.value.iter_mut().next()
        {
            std::mem::swap(&mut literal.value, &mut same.value);
        }
    }

    pub(super) fn end_lines_of_bytes(&self, literal: &mut ruff::BytesLiteral) {
        if let Some(ruff::Expr::BytesLiteral(mut same)) = self.with_line_ends(literal.range)
            && let Some(same) = same.value.iter_mut().next()
        {
            std::mem::swap(&mut literal.value, &mut same.value);
        }
    }

    pub(super) fn end_lines_of_f_string(&self, string: &mut ruff::FString) {
        if let Some(ruff::Expr::FString(mut same)) = self.with_line_ends(string.range)
            && let Some(ruff::FStringPart::FString(same)) = same.value.iter_mut().next()
        {
            swap_texts(&mut string.elements, &mut same.elements);
        }
    }
}

/// Exchanges the texts between the fields, in two f-strings that have the same fields.
fn swap_texts(
    one: &mut ruff::InterpolatedStringElements,
    other: &mut ruff::InterpolatedStringElements,
) {
    for pair in one.iter_mut().zip(other.iter_mut()) {
        match pair {
            (
                ruff::InterpolatedStringElement::Literal(one),
                ruff::InterpolatedStringElement::Literal(other),
            ) => std::mem::swap(&mut one.value, &mut other.value),
            (
                ruff::InterpolatedStringElement::Interpolation(one),
                ruff::InterpolatedStringElement::Interpolation(other),
            ) => {
                std::mem::swap(&mut one.debug_text, &mut other.debug_text);
                if let (Some(one), Some(other)) = (&mut one.format_spec, &mut other.format_spec) {
                    swap_texts(&mut one.elements, &mut other.elements);
                }
            }
            _ => {}
        }
    }
}

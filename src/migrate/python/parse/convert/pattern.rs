//! The patterns of `case`.

use ruff_python_ast as ruff;
use ruff_text_size::Ranged;

use super::Converter;
use crate::migrate::python::ast::{self, Constant, Pattern};

impl Converter<'_> {
    fn patterns(&self, all: impl IntoIterator<Item = ruff::Pattern>) -> Vec<Pattern> {
        all.into_iter().map(|one| self.pattern(one)).collect()
    }

    pub(super) fn pattern(&self, pattern: ruff::Pattern) -> Pattern {
        let range = self.range(pattern.range());
        match pattern {
            ruff::Pattern::MatchValue(p) => Pattern::MatchValue(ast::PatternMatchValue {
                range,
                value: self.boxed(p.value),
            }),
            ruff::Pattern::MatchSingleton(p) => {
                Pattern::MatchSingleton(ast::PatternMatchSingleton {
                    range,
                    value: match p.value {
                        ruff::Singleton::None => Constant::None,
                        ruff::Singleton::True => Constant::Bool(true),
                        ruff::Singleton::False => Constant::Bool(false),
                    },
                })
            }
            ruff::Pattern::MatchSequence(p) => Pattern::MatchSequence(ast::PatternMatchSequence {
                range,
                patterns: self.patterns(p.patterns),
            }),
            ruff::Pattern::MatchMapping(p) => Pattern::MatchMapping(ast::PatternMatchMapping {
                range,
                keys: self.expressions(p.keys),
                patterns: self.patterns(p.patterns),
                rest: p.rest.as_ref().map(|rest| self.identifier(rest)),
            }),
            ruff::Pattern::MatchClass(p) => {
                let keywords = p.arguments.keywords.into_iter();
                let (kwd_attrs, kwd_patterns) = keywords
                    .map(|keyword| {
                        (
                            self.identifier(&keyword.attr),
                            self.pattern(keyword.pattern),
                        )
                    })
                    .unzip();
                Pattern::MatchClass(ast::PatternMatchClass {
                    range,
                    cls: self.boxed(p.cls),
                    patterns: self.patterns(p.arguments.patterns),
                    kwd_attrs,
                    kwd_patterns,
                })
            }
            ruff::Pattern::MatchStar(p) => Pattern::MatchStar(ast::PatternMatchStar {
                range,
                name: p.name.as_ref().map(|name| self.identifier(name)),
            }),
            ruff::Pattern::MatchAs(p) => Pattern::MatchAs(ast::PatternMatchAs {
                range,
                pattern: p.pattern.map(|pattern| Box::new(self.pattern(*pattern))),
                name: p.name.as_ref().map(|name| self.identifier(name)),
            }),
            ruff::Pattern::MatchOr(p) => Pattern::MatchOr(ast::PatternMatchOr {
                range,
                patterns: self.patterns(p.patterns),
            }),
        }
    }
}

//! What `rehook explain` prints: for every code what it means, and a before and after.
//!
//! The match is exhaustive on purpose: a code without an explanation does not compile. The texts
//! are in one file a range of codes. The Python is as `ruff format` leaves it at 88 columns, and
//! parses, except where a code is about Python that does not.

mod doc_only_api;
mod handler_codes;
mod lints;
mod page;
mod reading;
mod registrations;

use super::codes::{Code, Explanation};
use crate::text::Text;

impl Code {
    /// What the code means, why it is so, and what the remedy leads to.
    pub fn explanation(self) -> Explanation {
        let page = match self {
            Self::Unreadable => &reading::UNREADABLE,
            Self::SyntaxError => &reading::SYNTAX_ERROR,
            Self::Python2 => &reading::PYTHON_2,
            Self::NullByte => &reading::NULL_BYTE,
            Self::NotUtf8 => &reading::NOT_UTF_8,
            Self::WrongEncoding => &reading::WRONG_ENCODING,
            Self::NestedTooDeeply => &reading::NESTED_TOO_DEEPLY,
            Self::IgnoreComment => &reading::IGNORE_COMMENT,
            Self::UnknownPlugin => &registrations::UNKNOWN_PLUGIN,
            Self::UnknownPluginKey => &registrations::UNKNOWN_PLUGIN_KEY,
            Self::UnknownEndpoint => &registrations::UNKNOWN_ENDPOINT,
            Self::UnusableEndpoint => &registrations::UNUSABLE_ENDPOINT,
            Self::UnknownDialect => &handler_codes::UNKNOWN_DIALECT,
            Self::TakenBuiltin => &handler_codes::TAKEN_BUILTIN,
            Self::UnknownHandler => &handler_codes::UNKNOWN_HANDLER,
            Self::NotAsync => &handler_codes::NOT_ASYNC,
            Self::UnusualHandler => &handler_codes::UNUSUAL_HANDLER,
            Self::UnusualArguments => &registrations::UNUSUAL_ARGUMENTS,
            Self::LateRegistration => &registrations::LATE_REGISTRATION,
            Self::UnknownOrder => &registrations::UNKNOWN_ORDER,
            Self::PathTaken => &registrations::PATH_TAKEN,
            Self::UnknownRouter => &registrations::UNKNOWN_ROUTER,
            Self::UnresolvedAnnotation => &handler_codes::UNRESOLVED_ANNOTATION,
            Self::NotARegistration => &registrations::NOT_A_REGISTRATION,
            Self::PluginNotAtModuleLevel => &registrations::PLUGIN_NOT_AT_MODULE_LEVEL,
            Self::EndpointsCollide => &registrations::ENDPOINTS_COLLIDE,
            Self::NotNative => &handler_codes::NOT_NATIVE,
            Self::SharedKey => &handler_codes::SHARED_KEY,
            Self::RefusedParameter => &handler_codes::REFUSED_PARAMETER,
            Self::OwnFault => &handler_codes::OWN_FAULT,
            Self::DocumentApi => &doc_only_api::DOCUMENT_API,
            Self::NoConfigClass => &doc_only_api::NO_CONFIG_CLASS,
            Self::NoAuthentication => &lints::NO_AUTHENTICATION,
            Self::SecretInSource => &lints::SECRET_IN_SOURCE,
            Self::UnsafeComparison => &lints::UNSAFE_COMPARISON,
            Self::ReserializedSignature => &lints::RESERIALIZED_SIGNATURE,
            Self::MixedCaseHeader => &lints::MIXED_CASE_HEADER,
            Self::SettingNotSecret => &lints::SETTING_NOT_SECRET,
            Self::BlockingCall => &lints::BLOCKING_CALL,
            Self::SlowReply => &lints::SLOW_REPLY,
            Self::UnkeptTask => &lints::UNKEPT_TASK,
        };
        Explanation {
            meaning: Text::new(page.en, page.zh),
            before: page.before,
            after: page.after,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::migrate::python::parse::Module;
    use crate::migrate::source::SourceFile;
    use crate::text::Lang;

    /// The codes whose `before` is Python that cannot be read, on purpose.
    const UNREADABLE_BEFORE: &[Code] = &[Code::SyntaxError, Code::Python2, Code::WrongEncoding];

    /// Reads a snippet as it would stand in a file: in the encoding that it declares.
    fn read(code: Code, text: &str) -> Result<(), Code> {
        let bytes = if text.starts_with("# -*- coding: gbk") && code == Code::NotUtf8 {
            encoding_rs::GBK.encode(text).0.into_owned()
        } else {
            text.as_bytes().to_vec()
        };
        SourceFile::from_bytes(Path::new("plugin.py"), bytes)
            .and_then(Module::parse)
            .map(|_| ())
            .map_err(|diagnostic| diagnostic.code())
    }

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn every_code_is_explained_in_both_languages() {
        for &code in Code::ALL {
            let name = code.as_str();
            let explanation = code.explanation();
            for text in [code.title(), code.remedy(), explanation.meaning] {
                let (en, zh) = (text.get(Lang::En), text.get(Lang::Zh));
                assert!(!en.is_empty() && !is_chinese(en), "{name}: {en}");
                assert!(is_chinese(zh), "{name}: {zh}");
                let prose: String = zh.split('`').step_by(2).collect();
                for ascii in [", ", "; ", ". ", "? ", ": ", " ("] {
                    assert!(!prose.contains(ascii), "{name}: `{ascii}` in: {zh}");
                }
                assert!(!en.contains("  ") && !zh.contains("  "), "{name}: spaces");
            }
        }
    }

    /// Chinese and Latin text have a space between them.
    #[test]
    fn latin_words_stand_apart_in_chinese_text() {
        for &code in Code::ALL {
            for text in [code.title(), code.remedy(), code.explanation().meaning] {
                let zh: Vec<char> = text.get(Lang::Zh).chars().collect();
                for pair in zh.windows(2) {
                    let latin = |c: char| c.is_ascii_alphanumeric() || c == '`';
                    let han = |c: char| is_chinese(&c.to_string());
                    let close = latin(pair[0]) && han(pair[1]) || han(pair[0]) && latin(pair[1]);
                    assert!(!close, "{}: {}{}", code.as_str(), pair[0], pair[1]);
                }
            }
        }
    }

    #[test]
    fn every_code_has_a_number_of_its_own_and_stands_in_its_place() {
        let numbers: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn every_code_has_a_before_and_an_after() {
        for &code in Code::ALL {
            let Explanation { before, after, .. } = code.explanation();
            assert_ne!(before, after, "{}", code.as_str());
            for snippet in [before, after] {
                assert!(snippet.ends_with('\n') && !snippet.starts_with('\n'));
                assert!(snippet.lines().all(|line| line.chars().count() <= 88));
            }
        }
    }

    #[test]
    fn the_examples_are_python() {
        for &code in Code::ALL {
            let Explanation { before, after, .. } = code.explanation();
            assert_eq!(read(code, after), Ok(()), "after of {}", code.as_str());
            let expected = if UNREADABLE_BEFORE.contains(&code) {
                Err(code)
            } else {
                Ok(())
            };
            assert_eq!(read(code, before), expected, "before of {}", code.as_str());
        }
    }
}

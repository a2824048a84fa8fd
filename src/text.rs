//! The two languages in which `rehook` speaks to its users.
//!
//! Every sentence that a user reads exists as a [`Text`]: written once in English and once in
//! Chinese, beside each other, so that neither can be forgotten. Which of them is shown is
//! decided at the edge, when it is printed.

pub mod translate;

use std::fmt;

/// A language of the user interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese (simplified).
    Zh,
}

impl Lang {
    /// The language that a POSIX locale asks for: `LC_ALL` before `LC_MESSAGES` before `LANG`;
    /// a variable that is empty counts as not set (POSIX.1-2017, Base Definitions, 8.2).
    pub fn from_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(variable)
            .find(|value| !value.is_empty());
        match locale {
            Some(locale) if locale.starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }
}

/// A sentence in both languages.
///
/// [`fmt::Display`] shows the English one: it is what a log or a `Debug` output wants. Whatever
/// a user reads goes through [`Text::get`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    en: String,
    zh: String,
}

impl Text {
    /// A sentence from its two forms.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            zh: zh.into(),
        }
    }

    /// A list, as each language writes one.
    pub(crate) fn list(items: &[String]) -> Self {
        Self::new(items.join(", "), items.join("、"))
    }

    /// The same in both languages: a path, a piece of code, a message of the system.
    pub fn verbatim(text: impl Into<String>) -> Self {
        let en = text.into();
        let zh = en.clone();
        Self { en, zh }
    }

    /// The sentence in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    /// Both forms, English first, to be put into the two forms of another sentence.
    pub fn both(&self) -> (&str, &str) {
        (&self.en, &self.zh)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// A [`Text`] from two format strings, English first: `text!("{n} files", "{n} 个文件")`.
#[macro_export]
macro_rules! text {
    ($en:literal, $zh:literal $(, $($argument:tt)*)?) => {
        $crate::text::Text::new(
            format!($en $(, $($argument)*)?),
            format!($zh $(, $($argument)*)?),
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_the_language() {
        let lang = |variables: &[(&str, &str)]| {
            Lang::from_locale(|name| {
                variables
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(lang(&[]), Lang::En);
        assert_eq!(lang(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(lang(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")]), Lang::En);
        assert_eq!(lang(&[("LC_ALL", ""), ("LANG", "zh_TW")]), Lang::Zh);
        assert_eq!(
            lang(&[("LC_MESSAGES", "zh_CN"), ("LANG", "en_US")]),
            Lang::Zh
        );
    }

    #[test]
    fn a_text_is_formatted_in_both_languages() {
        let name = "a.py";
        let text = text!("cannot read {name}", "无法读取 {name}");
        assert_eq!(text.get(Lang::En), "cannot read a.py");
        assert_eq!(text.get(Lang::Zh), "无法读取 a.py");
    }
}

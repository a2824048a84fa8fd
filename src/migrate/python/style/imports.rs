//! How imports are sorted: the settings of `ruff`'s `isort`, and what follows from them for one
//! module or name. What they mean is said in the documentation of ruff, "lint.isort".

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use super::pattern;
use super::width::width;

/// A group of imports that blank lines part from the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    /// `from __future__ import …`
    Future,
    /// The standard library.
    StandardLibrary,
    /// What is installed.
    ThirdParty,
    /// The project's own modules.
    FirstParty,
    /// Relative imports.
    LocalFolder,
    /// One that the project has made up.
    Custom(String),
}

impl Section {
    /// The section of that name.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "future" => Self::Future,
            "standard-library" => Self::StandardLibrary,
            "third-party" => Self::ThirdParty,
            "first-party" => Self::FirstParty,
            "local-folder" => Self::LocalFolder,
            other => Self::Custom(other.to_owned()),
        }
    }
}

/// The settings, by the names that they have in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportStyle {
    pub(crate) case_sensitive: bool,
    pub(crate) classes: BTreeSet<String>,
    pub(crate) combine_as_imports: bool,
    pub(crate) constants: BTreeSet<String>,
    pub(crate) default_section: Section,
    pub(crate) detect_same_package: bool,
    pub(crate) force_single_line: bool,
    pub(crate) force_sort_within_sections: bool,
    pub(crate) force_to_top: BTreeSet<String>,
    pub(crate) force_wrap_aliases: bool,
    pub(crate) forced_separate: Vec<String>,
    pub(crate) from_first: bool,
    pub(crate) import_heading: BTreeMap<Section, String>,
    /// Patterns of modules, with the section that each belongs to.
    pub(crate) known: Vec<(String, Section)>,
    pub(crate) length_sort: bool,
    pub(crate) length_sort_straight: bool,
    pub(crate) lines_after_imports: Option<usize>,
    pub(crate) lines_between_types: usize,
    pub(crate) no_lines_before: BTreeSet<Section>,
    pub(crate) no_sections: bool,
    pub(crate) order_by_type: bool,
    /// `relative-imports-order = "closest-to-furthest"`
    pub(crate) closest_first: bool,
    pub(crate) section_order: Vec<Section>,
    pub(crate) single_line_exclusions: BTreeSet<String>,
    pub(crate) split_on_trailing_comma: bool,
    pub(crate) variables: BTreeSet<String>,
}

impl Default for ImportStyle {
    fn default() -> Self {
        Self {
            case_sensitive: false,
            classes: BTreeSet::new(),
            combine_as_imports: false,
            constants: BTreeSet::new(),
            default_section: Section::ThirdParty,
            detect_same_package: true,
            force_single_line: false,
            force_sort_within_sections: false,
            force_to_top: BTreeSet::new(),
            force_wrap_aliases: false,
            forced_separate: Vec::new(),
            from_first: false,
            import_heading: BTreeMap::new(),
            known: Vec::new(),
            length_sort: false,
            length_sort_straight: false,
            lines_after_imports: None,
            lines_between_types: 0,
            no_lines_before: BTreeSet::new(),
            no_sections: false,
            order_by_type: true,
            closest_first: false,
            section_order: vec![
                Section::Future,
                Section::StandardLibrary,
                Section::ThirdParty,
                Section::FirstParty,
                Section::LocalFolder,
            ],
            single_line_exclusions: BTreeSet::new(),
            split_on_trailing_comma: true,
            variables: BTreeSet::new(),
        }
    }
}

/// Where a module comes from, as far as that can be seen outside of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModuleOrigin {
    /// The standard library.
    StandardLibrary,
    /// One of the project's folders of sources.
    Sources,
    /// The package that the file is in, which lies in no such folder.
    SamePackage,
    /// None of these, so it must be installed.
    Installed,
}

impl ImportStyle {
    /// The section of a module, by its full name; `origin` is asked where the settings do not tell.
    pub(crate) fn section(
        &self,
        module: &str,
        level: usize,
        origin: impl FnOnce() -> ModuleOrigin,
    ) -> Section {
        let base = module.split('.').next().unwrap_or_default();
        let section = if level == 0 && base == "__future__" {
            Section::Future
        } else if self.no_sections {
            Section::FirstParty
        } else if level > 0 {
            Section::LocalFolder
        } else if let Some(section) = self.known_section(module) {
            section.clone()
        } else {
            match origin() {
                ModuleOrigin::StandardLibrary => Section::StandardLibrary,
                ModuleOrigin::Sources => Section::FirstParty,
                ModuleOrigin::SamePackage if self.detect_same_package => Section::FirstParty,
                _ if module == "__main__" => Section::FirstParty,
                ModuleOrigin::SamePackage | ModuleOrigin::Installed => self.default_section.clone(),
            }
        };
        if self.section_order.contains(&section) {
            section
        } else {
            self.default_section.clone()
        }
    }

    /// The section that the settings name for a module: the longest part of its name decides.
    fn known_section(&self, module: &str) -> Option<&Section> {
        let has_submodules = self.known.iter().any(|(pattern, _)| pattern.contains('.'));
        let named = |name: &str| {
            let mut known = self.known.iter();
            known.find_map(|(pattern, section)| {
                let is_pattern = pattern.contains(['*', '?', '[']);
                let fits = if is_pattern {
                    pattern::matches(pattern, name)
                } else {
                    pattern == name
                };
                fits.then_some(section)
            })
        };
        if !has_submodules {
            return named(module.split('.').next().unwrap_or_default());
        }
        let mut name = module;
        loop {
            if let Some(section) = named(name) {
                return Some(section);
            }
            name = &name[..name.rfind('.')?];
        }
    }

    /// In which of the parts that `forced-separate` makes a module is; the first is 0.
    pub(crate) fn separate_part(&self, module: &str) -> usize {
        let base = module.split('.').next().unwrap_or_default();
        let mut parts = self.forced_separate.iter();
        parts
            .position(|pattern| base.starts_with(pattern.as_str()))
            .map_or(0, |position| position + 1)
    }

    /// Whether each name from a module has a statement of its own.
    pub(crate) fn isolates(&self, module: &str) -> bool {
        self.force_single_line && !self.single_line_exclusions.contains(module)
    }

    /// How the names of a statement are ordered.
    pub(crate) fn member_key(&self, name: &str, alias: Option<&str>) -> MemberKey {
        MemberKey {
            is_no_star: name != "*",
            kind: self.order_by_type.then(|| self.member_kind(name)),
            length: self.length_sort.then(|| width(name)),
            lower: (!self.case_sensitive).then(|| Natural(name.to_lowercase())),
            name: Natural(name.to_owned()),
            alias: alias.map(|alias| Natural(alias.to_owned())),
        }
    }

    fn member_kind(&self, name: &str) -> MemberKind {
        let is_uppercase =
            name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase);
        if self.constants.contains(name) {
            MemberKind::Constant
        } else if self.classes.contains(name) {
            MemberKind::Class
        } else if self.variables.contains(name) {
            MemberKind::Variable
        } else if name.len() > 1 && is_uppercase {
            MemberKind::Constant
        } else if name.starts_with(char::is_uppercase) {
            MemberKind::Class
        } else {
            MemberKind::Variable
        }
    }

    /// How the statements of a section are ordered; `first` is the first name of a `from` statement,
    /// `alias` that of a plain `import`.
    pub(crate) fn module_key(
        &self,
        module: &str,
        level: usize,
        alias: Option<&str>,
        first: Option<MemberKey>,
        is_from: bool,
    ) -> ModuleKey {
        let name = (!module.is_empty()).then_some(module);
        ModuleKey {
            is_not_on_top: !name.is_some_and(|name| self.force_to_top.contains(name)),
            length: (self.length_sort || self.length_sort_straight && !is_from)
                .then(|| width(module) + level),
            distance: match level {
                0 => Distance::None,
                level if self.closest_first => Distance::Nearest(level),
                level => Distance::Furthest(Reverse(level)),
            },
            lower: name
                .filter(|_| !self.case_sensitive)
                .map(|name| Natural(name.to_lowercase())),
            name: name.map(|name| Natural(name.to_owned())),
            first,
            alias: alias.map(|alias| Natural(alias.to_owned())),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MemberKind {
    Constant,
    Class,
    Variable,
}

/// The place of a name in its statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberKey {
    is_no_star: bool,
    kind: Option<MemberKind>,
    length: Option<usize>,
    lower: Option<Natural>,
    name: Natural,
    alias: Option<Natural>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    Nearest(usize),
    Furthest(Reverse<usize>),
    None,
}

/// The place of a statement in its section.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ModuleKey {
    is_not_on_top: bool,
    length: Option<usize>,
    distance: Distance,
    lower: Option<Natural>,
    name: Option<Natural>,
    first: Option<MemberKey>,
    alias: Option<Natural>,
}

/// A text whose numbers are ordered by value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Natural(String);

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0.as_str(), other.0.as_str());
        loop {
            let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
                return a.len().cmp(&b.len());
            };
            let order = if x.is_ascii_digit() && y.is_ascii_digit() {
                let (m, n) = (digits(a), digits(b));
                (a, b) = (&a[m.len()..], &b[n.len()..]);
                // With a zero in front they are read as what follows a decimal point.
                if x == '0' || y == '0' {
                    m.cmp(n)
                } else {
                    m.len().cmp(&n.len()).then_with(|| m.cmp(n))
                }
            } else {
                (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
                x.cmp(&y)
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit());
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_the_settings_know_decides() {
        let style = ImportStyle {
            known: vec![
                ("a.b".to_owned(), Section::FirstParty),
                ("a".to_owned(), Section::StandardLibrary),
                ("lang*".to_owned(), Section::Custom("chains".to_owned())),
            ],
            ..ImportStyle::default()
        };
        let section = |module| style.section(module, 0, || ModuleOrigin::Installed);
        assert_eq!(section("a.b.c"), Section::FirstParty);
        assert_eq!(section("a.c"), Section::StandardLibrary);
        // It is in no order, so it is in the default section.
        assert_eq!(section("langsmith"), Section::ThirdParty);
        assert_eq!(
            style.section("a", 1, || ModuleOrigin::Installed),
            Section::LocalFolder
        );
        assert_eq!(section("__future__"), Section::Future);
    }

    #[test]
    fn names_are_ordered_by_kind_and_numbers_by_value() {
        let style = ImportStyle::default();
        let mut names = ["b", "a10", "a9", "Class", "CONSTANT", "X", "*"];
        names.sort_by_key(|name| style.member_key(name, None));
        assert_eq!(names, ["*", "CONSTANT", "Class", "X", "a9", "a10", "b"]);
        let style = ImportStyle {
            order_by_type: false,
            case_sensitive: true,
            ..style
        };
        let mut names = ["b", "Class", "a"];
        names.sort_by_key(|name| style.member_key(name, None));
        assert_eq!(names, ["Class", "a", "b"]);
    }

    #[test]
    fn relative_modules_come_from_far_to_near() {
        let key = |style: &ImportStyle, level| style.module_key("m", level, None, None, true);
        let style = ImportStyle::default();
        assert!(key(&style, 2) < key(&style, 1) && key(&style, 1) < key(&style, 0));
        let style = ImportStyle {
            closest_first: true,
            ..style
        };
        assert!(key(&style, 1) < key(&style, 2));
    }
}

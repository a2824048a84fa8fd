//! The files that tell how a project's Python looks: `ruff`'s, and the line length of `black`.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use super::imports::{ImportStyle, Section};
use super::model::{DEFAULT_LINE_LENGTH, Style};

/// The names of the files that may tell, the stronger first (documentation of ruff,
/// "Config file discovery").
pub(crate) const CONFIG_FILES: &[&str] = &[".ruff.toml", "ruff.toml", "pyproject.toml"];

/// A file that tells something.
#[derive(Debug, Clone)]
pub(crate) struct ConfigFile {
    folder: PathBuf,
    /// `ruff`'s settings.
    ruff: Option<Item>,
    /// The line length of `black`.
    black_line_length: Option<usize>,
}

impl ConfigFile {
    /// The file at `path`; none when it is not TOML.
    pub(crate) fn parse(path: &Path, text: &str) -> Option<Self> {
        let document: DocumentMut = text.parse().ok()?;
        let folder = path.parent()?.to_owned();
        if path.file_name()? != "pyproject.toml" {
            return Some(Self {
                folder,
                ruff: Some(document.as_item().clone()),
                black_line_length: None,
            });
        }
        let tool = document.get("tool");
        let of = |name| tool.and_then(|tool| tool.get(name));
        let black = of("black").and_then(|black| black.get("line-length"));
        Some(Self {
            folder,
            ruff: of("ruff").cloned(),
            black_line_length: black.and_then(length),
        })
    }

    /// Whether `ruff` would take it: then it does not look further up.
    pub(crate) fn is_of_ruff(&self) -> bool {
        self.ruff.is_some()
    }

    /// The file that this one builds upon.
    pub(crate) fn extends(&self) -> Option<PathBuf> {
        let extended = self.ruff.as_ref()?.get("extend")?.as_str()?;
        Some(self.folder.join(extended))
    }

    fn get(&self, keys: &[&str]) -> Option<&Item> {
        keys.iter()
            .try_fold(self.ruff.as_ref()?, |item, key| item.get(key))
    }
}

fn length(item: &Item) -> Option<usize> {
    let number = usize::try_from(item.as_integer()?).ok()?;
    (1..=65_535).contains(&number).then_some(number)
}

fn count(item: &Item) -> Option<usize> {
    usize::try_from(item.as_integer()?).ok()
}

fn texts(item: &Item) -> Vec<String> {
    let items = item.as_array().into_iter().flatten();
    items
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// The settings of `files`: the one that holds, then what it extends, and so on. `black` is the line
/// length that counts where `ruff` is told none; `root` the folder that is the project's where no
/// file tells.
pub(crate) fn style(files: &[ConfigFile], black: Option<&ConfigFile>, root: &Path) -> Style {
    let first = |keys: &[&str]| files.iter().find_map(|file| file.get(keys));
    // What is about linting also counts outside of `lint`, where it was once.
    let lint = |keys: &[&str]| {
        files.iter().find_map(|file| {
            let inside: Vec<&str> = [&["lint"], keys].concat();
            file.get(&inside).or_else(|| file.get(keys))
        })
    };
    let is = |item: Option<&Item>| item.and_then(Item::as_bool);
    let line_length = first(&["line-length"])
        .and_then(length)
        .or_else(|| black?.black_line_length)
        .unwrap_or(DEFAULT_LINE_LENGTH);
    let of_docs = ["max-doc-length", "max-line-length"].map(|key| {
        let limit = lint(&["pycodestyle", key]);
        limit.and_then(length).unwrap_or(line_length)
    });
    let indent_width = first(&["indent-width"])
        .and_then(count)
        .filter(|width| (1..=16).contains(width));
    let indent = match first(&["format", "indent-style"]).and_then(Item::as_str) {
        Some("tab") => Some("\t".to_owned()),
        _ => indent_width.map(|width| " ".repeat(width)),
    };
    let preview = is(first(&["format", "preview"])).or_else(|| is(first(&["preview"])));
    let skips_magic = is(first(&["format", "skip-magic-trailing-comma"]));
    let folder = files.first().map_or(root, |file| &file.folder);
    let source_roots = files
        .iter()
        .find_map(|file| Some((file, file.get(&["src"])?)))
        .map_or_else(
            || vec![folder.to_owned(), folder.join("src")],
            |(file, roots)| {
                texts(roots)
                    .iter()
                    .map(|root| file.folder.join(root))
                    .collect()
            },
        );
    Style {
        line_length,
        doc_length: of_docs.into_iter().fold(line_length, usize::min),
        indent_width: indent_width.unwrap_or(4),
        indent,
        quote: match first(&["format", "quote-style"]).and_then(Item::as_str) {
            Some("single") => Some('\''),
            Some("double") => Some('"'),
            _ => None,
        },
        magic_trailing_comma: !skips_magic.unwrap_or(false),
        trailing_pragmas: preview.unwrap_or(false),
        imports: imports(&|key| lint(&["isort", key])),
        source_roots,
    }
}

fn imports<'a>(get: &dyn Fn(&str) -> Option<&'a Item>) -> ImportStyle {
    let default = ImportStyle::default();
    let is = |key, otherwise| get(key).and_then(Item::as_bool).unwrap_or(otherwise);
    let names = |key| get(key).map(texts).unwrap_or_default();
    let sections = |key| {
        let names = get(key).map(texts)?;
        Some(
            names
                .iter()
                .map(|name| Section::named(name))
                .collect::<Vec<_>>(),
        )
    };
    let table = |key| get(key).and_then(Item::as_table_like);
    let mut known: Vec<(String, Section)> = Vec::new();
    for (name, modules) in table("sections").into_iter().flat_map(|table| table.iter()) {
        let section = Section::named(name);
        if matches!(section, Section::Custom(_)) {
            let modules = texts(modules).into_iter();
            known.extend(modules.map(|module| (module, section.clone())));
        }
    }
    for (key, section) in [
        ("known-first-party", Section::FirstParty),
        ("known-third-party", Section::ThirdParty),
        ("known-local-folder", Section::LocalFolder),
        ("extra-standard-library", Section::StandardLibrary),
    ] {
        known.extend(
            names(key)
                .into_iter()
                .map(|module| (module, section.clone())),
        );
    }
    let default_section = get("default-section")
        .and_then(Item::as_str)
        .map_or(default.default_section, Section::named);
    let mut section_order = sections("section-order").unwrap_or(default.section_order);
    if !section_order.contains(&default_section) {
        section_order.push(default_section.clone());
    }
    let headings = table("import-heading").into_iter().flat_map(|t| t.iter());
    let headings = headings.filter_map(|(name, heading)| {
        Some((Section::named(name), format!("# {}", heading.as_str()?)))
    });
    ImportStyle {
        case_sensitive: is("case-sensitive", default.case_sensitive),
        classes: names("classes").into_iter().collect(),
        combine_as_imports: is("combine-as-imports", default.combine_as_imports),
        constants: names("constants").into_iter().collect(),
        default_section,
        detect_same_package: is("detect-same-package", default.detect_same_package),
        force_single_line: is("force-single-line", default.force_single_line),
        force_sort_within_sections: is(
            "force-sort-within-sections",
            default.force_sort_within_sections,
        ),
        force_to_top: names("force-to-top").into_iter().collect(),
        force_wrap_aliases: is("force-wrap-aliases", default.force_wrap_aliases),
        forced_separate: names("forced-separate"),
        from_first: is("from-first", default.from_first),
        import_heading: headings.collect(),
        known,
        length_sort: is("length-sort", default.length_sort),
        length_sort_straight: is("length-sort-straight", default.length_sort_straight),
        lines_after_imports: get("lines-after-imports").and_then(count),
        lines_between_types: get("lines-between-types").and_then(count).unwrap_or(0),
        no_lines_before: sections("no-lines-before").into_iter().flatten().collect(),
        no_sections: is("no-sections", default.no_sections),
        order_by_type: is("order-by-type", default.order_by_type),
        closest_first: get("relative-imports-order").and_then(Item::as_str)
            == Some("closest-to-furthest"),
        section_order,
        single_line_exclusions: names("single-line-exclusions").into_iter().collect(),
        split_on_trailing_comma: is("split-on-trailing-comma", default.split_on_trailing_comma),
        variables: names("variables").into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Style {
        let file = ConfigFile::parse(&Path::new("/repo").join(name), text);
        let black = file.as_ref();
        let ruff = black.filter(|file| file.is_of_ruff());
        let ruff: Vec<ConfigFile> = ruff.cloned().into_iter().collect();
        style(&ruff, black, Path::new("/repo"))
    }

    #[test]
    fn the_line_length_is_read_where_the_tools_read_it() {
        let check =
            |name, text, expected| assert_eq!(read(name, text).line_length, expected, "{text}");
        check("ruff.toml", "line-length = 100", 100);
        check("pyproject.toml", "[tool.ruff]\nline-length = 120", 120);
        check("pyproject.toml", "[tool.black]\nline-length = 79", 79);
        check("pyproject.toml", "[project]\nname = 'x'", 88);
        check("ruff.toml", "line-length = -1", 88);
        check("ruff.toml", "not toml", 88);
    }

    #[test]
    fn a_file_counts_before_what_it_extends() {
        let path = Path::new("/repo/sub/ruff.toml");
        let near = "extend = '../base.toml'\nline-length = 60\n[isort]\nno-sections = true";
        let near = ConfigFile::parse(path, near).unwrap();
        assert_eq!(near.extends().unwrap(), Path::new("/repo/sub/../base.toml"));
        let far =
            "line-length = 70\nsrc = ['lib']\n[lint.isort]\nno-sections = false\nfrom-first = true";
        let far = ConfigFile::parse(Path::new("/repo/base.toml"), far).unwrap();
        let style = style(&[near, far], None, Path::new("/"));
        assert_eq!(style.line_length, 60);
        assert!(style.imports.no_sections && style.imports.from_first);
        assert_eq!(style.source_roots, [Path::new("/repo/lib")]);
    }

    #[test]
    fn what_the_formatter_is_told_counts() {
        let style = read(
            "pyproject.toml",
            "[tool.ruff]\nindent-width = 2\n[tool.ruff.format]\nquote-style = 'single'\n\
             skip-magic-trailing-comma = true\npreview = true\n[tool.ruff.lint.pycodestyle]\n\
             max-doc-length = 72",
        );
        assert_eq!(style.quote, Some('\''));
        assert_eq!(style.indent.as_deref(), Some("  "));
        assert_eq!((style.line_length, style.doc_length), (88, 72));
        assert!(!style.magic_trailing_comma && style.trailing_pragmas);
    }

    #[test]
    fn sections_of_the_projects_own_are_sections() {
        let style = read(
            "ruff.toml",
            "[lint.isort]\ndefault-section = 'ours'\nno-lines-before = ['first-party']\n\
             [lint.isort.sections]\nours = ['ours*']\n[lint.isort.import-heading]\nours = 'Ours'",
        );
        let ours = Section::Custom("ours".to_owned());
        assert_eq!(style.imports.section_order.last(), Some(&ours));
        assert_eq!(style.imports.import_heading[&ours], "# Ours");
        assert_eq!(style.imports.known, [("ours*".to_owned(), ours)]);
    }
}

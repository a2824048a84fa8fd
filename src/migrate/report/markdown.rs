//! The table of old and new URLs for a plugin's README.

use super::View;
use crate::migrate::plan::Action;
use crate::routes::Route;
use crate::term;
use crate::text;
use crate::text::Lang;

/// One table a plugin; without a heading where there is only one.
pub(crate) fn table(view: &View<'_>, lang: Lang) -> String {
    let kept = view
        .plan
        .webhooks
        .iter()
        .filter(|webhook| webhook.action != Action::Drop);
    let routes: Vec<&Route> = kept
        .filter_map(|webhook| webhook.route.as_ref())
        .chain(view.migrated_before())
        .collect();
    let mut plugins: Vec<&str> = Vec::new();
    for route in &routes {
        if !plugins.contains(&route.plugin.as_str()) {
            plugins.push(&route.plugin);
        }
    }
    let mut output = String::new();
    for plugin in &plugins {
        if plugins.len() > 1 {
            if !output.is_empty() {
                output.push('\n');
            }
            output += &format!("### {}\n\n", plain(plugin));
        }
        output += text!(
            "| Methods | New URL | Old URLs |\n",
            "| 方法 | 新地址 | 旧地址 |\n"
        )
        .get(lang);
        output += "| --- | --- | --- |\n";
        for route in routes.iter().filter(|route| route.plugin == *plugin) {
            let legacy: Vec<String> = route.legacy.iter().map(|path| code(path)).collect();
            let methods = plain(&route.methods.join(" "));
            output += &format!(
                "| {methods} | {} | {} |\n",
                code(&route.target),
                legacy.join("<br>")
            );
        }
    }
    output
}

/// A path as code in a table: a `|` would end the cell, a run of backticks the code.
fn code(path: &str) -> String {
    let path = term::escaped(path).replace('|', "\\|");
    let mut fence = String::from("`");
    while path.split(|c| c != '`').any(|run| run == fence) {
        fence.push('`');
    }
    // One blank at each end is not part of the code (CommonMark, "Code spans").
    let blank = if path.starts_with('`') || path.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{blank}{path}{blank}{fence}")
}

/// A text that is no Markdown, whatever is in it.
fn plain(text: &str) -> String {
    let mut output = String::new();
    for character in term::escaped(text).chars() {
        // Names of plugins have `_` in them, which is not markup within a word.
        if character.is_ascii_punctuation() && !"._-".contains(character) {
            output.push('\\');
        }
        output.push(character);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_cell_or_its_code() {
        assert_eq!(code("/a"), "`/a`");
        assert_eq!(code("/a|b"), "`/a\\|b`");
        assert_eq!(code("/a`b``"), "``` /a`b`` ```");
        assert_eq!(code("/a\n| x |\u{202e}"), "`/a\\n\\| x \\|\\u{202e}`");
        assert_eq!(plain("dev.my_plugin-2"), "dev.my_plugin-2");
        assert_eq!(
            plain("[x](http://y)\n#"),
            "\\[x\\]\\(http\\:\\/\\/y\\)\\\\n\\#"
        );
    }
}

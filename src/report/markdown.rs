//! The table of old and new URLs for a plugin's README.

use super::View;
use crate::lang::Lang;
use crate::plan::Action;
use crate::routes::Route;
use crate::text;

/// One table a plugin; without a heading where there is only one.
pub fn table(view: &View<'_>, lang: Lang) -> String {
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
            output += &format!("### {plugin}\n\n");
        }
        output += text!(
            "| Methods | New URL | Old URLs |\n",
            "| 方法 | 新地址 | 旧地址 |\n"
        )
        .get(lang);
        output += "| --- | --- | --- |\n";
        for route in routes.iter().filter(|route| route.plugin == *plugin) {
            let legacy: Vec<String> = route.legacy.iter().map(|path| code(path)).collect();
            let methods = route.methods.join(" ");
            output += &format!(
                "| {methods} | {} | {} |\n",
                code(&route.target),
                legacy.join("<br>")
            );
        }
    }
    output
}

/// A path as code in a table: a `|` would end the cell, a backtick the code.
fn code(path: &str) -> String {
    let fence = if path.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", path.replace('|', "\\|"))
}

//! Plugins that are left as they are after all, since what was made of them does not hold.

use std::path::{Path, PathBuf};

use super::model::{Action, FilePlan, Plan, PlanGroup, RuleError};
use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::text;
use crate::text::Text;

/// Something that this program made and that does not hold.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: Text,
}

impl Fault {
    /// A rule made something that does not fit together.
    pub(super) fn of_rule(path: &Path, error: &RuleError) -> Self {
        Self {
            path: path.to_owned(),
            reason: Text::verbatim(error.to_string()),
        }
    }

    /// The file, and what is wrong.
    pub fn text(&self) -> Text {
        let path = crate::term::path(&self.path);
        let (en, zh) = self.reason.both();
        text!("{path}: {en}", "{path}：{zh}")
    }

    /// What is said of a webhook that stays for it.
    pub(super) fn detail(&self) -> Text {
        let path = self.path.file_name().unwrap_or_default();
        let path = path.to_string_lossy();
        let (en, zh) = self.reason.both();
        text!(
            "what rehook made of {path} does not hold: {en}",
            "rehook 对 {path} 的改写结果有误：{zh}"
        )
    }
}

impl Plan {
    /// Leaves the plugins that `fault` is about as they are, with all that share a file with them.
    /// Says whether they were to change.
    pub fn withdraw(&mut self, fault: &Fault) -> bool {
        let registered = self.webhooks.iter().filter(|one| one.path == fault.path);
        let registered: Vec<&PathBuf> = registered
            .filter_map(|webhook| webhook.plugin_module.as_ref())
            .collect();
        let is_about = |group: &&mut PlanGroup| {
            let mut plugins = registered.iter();
            group.files.contains(&fault.path)
                || group.plugins.contains(&fault.path)
                || plugins.any(|plugin| group.plugins.contains(*plugin))
        };
        let mut groups = self.groups.iter_mut();
        let Some(group) = groups.find(is_about).filter(|group| !group.is_withdrawn) else {
            return false;
        };
        group.is_withdrawn = true;
        self.counts.migrated -= group.aliases;
        self.counts.by_hand += group.aliases;
        let files = std::mem::take(&mut self.files).into_iter();
        let (withdrawn, kept): (Vec<FilePlan>, Vec<FilePlan>) =
            files.partition(|file| group.files.contains(&file.path));
        self.files = kept;
        for webhook in &mut self.webhooks {
            let is_of_group = |module: &PathBuf| group.plugins.contains(module);
            let is_by_hand = matches!(webhook.action, Action::ByHand(_));
            if is_by_hand || !webhook.plugin_module.as_ref().is_some_and(is_of_group) {
                continue;
            }
            let mut diagnostic = Diagnostic::new(Code::OwnFault, &webhook.path, fault.detail())
                .with_position(webhook.line, webhook.column);
            let file = withdrawn.iter().find(|file| file.path == webhook.path);
            if let Some(line) = file.and_then(|f| f.text_before().lines().nth(webhook.line - 1)) {
                let length = line.trim_end().chars().count() + 1;
                diagnostic =
                    diagnostic.with_snippet(line, length.saturating_sub(webhook.column).max(1));
            }
            webhook.action = Action::ByHand(Box::new(diagnostic));
            webhook.is_native = false;
            // In a loop several webhooks are one reference.
            if !webhook.is_further {
                self.counts.migrated -= 1;
                self.counts.by_hand += 1;
            }
        }
        true
    }

    /// Whether the plugins of a file are left as they are.
    pub fn is_withdrawn(&self, path: &Path) -> bool {
        let mut withdrawn = self.groups.iter().filter(|group| group.is_withdrawn);
        withdrawn.any(|group| group.files.contains(path) || group.plugins.contains(path))
    }

    /// Whether something was left as it is, and nothing is to change.
    pub fn is_all_withdrawn(&self) -> bool {
        let mut groups = self.groups.iter();
        self.files.is_empty() && groups.any(|group| group.is_withdrawn)
    }
}

//! What review tools show beside the source: every diagnostic, and every webhook that `migrate` would
//! move, each as one remark at one place. [`super::github`] and [`super::sarif`] write them down.

use super::View;
use crate::migrate::diagnostic::{Code, Severity};
use crate::migrate::plan::{Action, PlannedWebhook};
use crate::text;
use crate::text::{Lang, Text};

/// How loud a remark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    pub(super) fn of(code: Code) -> Self {
        match code.severity() {
            Severity::Advice => Self::Note,
            Severity::Manual => Self::Warning,
            Severity::Error => Self::Error,
        }
    }
}

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A webhook that `migrate` would move.
    Migratable,
    /// A diagnostic.
    Code(Code),
}

impl Rule {
    /// Its name for programs.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Migratable => "migratable",
            Self::Code(code) => code.as_str(),
        }
    }

    /// What is the case, in a few words.
    pub(super) fn title(self) -> Text {
        match self {
            Self::Migratable => text!(
                "a webhook that `rehook migrate` would move",
                "`rehook migrate` 可以迁移的 webhook"
            ),
            Self::Code(code) => code.title(),
        }
    }

    /// What to do about it, in general.
    pub(super) fn remedy(self) -> Text {
        match self {
            Self::Migratable => text!(
                "`rehook diff` shows the change, `rehook migrate` writes it",
                "`rehook diff` 显示改动，`rehook migrate` 写入改动"
            ),
            Self::Code(code) => code.remedy(),
        }
    }

    pub(super) fn level(self) -> Level {
        match self {
            Self::Migratable => Level::Note,
            Self::Code(code) => Level::of(code),
        }
    }
}

/// A remark.
pub(super) struct Annotation {
    pub(super) rule: Rule,
    /// As reports show it.
    pub(super) path: String,
    /// Line and column, 1-based, in characters; none for one about a whole file.
    pub(super) position: Option<(usize, usize)>,
    /// How many characters are meant, where that is known.
    pub(super) length: Option<usize>,
    pub(super) message: String,
    pub(super) hint: String,
    pub(super) related: Option<Related>,
}

/// Another place that a remark speaks of.
pub(super) struct Related {
    pub(super) path: String,
    pub(super) position: (usize, usize),
    pub(super) message: String,
}

/// All remarks, by file and place.
pub(super) fn annotations(view: &View<'_>, lang: Lang) -> Vec<Annotation> {
    let webhooks = view.plan.webhooks.iter();
    let movable = webhooks.filter_map(|webhook| migratable(view, webhook, lang));
    let diagnostics = view.reported().map(|diagnostic| Annotation {
        rule: Rule::Code(diagnostic.code()),
        path: view.shown(diagnostic.path()),
        position: view.place_of(diagnostic),
        length: view.snippet_of(diagnostic).map(|(_, length)| length),
        message: diagnostic.detail().get(lang).to_owned(),
        hint: diagnostic.hint().get(lang).to_owned(),
        related: diagnostic.related().map(|related| Related {
            path: view.shown(&related.path),
            position: view.positions.map_position(&related.path, related.position),
            message: related.says.get(lang).to_owned(),
        }),
    });
    let mut all: Vec<Annotation> = movable.chain(diagnostics).collect();
    let key = |one: &Annotation| (one.path.clone(), one.position, one.rule.id());
    all.sort_by_cached_key(key);
    all
}

/// The remark about a webhook, unless a diagnostic speaks of it.
fn migratable(view: &View<'_>, webhook: &PlannedWebhook, lang: Lang) -> Option<Annotation> {
    let endpoint = webhook.endpoint.as_deref().unwrap_or_default();
    let message = match (&webhook.action, &webhook.route) {
        (Action::ByHand(_), _) => return None,
        (Action::Drop, _) => text!(
            "the webhook `{endpoint}` is dropped by `rehook migrate`: a later registration counts",
            "`rehook migrate` 会删除 webhook `{endpoint}`：以之后的注册为准"
        ),
        (Action::Migrate, Some(route)) => {
            let target = &route.target;
            text!(
                "the webhook `{endpoint}` can be migrated to {target}",
                "webhook `{endpoint}` 可以迁移到 {target}"
            )
        }
        (Action::Migrate, None) => text!(
            "the webhook `{endpoint}` can be migrated",
            "webhook `{endpoint}` 可以迁移"
        ),
    };
    Some(Annotation {
        rule: Rule::Migratable,
        path: view.shown(&webhook.path),
        position: Some(view.position_of(webhook)),
        length: None,
        message: message.get(lang).to_owned(),
        hint: Rule::Migratable.remedy().get(lang).to_owned(),
        related: None,
    })
}

//! Rule: the API that the document names and no release with dynamic routes has.
//!
//! `context.create_temp_ctx(k)` → `AgentCtx.create_by_chat_key(k)`; `plugin.config` →
//! `plugin.get_config()`; `plugin.get_plugin_path()`, which works but is deprecated, →
//! `plugin.get_plugin_data_dir()`. Without it a migrated plugin would not even load.

use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::EditError;
use crate::migrate::find::doc_only_api::{DocOnlyUse, DocOnlyUseKind};
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::names::{Loaded, PluginId};
use crate::text;

/// The uses in a module that cannot be rewritten, whatever becomes of the webhooks beside them.
pub(crate) fn not_rewritten(loaded: &Loaded, uses: &[DocOnlyUse]) -> Vec<Diagnostic> {
    let others = uses
        .iter()
        .filter(|one| matches!(one.kind, DocOnlyUseKind::Other(_)));
    let diagnostic = |one: &DocOnlyUse| {
        loaded.diagnostic_at(Code::DocumentApi,
            one.range,
            text!(
                "the module `nekro_agent.api.context` is gone since release 2.0, and this use of it cannot be rewritten",
                "`nekro_agent.api.context` 模块自 2.0 起已不存在，且此处用法无法自动改写"
            ),
        )
    };
    others.map(diagnostic).collect()
}

/// Rewrites the uses in one module; `has_config` is whether the plugin has a settings class.
///
/// Gives what is to be said about it.
///
/// # Errors
/// When another edit wants the same bytes.
pub(crate) fn rewrite(
    draft: &mut Draft,
    uses: &[DocOnlyUse],
    plugin: &PluginId,
    has_config: bool,
) -> Result<Vec<Diagnostic>, EditError> {
    let mut left = Vec::new();
    let loaded = draft.loaded.clone();
    // Another plugin of the package may have done what does not belong to one plugin.
    let is_first = draft.begin_doc_only_api();
    let keeps_module: Vec<&str> = uses
        .iter()
        .filter_map(|one| match &one.kind {
            DocOnlyUseKind::Other(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    for one in uses {
        draft.touch(one.range.start());
        match &one.kind {
            DocOnlyUseKind::PluginConfig(id) if id == plugin => {
                draft.replace(one.range, "get_config()")?;
                if !has_config {
                    left.push(loaded.diagnostic_at(Code::NoConfigClass,
                        one.range,
                        text!(
                            "`get_config()` gives no settings: no class of the plugin is registered with `mount_config()`",
                            "`get_config()` 得不到任何配置项：插件没有用 `mount_config()` 注册配置类"
                        ),
                    ));
                }
            }
            DocOnlyUseKind::PluginConfig(_) => {}
            _ if !is_first => {}
            DocOnlyUseKind::CreateTempCtx(_) => {
                let agent_ctx = draft.names.import(
                    "nekro_agent.api.schemas",
                    "AgentCtx",
                    &["nekro_agent.schemas.agent_ctx"],
                );
                draft.replace(one.range, format!("{agent_ctx}.create_by_chat_key"))?;
            }
            DocOnlyUseKind::PluginPath => draft.replace(one.range, "get_plugin_data_dir")?,
            // See [`not_rewritten`].
            DocOnlyUseKind::Other(_) => {}
            DocOnlyUseKind::Import(local) => {
                if !keeps_module.contains(&local.as_str()) {
                    draft.names.remove_import(local);
                }
            }
        }
    }
    Ok(left)
}

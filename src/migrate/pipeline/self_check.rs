//! What was made of the sources is looked at again, in memory, before a byte of it is written: every
//! changed file is valid Python, and a second pass over the result has nothing to do.
//!
//! What does not hold is a fault of this program. It costs the plugin that it is found in, and those
//! that share a file with it, and no other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::overlay::OverlayFs;
use super::pass::Pass;
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::plan::{Fault, FilePlan, Plan, PlanOptions};
use crate::migrate::project::discover;
use crate::migrate::python::parse::{Module, changed_statements};
use crate::migrate::source::SourceFile;
use crate::text;
use crate::user_error::UserError;

/// Leaves the plugins as they are with which something is wrong, until `faults` finds nothing.
///
/// # Errors
/// When `faults` fails, and for a fault that does not belong to one plugin.
pub(super) fn hold(
    plan: &mut Plan,
    faults: impl Fn(&Plan) -> Result<Vec<Fault>, UserError>,
) -> Result<(), UserError> {
    loop {
        let found = faults(plan)?;
        let Some(first) = found.first() else {
            return Ok(());
        };
        let mut has_changed = false;
        for fault in &found {
            has_changed |= plan.withdraw(fault);
        }
        if !has_changed {
            return Err(UserError::bug(&first.text()));
        }
    }
}

/// What is wrong with a plan that was made of `files`.
///
/// # Errors
/// When references to the old API are unaccounted for.
pub(super) fn faults(
    root: &Path,
    files: &Arc<BTreeMap<PathBuf, Arc<[u8]>>>,
    plan: &Plan,
    options: PlanOptions,
) -> Result<Vec<Fault>, UserError> {
    if plan.counts.unaccounted() > 0 {
        let count = plan.counts.unaccounted();
        let failure = UserError::bug(&text!(
            "{count} references to the old API are unaccounted for",
            "有 {count} 处对旧接口的引用未归类"
        ));
        return Err(failure);
    }
    if plan.files.is_empty() {
        return Ok(Vec::new());
    }
    let changed: BTreeMap<PathBuf, Arc<[u8]>> = plan
        .files
        .iter()
        .map(|FilePlan { path, after, .. }| (path.clone(), after.clone()))
        .collect();
    let changed = Arc::new(changed);
    let layers = OverlayFs {
        layers: vec![changed.clone(), files.clone()],
    };
    // What no longer mentions the old API is not looked at by a second run; it has to parse.
    let parsed = Parsed::default();
    let mut broken: Vec<Diagnostic> = plan
        .files
        .par_iter()
        .filter(|file| !discover::mentions_old_api(&file.after))
        .filter_map(|file| parsed.broken_by(file))
        .collect();
    // All others again: a registration in one may matter to one in another.
    let remaining = files.iter().map(|(path, bytes)| {
        let after = changed.get(path).unwrap_or(bytes);
        discover::mentions_old_api(after).then(|| path.clone())
    });
    let second = Pass::run(root, layers, remaining.flatten().collect(), options);
    let of_second = second.broken.into_iter();
    broken.extend(of_second.filter(|broken| changed.contains_key(broken.path())));
    if !broken.is_empty() {
        let faults = broken.into_iter().map(|broken| {
            let (en, zh) = broken.detail().both();
            Fault {
                path: broken.path().to_owned(),
                reason: text!("it would no longer parse: {en}", "它将无法解析：{zh}"),
            }
        });
        return Ok(faults.collect());
    }
    let again = second.plan.files.into_iter().map(|file| file.path);
    let again = again.filter(|path| !plan.is_withdrawn(path));
    let faults = again.map(|path| Fault {
        path,
        reason: text!("a second run would change it again", "再次运行仍会改动它"),
    });
    Ok(faults.collect())
}

/// How many statements are kept that parse. What is the same in most files is in the first of them.
const MOST_PARSED: usize = 1_000;

/// Statements that parse: what is written beside plugins is the same in most of them.
#[derive(Default)]
struct Parsed(Mutex<FxHashSet<String>>);

impl Parsed {
    fn lock(&self) -> MutexGuard<'_, FxHashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the result does not parse, if it does not.
    ///
    /// A module is its statements one after another, so what is the same as before parses as before:
    /// only the other statements are parsed again.
    fn broken_by(&self, file: &FilePlan) -> Option<Diagnostic> {
        let parse =
            |bytes: &[u8]| SourceFile::from_bytes(&file.path, bytes).and_then(Module::parse);
        if *file.after == *file.text_after().as_bytes() {
            let mut statements = changed_statements(file.text_before(), file.text_after());
            {
                let known = self.lock();
                statements.retain(|statement| !known.contains(*statement));
            }
            if parse(statements.concat().as_bytes()).is_ok() {
                let mut known = self.lock();
                if known.len() < MOST_PARSED {
                    known.extend(statements.into_iter().map(str::to_owned));
                }
                return None;
            }
        }
        parse(&file.after).err().map(|broken| *broken)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stack::with_parser_stack;
    use super::*;
    use crate::migrate::diagnostic::Code;
    use crate::migrate::plan::Action;

    const ROOT: &str = "/nowhere";

    fn plugin(name: &str, imports: &str) -> Arc<[u8]> {
        let text = format!(
            "from fastapi import Request\n\
             from nekro_agent.api.plugin import NekroPlugin\n\
             {imports}\
             plugin = NekroPlugin(name='{name}', module_name='{name}', description='', version='', \
             author='author', url='')\n\n\n\
             @plugin.mount_webhook_method('{name}', '{name}')\n\
             async def handle(request: Request):\n    return {{}}, 201\n"
        );
        text.into_bytes().into()
    }

    /// Tampers with the plan for three plugins, holds it against the check, and gives what is left.
    fn held(tamper: impl Fn(&mut FilePlan) + Sync) -> Result<Plan, UserError> {
        with_parser_stack(|| {
            let names = ["first", "second", "third"];
            let files: BTreeMap<PathBuf, Arc<[u8]>> = names
                .map(|name| (Path::new(ROOT).join(format!("{name}.py")), plugin(name, "")))
                .into();
            let files = Arc::new(files);
            let root = Path::new(ROOT);
            let options = PlanOptions::default();
            let layers = vec![files.clone()];
            let paths = files.keys().cloned().collect();
            let mut plan = Pass::run(root, OverlayFs { layers }, paths, options).plan;
            plan.files.iter_mut().for_each(&tamper);
            hold(&mut plan, |plan| faults(root, &files, plan, options))?;
            Ok(plan)
        })?
    }

    fn names(plan: &Plan) -> Vec<&str> {
        let names = plan
            .files
            .iter()
            .filter_map(|file| file.path.file_stem()?.to_str());
        names.collect()
    }

    fn spoil(file: &mut FilePlan, text: &str) {
        file.after = text.as_bytes().into();
    }

    #[test]
    fn what_holds_is_left_alone() {
        let plan = held(|_| ()).unwrap();
        assert_eq!(names(&plan), ["first", "second", "third"]);
        assert_eq!((plan.counts.migrated, plan.counts.by_hand), (3, 0));
    }

    #[test]
    fn a_plugin_that_would_not_parse_stays_and_the_others_go_on() {
        let plan = held(|file| {
            if file.path.ends_with("second.py") {
                spoil(file, "def broken(\n");
            }
        })
        .unwrap();
        assert_eq!(names(&plan), ["first", "third"]);
        assert_eq!((plan.counts.migrated, plan.counts.by_hand), (2, 1));
        assert_eq!(plan.counts.unaccounted(), 0);
        assert_eq!(plan.routes().len(), 2);
        assert!(!plan.is_all_withdrawn());
        let left = plan
            .webhooks
            .iter()
            .find_map(|webhook| match &webhook.action {
                Action::ByHand(diagnostic) => Some(diagnostic),
                _ => None,
            });
        let left = left.unwrap();
        assert_eq!(left.code(), Code::OwnFault);
        assert!(left.path().ends_with("second.py"));
        assert_eq!(left.position(), Some((6, 2)));
        let detail = left.detail().get(crate::text::Lang::En);
        assert!(
            detail.contains("second.py") && detail.contains("no longer parse"),
            "{detail}"
        );
    }

    #[test]
    fn a_plugin_that_a_second_run_would_change_stays() {
        let plan = held(|file| {
            if file.path.ends_with("first.py") {
                let same = file.text_before().to_owned();
                spoil(file, &same);
            }
        })
        .unwrap();
        assert_eq!(names(&plan), ["second", "third"]);
    }

    #[test]
    fn where_nothing_holds_nothing_is_migrated() {
        let plan = held(|file| spoil(file, "def broken(\n")).unwrap();
        assert!(plan.files.is_empty() && plan.routes().is_empty());
        assert!(plan.is_all_withdrawn());
        assert_eq!((plan.counts.migrated, plan.counts.by_hand), (0, 3));
    }

    #[test]
    fn a_fault_that_is_no_plugins_stops_everything() {
        let fault = || Fault {
            path: Path::new(ROOT).join("elsewhere.py"),
            reason: text!("no", "否"),
        };
        let result = hold(&mut Plan::default(), |_| Ok(vec![fault()]));
        assert!(result.unwrap_err().to_string().contains("elsewhere.py"));
    }
}

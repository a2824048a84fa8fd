use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::migrate::python::names::{MemoryFiles, Workspace};

const NAMES: &str = include_str!("../../../../../tests/conformance/parameter_types/names.py");
const TABLE: &str = include_str!("../../../../../tests/conformance/parameter_types/table.txt");

const HEAD: &str = "\
from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin('n', 'm', 'd', '1', 'a', 'u')
";

/// The table that `tests/conformance/parameter_types.py` asks FastAPI about.
fn lines() -> Vec<(&'static str, &'static str)> {
    let lines = TABLE.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap())
        .map(|(verdict, parameter)| (verdict, parameter.trim()))
        .collect()
}

/// What stands in the way of each of the handlers that take one of `parameters`, in order.
fn refusals(names: &str, parameters: &[&str], others: &[(&str, &str)]) -> Vec<Option<String>> {
    let mut text = format!("{names}\n{HEAD}");
    for (index, parameter) in parameters.iter().enumerate() {
        text += &format!(
            "\n@plugin.mount_webhook_method('/{index}', 'N')\n\
             async def h(request: Request, {parameter}): ...\n"
        );
    }
    let others = others.iter();
    let mut files: HashMap<PathBuf, String> = others
        .map(|(path, text)| (Path::new("/r").join(path), (*text).to_owned()))
        .collect();
    files.insert("/r/p.py".into(), text);
    let workspace = Workspace::new("/r".into(), Box::new(MemoryFiles(files)));
    let loaded = workspace.load(Path::new("/r/p.py")).unwrap();
    let found = crate::migrate::find::references::find(&workspace, loaded);
    let webhooks: Vec<_> = found.webhooks().collect();
    assert_eq!(webhooks.len(), parameters.len());
    webhooks
        .into_iter()
        .map(|webhook| {
            let problem = webhook.handler.refused_parameter.as_ref();
            problem.map(|problem| problem.detail.to_string())
        })
        .collect()
}

#[test]
fn what_is_migrated_is_what_fastapi_takes() {
    let lines = lines();
    assert!(lines.len() > 200);
    let parameters: Vec<&str> = lines.iter().map(|(_, parameter)| *parameter).collect();
    let refusals = refusals(NAMES, &parameters, &[]);
    let mut wrong = Vec::new();
    for ((verdict, parameter), refusal) in lines.iter().zip(refusals) {
        assert!(
            matches!(*verdict, "taken" | "older" | "refused" | "stays"),
            "{verdict}"
        );
        if (*verdict == "taken") != refusal.is_none() {
            wrong.push(format!("{verdict} {parameter}: {refusal:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn definitions_are_followed_into_other_modules() {
    let names = "from fastapi import Depends, Query, Request\nimport models\nfrom models import *\n\
        from models import Model, Service as Renamed, check\n\
        try:\n    from typing import Annotated\nexcept ImportError:\n    from typing_extensions import Annotated\n\
        try:\n    from models import Model as Either\nexcept ImportError:\n    Either = None\n\
        if True:\n    Both = int\nelse:\n    Both = Renamed\n";
    let models = "from pydantic import BaseModel\nfrom base import Base, Made\nfrom nowhere import Far\n\
        class Model(Base): ...\nclass Service: ...\nclass Starred(BaseModel): ...\n\
        class Loop(Loop): ...\nclass FarModel(Far): ...\nLooped = Looped\n\
        def check(service: Service): ...\ndef fine(model: Model): ...\n";
    let base = "from pydantic import BaseModel\nclass Base(BaseModel): ...\nMade = list[Base]\n";
    let others = [("models.py", models), ("base.py", base)];
    let taken = [
        "p: Model",
        "p: models.Model",
        "p: models.Made",
        "p: Starred",
        "p: int",
        "p: Annotated[int, Query()]",
        "p=Depends(models.fine)",
    ];
    for (parameter, refusal) in taken.iter().zip(refusals(names, &taken, &others)) {
        assert_eq!(refusal, None, "{parameter}");
    }
    let not_taken = [
        "p: Renamed",
        "p: models.Service",
        "p: models.Loop",
        "p: models.FarModel",
        "p: models.Looped",
        "p: models.Missing",
        "p: models",
        "p: Both",
        "p: Either",
        "p=Depends(check)",
        "p=Depends(models.check)",
    ];
    for (parameter, refusal) in not_taken.iter().zip(refusals(names, &not_taken, &others)) {
        assert!(refusal.is_some(), "{parameter}");
    }
}

#[test]
fn names_of_star_imports_are_known_where_all_of_them_are() {
    let agent =
        "from fastapi import *\nfrom typing import *\nfrom nekro_agent.api.plugin import *\n";
    let far = "from fastapi import *\nfrom nowhere import *\n";
    let parameters = [
        "p: UploadFile",
        "p: Optional[int] = Query(None)",
        "p=Depends(lambda: 1)",
    ];
    assert_eq!(refusals(agent, &parameters, &[]), [None, None, None]);
    for refusal in refusals(far, &parameters, &[]) {
        assert!(refusal.is_some());
    }
}

#[test]
fn classes_that_lead_to_each_other_end_in_time() {
    let mut names =
        String::from("from dataclasses import dataclass\nfrom fastapi import Request\n");
    for class in 0..60 {
        names += &format!("@dataclass\nclass C{class}:\n");
        for field in 0..60 {
            names += &format!("    f{field}: 'list[C{field}]'\n");
        }
    }
    for class in 0..200 {
        let (one, two) = (class + 1, class + 2);
        names += &format!("class D{class}(D{one}, D{two}): ...\n");
    }
    // What comes of it does not matter here.
    refusals(&names, &["p: C0", "p: D0"], &[]);
}

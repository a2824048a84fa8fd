//! How long each stage takes, for a plugin as authors write them and for a large one:
//! `cargo bench`. `benches/compare.py` measures the program as a whole, beside its peers.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rehook::migrate::diff;
use rehook::migrate::find::references::find;
use rehook::migrate::pipeline::plan_of_files;
use rehook::migrate::plan::{Plan, PlanOptions};
use rehook::migrate::project::discover::discover;
use rehook::migrate::python::names::{Files, Workspace};
use rehook::migrate::python::parse::Module;
use rehook::migrate::python::tokens::Tokens;
use rehook::migrate::source::SourceFile;

/// The registrations of the two plugins that are measured.
const SIZES: [(&str, usize); 2] = [("plugin", 4), ("large", 400)];

const HEAD: &str = r#""""把外部服务的推送转发到聊天频道。"""

import hashlib
import hmac
import json

from fastapi import Request

from nekro_agent.api import message
from nekro_agent.api.plugin import ConfigBase, NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin(
    name="推送", module_name="push", description="转发推送", version="0.1.0", author="author", url=""
)

# 支持的事件
EVENTS = ("push", "issue", "release", "ping")


async def deliver(chat_key: str, text: str) -> bool:
    """把一条消息发到频道"""
    await message.send_text(chat_key, text)
    return True
"#;

const REQUEST_HANDLER: &str = r#"

@plugin.mount_webhook_method("NAME", name="推送", description="接收推送并转发")
async def handle_NAME(request: Request):
    """校验签名，然后转发消息"""
    body = await request.body()
    signature = request.headers.get("x-signature-256", "")
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        return {"error": "签名无效"}, 401
    data = json.loads(body)
    if data.get("event") not in EVENTS:
        return {"status": "ignored"}, 202
    await deliver(data.get("chat_key", ""), f"收到 {data['event']} 事件")
    return {"status": "ok"}
"#;

const CONTEXT_HANDLER: &str = r#"

@plugin.mount_webhook_method(endpoint="NAME", name="通知", description="按频道转发")
async def handle_NAME(ctx: AgentCtx):
    """按旧接口处理推送"""
    data = ctx.webhook_request.body or {}
    lines = ["收到推送"]
    for key, value in sorted(data.items()):
        lines.append(f"{key}: {value}")  # 逐项列出
    await deliver(data.get("chat_key", ""), "\n".join(lines))
"#;

fn source(webhooks: usize) -> String {
    let mut text = HEAD.to_owned();
    for index in 0..webhooks {
        let handler = [REQUEST_HANDLER, CONTEXT_HANDLER][index % 2];
        text += &handler.replace("NAME", &format!("hook_{index}"));
    }
    text
}

/// Files that are not on the disk.
struct Memory(BTreeMap<PathBuf, Arc<[u8]>>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let bytes = self.0.get(path).cloned();
        bytes.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn python_files(&self, _: &Path) -> Vec<PathBuf> {
        self.0.keys().cloned().collect()
    }
}

fn path() -> PathBuf {
    PathBuf::from("/repo/plugin.py")
}

fn workspace(text: &str) -> Workspace {
    let files = Memory(BTreeMap::from([(path(), text.as_bytes().into())]));
    Workspace::new(PathBuf::from("/repo"), Box::new(files))
}

fn planned(text: &str) -> Plan {
    let files = BTreeMap::from([(path(), text.as_bytes().to_vec())]);
    plan_of_files(Path::new("/repo"), files, PlanOptions::default()).0
}

fn stages(criterion: &mut Criterion) {
    for (name, webhooks) in SIZES {
        let text = source(webhooks);
        let mut group = criterion.benchmark_group(name);
        group
            .throughput(Throughput::Bytes(text.len() as u64))
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(3))
            .sample_size(20);
        group.bench_function("tokens", |bencher| {
            bencher.iter(|| Tokens::new(black_box(&text), 0));
        });
        group.bench_function("parse", |bencher| {
            bencher.iter(|| {
                let source = SourceFile::from_bytes(&path(), text.as_bytes().to_vec());
                Module::parse(source.expect("the generated plugin is UTF-8"))
            });
        });
        let workspace = workspace(&text);
        let loaded = workspace
            .load(&path())
            .expect("the generated plugin parses");
        group.bench_function("find", |bencher| {
            bencher.iter(|| find(&workspace, Arc::clone(&loaded)));
        });
        group.bench_function("pass", |bencher| {
            bencher.iter(|| planned(&text));
        });
        let plan = planned(&text);
        let file = plan.files.first().expect("the generated plugin changes");
        assert_eq!(plan.counts.migrated, webhooks);
        group.bench_function("diff", |bencher| {
            bencher.iter(|| {
                diff::unified(diff::Change {
                    path: Path::new("plugin.py"),
                    before: Some(&file.before),
                    after: &file.after,
                })
            });
        });
    }
}

/// Files of which one in ten mentions the old API, ten to a folder.
fn discovery(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let with = source(2);
    let without = with.replace("mount_webhook_method", "mount_sandbox_method");
    for number in 0..500 {
        let inside = folder.path().join(format!("folder_{}", number / 10));
        fs::create_dir_all(&inside).expect("a folder can be made");
        let text = if number % 10 == 0 { &with } else { &without };
        fs::write(inside.join(format!("module_{number}.py")), text).expect("a file can be written");
    }
    let paths = [folder.path().to_owned()];
    let mut group = criterion.benchmark_group("discover");
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20);
    group.bench_function(BenchmarkId::from_parameter("500 files"), |bencher| {
        bencher.iter(|| discover(black_box(&paths)));
    });
}

criterion_group!(benches, discovery, stages);
criterion_main!(benches);

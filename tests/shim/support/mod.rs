//! A shim in this process, an agent made of sockets, and a sender that writes bytes.

mod message;
mod process;
mod upstream;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use rehook::shim::config::Flags;
use rehook::shim::lifecycle::reload;
use rehook::shim::observe::access_log::Log;
use rehook::shim::observe::metrics::Registry;
use rehook::shim::{Listeners, ServerState, UNIT, serve};
use rehook::text::Lang;
use rehook::user_error::UserError;
use tokio::sync::{Semaphore, oneshot};

pub(crate) use message::{Message, read_message};
pub(crate) use process::{Process, program, run, skipped};
pub(crate) use upstream::{Agent, Keep, is_probe, ok, reply};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One route of the context dialect, as `rehook migrate` writes it.
pub(crate) const GITHUB: &str = r#"
[[route]]
plugin = "KroMiose.github"
endpoint = "github"
dialect = "context"
methods = ["POST"]
target = "/plugins/KroMiose.github/github"
legacy = ["/api/webhook/github", "/api/plugin/KroMiose.github/webhook/github", "/api/plugin/github/webhook/github"]
"#;

/// A route of the request dialect.
pub(crate) fn route(plugin: &str, target: &str, legacy: &[&str]) -> String {
    format!(
        "\n[[route]]\nplugin = {plugin:?}\nendpoint = {target:?}\ndialect = \"request\"\n\
         methods = [\"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\", \"HEAD\", \"OPTIONS\"]\n\
         target = {target:?}\nlegacy = {legacy:?}\n"
    )
}

/// What was written to a log.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A shim that serves until it is dropped.
pub(crate) struct Shim {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub state: Arc<ServerState>,
    /// Deleted with it.
    _folder: tempfile::TempDir,
    log: Written,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<std::io::Result<()>>>,
}

/// Writes the files of a shim and says where its configuration is.
pub(crate) fn write_files(folder: &std::path::Path, routes: &str, config: &str) -> PathBuf {
    std::fs::write(folder.join("routes.toml"), format!("version = 1\n{routes}")).unwrap();
    let config = format!(
        "routes = \"routes.toml\"\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n{config}"
    );
    let file = folder.join("shim.toml");
    std::fs::write(&file, config).unwrap();
    file
}

impl Shim {
    /// A shim before `agent` with these routes and this configuration.
    pub(crate) fn start(agent: SocketAddr, routes: &str, config: &str) -> Self {
        Self::try_start(agent, routes, config).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    pub(crate) fn try_start(
        agent: SocketAddr,
        routes: &str,
        config: &str,
    ) -> Result<Self, Vec<UserError>> {
        Self::try_start_at(&format!("http://{agent}"), routes, config)
    }

    pub(crate) fn try_start_at(
        upstream: &str,
        routes: &str,
        config: &str,
    ) -> Result<Self, Vec<UserError>> {
        let folder = tempfile::tempdir().unwrap();
        let threads = if config.contains("threads =") {
            ""
        } else {
            "threads = 1\n"
        };
        let config = format!("upstream = {upstream:?}\n{threads}{config}");
        let file = write_files(folder.path(), routes, &config);
        let source = reload::Source {
            flags: Flags {
                config: Some(file),
                ..Flags::default()
            },
        };
        let registry = Arc::new(Registry::default());
        let table = reload::load(&source, &registry)?;
        let log = Written::default();
        let listeners = Listeners::bind(&table.config.listen, table.config.admin).unwrap();
        let (senders, admin) = listeners.addresses();
        let memory = (table.config.limits.memory / UNIT) as usize;
        let state = Arc::new(ServerState {
            log: Arc::new(Log::new(table.config.log, Lang::En, Box::new(log.clone())).unwrap()),
            table: ArcSwap::from_pointee(table),
            registry,
            recorder: None,
            lang: Lang::En,
            memory: Semaphore::new(memory),
        });
        let (stop, stopped) = oneshot::channel();
        let for_thread = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            serve(&for_thread, listeners, source, async {
                let _ = stopped.await;
            })
        });
        Ok(Self {
            address: senders[0],
            admin: admin.unwrap(),
            state,
            _folder: folder,
            log,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Sends bytes on a connection of their own, and reads one reply.
    pub(crate) fn send(&self, request: impl AsRef<[u8]>) -> Message {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        read_message(&mut stream, request.as_ref().starts_with(b"HEAD ")).expect("a reply")
    }

    /// A POST to the old URL of [`GITHUB`].
    pub(crate) fn post(&self, body: &str) -> Message {
        self.send(post("/api/webhook/github", "", body))
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Asks it to stop; `serve` has returned when this does.
    pub(crate) fn stop(&mut self) -> std::io::Result<()> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        match self.thread.take() {
            Some(thread) => thread.join().unwrap(),
            None => Ok(()),
        }
    }

    /// Stops it, and says what it logged.
    pub(crate) fn log(mut self) -> String {
        self.stop().unwrap();
        self.state.log.flush(PATIENCE);
        let log = self.log.0.lock().unwrap();
        String::from_utf8(log.clone()).unwrap()
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A POST with a body.
pub(crate) fn post(path: &str, lines: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: old.example\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A GET.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: old.example\r\n\r\n")
}

/// Waits for something that happens soon.
pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !happened() {
        assert!(
            std::time::Instant::now() < end,
            "waited in vain until {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Everything that comes until the other side closes.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset ends it as well.
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

/// The Python of the tests, where it can import `modules`; says that the test is skipped elsewhere.
pub(crate) fn python_with(modules: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".python/bin/python");
    let python = std::env::var_os("REHOOK_PYTHON").map_or(own, PathBuf::from);
    // The agent makes files where it is imported.
    let folder = tempfile::tempdir().unwrap();
    let spec = "import importlib.util, sys; \
        sys.exit(any(importlib.util.find_spec(name.strip()) is None for name in sys.argv[1].split(',')))";
    let has = std::process::Command::new(&python)
        .args(["-c", spec, modules])
        .current_dir(folder.path())
        .output();
    match has {
        Ok(output) if output.status.success() => Some(python),
        _ => {
            skipped(&format!(
                "no Python with {modules} in .python or $REHOOK_PYTHON"
            ));
            None
        }
    }
}

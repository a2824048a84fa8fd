//! The servers that are measured, each a process of its own that ends with the run.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server under measurement.
pub(crate) struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    /// From its start to its first reply.
    pub first_reply: Duration,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An agent that answers at once: an nginx, or threads of this process where there is none.
pub(crate) struct Agent {
    pub address: SocketAddr,
    _child: Option<Server>,
}

/// A port that is free now.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address")
}

fn nginx() -> Option<PathBuf> {
    let known = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
    known.iter().map(PathBuf::from).find(|path| path.is_file())
}

fn start_nginx(folder: &Path, name: &'static str, http: &str) -> Option<Child> {
    let here = folder.join(name);
    fs::create_dir_all(&here).expect("a folder");
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};", here.display()))
        .concat();
    let configuration = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/errors;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ {temporary} access_log off; keepalive_requests 1000000000; {http} }}\n",
        here = here.display()
    );
    let file = here.join("nginx.conf");
    fs::write(&file, configuration).expect("its configuration");
    let mut command = Command::new(nginx()?);
    Some(command.arg("-c").arg(file).spawn().expect("nginx"))
}

fn wait(address: SocketAddr) {
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "nothing listens at {address}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Agent {
    pub(crate) fn start(folder: &Path) -> Self {
        let address = free();
        let http = format!(
            "server {{ listen {address}; location / {{ default_type application/json; \
             return 200 '{{\"success\":true,\"message\":\"ok\",\"data\":{{}}}}'; }} }}"
        );
        match start_nginx(folder, "agent", &http) {
            Some(child) => {
                wait(address);
                let server = Server {
                    name: "agent",
                    address,
                    first_reply: Duration::ZERO,
                    child,
                };
                Self {
                    address,
                    _child: Some(server),
                }
            }
            None => Self {
                address: super::load::answer_all(),
                _child: None,
            },
        }
    }
}

impl Server {
    /// An nginx with the same rewrite; none when it is not installed.
    pub(crate) fn nginx(folder: &Path, agent: &Agent) -> Option<Self> {
        let address = free();
        let upstream = agent.address;
        let http = format!(
            "upstream agent {{ server {upstream}; keepalive 64; keepalive_requests 1000000000; }}\n\
             server {{ listen {address}; location = /api/webhook/endpoint0 {{\n\
             proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_set_header X-Forwarded-Host $http_host;\n\
             proxy_set_header X-Forwarded-For $remote_addr;\n\
             proxy_set_header X-Forwarded-Proto $scheme;\n\
             add_header Deprecation @1767225600;\n\
             add_header Link '</plugins/bench.plugin0/endpoint0>; rel=\"successor-version\"';\n\
             proxy_pass http://agent/plugins/bench.plugin0/endpoint0$is_args$args; }} }}"
        );
        let child = start_nginx(folder, "proxy", &http)?;
        wait(address);
        Some(Self {
            name: "nginx",
            address,
            first_reply: Duration::ZERO,
            child,
        })
    }

    /// A shim with so many routes.
    pub(crate) fn shim(folder: &Path, agent: &Agent, routes: usize, flags: &[&str]) -> Self {
        let map: String = (0..routes)
            .map(|number| {
                format!(
                    "[[route]]\nplugin = \"bench.plugin{number}\"\nendpoint = \"endpoint{number}\"\n\
                     dialect = \"context\"\nmethods = [\"POST\"]\n\
                     target = \"/plugins/bench.plugin{number}/endpoint{number}\"\n\
                     legacy = [\"/api/webhook/endpoint{number}\"]\n"
                )
            })
            .collect();
        let file = folder.join(format!("routes-{routes}.toml"));
        fs::write(&file, format!("version = 1\n{map}")).expect("a route map");
        let address = free();
        let start = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_rehook"))
            .args([
                "shim",
                "--threads",
                "1",
                "--log",
                "off",
                "--admin",
                "off",
                "--routes",
            ])
            .arg(&file)
            .arg("--upstream")
            .arg(format!("http://{}", agent.address))
            .arg("--listen")
            .arg(address.to_string())
            .args(flags)
            .stderr(Stdio::null())
            .spawn()
            .expect("the shim");
        wait(address);
        drop(super::load::open(address, 1));
        Self {
            name: match routes {
                1 => "shim",
                10 => "10 routes",
                _ => "10,000 routes",
            },
            address,
            first_reply: start.elapsed(),
            child,
        }
    }

    /// Seconds of processor time that the process has used.
    pub(crate) fn processor_time(&self) -> f64 {
        // In nanoseconds, where the kernel counts them (the ticks of `stat` are 10 ms each).
        let file = format!("/proc/{}/schedstat", self.child.id());
        let tasks = format!("/proc/{}/task", self.child.id());
        let of =
            |text: String| -> Option<f64> { text.split_whitespace().next()?.parse::<f64>().ok() };
        let all = fs::read_dir(tasks).expect("the threads of the process");
        let sum: f64 = all
            .flatten()
            .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
            .filter_map(of)
            .sum();
        assert!(sum > 0.0, "{file} says nothing");
        sum / 1e9
    }

    /// MiB of memory that it has now.
    pub(crate) fn memory(&self) -> f64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("its memory");
        let kibibytes: f64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|n| n.parse().ok())
            .expect("a number");
        kibibytes / 1024.0
    }
}

//! Threads, listeners, and the end of both.
//!
//! Why one thread a core with its own connections to the agents: nothing is handed from thread to
//! thread on the way of a request, and nothing is locked that another thread wants.
//!
//! Invariants: after the signal to stop the port is closed last, what has been sent is answered, and
//! `serve` returns within the grace time and a little; a listener that outlives us is left to the next
//! process.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::shim::admin;
use crate::shim::http::rejection::Rejection;
use crate::shim::lifecycle::reload;
use crate::shim::observe::fd_limit;
use crate::shim::serve::connection::{self, Counted, SHUTDOWN_ACCEPT_WINDOW};
use crate::shim::serve::worker::{ServerState, Worker};
use crate::text;
use crate::text::translate;

/// How often a thread writes its log and looks after its connections.
const TICK: Duration = Duration::from_millis(100);
/// Connections that may wait to be taken.
const WAITING: i32 = 4_096;
/// How long to wait when the system gives no more connections.
const NO_MORE: Duration = Duration::from_millis(50);

/// Where the shim is called.
#[derive(Debug)]
pub struct Listeners {
    /// By senders.
    pub(super) senders: Vec<TcpListener>,
    /// By the operator.
    pub(super) admin: Option<TcpListener>,
    /// Whether those of senders stay open when we end, and who waits there is taken by the next
    /// process.
    outlive_us: bool,
}

impl Listeners {
    /// Takes the addresses; says which of them cannot be had.
    pub fn bind(
        senders: &[SocketAddr],
        admin: Option<SocketAddr>,
    ) -> Result<Self, (SocketAddr, io::Error)> {
        let bind = |address: &SocketAddr| {
            let listener = || -> io::Result<TcpListener> {
                let listener = TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                // The standard library lets 128 connections wait, which a burst exceeds.
                rustix::net::listen(&listener, WAITING)?;
                Ok(listener)
            };
            listener().map_err(|error| (*address, error))
        };
        Ok(Self {
            senders: senders.iter().map(bind).collect::<Result<_, _>>()?,
            admin: admin.as_ref().map(bind).transpose()?,
            outlive_us: false,
        })
    }

    /// Adds those that somebody else has opened for us, and keeps open.
    pub(crate) fn inherit(&mut self, senders: Vec<TcpListener>, admin: Option<TcpListener>) {
        self.outlive_us |= !senders.is_empty();
        self.senders.extend(senders);
        self.admin = admin.or(self.admin.take());
    }

    /// The addresses that were really taken.
    pub fn addresses(&self) -> (Vec<SocketAddr>, Option<SocketAddr>) {
        let address = |listener: &TcpListener| listener.local_addr().ok();
        (
            self.senders.iter().filter_map(address).collect(),
            self.admin.as_ref().and_then(address),
        )
    }
}

/// Serves until `shutdown`, then ends what runs. `reload` brings the table up to date.
pub fn serve(
    state: &Arc<ServerState>,
    listeners: Listeners,
    reload: reload::Source,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let threads = state.table.load().config.threads;
    let mut running = Vec::with_capacity(threads);
    for number in 0..threads {
        let own = listeners
            .senders
            .iter()
            .map(TcpListener::try_clone)
            .collect::<Result<Vec<_>, _>>()?;
        let (state, stopped) = (Arc::clone(state), stopped.clone());
        let outlive_us = listeners.outlive_us;
        let thread = std::thread::Builder::new()
            .name(format!("shim-{number}"))
            .spawn(move || run_worker(state, own, outlive_us, stopped))?;
        running.push(thread);
    }
    drop(listeners.senders);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let control = runtime.block_on(async {
        let admin = match listeners.admin {
            Some(listener) => Some(tokio::net::TcpListener::from_std(listener)?),
            None => None,
        };
        let admin = admin.map(|listener| {
            let app = admin::app(Arc::clone(state));
            let listener = admin::AdminListener::new(listener);
            tokio::spawn(async move { axum::serve(listener, app).await })
        });
        let watching = tokio::spawn(reload::watch(Arc::clone(state), reload));
        shutdown.await;
        let _ = stop.send(true);
        watching.abort();
        state.log.event(&text!(
            "stopping: the running requests are ended, and then the port is closed",
            "正在停止：等待进行中的请求结束，然后关闭端口"
        ));
        // The operator can look until the last request has ended.
        let ended = tokio::task::spawn_blocking(move || {
            running
                .into_iter()
                .map(std::thread::JoinHandle::join)
                .all(|ended| ended.is_ok())
        });
        let ended = ended.await.unwrap_or(false);
        if let Some(admin) = admin {
            admin.abort();
        }
        match ended {
            true => Ok(()),
            false => Err(io::Error::other("a thread has died")),
        }
    });
    runtime.shutdown_background();
    control
}

fn run_worker(
    state: Arc<ServerState>,
    listeners: Vec<TcpListener>,
    outlive_us: bool,
    stop: watch::Receiver<bool>,
) {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => return state.log.no_thread(&error),
    };
    let grace = state.table.load().config.limits.grace;
    let worker = Worker::new(state, stop.clone());
    LocalSet::new().block_on(&runtime, async {
        let mut accepting = Vec::new();
        for listener in listeners {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let accept = accept(Rc::clone(&worker), listener, outlive_us);
                    accepting.push(tokio::task::spawn_local(accept));
                }
                Err(error) => {
                    let reason = translate::io_error(&error);
                    let (en, zh) = reason.both();
                    worker.state.log.event(&text!(
                        "a listener cannot be used: {en}",
                        "无法使用监听端口：{zh}"
                    ));
                }
            }
        }
        let heartbeat = worker.state.registry.heartbeats.join();
        let mut stop = stop;
        let mut tick = tokio::time::interval(TICK);
        let stopped = async { stop.wait_for(|stop| *stop).await.is_ok() };
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                _ = tick.tick() => {
                    heartbeat.beat();
                    look_after(&worker);
                }
            }
        }
        let end = tokio::time::Instant::now() + grace;
        for mut accept in accepting {
            while !accept.is_finished() && tokio::time::Instant::now() < end {
                heartbeat.beat();
                let _ = timeout(TICK, &mut accept).await;
            }
            accept.abort();
        }
        while worker.open.get() > 0 && tokio::time::Instant::now() < end {
            heartbeat.beat();
            tokio::time::sleep(TICK / 5).await;
        }
    });
    worker.flush_log();
}

fn look_after(worker: &Worker) {
    worker.flush_log();
    let keep = worker.state.table.load().config.limits.keep;
    worker.pool.borrow_mut().sweep(keep);
}

/// Takes connections until the signal to stop. A listener that stays open is left to the next process
/// then, with those who wait there. Of any other the port is closed last: as long as requests run that
/// came before the signal, new ones are answered too; and so are those that are waiting in the end,
/// since closing the listener would reset them.
async fn accept(worker: Rc<Worker>, listener: tokio::net::TcpListener, outlives_us: bool) {
    let mut stop = worker.stop.clone();
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => take(&worker, stream, peer),
                // The sender has left already, or there are no more file descriptors: then there
                // will be some when connections end that nobody misses.
                Err(error) => {
                    let state = &worker.state;
                    fd_limit::log_exhaustion(&state.registry, &state.log, &error);
                    if fd_limit::is_exhaustion(&error) {
                        worker.pool.borrow_mut().give_up_idle();
                    }
                    tokio::time::sleep(NO_MORE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = async {
            stopped.await;
            if outlives_us {
                return;
            }
            while worker.open.get() > worker.late.get() {
                tokio::time::sleep(TICK / 5).await;
            }
            tokio::time::sleep(SHUTDOWN_ACCEPT_WINDOW).await;
        } => {}
    }
}

fn take(worker: &Rc<Worker>, stream: TcpStream, peer: SocketAddr) {
    let most = worker.state.table.load().config.limits.most_connections();
    let (counted, all) = Counted::new(worker);
    if all > most {
        worker.state.registry.reject(Rejection::Busy);
        return;
    }
    let _ = stream.set_nodelay(true);
    tokio::task::spawn_local(connection::serve(counted, stream, peer));
}

//! Runs the runner: gives it the job, takes what it says within bounds, and ends it with everything
//! that it has started.
//!
//! It runs untrusted code. So nothing that it says is believed beyond its form, how
//! much it says and how long it takes are limited, and its end does not depend on it.

mod errors;
mod lines;

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::embedded;
use super::job::Job;
use super::protocol::{Event, Failed, Ready, Reason, Refused, Sent, Side, WebhookResult};
use super::python::{self, Python};
use crate::verify::error::{self, VerifyError};
use crate::verify::options::AgentChoice;
use crate::verify::runner::interrupt;
use crate::verify::runner::process::Group;
pub(crate) use errors::{Ending, protocol_error};
use lines::Line;

/// How much of stderr is kept, from its end.
const STDERR_KEPT: usize = 8 * 1024;

/// What the runner has said.
#[derive(Debug, Default)]
pub(crate) struct SessionOutput {
    /// What the plugins ran in; none when it did not come to that.
    pub(crate) ready: Option<Ready>,
    /// The results of webhooks.
    pub(crate) results: Vec<WebhookResult>,
    /// Requests that were sent, if they are to be saved.
    pub(crate) sent: Vec<Sent>,
    /// Cases that could not be run to their end.
    pub(crate) failed: Vec<Failed>,
    /// What plugins tried and were not allowed to do.
    pub(crate) refused: Vec<Refused>,
    /// How it ended, when it had not said everything; with the last of its stderr.
    pub(crate) cut_off: Option<(Ending, String)>,
}

/// What comes out of the threads that listen.
enum RunnerMessage {
    Line(Line),
    TooMuch,
    Closed,
    Signal,
}

/// A runner that has been started. It imports the agent until it is given a job.
pub(crate) struct Runner {
    group: Group,
    stdin: Option<ChildStdin>,
    heard: Receiver<RunnerMessage>,
    stderr: Tail,
    python: PathBuf,
}

impl Runner {
    /// Starts it below `folder`, in which it is written. The agent is decided by then.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(
        agent: AgentChoice,
        python: &Python,
        folder: &Path,
    ) -> Result<Self, VerifyError> {
        let main = folder.join("runner");
        let main = embedded::write(&main).map_err(error::io(&main))?;
        let (sender, heard) = mpsc::channel();
        let signal = sender.clone();
        interrupt::at_signal(move || drop(signal.send(RunnerMessage::Signal)));
        let mut command = command(python, &main, folder)?;
        command.arg(agent.name()).arg(scratch(folder)?);
        let mut group = Group::spawn(command).map_err(error::io(&python.executable))?;
        let child = group.child();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        thread::spawn(move || {
            let mut is_too_much = false;
            if let Some(stdout) = stdout {
                is_too_much = lines::read(stdout, |line| {
                    sender.send(RunnerMessage::Line(line)).is_ok()
                });
            }
            // Nobody listens any more if everything was said.
            drop(sender.send(if is_too_much {
                RunnerMessage::TooMuch
            } else {
                RunnerMessage::Closed
            }));
        });
        let stderr = Tail::follow(child.stderr.take());
        Ok(Self {
            group,
            stdin,
            heard,
            stderr,
            python: python.executable.clone(),
        })
    }

    /// Gives it the job, and takes what it says.
    ///
    /// # Errors
    /// When it says that nothing can be run, or says no results; and when this program is to end.
    pub(crate) fn run(self, job: &Job<'_>) -> Result<SessionOutput, VerifyError> {
        let limit = job
            .limits
            .of_all(job.cases.iter().map(|case| case.routes.len()));
        self.run_within(limit, job)
    }

    fn run_within(self, limit: Duration, job: &Job<'_>) -> Result<SessionOutput, VerifyError> {
        let text = serde_json::to_vec(job).map_err(|error| protocol_error(&error.to_string()))?;
        if let Some(mut stdin) = self.stdin {
            // If the runner does not read it, it has no results either, which is noticed.
            thread::spawn(move || drop(stdin.write_all(&text)));
        }
        let result = listen(&self.heard, limit, &self.python);
        drop(self.group);
        interrupt::check()?;
        match result? {
            (said, None) => Ok(said),
            (said, Some(ending)) if said.ready.is_none() => {
                Err(errors::runner_failed(ending, &self.stderr.text()).into())
            }
            (mut said, Some(ending)) => {
                said.cut_off = Some((ending, self.stderr.text()));
                Ok(said)
            }
        }
    }
}

/// The folder that plugins are run in.
fn scratch(folder: &Path) -> Result<PathBuf, VerifyError> {
    let scratch = folder.join("scratch");
    fs::create_dir_all(&scratch).map_err(error::io(&scratch))?;
    Ok(scratch)
}

fn command(python: &Python, main: &Path, folder: &Path) -> Result<Command, VerifyError> {
    let mut command = Command::new(&python.executable);
    command
        .arg("-B")
        // What is compiled goes where it is taken away again.
        .env_remove("PYTHONPYCACHEPREFIX")
        .arg(main)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("NEKRO_") {
            command.env_remove(name);
        }
    }
    if let Some(repo) = &python.repo {
        python::leave_out(&mut command, repo);
    }
    if let Some(user_base) = &python.user_base {
        // What it has said is also what comes of a variable of that name.
        command.env("PYTHONUSERBASE", user_base);
    }
    for (variable, name) in embedded::own_folders() {
        let path = folder.join(name);
        fs::create_dir_all(&path).map_err(error::io(&path))?;
        command.env(variable, path);
    }
    Ok(command)
}

/// Takes what is heard until everything is said, or there is nothing more to wait for.
fn listen(
    heard: &Receiver<RunnerMessage>,
    limit: Duration,
    python: &Path,
) -> Result<(SessionOutput, Option<Ending>), VerifyError> {
    let deadline = Instant::now() + limit;
    let mut said = SessionOutput::default();
    loop {
        let rest = deadline.saturating_duration_since(Instant::now());
        let line = match heard.recv_timeout(rest) {
            Ok(RunnerMessage::Line(line)) => line,
            Ok(RunnerMessage::Signal) => return Err(VerifyError::Interrupted),
            Ok(RunnerMessage::TooMuch) => return Ok((said, Some(Ending::TooMuch))),
            Ok(RunnerMessage::Closed) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Ok((said, Some(Ending::Died)));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Ok((said, Some(Ending::Overdue(limit.as_secs()))));
            }
        };
        let event = match line.event() {
            Ok(event) => event,
            // A plugin may have had a hand in it, which says nothing about the others.
            Err(why) if said.ready.is_some() => {
                said.failed.extend(unreadable(&line, why));
                continue;
            }
            Err(_) => return Err(protocol_error(&line.beginning()).into()),
        };
        match event {
            Event::Ready(ready) => said.ready = Some(ready),
            Event::Webhook(result) => said.results.push(*result),
            Event::Sent(sent) => said.sent.push(*sent),
            Event::Failed(failed) => said.failed.push(failed),
            Event::Refused(refused) => said.refused.push(refused),
            Event::Fatal(fatal) => {
                return Err(errors::fatal(&fatal, python).into());
            }
            Event::End if said.ready.is_some() => return Ok((said, None)),
            Event::End => return Err(protocol_error(&line.beginning()).into()),
        }
    }
}

/// What is held of the case that `line` speaks of; nothing if it names none: then there is no result
/// of one, which is said.
fn unreadable(line: &Line, why: String) -> Option<Failed> {
    Some(Failed {
        case: line.case()?,
        side: Side::Neither,
        reason: Reason::Unreadable,
        detail: why.into(),
        answering: None,
        endpoint: None,
    })
}

/// The last of what is written to a pipe.
struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl Tail {
    fn follow(pipe: Option<impl Read + Send + 'static>) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let shared = kept.clone();
        let reader = thread::spawn(move || {
            let Some(mut pipe) = pipe else { return };
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&buffer[..read]);
                let surplus = kept.len().saturating_sub(STDERR_KEPT);
                kept.drain(..surplus);
            }
        });
        Self { kept, reader }
    }

    /// What there is once the process has ended.
    fn text(&self) -> String {
        // What left the group may keep the pipe open for ever, so this waits only a little for the
        // rest.
        let deadline = Instant::now() + Duration::from_secs(1);
        while !self.reader.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        text.chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect()
    }
}

#[cfg(all(test, unix))]
mod tests;

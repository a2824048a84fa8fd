//! What goes to the terminal: results to stdout, messages to stderr.

use std::io::{self, IsTerminal as _, Write};

use anstream::adapter::strip_bytes;
use anstream::stream::RawStream;
use anstyle::{AnsiColor, Style};

use crate::term;
use crate::text;
use crate::text::{Lang, Text};
use crate::user_error::UserError;

/// Where a command speaks.
#[derive(Debug)]
pub struct Console {
    lang: Lang,
    is_quiet: bool,
    is_verbose: bool,
}

impl Console {
    /// A console in a language; `is_quiet` leaves out what is neither a result nor an error.
    pub fn new(lang: Lang, is_quiet: bool, is_verbose: bool) -> Self {
        Self {
            lang,
            is_quiet,
            is_verbose,
        }
    }

    /// The language.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Whether to say less.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Whether to say more.
    pub fn is_verbose(&self) -> bool {
        self.is_verbose
    }

    /// How many columns the terminal has that messages go to; none where they do not go to one.
    pub fn columns(&self) -> Option<usize> {
        let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(io::stderr())?;
        Some(columns.into())
    }

    /// Writes results. That nobody reads them any more is not an error: the rest of the command, what it
    /// says and its exit code do not depend on it.
    ///
    /// # Errors
    /// When stdout does not take them.
    pub fn result(&self, text: &str) -> Result<(), UserError> {
        let stdout = io::stdout();
        let text = styled(&stdout, &term::sanitized(text));
        let mut stdout = stdout.lock();
        let written = stdout.write_all(&text);
        unless_gone(written.and_then(|()| stdout.flush()))
    }

    /// Whether results go to a terminal.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether results are shown in colour.
    pub fn is_colored(&self) -> bool {
        anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
    }

    /// Writes results that are bytes of files, as they are.
    ///
    /// # Errors
    /// As for [`Console::result`].
    pub fn result_bytes(&self, bytes: &[u8]) -> Result<(), UserError> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(bytes);
        unless_gone(written.and_then(|()| stdout.flush()))
    }

    /// Says something besides the results.
    pub fn say(&self, text: &str) {
        // There is nowhere left to say that stderr is closed.
        let stderr = io::stderr();
        let text = styled(&stderr, &term::sanitized(text));
        let _ = stderr.lock().write_all(&text);
    }

    /// Says an error, with its remedy where it has one.
    pub fn report(&self, error: &anyhow::Error) {
        match error.downcast_ref::<UserError>() {
            Some(error) => self.error(error),
            None => self.say(&self.error_line(&Text::verbatim(format!("{error:#}")))),
        }
    }

    /// Says an error with its remedy.
    pub fn error(&self, error: &UserError) {
        let label = text!("hint: ", "提示：");
        self.say(&format!(
            "{}  {}{}\n",
            self.error_line(&error.message),
            label.get(self.lang),
            error.help.get(self.lang)
        ));
    }

    fn error_line(&self, message: &Text) -> String {
        let bad = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let label = text!("error: ", "错误：");
        format!(
            "{bad}{}{bad:#}{}\n",
            label.get(self.lang),
            message.get(self.lang)
        )
    }
}

/// The bytes of a text as `stream` takes it, without colours where it takes none: they are written at once.
fn styled(stream: &impl RawStream, text: &str) -> Vec<u8> {
    match anstream::AutoStream::choice(stream) {
        anstream::ColorChoice::Never => strip_bytes(text.as_bytes()).into_vec(),
        _ => text.as_bytes().to_vec(),
    }
}

/// The result of writing results: a reader that has gone has what it wanted.
fn unless_gone(written: io::Result<()>) -> Result<(), UserError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(UserError::not_shown(&error))
        }
        _ => Ok(()),
    }
}

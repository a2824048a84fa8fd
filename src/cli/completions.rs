//! The arguments of `rehook completions`, and the scripts, in the language of the user.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::{Cli, localize};
use crate::text::Lang;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    #[arg(value_enum, value_name = "SHELL", help = pair!("The shell", "哪种 shell"))]
    pub(crate) shell: ShellChoice,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ShellChoice {
    #[value(help = pair!("Bash, with bash-completion", "Bash，需要 bash-completion"))]
    Bash,
    #[value(help = pair!("Elvish", "Elvish 脚本"))]
    Elvish,
    #[value(help = pair!("Fish", "Fish 脚本"))]
    Fish,
    #[value(help = pair!("PowerShell 5 or later", "PowerShell 5 及以上"))]
    Powershell,
    #[value(help = pair!(
        "Zsh: a file `_rehook` in a folder of `fpath`",
        "Zsh：保存为 `fpath` 某个文件夹中的 `_rehook` 文件"
    ))]
    Zsh,
}

impl CompletionsArgs {
    /// The script.
    pub(crate) fn script(&self, lang: Lang) -> Vec<u8> {
        let shell = match self.shell {
            ShellChoice::Bash => Shell::Bash,
            ShellChoice::Elvish => Shell::Elvish,
            ShellChoice::Fish => Shell::Fish,
            ShellChoice::Powershell => Shell::PowerShell,
            ShellChoice::Zsh => Shell::Zsh,
        };
        let mut command = localize::localize(Cli::command(), lang);
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, "rehook", &mut script);
        script
    }
}

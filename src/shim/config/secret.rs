//! Where the secrets of the configuration come from: the environment, or files of their own. Never the file
//! itself, which is kept in git, and shown to whoever helps.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::model::Environment;
use crate::regular_file;
use crate::shim::auth::{Secret, Secrets};
use crate::shim::config::reader::{At, Section};
use crate::term;
use crate::text;
use crate::user_error::UserError;

/// What a file lets everybody do who is neither its owner nor in its group.
const FOR_OTHERS: u32 = 0o004;

/// Where secrets are looked for, and the files that were read.
pub(super) struct Source<'e> {
    /// The folder that paths are relative to.
    pub(super) base: &'e Path,
    /// The environment.
    pub(super) environment: Environment<'e>,
    /// The files that were read, or that are missing.
    pub(super) files: Vec<PathBuf>,
}

impl Source<'_> {
    /// The secrets of an auth rule; none when one of them is missing, which is said.
    pub(super) fn secrets(&mut self, section: &Section<'_>) -> Option<Secrets> {
        // The key is asked for so that the message says more than "not known".
        if let Some(At { line, .. }) = section.string("secret") {
            section.error(
                line,
                text!("a secret never stands in this file", "密钥不能写在这个文件里"),
                text!(
                    "put it into a variable and write `secret_env = \"NAME\"`, or into a file and write \
                     `secret_file = \"PATH\"`",
                    "请放进环境变量并写 `secret_env = \"NAME\"`，或放进文件并写 `secret_file = \"PATH\"`"
                ),
            );
        }
        let found = self.find(section, "secret_env", "secret_file")?;
        if found.is_empty() {
            section.error(
                None,
                text!("this auth rule has no secret", "这条鉴权规则没有密钥"),
                text!(
                    "write one of `secret_env` and `secret_file`, or a list of several: any of them opens",
                    "请写 `secret_env` 或 `secret_file` 其中之一，也可以写成数组：任意一个密钥通过即可"
                ),
            );
        }
        Secrets::new(found)
    }

    /// The one secret at either key, if there is one, that can be sent in a header.
    pub(super) fn header(
        &mut self,
        section: &Section<'_>,
        variable: &'static str,
        file: &'static str,
    ) -> Option<Secret> {
        let mut found = self.find(section, variable, file)?;
        let secret = found.pop()?;
        if found.is_empty() && secret.fits_a_header() {
            return Some(secret);
        }
        let at = section.strings(variable).or_else(|| section.strings(file));
        section.error(
            at.and_then(|at| at.line),
            text!(
                "`{variable}` or `{file}` is not one secret that can stand in a header",
                "`{variable}` 或 `{file}` 不是一个可以放进请求头的密钥"
            ),
            text!(
                "name one variable or one file, with one line in it",
                "请只写一个环境变量或一个文件，内容只有一行"
            ),
        );
        None
    }

    /// All secrets at two keys; none when one of them is missing.
    fn find(
        &mut self,
        section: &Section<'_>,
        variable: &'static str,
        file: &'static str,
    ) -> Option<Vec<Secret>> {
        let mut found = Vec::new();
        let mut complete = true;
        let mut take = |line, bytes: Option<Vec<u8>>, from: &str| {
            let secret = bytes.and_then(|bytes| {
                let end = bytes.trim_ascii_end().len();
                Secret::new(bytes[..end].to_vec())
            });
            if secret.is_none() {
                complete = false;
                section.error(
                    line,
                    text!(
                        "the secret in {from} is missing or empty",
                        "{from} 中的密钥不存在或为空"
                    ),
                    text!("set it, or remove the line", "请设置密钥，或删除这一行"),
                );
            }
            found.extend(secret);
        };
        if let Some(At { value, line }) = section.strings(variable) {
            for name in value {
                let bytes = (self.environment)(&name).map(String::into_bytes);
                take(line, bytes, &format!("${name}"));
            }
        }
        if let Some(At { value, line }) = section.strings(file) {
            for name in value {
                let path = self.base.join(&name);
                take(line, regular_file::read(&path).ok(), &term::path(&path));
                if can_be_read_by_others(&path) {
                    section.warn(line, others_can_read(&path));
                }
                self.files.push(path);
            }
        }
        complete.then_some(found)
    }
}

fn can_be_read_by_others(path: &Path) -> bool {
    let mode = std::fs::metadata(path).map(|data| data.permissions().mode());
    mode.is_ok_and(|mode| mode & FOR_OTHERS != 0)
}

fn others_can_read(path: &Path) -> UserError {
    let path = term::path(path);
    UserError::new(
        text!(
            "everyone on this machine can read the secret in {path}",
            "本机所有用户都能读取 {path} 中的密钥"
        ),
        text!("chmod 600 {path}", "请执行 chmod 600 {path}"),
    )
}

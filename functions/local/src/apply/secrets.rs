//! Secrets are not in the file: it says where each is found, in the environment or in a file of its own.

use std::path::{Path, PathBuf};

use toml::Value as Toml;

/// Where secrets are found.
pub(crate) struct Secrets<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    folder: PathBuf,
}

/// Whether the value of a key of this name is one.
pub(super) fn is_secret(key: &str) -> bool {
    key == "secret" || key.ends_with("_secret")
}

impl<'a> Secrets<'a> {
    /// Variables are looked up by `variable`; paths are relative to `folder`, which is the deployment file's.
    pub(crate) fn new(variable: &'a dyn Fn(&str) -> Option<String>, folder: &Path) -> Self {
        Self { variable, folder: folder.to_owned() }
    }

    /// The secret that a reference leads to, or what is wrong with the reference.
    pub(super) fn fetch(&self, reference: &Toml) -> Result<String, String> {
        let only = |table: &toml::Table| match table.iter().next() {
            Some((key, Toml::String(name))) if table.len() == 1 => Some((key.clone(), name.clone())),
            _ => None,
        };
        match reference.as_table().and_then(only) {
            Some((source, name)) if source == "env" => {
                let found = (self.variable)(&name).filter(|secret| !secret.is_empty());
                found.ok_or_else(|| format!("the environment has no {name}"))
            }
            Some((source, path)) if source == "file" => self.read(&path),
            _ => Err("must be { env = \"NAME\" } or { file = \"PATH\" }: secrets are not kept in this file".to_owned()),
        }
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let text = std::fs::read_to_string(self.folder.join(path));
        let text = text.map_err(|error| format!("{path} cannot be read: {error}"))?;
        // What an editor puts at the end is not part of it.
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() { Err(format!("{path} is empty")) } else { Ok(secret.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(toml: &str) -> Result<String, String> {
        let variable = |name: &str| match name {
            "SET" => Some("from the environment".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let table: toml::Table = toml.parse().expect("TOML");
        Secrets::new(&variable, folder).fetch(&table["it"])
    }

    #[test]
    fn a_secret_is_found_where_the_file_says() {
        assert_eq!(fetch("it = { env = 'SET' }").as_deref(), Ok("from the environment"));
        let read = fetch("it = { file = 'Cargo.toml' }").expect("a file beside the deployment file");
        assert!(read.starts_with("[package]") && !read.ends_with('\n'));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (toml, words) in [
            ("it = { env = 'NOT_SET' }", "NOT_SET"),
            ("it = { env = 'EMPTY' }", "EMPTY"),
            ("it = { file = 'not-there' }", "not-there"),
            ("it = { file = 'src' }", "src"),
        ] {
            let problem = fetch(toml).expect_err("nothing is there");
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn a_secret_in_the_file_itself_is_refused_and_not_repeated() {
        for toml in ["it = 'hunter2'", "it = { plain = 'hunter2' }", "it = { env = 'SET', file = 'hunter2' }", "it = 2"]
        {
            let problem = fetch(toml).expect_err("no reference");
            assert!(problem.contains("{ env") && !problem.contains("hunter2"), "{problem}");
        }
    }
}

//! The data directory: the table's file, and the secrets that a first start makes.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_aws::{SystemRandom, environment};
use vestibule_core::platform::Random;

use crate::arguments::Data;

/// A directory that exists and that only its owner can look into.
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    pub(crate) fn open(arguments: &Data) -> Result<Self> {
        let path = arguments.data_dir.clone();
        create_directory(&path).with_context(|| format!("the data directory {} cannot be made", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.0.join("table.sqlite")
    }

    /// `VESTIBULE_SEALING_KEYS` for a deployment that sets none.
    pub(crate) fn sealing_keys(&self) -> Result<String> {
        self.kept("sealing-keys", || format!("local:{}", random_text()))
    }

    /// `VESTIBULE_ADMIN_TOKEN` for a deployment that sets none.
    pub(crate) fn admin_token(&self) -> Result<String> {
        self.kept("admin-token", random_text)
    }

    pub(crate) fn admin_token_path(&self) -> PathBuf {
        self.0.join("admin-token")
    }

    /// The content of a file, made on the first call.
    fn kept(&self, name: &str, make: impl FnOnce() -> String) -> Result<String> {
        let path = self.0.join(name);
        match create_secret(&path) {
            Ok(mut file) => {
                let text = make();
                let written = file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.sync_all());
                written.with_context(|| format!("{} cannot be written", path.display()))?;
                Ok(text)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => read_secret(&path),
            Err(error) => Err(error).with_context(|| format!("{} cannot be made", path.display())),
        }
    }
}

/// The admin token of a command that talks to a broker: the environment's, or the one that `serve` made.
pub(crate) fn admin_token(arguments: &Data) -> Result<String> {
    if let Some(token) = environment("VESTIBULE_ADMIN_TOKEN").filter(|token| !token.trim().is_empty()) {
        return Ok(token);
    }
    let path = arguments.data_dir.join("admin-token");
    read_secret(&path).context("set VESTIBULE_ADMIN_TOKEN, or name the data directory of the broker with --data-dir")
}

fn read_secret(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let text = text.trim();
    if text.is_empty() {
        bail!("{} is empty: delete it, a new one is made at the next start", path.display());
    }
    Ok(text.to_owned())
}

/// 256 random bits in base64url.
pub(crate) fn random_text() -> String {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(unix)]
fn create_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_directory(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}

fn create_secret(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use vestibule_core::Config;

    use super::*;

    /// A directory of its own below the system's, removed at the end.
    struct Place(Data);

    impl Place {
        fn new() -> Self {
            Self(Data { data_dir: std::env::temp_dir().join(format!("vestibule-{}", random_text())).join("data") })
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = self.0.data_dir.parent().map(fs::remove_dir_all);
        }
    }

    #[test]
    fn secrets_are_made_once_and_are_usable() {
        let place = Place::new();
        let (keys, token) = {
            let data = DataDir::open(&place.0).expect("opens");
            (data.sealing_keys().expect("made"), data.admin_token().expect("made"))
        };
        let again = DataDir::open(&place.0).expect("opens again");
        assert_eq!(again.sealing_keys().expect("read"), keys);
        assert_eq!(again.admin_token().expect("read"), token);
        let config = Config::from_vars(|name| match name {
            "VESTIBULE_ISSUER" => Some("http://localhost:8787".to_owned()),
            "VESTIBULE_SEALING_KEYS" => Some(keys.clone()),
            "VESTIBULE_ADMIN_TOKEN" => Some(token.clone()),
            _ => None,
        });
        assert!(config.is_ok(), "{config:?}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new();
        let data = DataDir::open(&place.0).expect("opens");
        data.admin_token().expect("made");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!(mode(&place.0.data_dir), 0o700);
        assert_eq!(mode(&data.admin_token_path()), 0o600);
    }

    #[test]
    fn an_empty_file_is_not_a_secret() {
        let place = Place::new();
        let data = DataDir::open(&place.0).expect("opens");
        fs::write(data.admin_token_path(), "\n").expect("written");
        let error = data.admin_token().expect_err("empty").to_string();
        assert!(error.contains("admin-token is empty"), "{error}");
    }
}

//! What the tests need beyond Rust and Node, installed when it is missing and left alone when it is there.
//! Versions are pinned in `package-lock.json` and the requirements files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::command::{capture, command, run, step};
use crate::workspace::{self, root};

/// The compiler's target for Workers.
pub(crate) fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let folder = capture(&mut command("rustc", &["--print", "target-libdir", "--target", TARGET]))?;
    if fs::read_dir(folder.trim()).is_ok_and(|mut files| files.next().is_some()) {
        return Ok(());
    }
    step("install the wasm target", || run(&mut command("rustup", &["target", "add", TARGET])))
}

/// The packages of `package-lock.json`.
pub(crate) fn node_packages() -> Result<()> {
    let modules = root().join("node_modules");
    unless_stamped(&modules.join(".vestibule-lock"), &root().join("package-lock.json"), || {
        step("install the Node packages", || {
            run(&mut command("npm", &["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
        })
    })
}

/// Python packages that belong together, in a virtual environment of their own.
#[derive(Clone, Copy)]
pub(crate) enum Python {
    /// What tests run against.
    Tests,
    /// Caddy, Envoy and Traefik: what the examples stand behind.
    Proxies,
    /// What reads the deployment files.
    Deployment,
}

impl Python {
    fn folder(self) -> &'static str {
        match self {
            Self::Tests => ".venv/tests",
            Self::Proxies => ".venv/proxies",
            Self::Deployment => ".venv/deployment",
        }
    }

    fn requirements(self) -> &'static str {
        match self {
            Self::Tests => "tests/python/requirements.txt",
            Self::Proxies => "tests/python/proxies.txt",
            Self::Deployment => "infra/aws/requirements.txt",
        }
    }

    /// A program of these packages.
    pub(crate) fn program(self, name: &str) -> Result<PathBuf> {
        Ok(self.programs()?.join(name))
    }

    /// The folder with the programs of these packages.
    pub(crate) fn programs(self) -> Result<PathBuf> {
        let venv = root().join(self.folder());
        let programs = venv.join("bin");
        let requirements = root().join(self.requirements());
        unless_stamped(&venv.join("vestibule-lock"), &requirements, || {
            step(&format!("install the Python packages of {}", self.requirements()), || {
                run(&mut command("python3", &["-m", "venv", "--clear", self.folder()]))
                    .context("making a virtual environment; on Debian and Ubuntu it takes the package python3-venv")?;
                let pip = programs.join("pip");
                let pip = pip.to_string_lossy();
                run(command(&pip, &["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements))
            })
        })?;
        Ok(programs)
    }
}

/// A Chromium: `VESTIBULE_CHROMIUM`, one that is installed, or Debian's.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(path) = workspace::variable("VESTIBULE_CHROMIUM") {
        return Ok(path.into());
    }
    if let Some(path) = installed_chromium() {
        return Ok(path);
    }
    debian("Chromium", &["chromium"], "name one in VESTIBULE_CHROMIUM")?;
    installed_chromium().context("Chromium is installed but not in PATH")
}

/// An nginx: `VESTIBULE_NGINX`, one that is installed, or Debian's.
pub(crate) fn nginx() -> Result<PathBuf> {
    if let Some(path) = workspace::variable("VESTIBULE_NGINX") {
        return Ok(path.into());
    }
    // Not in every user's PATH.
    let installed = || find("nginx").or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|path| path.is_file()));
    if let Some(path) = installed() {
        return Ok(path);
    }
    debian("nginx", &["nginx-light"], "name one in VESTIBULE_NGINX")?;
    installed().context("nginx is installed but not in PATH")
}

/// The folder that `SimpleSAMLphp` is served from: `VESTIBULE_SIMPLESAMLPHP`, or Debian's, with the PHP that serves it.
pub(crate) fn simplesamlphp() -> Result<PathBuf> {
    if let Some(path) = workspace::variable("VESTIBULE_SIMPLESAMLPHP") {
        return Ok(path.into());
    }
    let folder = PathBuf::from("/usr/share/simplesamlphp/www");
    let needed = "exit(class_exists('DOMDocument') && function_exists('mb_strlen') ? 0 : 1);";
    let runs = command("php", &["-r", needed]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !(runs && folder.is_dir() && find("openssl").is_some()) {
        // It wants a web server, whichever. nginx is there for other tests; Apache, left out by the `-`, would be started.
        let packages = ["simplesamlphp", "nginx-light", "php-cli", "php-xml", "php-mbstring", "openssl", "apache2-"];
        debian("SimpleSAMLphp with PHP", &packages, "name its www folder in VESTIBULE_SIMPLESAMLPHP")?;
    }
    Ok(folder)
}

/// Installs packages of Debian's, where that is possible.
fn debian(name: &str, packages: &[&str], otherwise: &str) -> Result<()> {
    if find("apt-get").is_none() || capture(&mut command("id", &["-u"]))?.trim() != "0" {
        bail!(
            "no {name} is installed. Install one (`apt-get install {}`), or {otherwise}, or leave out what needs it \
             with `cargo xtask test --native`",
            packages.join(" ")
        );
    }
    step(&format!("install {name}"), || {
        run(&mut command("apt-get", &["update", "-qq"]))?;
        let mut install = command("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]);
        install.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
        // A mirror may fail once.
        run(&mut install).or_else(|_| run(&mut install))
    })
}

fn installed_chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find)
}

/// A program in PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = workspace::variable("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Installs unless the stamp repeats what the lock file says now.
fn unless_stamped(stamp: &Path, lock: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read(stamp).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
}

//! `vestibule-bindgen INPUT.wasm OUTPUT_FOLDER`: writes `index.js` and `index_bg.wasm`, ready for workerd.

mod order;
mod similar;

use std::path::PathBuf;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let input = arguments.next().context("usage: vestibule-bindgen INPUT.wasm OUTPUT_FOLDER")?;
    let output = arguments.next().context("usage: vestibule-bindgen INPUT.wasm OUTPUT_FOLDER")?;
    Bindgen::new()
        .input_path(&input)
        .out_name("index")
        .module(true)?
        .typescript(false)
        // After a panic the entry module asks for a new instance through this function.
        .reset_state_function(true)
        .generate(&output)
        .with_context(|| format!("cannot turn {} into a module", input.display()))?;
    let wasm = output.join("index_bg.wasm");
    let module = std::fs::read(&wasm).with_context(|| format!("no {}", wasm.display()))?;
    std::fs::write(&wasm, order::by_similarity(&module)?)
        .with_context(|| format!("cannot write {}", wasm.display()))?;
    // The output is for "source phase imports", which workerd does not have: its plain import of a wasm file is one.
    let module = output.join("index.js");
    let text = std::fs::read_to_string(&module).with_context(|| format!("no {}", module.display()))?;
    std::fs::write(&module, text.replace("import source ", "import ")).context("cannot write index.js")
}

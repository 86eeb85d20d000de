//! Compiles the device library with the system's C compiler.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=device");
    let output = PathBuf::from(std::env::var("OUT_DIR").unwrap());
    let mut objects = Vec::new();
    for entry in std::fs::read_dir("device").unwrap() {
        let source = entry.unwrap().path();
        if source.extension().map_or(true, |ending| ending != "c") {
            continue;
        }
        let object = output.join(source.file_stem().unwrap()).with_extension("o");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-fPIC", "-Idevice", "-Idevice/include", "-c", "-o"]);
        run(compiler.arg(&object).arg(&source));
        objects.push(object);
    }
    run(Command::new("ar").arg("crs").arg(output.join("libdevice.a")).args(&objects));
    println!("cargo:rustc-link-search=native={}", output.display());
    println!("cargo:rustc-link-lib=static=device");
    println!("cargo:rustc-link-lib=mbedcrypto");
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

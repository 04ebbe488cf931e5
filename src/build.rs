//! Tells the linker in which order a release keeps its functions: see `tests/bench/order`.

#![expect(clippy::disallowed_methods, reason = "a build script is told its circumstances by its environment")]

fn main() {
    println!("cargo::rerun-if-changed=src/order.ld");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    // The linkers of other systems have other scripts, and so may one that somebody chose; a debug build is never
    // measured.
    let chosen = variable("CARGO_ENCODED_RUSTFLAGS").contains("fuse-ld=");
    if variable("CARGO_CFG_TARGET_OS") == "linux" && variable("PROFILE") == "release" && !chosen {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}/src/order.ld", variable("CARGO_MANIFEST_DIR"));
    }
}

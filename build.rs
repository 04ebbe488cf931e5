//! Tells the linker in which order a release keeps its functions: see `link/order`.

#![expect(clippy::disallowed_methods, reason = "a build script is told its circumstances by its environment")]

fn main() {
    println!("cargo::rerun-if-changed=link/order.ld");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    // The linkers of other systems have other scripts, and a debug build is never measured.
    if variable("CARGO_CFG_TARGET_OS") == "linux" && variable("PROFILE") == "release" {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}/link/order.ld", variable("CARGO_MANIFEST_DIR"));
    }
}

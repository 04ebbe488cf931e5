//! Tells the linker where a release lies and in which order it keeps its functions: see `tests/bench/order`.

#![expect(clippy::disallowed_methods, reason = "a build script is told its circumstances by its environment")]

fn main() {
    println!("cargo::rerun-if-changed=src/order.ld");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    // The linkers of other systems have other scripts, and so may one that somebody chose; a debug build is never
    // measured.
    let chosen = variable("CARGO_ENCODED_RUSTFLAGS").contains("fuse-ld=");
    if variable("CARGO_CFG_TARGET_OS") == "linux" && variable("PROFILE") == "release" && !chosen {
        // At a fixed place nothing has to be corrected at each start: in a program that lies anywhere the tables of
        // addresses are a copy of its own in each process, and guardian and supervisor are two for each service.
        println!("cargo::rustc-link-arg-bins=-no-pie");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}/src/order.ld", variable("CARGO_MANIFEST_DIR"));
    }
}

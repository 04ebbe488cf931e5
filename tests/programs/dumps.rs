//! Writes its arguments, its environment, its folder and what it is into `dump.json` in its working folder, every
//! text as its bytes, and goes on.

use std::error::Error;

/// What else unix says of a process.
#[cfg(unix)]
fn particulars() -> Result<serde_json::Value, Box<dyn Error>> {
    let environment = std::fs::read("/proc/self/environ")?;
    let groups: Vec<u32> =
        rustix::process::getgroups()?.into_iter().map(rustix::process::Gid::as_raw).collect();
    let descriptors: Vec<String> = std::fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    Ok(serde_json::json!({
        "environment": environment.split_inclusive(|byte| *byte == 0).map(|entry| &entry[..entry.len() - 1]).collect::<Vec<_>>(),
        "uid": rustix::process::getuid().as_raw(),
        "gid": rustix::process::getgid().as_raw(),
        "groups": groups,
        "files": rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        "descriptors": descriptors,
    }))
}

/// What else Windows says of a process.
#[cfg(windows)]
fn particulars() -> Result<serde_json::Value, Box<dyn Error>> {
    let environment: Vec<_> = std::env::vars_os()
        .map(|(name, value)| [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat())
        .collect();
    Ok(serde_json::json!({ "environment": environment }))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().map(|text| text.as_encoded_bytes().to_vec()).collect();
    let mut dump = particulars()?;
    dump["arguments"] = serde_json::json!(arguments);
    dump["folder"] = serde_json::json!(std::fs::canonicalize(".")?);
    std::fs::write("dump.json.new", serde_json::to_vec(&dump)?)?;
    std::fs::rename("dump.json.new", "dump.json")?;
    loop {
        std::thread::park();
    }
}

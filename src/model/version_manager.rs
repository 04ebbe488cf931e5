//! Folders of version managers that hold one version of a program: what stands there goes with the next upgrade of
//! it, and a service that names such a folder does not start any more.

/// A folder of one version, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The version manager.
    pub manager: &'static str,
    /// The folder that holds the one version.
    pub folder: String,
    /// What stays where it is.
    pub instead: &'static str,
}

/// Where a version manager keeps its versions: the folders above one, and how many below them name it.
struct Place {
    manager: &'static str,
    above: &'static [&'static str],
    depth: usize,
    instead: &'static str,
}

const SHIMS: &str = "a shim of it, or the program of a package";
const PLACES: [Place; 20] = [
    place(
        "nvm",
        &[".nvm", "versions"],
        2,
        "a copy of the program in the package, or one that the host's packages bring",
    ),
    place("fnm", &["fnm", "node-versions"], 1, "`fnm`'s `aliases/default/bin`"),
    // Made anew for each shell, and gone with it.
    place("fnm", &["fnm_multishells"], 1, "`fnm`'s `aliases/default/bin`"),
    place("asdf", &[".asdf", "installs"], 2, SHIMS),
    place("mise", &["mise", "installs"], 2, SHIMS),
    place("pyenv", &[".pyenv", "versions"], 1, "a virtual environment in the package"),
    place("rbenv", &[".rbenv", "versions"], 1, SHIMS),
    place("nodenv", &[".nodenv", "versions"], 1, SHIMS),
    place("goenv", &[".goenv", "versions"], 1, SHIMS),
    place("rvm", &[".rvm", "rubies"], 1, SHIMS),
    place("n", &["n", "versions", "node"], 1, "the program that `n` copies to `/usr/local/bin`"),
    place("volta", &[".volta", "tools", "image"], 2, SHIMS),
    place("sdkman", &[".sdkman", "candidates"], 2, "`current` in the place of the version"),
    place("uv", &["uv", "python"], 1, "a virtual environment in the package"),
    place("rustup", &[".rustup", "toolchains"], 1, "the program that was built, in the package"),
    place("Homebrew", &["Cellar"], 2, "Homebrew's `opt` folder, as in `/opt/homebrew/opt/node/bin/node`"),
    place("Nix", &["nix", "store"], 1, "a profile, as in `/nix/var/nix/profiles/default/bin`"),
    place("Guix", &["gnu", "store"], 1, "a profile, as in `/var/guix/profiles`"),
    place("snap", &["snap"], 2, "`current` in the place of the number, or `/snap/bin`"),
    place("scoop", &["scoop", "apps"], 2, "`current` in the place of the version"),
];

const fn place(
    manager: &'static str,
    above: &'static [&'static str],
    depth: usize,
    instead: &'static str,
) -> Place {
    Place { manager, above, depth, instead }
}

/// The folder of one version that an absolute path goes through, if it does.
#[must_use]
pub fn versioned(path: &str) -> Option<Versioned> {
    if !path.starts_with('/') {
        return None;
    }
    let names: Vec<&str> = path.split('/').collect();
    PLACES.iter().find_map(|place| {
        let begin = names.windows(place.above.len()).position(|window| window == place.above)?;
        let end = begin + place.above.len() + place.depth;
        let version = names.get(end - 1).filter(|_| end < names.len())?;
        // Some have names of their own for the version that is in use: `current`, `latest`, `lts`, `system`.
        let numbered = version.bytes().any(|byte| byte.is_ascii_digit());
        numbered.then(|| Versioned {
            manager: place.manager,
            folder: names[..end].join("/"),
            instead: place.instead,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_one_version_are_told_from_those_that_stay() {
        for (path, manager, folder) in [
            ("/home/a/.nvm/versions/node/v20.1.0/bin/node", "nvm", "/home/a/.nvm/versions/node/v20.1.0"),
            (
                "/home/a/.local/share/fnm/node-versions/v20.1.0/installation/bin/node",
                "fnm",
                "/home/a/.local/share/fnm/node-versions/v20.1.0",
            ),
            ("/run/user/1000/fnm_multishells/811_1712/bin", "fnm", "/run/user/1000/fnm_multishells/811_1712"),
            (
                "/home/a/.asdf/installs/python/3.12.1/bin/python",
                "asdf",
                "/home/a/.asdf/installs/python/3.12.1",
            ),
            (
                "/home/a/.local/share/mise/installs/node/20.1.0/bin",
                "mise",
                "/home/a/.local/share/mise/installs/node/20.1.0",
            ),
            ("/home/a/.pyenv/versions/3.12.1/bin/python", "pyenv", "/home/a/.pyenv/versions/3.12.1"),
            ("/home/a/.rbenv/versions/3.3.0/bin/ruby", "rbenv", "/home/a/.rbenv/versions/3.3.0"),
            ("/opt/homebrew/Cellar/node/21.1.0/bin/node", "Homebrew", "/opt/homebrew/Cellar/node/21.1.0"),
            ("/nix/store/0a1b2c-nodejs-20/bin/node", "Nix", "/nix/store/0a1b2c-nodejs-20"),
            (
                "/home/a/.sdkman/candidates/java/21.0.1-tem/bin/java",
                "sdkman",
                "/home/a/.sdkman/candidates/java/21.0.1-tem",
            ),
            ("/snap/node/8123/bin/node", "snap", "/snap/node/8123"),
        ] {
            let found = versioned(path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((found.manager, found.folder.as_str()), (manager, folder));
        }
        for path in [
            "/usr/bin/node",
            "{package}/.nvm/versions/node/v20.1.0/bin/node",
            "/home/a/.asdf/shims/python",
            "/home/a/.local/share/mise/installs/node/latest/bin",
            "/home/a/.sdkman/candidates/java/current/bin/java",
            "/opt/homebrew/opt/node@20/bin/node",
            "/nix/var/nix/profiles/default/bin/node",
            "/snap/bin/node",
            "/snap/node/current/bin/node",
            // The folder itself, and no program in it.
            "/home/a/.pyenv/versions/3.12.1",
        ] {
            assert_eq!(versioned(path), None, "{path}");
        }
    }
}

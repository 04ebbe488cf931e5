//! What a person is told who types something that does not fit, and how it looks at a terminal.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use real::Place;

/// What a command says of how to go on.
fn hint(place: &Place, typed: &[&str]) -> String {
    let output = place.run_in(place.top(), typed).fails(2, "error:");
    output.err.lines().find_map(|line| line.trim().strip_prefix("tip: ")).unwrap_or_default().to_owned()
}

#[test]
fn a_word_too_many_is_understood() {
    let place = Place::new();
    std::fs::create_dir(place.top().join("packages")).unwrap();
    for (typed, expected) in [
        (
            &["install", "esbuild-linux-0.24.0.tgz"][..],
            "a package is named with `--from esbuild-linux-0.24.0.tgz`",
        ),
        (
            &["install", "--yes", "dist/tool-1.0-py3-none-any.whl"],
            "a package is named with `--from dist/tool-1.0-py3-none-any.whl`",
        ),
        (&["upgrade", "a b.zip"], "a package is named with `--from 'a b.zip'`"),
        (&["upgrade", "packages"], "a package is named with `--from packages`"),
        (&["upgrade", "rollback"], "did you mean `mainstay upgrade --rollback`?"),
        (&["upgrade", "rolback", "--yes"], "did you mean `mainstay upgrade --rollback`?"),
        (&["upgrade", "--rolback"], "a similar argument exists: '--rollback'"),
        (&["uninstall", "purge"], "did you mean `mainstay uninstall --purge`?"),
        (&["rollback"], "here it is `mainstay upgrade --rollback`"),
        (&["remove"], "here it is `mainstay uninstall`"),
        (&["status", "web"], "an instance is named with `--name web`"),
        (&["restart", "web"], "an instance is named with `--name web`"),
        (&["schema", "manifest", "web"], ""),
    ] {
        assert_eq!(hint(&place, typed), expected, "{typed:?}");
    }
    let similar = hint(&place, &["instal"]);
    assert!(similar.starts_with("some similar subcommands exist: 'install', "), "{similar}");
}

#[test]
fn an_archive_of_something_else_says_so() {
    let place = Place::new();
    let source = place.top().join("source");
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::copy(real::program("server"), source.join("bin/server")).unwrap();
    let archive = place.top().join("esbuild-linux-0.24.0.tgz");
    mainstay::package::pack::pack(&source, &archive).unwrap();
    place.declare(&place.deploy(), "k", "");
    let manifest = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace(r#", "version": "1.0.0""#, "").replace("\"server\"", "\"k\""))
        .unwrap();
    let output = place
        .run(&["install", "--from", archive.as_str()])
        .fails(2, "is called like an archive of `esbuild`");
    assert!(
        output.err.contains("help: if it is the one that you mean, write `esbuild` as `package.name`"),
        "{output:?}"
    );
    assert!(
        output.err.contains("`--version 0.24.0`") && !output.err.contains("several versions"),
        "{output:?}"
    );
}

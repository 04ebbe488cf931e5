//! What an archive has named so far: finds duplicates, collisions, and files used as folders.

use std::collections::HashMap;

use crate::model::package::FILE_NAME;
use crate::package::entry::{EntryName, check_part, key, shown};
use crate::package::fault::Fault;
use crate::package::limits::Limits;

/// Folders that have a meaning in a package, by which its command names what is in them.
const OF_A_PACKAGE: [&str; 8] = ["bin", "sbin", "lib", "lib64", "libexec", "share", "etc", "usr"];

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Folder,
    File,
    Link(String),
}

#[derive(Debug)]
struct Known {
    name: String,
    node: Node,
}

/// How many links one name may lead through, as on Linux (`man 7 path_resolution`).
const MOST_LINKS: usize = 40;

/// Every name of one package, by [`key`].
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    known: HashMap<String, Known>,
    /// The folder of the entry before: entries mostly come folder by folder.
    last_folder: String,
}

impl Catalogue {
    /// Enters a name. A folder may be named before what it holds, after it, or never, and twice: that says
    /// nothing new. Anything else only once.
    pub(crate) fn enter(&mut self, name: &EntryName, node: Node) -> Result<(), Fault> {
        let text = name.as_str();
        let (folder, _) = name.split();
        if folder != self.last_folder {
            for (end, _) in text.match_indices('/') {
                self.enter_folder_above(&text[..end])?;
            }
            folder.clone_into(&mut self.last_folder);
        }
        let key = key(text);
        match self.known.get(&key) {
            None => {
                self.known.insert(key, Known { name: text.to_owned(), node });
                Ok(())
            }
            Some(known) if known.name != text => Err(Fault::Collision(shown(known.name.as_bytes()))),
            Some(known) if known.node == Node::Folder && node == Node::Folder => Ok(()),
            Some(_) => Err(Fault::Duplicate),
        }
    }

    fn enter_folder_above(&mut self, folder: &str) -> Result<(), Fault> {
        let key = key(folder);
        match self.known.get(&key) {
            None => {
                self.known.insert(key, Known { name: folder.to_owned(), node: Node::Folder });
                Ok(())
            }
            Some(known) if known.name != folder => Err(Fault::Collision(shown(known.name.as_bytes()))),
            Some(known) if known.node != Node::Folder => Err(Fault::BelowFile(shown(known.name.as_bytes()))),
            Some(_) => Ok(()),
        }
    }

    /// Says where a link leads that was entered before its target was read.
    pub(crate) fn set_target(&mut self, name: &EntryName, target: &str) {
        if let Some(Known { node: Node::Link(known), .. }) = self.known.get_mut(&key(name.as_str())) {
            target.clone_into(known);
        }
    }

    /// Whether a file of exactly this name was entered.
    pub(crate) fn has_file(&self, name: &EntryName) -> bool {
        self.known
            .get(&key(name.as_str()))
            .is_some_and(|known| known.name == name.as_str() && known.node == Node::File)
    }

    /// How a name, or one that some file system takes for it, was spelled, if it was entered.
    pub(crate) fn spelled(&self, name: &str) -> Option<&str> {
        self.known.get(&key(name)).map(|known| known.name.as_str())
    }

    /// The one folder at the top that holds everything and only wraps it, if there is exactly one thing at the top.
    pub(crate) fn single_top_folder(&self) -> Option<&str> {
        let mut tops = self.known.values().filter(|known| !known.name.contains('/'));
        match (tops.next(), tops.next()) {
            (Some(Known { name, node: Node::Folder }), None) => {
                let described = self.known.contains_key(&key(&format!("{name}/{FILE_NAME}")));
                (described || !OF_A_PACKAGE.contains(&name.as_str())).then_some(name)
            }
            _ => None,
        }
    }

    /// Whether there is nothing but folders.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.values().all(|known| known.node == Node::Folder)
    }

    /// Checks that a link stays below `root` (a folder of this catalogue, or empty for its own root), both as
    /// it reads and as the system will follow it: a `..` behind another link leads from where that link goes.
    pub(crate) fn check_link(
        &self,
        link: &str,
        target: &str,
        root: &str,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let outside = || Fault::LinkOutside(shown(target.as_bytes()));
        if target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0']) {
            return Err(outside());
        }
        for part in target.trim_end_matches('/').split('/').filter(|part| !matches!(*part, "" | "." | "..")) {
            check_part(part, false, limits).map_err(|_| outside())?;
        }
        let (folder, _) = link.rsplit_once('/').unwrap_or(("", link));
        let below = if root.is_empty() {
            folder
        } else {
            folder.strip_prefix(root).unwrap_or("").trim_start_matches('/')
        };
        let start: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();

        let mut depth = start.len();
        for part in target.split('/').filter(|part| !matches!(*part, "" | ".")) {
            depth = if part == ".." { depth.checked_sub(1).ok_or_else(outside)? } else { depth + 1 };
        }

        let mut at: Vec<String> = start.into_iter().map(str::to_owned).collect();
        let mut ahead: Vec<String> = parts_backwards(target);
        let mut followed = 1;
        while let Some(part) = ahead.pop() {
            if part == ".." {
                at.pop().ok_or_else(outside)?;
                continue;
            }
            at.push(part);
            let here = at.join("/");
            let full = if root.is_empty() { here } else { format!("{root}/{here}") };
            if let Some(Known { node: Node::Link(next), .. }) = self.known.get(&key(&full)) {
                followed += 1;
                if followed > MOST_LINKS {
                    return Err(Fault::LinkLoop(shown(target.as_bytes())));
                }
                if next.starts_with('/') {
                    return Err(outside());
                }
                at.pop();
                ahead.extend(parts_backwards(next));
            }
        }
        Ok(())
    }
}

fn parts_backwards(target: &str) -> Vec<String> {
    target.rsplit('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::entry::Named;

    fn name(text: &str) -> EntryName {
        match EntryName::parse(text.as_bytes(), &Limits::default()) {
            Ok(Named::Entry { name, .. }) => name,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_name_counts_once() {
        let mut catalogue = Catalogue::default();
        assert_eq!(catalogue.enter(&name("a/b"), Node::File), Ok(()));
        assert_eq!(catalogue.enter(&name("a"), Node::Folder), Ok(()));
        assert_eq!(catalogue.enter(&name("a"), Node::Folder), Ok(()));
        assert_eq!(catalogue.enter(&name("a/b"), Node::File), Err(Fault::Duplicate));
        assert_eq!(catalogue.enter(&name("a"), Node::File), Err(Fault::Duplicate));
        assert_eq!(catalogue.enter(&name("A/c"), Node::File), Err(Fault::Collision("a".into())));
        assert_eq!(catalogue.enter(&name("a/B"), Node::File), Err(Fault::Collision("a/b".into())));
        assert_eq!(catalogue.enter(&name("a/b/c"), Node::File), Err(Fault::BelowFile("a/b".into())));
        assert_eq!(catalogue.enter(&name("l"), Node::Link("a".into())), Ok(()));
        assert_eq!(catalogue.enter(&name("l/x"), Node::File), Err(Fault::BelowFile("l".into())));
        assert_eq!(catalogue.enter(&name("l"), Node::Folder), Err(Fault::Duplicate));
        assert!(catalogue.has_file(&name("a/b")) && !catalogue.has_file(&name("l")));
    }

    #[test]
    fn a_folder_of_programs_wraps_nothing() {
        let top = |names: &[&str]| {
            let mut catalogue = Catalogue::default();
            for entry in names {
                catalogue.enter(&name(entry), Node::File).unwrap();
            }
            catalogue.single_top_folder().map(str::to_owned)
        };
        assert_eq!(top(&["package/bin/server"]).as_deref(), Some("package"));
        assert_eq!(top(&["bin/server"]), None);
        assert_eq!(top(&["lib/server.js", "lib/other.js"]), None);
        assert_eq!(top(&["bin/server", "lib/a.so"]), None);
        assert_eq!(top(&["bin/server", "bin/mainstay-package.json"]).as_deref(), Some("bin"));
    }

    #[test]
    fn a_refused_folder_is_not_remembered_as_good() {
        let mut catalogue = Catalogue::default();
        catalogue.enter(&name("a"), Node::File).unwrap();
        assert!(catalogue.enter(&name("a/b"), Node::File).is_err());
        assert!(catalogue.enter(&name("a/c"), Node::File).is_err());
    }

    #[test]
    fn links_stay_inside_even_through_other_links() {
        let limits = Limits::default();
        let mut catalogue = Catalogue::default();
        catalogue.enter(&name("p/deep/er/file"), Node::File).unwrap();
        catalogue.enter(&name("p/deep/er/up"), Node::Link("../..".into())).unwrap();
        catalogue.enter(&name("p/a"), Node::Link("b".into())).unwrap();
        catalogue.enter(&name("p/b"), Node::Link("a".into())).unwrap();
        let check = |link, target, root| catalogue.check_link(link, target, root, &limits);
        assert_eq!(check("p/x", "deep/er/file", "p"), Ok(()));
        assert_eq!(check("p/deep/x", "../deep/er", "p"), Ok(()));
        assert_eq!(check("p/x", "nowhere/yet", "p"), Ok(()));
        assert_eq!(check("p/x", "deep/er/up/deep", "p"), Ok(()));
        for target in ["../x", "/etc", "", "deep/../..", "deep/er/up/../..", "a\\b", "C:x"] {
            assert!(matches!(check("p/x", target, "p"), Err(Fault::LinkOutside(_))), "{target}");
        }
        assert_eq!(check("p/x", "../y", ""), Ok(()));
        assert!(matches!(check("p/x", "a/y", "p"), Err(Fault::LinkLoop(_))));
    }
}

//! Images of containers in a file: what `docker save` and `podman save` write, and the layout that the Open Container
//! Initiative describes (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>). Only what says which
//! images they are is read; taking them in is their engine's work.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The most that is read of one of the texts in it, in bytes.
const LARGEST: u64 = 4 << 20;
/// The bytes with which a file begins that gzip has made (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Where Docker says which images there are.
const DOCKER: &str = "manifest.json";
/// Where the layout of the Open Container Initiative says it.
const LAYOUT: &str = "index.json";
/// The names of an image there; the second is containerd's and Docker's.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// An image in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// Its names, as they stand there: whole ones, or a tag alone.
    pub names: Vec<String>,
    /// The digest of its configuration, by which engines number images; of one for several processors there is none.
    pub number: Option<String>,
}

/// The images in a file; nothing where it is no file of images. Its content decides, not its name.
pub fn read(file: &File) -> io::Result<Option<Vec<StoredImage>>> {
    let found = texts(file, &[DOCKER.to_owned(), LAYOUT.to_owned()])?;
    if let Some(text) = found.get(DOCKER) {
        // A package may have a file of that name, which says something else.
        return Ok(parsed::<Vec<Docker>>(text).map(|all| all.into_iter().map(Docker::image).collect()));
    }
    let Some(index) = found.get(LAYOUT).and_then(|text| parsed::<Index>(text)) else { return Ok(None) };
    let places: Vec<String> = index.manifests.iter().filter_map(|manifest| place(&manifest.digest)).collect();
    let manifests = texts(file, &places)?;
    let images = index.manifests.into_iter().map(|manifest| {
        let text = place(&manifest.digest).and_then(|place| manifests.get(&place));
        let number = text.and_then(|text| parsed::<Manifest>(text)).map(|manifest| manifest.config.digest);
        let mut names: Vec<String> =
            NAMES.iter().filter_map(|key| manifest.annotations.get(*key)).cloned().collect();
        names.dedup();
        StoredImage { names, number }
    });
    Ok(Some(images.collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Docker {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

impl Docker {
    /// Its configuration is called by its digest: `DIGEST.json`, or `blobs/sha256/DIGEST`.
    fn image(self) -> StoredImage {
        let name = self.config.rsplit('/').next().unwrap_or_default();
        let digits = name.strip_suffix(".json").unwrap_or(name);
        let sound = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        StoredImage {
            names: self.repo_tags.unwrap_or_default(),
            number: sound.then(|| format!("sha256:{digits}")),
        }
    }
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Reference,
}

#[derive(Deserialize)]
struct Reference {
    digest: String,
}

fn parsed<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_json::from_slice(text).ok()
}

/// Where a text lies that is known by its digest.
fn place(digest: &str) -> Option<String> {
    digest.split_once(':').map(|(algorithm, digits)| format!("blobs/{algorithm}/{digits}"))
}

/// What stands in files of a tar, which may be compressed; nothing of what is no tar.
fn texts(file: &File, names: &[String]) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut file = BufReader::new(file);
    file.rewind()?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    file.rewind()?;
    let mut found = BTreeMap::new();
    if start == GZIP {
        let mut archive = tar::Archive::new(MultiGzDecoder::new(file));
        for entry in archive.entries()? {
            if !collect(entry, names, &mut found)? {
                break;
            }
        }
    } else {
        // The layers, which may be large, are skipped.
        let mut archive = tar::Archive::new(file);
        for entry in archive.entries_with_seek()? {
            if !collect(entry, names, &mut found)? {
                break;
            }
        }
    }
    Ok(found)
}

/// Takes an entry, if it is wanted. Answers whether there may be more.
fn collect<R: Read>(
    entry: io::Result<tar::Entry<'_, R>>,
    names: &[String],
    found: &mut BTreeMap<String, Vec<u8>>,
) -> io::Result<bool> {
    // What is no tar, or is broken, is told by whoever has to take it in.
    let Ok(entry) = entry else { return Ok(false) };
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let path = path.strip_prefix("./").unwrap_or(&path);
    if names.iter().any(|name| name == path) && !found.contains_key(path) {
        let mut text = Vec::new();
        entry.take(LARGEST).read_to_end(&mut text)?;
        found.insert(path.to_owned(), text);
    }
    Ok(found.len() < names.len())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const CONFIG: &str = "af1b97f800da5611fbb288f7022c81fe781f672179c9dc5a0dbcb054d0e0e87c";

    fn archive(files: &[(&str, &str)], compressed: bool) -> File {
        let mut bytes = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            bytes.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        let mut bytes = bytes.into_inner().unwrap();
        if compressed {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&bytes).unwrap();
            bytes = gzip.finish().unwrap();
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file
    }

    #[test]
    fn images_are_known_by_what_is_in_the_file() {
        let docker =
            format!(r#"[{{"Config":"{CONFIG}.json","RepoTags":["localhost/web:2.0.0"],"Layers":[]}}]"#);
        let modern = format!(r#"[{{"Config":"blobs/sha256/{CONFIG}","RepoTags":null,"Layers":[]}}]"#);
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"digest":"sha256:11","annotations":{{"{}":"2.0.0"}}}}]}}"#,
            NAMES[1]
        );
        let manifest = format!(r#"{{"config":{{"digest":"sha256:{CONFIG}"}},"layers":[]}}"#);
        let layer = "x".repeat(3000);
        let number = Some(format!("sha256:{CONFIG}"));
        for compressed in [false, true] {
            let of = |files: &[(&str, &str)]| read(&archive(files, compressed)).unwrap();
            let names = vec!["localhost/web:2.0.0".to_owned()];
            let stored = StoredImage { names, number: number.clone() };
            assert_eq!(of(&[("a.tar", &layer), ("manifest.json", &docker)]), Some(vec![stored]));
            let nameless = StoredImage { names: Vec::new(), number: number.clone() };
            assert_eq!(of(&[("./manifest.json", &modern), ("index.json", &index)]), Some(vec![nameless]));
            // The blobs stand before what names them.
            let files =
                [("blobs/sha256/11", manifest.as_str()), ("oci-layout", "{}"), ("index.json", &index)];
            let tagged = StoredImage { names: vec!["2.0.0".to_owned()], number: number.clone() };
            assert_eq!(of(&files), Some(vec![tagged]));
            assert_eq!(of(&[("bin/web", "x"), ("manifest.json", r#"{"name":"web"}"#)]), None);
            assert_eq!(of(&[("bin/web", "x")]), None);
        }
        let mut zip = tempfile::tempfile().unwrap();
        zip.write_all(b"PK\x03\x04 and so on").unwrap();
        assert_eq!(read(&zip).unwrap(), None);
        assert_eq!(read(&tempfile::tempfile().unwrap()).unwrap(), None);
    }
}

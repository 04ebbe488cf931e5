//! What a package says of itself: the same rules as for a manifest, and nothing that one reader takes and the
//! other refuses.

use mainstay::model::contradiction::read_package_description;
use mainstay::model::package::PackageDescription;

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    super::again::<PackageDescription>(text);
    match read_package_description("mainstay-package.json", text) {
        Err(problems) => super::manifest::check_places(text, &problems),
        Ok((description, _)) => {
            let read: PackageDescription = serde_json::from_str(text).unwrap();
            assert_eq!(read, description);
        }
    }
}

//! The schemas of our documents: JSON Schema, Draft-07, which every editor understands.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::model::manifest::Manifest;
use crate::model::package::PackageDescription;

/// Where schemas are published, before a schema's file name.
const ADDRESS: &str = "https://raw.githubusercontent.com/mainstay-dev/mainstay/main/schema/";

macro_rules! published {
    ($($(#[$documentation:meta])* $document:ident: $type:ty = $name:literal,)+) => {
        /// A document whose schema is published.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Published {
            $($(#[$documentation])* $document,)+
        }

        impl Published {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$document,)+];

            /// The name with its major version, after which a schema of that name never changes its meaning.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$document => $name,)+
                }
            }

            fn schema(self) -> Value {
                match self {
                    $(Self::$document => of::<$type>(),)+
                }
            }
        }
    };
}

published! {
    /// `mainstay.json` in a deploy folder.
    Manifest: Manifest = "manifest.v1",
    /// `mainstay-package.json` at the root of an archive.
    Package: PackageDescription = "package.v1",
}

impl Published {
    /// The document of that name, with or without its version.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let same =
            |document: &Self| document.name() == name || document.name().split('.').next() == Some(name);
        Self::ALL.iter().copied().find(same)
    }

    /// Where the schema can be fetched.
    #[must_use]
    pub fn address(self) -> String {
        format!("{ADDRESS}{}.json", self.name())
    }

    /// The schema as it is published.
    #[must_use]
    pub fn text(self) -> String {
        let mut schema = self.schema();
        if let Value::Object(members) = &mut schema {
            members.insert("$id".to_owned(), self.address().into());
        }
        format!("{schema:#}\n")
    }
}

/// The schema of a type.
#[must_use]
pub fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}

//! Whose signature an archive has to bear: the key that the manifest pins, remembered once it was pinned.

use std::fs::File;

use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::public_key::PublicKey;
use crate::model::receipt::Receipt;
use crate::package::signature::{Signature, SignatureError, Vouched};
use crate::plan::refusal::Refusal;
use crate::plan::step::Operation;

/// The keys of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    name: InstanceName,
    component: ComponentName,
    /// The one that the manifest pins.
    pinned: Option<PublicKey>,
    /// The one that was pinned before, where it is another.
    before: Option<PublicKey>,
}

impl Keys {
    /// Those that the manifest and the receipt name.
    pub(crate) fn of(declared: &Declared, receipt: Option<&Receipt>, operation: Operation) -> Self {
        let package = &declared.manifest.package;
        let remembered = receipt.and_then(|receipt| receipt.public_key.clone());
        Self {
            name: declared.manifest.name.clone(),
            component: package.name.clone(),
            pinned: package.public_key.clone(),
            // The way back asks for no signature: it goes to what was trusted then.
            before: remembered
                .filter(|key| operation != Operation::Rollback && Some(key) != package.public_key.as_ref()),
        }
    }

    /// Refuses what no archive could mend, before one is fetched.
    pub(crate) fn guard(&self, brings: bool) -> Result<(), Refusal> {
        match self.before {
            Some(_) if self.pinned.is_none() || !brings => Err(self.refusal()),
            _ => Ok(()),
        }
    }

    /// The key by which a signature is looked for.
    pub(crate) fn asked(&self) -> Option<&PublicKey> {
        self.pinned.as_ref()
    }

    /// Verifies an archive's signature over its open file, if one is asked for. Says also whether it introduces the
    /// manifest's key in place of the one before.
    pub(crate) fn verify(
        &self,
        signature: Option<&Signature>,
        archive: &camino::Utf8Path,
        file: &File,
    ) -> Result<Option<(Vouched, bool)>, Failure> {
        let Some(pinned) = &self.pinned else { return Ok(None) };
        let (key, introduces) = match &self.before {
            Some(before) => (before, true),
            None => (pinned, false),
        };
        let Some(signature) = signature else {
            let (archive, key) = (archive.to_owned(), key.clone());
            return Err(if introduces {
                self.refusal().into()
            } else {
                SignatureError::Missing { archive, key }.into()
            });
        };
        let vouched = match signature.verify(key, file) {
            Err(SignatureError::OtherKey { .. }) if introduces => return Err(self.refusal().into()),
            verified => verified?,
        };
        if introduces && !vouched.introduces(pinned) {
            return Err(self.refusal().into());
        }
        vouched.check_name(&self.component)?;
        Ok(Some((vouched, introduces)))
    }

    fn refusal(&self) -> Refusal {
        match &self.before {
            Some(remembered) => Refusal::OtherKey {
                name: self.name.clone(),
                remembered: remembered.clone(),
                wanted: self.pinned.clone(),
            },
            // Only ever asked where there is one.
            None => Refusal::NoPrevious(self.name.clone()),
        }
    }
}

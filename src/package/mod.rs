//! Packages: archives in, version trees out.
//!
//! An archive is read once: its bytes are hashed, inflated, parsed and written in the same pass, below a
//! descriptor of a folder that nobody else looks into. Everything that an archive can do to leave that
//! folder, to surprise the next reader or to fill the disk is refused with the entry's name, and the
//! refusal falls before the tree gets the name under which it counts.
//!
//! ```text
//! pack     a folder → a reproducible archive          version   a file name → a version
//! unpack   an archive → a folder, checked             tree      staging, publishing, trash
//! difference  what is wrong with a tree
//! measure  what trees take of the disk             share     storing once what they have in common
//! archive, limits, entry, fault, catalogue, need      what is accepted, and why not
//! gunzip, header, pax, untar                          .tar.gz
//! central, attributes, unzip, inflate                 .zip and .whl
//! fetch, sums, signature                              over a network, and whether it is the right one
//! extraction, crew, flush, disk                       writing below a descriptor
//! ```

pub mod archive;
pub mod difference;
pub mod entry;
pub mod fault;
pub mod fetch;
pub mod limits;
pub mod measure;
pub mod need;
pub mod pack;
pub mod share;
pub mod signature;
pub mod sums;
pub mod tree;
pub mod unpack;
pub mod version;

mod attributes;
mod catalogue;
mod central;
mod crew;
mod disk;
mod extraction;
mod flush;
mod gunzip;
mod header;
pub mod image;
mod inflate;
mod pax;
mod untar;
mod unzip;

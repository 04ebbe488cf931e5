//! What can be typed after `schema`.

use clap::Args;

/// `schema`
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Which (default: manifest); `--list` names them all
    pub name: Option<String>,
    /// Name them all
    #[arg(long)]
    pub list: bool,
}

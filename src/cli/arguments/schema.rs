//! What can be typed after `schema`.

use clap::Args;

/// `schema`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay schema > manifest.schema.json\n  \
    mainstay schema package\n  \
    mainstay schema --list")]
pub struct SchemaArguments {
    /// Which (default: manifest); `--list` names them all
    pub name: Option<String>,
    /// Name them all
    #[arg(long)]
    pub list: bool,
}

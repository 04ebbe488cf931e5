//! What can be typed after `completions`.

use clap::Args;

/// `completions`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    source <(mainstay completions bash)    in ~/.bashrc\n  \
    source <(mainstay completions zsh)     in ~/.zshrc, after `compinit`\n  \
    mainstay completions fish | source     in ~/.config/fish/config.fish\n  \
    mainstay completions powershell        its output belongs into $PROFILE\n\n\
    Names of instances, components and versions are completed as well.")]
pub struct CompletionsArguments {
    /// The shell
    pub shell: clap_complete::Shell,
}

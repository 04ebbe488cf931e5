//! What the program says of itself (`sd_notify`), and whether it is the program that says it.

use super::{SuperviseError, Supervisor};
use crate::host::notify::{Listener, Notice, Peer};
use crate::host::process::as_account;
use crate::host::{account, clock, files, identity, tree};
use crate::model::launch::{LaunchSpec, Probe};
use crate::supervise::context::Context;
use crate::supervise::transition::Input;

impl Supervisor {
    pub(super) fn hear(&mut self) {
        let said = self.listener.as_ref().map(Listener::take).unwrap_or_default();
        for one in said {
            if !self.believes(one.sender) {
                continue;
            }
            for notice in one.notices {
                match notice {
                    // Where another probe asks, the program's own word is not what counts.
                    Notice::Ready if self.context.spec.ready.probe != Probe::Notify => {}
                    Notice::Ready => self.inputs.push_back(Input::ProbeOk),
                    Notice::Extend(more) => self.inputs.push_back(Input::Extend(more)),
                    // Likewise of its health.
                    Notice::Alive if self.context.spec.longest_silence().is_none() => {}
                    Notice::Alive => self.inputs.push_back(Input::Healthy),
                    Notice::Status(word) => {
                        if self.reporter.hear(&word) {
                            // It is for people only; the next change is written again.
                            self.report(clock::present());
                        }
                    }
                }
            }
        }
    }

    /// Whether a sender is the program or one of its descendants. A helper that has ended by now can't be
    /// traced any more, so its account has to do.
    fn believes(&self, sender: Option<Peer>) -> bool {
        if self.program.is_none() {
            return false;
        }
        // Where the system does not tell who it was, it was somebody who may: its account, or root.
        let Some(Peer { pid, uid }) = sender else { return true };
        if identity::process(pid).is_some_and(|sender| !sender.ended) {
            let ours = tree::below(std::process::id(), &[], &tree::all());
            return ours.iter().any(|process| process.identity.pid == pid);
        }
        let own = account::effective_uid();
        uid == self.context.account.credentials.as_ref().map_or(own, |account| account.uid)
    }
}

/// Whether the program says something itself.
pub(super) fn speaks(spec: &LaunchSpec) -> bool {
    spec.ready.probe == Probe::Notify || spec.longest_silence().is_some()
}

pub(super) fn listen(context: &Context) -> Result<Option<Listener>, SuperviseError> {
    speaks(&context.spec).then(|| listen_at(context, "notify")).transpose()
}

pub(super) fn listen_at(context: &Context, name: &str) -> Result<Listener, SuperviseError> {
    let path = context.folders.run.join(name);
    let listener = files::make_folders(&context.folders.run)
        .and_then(|()| as_account(context.account.credentials.as_ref(), || Listener::bind(&path)));
    listener.map_err(|source| SuperviseError::Notify { path, source })
}

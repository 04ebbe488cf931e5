//! What an adoption lays beside the manifest, for its owner's eyes alone: the variables that not everybody could read
//! before, and the files that define the service as they were.

use camino::{Utf8Path, Utf8PathBuf};

use super::Found;
use crate::engine::failure::Failure;
use crate::engine::trust::{self, Deploy};
use crate::host::files;
use crate::model::adoption::Fate;
use crate::model::environment_file::line;
use crate::model::name::InstanceName;
use crate::model::service::Secret;
use crate::model::shown::is_secret;
use crate::model::token::{Places, expand};
use crate::model::variable::VariableName;
use crate::plan::wanted::Beside;

/// The largest file that is looked at, to see whether it says the same already, in bytes.
const LARGEST: u64 = 1 << 20;
/// The field under which variables stand that all may read.
const OPEN: &str = "service.environment";

/// Takes what is secret out of the draft, and gives the files that are made.
pub(super) fn beside(
    folder: &Utf8Path,
    found: &mut Found,
    name: &InstanceName,
) -> Result<Vec<Beside>, Failure> {
    let deploy = trust::inspect(folder)?;
    let mut files = variables(&deploy, found, name)?;
    let before = found.adopting.iter().flat_map(|adopting| &adopting.before.files);
    for file in before {
        if let (Some(text), Some(called)) = (&file.text, file.path.file_name()) {
            let called = format!("{called}.before-mainstay");
            let (path, is_there) = place(&deploy, |number| numbered(&called, number), text)?;
            found.draft.notices.push(format!("`{}` is kept as `{path}`", file.path));
            files.extend((!is_there).then(|| made(path, text.clone())));
        }
    }
    Ok(files)
}

fn variables(deploy: &Deploy, found: &mut Found, name: &InstanceName) -> Result<Vec<Beside>, Failure> {
    let draft = &mut found.draft;
    let hidden = |name: &VariableName| draft.private.contains(name) || is_secret(name.as_str());
    let all = std::mem::take(&mut draft.service.environment);
    let (apart, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| hidden(name));
    draft.service.environment = open.into_iter().collect();
    if apart.is_empty() {
        return Ok(Vec::new());
    }
    let apart: Vec<(VariableName, String)> =
        apart.into_iter().map(|(name, value)| (name, spelled_out(&value))).collect();
    let mut files = Vec::new();
    let field = if draft.service.environment_file.is_some() {
        // There is one file of variables, which the old definition names already.
        for (variable, value) in &apart {
            let called = format!("secrets/{}", variable.as_str().to_lowercase());
            let text = format!("{value}\n");
            let (path, is_there) = place(deploy, |number| numbered(&called, number), &text)?;
            let file = path.strip_prefix(&deploy.folder).unwrap_or(&path).to_owned();
            draft.service.secrets.insert(variable.clone(), Secret { file });
            let folder = path.parent().map(Utf8Path::to_owned);
            files.extend((!is_there).then(|| Beside { folder, ..made(path, text) }));
        }
        "service.secrets"
    } else {
        let text: String = apart.iter().map(|(name, value)| line(name, value)).collect();
        let called = |number| match number {
            1 => format!("{name}.env"),
            number => format!("{name}-{number}.env"),
        };
        let (path, is_there) = place(deploy, called, &text)?;
        draft.service.environment_file = path.file_name().map(Utf8PathBuf::from);
        files.extend((!is_there).then(|| made(path, text)));
        "service.environmentFile"
    };
    let is_mixed = !draft.service.environment.is_empty();
    for told in draft.lines.iter_mut().filter(|line| line.fate == Fate::Carried) {
        let names = |(name, _): &(VariableName, String)| told.value.contains(name.as_str());
        if told.field.as_deref() == Some(OPEN) && apart.iter().any(names) {
            told.field = Some(if is_mixed { format!("{OPEN}, {field}") } else { field.to_owned() });
            told.note.get_or_insert_with(|| "what may be secret is for the owner's eyes alone".to_owned());
        }
    }
    Ok(files)
}

/// The text that a value of a draft stands for: no token of ours is in it, only what looks like one.
fn spelled_out(value: &str) -> String {
    let none = Utf8Path::new("");
    let places = Places { package: none, config: none, data: none, logs: none, run: none, deploy: none };
    expand(value, &places)
}

fn numbered(called: &str, number: u32) -> String {
    if number == 1 { called.to_owned() } else { format!("{called}.{number}") }
}

fn made(path: Utf8PathBuf, text: String) -> Beside {
    Beside { path, before: None, text, folder: None }
}

/// The first name that is free, or whose file says just that already, to nobody else; and whether it does.
fn place(
    deploy: &Deploy,
    called: impl Fn(u32) -> String,
    text: &str,
) -> Result<(Utf8PathBuf, bool), Failure> {
    let mut number = 1;
    loop {
        let path = deploy.folder.join(called(number));
        let Some(facts) = files::facts(&path)? else { return Ok((path, false)) };
        if facts.kind == files::Kind::File
            && facts.mode & 0o777 == 0o600
            && trust::read(deploy, &path, LARGEST).is_ok_and(|found| found.as_deref() == Some(text))
        {
            return Ok((path, true));
        }
        number += 1;
    }
}

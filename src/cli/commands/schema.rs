//! `schema`.

use crate::cli::arguments::SchemaArguments;
use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::model::answer::small::{SchemaName, SchemasAnswer};
use crate::model::nearest::nearest;
use crate::model::schema::Published;

/// `schema`
pub(crate) fn schema(report: &Report, arguments: &SchemaArguments) -> Result<u8, Failure> {
    if arguments.list {
        let names = Published::ALL
            .iter()
            .map(|document| SchemaName { name: document.name().to_owned(), address: document.address() });
        let answer = SchemasAnswer { schema: "schemas.v1".to_owned(), schemas: names.collect() };
        if report.is_json() {
            report.document(&answer);
        }
        for SchemaName { name, .. } in &answer.schemas {
            report.line(name);
        }
        return Ok(0);
    }
    let name = arguments.name.as_deref().unwrap_or("manifest");
    let document = Published::from_name(name).ok_or_else(|| {
        let meant =
            nearest(name, Published::ALL.iter().filter_map(|document| document.name().split('.').next()));
        let meant = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
        Failure::Usage(format!("there is no schema `{name}`: {meant}`mainstay schema --list` names them"))
    })?;
    report.raw(&document.text());
    Ok(0)
}

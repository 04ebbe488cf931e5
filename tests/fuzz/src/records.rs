//! The files in which mainstay keeps what it knows: what was read is written and read again.

use mainstay::model::ended::Ended;
use mainstay::model::event_line::EventLine;
use mainstay::model::history::Event;
use mainstay::model::index::Index;
use mainstay::model::launch::LaunchSpec;
use mainstay::model::marker::Marker;
use mainstay::model::receipt::Receipt;
use mainstay::model::status::Status;
use mainstay::model::trial::{Switch, Trial};
use mainstay::package::tree::Complete;

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    super::again::<Receipt>(text);
    super::again::<Switch>(text);
    super::again::<Trial>(text);
    super::again::<LaunchSpec>(text);
    super::again::<Index>(text);
    super::again::<Marker>(text);
    super::again::<Status>(text);
    super::again::<EventLine>(text);
    super::again::<Event>(text);
    super::again::<Ended>(text);
    super::again::<Complete>(text);
    if let Ok(spec) = serde_json::from_str::<LaunchSpec>(text) {
        assert_eq!(serde_json::from_str::<LaunchSpec>(&spec.text()).unwrap(), spec);
        assert_eq!(spec.identity(), spec.clone().identity());
        assert!(!spec.tree().contains('/'), "a tree is one folder");
    }
    if let Ok(receipt) = serde_json::from_str::<Receipt>(text) {
        assert_eq!(serde_json::from_str::<Receipt>(&receipt.text()).unwrap(), receipt);
    }
}

//! The picture of the house (`docs/architecture/house.svg`): a room that stands on another may name it, and whatever that
//! stands on. So where the rooms are drawn says what the rule of imports says.

use std::collections::{BTreeMap, BTreeSet};

/// A room as it is drawn, in the picture's own units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    left: i64,
    top: i64,
    width: i64,
    height: i64,
}

impl Room {
    /// Whether it stands on another: that begins where this one ends, and below some of it.
    fn stands_on(self, other: Self) -> bool {
        self.top + self.height == other.top
            && self.left < other.left + other.width
            && other.left < self.left + self.width
    }
}

/// The rooms of a picture, by name.
pub(crate) fn rooms(picture: &str) -> BTreeMap<&str, Room> {
    let attribute = |element: &'_ str, name: &str| -> Option<String> {
        let rest = element.split_once(&format!(" {name}=\""))?.1;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let named = picture.split("<rect id=\"").skip(1);
    named
        .filter_map(|rest| {
            let (name, rest) = rest.split_once('"')?;
            let element = rest.split_once("/>")?.0;
            let number = |name: &str| attribute(element, name)?.parse().ok();
            let (left, top) = (number("x")?, number("y")?);
            Some((name, Room { left, top, width: number("width")?, height: number("height")? }))
        })
        .collect()
}

/// What a room stands on, and what that stands on, down to the ground.
pub(crate) fn below<'a>(name: &str, rooms: &BTreeMap<&'a str, Room>) -> BTreeSet<&'a str> {
    let Some(room) = rooms.get(name) else { return BTreeSet::new() };
    let next = rooms.iter().filter(|(_, other)| room.stands_on(**other)).map(|(name, _)| *name);
    next.flat_map(|next| below(next, rooms).into_iter().chain([next])).collect()
}

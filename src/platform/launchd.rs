//! launchd: property lists, which are read where a service of launchd is adopted (launchd.plist(5)).

pub mod reader;

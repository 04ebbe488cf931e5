//! The supervisor and the guardian with real processes. Every test has a root folder of its own, and whatever
//! carries that folder's name in its command line or environment is killed when the test ends.

mod environment;
mod guardian;
mod host;
mod life;
mod manager;
mod output;
mod rest;
mod stop;

//! The full-screen front end, in the manner of Elm.
//!
//! ```text
//! terminal, channel ─ run ─> Message ─ app::update(&mut Model, &World) ─> [Request] ─ run ─> Drive, clipboard, end
//!                                      app::view(&Model, &World, Frame) ─> screen/*
//! ```
//!
//! What the screen remembers (selection, scrolling, what is being typed) is the model and never an event of the drill.
//! What is true (the session, the time, the head of the record) is the world and only read. Knows no servers.

mod app;
mod canvas;
mod dialog;
mod input;
mod keymap;
mod run;
mod screen;
mod terminal;
mod theme;

pub use app::{Message, Model, Request, Sight, World, update, view};
pub use keymap::{Action, Context, Keymap};
pub use run::run;

//! The listener of an availability group: an address of its own that leads to whoever is primary.
//!
//! Where the primary changes, open connections are cut, as they are when the address moves. Read-only routing is
//! not modelled: a connection that asks for it is told so.

use std::sync::Arc;

use crate::sandbox::answer::{Conversation, Door, Login, Message, Server};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::world::World;

/// One listener of a world.
pub(super) struct GroupListener {
    world: World,
    /// Its place among the world's listeners.
    number: usize,
    /// The world's servers, in order.
    servers: Vec<Arc<Endpoint>>,
}

impl GroupListener {
    pub(super) const fn new(world: World, number: usize, servers: Vec<Arc<Endpoint>>) -> Self {
        Self { world, number, servers }
    }

    /// The server behind it now.
    fn primary(&self) -> Option<&Arc<Endpoint>> {
        self.servers.get(self.world.behind_listener(self.number).server?)
    }

    /// Somebody to ask for a name while nobody is primary.
    fn anybody(&self) -> Option<&Arc<Endpoint>> {
        self.primary().or_else(|| self.servers.first())
    }
}

impl Server for GroupListener {
    fn name(&self) -> String {
        self.anybody().map_or_else(String::new, |s| s.name())
    }

    fn version(&self) -> (u8, u8, u16) {
        self.anybody().map_or((15, 0, 0), |s| s.version())
    }

    fn door(&self) -> Door {
        self.primary().map_or(Door::Refused, |s| s.door())
    }

    fn cuts(&self) -> u64 {
        let own = self.world.behind_listener(self.number).moves;
        own + self.primary().map_or(0, |s| s.cuts())
    }

    fn login(&self, login: &Login) -> Result<Box<dyn Conversation>, Vec<Message>> {
        let behind = self.world.behind_listener(self.number);
        if login.read_intent && behind.routes {
            return Err(vec![Message::not_modelled("read-only routing")]);
        }
        match self.primary() {
            Some(server) => server.login(login),
            None => Err(vec![Message::not_modelled("a login over a listener without a primary")]),
        }
    }
}

//! stub
use super::answer::*;
use super::host::Host;
use std::sync::Arc;
/// stub
pub struct Endpoint(Arc<dyn Host>);
impl Endpoint {
    /// stub
    pub fn new(h: Arc<dyn Host>) -> Self {
        Self(h)
    }
}
impl Server for Endpoint {
    fn name(&self) -> String {
        self.0.name()
    }
    fn version(&self) -> (u8, u8, u16) {
        self.0.version()
    }
    fn door(&self) -> Door {
        self.0.door()
    }
    fn login(&self, _l: &Login) -> Result<Box<dyn Conversation>, Vec<Message>> {
        Err(vec![])
    }
}

//! stub
/// stub
pub fn run(_s: crate::desk::Setup) -> Result<crate::desk::End, crate::desk::Trouble> {
    todo!()
}

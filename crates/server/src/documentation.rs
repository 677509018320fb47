//! placeholder until the page lands
pub fn page(_: &str) -> Result<crate::answer::Answer, crate::refusal::Refusal> {
    Err(crate::refusal::Refusal::NoSuchPath)
}

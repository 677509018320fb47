#![allow(clippy::all, clippy::pedantic, clippy::todo, unused)]
use crate::changes::*;
use guestlist_api::{
    actions::Action, ids::*, records::RecordStatus, resources::ResourceUri, roles::Permission,
};
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    pub record: RecordId,
    pub role: RoleId,
    pub group: Option<GroupId>,
}
pub struct RoleFacts<'a> {
    pub permissions: &'a [Permission],
    pub mark: Option<Mark>,
}
pub struct RecordFacts<'a> {
    pub mark: Mark,
    pub status: RecordStatus,
    pub x: &'a str,
}
pub struct GroupFacts<'a> {
    pub mark: Mark,
    pub x: &'a str,
}
impl GroupFacts<'_> {
    pub fn members(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
}
pub struct Grants;
impl Grants {
    pub fn allowed(
        &self,
        who: &UserId,
        resource: &ResourceUri,
        action: &Action,
    ) -> Option<Because> {
        todo!()
    }
    pub fn may_give(
        &self,
        who: &UserId,
        b: bool,
        action: &Action,
        resource: &ResourceUri,
        needs_delegate: bool,
    ) -> Option<Because> {
        todo!()
    }
    pub fn holds_reserved(&self, who: &UserId) -> bool {
        todo!()
    }
    pub fn role(&self, id: &RoleId) -> Option<RoleFacts<'_>> {
        todo!()
    }
    pub fn record(&self, id: &RecordId) -> Option<RecordFacts<'_>> {
        todo!()
    }
    pub fn group(&self, id: &GroupId) -> Option<GroupFacts<'_>> {
        todo!()
    }
    pub fn statements_of_group(&self, id: &GroupId) -> Vec<(RoleId, ResourceUri)> {
        todo!()
    }
    pub fn statements_of_principal(&self, id: &str) -> Vec<(RoleId, ResourceUri)> {
        todo!()
    }
    pub fn relied(&self, because: &Because) -> Vec<(Kind, String, Expect)> {
        todo!()
    }
    pub fn owners(&self) -> Vec<(String, Because)> {
        todo!()
    }
}

//! Rules of access: what they say, each under an id of its own.
//!
//! Invariant: the image's `acls` and `acl_ids` name each other, so that no rule is there twice.

use std::sync::Arc;

use barnabas_auth::{Acl, Operation, PatternType, Permission, ResourceType};
use uuid::Uuid;

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;

/// The id of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclId(pub Uuid);

/// A rule was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessControlEntryRecord {
    /// Its id.
    pub id: AclId,
    /// What it says.
    pub acl: Arc<Acl>,
}

/// A rule was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveAccessControlEntryRecord {
    /// Its id.
    pub id: AclId,
}

fn coded<T>(from: &mut Reader<'_>, of_code: impl FnOnce(i8) -> Option<T>) -> Result<T, DecodeError> {
    i8::try_from(from.byte()?).ok().and_then(of_code).ok_or(DecodeError::Range)
}

impl Body for AccessControlEntryRecord {
    fn encode(&self, out: &mut Writer) {
        let acl = &self.acl;
        out.uuid(self.id.0);
        out.byte(acl.resource_type.code().unsigned_abs());
        out.text(&acl.resource_name);
        out.byte(acl.pattern_type.code().unsigned_abs());
        out.text(&acl.principal);
        out.text(&acl.host);
        out.byte(acl.operation.code().unsigned_abs());
        out.byte(acl.permission.code().unsigned_abs());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = AclId(from.uuid()?);
        let acl = Acl {
            resource_type: coded(from, ResourceType::of_code)?,
            resource_name: from.text()?.to_owned(),
            pattern_type: coded(from, PatternType::of_code)?,
            principal: from.text()?.to_owned(),
            host: from.text()?.to_owned(),
            operation: coded(from, Operation::of_code)?,
            permission: coded(from, Permission::of_code)?,
        };
        Ok(Self { id, acl: Arc::new(acl) })
    }
}

impl Body for RemoveAccessControlEntryRecord {
    fn encode(&self, out: &mut Writer) {
        out.uuid(self.id.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: AclId(from.uuid()?) })
    }
}

impl AccessControlEntryRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        if image.acls.contains_key(&self.id) || image.acl_ids.contains_key(&self.acl) {
            return;
        }
        image.acls.insert_mut(self.id, Arc::clone(&self.acl));
        image.acl_ids.insert_mut(Arc::clone(&self.acl), self.id);
        touched.acls();
    }
}

impl RemoveAccessControlEntryRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let Some(acl) = image.acls.get(&self.id).map(Arc::clone) else { return };
        image.acls.remove_mut(&self.id);
        image.acl_ids.remove_mut(&acl);
        touched.acls();
    }
}

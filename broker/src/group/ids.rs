//! Names of groups, members and static instances: shared text, so that a clone costs a reference count, and never a
//! slice of a request's frame, which would keep the whole frame in memory.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// `group.id`.
    GroupId
);
name!(
    /// A member's id: made by the coordinator, `<client id or instance id>-<uuid>`; "" in a first JoinGroup.
    MemberId
);
name!(
    /// `group.instance.id` of a static member (KIP-345).
    InstanceId
);

impl MemberId {
    /// The id of a member that has none yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self::from("")
    }

    /// True for "".
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }
}

//! Enums whose variants have a name in the published tables.

/// Defines `ALL` and `name` of an enum from one table.
macro_rules! named {
    ($enum:ident { $($variant:ident $name:literal)* }) => {
        impl $enum {
            pub const ALL: &'static [$enum] = &[$($enum::$variant),*];

            /// The value in the tables.
            pub fn name(self) -> &'static str {
                match self {
                    $($enum::$variant => $name,)*
                }
            }
        }
    };
}

pub(super) use named;

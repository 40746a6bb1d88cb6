//! Why rules of names cannot be read, those for certificates and those for Kerberos.

/// Rules that cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RuleError {
    /// Nothing, where somebody has to be let in.
    #[error("there is no rule: nobody could log in. Write DEFAULT, or leave the setting out")]
    Empty,
    /// More rules than are read.
    #[error("there are more than {most} rules: write alternatives as one, as in (a|b)")]
    TooMany {
        /// How many are read.
        most: usize,
    },
    /// Neither `DEFAULT` nor a rule.
    #[error("'{rule}' is neither DEFAULT nor of the form {form}")]
    Form {
        /// The rule, and what stands behind it.
        rule: String,
        /// What a rule looks like.
        form: &'static str,
    },
    /// A `$` without a component.
    #[error("the format of '{0}' has a $ that is not $0, the realm, or one of the rule's components, $1 to $n")]
    Format(String),
    /// A pattern of more text, or of more memory when it is compiled, than one may take.
    #[error(
        "the pattern that begins with '{beginning}' takes more than {bytes_max} bytes {what}: make rules of its alternatives, or repeat less in it"
    )]
    TooLarge {
        /// The first of its characters.
        beginning: String,
        /// What it may take.
        bytes_max: usize,
        /// Of what.
        what: &'static str,
    },
    /// A pattern that does not compile.
    #[error("the pattern '{pattern}' (look-around and back-references are not supported): {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Where it is wrong.
        reason: Box<regex::Error>,
    },
    /// A replacement with a `$` that is no reference, or a `\` at its end.
    #[error("the replacement '{0}' refers to no group of its pattern: write \\$ for a dollar, \\\\ for a backslash")]
    Replacement(String),
}

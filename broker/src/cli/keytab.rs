//! The keytab of GSSAPI. The library of Kerberos is told where it is by its environment only, which a program cannot change safely
//! for itself: so `serve` starts itself anew with it, as the same process and before it has opened anything.

use std::os::unix::process::CommandExt;
use std::process::Command;

use barnabas_config::Config;

use super::Failure;
use super::environment::variable;
use crate::login::settings::{keytab, of_listeners};

/// What MIT's library, and Heimdal's, look at.
const VARIABLE: &str = "KRB5_KTNAME";

/// Returns when the environment names the keytab of the settings, or they name none.
pub(super) fn be_told(config: &Config) -> Result<(), Failure> {
    // What is wrong with them the start of the broker says.
    let Ok(logins) = of_listeners(config) else { return Ok(()) };
    let Ok(Some(keytab)) = keytab(&logins) else { return Ok(()) };
    let keytab = keytab.display().to_string();
    if variable(VARIABLE).as_ref() == Some(&keytab) {
        return Ok(());
    }
    let mut arguments = std::env::args_os();
    let mut again = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    let error = again.args(arguments).env(VARIABLE, keytab).exec();
    Err(format!("start again with {VARIABLE}, as GSSAPI needs it: {error}").into())
}

#!/bin/sh
# A Debian package of what `cargo build --release` has built: target/debian/barnabas_*.deb. Wants cargo-deb from crates.io,
# whose options it takes.
#
# The build keeps its line tables, four fifths of the binary, for profilers and debuggers; the package leaves them and the
# names of functions out. `--dbgsym` (cargo-deb 3) makes a second package of them.
#
# Man pages and completions are written by the binary itself, so that they are those of its commands.
set -eu
cd "$(dirname "$0")/.."
program=target/release/barnabas
package=target/release/package
rm -rf "$package"
mkdir -p "$package/man"
"$program" generate man --to "$package/man" >/dev/null
gzip -9n "$package"/man/*.1
for shell in bash zsh fish; do
    "$program" generate completions "$shell" >"$package/barnabas.$shell"
done
case " $* " in
    *" --dbgsym "* | *" --separate-debug-symbols "* | *" --no-strip "*) ;;
    *) set -- --strip "$@" ;;
esac
cargo deb -p barnabas-broker --no-build "$@"

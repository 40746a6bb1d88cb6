#!/bin/sh
# Builds packaging/Dockerfile and tries the image, where there is no docker engine and no registry: as root, with buildah,
# debootstrap, binutils and kcat from Debian. What it makes stays in DIRECTORY, and a second run takes what is there.
# The base is Debian's bookworm as debootstrap makes it, which is larger than debian:bookworm-slim and has the same libraries.
#
# Port 9092 of this machine has to be free: without an engine the image has no network of its own.
set -eu
usage="usage: packaging/image.sh DIRECTORY [BINARY, else target/release/barnabas]"
packaging=$(realpath "$(dirname "$0")")
place=$(realpath -m "${1:?$usage}")
binary=$(realpath "${2:-$packaging/../target/release/barnabas}")
base=docker.io/library/debian:bookworm-slim
image=localhost/barnabas

build() {
    buildah --storage-driver vfs --root "$place/store" --runroot "$place/run" "$@"
}
# The words of a list in the image's description.
words() {
    build inspect --type image --format "{{.Docker.Config.$1}}" "$image" | tr -d '[]'
}
# Waits half a minute for a command to be done well.
wait_for() {
    for _ in $(seq 60); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.5
    done
    echo "packaging/image.sh: not within 30 seconds: $*" >&2
    return 1
}

mkdir -p "$place/context" "$place/volume"
export BUILDAH_ISOLATION=chroot
# What a run left that did not come to its end.
build rm --all >/dev/null
if ! build inspect --type image "$base" >/dev/null 2>&1; then
    [ -e "$place/bookworm/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$place/bookworm"
    bare=$(build from scratch)
    build add -q "$bare" "$place/bookworm" /
    build commit -q --rm "$bare" "$base"
fi
strip -o "$place/context/barnabas" "$binary"
build bud --pull-never --format docker -f "$packaging/Dockerfile" -t "$image" "$place/context"

chown 10001:10001 "$place/volume"
container=$(build from --pull-never "$image")
# What an engine does: entry point and command, the volume, a variable; then the check of health, and the signal to stop.
build run --env BARNABAS_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092 --volume "$place/volume:/var/lib/barnabas" \
    "$container" -- $(words Entrypoint) $(words Cmd) >"$place/log" 2>&1 &
running=$!
broker() {
    at=$running
    while child=$(pgrep -P "$at" | head -n 1) && [ -n "$child" ]; do at=$child; done
    echo "$at"
}
trap 'kill "$(broker)" 2>/dev/null' EXIT
wait_for build run "$container" -- $(words Healthcheck.Test | sed 's/^CMD //')
date | kcat -b localhost:9092 -t image -P -X acks=all
kcat -b localhost:9092 -t image -C -e -q
kill -s "$(words StopSignal | sed 's/^SIG//')" "$(broker)"
trap - EXIT
wait "$running"
"$place/context/barnabas" log verify "$place/volume"
build rm "$container" >/dev/null
build rmi --prune >/dev/null
build images

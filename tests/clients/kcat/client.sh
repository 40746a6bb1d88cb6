#!/usr/bin/env bash
# kcat with its default settings: produce with every codec, consume alone and compare, seek by timestamp, consume in a group of
# two, commit, resume. The lane gives BOOTSTRAP and runs it in an empty directory.
set -euo pipefail

records=500
limit=60

fail() { echo "$*" >&2; exit 1; }
same() { cmp -s "$2" "$3" || fail "$1: $(diff "$2" "$3" | head -5)"; }
# Lanes that go over TLS or log in give librdkafka's settings, separated by blanks.
security=()
for setting in ${LIBRDKAFKA:-}; do security+=(-X "$setting"); done
kcat() { timeout "$limit" kcat "${security[@]}" -b "$BOOTSTRAP" -m "$limit" "$@"; }
group() { exec timeout "$limit" kcat "${security[@]}" -b "$BOOTSTRAP" -u -G kcat -X auto.offset.reset=earliest -f '%k:%s\n' "$@" grouped; }

until_true() {
  local what=$1 end=$((SECONDS + limit))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "waited too long for $what"
    sleep 0.05
  done
}

lines() { # from count: one line per record, key and value
  awk -v from="$1" -v count="$2" 'BEGIN { for (i = from; i < from + count; i++) {
    x = ""; for (n = i * 37 % 900; n > 0; n--) x = x "x"; print "k" i ":record " i " é " x } }'
}

for codec in none gzip snappy lz4 zstd; do
  lines 0 "$records" >sent
  kcat -P -t "codec-$codec" -z "$codec" -K : -H "codec=$codec" <sent 2>>kcat.log
  kcat -C -t "codec-$codec" -o beginning -e -q -f '%o %h %k:%s\n' >read 2>>kcat.log
  awk -v codec="$codec" '{ print NR - 1 " codec=" codec " " $0 }' sent >expected
  same "the records of $codec" expected read
done

# The moment between two batches is found again by its timestamp.
kcat -P -t seek -K : < <(lines 0 100) 2>>kcat.log
at=$(($(kcat -C -t seek -o -1 -c 1 -q -f '%T\n') + 1))
until_true "the clock to pass the last record" test "$(date +%s%3N)" -gt "$at"
kcat -P -t seek -K : < <(lines 100 100) 2>>kcat.log
[ "$(kcat -Q -t "seek:0:$at")" = "seek [0] offset 100" ] || fail "offset for $at: $(kcat -Q -t "seek:0:$at")"
kcat -C -t seek -o "s@$at" -e -q -f '%k:%s\n' >read 2>>kcat.log
lines 100 100 >expected
same "the records after seek" expected read

# Topics are made on demand with one partition: of two members of a group one reads everything and the other takes over.
lines 0 400 | kcat -P -t grouped -K : 2>>kcat.log
group >first 2>first.log & first=$!
until_true "400 records in the group" bash -c '[ "$(wc -l <first)" -ge 400 ]'
group >second 2>second.log & second=$!
until_true "the second member to join" grep -q "rebalanced" second.log
kill -TERM "$first"; wait "$first" || true
lines 0 400 >expected
same "the records in the group" expected first
lines 400 40 | kcat -P -t grouped -K : 2>>kcat.log
lines 400 40 >expected
until_true "40 records in the resumed group" bash -c '[ "$(wc -l <second)" -ge 40 ]'
kill -TERM "$second"; wait "$second" || true
same "the records after the committed offsets" expected second

version=$(command kcat -V | grep -o 'librdkafka [0-9.]*' | head -1)
printf '{"client":"kcat","version":"%s","codecs":5,"records":%d,"members":"400 40","resumed":40}\n' "$version" $((records * 5))

#!/usr/bin/env bash
# librdkafka of other releases than Debian's, out of the wheels of confluent-kafka that bring it: PLACE/VERSION/librdkafka.so.1 is
# what kcat loads when LD_LIBRARY_PATH names PLACE/VERSION. Usage: librdkafka.sh PYTHON PLACE
set -euo pipefail

python=$1 place=$2

wheel() { # version, and the Python and platform that it was built for
  rm -rf "${place:?}/$1"
  mkdir -p "$place/$1"
  cd "$place/$1"
  "$python" -m pip download --disable-pip-version-check --no-deps --only-binary :all: \
    --python-version "$2" --platform "$3" "confluent-kafka==$1"
  "$python" -m zipfile -e ./*.whl .
  ln -s confluent_kafka.libs/librdkafka-*.so.1 librdkafka.so.1
}

wheel 1.8.2 3.9 manylinux2010_x86_64
wheel 2.3.0 3.11 manylinux2014_x86_64

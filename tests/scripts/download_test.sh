#!/usr/bin/env bash
# Tests scripts/download_data.sh against a file server on this machine. Exit code 77: skipped.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=$repository/scripts/download_data.sh

skip() {
  echo "skipped: $*"
  exit 77
}
command -v python3 >/dev/null || skip "no python3 here to serve files"
command -v curl >/dev/null || command -v wget >/dev/null || skip "neither curl nor wget here"

work=$(mktemp -d)
server=
clean_up() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean_up EXIT
cd "$work"
real=${XTGRAD_DATA:-$repository/../shared/data}
unset XTGRAD_DATA http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
export no_proxy=127.0.0.1

fail() {
  echo "line ${BASH_LINENO[0]}: $*" >&2
  if [[ -f $work/output ]]; then sed 's/^/  | /' "$work/output" >&2; fi
  exit 1
}
# run EXPECTED_EXIT_CODE ARGUMENT...: runs the script; its output is in the file output.
run() {
  local expected=$1 code=0
  shift
  "$script" "$@" >"$work/output" 2>&1 || code=$?
  [[ $code == "$expected" ]] || fail "exit code $code, expected $expected: $*"
}
says() { grep -qF -- "$1" "$work/output" || fail "the output lacks '$1'"; }
same() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }
# No file but those named is in a folder.
only() {
  local folder=$1 found
  shift
  found=$(cd "$folder" && find . -type f -printf '%P\n' | sort | tr '\n' ' ')
  [[ $found == "$(printf '%s\n' "$@" | sort | sed '/^$/d' | tr '\n' ' ')" ]] || fail "$folder holds $found"
}
requests() { grep -c '"GET ' "$work/log" || true; }

# --- Files to serve: small ones, in the form of the real ones ---------------------------------------
names=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
mkdir -p www/good www/changed www/partial content cifar-10-batches-bin
for name in "${names[@]}"; do
  head -c 5000 /dev/zero | tr '\0' "${name:1:1}" >"content/$name"
  gzip -c "content/$name" >"www/good/$name.gz"
done
(cd content && sha256sum "${names[@]}") >sums
cp www/good/* www/changed/
echo changed | gzip -c >www/changed/t10k-images-idx3-ubyte.gz
cp www/good/train-images-idx3-ubyte.gz www/partial/
for name in data_batch_1.bin test_batch.bin batches.meta.txt; do echo "$name" >"cifar-10-batches-bin/$name"; done
tar -czf www/good/cifar-10-binary.tar.gz cifar-10-batches-bin
(cd www/good && sha256sum cifar-10-binary.tar.gz) >>sums

mkfifo started
python3 -u -m http.server 0 --bind 127.0.0.1 --directory www >started 2>log &
server=$!
# "Serving HTTP on 127.0.0.1 port N (...) ...": it listens once it says so.
read -r line <started
port=$(sed -E 's/.* port ([0-9]+) .*/\1/' <<<"$line")
url=http://127.0.0.1:$port

# --- Arguments --------------------------------------------------------------------------------------
run 0 --help
says "usage: scripts/download_data.sh NAME..."
run 1
says "name a data set: mnist, fashion-mnist or cifar10"
run 1 imagenet
says "unknown argument 'imagenet': data sets are mnist, fashion-mnist and cifar10"
run 1 mnist --data-dir
says "--data-dir needs a value"
run 1 mnist --sums none
says "cannot read none"

# --- A download, and a second one that has nothing to do ----------------------------------------------
run 0 mnist --data-dir data --base-url "$url/good" --sums sums
for name in "${names[@]}"; do
  gzip -dc "data/mnist/$name.gz" >unpacked
  same unpacked "content/$name"
done
only data/mnist "${names[@]/%/.gz}"
says "mnist is in data; name that folder with --data-dir or in XTGRAD_DATA"
before=$(requests)
[[ $before == 4 ]] || fail "$before requests for 4 files"
run 0 mnist --data-dir data --base-url "$url/good/" --sums sums
says "data/mnist/train-images-idx3-ubyte.gz is there and right"
[[ $(requests) == "$before" ]] || fail "fetched again what was there"

# Unpacked files will do; a damaged one is fetched again, and nothing else is.
gzip -d data/mnist/t10k-labels-idx1-ubyte.gz
truncate -s 20 data/mnist/train-labels-idx1-ubyte.gz
run 0 mnist --data-dir data --base-url "$url/good" --sums sums
says "data/mnist/t10k-labels-idx1-ubyte is there and right"
same data/mnist/train-labels-idx1-ubyte.gz www/good/train-labels-idx1-ubyte.gz
[[ $(requests) == $((before + 1)) ]] || fail "fetched more than the damaged file"

# A download that broke off is taken up, also where the server cannot begin in the middle.
mkdir -p broken/mnist
head -c 10 www/good/train-images-idx3-ubyte.gz >broken/mnist/train-images-idx3-ubyte.gz.part
run 0 mnist --data-dir broken --base-url "$url/good" --sums sums
only broken/mnist "${names[@]/%/.gz}"
same broken/mnist/train-images-idx3-ubyte.gz www/good/train-images-idx3-ubyte.gz

# --- What is refused ----------------------------------------------------------------------------------
run 1 mnist --data-dir refused --base-url "$url/changed" --sums sums
says "$url/changed/t10k-images-idx3-ubyte.gz is not the published file: its SHA-256 sum is $(echo changed | sha256sum | cut -d ' ' -f 1), expected $(sha256sum <content/t10k-images-idx3-ubyte | cut -d ' ' -f 1)"
says "no t10k-images-idx3-ubyte.gz; nothing was put into refused/mnist for it"
only refused/mnist train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz

run 1 mnist --data-dir missing --base-url "$url/partial" --sums sums
says "cannot fetch $url/partial/train-labels-idx1-ubyte.gz"
only missing/mnist train-images-idx3-ubyte.gz

# Without other sums the published ones count.
run 1 fashion-mnist --data-dir published --base-url "$url/good"
says "expected c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
only published ""

# --- CIFAR-10's archive ---------------------------------------------------------------------------------
run 1 cifar10 --data-dir published --base-url "$url/good"
says "expected c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
only published ""
XTGRAD_DATA=data run 0 cifar10 --base-url "$url/good" --sums sums
only data/cifar-10-batches-bin data_batch_1.bin test_batch.bin batches.meta.txt SHA256SUMS
same data/cifar-10-batches-bin/data_batch_1.bin cifar-10-batches-bin/data_batch_1.bin
[[ -z $(find data -maxdepth 1 -name '*cifar*' ! -name cifar-10-batches-bin) ]] || fail "left something beside the folder"
before=$(requests)
run 0 cifar10 --data-dir data --base-url "$url/good" --sums sums
says "data/cifar-10-batches-bin is there and right"
[[ $(requests) == "$before" ]] || fail "fetched again what was there"
echo damaged >data/cifar-10-batches-bin/test_batch.bin
run 0 cifar10 --data-dir data --base-url "$url/good" --sums sums
same data/cifar-10-batches-bin/test_batch.bin cifar-10-batches-bin/test_batch.bin

# --- wget where there is no curl --------------------------------------------------------------------------
if command -v curl >/dev/null && command -v wget >/dev/null; then
  mkdir tools
  for tool in bash awk cat cut dirname gzip id mkdir mktemp mv nproc rm sed sha256sum tar wget; do
    ln -s "$(command -v "$tool")" "tools/$tool"
  done
  mkdir -p wget/mnist
  head -c 10 www/good/train-images-idx3-ubyte.gz >wget/mnist/train-images-idx3-ubyte.gz.part
  PATH=$work/tools run 0 mnist --data-dir wget --base-url "$url/good" --sums sums
  only wget/mnist "${names[@]/%/.gz}"
  PATH=$work/tools run 1 mnist --data-dir wget2 --base-url "$url/partial" --sums sums
  says "cannot fetch $url/partial/train-labels-idx1-ubyte.gz"
  only wget2/mnist train-images-idx3-ubyte.gz
fi

# --- The real files, where they are -----------------------------------------------------------------------
for set in mnist fashion-mnist; do
  if [[ -f $real/$set/train-images-idx3-ubyte.gz ]]; then
    ln -s "$(cd "$real/$set" && pwd)" "www/$set"
    run 0 "$set" --data-dir real --base-url "$url/$set"
    only "real/$set" "${names[@]/%/.gz}"
  else
    echo "the published sums were not tried: no $set in $real"
  fi
done
echo "all passed"

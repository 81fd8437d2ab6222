#!/usr/bin/env bash
# Fetches data sets from where their authors or PyTorch keep them, checks their SHA-256 sums, and puts them where
# the examples and xtgrad::datasets find them.
#
# usage: scripts/download_data.sh NAME... [--data-dir DIR] [--base-url URL] [--sums FILE] [--help]
#
#   NAME             mnist (11 MB), fashion-mnist (30 MB) or cifar10 (170 MB)
#   --data-dir DIR   the folder of data sets; $XTGRAD_DATA if it is set, else ./data
#   --base-url URL   fetch URL/FILE from a mirror instead
#   --sums FILE      SHA-256 sums in place of the published ones, as "sum  name" lines: for other versions of
#                    the files
#   --help           show this text
#
# Files that are there and right are left alone; a download that broke off is taken up again. A file gets its
# name only once its sum is right. Needs curl or wget.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

data_dir=${XTGRAD_DATA:-data}
base_url=
sums_file=
names=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --data-dir | --base-url | --sums)
      [[ $# -ge 2 && -n $2 ]] || fail "$1 needs a value; see scripts/download_data.sh --help"
      case $1 in
        --data-dir) data_dir=$2 ;;
        --base-url) base_url=${2%/} ;;
        --sums) sums_file=$2 ;;
      esac
      shift
      ;;
    --help | -h)
      print_help "${BASH_SOURCE[0]}"
      exit 0
      ;;
    mnist | fashion-mnist | cifar10) names+=("$1") ;;
    *) fail "unknown argument '$1': data sets are mnist, fashion-mnist and cifar10; see scripts/download_data.sh --help" ;;
  esac
  shift
done
[[ ${#names[@]} -gt 0 ]] || fail "name a data set: mnist, fashion-mnist or cifar10; see scripts/download_data.sh --help"
[[ -z $sums_file || -r $sums_file ]] || fail "cannot read $sums_file"

# Sums of the unpacked content, where a file may have been packed again with another time stamp.
published_sums() {
  case $1 in
    mnist) cat <<'SUMS' ;;
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte
SUMS
    fashion-mnist) cat <<'SUMS' ;;
c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888  train-images-idx3-ubyte
bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9  train-labels-idx1-ubyte
5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b  t10k-images-idx3-ubyte
0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34  t10k-labels-idx1-ubyte
SUMS
    cifar10) echo "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd  cifar-10-binary.tar.gz" ;;
  esac
}

# Prints the folders of the web that have a data set's files.
base_urls() {
  if [[ -n $base_url ]]; then
    echo "$base_url"
    return
  fi
  case $1 in
    mnist)
      echo https://ossci-datasets.s3.amazonaws.com/mnist
      echo http://yann.lecun.com/exdb/mnist
      ;;
    fashion-mnist) echo http://fashion-mnist.s3-website.eu-central-1.amazonaws.com ;;
    cifar10) echo https://www.cs.toronto.edu/~kriz ;;
  esac
}

# expected_sum SET NAME
expected_sum() {
  local sum
  sum=$({ if [[ -n $sums_file ]]; then cat "$sums_file"; else published_sums "$1"; fi; } |
    awk -v name="$2" '$2 == name { print $1; exit }')
  [[ -n $sum ]] || fail "$sums_file has no sum of $2"
  echo "$sum"
}

# Prints the SHA-256 sum of stdin.
sum_of() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# content_sum FILE: of what it holds once unpacked; fails for a damaged gzip file.
content_sum() { gzip -dc <"$1" 2>/dev/null | sum_of; }
file_sum() { sum_of <"$1"; }

# get URL FILE: fetches a file, behind what is there of it already.
get() {
  if command -v curl >/dev/null; then
    curl --fail --location --silent --show-error --retry 3 --continue-at - --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --no-verbose --tries=3 --continue --output-document="$2" "$1"
  else
    fail "needs curl or wget: apt-get install curl"
  fi
}

# fetch SET FILE TARGET EXPECTED SUM_COMMAND: tries each place until a file with the expected sum has come, which
# then is TARGET.
fetch() {
  local set=$1 file=$2 target=$3 expected=$4 sum_command=$5 part=$3.part url found
  for url in $(base_urls "$set"); do
    say "fetching $url/$file"
    # Not every server can begin in the middle.
    if ! get "$url/$file" "$part" && ! { [[ -s $part ]] && rm -f "$part" && get "$url/$file" "$part"; }; then
      [[ -s $part ]] || rm -f "$part"
      say "cannot fetch $url/$file"
      continue
    fi
    found=$("$sum_command" "$part") || found="none, for it is damaged"
    if [[ $found == "$expected" ]]; then
      mv -f "$part" "$target"
      return 0
    fi
    rm -f "$part"
    say "$url/$file is not the published file: its SHA-256 sum is $found, expected $expected"
  done
  fail "no $file; nothing was put into $(dirname "$target") for it"
}

# download_idx SET: four gzip files.
download_idx() {
  local set=$1 name folder expected
  folder=$data_dir/$set
  mkdir -p "$folder"
  for name in {train,t10k}-{images-idx3,labels-idx1}-ubyte; do
    expected=$(expected_sum "$set" "$name")
    if [[ -f $folder/$name.gz && $(content_sum "$folder/$name.gz") == "$expected" ]]; then
      say "$folder/$name.gz is there and right"
    elif [[ -f $folder/$name && $(file_sum "$folder/$name") == "$expected" ]]; then
      say "$folder/$name is there and right"
    else
      fetch "$set" "$name.gz" "$folder/$name.gz" "$expected" content_sum
    fi
  done
}

# In a folder that has SHA256SUMS: whether all that it lists is right.
sums_are_right() (
  cd "$1" && [[ -s SHA256SUMS ]] || exit 1
  while read -r expected name; do
    [[ -f $name && $(file_sum "$name") == "$expected" ]] || exit 1
  done <SHA256SUMS
)

download_cifar10() {
  local folder=$data_dir/cifar-10-batches-bin archive=$data_dir/cifar-10-binary.tar.gz unpacked file expected
  if sums_are_right "$folder" 2>/dev/null; then
    say "$folder is there and right"
    return 0
  fi
  mkdir -p "$data_dir"
  expected=$(expected_sum cifar10 cifar-10-binary.tar.gz)
  if [[ ! -f $archive || $(file_sum "$archive") != "$expected" ]]; then
    fetch cifar10 cifar-10-binary.tar.gz "$archive" "$expected" file_sum
  fi

  unpacked=$(mktemp -d "$data_dir/.cifar10.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$unpacked'" EXIT
  tar -xzf "$archive" -C "$unpacked"
  mkdir -p "$folder"
  # The archive's sum vouches for these, which makes the archive unnecessary; the sums come last, and say that
  # all is there.
  rm -f "$folder/SHA256SUMS"
  for file in "$unpacked"/cifar-10-batches-bin/*; do
    printf '%s  %s\n' "$(file_sum "$file")" "${file##*/}" >>"$unpacked/SHA256SUMS"
    mv -f "$file" "$folder/"
  done
  mv -f "$unpacked/SHA256SUMS" "$folder/"
  rm -rf "$archive" "$unpacked"
  trap - EXIT
}

for name in "${names[@]}"; do
  case $name in
    cifar10) download_cifar10 ;;
    *) download_idx "$name" ;;
  esac
  say "$name is in $data_dir; name that folder with --data-dir or in XTGRAD_DATA"
done

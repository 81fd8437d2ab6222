# Shared by scripts/demo.sh, scripts/test.sh and .ci/run, which source it: packages, configuring, building.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc 2>/dev/null || echo 2)}
install=yes    # set to no by --no-install
install_hint=  # what to paste, once something is known to be missing

# To stderr, so that a program's own stdout stays clean.
say() { printf 'xtgrad: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# --- Packages ------------------------------------------------------------------------------------

# Prints what a package is for.
purpose_of() {
  case $1 in
    g++) echo "C++20 compiler" ;;
    cmake) echo "build system" ;;
    ninja-build) echo "runs the build" ;;
    libxtensor-dev) echo "arrays" ;;
    libxtensor-blas-dev) echo "linear algebra on xtensor" ;;
    libxsimd-dev) echo "SIMD" ;;
    libfmt-dev) echo "text formatting" ;;
    libopenblas-serial-dev) echo "matrix products, single-threaded build" ;;
    zlib1g-dev) echo "gzip files" ;;
    libzip-dev) echo "npz archives" ;;
    libpng-dev) echo "PNG images" ;;
    libjpeg-dev) echo "JPEG images" ;;
    libcli11-dev) echo "command lines of the examples" ;;
    nlohmann-json3-dev) echo "JSON in files of weights" ;;
    doctest-dev) echo "tests" ;;
    clang-format) echo "format check" ;;
    pkg-config) echo "tests of the installed library" ;;
    graphviz) echo "draws the graph as SVG" ;;
    libcairo2-dev) echo "draws pictures" ;;
    doxygen) echo "writes the API reference" ;;
    chromium) echo "opens docs/gallery/backprop.html in its test" ;;
    *) echo "needed to build" ;;
  esac
}

# Prints the command that makes a package unnecessary, wherever it came from; nothing for a library.
command_of() {
  case $1 in
    g++) echo "${CXX:-c++}" ;;
    cmake) echo cmake ;;
    ninja-build) echo ninja ;;
    clang-format) echo clang-format ;;
    pkg-config) echo pkg-config ;;
    graphviz) echo dot ;;
    doxygen) echo doxygen ;;
    chromium)
      local browser
      for browser in chromium chromium-browser google-chrome; do # all that the test takes
        if command -v "$browser" >/dev/null; then break; fi
      done
      echo "$browser"
      ;;
  esac
}

build_packages=(g++ cmake ninja-build libxtensor-dev libxtensor-blas-dev libxsimd-dev libfmt-dev
  libopenblas-serial-dev zlib1g-dev libzip-dev libcli11-dev nlohmann-json3-dev)
picture_packages=(libcairo2-dev libpng-dev libjpeg-dev) # without them no pictures are drawn, or read and written

is_debian() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

is_installed() {
  local tool
  tool=$(command_of "$1")
  if [[ -n $tool ]] && command -v "$tool" >/dev/null; then return 0; fi
  # On other systems CMake is the one to say whether a library is there.
  if ! is_debian; then [[ -z $tool ]]; return; fi
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

apt() {
  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then as_root=(sudo); fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" >&2
}

# apt_install PACKAGE...: refreshes the package lists only when they don't suffice.
apt_install() {
  # In one command: with the serial OpenBLAS among the packages, apt pulls no other BLAS for xtensor-blas.
  if apt-get -s install --no-install-recommends "$@" >/dev/null 2>&1 &&
    apt install -y -q --no-install-recommends "$@"; then
    return 0
  fi
  say "refreshing apt's package lists"
  apt update -q && apt install -y -q --no-install-recommends "$@"
}

# ensure_packages REQUIRED... [-- OPTIONAL...]: installs what is missing, or says what to install. Goes on
# without missing libraries if it may not install them, for CMake may find them elsewhere.
ensure_packages() {
  local package required=yes missing=() optional=()
  for package in "$@"; do
    if [[ $package == -- ]]; then
      required=no
    elif ! is_installed "$package"; then
      if [[ $required == yes ]]; then missing+=("$package"); else optional+=("$package"); fi
    fi
  done
  local all=("${missing[@]}" "${optional[@]}")

  if ! is_debian; then
    say "not a Debian or Ubuntu system, so nothing is installed. Needed: a C++20 compiler, CMake 3.21," \
      "xtensor, xtensor-blas, xtl, xsimd, fmt, zlib, libzip, OpenBLAS (single-threaded, with CBLAS), CLI11, nlohmann_json," \
      "and doctest for the tests"
    install_hint="install the libraries named above, and name their folders in CMAKE_PREFIX_PATH if CMake needs it"
  elif [[ ${#all[@]} -eq 0 ]]; then
    return 0
  else
    install_hint="apt-get install ${all[*]}"
    say "missing packages:"
    for package in "${all[@]}"; do say "  $package: $(purpose_of "$package")"; done
    local can_install=$install
    if [[ $can_install == yes && $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
      say "not root, and no sudo here"
      can_install=no
    fi
    if [[ $can_install == yes ]]; then
      say "installing them with apt-get$([[ $(id -u) -eq 0 ]] || echo ', through sudo')"
      if [[ ${#missing[@]} -gt 0 ]]; then
        apt_install "${missing[@]}" || fail "apt-get failed; see above. To try by hand: $install_hint"
      fi
      # One by one and never fatal: an optional package may not exist here.
      for package in "${optional[@]}"; do
        apt_install "$package" || say "goes on without $package"
      done
      install_hint=
      return 0
    fi
    say "to install them: $install_hint"
  fi

  for package in "${missing[@]}"; do
    case $package in
      g++ | cmake) fail "cannot go on without $package" ;;
    esac
  done
}

# --- Building ------------------------------------------------------------------------------------

# configure PRESET [cmake argument...]
configure() {
  local preset=$1 generator=() known=
  shift
  local cache=$root/build/$preset/CMakeCache.txt
  if [[ -f $cache ]]; then
    known=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$cache")
  elif ! command -v ninja >/dev/null; then
    known="Unix Makefiles"
  fi
  # The presets say Ninja; a build folder keeps the generator it began with.
  if [[ -n $known ]]; then generator=(-G "$known"); fi
  if ! (cd "$root" && cmake --preset "$preset" "${generator[@]}" "$@"); then
    if [[ -n $install_hint ]]; then say "to install what is missing: $install_hint"; fi
    return 1
  fi
}

# build PRESET [target...]
build() {
  local preset=$1 targets=()
  shift
  if [[ $# -gt 0 ]]; then targets=(--target "$@"); fi
  (cd "$root" && cmake --build --preset "$preset" --parallel "$jobs" "${targets[@]}")
}

# quietly LOG COMMAND...: output goes to the log, whose end is shown if the command fails.
quietly() {
  local log=$1
  shift
  if ! "$@" >>"$log" 2>&1; then
    tail -n 100 "$log" >&2
    say "failed: $*"
    fail "the whole log is in $log"
  fi
}

# Prints a script's leading comment as its help.
print_help() { sed -n '2,/^[^#]/{ s/^# \{0,1\}//p; }' "$1"; }

# Sourced by tools/test and tools/check: runs named steps, one line each with its time, and stops at
# the first that fails.
#
#   step "unit tests" ctest --test-dir build/release
#   …
#   steps_end            the last line: `N passed, N failed`
#
# A step's output goes to build/log/<name>.log and is shown if the step fails, or always when
# WEIR_VERBOSE is set. A command that is a shell function runs without `set -e` (bash): it ends its
# own lines with `|| return 1`. An EXIT trap of the caller still runs.

steps_passed=0
steps_log=build/log
mkdir -p "$steps_log"

step() {
  local name=$1 log seconds began=$EPOCHREALTIME
  shift
  log=$steps_log/${name//[^a-zA-Z0-9.]/_}.log
  [[ ! -t 2 ]] || printf '     … s  %s\r' "$name" >&2
  if [[ -n ${WEIR_VERBOSE:-} ]]; then
    echo "== $name: $*"
    if "$@" > >(tee "$log") 2>&1; then set -- 0; else set -- $?; fi
  else
    if "$@" >"$log" 2>&1; then set -- 0; else set -- $?; fi
  fi
  seconds=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%6.1f s", b - a }')
  if [[ $1 -eq 0 ]]; then
    steps_passed=$((steps_passed + 1))
    echo "$seconds  $name"
    return
  fi
  echo "$seconds  $name  FAILED with $1"
  [[ -n ${WEIR_VERBOSE:-} ]] || tail -n 80 "$log"
  echo "(all of it: $log)"
  echo "$steps_passed passed, 1 failed"
  exit 1
}

steps_end() {
  echo "$steps_passed passed, 0 failed"
}

# Sourced by tools/test and tools/check: runs named steps, one line each with its time, and stops at
# the first that fails.
#
#   step "unit tests" ctest --test-dir build/release
#   step_beside "…" …    the same, while the next ones of its kind run: one more than there are cores
#   steps_join           waits for them; the next `step` needs nobody beside it
#   steps_end            the last line: `N passed, N failed`
#
# A step's output goes to build/log/<name>.log and is shown if the step fails, or always when
# WEIR_VERBOSE is set. A command that is a shell function runs without `set -e` (bash): it ends its
# own lines with `|| return 1`. An EXIT trap of the caller still runs.

steps_passed=0
steps_log=build/log
mkdir -p "$steps_log"

# Runs one and says how it went; returns whether it passed.
run_step() {
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
    echo "$seconds  $name"
    return 0
  fi
  echo "$seconds  $name  FAILED with $1"
  [[ -n ${WEIR_VERBOSE:-} ]] || tail -n 80 "$log"
  echo "(all of it: $log)"
  return 1
}

step() {
  if run_step "$@"; then
    steps_passed=$((steps_passed + 1))
    return
  fi
  echo "$steps_passed passed, 1 failed"
  exit 1
}

steps_beside=()
step_beside() {
  while [[ $(jobs -rp | wc -l) -gt $(nproc) ]]; do wait -n || true; done
  run_step "$@" &
  steps_beside+=($!)
}

steps_join() {
  local process failed=0
  for process in "${steps_beside[@]}"; do
    if wait "$process"; then steps_passed=$((steps_passed + 1)); else failed=$((failed + 1)); fi
  done
  steps_beside=()
  [[ $failed -eq 0 ]] && return
  echo "$steps_passed passed, $failed failed"
  exit 1
}

steps_end() {
  echo "$steps_passed passed, 0 failed"
}

#!/bin/sh
# Fuzzes one target, for a number of inputs or of seconds:
#     fuzz/run.sh TARGET RUNS
#     fuzz/run.sh TARGET -t SECONDS
# New inputs go to fuzz/work/TARGET; the committed ones in fuzz/corpus/TARGET are only read.
set -eu
cd "$(dirname "$0")"

target=${1:?a target: one of $(ls fuzz_targets | sed 's/\.rs$//' | tr '\n' ' ')}
case ${2:?a number of runs, or -t and seconds} in
-t) bound="-max_total_time=${3:?seconds}" ;;
*) bound="-runs=$2" ;;
esac
dictionary=
if [ -e "$target.dict" ]; then dictionary="-dict=$target.dict"; fi

mkdir -p "work/$target" "corpus/$target"
# Without a sanitizer it builds with a stable compiler; there is no unsafe code here for one to watch.
exec cargo fuzz run --fuzz-dir . --sanitizer none "$target" "work/$target" "corpus/$target" -- \
    "$bound" -max_len=2048 -timeout=10 -rss_limit_mb=2048 $dictionary

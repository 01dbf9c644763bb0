# scripts/build.sh -- configure a build folder, build it, run tests in it and count them.
#
# To be read by a POSIX shell that stands in the project's root.

build_make() { # build_make FOLDER OPTION...: configure once, then build what changed
    build_folder=$1
    shift
    if [ ! -f "$build_folder/build.ninja" ]; then
        meson setup "$build_folder" "$@"
    fi
    ninja -C "$build_folder"
}

# Meson writes one line of JSON a test.  A quote inside a test's own output is
# escaped there, so these patterns match the result and nothing else.
build_count() { # build_count FOLDER PATTERN
    grep -cE "\"result\": \"($2)\"" "$1/meson-logs/testlog.json" || true
}

build_skipped() { # build_skipped FOLDER: which tests were skipped, and what each said
    sed -nE '/"result": "SKIP"/ {
        s/^\{"name": "([^"]*\/ )?//
        s/^([^"]*)"(, "stdout": "(1\.\.0 # SKIP )?([^"\\]*))?.*/skipped: \1: \4/p
    }' "$1/meson-logs/testlog.json"
}

# Runs tests and ends with 'N passed, N failed'.  Fails when a test failed or none ran.
# The tests run under the command in $build_under, where it is set.
build_test() { # build_test FOLDER ARGUMENT...: arguments go to meson test
    build_folder=$1
    shift
    build_status=0
    rm -f "$build_folder/meson-logs/testlog.json"
    # shellcheck disable=SC2086
    ${build_under:-} meson test -C "$build_folder" --no-rebuild --print-errorlogs "$@" ||
        build_status=$?
    build_passed=$(build_count "$build_folder" 'OK|EXPECTEDFAIL')
    build_failed=$(build_count "$build_folder" 'FAIL|TIMEOUT|ERROR|INTERRUPT|UNEXPECTEDPASS')
    build_skipped "$build_folder"
    if [ "$build_status" != 0 ] && [ "$build_failed" = 0 ]; then build_failed=1; fi
    echo "$build_passed passed, $build_failed failed"
    [ "$build_failed" = 0 ] && [ "$build_passed" != 0 ]
}

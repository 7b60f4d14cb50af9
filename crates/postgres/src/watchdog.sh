# Runs the Postgres server and stops it when the program that started us is gone: that program holds the other end of our
# standard input, which the system closes however it dies. A shell, because none of our Rust code survives a SIGKILL.
#
# Arguments: the log file, a folder to remove at the end ('' for none), the file that must be in it, the server's command.
# Prints the server's process id and, after it exits, its exit status.
#
# Signals to our process group are not for us; the server sets its own handlers. PIPE: the reader of our output may die first.
trap '' HUP INT QUIT TERM PIPE
exec 2>&1
log=$1 folder=$2 mark=$3
shift 3
exec 3<&0 </dev/null 2>"$log"

# The server must not hold the end of the pipe, nor our output.
"$@" >&2 3<&- &
postgres=$!
echo "$postgres"

# A second shell waits for the end of input, because this one waits for the server. INT ends sessions and writes a
# checkpoint; if that takes too long, QUIT stops the server immediately, and the next start recovers.
(
    exec >&2
    while read -r _; do :; done <&3
    kill -INT "$postgres"
    seconds=0
    while [ "$seconds" -lt 60 ]; do
        sleep 1
        seconds=$((seconds + 1))
    done
    kill -QUIT "$postgres"
) &
reader=$!

wait "$postgres"
status=$?
kill -KILL "$reader"
echo "$status"

# While the program lives it may still read the log.
while read -r _; do :; done <&3
case $folder in
    /tmp/avinode-ingest-?*)
        if [ -f "$folder/$mark" ]; then
            # Twice: children of a killed server may still write. The mark goes last, so that a sweep finds the folder.
            rm -rf -- "$folder/data" || { sleep 1 && rm -rf -- "$folder/data"; }
            [ -d "$folder/data" ] || rm -rf -- "$folder"
        fi
        ;;
esac
exit "$status"

# One job: start it or find it, then stream it. Variables of the console:
#   hr_key folder of the job      hr_mode fresh, again, attach, find, start hr_token of this call, across reconnects
#   hr_changes 0/1  hr_epoch N    hr_seen_boot, hr_seen_id: what the console knew before it first asked for this job
#   hr_cmd, hr_script: texts      hr_input: bytes of stdin that follow      hr_out, hr_err: offsets to stream from
#   hr_unheard 1: only what stands on stderr is streamed      hr_tail, hr_fork: what `open` found
#   hr_make 1: this call opens the run itself, knows none of hr_seen_..., hr_tail, hr_fork, and tells what the host is like
hr_facts=
# Where the process that owns a job has its pipes: its folder, or that of one which stood ready before there was a job.
hr_n=

hr_refuse() { hr_say refused "$@"; exit 0; }
hr_lost() { hr_say lost "$@"; exit 0; }

# A changing job needs the host's claim (when there is one) to be its own run's, and nobody newer to have been here.
hr_permit() {
    [ "$hr_changes" = 1 ] || return 0
    if [ -d "$hr_work/claim" ]; then
        hr_i=0
        while [ ! -s "$hr_work/claim/run" ] && [ -d "$hr_work/claim" ] && [ $hr_i -lt 20 ]; do
            hr_nap
            hr_i=$((hr_i + 1))
        done
        hr_h=
        read -r hr_h 2>/dev/null <"$hr_work/claim/run"
        [ "$hr_h" = "$hr_run" ] || [ ! -d "$hr_work/claim" ] || {
            hr_back_out
            hr_say refused claim
            cat "$hr_work/claim/claim.json" 2>/dev/null
            exit 0
        }
    fi
    hr_h=0
    read -r hr_h 2>/dev/null <"$hr_m/epoch"
    [ "${hr_h:-0}" -le "$hr_epoch" ] || { hr_back_out; hr_refuse epoch "$hr_h"; }
    [ "${hr_h:-0}" -eq "$hr_epoch" ] ||
        { printf '%s\n' "$hr_epoch" >"$hr_m/epoch.$hr_nonce" && mv -f "$hr_m/epoch.$hr_nonce" "$hr_m/epoch"; }
}
hr_mine=0
hr_back_out() {
    rm -f "$hr_m/in.$hr_nonce"
    [ $hr_mine = 0 ] || rm -rf "$hr_d"
}
hr_full() { hr_back_out; hr_no work "cannot write under $hr_work: $1"; }

# The folder is not there: was the job never started, or is its folder gone?
hr_absent() {
    while read -r hr_l; do
        [ "$hr_l" != "$hr_key" ] || hr_lost folder 'the folder of the job is gone from the host'
    done 2>/dev/null <"$hr_m/started"
    hr_made=
    hr_id=
    read -r hr_made hr_id 2>/dev/null <"$hr_m/boot"
    [ "$hr_id" ] || hr_lost marker 'the folder of the run is gone from the host'
    [ "$hr_id" = "$hr_seen_id" ] || hr_lost marker 'the folder of the run was made anew on the host'
    [ "$hr_seen_boot" != - ] || hr_lost boot 'the host was booted about when this was sent, and knows nothing of the job'
    [ "$hr_boot" = "$hr_seen_boot" ] || hr_lost boot 'the host was rebooted and knows nothing of the job'
}

# The process that owns a job: its own session, deaf to TERM so that it can still write the exit status down. It may stand ready
# before there is a job, and begins when it is told of one; when whoever started it goes away before, so does it.
# It is run from a file, because bash says nothing of a signal under -c.
# fd 9 is the write end of the pipe `alive`: when it closes, by whatever death, every follower wakes.
hr_runner='
trap : TERM HUP INT QUIT
hr_s=
while IFS= read -r hr_l || [ "$hr_l" ]; do hr_s="$hr_s $hr_l"; done </proc/$$/stat
hr_n=$1
set -- ${hr_s##*) }
shift 19
printf "%s %s\n" $$ "$1" >&9
hr_d=
{ IFS= read -r hr_d && IFS= read -r hr_in; } || {
    case $hr_n in */.next-*) exec rm -rf "$hr_n" ;; esac
    exit
}
exec 2>"$hr_d/why" <"$hr_in"
[ "$hr_in" = /dev/null ] || rm -f "$hr_in"
read -r hr_up hr_l </proc/uptime
(
    export HANDRAIL_JOB="${hr_d##*/runs/}"
    set -- "$hr_d"
    . "$hr_d/cmd"
) >>"$hr_d/out" 2>>"$hr_d/err" 9>&-
hr_rc=$?
read -r hr_end hr_l </proc/uptime
hr_sig=0
[ ! -s "$hr_d/why" ] || hr_sig=1
set -- 0 out 0
if [ -s "$hr_d/out" ] || [ -s "$hr_d/err" ]; then
    set -- $(cd "$hr_d" && wc -c out err)
fi
printf "%-200s\n" "= $hr_rc $1 $3 $hr_sig $hr_up $hr_end =" 1<>"$hr_d/rc"
'

# Starts the process that will own a job, with its pipes in $1. fd 6 tells it to begin, and fd 3 ends when it does.
hr_ready() {
    hr_n=$1
    { printf '%s' "$hr_runner" >"$hr_n/runner" && mkfifo "$hr_n/alive" "$hr_n/go"; } 2>/dev/null || return
    exec 9<>"$hr_n/alive" 3<"$hr_n/alive" 6<>"$hr_n/go" 5<"$hr_n/go"
    if [ "$hr_fork" = 1 ]; then
        setsid -f sh "$hr_n/runner" "$hr_n" <&5 >/dev/null 2>&1 3<&- 5<&- 6<&- 7<&-
    else
        setsid sh "$hr_n/runner" "$hr_n" <&5 >/dev/null 2>&1 3<&- 5<&- 6<&- 7<&- &
    fi
    exec 5<&- 9>&-
    hr_pid=
    read -r hr_pid hr_born <&3
}

# Lets the one that stood ready go, since this call starts nothing.
hr_drop() {
    hr_n=
    exec 3<&- 6>&-
}

hr_begin() {
    hr_in=/dev/null
    if [ "$hr_input" -gt 0 ]; then
        hr_in=$hr_m/in.$hr_nonce
        head -c "$hr_input" >"$hr_in" 2>/dev/null
        hr_l=$(wc -c <"$hr_in")
        [ "$((hr_l))" -eq "$hr_input" ] || hr_full 'the input did not fit, or did not arrive whole'
    fi
    # One that stood ready counts only when it still does: proven before there is a permit that could be wasted on it.
    if [ "$hr_n" ]; then
        hr_start "$hr_pid"
        [ "$hr_started" = "$hr_born" ] && [ -p "$hr_n/alive" ] || hr_drop
    fi
    hr_permit
    # This is the permit to start. It is given once.
    if ! hr_e=$(mkdir "$hr_d" 2>&1); then
        rm -f "$hr_m/in.$hr_nonce"
        [ -d "$hr_d" ] || hr_no work "cannot write under $hr_work: $hr_e"
        return
    fi
    hr_mine=1
    # Asked again with the permit in hand: whoever raises the epoch afterwards sees the folder.
    hr_permit
    # Without a process of its own: it is asked again, for its words, only when it fails.
    {
        printf '%s\n' "$hr_token" >"$hr_d/token" &&
            printf '%s\n' "$hr_boot" >"$hr_d/boot" &&
            printf '%s' "$hr_cmd" >"$hr_d/cmd" &&
            printf '%s' "$hr_script" >"$hr_d/script" &&
            # Blanks for the exit status, so that a full disk cannot keep it from being written.
            printf '%-200s\n' '' >"$hr_d/rc" &&
            printf '' >"$hr_d/out" && printf '' >"$hr_d/err" && printf '' >"$hr_d/why" &&
            { [ "$hr_n" ] || hr_ready "$hr_d"; } &&
            printf '%s\n' "$hr_n" >"$hr_d/pipes" &&
            printf '%s\n' "$hr_key" >>"$hr_m/started" &&
            printf '%s %s\n' "$hr_pid" "$hr_born" >"$hr_d/pid"
    } 2>/dev/null || {
        hr_e=$( { printf '%-4096s\n' again >"$hr_d/again" && mkfifo "$hr_d/alive2"; } 2>&1) &&
            hr_e='no process could be started'
        hr_full "$hr_e"
    }
    printf '%s\n%s\n' "$hr_d" "$hr_in" >&6
    exec 6>&-
    hr_go="go $hr_boot $hr_seen_id $hr_pid $hr_born started $hr_facts"
    hr_follow
}

# Somebody started it before: this call across a reconnect, or an earlier console.
hr_attach() {
    [ -z "$hr_n" ] || hr_drop
    hr_i=0
    until hr_who "$hr_d"; do
        if [ -e "$hr_d/stopped" ]; then
            case $hr_mode in attach | find) hr_no never 'it was stopped before it started' ;; esac
            hr_refuse stopped
        fi
        [ $hr_i -lt 60 ] || hr_lost permit 'the start was permitted, but no process ever began'
        hr_i=$((hr_i + 1))
        hr_nap
    done
    case $hr_mode in fresh | again)
        hr_l=
        read -r hr_l 2>/dev/null <"$hr_d/token"
        [ "$hr_l" = "$hr_token" ] || hr_refuse reused
        ;;
    esac
    hr_then=
    read -r hr_then 2>/dev/null <"$hr_d/boot"
    hr_go="go ${hr_then:--} $hr_seen_id $hr_pid $hr_born found $hr_facts"
    hr_result "$hr_d"
    if [ -z "$hr_l" ]; then
        [ "$hr_then" = "$hr_boot" ] || hr_lost boot 'the host was rebooted while the job ran'
        hr_start "$hr_pid"
        hr_result "$hr_d"
        [ "$hr_started" = "$hr_born" ] || [ "$hr_l" ] ||
            hr_lost process 'the process of the job is gone, and left no exit status'
    fi
    IFS= read -r hr_n 2>/dev/null <"$hr_d/pipes"
    if [ -z "$hr_l" ] && [ -p "$hr_n/alive" ]; then
        # Opened for both first, so that the second open cannot wait for a writer that is gone.
        exec 4<>"$hr_n/alive" 3<"$hr_n/alive"
        exec 4<&-
        hr_follow
    else
        exec 8>&2 2>/dev/null
        hr_tell
        hr_rest
        hr_trailer
    fi
}

# The header, on both streams.
hr_tell() {
    printf '\n%s H %s\n' "$hr_nonce" "$hr_go"
    printf '\n%s H\n' "$hr_nonce" >&8
}

hr_trailer() {
    hr_result "$hr_d"
    if [ "$hr_l" ]; then
        printf '%s E exited %s\n' "$hr_nonce" "$hr_l"
        exit 0
    fi
    # Woken although it lives (the console's end of our stdin was closed): say nothing, so that we are asked again.
    hr_start "$hr_pid"
    if [ "$hr_started" != "$hr_born" ]; then
        printf '%s E lost the process of the job is gone, and left no exit status\n' "$hr_nonce"
    fi
    exit 0
}

# Streams both files until the job has ended; when the console goes away (end of stdin) nothing is left behind.
# Most jobs end within a moment: they are waited for, and told in one piece. Only then a follower is worth its processes.
# The console says when the moment is over, so that no process has to measure it.
hr_follow() {
    # From here on stderr carries the job's bytes only: what the shell itself has to say goes nowhere.
    exec 8>&2 2>/dev/null
    hr_long=0
    trap hr_long=1 USR1
    { read -r hr_l <&3; } >/dev/null 8>&- &
    hr_w=$!
    # In braces: a shell keeps what a function's own redirection hides, and our end of the channel would stay open.
    { hr_listen; } >/dev/null 8>&- &
    hr_k=$!
    [ $hr_long = 1 ] || wait $hr_w
    hr_l=
    [ $hr_long = 1 ] || [ -s "$hr_d/out" ] || [ -s "$hr_d/err" ] || hr_result "$hr_d"
    if [ "$hr_l" ]; then
        printf '\n%s H %s\n%s E exited %s\n' "$hr_nonce" "$hr_go" "$hr_nonce" "$hr_l"
        kill $hr_k
        exit 0
    fi
    hr_tell
    if [ $hr_long = 0 ]; then
        hr_rest
    elif [ "$hr_unheard" = 1 ]; then
        hr_await
        hr_rest
    elif [ "$hr_tail" = 1 ]; then
        hr_tails
    else
        hr_poll
    fi
    kill $hr_k
    hr_trailer
}

# Two words of the console: the moment is over. The second is for a first one that came just before `wait`, and did not end it.
# Until it goes away, then; input that a job found again does not need any more is passed over.
hr_listen() {
    ! read -r hr_l <&7 || kill -USR1 $$
    ! read -r hr_l <&7 || kill -USR1 $$
    while read -r hr_l <&7; do :; done
    kill $hr_w
    [ "$hr_tail" = 1 ] || kill -9 $$
}

# What there is, from the offsets on.
hr_rest() {
    [ ! -s "$hr_d/out" ] || tail -c "+$((hr_out + 1))" "$hr_d/out"
    [ ! -s "$hr_d/err" ] || tail -c "+$((hr_err + 1))" "$hr_d/err" >&8
}

hr_tails() {
    tail -c "+$((hr_out + 1))" -f -s 0.02 "--pid=$hr_w" "$hr_d/out" 8>&- &
    hr_t1=$!
    tail -c "+$((hr_err + 1))" -f -s 0.02 "--pid=$hr_w" "$hr_d/err" >&8 &
    hr_t2=$!
    hr_await
    # tail notices within its -s; a truncation to the same size wakes its inotify at once.
    hr_result "$hr_d"
    [ -z "$hr_l" ] || truncate -s +0 "$hr_d/out" "$hr_d/err"
    wait $hr_t1
    wait $hr_t2
}

# Waits for the end of the job; a late signal of ours ends `wait` early.
hr_await() {
    while :; do
        wait $hr_w
        [ $? -ge 128 ] || break
        kill -0 $hr_w || break
    done
}

# For hosts whose tail cannot follow: the position is kept by the open file itself.
hr_poll() {
    exec 5<"$hr_d/out" 6<"$hr_d/err"
    dd bs=1 "skip=$hr_out" count=0 <&5 >/dev/null 2>&1
    dd bs=1 "skip=$hr_err" count=0 <&6 >/dev/null 2>&1
    hr_over=0
    trap hr_over=1 USR2
    { read -r hr_l <&3; kill -USR2 $$; } >/dev/null 8>&- &
    while :; do
        hr_last=$hr_over
        cat <&5
        cat <&6 >&8
        [ $hr_last = 0 ] || break
        hr_nap
    done
}

hr_main() {
    hr_d=$hr_m/$hr_key
    exec 7<&0
    if [ ! -O "$hr_work" ] || [ -L "$hr_work" ]; then
        [ "$hr_mode" != fresh ] || hr_care
        [ ! -e "$hr_work" ] || [ "$hr_mode" = fresh ] || hr_lost work "$hr_work is not ours any more"
    fi
    if [ "$hr_make" = 1 ]; then
        hr_open
        hr_seen_id=$hr_id
    fi
    if [ ! -d "$hr_d" ]; then
        case $hr_mode in
        fresh)
            hr_made=
            read -r hr_made hr_id 2>/dev/null <"$hr_m/boot"
            [ "$hr_made" ] || hr_no reopen 'the folder of the run is gone from the host'
            hr_begin
            ;;
        again | start) hr_absent; hr_begin ;;
        find)
            hr_absent
            hr_no never 'the host has not started it'
            ;;
        *)
            # The permit is taken away with the answer: a start that is still on its way finds none.
            hr_absent
            if mkdir "$hr_d" 2>/dev/null; then
                printf '' >"$hr_d/stopped"
                hr_no never 'the host never started it, and now cannot'
            fi
            ;;
        esac
    fi
    hr_attach
}

# One job: start it or find it, then stream it. Variables of the console:
#   hr_key folder of the job      hr_mode fresh, again, attach, find, start hr_token of this call, across reconnects
#   hr_changes 0/1  hr_epoch N    hr_seen_boot, hr_seen_id: what the console knew before it first asked for this job
#   hr_cmd, hr_script: texts      hr_input: bytes of stdin that follow      hr_out, hr_err: offsets to stream from
#   hr_unheard 1: only what stands on stderr is streamed      hr_tail, hr_fork: what `open` found
#   hr_make 1: this call opens the run itself, knows none of hr_seen_..., hr_tail, hr_fork, and tells what the host is like
hr_d=$hr_m/$hr_key
hr_facts=

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

# The process that owns the job: its own session, deaf to TERM so that it can still write the exit status down.
# It is run from a file, because bash says nothing of a signal under -c.
# fd 9 is the write end of the pipe `alive`: when it closes, by whatever death, every follower wakes.
hr_runner='
trap : TERM HUP INT QUIT
read -r hr_up hr_l </proc/uptime
hr_s=
while IFS= read -r hr_l || [ "$hr_l" ]; do hr_s="$hr_s $hr_l"; done </proc/$$/stat
hr_d=$1
set -- ${hr_s##*) }
shift 19
printf "%s %s\n" $$ "$1" >"$hr_d/pid" || exit
printf "%s %s\n" $$ "$1" >&9
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
printf "%-200s\n" "$hr_rc $1 $3 $hr_sig $hr_up $hr_end" 1<>"$hr_d/rc.new"
exec mv -f "$hr_d/rc.new" "$hr_d/rc"
'

hr_begin() {
    if [ "$hr_input" -gt 0 ]; then
        head -c "$hr_input" >"$hr_m/in.$hr_nonce" 2>/dev/null
        hr_l=$(wc -c <"$hr_m/in.$hr_nonce")
        [ "$((hr_l))" -eq "$hr_input" ] || hr_full 'the input did not fit, or did not arrive whole'
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
            printf '%s' "$hr_runner" >"$hr_d/runner" &&
            printf '%-200s\n' 'reserved, so that a full disk cannot keep the exit status from being written' >"$hr_d/rc.new" &&
            printf '' >"$hr_d/out" && printf '' >"$hr_d/err" &&
            mkfifo "$hr_d/alive" &&
            printf '%s\n' "$hr_key" >>"$hr_m/started"
    } 2>/dev/null || {
        hr_e=$( { printf '%-4096s\n' again >"$hr_d/again" && mkfifo "$hr_d/alive2"; } 2>&1)
        hr_full "$hr_e"
    }
    hr_l=/dev/null
    [ "$hr_input" -eq 0 ] || hr_l=$hr_m/in.$hr_nonce
    exec 5<"$hr_l" 9<>"$hr_d/alive" 3<"$hr_d/alive"
    [ "$hr_input" -eq 0 ] || rm -f "$hr_m/in.$hr_nonce"
    if [ "$hr_fork" = 1 ]; then
        setsid -f sh "$hr_d/runner" "$hr_d" <&5 >/dev/null 2>"$hr_d/why" 3<&- 5<&- 7<&-
    else
        setsid sh "$hr_d/runner" "$hr_d" <&5 >/dev/null 2>"$hr_d/why" 3<&- 5<&- 7<&- &
    fi
    exec 5<&- 9>&-
    hr_pid=
    read -r hr_pid hr_born <&3
    [ "$hr_pid" ] || hr_full "no process could be started"
    hr_say go "$hr_boot" "$hr_seen_id" "$hr_pid" "$hr_born" started $hr_facts
    hr_follow
}

# Somebody started it before: this call across a reconnect, or an earlier console.
hr_attach() {
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
    if [ ! -f "$hr_d/rc" ]; then
        [ "$hr_then" = "$hr_boot" ] || hr_lost boot 'the host was rebooted while the job ran'
        hr_start "$hr_pid"
        [ "$hr_started" = "$hr_born" ] || [ -f "$hr_d/rc" ] ||
            hr_lost process 'the process of the job is gone, and left no exit status'
    fi
    hr_say go "${hr_then:--}" "$hr_seen_id" "$hr_pid" "$hr_born" found $hr_facts
    if [ ! -f "$hr_d/rc" ] && [ -p "$hr_d/alive" ]; then
        # Opened for both first, so that the second open cannot wait for a writer that is gone.
        exec 4<>"$hr_d/alive" 3<"$hr_d/alive"
        exec 4<&-
        hr_follow
    else
        exec 8>&2 2>/dev/null
        hr_rest
        hr_trailer
    fi
}

hr_trailer() {
    hr_l=
    read -r hr_l 2>/dev/null <"$hr_d/rc"
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
# Most jobs end within a moment: they are waited for, and shown in one piece. Only then a follower is worth its processes.
hr_follow() {
    # From here on stderr carries the job's bytes only: what the shell itself has to say goes nowhere.
    exec 8>&2 2>/dev/null
    hr_long=0
    trap hr_long=1 USR1
    { read -r hr_l <&3; } >/dev/null 8>&- &
    hr_w=$!
    # Twice, because a signal that comes just before `wait` does not end it.
    { sleep 0.03; kill -USR1 $$; sleep 1; kill -USR1 $$; } >/dev/null 8>&- &
    hr_z=$!
    [ $hr_long = 1 ] || wait $hr_w
    kill $hr_z
    if [ $hr_long = 0 ]; then
        hr_rest
    elif [ "$hr_unheard" = 1 ]; then
        hr_wait
    elif [ "$hr_tail" = 1 ]; then
        hr_tails
    else
        hr_poll
    fi
    hr_trailer
}

# What there is, from the offsets on.
hr_rest() {
    [ ! -s "$hr_d/out" ] || tail -c "+$((hr_out + 1))" "$hr_d/out"
    [ ! -s "$hr_d/err" ] || tail -c "+$((hr_err + 1))" "$hr_d/err" >&8
}

# Until the job has ended; its output stays where it is.
hr_wait() {
    { hr_gone; kill $hr_w; } >/dev/null 8>&- &
    hr_k=$!
    hr_await
    kill $hr_k
    hr_rest
}

# Until the console goes away: input that a job found again does not need any more is passed over.
hr_gone() { while read -r hr_l <&7; do :; done; }

hr_tails() {
    tail -c "+$((hr_out + 1))" -f -s 0.02 "--pid=$hr_w" "$hr_d/out" 8>&- &
    hr_t1=$!
    tail -c "+$((hr_err + 1))" -f -s 0.02 "--pid=$hr_w" "$hr_d/err" >&8 &
    hr_t2=$!
    { hr_gone; kill $hr_w $hr_t1 $hr_t2; } >/dev/null 8>&- &
    hr_k=$!
    hr_await
    # tail notices within its -s; a truncation to the same size wakes its inotify at once.
    [ ! -f "$hr_d/rc" ] || truncate -s +0 "$hr_d/out" "$hr_d/err"
    wait $hr_t1
    wait $hr_t2
    kill $hr_k
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
    { hr_gone; kill $hr_w; kill -9 $$; } >/dev/null 8>&- &
    hr_k=$!
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
    kill $hr_k 2>/dev/null
}

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

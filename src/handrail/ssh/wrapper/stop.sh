# Ends the processes of a job and proves it from /proc: TERM, then after hr_grace twentieths of a second KILL.
# Its processes are those of its session and their descendants. The job's own shell is spared until last: it writes the status.
hr_d=$hr_m/$hr_key
hr_done() { hr_say stopped "$@"; exit 0; }
hr_h=0
read -r hr_h 2>/dev/null <"$hr_m/epoch"
[ "${hr_h:-0}" -le "$hr_epoch" ] || { hr_say refused epoch "$hr_h"; exit 0; }

# Taking the permit ourselves is the proof that a start which is still on its way can never happen.
if [ ! -d "$hr_d" ]; then
    while read -r hr_l; do
        [ "$hr_l" != "$hr_key" ] || hr_done 0 the folder of the job is gone from the host
    done 2>/dev/null <"$hr_m/started"
    [ -d "$hr_m" ] || hr_done 0 the folder of the run is gone from the host
    if mkdir "$hr_d" 2>/dev/null; then
        printf '' >"$hr_d/stopped"
        hr_done 1 it had not started, and now cannot
    fi
fi
hr_i=0
until hr_who "$hr_d"; do
    [ ! -e "$hr_d/stopped" ] || hr_done 1 it had not started, and now cannot
    [ $hr_i -lt 60 ] || hr_done 0 the start was permitted, but no process ever began
    hr_i=$((hr_i + 1))
    hr_nap
done
hr_l=
read -r hr_l 2>/dev/null <"$hr_d/boot"
[ "$hr_l" = "$hr_boot" ] || hr_done 1 the host was rebooted since it began
hr_start "$hr_pid"
hr_leader=$hr_started

# Another process has our number: the kernel frees a number only when its session is empty, so ours is.
[ -z "$hr_leader" ] || [ "$hr_leader" = "$hr_born" ] || hr_done 1 it had ended

hr_ours() {
    [ "$hr_leader" ] || grep -q "HANDRAIL_JOB=$hr_run/$hr_key" "/proc/$1/environ" 2>/dev/null
}
# Sets hr_all to the living members, without the job's own shell. Who was a member once stays one: the parent may have died
# in between, and a child that made a session of its own would be nobody's.
hr_known=
hr_sids=" $hr_pid "
hr_scan() {
    hr_all=' '
    for hr_k in $hr_known; do
        hr_start "${hr_k%:*}"
        [ "$hr_started" != "${hr_k#*:}" ] || hr_all="$hr_all${hr_k%:*} "
    done
    hr_grew=1
    while [ $hr_grew = 1 ]; do
        hr_grew=0
        for hr_p in /proc/[0-9]*; do
            hr_p=${hr_p#/proc/}
            case $hr_all in *" $hr_p "*) continue ;; esac
            hr_start "$hr_p"
            [ "$hr_started" ] && [ "$hr_p" != "$hr_pid" ] && [ "$hr_p" != $$ ] || continue
            if [ "$hr_sid" = "$hr_pid" ]; then
                hr_ours "$hr_p" || continue
            else
                case "$hr_all $hr_sids" in *" $hr_ppid "* | *" $hr_sid "*) ;; *) continue ;; esac
            fi
            hr_all="$hr_all$hr_p "
            hr_known="$hr_known $hr_p:$hr_started"
            [ "$hr_sid" != "$hr_p" ] || hr_sids="$hr_sids$hr_p "
            hr_grew=1
        done
    done
    [ "$hr_all" != ' ' ]
}
hr_end() {
    hr_i=0
    while hr_scan; do
        if [ $hr_i = 0 ]; then
            kill -TERM $hr_all 2>/dev/null
            kill -CONT $hr_all 2>/dev/null
        elif [ $hr_i -ge "$hr_grace" ]; then
            kill -KILL $hr_all 2>/dev/null
        fi
        [ $hr_i -lt $((hr_grace + 100)) ] || hr_done 0 "still alive:$hr_all"
        hr_i=$((hr_i + 1))
        hr_nap
    done
}
hr_end
# What ended it is written down by its own shell; one that cannot is ended too. What it began behind the first look is ended
# as well, or there would be nothing for it to write down.
hr_t=0
while hr_result "$hr_d"; [ -z "$hr_l" ] && [ $hr_t -lt 40 ]; do
    hr_start "$hr_pid"
    [ "$hr_started" = "$hr_born" ] || break
    hr_t=$((hr_t + 1))
    hr_nap
    hr_end
done
hr_i=0
while hr_start "$hr_pid"; [ "$hr_started" = "$hr_born" ]; do
    [ $hr_i -lt 2 ] || kill -KILL "$hr_pid" 2>/dev/null
    [ $hr_i -lt 100 ] || hr_done 0 "still alive: $hr_pid"
    hr_i=$((hr_i + 1))
    hr_nap
done
# What it began in its last moment, behind the first look, goes with it.
hr_leader=
hr_grace=0
hr_end
hr_done 1 no process of it is left

# What became of a job: running, finished, absent (never started), or lost. Changes nothing.
hr_d=$hr_m/$hr_key
hr_made=-
hr_id=-
read -r hr_made hr_id 2>/dev/null <"$hr_m/boot"
hr_tell() { hr_say look "$hr_boot" "${hr_made:--}" "${hr_id:--}" "$@"; exit 0; }
if [ ! -d "$hr_d" ]; then
    while read -r hr_l; do
        [ "$hr_l" != "$hr_key" ] || hr_tell lost the folder of the job is gone from the host
    done 2>/dev/null <"$hr_m/started"
    [ "${hr_made:--}" != - ] || hr_tell lost the folder of the run is gone from the host
    [ "$hr_made" = "$hr_boot" ] || hr_tell lost the host was rebooted and knows nothing of the job
    hr_tell absent
fi
hr_result "$hr_d"
[ -z "$hr_l" ] || hr_tell finished "$hr_l"
[ ! -e "$hr_d/stopped" ] || hr_tell absent
hr_i=0
until hr_who "$hr_d"; do
    [ $hr_i -lt 60 ] || hr_tell lost the start was permitted, but no process ever began
    hr_i=$((hr_i + 1))
    hr_nap
done
hr_l=
read -r hr_l 2>/dev/null <"$hr_d/boot"
[ "$hr_l" = "$hr_boot" ] || hr_tell lost the host was rebooted while the job ran
hr_start "$hr_pid"
[ "$hr_started" != "$hr_born" ] || hr_tell running "$hr_pid"
hr_result "$hr_d"
[ -z "$hr_l" ] || hr_tell finished "$hr_l"
hr_tell lost the process of the job is gone, and left no exit status

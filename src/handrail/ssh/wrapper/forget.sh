# Removes the run's folder, unless a job of it still runs.
[ -d "$hr_m" ] || { hr_say forgot 0; exit 0; }
hr_care
for hr_d in "$hr_m"/*/; do
    hr_d=${hr_d%/}
    [ -d "$hr_d" ] && hr_who "$hr_d" || continue
    hr_l=
    read -r hr_l 2>/dev/null <"$hr_d/boot"
    [ "$hr_l" = "$hr_boot" ] || continue
    hr_start "$hr_pid"
    [ "$hr_started" != "$hr_born" ] || { hr_say running "${hr_d##*/}"; exit 0; }
done
# Once more, when one that stood ready has just been taking its own pipes away.
hr_e=$(rm -rf "$hr_m" 2>&1) || { hr_nap; hr_e=$(rm -rf "$hr_m" 2>&1); } || hr_no work "cannot remove $hr_m: $hr_e"
rmdir "$hr_work/runs" 2>/dev/null
hr_say forgot 1

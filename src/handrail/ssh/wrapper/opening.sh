# Opens the run on this host: makes its marker when hr_make is 1, and sets hr_facts to what the host is like.
hr_open() {
    hr_care
    [ "$hr_make" = 0 ] || hr_mark
    hr_made=-
    hr_id=-
    read -r hr_made hr_id 2>/dev/null <"$hr_m/boot" || [ "$hr_make" = 0 ] || hr_no work "cannot write under $hr_work"
    for hr_l in setsid mkfifo wc mv rm; do
        command -v "$hr_l" >/dev/null || hr_no tools "this host has no $hr_l"
    done
    hr_fork=1
    hr_wall=$(setsid -f date +%s 2>/dev/null)
    [ "$hr_wall" ] || { hr_fork=0; hr_wall=$(date +%s); }
    hr_pty=0
    command -v script >/dev/null && hr_pty=1
    read -r hr_up hr_l </proc/uptime
    hr_facts="$hr_boot ${hr_made:--} ${hr_id:--} $hr_tail $hr_fork $hr_pty $hr_wall ${hr_up%.*}"
}

# Opens a run on this host: makes the marker when asked to, and says what the host is like.
# The marker is the run's birth certificate here: boot id and a random id. It is never made twice.
hr_care
if [ "$hr_make" = 1 ]; then
    hr_e=$(mkdir -p "$hr_m" 2>&1) || hr_no work "cannot write under $hr_work: $hr_e"
    if [ ! -f "$hr_m/boot" ]; then
        hr_e=$( { printf '%s %s\n' "$hr_boot" "$hr_nonce" >"$hr_m/boot.$hr_nonce"; } 2>&1) ||
            hr_no work "cannot write under $hr_work: $hr_e"
        ln "$hr_m/boot.$hr_nonce" "$hr_m/boot" 2>/dev/null
        rm -f "$hr_m/boot.$hr_nonce"
    fi
fi
hr_made=-
hr_id=-
read -r hr_made hr_id 2>/dev/null <"$hr_m/boot" || [ "$hr_make" = 0 ] || hr_no work "cannot write under $hr_work"
for hr_l in setsid mkfifo wc mv rm; do
    command -v "$hr_l" >/dev/null || hr_no tools "this host has no $hr_l"
done
hr_tail=0
case $(tail --version 2>/dev/null) in *GNU*) hr_tail=1 ;; esac
hr_fork=0
setsid -f true 2>/dev/null && hr_fork=1
hr_pty=0
command -v script >/dev/null && hr_pty=1
hr_say open "$hr_boot" "${hr_made:--}" "${hr_id:--}" "$hr_tail" "$hr_fork" "$hr_pty" "$(date +%s)"

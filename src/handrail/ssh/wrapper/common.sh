# Common to every call. The console sets hr_nonce, hr_work and hr_run before this text.
# All names begin with hr_, so that no exported variable of the user's is changed by an assignment here.
umask 077
hr_say() {
    printf '\n%s H %s\n' "$hr_nonce" "$*"
    printf '\n%s H\n' "$hr_nonce" >&2
}
hr_no() { hr_say no "$@"; exit 0; }
hr_nap() { sleep 0.05 2>/dev/null || sleep 1; }
[ -r /proc/self/stat ] || hr_no proc 'this host has no /proc'
read -r hr_boot </proc/sys/kernel/random/boot_id || hr_no proc 'this host has no boot id'
hr_m=$hr_work/runs/$hr_run

# A work folder that somebody else made first could be swapped under our feet: it has to be ours, and no link.
hr_care() {
    if [ ! -e "$hr_work" ] && [ ! -L "$hr_work" ]; then
        hr_e=$(mkdir -m 755 "$hr_work" 2>&1) || [ -d "$hr_work" ] || hr_no work "cannot make $hr_work: $hr_e"
    fi
    [ ! -L "$hr_work" ] || hr_no work "$hr_work is a link: it has to be a folder"
    [ -d "$hr_work" ] || hr_no work "$hr_work is not a folder"
    [ -O "$hr_work" ] || hr_no work "$hr_work belongs to another user: $(ls -ldn "$hr_work" 2>&1)"
}

# The start time of a process, in clock ticks since boot (proc(5), field 22); empty when it is gone or a zombie.
hr_stat() {
    hr_s=
    while IFS= read -r hr_l || [ "$hr_l" ]; do hr_s="$hr_s $hr_l"; done 2>/dev/null <"/proc/$1/stat"
    hr_s=${hr_s##*) }
}
hr_start() {
    hr_stat "$1"
    set -- $hr_s
    hr_state=${1:-X}
    hr_ppid=${2:-0}
    hr_sid=${4:-0}
    hr_started=
    case $hr_state in Z | X) return 0 ;; esac
    shift 19
    hr_started=$1
}

# Sets hr_pid and hr_born from a job folder; false when they are not there.
hr_who() {
    hr_pid=
    hr_born=
    read -r hr_pid hr_born 2>/dev/null <"$1/pid"
    [ "$hr_born" ]
}

# Sets hr_l to how a job ended, as its own shell wrote it down; empty while it has not. It was written over blanks, in one piece:
# a text without both its marks is not there yet.
hr_result() {
    hr_l=
    read -r hr_l 2>/dev/null <"$1/rc"
    case $hr_l in
    '= '*' =') hr_l=${hr_l#= } hr_l=${hr_l% =} ;;
    *) hr_l= ;;
    esac
}

# The run's marker, its birth certificate on this host: boot id and a random id. It is never made twice.
hr_mark() {
    hr_e=$(mkdir -p "$hr_m" 2>&1) || hr_no work "cannot write under $hr_work: $hr_e"
    [ ! -f "$hr_m/boot" ] || return 0
    { printf '%s %s\n' "$hr_boot" "$hr_nonce" >"$hr_m/boot.$hr_nonce"; } 2>/dev/null || {
        hr_e=$( { printf '%s\n' "$hr_boot" >"$hr_m/boot.$hr_nonce"; } 2>&1) # once more, for its words
        hr_no work "cannot write under $hr_work: $hr_e"
    }
    ln "$hr_m/boot.$hr_nonce" "$hr_m/boot" 2>/dev/null || rm -f "$hr_m/boot.$hr_nonce"
}

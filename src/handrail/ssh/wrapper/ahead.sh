# Stands ready for the next call: with the process that will own its job, if it is one. Without a call it leaves nothing behind.
# A call about a job of this run is its variables, and is read line by line when it is short: that takes no process.
if [ -O "$hr_work" ] && [ ! -L "$hr_work" ] && mkdir "$hr_m/.next-$hr_nonce" 2>/dev/null; then
    hr_ready "$hr_m/.next-$hr_nonce"
    [ "$hr_pid" ] || hr_drop
fi
read -r hr_c hr_how
[ "$hr_how" ] || [ -z "$hr_n" ] || hr_drop
hr_w=
if [ "$hr_how" = lines ]; then
    while IFS= read -r hr_l; do
        hr_w="$hr_w$hr_l
"
        [ "$hr_l" != "$hr_final" ] || break
    done
else
    hr_w=$(head -c "$hr_c")
fi
case $hr_w in *"$hr_final" | *"$hr_final
") eval "$hr_w" ;; esac

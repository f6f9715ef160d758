# The claim of an estate: an atomic mkdir, and in it run, claim.json and owed.json.
#   hr_verb take, read, release, break, epoch or update     hr_holder: the run whose claim is to be broken
#   hr_json, hr_owed: texts to keep                         hr_epoch
hr_care
hr_c=$hr_work/claim
hr_tell() {
    hr_say "$@"
    printf '%s C\n%s' "$hr_nonce" "$hr_said"
    printf '\n%s O\n' "$hr_nonce"
    cat "$hr_c/owed.json" 2>/dev/null
    printf '\n%s .\n' "$hr_nonce"
    exit 0
}
# Sets hr_h to the run that holds the claim and hr_said to what it says; one that is just being made is waited for, and
# one that is given up meanwhile is none.
hr_held() {
    hr_h=
    hr_said=
    hr_i=0
    while [ -d "$hr_c" ] && [ $hr_i -lt 20 ]; do
        hr_said=$(cat "$hr_c/claim.json" 2>/dev/null)
        hr_h=
        read -r hr_h 2>/dev/null <"$hr_c/run"
        [ -z "$hr_h" ] || [ -z "$hr_said" ] || return 0
        hr_i=$((hr_i + 1))
        hr_nap
    done
    [ -d "$hr_c" ]
}
hr_put() { printf '%s\n' "$2" >"$1.$hr_nonce" && mv -f "$1.$hr_nonce" "$1"; }
hr_raise() {
    hr_mark
    hr_l=0
    read -r hr_l 2>/dev/null <"$hr_m/epoch"
    [ "${hr_l:-0}" -le "$hr_epoch" ] || hr_tell older "$hr_l"
    hr_put "$hr_m/epoch" "$hr_epoch"
}
hr_fill() {
    hr_e=$( {
        hr_put "$hr_c/claim.json" "$hr_json" &&
            { [ -z "$hr_owed" ] || hr_put "$hr_c/owed.json" "$hr_owed"; } &&
            printf '' >"$hr_c/by.$hr_run" &&
            hr_put "$hr_c/run" "$hr_run"
    } 2>&1) || { rm -rf "$hr_c"; hr_no work "cannot write under $hr_work: $hr_e"; }
}
hr_take() {
    hr_t=0
    until hr_e=$(mkdir "$hr_c" 2>&1) && hr_fill; do
        if hr_held; then
            [ "$hr_h" = "$hr_run" ] || hr_tell held
            hr_put "$hr_c/claim.json" "$hr_json"
            break
        fi
        # Nobody holds it any more: it was given up since.
        hr_t=$((hr_t + 1))
        [ $hr_t -lt 20 ] || hr_no work "cannot write under $hr_work: $hr_e"
    done
    hr_raise
    hr_tell taken
}
case $hr_verb in
take) hr_take ;;
read) hr_held && hr_tell held; hr_tell free ;;
release)
    hr_held || hr_tell free
    [ "$hr_h" = "$hr_run" ] || hr_tell held
    mv "$hr_c" "$hr_work/released.$hr_nonce" && rm -rf "$hr_work/released.$hr_nonce"
    hr_tell free
    ;;
break)
    hr_held || hr_take
    [ "$hr_h" = "$hr_holder" ] || hr_tell held
    # A rename that names the holder: of two who break its claim one succeeds, and it can never hit a newer claim.
    if ! mv "$hr_c/by.$hr_holder" "$hr_c/broken.$hr_nonce" 2>/dev/null; then
        # Another one is at it, or once was and died: only if nothing moves any more may we go on.
        hr_j=0
        while [ -d "$hr_c" ] && [ "$hr_h" = "$hr_holder" ] && [ $hr_j -lt 20 ]; do
            hr_nap
            hr_h=
            read -r hr_h 2>/dev/null <"$hr_c/run"
            hr_j=$((hr_j + 1))
        done
        hr_held || hr_take
        [ "$hr_h" = "$hr_holder" ] || hr_tell held
    fi
    # Kept, with who broke it and why; what it knew to be owed is inherited.
    mkdir -p "$hr_work/broken"
    if mv "$hr_c" "$hr_work/broken/$hr_nonce" 2>/dev/null; then
        printf '%s\n' "$hr_json" >"$hr_work/broken/$hr_nonce/broken-by.json"
        hr_owed=$(cat "$hr_work/broken/$hr_nonce/owed.json" 2>/dev/null)
    fi
    hr_take
    ;;
epoch) hr_raise; hr_held; hr_tell raised ;;
update)
    hr_held && [ "$hr_h" = "$hr_run" ] || { [ -d "$hr_c" ] && hr_tell held; hr_tell free; }
    hr_e=$(hr_put "$hr_c/owed.json" "$hr_owed" 2>&1) || hr_no work "cannot write under $hr_work: $hr_e"
    hr_tell taken
    ;;
esac

# Completes tipoff's modes, settings and values in fish; tipoff itself knows the words.
function __tipoff_words
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete fish -- $words[2..-1] 2>/dev/null
end
complete -c tipoff -n 'count (__tipoff_words) >/dev/null' -f -a '(__tipoff_words)'
complete -c tipoff -n 'not count (__tipoff_words) >/dev/null' -F

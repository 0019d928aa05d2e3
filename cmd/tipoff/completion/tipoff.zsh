#compdef tipoff
# Completes tipoff's modes, settings and values in zsh; tipoff itself knows the words.
_tipoff() {
	local line word
	local -a settings others
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		if [[ $line == *$'\t'* ]]; then
			line="${word//:/\\:}:${line#*$'\t'}"
		else
			line=${word//:/\\:}
		fi
		if [[ $word == *= ]]; then
			settings+=("$line")
		else
			others+=("$line")
		fi
	done < <("$words[1]" complete zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)
	if (( ! $#settings && ! $#others )); then
		_files
		return
	fi
	(( $#others )) && _describe tipoff others
	(( $#settings )) && _describe tipoff settings -S ''
}
compdef _tipoff tipoff

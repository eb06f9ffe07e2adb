# Reads the output of go test -v: prints the closing line of each package, what failed with what it
# said, and what belongs to no test. Skipped tests go to the file named by skips, as
# "PACKAGE TEST<tab>REASON", once the package is known.
function end_package(name, i) {
	for (i = 1; i <= skipped; i++)
		printf "%s %s\t%s\n", name, test[i], reason[i] > skips
	skipped = 0
	split("", said)
	split("", last)
	current = ""
}
/^=== (RUN|NAME|CONT|PAUSE)/ {
	current = ($2 == "PAUSE") ? "" : $3
	next
}
/^ *--- PASS: / { current = ""; next }
/^ *--- SKIP: / {
	test[++skipped] = $3
	reason[skipped] = last[$3]
	current = ""
	next
}
/^ *--- FAIL: / {
	printf "%s%s\n", said[$3], $0
	current = ""
	next
}
/^(ok|FAIL|\?) *\t/ {
	if ($1 == "FAIL" && current != "") # ended in the middle of a test
		printf "=== %s\n%s", current, said[current]
	print
	end_package($2)
	next
}
/^PASS$/ { next }
current != "" {
	said[current] = said[current] $0 "\n"
	last[current] = $0
	sub(/^ */, "", last[current])
	next
}
{ print }
END { printf "" > skips }

package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completions has the writer of each shell's script.
var completions = map[string]func(*kong.Application) string{"bash": bash, "zsh": zsh, "fish": fish}

// word is a command or an option that may follow a command.
type word struct{ text, help string }

// words lists for each command ("" is the program, "service start" a command of a command) the
// commands and the options that may follow it.
func words(app *kong.Application) (paths []string, follow map[string][]word) {
	follow = map[string][]word{}
	var visit func(node *kong.Node, path string)
	visit = func(node *kong.Node, path string) {
		paths = append(paths, path)
		for _, child := range node.Children {
			if child.Hidden {
				continue
			}
			follow[path] = append(follow[path], word{child.Name, child.Help})
			visit(child, strings.TrimSpace(path+" "+child.Name))
		}
		for _, argument := range node.Positional {
			for _, value := range argument.EnumSlice() {
				follow[path] = append(follow[path], word{value, ""})
			}
		}
		for _, flags := range node.AllFlags(true) {
			for _, flag := range flags {
				follow[path] = append(follow[path], word{"--" + flag.Name, flag.Help})
			}
		}
	}
	visit(app.Node, "")
	return paths, follow
}

func function(app *kong.Application) string { return "_" + strings.ReplaceAll(app.Name, "-", "_") }

// bash completes commands and options by the commands before the cursor, and files otherwise.
func bash(app *kong.Application) string {
	var b strings.Builder
	paths, follow := words(app)
	fmt.Fprintf(&b, "# bash completion of %s\n%s() {\n", app.Name, function(app))
	b.WriteString(`	local cur=${COMP_WORDS[COMP_CWORD]} path= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "$path ${COMP_WORDS[i]}" in
`)
	for _, path := range paths[1:] {
		before, last := parent(path)
		fmt.Fprintf(&b, "\t\t%s) path=%s ;;\n", quote(before+" "+last), quote(path))
	}
	b.WriteString("\t\tesac\n\tdone\n\tlocal words=\n\tcase $path in\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "\t%s) words=%s ;;\n", quote(path), quote(texts(follow[path])))
	}
	fmt.Fprintf(&b, "\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"+
		"complete -o default -F %s %s\n", function(app), app.Name)
	return b.String()
}

// zsh offers the same words with their help.
func zsh(app *kong.Application) string {
	var b strings.Builder
	paths, follow := words(app)
	fmt.Fprintf(&b, "#compdef %s\n%s() {\n\tlocal path_= word\n", app.Name, function(app))
	b.WriteString("\tfor word in ${words[2,CURRENT-1]}; do\n\t\tcase \"$path_ $word\" in\n")
	for _, path := range paths[1:] {
		before, last := parent(path)
		fmt.Fprintf(&b, "\t\t%s) path_=%s ;;\n", quote(before+" "+last), quote(path))
	}
	b.WriteString("\t\tesac\n\tdone\n\tlocal -a offers\n\tcase $path_ in\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "\t%s) offers=(", quote(path))
		for _, w := range follow[path] {
			fmt.Fprintf(&b, "\n\t\t%s", quote(strings.ReplaceAll(w.text, ":", `\:`)+":"+firstSentence(w.help)))
		}
		b.WriteString("\n\t) ;;\n")
	}
	fmt.Fprintf(&b, "\tesac\n\t_describe '' offers || _files\n}\n%s \"$@\"\n", function(app))
	return b.String()
}

// fish offers the words of a command after all words of its path, and only there.
func fish(app *kong.Application) string {
	var b strings.Builder
	paths, follow := words(app)
	fmt.Fprintf(&b, "# fish completion of %s\n", app.Name)
	for _, path := range paths {
		condition := "__fish_use_subcommand"
		if path != "" {
			const seen = "__fish_seen_subcommand_from "
			condition = seen + strings.ReplaceAll(path, " ", "; and "+seen)
		}
		for _, w := range follow[path] {
			offer := "-f -a " + quote(w.text)
			if name, option := strings.CutPrefix(w.text, "--"); option {
				offer = "-l " + name
			}
			fmt.Fprintf(&b, "complete -c %s -n %s %s -d %s\n",
				app.Name, quote(condition), offer, quote(firstSentence(w.help)))
		}
	}
	return b.String()
}

// parent returns the path above a command and the command's own name.
func parent(path string) (above, name string) {
	if i := strings.LastIndexByte(path, ' '); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

func texts(list []word) string {
	all := make([]string, len(list))
	for i, w := range list {
		all[i] = w.text
	}
	return strings.Join(all, " ")
}

func firstSentence(help string) string {
	sentence, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(sentence, ".")
}

// quote returns the text as one word of bash, zsh and fish.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'"'"'`) + "'" }

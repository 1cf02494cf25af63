// Package docs tests the documents: the links between them, and the files of docs/aws.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// read returns the content of a file of the project.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documents returns the paths of all documents.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", ".github/*.md"} {
		found, err := filepath.Glob(filepath.Join(harness.Root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			path, err = filepath.Rel(harness.Root, path)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	return paths
}

var (
	fence = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// heading also matches the comments of shell scripts, so code must be removed before.
	heading    = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	notInSlug  = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
	linkInText = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// anchors returns the anchors of a document's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := strings.ToLower(linkInText.ReplaceAllString(match[1], "$1"))
		all[strings.ReplaceAll(notInSlug.ReplaceAllString(name, ""), " ", "-")] = true
	}
	return all
}

// TestLinks checks that each relative link of a document has an existing target: a file or
// folder, and a heading if the link has an anchor.
func TestLinks(t *testing.T) {
	count := 0
	for _, path := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(read(t, path), ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			count++
			file := path
			if target != "" {
				file = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat(filepath.Join(harness.Root, file)); err != nil {
				t.Errorf("%s: the link %s has no target", path, match[1])
				continue
			}
			if anchor != "" && !anchors(read(t, file))[anchor] {
				t.Errorf("%s: the link %s has no heading as its target", path, match[1])
			}
		}
	}
	if count < 50 {
		t.Errorf("found only %d links", count)
	}
}

package docs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// node is a YAML value: a string, []node, or map[string]node. A tag such as !Ref becomes a map
// with the tag as its only key.
type node any

// A yamlLine is a line without its indentation.
type yamlLine struct {
	indent int
	text   string
}

// parseYAML parses the part of YAML that docs/aws/iot-wasm.yaml uses: block mappings and
// sequences, plain and quoted scalars, and tags. A value in flow style is kept as its text.
func parseYAML(text string) (node, error) {
	var lines []yamlLine
	for _, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		if trimmed != "" && !strings.HasPrefix(trimmed, "#") {
			lines = append(lines, yamlLine{len(line) - len(trimmed), trimmed})
		}
	}
	value, rest, err := parseBlock(lines)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("unexpected indentation: %s", rest[0].text)
	}
	return value, err
}

// parseBlock parses the lines that have the indentation of the first line or more.
func parseBlock(lines []yamlLine) (node, []yamlLine, error) {
	if len(lines) == 0 {
		return nil, nil, fmt.Errorf("unexpected end")
	}
	indent := lines[0].indent
	if isItem(lines[0]) {
		var list []node
		for len(lines) > 0 && lines[0].indent == indent && isItem(lines[0]) {
			item := strings.TrimPrefix(lines[0].text, "- ")
			var value node
			var err error
			if _, _, isMap := cutKey(item); isMap || strings.HasPrefix(item, "- ") {
				lines[0] = yamlLine{indent + 2, item}
				value, lines, err = parseBlock(lines)
			} else {
				value, lines, err = parseValue(item, indent, lines[1:])
			}
			if err != nil {
				return nil, nil, err
			}
			list = append(list, value)
		}
		return list, lines, nil
	}
	mapping := map[string]node{}
	for len(lines) > 0 && lines[0].indent == indent {
		key, text, ok := cutKey(lines[0].text)
		if _, twice := mapping[key]; !ok || twice {
			return nil, nil, fmt.Errorf("not a new key: %s", lines[0].text)
		}
		value, rest, err := parseValue(text, indent, lines[1:])
		if err != nil {
			return nil, nil, err
		}
		mapping[key], lines = value, rest
	}
	return mapping, lines, nil
}

// parseValue parses the text after a key or "- ". If the text is empty or only a tag, the value
// is the block of the following lines.
func parseValue(text string, indent int, lines []yamlLine) (node, []yamlLine, error) {
	if strings.HasPrefix(text, "!") {
		tag, rest, _ := strings.Cut(text, " ")
		value, lines, err := parseValue(rest, indent, lines)
		return map[string]node{tag: value}, lines, err
	}
	if text == "" {
		if len(lines) == 0 || lines[0].indent <= indent {
			return nil, nil, fmt.Errorf("a key has no value")
		}
		return parseBlock(lines)
	}
	if strings.HasPrefix(text, `"`) {
		unquoted, err := strconv.Unquote(text)
		return unquoted, lines, err
	}
	return text, lines, nil
}

func isItem(line yamlLine) bool { return strings.HasPrefix(line.text, "- ") }

// cutKey splits "key: value" and "key:". A colon within a key is followed by another character.
func cutKey(text string) (key, value string, ok bool) {
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "!") {
		return "", "", false
	}
	if key, value, ok = strings.Cut(text, ": "); ok {
		return key, value, true
	}
	return strings.TrimSuffix(text, ":"), "", strings.HasSuffix(text, ":")
}

// at returns the value at a path of keys and indexes.
func at(t *testing.T, value node, path ...any) node {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			value = value.(map[string]node)[step]
		case int:
			value = value.([]node)[step]
		}
		if value == nil {
			t.Fatalf("the template has no %v", path)
		}
	}
	return value
}

// substituted returns a value as CloudFormation would for the region, account and identity pool
// of the JSON files.
func substituted(value node) any {
	switch value := value.(type) {
	case []node:
		list := []any{}
		for _, item := range value {
			list = append(list, substituted(item))
		}
		return list
	case map[string]node:
		if value["!Ref"] == "IdentityPool" {
			return "IDENTITY_POOL_ID"
		}
		if text, ok := value["!Sub"].(string); ok {
			return strings.NewReplacer("${AWS::Partition}", "aws", "${AWS::Region}", "eu-west-1", "${AWS::AccountId}", "123456789012", "${!", "${").Replace(text)
		}
		mapping := map[string]any{}
		for key, item := range value {
			mapping[key] = substituted(item)
		}
		return mapping
	default:
		return value
	}
}

// TestTemplate checks that the policies of the CloudFormation template are those of the JSON
// files, and that its references have targets.
func TestTemplate(t *testing.T) {
	template, err := parseYAML(read(t, "docs/aws/iot-wasm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		file string
		path []any
	}{
		{"guest-trust.json", []any{"GuestRole", "Properties", "AssumeRolePolicyDocument"}},
		{"guest-role-policy.json", []any{"GuestRole", "Properties", "Policies", 0, "PolicyDocument"}},
		{"user-trust.json", []any{"UserRole", "Properties", "AssumeRolePolicyDocument"}},
		{"user-role-policy.json", []any{"UserRole", "Properties", "Policies", 0, "PolicyDocument"}},
		{"user-policy.json", []any{"UserPolicy", "Properties", "PolicyDocument"}},
	} {
		var want any
		if err := json.Unmarshal([]byte(read(t, "docs/aws/"+part.file)), &want); err != nil {
			t.Fatal(err)
		}
		if got := substituted(at(t, at(t, template, "Resources"), part.path...)); !reflect.DeepEqual(got, want) {
			t.Errorf("the template differs from %s:\n%v\n%v", part.file, got, want)
		}
	}
	pool := at(t, template, "Resources", "IdentityPool", "Properties").(map[string]node)
	if pool["AllowUnauthenticatedIdentities"] != "true" || pool["AllowClassicFlow"] != "false" {
		t.Errorf("the identity pool has %v", pool)
	}
	for name, kind := range map[string]string{"IdentityPool": "AWS::Cognito::IdentityPool", "GuestRole": "AWS::IAM::Role", "UserRole": "AWS::IAM::Role",
		"RoleAttachment": "AWS::Cognito::IdentityPoolRoleAttachment", "UserPolicy": "AWS::IoT::Policy"} {
		if got := at(t, template, "Resources", name, "Type"); got != kind {
			t.Errorf("%s has the type %v, want %s", name, got, kind)
		}
	}
	known := map[string]bool{"AWS::Region": true, "AWS::AccountId": true, "AWS::Partition": true, "AWS::StackName": true, "AWS::NoValue": true}
	for _, section := range []string{"Parameters", "Resources"} {
		for name := range at(t, template, section).(map[string]node) {
			known[name] = true
		}
	}
	for _, name := range references(template) {
		if !known[name] {
			t.Errorf("the template refers to %s, which it does not declare", name)
		}
	}
	if got := at(t, template, "Outputs", "IdentityPoolId", "Value", "!Ref"); got != "IdentityPool" {
		t.Errorf("the output IdentityPoolId is %v", got)
	}
}

var inSub = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// references returns the names to which !Ref, !GetAtt and !Sub refer.
func references(value node) (names []string) {
	switch value := value.(type) {
	case []node:
		for _, item := range value {
			names = append(names, references(item)...)
		}
	case map[string]node:
		for key, item := range value {
			text, isText := item.(string)
			switch {
			case key == "!Ref" && isText:
				names = append(names, text)
			case key == "!GetAtt" && isText:
				name, _, _ := strings.Cut(text, ".")
				names = append(names, name)
			case key == "!Sub" && isText:
				for _, match := range inSub.FindAllStringSubmatch(text, -1) {
					names = append(names, match[1])
				}
			default:
				names = append(names, references(item)...)
			}
		}
	}
	return names
}

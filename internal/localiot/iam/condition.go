package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// The condition keys that the local AWS IoT Core has values for, in lower case ("Basic AWS IoT Core policy
// variables", "Thing policy variables", "Using connectAttributes").
const (
	keyClientID          = "iot:clientid"
	keyDomainName        = "iot:domainname"
	keySourceIP          = "aws:sourceip"
	keyThingName         = "iot:connection.thing.thingname"
	keyIsAttached        = "iot:connection.thing.isattached"
	keyThingAttribute    = "iot:connection.thing.attributes[" // the name and ] follow
	keyConnectAttributes = "iot:connectattributes"
	keyCognitoSub        = "cognito-identity.amazonaws.com:sub"
)

var knownKeys = []string{keyClientID, keyDomainName, keySourceIP, keyThingName, keyIsAttached, keyConnectAttributes, keyCognitoSub}

// A condition compares the values of one key with values of the document.
type condition struct {
	key         string // in lower case
	all, any    bool   // ForAllValues and ForAnyValue
	ifExists    bool
	negative    bool // no value of the document may be equal
	compare     comparison
	values      []template
	networks    []netip.Prefix // of the operator IpAddress
	unsupported string         // why the condition is not supported
}

// A comparison is a condition operator without its prefix, its suffix and its negation.
type comparison int

const (
	compareUnsupported comparison = iota // AWS has the operator, and no supported key has values for it
	compareEqual
	compareFold // equal without regard to case
	compareLike
	compareNetwork
	compareNull
)

// operators contains the operators of "IAM JSON policy elements: Condition operators" without Not.
var operators = map[string]comparison{
	"StringEquals":             compareEqual,
	"StringEqualsIgnoreCase":   compareFold,
	"StringLike":               compareLike,
	"ArnEquals":                compareLike, // ArnEquals and ArnLike are the same
	"ArnLike":                  compareLike,
	"Bool":                     compareFold,
	"IpAddress":                compareNetwork,
	"Null":                     compareNull,
	"BinaryEquals":             compareUnsupported,
	"NumericEquals":            compareUnsupported,
	"NumericLessThan":          compareUnsupported,
	"NumericLessThanEquals":    compareUnsupported,
	"NumericGreaterThan":       compareUnsupported,
	"NumericGreaterThanEquals": compareUnsupported,
	"DateEquals":               compareUnsupported,
	"DateLessThan":             compareUnsupported,
	"DateLessThanEquals":       compareUnsupported,
	"DateGreaterThan":          compareUnsupported,
	"DateGreaterThanEquals":    compareUnsupported,
}

// negations are the operators with Not.
var negations = map[string]string{
	"StringNotEquals":           "StringEquals",
	"StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike":             "StringLike",
	"ArnNotEquals":              "ArnEquals",
	"ArnNotLike":                "ArnLike",
	"NotIpAddress":              "IpAddress",
	"NumericNotEquals":          "NumericEquals",
	"DateNotEquals":             "DateEquals",
}

// parseConditions parses the element Condition of a statement.
func parseConditions(raw json.RawMessage, variables bool) (list []condition, err error) {
	var byOperator map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &byOperator); err != nil || byOperator == nil {
		return nil, fmt.Errorf("the Condition must contain an object for each operator")
	}
	for _, operator := range slices.Sorted(maps.Keys(byOperator)) {
		prototype, err := parseOperator(operator)
		if err != nil {
			return nil, err
		}
		keys := byOperator[operator]
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			c := prototype
			c.key = strings.ToLower(key)
			values, err := texts(keys[key], true)
			if err != nil {
				return nil, fmt.Errorf("the values of %s must be strings", key)
			}
			switch {
			case c.compare == compareUnsupported:
				c.unsupported = fmt.Sprintf("the operator %s is not supported", operator)
			case !slices.Contains(knownKeys, c.key) && !strings.HasPrefix(c.key, keyThingAttribute):
				c.unsupported = fmt.Sprintf("the condition key %s is not supported", key)
			}
			for _, value := range values {
				if c.compare == compareNetwork {
					network, err := parseNetwork(value)
					if err != nil {
						return nil, fmt.Errorf("%q in %s is not an address or a CIDR block", value, operator)
					}
					c.networks = append(c.networks, network)
				}
				c.values = append(c.values, parseTemplate(value, c.compare == compareLike, variables))
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// parseOperator returns a condition without key and values.
func parseOperator(operator string) (condition, error) {
	var c condition
	name := operator
	if name, c.all = strings.CutPrefix(name, "ForAllValues:"); !c.all {
		name, c.any = strings.CutPrefix(name, "ForAnyValue:")
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	if positive, ok := negations[name]; ok {
		name, c.negative = positive, true
	}
	var ok bool
	c.compare, ok = operators[name]
	if !ok || c.compare == compareNull && (c.ifExists || c.all || c.any) {
		return c, fmt.Errorf("the condition operator %q does not exist", operator)
	}
	return c, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// holds reports whether the request satisfies the condition. The condition must be supported.
func (c *condition) holds(r *request) bool {
	values, exists := r.values(c.key)
	if c.compare == compareNull {
		return slices.ContainsFunc(c.values, func(t template) bool {
			return t.expand(r.value).match(fmt.Sprint(!exists))
		})
	}
	equal := func(value string) bool { return c.equalsAny(value, r) != c.negative }
	switch {
	case c.all: // true without values ("Multivalued context keys")
		return !slices.ContainsFunc(values, func(v string) bool { return !equal(v) })
	case !exists:
		return c.ifExists || c.negative && !c.any
	case c.negative && !c.any:
		return !slices.ContainsFunc(values, func(v string) bool { return !equal(v) })
	default:
		return slices.ContainsFunc(values, equal)
	}
}

// equalsAny reports whether a value of the request equals a value of the document.
func (c *condition) equalsAny(value string, r *request) bool {
	if c.compare == compareNetwork {
		address, err := netip.ParseAddr(value)
		return err == nil && slices.ContainsFunc(c.networks, func(n netip.Prefix) bool { return n.Contains(address.Unmap()) })
	}
	for _, t := range c.values {
		p := t.expand(r.value)
		if c.compare == compareFold && strings.EqualFold(string(p), value) || c.compare != compareFold && p.match(value) {
			return true
		}
	}
	return false
}

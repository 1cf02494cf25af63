package client

import (
	"strings"
	"testing"
)

func TestAuthorizer(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	o.Endpoint = "wss://a.iot.eu-west-1.amazonaws.com/mqtt"
	o.Authorizer = Authorizer("door", "key", "to ken", "a+b/c=")
	w.Connect(0, 1, &o)
	if want := "wss://a.iot.eu-west-1.amazonaws.com/mqtt?x-amz-customauthorizer-name=door&key=to%20ken&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D"; w.url != want {
		t.Errorf("the URL is %s, want %s", w.url, want)
	}
	if a := Authorizer("door", "", "", ""); a.Reveal() != "x-amz-customauthorizer-name=door" || Authorizer("", "", "t", "") != "" {
		t.Errorf("the query of an authorizer with only a name is %q, or the query without a name and a key is not empty", a.Reveal())
	}
}

// An authorizer replaces a signature, so it excludes credentials and signed URLs.
func TestAuthorizerExcludesSignature(t *testing.T) {
	for _, source := range []Source{FromCredentials, FromURL} {
		o := unsigned()
		o.Source, o.Region, o.Authorizer = source, "eu-west-1", Authorizer("a", "k", "t", "s")
		if _, err := o.Check(); err == nil || err.Code != "ERR_OPTION" || !strings.Contains(err.Message, "authorizer") {
			t.Errorf("Check returns %v, want ERR_OPTION for authorizer", err)
		}
	}
}

//go:build js && wasm

package main

import (
	"syscall/js"

	"iot.wasm/wasm/bridge"
	"iot.wasm/wasm/mqtt"
)

// object implements [bridge.Value] with a JavaScript object: the argument of an
// operation, or an object that the argument contains.
type object struct{ js.Value }

var _ bridge.Value = object{}

// member returns the member of that name, and whether it has the type t.
func (o object) member(name string, t js.Type) (v js.Value, ok bool) {
	v = o.Get(name)
	return v, v.Type() == t
}

func (o object) Text(name string) (string, bool) {
	if v, ok := o.member(name, js.TypeString); ok {
		return v.String(), true
	}
	return "", false
}

func (o object) Number(name string) (float64, bool) {
	if v, ok := o.member(name, js.TypeNumber); ok {
		return v.Float(), true
	}
	return 0, false
}

func (o object) Flag(name string) (flag, ok bool) {
	if v, ok := o.member(name, js.TypeBoolean); ok {
		return v.Bool(), true
	}
	return false, false
}

func (o object) Bytes(name string) []byte {
	v, ok := o.member(name, js.TypeObject)
	if !ok {
		return nil
	}
	b := make([]byte, v.Get("byteLength").Int())
	js.CopyBytesToGo(b, v)
	return b
}

func (o object) Pairs(name string) (list []mqtt.UserPair) {
	v, ok := o.member(name, js.TypeObject)
	if !ok {
		return nil
	}
	for i := range v.Length() {
		p := v.Index(i)
		list = append(list, mqtt.UserPair{Name: p.Index(0).String(), Value: p.Index(1).String()})
	}
	return list
}

func (o object) Object(name string) (bridge.Value, bool) {
	v, ok := o.member(name, js.TypeObject)
	return object{v}, ok
}

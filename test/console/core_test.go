package console

import (
	"testing"

	"iot.wasm/test/harness"
)

// TestDiff checks that a difference contains both texts, and that no shorter one exists: its equal lines are a longest
// common subsequence.
func TestDiff(t *testing.T) {
	p := harness.NewPerson(t, harness.Serve(t).URL, patience)
	p.Is(`await (async () => {
		const { diffLines, foldEqual } = await import("/console/core/messages/diff.js");
		let seed = 1;
		const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
		for (let round = 0; round < 3000; round++) {
			const [a, b] = [0, 1].map(() => Array.from({ length: random(14) }, () => "abc"[random(3)]));
			const lines = diffLines(a, b), side = (omitted) => lines.filter(({ kind }) => kind !== omitted).map(({ text }) => text).join("");
			const longest = Array.from({ length: a.length + 1 }, () => Array(b.length + 1).fill(0));
			for (let x = 1; x <= a.length; x++) for (let y = 1; y <= b.length; y++) longest[x][y] = a[x - 1] === b[y - 1] ? longest[x - 1][y - 1] + 1 : Math.max(longest[x - 1][y], longest[x][y - 1]);
			const equal = lines.filter(({ kind }) => kind === "=").length;
			if (side("+") !== a.join("") || side("-") !== b.join("") || equal !== longest[a.length][b.length]) return JSON.stringify({ a, b, lines });
			if (foldEqual(lines).filter(({ kind }) => kind === "+" || kind === "-").length !== lines.length - equal) return "foldEqual removed a difference";
		}
		const large = (word) => Array.from({ length: 5000 }, (_, i) => word + i);
		return diffLines(large("a"), large("b")).length;
	})()`, `10000`)
}

// TestSlices searches through 100,000 records while others arrive and the history removes the oldest ones. The search must
// not block the page: it runs in slices. Its results must be those of a test of each record.
func TestSlices(t *testing.T) {
	p := harness.NewPerson(t, harness.Serve(t).URL, patience)
	p.Eval(`globalThis.check = (async () => {
		const { Messages } = await import("/console/core/messages/messages.js"), { Results } = await import("/console/core/messages/results.js");
		const messages = new Messages(), results = new Results(messages, { list: [] }), encoder = new TextEncoder();
		messages.maxRecords = 100_000;
		const add = (count) => {
			for (let i = 0; i < count; i++) {
				const { next } = messages;
				messages.add({ topic: "t/" + next % 7, payload: encoder.encode(JSON.stringify({ n: next, v: next % 100 })), qos: 0, retain: false, userProperties: [] }, []);
			}
		};
		const until = (condition) => new Promise((resolve) => {
			const test = () => condition() && (remove(), resolve());
			const remove = results.changed.on(test);
			test();
		});
		const same = () => {
			const expected = [];
			for (let n = messages.next - 1; n >= messages.first; n--) if (n % 7 === 3 && n % 100 > 90) expected.push(n);
			const found = Array.from({ length: results.size }, (_, i) => results.at(i).n);
			return JSON.stringify(found) === JSON.stringify(expected) && found.every((n, i) => results.indexOf(n) === i);
		};
		add(100_000);
		await until(() => results.end === 100_000);
		const all = results.size === 100_000 && results.at(0).n === 99_999 && results.indexOf(0) === 99_999;
		let slices = 0;
		results.changed.on(() => slices++);
		results.search("topic:t/3 json:v>90");
		await until(() => slices > 3);
		const running = results.searching && results.progress < 1;
		add(5_000); // the search has not tested the removed records yet
		await until(() => results.end === 105_000 && !results.searching);
		const first = same();
		add(60_000);
		await until(() => results.end === 165_000 && !results.searching);
		const second = same();
		results.freeze(true);
		add(70_000);
		await until(() => results.hidden === 70_000);
		const frozen = results.size > 0 && results.at(0).n < 165_000;
		results.freeze(false);
		await until(() => results.end === 235_000 && !results.searching);
		return { all, running, first, second, frozen, third: same(), slices, ...results.busy };
	})(), 0`, nil)
	t.Log(p.Text(`JSON.stringify(await check)`))
	p.Is(`(({ all, running, first, second, frozen, third }) => [all, running, first, second, frozen, third])(await check)`, `[true, true, true, true, true, true]`)
}

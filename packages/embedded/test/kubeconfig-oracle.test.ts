import { parseKubeconfig } from "@rouse/shared";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";

/** What stands in such files: addresses, names with dots, colons and arrows, base64, tokens, and words that look like others. */
const text = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 ._:/@=+-]{0,40}$/),
  fc.base64String({ maxLength: 400 }),
  fc.constantFrom(
    "true",
    "null",
    "1",
    "~",
    "",
    "- a",
    "a: b",
    "a #b",
    "'",
    '"',
    "it's",
    "{}",
    "[x]",
    "0x1f",
    "*a",
    "y",
  ),
);
const key = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
const scalar = fc.oneof(text, fc.boolean(), fc.integer({ min: 0, max: 65_535 }), fc.constant(null));
const inner = fc.dictionary(key, scalar, { minKeys: 1, maxKeys: 5 });
const entries = fc.array(fc.record({ name: text, cluster: inner }), { maxLength: 4 });
const kubeconfig = fc.record({
  apiVersion: fc.constant("v1"),
  clusters: entries,
  contexts: entries,
  users: fc.array(fc.record({ name: text, user: fc.oneof(inner, fc.constant({})) }), { maxLength: 3 }),
  preferences: fc.constant({}),
  "current-context": text,
});

test("a kubeconfig is read as a whole YAML library reads it", () => {
  fc.assert(
    fc.property(kubeconfig, fc.boolean(), (value, isIndented) => {
      const written = stringify(value, { lineWidth: 0, indentSeq: isIndented, aliasDuplicateObjects: false });
      expect(parseKubeconfig(written)).toEqual(parse(written));
    }),
    { numRuns: 500 },
  );
});

test("and as JSON", () => {
  fc.assert(
    fc.property(kubeconfig, (value) => {
      expect(parseKubeconfig(JSON.stringify(value, undefined, 2))).toEqual(value);
    }),
  );
});

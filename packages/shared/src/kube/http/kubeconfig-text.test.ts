import { describe, expect, test } from "vitest";
import { parseKubeconfig } from "./kubeconfig-text.ts";

const KIND = `# written by hand
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    server: https://127.0.0.1:36447
  name: kind-kind
contexts:
- context:
    cluster: kind-kind
    user: kind-kind
  name: kind-kind
current-context: kind-kind
kind: Config
preferences: {}
users:
- name: kind-kind
  user:
    client-certificate-data: AAAA
    client-key-data: BBBB
`;

test("what kubectl and kind write", () => {
  expect(parseKubeconfig(KIND)).toEqual({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "kind-kind",
        cluster: {
          "certificate-authority-data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
          server: "https://127.0.0.1:36447",
        },
      },
    ],
    contexts: [{ name: "kind-kind", context: { cluster: "kind-kind", user: "kind-kind" } }],
    "current-context": "kind-kind",
    preferences: {},
    users: [{ name: "kind-kind", user: { "client-certificate-data": "AAAA", "client-key-data": "BBBB" } }],
  });
});

describe("texts of other tools", () => {
  test.each([
    { why: "JSON", text: `{"users": [{"name": "u"}]}`, want: { users: [{ name: "u" }] } },
    {
      why: "lists further in",
      text: "users:\n  - name: u\n    user:\n      token: t\n",
      want: { users: [{ name: "u", user: { token: "t" } }] },
    },
    {
      why: "quotes",
      text: `a: "x # y"\nb: 'it''s'\n"c d": "1"\n`,
      want: { a: "x # y", b: "it's", "c d": "1" },
    },
    { why: "comments", text: "a: b # c\n\n---\n# d\ne: f#g\n", want: { a: "b", e: "f#g" } },
    {
      why: "scalars",
      text: "a: true\nb: null\nc: 6443\nd: ~\ne: 1.2.3\n",
      want: { a: true, b: null, c: 6443, d: null, e: "1.2.3" },
    },
    { why: "nothing below a key", text: "a:\nb: 1\nc:\n", want: { a: null, b: 1, c: null } },
    {
      why: "lists of words",
      text: 'args:\n- get-token\n- "--x: y"\n',
      want: { args: ["get-token", "--x: y"] },
    },
    { why: "Windows' ends of lines", text: "a: b\r\nc: d\r\n", want: { a: "b", c: "d" } },
    { why: "an empty list", text: "users: []\n", want: { users: [] } },
    { why: "nothing at all", text: "", want: undefined },
  ])("$why", ({ text, want }) => {
    expect(parseKubeconfig(text)).toEqual(want);
  });
});

test.each([
  { text: "a: |\n  b\n", line: 1 },
  { text: "a: b\n  c: d\n", line: 2 },
  { text: "a:\n\tb: c\n", line: 2 },
  { text: "a: {b: c}\n", line: 1 },
  { text: "a: &x b\n", line: 1 },
  { text: 'a: "b\n', line: 1 },
  { text: "just words\n", line: 1 },
])("what is not understood is told by its line: $text", ({ text, line }) => {
  expect(() => parseKubeconfig(text)).toThrow(`line ${line}:`);
});

import { expect, test } from "vitest";
import { TlsVariableError } from "../http/tls/tls-variables.ts";
import { parsePrometheusTls } from "./prometheus-tls.ts";

const PREFIX = "METRICS_PROMETHEUS_TLS";
const FILES = { [`${PREFIX}_CERT`]: "c", [`${PREFIX}_KEY`]: "k" };
const parse = (values: Record<string, string>) => parsePrometheusTls((name) => values[name] ?? "");

test("A-4, Q-137: without a certificate there is no TLS; with one it is 1.3, and clients show none", () => {
  expect(parse({})).toBeUndefined();
  expect(parse(FILES)).toMatchObject({
    certificateFile: "c",
    keyFile: "k",
    clientAuth: "none",
    settings: { minVersion: "TLSv1.3" },
  });
});

test.each([
  { why: "a certificate without its key", values: { [`${PREFIX}_CERT`]: "c" }, named: "_KEY" },
  { why: "a key without its certificate", values: { [`${PREFIX}_KEY`]: "k" }, named: "_CERT" },
  { why: "a word nobody knows", values: { ...FILES, [`${PREFIX}_CLIENT_AUTH`]: "maybe" }, named: "maybe" },
  { why: "nobody to trust", values: { ...FILES, [`${PREFIX}_CLIENT_AUTH`]: "require" }, named: "_CA_FILE" },
  { why: "an old version", values: { ...FILES, [`${PREFIX}_MIN_VERSION`]: "1.1" }, named: "unsupported" },
])("A-4, Q-137: $why is an error that says so", ({ values, named }) => {
  expect(() => parse(values)).toThrow(TlsVariableError);
  expect(() => parse(values)).toThrow(named);
});

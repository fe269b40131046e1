import { X509Certificate } from "node:crypto";
import { RealClock, type Secret, type WallMs } from "@rouse/shared";
import { expect, test } from "vitest";
import { planCertificate } from "./certificate-plan.ts";

const DAY_MS = 86_400_000;
const now = new RealClock().wall();
const hosts = ["rouse-webhook.knative-serving.svc"];
const at = (days: number): WallMs => (now + days * DAY_MS) as WallMs;
const count = (bundle: string): number => bundle.match(/BEGIN/g)?.length ?? 0;
const textOf = (data: Secret["data"], name: string): string =>
  Buffer.from(data?.[name] ?? "", "base64").toString("utf8");

function stored(data: Secret["data"], days = 0): NonNullable<Secret["data"]> {
  const plan = planCertificate(data, { hosts, now: at(days) });
  if (plan.kind !== "store") throw new Error("nothing to be stored");
  return plan.data;
}

test("without a Secret there is an authority and a certificate of it for the Service, good for three months", () => {
  const data = stored(undefined);
  const [leaf, authority] = ["tls.crt", "ca.crt"].map((name) => new X509Certificate(textOf(data, name)));
  expect(leaf?.checkHost("rouse-webhook.knative-serving.svc")).toBeDefined();
  expect(authority === undefined ? undefined : leaf?.checkIssued(authority)).toBe(true);
  expect(((leaf?.validToDate.getTime() ?? 0) - now) / DAY_MS).toBeCloseTo(90, 0);
});

test.each([
  { days: 0, want: "use" },
  { days: 59, want: "use" },
  { days: 61, want: "store" },
])("after $days days the certificate is one to $want", ({ days, want }) => {
  expect(planCertificate(stored(undefined), { hosts, now: at(days) }).kind).toBe(want);
});

test("a certificate is renewed by the same authority, so that nobody has to be told", () => {
  const first = stored(undefined);
  const second = stored(first, 61);
  expect(second["ca.crt"]).toBe(first["ca.crt"]);
  expect(second["tls.crt"]).not.toBe(first["tls.crt"]);
});

test("an authority in its last year is followed by a new one, and both are trusted until the first one ends", () => {
  const first = stored(undefined);
  const next = stored(first, 3_300);
  const bundle = textOf(next, "ca.crt");
  expect(count(bundle)).toBe(2);
  expect(bundle).toContain(textOf(first, "ca.crt"));
  const plan = planCertificate(next, { hosts, now: at(3_301) });
  expect(plan.kind).toBe("use");
  expect(count(textOf(stored(next, 6_700), "ca.crt"))).toBe(2); // the oldest has ended, and is out
});

test.each([
  { why: "of another Service", data: stored(undefined), hosts: ["other.knative-serving.svc"] },
  { why: "without a key", data: { ...stored(undefined), "tls.key": "" }, hosts },
  { why: "that cannot be read", data: { ...stored(undefined), "tls.crt": "bm8=" }, hosts },
  {
    why: "of another authority",
    data: { ...stored(undefined), "tls.crt": stored(undefined)["tls.crt"] ?? "" },
    hosts,
  },
])("a certificate $why is made anew", ({ data, hosts: wanted }) => {
  expect(planCertificate(data, { hosts: wanted, now }).kind).toBe("store");
});

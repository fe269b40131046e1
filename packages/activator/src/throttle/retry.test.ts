import { ProxyError } from "@rouse/shared";
import { RecordingExchange } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { decideRetry, isRepeatable, maySendAgain, RetryBudget } from "./retry.ts";

const error = new ProxyError("upstream-reset", "connection reset by peer");
const empty = (): RetryBudget => {
  const budget = new RetryBudget();
  while (budget.spend());
  return budget;
};

describe("A-104: what becomes of a failed attempt", () => {
  test.each([
    { isRetriable: true, ejection: "ejected", full: true, isRepeatable: false, want: { kind: "now" } },
    { isRetriable: true, ejection: "out", full: true, isRepeatable: false, want: { kind: "now" } },
    {
      isRetriable: true,
      ejection: "kept",
      full: true,
      isRepeatable: true,
      want: { kind: "later", afterMs: 100 },
    },
    { isRetriable: true, ejection: "out", full: false, isRepeatable: false, want: { kind: "now" } },
    { isRetriable: false, ejection: "out", full: true, isRepeatable: true, want: { kind: "now" } },
    { isRetriable: false, ejection: "out", full: false, isRepeatable: true, want: { kind: "never" } },
    { isRetriable: false, ejection: "out", full: true, isRepeatable: false, want: { kind: "never" } },
  ] as const)("$isRetriable, pod $ejection, budget $full, repeatable $isRepeatable: $want", (row) => {
    const { isRetriable, ejection, isRepeatable } = row;
    const budget = row.full ? new RetryBudget() : empty();
    const failure = { error, isRetriable };
    expect(decideRetry({ failure, attempts: 2, isRepeatable, ejection, budget })).toEqual(row.want);
  });

  test("waits grow to two seconds, and end after twenty attempts", () => {
    const budget = new RetryBudget();
    const waits = Array.from({ length: 20 }, (_, index) =>
      decideRetry({
        failure: { error, isRetriable: true },
        attempts: index + 1,
        isRepeatable: false,
        ejection: "kept",
        budget,
      }),
    );
    expect(waits.slice(0, 7).map((wait) => (wait.kind === "later" ? wait.afterMs : wait.kind))).toEqual([
      50, 100, 200, 400, 800, 1_600, 2_000,
    ]);
    expect(waits.at(-1)).toEqual({ kind: "never" });
  });
});

test("A-124: a certificate nobody trusts is tried three times, not twenty", () => {
  const cause = Object.assign(new Error("self-signed"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  const failure = { error: new ProxyError("upstream-refused", "no", { cause }), isRetriable: true };
  const kinds = [1, 2, 3].map(
    (attempts) =>
      decideRetry({ failure, attempts, isRepeatable: true, ejection: "kept", budget: new RetryBudget() })
        .kind,
  );
  expect(kinds).toEqual(["later", "later", "never"]);
});

test.each([
  { isProgramGone: true, attempts: 1, full: false, want: true },
  { isProgramGone: true, attempts: 20, full: true, want: false },
  { isProgramGone: false, attempts: 1, full: true, want: true },
  { isProgramGone: false, attempts: 1, full: false, want: false },
])(
  "A-104: not started, program gone $isProgramGone, attempt $attempts, budget $full: may go elsewhere: $want",
  ({ isProgramGone, attempts, full, want }) => {
    const budget = full ? new RetryBudget() : empty();
    expect(maySendAgain({ error, isProgramGone }, { attempts, budget })).toBe(want);
  },
);

test("the budget is a fifth of the requests", () => {
  const budget = empty();
  for (let request = 0; request < 10; request++) budget.earn();
  expect([budget.spend(), budget.spend(), budget.spend()]).toEqual([true, true, false]);
});

test.each([
  { method: "GET", want: true },
  { method: "HEAD", want: true },
  { method: "POST", want: false },
  { method: "PUT", want: false },
  { method: "GET", headers: { Upgrade: "websocket" }, want: false },
  { method: "GET", sent: 5, want: false },
])("A-104: $method $headers, $sent bytes sent: repeatable $want", ({ want, sent = 0, ...request }) => {
  const exchange = new RecordingExchange({}, request);
  exchange.requestBodyBytes = sent;
  expect(isRepeatable(exchange)).toBe(want);
});

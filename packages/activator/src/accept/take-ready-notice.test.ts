import { READY_AGENT, READY_PATH } from "@rouse/shared";
import { RecordingExchange } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { TakeReadyNotice } from "./take-ready-notice.ts";

function take(
  query: string,
  { method = "POST", agent = READY_AGENT, path = READY_PATH, ip = "10.0.0.7" } = {},
) {
  const told: string[] = [];
  let isPassed = false;
  const layer = new TakeReadyNotice((revision, pod) => told.push(`${revision} ${pod}`));
  const exchange = new RecordingExchange(
    {},
    { method, target: `${path}?${query}`, headers: { "User-Agent": agent }, client: { ip } },
  );
  layer.handle(exchange, () => {
    isPassed = true;
  });
  return { told, answer: isPassed ? "passed on" : exchange.answer?.status };
}

const query = "namespace=default&revision=hello-1&endpoint=10.0.0.7%3A8012";

test("a pod that says it is ready is believed, of itself", () => {
  expect(take(query)).toEqual({ told: ["default/hello-1 10.0.0.7:8012"], answer: 200 });
  expect(take("namespace=d&revision=r&endpoint=[fd00::7]:8012", { ip: "fd00::7" }).answer).toBe(200);
});

test.each([
  { why: "said by another address", query, more: { ip: "10.0.0.8" }, want: 403 },
  { why: "no endpoint", query: "namespace=default&revision=hello-1", more: {}, want: 403 },
  { why: "no port", query: "namespace=d&revision=r&endpoint=10.0.0.7", more: {}, want: 403 },
  { why: "another path", query, more: { path: "/other" }, want: 403 },
  { why: "another agent", query, more: { agent: "curl/8" }, want: "passed on" },
  { why: "another method", query, more: { method: "GET" }, want: "passed on" },
])("$why: $want, and nobody is told", ({ query: text, more, want }) => {
  expect(take(text, more)).toEqual({ told: [], answer: want });
});

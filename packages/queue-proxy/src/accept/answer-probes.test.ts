import { RecordingExchange } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { AnswerProbes } from "./answer-probes.ts";

const agents = ["kube-probe/1.33", "Knative-Activator-Probe", "Knative-Autoscaling-Probe"];

async function ask(
  headers: Record<string, string>,
  state: { readonly isReady?: boolean; readonly isDraining?: boolean } = {},
) {
  const { isReady = true, isDraining = false } = state;
  const asked: string[] = [];
  const readiness = {
    check: async () => {
      asked.push("program");
      return isReady;
    },
  };
  const exchange = new RecordingExchange(undefined, { headers });
  new AnswerProbes(readiness, { isDraining }).handle(exchange, () => asked.push("next"));
  await Promise.resolve();
  await Promise.resolve();
  return { ...exchange.answer, asked };
}

describe("V-6: health questions", () => {
  test.each(agents)("%s with the right value: 200 queue", async (agent) => {
    const answer = await ask({ "User-Agent": agent, "K-Network-Probe": "queue" });
    expect(answer).toMatchObject({ status: 200, body: "queue", asked: ["program"] });
    expect(answer.headers).toEqual({ "Content-Type": "text/plain; charset=utf-8" });
  });

  test("Q-106: not ready is 503 without a body", async () => {
    const answer = await ask(
      { "User-Agent": "kube-probe/1", "K-Network-Probe": "queue" },
      { isReady: false },
    );
    expect([answer.status, answer.body]).toEqual([503, undefined]);
  });

  test.each([
    { value: "test-probe", want: "unexpected probe header value: test-probe" },
    { value: "activator", want: "unexpected probe header value: activator" },
    { value: "", want: "unexpected probe header value: " },
  ])("value '$value': 400", async ({ value, want }) => {
    const answer = await ask({ "User-Agent": "Knative-Autoscaling-Probe", "K-Network-Probe": value });
    expect(answer).toMatchObject({ status: 400, body: want, asked: [] });
  });

  test("Q-19: while draining 503, without asking the program", async () => {
    const answer = await ask(
      { "User-Agent": "kube-probe/1", "K-Network-Probe": "queue" },
      { isDraining: true },
    );
    expect(answer).toMatchObject({ status: 503, body: "shutting down", asked: [] });
  });

  test("an asker that leaves before the answer gets none", async () => {
    const exchange = new RecordingExchange(undefined, {
      headers: { "User-Agent": "kube-probe/1", "K-Network-Probe": "queue" },
    });
    const readiness = { check: async () => true };
    new AnswerProbes(readiness, { isDraining: false }).handle(exchange, () => {});
    exchange.clientLeaves();
    await Promise.resolve();
    expect(exchange.answer).toBeUndefined();
  });
});

describe("network questions", () => {
  test("the hash is echoed", async () => {
    const answer = await ask({ "K-Network-Probe": "probe", "K-Network-Hash": "abc" });
    expect(answer).toMatchObject({ status: 200, headers: { "K-Network-Hash": "abc" } });
    expect(answer.body).toBeUndefined();
  });

  test("no hash: 400", async () => {
    const answer = await ask({ "K-Network-Probe": "probe" });
    expect(answer).toMatchObject({
      status: 400,
      body: 'a probe request must contain a non-empty "K-Network-Hash" header',
    });
  });

  test("while draining: 503", async () => {
    const answer = await ask({ "K-Network-Probe": "probe", "K-Network-Hash": "abc" }, { isDraining: true });
    expect(answer).toMatchObject({ status: 503, body: "shutting down" });
  });
});

test.each([
  { headers: {} },
  { headers: { "K-Network-Probe": "queue" } },
  { headers: { "User-Agent": "curl/8", "K-Network-Hash": "x" } },
])("ordinary traffic goes on: $headers", async ({ headers }) => {
  expect((await ask(headers, { isDraining: true })).asked).toEqual(["next"]);
});

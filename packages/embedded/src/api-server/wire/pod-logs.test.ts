import { KubeError, type StoredObject } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { type LogLine, type PodOutput, podLog } from "./pod-logs.ts";

const clock = new VirtualClock();
const start = clock.wall();
clock.advance(60_000);
const line = (text: string, afterMs: number): LogLine => ({ text, at: (start + afterMs) as LogLine["at"] });
const output: PodOutput = {
  lines: () => [line("first", 0), line("second", 30_000), line("third", 59_500)],
  previous: () => [line("before", 0)],
  follow: (_pod, _container, sink) => {
    sink.line(line("later", 60_000));
    sink.end();
    return { [Symbol.dispose]: () => {} };
  },
};
const pod: StoredObject = Object.freeze({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "p",
    namespace: "default",
    uid: "u",
    resourceVersion: "2",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { nodeName: "rouse", containers: [{ name: "app" }] },
});

function said(query: string): string {
  const answer = podLog({ podOutput: output, clock }, pod, new URLSearchParams(query));
  if (answer.kind === "whole") return answer.body;
  const parts: string[] = [];
  answer.start({
    write: (part) => void parts.push(part),
    pendingBytes: 0,
    end: () => void parts.push("(end)"),
  });
  return parts.join("");
}

test.each([
  { query: "", want: "first\nsecond\nthird\n" },
  { query: "tailLines=1", want: "third\n" },
  { query: "tailLines=0&follow=true", want: "later\n(end)" },
  { query: "sinceSeconds=31", want: "second\nthird\n" },
  { query: "sinceSeconds=1&timestamps=true", want: "2026-01-01T00:00:59.500Z third\n" },
  { query: "sinceTime=2026-01-01T00:00:30Z", want: "second\nthird\n" },
  {
    query: "follow=true&tailLines=1&timestamps=true",
    want: "2026-01-01T00:00:59.500Z third\n2026-01-01T00:01:00.000Z later\n(end)",
  },
  { query: "limitBytes=8", want: "first\nse" },
  { query: "previous=true", want: "before\n" },
])("a log asked for with '$query' is $want (P-87)", ({ query, want }) => {
  expect(said(query)).toBe(want);
});

test.each([
  { query: "sinceSeconds=0", code: 422 },
  { query: "tailLines=-1", code: 422 },
  { query: "sinceTime=yesterday", code: 400 },
  { query: "sinceTime=2026-01-01T00:00:30Z&sinceSeconds=3", code: 422 },
  { query: "container=zzz", code: 400 },
])("'$query' is $code (P-87)", ({ query, code }) => {
  let failure: unknown;
  try {
    said(query);
  } catch (error) {
    failure = error;
  }
  expect(failure instanceof KubeError && failure.code).toBe(code);
});

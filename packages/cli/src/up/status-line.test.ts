import { expect, test } from "vitest";
import type { RevisionView } from "./revision-view.ts";
import { StatusLog, statusLine } from "./status-line.ts";

const idle: RevisionView = {
  name: "hello-00001",
  pods: { starting: 0, ready: 0, stopping: 0 },
  mode: "proxy",
  held: 0,
  inFlight: 0,
  trouble: undefined,
};
const pods = (counts: Partial<RevisionView["pods"]>): RevisionView["pods"] => ({ ...idle.pods, ...counts });

test.each([
  { view: idle, line: "hello-00001  0 pods · proxy · 0 held" },
  { view: { ...idle, mode: undefined }, line: "hello-00001  0 pods · no mode yet · 0 held" },
  {
    view: { ...idle, pods: pods({ starting: 1 }), held: 3 },
    line: "hello-00001  1 starting · proxy · 3 held",
  },
  {
    view: { ...idle, pods: pods({ ready: 2, stopping: 1 }), mode: "serve" as const, inFlight: 7 },
    line: "hello-00001  2 ready, 1 stopping · serve · 0 held, 7 in flight",
  },
  {
    view: { ...idle, trouble: "CrashLoopBackOff: exit code 1" },
    line: "hello-00001  0 pods · proxy · 0 held · CrashLoopBackOff: exit code 1",
  },
])("$line", ({ view, line }) => {
  expect(statusLine(view)).toBe(line);
});

test("a line is said once", () => {
  const log = new StatusLog();
  expect(log.next(idle)).toBe(statusLine(idle));
  expect(log.next(idle)).toBeUndefined();
});

test("the first waiting request is news, the hundredth is not, and neither is a request a pod has", () => {
  const log = new StatusLog();
  log.next(idle);
  expect(log.next({ ...idle, held: 1 })).toContain("1 held");
  expect(log.next({ ...idle, held: 100 })).toBeUndefined();
  expect(log.next({ ...idle, held: 100, inFlight: 5 })).toBeUndefined();
  expect(log.next({ ...idle, held: 0 })).toContain("0 held");
});

test("a line that is due shows the counts as they are", () => {
  const log = new StatusLog();
  log.next({ ...idle, held: 1 });
  expect(log.next({ ...idle, held: 42, pods: pods({ ready: 1 }) })).toContain("42 held");
});

test("each revision has lines of its own, and one more when it goes", () => {
  const log = new StatusLog();
  log.next(idle);
  const other = { ...idle, name: "hello-00002" };
  expect(log.next(other)).toBe(statusLine(other));
  expect(log.gone("hello-00002")).toBe("hello-00002  gone");
  expect(log.gone("hello-00002")).toBeUndefined();
});

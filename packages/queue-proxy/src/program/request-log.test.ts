import { type LogFields, silentLogger } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { parseObservability } from "../config/observability.ts";
import { requestLogOf } from "./request-log.ts";

function setUp(requestLogTemplate: string, logsProbes = false) {
  const lines: string[] = [];
  const errors: (LogFields | undefined)[] = [];
  const requestLog = requestLogOf(
    {
      clock: new VirtualClock(),
      log: { ...silentLogger, error: (_: string, fields?: LogFields) => void errors.push(fields) },
      write: (line) => void lines.push(line),
    },
    {
      observability: { ...parseObservability(""), requestLogTemplate, logsProbes },
      revision: { namespace: "n", name: "r" },
      service: "s",
      configuration: "c",
      podName: "p",
      podIp: "10.0.0.1",
    },
  );
  const enter = (headers: Readonly<Record<string, string>>): void => {
    const exchange = new RecordingExchange(new QueueProxyContext(), { headers });
    requestLog?.handle(exchange, () => {});
    exchange.respond({ status: 200 });
  };
  return { lines, errors, enter, isOn: requestLog !== undefined };
}

test("Q-149, V-12: one that does not parse is said once, and nothing is logged; an empty one is silence", () => {
  const broken = setUp("{{}}");
  expect([broken.isOn, broken.errors]).toEqual([false, [{ error: "missing value for command" }]]);
  const empty = setUp("");
  expect([empty.isOn, empty.errors]).toEqual([false, []]);
});

test("Q-145: headers as the program gets them, and probes only where they are asked for", () => {
  const template = '{{.Request.Header.Get "forwarded"}} {{.Revision.PodName}}';
  const { lines, enter } = setUp(template);
  enter({ "X-Forwarded-For": "1.2.3.4" });
  enter({ "User-Agent": "kube-probe/1" });
  expect(lines).toEqual(["for=1.2.3.4 p\n"]);
  const withProbes = setUp(template, true);
  withProbes.enter({ "User-Agent": "kube-probe/1" });
  expect(withProbes.lines).toEqual([" p\n"]);
});

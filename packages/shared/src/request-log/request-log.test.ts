import { expect, test } from "vitest";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { ProxyError } from "../errors/proxy-error.ts";
import { RecordingExchange } from "../testing/recording-exchange.ts";
import { traceId } from "./log-record.ts";
import { RequestLog } from "./request-log.ts";

const revision = {
  name: "r",
  namespace: "n",
  service: "s",
  configuration: "c",
  podName: "p",
  podIp: "10.0.0.1",
};

function setUp(template: string) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const requestLog = new RequestLog<undefined>({
    clock,
    write: (line) => void lines.push(line),
    revisionOf: () => revision,
    isLeftOut: ({ target }) => target === "/probe",
    forwardedOf: (request) => request.get("X-Forwarded-For")?.replace(/^/, "for="),
  });
  requestLog.setTemplate(template);
  const enter = (request: ConstructorParameters<typeof RecordingExchange>[1] = {}) => {
    const exchange = new RecordingExchange(undefined, request);
    requestLog.handle(exchange, () => {});
    return exchange;
  };
  return { clock, lines, enter, requestLog };
}

const CODES = "{{.Response.Code}} {{.Response.Size}}";

test("Q-146: an aborted answer is 500 without a size, a client that left 499 and no 200 (E-6)", () => {
  const { lines, enter } = setUp(CODES);
  const cut = enter();
  cut.forward({ ip: "127.0.0.1", port: 1 });
  cut.upstreamStarts(200);
  cut.upstreamSends(7);
  cut.abort(new ProxyError("upstream-closed", "unexpected EOF"));
  enter().clientLeaves();
  expect(lines).toEqual(["500 0\n", "499 0\n"]);
});

test("Q-86: a tunnel is written at its end, as 101 with no size and the latency of its whole life", () => {
  const { clock, lines, enter } = setUp(`${CODES} {{.Response.Latency}}`);
  const tunnel = enter();
  tunnel.forward({ ip: "127.0.0.1", port: 1 });
  tunnel.upstreamStarts(101);
  tunnel.upstreamSends(1_000);
  clock.advance(2_500);
  expect(lines).toEqual([]);
  tunnel.upstreamCompletes();
  expect(lines).toEqual(["101 0 2.5\n"]);
});

test("Q-149, V-12: a template that fails while it runs says what the request was", () => {
  const { clock, lines, enter } = setUp("{{.Request.Something}}");
  const exchange = enter({ method: "PUT", target: "/x" });
  clock.advance(5);
  exchange.respond({ status: 204 });
  expect(lines).toEqual([
    "Invalid request log template: method: PUT, response code: 204, latency: 0.005, url: /x\n",
  ]);
});

test("A-41: it is switched on and off while requests run; one that cannot be used changes nothing", () => {
  const { lines, enter, requestLog } = setUp("");
  const before = enter();
  requestLog.setTemplate("{{.Request.Method}}");
  before.respond({ status: 200 });
  enter().respond({ status: 200 });
  expect(() => requestLog.setTemplate("{{}}")).toThrow("missing value for command");
  enter({ method: "PUT" }).respond({ status: 200 });
  enter({ target: "/probe" }).respond({ status: 200 });
  const during = enter({ method: "DELETE" });
  requestLog.setTemplate("");
  during.respond({ status: 200 });
  expect(lines).toEqual(["GET\n", "PUT\n"]);
});

test("Q-145: fields of the request, headers as the program gets them", () => {
  const { lines, enter } = setUp(
    '{{.Request.Host}} {{.Request.Header.Get "forwarded"}} {{.Request.Header.Get "K-Original-Host"}}{{.Request.FormValue "b"}} {{.Request.URL.Path}} {{.Revision.PodName}}',
  );
  enter({
    host: "h.example",
    target: "/a?b=1%202",
    headers: { "X-Forwarded-For": "1.2.3.4", "K-Original-Host": "o.example" },
  }).respond({ status: 200 });
  expect(lines).toEqual(["h.example for=1.2.3.4 1 2 /a p\n"]);
});

test.each([
  [
    { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
    "4bf92f3577b34da6a3ce929d0e0e4736",
  ],
  [
    { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-x-01", "X-B3-TraceId": "b3" },
    "4bf92f3577b34da6a3ce929d0e0e4736",
  ],
  [{ "X-B3-TraceId": "463ac35c9f6413ad" }, "463ac35c9f6413ad"],
  [{ traceparent: "invalid" }, ""],
  [{ traceparent: "00", "X-B3-TraceId": "b3" }, "b3"],
])("V-8: the trace of %j", (headers, want) => {
  expect(
    traceId(new RecordingExchange(undefined, { headers: headers as Record<string, string> }).request),
  ).toBe(want);
});

import { headers, ProxyError } from "@rouse/shared";
import { RecordingExchange } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { MarkNotStarted } from "./mark-not-started.ts";

function enter({ isProxied }: { readonly isProxied: boolean }): RecordingExchange<QueueProxyContext> {
  const exchange = new RecordingExchange(new QueueProxyContext());
  exchange.context.isProxied = isProxied;
  new MarkNotStarted().handle(exchange, () => {});
  return exchange;
}

test.each(["queue-full", "upstream-refused"] as const)(
  "an activator is told that the program was never given the request: %s; nobody else is",
  (code) => {
    for (const isProxied of [true, false]) {
      const exchange = enter({ isProxied });
      exchange.context.isNotStarted = true;
      exchange.fail(new ProxyError(code, "no"));
      expect(exchange.responseHeaders).toEqual(isProxied ? [[headers.notStarted, "true"]] : []);
    }
  },
);

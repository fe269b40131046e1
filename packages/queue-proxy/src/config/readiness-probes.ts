import { JsonObject, type Probe } from "@rouse/shared";
import { ConfigError } from "./config-error.ts";

/**
 * What `SERVING_READINESS_PROBE` says: one probe, or an array of them. Empty: no probe, always ready. An
 * element that is `null` is left out, where the reference would crash.
 * @throws ConfigError `fatal` if it cannot be read
 */
export function parseReadinessProbes(text: string, options: { readonly isArray: boolean }): readonly Probe[] {
  if (text === "") return [];
  try {
    const read: unknown = JSON.parse(text);
    if (!options.isArray) return read === null ? [] : [probeOf(read)];
    if (read === null) return [];
    if (!Array.isArray(read)) throw new TypeError("not an array");
    return read.filter((element) => element !== null).map(probeOf);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new ConfigError("fatal", `Queue container failed to parse readiness probe: ${error.message}`);
    }
    throw error;
  }
}

function probeOf(value: unknown): Probe {
  const probe = JsonObject.of(value, "the probe");
  const common = {
    periodSeconds: probe.number("periodSeconds", 0),
    timeoutSeconds: probe.number("timeoutSeconds", 0),
    successThreshold: probe.number("successThreshold", 0),
  };
  if (probe.has("httpGet")) {
    const get = probe.object("httpGet");
    return {
      ...common,
      httpGet: {
        path: get.text("path", ""),
        port: portOf(get),
        ...hostOf(get),
        scheme: get.text("scheme", "") === "HTTPS" ? "HTTPS" : "HTTP",
        httpHeaders: headersOf(get),
      },
    };
  }
  if (probe.has("tcpSocket")) {
    const socket = probe.object("tcpSocket");
    return { ...common, tcpSocket: { port: portOf(socket), ...hostOf(socket) } };
  }
  if (probe.has("grpc")) {
    const grpc = probe.object("grpc");
    return { ...common, grpc: { port: portOf(grpc), service: grpc.text("service", "") } };
  }
  if (probe.has("exec")) {
    const command = probe.object("exec").raw("command");
    return { ...common, exec: { command: Array.isArray(command) ? command.map(String) : [] } };
  }
  return common;
}

function hostOf(handler: JsonObject): { readonly host?: string } {
  const host = handler.text("host", "");
  return host === "" ? {} : { host };
}

/** A number, or a text that is one. Q-88 */
function portOf(handler: JsonObject): number {
  const port = handler.raw("port") ?? 0;
  const number = typeof port === "string" ? Number(port === "" ? Number.NaN : port) : port;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new TypeError(`port ${JSON.stringify(port)} is not a port number`);
  }
  return number;
}

function headersOf(get: JsonObject): readonly { readonly name: string; readonly value: string }[] {
  const listed = get.raw("httpHeaders") ?? [];
  if (!Array.isArray(listed)) throw new TypeError("httpHeaders is not an array");
  return listed.map((one) => {
    const header = JsonObject.of(one, "a header");
    return { name: header.text("name", ""), value: header.text("value", "") };
  });
}
